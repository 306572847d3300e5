// SPDX-License-Identifier: BSL-1.0
#include "support/random.hpp"
#include "support/raw_http.hpp"

#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace generated_bodies_test {

using namespace palette;
using testing::Emulator;
using testing::RateLimit;
using testing::Role;
namespace json = boost::json;

// Bodies that claim, in every place, that a key is somebody else's, another key, or has another value.
class BodyMaker {
public:
    BodyMaker(std::uint64_t seed, std::vector<std::string> uids, std::vector<std::string> values)
        : random_(seed),
          uids_(std::move(uids)),
          values_(std::move(values)) {}

    std::string body() {
        json::object root = skeleton();
        for (auto n = 1 + random_.below(5); n > 0; --n)
            add_claim(root);
        if (random_.one_in(10)) root[name()] = claims(3);
        return json::serialize(root);
    }

    template <class T>
    const T& one_of(const std::vector<T>& choices) {
        return choices[random_.below(choices.size())];
    }

private:
    // What every operation would take as it is.
    json::object skeleton() {
        json::object root{{"metadata", json::object{{"name", "generated"},
                                                    {"annotations", json::object{{"team", "red"}}},
                                                    {"labels", json::object{{"tier", "1"}}}}},
                          {"spec", json::object{{"expiry", "2099-01-31T12:00:00Z"}}}};
        if (!random_.one_in(4)) root["isActive"] = random_.one_in(2);
        return root;
    }

    void add_claim(json::object& root) {
        if (auto const place = random_.below(9); place == 0) {
            root[name()] = value();
        } else if (place == 1 || place == 2) {
            // An answer shows these maps: no value of a key goes into them.
            auto& metadata = member(root, "metadata");
            member(metadata, place == 1 ? "annotations" : "labels")[name()] = uid();
        } else if (place == 3) {
            member(root, "metadata")[name()] = value();
        } else if (place == 4) {
            member(root, "spec")["userUid"] = value();
        } else if (place == 5) {
            member(root, "spec")[name()] = value();
        } else if (place == 6) {
            member(member(root, "spec"), "user")[name()] = value();
        } else if (place == 7) {
            member(root, "status")[name()] = value();
        } else {
            member(root, "user")[name()] = value();
        }
    }

    static json::object& member(json::object& parent, std::string_view name) {
        auto& child = parent[name];
        return child.is_object() ? child.get_object() : child.emplace_object();
    }

    json::value value() {
        switch (random_.below(12)) {
            case 0:
                return key_value();
            case 1:
                return random_.one_in(2);
            case 2:
                return nullptr;
            case 3:
                return static_cast<std::int64_t>(random_.below(1'000));
            case 4:
                return claims(3);
            case 5:
                return json::array{uid(), claims(2)};
            default:
                return uid();
        }
    }

    json::object claims(int depth) {
        json::object out;
        for (auto n = 1 + random_.below(3); n > 0; --n) {
            if (depth > 0 && random_.one_in(3))
                out[name()] = claims(depth - 1);
            else
                out[name()] = random_.one_in(4) ? key_value() : uid();
        }
        return out;
    }

    json::string uid() { return json::string(one_of(uids_)); }
    json::string key_value() { return json::string(one_of(values_)); }

    std::string_view name() {
        static constexpr std::string_view names[] = {
            "userUid", "ownerUid", "uid",  "key",    "isActive",  "user", "owner",  "apiKey",
            "value",   "UserUid",  "spec", "status", "tenantUid", "id",   "expiry", "creatorUid"};
        return names[random_.below(std::size(names))];
    }

    sample::Random random_;
    std::vector<std::string> uids_;
    std::vector<std::string> values_;
};

class GeneratedScene {
public:
    GeneratedScene() {
        for (auto const role :
             {Role::tenant_admin, Role::tenant_user_admin, Role::tenant_viewer, Role::user}) {
            auto const& user = emulator.user(role);
            clients.emplace_back(emulator, "Authorization", emulator.sign_in(user.uid));
            values.emplace_back(user.api_key.expose());
            for (int i = 0; i < 2; ++i)
                values.emplace_back(
                    raw::copy_of(emulator.seed_key(NewApiKey("seeded").for_user(user.uid)).secret()));
            uids.push_back(user.uid);
        }
        for (auto const& key : emulator.keys()) {
            owners[key.uid] = key.owner;
            keys.push_back(key.uid);
        }
        uids.insert(uids.end(), keys.begin(), keys.end());
    }

    // Everything that was answered, but for the creates that succeeded.
    raw::Response note(raw::Response response) {
        CHECK(response.complete);
        CHECK(response.status < 500);
        for (auto const& [name, value] : response.headers)
            answers += value + '\n';
        if (response.status != 201) answers += response.body + '\n';
        return response;
    }

    [[nodiscard]] std::map<std::string, Owner> owners_now() const {
        std::map<std::string, Owner> now;
        for (auto const& key : emulator.keys()) {
            now[key.uid] = key.owner;
            CHECK(key.annotations["ownerUid"] == key.owner.uid);
        }
        return now;
    }

    raw::Client& admin() { return clients.front(); }
    raw::Client& plain_user() { return clients.back(); }
    [[nodiscard]] const std::string& plain_user_uid() const { return emulator.user(Role::user).uid; }

    // Stands still, so that no token ends.
    std::shared_ptr<testing::ManualClock> clock = std::make_shared<testing::ManualClock>();
    Emulator emulator{{.plain_http = true, .rate_limit = RateLimit::off(), .clock = clock}};
    std::vector<raw::Client> clients;
    std::vector<std::string> values;
    std::vector<std::string> uids;
    std::vector<std::string> keys;
    std::map<std::string, Owner> owners;
    std::string answers;
};

TEST_CASE("generated bodies: no update, patch or change of state moves a key to another owner") {
    GeneratedScene scene;
    BodyMaker maker(20'261'121, scene.uids, scene.values);
    int done = 0;
    int refused = 0;
    for (int i = 0; i < 1'500; ++i) {
        auto const body = maker.body();
        auto const path = "/v1/apiKeys/" + maker.one_of(scene.keys);
        auto& client = scene.clients[static_cast<std::size_t>(i / 3) % scene.clients.size()];
        auto const response = scene.note(i % 3 == 0   ? client.put(path, body)
                                         : i % 3 == 1 ? client.patch(path, body)
                                                      : client.put(path + "/state", body));
        ++(response.status == 204 ? done : refused);
        scene.note(scene.admin().get(path));
        if (i % 50 == 0) scene.note(scene.admin().get("/v1/apiKeys"));
        CAPTURE(body);
        REQUIRE(scene.owners_now() == scene.owners);
    }
    // They would show nothing if all of them had been refused.
    CHECK(done > 300);
    CHECK(refused > 300);
    for (auto const& value : scene.values)
        CHECK(scene.answers.find(value) == std::string::npos);
}

TEST_CASE("generated bodies: every key works for its owner as before") {
    GeneratedScene scene;
    BodyMaker maker(4, scene.uids, scene.values);
    for (int i = 0; i < 100; ++i)
        scene.note(scene.admin().put("/v1/apiKeys/" + maker.one_of(scene.keys), maker.body()));
    // Of each user the first value is that of the key from the start, and two were made here.
    for (std::size_t i = 0; i < scene.values.size(); ++i) {
        raw::Client key(scene.emulator, scene.values[i]);
        auto const who = json::parse(key.get("/v1/users/info").body);
        CHECK(who.at("userUid").as_string() == scene.uids[i / 3]);
    }
}

TEST_CASE("generated bodies: a plain user makes no key but their own, whatever they ask for") {
    GeneratedScene scene;
    BodyMaker maker(500, scene.uids, scene.values);
    int made = 0;
    int refused = 0;
    for (int i = 0; i < 500; ++i) {
        auto const body = maker.body();
        CAPTURE(body);
        auto const response = scene.note(scene.plain_user().post("/v1/apiKeys", body));
        auto owners = scene.owners_now();
        if (response.status == 201) {
            ++made;
            auto const answer = json::parse(response.body).as_object();
            auto const uid = std::string(answer.at("uid").as_string());
            CHECK(answer.size() == 2);
            CHECK(owners[uid].uid == scene.plain_user_uid());
            scene.values.emplace_back(answer.at("apiKey").as_string());
            scene.note(scene.plain_user().get("/v1/apiKeys/" + uid));
            scene.note(scene.plain_user().get("/v1/apiKeys"));
            CHECK(scene.note(scene.plain_user().remove("/v1/apiKeys/" + uid)).status == 204);
            owners.erase(uid);
        } else {
            ++refused;
        }
        REQUIRE(owners == scene.owners);
    }
    CHECK(made > 100);
    CHECK(refused > 100);
    for (auto const& value : scene.values)
        CHECK(scene.answers.find(value) == std::string::npos);
}

TEST_CASE("generated bodies: a value in the wrong place is not repeated") {
    GeneratedScene scene;
    auto const& admin = scene.emulator.user(Role::tenant_admin);
    auto const value = std::string(admin.api_key.expose());
    auto const token = raw::copy_of(scene.emulator.sign_in(admin.uid));
    for (auto const& secret : {value, token, std::string(admin.password.expose())}) {
        auto const quoted = json::serialize(json::string(secret));
        for (std::string_view const body :
             {"{\"metadata\":{\"name\":\"a\"},\"spec\":{\"expiry\":$}}",
              "{\"metadata\":{\"name\":\"a\"},\"spec\":{\"userUid\":$}}", "{\"metadata\":$}", "{\"spec\":$}",
              "{\"metadata\":{\"name\":\"a\",\"labels\":$}}", "{\"isActive\":$}", "$", "{$", "[$]",
              "{\"emailId\":$,\"password\":$}", "{\"metadata\":{\"name\":\"a\",\"creationTimestamp\":$}}"}) {
            std::string text;
            for (char const c : body)
                text += c == '$' ? quoted : std::string(1, c);
            CAPTURE(body);
            auto const key = "/v1/apiKeys/" + scene.keys.front();
            CHECK(scene.note(scene.admin().post("/v1/apiKeys", text)).status >= 400);
            CHECK(scene.note(scene.plain_user().post("/v1/auth/authenticate", text)).status >= 400);
            scene.note(scene.admin().put(key, text));
            scene.note(scene.admin().patch(key, text));
        }
        for (auto const& path : {"/v1/apiKeys/" + secret, "/v1/auth/refresh/x" + secret, "/" + secret,
                                 "/v1/users?limit=" + secret, "/v1/users?continue=" + secret})
            CHECK(scene.note(scene.admin().get(path)).status >= 400);
        CHECK(scene.answers.find(secret) == std::string::npos);
    }
}

}  // namespace generated_bodies_test
