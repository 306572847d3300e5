// SPDX-License-Identifier: BSL-1.0
#include "support/raw_http.hpp"

#include <palette/error.hpp>
#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// What the service tells of its audit log, and of the limits of its tenant.

namespace audit_log_test {

using namespace palette;
using namespace std::chrono_literals;
using testing::Emulator;
using testing::RateLimit;
using testing::Role;
namespace json = boost::json;

// On the first of January 2031.
struct LogScene {
    std::shared_ptr<testing::ManualClock> clock =
        std::make_shared<testing::ManualClock>(std::chrono::sys_days{std::chrono::year{2031} / 1 / 1});
    Emulator emulator{{.plain_http = true, .rate_limit = RateLimit::off(), .clock = clock}};
    raw::Client admin{emulator, emulator.user(Role::tenant_admin).api_key.expose()};

    [[nodiscard]] raw::Client of(Role role) const {
        return raw::Client(emulator, emulator.user(role).api_key.expose());
    }

    json::object events(const std::string& query = {}) {
        auto const response = admin.get("/v1/audits" + query);
        REQUIRE(response.status == 200);
        return json::parse(response.body).as_object();
    }

    // What a client sees that follows "continue" to its end.
    std::vector<std::string> uids(const std::string& query) {
        std::vector<std::string> all;
        std::string next;
        do {
            auto const page = events(query + (next.empty() ? "" : "&continue=" + next));
            for (auto const& item : page.at("items").as_array())
                all.emplace_back(item.at("metadata").at("uid").as_string());
            next = page.at("listmeta").at("continue").as_string();
        } while (!next.empty() && all.size() < 1'000);
        return all;
    }
};

AuditEvent event_of(std::string uid, std::string action = "create") {
    AuditEvent event;
    event.uid = std::move(uid);
    event.action = std::move(action);
    return event;
}

using Uids = std::vector<std::string>;

TEST_CASE("audit log: an event is shown as it was written, with what is empty left out") {
    LogScene scene;
    AuditEvent event = event_of("e1", "delete");
    event.action_message = "deleted";
    event.content_message = "content";
    event.user_message = "for the user";
    event.resource.uid = "r1";
    event.resource.kind = "user";
    event.resource.name = "ada";
    event.resource.label = "Ada";
    event.actor.type = "user";
    event.actor.user_uid = "u1";
    event.actor.email = "ada@acme.test";
    event.actor.first_name = "Ada";
    event.actor.last_name = "Lovelace";
    event.actor.project = "Default";
    CHECK(scene.emulator.audit(event) == "e1");
    auto const list = scene.events();
    CHECK(list.at("items").at(0) == json::parse(R"({
        "metadata": {"uid": "e1", "creationTimestamp": "2031-01-01T00:00:00.000Z"},
        "spec": {"actionMsg": "deleted", "actionType": "delete", "contentMsg": "content", "userMsg": "for the user",
                 "actor": {"actorType": "user", "project": {"name": "Default"},
                           "user": {"emailId": "ada@acme.test", "firstName": "Ada", "lastName": "Lovelace", "uid": "u1"}},
                 "resource": {"kind": "user", "label": "Ada", "name": "ada", "uid": "r1"}}})"));
    CHECK(list.at("listmeta") == json::parse(R"({"continue":"","count":1,"limit":50,"offset":1})"));

    AuditEvent bare;
    auto const uid = scene.emulator.audit(bare);
    CHECK(uid.size() == 24);
    CHECK(scene.events().at("items").at(1) == json::parse(R"({
        "metadata": {"uid": ")" + uid + R"(", "creationTimestamp": "2031-01-01T00:00:00.000Z"},
        "spec": {"actor": {"user": {}}, "resource": {"uid": ""}}})"));
}

TEST_CASE("audit log: what is not UTF-8 is not written") {
    LogScene scene;
    AuditEvent event;
    event.actor.service = "\xff";
    CHECK_THROWS_AS(scene.emulator.audit(event), Exception);
    CHECK(scene.events().at("items").as_array().empty());
}

TEST_CASE("audit log: a list is cut at fifty, and continues at its token") {
    LogScene scene;
    Uids written;
    for (int i = 0; i < 120; ++i)
        written.push_back(scene.emulator.audit(AuditEvent()));
    auto const first = scene.events();
    CHECK(first.at("items").as_array().size() == 50);
    CHECK(first.at("listmeta").at("count").to_number<int>() == 120);
    CHECK(scene.events("?limit=500").at("items").as_array().size() == 50);
    for (std::string const query : {"?limit=50", "?limit=7", "?limit=0"})
        CHECK(scene.uids(query) == written);
    scene.emulator.faults().add("GET /v1/audits page:3");
    CHECK(scene.events().at("items").as_array().size() == 3);
    CHECK(scene.uids("?limit=50") == written);
}

TEST_CASE("audit log: each filter selects by its own condition, and all of them together") {
    LogScene scene;
    auto const at = [&](std::string uid, std::chrono::milliseconds time) {
        auto event = event_of(std::move(uid));
        event.created = scene.clock->now() + time;
        scene.emulator.audit(event);
    };
    at("first", 0ms);
    at("second", 1s);
    at("third", 2s);
    auto other = event_of("other", "delete");
    other.created = scene.clock->now() + 3s;
    other.actor.user_uid = "u1";
    other.resource.kind = "apiKey";
    other.resource.uid = "k1";
    scene.emulator.audit(other);

    CHECK(scene.uids("?startTime=2031-01-01T00:00:01.000Z") == Uids{"second", "third", "other"});
    CHECK(scene.uids("?endTime=2031-01-01T00:00:01.000Z") == Uids{"first", "second"});
    CHECK(scene.uids("?startTime=2031-01-01T01:00:01%2B01:00&endTime=2031-01-01T00:00:02Z") ==
          Uids{"second", "third"});
    CHECK(scene.uids("?userUid=u1") == Uids{"other"});
    CHECK(scene.uids("?userUid=u2") == Uids{});
    CHECK(scene.uids("?resourceKind=apiKey") == Uids{"other"});
    CHECK(scene.uids("?resourceUid=k1") == Uids{"other"});
    CHECK(scene.uids("?resourceUid=k2") == Uids{});
    CHECK(scene.uids("?actionType=create") == Uids{"first", "second", "third"});
    CHECK(scene.uids("?actionType=delete&userUid=u1&resourceKind=apiKey&resourceUid=k1") == Uids{"other"});
    CHECK(scene.uids("?actionType=create&userUid=u1") == Uids{});
    // A parameter that is empty is as absent.
    CHECK(scene.uids("?startTime=&endTime=&userUid=&resourceKind=&resourceUid=&actionType=").size() == 4);
    // The count is that of what was selected.
    CHECK(scene.events("?userUid=u1").at("listmeta").at("count").to_number<int>() == 1);
}

TEST_CASE("audit log: a filter that means nothing is refused") {
    LogScene scene;
    for (std::string const query :
         {"?startTime=yesterday", "?endTime=2031", "?actionType=Create", "?limit=many", "?continue=x"}) {
        CAPTURE(query);
        CHECK(scene.admin.get("/v1/audits" + query).status == 400);
    }
}

TEST_CASE("audit log: a plus sign in a query is a space, unless it is encoded") {
    LogScene scene;
    CHECK(scene.admin.get("/v1/audits?startTime=2031-01-01T00:00:00%2B01:00").status == 200);
    CHECK(scene.admin.get("/v1/audits?startTime=2031-01-01T00:00:00+01:00").status == 400);
}

TEST_CASE("audit log: administrators and viewers read it, and a plain user does not") {
    LogScene scene;
    for (auto const role : {Role::tenant_admin, Role::tenant_user_admin, Role::tenant_viewer})
        CHECK(scene.of(role).get("/v1/audits").status == 200);
    CHECK(scene.of(Role::user).get("/v1/audits").status == 403);
    CHECK(raw::Client(scene.emulator, "").get("/v1/audits").status == 401);
}

TEST_CASE("limits: the tenant's number of keys for a user is among its limits") {
    LogScene scene;
    auto const path = "/v1/tenants/" + scene.emulator.tenant_uid() + "/resourceLimits";
    auto const response = scene.admin.get(path);
    REQUIRE(response.status == 200);
    CHECK(json::parse(response.body) == json::parse(R"({"resources":[
        {"kind":"user","label":"Users","limit":1000,"maxLimit":10000},
        {"kind":"apiKey","label":"API keys","limit":20,"maxLimit":10000}]})"));

    Emulator const raised({.plain_http = true, .quota = 12'345});
    raw::Client admin(raised, raised.user(Role::tenant_admin).api_key.expose());
    auto const limits = admin.get("/v1/tenants/" + raised.tenant_uid() + "/resourceLimits");
    CHECK(json::parse(limits.body).at("resources").at(1) ==
          json::parse(R"({"kind":"apiKey","label":"API keys","limit":12345,"maxLimit":12345})"));
}

TEST_CASE("limits: administrators and viewers read those of their own tenant, and a plain user does not") {
    LogScene scene;
    auto const path = "/v1/tenants/" + scene.emulator.tenant_uid() + "/resourceLimits";
    for (auto const role : {Role::tenant_admin, Role::tenant_user_admin, Role::tenant_viewer}) {
        CHECK(scene.of(role).get(path).status == 200);
        CHECK(scene.of(role).get("/v1/tenants/0123456789abcdef01234567/resourceLimits").status == 403);
    }
    CHECK(scene.of(Role::user).get(path).status == 403);
    CHECK(raw::Client(scene.emulator, "").get(path).status == 401);
    CHECK(scene.admin.put(path, "{}").status == 405);
    CHECK(scene.admin.get("/v1/tenants/" + scene.emulator.tenant_uid()).status == 404);
}

TEST_CASE("audit log: it has a rate limit of its own, and so have the limits of the tenant") {
    auto const clock = std::make_shared<testing::ManualClock>();
    Emulator const emulator(
        {.plain_http = true, .rate_limit = {.per_second = 1, .burst = 2}, .clock = clock});
    raw::Client admin(emulator, emulator.user(Role::tenant_admin).api_key.expose());
    auto const limits = "/v1/tenants/" + emulator.tenant_uid() + "/resourceLimits";
    for (int i = 0; i < 2; ++i) {
        CHECK(admin.get("/v1/audits").status == 200);
        CHECK(admin.get(limits).status == 200);
        CHECK(admin.get("/v1/users").status == 200);
    }
    CHECK(admin.get("/v1/audits").status == 429);
    CHECK(admin.get(limits).status == 429);
    CHECK(admin.get("/v1/users/info").status == 429);
}

}  // namespace audit_log_test
