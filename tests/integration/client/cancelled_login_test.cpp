// SPDX-License-Identifier: BSL-1.0
#include <palette/auth.hpp>
#include <palette/client.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

// Operations and the login that they wait for want the same connection, and all are cancelled.

namespace cancelled_login_test {

using namespace std::chrono_literals;
using namespace palette;
namespace asio = boost::asio;
using testing::Emulator;
using testing::Role;

/// How one operation ended.
using Ending = std::shared_ptr<std::optional<Result<void>>>;

/// A client that has one connection, and a token that it logged in for.
class Scene {
public:
    explicit Scene(bool is_tls) : emulator({.plain_http = !is_tls, .clock = clock}) {
        auto options = emulator.client_options(Role::tenant_admin);
        auto const& user = emulator.user(Role::tenant_admin);
        options.auth = auth::login(auth::LoginOptions(user.email, Secret(user.password.expose())));
        options.pool.max_connections = 1;
        options.rate_limit = RateLimitOptions::off();
        // The clock is moved while a request is under way, and is no bound for it.
        options.timeouts.read = options.timeouts.total = options.timeouts.queue = 1h;
        client.emplace(context, std::move(options));
    }

    Ending start() {
        auto ending = std::make_shared<std::optional<Result<void>>>();
        client->async_whoami([ending](Result<Identity> result) {
            CHECK_FALSE(ending->has_value());
            *ending = std::move(result).transform([](const Identity&) {});
        });
        return ending;
    }
    [[nodiscard]] bool succeeds() {
        auto const ending = start();
        return run_until([&] { return ending->has_value(); }) && ending->value().has_value();
    }

    template <class Condition>
    bool run_until(Condition condition) {
        auto const latest = std::chrono::steady_clock::now() + 20s;
        while (!condition()) {
            if (std::chrono::steady_clock::now() > latest) return false;
            context.restart();
            context.run_one_for(1ms);
        }
        return true;
    }
    /// At most `most` handlers of those that can run now; how many there were.
    std::size_t run_some(std::size_t most) {
        std::size_t count = 0;
        context.restart();
        while (count < most && context.poll_one() == 1)
            ++count;
        return count;
    }

    [[nodiscard]] std::ptrdiff_t logins() const {
        return std::ranges::count_if(
            emulator.requests(), [](auto const& request) { return request.path.starts_with("/v1/auth"); });
    }

    std::shared_ptr<testing::ManualClock> clock = std::make_shared<testing::ManualClock>();
    Emulator emulator;
    asio::io_context context;
    std::optional<ApiKeyClient> client;
};

bool is_aborted(const Ending& ending) {
    return ending->has_value() && !**ending && (*ending)->error().code() == errc::operation_aborted;
}

/// A holds the connection, B wants it, or a login that wants it. Cancels all after `steps` handlers of B;
/// whether there were so many.
bool cancel_after(std::size_t steps, bool is_tls, std::chrono::seconds token_age) {
    Scene scene(is_tls);
    REQUIRE(scene.succeeds());
    CHECK(scene.logins() == 1);

    scene.emulator.faults().add("GET /v1/users/info stall x1");
    auto const a = scene.start();
    REQUIRE(scene.run_until([&] { return scene.emulator.faults().injected() == 1; }));
    scene.clock->advance(token_age);
    auto const b = scene.start();
    bool const were_so_many = scene.run_some(steps) == steps;
    CHECK_FALSE(a->has_value());
    CHECK_FALSE(b->has_value());
    // What waits for the connection has not reached the service.
    CHECK(scene.logins() == 1);

    scene.client->cancel();
    REQUIRE(scene.run_until([&] { return a->has_value() && b->has_value(); }));
    CHECK(is_aborted(a));
    CHECK(is_aborted(b));
    CHECK(scene.succeeds());
    CHECK(scene.succeeds());
    CHECK(scene.run_until([&] { return scene.logins() == 2; }));
    CHECK(scene.run_until([&] { return scene.emulator.connections() == 1; }));
    return were_so_many;
}

void cancel_after_each_number_of_steps(bool is_tls, std::chrono::seconds token_age) {
    CAPTURE(is_tls);
    CAPTURE(token_age.count());
    std::size_t steps = 0;
    for (bool were_so_many = true; were_so_many; ++steps) {
        CAPTURE(steps);
        were_so_many = cancel_after(steps, is_tls, token_age);
    }
    CHECK(steps > 2);
}

TEST_CASE("client: cancel() while a renewal waits for the only connection takes its place from nobody") {
    // In the last minute of fifteen: a renewal in the background wants the connection as well.
    for (bool const is_tls : {false, true})
        cancel_after_each_number_of_steps(is_tls, 14min + 30s);
}

TEST_CASE(
    "client: cancel() while an operation waits for a login that waits for the only connection, as well") {
    for (bool const is_tls : {false, true})
        cancel_after_each_number_of_steps(is_tls, 15min);
}

}  // namespace cancelled_login_test
