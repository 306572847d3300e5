// SPDX-License-Identifier: BSL-1.0
#include "support/random.hpp"

#include <palette/impl/net/pool.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

// Who tries to open connections while the way is down, and who waits for how long.

namespace pool_outage_test {

using namespace palette;
using namespace palette::impl::net;
using namespace std::chrono_literals;
using Action = impl::net::Turn::Action;

constexpr Pool::Time start{};

PoolOptions places(std::size_t number) {
    PoolOptions options;
    options.max_connections = number;
    return options;
}
RetryOptions attempts(int number) {
    RetryOptions options;
    options.max_attempts = number;
    return options;
}
Error refused() {
    return Error(errc::transport, "refused");
}
Turn opened(Pool& pool) {
    auto turn = pool.request(start);
    REQUIRE(turn.action == Action::open);
    pool.opened(turn);
    return turn;
}

TEST_CASE("pool outage: after a failure one request tries at a time, after backoffs that double") {
    Pool pool(places(8));
    auto turn = pool.request(start);
    auto const other = pool.request(start);
    auto now = start;
    CHECK(pool.failed(turn, refused(), now, 0).action == Action::wait);
    CHECK(pool.failed(other, refused(), now, 0).action == Action::wait);
    CHECK(pool.is_down());
    CHECK(pool.request(now).action == Action::wait);
    for (auto const wait : {100ms, 200ms}) {
        CHECK(pool.next_try() == now + wait);
        CHECK_FALSE(pool.next_turn(now + wait - 1ns));
        now += wait;
        auto const probe = pool.next_turn(now);
        REQUIRE(probe);
        CHECK(probe->action == Action::open);
        CHECK(probe->ticket == turn.ticket);  // who waits longest
        CHECK_FALSE(pool.next_turn(now + 1h));
        CHECK(pool.next_try() == std::nullopt);
        CHECK(pool.failed(*probe, refused(), now, 0).action == Action::wait);
    }
    // All of the backoff, and half of it.
    auto probe = pool.next_turn(now + 400ms);
    REQUIRE(probe);
    CHECK(pool.failed(*probe, refused(), now, 0.999999).action == Action::fail);
    CHECK(pool.next_try() == now + 1600ms);
}

TEST_CASE("pool outage: a connection that opens lets all who wait open theirs") {
    Pool pool(places(3));
    auto const turn = pool.request(start);
    CHECK(pool.failed(turn, refused(), start, 0).action == Action::wait);
    for (int i = 0; i < 5; ++i)
        CHECK(pool.request(start).action == Action::wait);
    auto const probe = pool.next_turn(start + 100ms);
    REQUIRE(probe);
    pool.opened(*probe);
    CHECK_FALSE(pool.is_down());
    CHECK(pool.last_failure() == nullptr);
    for (int i = 0; i < 2; ++i) {
        auto const next = pool.next_turn(start + 100ms);
        REQUIRE(next);
        CHECK(next->action == Action::open);
    }
    CHECK_FALSE(pool.next_turn(start + 1h));
    CHECK(pool.waiting() == 3);
}

TEST_CASE("pool outage: whoever cannot open waits for a connection that is open, however often a try fails") {
    Pool pool(places(8), attempts(2));
    auto const live = opened(pool);
    auto turn = pool.request(start);
    auto const first = turn.ticket;
    auto now = start;
    for (int i = 0; i < 10; ++i) {
        CHECK(pool.failed(turn, refused(), now, 0).action == Action::wait);
        now += 5s;
        auto const probe = pool.next_turn(now);
        REQUIRE(probe);
        turn = *probe;
    }
    CHECK(pool.failed(turn, refused(), now, 0).action == Action::wait);
    CHECK(pool.release(live.connection, true, now));
    CHECK(pool.next_turn(now) == Turn{Action::use, live.connection, first});
}

TEST_CASE("pool outage: a request fails when it has seen as many tries fail as it has attempts, not before") {
    for (int const most : {1, 2, 4}) {
        CAPTURE(most);
        Pool pool(places(1), attempts(most));
        auto turn = pool.request(start);
        // This one comes while a try is under way that is none of its own.
        auto const late = pool.request(start);
        auto now = start;
        for (int failures = 1; failures < most; ++failures) {
            CHECK(pool.failed(turn, refused(), now, 0).action == Action::wait);
            now += 5s;
            auto const probe = pool.next_turn(now);
            REQUIRE(probe);
            turn = *probe;
        }
        auto const failed = pool.failed(turn, refused(), now, 0);
        CHECK(failed.action == Action::fail);
        CHECK(failed.failures == most);
        CHECK(pool.last_failure()->what() == "refused");
        CHECK_FALSE(pool.next_turn(now));
        now += 5s;
        auto const probe = pool.next_turn(now);
        REQUIRE(probe);
        CHECK(probe->ticket == late.ticket);
        CHECK(pool.failed(*probe, refused(), now, 0).action == Action::fail);
    }
}

TEST_CASE("pool outage: once the last request has gone, the next one tries at once") {
    Pool pool(places(2), attempts(1));
    for (int i = 0; i < 3; ++i) {
        auto const turn = pool.request(start);
        REQUIRE(turn.action == Action::open);
        CHECK(pool.failed(turn, refused(), start, 0).action == Action::fail);
        CHECK_FALSE(pool.is_down());
    }
    Pool patient(places(2));
    auto const turn = patient.request(start);
    CHECK(patient.failed(turn, refused(), start, 0).action == Action::wait);
    CHECK(patient.give_up(turn.ticket)->what() == "refused");
    CHECK_FALSE(patient.is_down());
    CHECK(patient.request(start).action == Action::open);
}

TEST_CASE("pool outage: when the one that tries goes, the next one tries in its place at once") {
    Pool pool(places(2));
    auto const turn = pool.request(start);
    CHECK(pool.failed(turn, refused(), start, 0).action == Action::wait);
    auto const waiter = pool.request(start);
    auto const probe = pool.next_turn(start + 100ms);
    REQUIRE(probe);
    CHECK(probe->ticket == turn.ticket);
    pool.abandoned(*probe);
    auto const next = pool.next_turn(start + 100ms);
    REQUIRE(next);
    CHECK(next->action == Action::open);
    CHECK(next->ticket == waiter.ticket);
}

TEST_CASE("pool outage: what waiting does not mend ends nobody else's try") {
    Pool pool(places(1));
    auto const turn = pool.request(start);
    auto const waiter = pool.request(start);
    pool.failed_for_good(turn);
    CHECK_FALSE(pool.is_down());
    auto const next = pool.next_turn(start);
    REQUIRE(next);
    CHECK(next->action == Action::open);
    CHECK(next->ticket == waiter.ticket);
}

TEST_CASE("pool outage: who finds a connection dead while the way is down waits in its old place") {
    Pool pool(places(2));
    auto const live = opened(pool);
    auto const turn = pool.request(start);
    CHECK(pool.failed(turn, refused(), start, 0).action == Action::wait);
    auto const later = pool.request(start);
    CHECK(pool.replace(live, start).action == Action::wait);
    auto const next = pool.next_turn(start + 1s);
    REQUIRE(next);
    CHECK(next->ticket == live.ticket);
    CHECK(later.action == Action::wait);
    CHECK(pool.connections() == 1);
}

/// A crowd of requests over a way that is down for a time: each opens or uses a connection, holds it for some
/// time, and comes again. Connecting takes a millisecond.
class Crowd {
public:
    Crowd(std::uint64_t seed, std::chrono::milliseconds down_for, int max_attempts)
        : random_(seed),
          pool_(places(8), attempts(max_attempts)),
          up_at_(start + 50ms + down_for) {}

    void run(std::size_t number) {
        for (std::size_t i = 0; i < number; ++i)
            at_[start].push_back({Event::come, {}});
        while (!at_.empty() && now_ < start + 60s) {
            now_ = at_.begin()->first;
            auto const events = std::move(at_.begin()->second);
            at_.erase(at_.begin());
            for (auto const& event : events)
                happen(event);
            while (auto const turn = pool_.next_turn(now_))
                act(*turn);
            if (auto const next = pool_.next_try())
                at_[std::max(*next, now_ + 1ms)].push_back({Event::look, {}});
        }
    }

    std::size_t done = 0, failed = 0, tries_while_down = 0;

private:
    struct Event {
        enum Kind { come, connected, answered, look } kind;
        Turn turn;
    };

    [[nodiscard]] bool is_down() const { return now_ >= start + 50ms && now_ < up_at_; }

    void act(const Turn& turn) {
        if (turn.action == Action::use)
            at_[now_ + 1ms + std::chrono::milliseconds(random_.below(5))].push_back({Event::answered, turn});
        else if (turn.action == Action::open)
            at_[now_ + 1ms].push_back({Event::connected, turn});
        else if (turn.action == Action::fail)
            ++failed;
    }

    void happen(const Event& event) {
        auto turn = event.turn;
        if (event.kind == Event::come) {
            if (now_ < up_at_ + 100ms) act(pool_.request(now_));
        } else if (event.kind == Event::connected && is_down()) {
            ++tries_while_down;
            act(pool_.failed(turn, refused(), now_, static_cast<double>(random_.below(1000)) / 1000));
        } else if (event.kind == Event::connected) {
            pool_.opened(turn);
            turn.action = Action::use;
            act(turn);
        } else if (event.kind == Event::answered) {
            // What is open when the way goes down breaks, and its request comes again.
            if (!is_down()) ++done;
            static_cast<void>(pool_.release(turn.connection, !is_down(), now_));
            at_[now_ + 1ms].push_back({Event::come, {}});
        }
    }

    sample::Random random_;
    Pool pool_;
    Pool::Time up_at_;
    Pool::Time now_ = start;
    std::map<Pool::Time, std::vector<Event>> at_;
};

TEST_CASE("pool outage: no request of a crowd fails while the way is down for 0.15 s or 0.6 s") {
    for (auto const down_for : {150ms, 600ms})
        for (std::uint64_t seed = 0; seed < 200; ++seed) {
            Crowd crowd(seed, down_for, RetryOptions().max_attempts);
            crowd.run(64);
            CAPTURE(seed);
            CHECK(crowd.failed == 0);
            CHECK(crowd.done > 64);
            CHECK(crowd.tries_while_down < 8 + 10);
        }
}

TEST_CASE("pool outage: every request of a crowd fails soon where nobody comes back") {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        Crowd crowd(seed, 1h, RetryOptions().max_attempts);
        crowd.run(64);
        CAPTURE(seed);
        CHECK(crowd.failed > 0);
    }
}

}  // namespace pool_outage_test
