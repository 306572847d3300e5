// SPDX-License-Identifier: BSL-1.0
#include "support/raw_http.hpp"

#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <future>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace key_rules_test {

using namespace palette;
using namespace std::chrono_literals;
using testing::Emulator;
using testing::EmulatorOptions;
using testing::RateLimit;
using testing::Role;
namespace json = boost::json;

constexpr std::string_view on = R"({"isActive":true})";
constexpr std::string_view off = R"({"isActive":false})";

struct Made {
    std::string path;
    std::string value;
};

// A tenant on the first of January 2031, and a plain user in it.
struct RulesScene {
    explicit RulesScene(std::size_t quota = 20, const testing::Assumptions& assumptions = {})
        : emulator(EmulatorOptions{.plain_http = true,
                                   .quota = quota,
                                   .rate_limit = RateLimit::off(),
                                   .assumptions = assumptions,
                                   .clock = clock}) {}

    Made seed(const NewApiKey& key) {
        auto const made = emulator.seed_key(key);
        return {"/v1/apiKeys/" + made.uid(), std::string(made.secret().expose())};
    }
    Made seed_for_user(std::string name, Expiry expiry = {}) {
        return seed(NewApiKey(std::move(name)).for_user(user_uid()).expires(expiry));
    }

    int create() { return user.post("/v1/apiKeys", R"({"metadata":{"name":"more"}})").status; }

    int use(const Made& key) { return raw::Client(emulator, key.value).get("/v1/users/info").status; }

    bool is_active(const Made& key) {
        auto const read = json::parse(user.get(key.path).body);
        auto const& status = read.at("status").as_object();
        return status.contains("isActive") && status.at("isActive").as_bool();
    }

    [[nodiscard]] const std::string& user_uid() const { return emulator.user(Role::user).uid; }

    std::shared_ptr<testing::ManualClock> clock =
        std::make_shared<testing::ManualClock>(std::chrono::sys_days{std::chrono::year{2031} / 1 / 1});
    Emulator emulator;
    raw::Client admin{emulator, emulator.user(Role::tenant_admin).api_key.expose()};
    raw::Client user{emulator, emulator.user(Role::user).api_key.expose()};
};

std::string with_expiry(std::string_view time) {
    return R"({"metadata":{"name":"ci"},"spec":{"expiry":")" + std::string(time) + R"("}})";
}

TEST_CASE("key rules: a user has twenty keys at most, whoever makes them") {
    RulesScene scene;
    for (int i = 0; i < 18; ++i)
        CHECK(scene.create() == 201);
    auto const for_user = R"({"metadata":{"name":"a"},"spec":{"userUid":")" + scene.user_uid() + R"("}})";
    CHECK(scene.admin.post("/v1/apiKeys", for_user).status == 201);
    CHECK(scene.create() == 409);
    CHECK(scene.admin.post("/v1/apiKeys", for_user).status == 409);
    CHECK(scene.admin.post("/v1/apiKeys", R"({"metadata":{"name":"a"}})").status == 201);
    CHECK(scene.emulator.keys().size() == 24);
    // What is refused uses nothing up.
    CHECK(scene.user.remove("/v1/apiKeys/" + scene.emulator.keys().back().uid).status == 403);
    CHECK(scene.create() == 409);
}

TEST_CASE("key rules: seeding goes beyond the quota, and deleting has to come below it") {
    RulesScene scene(3);
    std::vector<Made> seeded;
    for (int i = 0; i < 5; ++i)
        seeded.push_back(scene.seed_for_user("seeded"));
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(scene.create() == 409);
        CHECK(scene.user.remove(seeded[i].path).status == 204);
    }
    CHECK(scene.create() == 409);
    CHECK(scene.user.remove(seeded[3].path).status == 204);
    CHECK(scene.create() == 201);
    CHECK(scene.create() == 409);
    CHECK(scene.use(seeded[4]) == 200);
}

TEST_CASE("key rules: a key works until its expiry, to the millisecond, and extending brings it back") {
    RulesScene scene;
    auto const key = scene.seed_for_user("ci", Expiry::in(24h, scene.clock->now()));
    CHECK(scene.use(key) == 200);
    scene.clock->advance(24h - 1ms);
    CHECK(scene.use(key) == 200);
    scene.clock->advance(1ms);
    CHECK(scene.use(key) == 401);
    CHECK(scene.user.get(key.path).status == 200);
    CHECK(scene.user.put(key.path, with_expiry("2031-02-01T00:00:00Z")).status == 204);
    CHECK(scene.user.patch(key.path, on).status == 204);
    CHECK(scene.use(key) == 200);
    scene.clock->advance(24h * 40);
    CHECK(scene.use(key) == 401);
}

TEST_CASE("key rules: re-activation is refused after the expiry until that is extended") {
    for (bool const by_patch : {true, false}) {
        CAPTURE(by_patch);
        RulesScene scene;
        auto const key = scene.seed_for_user("ci", Expiry::in(1h, scene.clock->now()));
        auto const set = [&](std::string_view state) {
            return by_patch ? scene.user.patch(key.path, state).status
                            : scene.user.put(key.path + "/state", state).status;
        };
        CHECK(set(off) == 204);
        CHECK(set(on) == 204);
        CHECK(set(off) == 204);
        scene.clock->advance(1h);
        CHECK(set(on) == 400);
        CHECK_FALSE(scene.is_active(key));
        CHECK(set(off) == 204);

        CHECK(scene.user.put(key.path, with_expiry("2031-02-01T00:00:00Z")).status == 204);
        CHECK_FALSE(scene.is_active(key));
        CHECK(scene.use(key) == 401);
        CHECK(set(on) == 204);
        CHECK(scene.is_active(key));
        CHECK(scene.use(key) == 200);
    }
}

TEST_CASE("key rules: an empty object for the state means not active") {
    RulesScene scene;
    auto const key = scene.seed_for_user("ci");
    for (std::string_view const body :
         {"{}", R"({"isActive":null})", R"({"isActive":false})", R"({"active":true})"}) {
        CAPTURE(body);
        CHECK(scene.user.patch(key.path, on).status == 204);
        CHECK(scene.use(key) == 200);
        CHECK(scene.user.patch(key.path, body).status == 204);
        CHECK(scene.use(key) == 401);
        CHECK_FALSE(scene.is_active(key));

        CHECK(scene.user.put(key.path + "/state", on).status == 204);
        CHECK(scene.use(key) == 200);
        CHECK(scene.user.put(key.path + "/state", body).status == 204);
        CHECK(scene.use(key) == 401);
    }
    for (std::string_view const body :
         {R"({"isActive":"true"})", R"({"isActive":1})", "true", "[]", "null"}) {
        CAPTURE(body);
        CHECK(scene.user.patch(key.path, body).status == 400);
        CHECK(scene.user.put(key.path + "/state", body).status == 400);
    }
    CHECK_FALSE(scene.is_active(key));
}

TEST_CASE("key rules: a key may revoke or delete itself, and is refused from then on") {
    RulesScene scene;
    auto const revoked = scene.seed_for_user("revoked");
    raw::Client first(scene.emulator, revoked.value);
    CHECK(first.put(revoked.path + "/state", off).status == 204);
    CHECK(first.put(revoked.path + "/state", on).status == 401);
    CHECK(first.get(revoked.path).status == 401);
    auto const deleted = scene.seed_for_user("deleted");
    raw::Client second(scene.emulator, deleted.value);
    CHECK(second.remove(deleted.path).status == 204);
    CHECK(second.remove(deleted.path).status == 401);
    CHECK(scene.user.remove(deleted.path).status == 404);
}

TEST_CASE("key rules: repeating a change succeeds and changes nothing") {
    RulesScene scene;
    auto const key = scene.seed_for_user("ci");
    for (auto const state : {on, on, off, off, on})
        CHECK(scene.user.put(key.path + "/state", state).status == 204);
    CHECK(scene.use(key) == 200);
}

TEST_CASE("key rules: an edit changes name, description, expiry, annotations and labels, and no more") {
    RulesScene scene;
    auto const made = scene.seed(NewApiKey("before")
                                     .for_user(scene.user_uid())
                                     .description("what it was")
                                     .expires(Expiry::in(24h, scene.clock->now())));
    CHECK(scene.user.patch(made.path, off).status == 204);
    auto expected = scene.emulator.keys().back();
    scene.clock->advance(1h);
    CHECK(scene.user
              .put(made.path,
                   R"({"metadata":{"name":"after","annotations":{"description":"what it is","team":"red"},)"
                   R"("labels":{"tier":"1"}},"spec":{"expiry":"2032-01-01T00:00:00Z"},)"
                   R"("status":{"isActive":true},"isActive":true})")
              .status == 204);
    expected.name = "after";
    expected.description = "what it is";
    expected.annotations.set("team", "red");
    expected.labels.set("tier", "1");
    expected.expiry = Expiry::parse("2032-01-01T00:00:00Z").value();
    expected.modified = scene.clock->now();
    CHECK(scene.emulator.keys().back() == expected);
    CHECK(scene.use(made) == 401);
    CHECK(scene.user.patch(made.path, on).status == 204);
    CHECK(scene.use(made) == 200);
}

TEST_CASE("key rules: a refused request changes nothing, not even the time of the last change") {
    RulesScene scene;
    auto const made = scene.seed(NewApiKey("ci").for_user(scene.user_uid()).annotate("team", "red"));
    scene.clock->advance(1h);
    auto const before = scene.emulator.keys();
    for (std::string_view const body :
         {"", "{", "[]", R"({"metadata":[]})", R"({"metadata":{"name":7}})", R"({"metadata":{"name":""}})",
          R"({"metadata":{"name":"new","annotations":{"team":1}}})",
          R"({"metadata":{"name":"new","labels":[]}})",
          R"({"metadata":{"name":"new"},"spec":{"expiry":"tomorrow"}})",
          R"({"metadata":{"name":"new"},"spec":{"expiry":"2001-01-01T00:00:00Z"}})",
          R"({"metadata":{"name":"new"},"spec":{"expiry":20310101}})"}) {
        CAPTURE(body);
        CHECK(scene.user.put(made.path, body).status == 400);
        CHECK(scene.user.post("/v1/apiKeys", body).status == 400);
        CHECK(scene.emulator.keys() == before);
    }
}

// {"name": "ci", "annotations" or "labels": {"<prefix>0": "v", ...}} with so many.
std::string with_texts(std::string_view field, std::size_t count, const std::string& prefix) {
    json::object texts;
    for (std::size_t i = 0; i < count; ++i)
        texts[prefix + std::to_string(i)] = "v";
    return json::serialize(
        json::object{{"metadata", json::object{{"name", "ci"}, {std::string(field), std::move(texts)}}}});
}

TEST_CASE("key rules: more annotations or labels than a key may have are refused, and nothing is changed") {
    RulesScene scene;
    for (std::string_view const field : {"annotations", "labels"}) {
        CAPTURE(field);
        auto const made = scene.seed(NewApiKey("ci").for_user(scene.user_uid()).annotate("team", "red"));
        auto const before = scene.emulator.keys();
        for (std::size_t const count : {1'001u, 20'000u}) {
            CHECK(scene.user.post("/v1/apiKeys", with_texts(field, count, "a")).status == 400);
            CHECK(scene.user.put(made.path, with_texts(field, count, "a")).status == 400);
        }
        CHECK(scene.emulator.keys() == before);
        CHECK(scene.user.put(made.path, with_texts(field, 900, "a")).status == 204);
        CHECK(scene.user.post("/v1/apiKeys", with_texts(field, 900, "a")).status == 201);
    }
}

/// The time for which this process has computed.
std::chrono::nanoseconds computed() {
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

TEST_CASE("key rules: a body of 20,000 annotations costs the service time in proportion to its size") {
    RulesScene scene;
    auto const made = scene.seed(NewApiKey("ci").for_user(scene.user_uid()));
    // The shortest of some tries, for what else this process does meanwhile.
    auto const time_of = [&](std::size_t count, int status) {
        auto const body = with_texts("annotations", count, "a-name-of-an-annotation-");
        auto shortest = std::chrono::nanoseconds::max();
        for (int i = 0; i < 5; ++i) {
            auto const begun = computed();
            CHECK(scene.user.put(made.path, body).status == status);
            shortest = std::min(shortest, computed() - begun);
        }
        return shortest;
    };
    auto const of_few = time_of(2'000, 400);
    auto const of_many = time_of(20'000, 400);
    auto const ratio = static_cast<double>(of_many.count()) / static_cast<double>(of_few.count());
    MESSAGE("20,000 cost " << ratio << " times as much as 2,000");
    CHECK(ratio < 40);  // 100 times, if each is compared with those before it
}

TEST_CASE("key rules: a bystander is served while others send bodies of 20,000 annotations") {
    RulesScene scene;
    auto const made = scene.seed(NewApiKey("ci").for_user(scene.user_uid()));
    auto const body = with_texts("annotations", 20'000, "a");
    // They go on until the bystander was served often enough: how soon its thread has its turns is the
    // machine's affair.
    std::atomic<int> served = 0;
    auto sending = std::async(std::launch::async, [&] {
        for (int i = 0; i < 20 || (served < 20 && i < 2'000); ++i)
            if (raw::Client(scene.emulator, made.value).put(made.path, body).status != 400) return false;
        return true;
    });
    auto const is_over = [&] { return sending.wait_for(0s) == std::future_status::ready; };
    while (!is_over()) {
        CHECK(scene.user.get("/v1/users/info").status == 200);
        ++served;
    }
    CHECK(sending.get());
    CHECK(served >= 20);
}

TEST_CASE("key rules: updates that keep what they leave out do not add up beyond the bound") {
    RulesScene scene(20, {.update_keeps_omitted = true});
    auto const made = scene.seed(NewApiKey("ci").for_user(scene.user_uid()));
    CHECK(scene.user.put(made.path, with_texts("labels", 600, "a")).status == 204);
    auto const before = scene.emulator.keys();
    CHECK(scene.user.put(made.path, with_texts("labels", 600, "b")).status == 400);
    CHECK(scene.emulator.keys() == before);
    CHECK(scene.user.put(made.path, with_texts("labels", 600, "a")).status == 204);
    CHECK(scene.emulator.keys().back().labels.size() == 600);
}

TEST_CASE("key rules: every change makes a key newer, in its first moments too") {
    RulesScene scene;
    auto const made = scene.seed(NewApiKey("ci").for_user(scene.user_uid()));
    auto last = scene.emulator.keys().back().modified;
    CHECK(last == *scene.emulator.keys().back().created + 400ms);
    for (int i = 0; i < 3; ++i) {
        CHECK(scene.user.put(made.path, R"({"metadata":{"name":"ci"}})").status == 204);
        auto const now = scene.emulator.keys().back().modified;
        CHECK(now > last);
        last = now;
    }
}

TEST_CASE("key rules: annotations that the server owns can be neither set, changed nor removed") {
    RulesScene scene;
    constexpr std::string_view owned[] = {"ownerUid", "permissions", "scope", "scopeVisibility", "tenantUid"};
    json::object annotations;
    for (auto const name : owned)
        annotations[name] = "mine now";
    auto const hostile = json::serialize(
        json::object{{"metadata", json::object{{"name", "ci"}, {"annotations", std::move(annotations)}}}});

    CHECK(scene.user.post("/v1/apiKeys", hostile).status == 201);
    auto const path = "/v1/apiKeys/" + scene.emulator.keys().back().uid;
    auto const before = scene.emulator.keys().back().annotations;
    CHECK(before.size() == std::size(owned));
    CHECK(before["ownerUid"] == scene.user_uid());
    CHECK(before["tenantUid"] == scene.emulator.tenant_uid());
    for (auto const name : owned) {
        CHECK(before.contains(name));
        CHECK(before[name] != "mine now");
    }
    for (std::string_view const body :
         {std::string_view(hostile), std::string_view(R"({"metadata":{"name":"ci"}})"),
          std::string_view(R"({"metadata":{"name":"ci","annotations":{}}})"),
          std::string_view(R"({"metadata":{"name":"ci","annotations":{"ownerUid":"","scope":null}}})")}) {
        CAPTURE(body);
        CHECK(scene.user.put(path, body).status == 204);
        CHECK(scene.emulator.keys().back().annotations == before);
    }
}

TEST_CASE("key rules: a seeded key is as it was asked for") {
    RulesScene scene;
    auto const past = Expiry::at(scene.clock->now() - 1h);
    auto const made = scene.emulator.seed_key(NewApiKey("ci")
                                                  .for_user(scene.user_uid())
                                                  .description("nightly")
                                                  .expires(past)
                                                  .annotate("team", "red")
                                                  .annotate("ownerUid", "nobody")
                                                  .label("tier", "1"));
    auto const key = scene.emulator.keys().back();
    CHECK(made.confirmed());
    CHECK(key.uid == made.uid());
    CHECK(key.name == "ci");
    CHECK(key.owner.uid == scene.user_uid());
    CHECK(key.description == "nightly");
    CHECK(key.expiry == past);
    CHECK(key.is_active);
    CHECK(key.annotations["team"] == "red");
    CHECK(key.annotations["ownerUid"] == scene.user_uid());
    CHECK(key.labels == StringMap{{"tier", "1"}});
    CHECK(key.created == scene.clock->now());
    CHECK(raw::Client(scene.emulator, made.secret().expose()).get("/v1/users/info").status == 401);

    scene.seed(NewApiKey("of the tenant admin"));
    auto const other = scene.emulator.keys().back();
    CHECK(other.owner.uid == scene.emulator.user(Role::tenant_admin).uid);
    CHECK(other.expiry == Expiry::in(std::chrono::days{30}, scene.clock->now()));
}

TEST_CASE("key rules: a tenant is filled with keys of users who have the quota at most") {
    struct Row {
        std::size_t keys;
        std::size_t quota;
        std::size_t users;
    };
    for (auto const& [keys, quota, users] :
         {Row{1'000, 20, 50}, Row{41, 20, 3}, Row{20, 20, 1}, Row{1, 20, 1}, Row{5, 1, 5}}) {
        CAPTURE(keys);
        CAPTURE(quota);
        Emulator emulator({.plain_http = true, .keys = keys, .quota = quota, .rate_limit = RateLimit::off()});
        auto const all = emulator.keys();
        CHECK(all.size() == keys + 4);
        std::map<std::string, std::size_t> keys_by_owner;
        std::set<std::string> uids;
        for (auto const& key : all) {
            ++keys_by_owner[key.owner.uid];
            uids.insert(key.uid);
        }
        CHECK(uids.size() == all.size());
        CHECK(keys_by_owner.size() == users + 4);
        for (auto const& [owner, count] : keys_by_owner)
            CHECK(count <= quota);
        raw::Client admin(emulator, emulator.user(Role::tenant_admin).api_key.expose());
        CHECK(json::parse(admin.get("/v1/apiKeys").body).at("items").as_array().size() == all.size());
        raw::Client user(emulator, emulator.user(Role::user).api_key.expose());
        CHECK(json::parse(user.get("/v1/apiKeys").body).at("items").as_array().size() == 1);
    }
}

}  // namespace key_rules_test
