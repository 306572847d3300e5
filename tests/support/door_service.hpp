// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

/// An HTTP service in the clear, in the context of the test, whose port can be closed and opened: what comes
/// while it is closed is refused. The port stays reserved all the time.
class DoorService {
    using tcp = boost::asio::ip::tcp;
    using Socket = std::shared_ptr<tcp::socket>;

public:
    explicit DoorService(boost::asio::io_context& context) : context_(context), reserved_(context) {
        bind(reserved_, 0);
        port_ = reserved_.local_endpoint().port();
        open();
    }
    DoorService(const DoorService&) = delete;
    DoorService& operator=(const DoorService&) = delete;
    ~DoorService() { close(); }

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

    /// Accepts connections from now on; `most` of them, then the door closes by itself.
    void open(std::size_t most = std::size_t(-1)) {
        door_.emplace(context_);
        bind(*door_, port_);
        door_->listen();
        boost::asio::co_spawn(context_, accept(++opened_, most), boost::asio::detached);
    }
    void close() {
        ++opened_;
        door_.reset();
    }
    /// Ends all connections that there are, with a reset.
    void drop_connections() {
        for (auto const& socket : std::exchange(sockets_, {})) {
            boost::system::error_code ignored;
            socket->set_option(boost::asio::socket_base::linger(true, 0), ignored);
            socket->close(ignored);
        }
    }
    [[nodiscard]] std::size_t connections() const noexcept { return sockets_.size(); }

    /// The answer to a request, head and body; empty: none ever comes.
    std::function<std::string(std::string_view request)> answer = [](std::string_view) { return ok("{}"); };
    /// How long each answer takes.
    std::chrono::milliseconds delay{0};

    [[nodiscard]] static std::string ok(std::string_view body) {
        return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
               std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
    }

    // May be read from any thread.
    std::atomic<std::size_t> accepted = 0;  // connections
    std::atomic<std::size_t> requests = 0;

private:
    // The two sockets that share the port are both ours.
    template <class AnySocket>
    static void bind(AnySocket& socket, std::uint16_t port) {
        socket.open(tcp::v4());
        int const on = 1;
        ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
        socket.set_option(boost::asio::socket_base::reuse_address(true));
        socket.bind({boost::asio::ip::address_v4::loopback(), port});
    }

    boost::asio::awaitable<void> accept(int opened, std::size_t most) {
        auto const token = boost::asio::as_tuple(boost::asio::use_awaitable);
        for (std::size_t taken = 0; opened == opened_; ++taken) {
            if (taken == most) {
                close();
                break;
            }
            auto socket = std::make_shared<tcp::socket>(context_);
            auto const [broken] = co_await door_->async_accept(*socket, token);
            if (broken || opened != opened_) break;
            ++accepted;
            sockets_.insert(socket);
            boost::asio::co_spawn(context_, serve(socket), boost::asio::detached);
        }
    }

    boost::asio::awaitable<void> serve(Socket socket) {
        auto const token = boost::asio::as_tuple(boost::asio::use_awaitable);
        std::string text;
        char piece[4096];
        for (;;) {
            auto const [broken, size] = co_await socket->async_read_some(boost::asio::buffer(piece), token);
            if (broken) break;
            text.append(piece, size);
            if (!is_whole(text)) continue;
            ++requests;
            auto const reply = answer(text);
            text.clear();
            if (reply.empty()) continue;
            if (delay.count() > 0) {
                boost::asio::steady_timer timer(context_, delay);
                co_await timer.async_wait(token);
            }
            auto const [cut, sent] =
                co_await boost::asio::async_write(*socket, boost::asio::buffer(reply), token);
            if (cut) break;
        }
        sockets_.erase(socket);
    }

    static bool is_whole(std::string_view text) {
        auto const head = text.find("\r\n\r\n");
        if (head == std::string_view::npos) return false;
        constexpr std::string_view length = "Content-Length: ";
        auto const at = text.find(length);
        if (at == std::string_view::npos || at > head) return true;
        return text.size() >= head + 4 + std::stoul(std::string(text.substr(at + length.size(), 10)));
    }

    boost::asio::io_context& context_;
    tcp::acceptor reserved_;
    std::optional<tcp::acceptor> door_;
    std::uint16_t port_ = 0;
    int opened_ = 0;
    std::set<Socket> sockets_;
};
