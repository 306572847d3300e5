// SPDX-License-Identifier: BSL-1.0
#include "support/printed.hpp"

#include <palette/user.hpp>

#include <doctest/doctest.h>

#include <concepts>
#include <string>
#include <type_traits>

namespace user_test {

using palette::Identity;
using palette::User;

// g++ 12 miscompiles aggregate temporaries in a co_await expression.
static_assert(!std::is_aggregate_v<User> && !std::is_aggregate_v<Identity>);
static_assert(std::regular<User> && std::regular<Identity>);
static_assert(std::is_nothrow_move_constructible_v<User> && std::is_nothrow_move_constructible_v<Identity>);

template <class T, class Member>
bool counts(Member T::* member, Member other) {
    T a;
    a.*member = std::move(other);
    return a == T(a) && a != T();
}

TEST_CASE("User: is empty and disabled until told otherwise") {
    User const user;
    CHECK(user.uid.empty());
    CHECK(user.roles.empty());
    CHECK_FALSE(user.is_active);
    CHECK_FALSE(user.last_sign_in.has_value());
}

TEST_CASE("User: every member counts when two are compared") {
    CHECK(counts(&User::uid, std::string("x")));
    CHECK(counts(&User::email, std::string("x")));
    CHECK(counts(&User::first_name, std::string("x")));
    CHECK(counts(&User::last_name, std::string("x")));
    CHECK(counts(&User::roles, {"x"}));
    CHECK(counts(&User::is_active, true));
    CHECK(counts(&User::last_sign_in, {palette::Instant{}}));
}

TEST_CASE("Identity: every member counts when two are compared") {
    CHECK(counts(&Identity::user_uid, std::string("x")));
    CHECK(counts(&Identity::tenant_uid, std::string("x")));
    CHECK(counts(&Identity::org_name, std::string("x")));
}

TEST_CASE("User: prints as one line") {
    User user;
    user.uid = "u1";
    user.email = "ada@acme.com";
    CHECK(printed(user) == "User u1 <ada@acme.com>, disabled");
    user.is_active = true;
    CHECK(printed(user) == "User u1 <ada@acme.com>");
    user.uid = user.email = hostile_text;
    CHECK(is_one_plain_line(printed(user)));
    CHECK_FALSE(contains(printed(user), "\xc2\x9b"));
}

TEST_CASE("Identity: prints as one line") {
    Identity identity;
    identity.user_uid = "u1";
    identity.tenant_uid = "t1";
    identity.org_name = "Acme \"East\"";
    CHECK(printed(identity) == "Identity user u1, tenant t1, organisation \"Acme \\\"East\\\"\"");
    identity.user_uid = identity.tenant_uid = identity.org_name = hostile_text;
    CHECK(is_one_plain_line(printed(identity)));
}

}  // namespace user_test
