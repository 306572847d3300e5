// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/http/certificates.hpp>
#include <palette/impl/emulator/http/connection.hpp>
#include <palette/impl/emulator/http/idle_connections.hpp>
#include <palette/impl/emulator/http/pause.hpp>
#include <palette/impl/emulator/http/server.hpp>
#include <palette/impl/emulator/http/session.hpp>

#include <fcntl.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <exception>
#include <optional>
#include <thread>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

inline asio::ssl::context make_tls(const HostIdentity& identity) {
    asio::ssl::context tls(asio::ssl::context::tls_server);
    // RFC 8996 forbids the versions before 1.2.
    tls.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                    asio::ssl::context::no_tlsv1_1);
    tls.use_certificate_chain(asio::buffer(identity.certificate_pem + identity.authority_pem));
    tls.use_private_key(asio::buffer(identity.private_key_pem), asio::ssl::context::pem);
    return tls;
}

// A program that the user's tests start must not keep the port.
template <class Socket>
void close_on_exec(Socket& socket) noexcept {
    ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
}

inline Error cannot_listen(const testing::EmulatorOptions& options, const std::string& reason) {
    return Error(errc::transport, "the emulator cannot listen on " + options.listen + " port " +
                                      std::to_string(options.port) + ": " + reason);
}

inline asio::ip::tcp::acceptor open_acceptor(asio::io_context& context,
                                             const testing::EmulatorOptions& options) {
    beast::error_code ec;
    auto const address = asio::ip::make_address(options.listen, ec);
    if (ec) throw Exception(cannot_listen(options, "that is not an address"));
    asio::ip::tcp::acceptor acceptor(context);
    asio::ip::tcp::endpoint const endpoint(address, options.port);
    acceptor.open(endpoint.protocol(), ec);
    if (!ec) close_on_exec(acceptor);
    // Without it, a test that restarts the emulator on a fixed port fails while old connections are in
    // TIME_WAIT.
    if (!ec) acceptor.set_option(asio::socket_base::reuse_address(true), ec);
    if (!ec) acceptor.bind(endpoint, ec);
    if (!ec) acceptor.listen(asio::socket_base::max_listen_connections, ec);
    if (ec) throw Exception(cannot_listen(options, ec.message()));
    return acceptor;
}

class Server::Loop {
public:
    Loop(SharedService& service, const testing::EmulatorOptions& options, const HostIdentity* identity)
        : service_(service),
          options_(options),
          acceptor_(open_acceptor(context_, options)),
          port_(acceptor_.local_endpoint().port()) {
        if (identity != nullptr) tls_.emplace(make_tls(*identity));
        // Both are started last: when the constructor throws before, there is no thread to join.
        asio::co_spawn(context_, accept(), asio::detached);
        thread_ = std::thread([this] { context_.run(); });
    }
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    // What is under way is destroyed with the context.
    ~Loop() {
        context_.stop();
        thread_.join();
    }

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] std::size_t connections() const noexcept { return connections_; }

private:
    asio::awaitable<void> accept() {
        for (;;) {
            auto [ec, socket] = co_await acceptor_.async_accept(as_result);
            if (ec) {
                // Out of file descriptors, most likely: they come back.
                asio::steady_timer timer(context_, std::chrono::milliseconds{10});
                co_await timer.async_wait(as_result);
            } else if (connections_ < options_.max_connections || idle_.close_longest()) {
                // What a session throws, for want of memory, ends with its coroutine: the other connections
                // go on.
                asio::co_spawn(context_, serve(std::move(socket), ++last_connection_), asio::detached);
            }
        }
    }

    // Counts what is open, also when the coroutine is destroyed half-way.
    struct Counted {
        explicit Counted(std::atomic<std::size_t>& n) : number(n) { ++number; }
        Counted(const Counted&) = delete;
        Counted& operator=(const Counted&) = delete;
        ~Counted() { --number; }
        std::atomic<std::size_t>& number;
    };

    asio::awaitable<void> serve(asio::ip::tcp::socket socket, std::uint64_t number) {
        Counted const counted(connections_);
        beast::error_code ec;
        // Without an exception: the client may have gone already, which the session finds out by itself.
        auto const source = socket.remote_endpoint(ec).address().to_string();
        // The drip fault sends single bytes, and Nagle's algorithm would gather them.
        socket.set_option(asio::ip::tcp::no_delay(true), ec);
        close_on_exec(socket);
        auto const connection = make_connection(std::move(socket), tls_ ? &*tls_ : nullptr);
        Session session(service_, options_, idle_, *connection, source, number);
        co_await session.run();
    }

    SharedService& service_;
    const testing::EmulatorOptions& options_;
    IdleConnections idle_;  // outlives the coroutines, which end with the context
    std::atomic<std::size_t> connections_ = 0;
    std::uint64_t last_connection_ = 0;
    // Before the context, too: streams refer to it until their coroutines are destroyed.
    std::optional<asio::ssl::context> tls_;
    asio::io_context context_{1};
    asio::ip::tcp::acceptor acceptor_;
    std::uint16_t port_;
    std::thread thread_;
};

PALETTE_KEYS_INLINE Server::Server(SharedService& service, const testing::EmulatorOptions& options,
                                   const HostIdentity* identity)
    : loop_(std::make_unique<Loop>(service, options, identity)) {}

PALETTE_KEYS_INLINE Server::~Server() = default;

PALETTE_KEYS_INLINE std::uint16_t Server::port() const noexcept {
    return loop_->port();
}

PALETTE_KEYS_INLINE std::size_t Server::connections() const noexcept {
    return loop_->connections();
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation
