// SPDX-License-Identifier: BSL-1.0
#include "support/scene.hpp"

#include <palette/client.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

// What ends when something is cancelled, and what is known of its effect.

namespace cancellation_test {

using namespace std::chrono_literals;
using namespace palette;
namespace asio = boost::asio;
using asio::cancellation_type;
using support::Watched;

// Time stands still, for the client as for the service, until a test moves it.
struct CancelScene : support::EmulatorScene {
    explicit CancelScene(bool is_tls = false)
        : EmulatorScene({.plain_http = !is_tls, .rate_limit = testing::RateLimit::off()},
                        support::Time::stands_still) {
        options.rate_limit = RateLimitOptions::off();
    }
};

enum class Phase { limiter, connection, answer };
enum class Work { list, create, revoke };

void start(CancelScene& scene, Work work, Watched<>& watched) {
    auto& client = scene.client();
    if (work == Work::list) client.async_list(watched.handler());
    if (work == Work::create) client.async_create(NewApiKey("a"), watched.handler());
    if (work == Work::revoke) client.async_revoke(scene.another_uid(), watched.handler());
}

// Starts the work so that it waits in that phase.
void start_in(CancelScene& scene, Phase phase, Work work, Watched<>& watched) {
    if (phase == Phase::limiter) {
        scene.options.rate_limit = {.per_second = 0.1, .burst = 1};
        Watched<> first;
        scene.client().async_list(first.handler());
        scene.run_until_end_of(first);
    } else if (phase == Phase::connection) {
        scene.options.pool.max_connections = 1;
        scene.emulator.faults().add("GET /v1/users stall x1");
        scene.client().async_whoami([](Result<Identity>) {});
        scene.run_until_requests(1);
    } else {
        scene.emulator.faults().add("* /v1/apiKeys delay:1000 x1");
    }
    start(scene, work, watched);
    // A create asks first who it is.
    if (phase == Phase::answer)
        scene.run_until_requests(work == Work::create ? 2 : 1);
    else if (phase == Phase::limiter && work == Work::create)
        scene.run_until(
            [&] { return scene.clock->next_wait().value_or(Instant::max()) <= scene.clock->now() + 10s; });
    else
        scene.settle();
    REQUIRE(watched.completions() == 0);
}

TEST_CASE("client cancellation: each type in each phase has its documented effect") {
    for (auto const phase : {Phase::limiter, Phase::connection, Phase::answer})
        for (auto const work : {Work::list, Work::create, Work::revoke})
            for (auto const type :
                 {cancellation_type::terminal, cancellation_type::partial, cancellation_type::total}) {
                CAPTURE(static_cast<int>(phase));
                CAPTURE(static_cast<int>(work));
                CAPTURE(static_cast<int>(type));
                CancelScene scene;
                Watched<> watched;
                start_in(scene, phase, work, watched);
                bool const change_sent = phase == Phase::answer && work != Work::list;
                watched.cancel(type);
                if (change_sent && type == cancellation_type::total) {
                    scene.settle();
                    CHECK(watched.completions() == 0);
                    scene.let_time_pass(1s);
                    scene.run_until_end_of(watched);
                    CHECK(watched.is_good());
                } else {
                    scene.run_until_end_of(watched);
                    CHECK(watched.is_aborted());
                    CHECK(watched.effect() == (change_sent ? Effect::unknown : Effect::not_applied));
                }
                scene.client().cancel();
                Watched<> next;
                scene.client().async_whoami(next.handler());
                // A create has asked that as well, and used up what the limit has for it.
                if (phase == Phase::limiter && work == Work::create) scene.let_time_pass(10s);
                scene.run_until_end_of(next);
                CHECK(next.is_good());
                if (!change_sent) CHECK(scene.emulator.keys().size() == 4);
            }
}

TEST_CASE("client cancellation: an operation cancelled before its start sends nothing") {
    CancelScene scene;
    Watched<> watched;
    start(scene, Work::create, watched);
    watched.cancel(cancellation_type::total);
    scene.run_until_end_of(watched);
    CHECK(watched.is_aborted());
    CHECK(scene.emulator.request_count() == 0);
}

TEST_CASE("client cancellation: a signal may be emitted after the end, and after the client") {
    asio::cancellation_signal signal;
    {
        CancelScene scene;
        int completions = 0;
        scene.client().async_whoami(
            asio::bind_cancellation_slot(signal.slot(), [&](Result<Identity>) { ++completions; }));
        scene.run_until([&] { return completions > 0; });
        signal.emit(cancellation_type::terminal);
        scene.settle();
        CHECK(completions == 1);
    }
    signal.emit(cancellation_type::terminal);
}

TEST_CASE("client cancellation: a cancelled operation gives its place in the rate limiter to later ones") {
    CancelScene scene;
    Watched<> goes;
    start_in(scene, Phase::limiter, Work::list, goes);
    goes.cancel(cancellation_type::terminal);
    scene.run_until_end_of(goes);
    Watched<> comes;
    start(scene, Work::list, comes);
    scene.let_time_pass(10s);
    scene.run_until_end_of(comes);
    CHECK(comes.is_good());
}

TEST_CASE("client cancellation: cancel() ends operations in every phase, and the client remains usable") {
    for (auto const phase : {Phase::limiter, Phase::connection, Phase::answer}) {
        CAPTURE(static_cast<int>(phase));
        CancelScene scene;
        Watched<> watched;
        start_in(scene, phase, Work::create, watched);
        scene.client().cancel();
        scene.run_until_end_of(watched);
        CHECK(watched.is_aborted());
        CHECK(watched.effect() == (phase == Phase::answer ? Effect::unknown : Effect::not_applied));
        Watched<> next;
        scene.client().async_whoami(next.handler());
        if (phase == Phase::limiter) scene.let_time_pass(10s);
        scene.run_until_end_of(next);
        CHECK(next.is_good());
    }
}

enum class End { terminal, total, cancel, deadline, destruction };

TEST_CASE("client cancellation: a key whose value was received is delivered all the same") {
    for (auto const end : {End::terminal, End::total, End::cancel, End::deadline, End::destruction}) {
        CAPTURE(static_cast<int>(end));
        CancelScene scene;
        scene.emulator.faults().add("GET /v1/apiKeys/ delay:60000 x1");
        Watched<CreatedApiKey> watched;
        scene.client().async_create(NewApiKey("a"), CallOptions().deadline(90s), watched.handler());
        scene.run_until_requests(3);
        scene.settle();
        REQUIRE_FALSE(watched.has_ended());
        if (end == End::terminal) watched.cancel(cancellation_type::terminal);
        if (end == End::total) watched.cancel(cancellation_type::total);
        if (end == End::cancel) scene.client().cancel();
        if (end == End::deadline) scene.let_time_pass(90s);
        if (end == End::destruction) scene.destroy_client();
        // Too late for `total`: the read comes to its end.
        if (end == End::total) scene.let_time_pass(60s);
        auto const& created = scene.run_until_end_of(watched);
        REQUIRE(created);
        CHECK(created->uid() == scene.another_uid());
        CHECK(created->secret().expose().size() == 32);
        CHECK(created->confirmed() == (end == End::total));
    }
}

TEST_CASE("client cancellation: between the steps of an operation the effect is known") {
    struct Row {
        const char* slow;  // the request that does not come to its end
        std::uint64_t requests;
        void (*start)(ApiKeyClient&, const std::string& uid, Watched<>&);
        Effect effect;
    };
    auto const update = [](ApiKeyClient& client, const std::string& uid, Watched<>& watched) {
        client.async_update(uid, ApiKeyEdit().name("b"), watched.handler());
    };
    auto const renew = [](ApiKeyClient& client, const std::string& uid, Watched<>& watched) {
        client.async_renew(uid, std::chrono::hours{1}, ChangeOptions().allow_shorter(), watched.handler());
    };
    auto const revoke = [](ApiKeyClient& client, const std::string& uid, Watched<>& watched) {
        client.async_revoke(uid, ChangeOptions().verify(), watched.handler());
    };
    auto const remove = [](ApiKeyClient& client, const std::string& uid, Watched<>& watched) {
        client.async_remove(uid, ChangeOptions().verify(), watched.handler());
    };
    const Row rows[] = {
        {"GET / stall x1", 1, update, Effect::not_applied},
        {"PUT / stall x1", 2, update, Effect::unknown},
        {"GET / stall x1 after=1", 3, update, Effect::applied},
        {"GET / stall x1 after=1", 3, renew, Effect::applied},
        {"GET / stall x1", 2, revoke, Effect::applied},
        {"GET / stall x1", 2, remove, Effect::applied},
    };
    for (auto const& row : rows) {
        CAPTURE(row.slow);
        CAPTURE(row.requests);
        CancelScene scene;
        scene.emulator.faults().add(row.slow);
        Watched<> watched;
        row.start(scene.client(), scene.another_uid(), watched);
        scene.run_until_requests(row.requests);
        watched.cancel(cancellation_type::partial);
        scene.run_until_end_of(watched);
        CHECK(watched.is_aborted());
        CHECK(watched.effect() == row.effect);
    }
}

struct CancelsAfterReads : Observer {
    void on_attempt(const AttemptEvent& event) noexcept override {
        if (client != nullptr && event.method == "GET") client->cancel();
    }
    ApiKeyClient* client = nullptr;
};

TEST_CASE("client cancellation: it is not lost when it comes between two steps") {
    CancelScene scene;
    auto const observer = std::make_shared<CancelsAfterReads>();
    scene.options.observer = observer;
    observer->client = &scene.client();
    scene.emulator.faults().add("PUT / stall");
    Watched<> watched;
    scene.client().async_update(scene.another_uid(), ApiKeyEdit().name("b"), watched.handler());
    scene.run_until_end_of(watched);
    CHECK(watched.is_aborted());
    observer->client = nullptr;
}

TEST_CASE("client cancellation: after any number of handlers, from the connection to the answer") {
    CancelScene scene(true);
    scene.emulator.faults().add("GET / stall");
    std::size_t steps = 0;
    for (bool is_stalled = false; !is_stalled; ++steps) {
        CAPTURE(steps);
        scene.context.restart();
        ApiKeyClient client(scene.context, scene.options);
        Watched<> watched;
        client.async_list(watched.handler());
        auto const injected = scene.emulator.faults().injected();
        for (std::size_t i = 0; i < steps && !is_stalled; ++i)
            while (scene.context.run_one_for(100ms) == 0 && !is_stalled)
                is_stalled = scene.emulator.faults().injected() > injected;  // or the other side is only late
        watched.cancel(cancellation_type::terminal);
        scene.run_until_end_of(watched);
        CHECK(watched.is_aborted());
        scene.settle();
    }
    CHECK(steps > 10);
}

}  // namespace cancellation_test
