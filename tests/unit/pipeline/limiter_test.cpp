// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/pipeline/limiter.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <vector>

namespace {

using namespace std::chrono_literals;
using palette::RateLimitOptions;
using palette::pipeline::Limiter;

RateLimitOptions limit(double per_second, double burst) {
    RateLimitOptions options;
    options.per_second = per_second;
    options.burst = burst;
    return options;
}

// When the next one may go, which it does.
std::chrono::nanoseconds turn(Limiter& limiter, std::chrono::nanoseconds now) {
    auto const wait = limiter.wait("apiKeys", now);
    limiter.take("apiKeys");
    return now + wait;
}

TEST_CASE("limiter: a burst goes at once and the rest at the rate, in the order of coming") {
    Limiter limiter(limit(10, 10));
    for (int i = 0; i < 9; ++i)
        CHECK(turn(limiter, 1s) == 1s);
    CHECK(turn(limiter, 1s) == 1100ms);
    CHECK(turn(limiter, 1s) == 1200ms);
    CHECK(turn(limiter, 1050ms) == 1300ms);
}

TEST_CASE("limiter: a thousand take the time that arithmetic says and no window of a second sees too many") {
    Limiter limiter(limit(10, 50));
    std::vector<std::chrono::nanoseconds> turns;
    for (int i = 0; i < 1'000; ++i)
        turns.push_back(turn(limiter, 0s));
    CHECK(std::chrono::round<std::chrono::milliseconds>(turns.back()) == 95'500ms);
    for (std::size_t i = 60; i < turns.size(); ++i)
        CHECK(turns[i] - turns[i - 60] >= 999ms);
}

TEST_CASE("limiter: what was not used is saved up to the burst and no further") {
    Limiter limiter(limit(10, 10));
    for (int i = 0; i < 9; ++i)
        turn(limiter, 0s);
    for (int i = 0; i < 9; ++i)
        CHECK(turn(limiter, 1h) == 1h);
    CHECK(turn(limiter, 1h) > 1h);
}

// The service counts arrivals, and what had to connect first arrives later than what follows it.
TEST_CASE("limiter: a service that begins to count later meets no more than it lets through") {
    Limiter limiter(RateLimitOptions{});
    auto tokens = RateLimitOptions{}.burst;
    std::chrono::nanoseconds counted = 0s;
    for (int i = 0; i < 300; ++i) {
        auto const arrives = std::max(turn(limiter, 0s), std::chrono::nanoseconds{400ms});
        if (i > 0)
            tokens = std::min(50.0, tokens + std::chrono::duration<double>(arrives - counted).count() * 10);
        counted = arrives;
        tokens -= 1;
        CHECK(tokens >= 0);
    }
}

TEST_CASE("limiter: a place that was given back is the next one's") {
    Limiter limiter(limit(10, 1));
    turn(limiter, 0s);
    auto const place = turn(limiter, 0s);
    limiter.give_back("apiKeys");
    CHECK(turn(limiter, 0s) == place);
}

TEST_CASE("limiter: every kind of path has a limit of its own") {
    Limiter limiter(limit(10, 1));
    turn(limiter, 0s);
    CHECK(limiter.wait("apiKeys", 0s) > 0s);
    CHECK(limiter.wait("users", 0s) == 0s);
}

TEST_CASE("limiter: a clock that is set back lets nobody wait longer") {
    Limiter limiter(limit(10, 1));
    turn(limiter, 1h);
    CHECK(limiter.wait("apiKeys", 1s) == 100ms);
}

TEST_CASE("limiter: off, it holds nobody back") {
    Limiter limiter(RateLimitOptions::off());
    for (int i = 0; i < 1'000; ++i)
        CHECK(turn(limiter, 0s) == 0s);
}

}  // namespace
