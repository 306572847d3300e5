// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/net/stream.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <cerrno>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::net {

PALETTE_KEYS_INLINE void Stream::close() noexcept {
    boost::system::error_code ignored;
    socket().close(ignored);
}

PALETTE_KEYS_INLINE bool Stream::is_quiet() noexcept {
    char byte;
    // One look without waiting. Both data and the end of the connection make it unusable.
    auto const got = ::recv(socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) return false;
    if (tls() == nullptr) return true;
    // Within TLS it may have been received, and not decrypted yet.
    ERR_clear_error();
    auto const peeked = SSL_peek(tls(), &byte, 1);
    return peeked <= 0 && SSL_get_error(tls(), peeked) == SSL_ERROR_WANT_READ && SSL_has_pending(tls()) == 0;
}

template <class AnyStream>
class StreamOf final : public Stream {
public:
    template <class... Args>
    explicit StreamOf(Args&&... args) : stream_(std::forward<Args>(args)...) {}

    asio::awaitable<boost::system::error_code> handshake() override {
        if constexpr (is_tls) {
            auto const state = co_await asio::this_coro::cancellation_state;
            // A cancellation that has come already finds no operation to end.
            if (is_cancelled(state)) co_return asio::error::operation_aborted;
            auto const [ec] = co_await stream_.async_handshake(asio::ssl::stream_base::client,
                                                               asio::as_tuple(asio::use_awaitable));
            co_return ec;
        } else {
            co_return boost::system::error_code();
        }
    }

    asio::awaitable<Transfer> read_some(asio::mutable_buffer buffer) override {
        return stream_.async_read_some(buffer, asio::as_tuple(asio::use_awaitable));
    }

    // One buffer: of several, the writer of TLS would leave a copy on the stack.
    asio::awaitable<Transfer> write(asio::const_buffer buffer) override {
        return asio::async_write(stream_, buffer, asio::as_tuple(asio::use_awaitable));
    }

    std::size_t write_now(asio::const_buffer buffer) noexcept override {
        // The bytes have to go through the TLS session, which Asio drives.
        if constexpr (is_tls) return 0;
        auto const sent =
            // MSG_NOSIGNAL: a closed connection is an error here, not a signal that ends the program.
            ::send(socket().native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        return sent > 0 ? static_cast<std::size_t>(sent) : 0;
    }

    asio::ip::tcp::socket& socket() noexcept override {
        if constexpr (is_tls)
            return stream_.next_layer();
        else
            return stream_;
    }

    [[nodiscard]] SSL* tls() noexcept override {
        if constexpr (is_tls)
            return stream_.native_handle();
        else
            return nullptr;
    }

private:
    static constexpr bool is_tls = !std::is_same_v<AnyStream, asio::ip::tcp::socket>;

    AnyStream stream_;
};

PALETTE_KEYS_INLINE std::unique_ptr<Stream> make_stream(asio::ip::tcp::socket socket,
                                                        asio::ssl::context* tls) {
    if (tls == nullptr) return std::make_unique<StreamOf<asio::ip::tcp::socket>>(std::move(socket));
    return std::make_unique<StreamOf<asio::ssl::stream<asio::ip::tcp::socket>>>(std::move(socket), *tls);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::net
