// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/clock.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::timing {

// The two kinds of time, of a given clock or the machine's.
class TimeSource {
public:
    explicit TimeSource(std::shared_ptr<Clock> clock = nullptr) noexcept : clock_(std::move(clock)) {}

    // Of day, UTC.
    [[nodiscard]] Instant now() const noexcept;

    // Never set back. A given clock has only the one time.
    [[nodiscard]] std::chrono::nanoseconds steady() const noexcept;

    [[nodiscard]] const std::shared_ptr<Clock>& clock() const noexcept { return clock_; }

private:
    std::shared_ptr<Clock> clock_;
};

// No wait is longer, and no sum with it overflows.
inline std::chrono::milliseconds bounded(std::chrono::milliseconds time) noexcept {
    constexpr std::chrono::milliseconds most = std::chrono::hours{24} * 36'500;
    return std::clamp(time, -most, most);
}

// Waits; false if it was cancelled.
boost::asio::awaitable<bool> sleep(TimeSource time, std::chrono::milliseconds duration);

// Many waits on one timer of Asio's, which is dear to set and to cancel, and nearly all waits end early: it
// looks up once a second rather than being set anew for each of them. On one strand. It does not run while
// nothing waits.
//
// Memory: each wait has its place before it is set, so that set() does not fail, and a wait that was set
// rings. What a wait rings must not need memory, or insist on it: nobody rings a second time.
class SharedTimer : public std::enable_shared_from_this<SharedTimer> {
public:
    explicit SharedTimer(boost::asio::any_io_executor executor);
    SharedTimer(const SharedTimer&) = delete;
    SharedTimer& operator=(const SharedTimer&) = delete;
    ~SharedTimer() = default;

    using Time = std::chrono::steady_clock::time_point;
    struct Wait;
    using Waits = std::multimap<Time, Wait*>;
    struct Wait {
        bool is_set = false;
        Waits::iterator place{};
        Waits::node_type node = new_node();  // while it is not set
        std::function<void()> ring{};
    };

    void set(Wait& wait, std::chrono::milliseconds duration, std::function<void()> ring) noexcept;
    void cancel(Wait& wait);

    // `later`: called when nothing waits any more. Where it returns true, stop_if_unused() will be called in
    // a moment, and the timer runs on until then.
    void on_unused(std::function<bool()> later) { stops_later_ = std::move(later); }
    void stop_if_unused();

    [[nodiscard]] const boost::asio::any_io_executor& executor() const noexcept { return executor_; }

private:
    static Waits::node_type new_node();
    void look_up_in_time(Time now) noexcept;
    void look();
    void ring(Wait& wait);

    boost::asio::any_io_executor executor_;
    boost::asio::steady_timer timer_;
    Waits waits_;
    std::optional<Time> looks_;  // when it does so next
    std::function<bool()> stops_later_;
};

// Calls a function after a time, on an executor, unless it is told otherwise meanwhile.
class Alarm {
public:
    Alarm(std::shared_ptr<SharedTimer> timer, TimeSource time);
    // With a timer of its own: for what is rare.
    Alarm(boost::asio::any_io_executor executor, TimeSource time)
        : Alarm(std::make_shared<SharedTimer>(std::move(executor)), std::move(time)) {}
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;
    ~Alarm();

    // Instead of what was set before. Throws only where a clock was given that does; then that is still set.
    void set(std::chrono::milliseconds duration, std::function<void()> ring);
    void cancel();

private:
    struct Given;
    std::shared_ptr<SharedTimer> timer_;
    TimeSource time_;
    SharedTimer::Wait wait_;
    std::shared_ptr<Given> given_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::timing

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/time/sleep.ipp>
#endif
