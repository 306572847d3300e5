// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <chrono>

namespace palette::inline PALETTE_KEYS_ABI {

/// A point in time: whole milliseconds since 1970-01-01T00:00:00 UTC, on std::chrono::system_clock.
///
/// Times of the service and of a Clock have this type. The resolution is that of the service's JSON, and 64
/// bits of milliseconds reach beyond the year 9999, the last that RFC 3339 can write; system_clock's own
/// nanoseconds end in the year 2262. Leap seconds are not counted, as on every system clock.
///
/// A coarser time, such as std::chrono::sys_days, converts implicitly. A finer one is rounded down first:
///
///     palette::Instant const now =
///         std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
using Instant = std::chrono::sys_time<std::chrono::milliseconds>;

}  // namespace palette::inline PALETTE_KEYS_ABI
