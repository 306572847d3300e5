// SPDX-License-Identifier: BSL-1.0
#include "support/scene.hpp"

#include <palette/auth.hpp>
#include <palette/client.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

// timeouts.queue is for the wait before the first request of an operation; timeouts.total for all that comes
// after, the waits of later requests included. Under a limit of one request in ten seconds, on a clock that
// jumps.

namespace total_time_test {

using namespace std::chrono_literals;
using namespace palette;
using std::chrono::milliseconds;

const std::string key =
    R"({"metadata":{"uid":"a","name":"n"},"spec":{"user":{"uid":"u"}},"status":{"isActive":true}})";
const std::string somebody = R"({"userUid":"u","tenantUid":"t","orgName":"acme"})";

std::string page(const char* next) {
    return std::string(R"({"items":[],"listmeta":{"continue":")") + next + R"("}})";
}

struct SlowScene : support::ScriptedScene {
    SlowScene() {
        options.auth = auth::api_key(Secret("a-value-of-a-key"), "b");
        options.rate_limit = {.per_second = 0.1, .burst = 1};
        options.timeouts.total = 15s;
    }

    // Starts it, and lets as much time pass as it needs; how long that was.
    milliseconds time_of(const std::function<void(ApiKeyClient&)>& start) {
        start(client());
        return finish([this] { return watched.has_ended(); });
    }

    [[nodiscard]] const Error& error() const { return watched.error(); }
    [[nodiscard]] std::size_t requests() const { return service->requests().size(); }

    support::Watched<> watched;
};

TEST_CASE("client total time: a write that had to queue behind its own read has the rest of the time") {
    SlowScene scene;
    scene.service->expect("GET /v1/apiKeys/a").answer(200, key);
    scene.service->expect("PUT /v1/apiKeys/a").hang();
    auto const took = scene.time_of(
        [&](auto& client) { client.async_update("a", ApiKeyEdit().name("m"), scene.watched.handler()); });
    CHECK(scene.requests() == 2);
    CHECK(took == 15s);  // and not ten seconds until the write and fifteen from then on
    CHECK(scene.error().code() == errc::timeout);
    CHECK(scene.error().effect() == Effect::unknown);
}

TEST_CASE("client total time: a write whose turn comes after the operation has to end fails at once") {
    SlowScene scene;
    scene.options.timeouts.total = 5s;
    scene.service->expect("GET /v1/apiKeys/a").answer(200, key);
    auto const took = scene.time_of(
        [&](auto& client) { client.async_update("a", ApiKeyEdit().name("m"), scene.watched.handler()); });
    CHECK(scene.requests() == 1);
    CHECK(took == 0s);
    CHECK(scene.error().code() == errc::timeout);
    CHECK(scene.error().effect() == Effect::not_applied);
}

TEST_CASE("client total time: the wait before the first request is the queue's, and total begins after it") {
    SlowScene scene;
    scene.service->expect("GET /v1/apiKeys/a").answer(200, key);
    scene.service->expect("GET /v1/apiKeys/a").answer(200, key);
    scene.service->expect("PUT /v1/apiKeys/a").hang();
    auto const took = scene.time_of([&](auto& client) {
        client.async_get("a", [](const Result<ApiKey>& read) { CHECK(read); });
        client.async_update("a", ApiKeyEdit().name("m"), scene.watched.handler());
    });
    CHECK(scene.requests() == 3);
    CHECK(took == 25s);  // ten in the queue, and fifteen from then on
    CHECK(scene.error().code() == errc::timeout);
}

TEST_CASE(
    "client total time: a create whose POST had to queue ends when the time of its first request is over") {
    SlowScene scene;
    // The POST waits for the token that this one takes; whose credential it is has a limit of its own.
    scene.service->expect("GET /v1/apiKeys/a").answer(200, key);
    scene.service->expect("GET /v1/users/info").answer(200, somebody);
    scene.service->expect("POST /v1/apiKeys").hang();
    auto const took = scene.time_of([&](auto& client) {
        client.async_get("a", [](const Result<ApiKey>& read) { CHECK(read); });
        client.async_create(NewApiKey("n"), scene.watched.handler());
    });
    CHECK(scene.requests() == 3);
    CHECK(took <= 15s);
    CHECK(took > 10s);
    CHECK(scene.error().code() == errc::timeout);
    CHECK(scene.error().pending() != nullptr);
}

TEST_CASE("client total time: all pages of a list have one time together") {
    for (std::size_t const pages : {2U, 3U}) {
        CAPTURE(pages);
        SlowScene scene;
        scene.options.timeouts.total = pages == 2 ? 15s : 25s;
        scene.service->expect("GET /v1/apiKeys").answer(200, page("1"));
        if (pages == 3) scene.service->expect("GET /v1/apiKeys?continue=1").answer(200, page("2"));
        scene.service->expect("GET /v1/apiKeys").hang();
        auto const took = scene.time_of([&](auto& client) { client.async_list(scene.watched.handler()); });
        CHECK(scene.requests() == pages);
        CHECK(took == scene.options.timeouts.total);
        CHECK(scene.error().code() == errc::timeout);
    }
}

TEST_CASE("client total time: a deadline of the caller's own is for all of it, the queue included") {
    SlowScene scene;
    scene.service->expect("GET /v1/apiKeys/a").answer(200, key);
    scene.service->expect("GET /v1/apiKeys/a").answer(200, key);
    scene.service->expect("PUT /v1/apiKeys/a").hang();
    auto const took = scene.time_of([&](auto& client) {
        client.async_get("a", [](const Result<ApiKey>& read) { CHECK(read); });
        client.async_update("a", ApiKeyEdit().name("m"), CallOptions().deadline(22s),
                            scene.watched.handler());
    });
    CHECK(scene.requests() == 3);
    CHECK(took == 22s);
    CHECK(scene.error().code() == errc::timeout);
}

}  // namespace total_time_test
