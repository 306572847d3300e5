// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/values/http_date.hpp>

#include <doctest/doctest.h>

#include <chrono>

namespace http_date_test {

using palette::detail::parse_http_date;
using namespace std::chrono_literals;

TEST_CASE("http date: the form that servers write and nothing else") {
    auto const noon = std::chrono::sys_days{std::chrono::year{2027} / 1 / 31} + 12h + 34min + 56s;
    CHECK(parse_http_date("Sun, 31 Jan 2027 12:34:56 GMT") == noon);
    for (auto const* const bad :
         {"", "Sun, 31 Jan 2027 12:34:56", "Sun, 31 Feb 2027 12:34:56 GMT", "Sun, 31 Jan 2027 24:34:56 GMT",
          "Sun, 31 Jan 2027 12:60:56 GMT", "Sun, 3x Jan 2027 12:34:56 GMT", "31 Jan 2027 12:34:56 GMT",
          "Sun, 31 Jan 2027 12:34:56 GMT ", "2027-01-31T12:34:56Z"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_http_date(bad));
    }
}

}  // namespace http_date_test
