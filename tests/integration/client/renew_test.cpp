// SPDX-License-Identifier: BSL-1.0
#include "support/one_attempt.hpp"
#include "support/printed.hpp"

#include <palette/blocking_client.hpp>
#include <palette/client.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace renew_test {

using namespace std::chrono_literals;
using namespace palette;
using testing::Emulator;
using testing::ManualClock;
using testing::Role;
using Client = BlockingApiKeyClient;

constexpr Instant noon = std::chrono::sys_days{2027y / 1 / 31} + 12h;

struct Scene {
    Scene() : emulator({.clock = clock}), client(one_attempt(emulator.client_options(Role::tenant_admin))) {}

    std::string key_until(Expiry expiry) {
        return emulator.seed_key(NewApiKey("ci").description("d").label("l", "m").expires(expiry)).uid();
    }
    ApiKey key(const std::string& uid) { return client.get(uid).value(); }

    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>(noon);
    Emulator emulator;
    Client client;
};

void check_refused(Scene& scene, const std::string& uid, const Result<ApiKey>& result, Expiry wanted) {
    REQUIRE_FALSE(result);
    auto const& error = result.error();
    CHECK(error.code() == errc::conflict);
    CHECK(error.effect() == Effect::not_applied);
    CHECK(error.attempts() == 1);
    CHECK(error.path() == "expiry");
    CAPTURE(error.message());
    CHECK(contains(error.message(), scene.key(uid).expiry.to_string()));
    CHECK(contains(error.message(), wanted.to_string()));
    CHECK(contains(error.message(), "allow_shorter()"));
    CHECK(is_one_plain_line(error.message()));
}

TEST_CASE("client: a renewal to which the service gives less says so, and does not blame another writer") {
    auto const clock = std::make_shared<ManualClock>(noon);
    Emulator emulator({.assumptions = {.max_lifetime = std::chrono::days{10}}, .clock = clock});
    Client client(one_attempt(emulator.client_options(Role::tenant_admin)));
    auto const uid = emulator.seed_key(NewApiKey("ci").lives_for(std::chrono::days{1})).uid();
    auto const renewed = client.renew(uid, std::chrono::days{30});
    REQUIRE_FALSE(renewed);
    CHECK(renewed.error().code() == errc::conflict);
    CHECK(renewed.error().effect() == Effect::applied);
    CAPTURE(renewed.error().message());
    CHECK(contains(renewed.error().message(), Expiry::at(noon + std::chrono::days{10}).to_string()));
    CHECK(contains(renewed.error().message(), Expiry::at(noon + std::chrono::days{30}).to_string()));
    CHECK(contains(renewed.error().message(), "the service has shortened it"));
    CHECK(is_one_plain_line(renewed.error().message()));
}

TEST_CASE("client: a renewal does not make a key expire earlier than it does") {
    Scene scene;
    for (auto const before :
         {Expiry::never(), Expiry::at(noon + 24h * 31), Expiry::at(noon + 24h * 30 + 1ms)}) {
        CAPTURE(before.to_string());
        auto const uid = scene.key_until(before);
        auto const unchanged = scene.key(uid);
        auto const wanted = Expiry::at(noon + 24h * 30);
        check_refused(scene, uid, scene.client.renew(uid, 24h * 30), wanted);
        check_refused(scene, uid, scene.client.renew(uid, wanted), wanted);
        CHECK(scene.key(uid) == unchanged);
    }
}

TEST_CASE("client: a renewal makes a key expire earlier for those who ask for it") {
    Scene scene;
    for (auto const before : {Expiry::never(), Expiry::at(noon + 24h * 31)}) {
        auto const shorter = ChangeOptions().allow_shorter();
        auto const uid = scene.key_until(before);
        CHECK(scene.client.renew(uid, 24h * 30, shorter).value().expiry == Expiry::at(noon + 24h * 30));
        CHECK(scene.client.renew(uid, Expiry::at(noon + 1h), shorter).value().expiry ==
              Expiry::at(noon + 1h));
    }
}

TEST_CASE("client: a renewal extends a key, to the same time or a later one, and changes nothing else") {
    Scene scene;
    auto const uid = scene.key_until(Expiry::at(noon + 1h));
    auto before = scene.key(uid);
    for (auto const until :
         {Expiry::at(noon + 1h), Expiry::at(noon + 1h + 1ms), Expiry::never(), Expiry::never()}) {
        CAPTURE(until.to_string());
        auto renewed = scene.client.renew(uid, until);
        REQUIRE(renewed);
        CHECK(renewed->expiry == until);
        CHECK(*renewed == scene.key(uid));
        renewed->expiry = before.expiry;
        renewed->modified = before.modified;
        CHECK(*renewed == before);
    }
}

TEST_CASE("client: a key that has expired can be renewed") {
    Scene scene;
    auto const uid = scene.key_until(Expiry::at(noon + 1h));
    scene.clock->advance(2h);
    CHECK(scene.client.renew(uid, 30min).value().expiry == Expiry::at(noon + 2h + 30min));
}

TEST_CASE("client: an edit still brings an expiry forward, for it names the time itself") {
    Scene scene;
    auto const uid = scene.key_until(Expiry::never());
    auto const earlier = Expiry::at(noon + 1h);
    CHECK(scene.client.update(uid, ApiKeyEdit().expires(earlier)).value().expiry == earlier);
}

TEST_CASE("client: the asynchronous renewal takes a time or a length of life, with options or without") {
    Scene scene;
    boost::asio::io_context context;
    ApiKeyClient client(context, one_attempt(scene.emulator.client_options(Role::tenant_admin)));
    auto const uid = scene.key_until(Expiry::at(noon + 1h));
    auto const done = [&](std::future<Result<ApiKey>> result) {
        context.restart();
        context.run();
        return result.get().value().expiry;
    };
    auto const use_future = boost::asio::use_future;
    auto const shorter = ChangeOptions().allow_shorter();
    CHECK(done(client.async_renew(uid, 3h, use_future)) == Expiry::at(noon + 3h));
    CHECK(done(client.async_renew(uid, 2h, shorter, use_future)) == Expiry::at(noon + 2h));
    CHECK(done(client.async_renew(uid, Expiry::at(noon + 4h), use_future)) == Expiry::at(noon + 4h));
    CHECK(done(client.async_renew(uid, Expiry::at(noon + 1h), shorter, use_future)) == Expiry::at(noon + 1h));
}

}  // namespace renew_test
