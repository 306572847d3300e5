// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/result.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI {

// Where a Palette API is: Spectro Cloud's own by default, or a self-hosted Palette or VerteX.
//
//     palette::Endpoint cloud;                                                  // api.spectrocloud.com
//     auto own = palette::Endpoint::parse("https://palette.acme.com:8443/login"); // a pasted console URL
//
// parse() takes a host name or address, a port if there is one, and drops a path, a query and the
// space around it all. Names are put in small letters, IPv6 addresses in their short form.
//
// Plain HTTP would send the key in the clear. parse() takes http:// for this machine alone: localhost,
// 127.0.0.0/8 and ::1. parse_allowing_insecure_http() takes it for any host.
//
// Errors: errc::invalid_argument, saying what is wrong with which part. A user name or password in
// the text is refused, and not repeated in the error.
class PALETTE_KEYS_DECL Endpoint {
public:
    Endpoint() = default;

    static Result<Endpoint> parse(std::string_view text);
    static Result<Endpoint> parse_allowing_insecure_http(std::string_view text);

    // A name, or an address without brackets.
    [[nodiscard]] const std::string& host() const& noexcept { return host_; }
    [[nodiscard]] std::string host() const&& { return host_; }
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

    // Whether it is https.
    [[nodiscard]] bool is_secure() const noexcept { return secure_; }

    // Whether the host is localhost or a loopback address.
    [[nodiscard]] bool is_loopback() const noexcept;

    // Whether plain HTTP was allowed beyond this machine.
    [[nodiscard]] bool allows_insecure_http() const noexcept { return insecure_http_allowed_; }

    // For a Host header: "palette.acme.com:8443", "[::1]:8080". Without the port that the scheme implies.
    [[nodiscard]] std::string authority() const;

    // "https://palette.acme.com:8443". What made this endpoint reads it back unchanged.
    [[nodiscard]] std::string to_string() const;

    friend bool operator==(const Endpoint&, const Endpoint&) = default;

private:
    static Result<Endpoint> parse(std::string_view text, bool allow_insecure_http);
    static Result<Endpoint> parse_url(std::string_view text, bool allow_insecure_http);

    std::string host_ = "api.spectrocloud.com";
    std::uint16_t port_ = 443;
    bool secure_ = true;
    bool insecure_http_allowed_ = false;
};

PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const Endpoint& endpoint);

}  // namespace palette::inline PALETTE_KEYS_ABI

template <>
struct std::hash<palette::Endpoint> {
    std::size_t operator()(const palette::Endpoint& e) const noexcept {
        return std::hash<std::string>{}(e.host()) * 31 + e.port() * 2u + (e.is_secure() ? 1u : 0u);
    }
};

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/values/endpoint.ipp>
#endif
