// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/pipeline/call.hpp>
#include <palette/impl/pipeline/rate_limit_place.hpp>
#include <palette/impl/time/sleep.hpp>

#include <boost/asio/awaitable.hpp>

#include <string>

namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline {

/// The turn of a call's next request in the queue of the rate limit. The call has one place there, from the
/// first question until this object is destroyed.
class Turn {
public:
    Turn(RateLimiter& limiter, const std::string& bucket, const timing::TimeSource& time, Call& call)
        : place_(limiter, bucket, call.ticket(limiter)),
          time_(time),
          call_(call) {}

    /// True: the turn has come. False: not yet. An error: it does not come before the call's time is over.
    Result<bool> take() {
        auto const wait = place_.wait(time_.steady());
        if (wait.count() == 0) return true;
        call_.wait_in_queue(Call::Queue::rate_limit);
        call_.set_waits_for("the rate limiter");
        if (wait <= call_.time_left()) return false;
        return Error(errc::timeout, "the rate limit lets it through in " + std::to_string(wait.count()) +
                                        " ms only, and that is later than it may wait")
            .attempts(call_.attempts());
    }

    /// After a take() that gave false: queues until the turn comes; false if the call is stopped before.
    boost::asio::awaitable<Result<bool>> wait() {
        for (;;) {
            auto const has_come = co_await timing::sleep(time_, place_.time_to_next_question());
            if (!has_come || call_.is_stopped()) co_return false;
            auto taken = take();
            if (!taken || *taken) co_return taken;
        }
    }

private:
    RateLimitPlace place_;
    const timing::TimeSource& time_;
    Call& call_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline
