// SPDX-License-Identifier: BSL-1.0
#include "support/one_attempt.hpp"
#include "support/printed.hpp"
#include "support/scripted_client.hpp"

#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// The audit log, and how many keys a user may have.

namespace audit_events_test {

using namespace palette;
using namespace std::chrono_literals;
using testing::Emulator;
using testing::RateLimit;
using testing::Role;
using Client = BlockingApiKeyClient;

// With events of one user and of a service, an hour apart.
struct LogScene {
    LogScene() {
        for (int i = 0; i < 60; ++i) {
            AuditEvent event;
            event.uid = "event-" + std::to_string(i);
            event.created = begin + i * 1h;
            event.action = i % 3 == 0 ? "delete" : "update";
            event.actor.type = i % 2 == 0 ? "user" : "service";
            event.actor.user_uid = i % 2 == 0 ? "u1" : "";
            event.actor.service = i % 2 == 0 ? "" : "hubble";
            event.resource.kind = i % 5 == 0 ? "apiKey" : "user & co";
            event.resource.uid = "r" + std::to_string(i % 4);
            written.push_back(event);
            emulator.audit(event);
        }
    }

    Result<AuditEventList> list(AuditEventFilter filter = AuditEventFilter()) {
        return client.list_audit_events(std::move(filter));
    }

    // Those that were written and that the filter selects, of those with a value for what it asks.
    template <class Selects>
    [[nodiscard]] std::vector<AuditEvent> those(Selects selects) const {
        std::vector<AuditEvent> chosen;
        for (auto const& event : written)
            if (selects(event)) chosen.push_back(event);
        return chosen;
    }

    Instant begin = std::chrono::sys_days{std::chrono::year{2026} / 5 / 1};
    std::vector<AuditEvent> written;
    Emulator emulator{{.plain_http = true, .rate_limit = RateLimit::off()}};
    Client client{one_attempt(emulator.client_options(Role::tenant_admin))};
};

bool is(const AuditEventList& list, const std::vector<AuditEvent>& wanted) {
    return std::vector<AuditEvent>(list.begin(), list.end()) == wanted;
}

TEST_CASE("list_audit_events: all events are read, over all pages, member by member") {
    LogScene scene;
    auto const all = scene.list();
    REQUIRE(all);
    CHECK(is(*all, scene.written));
    CHECK(scene.emulator.request_count() == 2);
    CHECK(all->as_of() > scene.begin);
}

TEST_CASE("list_audit_events: each condition is applied by the service, encoded as it has to be") {
    LogScene scene;
    auto const from = scene.begin + 7h;
    auto const until = scene.begin + 20h;
    CHECK(is(scene.list(AuditEventFilter().from(from)).value(),
             scene.those([&](auto const& e) { return e.created >= from; })));
    CHECK(is(scene.list(AuditEventFilter().until(until)).value(),
             scene.those([&](auto const& e) { return e.created <= until; })));
    CHECK(is(scene.list(AuditEventFilter().user("u1")).value(),
             scene.those([](auto const& e) { return e.actor.user_uid == "u1"; })));
    CHECK(is(scene.list(AuditEventFilter().resource_kind("user & co")).value(),
             scene.those([](auto const& e) { return e.resource.kind == "user & co"; })));
    CHECK(is(scene.list(AuditEventFilter().resource("r3")).value(),
             scene.those([](auto const& e) { return e.resource.uid == "r3"; })));
    CHECK(is(scene.list(AuditEventFilter().action("delete")).value(),
             scene.those([](auto const& e) { return e.action == "delete"; })));
    CHECK(is(scene.list(AuditEventFilter().from(from).until(until).user("u1").action("delete")).value(),
             scene.those([&](auto const& e) {
                 return e.created >= from && e.created <= until && e.actor.user_uid == "u1" &&
                        e.action == "delete";
             })));
    CHECK(scene.list(AuditEventFilter().user("nobody")).value().empty());
    // Of the service's own accord: the client would have dropped them without asking for less.
    CHECK(scene.emulator.requests().back().query["userUid"] == "nobody");
}

TEST_CASE("list_audit_events: the request has the parameters of the filter, and a page repeats them") {
    ScriptedClient service;
    std::string const path =
        "/v1/audits?limit=50&startTime=2026-05-01T00%3A00%3A00.000Z"
        "&endTime=2026-05-02T00%3A00%3A00.001Z&userUid=u%2F1&resourceKind=a%20b"
        "&resourceUid=r1&actionType=create";
    service.expect("GET " + path).answer(200, R"({"items":[],"listmeta":{"continue":"x&y"}})");
    service.expect("GET " + path + "&continue=x%26y").answer(200, R"({"items":[]})");
    Instant const begin = std::chrono::sys_days{std::chrono::year{2026} / 5 / 1};
    auto const filter = AuditEventFilter()
                            .from(begin)
                            .until(begin + 24h + 1ms)
                            .user("u/1")
                            .resource_kind("a b")
                            .resource("r1")
                            .action("create");
    auto const events = service.run<AuditEventList>(
        [&](auto& client, auto keep) { client.async_list_audit_events(filter, keep); });
    CHECK(events.value().empty());
    CHECK(service.unmet().empty());
}

TEST_CASE("list_audit_events: events that were not asked for do not pass for those that were") {
    ScriptedClient service;
    service.expect("GET /v1/audits").answer(200, R"({"items":[
            {"metadata":{"uid":"mine"},"spec":{"actor":{"user":{"uid":"u1"}}}},
            {"metadata":{"uid":"foreign"},"spec":{"actor":{"user":{"uid":"u2"}}}},
            {"metadata":{"uid":"nobody says"}}]})");
    auto const events = service.run<AuditEventList>(
        [](auto& client, auto keep) { client.async_list_audit_events(AuditEventFilter().user("u1"), keep); });
    REQUIRE(events);
    REQUIRE(events->size() == 2);
    CHECK((*events)[0].uid == "mine");
    CHECK((*events)[1].uid == "nobody says");
}

TEST_CASE("list_audit_events: a filter that selects nothing or cannot be sent is refused, and names why") {
    struct Row {
        AuditEventFilter filter;
        const char* path;
    };
    Instant const now = std::chrono::sys_days{std::chrono::year{2026} / 5 / 1};
    ScriptedClient service;
    for (auto const& [filter, path] :
         {Row{AuditEventFilter().user(""), "user"},
          Row{AuditEventFilter().resource_kind(""), "resource_kind"},
          Row{AuditEventFilter().resource(""), "resource"}, Row{AuditEventFilter().action(""), "action"},
          Row{AuditEventFilter().action("\xff"), "action"},
          Row{AuditEventFilter().from(Instant::min()), "from"},
          Row{AuditEventFilter().until(Instant::max()), "until"},
          Row{AuditEventFilter().from(now).until(now - 1ms), "until"}}) {
        CAPTURE(filter);
        auto const events = service.run<AuditEventList>(
            [&](auto& client, auto keep) { client.async_list_audit_events(filter, keep); });
        REQUIRE_FALSE(events);
        CHECK(events.error().code() == errc::invalid_argument);
        CHECK(events.error().path() == path);
        CHECK(is_one_plain_line(events.error().message()));
    }
    CHECK(service.requests().empty());
}

TEST_CASE("list_audit_events: who may not read the log is told so") {
    LogScene scene;
    Client plain(one_attempt(scene.emulator.client_options(Role::user)));
    auto const events = plain.list_audit_events(AuditEventFilter());
    REQUIRE_FALSE(events);
    CHECK(events.error().code() == errc::forbidden);
    CHECK(events.error().operation() == "list_audit_events");
    Client viewer(one_attempt(scene.emulator.client_options(Role::tenant_viewer)));
    CHECK(viewer.list_audit_events(AuditEventFilter()).value().size() == 60);
}

TEST_CASE("key_limit: it is the tenant's number of keys for a user") {
    Emulator const emulator({.plain_http = true, .quota = 25, .rate_limit = RateLimit::off()});
    Client client(one_attempt(emulator.client_options(Role::tenant_admin)));
    auto const limit = client.key_limit().value();
    CHECK(limit.limit == 25);
    CHECK(limit.max_limit == 10'000);
    CHECK(limit.label == "API keys");
    CHECK(emulator.request_count() == 2);
    // Whose the credential is was asked for once.
    CHECK(client.key_limit().value() == limit);
    CHECK(emulator.request_count() == 3);
    Client plain(one_attempt(emulator.client_options(Role::user)));
    CHECK(plain.key_limit().error().code() == errc::forbidden);
}

TEST_CASE("key_limit: what the service does not say is an error and no number") {
    struct Row {
        const char* body;
        errc code;
        const char* path;
    };
    for (auto const& row : {
             Row{"{}", errc::bad_value, "resources"},
             Row{R"({"resources":null})", errc::bad_value, "resources"},
             Row{R"({"resources":[{"kind":"user","limit":3}]})", errc::bad_value, "resources"},
             Row{R"({"resources":[{"kind":"apiKey","maxLimit":3}]})", errc::bad_value, "resources.limit"},
             Row{R"({"resources":[{"kind":"apiKey","limit":-1}]})", errc::wrong_type, "resources[0].limit"},
             Row{R"({"resources":[{"kind":"apiKey","limit":"20"}]})", errc::wrong_type, "resources[0].limit"},
             Row{R"({"resources":{}})", errc::wrong_type, "resources"},
         }) {
        CAPTURE(row.body);
        ScriptedClient service;
        service.expect("GET /v1/users/info").answer(200, R"({"userUid":"u","tenantUid":"t"})");
        service.expect("GET /v1/tenants/t/resourceLimits").answer(200, row.body);
        auto const limit = service.run<KeyLimit>([](auto& c, auto keep) { c.async_key_limit(keep); });
        REQUIRE_FALSE(limit);
        CHECK(limit.error().code() == row.code);
        CHECK(limit.error().path() == row.path);
        CHECK(limit.error().status() == 200);
    }
}

TEST_CASE("key_limit: a zero is a limit, and without a bound of its own the limit is the bound") {
    ScriptedClient service;
    service.expect("GET /v1/users/info").answer(200, R"({"userUid":"u","tenantUid":"t"})");
    service.expect("GET /v1/tenants/t/resourceLimits")
        .answer(200, R"({"resources":[{"kind":"apiKey","limit":0},{"kind":"apiKey","limit":7}]})");
    auto const limit = service.run<KeyLimit>([](auto& c, auto keep) { c.async_key_limit(keep); }).value();
    CHECK(limit.limit == 0);
    CHECK(limit.max_limit == 0);
}

TEST_CASE("key_limit: a tenant who is not there is told as such, and no key is spoken of") {
    ScriptedClient service;
    service.expect("GET /v1/users/info").answer(200, R"({"userUid":"u","tenantUid":"t"})");
    service.expect("GET /v1/tenants/t/resourceLimits").answer(404);
    auto const limit = service.run<KeyLimit>([](auto& c, auto keep) { c.async_key_limit(keep); });
    REQUIRE_FALSE(limit);
    CHECK(limit.error().code() == errc::not_found);
    CHECK(contains(limit.error().message(), "there is no such tenant"));
}

}  // namespace audit_events_test
