// SPDX-License-Identifier: BSL-1.0
#include "support/printed.hpp"

#include <palette/api_key.hpp>
#include <palette/pending_create.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <concepts>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pending_create_test {

using namespace palette;
using namespace std::chrono_literals;

static_assert(std::copyable<PendingCreate> && std::equality_comparable<PendingCreate>);
static_assert(std::is_nothrow_move_constructible_v<PendingCreate>);

const std::string nonce = "00112233445566778899aabbccddeeff";

Identity caller(std::string user = "user-1", std::string tenant = "tenant-1") {
    Identity by;
    by.user_uid = std::move(user);
    by.tenant_uid = std::move(tenant);
    return by;
}

PendingCreate sample(std::string name = "ci", std::vector<int> attempts = {1, 3}) {
    return PendingCreate(nonce, std::move(name), "owner-1", caller(), Instant(1'790'000'000'123ms),
                         std::move(attempts));
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    auto const at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

TEST_CASE("pending create: of a key that is to be created, the record takes the name and the owner") {
    CHECK(PendingCreate::of_nonce(nonce, NewApiKey("ci"), caller()) ==
          PendingCreate::of_nonce(nonce, "ci", caller()));
    CHECK(PendingCreate::of_nonce(nonce, NewApiKey("ci").for_user("owner-2"), caller()) ==
          PendingCreate::of_nonce(nonce, "ci", caller(), "owner-2"));
    auto const refused = PendingCreate::of_nonce(nonce, NewApiKey("ci").for_user(""), caller());
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == errc::invalid_argument);
    CHECK(refused.error().path() == "ownerUid");
    CHECK(PendingCreate::of_nonce("0", NewApiKey("ci"), caller()).error().path() == "nonce");
}

TEST_CASE("pending create: its text is one line that says what it is, and reads back as it was") {
    CHECK(
        sample().to_text() ==
        R"({"version":1,"nonce":"00112233445566778899aabbccddeeff","name":"ci","ownerUid":"owner-1",)"
        R"("userUid":"user-1","tenantUid":"tenant-1","begun":"2026-09-21T14:13:20.123Z","attempts":[1,3]})");
    for (auto const& pending :
         {sample(), sample("\"quoted\\\" \xC3\xA9 \xF0\x9F\x94\x91 {}[],:"), sample("ci", {1'000'000}),
          sample(std::string(253, '"')), PendingCreate::of_nonce(nonce, "ci", caller()).value(),
          PendingCreate::of_nonce(nonce, "", caller(), "owner-2").value()}) {
        auto const text = pending.to_text();
        CAPTURE(text);
        CHECK(is_one_plain_line(text));
        CHECK(PendingCreate::parse(text) == pending);
        CHECK(is_one_plain_line(printed(pending)));
    }
    auto const tail = replaced(sample().to_text(), ",\"attempts\":[1,3]}", " }\r\n").substr(1);
    CHECK(PendingCreate::parse(" {\n \"attempts\" : [ 1 ,\t3 ] ," + tail) == sample());
}

TEST_CASE("pending create: lines that earlier versions of the library wrote are read") {
    auto const line = [](std::string_view name, std::string_view attempts) {
        return R"({"version":1,"nonce":"00112233445566778899aabbccddeeff","name":)" + std::string(name) +
               R"(,"ownerUid":"owner-1","userUid":"user-1","tenantUid":"tenant-1",)"
               R"("begun":"2026-09-21T14:13:20.123Z","attempts":)" +
               std::string(attempts) + '}';
    };
    CHECK(PendingCreate::parse(line(R"("ci")", "[1,3]")) == sample());
    CHECK(PendingCreate::parse(line(R"("a \"b\" \\ / \\n {}[],:'")", "[1000000]")) ==
          sample("a \"b\" \\ / \\n {}[],:'", {1'000'000}));
    CHECK(PendingCreate::parse(line("\"\xC3\xA9 \xF0\x9F\x94\x91 \xE2\x80\x8B\"", "[1,3]")) ==
          sample("\xC3\xA9 \xF0\x9F\x94\x91 \xE2\x80\x8B"));
    auto const any = PendingCreate::parse(line(R"("ci")", R"("any")"));
    REQUIRE(any);
    CHECK(any->covers_all_attempts());
    CHECK(any->to_text() == line(R"("ci")", R"("any")"));
}

TEST_CASE("pending create: text of any other form is refused, and the field named") {
    struct Row {
        std::string text;
        std::string path;
    };
    auto const good = sample().to_text();
    auto const with = [&](std::string_view from, std::string_view to) { return replaced(good, from, to); };
    auto const deep = std::string(10'000, '[');
    for (auto const& [text, path] : {
             Row{"", ""},
             Row{"null", ""},
             Row{"[]", ""},
             Row{"{}", ""},
             Row{good + "x", ""},
             Row{good + "\\n", ""},
             Row{good + "/* */", ""},
             Row{"\xEF\xBB\xBF" + good, ""},
             Row{"[" + good + "]", ""},
             Row{good + good, ""},
             Row{good.substr(0, good.size() - 1), ""},
             Row{good + std::string(17'000, ' '), ""},
             Row{with("\"version\":1,", ""), ""},
             Row{with("\"version\":1", "\"version\":2"), "version"},
             Row{with("\"version\":1", "\"version\":01"), ""},
             Row{with("\"version\":1", "\"version\":\"1\""), "version"},
             Row{with("\"version\":1", "\"version\":-1"), "version"},
             Row{with("\"version\":1", "\"version\":99999999999999999999"), "version"},
             Row{with("\"version\":1", "\"version\":1,\"version\":1"), "version"},
             Row{with("\"version\":1", "\"version\":1.0"), "version"},
             Row{with("\"version\":1", "\"version\":1e0"), "version"},
             Row{with("\"version\":1", "\"version\":-0"), "version"},
             Row{with("\"version\":1", "\"version\":true"), "version"},
             Row{with("\"version\":1", "\"version\":4294967297"), "version"},
             Row{with("\"version\":1", "\"more\":1,\"version\":1"), "more"},
             Row{with(nonce, nonce.substr(1)), "nonce"},
             Row{with(nonce, nonce + "0"), "nonce"},
             Row{with("aabb", "AABB"), "nonce"},
             Row{with("aabb", "aab-"), "nonce"},
             Row{with("\"" + nonce + "\"", "null"), "nonce"},
             Row{with("\"name\":\"ci\"", "\"name\":7"), "name"},
             Row{with("\"name\":\"ci\"", "\"name\":\"ci\",\"name\":\"ci\""), "name"},
             Row{with("\"name\":\"ci\"", "\"name\":\"a\nb\""), "name"},
             Row{with("\"name\":\"ci\"", "\"name\":\"a\\nb\""), "name"},
             Row{with("\"name\":\"ci\"", "\"name\":\"a\\u0041\""), "name"},
             Row{with("\"name\":\"ci\"", "\"name\":\"a\\/b\""), "name"},
             Row{with("\"name\":\"ci\"", "\"name\":\"a\\"), "name"},
             Row{with("\"name\":\"ci\"", "\"name\":{\"name\":\"ci\"}"), "name"},
             Row{with("\"name\":\"ci\"", "\"name\":\"ci\",\"\\u006eame\":\"ci\""), ""},
             Row{with("\"name\":\"ci\"", "\"name\":\"\x80\""), "name"},
             Row{with("\"name\":\"ci\"", "\"name\":\"" + std::string(254, 'n') + "\""), "name"},
             Row{with("owner-1", "a\x7F"), "ownerUid"},
             Row{with("user-1", "a\x01"), "userUid"},
             Row{with("tenant-1", std::string(254, 't')), "tenantUid"},
             Row{with("user-1", ""), "userUid"},
             Row{with("tenant-1", ""), "tenantUid"},
             Row{with("\"tenantUid\":\"tenant-1\",", ""), ""},
             Row{with("2026-09-21T14:13:20.123Z", "yesterday"), "begun"},
             Row{with("2026-09-21T14:13:20.123Z", "0001-01-01T00:00:00.000Z"), "begun"},
             Row{with("[1,3]", "[]"), "attempts"},
             Row{with("[1,3]", "[0]"), "attempts"},
             Row{with("[1,3]", "[3,1]"), "attempts"},
             Row{with("[1,3]", "[1,1]"), "attempts"},
             Row{with("[1,3]", "[1,]"), "attempts"},
             Row{with("[1,3]", "[1000001]"), "attempts"},
             Row{with("[1,3]", "[\"1\"]"), "attempts"},
             Row{with("[1,3]", "[[1]]"), "attempts"},
             Row{with("[1,3]", "[1,-3]"), "attempts"},
             Row{with("[1,3]", deep), "attempts"},
             Row{with("[1,3]", "\"all\""), "attempts"},
             Row{with("[1,3]", "\"any\",\"attempts\":[1]"), ""},
             Row{with("\"ci\"", "\"ci"), ""},
             Row{std::string("\0", 1), ""},
         }) {
        CAPTURE(text);
        auto const parsed = PendingCreate::parse(text);
        REQUIRE_FALSE(parsed);
        CHECK(parsed.error().code() == errc::invalid_argument);
        CHECK(parsed.error().effect() == Effect::not_applied);
        CHECK(parsed.error().path() == path);
        CHECK(is_one_plain_line(parsed.error().message()));
    }
}

TEST_CASE("pending create: cut anywhere, its text is refused") {
    auto const good = sample().to_text();
    for (std::size_t i = 0; i < good.size(); ++i)
        CHECK_FALSE(PendingCreate::parse(good.substr(0, i)));
}

TEST_CASE("pending create: the mark of an attempt that is pending matches, and nothing like it") {
    auto const pending = sample();
    CHECK(pending.matches(nonce + "-1"));
    CHECK(pending.matches(nonce + "-3"));
    for (std::string const& mark : {nonce + "-2", nonce + "-13", nonce + "-01", nonce + "-1 ", nonce + "-",
                                    nonce, nonce + "1", nonce + "--1", nonce + "-0", nonce + "-+1",
                                    " " + nonce + "-1", nonce + "-99999999999999999999", std::string()}) {
        CAPTURE(mark);
        CHECK_FALSE(pending.matches(mark));
    }
    auto const any = PendingCreate::of_nonce(nonce, "ci", caller()).value();
    CHECK(any.covers_all_attempts());
    CHECK(any.matches(nonce + "-2"));
    CHECK_FALSE(any.matches(nonce + "-0"));
    CHECK_FALSE(any.matches("1" + nonce.substr(1) + "-2"));
}

TEST_CASE("pending create: one that names no attempt cannot be made, since it would name all") {
    CHECK_THROWS_AS(sample("ci", {}), Exception);
}

TEST_CASE("pending create: a nonce of a wrong form, or a name that cannot be, makes none") {
    CHECK(PendingCreate::of_nonce("", "ci", caller()).error().path() == "nonce");
    CHECK(PendingCreate::of_nonce(nonce.substr(0, 31) + "g", "ci", caller()).error().path() == "nonce");
    CHECK(PendingCreate::of_nonce(nonce, "a\nb", caller()).error().path() == "name");
    CHECK(PendingCreate::of_nonce(nonce, "ci", caller(), "\xFF").error().path() == "ownerUid");
}

TEST_CASE("pending create: one of a nonce says who asks for the key, and cannot be made without") {
    auto const pending = PendingCreate::of_nonce(nonce, "ci", caller("ada", "acme")).value();
    CHECK(pending.user_uid() == "ada");
    CHECK(pending.tenant_uid() == "acme");
    CHECK(PendingCreate::parse(pending.to_text()).value().user_uid() == "ada");
    CHECK(PendingCreate::of_nonce(nonce, "ci", Identity()).error().path() == "userUid");
    CHECK(PendingCreate::of_nonce(nonce, "ci", caller("", "acme")).error().path() == "userUid");
    CHECK(PendingCreate::of_nonce(nonce, "ci", caller("ada", "")).error().path() == "tenantUid");
    CHECK(PendingCreate::of_nonce(nonce, "ci", caller("a\nb")).error().path() == "userUid");
}

TEST_CASE("pending create: nonces that are made have the form that is asked for, and differ") {
    std::set<std::string> made;
    for (int i = 0; i < 1'000; ++i)
        made.insert(PendingCreate::make_nonce());
    CHECK(made.size() == 1'000);
    for (auto const& one : made)
        CHECK(PendingCreate::of_nonce(one, "ci", caller()));
}

TEST_CASE("error: what is pending is part of it, compared by value, and said in the message") {
    auto const bare = Error(errc::transport).effect(Effect::unknown);
    auto const one = Error(bare).pending(std::make_shared<const PendingCreate>(sample()));
    auto const same = Error(bare).pending(std::make_shared<const PendingCreate>(sample()));
    auto const other = Error(bare).pending(std::make_shared<const PendingCreate>(sample("other")));
    CHECK_FALSE(bare.pending());
    CHECK(*one.pending() == sample());
    CHECK(one == same);
    CHECK(one != other);
    CHECK(one != bare);
    CHECK(contains(one.message(), "reconcile what is pending"));
    CHECK_FALSE(contains(bare.message(), "reconcile"));
}

TEST_CASE("created key: what is pending is part of it, compared by value") {
    auto const with = [](std::shared_ptr<const PendingCreate> pending) {
        return CreatedApiKey("a", Secret("value"), true, std::move(pending));
    };
    CHECK(with(nullptr) == CreatedApiKey("a", Secret("value"), true));
    CHECK(with(std::make_shared<const PendingCreate>(sample())) ==
          with(std::make_shared<const PendingCreate>(sample())));
    CHECK(with(std::make_shared<const PendingCreate>(sample())) != with(nullptr));
}

TEST_CASE("reconciliation: it prints which keys were removed and which not, on one line") {
    CHECK(printed(Reconciliation({"a", "b"}, {"c"})) == "Reconciliation, removed a b, not removed c");
    CHECK(printed(Reconciliation()) == "Reconciliation, removed none, not removed none");
    CHECK(is_one_plain_line(printed(Reconciliation({hostile_text}))));
    CHECK(Reconciliation({"a"}) != Reconciliation({}, {"a"}));
}

}  // namespace pending_create_test
