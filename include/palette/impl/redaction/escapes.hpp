// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string_view>
#include <system_error>

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
    unsigned number = 0;
    if (text.size() < at + digits) return std::nullopt;
    auto const* const end = text.data() + at + digits;
    auto const read = std::from_chars(text.data() + at, end, number, 16);
    if (read.ptr != end || read.ec != std::errc()) return std::nullopt;
    return number;
}

inline Escape utf8_escape(std::size_t length, unsigned character) noexcept {
    auto const tail = [&](unsigned shift) { return static_cast<char>(0x80 | (character >> shift & 0x3F)); };
    auto const lead = [&](unsigned mark, unsigned shift) {
        return static_cast<char>(mark | character >> shift);
    };
    if (character < 0x80) return {length, {lead(0, 0)}, 1};
    if (character < 0x800) return {length, {lead(0xC0, 6), tail(0)}, 2};
    if (character < 0x10000) return {length, {lead(0xE0, 12), tail(6), tail(0)}, 3};
    return {length, {lead(0xF0, 18), tail(12), tail(6), tail(0)}, 4};
}

// "%4B".
inline Escape percent_escape(std::string_view text) noexcept {
    if (!text.starts_with('%')) return {};
    auto const byte = hex_number(text, 1, 2);
    return byte ? Escape{3, {static_cast<char>(*byte)}, 1} : Escape();
}

// One of JSON, "\n" or "\u004B", or "\x4B" as printable() writes it. Half of a character stands for itself.
inline Escape backslash_escape(std::string_view text) noexcept {
    if (text.size() < 2 || text.front() != '\\') return {};
    static constexpr std::string_view letters = "bfnrt\"\\/";
    static constexpr std::string_view meant = "\b\f\n\r\t\"\\/";
    if (auto const found = letters.find(text[1]); found != std::string_view::npos)
        return {2, {meant[found]}, 1};
    if (text[1] == 'x') {
        auto const byte = hex_number(text, 2, 2);
        return byte ? Escape{4, {static_cast<char>(*byte)}, 1} : Escape();
    }
    auto const unit = text[1] == 'u' ? hex_number(text, 2, 4) : std::nullopt;
    return unit ? utf8_escape(6, *unit) : Escape();
}

// "\ud83d\udd11", the two halves of one character.
inline Escape surrogate_escape(std::string_view text) noexcept {
    if (!text.starts_with("\\u")) return {};
    auto const high = hex_number(text, 2, 4);
    if (!high || *high >> 10 != 0xD800 >> 10 || !text.substr(6).starts_with("\\u")) return {};
    auto const low = hex_number(text, 8, 4);
    if (!low || *low >> 10 != 0xDC00 >> 10) return {};
    return utf8_escape(12, 0x10000 + ((*high & 0x3FF) << 10 | (*low & 0x3FF)));
}

// All of a row of backslashes, as a text has that was escaped again and again, for one.
inline Escape backslashes(std::string_view text) noexcept {
    auto const end = text.find_first_not_of('\\');
    return {end == std::string_view::npos ? text.size() : end, {'\\'}, 1};
}

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
