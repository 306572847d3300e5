// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/seams/proxy_bypass.hpp>
#include <palette/impl/values/authority.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::detail {

inline Error bad_bypass(std::string_view what) {
    return Error(errc::invalid_argument, std::string(what));
}

PALETTE_KEYS_INLINE std::vector<std::string> split_bypass(std::string_view text) {
    static constexpr std::string_view between = ", \t\r\n";
    std::vector<std::string> entries;
    while (!text.empty()) {
        auto const end = std::min(text.find_first_of(between), text.size());
        if (end > 0) entries.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return entries;
}

PALETTE_KEYS_INLINE std::optional<ProxyBypass::Bytes> ProxyBypass::bytes_of(const std::string& address) {
    // inet_pton() would stop at the zero byte and accept what comes before it.
    if (address.find('\0') != std::string::npos) return std::nullopt;
    return ipv6_bytes(is_ipv4(address) ? "::ffff:" + address : address);
}

PALETTE_KEYS_INLINE Result<ProxyBypass::Rule> ProxyBypass::parse_network(std::string_view entry) {
    auto const slash = entry.find('/');
    std::string const address(entry.substr(0, slash));
    auto const length = entry.substr(slash + 1);
    auto const bytes = bytes_of(address);
    if (!bytes) return bad_bypass("has something other than an address before its /");
    int const most = is_ipv4(address) ? 32 : 128;
    int bits = -1;
    auto const* const end = length.data() + length.size();
    auto const [stop, fault] = std::from_chars(length.data(), end, bits);
    // std::from_chars() takes a sign, and "-1" fits into every bound from above.
    bool const is_number =
        !length.empty() && length.find_first_not_of("0123456789") == std::string_view::npos;
    if (!is_number || fault != std::errc() || stop != end || bits > most)
        return bad_bypass("has behind its / no number from 0 to " + std::to_string(most));
    Rule rule;
    rule.kind = Rule::Kind::network;
    rule.address = *bytes;
    // The 96 bits before an IPv4 address are the same for all of them.
    rule.bits = bits + 128 - most;
    return rule;
}

PALETTE_KEYS_INLINE Result<ProxyBypass::Rule> ProxyBypass::parse_rule(std::string_view entry) {
    Rule rule;
    if (entry == "*") return rule;
    if (entry.find('/') != std::string_view::npos) return parse_network(entry);
    // Before the split at a colon: an IPv6 address without brackets has many.
    if (auto const bytes = bytes_of(std::string(entry))) {
        rule.kind = Rule::Kind::network;
        rule.address = *bytes;
        rule.bits = 128;
        return rule;
    }
    rule.kind = Rule::Kind::name;
    if (entry.starts_with("*.") || entry.starts_with('.')) {
        rule.kind = Rule::Kind::below_name;
        entry.remove_prefix(entry.find('.') + 1);
    }
    auto const authority = split_authority(entry);
    if (!authority) return bad_bypass("has brackets or colons that do not belong there");
    auto const port = port_number(authority->port, 0);
    // An empty port is a mistake; as zero it would mean any.
    if (!port || entry.ends_with(':')) return bad_bypass("has a port that is no number from 1 to 65535");
    auto host = canonical_host(*authority);
    if (!host) return bad_bypass("is neither a name nor an address nor a network");
    rule.port = *port;
    // An address that had a port or brackets.
    if (auto const bytes = bytes_of(*host)) {
        if (rule.kind == Rule::Kind::below_name) return bad_bypass("has a dot before an address");
        rule.kind = Rule::Kind::network;
        rule.address = *bytes;
        rule.bits = 128;
    }
    rule.name = std::move(*host);
    return rule;
}

PALETTE_KEYS_INLINE Result<ProxyBypass> ProxyBypass::parse(const std::vector<std::string>& entries) {
    ProxyBypass bypass;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        auto rule = parse_rule(entries[i]);
        if (!rule)
            return Error(errc::invalid_argument, "entry " + std::to_string(i + 1) +
                                                     " of those that need no proxy " + rule.error().what());
        bypass.rules_.push_back(std::move(*rule));
    }
    return bypass;
}

PALETTE_KEYS_INLINE bool ProxyBypass::is_in_network(const Bytes& address, const Rule& rule) noexcept {
    for (int bit = 0; bit < rule.bits; ++bit) {
        auto const at = static_cast<std::size_t>(bit / 8);
        auto const mask = 0x80U >> (bit % 8);
        if (((address[at] ^ rule.address[at]) & mask) != 0) return false;
    }
    return true;
}

PALETTE_KEYS_INLINE bool ProxyBypass::covers(const std::string& host, std::uint16_t port) const {
    auto const address = bytes_of(host);
    return std::ranges::any_of(rules_, [&](const Rule& rule) {
        if (rule.port != 0 && rule.port != port) return false;
        switch (rule.kind) {
            case Rule::Kind::all:
                return true;
            case Rule::Kind::network:
                return address && is_in_network(*address, rule);
            case Rule::Kind::name:
                // Behind this, a name covers what is below it, as the other kind does.
                if (host == rule.name) return true;
                break;
            case Rule::Kind::below_name:
                break;
        }
        // With the dot before it: "acme.com" must not cover "notacme.com". An address has no domains above
        // it.
        return !address && host.size() > rule.name.size() && host.ends_with(rule.name) &&
               host[host.size() - rule.name.size() - 1] == '.';
    });
}

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
