// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/values/insist.hpp>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>

#include <exception>
#include <new>

namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline {

/// Emits a signal that ends what waits. Asio's own handlers need no memory for that, but those of a
/// transport, or of a provider of credentials, may. One that ran out of memory has told nobody, and what it
/// was to end would wait for good: it is called again, as detail::insist() does. Other exceptions leave.
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
