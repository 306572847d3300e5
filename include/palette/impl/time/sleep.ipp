// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/time/sleep.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

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

// Shared with the handlers that are under way; a set or a cancel makes those of before worthless.
struct Alarm::State : std::enable_shared_from_this<State> {
    State(boost::asio::any_io_executor ex, TimeSource t)
        : executor(std::move(ex)),
          time(std::move(t)),
          timer(executor) {}

    void ring_if(std::uint64_t wanted) {
        if (wanted == generation && ring) std::exchange(ring, nullptr)();
    }

    boost::asio::any_io_executor executor;
    TimeSource time;
    boost::asio::steady_timer timer;
    std::shared_ptr<void> waiting;  // on a given clock
    std::function<void()> ring;
    std::uint64_t generation = 0;
};

PALETTE_KEYS_INLINE Alarm::Alarm(boost::asio::any_io_executor executor, TimeSource time)
    : state_(std::make_shared<State>(std::move(executor), std::move(time))) {}

PALETTE_KEYS_INLINE Alarm::~Alarm() {
    cancel();
}

PALETTE_KEYS_INLINE void Alarm::set(std::chrono::milliseconds duration, std::function<void()> ring) {
    auto& state = *state_;
    auto const generation = ++state.generation;
    state.ring = std::move(ring);
    std::weak_ptr<State> const weak = state_;
    auto const ring_now = [weak, generation] {
        if (auto const alive = weak.lock()) alive->ring_if(generation);
    };
    if (auto const& clock = state.time.clock()) {
        state.waiting = clock->call_after(
            duration, [executor = state.executor, ring_now] { boost::asio::post(executor, ring_now); });
    } else {
        state.timer.expires_after(duration);
        state.timer.async_wait([ring_now](boost::system::error_code ec) {
            if (!ec) ring_now();
        });
    }
}

PALETTE_KEYS_INLINE void Alarm::cancel() {
    ++state_->generation;
    state_->ring = nullptr;
    state_->waiting.reset();
    state_->timer.cancel();
}

}  // namespace palette::inline PALETTE_KEYS_ABI::timing
