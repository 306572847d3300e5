// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/error.hpp>

#include <chrono>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

// How long a file store and a file sink wait for a lock that is held for milliseconds.
inline constexpr std::chrono::seconds max_lock_wait{10};

// What they say when it is over: a timeout and not the conflict of the lock, which would say that somebody
// else has changed the record or the value. A rotation gives its new key up for that.
inline Error lock_timeout(const Error& lock) {
    std::string advice = "call again later; ";
    advice.append(lock.has_own_advice()
                      ? lock.advice()
                      : "a process that was stopped holds its lock until it goes on or ends");
    return Error(errc::timeout, lock.what() + "; waited " + std::to_string(max_lock_wait.count()) + " s")
        .effect(Effect::not_applied)
        .advice(std::move(advice));
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
