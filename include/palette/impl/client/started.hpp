// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/client/delivery.hpp>
#include <palette/impl/insist.hpp>
#include <palette/impl/pipeline/call.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/post.hpp>

#include <memory>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::client {

// An operation that has been started: its call, and the way to its handler.
template <class T>
class Started : public std::enable_shared_from_this<Started<T>> {
public:
    // Its call is made of `args`.
    template <class... Args>
    Started(const asio::any_io_executor& strand, std::shared_ptr<Delivery<T>> to, Args&&... args)
        : call(std::forward<Args>(args)...),
          delivery(std::move(to)),
          strand_(strand) {}

    // A cancellation of the user's goes to the call. The slot holds nothing that keeps anything alive: its
    // signal may outlive the operation, and the context.
    void bridge_cancellation() {
        auto slot = asio::get_associated_cancellation_slot(delivery->handler());
        if (!slot.is_connected()) return;
        slot.assign([weak = this->weak_from_this()](asio::cancellation_type type) {
            auto const alive = weak.lock();
            if (!alive) return;
            detail::insist([&] {
                asio::post(alive->strand_, [weak, type] {
                    if (auto const still_alive = weak.lock()) still_alive->call.cancel(type);
                });
            });
        });
    }

    pipeline::Call call;
    std::shared_ptr<Delivery<T>> delivery;

private:
    asio::any_io_executor strand_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::client
