// SPDX-License-Identifier: BSL-1.0
#include "support/printed.hpp"

#include <palette/api_key.hpp>

#include <doctest/doctest.h>

#include <string>
#include <type_traits>
#include <utility>

namespace key_requests_test {

using palette::ApiKey;
using palette::ApiKeyEdit;
using palette::CreatedApiKey;
using palette::Expiry;
using palette::Instant;
using palette::KeyState;
using palette::ListFilter;
using palette::NewApiKey;
using palette::Secret;
using namespace std::chrono;
using namespace std::chrono_literals;

constexpr Instant now = sys_days{2026y / 11 / 20};

// g++ 12 miscompiles aggregate temporaries in a co_await expression.
static_assert(!std::is_aggregate_v<NewApiKey> && !std::is_aggregate_v<ApiKeyEdit>);
static_assert(!std::is_aggregate_v<ListFilter> && !std::is_aggregate_v<CreatedApiKey>);

static_assert(std::copyable<NewApiKey> && std::regular<ApiKeyEdit> && std::regular<ListFilter>);
static_assert(!std::is_default_constructible_v<NewApiKey> && !std::is_convertible_v<std::string, NewApiKey>);
static_assert(!std::copyable<CreatedApiKey> && std::is_nothrow_move_constructible_v<CreatedApiKey>);

template <class T>
constexpr bool chains_on_both = std::is_same_v<decltype(std::declval<T&>().name("")), T&> &&
                                std::is_same_v<decltype(std::declval<T>().name("")), T>;
static_assert(chains_on_both<ApiKeyEdit> && chains_on_both<ListFilter>);
static_assert(std::is_same_v<decltype(std::declval<NewApiKey&>().label("", "")), NewApiKey&>);
static_assert(std::is_same_v<decltype(std::declval<NewApiKey>().label("", "")), NewApiKey>);

// The secret of a temporary moves out of it; one of a variable is only looked at.
static_assert(std::is_same_v<decltype(std::declval<CreatedApiKey>().secret()), Secret>);
static_assert(std::is_same_v<decltype(std::declval<CreatedApiKey&>().secret()), const Secret&>);

TEST_CASE("NewApiKey: has what was set and nothing else") {
    NewApiKey const plain("ci");
    CHECK(plain.name() == "ci");
    CHECK(plain.description().empty());
    CHECK_FALSE(plain.expiry().has_value());
    CHECK(plain.user_uid().empty());
    CHECK(plain.annotations().empty());
    CHECK(plain.labels().empty());

    auto const full = NewApiKey("ci")
                          .description("nightly build")
                          .expires(Expiry::at(now))
                          .for_user("u1")
                          .annotate("scope", "tenant")
                          .label("team", "infra");
    CHECK(full.name() == "ci");
    CHECK(full.description() == "nightly build");
    CHECK(full.expiry() == Expiry::at(now));
    CHECK(full.user_uid() == "u1");
    CHECK(full.annotations() == palette::StringMap{{"scope", "tenant"}});
    CHECK(full.labels() == palette::StringMap{{"team", "infra"}});
}

TEST_CASE("NewApiKey: setters change a variable in place and the last call wins") {
    NewApiKey key("ci");
    auto const& same = key.description("a")
                           .expires(Expiry::never())
                           .for_user("u")
                           .annotate("k", "v")
                           .label("k", "v")
                           .description("b");
    CHECK(&same == &key);
    key.label("k", "w").annotate("k", "x").for_user("u2").expires(Expiry::at(now));
    CHECK(key.description() == "b");
    CHECK(key.labels()["k"] == "w");
    CHECK(key.annotations()["k"] == "x");
    CHECK(key.user_uid() == "u2");
    CHECK(key.expiry() == Expiry::at(now));
}

TEST_CASE("NewApiKey: never expiring is not the same as saying nothing") {
    CHECK(NewApiKey("ci").expires(Expiry::never()) != NewApiKey("ci"));
    CHECK(NewApiKey("ci").expires(Expiry::never()).expiry() == Expiry::never());
}

TEST_CASE("NewApiKey: of a length of life and an expiry, the last one counts") {
    using namespace std::chrono_literals;
    auto const later = now + 1000h;
    auto const lives = NewApiKey("ci").expires(Expiry::at(now)).lives_for(2h);
    CHECK(lives.lifetime() == 2h);
    CHECK_FALSE(lives.expiry());
    CHECK(lives.expiry_at(later) == Expiry::at(later + 2h));
    auto const expires = NewApiKey("ci").lives_for(2h).expires(Expiry::at(now));
    CHECK_FALSE(expires.lifetime());
    CHECK(expires.expiry_at(later) == Expiry::at(now));
    CHECK(NewApiKey("ci").expires(Expiry::never()).expiry_at(later).is_never());
    CHECK(NewApiKey("ci").expiry_at(later) == Expiry::at(later + 24h * 30));
    CHECK(NewApiKey("ci").lives_for(std::chrono::milliseconds::max()).expiry_at(later) ==
          Expiry::in(std::chrono::milliseconds::max(), later));
    CHECK(lives != NewApiKey("ci"));
    auto key = NewApiKey("ci");
    CHECK(&key.lives_for(1s) == &key);
    CHECK(printed(key) == "NewApiKey \"ci\", lives for 1000 ms");
}

TEST_CASE("NewApiKey: the user of an empty uid is not the same as nobody in particular") {
    CHECK_FALSE(NewApiKey("ci").names_user());
    CHECK(NewApiKey("ci").for_user("u").names_user());
    CHECK(NewApiKey("ci").for_user("").names_user());
    CHECK(NewApiKey("ci").for_user("") != NewApiKey("ci"));
    CHECK(printed(NewApiKey("ci").for_user("")) == "NewApiKey \"ci\", for user ");
}

TEST_CASE("W5: annotating the description is describing") {
    auto const key = NewApiKey("ci").annotate("description", "text").annotate("Description", "other");
    CHECK(key.description() == "text");
    CHECK_FALSE(key.annotations().contains("description"));
    CHECK(key.annotations()["Description"] == "other");
    CHECK(key == NewApiKey("ci").annotate("Description", "other").description("text"));
}

TEST_CASE("NewApiKey: its own texts can be set again") {
    auto key = NewApiKey("ci").label("a", "value").label("b", "other");
    key.label("c", key.labels()["a"]).label(key.labels()["b"], key.labels()["a"]);
    CHECK(key.labels() ==
          palette::StringMap{{"a", "value"}, {"b", "other"}, {"c", "value"}, {"other", "value"}});
    key.annotate("x", "text").annotate("description", key.annotations()["x"]);
    CHECK(key.description() == "text");
}

TEST_CASE("NewApiKey: prints what was set as one line") {
    CHECK(printed(NewApiKey("ci")) == "NewApiKey \"ci\"");
    CHECK(printed(NewApiKey("ci")
                      .description("d")
                      .expires(Expiry::never())
                      .for_user("u")
                      .annotate("a", "b")
                      .label("c", "e")) ==
          "NewApiKey \"ci\", description \"d\", expires never, for user u, "
          "annotations {\"a\": \"b\"}, labels {\"c\": \"e\"}");
    auto const line = printed(NewApiKey(hostile_text)
                                  .description(hostile_text)
                                  .for_user(hostile_text)
                                  .annotate(hostile_text, hostile_text)
                                  .label(hostile_text, hostile_text));
    CHECK(is_one_plain_line(line));
    CHECK_FALSE(contains(line, "\xc2\x9b"));
    CHECK(line.size() < 1'000);
}

TEST_CASE("ApiKeyEdit: tells not edited from cleared") {
    CHECK(ApiKeyEdit().empty());
    CHECK_FALSE(ApiKeyEdit().description("").empty());
    CHECK(ApiKeyEdit().description("").description() == "");
    CHECK_FALSE(ApiKeyEdit().description().has_value());
    CHECK(ApiKeyEdit().description("") != ApiKeyEdit());
    CHECK_FALSE(ApiKeyEdit().name("").empty());
    CHECK_FALSE(ApiKeyEdit().expires(Expiry::never()).empty());
    CHECK(ApiKeyEdit().expires(Expiry::never()).expiry() == Expiry::never());
    CHECK_FALSE(ApiKeyEdit().expiry().has_value());
}

TEST_CASE("ApiKeyEdit: changes what it names and leaves the rest") {
    ApiKey key;
    key.uid = "k1";
    key.name = "old";
    key.description = "text";
    key.is_active = true;
    key.expiry = Expiry::at(now);
    key.labels.set("a", "b");
    CHECK(ApiKeyEdit().applied_to(key) == key);

    auto expected = key;
    expected.expiry = Expiry::never();
    CHECK(ApiKeyEdit().expires(Expiry::never()).applied_to(key) == expected);

    expected.name = "new";
    expected.description = "";
    ApiKeyEdit edit;
    edit.name("new").description("").expires(Expiry::never());
    CHECK(edit.applied_to(key) == expected);
    CHECK(edit.applied_to(expected) == expected);
}

TEST_CASE("ApiKeyEdit: prints what it changes as one line") {
    CHECK(printed(ApiKeyEdit()) == "ApiKeyEdit of nothing");
    CHECK(printed(ApiKeyEdit().description("")) == "ApiKeyEdit, description \"\"");
    CHECK(printed(ApiKeyEdit().name("n").expires(Expiry::never())) ==
          "ApiKeyEdit, name \"n\", expires never");
    CHECK(is_one_plain_line(printed(ApiKeyEdit().name(hostile_text).description(hostile_text))));
}

TEST_CASE("ListFilter: within a duration end the keys that have at most that left, and those that ended") {
    auto const filter = ListFilter().expires_within(days{7});
    auto const ends = [](Expiry expiry) {
        ApiKey key;
        key.expiry = expiry;
        key.is_active = true;
        return key;
    };
    CHECK(filter.matches(ends(Expiry::in(days{7}, now)), now));
    CHECK_FALSE(filter.matches(ends(Expiry::in(days{7} + 1ms, now)), now));
    CHECK(filter.matches(ends(Expiry::in(-days{1}, now)), now));
    CHECK_FALSE(ListFilter(filter).state(KeyState::active).matches(ends(Expiry::in(-days{1}, now)), now));
    CHECK_FALSE(filter.matches(ends(Expiry::never()), now));
    CHECK_FALSE(
        ListFilter().expires_within(std::chrono::milliseconds::max()).matches(ends(Expiry::never()), now));
    CHECK(printed(filter) == "ListFilter, expires within 604800000 ms");
    CHECK(filter != ListFilter());
}

TEST_CASE("ListFilter: a key must meet every condition that is set") {
    ApiKey key;
    key.name = "ci";
    key.owner.uid = "u1";
    key.is_active = true;
    key.expiry = Expiry::at(now + 1h);

    CHECK(ListFilter().matches(key, now));
    CHECK(ListFilter().matches(ApiKey(), now));
    CHECK(ListFilter()
              .name("ci")
              .owner("u1")
              .state(KeyState::active)
              .expires_before(now + 2h)
              .matches(key, now));
    CHECK_FALSE(ListFilter().name("CI").matches(key, now));
    CHECK_FALSE(ListFilter().name("c").matches(key, now));
    CHECK_FALSE(ListFilter().name("").matches(key, now));
    CHECK_FALSE(ListFilter().owner("u2").matches(key, now));
    CHECK_FALSE(ListFilter().owner("").matches(key, now));
    CHECK_FALSE(ListFilter().state(KeyState::revoked).matches(key, now));
    CHECK_FALSE(ListFilter().name("ci").owner("u1").state(KeyState::expired).matches(key, now));
    CHECK_FALSE(ListFilter().name("other").state(KeyState::active).matches(key, now));
    CHECK(ListFilter().owner("").matches(ApiKey(), now));
}

TEST_CASE("ListFilter: the state is judged at the given time") {
    ApiKey key;
    key.is_active = true;
    key.expiry = Expiry::at(now);
    auto const active = ListFilter().state(KeyState::active);
    CHECK(active.matches(key, now - 1ns));
    CHECK_FALSE(active.matches(key, now));
    CHECK(ListFilter().state(KeyState::expired).matches(key, sys_days{2026y / 11 / 21}));
}

TEST_CASE("ListFilter: what expires before a time does not expire at it or never") {
    ApiKey key;
    key.expiry = Expiry::at(now);
    CHECK(ListFilter().expires_before(now + 1ms).matches(key, now));
    CHECK_FALSE(ListFilter().expires_before(now).matches(key, now));
    CHECK(ListFilter().expires_before(sys_days{2026y / 11 / 21}).matches(key, now));
    CHECK(ListFilter().expires_before(Expiry::never()).matches(key, now));

    key.expiry = Expiry::never();
    CHECK_FALSE(ListFilter().expires_before(now + 1ms).matches(key, now));
    CHECK_FALSE(ListFilter().expires_before(Expiry::never()).matches(key, now));
    CHECK_FALSE(ListFilter().expires_before(sys_time<hours>::max()).matches(key, now));
}

TEST_CASE("ListFilter: is set in place and compared and printed") {
    ListFilter filter;
    filter.name("n").owner("u").state(KeyState::revoked).expires_before(Expiry::never()).expires_before(now);
    CHECK(filter ==
          ListFilter().name("n").owner("u").state(KeyState::revoked).expires_before(Expiry::at(now)));
    CHECK(filter != ListFilter());
    CHECK(ListFilter().name("") != ListFilter());
    CHECK(printed(filter) ==
          "ListFilter, name \"n\", owner u, revoked, expires before 2026-11-20T00:00:00.000Z");
    CHECK(printed(ListFilter()) == "ListFilter");
    CHECK(is_one_plain_line(printed(ListFilter().name(hostile_text).owner(hostile_text))));
}

TEST_CASE("CreatedApiKey: shows its value and gives it away once") {
    CreatedApiKey created("k1", Secret("hunter2"), true);
    CHECK(created.uid() == "k1");
    CHECK(created.confirmed());
    CHECK(created.secret().expose() == "hunter2");
    CHECK(created == CreatedApiKey("k1", Secret("hunter2"), true));
    CHECK(created != CreatedApiKey("k1", Secret("hunter3"), true));
    CHECK(created != CreatedApiKey("k2", Secret("hunter2"), true));
    CHECK(created != CreatedApiKey("k1", Secret("hunter2"), false));

    auto const secret = std::move(created).secret();
    CHECK(secret.expose() == "hunter2");
    CHECK(created.secret().empty());  // NOLINT(bugprone-use-after-move)
}

TEST_CASE("CreatedApiKey: prints without its value") {
    CHECK(printed(CreatedApiKey("k1", Secret("hunter2"), true)) ==
          "CreatedApiKey k1, confirmed, value withheld");
    CHECK(printed(CreatedApiKey("k1", Secret("hunter2"), false)) ==
          "CreatedApiKey k1, not confirmed, value withheld");
    CHECK(is_one_plain_line(printed(CreatedApiKey(hostile_text, Secret(hostile_text), true))));
}

}  // namespace key_requests_test
