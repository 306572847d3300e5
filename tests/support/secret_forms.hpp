// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/random.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

// How servers write a credential that they quote, and whether a text tells any of one. It owes nothing to
// the library.
namespace forms {

inline std::string formatted(const char* format, unsigned number) {
    char text[16];
    std::snprintf(text, sizeof text, format, number);
    return text;
}

inline unsigned byte_of(char c) {
    return static_cast<unsigned char>(c);
}

inline std::string raw(std::string_view text) {
    return std::string(text);
}

template <bool is_all, bool is_lower>
std::string percent(std::string_view text) {
    std::string out;
    for (char const c : text) {
        auto const is_plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                              std::string_view("-._~").find(c) != std::string_view::npos;
        if (is_plain && !is_all)
            out += c;
        else
            out += formatted(is_lower ? "%%%02x" : "%%%02X", byte_of(c));
    }
    return out;
}

// What cannot be a UTF-16 unit by itself stays as it is.
inline std::string unicode(std::string_view text, const char* format) {
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        auto const lead = byte_of(text[i]);
        std::size_t const length = lead < 0x80 ? 1 : lead < 0xC0 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        auto const tail = text.substr(i + 1, std::max<std::size_t>(length, 1) - 1);
        auto const is_good = length != 0 && tail.size() + 1 == length &&
                             std::ranges::all_of(tail, [](char c) { return byte_of(c) >> 6 == 2; });
        if (!is_good) {
            out += text[i++];
            continue;
        }
        auto character = length == 1 ? lead : lead & (0x7Fu >> length);
        for (char const c : tail)
            character = character << 6 | (byte_of(c) & 0x3F);
        if (character >= 0x10000) {
            out += formatted(format, 0xD800 + ((character - 0x10000) >> 10));
            character = 0xDC00 + ((character - 0x10000) & 0x3FF);
        }
        out += formatted(format, character);
        i += length;
    }
    return out;
}
inline std::string unicode_lower(std::string_view text) {
    return unicode(text, "\\u%04x");
}
inline std::string unicode_upper(std::string_view text) {
    return unicode(text, "\\u%04X");
}

// JSON's short escapes.
inline std::string json(std::string_view text) {
    static constexpr std::string_view meant = "\b\f\n\r\t\"\\/";
    std::string out;
    for (char const c : text) {
        auto const found = meant.find(c);
        if (found == std::string_view::npos)
            out += c;
        else
            (out += '\\') += "bfnrt\"\\/"[found];
    }
    return out;
}
inline std::string json_twice(std::string_view text) {
    return json(json(text));
}
inline std::string percent_twice(std::string_view text) {
    return percent<false, false>(percent<true, false>(text));
}

inline std::string base64_with(std::string_view text, std::string_view last_two, bool is_padded) {
    auto const digits =
        std::string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") + std::string(last_two);
    std::string out;
    unsigned bits = 0;
    unsigned count = 0;
    for (char const c : text) {
        bits = (bits << 8 | byte_of(c)) & 0xFFFF;
        for (count += 8; count >= 6; count -= 6)
            out += digits[bits >> (count - 6) & 63];
    }
    if (count > 0) out += digits[bits << (6 - count) & 63];
    while (is_padded && out.size() % 4 != 0)
        out += '=';
    return out;
}
inline std::string base64(std::string_view text) {
    return base64_with(text, "+/", true);
}
inline std::string base64url(std::string_view text) {
    return base64_with(text, "-_", false);
}
inline std::string base64_in_json(std::string_view text) {
    return json(base64(text));
}
inline std::string base64_in_url(std::string_view text) {
    return percent<false, true>(base64(text));
}
inline std::string basic(std::string_view text) {
    return "Basic " + base64("user:" + std::string(text));
}

struct Form {
    const char* name;
    std::string (*encode)(std::string_view);
    bool is_exact;  // nothing is left of it; of base64, parts of digits and the padding may be
};

inline constexpr Form all[] = {
    {"as it is", raw, true},
    {"percent", percent<false, false>, true},
    {"percent, lower case", percent<false, true>, true},
    {"percent, all of it", percent<true, false>, true},
    {"percent, all of it, lower case", percent<true, true>, true},
    {"percent, twice", percent_twice, true},
    {"JSON, short", json, true},
    {"JSON, lower case", unicode_lower, true},
    {"JSON, upper case", unicode_upper, true},
    {"JSON, twice", json_twice, false},
    {"base64", base64, false},
    {"base64 of URLs", base64url, false},
    {"base64 in JSON", base64_in_json, false},
    {"base64 in a URL", base64_in_url, false},
    {"Basic", basic, false},
};

// What may be done to a whole text that has one of them.
inline constexpr Form outer[] = {
    {"percent", percent<false, false>, true},
    {"percent, all of it, lower case", percent<true, true>, true},
    {"JSON, short", json, true},
    {"JSON, lower case", unicode_lower, true},
};

// The text without one kind of escapes, read from its beginning on.
inline std::string without_percent(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto const digits = text.substr(i + 1, 2);
        if (text[i] == '%' && digits.size() == 2 &&
            digits.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos) {
            out += static_cast<char>(std::stoi(std::string(digits), nullptr, 16));
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

inline std::string without_backslashes(std::string_view text) {
    static constexpr std::string_view letters = "bfnrt\"\\/";
    static constexpr std::string_view meant = "\b\f\n\r\t\"\\/";
    std::string out;
    auto const number = [](std::string_view digits, std::size_t count) {
        bool const is_good =
            digits.size() >= count &&
            digits.substr(0, count).find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
        return is_good ? std::stoi(std::string(digits.substr(0, count)), nullptr, 16) : -1;
    };
    auto const append = [&](unsigned character) {
        auto const tail = [&](unsigned shift) {
            out += static_cast<char>(0x80 | (character >> shift & 0x3F));
        };
        if (character < 0x80) {
            out += static_cast<char>(character);
        } else if (character < 0x800) {
            out += static_cast<char>(0xC0 | character >> 6);
            tail(0);
        } else if (character < 0x10000) {
            out += static_cast<char>(0xE0 | character >> 12);
            tail(6);
            tail(0);
        } else {
            out += static_cast<char>(0xF0 | character >> 18);
            tail(12);
            tail(6);
            tail(0);
        }
    };
    while (!text.empty()) {
        std::size_t length = 1;
        auto const kind = text.size() > 1 && text.front() == '\\' ? text[1] : '\0';
        auto const rest = text.substr(std::min<std::size_t>(2, text.size()));
        if (auto const found = letters.find(kind); kind != '\0' && found != std::string_view::npos) {
            out += meant[found];
            length = 2;
        } else if (kind == 'x' && number(rest, 2) >= 0) {
            out += static_cast<char>(number(rest, 2));
            length = 4;
        } else if (kind == 'u' && number(rest, 4) >= 0) {
            auto unit = static_cast<unsigned>(number(rest, 4));
            length = 6;
            auto const low =
                unit >> 10 == 0x36 && rest.substr(4, 2) == "\\u" ? number(rest.substr(6), 4) : -1;
            if (low >> 10 == 0x37) {
                unit = 0x10000 + ((unit & 0x3FF) << 10 | (static_cast<unsigned>(low) & 0x3FF));
                length = 12;
            }
            append(unit);
        } else {
            out += text.front();
        }
        text.remove_prefix(length);
    }
    return out;
}

inline std::string with_single_backslashes(std::string_view text) {
    std::string out;
    for (char const c : text)
        if (c != '\\' || !out.ends_with('\\')) out += c;
    return out;
}

// Each character in some form.
inline std::string mixed(std::string_view text, sample::Random& random) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto const one = text.substr(i, 1);
        switch (random.below(5)) {
            case 0:
                out += percent<true, false>(one);
                break;
            case 1:
                out += percent<true, true>(one);
                break;
            case 2:
                out += unicode_upper(one);
                break;
            case 3:
                out += json(one);
                break;
            default:
                out += one;
        }
    }
    return out;
}

// Whether eight bytes of the secret in a row, or all of a shorter one, can be read in the text, or in what it
// stands for as a whole.
bool reveals(std::string_view text, std::string_view secret);

}  // namespace forms
