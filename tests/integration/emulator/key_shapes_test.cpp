// SPDX-License-Identifier: BSL-1.0
#include "support/random.hpp"
#include "support/raw_http.hpp"

#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace key_shapes_test {

using namespace palette;
using namespace std::chrono_literals;
using testing::Emulator;
using testing::RateLimit;
using testing::Role;
namespace json = boost::json;

struct ShapesScene {
    json::object create(std::string_view body) {
        auto const response = admin.post("/v1/apiKeys", body);
        CAPTURE(body);
        REQUIRE(response.status == 201);
        return json::parse(response.body).as_object();
    }

    // The key that was made last, as a list and a read show it.
    json::object last_shown() {
        auto const list = json::parse(admin.get("/v1/apiKeys").body);
        auto const read = json::parse(admin.get("/v1/apiKeys/" + emulator.keys().back().uid).body);
        CHECK(list.at("items").as_array().back() == read);
        return read.as_object();
    }

    std::shared_ptr<testing::ManualClock> clock =
        std::make_shared<testing::ManualClock>(std::chrono::sys_days{std::chrono::year{2031} / 1 / 1} + 5ms);
    Emulator emulator{{.plain_http = true, .quota = 10'000, .rate_limit = RateLimit::off(), .clock = clock}};
    raw::Client admin{emulator, emulator.user(Role::tenant_admin).api_key.expose()};
};

std::set<std::string> names_in(const json::value& object) {
    std::set<std::string> names;
    for (auto const& member : object.as_object())
        names.emplace(member.key());
    return names;
}

using Names = std::set<std::string>;

TEST_CASE("key shapes: what is empty or false is left out, and no time is the year 1") {
    ShapesScene scene;
    scene.create(R"({"metadata":{"name":"ci"}})");
    auto const uid = scene.emulator.keys().back().uid;
    auto const& owner = scene.emulator.user(Role::tenant_admin);
    auto const key = scene.last_shown();
    CHECK(names_in(key) == Names{"metadata", "spec", "status"});
    CHECK(names_in(key.at("metadata")) == Names{"annotations", "creationTimestamp", "deletionTimestamp",
                                                "lastModifiedTimestamp", "name", "uid"});
    auto const& metadata = key.at("metadata").as_object();
    CHECK(metadata.at("name").as_string() == "ci");
    CHECK(metadata.at("uid").as_string() == std::string_view(uid));
    CHECK(metadata.at("creationTimestamp").as_string() == "2031-01-01T00:00:00.005Z");
    CHECK(metadata.at("lastModifiedTimestamp").as_string() == "2031-01-01T00:00:00.405Z");
    CHECK(metadata.at("deletionTimestamp").as_string() == "0001-01-01T00:00:00.000Z");
    CHECK(names_in(metadata.at("annotations")) ==
          Names{"ownerUid", "permissions", "scope", "scopeVisibility", "tenantUid"});
    auto const& annotations = metadata.at("annotations").as_object();
    auto const permissions = std::string_view(annotations.at("permissions").as_string());
    CHECK(permissions.starts_with("apiKey.create,apiKey.delete,"));
    CHECK(permissions.ends_with(",tag.update"));
    CHECK(annotations.at("scope").as_string() == "tenant");
    CHECK(annotations.at("scopeVisibility").as_string() == "20");
    CHECK(annotations.at("ownerUid").as_string() == std::string_view(owner.uid));
    CHECK(annotations.at("tenantUid").as_string() == std::string_view(scene.emulator.tenant_uid()));
    CHECK(names_in(key.at("spec")) == Names{"expiry", "user"});
    CHECK(key.at("spec").at("expiry").as_string() == "0001-01-01T00:00:00.000Z");
    CHECK(names_in(key.at("spec").at("user")) == Names{"firstName", "lastName", "uid"});
    CHECK(key.at("spec").at("user").at("uid").as_string() == std::string_view(owner.uid));
    CHECK(key.at("status") == json::object{{"isActive", true}});

    scene.clock->advance(1h);
    CHECK(scene.admin.patch("/v1/apiKeys/" + uid, "{}").status == 204);
    auto const revoked = scene.last_shown();
    CHECK(revoked.at("status") == json::object{});
    CHECK(revoked.at("metadata").at("creationTimestamp") == metadata.at("creationTimestamp"));
    CHECK(revoked.at("metadata").at("lastModifiedTimestamp").as_string() == "2031-01-01T01:00:00.005Z");

    auto const nameless =
        scene.emulator.add_user({.email = "x@acme.test", .first_name = "", .last_name = ""});
    (void)scene.emulator.seed_key(NewApiKey("of the nameless").for_user(nameless.uid));
    CHECK(names_in(scene.last_shown().at("spec").at("user")) == Names{"uid"});
}

TEST_CASE("key shapes: an empty list is a list") {
    ShapesScene scene;
    auto const uid = scene.emulator.add_user({.email = "x@acme.test"}).uid;
    raw::Client client(scene.emulator, "Authorization", scene.emulator.sign_in(uid));
    auto const response = client.get("/v1/apiKeys");
    CHECK(response.status == 200);
    CHECK(json::parse(response.body).at("items") == json::array{});
}

TEST_CASE("key shapes: uids are 24 hexadecimal digits, values 32 characters, and all differ") {
    ShapesScene scene;
    std::set<std::string> uids;
    std::set<std::string> values;
    for (int i = 0; i < 300; ++i) {
        auto const answer = scene.create(R"({"metadata":{"name":"ci"}})");
        CHECK(names_in(answer) == Names{"apiKey", "uid"});
        uids.emplace(answer.at("uid").as_string());
        values.emplace(answer.at("apiKey").as_string());
        auto const seeded = scene.emulator.seed_key(NewApiKey("seeded"));
        uids.emplace(seeded.uid());
        values.emplace(seeded.secret().expose());
    }
    for (auto const role : {Role::tenant_admin, Role::tenant_user_admin, Role::tenant_viewer, Role::user}) {
        uids.insert(scene.emulator.user(role).uid);
        values.emplace(scene.emulator.user(role).api_key.expose());
    }
    uids.insert(scene.emulator.tenant_uid());
    CHECK(uids.size() == 605);
    CHECK(values.size() == 604);
    for (auto const& uid : uids) {
        CHECK(uid.size() == 24);
        CHECK(uid.find_first_not_of("0123456789abcdef") == std::string::npos);
    }
    for (auto const& value : values) {
        CHECK(value.size() == 32);
        CHECK(std::ranges::all_of(value, [](char c) { return c > ' ' && c < '\x7F'; }));
    }
    Emulator another({.plain_http = true});
    CHECK_FALSE(values.contains(std::string(another.user(Role::user).api_key.expose())));
}

TEST_CASE("key shapes: a list is in the order of creation") {
    ShapesScene scene;
    std::vector<std::string> wanted;
    for (auto const& key : scene.emulator.keys())
        wanted.push_back(key.uid);
    CHECK(wanted.size() == 4);
    for (int i = 0; i < 20; ++i)
        wanted.emplace_back(scene.create(R"({"metadata":{"name":"ci"}})").at("uid").as_string());
    CHECK(scene.admin.remove("/v1/apiKeys/" + wanted[7]).status == 204);
    wanted.erase(wanted.begin() + 7);
    wanted.emplace_back(scene.create(R"({"metadata":{"name":"ci"}})").at("uid").as_string());

    std::vector<std::string> listed;
    auto const list = json::parse(scene.admin.get("/v1/apiKeys").body);
    for (auto const& item : list.at("items").as_array())
        listed.emplace_back(item.at("metadata").at("uid").as_string());
    CHECK(listed == wanted);
    listed.clear();
    for (auto const& key : scene.emulator.keys())
        listed.push_back(key.uid);
    CHECK(listed == wanted);
}

TEST_CASE("key shapes: what a Go client sends beside the request is accepted and means nothing") {
    ShapesScene scene;
    auto const body = R"({"metadata":{"name":"ci","uid":"0123456789abcdef01234567","creationTimestamp":)"
                      R"("0001-01-01T00:00:00.000Z","deletionTimestamp":"0001-01-01T00:00:00Z",)"
                      R"("lastModifiedTimestamp":"0001-01-01T00:00:00.000Z",)"
                      R"("annotations":null,"labels":{}},"spec":{"expiry":"2031-02-01T00:00:00.000Z"}})";
    auto const uid = std::string(scene.create(body).at("uid").as_string());
    CHECK(uid != "0123456789abcdef01234567");
    CHECK(scene.admin.put("/v1/apiKeys/" + uid, body).status == 204);
    auto const metadata = scene.last_shown().at("metadata").as_object();
    CHECK(metadata.at("uid").as_string() == std::string_view(uid));
    CHECK(metadata.at("creationTimestamp").as_string() == "2031-01-01T00:00:00.005Z");
    CHECK(metadata.at("deletionTimestamp").as_string() == "0001-01-01T00:00:00.000Z");
}

TEST_CASE("key shapes: null is as absent, unknown members are ignored") {
    ShapesScene scene;
    for (std::string_view const body :
         {R"({"metadata":{"name":"ci"}})",
          R"({"metadata":{"name":"ci","annotations":null,"labels":null,"uid":null},"spec":null})",
          R"({"metadata":{"name":"ci","annotations":{"team":null},"creationTimestamp":null},)"
          R"("spec":{"expiry":null,"userUid":null}})",
          R"({"metadata":{"name":"ci","namespace":[{"a":1}]},)"
          R"("spec":{"key":7,"user":[]},"status":0,"kind":"x"})",
          R"({"metadata":{"name":"ci"},"spec":{"userUid":""},"":{}})"}) {
        scene.create(body);
        auto key = scene.emulator.keys().back();
        CHECK(key.name == "ci");
        CHECK(key.owner.uid == scene.emulator.user(Role::tenant_admin).uid);
        CHECK(key.expiry.is_never());
        CHECK(key.is_active);
        CHECK(key.labels.empty());
        CHECK(key.annotations["team"].empty());
        CHECK(scene.admin.put("/v1/apiKeys/" + key.uid, body).status == 204);
        key.modified = scene.emulator.keys().back().modified;
        CHECK(scene.emulator.keys().back() == key);
    }
}

TEST_CASE("key shapes: of duplicate members the last counts, as in Go, for permissions too") {
    ShapesScene scene;
    scene.create(R"({"metadata":{"name":"first","name":"last"}})");
    CHECK(scene.emulator.keys().back().name == "last");

    auto const& user = scene.emulator.user(Role::user);
    raw::Client plain(scene.emulator, user.api_key.expose());
    auto const own = R"("userUid":")" + user.uid + '"';
    auto const others = R"("userUid":")" + scene.emulator.user(Role::tenant_admin).uid + '"';
    auto const create = [&](const std::string& members) {
        return plain.post("/v1/apiKeys", R"({"metadata":{"name":"ci"},"spec":{)" + members + "}}").status;
    };
    CHECK(create(own + ',' + others) == 403);
    CHECK(create(others + ',' + own) == 201);
    CHECK(scene.emulator.keys().back().owner.uid == user.uid);

    auto const path = "/v1/apiKeys/" + scene.emulator.keys().back().uid;
    CHECK(plain.patch(path, R"({"isActive":true,"isActive":false})").status == 204);
    CHECK_FALSE(scene.emulator.keys().back().is_active);
    CHECK(plain.patch(path, R"({"isActive":false,"isActive":true})").status == 204);
    CHECK(scene.emulator.keys().back().is_active);
}

TEST_CASE("key shapes: an update knows no userUid, whatever its type") {
    ShapesScene scene;
    scene.create(R"({"metadata":{"name":"ci"}})");
    auto before = scene.emulator.keys().back();
    for (std::string_view const value : {R"("0123456789abcdef01234567")", "7", "null", "{}", "[true]"}) {
        CAPTURE(value);
        auto const body = R"({"metadata":{"name":"ci"},"spec":{"userUid":)" + std::string(value) + "}}";
        CHECK(scene.admin.put("/v1/apiKeys/" + before.uid, body).status == 204);
        before.modified = scene.emulator.keys().back().modified;
        CHECK(scene.emulator.keys().back() == before);
    }
}

TEST_CASE("key shapes: the description is an annotation on the wire, and a member of its own here") {
    ShapesScene scene;
    scene.create(R"({"metadata":{"name":"ci","annotations":{"description":"nightly","team":"red"}}})");
    auto const key = scene.emulator.keys().back();
    CHECK(key.description == "nightly");
    CHECK(key.annotations["team"] == "red");
    CHECK_FALSE(key.annotations.contains("description"));
    auto const shown = scene.last_shown();
    auto const& annotations = shown.at("metadata").at("annotations");
    CHECK(annotations.at("description").as_string() == "nightly");
    CHECK(annotations.at("team").as_string() == "red");
    CHECK(json::serialize(shown).find("nightly") == json::serialize(shown).rfind("nightly"));

    (void)scene.emulator.seed_key(NewApiKey("seeded").description("by hand"));
    CHECK(scene.last_shown().at("metadata").at("annotations").at("description").as_string() == "by hand");
}

TEST_CASE("key shapes: an expiry in any form of RFC 3339 is the same instant") {
    ShapesScene scene;
    struct Row {
        std::string sent;
        std::string shown;
    };
    for (auto const& [sent, shown] : {Row{"2031-02-01T12:00:00Z", "2031-02-01T12:00:00.000Z"},
                                      Row{"2031-02-01T12:00:00.5Z", "2031-02-01T12:00:00.500Z"},
                                      Row{"2031-02-01T12:00:00.123456789Z", "2031-02-01T12:00:00.123Z"},
                                      Row{"2031-02-01T12:00:00+02:00", "2031-02-01T10:00:00.000Z"},
                                      Row{"2031-01-31T23:30:00-00:45", "2031-02-01T00:15:00.000Z"},
                                      Row{"2031-02-01t12:00:00z", "2031-02-01T12:00:00.000Z"},
                                      Row{"9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"},
                                      Row{"2032-02-29T00:00:00Z", "2032-02-29T00:00:00.000Z"},
                                      Row{"0001-01-01T00:00:00.000Z", "0001-01-01T00:00:00.000Z"}}) {
        scene.create(R"({"metadata":{"name":"ci"},"spec":{"expiry":")" + sent + R"("}})");
        CHECK(scene.last_shown().at("spec").at("expiry").as_string() == std::string_view(shown));
    }
    for (std::string_view const bad : {"never", "tomorrow", "2031-02-30T00:00:00Z", "2031-02-01",
                                       "2031-02-01T12:00:00", "1900-01-01T00:00:00Z"}) {
        CAPTURE(bad);
        CHECK(scene.admin
                  .post("/v1/apiKeys",
                        R"({"metadata":{"name":"ci"},"spec":{"expiry":")" + std::string(bad) + R"("}})")
                  .status == 400);
    }
}

TEST_CASE("key shapes: any text comes back as it was sent") {
    ShapesScene scene;
    sample::Random random(31);
    auto const map = [&] {
        json::object out;
        for (auto n = random.below(5); n > 0; --n)
            out["k" + random.text(6)] = random.text(20);
        return out;
    };
    for (int i = 0; i < 200; ++i) {
        json::object const metadata{
            {"name", "n" + random.text(20)}, {"annotations", map()}, {"labels", map()}};
        auto const body = json::serialize(json::object{{"metadata", metadata}});
        auto const uid = std::string(scene.create(body).at("uid").as_string());
        CHECK(scene.admin.put("/v1/apiKeys/" + uid, body).status == 204);

        auto const read = json::parse(scene.admin.get("/v1/apiKeys/" + uid).body);
        CHECK(read.at("metadata").at("name") == metadata.at("name"));
        auto const* const labels = read.at("metadata").as_object().if_contains("labels");
        CHECK((labels != nullptr ? *labels : json::object{}) == metadata.at("labels"));
        for (auto const& [name, value] : metadata.at("annotations").as_object())
            CHECK(read.at("metadata").at("annotations").at(name) == value);
        CHECK(scene.admin.remove("/v1/apiKeys/" + uid).status == 204);
    }
}

}  // namespace key_shapes_test
