// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <malloc.h>

#include <cstddef>

// Bytes of the whole heap that are in use, by the C library's own count: that of a replaced operator new
// lacks the frames of coroutines, which Asio has from aligned_alloc().
namespace heap {

inline std::size_t in_use() noexcept {
    auto const all = ::mallinfo2();
    return all.uordblks + all.hblkhd;
}

}  // namespace heap
