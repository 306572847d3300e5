// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/http/request_parser.hpp>
#include <palette/impl/emulator/http/request_reader.hpp>

#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

PALETTE_KEYS_INLINE asio::awaitable<bool> RequestReader::read_more() {
    // Most requests fit into one piece; the parser bounds what they may become together.
    constexpr std::size_t piece = 4'096;
    auto const size = co_await connection_.read_some(buffer_.prepare(piece));
    buffer_.commit(size);
    co_return size > 0;
}

PALETTE_KEYS_INLINE asio::awaitable<bool> RequestReader::wait_for_first() {
    IdleConnections::Entry const idle(idle_, connection_);
    connection_.allow(options_.idle_timeout);
    co_return co_await read_more();
}

PALETTE_KEYS_INLINE asio::awaitable<RequestReader::Read> RequestReader::next() {
    // A client that pipelines has sent the next request already, and its connection is not idle.
    if (buffer_.size() == 0) {
        auto const come = co_await wait_for_first();
        if (!come) co_return End{};
    }
    // Once for the whole request, and not for each read: a client that sends a byte now and then ends as
    // well.
    connection_.allow(options_.request_timeout);
    RequestParser parser(options_);
    for (;;) {
        switch (parser.take(buffer_)) {
            case RequestParser::State::done:
                co_return std::move(parser.request());
            case RequestParser::State::refused:
                co_return parser.refusal();
            case RequestParser::State::waits: {
                static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
                if (!co_await connection_.write(asio::buffer(go_on))) co_return End{};
                break;
            }
            case RequestParser::State::needs_more:
                break;
        }
        if (!co_await read_more()) co_return End{};
    }
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation
