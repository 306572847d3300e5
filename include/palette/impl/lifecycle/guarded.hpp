// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/values/error_of_exception.hpp>
#include <palette/result.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <type_traits>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

namespace asio = boost::asio;

// Awaits a function of somebody else's: of a sink, a store, a hook, a handler. An exception is an error like
// another.
//
//     co_await guarded(&SecretSink::promote, sink, receipt, expected)
//
// Not a lambda: a coroutine that holds one has no linkage, about which g++ warns.
template <class Function, class... Arguments>
std::invoke_result_t<Function, Arguments...> guarded(Function function, Arguments... arguments) {
    // The function is called within the coroutine: one that throws before its first co_await is caught as
    // well.
    try {
        co_return co_await std::invoke(std::move(function), std::move(arguments)...);
    } catch (const Exception& e) {
        co_return e.error();
    } catch (...) {
        co_return detail::error_of_exception(errc::system, "a sink, a store, a hook or a handler failed");
    }
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
