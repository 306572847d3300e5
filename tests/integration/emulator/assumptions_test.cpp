// SPDX-License-Identifier: BSL-1.0
#include "support/raw_http.hpp"

#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace assumptions_test {

using namespace palette;
using namespace std::chrono_literals;
using testing::Assumptions;
using testing::Emulator;
using testing::EmulatorOptions;
using testing::RateLimit;
using testing::Role;
using testing::TestUser;
namespace json = boost::json;

// A tenant under some assumptions, on the first of January 2031.
struct AssumptionScene {
    explicit AssumptionScene(Assumptions assumptions = {}, std::size_t quota = 20)
        : emulator(EmulatorOptions{.plain_http = true,
                                   .quota = quota,
                                   .rate_limit = RateLimit::off(),
                                   .assumptions = std::move(assumptions),
                                   .clock = clock}) {}

    [[nodiscard]] const TestUser& admin_user() const { return emulator.user(Role::tenant_admin); }
    [[nodiscard]] const TestUser& plain_user() const { return emulator.user(Role::user); }

    std::string seed(const NewApiKey& key) { return "/v1/apiKeys/" + emulator.seed_key(key).uid(); }

    int who_am_i_with(std::string_view key_value) {
        return raw::Client(emulator, key_value).get("/v1/users/info").status;
    }

    std::shared_ptr<testing::ManualClock> clock =
        std::make_shared<testing::ManualClock>(std::chrono::sys_days{std::chrono::year{2031} / 1 / 1});
    Emulator emulator;
    raw::Client admin{emulator, admin_user().api_key.expose()};
    raw::Client user{emulator, plain_user().api_key.expose()};
};

// "409 ApiKeyLimitReached"; the status alone of what is no error.
std::string outcome(const raw::Response& response) {
    auto status = std::to_string(response.status);
    if (response.status < 400) return status;
    return status + ' ' + std::string(json::parse(response.body).at("code").as_string());
}

json::value shown(raw::Client& client, const std::string& path) {
    auto const response = client.get(path);
    REQUIRE(response.status == 200);
    return json::parse(response.body);
}

std::size_t listed(raw::Client& client, const std::string& path = "/v1/apiKeys") {
    return shown(client, path).at("items").as_array().size();
}

std::string value_in(const raw::Response& response) {
    REQUIRE(response.status == 201);
    return std::string(json::parse(response.body).at("apiKey").as_string());
}

std::string body_for(const std::string& user_uid) {
    return R"({"metadata":{"name":"made for"},"spec":{"userUid":")" + user_uid + R"("}})";
}

constexpr std::string_view plain_body = R"({"metadata":{"name":"made"}})";
constexpr std::string_view past_body =
    R"({"metadata":{"name":"a"},"spec":{"expiry":"2030-12-31T23:59:59Z"}})";
constexpr std::string_view future_body =
    R"({"metadata":{"name":"a"},"spec":{"expiry":"2031-02-01T00:00:00Z"}})";
constexpr std::string_view zero_body =
    R"({"metadata":{"name":"a"},"spec":{"expiry":"0001-01-01T00:00:00.000Z"}})";

TEST_CASE("assumed: a create beyond the quota is 409 ApiKeyLimitReached, or as configured") {
    AssumptionScene plain({}, 2);
    CHECK(plain.user.post("/v1/apiKeys", plain_body).status == 201);
    CHECK(outcome(plain.user.post("/v1/apiKeys", plain_body)) == "409 ApiKeyLimitReached");
    CHECK(outcome(plain.admin.post("/v1/apiKeys", body_for(plain.plain_user().uid))) ==
          "409 ApiKeyLimitReached");

    AssumptionScene other({.quota_refusal = {403, "QuotaExceeded"}}, 1);
    CHECK(outcome(other.user.post("/v1/apiKeys", plain_body)) == "403 QuotaExceeded");
    CHECK(other.emulator.keys().size() == 4);
}

TEST_CASE("assumed: re-activating past the expiry is 400 ApiKeyExpired, or as configured") {
    auto const re_activate = [](AssumptionScene& scene) {
        auto const key = scene.seed(NewApiKey("a").expires(Expiry::at(scene.clock->now() - 1ms)));
        CHECK(scene.admin.patch(key, R"({"isActive":false})").status == 204);
        auto const patched = outcome(scene.admin.patch(key, R"({"isActive":true})"));
        auto const put = outcome(scene.admin.put(key + "/state", R"({"isActive":true})"));
        CHECK(patched == put);
        CHECK_FALSE(shown(scene.admin, key).at("status").as_object().contains("isActive"));
        return put;
    };
    AssumptionScene plain;
    CHECK(re_activate(plain) == "400 ApiKeyExpired");
    AssumptionScene other({.reactivation_refusal = {409, "Conflict"}});
    CHECK(re_activate(other) == "409 Conflict");
}

TEST_CASE("assumed: a plain user who accesses another user's key gets 403 Forbidden, or as configured") {
    auto const check = [](AssumptionScene& scene, std::string_view refusal) {
        auto const key = scene.seed(NewApiKey("a"));
        CHECK(outcome(scene.user.get(key)) == refusal);
        CHECK(outcome(scene.user.put(key, plain_body)) == refusal);
        CHECK(outcome(scene.user.patch(key, "{}")) == refusal);
        CHECK(outcome(scene.user.put(key + "/state", "{}")) == refusal);
        CHECK(outcome(scene.user.remove(key)) == refusal);
        raw::Client viewer(scene.emulator, scene.emulator.user(Role::tenant_viewer).api_key.expose());
        CHECK(viewer.get(key).status == 200);
        CHECK(outcome(viewer.remove(key)) == "403 Forbidden");
    };
    AssumptionScene plain;
    check(plain, "403 Forbidden");
    AssumptionScene other({.others_key_refusal = {404, "ResourceNotFound"}});
    check(other, "404 ResourceNotFound");
}

TEST_CASE("assumed: a plain user lists their own keys, or may not list") {
    AssumptionScene plain;
    plain.seed(NewApiKey("mine").for_user(plain.plain_user().uid));
    CHECK(listed(plain.user) == 2);

    AssumptionScene other({.plain_user_may_list = false});
    auto const mine = other.seed(NewApiKey("mine").for_user(other.plain_user().uid));
    CHECK(outcome(other.user.get("/v1/apiKeys")) == "403 Forbidden");
    CHECK(other.user.get(mine).status == 200);
    CHECK(listed(other.admin) == 5);
    raw::Client viewer(other.emulator, other.emulator.user(Role::tenant_viewer).api_key.expose());
    CHECK(listed(viewer) == 5);
}

TEST_CASE("assumed: a plain user may not list users, or may") {
    AssumptionScene plain;
    CHECK(outcome(plain.user.get("/v1/users")) == "403 Forbidden");
    AssumptionScene other({.plain_user_may_list_users = true});
    CHECK(listed(other.user, "/v1/users") == 4);
}

TEST_CASE("assumed: without an expiry a key never ends, or an expiry has to be said") {
    for (auto const body : {plain_body, zero_body}) {
        CAPTURE(body);
        AssumptionScene plain;
        auto const value = value_in(plain.user.post("/v1/apiKeys", body));
        CHECK(plain.emulator.keys().back().expiry.is_never());
        auto const ending = plain.seed(NewApiKey("a").expires(Expiry::in(24h, plain.clock->now())));
        CHECK(plain.admin.put(ending, body).status == 204);
        CHECK(plain.emulator.keys().back().expiry.is_never());
        plain.clock->advance(std::chrono::years{500});
        CHECK(plain.who_am_i_with(value) == 200);

        AssumptionScene other({.expiry_required = true});
        CHECK(other.user.post("/v1/apiKeys", body).status == 400);
        CHECK(other.emulator.keys().size() == 4);
        auto const key = other.seed(NewApiKey("a").expires(Expiry::in(24h, other.clock->now())));
        auto const before = other.emulator.keys();
        CHECK(other.admin.put(key, body).status == 400);
        CHECK(other.emulator.keys() == before);
        CHECK(other.admin.put(key, future_body).status == 204);
        CHECK(other.user.post("/v1/apiKeys", future_body).status == 201);
    }
}

TEST_CASE("assumed: an expiry that has passed is refused unless it is unchanged, or accepted") {
    AssumptionScene plain;
    CHECK(plain.user.post("/v1/apiKeys", past_body).status == 400);
    CHECK(plain.emulator.keys().size() == 4);
    auto const future = plain.seed(NewApiKey("a").expires(Expiry::in(24h, plain.clock->now())));
    CHECK(plain.admin.put(future, past_body).status == 400);
    auto const past = plain.seed(NewApiKey("b").expires(Expiry::parse("2030-12-31T23:59:59Z").value()));
    CHECK(plain.admin.put(past, past_body).status == 204);
    CHECK(plain.emulator.keys().back().name == "a");
    CHECK(plain.admin.put(past, R"({"metadata":{"name":"a"},"spec":{"expiry":"2030-12-31T23:59:58Z"}})")
              .status == 400);
    // At the instant itself it has passed.
    CHECK(plain.admin.put(future, R"({"metadata":{"name":"a"},"spec":{"expiry":"2031-01-01T00:00:00Z"}})")
              .status == 400);
    CHECK(plain.admin.put(future, R"({"metadata":{"name":"a"},"spec":{"expiry":"2031-01-01T00:00:00.001Z"}})")
              .status == 204);

    AssumptionScene other({.past_expiry_accepted = true});
    auto const value = value_in(other.user.post("/v1/apiKeys", past_body));
    CHECK(other.emulator.keys().back().expiry.to_string() == "2030-12-31T23:59:59.000Z");
    CHECK(other.who_am_i_with(value) == 401);
    auto const key = other.seed(NewApiKey("a"));
    CHECK(other.admin.put(key, past_body).status == 204);
}

TEST_CASE("assumed: an update removes omitted annotations and labels, or keeps them") {
    auto const update = [](AssumptionScene& scene) {
        auto const key = scene.seed(NewApiKey("a")
                                        .annotate("team", "red")
                                        .annotate("cost", "7")
                                        .label("tier", "1")
                                        .label("zone", "x"));
        CHECK(scene.admin
                  .put(key, R"({"metadata":{"name":"a","annotations":{"team":"blue","new":""},)"
                            R"("labels":{"tier":"2"}}})")
                  .status == 204);
        return scene.emulator.keys().back();
    };
    AssumptionScene plain;
    auto const replaced = update(plain);
    CHECK(replaced.annotations["team"] == "blue");
    CHECK(replaced.annotations.contains("new"));
    CHECK_FALSE(replaced.annotations.contains("cost"));
    CHECK(replaced.labels == StringMap{{"tier", "2"}});

    AssumptionScene other({.update_keeps_omitted = true});
    auto const merged = update(other);
    CHECK(merged.annotations["team"] == "blue");
    CHECK(merged.annotations.contains("new"));
    CHECK(merged.annotations["cost"] == "7");
    CHECK(merged.labels == StringMap{{"tier", "2"}, {"zone", "x"}});
}

TEST_CASE("assumed: the description goes or stays with the other annotations") {
    auto const update = [](AssumptionScene& scene, std::string_view metadata) {
        auto const key = scene.seed(NewApiKey("a").description("what it is for"));
        CHECK(scene.admin.put(key, R"({"metadata":)" + std::string(metadata) + "}").status == 204);
        return scene.emulator.keys().back().description;
    };
    AssumptionScene plain;
    CHECK(update(plain, R"({"name":"a"})").empty());
    CHECK(update(plain, R"({"name":"a","annotations":{"team":"red"}})").empty());
    CHECK(update(plain, R"({"name":"a","annotations":{"description":"new"}})") == "new");

    AssumptionScene other({.update_keeps_omitted = true});
    CHECK(update(other, R"({"name":"a","annotations":{"description":"new"}})") == "new");
    CHECK(update(other, R"({"name":"a","annotations":{"description":""}})").empty());
    CHECK(update(other, R"({"name":"a","annotations":{"team":"red"}})") == "what it is for");
    CHECK(update(other, R"({"name":"a"})") == "what it is for");
}

TEST_CASE("assumed: a key made for somebody else has the permissions of its owner, or of its creator") {
    AssumptionScene plain;
    raw::Client owners(plain.emulator,
                       value_in(plain.admin.post("/v1/apiKeys", body_for(plain.plain_user().uid))));
    CHECK(listed(owners) == 2);
    CHECK(owners.get("/v1/users").status == 403);
    raw::Client admins(plain.emulator,
                       value_in(plain.admin.post(
                           "/v1/apiKeys", body_for(plain.emulator.user(Role::tenant_user_admin).uid))));
    plain.emulator.set_role(plain.admin_user().uid, Role::user);
    CHECK(admins.get("/v1/users").status == 200);

    AssumptionScene other({.key_has_creators_permissions = true});
    raw::Client creators(other.emulator,
                         value_in(other.admin.post("/v1/apiKeys", body_for(other.plain_user().uid))));
    CHECK(listed(creators) == 5);
    CHECK(creators.get("/v1/users").status == 200);
    CHECK(shown(creators, "/v1/users/info").at("userUid").as_string() ==
          std::string_view(other.plain_user().uid));
    // One's own keys are one's own either way.
    raw::Client own(other.emulator, value_in(other.user.post("/v1/apiKeys", plain_body)));
    CHECK(listed(own) == 3);
    other.emulator.set_role(other.admin_user().uid, Role::user);
    CHECK(creators.get("/v1/users").status == 403);
}

TEST_CASE("assumed: names may be used twice, or once for each owner") {
    auto const rename = [](std::string_view name) {
        return json::serialize(json::object{{"metadata", json::object{{"name", name}}}});
    };
    AssumptionScene plain;
    CHECK(plain.user.post("/v1/apiKeys", plain_body).status == 201);
    CHECK(plain.user.post("/v1/apiKeys", plain_body).status == 201);

    AssumptionScene other({.names_unique = true});
    auto const mine = other.seed(NewApiKey("mine").for_user(other.plain_user().uid));
    CHECK(other.user.post("/v1/apiKeys", plain_body).status == 201);
    CHECK(outcome(other.user.post("/v1/apiKeys", plain_body)) == "409 ApiKeyNameTaken");
    CHECK(outcome(other.user.put(mine, plain_body)) == "409 ApiKeyNameTaken");
    CHECK(other.user.put(mine, rename("mine")).status == 204);
    CHECK(other.user.post("/v1/apiKeys", rename("MINE")).status == 201);
    CHECK(other.admin.post("/v1/apiKeys", plain_body).status == 201);
    CHECK(outcome(other.admin.post("/v1/apiKeys", R"({"metadata":{"name":"made"},"spec":{"userUid":")" +
                                                      other.plain_user().uid + R"("}})")) ==
          "409 ApiKeyNameTaken");
    CHECK(other.user.remove(mine).status == 204);
    CHECK(other.user.post("/v1/apiKeys", rename("mine")).status == 201);
}

TEST_CASE("assumed: the key of a removed single sign-on user is refused, or still works") {
    auto const orphan = [](AssumptionScene& scene) {
        auto const uid = scene.emulator.add_user({.email = "sso@acme.test", .single_sign_on = true}).uid;
        auto made = scene.emulator.seed_key(NewApiKey("orphan").for_user(uid));
        scene.emulator.remove_user(uid);
        return made;
    };
    AssumptionScene plain;
    CHECK(outcome(raw::Client(plain.emulator, "ApiKey", orphan(plain).secret()).get("/v1/users/info")) ==
          "401 Unauthorized");

    AssumptionScene other({.orphans_usable = true});
    auto const made = orphan(other);
    raw::Client key(other.emulator, made.secret().expose());
    CHECK(key.get("/v1/users/info").status == 200);
    CHECK(key.get("/v1/apiKeys/" + made.uid()).status == 200);
    CHECK(listed(key) == 1);
    CHECK(key.put("/v1/apiKeys/" + made.uid() + "/state", R"({"isActive":false})").status == 204);
    CHECK(key.get("/v1/users/info").status == 401);
}

TEST_CASE("assumed: the record of a removed single sign-on user is gone, or stays as it was") {
    auto const remove_one = [](AssumptionScene& scene, bool single_sign_on) {
        auto const uid =
            scene.emulator.add_user({.email = "gone@acme.test", .single_sign_on = single_sign_on}).uid;
        auto const key = scene.emulator.seed_key(NewApiKey("orphan").for_user(uid));
        scene.emulator.remove_user(uid);
        CHECK(scene.who_am_i_with(key.secret().expose()) == 401);
        CHECK_THROWS_AS(scene.emulator.sign_in(uid), Exception);
        CHECK_THROWS_AS(scene.emulator.remove_user(uid), Exception);
        return uid;
    };
    auto const count_users = [](AssumptionScene& scene) {
        return shown(scene.admin, "/v1/users").at("items").as_array().size();
    };
    AssumptionScene plain;
    CHECK(outcome(plain.admin.get("/v1/users/" + remove_one(plain, true))) == "404 ResourceNotFound");
    CHECK(count_users(plain) == 4);

    AssumptionScene other({.removed_sso_user_keeps_record = true});
    auto const record = shown(other.admin, "/v1/users/" + remove_one(other, true));
    CHECK(record.at("status").at("isActive").as_bool());
    CHECK(count_users(other) == 5);
    // Nobody can be given a key through it, and the address is free for somebody new.
    CHECK(outcome(other.admin.post(
              "/v1/apiKeys", R"({"metadata":{"name":"made"},"spec":{"userUid":")" +
                                 std::string(record.at("metadata").at("uid").as_string()) + R"("}})")) ==
          "404 ResourceNotFound");
    // A local user is removed by the service itself.
    CHECK(outcome(other.admin.get("/v1/users/" + remove_one(other, false))) == "404 ResourceNotFound");
    CHECK(count_users(other) == 5);
}

TEST_CASE("assumed: operations on keys are not in the audit log, or they are") {
    auto const change_keys = [](AssumptionScene& scene) {
        auto const made = json::parse(scene.user.post("/v1/apiKeys", R"({"metadata":{"name":"ci"}})").body);
        auto const uid = std::string(made.at("uid").as_string());
        auto const path = "/v1/apiKeys/" + uid;
        CHECK(scene.admin.put(path, R"({"metadata":{"name":"renamed"}})").status == 204);
        CHECK(scene.admin.put(path + "/state", R"({"isActive":false})").status == 204);
        CHECK(scene.admin.patch(path, R"({"isActive":true})").status == 204);
        // What is refused or only read is no event.
        CHECK(scene.user.put(path, "no JSON").status == 400);
        CHECK(scene.user.get(path).status == 200);
        CHECK(scene.user.remove(path).status == 204);
        return uid;
    };
    AssumptionScene plain;
    change_keys(plain);
    CHECK(shown(plain.admin, "/v1/audits").at("items").as_array().empty());

    AssumptionScene other({.key_operations_audited = true});
    auto const uid = change_keys(other);
    auto const list = shown(other.admin, "/v1/audits");
    auto const& events = list.at("items").as_array();
    std::string_view const actions[] = {"create", "update", "update", "update", "delete"};
    REQUIRE(events.size() == std::size(actions));
    for (std::size_t i = 0; i < std::size(actions); ++i) {
        CAPTURE(i);
        auto const& spec = events[i].at("spec");
        CHECK(spec.at("actionType").as_string() == actions[i]);
        CHECK(spec.at("resource").at("kind").as_string() == "apiKey");
        CHECK(spec.at("resource").at("uid").as_string() == uid);
        CHECK(spec.at("resource").at("name").as_string() == (i == 0 ? "ci" : "renamed"));
        auto const& by = i == 0 || i == 4 ? other.plain_user() : other.admin_user();
        CHECK(spec.at("actor").at("user").at("uid").as_string() == by.uid);
        CHECK(spec.at("actor").at("user").at("emailId").as_string() == by.email);
    }
}

TEST_CASE("assumed: the use of a key leaves its owner's last sign-in, or moves it") {
    auto const last_sign_in = [](AssumptionScene& scene) {
        return shown(scene.admin, "/v1/users/" + scene.plain_user().uid).at("status").at("lastSignIn");
    };
    AssumptionScene plain;
    CHECK(plain.user.get("/v1/apiKeys").status == 200);
    CHECK(last_sign_in(plain).as_string() == "0001-01-01T00:00:00.000Z");

    AssumptionScene other({.key_use_moves_last_sign_in = true});
    CHECK(last_sign_in(other).as_string() == "0001-01-01T00:00:00.000Z");
    CHECK(other.user.get("/v1/apiKeys").status == 200);
    CHECK(last_sign_in(other).as_string() == "2031-01-01T00:00:00.000Z");
    other.clock->advance(1h);
    // Neither a token nor a refused key is a use of the key.
    auto const token = raw::copy_of(other.emulator.sign_in(other.admin_user().uid));
    CHECK(raw::Client(other.emulator, "Authorization", token).get("/v1/users").status == 200);
    CHECK(last_sign_in(other).as_string() == "2031-01-01T00:00:00.000Z");
    CHECK(other.user.get("/v1/users/info").status == 200);
    CHECK(last_sign_in(other).as_string() == "2031-01-01T01:00:00.000Z");
}

TEST_CASE("assumed: an expiry far ahead is accepted, or shortened to what a policy allows") {
    constexpr std::string_view longer_body =
        R"({"metadata":{"name":"a"},"spec":{"expiry":"2031-01-08T00:00:00.001Z"}})";
    constexpr std::string_view shorter_body =
        R"({"metadata":{"name":"a"},"spec":{"expiry":"2031-01-07T23:59:59.999Z"}})";
    auto const expiry_after = [](AssumptionScene& scene, std::string_view body) {
        CHECK(scene.user.post("/v1/apiKeys", body).status == 201);
        auto const created = scene.emulator.keys().back();
        auto const key = "/v1/apiKeys/" + created.uid;
        CHECK(scene.admin.put(key, body).status == 204);
        CHECK(scene.emulator.keys().back().expiry == created.expiry);
        CHECK(scene.admin.remove(key).status == 204);
        return created.expiry.to_string();
    };
    AssumptionScene plain;
    CHECK(expiry_after(plain, longer_body) == "2031-01-08T00:00:00.001Z");
    CHECK(expiry_after(plain, plain_body) == Expiry::never().to_string());

    AssumptionScene other({.max_lifetime = 7 * 24h});
    CHECK(expiry_after(other, shorter_body) == "2031-01-07T23:59:59.999Z");
    CHECK(expiry_after(other, longer_body) == "2031-01-08T00:00:00.000Z");
    CHECK(expiry_after(other, plain_body) == "2031-01-08T00:00:00.000Z");
    CHECK(expiry_after(other, zero_body) == "2031-01-08T00:00:00.000Z");
    CHECK(other.user.post("/v1/apiKeys", past_body).status == 400);
}

TEST_CASE("assumed: revoked and expired keys count towards the quota") {
    AssumptionScene scene({}, 3);
    scene.seed(NewApiKey("revoked").for_user(scene.plain_user().uid));
    auto const revoked = "/v1/apiKeys/" + scene.emulator.keys().back().uid;
    CHECK(scene.user.patch(revoked, R"({"isActive":false})").status == 204);
    auto const expired = scene.seed(
        NewApiKey("expired").for_user(scene.plain_user().uid).expires(Expiry::at(scene.clock->now() - 1s)));
    CHECK(scene.user.post("/v1/apiKeys", plain_body).status == 409);
    CHECK(scene.user.remove(expired).status == 204);
    CHECK(scene.user.post("/v1/apiKeys", plain_body).status == 201);
    CHECK(scene.user.post("/v1/apiKeys", plain_body).status == 409);
}

TEST_CASE("assumed: of two credentials in one request the API key counts") {
    AssumptionScene scene;
    auto const token = scene.emulator.sign_in(scene.admin_user().uid);
    auto const status_with = [&](std::string_view key, std::string_view other) {
        raw::Connection connection(scene.emulator);
        connection.send(raw::request("GET", "/v1/users", {{"Authorization", other}, {"ApiKey", key}}));
        return connection.receive().status;
    };
    CHECK(status_with(scene.plain_user().api_key.expose(), token.expose()) == 403);
    CHECK(status_with("nonsense", token.expose()) == 401);
    CHECK(status_with(scene.admin_user().api_key.expose(), "nonsense") == 200);
}

TEST_CASE("assumed: setCookie is accepted, and no cookie is set or taken") {
    AssumptionScene scene;
    auto const body = json::serialize(json::object{{"emailId", scene.admin_user().email},
                                                   {"password", scene.admin_user().password.expose()},
                                                   {"org", "acme"}});
    raw::Client anybody(scene.emulator, "");
    for (std::string_view const query : {"", "?setCookie=true", "?setCookie=false"}) {
        CAPTURE(query);
        auto const response = anybody.post("/v1/auth/authenticate" + std::string(query), body);
        REQUIRE(response.status == 200);
        CHECK_FALSE(response.headers.contains("set-cookie"));
        auto const token = std::string(json::parse(response.body).at("Authorization").as_string());
        CHECK(raw::Client(scene.emulator, "Authorization", token).get("/v1/users/info").status == 200);
        CHECK(raw::Client(scene.emulator, "Cookie", "Authorization=" + token).get("/v1/users/info").status ==
              401);
    }
}

}  // namespace assumptions_test
