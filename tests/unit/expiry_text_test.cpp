// SPDX-License-Identifier: BSL-1.0
#include "support/civil.hpp"
#include "support/printed.hpp"
#include "support/sanitized.hpp"
#include "support/seeds.hpp"

#include <palette/expiry.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace expiry_text_test {

using palette::Expiry;
using palette::Instant;
using std::chrono::milliseconds;

constexpr std::int64_t day_length = 86'400'000;
constexpr std::int64_t first_day = civil::days_since_1970(2, 1, 1);
constexpr std::int64_t last_day = civil::days_since_1970(9999, 12, 31);

bool survives(Expiry e, std::string_view text) {
    auto const read = Expiry::parse(text);
    return read && *read == e;
}

void write_digits(std::string& text, std::size_t at, std::size_t width, int value) {
    for (std::size_t i = at + width; i-- > at; value /= 10)
        text[i] = static_cast<char>('0' + value % 10);
}

TEST_CASE("W3: the time that means none is never and is never written") {
    CHECK(Expiry::parse("0001-01-01T00:00:00.000Z").value().is_never());
    CHECK(Expiry::parse("0001-01-01T00:00:00Z").value().is_never());
    CHECK(Expiry::parse("0001-12-31T23:59:59.999Z").value().is_never());
    CHECK(Expiry::parse("0000-01-01T00:00:00Z").value().is_never());
    CHECK(Expiry::parse("0001-01-01T00:00:00+23:59").value().is_never());
    CHECK(Expiry::parse("0001-01-01T00:00:00.000Z").value().to_string() == "never");
    CHECK_FALSE(Expiry::parse("0002-01-01T00:00:00Z").value().is_never());
    CHECK_FALSE(Expiry::at(std::chrono::sys_days{std::chrono::year{1} / 1 / 1}).is_never());
}

TEST_CASE("Expiry: never is written as a word and read back") {
    CHECK(Expiry::never().to_string() == "never");
    CHECK(Expiry::parse("never").value() == Expiry::never());
    CHECK_FALSE(Expiry::parse("Never").has_value());
    CHECK_FALSE(Expiry::parse("never ").has_value());
}

TEST_CASE("Expiry: any form of a time is written in one form") {
    for (std::string_view const text : {"2026-12-20t09:30:00z", "2026-12-20T10:30:00.0000001+01:00",
                                        "2026-12-19T23:30:00-10:00", "2026-12-20T09:29:60Z"})
        CHECK(Expiry::parse(text).value().to_string() == "2026-12-20T09:30:00.000Z");
}

TEST_CASE("Expiry: a text beyond 9999 is held at its end") {
    CHECK(Expiry::parse("9999-12-31T23:59:60Z").value().to_string() == "9999-12-31T23:59:59.999Z");
    CHECK(Expiry::parse("9999-12-31T23:59:59-00:01").value().to_string() == "9999-12-31T23:59:59.999Z");
}

TEST_CASE("Expiry: an unreadable text is named in the error shortened and escaped") {
    auto const refusal = [](std::string_view text) {
        auto const e = Expiry::parse(text);
        REQUIRE_FALSE(e.has_value());
        CHECK(e.error().code() == palette::errc::invalid_argument);
        CHECK(is_one_plain_line(e.error().message()));
        return e.error().message();
    };
    CHECK(contains(refusal("tomorrow"), "\"tomorrow\""));
    CHECK(contains(refusal(""), "\"\""));
    CHECK(contains(refusal("2027-13-01T00:00:00Z"), "\"2027-13-01T00:00:00Z\""));
    CHECK(contains(refusal("a\nb\x1b[31m\"\\\x80"), R"("a\nb\x1b[31m\"\\\x80")"));
    CHECK(contains(refusal(std::string_view("a\0b", 3)), R"("a\x00b")"));

    auto const line = refusal(std::string(5'000, 'x'));
    CHECK(contains(line, std::string(64, 'x') + "...\""));
    CHECK(line.size() < 300);
}

TEST_CASE(
    "Expiry: the first and the last millisecond of every day from year 2 to 9999 survive the round trip") {
    std::int64_t const stride = sanitized ? 17 : 1;
    std::int64_t failures = 0;
    std::string example;
    std::string morning = "YYYY-MM-DDT00:00:00.000Z";
    std::string evening = "YYYY-MM-DDT23:59:59.999Z";

    auto const check = [&](std::int64_t since_1970, const std::string& expected) {
        auto const e = Expiry::at(Instant{milliseconds{since_1970}});
        if (e.to_string() == expected && survives(e, expected)) return;
        if (failures++ == 0) example = expected + ", written as " + e.to_string();
    };

    civil::Date date{2, 1, 1};
    for (std::int64_t day = first_day; day <= last_day; ++day, date.advance()) {
        if (day % stride != 0 && day != last_day) continue;
        for (auto* text : {&morning, &evening}) {
            write_digits(*text, 0, 4, date.year);
            write_digits(*text, 5, 2, date.month);
            write_digits(*text, 8, 2, date.day);
        }
        check(day * day_length, morning);
        check((day + 1) * day_length - 1, evening);
    }

    CHECK(failures == 0);
    CHECK(example == "");
    CHECK(date.year == 10'000);
}

TEST_CASE("Expiry: ten million instants survive the round trip") {
    int const count = sanitized ? 1'000'000 : 10'000'000;
    std::mt19937_64 random(seeds::seed(20261120));
    std::uniform_int_distribution<std::int64_t> anywhere(first_day * day_length,
                                                         (last_day + 1) * day_length - 1);
    int failures = 0;
    std::int64_t example = 0;
    for (int i = 0; i < count; ++i) {
        auto const since_1970 = anywhere(random);
        auto const e = Expiry::at(Instant{milliseconds{since_1970}});
        if (survives(e, e.to_string())) continue;
        if (failures++ == 0) example = since_1970;
    }
    CHECK(failures == 0);
    CHECK(example == 0);
}

}  // namespace expiry_text_test
