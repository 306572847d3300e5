// SPDX-License-Identifier: BSL-1.0
#include "support/retry_scene.hpp"

#include <palette/client.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// How long is waited before a request is sent again, and when that is given up.

namespace retry_waits_test {

using namespace std::chrono_literals;
using namespace palette;
using std::chrono::milliseconds;

constexpr std::string_view whoami = "GET /v1/users/info";
constexpr std::string_view revoke = "PUT /v1/apiKeys/a/state";

void expect(RetryScene& scene, std::string_view request, int status, HttpFields headers = {}) {
    scene.service->expect(std::string(request))
        .answer(status, status == 200 ? RetryScene::somebody : "", std::move(headers));
}

TEST_CASE("W14: Retry-After is waited for exactly, in seconds or as a date") {
    struct Row {
        HttpFields headers;
        milliseconds wait;
    };
    static const Row rows[] = {
        {{{"Retry-After", "0"}}, 0ms},
        {{{"Retry-After", "3"}}, 3s},
        {{{"retry-after", "17"}}, 17s},
        // By the answer's own clock, which is wrong by years.
        {{{"Date", "Sun, 06 Nov 1994 08:49:37 GMT"}, {"Retry-After", "Sun, 06 Nov 1994 08:49:42 GMT"}}, 5s},
        // It is 2027-01-31T00:00:00Z here.
        {{{"Retry-After", "Sun, 31 Jan 2027 00:00:04 GMT"}}, 4s},
        {{{"Retry-After", "Sat, 30 Jan 2027 23:59:00 GMT"}}, 0ms},
    };
    for (int const status : {429, 503}) {
        for (auto const& row : rows) {
            CAPTURE(status);
            CAPTURE(row.headers.back().second);
            RetryScene scene;
            expect(scene, whoami, status, row.headers);
            expect(scene, whoami, 200);
            scene.whoami();
            if (row.wait > 0ms) {
                scene.pass(row.wait - 1ms);
                CHECK(scene.requests() == 1);
            }
            scene.pass(std::min<milliseconds>(row.wait, 1ms));
            CHECK(scene.requests() == 2);
            CHECK(scene.is_good());
        }
    }
}

TEST_CASE("W14: a Retry-After that is none is as if it were not there") {
    for (std::string_view const value :
         {"banana", "-5", "", "3.5", "1e1", "0x10", "+2", "5 s", "31 Jan", "Sun, 31 Feb 2027 00:00:04 GMT"}) {
        CAPTURE(value);
        RetryScene scene;
        scene.options.retry.initial_backoff = 80ms;
        expect(scene, whoami, 429, {{"Retry-After", std::string(value)}});
        expect(scene, whoami, 200);
        scene.whoami();
        scene.pass(80ms);
        CHECK(scene.is_good());
    }
}

TEST_CASE("W14: a Retry-After that does not fit into the deadline ends the operation at once") {
    for (std::string_view const value : {"31", "2000000000", "99999999999999999999999999",
                                         "Fri, 31 Dec 9999 23:59:59 GMT", "Sun, 31 Jan 2027 00:00:31 GMT"}) {
        for (int const status : {429, 503}) {
            CAPTURE(value);
            RetryScene scene;
            expect(scene, revoke, status, {{"Retry-After", std::string(value)}});
            scene.revoke(CallOptions().deadline(30s));
            CHECK(scene.has_ended());
            CHECK(scene.error().code() == (status == 429 ? errc::rate_limited : errc::unavailable));
            CHECK(scene.error().effect() == (status == 429 ? Effect::not_applied : Effect::unknown));
            CHECK(scene.error().status() == status);
            CHECK(scene.requests() == 1);
        }
    }
}

TEST_CASE("W14: a Retry-After of years does not stop the client for years") {
    RetryScene scene;
    scene.options.rate_limit = RateLimitOptions();
    expect(scene, revoke, 429, {{"Retry-After", "2000000000"}});
    expect(scene, whoami, 200);
    expect(scene, revoke, 204);
    scene.revoke();
    CHECK(scene.error().code() == errc::rate_limited);
    scene.whoami();
    CHECK(scene.is_good());
    scene.revoke();
    CHECK(scene.finish() < 2min);
    CHECK(scene.is_good());
}

TEST_CASE("retry: a retry that waits for the rate limiter gets no more time") {
    RetryScene scene;
    scene.options.rate_limit.per_second = 0.1;
    scene.options.rate_limit.burst = 1;
    scene.options.timeouts.total = 11s;
    for (int i = 0; i < 2; ++i)
        expect(scene, revoke, 503, {{"Retry-After", "9"}});
    scene.revoke();
    CHECK(scene.finish() == 10s);
    CHECK(scene.error().code() == errc::unavailable);
    CHECK(scene.error().attempts() == 2);
}

TEST_CASE("retry: the time that a queue may take is not that of what was sent already") {
    RetryScene scene;
    scene.options.rate_limit.per_second = 0.1;
    scene.options.rate_limit.burst = 1;
    scene.options.timeouts.queue = 5s;
    expect(scene, revoke, 503, {{"Retry-After", "9"}});
    expect(scene, revoke, 204);
    scene.revoke();
    CHECK(scene.finish() == 10s);
    CHECK(scene.is_good());
}

TEST_CASE("rate limiter: an operation that is destroyed with its context leaves the queue") {
    std::optional<RetryScene> gone(std::in_place);
    auto const limiter = std::make_shared<RateLimiter>(RateLimitOptions{1, 2}, gone->clock);
    gone->options.limiter = limiter;
    auto const end = gone->clock->now().time_since_epoch() + 10s;
    for (int i = 0; i < 3; ++i)
        expect(*gone, whoami, 200);
    for (int i = 0; i < 20; ++i)
        gone->client().async_whoami([](const auto&) {});
    gone->settle();
    CHECK(gone->requests() < 3);
    auto const behind = limiter->ticket();
    CHECK(limiter->wait("api.spectrocloud.com/users", behind, end) > 0ns);
    limiter->leave("api.spectrocloud.com/users", behind);
    gone.reset();
    CHECK(limiter->wait("api.spectrocloud.com/users", limiter->ticket(), end) == 0ns);
}

TEST_CASE("W14: 429 is bounded by the deadline, not by the attempts or the budget") {
    RetryScene scene;
    scene.options.retry.max_attempts = 2;
    scene.options.retry.budget = 0;
    for (int i = 0; i < 9; ++i)
        expect(scene, revoke, 429, {{"Retry-After", "1"}});
    expect(scene, revoke, 204);
    scene.revoke(CallOptions().deadline(10s));
    CHECK(scene.finish() == 9s);
    CHECK(scene.is_good());

    for (int i = 0; i < 20; ++i)
        expect(scene, revoke, 429, {{"Retry-After", "1"}});
    scene.revoke(CallOptions().deadline(3500ms));
    CHECK(scene.finish() == 3s);
    CHECK(scene.error().code() == errc::rate_limited);
    CHECK(scene.error().effect() == Effect::not_applied);
    CHECK(scene.error().attempts() == 4);
    CHECK(scene.error().earlier().size() == 3);
}

TEST_CASE("retry: a wait is random, up to a bound that doubles and is bounded itself") {
    std::set<milliseconds> first;
    milliseconds longest{};
    for (int i = 0; i < 60; ++i) {
        RetryScene scene;
        scene.options.retry.jitter_seed = seeds::short_seed(static_cast<std::uint64_t>(i));
        scene.options.retry.initial_backoff = 1s;
        scene.options.retry.max_backoff = 1500ms;
        for (int n = 0; n < 4; ++n)
            expect(scene, whoami, 503);
        auto now = scene.clock->now();
        scene.whoami();
        std::size_t sent = 0;
        for (auto const bound : {1000ms, 1500ms, 1500ms}) {
            // A wait of 0 ms is over already.
            ++sent;
            while (scene.requests() == sent && !scene.has_ended() && scene.clock->advance_to_next())
                scene.settle();
            auto const wait = scene.clock->now() - now;
            now += wait;
            CHECK(scene.requests() >= sent + 1);
            CHECK(wait <= bound);
            if (sent == 1) first.insert(wait);
            longest = std::max(longest, wait);
        }
        CHECK(scene.requests() == 4);
        CHECK(scene.error().code() == errc::unavailable);
    }
    CHECK(first.size() > 20);  // of 60 that are between 0 and 1000
    CHECK(*first.begin() < 300ms);
    CHECK(*first.rbegin() > 700ms);
    CHECK(longest > 1s);
}

TEST_CASE("retry: clients of one jitter seed wait alike, and clients of two do not") {
    auto const waits = [](std::optional<std::uint32_t> seed) {
        RetryScene scene;
        scene.options.retry.jitter_seed = seed;
        std::vector<milliseconds> out;
        for (int n = 0; n < 8; ++n) {
            for (int i = 0; i < 4; ++i)
                expect(scene, whoami, 503);
            scene.whoami();
            out.push_back(scene.finish());
        }
        return out;
    };
    CHECK(waits(1) == waits(1));
    CHECK(waits(1) != waits(2));
    CHECK(waits(0) != waits(1));
    CHECK(waits({}) != waits({}));  // alike by chance: once in 10^20 runs
}

TEST_CASE("retry: a deadline during a backoff ends the operation with the last failure") {
    RetryScene scene;
    expect(scene, revoke, 503, {{"Retry-After", "2"}});
    scene.revoke(CallOptions().deadline(1s));
    CHECK(scene.has_ended());
    CHECK(scene.error().code() == errc::unavailable);
    CHECK(scene.error().status() == 503);
    CHECK(scene.error().effect() == Effect::unknown);
}

TEST_CASE("retry: a deadline that has passed already ends an operation before a byte is sent") {
    for (auto const time : {0ms, -1ms, milliseconds::min()}) {
        RetryScene scene;
        scene.revoke(CallOptions().deadline(time));
        CHECK(scene.error().code() == errc::timeout);
        CHECK(scene.error().effect() == Effect::not_applied);
        CHECK(scene.error().attempts() == 0);
        CHECK(scene.error().earlier().empty());
        CHECK(scene.requests() == 0);
    }
}

TEST_CASE("retry: a backoff is cancelled at once, with the known effect, and the client remains usable") {
    struct Row {
        int status;
        bool changes;
        Effect effect;
    };
    static constexpr Row rows[] = {
        {503, true, Effect::unknown},
        {503, false, Effect::not_applied},
        {429, true, Effect::not_applied},
        {429, false, Effect::not_applied},
    };
    for (auto const& row : rows) {
        for (bool const all : {false, true}) {
            CAPTURE(row.status);
            CAPTURE(row.changes);
            RetryScene scene;
            expect(scene, row.changes ? revoke : whoami, row.status, {{"Retry-After", "20"}});
            row.changes ? scene.revoke() : scene.whoami();
            scene.pass(5s);
            CHECK_FALSE(scene.has_ended());
            if (all) {
                scene.client().cancel();
                scene.settle();
            } else {
                scene.cancel();
            }
            CHECK(scene.error().code() == errc::operation_aborted);
            CHECK(scene.error().effect() == row.effect);
            CHECK(scene.requests() == 1);

            // What 429 has said is for the whole client; that time is over then.
            scene.pass(20s);
            expect(scene, whoami, 200);
            scene.whoami();
            CHECK(scene.is_good());
        }
    }
}

}  // namespace retry_waits_test
