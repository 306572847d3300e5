// SPDX-License-Identifier: BSL-1.0
#include <palette/auth.hpp>
#include <palette/client.hpp>
#include <palette/rate_limiter.hpp>
#include <palette/testing/manual_clock.hpp>
#include <palette/testing/scripted_transport.hpp>

#include <doctest/doctest.h>
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

// The rate limiter as an operation, which does its own waiting.

namespace rate_limiter_acquire_test {

using namespace std::chrono_literals;
using namespace palette;
namespace asio = boost::asio;
using Permit = RateLimiter::Permit;
using testing::ManualClock;

struct Scene {
    asio::io_context context;
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    // Of the burst, nine tenths are used: two.
    std::shared_ptr<RateLimiter> limiter =
        std::make_shared<RateLimiter>(RateLimitOptions{10, 20.0 / 9}, clock);
    Endpoint endpoint = Endpoint::parse("palette.acme.com").value();
    std::vector<int> come;  // whose turns have come
    std::vector<int> gone;  // who was cancelled
    std::vector<Permit> permits;

    void poll() {
        context.restart();
        context.poll();
    }
    void advance(std::chrono::milliseconds time) {
        clock->advance(time);
        poll();
    }
    auto note(int number) {
        return asio::bind_executor(context, [this, number](Result<Permit> permit) {
            if (permit) {
                come.push_back(number);
                permits.push_back(*std::move(permit));
            } else {
                CHECK(permit.error().code() == errc::operation_aborted);
                CHECK(permit.error().effect() == Effect::not_applied);
                gone.push_back(number);
            }
        });
    }
    void acquire(int number, std::string_view target = "/v1/audits") {
        limiter->async_acquire(endpoint, target, note(number));
        poll();
    }
    void acquire(int number, asio::cancellation_signal& signal) {
        limiter->async_acquire(endpoint, "/v1/audits",
                               asio::bind_cancellation_slot(signal.slot(), note(number)));
        poll();
    }
};

TEST_CASE_FIXTURE(Scene, "rate limiter: a burst is permitted at once, and the rest in order, at the rate") {
    for (int i = 0; i < 6; ++i)
        acquire(i);
    CHECK(come == std::vector{0, 1});
    advance(99ms);
    CHECK(come == std::vector{0, 1});
    advance(1ms);
    CHECK(come == std::vector{0, 1, 2});
    advance(200ms);
    CHECK(come == std::vector{0, 1, 2, 3, 4});
    advance(100ms);
    CHECK(come == std::vector{0, 1, 2, 3, 4, 5});
    CHECK(clock->waiting() == 0);
}

TEST_CASE_FIXTURE(Scene,
                  "rate limiter: a permit completes after the function that asked for it, never within") {
    limiter->async_acquire(endpoint, "/v1/audits", note(0));
    CHECK(come.empty());
    poll();
    CHECK(come.size() == 1);
}

TEST_CASE_FIXTURE(Scene, "rate limiter: each kind of path of each host has a queue of its own") {
    for (auto const* const target : {"/v1/audits", "/v1/audits?limit=5", "/v1/audits/x/y"})
        acquire(1, target);
    CHECK(come.size() == 2);  // all three in one
    acquire(2, "/v1/users");
    CHECK(come.size() == 3);
    endpoint = Endpoint::parse("other.acme.com").value();
    acquire(3);
    CHECK(come.size() == 4);
}

TEST_CASE_FIXTURE(Scene, "rate limiter: who is cancelled leaves its place to the next") {
    asio::cancellation_signal signal;
    acquire(0);
    acquire(1);
    acquire(2, signal);
    acquire(3);
    for (auto const type : {asio::cancellation_type::none, asio::cancellation_type::total}) {
        signal.emit(type);
        poll();
        CHECK(gone.size() == (type == asio::cancellation_type::none ? 0 : 1));
    }
    CHECK(gone == std::vector{2});
    acquire(4);
    advance(200ms);
    CHECK(come == std::vector{0, 1, 3, 4});          // 4 has moved up to the place of 3, and 3 to that of 2
    signal.emit(asio::cancellation_type::terminal);  // nobody is there any more
    poll();
    CHECK(gone.size() == 1);
}

TEST_CASE_FIXTURE(Scene, "rate limiter: a cancellation after the turn has come takes nothing back") {
    asio::cancellation_signal signal;
    limiter->async_acquire(endpoint, "/v1/audits", asio::bind_cancellation_slot(signal.slot(), note(0)));
    context.restart();
    context.run_one();  // the permit is on its way
    signal.emit(asio::cancellation_type::terminal);
    poll();
    CHECK(come == std::vector{0});
    CHECK(gone.empty());
}

TEST_CASE_FIXTURE(Scene, "rate limiter: the signal of an operation that has ended may go, or stay") {
    {
        asio::cancellation_signal gone_early;
        acquire(0, gone_early);
    }
    asio::cancellation_signal signal;
    acquire(1, signal);
    acquire(2, signal);
    {
        asio::cancellation_signal emitted_last;
        acquire(3, emitted_last);
        emitted_last.emit(asio::cancellation_type::terminal);
    }
    poll();
    CHECK(gone == std::vector{3});
    limiter.reset();
    advance(100ms);
    CHECK(come == std::vector{0, 1, 2});
}

TEST_CASE("rate limiter: a signal may outlive the context, and be emitted then") {
    for (bool const has_ended : {false, true}) {
        CAPTURE(has_ended);
        asio::cancellation_signal signal;
        int calls = 0;
        {
            Scene scene;
            scene.acquire(1);
            scene.acquire(2);
            scene.limiter->async_acquire(
                scene.endpoint, "/v1/audits",
                asio::bind_cancellation_slot(
                    signal.slot(), asio::bind_executor(scene.context, [&](const auto&) { ++calls; })));
            if (has_ended) scene.advance(1s);
            CHECK(calls == (has_ended ? 1 : 0));
        }
        signal.emit(asio::cancellation_type::terminal);
        CHECK(calls == (has_ended ? 1 : 0));
    }
}

TEST_CASE_FIXTURE(Scene, "rate limiter: those behind move up when many in front have gone") {
    std::vector<asio::cancellation_signal> signals(40);
    for (int i = 0; i < 40; ++i)
        acquire(i, signals[static_cast<std::size_t>(i)]);
    acquire(40);
    for (auto& signal : signals)
        signal.emit(asio::cancellation_type::terminal);
    poll();
    advance(1s);
    CHECK(come.back() == 40);
}

TEST_CASE_FIXTURE(Scene, "rate limiter: a handler whose type is erased waits on the executor that is given") {
    std::optional<Result<Permit>> permit;
    asio::any_completion_handler<void(Result<Permit>)> handler =
        asio::bind_executor(context, [&](Result<Permit> p) { permit.emplace(std::move(p)); });
    limiter->async_acquire(context.get_executor(), endpoint, "/v1/audits", std::move(handler));
    poll();
    REQUIRE(permit);
    CHECK(permit->has_value());
    asio::any_completion_handler<void(Result<Permit>)> other = [](const Result<Permit>&) {};
    CHECK_THROWS_AS(limiter->async_acquire(endpoint, "/v1/audits", std::move(other)), Exception);
}

TEST_CASE("rate limiter: a clock that fails ends the wait with an error") {
    class Failing final : public Clock {
    public:
        [[nodiscard]] Instant now() const noexcept override { return {}; }
        [[nodiscard]] std::shared_ptr<void> call_after(std::chrono::milliseconds,
                                                       std::function<void()>) override {
            throw std::runtime_error("out of order");
        }
    };
    asio::io_context context;
    RateLimiter limiter(RateLimitOptions{10, 20.0 / 9}, std::make_shared<Failing>());
    auto const endpoint = Endpoint::parse("palette.acme.com").value();
    std::vector<errc> errors;
    for (int i = 0; i < 3; ++i)
        limiter.async_acquire(context.get_executor(), endpoint, "/v1/audits",
                              [&](const Result<Permit>& permit) {
                                  if (!permit) errors.push_back(permit.error().code());
                              });
    context.run();
    CHECK(errors == std::vector<errc>{errc::system});
}

TEST_CASE_FIXTURE(Scene, "rate limiter: an operation outlives the limiter, and ends with its context") {
    acquire(0);
    acquire(1);
    acquire(2);
    limiter.reset();
    advance(100ms);
    CHECK(come == std::vector{0, 1, 2});
    permits.front().refused();  // and a permit, too

    // Where the context goes first, the place in the queue goes with it.
    limiter = std::make_shared<RateLimiter>(RateLimitOptions{1, 1}, clock);
    auto const marker = std::make_shared<int>();
    {
        asio::io_context short_lived;
        for (int i = 0; i < 3; ++i)
            limiter->async_acquire(short_lived.get_executor(), endpoint, "/v1/audits",
                                   [marker](const Result<Permit>&) {});
        short_lived.poll();
        CHECK(marker.use_count() == 3);
    }
    CHECK(marker.use_count() == 1);
    come.clear();
    acquire(4);
    advance(1s);
    CHECK(come == std::vector{4});
}

TEST_CASE_FIXTURE(Scene,
                  "rate limiter: the refusal of a permit halves the rate, and pauses what is behind it") {
    acquire(0);
    permits.front().refused(5s);
    for (int i = 1; i < 4; ++i)
        acquire(i);
    advance(5s);
    CHECK(come == std::vector{0});
    advance(150ms);
    CHECK(come == std::vector{0});  // at the full rate it would have come
    advance(50ms);
    CHECK(come == std::vector{0, 1});
}

asio::awaitable<void> take(RateLimiter& limiter, const Endpoint& endpoint, int& taken) {
    for (int i = 0; i < 3; ++i) {
        auto permit = co_await limiter.async_acquire(endpoint, "/v1/audits");
        if (permit) ++taken;
    }
}

TEST_CASE_FIXTURE(Scene, "rate limiter: a coroutine awaits its turn, without a token or an executor") {
    int taken = 0;
    asio::co_spawn(context, take(*limiter, endpoint, taken),
                   [](const std::exception_ptr& thrown) { CHECK_FALSE(thrown); });
    poll();
    CHECK(taken == 2);
    advance(100ms);
    CHECK(taken == 3);
}

TEST_CASE_FIXTURE(Scene, "rate limiter: without a clock of its own it goes by the machine's") {
    RateLimiter real(RateLimitOptions{1'000, 1});
    int taken = 0;
    asio::co_spawn(context, take(real, endpoint, taken),
                   [](const std::exception_ptr& thrown) { CHECK_FALSE(thrown); });
    auto const begun = std::chrono::steady_clock::now();
    context.run();
    CHECK(taken == 3);
    CHECK(std::chrono::steady_clock::now() - begun >= 1ms);
}

TEST_CASE("rate limiter: operations of many threads are all permitted, and no more than the rate allows") {
    RateLimiter limiter(RateLimitOptions{2'000, 10});
    auto const endpoint = Endpoint::parse("palette.acme.com").value();
    asio::thread_pool pool(4);
    std::vector<std::future<Result<Permit>>> permits;
    auto const begun = std::chrono::steady_clock::now();
    for (int i = 0; i < 100; ++i)
        permits.push_back(
            limiter.async_acquire(pool.get_executor(), endpoint, "/v1/audits", asio::use_future));
    for (auto& permit : permits)
        CHECK(permit.get());
    CHECK(std::chrono::steady_clock::now() - begun >= 44ms);
    pool.join();
}

TEST_CASE_FIXTURE(Scene, "rate limiter: a limiter without a limit permits everything") {
    limiter = std::make_shared<RateLimiter>(RateLimitOptions::off(), clock);
    for (int i = 0; i < 100; ++i)
        acquire(i);
    CHECK(come.size() == 100);
    permits.front().refused(1min);
    acquire(100);
    CHECK(come.size() == 101);
}

TEST_CASE_FIXTURE(Scene, "rate limiter: another part of the program waits in the queue of the client") {
    auto const transport = std::make_shared<testing::ScriptedTransport>();
    ClientOptions options;
    options.endpoint = endpoint;
    options.auth = auth::api_key(Secret("a-value-of-a-key"));
    options.transport = transport;
    options.clock = clock;
    options.limiter = limiter;
    ApiKeyClient client(context, options);
    acquire(0, "/v1/apiKeys");
    acquire(1, "/v1/apiKeys/5f1b2c3d4e5f6a7b8c9d0e1f");
    transport->expect("GET /v1/apiKeys/a").answer(404, "{}");
    std::optional<errc> ended;
    client.async_get("a", [&](const Result<ApiKey>& key) { ended = key.error().code(); });
    poll();
    CHECK_FALSE(ended);
    acquire(2, "/v1/apiKeys");
    advance(100ms);
    CHECK(ended == errc::not_found);
    CHECK(come == std::vector{0, 1});
    advance(100ms);
    CHECK(come == std::vector{0, 1, 2});
}

TEST_CASE_FIXTURE(Scene, "rate limiter: a client with another clock is refused") {
    ClientOptions options;
    options.limiter = limiter;
    auto const refuses = [&] {
        try {
            ApiKeyClient const client(context, options);
        } catch (const Exception& e) {
            CHECK(e.error().code() == errc::invalid_argument);
            return e.error().path() == "limiter";
        }
        return false;
    };
    CHECK(refuses());
    options.clock = std::make_shared<ManualClock>();
    CHECK(refuses());
    options.clock = clock;
    CHECK_FALSE(refuses());
    options.limiter = std::make_shared<RateLimiter>();
    CHECK(refuses());
}

}  // namespace rate_limiter_acquire_test
