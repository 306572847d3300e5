// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string>

// Names that are looked up as any other name is, without a name server. The program that includes this links
// known_names.cpp, which replaces getaddrinfo(): what it is asked for and does not know, the system is asked
// for.
namespace known_names {

// Such a name, which the system takes for 127.0.0.1.
inline const std::string here = "proxy.here.test";

// How often it was looked up.
std::size_t lookups_of_here() noexcept;

// From now on, until it is taken back: a lookup of it finds no file descriptor left in the process.
void leave_no_descriptors_for_here(bool none_left) noexcept;

// Who says what becomes of the lookup of a name that ends in ".slow.test", as getaddrinfo() does, and takes
// the time for it that a test wants.
void answer_slow_ones_by(int (*lookup)()) noexcept;

}  // namespace known_names
