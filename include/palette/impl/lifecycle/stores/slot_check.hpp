// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <algorithm>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

// Stores ask it as well, which rotation.hpp includes: so this header includes nothing of rotations.
inline bool is_slot_name(std::string_view name) noexcept {
    auto const is_good = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
               c == '_' || c == '-';
    };
    return !name.empty() && name.size() <= 128 && name.front() != '.' && std::ranges::all_of(name, is_good);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
