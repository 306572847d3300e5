// SPDX-License-Identifier: BSL-1.0
#include "support/one_attempt.hpp"
#include "support/scripted_client.hpp"

#include <palette/auth/api_key.hpp>
#include <palette/client.hpp>
#include <palette/http_transport.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

// What a client offers to code that is built on it: its clock, the service's, and other clients like it.

namespace other_uses_test {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using namespace palette;
using testing::Emulator;
using testing::ManualClock;
using testing::Role;

constexpr Instant noon = std::chrono::sys_days{2027y / 1 / 31} + 12h;

struct Scene {
    explicit Scene(std::chrono::milliseconds error = 0ms)
        : emulator({.clock = clock}),
          local(std::make_shared<ManualClock>(noon + error)) {
        options = one_attempt(emulator.client_options(Role::tenant_admin));
        options.clock = local;
        client.emplace(context, options);
    }

    // The result of what `start` starts, once the context has nothing left to do.
    template <class T, class Start>
    Result<T> result_of(Start start) {
        std::optional<Result<T>> result;
        start([&](Result<T> r) { result.emplace(std::move(r)); });
        context.restart();
        context.run();
        REQUIRE(result);
        return std::move(*result);
    }

    // Does what can be done at once.
    void poll() {
        context.restart();
        context.poll();
    }

    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>(noon);
    Emulator emulator;
    std::shared_ptr<ManualClock> local;
    ClientOptions options;
    asio::io_context context;
    std::optional<ApiKeyClient> client;
};

TEST_CASE("client: tells the time of its clock") {
    Scene scene(-1h);
    CHECK(scene.client->now() == noon - 1h);
    scene.local->advance(5min);
    CHECK(scene.client->now() == noon - 55min);
}

TEST_CASE("client: tells the service's time, and asks for it once an hour") {
    for (auto const error : {-48h, 0h, 48h}) {
        CAPTURE(error.count());
        Scene scene(error);
        auto const tell = [&] {
            return scene.result_of<Instant>([&](auto done) { scene.client->async_service_time(done); });
        };
        CHECK(tell().value() == noon);
        scene.clock->advance(59min);
        scene.local->advance(59min);
        CHECK(tell().value() == noon + 59min);
        CHECK(scene.emulator.requests().size() == 1);
        scene.clock->advance(2min);
        scene.local->advance(2min);
        CHECK(tell().value() == noon + 61min);
        CHECK(scene.emulator.requests().size() == 2);
    }
}

TEST_CASE("client: a wait ends when its clock has come there, and neither before nor by a timeout") {
    Scene scene;
    std::optional<Result<void>> result;
    scene.client->async_wait(24h, [&](Result<void> r) { result.emplace(std::move(r)); });
    scene.context.poll();
    scene.local->advance(24h - 1ms);
    scene.context.poll();
    CHECK_FALSE(result);
    scene.local->advance(1ms);
    scene.context.poll();
    REQUIRE(result);
    CHECK(result->has_value());
}

TEST_CASE("client: a wait of nothing ends at once") {
    Scene scene;
    for (auto const none : {0ms, -1ms, std::chrono::milliseconds::min()})
        CHECK(scene.result_of<void>([&](auto done) { scene.client->async_wait(none, done); }).has_value());
}

TEST_CASE("client: a wait ends with cancel(), with its own signal and with the client") {
    Scene scene;
    asio::cancellation_signal signal;
    int ended = 0;
    auto const is_aborted = [&](const Result<void>& r) {
        REQUIRE_FALSE(r);
        CHECK(r.error().code() == errc::operation_aborted);
        ++ended;
    };
    scene.client->async_wait(1h, is_aborted);
    scene.poll();
    scene.client->cancel();
    scene.poll();
    CHECK(ended == 1);

    scene.client->async_wait(1h, asio::bind_cancellation_slot(signal.slot(), is_aborted));
    scene.poll();
    signal.emit(asio::cancellation_type::terminal);
    scene.poll();
    CHECK(ended == 2);

    scene.client->async_wait(1h, is_aborted);
    scene.poll();
    scene.client.reset();
    scene.poll();
    CHECK(ended == 3);
}

TEST_CASE("client: does not hold up async_close() with a wait") {
    Scene scene;
    int ended = 0;
    scene.client->async_wait(1h, [&](const Result<void>&) { ++ended; });
    CHECK(scene
              .result_of<void>([&](auto done) {
                  scene.client->async_close([&scene, done](Result<void> r) mutable {
                      done(std::move(r));
                      scene.client->cancel();
                  });
              })
              .has_value());
    CHECK(ended == 1);
}

TEST_CASE("client: one with another source of credentials has connections of its own and the same limiter") {
    Scene scene;
    auto const seeded = scene.emulator.seed_key(
        NewApiKey("other").lives_for(1h).for_user(scene.emulator.user(Role::user).uid));
    auto const me = scene.result_of<Identity>([&](auto done) { scene.client->async_whoami(done); }).value();
    {
        auto other = scene.client->with_auth(auth::api_key(Secret(seeded.secret().expose()), seeded.uid()));
        auto const who = scene.result_of<Identity>([&](auto done) { other.async_whoami(done); }).value();
        CHECK(who.tenant_uid == me.tenant_uid);
        CHECK(who.user_uid != me.user_uid);
        CHECK(other.get_executor() == scene.client->get_executor());
    }
    auto const requests = scene.emulator.requests();
    REQUIRE(requests.size() == 2);
    CHECK(requests[0].connection != requests[1].connection);
}

TEST_CASE("client: one with another source of credentials does not close a transport that was given") {
    Scene scene;
    // It ends before the context, as its connections have to.
    auto options = scene.options;
    options.transport = make_http_transport(options).value();
    ApiKeyClient client(scene.context, options);
    auto const asks = [&](ApiKeyClient& of) {
        return scene.result_of<Identity>([&](auto done) { of.async_whoami(done); }).has_value();
    };
    {
        auto other = client.with_auth(options.auth);
        REQUIRE(asks(other));
        CHECK(scene.result_of<void>([&](auto done) { other.async_close(done); }).has_value());
    }
    CHECK(asks(client));
}

TEST_CASE("client: one with another source of credentials waits for the turn that both have of the service") {
    Scene scene;
    scene.options.rate_limit.per_second = 1;
    scene.options.rate_limit.burst = 1;
    ApiKeyClient client(scene.context, scene.options);
    auto other = client.with_auth(scene.options.auth);
    int ended = 0;
    auto const count = [&](const Result<ApiKey>&) { ++ended; };
    client.async_get("5f1b2c3d4e5f6a7b8c9d0e1f", count);
    while (ended == 0)
        scene.context.run_one();
    other.async_get("5f1b2c3d4e5f6a7b8c9d0e1f", count);
    scene.context.poll();
    CHECK(scene.emulator.requests().size() == 1);
    scene.local->advance(1s);
    while (ended == 1)
        scene.context.run_one();
    CHECK(scene.emulator.requests().size() == 2);
}

}  // namespace other_uses_test
