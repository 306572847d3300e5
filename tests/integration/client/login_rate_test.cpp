// SPDX-License-Identifier: BSL-1.0
#include "support/scene.hpp"

#include <palette/auth.hpp>
#include <palette/client.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <string>

// Logins keep to the rate limit of /v1/auth, and hold up nobody by it.

namespace login_rate_test {

using namespace std::chrono_literals;
using namespace palette;
using support::Watched;

// A service that may refuse logins, and counts them.
class Service final : public Transport {
public:
    boost::asio::awaitable<Result<void>> exchange(const HttpRequest& request, ResponseSink& sink,
                                                  ExchangeReport& report) override {
        report.sent = report.received = true;
        auto const is_login = request.target.starts_with("/v1/auth/");
        logins += is_login;
        HttpResponse head;
        head.status = is_login ? login_status : 200;
        if (head.status == 429) head.headers.emplace_back("Retry-After", "7");
        sink.head(head);
        if (is_login && head.status == 200)
            sink.body(R"({"Authorization":"token-)" + std::to_string(logins) + R"(-abcdef"})");
        if (!is_login) sink.body(R"({"userUid":"u","tenantUid":"t"})");
        co_return Result<void>();
    }

    int logins = 0;
    int login_status = 200;
};

struct Scene : support::ClientScene {
    Scene() {
        options.transport = service;
        options.clock = clock;
        options.retry.max_attempts = 1;
        log_in_anew();
    }

    void log_in_anew() {
        options.auth = auth::login(auth::LoginOptions("ada@acme.com", Secret("correct horse")));
    }

    std::shared_ptr<Service> service = std::make_shared<Service>();
};

TEST_CASE("client: operations whose logins fail do not log in more often than the limit of /v1/auth allows") {
    Scene scene;
    scene.service->login_status = 503;
    ApiKeyClient client(scene.context, scene.options);
    int ended = 0;
    // One after another, as each fails, and of two paths whose limits let ninety of them through.
    for (int i = 0; i < 100; ++i) {
        client.async_get("a", [&](const Result<ApiKey>&) { ++ended; });
        scene.settle();
        client.async_whoami([&](const Result<Identity>&) { ++ended; });
        scene.settle();
    }
    CHECK(scene.service->logins <= 45);
    CHECK(ended < 200);
    for (int i = 0; i < 1'000 && ended < 200; ++i) {
        scene.pass(1s);
    }
    CHECK(ended == 200);
}

TEST_CASE("client: an operation whose login waits for the limit goes on when its turn has come") {
    Scene scene;
    auto const limiter = std::make_shared<RateLimiter>(RateLimitOptions{1, 1}, scene.clock);
    scene.options.limiter = limiter;
    ApiKeyClient first(scene.context, scene.options);
    scene.log_in_anew();
    ApiKeyClient second(scene.context, scene.options);
    Watched<> who, read;
    first.async_whoami(who.handler());
    scene.settle();
    CHECK(who.is_good());
    // Another path, so that it is the login alone that waits.
    second.async_get("a", read.handler());
    scene.settle();
    CHECK_FALSE(read.has_ended());
    CHECK(scene.service->logins == 1);
    scene.pass(1s);
    CHECK(read.has_ended());
    CHECK(scene.service->logins == 2);
}

TEST_CASE("client: who is cancelled while a login waits for the limit leaves its place to the next") {
    Scene scene;
    scene.options.limiter = std::make_shared<RateLimiter>(RateLimitOptions{1, 1}, scene.clock);
    ApiKeyClient first(scene.context, scene.options);
    scene.log_in_anew();
    ApiKeyClient second(scene.context, scene.options);
    scene.log_in_anew();
    ApiKeyClient third(scene.context, scene.options);
    Watched<> before, cancelled, after;
    first.async_whoami(before.handler());
    scene.settle();
    second.async_get("a", cancelled.handler());
    scene.settle();
    second.cancel();
    scene.settle();
    CHECK(cancelled.is_aborted());
    scene.pass(1s);
    CHECK(scene.service->logins == 1);
    third.async_whoami(after.handler());
    scene.settle();
    CHECK(before.is_good());
    CHECK(after.is_good());
}

TEST_CASE("client: a login that met 429 slows down the logins of all who share the limiter") {
    Scene scene;
    scene.options.limiter = std::make_shared<RateLimiter>(RateLimitOptions(), scene.clock);
    scene.service->login_status = 429;
    ApiKeyClient first(scene.context, scene.options);
    scene.log_in_anew();
    ApiKeyClient second(scene.context, scene.options);
    Watched<> refused, later;
    first.async_whoami(refused.handler());
    scene.settle();
    CHECK(refused.has_failed_with(errc::rate_limited));
    scene.service->login_status = 200;
    second.async_whoami(later.handler());
    scene.pass(6s);
    CHECK(scene.service->logins == 1);
    scene.pass(2s);
    CHECK(later.is_good());
}

}  // namespace login_rate_test
