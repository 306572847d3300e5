// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/values/http_date.hpp>

#include <charconv>
#include <chrono>
#include <cstddef>

namespace palette::inline PALETTE_KEYS_ABI::detail {

inline bool read_digits(std::string_view text, std::size_t at, std::size_t count, int& out) noexcept {
    auto const* const begin = text.data() + at;
    // std::from_chars() would take a minus sign as the first character.
    return *begin >= '0' && *begin <= '9' && std::from_chars(begin, begin + count, out).ptr == begin + count;
}

PALETTE_KEYS_INLINE std::optional<Instant> parse_http_date(std::string_view text) noexcept {
    static constexpr std::string_view shape = "???, ?? ??? ???? ??:??:?? GMT";
    static constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (text.size() != shape.size()) return std::nullopt;
    for (std::size_t i = 0; i < shape.size(); ++i)
        if (shape[i] != '?' && shape[i] != text[i]) return std::nullopt;
    // The day of the week says nothing that the date does not. It is not checked.
    auto const month = months.find(text.substr(8, 3));
    int day = 0;
    int year = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
    // A leap second (60) becomes the next second, as in times of RFC 3339 (W4).
    if (month == std::string_view::npos || month % 3 != 0 || !read_digits(text, 5, 2, day) ||
        !read_digits(text, 12, 4, year) || !read_digits(text, 17, 2, hour) ||
        !read_digits(text, 20, 2, minute) || !read_digits(text, 23, 2, second) || hour > 23 || minute > 59 ||
        second > 60)
        return std::nullopt;
    std::chrono::year_month_day const date{std::chrono::year{year},
                                           std::chrono::month{static_cast<unsigned>(month / 3 + 1)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days{date} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
           std::chrono::seconds{second};
}

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
