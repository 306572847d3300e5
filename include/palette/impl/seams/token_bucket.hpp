// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/seams/ticket_queue.hpp>
#include <palette/rate_limiter.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>

namespace palette::inline PALETTE_KEYS_ABI::detail {

// One bucket of a limiter, and the queue before it. Pure: it is told the time, and goes on when that is set
// back or jumps.
class TokenBucket {
public:
    using Nanoseconds = std::chrono::nanoseconds;
    using Ticket = RateLimiter::Ticket;

    TokenBucket(RateLimitOptions limit, Nanoseconds now) noexcept
        : limit_(limit),
          tokens_(most()),
          rate_(limit.per_second),
          filled_(now) {}

    Nanoseconds wait(Ticket ticket, Nanoseconds now) {
        follow(now);
        fill(now);
        drop_silent(now);
        auto const lacking = static_cast<double>(queue_.count_before(ticket) + 1) - tokens_;
        // Not `<= 0`: rounding may leave a token short by a hair after the very wait that was asked for.
        if (lacking < tiny) {
            queue_.erase(ticket);
            tokens_ -= 1;
            return Nanoseconds::zero();
        }
        // Tokens begin to come in when the pause ends: the two waits add up.
        auto const pause = paused_until_ > now ? paused_until_ - now : Nanoseconds::zero();
        auto const wait = pause + time_for(lacking);
        if (auto* const waiting = queue_.find(ticket))
            waiting->asks = now + wait;
        else
            queue_.insert({ticket, now + wait});
        return wait;
    }

    void leave(Ticket ticket) noexcept { queue_.erase(ticket); }

    [[nodiscard]] std::size_t waiting() const noexcept { return queue_.size(); }

    // What was sent before it slowed down says nothing about the rate of now.
    // However long a pause it asks for, one answer does not stop everybody for longer than a minute.
    void refused(Nanoseconds sent, Nanoseconds now, Nanoseconds pause) noexcept {
        follow(now);
        fill(now);
        // The service has just said that its bucket is empty, whatever this one counted.
        tokens_ = std::min(tokens_, 0.0);
        paused_until_ = std::max(paused_until_, now + std::min<Nanoseconds>(pause, longest_pause));
        if (sent < slowed_) return;
        slowed_ = now;
        rate_ = std::max(rate_ / 2, limit_.per_second / 16);
    }

private:
    using Seconds = std::chrono::duration<double>;

    static constexpr double tiny = 1e-9;
    static constexpr double recovery_seconds = 10;
    static constexpr std::chrono::minutes longest_pause{1};
    static constexpr std::chrono::minutes longest_silence{1};
    static constexpr std::chrono::hours longest_wait{24 * 365};  // of a rate that is next to nothing
    static constexpr std::chrono::seconds out_of_order{1};       // between threads that read the time

    // Those of an event loop that does not run any more would hold up all others. Who asks again has its
    // old place.
    void drop_silent(Nanoseconds now) noexcept {
        while (!queue_.empty() && queue_.front().asks < now - longest_silence)
            queue_.erase(queue_.front().ticket);
    }

    // When the time was set back, all that was noted down goes back with it: nobody waits until it has come
    // to where it was. A jump ahead fills the bucket, and no more.
    void follow(Nanoseconds now) noexcept {
        if (now >= filled_ - out_of_order) return;
        auto const back = filled_ - now;
        filled_ = now;
        for (auto* const noted : {&paused_until_, &slowed_})
            if (*noted != Nanoseconds::min()) *noted -= back;
        queue_.for_each([back](auto& waiting) { waiting.asks -= back; });
    }

    // A tenth of the burst is never used up: the service counts when a request arrives, and what has to
    // connect first arrives later than what follows it.
    [[nodiscard]] double most() const noexcept { return std::max(1.0, limit_.burst * 0.9); }

    // Tokens a second, gained each second.
    [[nodiscard]] double recovery() const noexcept { return limit_.per_second / recovery_seconds; }
    [[nodiscard]] double seconds_to_full_rate() const noexcept {
        return std::max(0.0, limit_.per_second - rate_) / recovery();
    }

    void fill(Nanoseconds now) noexcept {
        // Nothing comes in during a pause, or a burst would follow it.
        auto const from = std::max(filled_, std::min(paused_until_, now));
        if (now <= from) {
            filled_ = std::max(filled_, now);
            return;
        }
        auto const passed = Seconds(now - from).count();
        auto const slow = std::min(passed, seconds_to_full_rate());
        tokens_ += slow * (rate_ + recovery() * slow / 2) + (passed - slow) * limit_.per_second;
        tokens_ = std::min(tokens_, most());
        rate_ = std::min(limit_.per_second, rate_ + recovery() * slow);
        filled_ = now;
    }

    // Until so many more have come in.
    [[nodiscard]] Nanoseconds time_for(double tokens) const noexcept {
        auto const slow = seconds_to_full_rate();
        auto const until_full = slow * (rate_ + limit_.per_second) / 2;
        auto const seconds = tokens >= until_full
                                 ? slow + (tokens - until_full) / limit_.per_second
                                 // The root of the quadratic equation of fill(), in the form that neither
                                 // divides by zero nor subtracts numbers of nearly the same size.
                                 : 2 * tokens / (rate_ + std::sqrt(rate_ * rate_ + 2 * recovery() * tokens));
        // Written so that what is no number is bounded as well. Zero would be its turn.
        return Seconds(seconds) < longest_wait
                   ? std::max(std::chrono::ceil<Nanoseconds>(Seconds(seconds)), Nanoseconds(1))
                   : Nanoseconds(longest_wait);
    }

    RateLimitOptions limit_;
    double tokens_;
    double rate_;
    Nanoseconds filled_;
    Nanoseconds paused_until_ = Nanoseconds::min();
    Nanoseconds slowed_ = Nanoseconds::min();
    TicketQueue queue_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
