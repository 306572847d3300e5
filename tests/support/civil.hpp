// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

// The calendar, counted on one's fingers: it owes nothing to <chrono>, so that it can judge it.
namespace civil {

constexpr bool is_leap(int year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

constexpr int days_in_month(int year, int month) {
    if (month == 2) return is_leap(year) ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

// Of the year 0 or later.
constexpr std::int64_t days_since_1970(int year, int month, int day) {
    // 719,528 days lie between 0000-01-01 and 1970-01-01; the year 0 is a leap year.
    std::int64_t days = day - 1 - 719'528;
    for (int m = 1; m < month; ++m)
        days += days_in_month(year, m);
    if (year == 0) return days;
    int const y = year - 1;
    return days + std::int64_t{365} * year + 1 + y / 4 - y / 100 + y / 400;
}

static_assert(days_since_1970(1970, 1, 1) == 0);
static_assert(days_since_1970(2000, 3, 1) == 11'017);
static_assert(days_since_1970(1969, 12, 31) == -1);
static_assert(days_since_1970(0, 1, 1) == -719'528);

struct Date {
    int year;
    int month;
    int day;

    constexpr void advance() {
        if (++day <= days_in_month(year, month)) return;
        day = 1;
        if (++month <= 12) return;
        month = 1;
        ++year;
    }
};

}  // namespace civil
