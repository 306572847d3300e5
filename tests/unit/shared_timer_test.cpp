// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/time/sleep.hpp>

#include <doctest/doctest.h>
#include <boost/asio/execution.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace shared_timer_test {

using namespace std::chrono_literals;
using palette::impl::timing::Alarm;
using palette::impl::timing::SharedTimer;
using palette::impl::timing::TimeSource;
using Clock = std::chrono::steady_clock;

struct TimerScene {
    Clock::time_point begun = Clock::now();
    boost::asio::io_context context;
    std::shared_ptr<SharedTimer> timer = std::make_shared<SharedTimer>(context.get_executor());
    std::string rung;

    auto ring(char name) {
        return [this, name] { rung += name; };
    }
    // Returns how long it is since the scene was made: before the first alarm was set.
    [[nodiscard]] std::chrono::nanoseconds run() {
        context.run();
        context.restart();
        return Clock::now() - begun;
    }
};

TEST_CASE("shared timer: alarms ring in the order of their times, whatever the order they were set in") {
    TimerScene scene;
    Alarm a(scene.timer, TimeSource());
    Alarm b(scene.timer, TimeSource());
    Alarm c(scene.timer, TimeSource());
    // Each time counts from its own setting: where the machine paused in between, they are set anew.
    auto begun = Clock::now();
    do {
        begun = Clock::now();
        a.set(30ms, scene.ring('a'));
        b.set(5ms, scene.ring('b'));
        c.set(15ms, scene.ring('c'));
    } while (Clock::now() - begun >= 10ms);
    static_cast<void>(scene.run());
    CHECK(Clock::now() - begun >= 30ms);
    CHECK(scene.rung == "bca");
}

TEST_CASE("shared timer: nothing waits for alarms that are cancelled or gone") {
    TimerScene scene;
    Alarm a(scene.timer, TimeSource());
    a.set(1h, scene.ring('a'));
    {
        Alarm b(scene.timer, TimeSource());
        b.set(2h, scene.ring('b'));
    }
    a.cancel();
    CHECK(scene.run() < 1min);
    CHECK(scene.rung.empty());
}

TEST_CASE("shared timer: to set an alarm anew is to forget what it was set to before") {
    TimerScene scene;
    Alarm a(scene.timer, TimeSource());
    a.set(1h, scene.ring('x'));
    a.set(1ms, scene.ring('x'));
    a.set(2ms, scene.ring('a'));
    CHECK(scene.run() < 1min);
    CHECK(scene.rung == "a");
}

TEST_CASE("shared timer: an alarm rings at its own time although others were set to ring later") {
    TimerScene scene;
    Alarm late(scene.timer, TimeSource());
    Alarm early(scene.timer, TimeSource());
    late.set(1h, scene.ring('l'));
    early.set(10ms, [&] {
        scene.rung += 'e';
        late.cancel();
    });
    auto const took = scene.run();
    CHECK(took >= 10ms);
    CHECK(took < 1min);
    CHECK(scene.rung == "e");
}

TEST_CASE("shared timer: an alarm beyond a second rings no earlier than it should") {
    TimerScene scene;
    Alarm a(scene.timer, TimeSource());
    a.set(1100ms, scene.ring('a'));
    CHECK(scene.run() >= 1100ms);
    CHECK(scene.rung == "a");
}

TEST_CASE("shared timer: what rings may set its own alarm again, and end others that are due") {
    TimerScene scene;
    Alarm a(scene.timer, TimeSource());
    std::optional<Alarm> b(std::in_place, scene.timer, TimeSource());
    a.set(1ms, [&] {
        scene.rung += '1';
        b.reset();
        a.set(1ms, scene.ring('2'));
    });
    b->set(3ms, scene.ring('b'));
    std::this_thread::sleep_for(4ms);  // both are due when the first of them rings
    CHECK(scene.run() < 1min);
    CHECK(scene.rung == "12");
}

TEST_CASE("shared timer: an alarm may die with all that it hangs on while it rings") {
    TimerScene scene;
    auto a = std::make_unique<Alarm>(scene.timer, TimeSource());
    a->set(1ms, [&] {
        a.reset();
        scene.timer.reset();
        scene.rung += 'a';
    });
    CHECK(scene.run() < 1min);
    CHECK(scene.rung == "a");
}

// An executor that finds no memory for so many functions.
class Forgetful {
public:
    Forgetful(boost::asio::io_context& context, int& failures) noexcept
        : inner_(context.get_executor()),
          failures_(&failures) {}

    template <class F>
    void execute(F&& f) const {
        if (*failures_ > 0) {
            --*failures_;
            throw std::bad_alloc();
        }
        inner_.execute(std::forward<F>(f));
    }
    [[nodiscard]] boost::asio::execution_context& query(boost::asio::execution::context_t) const noexcept {
        return inner_.context();
    }
    static constexpr boost::asio::execution::blocking_t query(boost::asio::execution::blocking_t) noexcept {
        return boost::asio::execution::blocking.never;
    }
    friend bool operator==(const Forgetful&, const Forgetful&) noexcept = default;

private:
    boost::asio::io_context::executor_type inner_;
    int* failures_;
};

TEST_CASE("shared timer: it goes on where the executor has no memory for its look at the time") {
    for (int const failures : {1, 2, 30}) {
        CAPTURE(failures);
        boost::asio::io_context context;
        int left = 0;
        auto const timer = std::make_shared<SharedTimer>(Forgetful(context, left));
        bool has_rung = false;
        Alarm alarm(timer, TimeSource());
        alarm.set(1ms, [&] { has_rung = true; });
        left = failures;
        CHECK_NOTHROW(context.run());
        CHECK(has_rung);
        CHECK(left == 0);
    }
}

}  // namespace shared_timer_test
