// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/seeds.hpp"

#include <palette/client.hpp>
#include <palette/observer.hpp>
#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

// Clients and a service that have one clock, which jumps ahead when all is done that could be done so far:
// what takes minutes is over in a moment, and takes the same time by the clock on every machine.
class VirtualTime {
public:
    using Seconds = std::chrono::duration<double>;

    // For one client of the crowd.
    void watch(palette::ClientOptions& options) {
        options.clock = clock;
        options.observer = under_way_;
        options.retry.jitter_seed = seeds::short_seed(++watched_);
    }

    // Until all wait for the clock. Nobody waits for the network then.
    void settle() {
        if (context.stopped()) context.restart();
        while (context.poll() > 0 || under_way_->now > 0)
            if (under_way_->now > 0) context.run_one();
    }

    template <class Condition>
    void run_until(Condition condition) {
        settle();
        while (!condition()) {
            REQUIRE_MESSAGE(clock->advance_to_next(), "nothing more is waited for");
            settle();
        }
    }

    void run_for(std::chrono::milliseconds time) {
        auto const end = clock->now() + time;
        settle();
        for (auto next = clock->next_wait(); next && *next <= end; next = clock->next_wait()) {
            clock->advance_to_next();
            settle();
        }
        clock->set(end);
        settle();
    }

    // As long as it exists, something other than a request is under way.
    [[nodiscard]] std::shared_ptr<void> busy() {
        ++under_way_->now;
        return {nullptr, [under_way = under_way_](void*) { --under_way->now; }};
    }

    // As long as it exists, a request that is under way waits for nothing but the clock.
    [[nodiscard]] std::shared_ptr<void> stalled() {
        --under_way_->now;
        return {nullptr, [under_way = under_way_](void*) { ++under_way->now; }};
    }

    [[nodiscard]] double seconds() const { return Seconds(clock->now() - begun_).count(); }

    std::shared_ptr<palette::testing::ManualClock> clock = std::make_shared<palette::testing::ManualClock>();
    boost::asio::io_context context{1};

private:
    // Counts the requests that are under way: it is asked for a trace before each of them.
    class UnderWay final : public palette::Observer {
    public:
        std::string traceparent(std::uint64_t) noexcept override {
            ++now;
            return {};
        }
        void on_attempt(const palette::AttemptEvent&) noexcept override { --now; }

        int now = 0;
    };

    std::shared_ptr<UnderWay> under_way_ = std::make_shared<UnderWay>();
    palette::Instant begun_ = clock->now();
    std::uint64_t watched_ = 0;
};
