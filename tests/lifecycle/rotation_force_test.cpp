// SPDX-License-Identifier: BSL-1.0
#include "lifecycle/rotation_scene.hpp"
#include "support/awaited.hpp"

#include <palette/lifecycle/rotation.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <string>

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

// A slot in the overlap of its second key, which somebody has revoked.
Rotation begin_and_revoke_new(RotationScene& scene) {
    REQUIRE(scene.rotate());
    scene.time.run_for(std::chrono::days(20) + 2s);
    auto begun = scene.rotate().value();
    REQUIRE(begun.state == RotationState::overlap);
    scene.set_active(begun.new_uid, false);
    return begun;
}

TEST_CASE(
    "rotation by force: replaces a key that stops working in the overlap, and keeps the old one until then") {
    RotationScene scene;
    auto const begun = begin_and_revoke_new(scene);
    auto const forced = scene.rotate(RotateOptions().force()).value();
    CHECK(forced.outcome == Outcome::in_progress);
    CHECK(forced.state == RotationState::overlap);
    CHECK(forced.old_uid == begun.old_uid);
    CHECK(forced.new_uid != begun.new_uid);
    CHECK(scene.works());
    CHECK(scene.active_keys() == 2);
    CHECK(scene.keys() == 3);

    scene.time.run_for(1h + 2s);
    auto const over = scene.rotate().value();
    CHECK(over.state == RotationState::quarantine);
    CHECK(scene.active_keys() == 1);
    CHECK(scene.keys() == 2);
    scene.time.run_for(std::chrono::days(7));
    CHECK(scene.rotate().value().outcome == Outcome::completed);
    CHECK(scene.keys() == 1);
    CHECK(scene.works());
}

TEST_CASE(
    "rotation: without force a key that stops working in the overlap is named, and the old one stays "
    "active") {
    RotationScene scene;
    auto const begun = begin_and_revoke_new(scene);
    scene.time.run_for(1h + 2s);
    auto const failed = scene.rotate().value();
    CHECK(failed.outcome == Outcome::failed);
    CHECK(failed.state == RotationState::overlap);
    REQUIRE(failed.left.size() == 1);
    CHECK(failed.left.front() == "replace the key " + begun.new_uid +
                                     ", which does not work, by force(); the old key " + begun.old_uid +
                                     " was not revoked");
    CHECK(scene.active_keys() == 1);

    // By force, whenever that comes.
    auto const forced = scene.rotate(RotateOptions().force()).value();
    CHECK(forced.outcome == Outcome::in_progress);
    CHECK(forced.old_uid == begun.old_uid);
    CHECK(scene.works());
}

TEST_CASE("rotation by force: a replacement that fails is tried again by later runs, without force") {
    RotationScene scene;
    auto const begun = begin_and_revoke_new(scene);
    scene.emulator.faults().add("POST /v1/apiKeys status:500 x1");
    auto const forced = scene.rotate(RotateOptions().force()).value();
    CHECK(forced.outcome == Outcome::failed);
    scene.time.run_for(2min);
    auto const again = scene.rotate().value();
    CHECK(again.outcome == Outcome::in_progress);
    CHECK(again.state == RotationState::overlap);
    CHECK(again.old_uid == begun.old_uid);
    CHECK(scene.works());
    CHECK(scene.active_keys() == 2);
}

TEST_CASE(
    "rotation: begins when it is due although the service refuses to delete the key of the one before") {
    RotationScene scene;
    REQUIRE(scene.rotate());
    scene.emulator.faults().add("DELETE /v1/apiKeys deny-delete");
    std::string last;
    for (int rotations = 0; rotations < 3; ++rotations) {
        scene.time.run_for(std::chrono::days(20) + 2s);
        auto const begun = scene.rotate().value();
        CHECK(begun.outcome == Outcome::in_progress);
        CHECK(begun.state == RotationState::overlap);
        CHECK(begun.new_uid != last);
        last = begun.new_uid;
        CHECK(scene.active_keys() == 2);
        scene.time.run_for(1h + 2s);
        CHECK(scene.rotate().value().state == RotationState::quarantine);
        CHECK(scene.active_keys() == 1);
        CHECK(scene.works());
    }
    // Once it is allowed, nothing stays behind.
    scene.emulator.faults().clear();
    scene.time.run_for(std::chrono::days(8));
    CHECK(scene.rotate().value().outcome == Outcome::completed);
    CHECK(scene.keys() == 1);
}

TEST_CASE("rotation: drops the previous value together with the old key") {
    RotationScene scene;
    REQUIRE(scene.rotate());
    scene.time.run_for(std::chrono::days(20) + 2s);
    REQUIRE(scene.rotate());
    scene.time.run_for(1h + 2s);
    REQUIRE(scene.rotate().value().state == RotationState::quarantine);
    CHECK(std::filesystem::exists(scene.path + ".previous"));
    scene.time.run_for(std::chrono::days(7));
    REQUIRE(scene.rotate().value().outcome == Outcome::completed);
    CHECK_FALSE(std::filesystem::exists(scene.path + ".previous"));
}

TEST_CASE("rotation: deletes the key of a value that was staged by a rotation whose record is gone") {
    RotationScene scene;
    REQUIRE(scene.rotate());
    auto const lost = scene.emulator.seed_key(NewApiKey("ci").lives_for(std::chrono::days{30}));
    auto const staged = awaited(scene.sink->stage("another", lost.uid(), Expiry::never(), lost.secret()));
    REQUIRE(staged);
    REQUIRE(std::filesystem::exists(scene.path + ".pending"));
    REQUIRE(scene.keys() == 2);
    REQUIRE(scene.rotate());
    CHECK(scene.keys() == 1);
    CHECK(scene.works());
    CHECK_FALSE(std::filesystem::exists(scene.path + ".pending"));
}

TEST_CASE("rotation: deletes the key of a lost create, seen late, while the next rotation is under way") {
    RotationScene scene;
    REQUIRE(scene.rotate());
    scene.time.run_for(std::chrono::days(20) + 2s);
    scene.emulator.faults().add("POST /v1/apiKeys drop-after x1");
    scene.emulator.faults().add("GET /v1/apiKeys list-lag:600000");
    auto rotation = scene.rotate().value();
    REQUIRE(rotation.problem);
    CHECK(rotation.problem->advice() ==
          "call again, in a minute or with force(): what it may have left is looked for then");
    for (int calls = 0; calls < 3 && rotation.outcome == Outcome::failed; ++calls) {
        scene.time.run_for(2min);
        rotation = scene.rotate().value();
    }
    REQUIRE(rotation.state == RotationState::overlap);
    REQUIRE(scene.keys() == 3);  // the old, the new, and the one without a value
    REQUIRE(rotation.next_due);
    CHECK(*rotation.next_due - rotation.as_of <= 1h);

    scene.time.run_for(1h + 2s);
    REQUIRE(scene.rotate());
    CHECK(scene.active_keys() == 1);
    CHECK(scene.keys() == 2);
    CHECK(scene.works());
}

}  // namespace rotation_force_test
