// SPDX-License-Identifier: BSL-1.0
#include "support/one_attempt.hpp"
#include "support/printed.hpp"
#include "support/scripted_client.hpp"

#include <palette/blocking_client.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace list_users_test {

using namespace palette;
using namespace std::chrono_literals;
using testing::Emulator;
using testing::EmulatorOptions;
using testing::NewTestUser;
using testing::RateLimit;
using testing::Role;
using Client = BlockingApiKeyClient;

EmulatorOptions plain_http(std::shared_ptr<Clock> clock = nullptr) {
    return {.plain_http = true, .rate_limit = RateLimit::off(), .clock = std::move(clock)};
}

std::vector<std::string> uids_of(const UserList& users) {
    std::vector<std::string> uids;
    for (auto const& user : users)
        uids.push_back(user.uid);
    return uids;
}

TEST_CASE("list_users: everybody is read, over all pages, with the total and the service's time") {
    auto const clock = std::make_shared<testing::ManualClock>();
    Emulator emulator(plain_http(clock));
    std::vector<std::string> wanted;
    for (auto const role : {Role::tenant_admin, Role::tenant_user_admin, Role::tenant_viewer, Role::user})
        wanted.push_back(emulator.user(role).uid);
    for (int i = 0; i < 120; ++i)
        wanted.push_back(emulator.add_user({.email = "more" + std::to_string(i) + "@acme.test"}).uid);
    Client client(one_attempt(emulator.client_options(Role::tenant_admin)));
    auto const users = client.list_users();
    REQUIRE(users);
    CHECK(uids_of(*users) == wanted);
    CHECK(users->total() == 124);
    CHECK(users->is_complete());
    CHECK(users->as_of() == std::chrono::floor<std::chrono::seconds>(clock->now()));
    CHECK(emulator.request_count() == 3);
    for (auto const& request : emulator.requests())
        CHECK(request.query["limit"] == "50");
}

TEST_CASE("list_users: each user has what the service tells, and not the link that activates the account") {
    Emulator emulator(plain_http());
    auto const seen = Instant(std::chrono::sys_days{std::chrono::year{2025} / 3 / 1});
    auto const pending = emulator.add_user(
        NewTestUser{.email = "new@acme.test", .first_name = "Nina", .last_name = "New"}.pending());
    auto const known = emulator.add_user(
        NewTestUser{.email = "old@acme.test", .role = Role::tenant_viewer}.last_sign_in(seen));
    Client client(one_attempt(emulator.client_options(Role::tenant_admin)));
    auto const users = client.list_users().value();
    REQUIRE(users.size() == 6);
    User expected;
    expected.uid = pending.uid;
    expected.email = "new@acme.test";
    expected.first_name = "Nina";
    expected.last_name = "New";
    expected.roles = {"user"};
    CHECK(users[4] == expected);
    CHECK(users[5].is_active);
    CHECK(users[5].last_sign_in == seen);
    CHECK(users[5].roles == std::vector<std::string>{"tenant_viewer"});
    CHECK(client.get_user(known.uid).value() == users[5]);
    CHECK(client.get_user(pending.uid).value() == expected);
}

std::string page(const std::vector<std::string>& uids, std::string_view next, std::string_view count) {
    std::string body = R"({"items":[)";
    for (auto const& uid : uids)
        body += (body.ends_with('[') ? "" : ",") + (R"({"metadata":{"uid":")" + uid + "\"}}");
    body += R"(],"listmeta":{"continue":")" + std::string(next) + '"';
    if (!count.empty()) body += R"(,"count":)" + std::string(count);
    return body + "}}";
}

Result<UserList> list_users(ScriptedClient& service) {
    return service.run<UserList>([](auto& client, auto keep) { client.async_list_users(keep); });
}

TEST_CASE("list_users: a list is complete only if as many different users came as the service says") {
    struct Row {
        const char* title;
        std::vector<std::string> first, second;
        const char* first_count;
        const char* second_count;
        std::optional<std::size_t> total;
        bool is_complete;
    };
    for (auto const& row : {
             Row{"all came", {"a", "b"}, {"c"}, "3", "3", 3, true},
             Row{"more came than there were", {"a", "b"}, {"c"}, "2", "2", 2, true},
             Row{"no total", {"a", "b"}, {"c"}, "", "", std::nullopt, true},
             Row{"a total of null", {"a", "b"}, {"c"}, "null", "null", std::nullopt, true},
             Row{"one is withheld", {"a", "b"}, {"c"}, "4", "4", 4, false},
             Row{"one came twice, so that another may have been missed",
                 {"a", "b"},
                 {"b"},
                 "3",
                 "3",
                 3,
                 false},
             Row{"one was added meanwhile and not seen", {"a", "b"}, {"c"}, "3", "4", 4, false},
             Row{"one was removed meanwhile, which may hide another", {"a"}, {"b"}, "3", "2", 3, false},
             Row{"the total of one page is missing", {"a", "b"}, {"c"}, "4", "", 4, false},
         }) {
        CAPTURE(row.title);
        ScriptedClient service;
        service.expect("GET /v1/users?limit=50").answer(200, page(row.first, "2", row.first_count));
        service.expect("GET /v1/users?limit=50&continue=2")
            .answer(200, page(row.second, "", row.second_count));
        auto const users = list_users(service);
        REQUIRE(users);
        CHECK(users->total() == row.total);
        CHECK(users->is_complete() == row.is_complete);
        CHECK(users->size() == row.first.size() + row.second.size());
    }
}

TEST_CASE("list_users: a total that is no whole number is an error that names it") {
    for (std::string const count : {"\"3\"", "-1", "1.5", "3e99", "true", "[]", "{}"}) {
        CAPTURE(count);
        ScriptedClient service;
        service.expect("GET /v1/users?limit=50").answer(200, page({"a"}, "", count));
        auto const users = list_users(service);
        REQUIRE_FALSE(users);
        CHECK(users.error().code() == errc::wrong_type);
        CHECK(users.error().path() == "listmeta.count");
        CHECK(contains(users.error().what(), "expected a whole number, not negative"));
    }
}

TEST_CASE("list_users: a page that fails leaves no list, and a role that may not list is told so") {
    Emulator emulator(plain_http());
    emulator.faults().add("GET /v1/users page:1");
    emulator.faults().add("GET /v1/users status:503 x1 after=2");
    Client client(one_attempt(emulator.client_options(Role::tenant_admin)));
    auto const users = client.list_users();
    REQUIRE_FALSE(users);
    CHECK(users.error().code() == errc::unavailable);
    CHECK(users.error().operation() == "list_users");
    CHECK(users.error().attempts() == 3);
    CHECK(client.list_users().value().size() == 4);

    Client plain(one_attempt(emulator.client_options(Role::user)));
    CHECK(plain.list_users().error().code() == errc::forbidden);
    Client viewer(one_attempt(emulator.client_options(Role::tenant_viewer)));
    CHECK(viewer.list_users().value().is_complete());
}

TEST_CASE("get_user: an unknown uid is a user who is not there, and the error speaks of no key") {
    Emulator emulator(plain_http());
    auto const gone = emulator.add_user({.email = "gone@acme.test"}).uid;
    emulator.remove_user(gone);
    Client client(one_attempt(emulator.client_options(Role::tenant_admin)));
    auto const user = client.get_user(gone);
    REQUIRE_FALSE(user);
    CHECK(user.error().code() == errc::not_found);
    CHECK(user.error().key_uid().empty());
    CHECK(contains(user.error().message(), "there is no such user"));
    CHECK(contains(user.error().message(), "the user may have been removed"));
    CHECK_FALSE(contains(user.error().message(), "key"));
    CHECK(user.error().server_code() == "ResourceNotFound");

    auto const& other = emulator.user(Role::tenant_admin).uid;
    Client plain(one_attempt(emulator.client_options(Role::user)));
    CHECK(plain.get_user(other).error().code() == errc::forbidden);
    auto const& own = emulator.user(Role::user).uid;
    CHECK(plain.get_user(own).value().uid == own);
}

TEST_CASE("get_user: what is no uid is refused before anything is sent") {
    ScriptedClient service;
    for (std::string const uid : {"", ".", "..", "a/b", "a?b", "a b", "\xff"}) {
        CAPTURE(uid);
        auto const user = service.run<User>([&](auto& c, auto keep) { c.async_get_user(uid, keep); });
        REQUIRE_FALSE(user);
        CHECK(user.error().code() == errc::invalid_argument);
        CHECK(user.error().path() == "uid");
    }
    CHECK(service.requests().empty());
}

TEST_CASE("get_user: a response about another user, or about nobody, is an error") {
    for (std::string const answer : {R"({})", R"({"metadata":{"uid":"b"}})", R"({"metadata":{"uid":"A"}})",
                                     // What "/v1/users/info" answers with.
                                     R"({"userUid":"a","tenantUid":"t"})"}) {
        CAPTURE(answer);
        ScriptedClient service;
        service.expect("GET /v1/users/a").answer(200, answer);
        auto const user = service.run<User>([](auto& c, auto keep) { c.async_get_user("a", keep); });
        REQUIRE_FALSE(user);
        CHECK(user.error().code() == errc::bad_value);
        CHECK(user.error().path() == "metadata.uid");
        CHECK(user.error().status() == 200);
        CHECK(contains(user.error().what(), "user"));
    }
}

TEST_CASE("W21: no project is named in a request about users, events or limits") {
    Emulator emulator(plain_http());
    Client client(one_attempt(emulator.client_options(Role::tenant_admin)));
    CHECK(client.list_users());
    CHECK(client.get_user(emulator.user(Role::user).uid));
    CHECK(client.list_audit_events(AuditEventFilter()));
    CHECK(client.key_limit());
    CHECK(emulator.request_count() == 5);
    for (auto const& request : emulator.requests())
        CHECK_FALSE(request.headers.contains("projectuid"));
}

}  // namespace list_users_test
