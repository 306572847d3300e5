// SPDX-License-Identifier: BSL-1.0
#include "support/raw_http.hpp"

#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>
#include <boost/json.hpp>

namespace life_test {

using palette::testing::Emulator;
using palette::testing::Role;

TEST_CASE("a key is created, read, edited, revoked, re-activated and deleted") {
    Emulator emulator;
    raw::Client admin(emulator, emulator.user(Role::tenant_admin).api_key.expose());

    auto const created = admin.post("/v1/apiKeys", R"({"metadata":{"name":"ci"}})");
    REQUIRE(created.status == 201);
    auto const answer = boost::json::parse(created.body).as_object();
    auto const path = "/v1/apiKeys/" + std::string(answer.at("uid").as_string());
    raw::Client key(emulator, std::string(answer.at("apiKey").as_string()));
    CHECK(key.get("/v1/users/info").status == 200);

    CHECK(
        admin.put(path, R"({"metadata":{"name":"ci-2"},"spec":{"expiry":"2099-01-01T00:00:00Z"}})").status ==
        204);
    auto const read = boost::json::parse(admin.get(path).body).as_object();
    CHECK(read.at("metadata").at("name").as_string() == "ci-2");
    CHECK(read.at("spec").at("expiry").as_string() == "2099-01-01T00:00:00.000Z");

    CHECK(admin.put(path + "/state", R"({"isActive":false})").status == 204);
    CHECK(key.get("/v1/users/info").status == 401);
    CHECK(admin.put(path + "/state", R"({"isActive":true})").status == 204);
    CHECK(key.get("/v1/users/info").status == 200);

    CHECK(admin.remove(path).status == 204);
    CHECK(key.get("/v1/users/info").status == 401);
    CHECK(admin.get(path).status == 404);
}

}  // namespace life_test
