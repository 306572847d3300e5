// SPDX-License-Identifier: BSL-1.0
#include "support/connect_proxy.hpp"
#include "support/dead_port.hpp"
#include "support/door_service.hpp"
#include "support/scene.hpp"
#include "support/tls_server.hpp"

#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>
#include <palette/client.hpp>
#include <palette/testing/manual_clock.hpp>
#include <palette/testing/scripted_transport.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// A deadline that passes says what the operation waited for.

namespace deadline_words_test {

using namespace std::chrono_literals;
using namespace palette;
namespace asio = boost::asio;

ClientOptions options_for(const std::string& url) {
    ClientOptions options;
    options.endpoint = Endpoint::parse(url).value();
    options.auth = auth::api_key(Secret("hunter2hunter2"));
    options.rate_limit = RateLimitOptions::off();
    return options;
}

/// What the error of an operation says that ends by a short deadline. On a busy machine that may come before
/// what is `expected` is waited for: then it is tried again.
std::string words(const ClientOptions& options, std::string_view expected) {
    std::string waited_for;
    for (int tries = 0; tries < 10 && waited_for != expected; ++tries) {
        auto const result = BlockingApiKeyClient(options).whoami(CallOptions().deadline(120ms));
        if (result) return "no error";
        CHECK(result.error().code() == errc::timeout);
        CHECK(result.error().effect() == Effect::not_applied);
        auto const& what = result.error().what();
        constexpr std::string_view begin = "the deadline passed after ";
        REQUIRE(what.starts_with(begin));
        CHECK(std::stol(what.substr(begin.size())) >= 120);
        auto const comma = what.find(", ");
        waited_for = comma == std::string::npos ? what : what.substr(comma + 2);
    }
    return waited_for;
}

TEST_CASE("client deadline: an error says that the operation waited for the connection to be opened") {
    DeadPort const port(DeadPort::Kind::silent);
    constexpr std::string_view expected = "waiting for the connection to be opened";
    CHECK(words(options_for("http://127.0.0.1:" + std::to_string(port.port())), expected) == expected);
}

TEST_CASE("client deadline: an error says that the operation waited for the TLS handshake") {
    tls::ServerOptions silent;
    silent.greeting = tls::ServerOptions::Greeting::silent;
    tls::Server const server(silent);
    constexpr std::string_view expected = "waiting for the TLS handshake";
    CHECK(words(options_for("https://127.0.0.1:" + std::to_string(server.port())), expected) == expected);
}

TEST_CASE("client deadline: an error says that the operation waited for the proxy") {
    proxying::ProxyOptions silent;
    silent.is_silent = true;
    proxying::ConnectProxy const proxy(silent);
    auto options = options_for("https://palette.test");
    options.proxy.url = proxy.url();
    constexpr std::string_view expected = "waiting for the proxy";
    CHECK(words(options, expected) == expected);
}

/// Never gives a credential, and goes when it is told to.
class Hangs final : public AuthProvider {
public:
    asio::awaitable<Result<std::shared_ptr<const Credential>>> credential(CredentialRequest) override {
        asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
        co_await timer.async_wait(asio::use_awaitable);
        co_return Error(errc::auth_provider);
    }
};

TEST_CASE("client deadline: an error says that the operation waited for a credential") {
    auto options = options_for("http://127.0.0.1:1");
    options.auth = std::make_shared<Hangs>();
    constexpr std::string_view expected = "waiting for a credential";
    CHECK(words(options, expected) == expected);
}

/// A service that is reached and never answers, and a clock that stands still until then.
struct StallScene : support::ClientScene {
    StallScene() {
        service.answer = [](std::string_view) { return std::string(); };
        options = options_for(service.url());
        options.clock = clock;
    }

    void run_until_service_is_asked() {
        run_until([this] { return service.requests > 0; });
    }

    DoorService service{context};
};

TEST_CASE_FIXTURE(StallScene, "client deadline: an error says that the operation waited for the answer") {
    support::Watched<> watched;
    client().async_whoami(CallOptions().deadline(120ms), watched.handler());
    run_until_service_is_asked();
    pass(119ms);
    CHECK_FALSE(watched.has_ended());
    pass(1ms);
    CHECK(watched.error().code() == errc::timeout);
    CHECK(watched.error().what() == "the deadline passed after 120 ms, waiting for the answer");
}

TEST_CASE_FIXTURE(StallScene,
                  "client deadline: an error says that the operation waited for a free connection") {
    options.pool.max_connections = 1;
    options.timeouts.queue = 150ms;
    client().async_whoami(CallOptions().deadline(2s), [](const Result<Identity>&) {});
    support::Watched<> by_deadline, by_queue;
    client().async_whoami(CallOptions().deadline(100ms), by_deadline.handler());
    client().async_whoami(by_queue.handler());
    run_until_service_is_asked();
    pass(100ms);
    CHECK(by_deadline.error().what() == "the deadline passed after 100 ms, waiting for a free connection");
    CHECK_FALSE(by_queue.has_ended());
    pass(50ms);
    CHECK(by_queue.error().what() == "timeouts.queue passed after 150 ms, waiting for a free connection");
}

/// A clock that goes on by `held_up` while a wait of `wait` is being set, as when a thread is held up between
/// the reading of the time and the wait.
class HeldUpClock final : public Clock {
public:
    HeldUpClock(std::chrono::milliseconds wait, std::chrono::milliseconds held_up)
        : wait_(wait),
          held_up_(held_up) {}

    [[nodiscard]] Instant now() const noexcept override { return clock.now(); }
    [[nodiscard]] std::shared_ptr<void> call_after(std::chrono::milliseconds delay,
                                                   std::function<void()> ring) override {
        if (delay == wait_) clock.advance(std::exchange(held_up_, 0ms));
        return clock.call_after(delay, std::move(ring));
    }

    testing::ManualClock clock;

private:
    std::chrono::milliseconds wait_;
    std::chrono::milliseconds held_up_;
};

TEST_CASE("client deadline: an error says that the operation waited for the next attempt") {
    auto const clock = std::make_shared<HeldUpClock>(1s, 600ms);
    auto const service = std::make_shared<testing::ScriptedTransport>();
    service->expect("GET /v1/users/info").answer(503, {}, {{"Retry-After", "1"}});
    auto options = options_for("https://palette.test");
    options.transport = service;
    options.clock = clock;
    asio::io_context context;
    ApiKeyClient client(context, options);
    std::optional<Error> error;
    client.async_whoami(CallOptions().deadline(1500ms), [&](const Result<Identity>& result) {
        if (!result) error = result.error();
    });
    context.poll();
    clock->clock.advance(899ms);
    context.poll();
    CHECK_FALSE(error);
    clock->clock.advance(1ms);
    context.poll();
    REQUIRE(error);
    CHECK(error->code() == errc::timeout);
    CHECK(error->what() == "the deadline passed after 1500 ms, waiting for the next attempt");
    CHECK(error->earlier() == std::vector<FailedAttempt>{FailedAttempt(errc::unavailable, 503)});
    CHECK(service->requests().size() == 1);
}

TEST_CASE("client deadline: an error says that the operation waited for the rate limiter") {
    auto const clock = std::make_shared<testing::ManualClock>();
    auto const service = std::make_shared<testing::ScriptedTransport>();
    service->expect("GET /v1/users/info").hang();
    auto options = options_for("https://palette.test");
    options.transport = service;
    options.clock = clock;
    options.rate_limit = {.per_second = 10, .burst = 1};
    options.timeouts.queue = 100ms;
    asio::io_context context;
    ApiKeyClient client(context, options);
    client.async_whoami(CallOptions().deadline(10s), [](const Result<Identity>&) {});
    std::optional<Error> by_deadline, by_queue;
    // The turn comes in the very millisecond in which the time is over: what comes later is refused at once.
    client.async_whoami(CallOptions().deadline(100ms), [&](const Result<Identity>& result) {
        if (!result) by_deadline = result.error();
    });
    context.poll();
    clock->advance(100ms);
    context.poll();
    REQUIRE(by_deadline);
    CHECK(by_deadline->code() == errc::timeout);
    CHECK(by_deadline->what() == "the deadline passed after 100 ms, waiting for the rate limiter");
    service->expect("GET /v1/users/info").hang();
    client.async_whoami(CallOptions().deadline(10s), [](const Result<Identity>&) {});
    client.async_whoami([&](const Result<Identity>& result) {
        if (!result) by_queue = result.error();
    });
    context.poll();
    clock->advance(100ms);
    context.poll();
    REQUIRE(by_queue);
    CHECK(by_queue->what() == "timeouts.queue passed after 100 ms, waiting for the rate limiter");
}

}  // namespace deadline_words_test
