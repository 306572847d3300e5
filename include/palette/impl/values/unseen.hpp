// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <algorithm>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::detail {

// What acts on what shows it, or is not to be seen, instead of being shown: each row from a character to
// another. C0 and DEL, C1, what Unicode gives no shape (Default_Ignorable_Code_Point: soft hyphen, joiners,
// zero-width and directional marks, fillers, variation selectors, tags), and the separators of lines and
// paragraphs.
inline constexpr char32_t unseen[][2] = {
    {0x00, 0x1F},     {0x7F, 0x9F},       {0xAD, 0xAD},       {0x34F, 0x34F},     {0x61C, 0x61C},
    {0x115F, 0x1160}, {0x17B4, 0x17B5},   {0x180B, 0x180F},   {0x200B, 0x200F},   {0x2028, 0x202E},
    {0x2060, 0x206F}, {0x3164, 0x3164},   {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},
    {0xFFF0, 0xFFFB}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
};

// Of a well-formed character.
inline char32_t code_point(std::string_view character) noexcept {
    auto const lead = static_cast<unsigned char>(character.front());
    if (character.size() == 1) return lead;
    char32_t value = lead & (0x7Fu >> character.size());
    for (char const c : character.substr(1))
        value = value << 6 | (static_cast<unsigned char>(c) & 0x3F);
    return value;
}

inline bool is_unseen(std::string_view character) noexcept {
    auto const c = code_point(character);
    return std::ranges::any_of(unseen, [c](auto const& range) { return c >= range[0] && c <= range[1]; });
}

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
