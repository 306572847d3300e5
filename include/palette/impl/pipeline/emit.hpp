// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/values/insist.hpp>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>

#include <exception>
#include <new>

namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline {

/// Emits a signal that ends what waits. Asio brings it to the coroutine's executor with an allocation, and
/// handlers of a transport may need memory as well. Where that runs out nobody has been told, and what was to
/// end would wait for good: the signal is emitted again, as by detail::insist(). Other exceptions leave.
inline void emit(boost::asio::cancellation_signal& signal, boost::asio::cancellation_type type) {
    std::exception_ptr thrown;
    detail::insist([&] {
        try {
            signal.emit(type);
        } catch (const std::bad_alloc&) {
            throw;
        } catch (...) {
            thrown = std::current_exception();
        }
    });
    if (thrown) std::rethrow_exception(thrown);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline
