// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/http/pause.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

PALETTE_KEYS_INLINE boost::asio::awaitable<void> pause(std::shared_ptr<Clock> clock,
                                                       std::chrono::milliseconds time) {
    namespace asio = boost::asio;
    if (time.count() <= 0) co_return;
    auto const executor = co_await asio::this_coro::executor;
    // Shared with the function that is posted below, which may still be queued when this coroutine ends.
    auto const timer = std::make_shared<asio::steady_timer>(executor);
    std::shared_ptr<void> alarm;
    if (clock) {
        timer->expires_at(asio::steady_timer::time_point::max());
        // The alarm rings on any thread, and perhaps before the wait has begun: the post brings the cancel()
        // to the thread of the timer, and behind the wait.
        alarm = clock->call_after(time, [=] { asio::post(executor, [=] { timer->cancel(); }); });
    } else {
        timer->expires_after(time);
    }
    co_await timer->async_wait(asio::as_tuple(asio::use_awaitable));
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation
