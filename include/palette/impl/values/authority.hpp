// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/values/text.hpp>
#include <palette/result.hpp>

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::detail {

// The part of a URL that says where to connect, in pieces and as it is written.

inline bool is_ipv4(const std::string& host) noexcept {
    in_addr address{};
    return ::inet_pton(AF_INET, host.c_str(), &address) == 1;
}

inline std::optional<std::array<unsigned char, 16>> ipv6_bytes(const std::string& host) noexcept {
    std::array<unsigned char, 16> bytes{};
    if (::inet_pton(AF_INET6, host.c_str(), bytes.data()) != 1) return std::nullopt;
    return bytes;
}

inline bool is_loopback_ipv6(const std::array<unsigned char, 16>& bytes) noexcept {
    static constexpr std::array<unsigned char, 16> one{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    // ::ffff:127.0.0.0/104, which systems dial as the IPv4 address within.
    static constexpr std::array<unsigned char, 13> mapped_127{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 127};
    return bytes == one || std::equal(mapped_127.begin(), mapped_127.end(), bytes.begin());
}

// What keeps `host` from being a DNS name or an IPv4 address; null if nothing does.
inline const char* host_fault(const std::string& host) noexcept {
    if (host.size() > 253) return "is longer than 253 characters";
    std::string_view rest = host;
    std::string_view label;
    while (!rest.empty() || label.data() == nullptr) {
        auto const dot = std::min(rest.find('.'), rest.size());
        label = rest.substr(0, dot);
        if (label.empty()) return "has an empty part between its dots";
        if (label.size() > 63) return "has a part of more than 63 characters";
        if (label.front() == '-' || label.back() == '-')
            return "has a part that starts or ends with a hyphen";
        for (char const c : label) {
            if (static_cast<unsigned char>(c) >= 0x80)
                return "is not ASCII; write an international name in its xn-- form";
            bool const fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
            if (!fits) return "has a character that no host name has";
        }
        if (dot == rest.size()) break;
        rest.remove_prefix(dot + 1);
        if (rest.empty()) return "has an empty part between its dots";
    }
    // Programs disagree on what 127.1, 0x7f.1 or 2130706433 mean, so only the usual four numbers will do.
    bool const numeric =
        label.find_first_not_of("0123456789") == std::string_view::npos ||
        (label.starts_with("0x") && label.find_first_not_of("0123456789abcdef", 2) == std::string_view::npos);
    if (numeric && !is_ipv4(host)) return "is neither a name nor an address of four numbers";
    return nullptr;
}

inline Error bad_host(std::string what) {
    return Error(errc::invalid_argument, "the host " + std::move(what));
}

// The part of a URL that says where to connect, still as text.
struct Authority {
    std::string_view whole;
    std::string_view host;  // without brackets
    std::string_view port;  // empty if none is given
    bool bracketed = false;
};

inline Result<Authority> split_authority(std::string_view text) {
    Authority parts{text, text, {}, false};
    if (text.starts_with('[')) {
        auto const close = text.find(']');
        if (close == std::string_view::npos) return bad_host("has a [ without a ]: " + in_quotes(text));
        auto const behind = text.substr(close + 1);
        if (!behind.empty() && behind.front() != ':')
            return bad_host("has something behind its ]: " + in_quotes(text));
        parts.host = text.substr(1, close - 1);
        parts.port = behind.substr(behind.empty() ? 0 : 1);
        parts.bracketed = true;
    } else if (auto const colon = text.find(':'); colon != std::string_view::npos) {
        if (colon != text.rfind(':'))
            return bad_host("has many colons; write an IPv6 address as [::1]:8443, got " + in_quotes(text));
        parts.host = text.substr(0, colon);
        parts.port = text.substr(colon + 1);
    }
    return parts;
}

inline Result<std::string> canonical_host(const Authority& authority) {
    std::string host = to_lower(authority.host);
    if (authority.bracketed) {
        // inet_pton() would stop at the zero byte.
        auto const bytes = host.find('\0') == std::string::npos ? ipv6_bytes(host) : std::nullopt;
        if (!bytes) return bad_host("is not an IPv6 address: " + in_quotes(authority.whole));
        char short_form[INET6_ADDRSTRLEN];
        // One spelling for each address: endpoints are compared as texts.
        return std::string(::inet_ntop(AF_INET6, bytes->data(), short_form, sizeof short_form));
    }
    // A dot at the end only says that the name is complete, and certificates do not have it.
    if (host.size() > 1 && host.back() == '.') host.pop_back();
    if (host.empty()) return bad_host("is empty");
    if (auto const* fault = host_fault(host)) return bad_host(in_quotes(host) + ' ' + fault);
    return host;
}

inline Result<std::uint16_t> port_number(std::string_view text, std::uint16_t otherwise) {
    if (text.empty()) return otherwise;
    std::uint16_t port = 0;
    auto const* const end = text.data() + text.size();
    auto const [stop, fault] = std::from_chars(text.data(), end, port);
    if (fault != std::errc() || stop != end || port == 0) {
        // Where a port should be there may be a password, so only what looks like a port is shown.
        bool const digits = text.find_first_not_of("0123456789") == std::string_view::npos;
        return bad_host("has a port that is no number from 1 to 65535" +
                        (digits ? ": " + in_quotes(text) : ""));
    }
    return port;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
