// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/client/delivery.hpp>
#include <palette/impl/client/serial.hpp>
#include <palette/impl/pipeline/call.hpp>
#include <palette/impl/values/insist.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <atomic>
#include <exception>
#include <memory>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

// A call that has been started, whatever it completes with.
class StartedCall : public std::enable_shared_from_this<StartedCall> {
public:
    // Its call is made of `args`.
    template <class... Args>
    explicit StartedCall(const asio::any_io_executor& strand, Args&&... args)
        : call(std::forward<Args>(args)...),
          strand_(strand) {}

    // A cancellation of the user's goes to the call. The slot holds nothing that keeps anything alive: its
    // signal may outlive the operation, and the context.
    void bridge_cancellation(asio::cancellation_slot slot) {
        if (!slot.is_connected()) return;
        slot.assign([weak = weak_from_this()](asio::cancellation_type type) {
            auto const alive = weak.lock();
            if (!alive) return;
            detail::insist([&] {
                asio::post(alive->strand_, [weak, type] {
                    if (auto const still_alive = weak.lock()) still_alive->call.cancel(type);
                });
            });
        });
    }

    // Runs the operation's coroutine on the strand. The signal that the call's slot belongs to outlives the
    // coroutine's frame: the handler here holds it. Not a template: Asio's part of it is compiled once, and
    // not for every operation.
    void spawn(asio::awaitable<void> operation) {
        Serial::Starting const starting;
        asio::co_spawn(strand_, std::move(operation),
                       asio::bind_cancellation_slot(
                           call.slot(), [self = shared_from_this()](const std::exception_ptr&) {}));
        has_returned_ = true;
    }

    // Whether the function that started it has returned, or has nothing left to do.
    [[nodiscard]] bool has_returned() const noexcept { return has_returned_; }

    pipeline::Call call;

private:
    asio::any_io_executor strand_;
    std::atomic<bool> has_returned_ = false;
};

// The same, with the way to its handler.
template <class T>
class Started final : public StartedCall {
public:
    template <class... Args>
    Started(const asio::any_io_executor& strand, std::shared_ptr<Delivery<T>> to, Args&&... args)
        : StartedCall(strand, std::forward<Args>(args)...),
          delivery(std::move(to)) {}

    std::shared_ptr<Delivery<T>> delivery;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
