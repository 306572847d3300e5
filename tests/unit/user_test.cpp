// SPDX-License-Identifier: BSL-1.0
#include "support/printed.hpp"

#include <palette/user.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <concepts>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace user_test {

using palette::Identity;
using palette::User;
using palette::UserList;

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

User user_of(std::string uid) {
    User user;
    user.email = uid + "@acme.com";
    user.uid = std::move(uid);
    return user;
}

TEST_CASE("UserList: it is a range of users, and complete only where it was said to be") {
    UserList const made{{user_of("a"), user_of("b")}, palette::Instant{std::chrono::hours{1}}};
    CHECK(made.size() == 2);
    CHECK(made.front().uid == "a");
    CHECK(made[1].uid == "b");
    CHECK(made.as_of() == palette::Instant{std::chrono::hours{1}});
    CHECK_FALSE(made.total());
    CHECK_FALSE(made.is_complete());
    UserList const read(palette::ListOf<User>{{user_of("a"), user_of("b")}, made.as_of()}, 2, true);
    CHECK(read.total() == 2);
    CHECK(read.is_complete());
    CHECK(read != made);
    CHECK(read == UserList(read));
    CHECK(read != UserList(palette::ListOf<User>(read), 3, true));
    CHECK(read != UserList(palette::ListOf<User>(read), 2, false));
    CHECK(std::vector<User>(read.begin(), read.end()) == std::vector<User>{user_of("a"), user_of("b")});
    CHECK_FALSE(UserList().is_complete());
}

TEST_CASE("UserList: prints as one line, and tells that it is not all") {
    UserList const all(palette::ListOf<User>{{user_of("a"), user_of("b")}}, 2, true);
    CHECK(printed(all) == "2 users: <a@acme.com>, <b@acme.com>");
    UserList const some(palette::ListOf<User>{{user_of("a")}}, 2, false);
    CHECK(printed(some) == "1 user (not all): <a@acme.com>");
    CHECK(is_one_plain_line(printed(UserList{{user_of(hostile_text)}})));
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
