// SPDX-License-Identifier: BSL-1.0
#include "fleet/fleet_scene.hpp"
#include "fleet/held_request.hpp"
#include "support/random.hpp"
#include "support/sanitized.hpp"

#include <palette/blocking_client.hpp>
#include <palette/lifecycle/plan.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

// A program that applies a plan, and is killed at any moment.

namespace apply_killed_test {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using palette::lifecycle::Action;
using palette::lifecycle::Selection;
using palette::testing::Role;

constexpr int kills_wanted = sanitized ? 40 : 200;
constexpr std::size_t keys_of_a_plan = 100;

struct Killed {
    std::mutex mutex;
    std::map<std::string, int> writes;  // by path
    sample::Random random{20'261'402};
    HeldRequest held;
    FleetScene scene{1, [this](const palette::testing::ReceivedRequest& request) {
                         if (request.method == "GET") return;
                         {
                             std::lock_guard const lock(mutex);
                             ++writes[request.path];
                         }
                         held.count();
                     }};
    int plans = 0;
    int kills = 0;
    int kills_half_way = 0;  // when some were done, and some not
    std::string user;

    // A plan for a user of its own, as the program finds it.
    void begin_plan() {
        user = scene.emulator.add_user({.email = std::to_string(plans++) + "@acme.com"}).uid;
        for (std::size_t i = 0; i < keys_of_a_plan; ++i)
            static_cast<void>(scene.emulator.seed_key(palette::NewApiKey("doomed").for_user(user)));
        palette::BlockingApiKeyClient client(scene.emulator.client_options(Role::tenant_admin));
        auto const plan =
            palette::lifecycle::plan(client, Selection::owners({user}), Action::revoke()).value();
        std::ofstream(scene.slot_folder() + "/plan", std::ios::binary) << plan.to_text();
        std::filesystem::remove(scene.slot_folder() + "/journal");
    }

    [[nodiscard]] std::size_t active_keys() const {
        auto const keys = scene.emulator.keys();
        return static_cast<std::size_t>(std::ranges::count_if(
            keys, [this](const auto& key) { return key.owner.uid == user && key.is_active; }));
    }

    // What a dead program had sent is dealt with first: it is what a service does, too, sooner or later.
    void settle() const {
        auto const latest = Clock::now() + 60s;
        while (scene.emulator.connections() > 0) {
            REQUIRE(Clock::now() < latest);
            std::this_thread::sleep_for(100us);
        }
    }

    void run_to_write(int nth) {
        held.set(nth);
        child::Process process(PALETTE_FLEET_PROGRAM, scene.arguments("apply"));
        held.kill(process);
        settle();
    }

    // Returns what the program has said, if it came to its end before the kill.
    std::optional<std::string> run_for(std::chrono::microseconds time) {
        child::Process process(PALETTE_FLEET_PROGRAM, scene.arguments("apply"));
        std::this_thread::sleep_for(time);
        process.send(SIGKILL);
        auto const end = process.wait_for_end();
        REQUIRE(end);
        settle();
        if (end->signal == SIGKILL) return std::nullopt;
        CAPTURE(end->errors);
        REQUIRE(end->status == 0);
        return end->output;
    }

    void check_finished() {
        auto const said = scene.run("apply");
        CHECK_MESSAGE(said.starts_with(std::to_string(keys_of_a_plan) + " BulkReport{"), said);
        settle();
        CHECK(active_keys() == 0);
        std::lock_guard const lock(mutex);
        CHECK(writes.size() == keys_of_a_plan);
        for (auto const& [path, number] : writes)
            CHECK_MESSAGE(number == 1, path);
        writes.clear();
    }
};

TEST_CASE("plans killed: hundreds of kills leave no key that was missed, and none that was touched twice") {
    Killed killed;
    killed.begin_plan();
    auto const begin = Clock::now();
    static_cast<void>(killed.scene.run("apply"));
    auto const whole = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin);
    killed.check_finished();
    while (killed.kills < kills_wanted) {
        killed.begin_plan();
        auto left = keys_of_a_plan;
        for (int life = 0; left > 0 && killed.kills < kills_wanted; ++life) {
            if (life % 2 == 0) {
                // In the first half of what is left, however fast the machine is.
                killed.run_to_write(1 + static_cast<int>(killed.random.below((left + 1) / 2)));
            } else {
                // At any moment. It is shorter than a whole run, so that most plans take several.
                auto const time = killed.random.below(static_cast<std::uint64_t>(whole.count()));
                if (killed.run_for(std::chrono::microseconds(time))) break;
            }
            ++killed.kills;
            left = killed.active_keys();
            killed.kills_half_way += left > 0 && left < keys_of_a_plan ? 1 : 0;
        }
        killed.check_finished();
    }
    MESSAGE(killed.kills, " kills of ", killed.plans, " plans, ", killed.kills_half_way,
            " of them half-way; a run takes ", whole.count() / 1'000, " ms");
    CHECK(killed.kills_half_way > kills_wanted / 10);
}

}  // namespace apply_killed_test
