// SPDX-License-Identifier: BSL-1.0
#include "lifecycle/rotation_scene.hpp"

#include <palette/lifecycle/rotation.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// No state of a slot is one that no run gets out of, whoever has done what to its keys meanwhile.

namespace rotation_way_out_test {

using namespace std::chrono_literals;
using namespace palette;
using lifecycle::RotateOptions;
using lifecycle::Rotation;
using lifecycle::RotationState;
using Outcome = Rotation::Outcome;
template <class T>
using Awaitable = boost::asio::awaitable<Result<T>>;

constexpr std::chrono::days until_due{20};

// A slot whose second key is current, and whose first one is revoked and in quarantine.
Rotation begin_quarantine(RotationScene& scene) {
    REQUIRE(scene.rotate());
    scene.time.run_for(until_due + 2s);
    auto begun = scene.rotate().value();
    REQUIRE(begun.state == RotationState::overlap);
    scene.time.run_for(1h + 2s);
    REQUIRE(scene.rotate().value().state == RotationState::quarantine);
    return begun;
}

TEST_CASE("rotation way out: a key that stops working in the quarantine is told, and replaced by force") {
    using End = std::function<void(RotationScene&, const Rotation&)>;
    End const revoked = [](RotationScene& scene, const Rotation& begun) {
        scene.set_active(begun.new_uid, false);
    };
    End const removed = [](RotationScene& scene, const Rotation& begun) { scene.remove(begun.new_uid); };
    End const given_up = [](RotationScene& scene, const Rotation& begun) {
        scene.set_active(begun.new_uid, false);
        scene.set_active(begun.old_uid, true);
    };
    for (auto const& end : {revoked, removed, given_up}) {
        RotationScene scene;
        auto const begun = begin_quarantine(scene);
        end(scene, begun);
        auto const refused = scene.rotate();
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code() == errc::conflict);
        CHECK(refused.error().key_uid() == begun.new_uid);
        auto const forced = scene.rotate(RotateOptions().force());
        REQUIRE(forced);
        CHECK(forced->outcome != Outcome::failed);
        CHECK(scene.works());
    }
}

TEST_CASE("rotation way out: a key that expired in the quarantine, for no run came, is replaced by force") {
    RotationScene scene;
    begin_quarantine(scene);
    scene.time.run_for(std::chrono::days{31});
    CHECK_FALSE(scene.works());
    // It has deleted the old key first.
    auto const refused = scene.rotate().value();
    CHECK(refused.outcome == Outcome::failed);
    REQUIRE(refused.problem);
    CHECK(refused.problem->code() == errc::conflict);
    REQUIRE(scene.rotate(RotateOptions().force()));
    CHECK(scene.works());
}

TEST_CASE("rotation way out: an old key that a person has revoked, as advised, is taken for revoked") {
    RotationScene scene;
    REQUIRE(scene.rotate());
    scene.time.run_for(until_due + 2s);
    auto const begun = scene.rotate().value();
    scene.time.run_for(1h + 2s);
    scene.emulator.faults().add("PUT /v1/apiKeys status:403");
    auto const refused = scene.rotate().value();
    CHECK(refused.outcome == Outcome::failed);
    CHECK(refused.left == std::vector<std::string>{"revoke the old key " + begun.old_uid});
    scene.emulator.faults().clear();
    scene.set_active(begun.old_uid, false);
    scene.emulator.faults().add("PUT /v1/apiKeys status:403");
    scene.time.run_for(10min);
    auto const next = scene.rotate().value();
    CHECK(next.outcome == Outcome::in_progress);
    CHECK(next.state == RotationState::quarantine);
    CHECK(next.left.empty());
}

// Tells when the record says that the old key is revoked.
class WatchedStore final : public lifecycle::RotationStore {
public:
    explicit WatchedStore(std::shared_ptr<RotationStore> inner) : inner_(std::move(inner)) {}
    Awaitable<std::shared_ptr<lifecycle::SlotLock>> lock(std::string slot) override {
        co_return co_await inner_->lock(slot);
    }
    Awaitable<lifecycle::StoredRecord> load(std::string slot) override {
        co_return co_await inner_->load(slot);
    }
    Awaitable<std::uint64_t> save(std::string slot, std::string text, std::uint64_t expected) override {
        auto saved = co_await inner_->save(slot, text, expected);
        if (saved && text.find("\"state\":\"revoked\"") != std::string::npos) on_revoked();
        co_return saved;
    }

    std::function<void()> on_revoked;

private:
    std::shared_ptr<RotationStore> inner_;
};

TEST_CASE("rotation way out: an old key that a person has revoked is not re-activated for a bad new one") {
    RotationScene scene;
    REQUIRE(scene.rotate());
    scene.time.run_for(until_due + 2s);
    auto const begun = scene.rotate().value();
    scene.time.run_for(1h + 2s);
    scene.set_active(begun.old_uid, false);
    // Refused, and found as revoked; then the new key turns out not to work.
    scene.emulator.faults().add("PUT /v1/apiKeys status:403 x1");
    auto const store = std::make_shared<WatchedStore>(scene.store);
    store->on_revoked = [&] { scene.emulator.faults().add("GET /v1/users/info status:401"); };
    scene.time.run_for(10min);
    auto const failed = scene.rotate(lifecycle::Slot("ci", scene.sink, store)).value();
    CHECK(failed.outcome == Outcome::failed);
    CHECK(failed.state == RotationState::revoked);
    CHECK_FALSE(scene.is_active(begun.old_uid));
    REQUIRE(failed.left.size() == 1);
    CHECK(failed.left.front().starts_with("replace the key " + begun.new_uid));
    scene.emulator.faults().clear();
    scene.set_active(begun.new_uid, false);
    CHECK(scene.rotate(RotateOptions().force()).value().outcome == Outcome::in_progress);
    CHECK(scene.works());
    scene.time.run_for(1h + 2s);
    CHECK(scene.rotate().value().state == RotationState::quarantine);
    scene.time.run_for(std::chrono::days{8});
    CHECK(scene.rotate().value().outcome == Outcome::completed);
    CHECK(scene.keys() == 1);
}

TEST_CASE(
    "rotation way out: a key that cannot be deleted stands in nobody's way once a person has revoked it") {
    RotationScene scene;
    REQUIRE(scene.rotate());
    scene.time.run_for(until_due + 2s);
    scene.emulator.faults().add("DELETE /v1/apiKeys deny-delete");
    scene.emulator.faults().add("POST /v1/apiKeys late-activation:300000 x1");
    auto const failed = scene.rotate().value();
    REQUIRE(failed.outcome == Outcome::failed);
    REQUIRE(failed.left.size() == 1);
    scene.time.run_for(2h);
    CHECK(scene.rotate().value().outcome == Outcome::failed);
    auto const keys = scene.emulator.keys();
    auto const given_up = std::ranges::find_if(
        keys, [&](const ApiKey& key) { return failed.left.front().find(key.uid) != std::string::npos; });
    REQUIRE(given_up != keys.end());
    scene.set_active(given_up->uid, false);
    scene.time.run_for(6h);
    auto const next = scene.rotate().value();
    CHECK(next.outcome == Outcome::in_progress);
    CHECK(next.state == RotationState::overlap);
}

// Passes all on to a sink, and can be changed in three ways.
class ChangedSink final : public lifecycle::SecretSink {
public:
    explicit ChangedSink(std::shared_ptr<SecretSink> inner) : inner_(std::move(inner)) {}
    Awaitable<lifecycle::Receipt> stage(std::string rotation_id, std::string key_uid, Expiry expiry,
                                        const Secret& value) override {
        co_return co_await inner_->stage(rotation_id, key_uid, expiry, value);
    }
    Awaitable<Secret> read_back(lifecycle::Receipt receipt) override {
        co_return co_await inner_->read_back(receipt);
    }
    Awaitable<void> promote(lifecycle::Receipt receipt, std::optional<std::uint64_t> expected) override {
        auto done = co_await inner_->promote(receipt, expected);
        if (done) promoted_ = receipt;
        if (done && says_conflict) co_return Error(errc::conflict, "who knows").effect(Effect::unknown);
        co_return done;
    }
    Awaitable<void> discard(lifecycle::Receipt receipt) override {
        if (refuses_discard) co_return Error(errc::system, "this token may not delete");
        co_return co_await inner_->discard(receipt);
    }
    Awaitable<lifecycle::SinkContents> contents() override {
        auto all = co_await inner_->contents();
        if (all && keeps_pending && !all->pending) all->pending = promoted_;
        co_return all;
    }

    bool refuses_discard = false;
    bool keeps_pending = false;  // what was promoted, as after a copy that was cut short
    bool says_conflict = false;  // of a promotion that was done

private:
    std::shared_ptr<SecretSink> inner_;
    std::optional<lifecycle::Receipt> promoted_;
};

TEST_CASE(
    "rotation way out: a client that has revoked the key that it uses itself deletes it by the new one") {
    RotationScene scene;
    REQUIRE(scene.rotate());
    auto options = scene.emulator.client_options(RotationScene::Role::tenant_admin);
    options.auth = auth::api_key(Secret(scene.value()));
    scene.time.watch(options);
    scene.client.emplace(scene.time.context, options);
    auto const at_once = RotateOptions().force().overlap(0ms).quarantine(0ms);
    CHECK(scene.rotate(at_once).value().outcome == Outcome::completed);
    CHECK(scene.keys() == 1);
    CHECK(scene.works());
}

TEST_CASE("rotation way out: a sink that lets go of no value does not keep the next rotation from its time") {
    RotationScene scene;
    auto const sink = std::make_shared<ChangedSink>(scene.sink);
    sink->refuses_discard = true;
    lifecycle::Slot const slot("ci", sink, scene.store);
    REQUIRE(scene.rotate(slot));
    scene.time.run_for(until_due + 2s);
    REQUIRE(scene.rotate(slot).value().state == RotationState::overlap);
    scene.time.run_for(1h + 2s);
    REQUIRE(scene.rotate(slot).value().state == RotationState::quarantine);
    scene.time.run_for(std::chrono::days{7});
    CHECK(scene.rotate(slot).value().outcome == Outcome::failed);
    scene.time.run_for(std::chrono::days{13});
    auto const due = scene.rotate(slot).value();
    CHECK(due.outcome == Outcome::in_progress);
    CHECK(due.state == RotationState::overlap);
    CHECK(scene.works());

    SUBCASE("nor one by force") {
        scene.time.run_for(1h + 2s);
        REQUIRE(scene.rotate(slot).value().state == RotationState::quarantine);
        auto const forced = scene.rotate(slot, RotateOptions().force()).value();
        CHECK(forced.state == RotationState::overlap);
        CHECK(scene.works());
    }
}

TEST_CASE("rotation way out: a value that a sink shows as current and as pending is the current one") {
    RotationScene scene;
    auto const sink = std::make_shared<ChangedSink>(scene.sink);
    sink->keeps_pending = true;
    lifecycle::Slot const slot("ci", sink, scene.store);
    auto const first = scene.rotate(slot).value();
    auto const next = scene.rotate(slot).value();
    CHECK(next.outcome == Outcome::not_due);
    CHECK(next.left.empty());
    CHECK(scene.is_active(first.new_uid));
    CHECK(scene.works());
}

TEST_CASE("rotation way out: a conflict whose effect is not known is no proof that a race was lost") {
    RotationScene scene;
    auto const sink = std::make_shared<ChangedSink>(scene.sink);
    sink->says_conflict = true;
    lifecycle::Slot const slot("ci", sink, scene.store);
    auto const first = scene.rotate(slot).value();
    CHECK(first.outcome == Outcome::completed);
    CHECK(scene.works());
}

// A create is lost, which leaves a key beside those that there are: `active` in all. Two hours later another
// administrator runs the rotation.
Rotation lose_and_go_on_as_another(RotationScene& scene, std::size_t active) {
    scene.emulator.faults().add("POST /v1/apiKeys drop-after x1");
    scene.emulator.faults().add("GET /v1/apiKeys deny-list after=1");
    REQUIRE(scene.rotate().value().outcome == Outcome::failed);
    scene.emulator.faults().clear();
    CHECK(scene.active_keys() == active);
    scene.become(RotationScene::Role::tenant_user_admin);
    scene.time.run_for(2h);
    return scene.rotate().value();
}

TEST_CASE("rotation way out: another administrator goes on where a create was lost, and its key is deleted") {
    RotationScene scene;
    REQUIRE(scene.rotate());
    scene.time.run_for(until_due + 2s);
    auto const other = lose_and_go_on_as_another(scene, 2);
    CHECK(other.outcome == Outcome::in_progress);
    CHECK(other.state == RotationState::overlap);
    CHECK(scene.active_keys() == 2);
    CHECK(scene.works());
}

TEST_CASE("rotation way out: whoever may not see what a create of another's has made is told so") {
    RotationScene scene;
    auto const other = lose_and_go_on_as_another(scene, 1);
    CHECK(other.outcome == Outcome::failed);
    REQUIRE(other.problem);
    CHECK(other.problem->advice().find("or by force()") != std::string::npos);
    CHECK(scene.active_keys() == 1);
}

}  // namespace rotation_way_out_test
