// SPDX-License-Identifier: BSL-1.0
// The same function without the library: one call with Beast, over TLS, answered in JSON.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/json.hpp>

#include <chrono>
#include <stdexcept>
#include <string>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

using Stream = beast::ssl_stream<beast::tcp_stream>;

asio::awaitable<void> connect(Stream& stream, std::string host) {
    asio::ip::tcp::resolver resolver(co_await asio::this_coro::executor);
    auto const endpoints = co_await resolver.async_resolve(host, "443", asio::use_awaitable);
    if (SSL_set_tlsext_host_name(stream.native_handle(), host.c_str()) != 1)
        throw std::runtime_error("no host name");
    stream.set_verify_mode(asio::ssl::verify_peer);
    stream.set_verify_callback(asio::ssl::host_name_verification(host));
    beast::get_lowest_layer(stream).expires_after(std::chrono::seconds{30});
    co_await beast::get_lowest_layer(stream).async_connect(endpoints, asio::use_awaitable);
    co_await stream.async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
}

asio::awaitable<bool> is_active(asio::ssl::context& tls, std::string host, std::string key, std::string uid) {
    Stream stream(co_await asio::this_coro::executor, tls);
    co_await connect(stream, host);

    http::request<http::empty_body> request(http::verb::get, "/v1/apiKeys/" + uid, 11);
    request.set(http::field::host, host);
    request.set(http::field::user_agent, "by hand");
    request.set("ApiKey", key);
    co_await http::async_write(stream, request, asio::use_awaitable);

    beast::flat_buffer buffer;
    http::response<http::string_body> response;
    co_await http::async_read(stream, buffer, response, asio::use_awaitable);
    if (response.result() != http::status::ok) throw std::runtime_error("refused");
    auto const answer = boost::json::parse(response.body());
    co_return answer.at("status").at("isActive").as_bool();
}
