// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <chrono>
#include <exception>
#include <new>
#include <thread>

namespace palette::inline PALETTE_KEYS_ABI::detail {

// For what allocates and still must not be lost for want of memory: Asio cannot post a function without an
// allocation. `f` may be called again after it has thrown std::bad_alloc.

// Calls `f` up to ten times; then the lack of memory is the caller's to handle.
template <class F>
decltype(auto) try_often(F&& f) {  // NOLINT(*-missing-std-forward): it may be called again
    constexpr int max_tries = 10;
    for (int tries = 1;; ++tries) {
        try {
            return f();
        } catch (const std::bad_alloc&) {
            if (tries == max_tries) throw;
        }
    }
}

// Calls `f` until it has succeeded. Without memory for a second, or after any other exception, it ends the
// program by std::terminate(): a completion that is lost in silence would be worse.
template <class F>
void insist(F&& f) noexcept {  // NOLINT(*-missing-std-forward)
    // A pause of a millisecond each: another thread may give memory back meanwhile.
    constexpr int max_pauses = 1'000;
    for (int pauses = 0;; ++pauses) {
        try {
            try_often(f);
            return;
        } catch (const std::bad_alloc&) {
            if (pauses == max_pauses) std::terminate();
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
}

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
