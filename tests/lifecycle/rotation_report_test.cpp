// SPDX-License-Identifier: BSL-1.0
#include "lifecycle/rotation_scene.hpp"
#include "support/awaited.hpp"
#include "support/printed.hpp"

#include <palette/lifecycle/rotation.hpp>
#include <palette/testing/memory_sink.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

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

bool has_line(const std::vector<std::string>& lines, std::string_view words) {
    return std::ranges::any_of(lines, [&](const std::string& line) { return contains(line, words); });
}

// A list that lags does not show yet what a create has made whose response was lost.
TEST_CASE(
    "rotation report: says what was deleted, and to come again while a lost create may still make a key") {
    for (auto const lag : {5s, 600s}) {
        CAPTURE(lag.count());
        RotationScene scene;
        scene.emulator.faults().add("POST /v1/apiKeys drop-after x1");
        scene.emulator.faults().add("GET /v1/apiKeys list-lag:" + std::to_string(lag.count() * 1000));
        auto const first = scene.rotate().value();
        CHECK(first.outcome == Outcome::failed);
        CHECK_FALSE(has_line(first.done, "deleted"));
        REQUIRE(scene.keys() == 1);
        auto const lost = scene.emulator.keys()[scene.emulator.keys().size() - 1].uid;

        scene.time.run_for(90s);
        auto const second = scene.rotate().value();
        CHECK(second.outcome == Outcome::completed);
        CHECK(has_line(second.done, "deleted key " + lost) == (lag < 90s));
        CHECK(has_line(second.left, "run this again after"));
        CHECK(scene.keys() == (lag < 90s ? 1 : 2));

        scene.time.run_for(15min);
        auto const third = scene.rotate().value();
        CHECK(third.outcome == Outcome::not_due);
        CHECK(has_line(third.done, "deleted key " + lost) == (lag > 90s));
        CHECK(has_line(third.left, "run this again after"));
        CHECK(scene.keys() == 1);
        CHECK(scene.works());

        // An hour and a day later, as next_due says, for the last time.
        for (int look = 0; look < 2; ++look) {
            auto const due = scene.rotate().value().next_due.value();
            CHECK(due - scene.time.clock->now() <= 24h);
            scene.time.run_for(due - scene.time.clock->now());
            auto const later = scene.rotate().value();
            CHECK(has_line(later.left, "run this again after") == (look == 0));
            CHECK_FALSE(has_line(later.done, "deleted"));
        }
    }
}

TEST_CASE("rotation report: an empty slot in its backoff says again why the attempt failed") {
    RotationScene scene;
    scene.emulator.faults().add("POST /v1/apiKeys status:403");
    auto const failed = scene.rotate().value();
    REQUIRE(failed.problem);
    auto const next = scene.rotate().value();
    CHECK(next.outcome == Outcome::not_due);
    REQUIRE(next.problem);
    CHECK(next.problem->what().find(failed.problem->what()) != std::string::npos);
    scene.emulator.faults().clear();
    scene.time.run_for(2min);
    CHECK(scene.rotate().value().outcome == Outcome::completed);
}

TEST_CASE("rotation report: names the key of a lost create that is found late and cannot be deleted") {
    RotationScene scene;
    scene.emulator.faults().add("POST /v1/apiKeys drop-after x1");
    scene.emulator.faults().add("GET /v1/apiKeys list-lag:120000");
    scene.emulator.faults().add("DELETE /v1/apiKeys deny-delete");
    REQUIRE(scene.rotate().value().outcome == Outcome::failed);
    scene.time.run_for(61s);
    auto const made = scene.rotate().value();
    REQUIRE(made.outcome == Outcome::completed);
    scene.time.run_for(3min);
    auto const found = scene.rotate().value();
    auto const keys = scene.emulator.keys();
    auto const lost = std::ranges::find_if(
        keys, [&](const ApiKey& key) { return key.name == "ci" && key.uid != made.new_uid; });
    REQUIRE(lost != keys.end());
    auto const line = "delete the key " + lost->uid + ", which nobody uses";
    CHECK(std::ranges::find(found.left, line) != found.left.end());
    scene.emulator.faults().clear();
    scene.time.run_for(1h + 1min);
    auto const deleted = scene.rotate().value();
    CHECK(scene.keys() == 1);
    CHECK(std::ranges::find(deleted.left, line) == deleted.left.end());
}

TEST_CASE(
    "rotation report: what an attempt has left is deleted at once, by a clock that is a second behind too") {
    RotationScene scene;
    scene.emulator.faults().add("POST /v1/apiKeys legacy-create x1");
    auto const failed = scene.rotate().value();
    REQUIRE(failed.outcome == Outcome::failed);
    REQUIRE(scene.keys() == 1);
    REQUIRE(failed.problem);
    CHECK(contains(failed.problem->message(), "too old to give values"));
    scene.time.clock->set(scene.time.clock->now() - 1s);
    CHECK(scene.rotate(lifecycle::RotateOptions().force()).value().outcome == Outcome::completed);
    CHECK(scene.keys() == 1);
}

TEST_CASE("rotation report: a key that cannot be used is not said to be of an earlier attempt") {
    RotationScene scene;
    scene.emulator.faults().add("POST /v1/apiKeys late-activation:300000 x1");
    auto const failed = scene.rotate().value();
    CHECK(failed.outcome == Outcome::failed);
    CHECK(scene.keys() == 0);
    CHECK(has_line(failed.done, " again"));
    CHECK_FALSE(has_line(failed.done, "earlier attempt"));
}

TEST_CASE("rotation report: a key that is older than a lost create is not taken for what that has made") {
    RotationScene scene;
    scene.emulator.seed_key(
        NewApiKey("ci").expires(Expiry::in(std::chrono::days{90}, scene.time.clock->now())));
    scene.time.run_for(std::chrono::days{40});
    scene.emulator.faults().add("POST /v1/apiKeys drop-before");
    REQUIRE(scene.rotate().value().outcome == Outcome::failed);
    scene.emulator.faults().clear();
    scene.time.run_for(2min);
    for (auto const& line : scene.rotate().value().left)
        CHECK(line.find("look whether key") == std::string::npos);
}

TEST_CASE("rotation report: has a line for a person in few of the hourly runs after a lost create") {
    RotationScene scene;
    scene.emulator.faults().add("POST /v1/apiKeys drop-after x1");
    scene.emulator.faults().add("GET /v1/apiKeys list-lag:600000");
    REQUIRE(scene.rotate().value().outcome == Outcome::failed);
    int with_lines = 0;
    for (int hour = 1; hour < 29; ++hour) {
        scene.time.run_for(1h);
        auto const rotation = scene.rotate().value();
        if (!rotation.left.empty()) ++with_lines;
        // Somebody has to call all the same.
        if (hour == 3) CHECK(*rotation.next_due < rotation.as_of + 24h);
    }
    CHECK(with_lines == 2);
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
