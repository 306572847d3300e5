// SPDX-License-Identifier: BSL-1.0
#include "lifecycle/rotation_scene.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

// A rotation that is overtaken by another one between two of its steps, because its lock does not hold.

namespace rotation_lost_race_test {

using namespace std::chrono_literals;
using namespace palette;
using lifecycle::RotateOptions;
using lifecycle::Rotation;
using lifecycle::RotationStore;
using lifecycle::Slot;
using Outcome = Rotation::Outcome;
template <class T>
using Awaitable = boost::asio::awaitable<Result<T>>;

// Locks keep nobody out. Before a record of that state is saved, or after it, `other` runs to its end.
class Overtaken final : public RotationStore {
public:
    Overtaken(std::shared_ptr<RotationStore> store, std::string state = {},
              std::function<Awaitable<Rotation>()> other = {})
        : store_(std::move(store)),
          state_(std::move(state)),
          other_(std::move(other)) {}

    Awaitable<std::shared_ptr<lifecycle::SlotLock>> lock(std::string) override {
        co_return std::make_shared<Nothing>();
    }
    Awaitable<lifecycle::StoredRecord> load(std::string slot) override {
        if (cannot_load && overtaken_by) co_return Error(errc::unavailable, "there is no store any more");
        co_return co_await store_->load(std::move(slot));
    }
    Awaitable<std::uint64_t> save(std::string slot, std::string text, std::uint64_t version) override {
        auto const is_meant = other_ && text.find(R"("state":")" + state_ + '"') != std::string::npos;
        if (is_meant && !is_late) overtaken_by = co_await std::exchange(other_, nullptr)();
        auto saved = co_await store_->save(std::move(slot), std::move(text), version);
        if (is_meant && is_late) overtaken_by = co_await std::exchange(other_, nullptr)();
        co_return saved;
    }

    bool is_late = false;
    std::optional<Result<Rotation>> overtaken_by;
    bool cannot_load = false;

private:
    class Nothing final : public lifecycle::SlotLock {};

    std::shared_ptr<RotationStore> store_;
    std::string state_;
    std::function<Awaitable<Rotation>()> other_;
};

class Race {
public:
    explicit Race(const std::string& state) {
        REQUIRE(scene.rotate());
        scene.time.run_for(21 * 24h);
        auto const slot = Slot("ci", scene.sink, std::make_shared<Overtaken>(scene.store));
        store = std::make_shared<Overtaken>(scene.store, state, [this, slot]() -> Awaitable<Rotation> {
            co_return co_await lifecycle::async_rotate(*scene.client, slot, options);
        });
    }

    Rotation run() {
        auto const rotation = scene.rotate(Slot("ci", scene.sink, store), options);
        REQUIRE(rotation);
        INFO(*rotation);
        REQUIRE(store->overtaken_by);
        REQUIRE(*store->overtaken_by);
        INFO(**store->overtaken_by);
        CHECK(scene.works());
        return *rotation;
    }

    RotationScene scene;
    std::shared_ptr<Overtaken> store;
    RotateOptions options = RotateOptions().overlap(0ms).retire(lifecycle::Retire::revoke);
};

bool did(const Rotation& rotation, std::string_view what) {
    return std::ranges::any_of(rotation.done,
                               [&](const std::string& line) { return line.starts_with(what); });
}

TEST_CASE("rotation lost race: whoever is overtaken leaves the key alone that the other one goes on with") {
    for (auto const* const state : {"planned", "created", "staged", "proven", "overlap", "revoked"}) {
        CAPTURE(state);
        Race race(state);
        auto const rotation = race.run();
        CHECK(rotation.outcome == Outcome::lost_race);
        CHECK(rotation.problem.value().code() == errc::conflict);
        CHECK(rotation.left.empty());
        CHECK((*race.store->overtaken_by)->outcome == Outcome::completed);
        // The old key, and one successor.
        CHECK(race.scene.keys() == 2);
        CHECK(race.scene.active_keys() == 1);
    }
}

TEST_CASE("rotation lost race: whoever is overtaken before its create deletes the key that it makes") {
    Race race("planned");
    race.store->is_late = true;
    auto const rotation = race.run();
    CHECK(rotation.outcome == Outcome::lost_race);
    CHECK(rotation.left.empty());
    CHECK((*race.store->overtaken_by)->outcome == Outcome::completed);
    CHECK(did(rotation, "deleted the new key"));
    CHECK(race.scene.keys() == 2);
    CHECK(race.scene.active_keys() == 1);
}

TEST_CASE("rotation lost race: whoever is overtaken with a stored value leaves its key to the other one") {
    for (auto const* const state : {"proven", "overlap"}) {
        CAPTURE(state);
        Race race(state);
        auto const rotation = race.run();
        CHECK(rotation.outcome == Outcome::lost_race);
        CHECK(rotation.new_uid == (*race.store->overtaken_by)->new_uid);
        CHECK_FALSE(did(rotation, "deleted the new key"));
    }
}

TEST_CASE("rotation lost race: a key of which nobody knows whether it is used is named, and stays") {
    for (auto const* const state : {"created", "staged", "proven"}) {
        CAPTURE(state);
        Race race(state);
        race.store->cannot_load = true;
        auto const rotation = race.run();
        CHECK(rotation.outcome == Outcome::lost_race);
        CHECK(rotation.problem.value().code() == errc::conflict);
        REQUIRE(rotation.left.size() == 1);
        CHECK(rotation.left.front().find("unless the slot uses it") != std::string::npos);
    }
}

}  // namespace rotation_lost_race_test
