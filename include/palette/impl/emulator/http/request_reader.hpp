// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/http/connection.hpp>
#include <palette/impl/emulator/http/http.hpp>
#include <palette/impl/emulator/http/idle_connections.hpp>
#include <palette/testing/emulator_options.hpp>

#include <boost/beast/core/flat_buffer.hpp>

#include <variant>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

// Takes requests, one after another, from the bytes of a connection, within bounds of size and time.
class RequestReader {
public:
    RequestReader(Connection& connection, const testing::EmulatorOptions& options,
                  IdleConnections& idle) noexcept
        : connection_(connection),
          options_(options),
          idle_(idle) {}

    // Nothing more to be had: the end, an error, or too late.
    struct End {};

    // A request; or the answer to something that is none, after which nothing that comes makes sense.
    using Read = std::variant<End, Request, Response>;

    asio::awaitable<Read> next();

private:
    asio::awaitable<bool> wait_for_first();
    asio::awaitable<bool> read_more();

    Connection& connection_;
    const testing::EmulatorOptions& options_;
    IdleConnections& idle_;
    beast::flat_buffer buffer_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/emulator/http/request_reader.ipp>
#endif
