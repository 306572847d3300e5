// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/values/insist.hpp>

#include <boost/asio/any_completion_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/prefer.hpp>

#include <exception>
#include <new>
#include <optional>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::detail {

// The executor of a handler, which has work until take() or the end of this. Not an executor_work_guard,
// whose constructor is noexcept and allocates.
class HandlerExecutor {
    using Executor = boost::asio::any_completion_executor;

public:
    // Where Asio finds no memory for a copy, it gives an executor that is none.
    explicit HandlerExecutor(const Executor& executor) {
        if (!executor) throw std::bad_alloc();
        executor_ = boost::asio::prefer(executor, boost::asio::execution::outstanding_work_t::tracked);
    }

    // Dispatches `call`, which takes this away and calls the handler, until that has happened.
    // `has_handler`: whether the handler is still there.
    template <class Call, class HasHandler>
    void dispatch(Call call, HasHandler has_handler) {
        auto const executor = *executor_;
        std::exception_ptr of_handler;
        insist([&] {
            try {
                boost::asio::dispatch(executor, call);
            } catch (...) {
                // The handler's own exception is its context's to see; without memory it was not called.
                if (has_handler()) throw;
                of_handler = std::current_exception();
            }
        });
        if (of_handler) std::rethrow_exception(of_handler);
    }

    [[nodiscard]] std::optional<Executor> take() noexcept { return std::exchange(executor_, std::nullopt); }

private:
    std::optional<Executor> executor_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
