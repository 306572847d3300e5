// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/values/text.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::detail {

inline constexpr std::size_t max_uid_size = 253;

// A table, for every uid of every answer is looked at, and most of a list is uids.
inline constexpr auto is_plain_in_segment = [] {
    std::array<bool, 256> table{};
    for (int c = 0; c < 256; ++c) {
        auto const character = static_cast<char>(c);
        table[static_cast<std::size_t>(c)] =
            is_letter(character) || is_digit(character) || c == '.' || c == '_' || c == '-';
    }
    return table;
}();

// Whether a text is one segment of a path as it is, and stays the same one for every proxy on the way.
// Percent-encoding is not enough: a reverse proxy may decode it and follow the "../" that was hidden in it.
inline bool is_plain_segment(std::string_view text) noexcept {
    auto const is_plain = [](char c) { return is_plain_in_segment[static_cast<unsigned char>(c)]; };
    // These are plain characters, and yet lead to another resource.
    return !text.empty() && text != "." && text != ".." && std::ranges::all_of(text, is_plain);
}

// Why `text` cannot be the uid of anything; null if it can. It never quotes the text.
inline const char* fault_of_uid(std::string_view text) noexcept {
    if (text.empty()) return "is empty";
    if (text.size() > max_uid_size) return "is longer than 253 bytes";
    if (!is_plain_segment(text)) return "is not a uid, which has letters, digits, '.', '_' and '-' alone";
    return nullptr;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
