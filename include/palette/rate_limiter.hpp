// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI {

/// Sets the rate of requests for each kind of path, by default the service's documented limit. Requests
/// beyond it wait in the client.
struct RateLimitOptions {
    /// Sets the sustained rate, in requests per second. Default: 10.
    double per_second = 10;
    /// Sets how many requests may be sent at once after a pause. Default: 50.
    double burst = 50;

    /// Returns options without a limit.
    [[nodiscard]] static RateLimitOptions off() noexcept { return {0, 0}; }
    /// Returns whether there is no limit.
    [[nodiscard]] bool is_off() const noexcept { return per_second == 0 && burst == 0; }
};

/// Limits the rate of requests, first come, first served, with a token bucket for every kind of path of every
/// host.
///
/// Each client makes a limiter for itself. The service counts by address, so the clients of one machine share
/// one:
///
///     auto limiter = std::make_shared<palette::RateLimiter>();
///     first.limiter = limiter;
///     second.limiter = limiter;
///
/// Clients that share a limiter have the same clock: the machine's, or one that was given to each. A clock
/// that is set back, or jumps, costs one burst too many at most: the limiter goes on from the new time.
///
/// When the service answers 429 all the same, because another program spends the same limit, the limiter
/// halves its rate for everybody, down to a sixteenth at most, and returns to the full rate within ten
/// seconds without a 429.
///
/// Threads: every function may be called from any thread.
class PALETTE_KEYS_DECL RateLimiter {
public:
    /// Constructs a limiter. Throws Exception (errc::invalid_argument) if the limit lets nothing through or
    /// is not a finite number.
    explicit RateLimiter(RateLimitOptions limit = {});
    RateLimiter(const RateLimiter&) = delete;
    RateLimiter& operator=(const RateLimiter&) = delete;
    ~RateLimiter();

    // The functions below are for senders: the client, and other parts of a program that call the service.

    /// Identifies a place in all queues, behind the places given before.
    enum class Ticket : std::uint64_t {};
    /// Returns a new place.
    [[nodiscard]] Ticket ticket() noexcept;

    /// Takes a turn, or returns how long to wait before asking again. Zero means that the turn has come and
    /// was taken; otherwise the ticket keeps its place while it waits. `bucket` names the requests that the
    /// service counts together: "palette.acme.com/v1/apiKeys". `now` is the time of a steady clock.
    ///
    ///     auto const ticket = limiter.ticket();
    ///     for (auto wait = limiter.wait(bucket, ticket, now()); wait > 0ns;
    ///          wait = limiter.wait(bucket, ticket, now()))
    ///         sleep(wait);  // and leave() to give up
    ///     send();           // and refused() when the answer is 429
    [[nodiscard]] std::chrono::nanoseconds wait(std::string_view bucket, Ticket ticket,
                                                std::chrono::nanoseconds now);
    /// Gives up the place of a ticket that waits in the queue of this bucket.
    void leave(std::string_view bucket, Ticket ticket);

    /// Reports that the service answered 429 to a request sent at the time `sent`. Nothing of this bucket is
    /// sent for `pause`, or for one minute if that is less.
    void refused(std::string_view bucket, std::chrono::nanoseconds sent, std::chrono::nanoseconds now,
                 std::chrono::nanoseconds pause = {});

private:
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/seams/rate_limiter.ipp>
#endif
