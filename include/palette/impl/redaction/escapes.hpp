// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>
#include <palette/impl/values/text.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::detail {

// An escape that a text begins with, and the bytes that it stands for.
struct Escape {
    std::size_t length = 0;  // of the escape; 0: the text begins with none
    std::array<char, 4> bytes{};
    unsigned count = 0;
};

// The number that `text` has in `digits` hexadecimal digits from `at` on.
inline std::optional<unsigned> hex_number(std::string_view text, std::size_t at,
                                          std::size_t digits) noexcept {
    if (text.size() < at + digits) return std::nullopt;
    unsigned number = 0;
    for (char const c : text.substr(at, digits)) {
        auto const digit = hex_digit(c);
        if (digit < 0) return std::nullopt;
        number = number << 4 | static_cast<unsigned>(digit);
    }
    return number;
}

inline Escape byte_escape(std::size_t length, std::optional<unsigned> byte) noexcept {
    return byte ? Escape{length, {static_cast<char>(*byte)}, 1} : Escape();
}

inline Escape utf8_escape(std::size_t length, unsigned character) noexcept {
    if (character < 0x80) return byte_escape(length, character);
    Escape out{length, {}, character < 0x800 ? 2u : character < 0x10000 ? 3u : 4u};
    for (auto i = out.count; --i > 0; character >>= 6)
        out.bytes[i] = static_cast<char>(0x80 | (character & 0x3F));
    out.bytes[0] = static_cast<char>(0xF00 >> out.count | character);
    return out;
}

// "%4B".
inline Escape percent_escape(std::string_view text) noexcept {
    return text.starts_with('%') ? byte_escape(3, hex_number(text, 1, 2)) : Escape();
}

// One of JSON, "\n", "\u004B" or the two halves "\ud83d\udd11", or "\x4B" as printable() writes it. Half of a
// character stands for itself.
inline Escape backslash_escape(std::string_view text) noexcept {
    static constexpr std::string_view letters = "bfnrt\"\\/";
    static constexpr std::string_view meant = "\b\f\n\r\t\"\\/";
    if (text.size() < 2 || text.front() != '\\') return {};
    if (auto const found = letters.find(text[1]); found != std::string_view::npos)
        return {2, {meant[found]}, 1};
    if (text[1] == 'x') return byte_escape(4, hex_number(text, 2, 2));
    auto const unit = text[1] == 'u' ? hex_number(text, 2, 4) : std::nullopt;
    if (!unit) return {};
    auto const low = text.substr(6).starts_with("\\u") ? hex_number(text, 8, 4) : std::nullopt;
    if (*unit >> 10 == 0xD800 >> 10 && low && *low >> 10 == 0xDC00 >> 10)
        return utf8_escape(12, 0x10000 + ((*unit & 0x3FF) << 10 | (*low & 0x3FF)));
    return utf8_escape(6, *unit);
}

// All of a row of backslashes, as a text has that was escaped again and again, for one.
inline Escape backslashes(std::string_view text) noexcept {
    return {std::min(text.find_first_not_of('\\'), text.size()), {'\\'}, 1};
}

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
