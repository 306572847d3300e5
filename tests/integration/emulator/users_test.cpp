// SPDX-License-Identifier: BSL-1.0
#include "support/raw_http.hpp"

#include <palette/error.hpp>
#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace users_test {

using namespace palette;
using testing::Emulator;
using testing::RateLimit;
using testing::Role;
namespace json = boost::json;

struct UsersScene {
    std::shared_ptr<testing::ManualClock> clock = std::make_shared<testing::ManualClock>();
    Emulator emulator{{.plain_http = true, .rate_limit = RateLimit::off(), .clock = clock}};
    raw::Client admin{emulator, emulator.user(Role::tenant_admin).api_key.expose()};

    // Uids of those added, in the order of adding.
    std::vector<std::string> add_users(int count) {
        std::vector<std::string> uids;
        for (int i = 1; i <= count; ++i)
            uids.push_back(emulator.add_user({.email = "more" + std::to_string(i) + "@acme.test"}).uid);
        return uids;
    }

    json::object users(const std::string& query = {}) {
        auto const response = admin.get("/v1/users" + query);
        REQUIRE(response.status == 200);
        return json::parse(response.body).as_object();
    }
};

std::vector<std::string> uids_of(const json::object& list) {
    std::vector<std::string> uids;
    for (auto const& item : list.at("items").as_array())
        uids.emplace_back(item.at("metadata").at("uid").as_string());
    return uids;
}

std::string continue_of(const json::object& list) {
    return std::string(list.at("listmeta").at("continue").as_string());
}

// What a client sees that follows "continue" to its end.
std::vector<std::string> uids_of_all_pages(UsersScene& scene, const std::string& query) {
    std::vector<std::string> all;
    std::string next;
    do {
        auto const page = scene.users(query + (next.empty() ? "" : "&continue=" + next));
        for (auto& uid : uids_of(page))
            all.push_back(std::move(uid));
        next = continue_of(page);
    } while (!next.empty() && all.size() < 1'000);
    return all;
}

std::size_t keys_seen_by(raw::Client& client) {
    auto const response = client.get("/v1/apiKeys");
    REQUIRE(response.status == 200);
    return json::parse(response.body).at("items").as_array().size();
}

TEST_CASE("users: a list is cut at fifty, and continues at its token") {
    UsersScene scene;
    auto const added = scene.add_users(120);

    auto const first = scene.users();
    CHECK(uids_of(first).size() == 50);
    CHECK(first.at("listmeta").at("count").to_number<int>() == 124);
    CHECK(first.at("listmeta").at("limit").to_number<int>() == 50);
    CHECK(first.at("listmeta").at("offset").to_number<int>() == 50);
    auto const second = scene.users("?limit=50&continue=" + continue_of(first));
    CHECK(uids_of(second).size() == 50);
    CHECK(second.at("listmeta").at("offset").to_number<int>() == 100);
    auto const third = scene.users("?limit=50&continue=" + continue_of(second));
    CHECK(uids_of(third).size() == 24);
    CHECK(third.at("listmeta").at("count").to_number<int>() == 124);
    CHECK(continue_of(third).empty());

    std::vector<std::string> wanted;
    for (auto const role : {Role::tenant_admin, Role::tenant_user_admin, Role::tenant_viewer, Role::user})
        wanted.push_back(scene.emulator.user(role).uid);
    wanted.insert(wanted.end(), added.begin(), added.end());
    auto all = uids_of(first);
    for (auto const* const page : {&second, &third})
        std::ranges::copy(uids_of(*page), std::back_inserter(all));
    std::ranges::sort(all);
    std::ranges::sort(wanted);
    CHECK(all == wanted);
}

TEST_CASE("users: every limit gives everybody once") {
    UsersScene scene;
    scene.add_users(56);
    auto const everybody = uids_of_all_pages(scene, "?limit=50");
    CHECK(everybody.size() == 60);
    for (std::string const query :
         {"?limit=1", "?limit=7", "?limit=20", "?limit=59", "?limit=60", "?limit=5000", "?x=y"}) {
        CAPTURE(query);
        CHECK(uids_of_all_pages(scene, query) == everybody);
    }
    CHECK(uids_of(scene.users("?limit=7")).size() == 7);
    CHECK(uids_of(scene.users("?limit=5000")).size() == 50);
    CHECK(continue_of(scene.users("?limit=50")) != "");
}

TEST_CASE("users: a page that is exactly full is the last one if nobody is left") {
    UsersScene scene;
    scene.add_users(46);
    auto const list = scene.users("?limit=50");
    CHECK(uids_of(list).size() == 50);
    CHECK(continue_of(list).empty());
}

TEST_CASE("users: an offset skips so many") {
    UsersScene scene;
    scene.add_users(120);
    auto const everybody = uids_of_all_pages(scene, "?limit=50");
    struct Row {
        std::string query;
        std::size_t from;
        std::size_t to;
    };
    for (auto const& [query, from, to] :
         {Row{"?offset=0", 0, 50}, Row{"?offset=50", 50, 100}, Row{"?limit=10&offset=3", 3, 13},
          Row{"?offset=100", 100, 124}, Row{"?offset=124", 124, 124}, Row{"?offset=9999", 124, 124},
          Row{"?limit=50&offset=50&continue=", 50, 100}}) {
        CAPTURE(query);
        auto const list = scene.users(query);
        CHECK(uids_of(list) == std::vector(everybody.begin() + static_cast<std::ptrdiff_t>(from),
                                           everybody.begin() + static_cast<std::ptrdiff_t>(to)));
        CHECK(list.at("listmeta").at("offset").to_number<std::size_t>() >= to);
        CHECK(continue_of(list).empty() == (to == 124));
    }
}

TEST_CASE("users: no user is missed or listed twice while others are added and removed between two pages") {
    UsersScene scene;
    auto const added = scene.add_users(96);
    auto const first = scene.users("?limit=50");
    scene.emulator.remove_user(added[0]);
    scene.emulator.remove_user(added[45]);
    scene.emulator.remove_user(added[95]);
    auto const late = scene.emulator.add_user({.email = "late@acme.test"}).uid;

    auto seen = uids_of(first);
    auto const second = scene.users("?limit=50&continue=" + continue_of(first));
    for (auto& uid : uids_of(second))
        seen.push_back(std::move(uid));
    for (std::size_t i = 1; i < 95; ++i)
        CHECK(std::ranges::count(seen, added[i]) == 1);
    CHECK(std::ranges::count(seen, added[95]) == 0);
    CHECK(std::ranges::count(seen, late) == 1);
}

TEST_CASE("users: a user is shown with names, roles and the time of the last sign-in") {
    UsersScene scene;
    auto const added = scene.emulator.add_user(
        {.email = "Zoë.Q@acme.test", .role = Role::tenant_viewer, .first_name = "Zo\"ë\\", .last_name = "Q"});
    auto const shown = [&] { return scene.users("?offset=4").at("items").at(0).as_object(); };
    auto const before = shown();
    CHECK(before.at("metadata").at("uid").as_string() == std::string_view(added.uid));
    CHECK_FALSE(before.at("metadata").at("name").as_string().empty());
    auto const& spec = before.at("spec").as_object();
    CHECK(spec.at("emailId").as_string() == "Zoë.Q@acme.test");
    CHECK(spec.at("firstName").as_string() == "Zo\"ë\\");
    CHECK(spec.at("lastName").as_string() == "Q");
    CHECK(spec.at("roles") == json::array{"tenant_viewer"});
    CHECK(before.at("status").at("isActive").as_bool());
    CHECK(before.at("status").at("lastSignIn").as_string() == "0001-01-01T00:00:00.000Z");
    CHECK(json::serialize(before).find(added.password.expose()) == std::string::npos);

    scene.clock->set(std::chrono::sys_days{std::chrono::year{2031} / 2 / 3} + std::chrono::hours{4});
    (void)scene.emulator.sign_in(added.uid);
    CHECK(shown().at("status").at("lastSignIn").as_string() == "2031-02-03T04:00:00.000Z");
    scene.emulator.set_role(added.uid, Role::tenant_admin);
    CHECK(shown().at("spec").at("roles") == json::array{"tenant_admin"});
}

TEST_CASE("users: info says who asks, in which tenant and organisation") {
    Emulator emulator({.plain_http = true, .org = "Büro \"7\"", .rate_limit = RateLimit::off()});
    for (auto const role : {Role::tenant_admin, Role::tenant_user_admin, Role::tenant_viewer, Role::user}) {
        raw::Client client(emulator, emulator.user(role).api_key.expose());
        auto const info = client.get("/v1/users/info");
        CHECK(info.status == 200);
        CHECK(json::parse(info.body) == json::object{{"userUid", emulator.user(role).uid},
                                                     {"tenantUid", emulator.tenant_uid()},
                                                     {"orgName", emulator.org()}});
    }
}

TEST_CASE("users: a role that changes is felt at once by living keys and tokens") {
    UsersScene scene;
    auto const& user = scene.emulator.user(Role::user);
    raw::Client key(scene.emulator, user.api_key.expose());
    raw::Client token(scene.emulator, "Authorization", scene.emulator.sign_in(user.uid));
    auto const foreign =
        "/v1/apiKeys/" + scene.emulator.seed_key(NewApiKey("a")).uid();  // the tenant admin's
    for (auto* const client : {&key, &token}) {
        scene.emulator.set_role(user.uid, Role::user);
        CHECK(keys_seen_by(*client) == 1);
        CHECK(client->get(foreign).status == 403);
        CHECK(client->get("/v1/users").status == 403);

        scene.emulator.set_role(user.uid, Role::tenant_viewer);
        CHECK(keys_seen_by(*client) == 5);
        CHECK(client->get(foreign).status == 200);
        CHECK(client->patch(foreign, R"({"isActive":true})").status == 403);
        CHECK(client->get("/v1/users").status == 200);

        scene.emulator.set_role(user.uid, Role::tenant_user_admin);
        CHECK(client->patch(foreign, R"({"isActive":true})").status == 204);
    }

    auto const& admin = scene.emulator.user(Role::tenant_admin);
    scene.emulator.set_role(admin.uid, Role::user);
    CHECK(scene.admin.get("/v1/users").status == 403);
    CHECK(scene.admin.get(foreign).status == 200);
    CHECK(keys_seen_by(scene.admin) == 2);
}

TEST_CASE("users: groups of single sign-on are felt from the next sign-in on, and not before") {
    UsersScene scene;
    auto const user = scene.emulator.add_user({.email = "sso@acme.test", .single_sign_on = true});
    CHECK(user.password.empty());
    auto const made = scene.emulator.seed_key(NewApiKey("key").for_user(user.uid));
    raw::Client key(scene.emulator, made.secret().expose());
    auto const old_token = scene.emulator.sign_in(user.uid);
    raw::Client old(scene.emulator, "Authorization", old_token.expose());

    scene.emulator.set_group_role(user.uid, Role::tenant_admin);
    scene.clock->advance(std::chrono::minutes{5});
    CHECK(key.get("/v1/users").status == 403);
    CHECK(old.get("/v1/users").status == 403);
    // No login.
    CHECK(old.get("/v1/auth/refresh/" + std::string(old_token.expose())).status == 200);
    CHECK(key.get("/v1/users").status == 403);

    raw::Client anew(scene.emulator, "Authorization", scene.emulator.sign_in(user.uid));
    for (auto* const client : {&anew, &old, &key})
        CHECK(client->get("/v1/users").status == 200);

    scene.emulator.set_group_role(user.uid, Role::user);
    CHECK(key.get("/v1/users").status == 200);
    (void)scene.emulator.sign_in(user.uid);
    for (auto* const client : {&anew, &old, &key})
        CHECK(client->get("/v1/users").status == 403);
}

TEST_CASE("users: a role given to a single sign-on user is felt at once, and gives way at the next sign-in") {
    UsersScene scene;
    auto const uid = scene.emulator.add_user({.email = "sso@acme.test", .single_sign_on = true}).uid;
    raw::Client token(scene.emulator, "Authorization", scene.emulator.sign_in(uid));
    scene.emulator.set_role(uid, Role::tenant_admin);
    CHECK(token.get("/v1/users").status == 200);
    (void)scene.emulator.sign_in(uid);
    CHECK(token.get("/v1/users").status == 403);
}

TEST_CASE("users: groups mean nothing for a local user") {
    UsersScene scene;
    auto const& user = scene.emulator.user(Role::user);
    scene.emulator.set_group_role(user.uid, Role::tenant_admin);
    raw::Client token(scene.emulator, "Authorization", scene.emulator.sign_in(user.uid));
    CHECK(token.get("/v1/users").status == 403);
}

TEST_CASE("users: a local user who is removed takes their keys and tokens along") {
    UsersScene scene;
    auto const user = scene.emulator.add_user({.email = "leaver@acme.test"});
    auto const first = scene.emulator.seed_key(NewApiKey("first").for_user(user.uid));
    auto const second = scene.emulator.seed_key(NewApiKey("second").for_user(user.uid));
    raw::Client key(scene.emulator, first.secret().expose());
    raw::Client token(scene.emulator, "Authorization", scene.emulator.sign_in(user.uid));
    CHECK(token.get("/v1/users/info").status == 200);
    auto const others = scene.emulator.keys().size() - 2;

    scene.emulator.remove_user(user.uid);
    CHECK(scene.emulator.keys().size() == others);
    CHECK(keys_seen_by(scene.admin) == others);
    CHECK(scene.admin.get("/v1/apiKeys/" + first.uid()).status == 404);
    CHECK(scene.admin.remove("/v1/apiKeys/" + second.uid()).status == 404);
    CHECK(key.get("/v1/users/info").status == 401);
    CHECK(token.get("/v1/users/info").status == 401);
    CHECK(std::ranges::count(uids_of(scene.users()), user.uid) == 0);
    CHECK(scene.admin
              .post("/v1/apiKeys", R"({"metadata":{"name":"a"},"spec":{"userUid":")" + user.uid + R"("}})")
              .status == 404);
}

TEST_CASE("users: keys of a single sign-on user who is removed stay, and are refused") {
    UsersScene scene;
    auto const user = scene.emulator.add_user({.email = "orphan@acme.test", .single_sign_on = true});
    auto const made = scene.emulator.seed_key(NewApiKey("orphan").for_user(user.uid));
    auto const path = "/v1/apiKeys/" + made.uid();
    raw::Client key(scene.emulator, made.secret().expose());
    raw::Client token(scene.emulator, "Authorization", scene.emulator.sign_in(user.uid));
    CHECK(key.get("/v1/users/info").status == 200);

    scene.emulator.remove_user(user.uid);
    CHECK(key.get("/v1/users/info").status == 401);
    CHECK(key.get("/v1/apiKeys").status == 401);
    CHECK(token.get("/v1/users/info").status == 401);
    CHECK(keys_seen_by(scene.admin) == 5);
    auto const read = scene.admin.get(path);
    CHECK(read.status == 200);
    CHECK(json::parse(read.body).at_pointer("/spec/user/uid").as_string() == std::string_view(user.uid));
    CHECK(std::ranges::count(uids_of(scene.users()), user.uid) == 0);

    // Somebody else of the same address inherits nothing.
    auto const heir = scene.emulator.add_user({.email = "orphan@acme.test", .single_sign_on = true});
    CHECK(heir.uid != user.uid);
    CHECK(key.get("/v1/users/info").status == 401);
    raw::Client heir_token(scene.emulator, "Authorization", scene.emulator.sign_in(heir.uid));
    CHECK(keys_seen_by(heir_token) == 0);

    // An admin can still clear up.
    CHECK(scene.admin.put(path, R"({"metadata":{"name":"orphan, to go"}})").status == 204);
    CHECK(scene.admin.put(path + "/state", R"({"isActive":false})").status == 204);
    CHECK(scene.admin.remove(path).status == 204);
    CHECK(scene.emulator.keys().size() == 4);
}

TEST_CASE("users: impossible arguments are refused with the reason") {
    Emulator emulator({.plain_http = true});
    auto const code_of = [](auto&& action) -> std::optional<errc> {
        try {
            action();
        } catch (const Exception& e) {
            CHECK_FALSE(std::string_view(e.what()).empty());
            return e.error().code();
        }
        return std::nullopt;
    };
    auto const unknown = "0123456789abcdef01234567";
    CHECK(code_of([&] { emulator.remove_user(unknown); }) == errc::not_found);
    CHECK(code_of([&] { emulator.set_role(unknown, Role::user); }) == errc::not_found);
    CHECK(code_of([&] { emulator.set_group_role(unknown, Role::user); }) == errc::not_found);
    CHECK(code_of([&] { (void)emulator.sign_in(unknown); }) == errc::not_found);
    CHECK(code_of([&] { emulator.seed_key(NewApiKey("a").for_user(unknown)); }) == errc::not_found);
    CHECK(code_of([&] { emulator.add_user({.email = ""}); }) == errc::invalid_argument);
    auto const& taken = emulator.user(Role::user).email;
    CHECK(code_of([&] { emulator.add_user({.email = taken}); }) == errc::invalid_argument);
    CHECK(code_of([&] { emulator.add_user({.email = "D" + taken.substr(1)}); }) == errc::invalid_argument);
}

TEST_CASE("users: one user is shown as the list shows them, and an unknown uid is not found") {
    UsersScene scene;
    auto const user = scene.emulator.add_user({.email = "one@acme.test"});
    auto const response = scene.admin.get("/v1/users/" + user.uid);
    REQUIRE(response.status == 200);
    CHECK(json::parse(response.body) == scene.users().at("items").as_array().back());
    auto const unknown = scene.admin.get("/v1/users/0123456789abcdef01234567");
    CHECK(unknown.status == 404);
    CHECK(json::parse(unknown.body).at("code").as_string() == "ResourceNotFound");
}

TEST_CASE("users: administrators and viewers read everybody, and a plain user reads themselves") {
    UsersScene scene;
    auto const& dev = scene.emulator.user(Role::user);
    auto const& other = scene.emulator.user(Role::tenant_admin);
    for (auto const role : {Role::tenant_admin, Role::tenant_user_admin, Role::tenant_viewer}) {
        raw::Client client(scene.emulator, scene.emulator.user(role).api_key.expose());
        CHECK(client.get("/v1/users/" + dev.uid).status == 200);
        CHECK(client.get("/v1/users/nobody").status == 404);
    }
    raw::Client plain(scene.emulator, dev.api_key.expose());
    CHECK(plain.get("/v1/users/" + dev.uid).status == 200);
    CHECK(plain.get("/v1/users/" + other.uid).status == 403);
    // Nor do they learn whether there is somebody.
    CHECK(plain.get("/v1/users/nobody").status == 403);
    CHECK(raw::Client(scene.emulator, "").get("/v1/users/" + dev.uid).status == 401);
}

TEST_CASE("users: activity and last sign-in are shown as they were added, and a sign-in moves the latter") {
    UsersScene scene;
    auto const now = scene.clock->now();
    using testing::NewTestUser;
    auto const seen = scene.emulator.add_user(
        NewTestUser{.email = "seen@acme.test"}.last_sign_in(now - std::chrono::days{200}));
    auto const disabled = scene.emulator.add_user(NewTestUser{.email = "off@acme.test"}.inactive());
    auto const waiting = scene.emulator.add_user(NewTestUser{.email = "new@acme.test"}.pending());
    auto const status = [&](const testing::TestUser& user) {
        return json::parse(scene.admin.get("/v1/users/" + user.uid).body).at("status").as_object();
    };
    CHECK(status(seen).at("isActive").as_bool());
    CHECK(status(seen).at("lastSignIn").as_string().starts_with("20"));
    CHECK(status(seen).at("activationLink").as_string().empty());
    auto const before = status(seen).at("lastSignIn");
    scene.emulator.sign_in(seen.uid);
    CHECK(status(seen).at("lastSignIn") != before);

    CHECK_FALSE(status(disabled).at("isActive").as_bool());
    CHECK(status(disabled).at("activationLink").as_string().empty());
    CHECK_FALSE(status(waiting).at("isActive").as_bool());
    CHECK(status(waiting).at("lastSignIn").as_string() == "0001-01-01T00:00:00.000Z");
    CHECK(status(waiting).at("activationLink").as_string().starts_with("https://"));
}

TEST_CASE("users: who is inactive or pending cannot sign in, and their keys are refused") {
    using testing::NewTestUser;
    UsersScene scene;
    for (auto const& wanted : {NewTestUser{.email = "off@acme.test"}.inactive(),
                               NewTestUser{.email = "new@acme.test"}.pending()}) {
        CAPTURE(wanted.email);
        auto const user = scene.emulator.add_user(wanted);
        auto const key = scene.emulator.seed_key(NewApiKey("k").for_user(user.uid));
        CHECK(raw::Client(scene.emulator, key.secret().expose()).get("/v1/users/info").status == 401);
        CHECK_THROWS_AS(scene.emulator.sign_in(user.uid), Exception);
        raw::Client nobody(scene.emulator, "");
        CHECK(nobody
                  .post("/v1/auth/authenticate", R"({"emailId":")" + user.email + R"(","password":")" +
                                                     raw::copy_of(user.password) + R"("})")
                  .status == 401);
    }
}

}  // namespace users_test
