// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/net/connect_race.hpp>
#include <palette/impl/net/connector.hpp>
#include <palette/impl/net/phase_timeout.hpp>

#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::net {

PALETTE_KEYS_INLINE Connector::Connector(const ClientOptions& options, std::optional<ProxyRoute> proxy,
                                         std::shared_ptr<asio::ssl::context> tls,
                                         std::unique_ptr<Sessions> sessions, Lookup lookup)
    : endpoint_(options.endpoint),
      proxy_(std::move(proxy)),
      tls_options_(options.tls),
      timeouts_(options.timeouts),
      sessions_(std::move(sessions)),
      tls_(std::move(tls)),
      resolver_(std::move(lookup)) {
    tls_options_.client_key_passphrase.reset();  // the context is there
}

PALETTE_KEYS_INLINE asio::awaitable<Result<std::unique_ptr<Stream>>> Connector::connect(
    ExchangeReport& report) {
    report.phase = ExchangeReport::Phase::lookup;
    auto const lookup_begun = std::chrono::steady_clock::now();
    auto endpoints = co_await look_up();
    report.lookup = since(lookup_begun);
    if (!endpoints) co_return std::move(endpoints.error());

    report.phase = ExchangeReport::Phase::connect;
    auto const connect_begun = std::chrono::steady_clock::now();
    auto socket = co_await connect_to(std::move(*endpoints), report);
    report.connect = since(connect_begun);
    if (!socket) co_return std::move(socket.error());

    // From here on the stream owns the socket, which is closed with it, whatever fails.
    auto stream = make_stream(std::move(*socket), tls_.get());
    if (tls_) {
        report.phase = ExchangeReport::Phase::handshake;
        auto const handshake_begun = std::chrono::steady_clock::now();
        auto shaken = co_await shake_hands(*stream);
        report.handshake = since(handshake_begun);
        if (!shaken) co_return std::move(shaken.error());
    }
    co_return std::move(stream);
}

PALETTE_KEYS_INLINE asio::awaitable<Result<Endpoints>> Connector::look_up() {
    // The name of the service is for the proxy to look up.
    auto const& host = proxy_ ? proxy_->host : endpoint_.host();
    auto endpoints =
        co_await resolver_.lookup(host, proxy_ ? proxy_->port : endpoint_.port(), timeouts_.lookup);
    // The user has to look at the proxy's name, not at the service's.
    if (!endpoints && proxy_)
        co_return Error(endpoints.error().code(),
                        "no way to " + proxy_->shown() + ": " + endpoints.error().what());
    co_return std::move(endpoints);
}

PALETTE_KEYS_INLINE asio::awaitable<Result<asio::ip::tcp::socket>> Connector::connect_to(
    Endpoints endpoints, ExchangeReport& report) {
    auto what = proxy_ ? proxy_->shown() : detail::printable(endpoint_.authority());
    auto socket = co_await connect_to_first(std::move(endpoints), timeouts_.connect, std::move(what));
    if (!socket) co_return std::move(socket.error());
    boost::system::error_code ignored;
    // Requests are written whole: Nagle's algorithm would only delay them. A failure costs nothing else.
    socket->set_option(asio::ip::tcp::no_delay(true), ignored);
    if (proxy_) {
        report.phase = ExchangeReport::Phase::proxy;
        // Before TLS: the handshake, and the check of the certificate, are with the service through the
        // tunnel.
        auto const target = tunnel_target(endpoint_);
        auto opened = co_await open_tunnel(*socket, target, *proxy_, timeouts_.handshake);
        if (!opened) co_return std::move(opened.error());
    }
    co_return std::move(socket);
}

PALETTE_KEYS_INLINE asio::awaitable<Result<void>> Connector::shake_hands(Stream& stream) {
    auto const executor = co_await asio::this_coro::executor;
    // Set before the handshake, so that OpenSSL ends it where the name does not fit.
    if (!expect_host(stream.tls(), endpoint_.host(), tls_options_))
        co_return Error(errc::untrusted, "the certificate of " + detail::printable(endpoint_.host()) +
                                             " could not be compared with its name");
    sessions_->offer_to(stream.tls());
    boost::system::error_code ec;
    bool late = false;
    {
        PhaseTimeout const bound(executor, timeouts_.handshake, stream.socket());
        ec = co_await stream.handshake();
        // Read while the bound exists, whose alarm has closed the socket if it rang.
        late = bound.is_late();
    }
    if (late)
        co_return Error(errc::timeout, "the TLS handshake with " + detail::printable(endpoint_.host()) +
                                           " did not end within " +
                                           std::to_string(timeouts_.handshake.count()) + " ms");
    // After the time-out, which the handshake sees as an error as well.
    if (ec) co_return handshake_error(stream.tls(), endpoint_.host(), ec);
    co_return check_peer(stream.tls(), endpoint_.host(), tls_options_);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::net
