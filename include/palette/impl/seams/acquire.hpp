// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/seams/rate_limiter_state.hpp>
#include <palette/impl/time/sleep.hpp>
#include <palette/impl/values/insist.hpp>
#include <palette/rate_limiter.hpp>

#include <boost/asio/any_completion_executor.hpp>
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <chrono>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

// One async_acquire(): its place in the queue, which is left when this object goes, and the way to its
// handler. What it does after start(), it does on a strand.
class RateLimiter::Acquire : public std::enable_shared_from_this<Acquire> {
public:
    Acquire(std::shared_ptr<State> state, std::string bucket, const boost::asio::any_io_executor& executor,
            Handler handler)
        : state_(std::move(state)),
          bucket_(std::move(bucket)),
          ticket_(state_->ticket()),
          strand_(boost::asio::make_strand(executor)),
          timer_(strand_),
          handler_(std::move(handler)),
          handlers_(with_work(boost::asio::get_associated_executor(
              handler_, boost::asio::any_completion_executor(executor)))) {}
    Acquire(const Acquire&) = delete;
    Acquire& operator=(const Acquire&) = delete;
    ~Acquire() {
        if (is_queued_) state_->leave(bucket_, ticket_);
    }

    void start() {
        auto const wait = ask_limiter();
        auto slot = boost::asio::get_associated_cancellation_slot(handler_);
        // The signal may outlive the operation, and is given nothing that keeps it alive.
        if (slot.is_connected())
            slot.assign([weak = weak_from_this(), strand = strand_](boost::asio::cancellation_type type) {
                if (type == boost::asio::cancellation_type::none) return;
                detail::insist([&] {
                    boost::asio::post(strand, [weak] {
                        if (auto const alive = weak.lock())
                            alive->complete(Error(errc::operation_aborted, "it was cancelled"));
                    });
                });
            });
        boost::asio::post(strand_, [self = shared_from_this(), wait] { self->go_on(wait); });
    }

private:
    using Executor = boost::asio::any_completion_executor;

    // Where Asio finds no memory for a copy, it gives an executor that is none.
    static Executor with_work(const Executor& executor) {
        if (!executor) throw std::bad_alloc();
        return boost::asio::prefer(executor, boost::asio::execution::outstanding_work_t::tracked);
    }

    // Zero: the turn has come, and was taken.
    std::chrono::milliseconds ask_limiter() {
        auto const now = state_->now();
        auto const wait = std::chrono::ceil<std::chrono::milliseconds>(state_->wait(bucket_, ticket_, now));
        is_queued_ = wait.count() > 0;
        if (!is_queued_) turn_ = now;
        return wait;
    }

    void go_on(std::chrono::milliseconds wait) {
        if (result_) return;
        if (wait.count() == 0) {
            complete(Permit(state_, bucket_, turn_));
            return;
        }
        try {
            sleep(wait);
        } catch (const std::bad_alloc&) {
            complete(Error(errc::out_of_memory));
        }
    }

    void ask_again() {
        if (result_) return;
        try {
            go_on(ask_limiter());
        } catch (const std::bad_alloc&) {
            complete(Error(errc::out_of_memory));
        }
    }

    // The wait of the timer keeps this object alive, and lets it go with the context.
    void sleep(std::chrono::milliseconds wait) {
        if (auto const& clock = state_->clock()) {
            timer_.expires_at(boost::asio::steady_timer::time_point::max());
            timer_.async_wait([self = shared_from_this()](boost::system::error_code) {});
            alarm_ = clock->call_after(wait, [weak = weak_from_this(), strand = strand_] {
                detail::insist([&] {
                    boost::asio::post(strand, [weak] {
                        if (auto const alive = weak.lock()) alive->ask_again();
                    });
                });
            });
            return;
        }
        timer_.expires_after(impl::timing::bounded(wait));
        timer_.async_wait([self = shared_from_this()](boost::system::error_code ended_early) {
            if (!ended_early) self->ask_again();
        });
    }

    // What comes after the first result is dropped.
    void complete(Result<Permit> result) noexcept {
        if (result_) return;
        result_.emplace(std::move(result));
        if (std::exchange(is_queued_, false)) state_->leave(bucket_, ticket_);
        alarm_.reset();
        timer_.cancel();
        detail::insist([&] { boost::asio::post(strand_, [self = shared_from_this()] { self->deliver(); }); });
    }

    void deliver() {
        auto const executor = *handlers_;
        boost::asio::dispatch(executor, [self = shared_from_this()] {
            auto const work = std::exchange(self->handlers_, std::nullopt);
            auto handler = std::move(self->handler_);
            auto result = std::move(*self->result_);
            std::move(handler)(std::move(result));
        });
    }

    std::shared_ptr<State> state_;
    std::string bucket_;
    Ticket ticket_;
    bool is_queued_ = false;
    std::chrono::nanoseconds turn_{};  // when it came
    boost::asio::strand<boost::asio::any_io_executor> strand_;
    boost::asio::steady_timer timer_;
    std::shared_ptr<void> alarm_;  // of a given clock
    Handler handler_;
    std::optional<Executor> handlers_;
    std::optional<Result<Permit>> result_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI
