// SPDX-License-Identifier: BSL-1.0
#include "support/one_attempt.hpp"
#include "support/printed.hpp"
#include "support/scripted_client.hpp"

#include <palette/blocking_client.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

// Lengths of life, and what has expired, by the clock of the service: the client's may be wrong.

namespace service_clock_test {

using namespace std::chrono_literals;
using namespace palette;
using testing::Emulator;
using testing::ManualClock;
using testing::Role;
using Client = BlockingApiKeyClient;

// Whole seconds, as a Date has them.
constexpr Instant noon = std::chrono::sys_days{2027y / 1 / 31} + 12h;

// A service, and a client whose clock goes wrong by `error`.
struct TwoClocks {
    explicit TwoClocks(std::chrono::milliseconds error)
        : emulator({.clock = clock}),
          local(std::make_shared<ManualClock>(noon + error)) {
        auto options = one_attempt(emulator.client_options(Role::tenant_admin));
        options.clock = local;
        client.emplace(options);
    }

    void pass(std::chrono::milliseconds time) const {
        clock->advance(time);
        local->advance(time);
    }

    Expiry expiry_of(const Result<CreatedApiKey>& created) {
        REQUIRE_MESSAGE(created, (created ? "" : created.error().message()));
        return client->get(created->uid()).value().expiry;
    }

    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>(noon);
    Emulator emulator;
    std::shared_ptr<ManualClock> local;
    std::optional<Client> client;
};

constexpr std::initializer_list<std::chrono::milliseconds> errors = {-24h * 365 * 50, -24h, -1h, 0h, 1h, 24h,
                                                                     24h * 365 * 50};

TEST_CASE("client: a renewal counts by the service's clock, however wrong the client's is") {
    for (auto const error : errors) {
        CAPTURE(error.count());
        TwoClocks scene(error);
        auto const uid = scene.emulator.seed_key(NewApiKey("ci").lives_for(10min)).uid();
        auto const renewed = scene.client->renew(uid, 90min);
        REQUIRE(renewed);
        CHECK(renewed->expiry == Expiry::at(noon + 90min));
    }
}

TEST_CASE("client: a new key's length of life counts by the service's clock, however wrong the client's is") {
    for (auto const error : errors) {
        CAPTURE(error.count());
        TwoClocks scene(error);
        CHECK(scene.expiry_of(scene.client->create(NewApiKey("ci").lives_for(90min))) ==
              Expiry::at(noon + 90min));
        // Whose credential it is has been asked already; time has passed since.
        scene.pass(50min);
        auto const requests = scene.emulator.request_count();
        auto const created = scene.client->create(NewApiKey("ci"));
        CHECK(scene.emulator.request_count() == requests + 2);
        CHECK(scene.expiry_of(created) == Expiry::at(noon + 50min + std::chrono::days{30}));
        scene.pass(5h);
        CHECK(scene.expiry_of(scene.client->create(NewApiKey("ci").lives_for(1h))) ==
              Expiry::at(noon + 50min + 5h + 1h));
    }
}

TEST_CASE("client: a clock that is set while the client lives does not move the keys' expiries") {
    TwoClocks scene(0h);
    CHECK(scene.expiry_of(scene.client->create(NewApiKey("ci").lives_for(1h))) == Expiry::at(noon + 1h));
    scene.local->set(noon - 3h);
    CHECK(scene.expiry_of(scene.client->create(NewApiKey("ci").lives_for(1h))) == Expiry::at(noon + 1h));
}

TEST_CASE("client: whether an expiry has passed is decided by the service's clock") {
    for (auto const error : {-1h, 1h}) {
        CAPTURE(error.count());
        TwoClocks scene(error);
        auto const uid = scene.emulator.seed_key(NewApiKey("ci").lives_for(10min)).uid();
        auto const later = Expiry::at(noon + 30min);
        auto const earlier = Expiry::at(noon - 30min);
        CHECK(scene.expiry_of(scene.client->create(NewApiKey("ci").expires(later))) == later);
        CHECK(scene.client->update(uid, ApiKeyEdit().expires(later)).value().expiry == later);

        auto const keys = scene.emulator.keys().size();
        auto const refused = [&](auto const& result) {
            REQUIRE_FALSE(result);
            CHECK(result.error().code() == errc::invalid_argument);
            CHECK(result.error().path() == "expiry");
            CHECK(result.error().effect() == Effect::not_applied);
        };
        refused(scene.client->create(NewApiKey("ci").expires(earlier)));
        refused(scene.client->update(uid, ApiKeyEdit().expires(earlier)));
        refused(scene.client->renew(uid, earlier, ChangeOptions().allow_shorter()));
        CHECK(scene.emulator.keys().size() == keys);
        CHECK(scene.client->get(uid).value().expiry == later);
    }
}

TEST_CASE("client: a state that a list selects is judged by the service's clock") {
    for (auto const error : {-1h, 1h}) {
        TwoClocks scene(error);
        scene.emulator.seed_key(NewApiKey("over").lives_for(10min));
        scene.pass(30min);
        scene.emulator.seed_key(NewApiKey("alive").lives_for(10min));
        auto const expired = scene.client->list(ListFilter().state(KeyState::expired)).value();
        REQUIRE(expired.size() == 1);
        CHECK(expired[0].name == "over");
        CHECK(expired.as_of() == noon + 30min);
    }
}

// A client at noon, whose service gives this Date.
std::string renewed_until(HttpFields headers) {
    constexpr std::string_view key =
        R"({"metadata":{"uid":"a","name":"ci"},"spec":{"expiry":"2027-01-31T12:10:00Z"},"status":{"isActive":true}})";
    ScriptedClient service;
    service.clock->set(noon);
    service.expect("GET /v1/apiKeys/a").answer(200, std::string(key), std::move(headers));
    service.expect("PUT /v1/apiKeys/a");
    service.expect("GET /v1/apiKeys/a").answer(200, std::string(key));
    // The script does not keep what was written; the request tells.
    static_cast<void>(service.run<ApiKey>([](auto& c, auto keep) { c.async_renew("a", 90min, keep); }));
    REQUIRE(service.requests().size() == 3);
    auto const& body = service.requests()[1].body;
    auto const at = body.find(R"("expiry":")");
    REQUIRE(at != std::string::npos);
    return body.substr(at + 10, 24);
}

TEST_CASE("client: without a Date, or with an absurd one, a renewal counts by this machine's clock") {
    CHECK(renewed_until({{"Date", "Sun, 31 Jan 2027 13:00:00 GMT"}}) == "2027-01-31T14:30:00.000Z");
    for (auto const* const date :
         {"", "soon", "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"}) {
        CAPTURE(date);
        CHECK(renewed_until({{"Date", date}}) == "2027-01-31T13:30:00.000Z");
    }
    CHECK(renewed_until({}) == "2027-01-31T13:30:00.000Z");
}

TEST_CASE("client: an answer without a Date is judged by what the service's clock showed before, if it did") {
    constexpr std::string_view keys =
        R"({"items":[{"metadata":{"uid":"a","name":"ci"},"spec":{"expiry":"2027-01-31T12:30:00Z"},)"
        R"("status":{"isActive":true}}]})";
    for (bool const has_shown : {true, false}) {
        CAPTURE(has_shown);
        // The client is at noon, the service an hour further: the key has expired, but not by this clock.
        ScriptedClient service;
        service.clock->set(noon);
        service.expect("GET /v1/users/info")
            .answer(200, R"({"userUid":"u","tenantUid":"t"})",
                    has_shown ? HttpFields{{"Date", "Sun, 31 Jan 2027 13:00:00 GMT"}} : HttpFields());
        service.expect("GET /v1/apiKeys").answer(200, std::string(keys));
        service.expect("GET /v1/apiKeys").answer(200, std::string(keys));
        REQUIRE(service.run<Identity>([](auto& c, auto keep) { c.async_whoami(keep); }));
        service.clock->advance(5min);
        auto const now = noon + 5min + (has_shown ? 1h : 0h);
        auto const expired = ListFilter().state(KeyState::expired);
        auto const list =
            service.run<KeyList>([&](auto& c, auto keep) { c.async_list(expired, keep); }).value();
        CHECK(list.as_of() == now);
        CHECK(list.size() == (has_shown ? 1 : 0));
        KeyVisitor const take = [](ApiKey&&) { return Result<void>(); };
        auto const visit =
            service.run<Visit>([&](auto& c, auto keep) { c.async_visit(expired, take, keep); }).value();
        CHECK(visit.as_of == now);
        CHECK(visit.count == list.size());
    }
}

TEST_CASE("client: a length of life that is none is refused before a byte is sent") {
    TwoClocks scene(0h);
    for (auto const time : {0ms, -1ms, std::chrono::milliseconds::min()}) {
        auto const created = scene.client->create(NewApiKey("ci").lives_for(time));
        REQUIRE_FALSE(created);
        CHECK(created.error().code() == errc::invalid_argument);
        CHECK(created.error().path() == "lives_for");
    }
    CHECK(scene.emulator.request_count() == 0);
}

TEST_CASE(
    "service clock: what expires within a duration is judged by the service, whatever the client's clock") {
    for (auto const error : errors) {
        CAPTURE(error.count());
        TwoClocks scene(error);
        auto const soon = scene.emulator.seed_key(NewApiKey("soon").expires(Expiry::at(noon + 6 * 24h)));
        scene.emulator.seed_key(NewApiKey("late").expires(Expiry::at(noon + 8 * 24h)));
        scene.emulator.seed_key(NewApiKey("never").expires(Expiry::never()));
        auto const ending = scene.client->list(ListFilter().expires_within(7 * 24h)).value();
        REQUIRE(ending.size() == 1);
        CHECK(ending.front().uid == soon.uid());
    }
}

}  // namespace service_clock_test
