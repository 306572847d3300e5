// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/net/tls.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <memory>
#include <string_view>
#include <tuple>

namespace palette::inline PALETTE_KEYS_ABI::impl::net {

namespace asio = boost::asio;

// What a read or a write came to: an error, if any, and how many bytes have gone or come.
using Transfer = std::tuple<boost::system::error_code, std::size_t>;

inline bool is_cancelled(const asio::cancellation_state& state) noexcept {
    return state.cancelled() != asio::cancellation_type::none;
}

// The bytes of one connection, in the clear or within TLS. Every operation can be cancelled; the stream is
// good for nothing afterwards. A cancellation that comes before one of them is for the caller to notice.
class Stream {
public:
    Stream() = default;
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    virtual ~Stream() = default;

    virtual asio::awaitable<boost::system::error_code> handshake() = 0;
    virtual asio::awaitable<Transfer> read_some(asio::mutable_buffer buffer) = 0;
    virtual asio::awaitable<Transfer> write(asio::const_buffer buffer) = 0;
    // Writes what can be written without waiting, and returns how many bytes that were. Errors are for
    // write() to tell. Nothing within TLS.
    [[nodiscard]] virtual std::size_t write_now(asio::const_buffer buffer) noexcept = 0;
    virtual asio::ip::tcp::socket& socket() noexcept = 0;
    // The socket, if all of the stream is that: to read from it directly needs no coroutine. Null within TLS.
    [[nodiscard]] asio::ip::tcp::socket* plain() noexcept { return tls() == nullptr ? &socket() : nullptr; }

    // Null in the clear.
    [[nodiscard]] virtual SSL* tls() noexcept = 0;

    void close() noexcept;

    // Whether nothing has come that nobody asked for, the end included. Of an idle stream.
    [[nodiscard]] bool is_quiet() noexcept;
};

// `tls`: none for plain text.
std::unique_ptr<Stream> make_stream(asio::ip::tcp::socket socket, asio::ssl::context* tls);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::net

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/net/stream.ipp>
#endif
