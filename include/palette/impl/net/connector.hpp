// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/net/lookup.hpp>
#include <palette/impl/net/stream.hpp>
#include <palette/impl/net/tunnel.hpp>
#include <palette/options.hpp>
#include <palette/transport.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace palette::inline PALETTE_KEYS_ABI::impl::net {

// The time that has passed since `begun`.
inline std::chrono::nanoseconds since(std::chrono::steady_clock::time_point begun) {
    return std::chrono::steady_clock::now() - begun;
}

// Makes connections to one endpoint: lookup, a race of the addresses, TLS; all but the last with the proxy
// instead if there is one, and a tunnel through it before TLS. On the strand.
class Connector {
public:
    Connector(const ClientOptions& options, std::optional<ProxyRoute> proxy,
              std::shared_ptr<asio::ssl::context> tls, std::unique_ptr<Sessions> sessions,
              Lookup lookup = ask_system);

    // Errors: errc::transport, errc::timeout, errc::untrusted and errc::proxy, saying which step failed;
    // not_applied. The time of a tunnel is that of the connection in the report.
    asio::awaitable<Result<std::unique_ptr<Stream>>> connect(ExchangeReport& report);

private:
    asio::awaitable<Result<Endpoints>> look_up();
    asio::awaitable<Result<asio::ip::tcp::socket>> connect_to(Endpoints endpoints, ExchangeReport& report);
    asio::awaitable<Result<void>> shake_hands(Stream& stream);

    Endpoint endpoint_;
    std::optional<ProxyRoute> proxy_;
    TlsOptions tls_options_;
    Timeouts timeouts_;
    std::unique_ptr<Sessions> sessions_;       // outlives all connections
    std::shared_ptr<asio::ssl::context> tls_;  // null in the clear
    Resolver resolver_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::net

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/net/connector.ipp>
#endif
