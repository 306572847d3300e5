// SPDX-License-Identifier: BSL-1.0
#include "support/scene.hpp"

#include <palette/client.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>

// A thousand operations at once, on one thread.

namespace many_test {

using namespace std::chrono_literals;
using namespace palette;

constexpr int many = 1'000;

struct Ends {
    int all = 0;
    int good = 0;
    int aborted = 0;
    int timed_out = 0;  // not applied

    auto handler() {
        return [this](auto const& result) {
            ++all;
            good += result ? 1 : 0;
            if (result) return;
            auto const& error = result.error();
            aborted += error.code() == errc::operation_aborted ? 1 : 0;
            timed_out += error.code() == errc::timeout && error.effect() == Effect::not_applied ? 1 : 0;
        };
    }
};

struct Crowd : support::EmulatorScene {
    using EmulatorScene::EmulatorScene;

    Ends ends;
};

TEST_CASE("client many: a thousand operations of all kinds share a few connections") {
    for (std::size_t const most : {1U, 8U}) {
        CAPTURE(most);
        Crowd crowd({.quota = many, .rate_limit = testing::RateLimit::off(), .requests_kept = 10 * many});
        crowd.options.rate_limit = RateLimitOptions::off();
        crowd.options.pool.max_connections = most;
        auto& client = crowd.client();
        auto const uid = crowd.emulator.seed_key(NewApiKey("seed")).uid();
        for (int i = 0; i < many / 5; ++i) {
            client.async_get(uid, crowd.ends.handler());
            client.async_create(NewApiKey("made"), crowd.ends.handler());
            client.async_set_active(uid, i % 2 == 0, CallOptions(), crowd.ends.handler());
            client.async_find_user("dev@acme.test", crowd.ends.handler());
            client.async_whoami(crowd.ends.handler());
        }
        crowd.run_until([&] { return crowd.ends.all == many; });
        CHECK(crowd.ends.good == many);
        CHECK(crowd.connections_used() <= most);
        CHECK(crowd.emulator.keys().size() == 5 + many / 5);
    }
}

// Time stands still for the client and the service, and both have their documented limit.
struct LimitedCrowd : Crowd {
    LimitedCrowd() : Crowd({.plain_http = true, .requests_kept = 10 * many}, support::Time::stands_still) {}

    void start_all() {
        for (int i = 0; i < many; ++i)
            client().async_list(ends.handler());
    }
};

constexpr int at_once = 45;  // a tenth of the burst of 50 is kept back

TEST_CASE("client many: a thousand operations keep to the rate limit, and lose nothing of it") {
    LimitedCrowd crowd;
    crowd.options.timeouts.queue = 2min;
    crowd.start_all();
    crowd.run_until([&] { return crowd.ends.all == at_once; });
    crowd.clock->advance(1ms);  // for what is rounded up
    for (int ended = at_once + 1; ended <= many; ++ended) {
        crowd.settle();
        CHECK(crowd.ends.all == ended - 1);
        crowd.clock->advance(100ms);
        crowd.run_until([&] { return crowd.ends.all == ended; });
    }
    CHECK(crowd.ends.good == many);
    CHECK(crowd.emulator.request_count() == many);
    CHECK(crowd.connections_used() <= crowd.options.pool.max_connections);
}

TEST_CASE("client many: an operation whose wait for the rate limit cannot fit fails at once") {
    LimitedCrowd crowd;
    crowd.options.timeouts.queue = 1min;
    crowd.start_all();
    constexpr int in_time = at_once + 600;
    crowd.run_until([&] { return crowd.ends.all == at_once + many - in_time; });
    CHECK(crowd.ends.timed_out == many - in_time);
    CHECK(crowd.ends.good == at_once);
    crowd.settle();
    CHECK(crowd.ends.all == at_once + many - in_time);

    crowd.client().cancel();
    crowd.run_until([&] { return crowd.ends.all == many; });
    CHECK(crowd.ends.aborted == in_time - at_once);
    CHECK(crowd.emulator.request_count() == at_once);
}

}  // namespace many_test
