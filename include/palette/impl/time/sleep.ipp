// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/time/sleep.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::timing {

PALETTE_KEYS_INLINE Instant TimeSource::now() const noexcept {
    if (clock_) return clock_->now();
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

PALETTE_KEYS_INLINE std::chrono::nanoseconds TimeSource::steady() const noexcept {
    if (clock_) return clock_->now().time_since_epoch();
    return std::chrono::steady_clock::now().time_since_epoch();
}

PALETTE_KEYS_INLINE boost::asio::awaitable<bool> sleep(TimeSource time, std::chrono::milliseconds duration) {
    namespace asio = boost::asio;
    auto const state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) co_return false;
    if (duration.count() <= 0) co_return true;
    auto const executor = co_await asio::this_coro::executor;
    auto const timer = std::make_shared<asio::steady_timer>(executor);
    std::shared_ptr<void> alarm;
    if (time.clock()) {
        timer->expires_at(asio::steady_timer::time_point::max());
        alarm =
            time.clock()->call_after(duration, [=] { asio::post(executor, [=] { timer->expires_at({}); }); });
    } else {
        timer->expires_after(duration);
    }
    co_await timer->async_wait(asio::as_tuple(asio::use_awaitable));
    // A given clock rings by moving the end of the wait to the past.
    co_return timer->expiry() <= asio::steady_timer::clock_type::now();
}

PALETTE_KEYS_INLINE SharedTimer::SharedTimer(boost::asio::any_io_executor executor)
    : executor_(std::move(executor)),
      timer_(executor_) {}

PALETTE_KEYS_INLINE SharedTimer::Wait SharedTimer::add(std::chrono::milliseconds duration,
                                                       std::function<void()> ring) {
    auto const now = std::chrono::steady_clock::now();
    auto const wait = waits_.emplace(now + bounded(duration), std::move(ring));
    look_up_in_time(now);
    return wait;
}

PALETTE_KEYS_INLINE void SharedTimer::remove(Wait wait) {
    waits_.erase(wait);
    if (!waits_.empty()) return;
    timer_.cancel();
    looks_.reset();
}

// Whatever is added later ends later than that, as a rule, and leaves the timer as it is.
PALETTE_KEYS_INLINE void SharedTimer::look_up_in_time(Time now) {
    auto const time = std::min(waits_.begin()->first, now + std::chrono::seconds{1});
    if (looks_ && *looks_ <= time) return;
    looks_ = time;
    timer_.expires_at(time);
    timer_.async_wait([weak = weak_from_this()](boost::system::error_code ec) {
        if (ec) return;
        if (auto const alive = weak.lock()) alive->look();
    });
}

PALETTE_KEYS_INLINE void SharedTimer::look() {
    auto const now = std::chrono::steady_clock::now();
    if (!looks_ || *looks_ > now) return;  // it was set anew, or not at all, after it had rung
    looks_.reset();
    while (!waits_.empty() && waits_.begin()->first <= now)
        waits_.extract(waits_.begin()).mapped()();
    if (!waits_.empty()) look_up_in_time(now);
}

// Shared with the calls of a given clock that are under way; a set or a cancel makes those of before
// worthless.
struct Alarm::State : std::enable_shared_from_this<State> {
    State(std::shared_ptr<SharedTimer> t, TimeSource source) : timer(std::move(t)), time(std::move(source)) {}

    void ring_if(std::uint64_t wanted) {
        if (wanted == generation && ring) std::exchange(ring, nullptr)();
    }

    std::shared_ptr<SharedTimer> timer;
    TimeSource time;
    std::optional<SharedTimer::Wait> wait;
    std::shared_ptr<void> waiting;  // on a given clock
    std::function<void()> ring;
    std::uint64_t generation = 0;
};

PALETTE_KEYS_INLINE Alarm::Alarm(std::shared_ptr<SharedTimer> timer, TimeSource time)
    : state_(std::make_shared<State>(std::move(timer), std::move(time))) {}

PALETTE_KEYS_INLINE Alarm::~Alarm() {
    cancel();
}

PALETTE_KEYS_INLINE void Alarm::set(std::chrono::milliseconds duration, std::function<void()> ring) {
    auto& state = *state_;
    auto const before = std::exchange(state.wait, std::nullopt);
    state.ring = std::move(ring);
    auto const generation = ++state.generation;
    if (auto const& clock = state.time.clock()) {
        auto const ring_now = [weak = state.weak_from_this(), generation] {
            if (auto const alive = weak.lock()) alive->ring_if(generation);
        };
        state.waiting = clock->call_after(duration, [executor = state.timer->executor(), ring_now] {
            boost::asio::post(executor, ring_now);
        });
    } else {
        state.wait = state.timer->add(duration, [&state] {
            state.wait.reset();
            state.ring_if(state.generation);
        });
    }
    // Now: what waits on is not the last.
    if (before) state.timer->remove(*before);
}

PALETTE_KEYS_INLINE void Alarm::cancel() {
    ++state_->generation;
    state_->ring = nullptr;
    state_->waiting.reset();
    if (auto const wait = std::exchange(state_->wait, std::nullopt)) state_->timer->remove(*wait);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::timing
