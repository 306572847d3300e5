// SPDX-License-Identifier: BSL-1.0
// A test of somebody else's, that uses the emulator.
#include <palette/testing/emulator.hpp>
#include <palette/testing/manual_clock.hpp>

#include <chrono>
#include <iostream>
#include <memory>

int main() {
    using palette::testing::Emulator;
    using palette::testing::Role;

    auto clock = std::make_shared<palette::testing::ManualClock>();
    Emulator emulator({.clock = clock});
    auto const created = emulator.seed_key(palette::NewApiKey("ci").for_user(emulator.user(Role::user).uid));
    emulator.faults().add("POST /v1/apiKeys drop-after x1");
    clock->advance(std::chrono::days{31});

    auto const keys = emulator.keys();
    auto const& last = keys.back();
    std::cout << emulator.url() << ' ' << last << '\n';
    auto const as_expected = last.uid == created.uid() && emulator.endpoint().is_secure() &&
                             last.state(keys.as_of()) == palette::KeyState::expired &&
                             !emulator.ca_pem().empty();
    return as_expected ? 0 : 1;
}
