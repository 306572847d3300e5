// SPDX-License-Identifier: BSL-1.0
#include "lifecycle/rotation_world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// Two rotations of one slot that no lock keeps apart, as when a process sleeps for longer than its lease: one
// stops after any step, another one takes over and stops or ends, and the first one goes on.

namespace rotation_overtaken_test {

using namespace rotation_world;
using lifecycle::RotateOptions;
using lifecycle::Rotation;

// A run, with what it knows of the store.
class Run {
public:
    Run(World& world, const RotateOptions& options)
        : world_(world),
          machine_("ci", options, world.disk),
          seen_(world.version) {}

    [[nodiscard]] bool has_ended() const { return machine_.next() == RotationStep::finish; }
    [[nodiscard]] const RotationMachine& machine() const { return machine_; }

    void step() {
        machine_.set_time(world_.now);
        auto const step = machine_.next();
        auto const& record = machine_.record();
        if (step == RotationStep::save && seen_ != world_.version) return machine_.failed(StepFailure::lost);
        auto const pending = world_.sink.pending;
        auto const is_pending = pending && pending->rotation_id == record.rotation_id;
        auto const current = world_.sink.current;
        auto const is_current = current && current->rotation_id == record.rotation_id;
        if (step == RotationStep::promote && !is_current) {
            auto const generation =
                current ? std::optional(current->generation) : std::optional<std::uint64_t>();
            if (generation != record.expected_current) return machine_.failed(StepFailure::lost);
            if (!is_pending) return machine_.failed(StepFailure::unknown);
        }
        if (step == RotationStep::discard && is_current) return machine_.failed(StepFailure::refused);
        if (step == RotationStep::prove && !is_pending && !is_current)
            return machine_.failed(StepFailure::refused);
        if (step == RotationStep::reactivate && !world_.keys.contains(record.old_uid))
            return machine_.failed(StepFailure::refused);
        auto const is_nothing =
            (step == RotationStep::promote && is_current) || (step == RotationStep::discard && !is_pending);
        if (!is_nothing) do_effect(world_, machine_);
        if (step == RotationStep::save) seen_ = ++world_.version;
        say_done(world_, machine_);
    }

private:
    World& world_;
    RotationMachine machine_;
    std::uint64_t seen_;
};

std::string text(const World& world, const Run& run) {
    std::string out = world.text();
    for (auto const& left : run.machine().left())
        out += " left: " + left;
    return out;
}

// Consumers have a key that works.
void check_current(const World& world) {
    if (!world.sink.current) return;
    INFO(world.text());
    auto const found = world.keys.find(world.sink.current->key_uid);
    REQUIRE(found != world.keys.end());
    REQUIRE(found->second.is_active);
}

// As far as that; false if it has ended before.
bool go(Run& run, const World& world, std::size_t steps) {
    for (std::size_t i = 0; i < steps; ++i) {
        if (run.has_ended()) return false;
        run.step();
        check_current(world);
    }
    return true;
}

// Nobody is told to delete what consumers use.
void check_words(const Run& run, const World& world) {
    for (auto const& left : run.machine().left()) {
        INFO(left);
        REQUIRE((!world.sink.current || left.find(world.sink.current->key_uid + ',') == std::string::npos));
    }
}

constexpr std::size_t to_the_end = 1'000;

// One stops after so many steps, the other one as well, and so on in turns; the last ones go to the end.
// Returns how many of them have stopped before their end.
std::size_t run_in_turns(const World& begin, const RotateOptions& options,
                         const std::vector<std::size_t>& stops) {
    auto world = begin;
    std::vector<Run> runs;
    runs.reserve(2);
    std::size_t stopped = 0;
    for (std::size_t i = 0; i < stops.size(); ++i) {
        if (i < 2) runs.emplace_back(world, options);
        if (!go(runs[i % 2], world, stops[i])) break;
        ++stopped;
    }
    for (auto& run : runs) {
        go(run, world, to_the_end);
        REQUIRE(run.has_ended());
        INFO(text(world, run));
        check_words(run, world);
    }
    // Whoever comes later ends what both have left.
    for (int i = 0; i < 12; ++i) {
        world.now += 25h;
        Run later(world, RotateOptions(options).force(false));
        go(later, world, to_the_end);
        REQUIRE(later.has_ended());
    }
    INFO(world.text());
    REQUIRE(world.sink.current);
    REQUIRE_FALSE(world.sink.pending);
    auto const is_active = [](auto const& key) { return key.second.is_active; };
    REQUIRE(std::ranges::count_if(world.keys, is_active) == 1);
    REQUIRE(world.disk);
    REQUIRE(world.disk->leftovers.empty());
    return stopped;
}

// Every way to take three turns.
void explore(const World& begin, const RotateOptions& options) {
    std::size_t cases = 0;
    std::size_t stopped = 3;
    for (std::size_t first = 0; stopped > 0; ++first) {
        stopped = 3;
        for (std::size_t second = 0; stopped > 1; ++second) {
            stopped = 3;
            for (std::size_t third = 0; stopped > 2; ++third) {
                CAPTURE(first);
                CAPTURE(second);
                CAPTURE(third);
                stopped = run_in_turns(begin, options, {first, second, third});
                ++cases;
            }
        }
    }
    MESSAGE("cases: " << cases);
    CHECK(cases > 500);
}

World due_slot() {
    World world;
    Run first(world, RotateOptions());
    go(first, world, to_the_end);
    REQUIRE(first.machine().outcome() == Rotation::Outcome::completed);
    world.now += 21 * 24h;
    return world;
}

TEST_CASE("rotation overtaken: an empty slot gets one key, which nobody deletes") {
    explore(World(), RotateOptions().overlap(0ms).quarantine(0ms));
}

TEST_CASE("rotation overtaken: a key that is replaced has one successor, which nobody deletes") {
    explore(due_slot(), RotateOptions().overlap(0ms).quarantine(0ms));
    explore(due_slot(), RotateOptions());
}

}  // namespace rotation_overtaken_test
