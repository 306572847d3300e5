// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

// How much memory the program has asked operator new for, and has not given back. The program that
// includes this links counting_allocator.cpp, which replaces operator new and delete.
namespace counting {

std::size_t now() noexcept;
std::size_t peak() noexcept;

// The peak starts anew from what is in use now.
void reset_peak() noexcept;

// What `f` needs at most beyond what was in use before it.
template <class F>
std::size_t peak_of(F f) {
    auto const before = now();
    reset_peak();
    f();
    return peak() - before;
}

}  // namespace counting
