// SPDX-License-Identifier: BSL-1.0
#include "lifecycle/rotation_world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

// The machine of a rotation, with a world that is a few lines of memory: every step ends in every way, and
// the process is killed before and after each effect.

namespace rotation_machine_test {

using namespace rotation_world;
using lifecycle::RotateOptions;
using lifecycle::Rotation;
using lifecycle::RotationState;

// How a step ends. What is done and not said is what a lost answer or a kill leaves.
enum class End { ok, refused, later, lost, unknown_undone, unknown_done, killed_before, killed_after };

constexpr End all_ends[] = {End::refused,      End::later,         End::lost,        End::unknown_undone,
                            End::unknown_done, End::killed_before, End::killed_after};

bool is_effect(RotationStep step) {
    switch (step) {
        case RotationStep::identify:
        case RotationStep::read_sink:
        case RotationStep::read_current:
        case RotationStep::read_old:
        case RotationStep::read_record:
        case RotationStep::draw:
        case RotationStep::prove:
        case RotationStep::finish:
            return false;
        default:
            return true;
    }
}

// Whether the step can end so.
bool is_possible(RotationStep step, End end) {
    if (end == End::killed_before || end == End::ok) return true;
    if (!is_effect(step)) return end == End::later || (step == RotationStep::prove && end == End::refused);
    if (end == End::lost) return step == RotationStep::save || step == RotationStep::promote;
    if (step == RotationStep::save) return end != End::refused;
    return true;
}

void say_failed(RotationMachine& machine, End end) {
    switch (end) {
        case End::refused:
            return machine.failed(StepFailure::refused);
        case End::lost:
            return machine.failed(StepFailure::lost);
        case End::unknown_undone:
        case End::unknown_done:
            return machine.failed(StepFailure::unknown);
        default:
            return machine.failed(StepFailure::later);
    }
}

struct Explorer {
    RotateOptions options;
    std::string broken;  // a key that somebody has revoked; a person forces its replacement
    std::size_t steps = 0;
    std::size_t runs = 0;
    std::set<std::string> states;
    std::vector<std::string> path;

    [[nodiscard]] std::string trail() const {
        std::string out;
        for (auto const& step : path)
            out += step + ' ';
        return out;
    }

    // What holds at every instant.
    void check_world(const World& world) {
        INFO(trail());
        INFO(world.text());
        std::size_t active = 0;
        for (auto const& [name, key] : world.keys) {
            auto const& uid = name;
            active += key.is_active ? 1U : 0U;
            // Every key is somebody's: in use, to be used, retired, or written down as left over.
            auto const is_in = [&](const std::optional<Receipt>& value) {
                return value && value->key_uid == uid;
            };
            auto is_known = is_in(world.sink.current) || is_in(world.sink.pending);
            if (world.disk) {
                auto const& record = *world.disk;
                is_known = is_known || uid == record.old_uid || uid == record.new_uid ||
                           uid == record.broken_uid ||
                           (record.state == RotationState::planned && key.nonce == record.nonce) ||
                           std::ranges::any_of(record.leftovers, [&](auto const& left) {
                               return left.uid == uid || (!left.nonce.empty() && left.nonce == key.nonce);
                           });
            }
            REQUIRE(is_known);
        }
        // One that works is stored.
        if (world.sink.current) {
            auto const current = world.keys.find(world.sink.current->key_uid);
            REQUIRE(current != world.keys.end());
            auto works = current->second.is_active;
            if (current->first == broken) works = world.keys.at(world.disk->old_uid).is_active;
            REQUIRE(works);
        }
        REQUIRE(active <= 2);
        REQUIRE(world.keys.size() <= 3);
    }

    // Runs with `faults` more that may happen, to the end of each way that it can take.
    void run(World world, int faults, int rotations) {
        ++runs;
        auto of_run = options;
        auto const is_stuck =
            world.disk && world.disk->state == RotationState::overlap && world.disk->new_uid == broken;
        if (is_stuck) of_run.force();
        RotationMachine machine("ci", of_run, world.disk);
        go_on(std::move(world), std::move(machine), faults, rotations);
    }

    void go_on(World world, RotationMachine machine, int faults, int rotations) {
        auto const begun = path.size();
        while (machine.next() != RotationStep::finish) {
            ++steps;
            machine.set_time(world.now);
            auto const step = machine.next();
            auto const number = std::to_string(static_cast<int>(step));
            if (faults > 0) {
                states.insert(number + impl::lifecycle::to_text(machine.record()) + world.text());
                for (auto const end : all_ends)
                    if (is_possible(step, end)) fail(world, machine, end, faults - 1, rotations);
            }
            path.push_back(number);
            do_effect(world, machine);
            say_done(world, machine);
            check_world(world);
        }
        ended(world, machine, faults, rotations);
        path.resize(begun);
    }

    void fail(World world, RotationMachine machine, End end, int faults, int rotations) {
        auto const step = machine.next();
        path.push_back(std::to_string(static_cast<int>(step)) + '/' + std::to_string(static_cast<int>(end)));
        if (end == End::unknown_done || end == End::killed_after) do_effect(world, machine);
        check_world(world);
        if (end == End::killed_before || end == End::killed_after) {
            world.now += 1min;
            run(std::move(world), faults, rotations);
        } else {
            say_failed(machine, end);
            go_on(std::move(world), std::move(machine), faults, rotations);
        }
        path.pop_back();
    }

    void ended(World world, const RotationMachine& machine, int faults, int rotations) {
        INFO(trail());
        auto const outcome = machine.outcome();
        if (faults == 0 && path.size() > 400) FAIL("it comes to no end");
        if (outcome == Rotation::Outcome::completed && --rotations == 0) {
            // Nothing is left over but what is written down to be looked for again.
            for (auto const& [name, key] : world.keys) {
                auto const& uid = name;
                REQUIRE((uid == world.sink.current->key_uid ||
                         std::ranges::any_of(world.disk->leftovers,
                                             [&](auto const& left) { return left.uid == uid; })));
            }
            return;
        }
        auto const next = machine.next_due().value_or(world.now + 1h);
        // A failure without another one after it delays, and does not stop.
        world.now = std::max(next, world.now + 1min);
        path.emplace_back("|");
        run(std::move(world), faults, rotations);
    }
};

World empty_slot() {
    return {};
}

// Runs until a rotation is in the overlap.
void run_to_overlap(World& world) {
    for (;;) {
        RotationMachine machine("ci", RotateOptions(), world.disk);
        while (machine.next() != RotationStep::finish) {
            machine.set_time(world.now);
            do_effect(world, machine);
            say_done(world, machine);
        }
        if (world.disk->state == RotationState::overlap) return;
        world.now = *machine.next_due();
    }
}

TEST_CASE(
    "rotation machine: a key that is revoked in the overlap is replaced by force, whatever fails meanwhile") {
    World world;
    run_to_overlap(world);
    Explorer explorer;
    explorer.broken = world.disk->new_uid;
    world.keys.at(explorer.broken).is_active = false;
    explorer.run(world, 2, 1);
    MESSAGE("states: " << explorer.states.size() << ", steps: " << explorer.steps);
    CHECK(explorer.states.size() > 300);
}

TEST_CASE(
    "rotation machine: each sequence of steps, failures and kills through two rotations keeps a key that "
    "works") {
    Explorer explorer;
    explorer.run(empty_slot(), 2, 2);
    MESSAGE("states: " << explorer.states.size() << ", steps: " << explorer.steps
                       << ", runs: " << explorer.runs);
    CHECK(explorer.states.size() > 1'000);
}

TEST_CASE(
    "rotation machine: a run that could not write down what it has done does not wait for the next key") {
    World world;
    run_to_overlap(world);
    world.now += 2h;
    impl::lifecycle::Leftover left;
    left.uid = "given up";
    world.disk->leftovers.push_back(left);
    world.disk->state = RotationState::idle;
    RotationMachine machine("ci", RotateOptions(), world.disk);
    while (machine.next() != RotationStep::finish) {
        machine.set_time(world.now);
        if (machine.next() == RotationStep::save) {
            machine.failed(StepFailure::later);
            continue;
        }
        do_effect(world, machine);
        say_done(world, machine);
    }
    CHECK(machine.outcome() == Rotation::Outcome::failed);
    CHECK_FALSE(machine.next_due());
}

TEST_CASE(
    "rotation machine: force replaces a key that is refused after the old one was revoked and has expired") {
    World world;
    auto const run = [&](const RotateOptions& options, bool dies_after_revoke) {
        RotationMachine machine("ci", options, world.disk);
        while (machine.next() != RotationStep::finish) {
            machine.set_time(world.now);
            auto const step = machine.next();
            if (step == RotationStep::reactivate) {
                machine.failed(StepFailure::refused);
                continue;
            }
            do_effect(world, machine);
            if (step == RotationStep::revoke && dies_after_revoke) return Rotation::Outcome::failed;
            say_done(world, machine);
        }
        return machine.outcome();
    };
    run(RotateOptions(), false);
    world.now = *world.disk->due;
    run(RotateOptions(), false);
    world.now += 2h;
    run(RotateOptions(), true);
    auto const broken = world.sink.current->key_uid;
    world.keys.at(broken).is_active = false;

    CHECK(run(RotateOptions(), false) == Rotation::Outcome::failed);
    CHECK(world.sink.current->key_uid == broken);
    world.now += 2h;
    CHECK(run(RotateOptions().force(), false) == Rotation::Outcome::in_progress);
    CHECK(world.keys.at(world.sink.current->key_uid).is_active);
    for (int i = 0; i < 2; ++i) {
        world.now += 8 * 24h;
        run(RotateOptions(), false);
    }
    CHECK(world.keys.size() == 1);
    CHECK(world.keys.contains(world.sink.current->key_uid));
}

}  // namespace rotation_machine_test
