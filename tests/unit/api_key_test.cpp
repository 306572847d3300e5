// SPDX-License-Identifier: BSL-1.0
#include "support/printed.hpp"

#include <palette/api_key.hpp>

#include <doctest/doctest.h>

#include <ranges>
#include <string>
#include <type_traits>
#include <vector>

namespace api_key_test {

using palette::ApiKey;
using palette::Expiry;
using palette::Instant;
using palette::KeyList;
using palette::KeyState;
using palette::Owner;
using namespace std::chrono;
using namespace std::chrono_literals;

constexpr Instant now = sys_days{2026y / 11 / 20};

// g++ 12 miscompiles aggregate temporaries in a co_await expression.
static_assert(!std::is_aggregate_v<ApiKey> && !std::is_aggregate_v<Owner> && !std::is_aggregate_v<KeyList>);
static_assert(std::regular<ApiKey> && std::regular<Owner> && std::regular<KeyList>);
static_assert(std::is_nothrow_move_constructible_v<ApiKey> && std::is_nothrow_move_assignable_v<ApiKey>);
static_assert(std::is_nothrow_move_constructible_v<KeyList> && std::is_nothrow_move_assignable_v<KeyList>);
static_assert(std::ranges::random_access_range<KeyList> && std::ranges::sized_range<const KeyList>);
static_assert(std::is_same_v<std::ranges::range_reference_t<const KeyList>, const ApiKey&>);
static_assert(!std::is_convertible_v<std::string, Owner>);

ApiKey key(std::string name) {
    ApiKey k;
    k.uid = "uid-" + name;
    k.name = std::move(name);
    k.is_active = true;
    return k;
}

TEST_CASE("ApiKey: a new one is empty and switched off and never expires") {
    ApiKey const k;
    CHECK(k.uid.empty());
    CHECK(k.name.empty());
    CHECK(k.description.empty());
    CHECK(k.owner == Owner());
    CHECK(k.expiry.is_never());
    CHECK_FALSE(k.is_active);
    CHECK_FALSE(k.created.has_value());
    CHECK_FALSE(k.modified.has_value());
    CHECK_FALSE(k.deleted.has_value());
    CHECK(k.annotations.empty());
    CHECK(k.labels.empty());
}

TEST_CASE("ApiKey: every member counts when two are compared") {
    using Change = void (*)(ApiKey&);
    for (Change const change : std::vector<Change>{
             [](ApiKey& k) { k.uid = "x"; },
             [](ApiKey& k) { k.name = "x"; },
             [](ApiKey& k) { k.description = "x"; },
             [](ApiKey& k) { k.owner.uid = "x"; },
             [](ApiKey& k) { k.owner.first_name = "x"; },
             [](ApiKey& k) { k.owner.last_name = "x"; },
             [](ApiKey& k) { k.expiry = Expiry::at(now); },
             [](ApiKey& k) { k.is_active = false; },
             [](ApiKey& k) { k.created = now; },
             [](ApiKey& k) { k.modified = now; },
             [](ApiKey& k) { k.deleted = now; },
             [](ApiKey& k) { k.annotations.set("a", ""); },
             [](ApiKey& k) { k.labels.set("a", ""); },
         }) {
        auto const a = key("ci");
        auto b = a;
        CHECK(a == b);
        change(b);
        CHECK(a != b);
    }
}

TEST_CASE("KeyState: time passed beats switched off and both beat active") {
    struct Row {
        bool is_active;
        Expiry expiry;
        KeyState expected;
    };
    for (auto const& [is_active, expiry, expected] : {
             Row{true, Expiry::never(), KeyState::active},
             Row{true, Expiry::at(now + 1ms), KeyState::active},
             Row{true, Expiry::at(now), KeyState::expired},
             Row{true, Expiry::at(now - 1ms), KeyState::expired},
             Row{false, Expiry::never(), KeyState::revoked},
             Row{false, Expiry::at(now + 1ms), KeyState::revoked},
             Row{false, Expiry::at(now), KeyState::expired},
             Row{false, Expiry::at(now - 1ms), KeyState::expired},
         }) {
        auto k = key("ci");
        k.is_active = is_active;
        k.expiry = expiry;
        CAPTURE(is_active);
        CAPTURE(expiry);
        CHECK(k.state(now) == expected);
        CHECK(k.state(floor<days>(now)) == expected);
        CHECK(k.state(sys_time<nanoseconds>(now)) == expected);
    }
}

TEST_CASE("KeyState: prints as a word") {
    CHECK(printed(KeyState::active) == "active");
    CHECK(printed(KeyState::revoked) == "revoked");
    CHECK(printed(KeyState::expired) == "expired");
}

TEST_CASE("Owner: prints the uid and as much of a name as there is") {
    CHECK(printed(Owner("u1")) == "u1");
    CHECK(printed(Owner("u1", "Ada")) == "u1 (Ada)");
    CHECK(printed(Owner("u1", "", "Lovelace")) == "u1 (Lovelace)");
    CHECK(printed(Owner("u1", "Ada", "Lovelace")) == "u1 (Ada Lovelace)");
}

TEST_CASE("ApiKey: prints as one line with who and until when") {
    auto k = key("nightly");
    k.owner = Owner("u1", "Ada");
    k.expiry = Expiry::at(now);
    CHECK(printed(k) ==
          "ApiKey uid-nightly \"nightly\", switched on, expires 2026-11-20T00:00:00.000Z, owner u1 (Ada)");
    k.is_active = false;
    k.expiry = Expiry::never();
    CHECK(printed(k) == "ApiKey uid-nightly \"nightly\", switched off, expires never, owner u1 (Ada)");
}

TEST_CASE("ApiKey: texts from outside cannot break its line or fill it") {
    auto k = key(hostile_text);
    k.owner = Owner(hostile_text, hostile_text, hostile_text);
    CHECK(is_one_plain_line(printed(k)));
    CHECK_FALSE(contains(printed(k), "\xc2\x9b"));
    CHECK(printed(k).size() < 800);
    CHECK(is_one_plain_line(printed(KeyList{k, k})));
}

TEST_CASE("KeyList: an empty one has no keys and no time") {
    KeyList const keys;
    CHECK(keys.empty());
    CHECK(keys.size() == 0);
    CHECK((keys.begin() == keys.end()));
    CHECK((keys.as_of() == Instant()));
    CHECK(printed(keys) == "0 keys");
}

TEST_CASE("KeyList: keeps the order it was given and the time of the answer") {
    KeyList keys({key("b"), key("a"), key("b")}, now);
    keys.push_back(key("c"));
    std::string names;
    for (const ApiKey& k : keys)
        names += k.name;
    CHECK(names == "babc");
    CHECK((keys.as_of() == now));
    CHECK(keys.size() == 4);
    CHECK(keys.front().name == "b");
    CHECK(keys.back().name == "c");
    CHECK(keys[1].name == "a");
    CHECK(std::as_const(keys)[1].name == "a");
    CHECK(printed(keys) == "4 keys: \"b\", \"a\", \"b\", \"c\"");
    CHECK(printed(KeyList{key("a")}) == "1 key: \"a\"");
}

TEST_CASE("KeyList: its keys can be changed") {
    std::vector<ApiKey> const source{key("a"), key("b")};
    KeyList keys(source.begin(), source.end(), now);
    for (ApiKey& k : keys)
        k.name += "!";
    keys[0].is_active = false;
    keys.front().description = "first";
    keys.back().description = "last";
    CHECK(keys[0].name == "a!");
    CHECK(keys[0].description == "first");
    CHECK_FALSE(keys[0].is_active);
    CHECK(keys[1].description == "last");
}

TEST_CASE("KeyList: growing leaves the keys where they are") {
    KeyList keys{key("first")};
    auto const* const address = &keys.front();
    for (int i = 0; i < 1'000; ++i)
        keys.push_back(key("k"));
    CHECK(&keys.front() == address);
    CHECK(keys.size() == 1'001);
}

TEST_CASE("KeyList: two are equal if their keys and their time are") {
    CHECK(KeyList({key("a")}, now) == KeyList({key("a")}, now));
    CHECK(KeyList({key("a")}, now) != KeyList({key("a")}, now + 1ms));
    CHECK(KeyList({key("a")}, now) != KeyList({key("b")}, now));
    CHECK(KeyList({key("a")}, now) != KeyList({}, now));
}

}  // namespace api_key_test
