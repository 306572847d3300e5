// SPDX-License-Identifier: BSL-1.0
#include <palette/client.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

// A thousand operations at once, on one thread.

namespace many_test {

using namespace std::chrono_literals;
using namespace palette;
namespace asio = boost::asio;
using testing::Emulator;
using testing::Role;

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

struct Crowd {
    explicit Crowd(testing::EmulatorOptions service) : emulator(std::move(service)) {
        options = emulator.client_options(Role::tenant_admin);
    }

    template <class Condition>
    void run_until(Condition condition) {
        auto const latest = std::chrono::steady_clock::now() + 60s;
        while (!condition()) {
            if (std::chrono::steady_clock::now() > latest) FAIL("it does not come to its end");
            if (context.stopped()) context.restart();
            context.run_one_for(10ms);
        }
    }
    // Everything that can be done without the network is done.
    void settle() {
        do
            context.restart();
        while (context.poll() > 0);
    }

    // Connections have numbers from 1 on.
    [[nodiscard]] std::uint64_t connections() const {
        std::uint64_t last = 0;
        for (auto const& request : emulator.requests())
            last = std::max(last, request.connection);
        return last;
    }

    Emulator emulator;
    ClientOptions options;
    asio::io_context context;
    Ends ends;
};

TEST_CASE("client many: a thousand operations of all kinds share a few connections") {
    for (std::size_t const most : {1U, 8U}) {
        CAPTURE(most);
        Crowd crowd({.quota = many, .rate_limit = testing::RateLimit::off(), .requests_kept = 10 * many});
        crowd.options.rate_limit = RateLimitOptions::off();
        crowd.options.pool.max_connections = most;
        ApiKeyClient client(crowd.context, crowd.options);
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
        CHECK(crowd.connections() <= most);
        CHECK(crowd.emulator.keys().size() == 5 + many / 5);
    }
}

// Time stands still for the client and the service, and both have their documented limit.
struct LimitedCrowd : Crowd {
    explicit LimitedCrowd(std::shared_ptr<testing::ManualClock> c = std::make_shared<testing::ManualClock>())
        : Crowd({.plain_http = true, .clock = c, .requests_kept = 10 * many}),
          clock(std::move(c)) {
        options.clock = clock;
    }

    void start_all() {
        client.emplace(context, options);
        for (int i = 0; i < many; ++i)
            client->async_list(ends.handler());
    }

    std::shared_ptr<testing::ManualClock> clock;
    std::optional<ApiKeyClient> client;
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
    CHECK(crowd.connections() <= crowd.options.pool.max_connections);
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

    crowd.client->cancel();
    crowd.run_until([&] { return crowd.ends.all == many; });
    CHECK(crowd.ends.aborted == in_time - at_once);
    CHECK(crowd.emulator.request_count() == at_once);
}

}  // namespace many_test
