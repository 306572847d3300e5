// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/query.hpp>

#include <atomic>
#include <memory>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

// Tells whether a context is being destroyed, and the coroutines that wait in it with it. A context tells its
// services in the reverse order of their making: those that destroy coroutines are made before this one.
class ContextEnd : public boost::asio::execution_context::service {
public:
    using Flag = std::atomic<bool>;

    static inline boost::asio::execution_context::id id;

    explicit ContextEnd(boost::asio::execution_context& context) : service(context) {}

    // It outlives the context.
    static std::shared_ptr<const Flag> of(const boost::asio::any_io_executor& executor) {
        auto& context = boost::asio::query(executor, boost::asio::execution::context);
        return boost::asio::use_service<ContextEnd>(context).has_begun_;
    }

private:
    void shutdown() override { *has_begun_ = true; }

    std::shared_ptr<Flag> has_begun_ = std::make_shared<Flag>(false);
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
