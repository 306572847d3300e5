// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/clock.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>

namespace palette::inline PALETTE_KEYS_ABI::timing {

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

// Calls a function after a time, on an executor, unless it is told otherwise meanwhile.
class Alarm {
public:
    Alarm(boost::asio::any_io_executor executor, TimeSource time);
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;
    ~Alarm();

    // Instead of what was set before.
    void set(std::chrono::milliseconds duration, std::function<void()> ring);
    void cancel();

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::timing

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/time/sleep.ipp>
#endif
