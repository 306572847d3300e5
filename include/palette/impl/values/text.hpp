// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>

// Classes of characters, digits and brackets: of ASCII, whatever the locale says.
namespace palette::inline PALETTE_KEYS_ABI::detail {

inline constexpr char lower_hex[] = "0123456789abcdef";
inline constexpr char upper_hex[] = "0123456789ABCDEF";

/// Tells whether `c` is a control character: a tab and DEL are.
constexpr bool is_control(char c) noexcept {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

/// Tells whether `c` is printable ASCII, a space included.
constexpr bool is_plain(char c) noexcept {
    return c >= ' ' && c <= '~';
}

/// A bit for each of eight bytes that is not printable ASCII. Exact up to the first one that is set: a byte
/// may borrow from those behind it.
constexpr std::uint64_t not_plain(std::uint64_t bytes) noexcept {
    constexpr std::uint64_t each = 0x0101'0101'0101'0101;
    return (bytes | (bytes - each * ' ') | (bytes + each)) & (each << 7);
}

/// The place of the first character from `at` on that is not printable ASCII; the size if there is none.
/// Eight at a time, for all that is sent and received goes through here.
inline std::size_t find_not_plain(std::string_view text, std::size_t at = 0) noexcept {
    for (std::uint64_t bytes; at + sizeof bytes <= text.size(); at += sizeof bytes) {
        std::memcpy(&bytes, text.data() + at, sizeof bytes);
        auto const found = not_plain(bytes);
        if (found == 0) continue;
        if constexpr (std::endian::native == std::endian::big) break;
        return at + static_cast<std::size_t>(std::countr_zero(found)) / 8;
    }
    while (at < text.size() && is_plain(text[at]))
        ++at;
    return at;
}

inline bool has_control(std::string_view text) noexcept {
    auto const first = find_not_plain(text);
    return std::ranges::any_of(text.substr(first), is_control);
}

/// Tells whether the text would split or spoil the field of a header, which may hold tabs.
inline bool has_control_but_tab(std::string_view text) noexcept {
    auto const first = find_not_plain(text);
    return std::ranges::any_of(text.substr(first), [](char c) { return is_control(c) && c != '\t'; });
}

constexpr bool is_letter(char c) noexcept {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

/// Tells whether the text is a token of HTTP: a method, the name of a field, a product.
constexpr bool is_token(std::string_view text) noexcept {
    constexpr std::string_view letters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~";
    return !text.empty() && text.find_first_not_of(letters) == std::string_view::npos;
}

constexpr char to_lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

inline std::string to_lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        c = to_lower(c);
    return out;
}

constexpr bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
    return std::ranges::equal(a, b, [](char x, char y) { return to_lower(x) == to_lower(y); });
}

/// Bytes as hexadecimal digits in lower case.
template <class Bytes>
std::string to_hex(const Bytes& bytes) {
    std::string out;
    out.reserve(2 * std::size(bytes));
    for (auto const element : bytes) {
        auto const byte = static_cast<unsigned char>(element);
        out += lower_hex[byte >> 4];
        out += lower_hex[byte & 15];
    }
    return out;
}

/// The value of a hexadecimal digit; -1 for what is none.
constexpr int hex_digit(char c) noexcept {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// The value of a digit of base64, in the usual alphabet or in that of URLs; -1 for what is none.
constexpr int base64_digit(char c) noexcept {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (is_digit(c)) return c - '0' + 52;
    if (c == '+' || c == '-') return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

inline constexpr std::string_view ascii_space = " \t\r\n\f\v";

/// The text without blanks around it.
constexpr std::string_view trimmed(std::string_view text, std::string_view blanks = ascii_space) noexcept {
    auto const first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// A host as it is written before a port: an IPv6 address in brackets.
inline std::string in_brackets(const std::string& host) {
    return host.find(':') == std::string::npos ? host : '[' + host + ']';
}

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
