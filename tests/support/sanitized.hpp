// SPDX-License-Identifier: BSL-1.0
#pragma once

// Sanitizers make the tests that go through millions of values some ten times slower; those take a
// smaller share then.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#elif defined(__has_feature)
#    if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
inline constexpr bool sanitized = true;
#    else
inline constexpr bool sanitized = false;
#    endif
#else
inline constexpr bool sanitized = false;
#endif
