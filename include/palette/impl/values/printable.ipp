// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/values/text.hpp>
#include <palette/impl/values/unseen.hpp>

#include <algorithm>

namespace palette::inline PALETTE_KEYS_ABI::detail {

PALETTE_KEYS_INLINE std::size_t utf8_character(std::string_view text) noexcept {
    if (text.empty()) return 0;
    auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    auto const lead = byte(0);
    if (lead < 0x80) return 1;

    std::size_t const length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    // 0xC0 and 0xC1 begin overlong forms only, and nothing above 0xF4 is Unicode.
    if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xC0) != 0x80) return 0;

    auto const second = byte(1);
    // An overlong form hides a character from checks that look for its usual bytes, and decoders accept it at
    // times.
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
            out += lower_hex[byte >> 4];
            out += lower_hex[byte & 0xF];
    }
}

// Appends to `out`, which does not grow on the way: a text from outside may hold a credential, and leaves no
// copies behind.
inline void append_escaped(std::string& out, std::string_view text, std::size_t limit,
                           std::string_view also) {
    constexpr std::size_t longest_escape = 4;
    // "\xNN" for each byte, and 4 for "..." and the quote that may follow.
    out.reserve(out.size() + longest_escape * std::min(text.size(), limit) + 4);
    for (std::size_t at = 0; at < text.size();) {
        auto const length = utf8_character(text.substr(at));
        // What is no UTF-8 is escaped byte by byte, and reading goes on behind it.
        auto const character = text.substr(at, length == 0 ? 1 : length);
        // Cut between characters: half of one would be no UTF-8.
        if (character.size() > limit - at) {
            out += "...";
            return;
        }
        if (length == 0 || is_unseen(character)) {
            // Byte by byte, so that a log shows exactly what came.
            for (char const c : character)
                append_escaped_byte(out, c);
        } else {
            if (also.find(character) != std::string_view::npos) out += '\\';
            out += character;
        }
        at += character.size();
    }
}

PALETTE_KEYS_INLINE std::string printable(std::string_view text, std::size_t limit) {
    std::string out;
    append_escaped(out, text, limit, "\"\\");
    return out;
}

PALETTE_KEYS_INLINE std::string one_line(std::string_view text, std::size_t limit) {
    std::string out;
    append_escaped(out, text, limit, "");
    return out;
}

PALETTE_KEYS_INLINE std::string in_quotes(std::string_view text, std::size_t limit) {
    std::string out(1, '"');
    append_escaped(out, text, limit, "\"\\");
    out += '"';
    return out;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
