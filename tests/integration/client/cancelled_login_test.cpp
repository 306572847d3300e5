// SPDX-License-Identifier: BSL-1.0
#include "support/scene.hpp"

#include <palette/auth.hpp>
#include <palette/client.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>

// Operations and the login that they wait for want the same connection, and all are cancelled.

namespace cancelled_login_test {

using namespace std::chrono_literals;
using namespace palette;
using support::Watched;
using testing::Role;

/// A client that has one connection, and a token that it logged in for.
class Scene : public support::EmulatorScene {
public:
    explicit Scene(bool is_tls) : EmulatorScene({.plain_http = !is_tls}, support::Time::stands_still) {
        auto const& user = emulator.user(Role::tenant_admin);
        options.auth = auth::login(auth::LoginOptions(user.email, Secret(user.password.expose())));
        options.pool.max_connections = 1;
        options.rate_limit = RateLimitOptions::off();
        // The clock is moved while a request is under way, and is no bound for it.
        options.timeouts.read = options.timeouts.total = options.timeouts.queue = 1h;
    }

    [[nodiscard]] bool succeeds() {
        Watched<> watched;
        client().async_whoami(watched.handler());
        return comes_to([&] { return watched.has_ended(); }) && watched.is_good();
    }

    /// At most `most` handlers of those that can run now; how many there were.
    std::size_t run_some(std::size_t most) {
        std::size_t count = 0;
        context.restart();
        while (count < most && context.poll_one() == 1)
            ++count;
        return count;
    }

    [[nodiscard]] std::ptrdiff_t logins() const { return count("POST", "/v1/auth"); }
};

/// A holds the connection, B wants it, or a login that wants it. Cancels all after `steps` handlers of B;
/// whether there were so many.
bool cancel_after(std::size_t steps, bool is_tls, std::chrono::seconds token_age) {
    Scene scene(is_tls);
    REQUIRE(scene.succeeds());
    CHECK(scene.logins() == 1);

    scene.emulator.faults().add("GET /v1/users/info stall x1");
    Watched<> a, b;
    scene.client().async_whoami(a.handler());
    REQUIRE(scene.comes_to([&] { return scene.emulator.faults().injected() == 1; }));
    scene.clock->advance(token_age);
    scene.client().async_whoami(b.handler());
    bool const were_so_many = scene.run_some(steps) == steps;
    CHECK_FALSE(a.has_ended());
    CHECK_FALSE(b.has_ended());
    // What waits for the connection has not reached the service.
    CHECK(scene.logins() == 1);

    scene.client().cancel();
    REQUIRE(scene.comes_to([&] { return a.has_ended() && b.has_ended(); }));
    CHECK(a.is_aborted());
    CHECK(b.is_aborted());
    CHECK(scene.succeeds());
    CHECK(scene.succeeds());
    CHECK(scene.comes_to([&] { return scene.logins() == 2; }));
    CHECK(scene.comes_to([&] { return scene.emulator.connections() == 1; }));
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
