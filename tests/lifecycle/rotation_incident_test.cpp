// SPDX-License-Identifier: BSL-1.0
#include "lifecycle/rotation_scene.hpp"

#include <palette/lifecycle/rotation.hpp>
#include <palette/testing/memory_sink.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

// Somebody revokes or re-activates keys of a slot by hand while it is rotated.

namespace rotation_incident_test {

using namespace std::chrono_literals;
using namespace palette;
using lifecycle::RotateOptions;
using lifecycle::Rotation;
using lifecycle::RotationState;
using Outcome = Rotation::Outcome;

constexpr std::chrono::days until_due{20};

// A slot in the overlap of its second key.
Rotation begin_second(RotationScene& scene, const RotateOptions& options = {}) {
    REQUIRE(scene.rotate(options));
    scene.time.run_for(until_due + 2s);
    return scene.rotate(options).value();
}

TEST_CASE(
    "rotation incident: with a sink that cannot be read, a new key that was revoked is not proved by being "
    "there") {
    RotationScene scene;
    auto const sink = std::make_shared<testing::MemorySink>();
    sink->write_only();
    lifecycle::Slot const slot("memory", sink, scene.store);
    auto const options = RotateOptions().unproven_ok();
    REQUIRE(scene.rotate(slot, options));
    scene.time.run_for(until_due + 2s);
    auto const begun = scene.rotate(slot, options).value();
    REQUIRE(begun.state == RotationState::overlap);
    scene.set_active(begun.new_uid, false);
    scene.time.run_for(1h + 2s);
    auto const failed = scene.rotate(slot, options).value();
    CHECK(failed.outcome == Outcome::failed);
    CHECK(failed.state == RotationState::overlap);
    CHECK(scene.is_active(begun.old_uid));
}

TEST_CASE(
    "rotation incident: a key that could not be deleted, and that somebody has re-activated, is not "
    "deleted") {
    RotationScene scene;
    // So that the first key has not expired by then.
    auto const options = RotateOptions().lifetime(std::chrono::days{90}).renew_at(0.3);
    constexpr std::chrono::days third{27};
    REQUIRE(scene.rotate(options));
    scene.time.run_for(third + 2s);
    auto const first = scene.rotate(options).value();
    scene.emulator.faults().add("DELETE /v1/apiKeys deny-delete");
    scene.time.run_for(1h + 2s);
    REQUIRE(scene.rotate(options).value().state == RotationState::quarantine);
    scene.time.run_for(third);
    REQUIRE(scene.rotate(options).value().state == RotationState::overlap);  // of the third key
    scene.emulator.faults().clear();
    scene.set_active(first.old_uid, true);
    scene.time.run_for(1h + 2s);
    auto const rotation = scene.rotate(options).value();
    CHECK(scene.is_active(first.old_uid));
    std::string left;
    for (auto const& line : rotation.left)
        left += line + '\n';
    CHECK(left.find(first.old_uid + " was re-activated, so it is not deleted") != std::string::npos);
}

TEST_CASE(
    "rotation incident: what a rotation could not revoke, and somebody else did, it does not re-activate") {
    RotationScene scene;
    auto const begun = begin_second(scene);
    scene.emulator.faults().add("PUT /v1/apiKeys status:403 x1");
    scene.time.run_for(1h + 2s);
    REQUIRE(scene.rotate().value().outcome == Outcome::failed);
    REQUIRE(scene.is_active(begun.old_uid));
    scene.set_active(begun.old_uid, false);
    scene.set_active(begun.new_uid, false);
    scene.time.run_for(10min);
    CHECK(scene.rotate().value().outcome == Outcome::failed);
    CHECK_FALSE(scene.is_active(begun.old_uid));
}

boost::asio::awaitable<Result<void>> failing_hook(const lifecycle::Promotion& /*promotion*/) {
    co_return Error(errc::system, "the service does not come up with this key");
}

boost::asio::awaitable<Result<void>> hook_that_fails(lifecycle::Promotion promotion) {
    return failing_hook(promotion);
}

TEST_CASE("rotation incident: by force a key that stops working is replaced although its hook fails") {
    RotationScene scene;
    REQUIRE(scene.rotate());
    scene.time.run_for(until_due + 2s);
    auto const with_hook = RotateOptions().hook(&hook_that_fails);
    auto const begun = scene.rotate(with_hook).value();
    REQUIRE(begun.state == RotationState::overlap);
    scene.set_active(begun.new_uid, false);
    auto const forced = scene.rotate(RotateOptions().hook(&hook_that_fails).force()).value();
    CHECK(forced.new_uid != begun.new_uid);
    CHECK(forced.old_uid == begun.old_uid);
    CHECK(scene.works());
    CHECK(scene.is_active(begun.old_uid));
    // A hook that fails still keeps the old key.
    scene.time.run_for(2h);
    CHECK(scene.rotate(RotateOptions().hook(&hook_that_fails).force()).value().outcome == Outcome::failed);
    CHECK(scene.is_active(begun.old_uid));
}

TEST_CASE(
    "rotation incident: a broken key is deleted, and the old one named, when somebody empties the sink "
    "meanwhile") {
    RotationScene scene;
    auto const begun = begin_second(scene);
    scene.set_active(begun.new_uid, false);
    scene.emulator.faults().add("POST /v1/apiKeys status:500 x1");
    REQUIRE(scene.rotate(RotateOptions().force()).value().outcome == Outcome::failed);
    std::filesystem::remove(scene.path);
    std::filesystem::remove(scene.path + ".json");
    scene.time.run_for(2min);
    auto const again = scene.rotate().value();
    CHECK(again.outcome == Outcome::completed);
    REQUIRE_FALSE(again.left.empty());
    CHECK(again.left.front() == "look whether anybody uses the key " + begun.old_uid);
    CHECK(scene.works());
    scene.time.run_for(1h + 2s);
    REQUIRE(scene.rotate());
    CHECK(scene.keys() == 2);  // the new one, and the old one, about which a person decides
}

TEST_CASE(
    "rotation incident: no key is made in place of one whose value was taken out of the sink, unless by "
    "force") {
    RotationScene scene;
    auto const first = scene.rotate().value();
    auto const value = scene.value();
    std::filesystem::rename(scene.path, scene.path + ".moved");
    for (bool has_json : {true, false}) {
        CAPTURE(has_json);
        if (!has_json) std::filesystem::remove(scene.path + ".json");
        auto const refused = scene.rotate();
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code() == errc::conflict);
        CHECK(refused.error().key_uid() == first.new_uid);
        CHECK(refused.error().effect() == Effect::not_applied);
        CHECK(scene.keys() == 1);
    }
    auto const forced = scene.rotate(RotateOptions().force()).value();
    CHECK(forced.outcome == Outcome::completed);
    REQUIRE(forced.left.size() == 1);
    CHECK(forced.left.front() == "look whether anybody uses the key " + first.new_uid);
    CHECK(scene.works());
    CHECK(scene.value() != value);
    CHECK(scene.keys() == 2);

    // The same in an overlap.
    REQUIRE(scene.rotate(RotateOptions().force()).value().state == RotationState::overlap);
    std::filesystem::rename(scene.path, scene.path + ".moved");
    auto const in_overlap = scene.rotate();
    REQUIRE_FALSE(in_overlap);
    CHECK(in_overlap.error().message().find("the sink is empty") != std::string::npos);
    CHECK(scene.active_keys() == 3);
    std::filesystem::rename(scene.path + ".moved", scene.path);
    scene.time.run_for(1h + 2s);
    CHECK(scene.rotate().value().state == RotationState::quarantine);
    scene.time.run_for(std::chrono::days{7});
    CHECK(scene.rotate().value().outcome == Outcome::completed);
    CHECK(scene.keys() == 2);

    // A key that is gone as well is missed by nobody.
    std::filesystem::remove(scene.path);
    auto const keys = scene.emulator.keys();
    scene.remove(keys[keys.size() - 1].uid);
    CHECK(scene.rotate().value().outcome == Outcome::completed);
    CHECK(scene.works());
}

TEST_CASE(
    "rotation incident: a value that was taken out of the sink is missed after a rotation that failed, too") {
    RotationScene scene;
    auto const first = scene.rotate().value();
    scene.time.run_for(std::chrono::days{20} + 2s);
    scene.emulator.faults().add("POST /v1/apiKeys status:422 x1");
    REQUIRE(scene.rotate().value().outcome == Outcome::failed);
    std::filesystem::rename(scene.path, scene.path + ".moved");
    scene.time.run_for(2min);
    auto const refused = scene.rotate();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == errc::conflict);
    CHECK(refused.error().key_uid() == first.new_uid);
    CHECK(scene.keys() == 1);
    auto const forced = scene.rotate(RotateOptions().force()).value();
    CHECK(forced.left == std::vector<std::string>{"look whether anybody uses the key " + first.new_uid});
    CHECK(scene.works());
}

TEST_CASE("rotation incident: to put back the value of a key that does not work any more is not advised") {
    for (bool is_gone : {false, true}) {
        CAPTURE(is_gone);
        RotationScene scene;
        auto const begun = begin_second(scene);
        std::filesystem::remove(scene.path);
        if (is_gone)
            scene.remove(begun.new_uid);
        else
            scene.set_active(begun.new_uid, false);
        auto const refused = scene.rotate();
        REQUIRE_FALSE(refused);
        CHECK(refused.error().key_uid() == begun.new_uid);
        CHECK(refused.error().message().find(is_gone ? "does not exist any more"
                                                     : "is revoked or has expired") != std::string::npos);
        CHECK(refused.error().advice().find("put the value back") == std::string::npos);
        CHECK(scene.rotate(RotateOptions().force()));
        CHECK(scene.works());
    }
}

TEST_CASE("rotation incident: another text in the sink's file is told from the value that was stored") {
    RotationScene scene;
    auto const first = scene.rotate().value();
    for (auto const* text : {"", "another text\n"}) {
        CAPTURE(std::string(text));
        std::ofstream(scene.path) << text;
        auto const refused = scene.rotate();
        REQUIRE_FALSE(refused);
        CHECK(refused.error().key_uid() == first.new_uid);
        CHECK(refused.error().message().find("does not know what it holds as the value of this key") !=
              std::string::npos);
        CHECK(refused.error().advice().starts_with("put the value back"));
    }
}

TEST_CASE("rotation incident: a value that is put back with a line end is the value") {
    RotationScene scene;
    auto const value = scene.rotate() ? scene.value() : std::string();
    for (auto const* end : {"\n", "\r\n"}) {
        std::ofstream(scene.path) << value << end;
        CHECK(scene.rotate().value().outcome == Outcome::not_due);
    }
    auto const two = scene.rotate(RotateOptions().force());
    REQUIRE(two);
    auto const second = scene.value();
    std::ofstream(scene.path) << second << '\n';
    scene.time.run_for(1h + 2s);
    CHECK(scene.rotate().value().state == RotationState::quarantine);
    std::ofstream(scene.path) << value << "\n\n";
    CHECK_FALSE(scene.rotate());
}

TEST_CASE("rotation incident: a 404 of a proxy is no verdict on a new key") {
    RotationScene scene;
    auto const begun = begin_second(scene);
    scene.time.run_for(1h + 2s);
    scene.emulator.faults().add("* /v1/apiKeys/" + begun.new_uid + " html:404");
    auto const failed = scene.rotate().value();
    scene.emulator.faults().clear();
    CHECK(failed.outcome == Outcome::failed);
    CHECK(failed.state == RotationState::overlap);
    // It does not say that the key does not work.
    CHECK(failed.left.empty());
    scene.time.run_for(10min);
    CHECK(scene.rotate().value().state == RotationState::quarantine);
    CHECK(scene.works());
}

TEST_CASE("rotation incident: a 404 of a proxy says of no key that it is gone") {
    RotationScene scene;
    auto const begun = begin_second(scene);
    auto const exists = [&] {
        auto const keys = scene.emulator.keys();
        return std::ranges::find(keys, begun.old_uid, &ApiKey::uid) != keys.end();
    };
    auto const behind_the_proxy = [&](std::chrono::milliseconds later) {
        scene.time.run_for(later);
        scene.emulator.faults().add("* /v1/apiKeys/" + begun.old_uid + " html:404");
        auto const rotation = scene.rotate().value();
        scene.emulator.faults().clear();
        return rotation;
    };
    CHECK(behind_the_proxy(1h + 2s).outcome == Outcome::failed);
    CHECK(scene.is_active(begun.old_uid));
    scene.time.run_for(10min);
    CHECK(scene.rotate().value().state == RotationState::quarantine);
    CHECK_FALSE(scene.is_active(begun.old_uid));
    CHECK(behind_the_proxy(std::chrono::days{7}).outcome == Outcome::failed);
    CHECK(exists());
    scene.time.run_for(10min);
    CHECK(scene.rotate().value().outcome == Outcome::completed);
    CHECK_FALSE(exists());
}

}  // namespace rotation_incident_test
