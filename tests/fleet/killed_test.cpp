// SPDX-License-Identifier: BSL-1.0
#include "fleet/fleet_scene.hpp"
#include "fleet/held_request.hpp"
#include "support/random.hpp"
#include "support/sanitized.hpp"

#include <palette/lifecycle/rotation.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <thread>
#include <vector>

// A program that rotates a key again and again, and is killed again and again.

namespace killed_test {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using palette::lifecycle::RotationState;

constexpr int kills = sanitized ? 60 : 300;

// More than a rotation takes.
constexpr int requests_of_a_life = 30;

struct Killed {
    HeldRequest held;
    FleetScene scene{100, [this](const palette::testing::ReceivedRequest&) { held.count(); }};
    sample::Random random{20'261'128};
    std::map<RotationState, int> states;  // in which the kills have left the record
    std::size_t most_active = 0;

    // What a program takes that rotates once and is not held up by others.
    std::chrono::microseconds time_of_a_rotation() {
        auto whole = Clock::duration::max();
        for (int i = 0; i < 3; ++i) {
            auto const begin = Clock::now();
            scene.run("rotate", {"1", "0", "0"});
            whole = std::min(whole, Clock::now() - begin);
        }
        return std::chrono::duration_cast<std::chrono::microseconds>(whole);
    }

    // Of a program that goes on until it is killed.
    [[nodiscard]] child::Process::Options rotations() {
        auto const some = [this] { return std::to_string(1'500 * random.below(3)); };
        return scene.arguments("rotate", {"1000", some(), some()});
    }

    void kill_at_request(int nth) {
        held.set(nth);
        child::Process process(PALETTE_FLEET_PROGRAM, rotations());
        held.kill(process);
    }

    void kill_after(std::chrono::microseconds time) {
        child::Process process(PALETTE_FLEET_PROGRAM, rotations());
        std::this_thread::sleep_for(time);
        process.send(SIGKILL);
        auto const end = process.wait_for_end();
        REQUIRE(end);
        REQUIRE(end->signal == SIGKILL);
    }

    void check_after_a_kill() {
        REQUIRE(scene.works());
        REQUIRE(scene.unknown_keys().empty());
        auto const keys = scene.keys();
        auto const active = static_cast<std::size_t>(
            std::ranges::count_if(keys, [](auto const& key) { return key.is_active; }));
        most_active = std::max(most_active, active);
        REQUIRE(active <= 2);
        REQUIRE(keys.size() <= 3);
        ++states[scene.record().state];
    }

    // What was on its way when a program was killed may come later; a program looks after an hour and a day.
    void check_at_the_end() {
        std::string said;
        for (auto const later : {0h, 2h, 25h}) {
            scene.pass(later);
            said += scene.run("finish");
        }
        CAPTURE(said);
        auto const contents = scene.contents();
        REQUIRE(contents.current);
        CHECK_FALSE(contents.pending);
        CHECK_FALSE(contents.previous);
        auto const record = scene.record();
        CHECK(record.state == RotationState::idle);
        CHECK(record.leftovers.empty());
        auto const keys = scene.keys();
        REQUIRE(keys.size() == 1);
        CHECK(keys[0].uid == contents.current->key_uid);
        CHECK(scene.works());
        std::vector<std::string> names;
        for (auto const& entry : std::filesystem::directory_iterator(scene.slot_folder()))
            names.push_back(entry.path().filename().string());
        std::ranges::sort(names);
        CHECK(names == std::vector<std::string>{"fleet.json", "fleet.lock", "fleet.save", "key", "key.json",
                                                "key.lock"});
    }
};

TEST_CASE("a fleet killed: hundreds of kills leave a key that works, and none that nobody knows") {
    Killed killed;
    auto const whole = killed.time_of_a_rotation();
    for (int i = 0; i < kills; ++i) {
        CAPTURE(i);
        auto const most = static_cast<std::uint64_t>(2 * whole.count());
        // At each request in turn, whatever the machine does meanwhile; and at any moment between them.
        if (i % 2 == 0)
            killed.kill_at_request(1 + i / 2 % requests_of_a_life);
        else
            killed.kill_after(std::chrono::microseconds(killed.random.below(most)));
        killed.check_after_a_kill();
    }
    killed.check_at_the_end();
    std::string where;
    for (auto const& [state, number] : killed.states)
        where += ' ' + std::string(to_string(state)) + ' ' + std::to_string(number);
    MESSAGE(kills, " kills; a rotation takes ", whole.count() / 1'000, " ms; states:", where);
    CHECK(killed.states.size() >= 4);
    CHECK(killed.most_active == 2);
}

}  // namespace killed_test
