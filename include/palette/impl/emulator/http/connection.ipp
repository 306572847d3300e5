// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/http/connection.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

inline constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

PALETTE_KEYS_INLINE void Connection::allow(std::chrono::milliseconds time) {
    // More than that overflows when the stream adds it to the time of the steady clock, in nanoseconds.
    constexpr std::chrono::hours as_good_as_forever{24 * 365};
    if (time < as_good_as_forever)
        tcp().expires_after(time);
    else
        allow_forever();
}

// What has come and was not read would make the system reset the connection instead; as it should with
// somebody who does not stop sending.
PALETTE_KEYS_INLINE void Connection::drop() noexcept {
    auto& socket = tcp().socket();
    beast::error_code ec;
    socket.shutdown(asio::socket_base::shutdown_send, ec);
    // It takes what is there and waits for nothing: the server has one thread.
    socket.non_blocking(true, ec);
    std::array<char, 4096> rest;
    for (int i = 0; !ec && i < 64; ++i)
        socket.read_some(asio::buffer(rest), ec);
    socket.close(ec);
}

PALETTE_KEYS_INLINE void Connection::reset() noexcept {
    beast::error_code ignored;
    // A linger of zero makes close() send RST instead of FIN, whatever waits in the buffers.
    tcp().socket().set_option(asio::socket_base::linger(true, 0), ignored);
    tcp().socket().close(ignored);
}

// What is the same for both kinds of stream.
template <class Stream>
class StreamConnection : public Connection {
public:
    template <class... Args>
    explicit StreamConnection(Args&&... args) : stream_(std::forward<Args>(args)...) {}

    asio::awaitable<std::size_t> read_some(asio::mutable_buffer buffer) override {
        auto const [ec, size] = co_await stream_.async_read_some(buffer, as_result);
        // Also for a TLS stream that was cut off: the framing of HTTP tells whether a request is complete.
        co_return ec ? 0 : size;
    }

    asio::awaitable<bool> write(asio::const_buffer buffer) override {
        auto const [ec, size] = co_await asio::async_write(stream_, buffer, as_result);
        co_return !ec;
    }

protected:
    // Closing while there is something to be read would reset the connection, and take away what the
    // other side has not read yet.
    asio::awaitable<void> finish_tcp() {
        beast::error_code ec;
        tcp().socket().shutdown(asio::socket_base::shutdown_send, ec);
        std::array<char, 4096> rest;
        // Until the client closes, or has had its time.
        for (std::size_t read = 0; !ec && read < max_bytes_read_at_end;) {
            auto const [error, size] = co_await tcp().async_read_some(asio::buffer(rest), as_result);
            ec = error;
            read += size;
        }
        drop();
    }

    beast::tcp_stream& tcp() noexcept override { return beast::get_lowest_layer(stream_); }

    static constexpr std::chrono::milliseconds max_time_at_end{1'000};
    // Enough for the rest of a body that was refused by its size. Who sends more gets the reset.
    static constexpr std::size_t max_bytes_read_at_end = 16 * 1024 * 1024;

    Stream stream_;
};

class PlainConnection final : public StreamConnection<beast::tcp_stream> {
public:
    using StreamConnection::StreamConnection;

    asio::awaitable<bool> handshake() override { co_return true; }

    asio::awaitable<void> finish() override {
        allow(max_time_at_end);
        co_await finish_tcp();
    }
};

class TlsConnection final : public StreamConnection<asio::ssl::stream<beast::tcp_stream>> {
public:
    using StreamConnection::StreamConnection;

    asio::awaitable<bool> handshake() override {
        auto const [ec] = co_await stream_.async_handshake(asio::ssl::stream_base::server, as_result);
        co_return !ec;
    }

    asio::awaitable<void> finish() override {
        allow(max_time_at_end);
        // close_notify before FIN: clients may report an answer without it as truncated, though its length is
        // known.
        co_await stream_.async_shutdown(as_result);
        co_await finish_tcp();
    }
};

PALETTE_KEYS_INLINE std::unique_ptr<Connection> make_connection(asio::ip::tcp::socket socket,
                                                                asio::ssl::context* tls) {
    if (tls == nullptr) return std::make_unique<PlainConnection>(std::move(socket));
    return std::make_unique<TlsConnection>(std::move(socket), *tls);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation
