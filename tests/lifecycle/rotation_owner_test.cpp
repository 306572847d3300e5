// SPDX-License-Identifier: BSL-1.0
#include "lifecycle/rotation_scene.hpp"

#include <palette/lifecycle/rotation.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>

// Whose the key of a slot is.

namespace rotation_owner_test {

using namespace std::chrono_literals;
using namespace palette;
using lifecycle::RotateOptions;
using lifecycle::Rotation;
using lifecycle::RotationState;
using Outcome = Rotation::Outcome;

struct Owners : RotationScene {
    [[nodiscard]] std::ptrdiff_t active_keys_of(const std::string& user) const {
        return std::ranges::count_if(
            emulator.keys(), [&](const ApiKey& key) { return key.owner.uid == user && key.is_active; });
    }
    // A run for that user is refused, and changes nothing.
    void check_is_refused(RotateOptions options) {
        auto const before = emulator.keys().size();
        auto const value_before = value();
        auto const refused = rotate(options.for_user(bob));
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code() == errc::conflict);
        CHECK(refused.error().effect() == Effect::not_applied);
        CHECK(refused.error().message().find("another user's") != std::string::npos);
        CHECK(emulator.keys().size() == before);
        CHECK(value() == value_before);
        CHECK(active_keys_of(bob) == 0);
    }

    std::string ada = emulator.add_user({.email = "ada@acme.com"}).uid;
    std::string bob = emulator.add_user({.email = "bob@acme.com"}).uid;
    RotateOptions for_ada = RotateOptions().for_user(ada);
};

TEST_CASE("rotation: for_user() makes the key of that user, and refuses the slot to another one") {
    Owners scene;
    REQUIRE(scene.active_keys_of(scene.ada) == 0);
    auto const made = scene.rotate(scene.for_ada).value();
    CHECK(made.outcome == Outcome::completed);
    CHECK(scene.active_keys_of(scene.ada) == 1);
    // Long before the key is due, and when it is.
    scene.check_is_refused(RotateOptions());
    scene.check_is_refused(RotateOptions().force());
    CHECK(scene.rotate(scene.for_ada).value().outcome == Outcome::not_due);
    CHECK(scene.rotate().value().outcome == Outcome::not_due);
    scene.time.run_for(std::chrono::days(21));
    scene.check_is_refused(RotateOptions());
    CHECK(scene.rotate(scene.for_ada).value().state == RotationState::overlap);
}

TEST_CASE("rotation: one that was begun for a user is not finished for another one") {
    Owners scene;
    SUBCASE("its key could not be proved") {
        scene.emulator.faults().add("GET /v1/users/info status:503 after=1");
        CHECK(scene.rotate(scene.for_ada).value().state == RotationState::staged);
        scene.emulator.faults().clear();
        scene.check_is_refused(RotateOptions());
        scene.check_is_refused(RotateOptions().force());
        scene.time.run_for(1h);
        scene.check_is_refused(RotateOptions());
    }
    SUBCASE("it waits for the end of the overlap") {
        REQUIRE(scene.rotate(scene.for_ada));
        CHECK(scene.rotate(RotateOptions(scene.for_ada).force()).value().state == RotationState::overlap);
        scene.check_is_refused(RotateOptions());
        scene.time.run_for(2h);
        scene.check_is_refused(RotateOptions());
        CHECK(scene.rotate(scene.for_ada).value().state == RotationState::quarantine);
        scene.check_is_refused(RotateOptions());
        scene.time.run_for(std::chrono::days(8));
    }
    CHECK(scene.rotate(scene.for_ada).value().outcome == Outcome::completed);
    CHECK(scene.active_keys_of(scene.ada) == 1);
}

// A slot that is empty has no owner yet.
TEST_CASE(
    "rotation: an attempt that left no key keeps the slot for nobody, and says that the slot is empty") {
    Owners scene;
    scene.emulator.faults().add("POST /v1/apiKeys status:403 x1");
    CHECK(scene.rotate(scene.for_ada).value().outcome == Outcome::failed);
    auto const waits = scene.rotate(scene.for_ada).value();
    CHECK(waits.outcome == Outcome::not_due);
    REQUIRE(waits.problem);
    CHECK(waits.problem->message().find("the slot is empty") != std::string::npos);
    CHECK(waits.problem->message().find("nothing was changed") == std::string::npos);
    CHECK(waits.next_due);
    scene.time.run_for(2min);
    auto const made = scene.rotate(RotateOptions().for_user(scene.bob)).value();
    CHECK_FALSE(made.problem);
    CHECK(scene.active_keys_of(scene.bob) == 1);
    CHECK(scene.active_keys_of(scene.ada) == 0);
}

}  // namespace rotation_owner_test
