// SPDX-License-Identifier: BSL-1.0
#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

namespace manual_clock_test {

using namespace std::chrono_literals;
using palette::Instant;
using palette::testing::ManualClock;

Instant const noon = std::chrono::sys_days{std::chrono::year{2027} / 1 / 31} + 12h;

TEST_CASE("a manual clock stands still until it is moved") {
    ManualClock clock(noon);
    CHECK(clock.now() == noon);
    clock.advance(90s);
    CHECK(clock.now() == noon + 90s);
    clock.set(noon - 24h);
    CHECK(clock.now() == noon - 24h);
}

TEST_CASE("a manual clock starts at the time of the machine") {
    auto const before = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    ManualClock const clock;
    CHECK(clock.now() >= before);
    CHECK(clock.now() <= std::chrono::system_clock::now());
}

TEST_CASE("a wait on a manual clock ends at its time and once") {
    ManualClock clock(noon);
    int rung = 0;
    auto const alarm = clock.call_after(10s, [&] { ++rung; });
    clock.advance(9'999ms);
    CHECK(rung == 0);
    CHECK(clock.waiting() == 1);
    CHECK(clock.next_wait() == noon + 10s);
    clock.advance(1ms);
    CHECK(rung == 1);
    clock.advance(1h);
    CHECK(rung == 1);
    CHECK(clock.waiting() == 0);
    CHECK_FALSE(clock.next_wait());
}

TEST_CASE("waits on a manual clock end in the order of their times, each at its own time") {
    ManualClock clock(noon);
    std::string order;
    auto const ring = [&](char name, std::chrono::seconds due) {
        return [&order, &clock, name, due] { order += clock.now() == noon + due ? name : '?'; };
    };
    auto const b = clock.call_after(20s, ring('b', 20s));
    auto const a = clock.call_after(10s, ring('a', 10s));
    auto const c = clock.call_after(20s, ring('c', 20s));
    clock.advance(1min);
    CHECK(order == "abc");
    CHECK(clock.now() == noon + 1min);
}

TEST_CASE("a wait that is due at once ends with the next move, not within the call") {
    ManualClock clock(noon);
    bool rung = false;
    auto const alarm = clock.call_after(0ms, [&] { rung = true; });
    CHECK_FALSE(rung);
    clock.advance(0ms);
    CHECK(rung);
}

TEST_CASE("a wait that is given up is not called") {
    ManualClock clock(noon);
    bool rung = false;
    auto alarm = clock.call_after(10s, [&] { rung = true; });
    alarm.reset();
    CHECK(clock.waiting() == 0);
    clock.advance(1h);
    CHECK_FALSE(rung);
}

TEST_CASE("a wait may outlive its clock") {
    std::shared_ptr<void> alarm;
    {
        ManualClock clock;
        alarm = clock.call_after(10s, [] { FAIL("nobody moves the clock"); });
    }
    alarm.reset();
}

TEST_CASE("moving to the next wait goes exactly there and says when there is none") {
    ManualClock clock(noon);
    int rung = 0;
    auto const late = clock.call_after(1h, [&] { ++rung; });
    auto const early = clock.call_after(1s, [&] { ++rung; });
    CHECK(clock.advance_to_next());
    CHECK(clock.now() == noon + 1s);
    CHECK(clock.advance_to_next());
    CHECK(clock.now() == noon + 1h);
    CHECK(rung == 2);
    CHECK_FALSE(clock.advance_to_next());
    CHECK(clock.now() == noon + 1h);
}

TEST_CASE("a manual clock that is set back ends its waits when their time has come again") {
    ManualClock clock(noon);
    int rung = 0;
    auto const alarm = clock.call_after(10s, [&] { ++rung; });
    clock.set(noon - 1h);
    clock.advance(1h);
    CHECK(rung == 0);
    clock.advance(10s);
    CHECK(rung == 1);
}

TEST_CASE("moves and waits beyond every calendar are held at its end") {
    ManualClock clock(noon);
    bool rung = false;
    auto const alarm = clock.call_after(std::chrono::milliseconds::max(), [&] { rung = true; });
    clock.advance(std::chrono::hours{1'000'000'000});
    CHECK_FALSE(rung);
    CHECK(clock.now() > noon);
}

TEST_CASE("giving up a wait while another thread moves the clock never leaves a call behind") {
    ManualClock clock(noon);
    std::atomic<bool> done = false;
    std::thread mover([&] {
        while (!done)
            clock.advance(1ms);
    });
    int late = 0;
    for (int i = 0; i < 2'000; ++i) {
        auto alive = std::make_unique<std::atomic<int>>(0);
        auto alarm = clock.call_after(1ms, [&calls = *alive] { ++calls; });
        alarm.reset();
        auto const after = alive->load();
        late += alive->load() - after;
        CHECK(after <= 1);
    }
    done = true;
    mover.join();
    CHECK(late == 0);
}

}  // namespace manual_clock_test
