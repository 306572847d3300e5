// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/result.hpp>
#include <palette/secret.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI {

/// Names the HTTP proxy between the client and the service.
///
///     options.proxy.url = "http://proxy.acme.com:3128";
///     options.proxy.user = "robot";
///     options.proxy.password = std::make_shared<const Secret>(Secret::take(line));
///     options.proxy.bypass = {"palette.acme.com", "10.0.0.0/8"};
///
/// The client asks the proxy for a tunnel (CONNECT) and speaks TLS through the tunnel: the certificate of the
/// service is verified as without a proxy, and the proxy sees no more than the host name of the service. The
/// proxy looks that name up. An endpoint with plain HTTP never uses a proxy. Whether the endpoint needs the
/// proxy is decided once, when the client is constructed.
///
/// Copies share the password, which is wiped with the last of them.
///
/// Errors of the constructor of a client: Exception with errc::invalid_argument for options that cannot be
/// used.
///
/// Errors of an operation, not_applied, since nothing was sent to the service:
/// - errc::proxy: the proxy refused, with its status (407: its credentials are missing or wrong), or the
///   answer is not that of a proxy.
/// - errc::transport, errc::timeout: the proxy cannot be reached or does not answer.
///
/// No error contains a byte of user or password, nor anything that the proxy says beyond its status.
struct PALETTE_KEYS_DECL ProxyOptions {
    /// Names the proxy: "http://proxy.acme.com:3128". The scheme http:// may be omitted; the default port is
    /// 80. TLS to the proxy itself and SOCKS are not supported. A user in this URL is refused; parse() takes
    /// one. Default: empty, no proxy.
    std::string url{};

    /// Names the user for Proxy-Authorization: Basic, which the proxy receives in the clear. The header is
    /// not sent if both user and password are unset. Default: empty, unset.
    std::string user{};
    /// Holds the password for that header. Default: null, unset.
    std::shared_ptr<const Secret> password{};

    /// Lists the endpoints that are reached without the proxy, as in NO_PROXY. Default: empty.
    /// ```
    ///     acme.com          this host, and those below it: palette.acme.com, not notacme.com
    ///     .acme.com         those below it alone; also written *.acme.com
    ///     10.1.2.3  fd00::1 this address; it is compared with an endpoint that is an address, not looked up
    ///     10.0.0.0/8        addresses of this network
    ///     *                 all of them
    /// ```
    /// A name or address may have a port: acme.com:8443, [fd00::1]:8443.
    std::vector<std::string> bypass{};

    /// Returns the options for a proxy as HTTPS_PROXY names it, with user and password percent-encoded in the
    /// URL if the proxy needs them: "http://robot:p%40ss@proxy.acme.com:3128". The text of `url` is not
    /// wiped.
    ///
    /// Errors: errc::invalid_argument, which says what is wrong and quotes nothing of the URL.
    static Result<ProxyOptions> parse(std::string_view url);
};

}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/seams/proxy.ipp>
#endif
