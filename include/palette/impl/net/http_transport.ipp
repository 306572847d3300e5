// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/net/connector.hpp>
#include <palette/impl/net/http_connection.hpp>
#include <palette/impl/net/http_transport.hpp>
#include <palette/impl/net/pool.hpp>
#include <palette/impl/time/sleep.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <map>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::net {

// Drives the pool: what it decides is done here.
class HttpTransport final : public Transport, public std::enable_shared_from_this<HttpTransport> {
public:
    HttpTransport(asio::any_io_executor strand, const ClientOptions& options, std::optional<ProxyRoute> proxy,
                  std::unique_ptr<asio::ssl::context> tls, std::unique_ptr<Sessions> sessions)
        : strand_(std::move(strand)),
          timer_(std::make_shared<timing::SharedTimer>(strand_)),
          authority_(options.endpoint.authority()),
          pool_(options.pool),
          silence_(options.timeouts.silence),
          connector_(options, std::move(proxy), std::move(tls), std::move(sessions)) {}

    asio::awaitable<Result<void>> exchange(const HttpRequest& request, ResponseSink& sink,
                                           ExchangeReport& report) override {
        Lease lease(*this);
        drop_expired();
        auto const turn = alive(pool_.request());
        if (turn.action == Turn::Action::use) {
            use(lease, turn.connection, report);
        } else {
            auto acquired = co_await acquire(turn, lease, sink, report);
            if (!acquired) co_return acquired;
        }
        auto result = co_await lease.connection().exchange(request, authority_, sink, report);
        // It died without a sign, as those do that have been idle with it (W18).
        auto const state = co_await asio::this_coro::cancellation_state;
        if (!result && report.reused_connection && report.sent && !report.received && !is_cancelled(state))
            close_idle();
        co_return result;
    }

    void close() override {
        auto closed = pool_.close();
        for (auto const id : closed.idle)
            connections_.erase(id);
        for (auto const ticket : closed.waiters)
            wake(ticket, Turn{.action = Turn::Action::refuse_closed, .ticket = ticket});
    }

private:
    // A connection for one exchange; it goes back however the exchange ends, the coroutine's destruction
    // included.
    class Lease {
    public:
        explicit Lease(HttpTransport& transport) noexcept : transport_(transport) {}
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;
        ~Lease() {
            if (held_) transport_.give_back(id_);
        }

        void hold(ConnectionId id) noexcept {
            id_ = id;
            held_ = true;
        }
        void let_go() noexcept { held_ = false; }
        [[nodiscard]] HttpConnection& connection() const { return *transport_.connections_.at(id_); }

    private:
        HttpTransport& transport_;
        ConnectionId id_{};
        bool held_ = false;
    };

    struct Waiter {
        explicit Waiter(const asio::any_io_executor& executor)
            : come(executor, asio::steady_timer::time_point::max()) {}
        asio::steady_timer come;  // cancelled when it is its turn
        std::optional<Turn> turn;
    };

    // What is still open may have died meanwhile.
    Turn alive(Turn turn) {
        while (turn.action == Turn::Action::use && !connections_.at(turn.connection)->is_quiet()) {
            auto const dead = turn.connection;
            turn = pool_.replace(dead);
            connections_.erase(dead);
        }
        return turn;
    }

    static void use(Lease& lease, ConnectionId connection, ExchangeReport& report) {
        report.reused_connection = true;
        lease.hold(connection);
    }

    asio::awaitable<Result<void>> acquire(Turn turn, Lease& lease, ResponseSink& sink,
                                          ExchangeReport& report) {
        if (turn.action == Turn::Action::wait) {
            auto const begun = std::chrono::steady_clock::now();
            sink.waits(true);
            auto come = co_await turn_of(turn.ticket);
            report.wait = since(begun);
            sink.waits(false);
            if (!come) co_return std::move(come.error());
            turn = alive(*come);
        }
        if (turn.action == Turn::Action::refuse_closed)
            co_return Error(errc::operation_aborted, "the client was closed");
        if (turn.action == Turn::Action::refuse_full)
            co_return Error(errc::timeout, "too many operations wait for a connection already");
        if (turn.action == Turn::Action::use) {
            use(lease, turn.connection, report);
            co_return Result<void>();
        }
        co_return co_await open(lease, turn.connection, report);
    }

    asio::awaitable<Result<void>> open(Lease& lease, ConnectionId id, ExchangeReport& report) {
        // While it is opened, the place in the pool is the lease's.
        lease.hold(id);
        auto stream = co_await connector_.connect(report);
        if (!stream) {
            lease.let_go();
            settle(pool_.failed(id, stream.error()));
            co_return std::move(stream.error());
        }
        pool_.opened(id);
        connections_.emplace(id, std::make_unique<HttpConnection>(std::move(*stream), timer_, silence_));
        co_return Result<void>();
    }

    asio::awaitable<Result<Turn>> turn_of(Ticket ticket) {
        auto const waiter = std::make_shared<Waiter>(strand_);
        waiters_.emplace(ticket, waiter);
        auto const state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() == asio::cancellation_type::none)
            co_await waiter->come.async_wait(asio::as_tuple(asio::use_awaitable));
        waiters_.erase(ticket);
        if (waiter->turn) co_return *waiter->turn;
        auto why = pool_.give_up(ticket);
        co_return why ? std::move(*why) : Error(errc::operation_aborted, "it was cancelled");
    }

    void wake(Ticket ticket, Turn turn) {
        auto const found = waiters_.find(ticket);
        if (found == waiters_.end()) return;
        found->second->turn = turn;
        found->second->come.cancel();
    }

    void settle(const std::optional<Turn>& turn) {
        if (turn) wake(turn->ticket, *turn);
    }

    // Of a lease: the connection may never have been opened.
    void give_back(ConnectionId id) {
        auto const found = connections_.find(id);
        if (found == connections_.end()) {
            settle(pool_.abandoned(id));
            return;
        }
        auto const released =
            pool_.release(id, found->second->is_reusable(), std::chrono::steady_clock::now());
        if (!released.is_kept) connections_.erase(found);
        settle(released.next);
    }

    void close_idle() {
        for (auto const id : pool_.distrust_idle())
            connections_.erase(id);
    }

    // No timer: it would keep a context running that has nothing else to do.
    void drop_expired() {
        for (auto const id : pool_.expire(std::chrono::steady_clock::now()))
            connections_.erase(id);
    }

    asio::any_io_executor strand_;
    std::shared_ptr<timing::SharedTimer> timer_;
    std::string authority_;
    Pool pool_;
    std::chrono::milliseconds silence_;
    Connector connector_;
    std::map<ConnectionId, std::unique_ptr<HttpConnection>> connections_;
    std::map<Ticket, std::shared_ptr<Waiter>> waiters_;
};

PALETTE_KEYS_INLINE Result<std::shared_ptr<Transport>> make_http_transport(
    const boost::asio::any_io_executor& strand, const ClientOptions& options) {
    auto proxy = route_of(options);
    if (!proxy) return std::move(proxy.error());
    std::unique_ptr<asio::ssl::context> tls;
    auto sessions = std::make_unique<Sessions>();
    if (options.endpoint.is_secure()) {
        auto made = make_tls_context(options.tls);
        if (!made) return std::move(made.error());
        tls = std::move(*made);
        sessions->collect_from(tls->native_handle());
    }
    return std::shared_ptr<Transport>(std::make_shared<HttpTransport>(strand, options, std::move(*proxy),
                                                                      std::move(tls), std::move(sessions)));
}

}  // namespace palette::inline PALETTE_KEYS_ABI::net
