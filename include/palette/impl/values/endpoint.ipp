// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/endpoint.hpp>
#include <palette/impl/values/authority.hpp>
#include <palette/impl/values/text.hpp>

#include <ostream>

namespace palette::inline PALETTE_KEYS_ABI {

PALETTE_KEYS_INLINE Result<Endpoint> Endpoint::parse(std::string_view text) {
    return parse(text, false);
}

PALETTE_KEYS_INLINE Result<Endpoint> Endpoint::parse_allowing_insecure_http(std::string_view text) {
    return parse(text, true);
}

PALETTE_KEYS_INLINE Result<Endpoint> Endpoint::parse(std::string_view text, bool allow_insecure_http) {
    auto endpoint = parse_url(text, allow_insecure_http);
    // What looks like a malformed host may be a password, and errors end up in logs.
    if (!endpoint && text.find('@') != std::string_view::npos)
        return detail::bad_host("has a user name or password before an @; give those to the auth provider");
    return endpoint;
}

PALETTE_KEYS_INLINE Result<Endpoint> Endpoint::parse_url(std::string_view text, bool allow_insecure_http) {
    auto rest = detail::trimmed(text);
    Endpoint endpoint;
    if (auto const colon = rest.find("://");
        // A "://" in the path or the query is not that of a scheme.
        colon != std::string_view::npos && colon < rest.find_first_of("/?#")) {
        auto const scheme = detail::to_lower(rest.substr(0, colon));
        if (scheme != "https" && scheme != "http")
            return detail::bad_host("has a scheme other than https: " + detail::in_quotes(scheme));
        endpoint.secure_ = scheme == "https";
        rest.remove_prefix(colon + 3);
    }

    // W20: users paste the address of the console. What follows its host is dropped.
    auto const place = rest.substr(0, rest.find_first_of("/?#"));
    if (place.empty()) return detail::bad_host("is empty");
    auto const authority = detail::split_authority(place);
    if (!authority) return authority.error();
    auto const port = detail::port_number(authority->port, endpoint.secure_ ? 443 : 80);
    if (!port) return port.error();
    auto host = detail::canonical_host(*authority);
    if (!host) return std::move(host).error();
    if (*host == "http" || *host == "https")
        return detail::bad_host("is the name of a scheme; write https://, the host, and nothing before it");
    endpoint.host_ = std::move(*host);
    endpoint.port_ = *port;

    if (!endpoint.secure_ && !endpoint.is_loopback()) {
        if (!allow_insecure_http)
            return detail::bad_host(detail::in_quotes(endpoint.host_) +
                                    " is not this machine, and plain http would send the key in the clear");
        // Only where it was needed: an endpoint that is safe anyway compares equal however it was parsed.
        endpoint.insecure_http_allowed_ = true;
    }
    return endpoint;
}

PALETTE_KEYS_INLINE bool Endpoint::is_loopback() const noexcept {
    // Decided by the address that is dialled (W20): this name is never looked up.
    if (host_ == "localhost") return true;
    // Not by the beginning alone: "127.example.com" is a name of somebody else.
    if (host_.find(':') == std::string::npos) return host_.starts_with("127.") && detail::is_ipv4(host_);
    auto const bytes = detail::ipv6_bytes(host_);
    return bytes && detail::is_loopback_ipv6(*bytes);
}

PALETTE_KEYS_INLINE std::string Endpoint::authority() const {
    auto out = detail::in_brackets(host_);
    if (port_ != (secure_ ? 443 : 80)) out += ':' + std::to_string(port_);
    return out;
}

PALETTE_KEYS_INLINE std::string Endpoint::to_string() const {
    return (secure_ ? "https://" : "http://") + authority();
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const Endpoint& endpoint) {
    return out << endpoint.to_string();
}

}  // namespace palette::inline PALETTE_KEYS_ABI
