// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/instant.hpp>

#include <chrono>
#include <functional>
#include <memory>

namespace palette::inline PALETTE_KEYS_ABI {

/// Gives the time to programs that must not wait for real time: their tests. A client or emulator that is
/// given no clock uses the machine's own. testing::ManualClock is a clock that tests move.
///
/// Threads: every function may be called from any thread.
class Clock {
public:
    Clock() = default;
    Clock(const Clock&) = delete;
    Clock& operator=(const Clock&) = delete;
    virtual ~Clock() = default;

    /// Returns the time of day, UTC.
    ///
    /// Requirements: now() neither jumps nor goes back, and advances as the delays of call_after() pass. A
    /// client that is given a Clock measures all of its timeouts, backoffs and rate limits with now(), and
    /// the expiries of credentials too. If now() jumps all the same, deadlines and waits end too early or too
    /// late by as much; only the rate limiter recovers (RateLimiter).
    ///
    /// A client that is given no Clock does not depend on the wall clock for any of these waits: it measures
    /// them with std::chrono::steady_clock, and reads std::chrono::system_clock for times of day alone.
    [[nodiscard]] virtual Instant now() const noexcept = 0;

    /// Calls `ring` once, when `delay` has passed, from any thread, but not before call_after() has returned.
    ///
    /// Destroying the returned object cancels the call: afterwards the call neither happens nor is under way.
    /// `ring` is short: it posts to an executor, and does not touch the clock.
    [[nodiscard]] virtual std::shared_ptr<void> call_after(std::chrono::milliseconds delay,
                                                           std::function<void()> ring) = 0;
};

}  // namespace palette::inline PALETTE_KEYS_ABI
