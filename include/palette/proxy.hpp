// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/result.hpp>
#include <palette/secret.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI {

// The HTTP proxy on the way to the service.
//
//     options.proxy.url = "http://proxy.acme.com:3128";
//     options.proxy.user = "robot";
//     options.proxy.password = std::make_shared<const Secret>(Secret::take(line));
//     options.proxy.bypass = {"palette.acme.com", "10.0.0.0/8"};
//
// The proxy is asked for a tunnel (CONNECT), and TLS goes through it: the certificate of the service is
// checked as without a proxy, and the proxy sees its host name and no more. The name of the service is
// looked up by the proxy. An endpoint with plain HTTP never uses a proxy. Whether the endpoint needs it is
// decided once, when the client is made.
//
// Errors: nonsense here is errc::invalid_argument, thrown as Exception when the client is made. Of an
// operation: errc::proxy if the proxy refuses, with its status (407: the credentials are missing or
// wrong), or does not speak as a proxy does; errc::transport and errc::timeout if it cannot be reached or
// does not answer. Nothing was sent to the service then. No error has a byte of user or password in it,
// nor anything that the proxy says beyond its status.
//
// Copies share the password, which is wiped with the last of them.
struct PALETTE_KEYS_DECL ProxyOptions {
    // "http://proxy.acme.com:3128", port 80 if there is none; http:// may be left out. Empty: no proxy. TLS
    // to the proxy itself and SOCKS are not supported. Without a user: see parse().
    std::string url{};

    // For Proxy-Authorization: Basic, which the proxy gets in the clear. None is sent if both are unset.
    std::string user{};
    std::shared_ptr<const Secret> password{};

    // The endpoints that are reached without it, as in NO_PROXY:
    //
    //     acme.com          this host, and those below it: palette.acme.com, not notacme.com
    //     .acme.com         those below it alone; also written *.acme.com
    //     10.1.2.3  fd00::1 this address; it is compared with an endpoint that is an address, not looked up
    //     10.0.0.0/8        addresses of this network
    //     *                 all of them
    //
    // A name or address may have a port: acme.com:8443, [fd00::1]:8443.
    std::vector<std::string> bypass{};

    // A proxy as HTTPS_PROXY names it, with user and password percent-encoded in it if it needs them:
    // "http://robot:p%40ss@proxy.acme.com:3128". errc::invalid_argument says what is wrong with it and
    // quotes nothing of it. `url` is wiped by nobody.
    static Result<ProxyOptions> parse(std::string_view url);
};

}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/seams/proxy.ipp>
#endif
