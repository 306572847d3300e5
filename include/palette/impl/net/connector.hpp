// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/net/lookup.hpp>
#include <palette/impl/net/stream.hpp>
#include <palette/options.hpp>
#include <palette/transport.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

namespace palette::inline PALETTE_KEYS_ABI::net {

// Makes connections to one endpoint: lookup, one address after another, TLS. On the strand.
class Connector {
public:
    Connector(const ClientOptions& options, std::unique_ptr<asio::ssl::context> tls,
              std::unique_ptr<Sessions> sessions);

    // Errors: errc::transport and errc::timeout, saying which step failed; not_applied.
    asio::awaitable<Result<std::unique_ptr<Stream>>> connect(ExchangeReport& report);

private:
    asio::awaitable<Result<asio::ip::tcp::socket>> connect_to_any(const Endpoints& endpoints);
    asio::awaitable<Result<void>> shake_hands(Stream& stream);

    Endpoint endpoint_;
    TlsOptions tls_options_;
    Timeouts timeouts_;
    std::unique_ptr<Sessions> sessions_;       // outlives the context
    std::unique_ptr<asio::ssl::context> tls_;  // null in the clear
    Resolver resolver_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::net

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/net/connector.ipp>
#endif
