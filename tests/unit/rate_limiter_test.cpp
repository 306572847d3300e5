// SPDX-License-Identifier: BSL-1.0
#include <palette/rate_limiter.hpp>
#include <palette/result.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <limits>
#include <vector>

namespace {

using namespace std::chrono_literals;
using palette::RateLimiter;
using palette::RateLimitOptions;
using std::chrono::nanoseconds;

constexpr auto keys = "palette.acme.com/apiKeys";

RateLimitOptions limit(double per_second, double burst) {
    RateLimitOptions options;
    options.per_second = per_second;
    options.burst = burst;
    return options;
}

// When the next one may go, which it does. It asks again as often as it is told to.
nanoseconds turn(RateLimiter& limiter, nanoseconds now) {
    auto const ticket = limiter.ticket();
    for (auto wait = limiter.wait(keys, ticket, now); wait > 0ns; wait = limiter.wait(keys, ticket, now))
        now += wait;
    return now;
}

bool is_near(nanoseconds a, nanoseconds b) {
    return std::chrono::abs(a - b) < 1ms;
}

TEST_CASE("rate limiter: a burst goes at once and the rest at the rate, in the order of coming") {
    RateLimiter limiter(limit(10, 10));
    for (int i = 0; i < 9; ++i)
        CHECK(turn(limiter, 1s) == 1s);
    std::deque<RateLimiter::Ticket> waiting;
    for (int i = 0; i < 3; ++i) {
        waiting.push_back(limiter.ticket());
        CHECK(is_near(limiter.wait(keys, waiting.back(), 1s), 100ms * (i + 1)));
    }
    auto const late = limiter.ticket();
    CHECK(limiter.wait(keys, late, 1110ms) > 0s);  // the first of those who wait has not gone yet
    CHECK(limiter.wait(keys, waiting[0], 1110ms) == 0s);
    CHECK(limiter.wait(keys, waiting[2], 1210ms) > 0s);
    CHECK(limiter.wait(keys, waiting[1], 1210ms) == 0s);
}

TEST_CASE("rate limiter: what was begun comes before what begins") {
    RateLimiter limiter(limit(10, 1));
    auto const first = limiter.ticket();
    auto const second = limiter.ticket();
    CHECK(limiter.wait(keys, first, 0s) == 0s);
    CHECK(is_near(limiter.wait(keys, second, 0s), 100ms));
    CHECK(is_near(limiter.wait(keys, first, 0s), 100ms));  // its next request
    CHECK(is_near(limiter.wait(keys, second, 0s), 200ms));
    CHECK(limiter.wait(keys, second, 110ms) > 0s);
    CHECK(limiter.wait(keys, first, 110ms) == 0s);
}

TEST_CASE(
    "rate limiter: a thousand take the time that arithmetic says and no window of a second has too many") {
    RateLimiter limiter(limit(10, 50));
    std::vector<nanoseconds> turns;
    nanoseconds now = 0s;
    for (int i = 0; i < 1'000; ++i)
        turns.push_back(now = turn(limiter, now));
    CHECK(is_near(turns.back(), 95'500ms));
    for (std::size_t i = 60; i < turns.size(); ++i)
        CHECK(turns[i] - turns[i - 60] >= 999ms);
}

TEST_CASE("rate limiter: what was not used is saved up to the burst and no further") {
    RateLimiter limiter(limit(10, 10));
    for (int i = 0; i < 9; ++i)
        turn(limiter, 0s);
    for (int i = 0; i < 9; ++i)
        CHECK(turn(limiter, 1h) == 1h);
    CHECK(turn(limiter, 1h) > 1h);
}

TEST_CASE("rate limiter: whoever leaves lets the others move up") {
    RateLimiter limiter(limit(10, 1));
    turn(limiter, 0s);
    auto const first = limiter.ticket();
    auto const second = limiter.ticket();
    CHECK(is_near(limiter.wait(keys, first, 0s), 100ms));
    CHECK(is_near(limiter.wait(keys, second, 0s), 200ms));
    limiter.leave(keys, first);
    CHECK(is_near(limiter.wait(keys, second, 0s), 100ms));
}

TEST_CASE("rate limiter: who was to ask again long ago, and has not, holds up nobody, and keeps its place") {
    RateLimiter limiter(limit(10, 1));
    turn(limiter, 0s);
    auto const silent = limiter.ticket();
    auto const other = limiter.ticket();
    CHECK(is_near(limiter.wait(keys, silent, 0s), 100ms));
    CHECK(limiter.wait(keys, other, 30s) > 0s);
    CHECK(limiter.wait(keys, other, 62s) == 0s);
    auto const last = limiter.ticket();
    CHECK(is_near(limiter.wait(keys, last, 62s), 100ms));
    CHECK(is_near(limiter.wait(keys, silent, 62s), 100ms));
    CHECK(is_near(limiter.wait(keys, last, 62s), 200ms));
}

TEST_CASE("rate limiter: every bucket has a limit of its own") {
    RateLimiter limiter(limit(10, 1));
    turn(limiter, 0s);
    CHECK(limiter.wait(keys, limiter.ticket(), 0s) > 0s);
    CHECK(limiter.wait("palette.acme.com/users", limiter.ticket(), 0s) == 0s);
    CHECK(limiter.wait("other.acme.com/apiKeys", limiter.ticket(), 0s) == 0s);
}

TEST_CASE("rate limiter: a clock that is set back lets nobody wait longer") {
    RateLimiter limiter(limit(10, 1));
    turn(limiter, 1h);
    CHECK(is_near(limiter.wait(keys, limiter.ticket(), 1s), 100ms));
}

TEST_CASE("rate limiter: a wait is positive and overflows nothing, however slow or fast the rate") {
    for (double const per_second : {1e-12, 1e-300, 1e200, 1e308}) {
        CAPTURE(per_second);
        RateLimiter limiter(limit(per_second, 1));
        CHECK(limiter.wait(keys, limiter.ticket(), 0s) == 0s);
        limiter.refused(keys, 0s, 0s);
        auto const wait = limiter.wait(keys, limiter.ticket(), 0s);
        CHECK(wait > 0s);
        CHECK(wait <= (per_second < 1 ? nanoseconds(24h * 365) : nanoseconds(1)));
    }
}

TEST_CASE("rate limiter: a refusal empties the bucket, halves the rate, and ten seconds restore it") {
    RateLimiter limiter(limit(10, 10));
    limiter.refused(keys, 0s, 0s);
    // At five a second, and a little faster with every moment.
    CHECK(turn(limiter, 0s) > 180ms);
    CHECK(turn(limiter, 0s) < 400ms);
    for (int i = 0; i < 9; ++i)
        turn(limiter, 1h);
    auto const next = turn(limiter, 1h);
    CHECK(is_near(next, 1h + 100ms));
}

TEST_CASE("rate limiter: refusals of what was sent before it slowed down slow it down no more") {
    auto const wait_after = [](int refusals, nanoseconds sent) {
        RateLimiter limiter(limit(10, 10));
        limiter.refused(keys, 1s, 2s);
        for (int i = 0; i < refusals; ++i)
            limiter.refused(keys, sent, 2s);
        return limiter.wait(keys, limiter.ticket(), 2s);
    };
    CHECK(wait_after(10, 1s) == wait_after(0, 1s));
    CHECK(wait_after(1, 2s) > wait_after(0, 1s));
    CHECK(wait_after(100, 2s) == wait_after(10, 2s));  // a sixteenth is the least
    CHECK(wait_after(10, 2s) < 1600ms);
}

TEST_CASE("rate limiter: for a pause that was asked for nobody goes") {
    RateLimiter limiter(limit(10, 10));
    limiter.refused(keys, 0s, 0s, 3s);
    auto const ticket = limiter.ticket();
    CHECK(limiter.wait(keys, ticket, 0s) > 3s);
    CHECK(limiter.wait(keys, ticket, 2900ms) > 100ms);
    CHECK(limiter.wait(keys, ticket, 3250ms) == 0s);
}

TEST_CASE("rate limiter: a pause lasts a minute at most, whatever an answer asks for") {
    for (nanoseconds const pause : {nanoseconds(61s), nanoseconds(24h * 365), nanoseconds::max()}) {
        RateLimiter limiter(limit(10, 10));
        limiter.refused(keys, 0s, 0s, pause);
        CHECK(turn(limiter, 0s) > 60s);
        CHECK(turn(limiter, 0s) < 61s);
    }
}

// Somebody else spends half of what the service lets through: it finds its own half, and loses little to it.
TEST_CASE("rate limiter: beside a foreign spender it meets few refusals and uses most of what is left") {
    RateLimiter limiter(limit(10, 50));
    double service = 50;
    nanoseconds now = 0s;
    nanoseconds counted = 0s;
    int refused = 0;
    int sent = 0;
    while (now < 200s) {
        now = turn(limiter, now);
        service = std::min(50.0, service + std::chrono::duration<double>(now - counted).count() * 5);
        counted = now;
        ++sent;
        if (service >= 1) {
            service -= 1;
        } else {
            ++refused;
            limiter.refused(keys, now, now);
        }
    }
    CHECK(refused < sent / 10);
    CHECK(sent - refused > 650);  // of 1,045 that were to be had
}

TEST_CASE("rate limiter: off, it holds nobody back") {
    RateLimiter limiter(RateLimitOptions::off());
    for (int i = 0; i < 1'000; ++i)
        CHECK(turn(limiter, 0s) == 0s);
    limiter.refused(keys, 0s, 0s, 1h);
    CHECK(turn(limiter, 0s) == 0s);
}

TEST_CASE("rate limiter: a limit that is none is refused") {
    constexpr auto infinite = std::numeric_limits<double>::infinity();
    constexpr auto no_number = std::numeric_limits<double>::quiet_NaN();
    for (auto const& bad :
         {limit(0, 50), limit(10, 0), limit(-1, 50), limit(10, 0.5), limit(10, -1), limit(infinite, 50),
          limit(10, infinite), limit(no_number, 50), limit(10, no_number)}) {
        CAPTURE(bad.per_second);
        CAPTURE(bad.burst);
        CHECK_THROWS_AS(RateLimiter{bad}, palette::Exception);
    }
}

}  // namespace
