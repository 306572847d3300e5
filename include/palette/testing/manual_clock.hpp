// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/clock.hpp>
#include <palette/detail/instant.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::testing {

/// Stands still until a test moves it.
///
///     auto clock = std::make_shared<palette::testing::ManualClock>();
///     palette::testing::Emulator emulator({.clock = clock});
///     clock->advance(std::chrono::days{31});   // every key of thirty days has expired
///
/// The thread that moves the clock calls what waits on it, in the order of the times waited for, each while
/// now() is that very time. Work that such a call starts on another thread runs there, a little later.
///
/// Threads: every function may be called from any thread.
class ManualClock final : public Clock {
public:
    /// Constructs a clock that shows the machine's time.
    ManualClock() : ManualClock(std::chrono::system_clock::now()) {}

    /// Constructs a clock that shows the time `start`.
    template <class Duration>
    explicit ManualClock(std::chrono::sys_time<Duration> start) : now_(detail::to_instant(start)) {}

    /// Returns the time that the clock shows.
    [[nodiscard]] Instant now() const noexcept override {
        std::lock_guard const lock(mutex_);
        return now_;
    }

    /// Moves the clock by `duration`.
    template <class Rep, class Period>
    void advance(std::chrono::duration<Rep, Period> duration) {
        set(now() + detail::saturated_milliseconds(duration));
    }

    /// Moves the clock to `time`, forwards or backwards. After a move backwards, the waits under way end when
    /// the clock has come to their time again.
    template <class Duration>
    void set(std::chrono::sys_time<Duration> time) {
        auto const target = detail::to_instant(time);
        while (auto const alarm = due(target))
            alarm->ring();
    }

    /// Moves the clock to the next time that is waited for. Returns false if nothing waits.
    bool advance_to_next() {
        auto const next = next_wait();
        if (next) set(std::max(*next, now()));
        return next.has_value();
    }

    /// Returns the next time that is waited for; nothing if nothing waits.
    [[nodiscard]] std::optional<Instant> next_wait() const {
        std::lock_guard const lock(mutex_);
        std::optional<Instant> next;
        for (auto const& waiting : alarms_)
            if (auto const alarm = waiting.lock(); alarm && (!next || alarm->time() < *next))
                next = alarm->time();
        return next;
    }
    /// Returns how many waits are under way.
    [[nodiscard]] std::size_t waiting() const {
        std::lock_guard const lock(mutex_);
        return static_cast<std::size_t>(
            std::ranges::count_if(alarms_, [](auto const& alarm) { return !alarm.expired(); }));
    }

    /// Calls `ring` when the clock has been moved by `delay`; see Clock::call_after().
    [[nodiscard]] std::shared_ptr<void> call_after(std::chrono::milliseconds delay,
                                                   std::function<void()> ring) override {
        std::lock_guard const lock(mutex_);
        auto const time = now_ + detail::saturated_milliseconds(delay);
        auto const alarm = std::make_shared<Alarm>(time, std::move(ring));
        std::erase_if(alarms_, [](auto const& a) { return a.expired(); });
        alarms_.push_back(alarm);
        return std::make_shared<Held>(alarm);
    }

private:
    class Alarm {
    public:
        Alarm(Instant time, std::function<void()> ring) : time_(time), ring_(std::move(ring)) {}

        [[nodiscard]] Instant time() const noexcept { return time_; }

        void ring() {
            std::lock_guard const lock(mutex_);
            if (ring_) std::exchange(ring_, nullptr)();
        }

        // Waits for a call that is under way.
        void drop() {
            std::lock_guard const lock(mutex_);
            ring_ = nullptr;
        }

    private:
        Instant time_;
        std::mutex mutex_;
        std::function<void()> ring_;
    };

    // What the waiter holds: the alarm goes with it, even while another thread is about to ring.
    struct Held {
        explicit Held(std::shared_ptr<Alarm> a) : alarm(std::move(a)) {}
        Held(const Held&) = delete;
        Held& operator=(const Held&) = delete;
        ~Held() { alarm->drop(); }
        std::shared_ptr<Alarm> alarm;
    };

    // Takes out the first alarm due by `target` and moves to its time; none is left: moves to `target`.
    std::shared_ptr<Alarm> due(Instant target) {
        std::lock_guard const lock(mutex_);
        std::shared_ptr<Alarm> first;
        for (auto const& waiting : alarms_)
            if (auto const alarm = waiting.lock();
                alarm && alarm->time() <= target && (!first || alarm->time() < first->time()))
                first = alarm;
        now_ = first ? std::max(now_, first->time()) : target;
        std::erase_if(alarms_, [&](auto const& a) { return a.expired() || a.lock() == first; });
        return first;
    }

    mutable std::mutex mutex_;
    Instant now_;
    std::vector<std::weak_ptr<Alarm>> alarms_;  // in the order they were set
};

}  // namespace palette::inline PALETTE_KEYS_ABI::testing
