// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/net/connector.hpp>
#include <palette/impl/time/sleep.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::net {

PALETTE_KEYS_INLINE Connector::Connector(const ClientOptions& options,
                                         std::unique_ptr<asio::ssl::context> tls,
                                         std::unique_ptr<Sessions> sessions)
    : endpoint_(options.endpoint),
      tls_options_(options.tls),
      timeouts_(options.timeouts),
      sessions_(std::move(sessions)),
      tls_(std::move(tls)) {}

inline std::string in_milliseconds(std::chrono::milliseconds time) {
    return std::to_string(time.count()) + " ms";
}

// Runs a phase whose only way to be late is to be closed from outside.
class ClosesLate {
public:
    ClosesLate(const asio::any_io_executor& executor, std::chrono::milliseconds time,
               asio::ip::tcp::socket& socket)
        : alarm_(executor, timing::TimeSource()) {
        alarm_.set(time, [this, &socket] {
            late_ = true;
            boost::system::error_code ignored;
            socket.close(ignored);
        });
    }
    [[nodiscard]] bool is_late() const noexcept { return late_; }

private:
    bool late_ = false;
    timing::Alarm alarm_;
};

inline std::chrono::nanoseconds since(std::chrono::steady_clock::time_point begun) {
    return std::chrono::steady_clock::now() - begun;
}

PALETTE_KEYS_INLINE asio::awaitable<Result<std::unique_ptr<Stream>>> Connector::connect(
    ExchangeReport& report) {
    auto const lookup_begun = std::chrono::steady_clock::now();
    auto endpoints = co_await resolver_.lookup(endpoint_.host(), endpoint_.port(), timeouts_.lookup);
    report.lookup = since(lookup_begun);
    if (!endpoints) co_return std::move(endpoints.error());

    auto const connect_begun = std::chrono::steady_clock::now();
    auto socket = co_await connect_to_any(*endpoints);
    report.connect = since(connect_begun);
    if (!socket) co_return std::move(socket.error());
    boost::system::error_code ignored;
    socket->set_option(asio::ip::tcp::no_delay(true), ignored);

    auto stream = make_stream(std::move(*socket), tls_.get());
    if (tls_) {
        auto const handshake_begun = std::chrono::steady_clock::now();
        auto shaken = co_await shake_hands(*stream);
        report.handshake = since(handshake_begun);
        if (!shaken) co_return std::move(shaken.error());
    }
    co_return std::move(stream);
}

// Every address gets its share of the time: a dead one costs no more.
PALETTE_KEYS_INLINE asio::awaitable<Result<asio::ip::tcp::socket>> Connector::connect_to_any(
    const Endpoints& endpoints) {
    auto const executor = co_await asio::this_coro::executor;
    auto const share = timeouts_.connect / static_cast<std::int64_t>(endpoints.size());
    std::string last;
    bool any_late = false;
    for (auto const& endpoint : endpoints) {
        auto const state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none)
            co_return Error(errc::operation_aborted, "it was cancelled");
        asio::ip::tcp::socket socket(executor);
        boost::system::error_code ec;
        {
            ClosesLate const bound(executor, share, socket);
            auto const [error] = co_await socket.async_connect(endpoint, asio::as_tuple(asio::use_awaitable));
            ec = error;
            any_late = bound.is_late();
        }
        // Who comes too late has been closed already.
        if (!ec && !any_late) co_return std::move(socket);
        last = any_late ? "no answer within " + in_milliseconds(share) : ec.message();
    }
    co_return Error(any_late ? errc::timeout : errc::transport,
                    "cannot connect to " + detail::printable(endpoint_.authority()) + ": " + last);
}

PALETTE_KEYS_INLINE asio::awaitable<Result<void>> Connector::shake_hands(Stream& stream) {
    auto const executor = co_await asio::this_coro::executor;
    if (!expect_host(stream.tls(), endpoint_.host(), tls_options_))
        co_return Error(errc::transport, "the certificate of " + detail::printable(endpoint_.host()) +
                                             " could not be compared with its name");
    sessions_->offer_to(stream.tls());
    boost::system::error_code ec;
    bool late = false;
    {
        ClosesLate const bound(executor, timeouts_.handshake, stream.socket());
        ec = co_await stream.handshake();
        late = bound.is_late();
    }
    if (late)
        co_return Error(errc::timeout, "the TLS handshake with " + detail::printable(endpoint_.host()) +
                                           " did not end within " + in_milliseconds(timeouts_.handshake));
    if (ec) co_return handshake_error(stream.tls(), endpoint_.host(), ec);
    co_return Result<void>();
}

}  // namespace palette::inline PALETTE_KEYS_ABI::net
