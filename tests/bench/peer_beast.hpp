// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "bench/canned_service.hpp"
#include "bench/measure.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

// A client written by hand with Beast, as in its own examples: one connection, one time-out for a step,
// the body in a string, the answer as a DOM. For long answers it knows better than those: it has a `buffer`
// to read much at a time.
class BeastPeer {
public:
    BeastPeer(const boost::asio::any_io_executor& executor, std::uint16_t port, std::size_t buffer = 0)
        : stream_(executor),
          port_(port),
          authority_("127.0.0.1:" + std::to_string(port)) {
        buffer_.reserve(buffer);
    }

    boost::asio::awaitable<void> connect() {
        boost::asio::ip::tcp::endpoint const service(boost::asio::ip::address_v4::loopback(), port_);
        stream_.expires_after(time_out);
        co_await stream_.async_connect(service, boost::asio::use_awaitable);
        stream_.socket().set_option(boost::asio::ip::tcp::no_delay(true));
    }

    boost::asio::awaitable<boost::json::value> get(std::string_view target) {
        namespace http = boost::beast::http;
        http::request<http::empty_body> request(http::verb::get, {target.data(), target.size()}, 11);
        request.set(http::field::host, authority_);
        request.set(http::field::user_agent, "palette-keys/0.1.0");
        request.set(http::field::accept, "application/json");
        request.set(http::field::accept_encoding, "identity");
        request.set("ApiKey", {api_key.data(), api_key.size()});
        stream_.expires_after(time_out);
        co_await http::async_write(stream_, request, boost::asio::use_awaitable);

        http::response_parser<http::string_body> parser;
        parser.body_limit(boost::none);
        co_await http::async_read(stream_, buffer_, parser, boost::asio::use_awaitable);
        require(parser.get().result() == http::status::ok);
        co_return boost::json::parse(parser.get().body());
    }

private:
    static constexpr std::chrono::seconds time_out{30};

    boost::beast::tcp_stream stream_;
    boost::beast::flat_buffer buffer_;
    std::uint16_t port_;
    std::string authority_;
};

}  // namespace bench
