// SPDX-License-Identifier: BSL-1.0
#include "support/raw_http.hpp"

#include <palette/testing/emulator.hpp>
#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace rate_limit_test {

using namespace std::chrono_literals;
using palette::testing::Emulator;
using palette::testing::ManualClock;
using palette::testing::RateLimit;
using palette::testing::Role;

// How many of `count` requests from `source` are let in.
int let_in(const Emulator& emulator, int count, std::string_view path,
           const std::string& source = "127.0.0.1") {
    auto const key = std::string(emulator.user(Role::tenant_admin).api_key.expose());
    raw::Connection connection(emulator, {.source = source});
    int in = 0;
    for (int i = 0; i < count; ++i) {
        connection.send(raw::request("GET", path, {{"ApiKey", key}}));
        auto const status = connection.receive().status;
        CHECK((status == 429 || status < 429));
        in += status != 429;
    }
    return in;
}

struct Limited {
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    Emulator emulator{{.plain_http = true, .clock = clock}};
};

TEST_CASE("fifty requests are let in at once and ten more with every second") {
    Limited l;
    CHECK(let_in(l.emulator, 60, "/v1/apiKeys") == 50);
    l.clock->advance(1s);
    CHECK(let_in(l.emulator, 20, "/v1/apiKeys") == 10);
    l.clock->advance(250ms);
    CHECK(let_in(l.emulator, 20, "/v1/apiKeys") == 2);
    l.clock->advance(50ms);  // and half a request is left over from before
    CHECK(let_in(l.emulator, 20, "/v1/apiKeys") == 1);
    l.clock->advance(1h);
    CHECK(let_in(l.emulator, 60, "/v1/apiKeys") == 50);
}

TEST_CASE("each kind of path has a rate limit of its own") {
    Limited l;
    CHECK(let_in(l.emulator, 55, "/v1/apiKeys") == 50);
    CHECK(let_in(l.emulator, 55, "/v1/users/info") == 50);
    CHECK(let_in(l.emulator, 1, "/v1/users") == 0);
    CHECK(let_in(l.emulator, 55, "/v1/auth/refresh/token") == 50);
    CHECK(let_in(l.emulator, 55, "/v1/audits") == 50);
    CHECK(let_in(l.emulator, 55, "/elsewhere") == 50);
    CHECK(let_in(l.emulator, 1, "/v1/apiKeys/0123456789abcdef01234567") == 0);
}

TEST_CASE("clients bound to 127.0.0.2 and 127.0.0.3 have rate limits of their own") {
    Limited l;
    CHECK(let_in(l.emulator, 60, "/v1/apiKeys", "127.0.0.2") == 50);
    CHECK(let_in(l.emulator, 60, "/v1/apiKeys", "127.0.0.3") == 50);
    CHECK(let_in(l.emulator, 1, "/v1/apiKeys", "127.0.0.2") == 0);
}

TEST_CASE("a request beyond the rate limit gets 429 TooManyRequests and no Retry-After") {
    Limited l;
    let_in(l.emulator, 50, "/v1/apiKeys");
    raw::Client admin(l.emulator, l.emulator.user(Role::tenant_admin).api_key.expose());
    auto const refused = admin.post("/v1/apiKeys", R"({"metadata":{"name":"ci"}})");
    CHECK(refused.status == 429);
    CHECK(boost::json::parse(refused.body).at("code").as_string() == "TooManyRequests");
    CHECK_FALSE(refused.headers.contains("retry-after"));
    CHECK(l.emulator.keys().size() == 4);
}

TEST_CASE("an option adds Retry-After in whole seconds to the 429 of the rate limit") {
    auto const clock = std::make_shared<ManualClock>();
    Emulator emulator({.plain_http = true,
                       .rate_limit = {.per_second = 0.4, .burst = 1},
                       .send_retry_after = true,
                       .clock = clock});
    raw::Client nobody(emulator, "");
    CHECK(nobody.get("/v1/apiKeys").status == 401);
    CHECK(nobody.get("/v1/apiKeys").headers["retry-after"] == "3");
    clock->advance(2s);
    CHECK(nobody.get("/v1/apiKeys").headers["retry-after"] == "1");
    clock->advance(500ms);
    CHECK(nobody.get("/v1/apiKeys").status == 401);
}

TEST_CASE("the rate limit can have other numbers or be off") {
    auto const clock = std::make_shared<ManualClock>();
    Emulator other({.plain_http = true, .rate_limit = {.per_second = 2, .burst = 5}, .clock = clock});
    CHECK(let_in(other, 20, "/v1/apiKeys") == 5);
    clock->advance(1s);
    CHECK(let_in(other, 20, "/v1/apiKeys") == 2);

    Emulator off({.plain_http = true, .rate_limit = RateLimit::off(), .clock = clock});
    CHECK(let_in(off, 500, "/v1/apiKeys") == 500);
}

TEST_CASE("a clock that is set back neither gives nor takes requests of the rate limit") {
    Limited l;
    CHECK(let_in(l.emulator, 30, "/v1/apiKeys") == 30);
    l.clock->advance(-1h);
    CHECK(let_in(l.emulator, 30, "/v1/apiKeys") == 20);
    l.clock->advance(1s);
    CHECK(let_in(l.emulator, 30, "/v1/apiKeys") == 10);
}

TEST_CASE("requests that the rate limit turns away use up no faults") {
    Limited l;
    let_in(l.emulator, 50, "/v1/apiKeys");
    l.emulator.faults().add("GET / status:503 x1");
    CHECK(let_in(l.emulator, 5, "/v1/apiKeys") == 0);
    CHECK(l.emulator.faults().injected() == 0);
}

}  // namespace rate_limit_test
