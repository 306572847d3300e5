// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/testing/test_user.hpp>

#include <ostream>

namespace palette::inline PALETTE_KEYS_ABI::testing {

PALETTE_KEYS_INLINE std::string_view to_string(Role role) noexcept {
    switch (role) {
        case Role::tenant_admin:
            return "tenant_admin";
        case Role::tenant_user_admin:
            return "tenant_user_admin";
        case Role::tenant_viewer:
            return "tenant_viewer";
        case Role::user:
            return "user";
    }
    return "unknown";
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, Role role) {
    return out << to_string(role);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::testing
