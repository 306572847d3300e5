// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/auth/echo.hpp>

#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>

namespace palette::inline PALETTE_KEYS_ABI::auth {

inline constexpr std::size_t told_bytes = 8;
// As many as eight bytes determine, wherever they stand.
inline constexpr std::size_t told_digits = 10;

inline bool holds_window(std::string_view text, std::string_view secret, std::size_t most) noexcept {
    auto const window = std::min(most, secret.size());
    for (std::size_t at = 0; at + window <= secret.size(); ++at)
        if (text.find(secret.substr(at, window)) != std::string_view::npos) return true;
    return false;
}

inline std::optional<unsigned> hex_number(std::string_view digits) noexcept {
    unsigned number = 0;
    auto const* const end = digits.data() + digits.size();
    auto const read = std::from_chars(digits.data(), end, number, 16);
    if (read.ptr != end || read.ec != std::errc()) return std::nullopt;
    return number;
}

inline void append_utf8(std::string& out, unsigned character) {
    auto const tail = [&](unsigned shift) { out += static_cast<char>(0x80 | (character >> shift & 0x3F)); };
    if (character < 0x80) {
        out += static_cast<char>(character);
    } else if (character < 0x800) {
        out += static_cast<char>(0xC0 | character >> 6);
        tail(0);
    } else {
        out += static_cast<char>(0xE0 | character >> 12);
        tail(6);
        tail(0);
    }
}

// `text` without the escapes of URLs and of JSON; what only looks like one stays.
inline Secret unescaped(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        std::size_t length = 1;
        char const c = text.front();
        if (auto const byte = hex_number(text.substr(1, 2)); c == '%' && text.size() >= 3 && byte) {
            out += static_cast<char>(*byte);
            length = 3;
        } else if (c != '\\' || text.size() == 1) {
            out += c;
        } else if (auto const unit = hex_number(text.substr(2, 4));
                   text[1] == 'u' && text.size() >= 6 && unit) {
            append_utf8(out, *unit);
            length = 6;
        } else {
            constexpr std::string_view letters = "bfnrt";
            auto const control = letters.find(text[1]);
            out += control == std::string_view::npos ? text[1] : "\b\f\n\r\t"[control];
            length = 2;
        }
        text.remove_prefix(length);
    }
    return Secret::take(out);
}

// The digits of `secret` in base64 that do not depend on what stands before and behind it, when it begins
// `shift` bytes into a group of three.
inline Secret base64_digits(std::string_view secret, std::size_t shift) {
    Secret bytes{std::string(shift, 'x')};
    bytes.append(secret);
    auto const plain = bytes.expose();
    std::string digits((plain.size() + 2) / 3 * 4 + 1, '\0');  // it writes a NUL too
    ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(digits.data()),
                      reinterpret_cast<const unsigned char*>(plain.data()), static_cast<int>(plain.size()));
    auto const all = Secret::take(digits);
    auto const first = (shift * 8 + 5) / 6;
    return Secret(all.expose().substr(first, plain.size() * 8 / 6 - first));
}

inline bool holds_base64(std::string_view text, std::string_view secret) {
    std::string plain(text);
    std::ranges::replace(plain, '-', '+');
    std::ranges::replace(plain, '_', '/');
    auto const searched = Secret::take(plain);
    for (std::size_t const shift : {0u, 1u, 2u})
        if (holds_window(searched.expose(), base64_digits(secret, shift).expose(), told_digits)) return true;
    return false;
}

PALETTE_KEYS_INLINE bool echoes(std::string_view text, const Secret& secret) {
    if (text.empty() || secret.empty()) return false;
    auto const bytes = secret.expose();
    return holds_window(text, bytes, told_bytes) ||
           holds_window(unescaped(text).expose(), bytes, told_bytes) || holds_base64(text, bytes);
}

PALETTE_KEYS_INLINE void drop_echo(std::string& text, const Secret& secret) {
    if (echoes(text, secret)) static_cast<void>(Secret::take(text));
}

}  // namespace palette::inline PALETTE_KEYS_ABI::auth
