// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/values/error_of_exception.hpp>
#include <palette/result.hpp>

#include <boost/asio/awaitable.hpp>

#include <type_traits>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

namespace asio = boost::asio;

// Awaits what `call` starts of somebody else's: a sink, a store, a hook. An exception is an error like
// another.
template <class Call>
std::invoke_result_t<Call> guarded(Call call) {
    try {
        co_return co_await call();
    } catch (const Exception& e) {
        co_return e.error();
    } catch (...) {
        co_return detail::error_of_exception(errc::system, "a sink, a store or a hook failed");
    }
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
