// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/seams/token_bucket.hpp>
#include <palette/rate_limiter.hpp>
#include <palette/result.hpp>

#include <atomic>
#include <cmath>
#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace palette::inline PALETTE_KEYS_ABI {

class RateLimiter::State {
public:
    explicit State(RateLimitOptions limit) noexcept : limit_(limit) {}

    [[nodiscard]] bool is_off() const noexcept { return limit_.is_off(); }
    Ticket ticket() noexcept { return Ticket{++last_ticket_}; }

    // `use` is called with the bucket of that name.
    template <class Use>
    auto with(std::string_view name, std::chrono::nanoseconds now, Use use) {
        std::lock_guard const lock(mutex_);
        auto found = buckets_.find(name);
        if (found == buckets_.end())
            found = buckets_.emplace(std::string(name), detail::TokenBucket(limit_, now)).first;
        return use(found->second);
    }

    void leave(std::string_view name, Ticket ticket) {
        std::lock_guard const lock(mutex_);
        if (auto const found = buckets_.find(name); found != buckets_.end()) found->second.leave(ticket);
    }

private:
    RateLimitOptions limit_;
    std::atomic<std::uint64_t> last_ticket_ = 0;
    std::mutex mutex_;
    std::map<std::string, detail::TokenBucket, std::less<>> buckets_;
};

PALETTE_KEYS_INLINE RateLimiter::RateLimiter(RateLimitOptions limit)
    : state_(std::make_unique<State>(limit)) {
    bool const is_limit = limit.per_second > 0 && limit.burst >= 1 && std::isfinite(limit.per_second) &&
                          std::isfinite(limit.burst);
    if (!limit.is_off() && !is_limit)
        throw Exception(
            Error(errc::invalid_argument, "a rate limit lets at least one through").path("rate_limit"));
}

PALETTE_KEYS_INLINE RateLimiter::~RateLimiter() = default;

PALETTE_KEYS_INLINE RateLimiter::Ticket RateLimiter::ticket() noexcept {
    return state_->ticket();
}

PALETTE_KEYS_INLINE std::chrono::nanoseconds RateLimiter::wait(std::string_view bucket, Ticket ticket,
                                                               std::chrono::nanoseconds now) {
    if (state_->is_off()) return {};
    return state_->with(bucket, now, [&](auto& tokens) { return tokens.wait(ticket, now); });
}

PALETTE_KEYS_INLINE void RateLimiter::leave(std::string_view bucket, Ticket ticket) {
    if (state_->is_off()) return;
    state_->leave(bucket, ticket);
}

PALETTE_KEYS_INLINE void RateLimiter::refused(std::string_view bucket, std::chrono::nanoseconds sent,
                                              std::chrono::nanoseconds now, std::chrono::nanoseconds pause) {
    if (state_->is_off()) return;
    state_->with(bucket, now, [&](auto& tokens) { tokens.refused(sent, now, pause); });
}

}  // namespace palette::inline PALETTE_KEYS_ABI
