// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/seams/handler_executor.hpp>
#include <palette/impl/seams/rate_limiter_state.hpp>
#include <palette/impl/values/error_of_exception.hpp>
#include <palette/impl/values/insist.hpp>
#include <palette/rate_limiter.hpp>

#include <boost/asio/any_completion_executor.hpp>
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/system_executor.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

// One async_acquire(): its place in the queue, which is left when this object goes, and the way to its
// handler. Under a mutex and not on an asio::strand, which never runs again once a post to it has found no
// memory.
class RateLimiter::Acquire : public std::enable_shared_from_this<Acquire> {
public:
    Acquire(std::shared_ptr<State> state, std::string bucket, const boost::asio::any_io_executor& executor,
            Handler handler)
        : state_(std::move(state)),
          bucket_(std::move(bucket)),
          ticket_(state_->ticket()),
          executor_(executor),
          timer_(executor),
          handler_(std::move(handler)),
          handlers_(boost::asio::get_associated_executor(handler_,
                                                         boost::asio::any_completion_executor(executor))) {}
    Acquire(const Acquire&) = delete;
    Acquire& operator=(const Acquire&) = delete;
    ~Acquire() {
        if (is_queued_) state_->leave(bucket_, ticket_);
    }

    void start() {
        auto slot = boost::asio::get_associated_cancellation_slot(handler_);
        // The signal may outlive the operation and the context, and is given nothing that keeps them alive.
        if (slot.is_connected())
            slot.assign([weak = weak_from_this()](boost::asio::cancellation_type type) {
                auto const alive = weak.lock();
                if (!alive || type == boost::asio::cancellation_type::none) return;
                alive->complete(detail::unless_out_of_memory(
                    [] { return Error(errc::operation_aborted, "it was cancelled"); }));
            });
        ask();
    }

private:
    using Lock = std::unique_lock<std::mutex>;

    void ask() noexcept {
        try {
            Lock lock(mutex_);
            if (result_) return;
            auto const now = state_->now();
            auto const wait =
                std::chrono::ceil<std::chrono::milliseconds>(state_->wait(bucket_, ticket_, now));
            is_queued_ = wait.count() > 0;
            // Nobody needs the name of the bucket again, so that the permit costs no memory.
            if (!is_queued_) return finish(lock, Permit(state_, std::move(bucket_), now));
            // Asked again before its time: those in front may have gone meanwhile.
            sleep(std::min<std::chrono::milliseconds>(wait, std::chrono::seconds{1}));
        } catch (...) {
            complete(detail::error_of_exception(errc::system, "the rate limiter's clock failed"));
        }
    }

    // The wait of the timer keeps this object alive, and lets it go with the context. It ends in place, on an
    // executor that needs no memory to get there. Under the lock, so that an alarm that rings at once does
    // not find the one before it; what rings takes no lock.
    void sleep(std::chrono::milliseconds wait) {
        if (auto const& clock = state_->clock()) {
            alarm_ = clock->call_after(wait, [weak = weak_from_this(), executor = executor_] {
                detail::insist([&] {
                    boost::asio::post(executor, [weak] {
                        if (auto const alive = weak.lock()) alive->ask();
                    });
                });
            });
            timer_.expires_at(boost::asio::steady_timer::time_point::max());
        } else {
            timer_.expires_after(wait);
        }
        timer_.async_wait(
            boost::asio::bind_executor(boost::asio::system_executor(),
                                       [self = shared_from_this()](boost::system::error_code ended_early) {
                                           if (!ended_early) self->ask();
                                       }));
    }

    void complete(Result<Permit> result) noexcept {
        Lock lock(mutex_);
        finish(lock, std::move(result));
    }

    // What comes after the first result is dropped.
    void finish(Lock& lock, Result<Permit> result) noexcept {
        if (result_) return;
        result_.emplace(std::move(result));
        if (std::exchange(is_queued_, false)) state_->leave(bucket_, ticket_);
        timer_.cancel();
        auto const alarm = std::move(alarm_);
        lock.unlock();
        detail::insist(
            [&] { boost::asio::post(executor_, [self = shared_from_this()] { self->deliver(); }); });
    }

    void deliver() {
        handlers_.dispatch(
            [self = shared_from_this()] {
                auto const work = self->handlers_.take();
                auto handler = std::move(self->handler_);
                std::move(handler)(std::move(*self->result_));
            },
            [this] { return static_cast<bool>(handler_); });
    }

    std::shared_ptr<State> state_;
    std::string bucket_;
    Ticket ticket_;
    boost::asio::any_io_executor executor_;
    std::mutex mutex_;  // of the next four
    bool is_queued_ = false;
    boost::asio::steady_timer timer_;
    std::shared_ptr<void> alarm_;  // of a given clock
    std::optional<Result<Permit>> result_;
    Handler handler_;
    detail::HandlerExecutor handlers_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI
