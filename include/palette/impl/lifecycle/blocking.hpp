// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/blocking_client.hpp>
#include <palette/client.hpp>
#include <palette/result.hpp>

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

// Waits for an operation that `make` makes, deferred, for the client that serves the blocking one.
template <class T, class Make>
Result<T> wait_for(BlockingApiKeyClient& client, const Make& make) {
    // Outside of the coroutine, whose own result has no value. It stays empty if the client did not run it.
    std::optional<Result<T>> result;
    auto ran = client.run([&](ApiKeyClient& inner) -> boost::asio::awaitable<Result<void>> {
        result = co_await make(inner);
        co_return Result<void>();
    });
    if (!result) return std::move(ran.error());
    return *std::move(result);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
