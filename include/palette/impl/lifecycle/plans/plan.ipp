// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/client.hpp>
#include <palette/impl/lifecycle/blocking.hpp>
#include <palette/impl/lifecycle/guarded.hpp>
#include <palette/impl/lifecycle/plans/plan_maker.hpp>
#include <palette/impl/lifecycle/run_end.hpp>
#include <palette/impl/lifecycle/started.hpp>
#include <palette/lifecycle/plan.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

namespace impl::lifecycle {

using palette::lifecycle::Plan;

// Reads what the guards need, one list after the other.
inline asio::awaitable<Result<Plan>> read_and_plan(ApiKeyClient& client, const PlanMaker& maker,
                                                   const RunEnd& end) {
    if (auto fault = maker.check()) co_return *std::move(fault);
    if (end.has_come()) co_return end.error("plan");
    PlanSources sources;
    auto caller = co_await client.async_describe_caller();
    if (end.has_come()) co_return end.error("plan");
    if (!caller) co_return std::move(caller.error());
    sources.caller = std::move(*caller);
    auto keys = co_await client.async_list();
    if (end.has_come()) co_return end.error("plan");
    if (!keys) co_return std::move(keys.error());
    sources.keys = std::move(*keys);
    // A user who may change keys may not be allowed to list users. The plan is made without the guards that
    // need them, and says so; a cancellation ends it.
    if (maker.needs_users()) {
        auto users = co_await client.async_list_users();
        if (end.has_come()) co_return end.error("plan");
        if (users)
            sources.users.emplace(std::move(*users));
        else if (users.error().code() == errc::operation_aborted)
            co_return std::move(users.error());
        else
            sources.users_problem = users.error().what();
    }
    co_return maker.make(sources);
}

inline asio::awaitable<Result<Plan>> run_plan(ApiKeyClient& client, PlanMaker maker,
                                              std::shared_ptr<const RunEnd> end) {
    auto result = co_await read_and_plan(client, maker, *end);
    if (!result) result.error().operation("plan");
    co_return result;
}

}  // namespace impl::lifecycle

namespace detail {

PALETTE_KEYS_INLINE void start_plan(ApiKeyClient& client, Handler<lifecycle::Plan> handler,
                                    lifecycle::Selection selection, lifecycle::Action action,
                                    lifecycle::PlanOptions options) {
    auto const started = std::make_shared<impl::lifecycle::Started<lifecycle::Plan>>(
        client, std::move(handler), options.deadline());
    impl::lifecycle::PlanMaker maker(std::move(selection), std::move(action), std::move(options));
    started->spawn(
        std::bind_front(&impl::lifecycle::run_plan, std::ref(client), std::move(maker), started->end()));
}

}  // namespace detail

namespace lifecycle {

PALETTE_KEYS_INLINE Result<Plan> plan(BlockingApiKeyClient& client, Selection selection, Action action,
                                      PlanOptions options) {
    return impl::lifecycle::wait_for<Plan>(client, [&](ApiKeyClient& inner) {
        return async_plan(inner, std::move(selection), std::move(action), std::move(options));
    });
}

}  // namespace lifecycle
}  // namespace palette::inline PALETTE_KEYS_ABI
