// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/user.hpp>

#include <ostream>

namespace palette::inline PALETTE_KEYS_ABI {

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const Identity& identity) {
    return out << "Identity user " << detail::printable(identity.user_uid) << ", tenant "
               << detail::printable(identity.tenant_uid) << ", organisation "
               << detail::in_quotes(identity.org_name);
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const User& user) {
    return out << "User " << detail::printable(user.uid) << " <" << detail::printable(user.email) << '>'
               << (user.is_active ? "" : ", disabled");
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const UserList& users) {
    out << users.size() << (users.size() == 1 ? " user" : " users");
    if (!users.is_complete()) out << " (not all)";
    char const* separator = ": ";
    for (auto const& user : users) {
        out << separator << '<' << detail::printable(user.email) << '>';
        separator = ", ";
    }
    return out;
}

}  // namespace palette::inline PALETTE_KEYS_ABI
