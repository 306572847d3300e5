// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/system/this_process.hpp>

#include <unistd.h>

#include <array>

namespace palette::inline PALETTE_KEYS_ABI::impl::processes {

PALETTE_KEYS_INLINE std::string host_name() {
    std::array<char, 256> name{};
    // A name that is cut off has no end.
    if (::gethostname(name.data(), name.size() - 1) != 0) return {};
    return name.data();
}

PALETTE_KEYS_INLINE long process_id() noexcept {
    return static_cast<long>(::getpid());
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::processes
