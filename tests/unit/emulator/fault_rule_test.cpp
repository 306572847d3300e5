// SPDX-License-Identifier: BSL-1.0
#include "support/printed.hpp"

#include <palette/testing/fault.hpp>

#include <doctest/doctest.h>

#include <concepts>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace fault_rule_test {

using palette::errc;
using palette::testing::FaultRule;
using Kind = FaultRule::Kind;

static_assert(std::copyable<FaultRule> && std::equality_comparable<FaultRule>);
static_assert(!std::default_initializable<FaultRule>, "a rule always comes from a text");

FaultRule rule_of(std::string_view text) {
    auto rule = FaultRule::parse(text);
    if (!rule) FAIL(text, ": ", rule.error().message());
    return *std::move(rule);
}

std::string refusal_of(std::string_view text) {
    auto const rule = FaultRule::parse(text);
    CAPTURE(text);
    REQUIRE_FALSE(rule.has_value());
    CHECK(rule.error().code() == errc::invalid_argument);
    CHECK(is_one_plain_line(rule.error().message()));
    return rule.error().message();
}

struct KindRow {
    std::string_view text;
    Kind kind;
    std::uint64_t number = 0;
    std::string_view argument{};
};

constexpr KindRow kind_rows[] = {
    {"delay:250", Kind::delay, 250},
    {"drop-before", Kind::drop_before},
    {"drop-after", Kind::drop_after},
    {"apply-late:3000", Kind::apply_late, 3'000},
    {"truncate", Kind::truncate},
    {"reset", Kind::reset},
    {"stall", Kind::stall},
    {"drip:5", Kind::drip, 5},
    {"close-idle", Kind::close_idle},
    {"status:503", Kind::status, 503},
    {"retry-after:30", Kind::retry_after, 0, "30"},
    {"retry-after:date", Kind::retry_after, 0, "date"},
    {"retry-after:soon", Kind::retry_after, 0, "soon"},
    {"html:502", Kind::html, 502},
    {"redirect:https://elsewhere.test:8443/v1?a=b", Kind::redirect, 0, "https://elsewhere.test:8443/v1?a=b"},
    {"echo-credential", Kind::echo_credential},
    {"garbage", Kind::garbage},
    {"trailing", Kind::trailing},
    {"wrong-type", Kind::wrong_type},
    {"huge:67108864", Kind::huge, 67'108'864},
    {"deep:100000", Kind::deep, 100'000},
    {"legacy-create", Kind::legacy_create},
    {"uid-is-user", Kind::uid_is_user},
    {"page:3", Kind::page, 3},
    {"list-lag:2000", Kind::list_lag, 2'000},
    {"strip-annotations", Kind::strip_annotations},
    {"deny-delete", Kind::deny_delete},
    {"deny-list", Kind::deny_list},
    {"late-activation:500", Kind::late_activation, 500},
};

TEST_CASE("FaultRule: every kind is read with its argument and written again") {
    std::set<Kind> seen;
    for (auto const& row : kind_rows) {
        CAPTURE(row.text);
        auto const text = "* / " + std::string(row.text);
        auto const rule = rule_of(text);
        CHECK(rule.kind() == row.kind);
        CHECK(rule.number() == row.number);
        CHECK(rule.text() == row.argument);
        CHECK(rule.to_string() == text);
        CHECK(printed(rule) == text);
        seen.insert(rule.kind());
    }
    CHECK(seen.size() == static_cast<std::size_t>(Kind::late_activation) + 1);
}

TEST_CASE("FaultRule: method, path, count and offset are read and written again") {
    auto const rule = rule_of("POST /v1/apiKeys drop-after x3 after=2");
    CHECK(rule.method() == "POST");
    CHECK(rule.path_prefix() == "/v1/apiKeys");
    CHECK(rule.times() == 3);
    CHECK(rule.after() == 2);
    CHECK(rule.to_string() == "POST /v1/apiKeys drop-after x3 after=2");

    auto const plain = rule_of("GET / stall");
    CHECK(plain.times() == FaultRule::always);
    CHECK(plain.after() == 0);

    auto const offset_only = rule_of("* /v1 stall after=18446744073709551615");
    CHECK(offset_only.times() == FaultRule::always);
    CHECK(offset_only.after() == 18'446'744'073'709'551'615u);
}

TEST_CASE("FaultRule: what is written is read as the same rule") {
    for (auto const& row : kind_rows)
        for (std::string_view const more : {"", " x1", " after=7", " x2 after=5", " x18446744073709551615"}) {
            auto const rule = rule_of("* /v1/apiKeys/%41?b " + std::string(row.text) + std::string(more));
            CAPTURE(rule);
            CHECK(rule_of(rule.to_string()) == rule);
        }
}

TEST_CASE("FaultRule: any amount of spaces separates, and methods are read in any case") {
    auto const rule = rule_of("  post   /v1/apiKeys  status:500   x1  after=2 ");
    CHECK(rule.to_string() == "POST /v1/apiKeys status:500 x1 after=2");
    CHECK(rule == rule_of("POST /v1/apiKeys status:500 x1 after=2"));
}

TEST_CASE("FaultRule: rules differ when any part of them differs") {
    auto const rule = rule_of("GET /v1 status:500 x1 after=1");
    for (std::string_view const other :
         {"PUT /v1 status:500 x1 after=1", "GET /v2 status:500 x1 after=1", "GET /v1 html:500 x1 after=1",
          "GET /v1 status:501 x1 after=1", "GET /v1 status:500 x2 after=1", "GET /v1 status:500 x1 after=2",
          "GET /v1 status:500 after=1", "GET /v1 status:500 x1"}) {
        CAPTURE(other);
        CHECK(rule != rule_of(other));
    }
    CHECK(rule_of("GET / redirect:/a") != rule_of("GET / redirect:/b"));
}

TEST_CASE("FaultRule: a rule that lacks a part is refused with the shape that is expected") {
    for (std::string_view const text : {"", " ", "stall", "GET", "GET /", "GET stall", "/v1/apiKeys stall"}) {
        CAPTURE(text);
        CHECK(contains(refusal_of(text), "METHOD PATH-PREFIX KIND"));
    }
}

struct BadRow {
    std::string_view text;
    std::string_view named;  // in what is said about it
};

TEST_CASE("FaultRule: a bad method, path or kind is refused by name") {
    static constexpr BadRow rows[] = {
        {"G3T / stall", "\"G3T\""},       {"** / stall", "\"**\""},
        {"GET, / stall", "\"GET,\""},     {"GET|PUT / stall", "\"GET|PUT\""},
        {"G\xC3\x8BT / stall", "method"}, {"GET v1/apiKeys stall", "\"v1/apiKeys\""},
        {"GET * stall", "\"*\""},         {"GET https://127.0.0.1/v1 stall", "\"https://127.0.0.1/v1\""},
        {"GET / stal", "\"stal\""},       {"GET / stalled", "\"stalled\""},
        {"GET / Stall", "\"Stall\""},     {"GET / drop_before", "\"drop_before\""},
        {"GET / :5", "is none of"},       {"GET / x1", "\"x1\""},
        {"GET / 503", "\"503\""},
    };
    for (auto const& [text, named] : rows) {
        CAPTURE(text);
        CHECK(contains(refusal_of(text), named));
    }
    CHECK(contains(refusal_of("GET / nothing"), "late-activation"));
}

TEST_CASE("FaultRule: an argument that is missing, needless or no number is refused by the kind") {
    static constexpr BadRow rows[] = {
        {"* / delay", "delay needs a number"},
        {"* / delay:", "delay needs a number"},
        {"* / delay:soon", "delay needs a number"},
        {"* / delay:-1", "delay needs a number"},
        {"* / delay:+1", "delay needs a number"},
        {"* / delay:1.5", "delay needs a number"},
        {"* / delay:0x10", "delay needs a number"},
        {"* / delay:100ms", "delay needs a number"},
        {"* / delay:1:2", "delay needs a number"},
        {"* / delay: 100", "delay needs a number"},
        {"* / delay:18446744073709551616", "delay needs a number"},
        {"* / apply-late", "apply-late needs a number"},
        {"* / drip", "drip needs a number"},
        {"* / status", "status needs a number"},
        {"* / status:OK", "status needs a number"},
        {"* / html", "html needs a number"},
        {"* / huge", "huge needs a number"},
        {"* / deep", "deep needs a number"},
        {"* / page", "page needs a number"},
        {"* / list-lag", "list-lag needs a number"},
        {"* / late-activation", "late-activation needs a number"},
        {"* / retry-after", "retry-after needs an argument"},
        {"* / retry-after:", "retry-after needs an argument"},
        {"* / redirect", "redirect needs an argument"},
        {"* / redirect:", "redirect needs an argument"},
        {"* / drop-before:", "drop-before takes no argument"},
        {"* / drop-before:1", "drop-before takes no argument"},
        {"* / truncate:half", "truncate takes no argument"},
        {"* / echo-credential:raw", "echo-credential takes no argument"},
        {"* / legacy-create:1", "legacy-create takes no argument"},
    };
    for (auto const& [text, named] : rows) {
        CAPTURE(text);
        CHECK(contains(refusal_of(text), named));
    }
}

TEST_CASE("FaultRule: a number that makes no sense for its kind is refused with its bounds") {
    for (std::string_view const text : {"* / status:0", "* / status:99", "* / status:199", "* / status:600",
                                        "* / status:1000", "* / html:100", "* / html:999"}) {
        CAPTURE(text);
        CHECK(contains(refusal_of(text), "200 to 599"));
    }
    CHECK(contains(refusal_of("* / page:0"), "1 to"));
    CHECK(contains(refusal_of("* / huge:0"), "huge"));
    CHECK(contains(refusal_of("* / huge:1"), "huge"));
    CHECK(contains(refusal_of("* / delay:99999999999"), "delay"));
    for (std::string_view const text : {"* / status:200", "* / status:599", "* / page:1", "* / huge:2",
                                        "* / delay:0", "* / delay:86400000", "* / drip:0", "* / list-lag:0"})
        CHECK(rule_of(text).to_string() == text);
}

TEST_CASE("FaultRule: a bad count or offset is refused by name") {
    for (std::string_view const word : {"x", "x0", "x-1", "x1.5", "xx1", "X1", "x1x", "x18446744073709551616",
                                        "after", "after=", "after=-1", "after=x", "After=1", "after:1", "1",
                                        "times=2", "xafter=1", "after=18446744073709551616", "stall"}) {
        CAPTURE(word);
        auto const refusal = refusal_of("GET / stall " + std::string(word));
        CHECK(contains(refusal, '"' + std::string(word) + '"'));
        CHECK(contains(refusal, "xN"));
    }
    CHECK(rule_of("GET / stall after=0").after() == 0);
}

TEST_CASE("FaultRule: control characters are refused wherever they are") {
    using std::string_view_literals::operator""sv;
    for (auto const text : {"GET\t/ stall"sv, "GET / stall\n"sv, "GET / redirect:/a\r\nSet-Cookie:b"sv,
                            "GET /\0 stall"sv, "GET / retry-after:\x7F"sv, "\x1B[2J"sv}) {
        CAPTURE(text);
        CHECK(contains(refusal_of(text), "control character"));
    }
}

TEST_CASE("FaultRule: long and hostile text is refused in one short line") {
    std::string const methods(100'000, '(');
    CHECK(refusal_of(methods + " / stall").size() < 1'000);
    CHECK(refusal_of("GET / " + methods).size() < 1'000);
    CHECK(refusal_of("GET / stall " + methods).size() < 1'000);
    CHECK(refusal_of(hostile_text).size() < 1'000);
}

TEST_CASE("FaultRule: a kind that concerns one method is refused for another") {
    static constexpr BadRow rows[] = {
        {"GET / legacy-create", "POST"},
        {"PUT / uid-is-user", "POST"},
        {"DELETE / page:2", "GET"},
        {"POST / list-lag:5", "GET"},
        {"DELETE / strip-annotations", "POST or PUT"},
        {"PATCH / deny-delete", "DELETE"},
        {"POST / deny-list", "GET"},
        {"GET / late-activation:5", "POST"},
    };
    for (auto const& [text, named] : rows) {
        CAPTURE(text);
        CHECK(contains(refusal_of(text), named));
    }
    for (std::string_view const text :
         {"POST / strip-annotations", "PUT / strip-annotations", "* / deny-delete"})
        CHECK(rule_of(text).to_string() == text);
}

TEST_CASE("FaultRule: a depth of zero, which would be no JSON, is refused") {
    CHECK(contains(refusal_of("* / deep:0"), "deep needs a number"));
    CHECK(rule_of("* / deep:1").number() == 1);
}

TEST_CASE("FaultRule: a part of the name of a method that a kind concerns is refused too") {
    for (std::string_view const text :
         {"P / legacy-create", "OR / strip-annotations", "T / strip-annotations", "DELET / deny-delete",
          "ET / page:2", "POS / late-activation:5"}) {
        CAPTURE(text);
        CHECK_FALSE(FaultRule::parse(text).has_value());
    }
}

TEST_CASE("FaultRule: a count or an offset that is given twice is refused") {
    for (std::string_view const text :
         {"GET / stall x1 x2", "GET / stall after=1 after=2", "GET / stall x1 after=1 x1"}) {
        CAPTURE(text);
        CHECK_FALSE(FaultRule::parse(text).has_value());
    }
}

}  // namespace fault_rule_test
