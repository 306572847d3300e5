// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/instant.hpp>

#include <chrono>
#include <cstdint>
#include <type_traits>

namespace palette::inline PALETTE_KEYS_ABI::detail {

// What RFC 3339 and the service can express. Everything before the second year means "no time".
inline constexpr Instant first_instant = std::chrono::sys_days{std::chrono::year{2} / 1 / 1};
inline constexpr Instant last_instant = std::chrono::sys_days{std::chrono::year{9999} / 12 / 31} +
                                        std::chrono::days{1} - std::chrono::milliseconds{1};

constexpr bool is_unset(Instant t) noexcept {
    return t < first_instant;
}

constexpr Instant clamp(Instant t) noexcept {
    return t < first_instant ? first_instant : t > last_instant ? last_instant : t;
}

// More milliseconds than lie between first_instant and last_instant, with room to add two of them.
inline constexpr std::int64_t many_milliseconds = 1'000'000'000'000'000;

constexpr bool is_nan(auto x) noexcept {
    return x != x;
}

constexpr std::chrono::milliseconds held(std::int64_t ms) noexcept {
    return std::chrono::milliseconds{ms > many_milliseconds    ? many_milliseconds
                                     : ms < -many_milliseconds ? -many_milliseconds
                                                               : ms};
}

// Any duration in whole milliseconds, rounded down and held within +-many_milliseconds. NaN is 0.
template <class Rep, class Period>
constexpr std::chrono::milliseconds saturated_milliseconds(std::chrono::duration<Rep, Period> d) noexcept {
    static_assert(std::is_arithmetic_v<Rep>, "a duration with an arithmetic representation is needed");
    if constexpr (std::is_same_v<decltype(d), std::chrono::milliseconds>) {
        return held(d.count());
    } else {
        auto const approximate = static_cast<long double>(d.count()) * 1000 * Period::num / Period::den;
        if (is_nan(approximate)) return held(0);
        if (approximate >= many_milliseconds) return held(many_milliseconds);
        if (approximate <= -many_milliseconds) return held(-many_milliseconds);
        if constexpr (std::is_floating_point_v<Rep>) {
            auto const whole = static_cast<std::int64_t>(approximate);
            return held(static_cast<long double>(whole) > approximate ? whole - 1 : whole);
        } else {
#ifdef __SIZEOF_INT128__
            // The quotient is known to be small, so that the product of any count and period has room here.
            __extension__ using Wide = __int128;
            Wide const product = static_cast<Wide>(d.count()) * Period::num * 1000;
            auto const quotient = static_cast<std::int64_t>(product / Period::den);
            return held(product % Period::den < 0 ? quotient - 1 : quotient);
#else
            return std::chrono::floor<std::chrono::milliseconds>(d);
#endif
        }
    }
}

// Any point of the system clock, held within what saturated_milliseconds() gives.
template <class Duration>
constexpr Instant to_instant(std::chrono::sys_time<Duration> t) noexcept {
    return Instant{saturated_milliseconds(t.time_since_epoch())};
}

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
