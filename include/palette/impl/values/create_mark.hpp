// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/error.hpp>
#include <palette/impl/values/text.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::detail {

// How a key is marked that a create has asked for: "<nonce>-<number of the attempt>" in an annotation.
inline constexpr std::string_view create_annotation = "palette-keys-create";
inline constexpr std::size_t nonce_length = 32;
// More than any create makes: a mark with a larger number is not ours.
inline constexpr int max_create_attempts = 1'000'000;

inline bool is_nonce(std::string_view text) noexcept {
    return text.size() == nonce_length &&
           std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

inline std::string create_mark(std::string_view nonce, int attempt) {
    return std::string(nonce) + '-' + std::to_string(attempt);
}

// The number of the attempt; 0 if the mark is not one of that nonce.
inline int attempt_of(std::string_view mark, std::string_view nonce) noexcept {
    if (!mark.starts_with(nonce)) return 0;
    mark.remove_prefix(nonce.size());
    // No zeros before the number, so that each attempt has one mark alone. A key that is found by its mark is
    // deleted: what is not exactly ours must not match.
    if (mark.size() < 2 || mark[0] != '-' || mark[1] < '1' || mark[1] > '9') return 0;
    int attempt = 0;
    auto const [end, fault] = std::from_chars(mark.data() + 1, mark.data() + mark.size(), attempt);
    auto const is_whole = fault == std::errc() && end == mark.data() + mark.size();
    return is_whole && attempt <= max_create_attempts ? attempt : 0;
}

// What keeps a name or a uid from being part of a pending create; null: nothing.
inline const char* fault_of_text(std::string_view text) noexcept {
    constexpr std::size_t most = 253;
    if (text.size() > most) return "is longer than 253 bytes";
    if (valid_utf8_prefix(text) != text.size()) return "is not UTF-8";
    if (has_control(text)) return "has control characters";
    return nullptr;
}

inline Error bad_pending(std::string_view field, std::string what) {
    return Error(errc::invalid_argument, std::move(what)).path(std::string(field));
}

inline constexpr const char* nonce_form = "a nonce is 32 hexadecimal digits, in small letters";

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
