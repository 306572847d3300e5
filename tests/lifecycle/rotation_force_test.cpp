// SPDX-License-Identifier: BSL-1.0
#include "lifecycle/rotation_scene.hpp"

#include <palette/lifecycle/rotation.hpp>

#include <doctest/doctest.h>

#include <chrono>

// What a person does in an incident.

namespace rotation_force_test {

using namespace std::chrono_literals;
using namespace palette;
using lifecycle::RotateOptions;
using lifecycle::Rotation;
using lifecycle::RotationState;
using Outcome = Rotation::Outcome;

TEST_CASE("rotation by force: without an overlap the old key is revoked in the same call, and kept") {
    RotationScene scene;
    auto const first = scene.rotate().value();
    auto const forced = scene.rotate(RotateOptions().force().overlap(0ms)).value();
    CHECK(forced.outcome == Outcome::in_progress);
    CHECK(forced.state == RotationState::quarantine);
    CHECK(forced.old_uid == first.new_uid);
    CHECK(scene.active_keys() == 1);
    CHECK(scene.keys() == 2);
    CHECK(scene.works());

    // It can be re-activated as long as the quarantine lasts.
    scene.time.run_for(std::chrono::days(6));
    CHECK(scene.rotate().value().state == RotationState::quarantine);
    CHECK(scene.keys() == 2);
    scene.time.run_for(std::chrono::days(1));
    CHECK(scene.rotate().value().outcome == Outcome::completed);
    CHECK(scene.keys() == 1);
}

TEST_CASE("rotation by force: ends the quarantine of the rotation before") {
    RotationScene scene;
    REQUIRE(scene.rotate());
    auto const first = scene.rotate(RotateOptions().force().overlap(0ms)).value();
    auto const second = scene.rotate(RotateOptions().force().overlap(0ms)).value();
    CHECK(second.state == RotationState::quarantine);
    CHECK(second.old_uid == first.new_uid);
    CHECK(scene.active_keys() == 1);
    CHECK(scene.keys() == 2);
    CHECK(scene.works());
}

TEST_CASE("rotation by force: does not shorten an overlap that has begun") {
    RotationScene scene;
    REQUIRE(scene.rotate());
    auto const first = scene.rotate(RotateOptions().force()).value();
    REQUIRE(first.state == RotationState::overlap);
    auto const second = scene.rotate(RotateOptions().force()).value();
    CHECK(second.outcome == Outcome::in_progress);
    CHECK(second.state == RotationState::overlap);
    CHECK(second.new_uid == first.new_uid);
    CHECK(second.next_due == first.next_due);
    CHECK(scene.active_keys() == 2);
}

}  // namespace rotation_force_test
