// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/values/text.hpp>
#include <palette/impl/values/unseen.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

// How a text from outside stands in a file of each format, so that it is shown and does nothing.
namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

inline void append_unicode_escape(std::string& out, char32_t unit) {
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4)
        out += detail::lower_hex[(unit >> shift) & 0xFU];
}

// In double quotes. All of the text, but that bytes which are not UTF-8 become U+FFFD. What cannot be seen is
// escaped, so that a terminal that shows the file does not obey it.
inline void append_json_text(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        auto const length = detail::utf8_character(text);
        auto const character = text.substr(0, length == 0 ? 1 : length);
        text.remove_prefix(character.size());
        if (length == 0) {
            out += "\xEF\xBF\xBD";
        } else if (character == "\"" || character == "\\") {
            out += '\\';
            out += character;
        } else if (detail::is_unseen(character)) {
            auto const c = detail::code_point(character);
            if (c < 0x10000) {
                append_unicode_escape(out, c);
            } else {
                append_unicode_escape(out, 0xD800 + ((c - 0x10000) >> 10));
                append_unicode_escape(out, 0xDC00 + ((c - 0x10000) & 0x3FF));
            }
        } else {
            out += character;
        }
    }
    out += '"';
}

// For the content of an element, and the value of an attribute in double quotes. What cannot be seen is shown
// as an escape.
inline void append_html(std::string& out, std::string_view text, std::size_t limit = 400) {
    for (char const c : detail::one_line(text, limit)) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default:
                out += c;
        }
    }
}

// What makes a formula of the cell that it begins; also in the wide forms, which some programs accept.
inline bool begins_with_sign(std::string_view text) noexcept {
    constexpr std::string_view signs[] = {
        "=", "+", "-", "@", "\xEF\xBC\x9D", "\xEF\xBC\x8B", "\xEF\xBC\x8D", "\xEF\xBC\xA0"};
    return std::ranges::any_of(signs, [&](std::string_view sign) { return text.starts_with(sign); });
}

// A cell that a spreadsheet takes for text, whatever it begins with, also behind blanks. Where ';' separates
// the cells of a list, as in much of Europe, a spreadsheet begins another cell behind each, and does not know
// which quotes are ours.
inline void append_csv(std::string& out, std::string_view text) {
    constexpr std::size_t limit = 4'000;  // escaped, it still is less than the 32,767 that a cell may hold
    auto const cell = detail::one_line(text, limit);
    auto const view = std::string_view(cell);
    bool const is_quoted = view.find_first_of(",\"") != std::string_view::npos;
    if (is_quoted) out += '"';
    if (begins_with_sign(view.substr(std::min(view.find_first_not_of(' '), view.size())))) out += '\'';
    bool is_behind_separator = false;
    for (std::size_t i = 0; i < view.size(); ++i) {
        auto const c = view[i];
        if (is_behind_separator && begins_with_sign(view.substr(i))) out += '\'';
        // A spreadsheet drops blanks and quotes before it looks at the first character.
        is_behind_separator = c == ';' || (is_behind_separator && (c == ' ' || c == '"'));
        if (c == '"') out += '"';
        out += c;
    }
    if (is_quoted) out += '"';
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
