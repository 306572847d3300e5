// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/client.hpp>
#include <palette/impl/lifecycle/blocking.hpp>
#include <palette/impl/lifecycle/guarded.hpp>
#include <palette/impl/lifecycle/plans/apply_driver.hpp>
#include <palette/impl/lifecycle/run_end.hpp>
#include <palette/impl/lifecycle/started.hpp>
#include <palette/lifecycle/apply.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

namespace impl::lifecycle {

inline asio::awaitable<Result<BulkReport>> run_apply(ApiKeyClient& client, Plan plan, ApplyOptions options,
                                                     std::shared_ptr<const RunEnd> end) {
    ApplyDriver driver(client, std::move(plan), std::move(options), std::move(end));
    auto result = co_await driver.run();
    if (!result) result.error().operation("apply");
    co_return result;
}

}  // namespace impl::lifecycle

namespace detail {

PALETTE_KEYS_INLINE void start_apply(ApiKeyClient& client, Handler<lifecycle::BulkReport> handler,
                                     lifecycle::Plan plan, lifecycle::ApplyOptions options) {
    // An exception may end the coroutine after some changes, whose effect is unknown then.
    auto const started = std::make_shared<impl::lifecycle::Started<lifecycle::BulkReport>>(
        client, std::move(handler), options.deadline(), Effect::unknown);
    started->spawn(std::bind_front(&impl::lifecycle::run_apply, std::ref(client), std::move(plan),
                                   std::move(options), started->end()));
}

}  // namespace detail

namespace lifecycle {

PALETTE_KEYS_INLINE Result<BulkReport> apply(BlockingApiKeyClient& client, Plan plan, ApplyOptions options) {
    return impl::lifecycle::wait_for<BulkReport>(
        client, [&](ApiKeyClient& inner) { return async_apply(inner, std::move(plan), std::move(options)); });
}

}  // namespace lifecycle
}  // namespace palette::inline PALETTE_KEYS_ABI
