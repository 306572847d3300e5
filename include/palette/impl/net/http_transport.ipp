// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/net/connector.hpp>
#include <palette/impl/net/http_connection.hpp>
#include <palette/impl/net/http_transport.hpp>
#include <palette/impl/net/pool.hpp>
#include <palette/impl/time/jitter.hpp>
#include <palette/impl/time/sleep.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::net {

// Whether the way to the service may be open again a moment later.
inline bool is_outage(const Error& error) noexcept {
    return error.code() == errc::transport || error.code() == errc::timeout ||
           (error.code() == errc::proxy &&
            (error.status() == 502 || error.status() == 503 || error.status() == 504));
}

// Drives the pool: what it decides is done here.
class HttpTransport final : public Transport, public std::enable_shared_from_this<HttpTransport> {
    using Clock = std::chrono::steady_clock;

public:
    HttpTransport(asio::any_io_executor strand, const ClientOptions& options,
                  std::shared_ptr<timing::SharedTimer> timer, std::optional<ProxyRoute> proxy,
                  std::shared_ptr<asio::ssl::context> tls, std::unique_ptr<Sessions> sessions)
        : strand_(std::move(strand)),
          timer_(std::move(timer)),
          fields_(fields_of_every_request(options)),
          pool_(options.pool, options.retry),
          read_timeout_(options.timeouts.read),
          connector_(options, std::move(proxy), std::move(tls), std::move(sessions)),
          next_try_(timer_, timing::TimeSource()),
          jitter_(options.retry.jitter_seed) {}

    asio::awaitable<Result<void>> exchange(const HttpRequest& request, ResponseSink& sink,
                                           ExchangeReport& report) override {
        Lease lease(*this);
        auto const now = Clock::now();
        drop_expired(now);
        lease.take(pool_.request(now));
        replace_dead(lease);
        if (lease.is(Turn::Action::use)) {
            report.reused_connection = true;
        } else {
            co_await acquire(lease, sink, report);
            if (!lease.is(Turn::Action::use)) co_return refused(lease);
        }
        report.phase = ExchangeReport::Phase::response;
        auto result = co_await lease.connection().exchange(request, fields_, sink, report);
        // It died without a sign, as those do that have been idle with it (W18).
        auto const state = co_await asio::this_coro::cancellation_state;
        if (!result && report.reused_connection && report.sent && !report.received && !is_cancelled(state))
            close_idle();
        co_return result;
    }

    void close() override {
        pool_.close();
        serve();
        close_idle();
    }

private:
    // What the pool has given to one exchange: a turn to come, a place for a connection that is being opened,
    // or a connection. The lease owns each from the moment at which the pool gives it, and gives it back
    // however the exchange ends. A cancellation or an exception at any co_await, and the destruction of the
    // coroutine, lose nothing: no code of the exchange has to run between the gift and the owning.
    class Lease {
    public:
        explicit Lease(HttpTransport& transport) noexcept : transport_(transport) {}
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;
        ~Lease() { transport_.give_back(*this); }

        void take(Turn given) {
            turn = given;
            if (turn.action != Turn::Action::wait) return;
            transport_.takers_.emplace(turn.ticket, this);
            // During an outage, this may be the only one who waits for the next try.
            transport_.set_next_try();
        }
        void let_go() noexcept { turn = nothing; }

        [[nodiscard]] bool is(Turn::Action action) const noexcept { return turn.action == action; }
        [[nodiscard]] HttpConnection& connection() const {
            return *transport_.connections_.at(turn.connection);
        }

        static constexpr Turn nothing{Turn::Action::refuse_closed};
        Turn turn = nothing;
        std::optional<asio::steady_timer> come;  // cancelled when it is its turn
        std::shared_ptr<const Error> why;        // why no connection could be opened
        bool is_cancelled = false;

    private:
        HttpTransport& transport_;
    };

    // What is still open may have died meanwhile.
    void replace_dead(Lease& lease) {
        while (lease.is(Turn::Action::use) && !lease.connection().is_quiet()) {
            auto const dead = lease.turn.connection;
            auto const instead = pool_.replace(lease.turn, Clock::now());
            lease.turn = Lease::nothing;
            connections_.erase(dead);
            lease.take(instead);
        }
    }

    // Until the lease has a connection, or why it has none. Many wait here at a time: what a coroutine keeps
    // is small, and no error is among it.
    asio::awaitable<void> acquire(Lease& lease, ResponseSink& sink, ExchangeReport& report) {
        bool has_tried = false;
        for (;;) {
            if (lease.is(Turn::Action::wait)) {
                report.phase = ExchangeReport::Phase::connection;
                auto const begun = Clock::now();
                // Whoever has tried already is not in the queue any more.
                if (!has_tried) sink.waiting_for_connection(true);
                lease.come.emplace(strand_, asio::steady_timer::time_point::max());
                auto const state = co_await asio::this_coro::cancellation_state;
                if (!is_cancelled(state))
                    co_await lease.come->async_wait(asio::as_tuple(asio::use_awaitable));
                lease.come.reset();
                report.wait = report.wait.value_or(std::chrono::nanoseconds::zero()) + since(begun);
                if (!has_tried) sink.waiting_for_connection(false);
                if (lease.is(Turn::Action::wait)) {
                    stop_waiting(lease);
                    lease.is_cancelled = true;
                    co_return;
                }
                replace_dead(lease);
                if (lease.is(Turn::Action::use)) report.reused_connection = true;
            } else if (lease.is(Turn::Action::open)) {
                has_tried = true;
                co_await open(lease, report);
            } else {
                co_return;
            }
        }
    }

    // Afterwards the lease has a connection, its next turn, or why there is none.
    asio::awaitable<void> open(Lease& lease, ExchangeReport& report) {
        auto stream = co_await connector_.connect(report);
        if (stream) {
            connections_.emplace(lease.turn.connection,
                                 std::make_unique<HttpConnection>(std::move(*stream), timer_, read_timeout_));
            pool_.opened(lease.turn);
            lease.turn.action = Turn::Action::use;
            serve();
            co_return;
        }
        auto const state = co_await asio::this_coro::cancellation_state;
        if (is_cancelled(state)) {
            // The step that was cancelled has its own words for it; a try that failed before says more.
            lease.is_cancelled = true;
            give_back(lease);
        } else if (!is_outage(stream.error())) {
            lease.why = std::make_shared<const Error>(std::move(stream.error()));
            pool_.failed_for_good(lease.turn);
            lease.let_go();
            serve();
        } else {
            lease.take(pool_.failed(lease.turn, std::move(stream.error()), Clock::now(), jitter_()));
            lease.why = pool_.last_failure();
            serve();
        }
    }

    [[nodiscard]] static Error refused(const Lease& lease) {
        if (lease.is(Turn::Action::refuse_full))
            return Error(errc::timeout, "too many operations wait for a connection already");
        if (lease.why) return Error(*lease.why).attempts(std::max(lease.turn.failures, 1));
        return Error(errc::operation_aborted,
                     lease.is_cancelled ? "it was cancelled" : "the client was closed");
    }

    void stop_waiting(Lease& lease) noexcept {
        takers_.erase(lease.turn.ticket);
        // Why connections could not be opened meanwhile, if that was so.
        if (auto why = pool_.give_up(lease.turn.ticket)) lease.why = std::move(why);
        lease.let_go();
        set_next_try();
    }

    void give_back(Lease& lease) noexcept {
        if (lease.is(Turn::Action::wait)) {
            stop_waiting(lease);
            return;
        }
        auto const now = Clock::now();
        give_back(std::exchange(lease.turn, Lease::nothing), now);
        serve(now);
    }

    void give_back(const Turn& turn, Pool::Time now) noexcept {
        if (turn.action == Turn::Action::open) pool_.abandoned(turn);
        if (turn.action != Turn::Action::use) return;
        auto const found = connections_.find(turn.connection);
        if (!pool_.release(turn.connection, found->second->is_reusable(), now)) connections_.erase(found);
    }

    // Gives every turn that has come to its taker.
    void serve() noexcept { serve(Clock::now()); }
    void serve(Pool::Time now) noexcept {
        while (auto const turn = pool_.next_turn(now)) {
            auto const found = takers_.find(turn->ticket);
            if (found == takers_.end()) {
                give_back(*turn, now);
                continue;
            }
            auto& lease = *found->second;
            takers_.erase(found);
            lease.turn = *turn;
            if (turn->action == Turn::Action::fail) lease.why = pool_.last_failure();
            if (lease.come) lease.come->cancel();
        }
        set_next_try();
    }

    // It runs only while somebody waits, so that it keeps no context running.
    void set_next_try() noexcept {
        auto const time = pool_.next_try();
        if (time == next_try_set_) return;
        next_try_set_ = time;
        next_try_.cancel();
        if (!time) return;
        auto const wait = std::chrono::ceil<std::chrono::milliseconds>(*time - Clock::now());
        next_try_.set(wait, [this] {
            next_try_set_.reset();
            serve();
        });
    }

    void close_idle() noexcept {
        while (auto const id = pool_.pop_idle())
            connections_.erase(*id);
    }

    // No timer: it would keep a context running that has nothing else to do.
    void drop_expired(Pool::Time now) noexcept {
        while (auto const id = pool_.pop_expired(now))
            connections_.erase(*id);
    }

    asio::any_io_executor strand_;
    std::shared_ptr<timing::SharedTimer> timer_;
    std::string fields_;  // of every request
    Pool pool_;
    std::chrono::milliseconds read_timeout_;
    Connector connector_;
    std::map<ConnectionId, std::unique_ptr<HttpConnection>> connections_;
    std::map<WaiterId, Lease*> takers_;  // who waits
    timing::Alarm next_try_;
    std::optional<Pool::Time> next_try_set_;
    timing::Jitter jitter_;
};

PALETTE_KEYS_INLINE Result<std::shared_ptr<Transport>> make_http_transport(
    const boost::asio::any_io_executor& strand, const ClientOptions& options,
    std::shared_ptr<timing::SharedTimer> timer) {
    auto proxy = route_of(options);
    if (!proxy) return std::move(proxy.error());
    std::shared_ptr<asio::ssl::context> tls;
    auto sessions = std::make_unique<Sessions>();
    if (options.endpoint.is_secure()) {
        auto made = tls_context_of(options.tls);
        if (!made) return std::move(made.error());
        tls = std::move(*made);
    }
    if (!timer) timer = std::make_shared<timing::SharedTimer>(strand);
    return std::shared_ptr<Transport>(std::make_shared<HttpTransport>(
        strand, options, std::move(timer), std::move(*proxy), std::move(tls), std::move(sessions)));
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::net
