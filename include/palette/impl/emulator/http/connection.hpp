// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/tcp_stream.hpp>

#include <chrono>
#include <cstddef>
#include <memory>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

namespace asio = boost::asio;
namespace beast = boost::beast;

// The bytes of one accepted connection, in the clear or within TLS.
class Connection {
public:
    Connection() = default;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    virtual ~Connection() = default;

    // False: the other side does not speak TLS as it should, or not in time.
    virtual asio::awaitable<bool> handshake() = 0;

    // At least one byte; zero: the end, an error, or too late.
    virtual asio::awaitable<std::size_t> read_some(asio::mutable_buffer buffer) = 0;

    // All of it; false: an error, or too late.
    virtual asio::awaitable<bool> write(asio::const_buffer buffer) = 0;

    // Says the orderly goodbye of the protocol, and reads what was under way, so that what has been
    // sent arrives. For a bounded time.
    virtual asio::awaitable<void> finish() = 0;

    // From now on, for all that follows together.
    void allow(std::chrono::milliseconds time);
    void allow_forever() { tcp().expires_never(); }

    // Without a goodbye.
    void drop() noexcept;
    void reset() noexcept;

protected:
    virtual beast::tcp_stream& tcp() noexcept = 0;
};

// `tls`: none for plain text.
std::unique_ptr<Connection> make_connection(asio::ip::tcp::socket socket, asio::ssl::context* tls);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/emulator/http/connection.ipp>
#endif
