// SPDX-License-Identifier: BSL-1.0
#pragma once

// First, so that a compiler reports this before anything else.
#if __cplusplus < 202002L
#    error "palette-keys needs C++20: compile with -std=c++20 or newer"
#endif
#ifndef __linux__
#    error "palette-keys supports Linux only"
#endif

#include <palette/version.hpp>

// The library is header-only unless PALETTE_KEYS_SEPARATE_COMPILATION is defined; linking palette::keys
// defines it.
//
// The two forms are in different inline namespaces, so that a program whose translation units disagree fails
// to link instead of having two definitions of one function.
#ifdef PALETTE_KEYS_SEPARATE_COMPILATION
#    define PALETTE_KEYS_INLINE
#    define PALETTE_KEYS_ABI compiled
#    if defined(PALETTE_KEYS_SHARED) && defined(__GNUC__)
#        define PALETTE_KEYS_DECL __attribute__((visibility("default")))
#    else
#        define PALETTE_KEYS_DECL
#    endif
#else
#    define PALETTE_KEYS_HEADER_ONLY
#    define PALETTE_KEYS_INLINE inline
#    define PALETTE_KEYS_ABI header_only
#    define PALETTE_KEYS_DECL
#endif

#ifdef __GNUC__
#    define PALETTE_KEYS_NOINLINE [[gnu::noinline]]
#else
#    define PALETTE_KEYS_NOINLINE
#endif
