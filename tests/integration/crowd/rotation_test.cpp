// SPDX-License-Identifier: BSL-1.0
#include "support/rotating_keys.hpp"

#include <palette/client.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>

// Credentials that change while a crowd of operations is under way.

namespace rotation_test {

using namespace palette;
using testing::Emulator;
using testing::Role;

struct RotationScene {
    explicit RotationScene(std::size_t connections) {
        auto options = emulator.client_options(Role::tenant_admin);
        options.rate_limit = RateLimitOptions::off();
        rotator.emplace(context, options, emulator);
        options.auth = rotator->provider();
        options.pool.max_connections = connections;
        client.emplace(context, options);
        uid = emulator.seed_key(NewApiKey("target")).uid();
    }

    // One of those that need one request each, so that none outlasts two rotations.
    void start(int number) {
        auto const end = [this](const auto& result) {
            ++ended;
            if (!result) ++failed, why = result.error().message();
            if (at_end) at_end();
        };
        switch (number % 5) {
            case 0:
                return client->async_get(uid, end);
            case 1:
                return client->async_revoke(uid, end);
            case 2:
                return client->async_reactivate(uid, end);
            case 3:
                return client->async_whoami(end);
            default:
                return client->async_list(ListFilter().name("target"), end);
        }
    }
    void start_many(int many) {
        for (int i = 0; i < many; ++i)
            start(i);
    }

    [[nodiscard]] long count(int status) const {
        return std::ranges::count(emulator.requests(), status, &testing::ReceivedRequest::status);
    }

    Emulator emulator{
        {.plain_http = true, .quota = 100, .rate_limit = testing::RateLimit::off(), .requests_kept = 10'000}};
    boost::asio::io_context context;
    std::optional<RotatingKeys> rotator;
    std::optional<ApiKeyClient> client;
    std::string uid;
    int ended = 0;
    int failed = 0;
    std::string why;
    std::function<void()> at_end;
};

constexpr int many = 1'000;

TEST_CASE("client rotation: a thousand operations outlive their credential, and it is renewed once") {
    RotationScene scene(64);
    scene.at_end = [&] {
        if (scene.ended == many / 4) scene.rotator->rotate_and_wait();
    };
    scene.start_many(many);
    scene.context.run();
    CAPTURE(scene.why);
    CHECK(scene.ended == many);
    CHECK(scene.failed == 0);
    CHECK(scene.rotator->asked() == 2);  // at first, and when the first key had been revoked
    MESSAGE(scene.count(401), " of ", many, " operations met 401, ", scene.rotator->asked() - 1, " refresh");
    CHECK(scene.count(401) >= 1);
    CHECK(scene.count(401) <= many);  // none of them twice
}

// Who waits for a connection has a credential already.
TEST_CASE("client rotation: a thousand operations that wait for one connection outlive two credentials") {
    RotationScene scene(1);
    scene.at_end = [&] {
        if (scene.ended == many / 4 || scene.ended == many / 2) scene.rotator->rotate_and_wait();
    };
    scene.start_many(many);
    scene.context.run();
    CAPTURE(scene.why);
    CHECK(scene.ended == many);
    CHECK(scene.failed == 0);
    CHECK(scene.rotator->rotations() == 2);
    CHECK(scene.rotator->asked() == 3);
    MESSAGE("1,000 operations met 401 ", scene.count(401), " times");
    CHECK(scene.count(401) > many);  // some of them twice
}

TEST_CASE("client rotation: ten rotations under load are ten refreshes, however many operations meet each") {
    constexpr int between = 500;
    constexpr int all = 10 * between;
    RotationScene scene(64);
    int started = 64;
    scene.at_end = [&] {
        if (scene.ended % between == between / 2) scene.rotator->rotate_and_wait();
        if (started < all) scene.start(started++);
    };
    scene.start_many(started);
    scene.context.run();
    CAPTURE(scene.why);
    CHECK(scene.ended == all);
    CHECK(scene.failed == 0);
    CHECK(scene.rotator->rotations() == 10);
    CHECK(scene.rotator->asked() == 11);
    MESSAGE(scene.count(401), " of ", all, " operations met 401");
}

}  // namespace rotation_test
