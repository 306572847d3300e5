// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/time/sleep.hpp>
#include <palette/impl/values/insist.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/system_executor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::timing {

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
        alarm = time.clock()->call_after(
            duration, [=] { detail::insist([&] { asio::post(executor, [=] { timer->expires_at({}); }); }); });
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

PALETTE_KEYS_INLINE SharedTimer::Waits::node_type SharedTimer::new_node() {
    Waits one;
    one.emplace(Time(), nullptr);
    return one.extract(one.begin());
}

PALETTE_KEYS_INLINE void SharedTimer::set(Wait& wait, std::chrono::milliseconds duration,
                                          std::function<void()> ring) noexcept {
    auto const now = std::chrono::steady_clock::now();
    if (wait.is_set) wait.node = waits_.extract(wait.place);
    wait.node.key() = now + bounded(duration);
    wait.node.mapped() = &wait;
    wait.ring = std::move(ring);
    wait.place = waits_.insert(std::move(wait.node));
    wait.is_set = true;
    look_up_in_time(now);
}

PALETTE_KEYS_INLINE void SharedTimer::cancel(Wait& wait) {
    if (!std::exchange(wait.is_set, false)) return;
    wait.node = waits_.extract(wait.place);
    if (waits_.empty() && (!stops_later_ || !stops_later_())) stop_if_unused();
}

PALETTE_KEYS_INLINE void SharedTimer::stop_if_unused() {
    if (!waits_.empty() || !looks_) return;
    timer_.cancel();
    looks_.reset();
}

// Whatever is added later ends later than that, as a rule, and leaves the timer as it is.
PALETTE_KEYS_INLINE void SharedTimer::look_up_in_time(Time now) noexcept {
    auto const time = std::min(waits_.begin()->first, now + std::chrono::seconds{1});
    if (looks_ && *looks_ <= time) return;
    // Called where the timer rings, for which Asio needs no memory: to bring it to the executor itself, it
    // does, and where it finds none the look is lost, and with it every later one.
    auto const look = [weak = weak_from_this(), executor = executor_](boost::system::error_code ended_early) {
        if (ended_early) return;
        detail::insist([&] {
            boost::asio::post(executor, [weak] {
                if (auto const alive = weak.lock()) alive->look();
            });
        });
    };
    // To set the timer anew ends its wait for the time before. Without a new one, all who wait would do so
    // for good, and not only whoever has been added.
    detail::insist([&] {
        timer_.expires_at(time);
        timer_.async_wait(boost::asio::bind_executor(boost::asio::system_executor(), look));
    });
    looks_ = time;
}

// It may be set again by what it rings, or die.
PALETTE_KEYS_INLINE void SharedTimer::ring(Wait& wait) {
    wait.node = waits_.extract(wait.place);
    wait.is_set = false;
    std::exchange(wait.ring, nullptr)();
}

PALETTE_KEYS_INLINE void SharedTimer::look() {
    auto const now = std::chrono::steady_clock::now();
    if (looks_ && *looks_ > now) return;  // it was set anew after it had rung, or before
    looks_.reset();
    std::exception_ptr thrown;  // by a handler of the user's: the others are still rung
    while (!waits_.empty() && waits_.begin()->first <= now) {
        try {
            ring(*waits_.begin()->second);
        } catch (...) {
            thrown = std::current_exception();
        }
    }
    if (!waits_.empty()) look_up_in_time(now);
    if (thrown) std::rethrow_exception(thrown);
}

// What a given clock calls, as long as the alarm has it.
struct Alarm::Given {
    std::shared_ptr<void> waiting;
    std::function<void()> ring;
};

PALETTE_KEYS_INLINE Alarm::Alarm(std::shared_ptr<SharedTimer> timer, TimeSource time)
    : timer_(std::move(timer)),
      time_(std::move(time)) {}

PALETTE_KEYS_INLINE Alarm::~Alarm() {
    cancel();
}

PALETTE_KEYS_INLINE void Alarm::set(std::chrono::milliseconds duration, std::function<void()> ring) {
    if (auto const& clock = time_.clock()) {
        auto given = std::make_shared<Given>();
        given->ring = std::move(ring);
        auto const ring_now = [weak = std::weak_ptr(given)] {
            if (auto const alive = weak.lock()) alive->ring();
        };
        given->waiting = clock->call_after(duration, [executor = timer_->executor(), ring_now] {
            detail::insist([&] { boost::asio::post(executor, ring_now); });
        });
        given_ = std::move(given);
        return;
    }
    timer_->set(wait_, duration, std::move(ring));
}

PALETTE_KEYS_INLINE void Alarm::cancel() {
    given_.reset();
    timer_->cancel(wait_);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::timing
