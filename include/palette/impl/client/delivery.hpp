// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/client/client_core.hpp>
#include <palette/impl/insist.hpp>

#include <boost/asio/any_completion_executor.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>

#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::client {

namespace asio = boost::asio;

// The handler of an operation, and the way to it: made when the operation starts, so that the handler is
// called whatever the operation meets. Once, or not at all if a context on the way has gone. It holds nothing
// of the client: the handler may run, and all this go, in another context that lives longer than the
// client's.
template <class T>
class Delivery : public std::enable_shared_from_this<Delivery<T>> {
public:
    // `otherwise`: where the handler runs that says nothing. Until take(), the handler is the caller's.
    Delivery(const asio::any_completion_executor& otherwise, const detail::Handler<T>& handler)
        : executor_(executor_of(handler, otherwise)) {}

    // Boost 1.81's any_completion_handler cannot be assigned.
    void take(detail::Handler<T>& handler) noexcept { handler_.swap(handler); }
    [[nodiscard]] const detail::Handler<T>& handler() const noexcept { return handler_; }

    // Posts the result to `base`, from where it goes to the handler's executor. What comes after the first
    // result is dropped.
    void complete(const asio::any_io_executor& base, Result<T>&& result) noexcept {
        if (result_) return;
        result_.emplace(std::move(result));
        detail::insist([&] { asio::post(base, [self = this->shared_from_this()] { self->dispatch(); }); });
    }

private:
    using Executor = asio::associated_executor_t<detail::Handler<T>, asio::any_completion_executor>;

    // An executor that has work until it goes. Not an executor_work_guard, whose constructor is noexcept and
    // allocates. Where Asio finds no memory for a copy, it gives an executor that is none.
    static Executor executor_of(const detail::Handler<T>& handler,
                                const asio::any_completion_executor& otherwise) {
        Executor const executor = asio::get_associated_executor(handler, otherwise);
        if (!executor) throw std::bad_alloc();
        return asio::prefer(executor, asio::execution::outstanding_work_t::tracked);
    }

    void dispatch() {
        auto const executor = *executor_;
        std::exception_ptr of_handler;
        detail::insist([&] {
            try {
                asio::dispatch(executor, [self = this->shared_from_this()] { self->call_handler(); });
            } catch (...) {
                if (handler_) throw;
                of_handler = std::current_exception();
            }
        });
        if (of_handler) std::rethrow_exception(of_handler);
    }

    void call_handler() {
        auto const work = std::exchange(executor_, std::nullopt);
        auto handler = std::move(handler_);
        std::move(handler)(std::move(*result_));
    }

    std::optional<Executor> executor_;
    detail::Handler<T> handler_;
    std::optional<Result<T>> result_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::client
