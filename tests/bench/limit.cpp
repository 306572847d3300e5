// SPDX-License-Identifier: BSL-1.0

// A thousand revokes at once, under the rate limit as documented, of the client and of the service: how
// long until the last is done, on a clock that both share and that jumps ahead when all is done that could
// be done so far.

#include "bench/measure.hpp"
#include "bench/our_client.hpp"
#include "support/heap.hpp"

#include <palette/observer.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/manual_clock.hpp>

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

namespace {

using namespace bench;
using palette::testing::Emulator;
using palette::testing::ManualClock;

constexpr int revokes = 1'000;

// Counts the requests that are under way: it is asked for a trace before each of them.
class UnderWay : public palette::Observer {
public:
    std::string traceparent(std::uint64_t) noexcept override {
        ++now;
        return {};
    }
    void on_attempt(const palette::AttemptEvent&) noexcept override { --now; }

    int now = 0;
};

class Scene {
public:
    Scene() : start_(clock_->now()) {
        auto const keys = emulator_.keys();
        // Those that it was asked to have; its own users' come before.
        for (auto key = keys.end() - revokes; key != keys.end(); ++key)
            client_.async_revoke(key->uid, [this](palette::Result<void> result) {
                require(result.has_value(), result ? "" : result.error().message());
                ++done_;
            });
    }

    // Seconds of the clock.
    double run() {
        settle();
        while (done_ < revokes) {
            require(clock_->advance_to_next());
            settle();
        }
        return std::chrono::duration<double>(clock_->now() - start_).count();
    }

    [[nodiscard]] std::uint64_t requests() const { return emulator_.request_count(); }

private:
    // Until all wait for the clock.
    void settle() {
        while (context_.poll() > 0 || under_way_->now > 0)
            if (under_way_->now > 0) context_.run_one();
    }

    [[nodiscard]] palette::ClientOptions client_options() const {
        auto options = emulator_.client_options(palette::testing::Role::tenant_admin);
        options.clock = clock_;
        options.observer = under_way_;
        return options;
    }

    std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
    std::shared_ptr<UnderWay> under_way_ = std::make_shared<UnderWay>();
    palette::Instant start_;
    Emulator emulator_{{.plain_http = true, .keys = revokes, .clock = clock_}};
    boost::asio::io_context context_{1};
    palette::ApiKeyClient client_{context_, client_options()};
    int done_ = 0;
};

// Bytes of the heap for each of many operations that wait, behind one that gets no answer.
double bytes_per_waiting(void (*choose)(palette::ClientOptions&)) {
    constexpr int waiting = 10'000;
    Emulator emulator({.plain_http = true, .rate_limit = palette::testing::RateLimit::off()});
    emulator.faults().add("* / stall");
    auto options = emulator.client_options(palette::testing::Role::tenant_admin);
    options.timeouts.queue = std::chrono::hours{1};
    options.pool.max_waiting = 2 * waiting;
    choose(options);
    auto const uid = emulator.keys().back().uid;
    boost::asio::io_context context(1);
    palette::ApiKeyClient client(context, options);
    auto const start = [&](int count) {
        for (int i = 0; i < count; ++i)
            client.async_revoke(uid, [](const palette::Result<void>&) {});
    };
    start(100);
    while (emulator.request_count() == 0)
        context.run_one();
    context.poll();
    auto const before = heap::in_use();
    start(waiting);
    context.poll();
    return static_cast<double>(heap::in_use() - before) / waiting;
}

void show_waiting() {
    Table table("what each of 10,000 operations holds while it waits");
    auto const row = [&](const char* name, double bytes) {
        table.show(name, kilobytes, {bytes, 4096, bytes / 4096});
    };
    row("for the rate limit: 4 KiB", bytes_per_waiting([](palette::ClientOptions& options) {
            options.rate_limit = {.per_second = 10, .burst = 1};
        }));
    row("for a connection: 4 KiB", bytes_per_waiting([](palette::ClientOptions& options) {
            options.rate_limit = palette::RateLimitOptions::off();
            options.pool.max_connections = 1;
        }));
}

}  // namespace

int main() {
    show_waiting();
    Table table("1,000 revokes under 10 a second, burst 50 (virtual clock)");
    palette::RateLimitOptions const limit;
    auto const best = (revokes - limit.burst) / limit.per_second;
    Scene scene;
    auto const took = scene.run();
    table.at_most(1.02, "the arithmetic optimum", {"s", 1}, {took, best, took / best});
    bool const none_refused = scene.requests() == revokes;
    std::printf("    %llu requests, %s\n", static_cast<unsigned long long>(scene.requests()),
                none_refused ? "not one 429" : "some refused  MISSED");
    return none_refused ? table.status() : 1;
}
