// SPDX-License-Identifier: BSL-1.0
#include "support/one_attempt.hpp"

#include <palette/blocking_client.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

namespace unknown_test {

using namespace std::chrono_literals;
using namespace palette;
using testing::Emulator;
using testing::ManualClock;
using testing::Role;
using Client = BlockingApiKeyClient;

TEST_CASE(
    "unknown: a change that lands late undoes what was done after it, and looking again later settles it") {
    auto const clock = std::make_shared<ManualClock>();
    Emulator emulator({.clock = clock});
    Client client(one_attempt(emulator.client_options(Role::tenant_admin)));
    auto const uid = emulator.seed_key(NewApiKey("ci")).uid();
    auto const is_active = [&] { return client.get(uid).value().is_active; };

    emulator.faults().add("PUT /v1/apiKeys apply-late:9500 x1");
    auto const revoked = client.revoke(uid);
    REQUIRE_FALSE(revoked);
    CHECK(revoked.error().effect() == Effect::unknown);
    CHECK(is_active());
    REQUIRE(client.reactivate(uid));
    CHECK(is_active());  // to look at once does not settle it

    clock->advance(10s);
    auto const latest = std::chrono::steady_clock::now() + 20s;
    while (emulator.keys().back().is_active && std::chrono::steady_clock::now() < latest)
        std::this_thread::sleep_for(5ms);
    CHECK_FALSE(is_active());  // to look again does

    REQUIRE(client.reactivate(uid));  // and what is not so is repeated
    clock->advance(24h);
    CHECK(is_active());
}

}  // namespace unknown_test
