// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/pipeline/retry_after.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>

namespace retry_after_test {

using namespace std::chrono_literals;
using palette::Instant;

// Half past nine, on a Friday.
constexpr Instant now = std::chrono::sys_days{std::chrono::year{2025} / 6 / 6} + 9h + 30min;

std::optional<std::chrono::milliseconds> wait_of(std::string text, std::string date = {}) {
    palette::HttpResponse response;
    response.status = 429;
    response.headers.emplace_back("retry-after", std::move(text));
    if (!date.empty()) response.headers.emplace_back("Date", std::move(date));
    return palette::impl::pipeline::retry_after(response, now);
}

TEST_CASE("W14 retry after: seconds") {
    CHECK(wait_of("0") == 0ms);
    CHECK(wait_of("7") == 7s);
    CHECK(wait_of("86400") == 24h);
}

TEST_CASE(
    "W14 retry after: a date is judged by the service's own clock, and by ours where it does not tell") {
    CHECK(wait_of("Fri, 06 Jun 2025 09:30:10 GMT") == 10s);
    CHECK(wait_of("Fri, 06 Jun 2025 09:30:10 GMT", "Fri, 06 Jun 2025 09:30:08 GMT") == 2s);
    CHECK(wait_of("Fri, 06 Jun 2025 09:00:00 GMT") == 0ms);
}

TEST_CASE("W14 retry after: words that are no time ask for nothing") {
    for (auto const* const text :
         {"banana", "-5", "1.5", "1e3", " ", "0x10", "3 s", "Fri, 31 Feb 2025 09:30:10 GMT"}) {
        CAPTURE(text);
        CHECK_FALSE(wait_of(text).has_value());
    }
    CHECK_FALSE(palette::impl::pipeline::retry_after(palette::HttpResponse(), now).has_value());
}

TEST_CASE("W14 retry after: what is gigantic is a year, and overflows nothing") {
    constexpr auto year = 365 * 24h;
    CHECK(wait_of("99999999999999999999999999999999") == year);
    CHECK(wait_of("9223372036854775807") == year);
    CHECK(wait_of("Fri, 31 Dec 9999 23:59:59 GMT") == year);
}

}  // namespace retry_after_test
