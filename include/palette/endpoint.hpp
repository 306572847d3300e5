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

/// Names a Palette API: Spectro Cloud's own by default, or that of a self-hosted Palette or VerteX.
///
///     palette::Endpoint cloud;                                                  // api.spectrocloud.com
///     auto own = palette::Endpoint::parse("https://palette.acme.com:8443/login"); // a pasted console URL
///
/// Plain HTTP would send the key in the clear. parse() accepts http:// for this machine alone: localhost,
/// 127.0.0.0/8 and ::1. parse_allowing_insecure_http() accepts it for any host.
class PALETTE_KEYS_DECL Endpoint {
public:
    /// Constructs the endpoint https://api.spectrocloud.com.
    Endpoint() = default;

    /// Parses a host name or address, with a scheme and a port if there are any; drops a path, a query and
    /// the space around the text. Names are converted to lower case, IPv6 addresses to their short form.
    ///
    /// Errors: errc::invalid_argument, which says which part is wrong and why. A user name or password in the
    /// text is refused, and not repeated in the error.
    static Result<Endpoint> parse(std::string_view text);
    /// Same, and accepts http:// for every host.
    static Result<Endpoint> parse_allowing_insecure_http(std::string_view text);

    /// Returns the host: a name, or an address without brackets.
    [[nodiscard]] const std::string& host() const& noexcept { return host_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::string host() const&& { return host_; }
    /// Returns the port.
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

    /// Returns whether the scheme is https.
    [[nodiscard]] bool is_secure() const noexcept { return secure_; }

    /// Returns whether the host is localhost or a loopback address.
    [[nodiscard]] bool is_loopback() const noexcept;

    /// Returns whether plain HTTP was allowed beyond this machine.
    [[nodiscard]] bool allows_insecure_http() const noexcept { return insecure_http_allowed_; }

    /// Returns the text for a Host header: "palette.acme.com:8443", "[::1]:8080". The port that the scheme
    /// implies is left out.
    [[nodiscard]] std::string authority() const;

    /// Returns the URL: "https://palette.acme.com:8443". The parse function that made this endpoint reads it
    /// back unchanged.
    [[nodiscard]] std::string to_string() const;

    /// Compares all members.
    friend bool operator==(const Endpoint&, const Endpoint&) = default;

private:
    static Result<Endpoint> parse(std::string_view text, bool allow_insecure_http);
    static Result<Endpoint> parse_url(std::string_view text, bool allow_insecure_http);

    std::string host_ = "api.spectrocloud.com";
    std::uint16_t port_ = 443;
    bool secure_ = true;
    bool insecure_http_allowed_ = false;
};

/// Writes to_string().
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const Endpoint& endpoint);

}  // namespace palette::inline PALETTE_KEYS_ABI

/// Hashes an endpoint.
template <>
struct std::hash<palette::Endpoint> {
    /// Returns the hash.
    std::size_t operator()(const palette::Endpoint& e) const noexcept {
        return std::hash<std::string>{}(e.host()) * 31 + e.port() * 2u + (e.is_secure() ? 1u : 0u);
    }
};

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/values/endpoint.ipp>
#endif
