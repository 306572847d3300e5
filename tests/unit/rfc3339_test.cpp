// SPDX-License-Identifier: BSL-1.0
#include "support/civil.hpp"
#include "support/sanitized.hpp"
#include "support/seeds.hpp"

#include <palette/detail/rfc3339.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace rfc3339_test {

using palette::Instant;
using palette::detail::is_unset;
using palette::detail::last_instant;
using palette::detail::parse_rfc3339;
using std::chrono::milliseconds;

std::optional<std::int64_t> since_1970(std::string_view text) {
    auto const t = parse_rfc3339(text);
    return t ? std::optional<std::int64_t>(t->time_since_epoch().count()) : std::nullopt;
}

std::string written(std::int64_t ms) {
    char text[palette::detail::rfc3339_length];
    palette::detail::format_rfc3339(Instant{milliseconds{ms}}, text);
    return {text, sizeof text};
}

std::string canonical(std::string_view text) {
    auto const t = since_1970(text);
    return t ? written(*t) : "refused";
}

// The grammar as a picture: every digit must stand where the picture has a 0.
bool has_shape(std::string_view text, std::string_view picture) {
    if (text.size() != picture.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        bool const digit = std::string_view("0123456789").find(text[i]) != std::string_view::npos;
        if (picture[i] == '0' ? !digit : text[i] != picture[i]) return false;
    }
    return true;
}

// What a reader without haste makes of the text: it looks at the whole first, and then at the numbers.
std::optional<std::int64_t> expected_since_1970(std::string text) {
    std::string fraction = "000";
    if (text.size() > 20 && text[19] == '.') {
        auto const end = std::min(text.find_first_not_of("0123456789", 20), text.size());
        if (end == 20) return std::nullopt;
        fraction = (text.substr(20, end - 20) + "000").substr(0, 3);
        text.erase(19, end - 19);
    }
    if (text.size() > 10 && text[10] == 't') text[10] = 'T';
    std::string const body = "0000-00-00T00:00:00";
    bool const utc = has_shape(text, body + 'Z') || has_shape(text, body + 'z');
    bool const east = has_shape(text, body + "+00:00");
    bool const west = has_shape(text, body + "-00:00");
    if (!utc && !east && !west) return std::nullopt;

    auto const number = [&](std::size_t at, std::size_t width) { return std::stoi(text.substr(at, width)); };
    int const y = number(0, 4), mon = number(5, 2), d = number(8, 2);
    int const h = number(11, 2), min = number(14, 2), s = number(17, 2);
    int const offset_h = utc ? 0 : number(20, 2), offset_min = utc ? 0 : number(23, 2);
    if (mon < 1 || mon > 12 || d < 1 || d > civil::days_in_month(y, mon)) return std::nullopt;
    if (h > 23 || min > 59 || s > 60 || offset_h > 23 || offset_min > 59) return std::nullopt;

    std::int64_t const offset = (offset_h * 60 + offset_min) * (west ? -1 : 1);
    std::int64_t const seconds = ((civil::days_since_1970(y, mon, d) * 24 + h) * 60 + min - offset) * 60 + s;
    return std::min(seconds * 1'000 + std::stoi(fraction), last_instant.time_since_epoch().count());
}

TEST_CASE("W4: a time is read in every form that RFC 3339 has") {
    struct Row {
        const char* text;
        const char* expected;
    };
    for (auto const& [text, expected] : {
             Row{"2026-12-20T09:30:00Z", "2026-12-20T09:30:00.000Z"},
             Row{"2026-12-20t09:30:00z", "2026-12-20T09:30:00.000Z"},
             Row{"2026-12-20T09:30:00.1Z", "2026-12-20T09:30:00.100Z"},
             Row{"2026-12-20T09:30:00.12Z", "2026-12-20T09:30:00.120Z"},
             Row{"2026-12-20T09:30:00.123Z", "2026-12-20T09:30:00.123Z"},
             Row{"2026-12-20T09:30:00.1239Z", "2026-12-20T09:30:00.123Z"},
             Row{"2026-12-20T09:30:00.12399Z", "2026-12-20T09:30:00.123Z"},
             Row{"2026-12-20T09:30:00.123999Z", "2026-12-20T09:30:00.123Z"},
             Row{"2026-12-20T09:30:00.1239999Z", "2026-12-20T09:30:00.123Z"},
             Row{"2026-12-20T09:30:00.12399999Z", "2026-12-20T09:30:00.123Z"},
             Row{"2026-12-20T09:30:00.123999999Z", "2026-12-20T09:30:00.123Z"},
             Row{"2026-12-20T09:30:00.1239999999Z", "2026-12-20T09:30:00.123Z"},
             Row{"2026-12-20T09:30:00.12399999999Z", "2026-12-20T09:30:00.123Z"},
             Row{"2026-12-20T09:30:00.123999999999Z", "2026-12-20T09:30:00.123Z"},
             Row{"2026-12-20T09:30:00.009Z", "2026-12-20T09:30:00.009Z"},
             Row{"2026-12-20T09:30:00+00:00", "2026-12-20T09:30:00.000Z"},
             Row{"2026-12-20T09:30:00-00:00", "2026-12-20T09:30:00.000Z"},
             Row{"2026-12-20T09:30:00.5+05:30", "2026-12-20T04:00:00.500Z"},
             Row{"2026-12-31T20:00:00-05:45", "2027-01-01T01:45:00.000Z"},
             Row{"2026-01-01T00:00:00+23:59", "2025-12-31T00:01:00.000Z"},
             Row{"2026-12-31T23:59:59.999-23:59", "2027-01-01T23:58:59.999Z"},
             Row{"2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"},
             Row{"2000-02-29T23:59:59Z", "2000-02-29T23:59:59.000Z"},
             Row{"1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"},
             Row{"0002-01-01T00:00:00Z", "0002-01-01T00:00:00.000Z"},
             Row{"9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"},
         }) {
        CAPTURE(text);
        CHECK(canonical(text) == expected);
    }
    CHECK(canonical("2026-12-20T09:30:00." + std::string(100'000, '9') + "Z") == "2026-12-20T09:30:00.999Z");
}

TEST_CASE("W4: a leap second is the next second") {
    CHECK(canonical("2016-12-31T23:59:60Z") == "2017-01-01T00:00:00.000Z");
    CHECK(canonical("2016-12-31T23:59:60.250Z") == "2017-01-01T00:00:00.250Z");
    CHECK(canonical("2017-01-01T05:29:60+05:30") == "2017-01-01T00:00:00.000Z");
    CHECK(canonical("9999-12-31T23:59:60Z") == "9999-12-31T23:59:59.999Z");
    CHECK(canonical("9999-12-31T23:59:60.999-23:59") == "9999-12-31T23:59:59.999Z");
    CHECK(canonical("2016-12-31T23:59:61Z") == "refused");
}

TEST_CASE("W3: the first year and the one before are no time") {
    for (std::string_view const text :
         {"0001-01-01T00:00:00.000Z", "0001-01-01T00:00:00Z", "0001-12-31T23:59:59.999Z",
          "0000-01-01T00:00:00Z", "0000-02-29T00:00:00+23:59", "0002-01-01T00:00:00+00:01"}) {
        CAPTURE(text);
        auto const t = parse_rfc3339(text);
        REQUIRE(t.has_value());
        CHECK(is_unset(*t));
    }
    for (std::string_view const text :
         {"0002-01-01T00:00:00Z", "0001-12-31T23:59:60Z", "0001-12-31T23:59:00-00:01"}) {
        CAPTURE(text);
        CHECK_FALSE(is_unset(parse_rfc3339(text).value()));
    }
}

TEST_CASE("W4: anything else is refused") {
    for (std::string_view const text : {
             "",
             "Z",
             "2026",
             "2026-12-20",
             "09:30:00Z",
             "2026-12-20T09:30Z",
             "2026-12-20T09:30:00",
             "2026-12-20 09:30:00Z",
             "2026-12-20T09:30:00 Z",
             " 2026-12-20T09:30:00Z",
             "2026-12-20T09:30:00Z ",
             "2026-12-20T09:30:00ZZ",
             "2026-12-20T09:30:00Z+00:00",
             "2026-12-20T09:30:00.Z",
             "2026-12-20T09:30:00,5Z",
             "2026-12-20T09:30:00.5.5Z",
             "2026-12-20T09:30:00.-5Z",
             "2026-12-20T09:30:00+0000",
             "2026-12-20T09:30:00+00",
             "2026-12-20T09:30:00+00:0",
             "2026-12-20T09:30:00+24:00",
             "2026-12-20T09:30:00-23:60",
             "2026-12-20T09:30:00+-1:00",
             "2026-00-20T09:30:00Z",
             "2026-13-20T09:30:00Z",
             "2026-12-00T09:30:00Z",
             "2026-12-32T09:30:00Z",
             "2026-02-29T09:30:00Z",
             "2100-02-29T09:30:00Z",
             "2026-04-31T09:30:00Z",
             "2026-12-20T24:00:00Z",
             "2026-12-20T09:60:00Z",
             "2026-12-20T09:30:61Z",
             "26-12-20T09:30:00Z",
             "12026-12-20T09:30:00Z",
             "-026-12-20T09:30:00Z",
             "+2026-12-20T09:30:00Z",
             "2026-1-20T09:30:00Z",
             "2026-12-20T9:30:00Z",
             "2026/12/20T09:30:00Z",
             "20261220T093000Z",
             "2026-W51-7T09:30:00Z",
             "2026-354T09:30:00Z",
             "0x7E-12-20T09:30:00Z",
             "1797759000",
             "null",
             "never",
         }) {
        CAPTURE(text);
        CHECK_FALSE(parse_rfc3339(text).has_value());
    }
    CHECK_FALSE(parse_rfc3339(std::string_view("2026-12-20T09:30:00Z\0", 21)).has_value());
    CHECK_FALSE(parse_rfc3339(std::string_view("2026-12-20T09:30:00\0Z", 21)).has_value());
}

TEST_CASE("W4: a text with one character replaced or missing or doubled is read only if it is a time") {
    long accepted = 0;
    std::string wrong;
    auto const check = [&](const std::string& text) {
        auto const t = since_1970(text);
        accepted += t.has_value();
        if (t != expected_since_1970(text)) wrong = text;
    };
    for (std::string const good :
         {"2026-12-20T09:30:00.123Z", "2024-02-29t23:59:60z", "2026-12-20T09:30:00-05:30",
          "0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999999999+00:00"}) {
        check(good);
        for (std::size_t at = 0; at < good.size(); ++at) {
            check(std::string(good).erase(at, 1));
            check(good.substr(0, at));
            check(std::string(good).insert(at, 1, good[at]));
            for (int c = 0; c < 256; ++c) {
                auto text = good;
                text[at] = static_cast<char>(c);
                check(text);
            }
        }
    }
    CHECK(wrong == "");
    CHECK(accepted > 500);
}

TEST_CASE("W4: a text with two neighbours replaced is read only if it is a time") {
    // The bytes beside each range that the grammar has, so that no pair of faults makes up for another.
    using namespace std::string_view_literals;
    auto const bytes = "\0\x09\x0a\x10\x1f +-./0159:;TZtz\x7f\x80\x89\x8a\xb0\xb9\xba\xff"sv;
    std::string const good = "2026-12-20T09:30:00.123Z";
    std::string wrong;
    int accepted = 0;
    for (std::size_t at = 0; at + 1 < good.size(); ++at) {
        for (char const first : bytes) {
            for (char const second : bytes) {
                auto text = good;
                text[at] = first;
                text[at + 1] = second;
                auto const t = since_1970(text);
                accepted += t.has_value();
                if (t != expected_since_1970(text)) wrong = text;
            }
        }
    }
    CHECK(wrong == "");
    CHECK(accepted > 50);
}

TEST_CASE("W4: texts of random numbers are read as a slow reader reads them") {
    std::mt19937 random(seeds::short_seed(3339));
    auto const pick = [&random](std::string_view from) { return from[random() % from.size()]; };
    std::string wrong;
    int accepted = 0;
    for (int i = 0; i < (sanitized ? 20'000 : 100'000); ++i) {
        std::string text = "dddd-md-ndTid:jd:kd";
        for (char& c : text) {
            switch (c) {
                case 'd':
                    c = pick("0123456789");
                    break;
                case 'm':
                    c = pick("01");
                    break;
                case 'n':
                    c = pick("0123");
                    break;
                case 'i':
                    c = pick("012");
                    break;
                case 'j':
                    c = pick("012345");
                    break;
                case 'k':
                    c = pick("0123456");
                    break;
                default:
                    break;
            }
        }
        if (random() % 2) text += '.' + std::to_string(random());
        text += std::string(random() % 2 ? "Z" : random() % 2 ? "+05:30" : "-11:00");
        auto const t = since_1970(text);
        accepted += t.has_value();
        if (t != expected_since_1970(text)) wrong = text;
    }
    CHECK(wrong == "");
    CHECK(accepted > 2'000);
}

}  // namespace rfc3339_test
