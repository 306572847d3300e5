// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/seams/token_bucket.hpp>
#include <palette/impl/time/sleep.hpp>
#include <palette/rate_limiter.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

// What a limiter, its permits and its operations share. Of any thread.
class RateLimiter::State {
public:
    State(RateLimitOptions limit, std::shared_ptr<Clock> clock) noexcept
        : limit_(limit),
          time_(std::move(clock)) {}

    [[nodiscard]] const std::shared_ptr<Clock>& clock() const noexcept { return time_.clock(); }
    [[nodiscard]] std::chrono::nanoseconds now() const noexcept { return time_.steady(); }

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

    std::chrono::nanoseconds wait(std::string_view name, Ticket ticket, std::chrono::nanoseconds now) {
        if (is_off()) return {};
        return with(name, now, [&](auto& tokens) { return tokens.wait(ticket, now); });
    }

    void refused(std::string_view name, std::chrono::nanoseconds sent, std::chrono::nanoseconds now,
                 std::chrono::nanoseconds pause) {
        if (is_off()) return;
        with(name, now, [&](auto& tokens) { tokens.refused(sent, now, pause); });
    }

    void leave(std::string_view name, Ticket ticket) {
        if (is_off()) return;
        std::lock_guard const lock(mutex_);
        // Not with(): to leave must not allocate, since destructors do it.
        if (auto const found = buckets_.find(name); found != buckets_.end()) found->second.leave(ticket);
    }

private:
    RateLimitOptions limit_;
    impl::timing::TimeSource time_;
    std::atomic<std::uint64_t> last_ticket_ = 0;
    std::mutex mutex_;
    std::map<std::string, detail::TokenBucket, std::less<>> buckets_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI
