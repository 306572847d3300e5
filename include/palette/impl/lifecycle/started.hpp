// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/call_options.hpp>
#include <palette/client.hpp>
#include <palette/detail/start.hpp>
#include <palette/impl/lifecycle/guarded.hpp>
#include <palette/impl/lifecycle/run_end.hpp>
#include <palette/impl/seams/handler_executor.hpp>
#include <palette/impl/values/error_of_exception.hpp>
#include <palette/impl/values/insist.hpp>
#include <palette/result.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>

#include <atomic>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

// An operation of this layer that has been started: the way to its handler, and what ends it early, which
// cancels its coroutine. ApiKeyClient::cancel() does, and its deadline, also while no request is under way.
// The coroutine runs on a strand of the client's executor.
template <class T>
class Started : public std::enable_shared_from_this<Started<T>> {
public:
    using Handler = asio::any_completion_handler<void(Result<T>)>;

    // `client` outlives the operation. `when_thrown`: what the operation may have done when its coroutine
    // ends by an exception.
    Started(ApiKeyClient& client, Handler handler, std::optional<Deadline> deadline = std::nullopt,
            Effect when_thrown = Effect::not_applied)
        : client_(client),
          deadline_(deadline),
          executor_(client.get_executor()),
          strand_(asio::make_strand(executor_)),
          handler_(std::move(handler)),
          handler_executor_(asio::get_associated_executor(handler_, executor_)),
          when_thrown_(when_thrown),
          end_(detail::cancellations_of(client)) {}

    [[nodiscard]] std::shared_ptr<const RunEnd> end() const { return {this->shared_from_this(), &end_}; }

    // `work` makes the coroutine; it is kept until the coroutine has ended.
    template <class Work>
    void spawn(Work work) {
        auto const self = this->shared_from_this();
        // Before the coroutine begins, so that a cancellation or a deadline that has come by then ends it at
        // its first look.
        bridge_cancellation();
        wait_for_end();
        try {
            asio::co_spawn(
                strand_, run(self, std::move(work)),
                asio::bind_cancellation_slot(
                    signal_.slot(), [self](const std::exception_ptr& thrown) { self->complete(thrown); }));
        } catch (...) {
            // Or the wait would keep the event loop running.
            stop_waiting();
            throw;
        }
    }

private:
    template <class Work>
    static asio::awaitable<void> run(std::shared_ptr<Started> self, Work work) {
        // co_spawn enables terminal cancellation alone, and `total` is what lets a change come to its answer.
        co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
        co_await asio::this_coro::throw_if_cancelled(false);
        // Kept here, and not returned: the handler is called later, on its own executor.
        self->result_ = co_await work();
    }

    // A signal of the user's may outlive the operation: its slot holds nothing that keeps it alive.
    void bridge_cancellation() {
        auto slot = asio::get_associated_cancellation_slot(handler_);
        if (!slot.is_connected()) return;
        // The reason is set at once, on the thread of the signal: the operation may look at it before the
        // strand comes to emit the cancellation.
        slot.assign([weak = this->weak_from_this()](asio::cancellation_type type) {
            auto const alive = weak.lock();
            if (!alive) return;
            alive->end_.come(RunEnd::Why::cancelled, type);
            detail::insist([&] {
                asio::post(alive->strand_, [weak, type] {
                    if (auto const still_alive = weak.lock()) still_alive->interrupt(type);
                });
            });
        });
    }

    void wait_for_end() {
        CallOptions options;
        if (deadline_) {
            options.deadline(*deadline_);
            // Before a byte is sent.
            if (deadline_->remaining(client_.now()).count() <= 0)
                return end_.come(RunEnd::Why::deadline, asio::cancellation_type::terminal);
        }
        // The handler holds the signal that its slot belongs to.
        auto const ended = [self = this->shared_from_this()](const Result<void>& result) {
            auto const is_deadline = !result && result.error().code() == errc::timeout;
            auto const is_client = !result && result.error().code() == errc::operation_aborted;
            if (self->has_completed_ || !(is_deadline || is_client)) return;
            self->end_.come(is_deadline ? RunEnd::Why::deadline : RunEnd::Why::client,
                            asio::cancellation_type::terminal);
            self->interrupt(asio::cancellation_type::terminal);
        };
        // This wait counts as an operation of the client, so that ApiKeyClient::cancel() and the deadline end
        // it like any other, also between two requests.
        detail::wait_for_end(
            client_, asio::bind_cancellation_slot(ending_.slot(), asio::bind_executor(strand_, ended)),
            std::move(options).settings());
    }

    void stop_waiting() {
        has_completed_ = true;
        // Otherwise the wait keeps this object, and the client busy, until the deadline.
        ending_.emit(asio::cancellation_type::terminal);
    }

    void interrupt(asio::cancellation_type type) {
        if (!has_completed_) signal_.emit(type);
    }

    // As an operation of the client does: never within the function that has started it, and on the executor
    // of the handler. A completion that is lost would be waited for in vain.
    void complete(const std::exception_ptr& thrown) {
        stop_waiting();
        // Without an exception run() has set the result.
        if (thrown) result_ = error_of(thrown);
        if (thrown && when_thrown_ == Effect::unknown) result_->error().effect(Effect::unknown);
        detail::insist(
            [&] { asio::post(executor_, [self = this->shared_from_this()] { self->deliver(); }); });
    }

    void deliver() {
        handler_executor_.dispatch(
            [self = this->shared_from_this()] {
                // The context of the handler has work until the handler has been called.
                auto const work = self->handler_executor_.take();
                self->call();
            },
            [this] { return static_cast<bool>(handler_); });
    }

    void call() {
        // Moved out, so that what the handler holds is gone after its call: the wait for the end may keep
        // this object a little longer.
        auto handler = std::move(handler_);
        std::move(handler)(std::move(*result_));
    }

    static Error error_of(const std::exception_ptr& thrown) {
        try {
            std::rethrow_exception(thrown);
        } catch (const Exception& e) {
            return e.error();
        } catch (...) {
            return detail::error_of_exception(errc::system, "an operation on the client failed");
        }
    }

    ApiKeyClient& client_;
    std::optional<Deadline> deadline_;
    asio::any_io_executor executor_;
    asio::strand<asio::any_io_executor> strand_;
    asio::cancellation_signal signal_;
    asio::cancellation_signal ending_;  // of the wait for the end
    Handler handler_;
    detail::HandlerExecutor handler_executor_;
    Effect when_thrown_;
    RunEnd end_;
    std::atomic<bool> has_completed_ = false;
    std::optional<Result<T>> result_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
