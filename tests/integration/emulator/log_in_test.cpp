// SPDX-License-Identifier: BSL-1.0
#include "support/raw_http.hpp"

#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace log_in_test {

using namespace palette;
using namespace std::chrono_literals;
using testing::Emulator;
using testing::RateLimit;
using testing::Role;
using testing::TestUser;
namespace json = boost::json;

std::string log_in_body(std::string_view email, std::string_view password, std::string_view org) {
    return json::serialize(json::object{{"emailId", email}, {"password", password}, {"org", org}});
}

struct LogInScene {
    std::shared_ptr<testing::ManualClock> clock = std::make_shared<testing::ManualClock>();
    Emulator emulator{{.plain_http = true, .rate_limit = RateLimit::off(), .clock = clock}};
    raw::Client anybody{emulator, ""};

    raw::Response log_in(std::string_view email, std::string_view password, std::string_view org = "acme") {
        return anybody.post("/v1/auth/authenticate", log_in_body(email, password, org));
    }
    raw::Response log_in(const TestUser& user) { return log_in(user.email, user.password.expose()); }

    raw::Response refresh(std::string_view token) {
        return anybody.get("/v1/auth/refresh/" + std::string(token));
    }

    int who_am_i_with(std::string_view token) {
        return raw::Client(emulator, "Authorization", token).get("/v1/users/info").status;
    }
};

std::string token_in(const raw::Response& response) {
    REQUIRE(response.status == 200);
    return std::string(json::parse(response.body).at("Authorization").as_string());
}

json::object without_ref(const raw::Response& response) {
    auto error = json::parse(response.body).as_object();
    CHECK(error.erase("ref") == 1);
    return error;
}

TEST_CASE("log in: a good password gives a token that works as its user") {
    LogInScene scene;
    for (auto const role : {Role::tenant_admin, Role::tenant_user_admin, Role::tenant_viewer, Role::user}) {
        auto const& user = scene.emulator.user(role);
        auto const response = scene.log_in(user);
        CHECK_FALSE(json::parse(response.body).at("isMfa").as_bool());
        raw::Client client(scene.emulator, "Authorization", token_in(response));
        auto const info = client.get("/v1/users/info");
        CHECK(json::parse(info.body).at("userUid").as_string() == std::string_view(user.uid));
    }
    auto const added = scene.emulator.add_user({.email = "added@acme.test"});
    CHECK(scene.log_in(added).status == 200);
    CHECK(scene.log_in("ADDED@Acme.TEST", added.password.expose()).status == 200);
}

TEST_CASE("log in: any wrong part is refused in the same words") {
    LogInScene scene;
    auto const& user = scene.emulator.user(Role::user);
    auto const& admin = scene.emulator.user(Role::tenant_admin);
    auto const sso = scene.emulator.add_user({.email = "sso@acme.test", .single_sign_on = true});
    auto const gone = scene.emulator.add_user({.email = "gone@acme.test"});
    scene.emulator.remove_user(gone.uid);
    auto const password = std::string(user.password.expose());

    auto const expected = without_ref(scene.log_in(user.email, "wrong"));
    CHECK_FALSE(expected.at("code").as_string().empty());
    CHECK_FALSE(expected.at("message").as_string().empty());
    struct Row {
        std::string what;
        std::string email;
        std::string password;
        std::string org;
    };
    for (auto const& [what, email, given, org] : {
             Row{"another password", user.email, "wrong", "acme"},
             Row{"no password", user.email, "", "acme"},
             Row{"the start of the password", user.email, password.substr(0, password.size() - 1), "acme"},
             Row{"more than the password", user.email, password + "x", "acme"},
             Row{"a blank after the password", user.email, password + " ", "acme"},
             Row{"the password of another", user.email, std::string(admin.password.expose()), "acme"},
             Row{"an API key as password", user.email, std::string(user.api_key.expose()), "acme"},
             Row{"another organisation", user.email, password, "emca"},
             Row{"an unknown user", "nobody@acme.test", password, "acme"},
             Row{"no user", "", "", "acme"},
             Row{"the uid for the address", user.uid, password, "acme"},
             Row{"single sign-on without password", sso.email, "", "acme"},
             Row{"single sign-on with a password", sso.email, password, "acme"},
             Row{"a user who was removed", gone.email, std::string(gone.password.expose()), "acme"},
         }) {
        CAPTURE(what);
        auto const response = scene.log_in(email, given, org);
        CHECK(response.status == 401);
        CHECK(without_ref(response) == expected);
    }
    CHECK(scene.log_in(user).status == 200);
}

TEST_CASE("log in: the time of the last sign-in is that of a login that succeeded") {
    LogInScene scene;
    auto const& user = scene.emulator.user(Role::user);
    raw::Client admin(scene.emulator, scene.emulator.user(Role::tenant_admin).api_key.expose());
    auto const last_sign_in = [&] {
        auto const list = json::parse(admin.get("/v1/users").body);
        return std::string(list.at_pointer("/items/3/status/lastSignIn").as_string());
    };
    scene.clock->set(std::chrono::sys_days{std::chrono::year{2031} / 2 / 3});
    CHECK(scene.log_in(user.email, "wrong").status == 401);
    CHECK(last_sign_in() == "0001-01-01T00:00:00.000Z");
    scene.clock->advance(5ms);
    CHECK(scene.log_in(user).status == 200);
    CHECK(last_sign_in() == "2031-02-03T00:00:00.005Z");
}

TEST_CASE("log in: with a second factor, the password alone gives a token that is no good yet") {
    LogInScene scene;
    auto const user =
        scene.emulator.add_user({.email = "mfa@acme.test", .role = Role::tenant_admin, .mfa = true});
    auto const response = scene.log_in(user);
    CHECK(json::parse(response.body).at("isMfa").as_bool());
    auto const pending = token_in(response);
    raw::Client client(scene.emulator, "Authorization", pending);
    CHECK(client.get("/v1/users/info").status == 401);
    CHECK(client.get("/v1/apiKeys").status == 401);
    CHECK(client.post("/v1/apiKeys", R"({"metadata":{"name":"a"}})").status == 401);
    CHECK(scene.refresh(pending).status == 401);
    CHECK(scene.log_in(user.email, "wrong").status == 401);
    CHECK(scene.who_am_i_with(raw::copy_of(scene.emulator.sign_in(user.uid))) == 200);
}

TEST_CASE("log in: a token lives fifteen minutes, to the millisecond") {
    LogInScene scene;
    scene.clock->set(std::chrono::sys_days{std::chrono::year{2031} / 2 / 3} + 999ms);
    auto const token = token_in(scene.log_in(scene.emulator.user(Role::user)));
    auto const signed_in = scene.emulator.sign_in(scene.emulator.user(Role::user).uid);
    scene.clock->advance(15min - 1ms);
    CHECK(scene.who_am_i_with(token) == 200);
    CHECK(scene.who_am_i_with(signed_in.expose()) == 200);
    scene.clock->advance(1ms);
    CHECK(scene.who_am_i_with(token) == 401);
    CHECK(scene.who_am_i_with(signed_in.expose()) == 401);
    CHECK(scene.refresh(token).status == 401);
}

TEST_CASE("log in: a token lives as long as the tenant says") {
    auto const clock = std::make_shared<testing::ManualClock>();
    Emulator emulator({.plain_http = true, .token_lifetime = 24h, .clock = clock});
    raw::Client client(emulator, "Authorization", emulator.sign_in(emulator.user(Role::user).uid));
    clock->advance(24h - 1ms);
    CHECK(client.get("/v1/users/info").status == 200);
    clock->advance(1ms);
    CHECK(client.get("/v1/users/info").status == 401);
}

TEST_CASE("log in: refreshing gives a new token, and the old one ends when it would have") {
    LogInScene scene;
    auto const& user = scene.emulator.user(Role::user);
    auto const old = token_in(scene.log_in(user));
    scene.clock->advance(10min);
    auto const fresh = token_in(scene.refresh(old));
    CHECK(fresh != old);
    CHECK(scene.who_am_i_with(old) == 200);
    scene.clock->advance(5min);
    CHECK(scene.who_am_i_with(old) == 401);
    CHECK(scene.who_am_i_with(fresh) == 200);
    scene.clock->advance(10min - 1ms);
    CHECK(scene.who_am_i_with(fresh) == 200);
    scene.clock->advance(1ms);
    CHECK(scene.who_am_i_with(fresh) == 401);
}

TEST_CASE("log in: only a living token of a user who is there can be refreshed") {
    LogInScene scene;
    auto const user = scene.emulator.add_user({.email = "leaver@acme.test"});
    auto const token = token_in(scene.log_in(user));
    CHECK(scene.refresh(token).status == 200);
    CHECK(scene.refresh(scene.emulator.user(Role::tenant_admin).api_key.expose()).status == 401);
    CHECK(scene.refresh(token + "x").status == 401);
    CHECK(scene.refresh("x").status == 401);
    // The token in the path is what counts, not a credential that comes with it.
    raw::Client admin(scene.emulator, scene.emulator.user(Role::tenant_admin).api_key.expose());
    CHECK(admin.get("/v1/auth/refresh/x").status == 401);
    scene.emulator.remove_user(user.uid);
    CHECK(scene.refresh(token).status == 401);
}

TEST_CASE("log in: two tokens of one user at one time differ, and both work") {
    LogInScene scene;
    auto const& user = scene.emulator.user(Role::user);
    auto const first = token_in(scene.log_in(user));
    auto const second = token_in(scene.log_in(user));
    CHECK(first != second);
    CHECK(scene.who_am_i_with(first) == 200);
    CHECK(scene.who_am_i_with(second) == 200);
}

TEST_CASE("log in: a token is sent bare, and an API key in its own header") {
    LogInScene scene;
    auto const& user = scene.emulator.user(Role::user);
    auto const token = token_in(scene.log_in(user));
    auto const key = std::string(user.api_key.expose());
    auto const status = [&](std::string_view header, const std::string& value) {
        return raw::Client(scene.emulator, header, value).get("/v1/users/info").status;
    };
    CHECK(status("Authorization", token) == 200);
    CHECK(status("Authorization", "Bearer " + token) == 401);
    CHECK(status("Authorization", key) == 401);
    CHECK(status("ApiKey", token) == 401);
    CHECK(status("X-Api-Key", key) == 401);
    for (std::string_view const name : {"apikey", "APIKEY", "ApiKey", "apiKEY"})
        CHECK(status(name, key) == 200);
    for (std::string_view const name : {"authorization", "AUTHORIZATION", "authorizatioN"})
        CHECK(status(name, token) == 200);
}

}  // namespace log_in_test
