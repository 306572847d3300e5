// SPDX-License-Identifier: BSL-1.0
#include "support/connect_proxy.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

namespace proxying {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

struct Pair {
    explicit Pair(tcp::socket s) : client(std::move(s)), service(client.get_executor()) {}
    tcp::socket client;
    tcp::socket service;
};

}  // namespace

class ConnectProxy::Machine {
public:
    explicit Machine(ProxyOptions options)
        : options_(std::move(options)),
          acceptor_(context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
          port_(acceptor_.local_endpoint().port()) {
        asio::co_spawn(context_, serve(), asio::detached);
        thread_ = std::thread([this] { context_.run(); });
    }
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;
    ~Machine() {
        context_.stop();
        thread_.join();
    }

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

    template <class T>
    [[nodiscard]] T locked(const T& value) const {
        std::lock_guard const lock(mutex_);
        return value;
    }
    [[nodiscard]] std::vector<std::string> heads() const { return locked(heads_); }
    [[nodiscard]] std::size_t tunnels() const { return locked(tunnels_); }
    [[nodiscard]] std::string carried() const { return locked(carried_); }

private:
    asio::awaitable<void> serve() {
        for (;;) {
            auto socket = co_await acceptor_.async_accept(asio::use_awaitable);
            asio::co_spawn(context_, converse(std::make_shared<Pair>(std::move(socket))), asio::detached);
        }
    }

    asio::awaitable<void> converse(std::shared_ptr<Pair> pair) {
        std::string head;
        auto const [broken, size] =
            co_await asio::async_read_until(pair->client, asio::dynamic_buffer(head), "\r\n\r\n", as_result);
        if (broken) co_return;
        note([&] { heads_.push_back(head); });
        if (options_.is_silent) {
            char byte;
            co_await pair->client.async_read_some(asio::buffer(&byte, 1), as_result);
            co_return;
        }
        auto reply = options_.answer;
        bool const is_known =
            options_.authorization.empty() ||
            head.find("\r\nProxy-Authorization: " + options_.authorization + "\r\n") != std::string::npos;
        // It repeats what it was told, as some do.
        if (!is_known)
            reply = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nX-Echo: " +
                    std::string(header_of(head)) + "\r\nContent-Length: " + std::to_string(head.size()) +
                    "\r\n\r\n" + head;
        bool const makes_tunnel = is_known && options_.answer.empty();
        if (makes_tunnel) {
            tcp::endpoint const target(asio::ip::address_v4::loopback(), options_.target);
            auto const [refused] = co_await pair->service.async_connect(target, as_result);
            if (refused) co_return;
            note([&] { ++tunnels_; });
            reply = "HTTP/1.1 200 Connection established\r\n\r\n" + options_.behind;
        }
        co_await asio::async_write(pair->client, asio::buffer(reply), as_result);
        if (!makes_tunnel) {
            co_await finish(pair);
            co_return;
        }
        asio::co_spawn(context_, carry(pair, pair->client, pair->service), asio::detached);
        co_await carry(pair, pair->service, pair->client);
    }

    // What was sent last would be lost if the socket were closed while there is something to read.
    static asio::awaitable<void> finish(std::shared_ptr<Pair> pair) {
        boost::system::error_code error;
        pair->client.shutdown(tcp::socket::shutdown_send, error);
        char bytes[4096];
        while (!error) {
            auto const [ended, size] = co_await pair->client.async_read_some(asio::buffer(bytes), as_result);
            error = ended;
        }
    }

    // Both sockets are the pair's, which lives as long as something is carried.
    asio::awaitable<void> carry(std::shared_ptr<Pair> /*pair*/, tcp::socket& from, tcp::socket& to) {
        std::string bytes(16 * 1024, '\0');
        boost::system::error_code error;
        while (!error) {
            auto const [ended, size] = co_await from.async_read_some(asio::buffer(bytes), as_result);
            error = ended;
            if (error) break;
            note([&, n = size] { carried_.append(bytes, 0, n); });
            auto const [lost, written] = co_await asio::async_write(to, asio::buffer(bytes, size), as_result);
            error = lost;
        }
        boost::system::error_code ignored;
        to.shutdown(tcp::socket::shutdown_send, ignored);
    }

    static std::string_view header_of(std::string_view head) {
        auto const at = head.find("Proxy-Authorization: ");
        if (at == std::string_view::npos) return "nothing";
        return head.substr(at, head.find("\r\n", at) - at);
    }

    template <class F>
    void note(F f) {
        std::lock_guard const lock(mutex_);
        f();
    }

    ProxyOptions options_;
    asio::io_context context_{1};
    tcp::acceptor acceptor_;
    std::uint16_t port_;
    mutable std::mutex mutex_;  // guards what follows
    std::vector<std::string> heads_;
    std::size_t tunnels_ = 0;
    std::string carried_;
    std::thread thread_;
};

ConnectProxy::ConnectProxy(ProxyOptions options) : machine_(std::make_unique<Machine>(std::move(options))) {}
ConnectProxy::~ConnectProxy() = default;

std::uint16_t ConnectProxy::port() const noexcept {
    return machine_->port();
}
std::string ConnectProxy::url() const {
    return "http://127.0.0.1:" + std::to_string(port());
}
std::vector<std::string> ConnectProxy::heads() const {
    return machine_->heads();
}
std::size_t ConnectProxy::tunnels() const {
    return machine_->tunnels();
}
std::string ConnectProxy::carried() const {
    return machine_->carried();
}

}  // namespace proxying
