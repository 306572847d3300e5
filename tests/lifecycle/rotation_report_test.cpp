// SPDX-License-Identifier: BSL-1.0
#include "lifecycle/rotation_scene.hpp"
#include "support/awaited.hpp"
#include "support/printed.hpp"

#include <palette/lifecycle/rotation.hpp>
#include <palette/testing/memory_sink.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>

// What a report says to whoever reads it.

namespace rotation_report_test {

using namespace std::chrono_literals;
using namespace palette;
using lifecycle::Rotation;
using lifecycle::Slot;
using testing::MemorySink;
using Outcome = Rotation::Outcome;

TEST_CASE("rotation report: the problem is what failed first, and not the cleaning up after it") {
    RotationScene scene;
    auto const sink = std::make_shared<MemorySink>();
    sink->fail_call(2, MemorySink::When::before_effect);  // stage, after contents
    scene.emulator.faults().add("DELETE /v1/apiKeys status:403");
    auto const rotation = scene.rotate(Slot("ci", sink, scene.store)).value();
    CHECK(rotation.outcome == Outcome::failed);
    REQUIRE(rotation.problem);
    CHECK(contains(rotation.problem->message(), "the sink fails"));
    // A key was made before that.
    CHECK(rotation.problem->is_step());
    CHECK_FALSE(contains(rotation.problem->message(), "nothing was changed"));
    REQUIRE(rotation.left.size() == 1);
    CHECK(contains(rotation.left[0], "delete the key "));
}

TEST_CASE("rotation report: says why no rotation begins while a key cannot be deleted") {
    RotationScene scene;
    auto const sink = std::make_shared<MemorySink>();
    sink->fail_call(2, MemorySink::When::before_effect);
    scene.emulator.faults().add("DELETE /v1/apiKeys status:403");
    Slot const slot("ci", sink, scene.store);
    auto const first = scene.rotate(slot).value();
    REQUIRE(first.left.size() == 1);
    auto const keys = scene.keys();
    int failures = 0;
    for (int i = 0; i < 6; ++i) {  // with and without another try to delete the key
        scene.time.run_for(20min);
        auto const rotation = scene.rotate(slot).value();
        auto const has_failed = rotation.outcome == Outcome::failed;
        CHECK((has_failed || rotation.outcome == Outcome::not_due));
        CHECK(rotation.problem);  // the slot is empty meanwhile
        failures += has_failed ? 1 : 0;
        CHECK(rotation.left == first.left);
        CHECK(scene.keys() == keys);
    }
    CHECK(failures >= 4);
    scene.emulator.faults().clear();
    scene.time.run_for(6h);
    CHECK(scene.rotate(slot).value().outcome == Outcome::completed);
    CHECK(scene.keys() == 1);
}

TEST_CASE("rotation report: a slot that is busy says who works on it, and to call again") {
    RotationScene scene;
    auto const held = awaited(scene.store->lock("ci"));
    REQUIRE(held);
    auto const rotation = scene.rotate().value();
    CHECK(rotation.outcome == Outcome::busy);
    REQUIRE(rotation.problem);
    CHECK(contains(rotation.problem->message(), "is locked by process "));
    CHECK(rotation.problem->advice() == "call again later");
    CHECK(scene.keys() == 0);
}

}  // namespace rotation_report_test
