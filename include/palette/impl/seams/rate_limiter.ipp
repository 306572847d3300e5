// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/seams/acquire.hpp>
#include <palette/impl/seams/bucket_name.hpp>
#include <palette/impl/seams/rate_limiter_state.hpp>
#include <palette/rate_limiter.hpp>

#include <cmath>
#include <memory>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

PALETTE_KEYS_INLINE RateLimiter::RateLimiter(RateLimitOptions limit, std::shared_ptr<Clock> clock)
    : state_(std::make_shared<State>(limit, std::move(clock))) {
    // A limit that lets nothing through, or is no number, would let every operation wait for its deadline.
    bool const is_limit = limit.per_second > 0 && limit.burst >= 1 && std::isfinite(limit.per_second) &&
                          std::isfinite(limit.burst);
    if (!limit.is_off() && !is_limit)
        throw Exception(
            Error(errc::invalid_argument, "a rate limit lets at least one through").path("rate_limit"));
}

PALETTE_KEYS_INLINE RateLimiter::~RateLimiter() = default;

PALETTE_KEYS_INLINE const std::shared_ptr<Clock>& RateLimiter::clock() const& noexcept {
    return state_->clock();
}

PALETTE_KEYS_INLINE RateLimiter::Permit::Permit(std::shared_ptr<State> state, std::string bucket,
                                                std::chrono::nanoseconds turn) noexcept
    : state_(std::move(state)),
      bucket_(std::move(bucket)),
      turn_(turn) {}

PALETTE_KEYS_INLINE void RateLimiter::Permit::refused(std::chrono::nanoseconds retry_after) {
    state_->refused(bucket_, turn_, state_->now(), retry_after);
}

PALETTE_KEYS_INLINE std::string RateLimiter::bucket_of(const Endpoint& endpoint, std::string_view target) {
    return detail::bucket_name(endpoint.authority(), target);
}

PALETTE_KEYS_INLINE void RateLimiter::start(std::shared_ptr<State> state, std::string bucket,
                                            const boost::asio::any_io_executor& executor, Handler handler) {
    // Its timer or its post keeps it alive from here on.
    std::make_shared<Acquire>(std::move(state), std::move(bucket), executor, std::move(handler))->start();
}

PALETTE_KEYS_INLINE RateLimiter::Ticket RateLimiter::ticket() noexcept {
    return state_->ticket();
}

PALETTE_KEYS_INLINE std::chrono::nanoseconds RateLimiter::wait(std::string_view bucket, Ticket ticket,
                                                               std::chrono::nanoseconds now) {
    return state_->wait(bucket, ticket, now);
}

PALETTE_KEYS_INLINE void RateLimiter::leave(std::string_view bucket, Ticket ticket) {
    state_->leave(bucket, ticket);
}

PALETTE_KEYS_INLINE void RateLimiter::refused(std::string_view bucket, std::chrono::nanoseconds sent,
                                              std::chrono::nanoseconds now, std::chrono::nanoseconds pause) {
    state_->refused(bucket, sent, now, pause);
}

}  // namespace palette::inline PALETTE_KEYS_ABI
