// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/api_key.hpp>
#include <palette/detail/printable.hpp>

#include <ostream>

namespace palette::inline PALETTE_KEYS_ABI {

PALETTE_KEYS_INLINE std::string_view to_string(KeyState state) noexcept {
    switch (state) {
        case KeyState::active:
            return "active";
        case KeyState::revoked:
            return "revoked";
        case KeyState::expired:
            return "expired";
    }
    return {};
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, KeyState state) {
    return out << to_string(state);
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const Owner& owner) {
    out << detail::printable(owner.uid);
    if (owner.first_name.empty() && owner.last_name.empty()) return out;
    bool const both = !owner.first_name.empty() && !owner.last_name.empty();
    return out << " (" << detail::printable(owner.first_name) << (both ? " " : "")
               << detail::printable(owner.last_name) << ')';
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const ApiKey& key) {
    return out << "ApiKey " << detail::printable(key.uid) << ' ' << detail::in_quotes(key.name)
               << (key.is_active ? ", switched on" : ", switched off") << ", expires " << key.expiry
               << ", owner " << key.owner;
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const KeyList& keys) {
    out << keys.size() << (keys.size() == 1 ? " key" : " keys");
    char const* separator = ": ";
    for (auto const& key : keys) {
        out << separator << detail::in_quotes(key.name);
        separator = ", ";
    }
    return out;
}

}  // namespace palette::inline PALETTE_KEYS_ABI
