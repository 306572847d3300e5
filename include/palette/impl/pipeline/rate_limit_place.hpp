// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/pipeline/call.hpp>
#include <palette/rate_limiter.hpp>

#include <chrono>
#include <string>

namespace palette::inline PALETTE_KEYS_ABI::pipeline {

// A call's place in a queue of the rate limit; whoever goes, leaves it.
class RateLimitPlace {
public:
    RateLimitPlace(RateLimiter& limiter, const std::string& bucket, Call& call)
        : limiter_(limiter),
          bucket_(bucket),
          ticket_(call.ticket(limiter)) {}
    // Of a request that no call makes.
    RateLimitPlace(RateLimiter& limiter, const std::string& bucket, RateLimiter::Ticket ticket) noexcept
        : limiter_(limiter),
          bucket_(bucket),
          ticket_(ticket) {}
    RateLimitPlace(const RateLimitPlace&) = delete;
    RateLimitPlace& operator=(const RateLimitPlace&) = delete;
    ~RateLimitPlace() {
        if (queues_) limiter_.leave(bucket_, ticket_);
    }

    // Until it is to ask again; zero: it is its turn now.
    [[nodiscard]] std::chrono::milliseconds wait(std::chrono::nanoseconds now) {
        auto const time = limiter_.wait(bucket_, ticket_, now);
        queues_ = time.count() > 0;
        return std::chrono::ceil<std::chrono::milliseconds>(time);
    }

private:
    RateLimiter& limiter_;
    const std::string& bucket_;
    RateLimiter::Ticket ticket_;
    bool queues_ = false;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::pipeline
