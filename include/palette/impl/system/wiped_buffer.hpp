// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>
#include <palette/impl/values/wipe.hpp>

#include <array>

namespace palette::inline PALETTE_KEYS_ABI::impl::files {

// A buffer that leaves nothing behind on the stack.
struct WipedBuffer : std::array<char, 4096> {
    WipedBuffer() = default;
    WipedBuffer(const WipedBuffer&) = delete;
    WipedBuffer& operator=(const WipedBuffer&) = delete;
    ~WipedBuffer() { detail::wipe(data(), size()); }
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::files
