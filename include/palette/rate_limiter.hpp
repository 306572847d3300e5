// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI {

// The service's documented limit for each kind of path: what goes beyond is held back here.
struct RateLimitOptions {
    double per_second = 10;
    double burst = 50;

    // Nothing is held back.
    [[nodiscard]] static RateLimitOptions off() noexcept { return {0, 0}; }
    [[nodiscard]] bool is_off() const noexcept { return per_second == 0 && burst == 0; }
};

// Who may send when, so that the service's limit is not met: a bucket of tokens for every kind of path of
// every host. First come, first served. A client makes one for itself; the service counts by address, so
// clients of one machine do better to share one:
//
//     auto limiter = std::make_shared<palette::RateLimiter>();
//     first.limiter = limiter;
//     second.limiter = limiter;
//
// All of them have the same clock then: the machine's, or one that was given to each. A clock that is set
// back, or jumps, costs one burst too many at most: the limiter goes on from the new time.
//
// When the service refuses a request all the same, because somebody else spends the same limit, it slows
// down for everybody, to half at a time and a sixteenth at most, and comes back to its rate within ten
// seconds without a refusal.
//
// Threads: every function may be called from any thread.
class PALETTE_KEYS_DECL RateLimiter {
public:
    // Throws Exception (errc::invalid_argument) for a limit that lets nothing through, or is no number.
    explicit RateLimiter(RateLimitOptions limit = {});
    RateLimiter(const RateLimiter&) = delete;
    RateLimiter& operator=(const RateLimiter&) = delete;
    ~RateLimiter();

    // The rest is for those who send: the client, and whatever else of a program speaks to the service.
    //
    //     auto const ticket = limiter.ticket();
    //     for (auto wait = limiter.wait(bucket, ticket, now()); wait > 0ns; wait = limiter.wait(...))
    //         sleep(wait);  // and leave() when it does not want to go on
    //     send();           // and refused() when the answer is 429

    // A place in all queues, behind those that were given before.
    enum class Ticket : std::uint64_t {};
    [[nodiscard]] Ticket ticket() noexcept;

    // Zero: it is its turn, which it has taken. Otherwise when to ask again; it has its place until then.
    // `bucket` is what the service counts together: "palette.acme.com/v1/apiKeys".
    [[nodiscard]] std::chrono::nanoseconds wait(std::string_view bucket, Ticket ticket,
                                                std::chrono::nanoseconds now);
    void leave(std::string_view bucket, Ticket ticket);

    // The service answered with 429 to what was sent at `sent`; nothing is sent for `pause`, or for a minute
    // if that is less.
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
