// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/pipeline/answer.hpp>
#include <palette/impl/pipeline/call.hpp>
#include <palette/impl/pipeline/turn.hpp>
#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>

namespace call_test {

using namespace std::chrono_literals;
using namespace palette;
using impl::pipeline::Call;
using impl::pipeline::Turn;
namespace asio = boost::asio;

constexpr auto total = asio::cancellation_type::total;
constexpr impl::pipeline::RequestKind read_kind{"/v1/apiKeys/{uid}", impl::pipeline::Safety::read};
constexpr impl::pipeline::RequestKind change_kind{"/v1/apiKeys/{uid}", impl::pipeline::Safety::change};

struct Scene {
    Call call() {
        return Call(timer, impl::timing::TimeSource(clock), 1, "revoke", Timeouts(),
                    palette::detail::CallSettings());
    }

    asio::io_context context;
    std::shared_ptr<testing::ManualClock> clock = std::make_shared<testing::ManualClock>();
    std::shared_ptr<impl::timing::SharedTimer> timer =
        std::make_shared<impl::timing::SharedTimer>(context.get_executor());
};

TEST_CASE("call: a cancellation that asks for no effect is too late once a byte of a change was sent") {
    Scene scene;
    auto unsent = scene.call();
    static_cast<void>(unsent.begin_attempt(true));
    unsent.cancel(total);
    CHECK(unsent.is_stopped());

    auto sent = scene.call();
    auto& report = sent.begin_attempt(true);
    report.sent = true;
    CHECK(sent.has_sent_change());
    sent.cancel(total);
    CHECK_FALSE(sent.is_stopped());
    sent.cancel(asio::cancellation_type::terminal);
    CHECK(sent.is_stopped());
}

TEST_CASE("call: what was sent of a change is known through all later attempts, and reads do not count") {
    Scene scene;
    auto call = scene.call();
    call.begin_attempt(false).sent = true;
    CHECK_FALSE(call.has_sent_change());
    static_cast<void>(call.begin_attempt(true));
    CHECK_FALSE(call.has_sent_change());
    call.begin_attempt(true).sent = true;
    static_cast<void>(call.begin_attempt(true));
    CHECK(call.has_sent_change());
    static_cast<void>(call.begin_attempt(false));
    CHECK(call.has_sent_change());
    CHECK(call.attempts() == 5);
}

TEST_CASE("call: each attempt begins with a report of its own") {
    Scene scene;
    auto call = scene.call();
    auto& first = call.begin_attempt(false);
    first.received = true;
    first.bytes_sent = 17;
    auto const& second = call.begin_attempt(false);
    CHECK_FALSE(second.received);
    CHECK(second.bytes_sent == 0);
}

TEST_CASE("call: the attempts of a transport are counted, and all of them are told") {
    Scene scene;
    auto call = scene.call();
    static_cast<void>(call.begin_attempt(true));
    call.add_attempts(2);
    call.add_failures(FailedAttempt(errc::transport, 0), 3);
    auto const error = call.stopped(Effect::not_applied);
    CHECK(error.attempts() == 3);
    CHECK(error.earlier().size() == 3);
}

TEST_CASE("call: a turn that was taken beforehand is used once, and by a request of its kind only") {
    Scene scene;
    auto call = scene.call();
    CHECK_FALSE(call.use_turn(read_kind));
    call.keep_turn(read_kind);
    CHECK(call.use_turn(read_kind));
    CHECK_FALSE(call.use_turn(read_kind));
    call.keep_turn(read_kind);
    CHECK_FALSE(call.use_turn(change_kind));
    CHECK_FALSE(call.use_turn(read_kind));
}

// A limit that lets one request through each second, the first one of which is gone.
struct Queue : Scene {
    Queue() { REQUIRE(wait(limiter.ticket()) == 0ns); }

    std::chrono::nanoseconds wait(RateLimiter::Ticket ticket) {
        return limiter.wait(bucket, ticket, time.steady());
    }

    static asio::awaitable<void> keep(Turn& turn, std::optional<Result<bool>>& result) {
        co_await asio::this_coro::throw_if_cancelled(false);
        result = co_await turn.wait();
    }

    std::string const bucket = "palette.test/apiKeys";
    RateLimiter limiter{RateLimitOptions{1, 1}};
    impl::timing::TimeSource const time{clock};
};

TEST_CASE("turn: whoever waits keeps the place, and leaves it by going") {
    Queue queue;
    auto call = queue.call();
    auto turn = std::optional<Turn>(std::in_place, queue.limiter, queue.bucket, queue.time, call);
    CHECK(turn->take().value() == false);
    auto const behind = queue.limiter.ticket();
    CHECK(queue.wait(behind) > 1s);
    turn.reset();
    CHECK(queue.wait(behind) <= 1s);
}

TEST_CASE("turn: a wait ends with the turn when its time has come") {
    Queue queue;
    auto call = queue.call();
    Turn turn(queue.limiter, queue.bucket, queue.time, call);
    CHECK(turn.take().value() == false);
    std::optional<Result<bool>> result;
    asio::co_spawn(queue.context, Queue::keep(turn, result), [](const std::exception_ptr&) {});
    queue.context.poll();
    CHECK_FALSE(result);
    queue.clock->advance(1s);
    queue.context.restart();
    queue.context.poll();
    REQUIRE(result);
    CHECK(result->value());
}

TEST_CASE("turn: one that would come after the call's time is refused at once") {
    Queue queue;
    Call call(queue.timer, queue.time, 1, "revoke", Timeouts(), CallOptions().deadline(10ms).settings());
    call.begin();
    Turn turn(queue.limiter, queue.bucket, queue.time, call);
    auto const taken = turn.take();
    REQUIRE_FALSE(taken);
    CHECK(taken.error().code() == errc::timeout);
}

}  // namespace call_test
