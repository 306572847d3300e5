// SPDX-License-Identifier: BSL-1.0
#include "support/failing_allocations.hpp"

#include <palette/impl/net/lookup.hpp>
#include <palette/impl/pipeline/call.hpp>
#include <palette/impl/pipeline/emit.hpp>
#include <palette/impl/time/sleep.hpp>
#include <palette/rate_limiter.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <future>
#include <memory>
#include <new>
#include <optional>
#include <string>

// What wakes those who wait, when memory runs out over it, at every allocation: nobody may wait for good.

namespace waits_failing_allocations_test {

using namespace std::chrono_literals;
using namespace palette;
namespace asio = boost::asio;
using impl::timing::Alarm;
using impl::timing::SharedTimer;
using impl::timing::TimeSource;

/// Runs the context until it has nothing to do; false: it still has after ten seconds.
bool run(asio::io_context& context) {
    auto const end = std::chrono::steady_clock::now() + 10s;
    context.restart();
    while (!context.stopped() && std::chrono::steady_clock::now() < end) {
        try {
            context.run_for(1s);
        } catch (const std::bad_alloc&) {
        }
    }
    return context.stopped();
}

TEST_CASE("failing allocations: an alarm that is set takes no ring from those that were set before") {
    auto const failures = failing::fail_each([](std::size_t nth) {
        CAPTURE(nth);
        asio::io_context context;
        auto const timer = std::make_shared<SharedTimer>(context.get_executor());
        std::string rung;
        Alarm late(timer, TimeSource());
        Alarm early(timer, TimeSource());
        late.set(20ms, [&] { rung += 'l'; });
        failing::arm(nth);
        // The timer looks up earlier than it was to: its wait is ended, and a new one begun.
        CHECK_NOTHROW(early.set(1ms, [&] { rung += 'e'; }));
        failing::disarm();
        CHECK(run(context));
        CHECK(rung == "el");
    });
    CHECK(failures > 0);
}

TEST_CASE("failing allocations: alarms ring, whichever allocation fails from their setting on") {
    auto const failures = failing::fail_each([](std::size_t nth) {
        CAPTURE(nth);
        asio::io_context context;
        auto const timer = std::make_shared<SharedTimer>(context.get_executor());
        int rings = 0;
        Alarm first(timer, TimeSource());
        Alarm second(timer, TimeSource());
        failing::arm(nth);
        first.set(1ms, [&] {
            ++rings;
            first.set(1ms, [&] { ++rings; });
        });
        second.set(3ms, [&] { ++rings; });
        CHECK(run(context));
        failing::disarm();
        CHECK(rings == 3);
    });
    CHECK(failures > 2);
}

TEST_CASE("failing allocations: a call that is stopped tells so until it has been heard") {
    asio::io_context context;
    impl::pipeline::Call call(std::make_shared<SharedTimer>(context.get_executor()), TimeSource(), 1, "get",
                              Timeouts(), palette::detail::CallSettings());
    int failures_left = 12;
    bool was_told = false;
    // As Asio's own handler does, which brings it to the coroutine's executor, and a transport's may.
    call.slot().assign([&](asio::cancellation_type) {
        if (failures_left-- > 0) throw std::bad_alloc();
        was_told = true;
    });
    CHECK_NOTHROW(call.stop(impl::pipeline::Call::Stop::cancelled));
    CHECK(was_told);
}

/// A lookup that ends when the test does.
struct Waiting {
    asio::cancellation_signal signal;
    std::optional<errc> code;

    static asio::awaitable<void> look_up(std::shared_ptr<Waiting> self, impl::net::Resolver& resolver,
                                         std::chrono::milliseconds time) {
        co_await asio::this_coro::throw_if_cancelled(false);
        auto const found = co_await resolver.lookup("slow.test", 443, time);
        if (!found) self->code = found.error().code();
    }
};

class LookupScene {
public:
    LookupScene()
        : resolver_([answers = std::shared_future<void>(answers_.get_future())](const std::string&) {
              answers.wait();
              return impl::net::LookupAnswer(impl::net::Addresses());
          }) {}
    LookupScene(const LookupScene&) = delete;
    LookupScene& operator=(const LookupScene&) = delete;
    ~LookupScene() { answers_.set_value(); }

    std::weak_ptr<Waiting> start(std::chrono::milliseconds time) {
        failing::NewThreadsSpared const spared;
        auto const waiting = std::make_shared<Waiting>();
        asio::co_spawn(
            context, Waiting::look_up(waiting, resolver_, time),
            asio::bind_cancellation_slot(waiting->signal.slot(), [this, waiting](const std::exception_ptr&) {
                ++ended;
                code = waiting->code;
            }));
        context.poll();
        return waiting;
    }

    asio::io_context context;
    int ended = 0;
    std::optional<errc> code;

private:
    std::promise<void> answers_;
    impl::net::Resolver resolver_;
};

TEST_CASE("failing allocations: a lookup that is cancelled ends, whichever allocation fails over that") {
    auto const failures = failing::fail_each([](std::size_t nth) {
        CAPTURE(nth);
        LookupScene scene;
        auto const waiting = scene.start(1h);
        REQUIRE_FALSE(waiting.expired());
        failing::arm(nth);
        CHECK_NOTHROW(impl::pipeline::emit(waiting.lock()->signal, asio::cancellation_type::terminal));
        failing::disarm();
        CHECK(run(scene.context));
        CHECK(scene.ended == 1);
        REQUIRE(scene.code);
        CHECK((scene.code == errc::operation_aborted ||
               (failing::has_failed() && scene.code == errc::out_of_memory)));
    });
    CHECK(failures > 1);
}

TEST_CASE("failing allocations: a lookup that comes late ends, whichever allocation fails over that") {
    auto const failures = failing::fail_each([](std::size_t nth) {
        CAPTURE(nth);
        std::optional<LookupScene> late;
        auto waiting = late.emplace().start(5ms);
        // On a slow machine it may be over by now.
        while (late->ended > 0)
            waiting = late.emplace().start(5ms);
        auto& scene = *late;
        failing::arm(nth);
        CHECK(run(scene.context));
        failing::disarm();
        // Asio destroys the coroutine that it cannot tell.
        CHECK(waiting.expired());
        if (scene.ended == 1 && !failing::has_failed()) CHECK(scene.code == errc::timeout);
    });
    CHECK(failures > 2);
}

TEST_CASE("failing allocations: a wait in the rate limiter ends once, whichever allocation fails") {
    for (bool const is_cancelled : {false, true}) {
        auto const failures = failing::fail_each([&](std::size_t nth) {
            CAPTURE(is_cancelled);
            CAPTURE(nth);
            asio::io_context context;
            asio::cancellation_signal signal;
            auto const limiter = std::make_shared<RateLimiter>(RateLimitOptions{1'000, 1});
            auto const endpoint = Endpoint::parse("palette.acme.com").value();
            int started = 0;
            int ended = 0;
            failing::arm(nth);
            for (int i = 0; i < 3; ++i) {
                try {
                    limiter->async_acquire(
                        context.get_executor(), endpoint, "/v1/a-path-that-is-long",
                        asio::bind_cancellation_slot(signal.slot(),
                                                     [&](const Result<RateLimiter::Permit>&) { ++ended; }));
                    ++started;
                } catch (const std::bad_alloc&) {
                    // The handler is never called then.
                }
            }
            if (is_cancelled) signal.emit(asio::cancellation_type::terminal);
            CHECK(run(context));
            failing::disarm();
            CHECK(ended == started);
        });
        CHECK(failures > 3);
    }
}

}  // namespace waits_failing_allocations_test
