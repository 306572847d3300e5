// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/client/service_time.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string_view>
#include <utility>

namespace service_time_test {

using namespace std::chrono_literals;
using namespace palette;
using impl::client::date_of;
using impl::client::ServiceTime;

constexpr Instant noon = std::chrono::sys_days{2027y / 1 / 31} + 12h;

std::optional<Instant> dated(HttpFields headers) {
    HttpResponse response;
    response.headers = std::move(headers);
    return date_of(response);
}

TEST_CASE("service time: a Date that no service can mean counts as none") {
    CHECK(dated({{"Date", "Sun, 31 Jan 2027 12:00:00 GMT"}}) == noon);
    CHECK(dated({{"Date", "Wed, 01 Jan 2020 00:00:00 GMT"}}) ==
          Instant(std::chrono::sys_days{2020y / 1 / 1}));
    CHECK(dated({{"Date", "Tue, 31 Dec 2199 23:59:59 GMT"}}));
    CHECK_FALSE(dated({}));
    for (auto const* const text :
         {"", "yesterday", "Thu, 01 Jan 1970 00:00:00 GMT", "Tue, 31 Dec 2019 23:59:59 GMT",
          "Wed, 01 Jan 2200 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "Sun, 31 Feb 2027 12:00:00 GMT",
          "2027-01-31T12:00:00Z"}) {
        CAPTURE(text);
        CHECK_FALSE(dated({{"Date", text}}));
    }
}

TEST_CASE(
    "service time: goes on from the Date with the time that has passed, whatever this machine's clock says") {
    for (auto const local : {noon - 1h, noon, noon + 1h, noon - 24h * 365 * 50}) {
        ServiceTime time;
        time.heard(noon, local, 100s);
        CHECK(time.is_fresh(local, 100s));
        CHECK(time.now(100s) == noon);
        CHECK(time.now(160s + 1'999'999ns) == noon + 60s + 1ms);
    }
}

TEST_CASE("service time: is this machine's when the answer did not tell") {
    ServiceTime time;
    time.heard(std::nullopt, noon + 1h, 100s);
    CHECK(time.now(107s) == noon + 1h + 7s);
}

TEST_CASE(
    "service time: is asked for anew before the first answer, after an hour, and after a sleep or a jump") {
    ServiceTime time;
    CHECK_FALSE(time.is_fresh(noon, 0s));
    time.heard(noon, noon + 2h, 100s);
    CHECK(time.is_fresh(noon + 2h + 1h, 100s + 1h));
    CHECK_FALSE(time.is_fresh(noon + 2h + 1h, 100s + 1h + 1ns));
    CHECK(time.is_fresh(noon + 2h + 59s, 100s));
    CHECK_FALSE(time.is_fresh(noon + 2h + 1min, 100s));  // slept for a minute, or was put forward
    CHECK_FALSE(time.is_fresh(noon + 2h - 1min, 100s));  // was put back
    CHECK_FALSE(time.is_fresh(noon + 2h - 1s, 99s));     // not even the steady clock is
    time.heard(noon + 5h, noon + 7h, 101s);
    CHECK(time.is_fresh(noon + 7h, 101s));
    CHECK(time.now(102s) == noon + 5h + 1s);
}

}  // namespace service_time_test
