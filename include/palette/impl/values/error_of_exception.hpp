// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/error.hpp>

#include <boost/system/system_error.hpp>

#include <exception>
#include <new>
#include <string>
#include <system_error>

namespace palette::inline PALETTE_KEYS_ABI::detail {

// Its text fits into a std::string without an allocation: it is needed when no more can be had.
inline Error out_of_memory() noexcept {
    return Error(errc::out_of_memory);
}

inline bool is_out_of_memory(const std::exception& thrown) noexcept {
    if (dynamic_cast<const std::bad_alloc*>(&thrown) != nullptr) return true;
    if (auto const* const e = dynamic_cast<const Exception*>(&thrown))
        return e->error().code() == errc::out_of_memory;
    if (auto const* const e = dynamic_cast<const std::system_error*>(&thrown))
        return e->code() == std::errc::not_enough_memory;
    if (auto const* const e = dynamic_cast<const boost::system::system_error*>(&thrown))
        return e->code() == boost::system::errc::not_enough_memory;
    return false;
}

// The error that stands for the exception that is being handled: errc::out_of_memory for a lack of memory, in
// whatever form, otherwise `code` and "<who>: <what it says>". Called in a catch block.
inline Error error_of_exception(errc code, const char* who) noexcept {
    try {
        try {
            // Whoever catches has caught all there is: thrown once more, it shows its type.
            throw;
        } catch (const std::exception& thrown) {
            if (is_out_of_memory(thrown)) return out_of_memory();
            return Error(code, std::string(who) + ": " + thrown.what());
        } catch (...) {
            return Error(code, who);
        }
    } catch (...) {
        return out_of_memory();  // not even the words could be copied
    }
}

// What `f` gives, an Error or a Result, or errc::out_of_memory if it throws.
template <class F>
auto unless_out_of_memory(F f) noexcept -> decltype(f()) {
    try {
        return f();
    } catch (...) {
        return out_of_memory();
    }
}

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
