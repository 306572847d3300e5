// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/service/service.hpp>

#include <functional>
#include <mutex>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

// The service, for the thread that serves and those that test.
class SharedService {
public:
    template <class... Args>
    explicit SharedService(Args&&... args) : service_(std::forward<Args>(args)...) {}

    // Calls `f` with the service, while nobody else touches it. What `f` gives holds no reference into it.
    template <class F>
    auto with(F&& f) {
        std::lock_guard const lock(mutex_);
        return std::invoke(std::forward<F>(f), service_);
    }

private:
    std::mutex mutex_;
    Service service_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation
