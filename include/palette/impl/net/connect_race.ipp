// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/net/address_race.hpp>
#include <palette/impl/net/connect_race.hpp>
#include <palette/impl/net/stream.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::net {

PALETTE_KEYS_INLINE Endpoints by_turns(const Endpoints& endpoints) {
    Endpoints first;
    Endpoints others;
    for (auto const& endpoint : endpoints)
        (endpoint.protocol() == endpoints.front().protocol() ? first : others).push_back(endpoint);
    Endpoints ordered;
    for (std::size_t i = 0; ordered.size() < endpoints.size(); ++i) {
        // A broken family, often IPv6, costs one attempt and not all of them.
        if (i < first.size()) ordered.push_back(first[i]);
        if (i < others.size()) ordered.push_back(others[i]);
    }
    return ordered;
}

// The sockets of a race. What they wait for keeps them alive, and finds nothing to do once it is over.
class ConnectRace : public std::enable_shared_from_this<ConnectRace> {
public:
    using Clock = std::chrono::steady_clock;

    ConnectRace(const asio::any_io_executor& executor, Endpoints endpoints, std::chrono::milliseconds time)
        : endpoints_(std::move(endpoints)),
          race_(endpoints_.size(), time, Clock::now()),
          wake_(executor) {
        for (std::size_t i = 0; i < endpoints_.size(); ++i)
            sockets_.emplace_back(executor);
    }

    // Whoever waits for it looks again whenever the timer ends or is cancelled.
    [[nodiscard]] asio::steady_timer& wake() noexcept { return wake_; }

    // Starts what is to be started; whether there is still something to wait for.
    bool go_on() {
        auto const now = Clock::now();
        while (!winner_) {
            auto const step = race_.next(now);
            if (!step) break;
            // Closed first, so that never more sockets are open than the race allows.
            if (step->given_up) close(*step->given_up);
            start(step->started);
        }
        // Looked at before the time: a winner counts even if it comes late.
        if (winner_ || race_.is_lost()) return false;
        is_late_ = race_.is_late(now);
        if (!is_late_) wake_.expires_at(race_.next_look());
        return !is_late_;
    }

    void stop() {
        is_over_ = true;
        for (std::size_t i = 0; i < sockets_.size(); ++i)
            close(i);
    }

    [[nodiscard]] std::optional<asio::ip::tcp::socket> take_winner() {
        if (!winner_) return std::nullopt;
        return std::move(sockets_[*winner_]);
    }
    [[nodiscard]] bool is_late() const noexcept { return is_late_; }
    [[nodiscard]] std::string last_reason() const { return last_.message(); }
    [[nodiscard]] boost::system::error_code last_error() const noexcept { return last_; }

private:
    void start(std::size_t i) {
        sockets_[i].async_connect(endpoints_[i], [self = shared_from_this(),
                                                  i](boost::system::error_code ec) { self->ended(i, ec); });
    }

    void ended(std::size_t i, boost::system::error_code ec) {
        // Closed meanwhile, connected or not. What was never open has failed.
        auto const is_closed = !ec && !sockets_[i].is_open();
        if (is_over_ || winner_ || is_closed || ec == asio::error::operation_aborted) return;
        if (!ec) {
            winner_ = i;
        } else {
            last_ = ec;
            close(i);
            race_.failed(i, Clock::now());
        }
        // The coroutine waits for the timer alone, and looks at everything when it wakes.
        wake_.cancel();
    }

    void close(std::size_t i) noexcept {
        boost::system::error_code ignored;
        sockets_[i].close(ignored);
    }

    Endpoints endpoints_;
    AddressRace race_;
    asio::steady_timer wake_;
    std::deque<asio::ip::tcp::socket> sockets_;
    std::optional<std::size_t> winner_;
    boost::system::error_code last_;
    bool is_late_ = false;
    bool is_over_ = false;
};

// Ends the race however the coroutine ends, its destruction included.
class StopsRace {
public:
    explicit StopsRace(std::shared_ptr<ConnectRace> race) noexcept : race_(std::move(race)) {}
    StopsRace(const StopsRace&) = delete;
    StopsRace& operator=(const StopsRace&) = delete;
    ~StopsRace() { race_->stop(); }

private:
    std::shared_ptr<ConnectRace> race_;
};

PALETTE_KEYS_INLINE asio::awaitable<Result<asio::ip::tcp::socket>> connect_to_first(
    Endpoints endpoints, std::chrono::milliseconds time, std::string what) {
    auto const executor = co_await asio::this_coro::executor;
    auto const race = std::make_shared<ConnectRace>(executor, by_turns(endpoints), time);
    StopsRace const stops(race);
    for (;;) {
        auto const state = co_await asio::this_coro::cancellation_state;
        if (is_cancelled(state)) co_return Error(errc::operation_aborted, "it was cancelled");
        if (!race->go_on()) break;
        co_await race->wake().async_wait(asio::as_tuple(asio::use_awaitable));
    }
    auto won = race->take_winner();
    if (won) co_return std::move(*won);
    co_return Error(race->is_late() ? errc::timeout : errc::transport,
                    "cannot connect to " + what + ": " +
                        (race->is_late() ? "no answer within " + std::to_string(time.count()) + " ms"
                                         : race->last_reason()))
        .cause(race->is_late() ? boost::system::error_code() : race->last_error());
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::net
