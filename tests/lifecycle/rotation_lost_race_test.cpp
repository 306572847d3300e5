// SPDX-License-Identifier: BSL-1.0
#include "lifecycle/rotation_scene.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
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

// Locks keep nobody out. Before a record of that state is saved, `other` runs to its end.
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
        if (other_ && text.find(R"("state":")" + state_ + '"') != std::string::npos)
            overtaken_by = co_await std::exchange(other_, nullptr)();
        co_return co_await store_->save(std::move(slot), std::move(text), version);
    }

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
