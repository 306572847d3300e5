// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/error.hpp>
#include <palette/impl/emulator/http/hosts.hpp>
#include <palette/impl/emulator/service/bodies.hpp>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/host_name.hpp>

#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

inline Exception bad_options(std::string what) {
    return Exception(Error(errc::invalid_argument, std::move(what)));
}

inline boost::asio::ip::address listen_address(const testing::EmulatorOptions& options) {
    boost::system::error_code ec;
    auto const address = boost::asio::ip::make_address(options.listen, ec);
    // A zone (fe80::1%eth0) can stand neither in a certificate nor in an Endpoint.
    if (ec || (address.is_v6() && address.to_v6().scope_id() != 0))
        throw bad_options("to listen on, an address is needed such as 127.0.0.1 or ::1");
    return address;
}

PALETTE_KEYS_INLINE testing::EmulatorOptions checked(testing::EmulatorOptions options) {
    auto const address = listen_address(options);
    // In its short form from here on, which the certificate, the guard of hosts and the URL share.
    options.listen = address.to_string();
    if (!address.is_loopback() && !options.allow_remote)
        throw bad_options(options.listen +
                          " is not this machine alone: other machines could come in; "
                          "if that is meant, allow remote access (--allow-remote)");
    if (options.allow_remote && options.plain_http)
        throw bad_options("remote access needs TLS: credentials would go over the network in the clear");
    auto const& limit = options.rate_limit;
    if (!limit.is_off() && !(limit.per_second > 0 && limit.burst >= 1))
        throw bad_options("a rate limit needs more than 0 requests a second, and a burst of 1 at least");
    if (options.org.empty()) throw bad_options("the organisation needs a name");
    // The name stands in bodies and in e-mail addresses, and JSON could not carry it.
    if (!is_utf8(options.org)) throw bad_options("the name of the organisation is not UTF-8");
    if (options.max_header_bytes == 0) throw bad_options("a bound of 0 bytes lets no head of a request in");
    if (options.max_connections == 0) throw bad_options("a bound of 0 connections lets nobody in");
    for (auto const time : {options.request_timeout, options.idle_timeout, options.write_timeout})
        if (time.count() <= 0) throw bad_options("a time-out of no time lets nobody finish");
    if (options.token_lifetime.count() <= 0) throw bad_options("tokens need a lifetime");
    if (options.keys > 0 && options.quota == 0) throw bad_options("a quota of 0 leaves no room for keys");
    return options;
}

PALETTE_KEYS_INLINE std::vector<std::string> more_names(const testing::EmulatorOptions& options) {
    auto const address = listen_address(options);
    // The certificate has these anyway.
    if (options.listen == "127.0.0.1" || options.listen == "::1") return {};
    if (!address.is_unspecified()) return {options.listen};
    boost::system::error_code ec;
    // Clients on other machines need a name to verify; which of the addresses they dial is not known here.
    auto name = boost::asio::ip::host_name(ec);
    return ec || name.empty() ? std::vector<std::string>{} : std::vector{std::move(name)};
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation
