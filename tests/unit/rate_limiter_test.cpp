// SPDX-License-Identifier: BSL-1.0
#include <palette/rate_limiter.hpp>
#include <palette/result.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <deque>
#include <iterator>
#include <limits>
#include <optional>
#include <random>
#include <set>
#include <vector>

namespace rate_limiter_test {

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

// As turn(), but gives up after a thousand questions.
std::optional<nanoseconds> turn_at_last(RateLimiter& limiter, nanoseconds now) {
    auto const ticket = limiter.ticket();
    for (int i = 0; i < 1'000; ++i) {
        auto const wait = limiter.wait(keys, ticket, now);
        if (wait == 0s) return now;
        now += wait;
    }
    return std::nullopt;
}

TEST_CASE("rate limiter: a clock that jumps ahead and is set back again starves nobody") {
    for (nanoseconds const jump : {nanoseconds(2s), nanoseconds(1h), nanoseconds(24h * 365 * 100)}) {
        CAPTURE(jump.count());
        RateLimiter limiter(limit(10, 10));
        for (int i = 0; i < 9; ++i)
            turn(limiter, 1s);
        CHECK(turn(limiter, 1s + jump) == 1s + jump);
        // The jump has filled the bucket, and no more than that.
        int at_once = 0;
        auto now = 2s + 0ns;
        for (; at_once < 100; ++at_once) {
            auto const next = turn_at_last(limiter, now);
            REQUIRE(next);
            if (*next > now) break;
        }
        CHECK(at_once <= 9);
        for (int i = 0; i < 10; ++i) {
            auto const next = turn_at_last(limiter, now);
            REQUIRE(next);
            CHECK(*next <= now + 210ms);
            now = *next;
        }
    }
}

TEST_CASE("rate limiter: a pause that was asked for before the clock was set back does not grow") {
    RateLimiter limiter(limit(10, 10));
    limiter.refused(keys, 24h, 24h, 3s);
    auto const next = turn_at_last(limiter, 1h);
    REQUIRE(next);
    CHECK(*next > 1h + 3s);
    CHECK(*next < 1h + 4s);
    // Nor is what is sent from now on taken for something that was sent before the refusal.
    auto const slowed = limiter.wait(keys, limiter.ticket(), *next);
    limiter.refused(keys, *next, *next);
    CHECK(limiter.wait(keys, limiter.ticket(), *next) > slowed);
}

TEST_CASE(
    "rate limiter: who fell silent before the clock was set back holds up the others for a minute only") {
    RateLimiter limiter(limit(10, 1));
    turn(limiter, 24h);
    CHECK(limiter.wait(keys, limiter.ticket(), 24h) > 0s);  // and never asks again
    auto const other = limiter.ticket();
    CHECK(limiter.wait(keys, other, 1h) > 0s);
    CHECK(limiter.wait(keys, other, 1h + 62s) == 0s);
}

TEST_CASE("rate limiter: waiters keep their order when the clock has jumped ahead over all of them") {
    RateLimiter limiter(limit(10, 1));
    turn(limiter, 0s);
    auto const first = limiter.ticket();
    auto const second = limiter.ticket();
    CHECK(limiter.wait(keys, first, 0s) > 0s);
    CHECK(limiter.wait(keys, second, 0s) > 0s);
    CHECK(limiter.wait(keys, first, 1h) == 0s);
    CHECK(limiter.wait(keys, second, 1h) > 0s);
    CHECK(limiter.wait(keys, second, 1h + 110ms) == 0s);
}

// Nanoseconds of this program's time on a core for each of `count` waiters that leave in an order of chance;
// the least of three.
double time_to_leave(std::size_t count) {
    auto best = std::numeric_limits<double>::max();
    for (int round = 0; round < 3; ++round) {
        RateLimiter limiter(limit(10, 1));
        turn(limiter, 0s);
        std::vector<RateLimiter::Ticket> waiting;
        for (std::size_t i = 0; i < count; ++i) {
            waiting.push_back(limiter.ticket());
            if (limiter.wait(keys, waiting.back(), 0s) == 0s) FAIL("it was to wait");
        }
        std::shuffle(waiting.begin(), waiting.end(), std::minstd_rand(7));
        auto const begun = std::clock();
        for (auto const ticket : waiting)
            limiter.leave(keys, ticket);
        best = std::min(best, static_cast<double>(std::clock() - begun));
        CHECK(is_near(limiter.wait(keys, limiter.ticket(), 0s), 100ms));  // all have gone
    }
    return best / CLOCKS_PER_SEC * 1e9 / static_cast<double>(count);
}

// What grows with their number takes a hundred times as long, and took 258 times; cold caches, 5 to 40 times.
// ticket_queue_test.cpp counts steps instead.
TEST_CASE("rate limiter: a waiter leaves a queue of a hundred thousand about as fast as one of a thousand") {
    auto ratio = std::numeric_limits<double>::max();
    // Who has the caches besides slows down the many more than the few: not every time, though.
    for (int tries = 0; tries < 10 && ratio >= 90; ++tries) {
        auto const few = time_to_leave(1'000);
        auto const more = time_to_leave(10'000);
        auto const many = time_to_leave(100'000);
        MESSAGE("each of 1,000 takes ", few, " ns to leave, of 10,000 ", more, " ns, of 100,000 ", many,
                " ns");
        ratio = std::min(ratio, many / few);
    }
    CHECK(ratio < 90);
}

TEST_CASE("rate limiter: however they come and leave, each waits for those before it") {
    RateLimiter limiter(limit(10, 1));
    turn(limiter, 0s);
    std::minstd_rand random(11);
    std::vector<RateLimiter::Ticket> tickets;
    for (int i = 0; i < 200; ++i)
        tickets.push_back(limiter.ticket());
    std::set<RateLimiter::Ticket> waiting;
    for (int step = 0; step < 5'000; ++step) {
        auto const ticket = tickets[random() % tickets.size()];
        if (random() % 3 == 0) {
            limiter.leave(keys, ticket);
            waiting.erase(ticket);
        } else {
            auto const before = std::distance(waiting.begin(), waiting.lower_bound(ticket));
            REQUIRE(is_near(limiter.wait(keys, ticket, 0s), 100ms * (before + 1)));
            waiting.insert(ticket);
        }
    }
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

}  // namespace rate_limiter_test
