// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/time/sleep.hpp>
#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

namespace sleep_test {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using palette::impl::timing::Alarm;
using palette::impl::timing::TimeSource;
using palette::testing::ManualClock;

asio::awaitable<void> keep(TimeSource time, std::chrono::milliseconds duration, std::optional<bool>& slept) {
    co_await asio::this_coro::throw_if_cancelled(false);
    slept = co_await palette::impl::timing::sleep(std::move(time), duration);
}

struct Sleeper {
    explicit Sleeper(TimeSource time, std::chrono::milliseconds duration = 1min) {
        asio::co_spawn(context, keep(std::move(time), duration, slept),
                       asio::bind_cancellation_slot(signal.slot(), [](std::exception_ptr) {}));
        context.poll();
    }
    asio::io_context context;
    asio::cancellation_signal signal;
    std::optional<bool> slept;
};

TEST_CASE("sleep: it lasts until the clock that was given has moved far enough") {
    auto const clock = std::make_shared<ManualClock>();
    Sleeper sleeper{TimeSource(clock)};
    clock->advance(59s);
    sleeper.context.poll();
    CHECK_FALSE(sleeper.slept);
    clock->advance(1s);
    sleeper.context.poll();
    CHECK(sleeper.slept == true);
}

TEST_CASE("sleep: it passes on the machine's clock when there is no other, and no time is no wait") {
    Sleeper sleeper(TimeSource(), 1ms);
    sleeper.context.run();
    CHECK(sleeper.slept == true);
    Sleeper none(TimeSource(), 0ms);
    CHECK(none.slept == true);
}

TEST_CASE("sleep: a cancellation ends it on either clock and leaves no alarm behind") {
    auto const clock = std::make_shared<ManualClock>();
    for (auto const& time : {TimeSource(clock), TimeSource()}) {
        Sleeper sleeper{time};
        sleeper.signal.emit(asio::cancellation_type::terminal);
        sleeper.context.run();
        CHECK(sleeper.slept == false);
        CHECK(clock->waiting() == 0);
    }
}

TEST_CASE("alarm: the last that was set rings, once, and none after a cancel or the end of its owner") {
    auto const clock = std::make_shared<ManualClock>();
    for (auto const& time : {TimeSource(clock), TimeSource()}) {
        asio::io_context context;
        int first = 0;
        int last = 0;
        auto alarm = std::make_optional<Alarm>(context.get_executor(), time);
        alarm->set(1ms, [&] { ++first; });
        alarm->set(2ms, [&] { ++last; });
        clock->advance(1h);
        context.run();
        CHECK(first == 0);
        CHECK(last == 1);

        alarm->set(1ms, [&] { ++first; });
        alarm->cancel();
        alarm->set(1ms, [&] { ++first; });
        alarm.reset();
        clock->advance(1h);
        context.restart();
        context.run();
        CHECK(first == 0);
    }
}

TEST_CASE("alarm: many on one timer ring each at its time, and one that rings may set and cancel others") {
    asio::io_context context;
    auto const timer = std::make_shared<palette::impl::timing::SharedTimer>(context.get_executor());
    std::vector<int> rung;
    std::vector<std::unique_ptr<Alarm>> alarms;
    for (int i = 0; i < 6; ++i)
        alarms.push_back(std::make_unique<Alarm>(timer, TimeSource()));
    alarms[0]->set(24h, [&] { rung.push_back(0); });  // the first look is long before it ends
    // Each time counts from its own setting: where the machine paused in between, they are set anew.
    auto begun = std::chrono::steady_clock::now();
    do {
        begun = std::chrono::steady_clock::now();
        alarms[1]->set(30ms, [&] {
            rung.push_back(1);
            alarms[3]->cancel();
            alarms[4]->set(5ms, [&] { rung.push_back(4); });
            alarms[5].reset();
        });
        alarms[2]->set(10ms, [&] { rung.push_back(2); });
        alarms[3]->set(31ms, [&] { rung.push_back(3); });
        alarms[5]->set(31ms, [&] { rung.push_back(5); });
    } while (std::chrono::steady_clock::now() - begun >= 20ms);
    while (rung.size() < 3)
        context.run_one();
    CHECK(std::chrono::steady_clock::now() - begun >= 35ms);
    CHECK(rung == std::vector{2, 1, 4});
    alarms[0]->cancel();
    context.run();  // nothing waits any more
    CHECK(rung.size() == 3);
}

TEST_CASE("alarm: one that ends itself when it rings leaves nothing behind") {
    asio::io_context context;
    auto const timer = std::make_shared<palette::impl::timing::SharedTimer>(context.get_executor());
    auto alarm = std::make_optional<Alarm>(timer, TimeSource());
    bool rung = false;
    alarm->set(1ms, [&] {
        alarm.reset();
        rung = true;
    });
    context.run();
    CHECK(rung);
}

}  // namespace sleep_test
