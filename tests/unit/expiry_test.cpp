// SPDX-License-Identifier: BSL-1.0
#include "support/printed.hpp"

#include <palette/expiry.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <ratio>
#include <set>
#include <string>
#include <type_traits>
#include <unordered_set>

namespace expiry_test {

using palette::Expiry;
using palette::Instant;
using namespace std::chrono;
using namespace std::chrono_literals;

constexpr Instant now = sys_days{2026y / 11 / 20} + 9h + 30min;
constexpr Instant earliest = sys_days{2y / 1 / 1};
constexpr Instant latest = sys_days{10000y / 1 / 1} - 1ms;

static_assert(sizeof(Expiry) == 8 && std::is_trivially_copyable_v<Expiry> && std::regular<Expiry>);
static_assert(std::is_nothrow_default_constructible_v<Expiry> &&
              std::three_way_comparable<Expiry, std::strong_ordering>);
static_assert(!std::is_convertible_v<Instant, Expiry> && !std::is_constructible_v<Expiry, Instant>);

static_assert(Expiry() == Expiry::never() && Expiry::never().is_never() && !Expiry::never().instant());
static_assert(Expiry::at(now).instant() == now && !Expiry::at(now).is_never());
static_assert(Expiry::at(sys_days{2026y / 11 / 20} + 1999us).instant() == sys_days{2026y / 11 / 20} + 1ms);
static_assert(Expiry::on(2027y / 1 / 31).instant() == sys_days{2027y / 2 / 1} - 1ms);
static_assert(Expiry::at(now) < Expiry::at(now + 1ms) && Expiry::at(latest) < Expiry::never());
static_assert(Expiry::at(now) == Expiry::at(now) && Expiry::at(now) != Expiry::never());
static_assert((Expiry::never() <=> Expiry::at(now)) == std::strong_ordering::greater);
static_assert(Expiry::at(now).passed(now) && !Expiry::at(now).passed(now - 1ns) &&
              !Expiry::never().passed(latest));
static_assert(Expiry::at(now).remaining(now - 1h) == 1h && Expiry::at(now).remaining(now + 1h) == 0ms);
static_assert(Expiry::never().remaining(now) == milliseconds::max());
static_assert(Expiry::in(days{30}, now).instant() == now + days{30});

TEST_CASE("Expiry: a duration is counted from now") {
    CHECK(Expiry::in(days{30}, now) == Expiry::at(now + days{30}));
    CHECK(Expiry::in(-90min, now) == Expiry::at(now - 90min));
    CHECK(Expiry::in(0s, now) == Expiry::at(now));
    CHECK(Expiry::in(years{1}, now) == Expiry::at(now + years{1}));
    CHECK(Expiry::in(duration<std::int8_t, std::ratio<3600>>{std::int8_t{-128}}, now) ==
          Expiry::at(now - 128h));
    CHECK(Expiry::in(duration<std::int8_t, std::nano>{std::int8_t{-1}}, now) == Expiry::at(now - 1ms));
    CHECK(Expiry::in(duration<unsigned, std::ratio<60>>{90u}, now) == Expiry::at(now + 90min));

    auto const before = floor<milliseconds>(system_clock::now());
    auto const e = Expiry::in(1h);
    auto const after = system_clock::now();
    CHECK(*e.instant() >= before + 1h);
    CHECK(*e.instant() <= after + 1h);
}

TEST_CASE("Expiry: a duration past the end of 9999 is held at 9999-12-31T23:59:59.999Z") {
    CHECK(Expiry::in(hours::max(), now) == Expiry::at(latest));
    CHECK(Expiry::in(years{8'000}, now) == Expiry::at(latest));
    CHECK(Expiry::in(years::max(), now) == Expiry::at(latest));
    CHECK(Expiry::in(milliseconds::max(), now) == Expiry::at(latest));
    CHECK(Expiry::in(duration<std::uint64_t>{~std::uint64_t{0}}, now) == Expiry::at(latest));
    CHECK(Expiry::in(duration<double>{1e300}, now) == Expiry::at(latest));
    CHECK(Expiry::in(duration<float, std::atto>{std::numeric_limits<float>::max()}, now) ==
          Expiry::at(latest));
    CHECK(Expiry::in(duration<long double, std::exa>{std::numeric_limits<long double>::max()}, now) ==
          Expiry::at(latest));
    CHECK(Expiry::in(duration<double>{std::numeric_limits<double>::infinity()}, now) == Expiry::at(latest));
    CHECK(Expiry::in(1ms, latest) == Expiry::at(latest));
    CHECK(Expiry::in(hours::max(), sys_days::max()) == Expiry::at(latest));
    CHECK(Expiry::at(sys_days{10000y / 1 / 1}) == Expiry::at(latest));
    CHECK(Expiry::at(sys_time<hours>::max()) == Expiry::at(latest));
    CHECK(Expiry::on(year::max() / 12 / 31) == Expiry::at(latest));
    CHECK(Expiry::in(hours::max(), now).to_string() == "9999-12-31T23:59:59.999Z");
}

TEST_CASE("Expiry: what lies before the year 2 is held at its first millisecond") {
    CHECK(Expiry::in(hours::min(), now) == Expiry::at(earliest));
    CHECK(Expiry::in(years{-3'000}, now) == Expiry::at(earliest));
    CHECK(Expiry::in(milliseconds::min(), now) == Expiry::at(earliest));
    CHECK(Expiry::in(duration<double>{-std::numeric_limits<double>::infinity()}, now) ==
          Expiry::at(earliest));
    CHECK(Expiry::in(-1ms, earliest) == Expiry::at(earliest));
    CHECK(Expiry::in(hours::min(), sys_time<hours>::min()) == Expiry::at(earliest));
    CHECK(Expiry::at(sys_time<hours>::min()) == Expiry::at(earliest));
    CHECK(Expiry::at(sys_days{1y / 1 / 1}) == Expiry::at(earliest));
    CHECK(Expiry::on(1y / 12 / 31) == Expiry::at(earliest));
    CHECK(Expiry::on(year{-4713} / 1 / 1) == Expiry::at(earliest));
    CHECK(Expiry::on(year{-32768} / 1 / 1) == Expiry::at(earliest));
    CHECK(Expiry::at(earliest).to_string() == "0002-01-01T00:00:00.000Z");
}

TEST_CASE("Expiry: a duration that is not a number counts as none") {
    // Read at run time: what a compiler makes of a constant here is not what the processor does.
    double const volatile nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(Expiry::in(duration<double>{nan}, now) == Expiry::at(now));
    CHECK(Expiry::in(duration<double, std::ratio<86400>>{-nan}, now) == Expiry::at(now));
    CHECK(Expiry::in(duration<float>{static_cast<float>(nan)}, now) == Expiry::at(now));
    auto const refused = Expiry::try_in(duration<double>{nan}, now);
    REQUIRE_FALSE(refused.has_value());
    CHECK(contains(refused.error().message(), "not a number"));
}

TEST_CASE("Expiry: what is finer than a millisecond is rounded down") {
    CHECK(Expiry::in(duration<double>{1.5}, now) == Expiry::at(now + 1500ms));
    CHECK(Expiry::in(duration<double, std::milli>{0.999}, now) == Expiry::at(now));
    CHECK(Expiry::in(duration<double, std::milli>{-0.001}, now) == Expiry::at(now - 1ms));
    CHECK(Expiry::in(-1ns, now) == Expiry::at(now - 1ms));
    CHECK(Expiry::in(1'999'999ns, now) == Expiry::at(now + 1ms));
    CHECK(Expiry::at(now - 1ns) == Expiry::at(now - 1ms));
    CHECK(Expiry::at(sys_time<duration<double>>{duration<double>{0.0015}}) == Expiry::at(Instant{1ms}));
    CHECK(Expiry::in(duration<std::uint64_t, std::nano>{~std::uint64_t{0}}, now) ==
          Expiry::at(now + 18'446'744'073'709ms));
}

TEST_CASE("Expiry: now may come from a coarser or a finer clock") {
    CHECK(Expiry::in(1h, sys_days{2026y / 11 / 20}).to_string() == "2026-11-20T01:00:00.000Z");
    CHECK(Expiry::in(days{1}, sys_time<nanoseconds>{now} + 999'999ns) == Expiry::at(now + days{1}));
    CHECK(Expiry::in(1s, sys_time<duration<double>>{duration<double>{1.25}}) == Expiry::at(Instant{2250ms}));
    CHECK(Expiry::at(now).passed(sys_days{2026y / 11 / 21}));
    CHECK_FALSE(Expiry::at(now).passed(sys_days{2026y / 11 / 20}));
    CHECK(Expiry::at(now).remaining(sys_days{2026y / 11 / 20}) == 9h + 30min);
}

TEST_CASE("Expiry: durations in unusual fractions of a second are exact") {
    CHECK(Expiry::in(duration<std::int64_t, std::ratio<1, 3>>{10}, now) == Expiry::at(now + 3333ms));
    CHECK(Expiry::in(duration<std::int64_t, std::ratio<1, 3>>{-10}, now) == Expiry::at(now - 3334ms));
    CHECK(Expiry::in(duration<int, std::ratio<7, 3>>{1'000'000}, now) == Expiry::at(now + 2'333'333'333ms));
    CHECK(Expiry::in(duration<std::int64_t, std::ratio<1, 90'000>>{90'000LL * 86'400 * 365}, now) ==
          Expiry::at(now + days{365}));
    CHECK(Expiry::in(duration<std::int64_t, std::atto>{-1}, now) == Expiry::at(now - 1ms));
    CHECK(Expiry::in(duration<int, std::exa>{0}, now) == Expiry::at(now));
}

TEST_CASE("Expiry: a year in the fixed point of NTP is exact") {
    using Ntp = duration<std::int64_t, std::ratio<1, 4'294'967'296>>;
    CHECK(Expiry::in(Ntp{365LL * 86'400 * 4'294'967'296}, now) == Expiry::at(now + days{365}));
    CHECK(Expiry::in(Ntp{-365LL * 86'400 * 4'294'967'296}, now) == Expiry::at(now - days{365}));
}

TEST_CASE("Expiry: a period of many digits above and below is counted") {
    using Drift = duration<std::int64_t, std::ratio<1'000'000'000'000'001, 1'000'000'000'000'000>>;
    CHECK(Expiry::in(Drift{5}, now) == Expiry::at(now + 5s));
    using Slow = duration<std::int64_t, std::ratio<999'999'999'999'999, 1'000'000'000'000'000>>;
    CHECK(Expiry::in(Slow{86'400}, now) == Expiry::at(now + 24h - 1ms));
}

TEST_CASE("Expiry: trying gives the same or says that it cannot be held") {
    auto const good = Expiry::try_in(days{30}, now);
    REQUIRE(good.has_value());
    CHECK(*good == Expiry::in(days{30}, now));
    CHECK(Expiry::try_in(0ms, latest).value() == Expiry::at(latest));
    CHECK(Expiry::try_in(0ms, earliest).value() == Expiry::at(earliest));
    CHECK(Expiry::try_in(days{30}).has_value());

    for (auto const& bad :
         {Expiry::try_in(1ms, latest), Expiry::try_in(-1ms, earliest), Expiry::try_in(hours::max()),
          Expiry::try_in(hours::min(), now), Expiry::try_in(duration<double>{HUGE_VAL}, now)}) {
        REQUIRE_FALSE(bad.has_value());
        CHECK(bad.error().code() == palette::errc::invalid_argument);
        CHECK(contains(bad.error().message(), "Expiry::never()"));
    }
}

TEST_CASE("Expiry: on a day means to the end of it") {
    CHECK(Expiry::on(2027y / 1 / 31).to_string() == "2027-01-31T23:59:59.999Z");
    CHECK(Expiry::on(2027y / 12 / 31).to_string() == "2027-12-31T23:59:59.999Z");
    CHECK(Expiry::on(2028y / 2 / last).to_string() == "2028-02-29T23:59:59.999Z");
    CHECK(Expiry::on(2y / 1 / 1).to_string() == "0002-01-01T23:59:59.999Z");
    CHECK(Expiry::on(9999y / 12 / 31).to_string() == "9999-12-31T23:59:59.999Z");
}

TEST_CASE("Expiry: a day beyond the end of its month is its last") {
    CHECK(Expiry::on(2027y / 4 / 31) == Expiry::on(2027y / 4 / 30));
    CHECK(Expiry::on(2027y / 2 / 29) == Expiry::on(2027y / 2 / 28));
    CHECK(Expiry::on(2028y / 2 / 30) == Expiry::on(2028y / 2 / 29));
    CHECK(Expiry::on(2100y / 2 / 29) == Expiry::on(2100y / 2 / 28));
    CHECK(Expiry::on(2027y / 12 / 255) == Expiry::on(2027y / 12 / 31));
}

TEST_CASE("Expiry: a day or month that the calendar does not have is the nearest day before it") {
    CHECK(Expiry::on(2027y / 4 / 0) == Expiry::on(2027y / 3 / 31));
    CHECK(Expiry::on(2027y / 1 / 0) == Expiry::on(2026y / 12 / 31));
    CHECK(Expiry::on(2027y / 13 / 1) == Expiry::on(2027y / 12 / 31));
    CHECK(Expiry::on(2027y / 255 / 40) == Expiry::on(2027y / 12 / 31));
    CHECK(Expiry::on(2027y / 0 / 15) == Expiry::on(2026y / 12 / 31));
}

TEST_CASE("Expiry: what remains is zero exactly when it has passed") {
    auto const e = Expiry::at(now);
    for (auto const offset : {-1'000'000ns, -999'999ns, -1ns, 0ns, 1ns, 999'999ns, 1'000'000ns}) {
        auto const t = sys_time<nanoseconds>{now} + offset;
        CHECK(e.passed(t) == (t >= now));
        CHECK((e.remaining(t) == 0ms) == e.passed(t));
        CHECK(e.passed(t + e.remaining(t)));
    }
    CHECK(Expiry::at(earliest).passed());
    CHECK(Expiry::at(earliest).remaining() == 0ms);
    CHECK_FALSE(Expiry::at(latest).passed());
    CHECK(Expiry::at(latest).remaining() > days{365} * 1'000);
    CHECK_FALSE(Expiry::never().passed());
    CHECK(Expiry::never().remaining() == milliseconds::max());
    CHECK(Expiry::at(latest).remaining(earliest) == latest - earliest);
    CHECK(Expiry::at(earliest).remaining(sys_time<hours>::max()) == 0ms);
}

TEST_CASE("Expiry: never comes last") {
    std::set<Expiry> const ordered{Expiry::never(), Expiry::at(latest), Expiry::at(now),
                                   Expiry::at(earliest)};
    std::string text;
    for (auto const& e : ordered)
        text += e.to_string().substr(0, 5);
    CHECK(text == "0002-2026-9999-never");
}

TEST_CASE("Expiry: equal ones have one hash and others seldom") {
    std::unordered_set<Expiry> seen;
    std::unordered_set<std::size_t> hashes;
    for (int i = 0; i < 1'000; ++i) {
        auto const e = Expiry::in(milliseconds{i}, now);
        CHECK(std::hash<Expiry>{}(e) == std::hash<Expiry>{}(Expiry::at(now + milliseconds{i})));
        seen.insert(e);
        seen.insert(Expiry::never());
        hashes.insert(std::hash<Expiry>{}(e));
    }
    CHECK(seen.size() == 1'001);
    CHECK(hashes.size() > 990);
}

TEST_CASE("Expiry: prints as it is written") {
    CHECK(printed(Expiry::at(now)) == "2026-11-20T09:30:00.000Z");
    CHECK(printed(Expiry::never()) == "never");
}

}  // namespace expiry_test
