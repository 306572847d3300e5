// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/pipeline/redact.hpp>
#include <palette/secret.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::pipeline {

inline constexpr std::size_t redacted_window = 8;

inline void mark_windows(std::string_view text, std::string_view secret, std::vector<bool>& hidden) {
    auto const size = std::min(secret.size(), redacted_window);
    if (size == 0) return;
    for (std::size_t i = 0; i + size <= text.size(); ++i)
        if (secret.find(text.substr(i, size)) != std::string_view::npos)
            std::fill_n(hidden.begin() + static_cast<std::ptrdiff_t>(i), size, true);
}

// Other forms of a secret are as secret: they are wiped like it.

inline Secret in_percent_form(std::string_view text) {
    static constexpr char digits[] = "0123456789ABCDEF";
    static constexpr std::string_view plain =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    Secret out;
    for (char const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        char const escaped[] = {'%', digits[byte >> 4], digits[byte & 15]};
        out.append(plain.find(c) != std::string_view::npos ? std::string_view(&c, 1)
                                                           : std::string_view(escaped, 3));
    }
    return out;
}

inline Secret in_base64(std::string_view text) {
    static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    Secret out;
    for (std::size_t i = 0; i < text.size(); i += 3) {
        auto const byte = [&](std::size_t at) -> std::uint32_t {
            return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
        };
        auto const three = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
        char const four[] = {digits[three >> 18], digits[three >> 12 & 63], digits[three >> 6 & 63],
                             digits[three & 63]};
        out.append(std::string_view(four, std::min<std::size_t>(text.size() - i, 3) + 1));
    }
    return out;
}

inline void mark_secret(std::string_view text, std::string_view secret, std::vector<bool>& hidden) {
    mark_windows(text, secret, hidden);
    mark_windows(text, in_percent_form(secret).expose(), hidden);
    // Three bytes at a time: where they begin depends on what stands before the secret.
    for (std::size_t skipped = 0; skipped < 3 && skipped < secret.size(); ++skipped)
        mark_windows(text, in_base64(secret.substr(skipped)).expose(), hidden);
}

PALETTE_KEYS_INLINE std::string redacted(std::string_view text, std::span<const std::string_view> secrets) {
    if (text.empty()) return {};
    std::vector<bool> hidden(text.size());
    for (auto const secret : secrets)
        mark_secret(text, secret, hidden);
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (!hidden[i])
            out += text[i];
        else if (i == 0 || !hidden[i - 1])
            out += "<redacted>";
    }
    return out;
}

PALETTE_KEYS_INLINE Error redacted(const Error& error, std::span<const std::string_view> secrets) {
    static constexpr std::size_t shown = 500;
    auto const shortened = [&](std::string_view text) {
        return detail::one_line(redacted(text, secrets), shown);
    };
    return Error(error.code(), redacted(error.what(), secrets))
        .path(redacted(error.path(), secrets))
        .status(error.status())
        .attempts(error.attempts())
        .effect(error.effect())
        .server(shortened(error.server_code()), shortened(error.server_message()), shortened(error.ref()));
}

}  // namespace palette::inline PALETTE_KEYS_ABI::pipeline
