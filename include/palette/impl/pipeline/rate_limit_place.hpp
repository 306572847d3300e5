// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/rate_limiter.hpp>

#include <chrono>
#include <string>

namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline {

/// A place in a queue of the rate limit, which is left when this object is destroyed.
class RateLimitPlace {
public:
    RateLimitPlace(RateLimiter& limiter, const std::string& bucket, RateLimiter::Ticket ticket) noexcept
        : limiter_(limiter),
          bucket_(bucket),
          ticket_(ticket) {}
    RateLimitPlace(const RateLimitPlace&) = delete;
    RateLimitPlace& operator=(const RateLimitPlace&) = delete;
    ~RateLimitPlace() {
        if (wait_.count() > 0) limiter_.leave(bucket_, ticket_);
    }

    /// Returns the time after which to ask again; zero: it is its turn, which it has taken.
    [[nodiscard]] std::chrono::milliseconds wait(std::chrono::nanoseconds now) {
        wait_ = std::chrono::ceil<std::chrono::milliseconds>(limiter_.wait(bucket_, ticket_, now));
        return wait_;
    }
    /// Returns the same as the last wait().
    [[nodiscard]] std::chrono::milliseconds time_to_next_question() const noexcept { return wait_; }

private:
    RateLimiter& limiter_;
    const std::string& bucket_;
    RateLimiter::Ticket ticket_;
    std::chrono::milliseconds wait_{};
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline
