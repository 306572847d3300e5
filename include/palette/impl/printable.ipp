// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>

namespace palette::inline PALETTE_KEYS_ABI::detail {

PALETTE_KEYS_INLINE std::size_t utf8_character(std::string_view text) noexcept {
    if (text.empty()) return 0;
    auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    auto const lead = byte(0);
    if (lead < 0x80) return 1;

    std::size_t const length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xC0) != 0x80) return 0;

    auto const second = byte(1);
    bool const overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
    bool const surrogate = lead == 0xED && second >= 0xA0;
    bool const beyond_unicode = lead == 0xF4 && second >= 0x90;
    return overlong || surrogate || beyond_unicode ? 0 : length;
}

PALETTE_KEYS_INLINE std::size_t valid_utf8_prefix(std::string_view text) noexcept {
    std::size_t at = 0;
    while (at < text.size()) {
        auto const length = utf8_character(text.substr(at));
        if (length == 0) break;
        at += length;
    }
    return at;
}

inline void append_escaped_byte(std::string& out, char c) {
    static constexpr char hex[] = "0123456789abcdef";
    auto const byte = static_cast<unsigned char>(c);
    switch (c) {
        case '\n':
            out += "\\n";
            break;
        case '\r':
            out += "\\r";
            break;
        case '\t':
            out += "\\t";
            break;
        default:
            out += "\\x";
            out += hex[byte >> 4];
            out += hex[byte & 0xF];
    }
}

// Whether a character acts on what shows it instead of being shown: C0 and DEL, C1 (C2 80 to C2 9F),
// the separators of lines and paragraphs and what turns the direction of writing (U+2028 to U+202E,
// U+2066 to U+2069).
inline bool is_control(std::string_view character) noexcept {
    auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
    if (character.size() == 1) return byte(0) < 0x20 || byte(0) == 0x7F;
    if (character.size() == 2) return byte(0) == 0xC2 && byte(1) < 0xA0;
    if (character.size() != 3 || byte(0) != 0xE2) return false;
    return (byte(1) == 0x80 && byte(2) >= 0xA8 && byte(2) <= 0xAE) ||
           (byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9);
}

inline std::string escaped(std::string_view text, std::size_t limit, std::string_view also) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        auto const length = utf8_character(text.substr(at));
        auto const character = text.substr(at, length == 0 ? 1 : length);
        if (character.size() > limit - at) return out += "...";
        if (length == 0 || is_control(character)) {
            for (char const c : character)
                append_escaped_byte(out, c);
        } else {
            if (also.find(character) != std::string_view::npos) out += '\\';
            out += character;
        }
        at += character.size();
    }
    return out;
}

PALETTE_KEYS_INLINE std::string printable(std::string_view text, std::size_t limit) {
    return escaped(text, limit, "\"\\");
}

PALETTE_KEYS_INLINE std::string one_line(std::string_view text, std::size_t limit) {
    return escaped(text, limit, "");
}

PALETTE_KEYS_INLINE std::string in_quotes(std::string_view text, std::size_t limit) {
    return '"' + printable(text, limit) + '"';
}

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
