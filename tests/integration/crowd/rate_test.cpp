// SPDX-License-Identifier: BSL-1.0
#include "support/virtual_time.hpp"

#include <palette/client.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// What the rate limit costs, on a clock that the clients and the service share.

namespace rate_test {

using namespace std::chrono_literals;
using namespace palette;
using testing::Emulator;
using testing::Role;

// Of so many at once, by the documented limit.
double optimum(int requests, double per_second = RateLimitOptions().per_second) {
    return (requests - RateLimitOptions().burst) / per_second;
}

class RateScene : public VirtualTime {
public:
    explicit RateScene(std::size_t keys)
        : emulator({.plain_http = true, .keys = keys, .clock = clock, .requests_kept = 10'000}) {
        auto const all = emulator.keys();
        for (auto key = all.end() - static_cast<std::ptrdiff_t>(keys); key != all.end(); ++key)
            uids.push_back(key->uid);
        options = emulator.client_options(Role::tenant_admin);
        watch(options);
    }

    struct Client {
        ApiKeyClient client;
        int ended = 0;
        int failed = 0;
        std::string why{};
        std::function<void()> at_end{};
    };

    Client& add_client() { return clients_.emplace_back(ApiKeyClient(context, options)); }

    void revoke(Client& by, const std::string& uid) {
        by.client.async_revoke(uid, [&by](const Result<void>& result) {
            ++by.ended;
            if (!result) ++by.failed, by.why = result.error().message();
            if (by.at_end) by.at_end();
        });
    }
    void revoke_all(Client& by) {
        for (auto const& uid : uids)
            revoke(by, uid);
    }

    void revoke_all_in_turn(Client& first, Client& second) {
        for (auto const& uid : uids)
            for (auto* const by : {&first, &second}) {
                revoke(*by, uid);
                settle();
            }
    }

    // Answers of that status so far.
    [[nodiscard]] int count(int status) const {
        return static_cast<int>(
            std::ranges::count(emulator.requests(), status, &testing::ReceivedRequest::status));
    }

    Emulator emulator;
    ClientOptions options;
    std::vector<std::string> uids;

private:
    std::deque<Client> clients_;  // they stay where they are
};

TEST_CASE("client rate: a thousand revokes take what the limit makes them take, without one 429") {
    RateScene scene(1'000);
    auto& client = scene.add_client();
    scene.revoke_all(client);
    scene.run_until([&] { return client.ended == 1'000; });
    CAPTURE(client.why);
    CHECK(client.failed == 0);
    CHECK(scene.emulator.request_count() == 1'000);
    CHECK(scene.count(429) == 0);
    MESSAGE("1,000 revokes: ", scene.seconds(), " s of ", optimum(1'000), " s at best");
    CHECK(scene.seconds() <= 1.02 * optimum(1'000));
    CHECK(scene.seconds() >= optimum(1'000));  // the clock is what it went by
}

// Somebody else at the same address, who reads five times a second whatever the answer is.
class Foreigner {
public:
    explicit Foreigner(RateScene& scene) : scene_(scene), client_(scene.context, options_for(scene)) {
        wait();
    }

    int sent = 0;
    int refused = 0;

private:
    static ClientOptions options_for(const RateScene& scene) {
        auto options = scene.options;
        options.rate_limit = RateLimitOptions::off();
        options.retry.max_attempts = 1;
        return options;
    }
    void wait() {
        alarm_ = scene_.clock->call_after(200ms,
                                          [this] { boost::asio::post(scene_.context, [this] { send(); }); });
    }
    void send() {
        ++sent;
        client_.async_get(scene_.uids.front(), [this](const Result<ApiKey>& key) { refused += key ? 0 : 1; });
        wait();
    }

    RateScene& scene_;
    ApiKeyClient client_;
    std::shared_ptr<void> alarm_;
};

TEST_CASE("client rate: beside a foreign client that takes half of the limit all revokes succeed") {
    RateScene scene(1'000);
    scene.options.timeouts.queue = 10min;
    Foreigner foreigner(scene);
    auto& client = scene.add_client();
    scene.revoke_all(client);
    scene.run_until([&] { return client.ended == 1'000; });
    CAPTURE(client.why);
    CHECK(client.failed == 0);
    CHECK(foreigner.sent >= 5 * static_cast<int>(scene.seconds()) - 1);
    auto const refused = scene.count(429) - foreigner.refused;
    MESSAGE("1,000 revokes beside 5 foreign requests a second: ", scene.seconds(), " s of ",
            optimum(1'000, 5), " s at best, ", refused, " of them refused on the way, and ",
            foreigner.refused, " of ", foreigner.sent, " foreign ones");
    CHECK(scene.seconds() <= 1.25 * optimum(1'000, 5));
    CHECK(refused <= 100);
}

TEST_CASE("client rate: two clients with one limiter keep to the limit together, first come, first served") {
    RateScene scene(500);
    scene.options.limiter = std::make_shared<RateLimiter>(RateLimitOptions(), scene.clock);
    auto& first = scene.add_client();
    auto& second = scene.add_client();
    int furthest_apart = 0;
    first.at_end = second.at_end = [&] {
        furthest_apart = std::max(furthest_apart, std::abs(first.ended - second.ended));
    };
    scene.revoke_all_in_turn(first, second);
    scene.run_until([&] { return first.ended + second.ended == 1'000; });
    CHECK(first.failed + second.failed == 0);
    CHECK(scene.emulator.request_count() == 1'000);
    CHECK(scene.count(429) == 0);
    MESSAGE("two clients: ", scene.seconds(), " s of ", optimum(1'000), " s at best, at most ",
            furthest_apart, " revokes apart");
    CHECK(scene.seconds() <= 1.02 * optimum(1'000));
    // No more than what each has under way at once.
    CHECK(furthest_apart <= static_cast<int>(scene.options.pool.max_connections));
}

TEST_CASE("client rate: two clients with a limiter each are refused, and both come to their end") {
    RateScene scene(200);
    auto& first = scene.add_client();
    auto& second = scene.add_client();
    scene.revoke_all(first);
    scene.revoke_all(second);
    scene.run_until([&] { return first.ended + second.ended == 400; });
    CAPTURE(first.why);
    CAPTURE(second.why);
    CHECK(first.failed + second.failed == 0);
    CHECK(scene.count(429) > 0);
    MESSAGE("two limiters: ", scene.seconds(), " s of ", optimum(400), " s at best, ", scene.count(429),
            " refused on the way");
    CHECK(scene.seconds() <= 1.5 * optimum(400));
}

TEST_CASE("client rate: a 429 slows down everybody who shares the limiter, and is forgotten") {
    RateScene scene(500);
    scene.options.limiter = std::make_shared<RateLimiter>(RateLimitOptions(), scene.clock);
    auto& first = scene.add_client();
    auto& second = scene.add_client();
    scene.revoke_all_in_turn(first, second);
    auto const in_two_seconds = [&] {
        auto const before_first = first.ended;
        auto const before_second = second.ended;
        scene.run_for(2s);
        return std::pair(first.ended - before_first, second.ended - before_second);
    };
    scene.run_for(1s);  // the burst
    auto const [fast_first, fast_second] = in_two_seconds();
    CHECK(fast_first == 10);
    CHECK(fast_second == 10);

    scene.emulator.faults().add("* /v1/apiKeys status:429 x1");
    scene.run_for(200ms);  // it has met it, and the bucket was emptied
    CHECK(scene.count(429) == 1);
    auto const [slow_first, slow_second] = in_two_seconds();
    MESSAGE("after a 429: ", slow_first, " and ", slow_second, " in two seconds, instead of 10 and 10");
    CHECK(slow_first >= 4);
    CHECK(slow_first <= 7);
    CHECK(slow_second >= 4);
    CHECK(slow_second <= 7);

    scene.run_for(10s);
    auto const [again_first, again_second] = in_two_seconds();
    CHECK(again_first + again_second >= 19);
    scene.run_until([&] { return first.ended + second.ended == 1'000; });
    CHECK(first.failed + second.failed == 0);
    CHECK(scene.count(429) == 1);
}

}  // namespace rate_test
