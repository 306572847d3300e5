// SPDX-License-Identifier: BSL-1.0
#include "lifecycle/rotation_scene.hpp"

#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>
#include <palette/testing/memory_sink.hpp>

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

// Rotations against the emulator, with the sink and the store that lie in files.

namespace rotation_test {

using namespace std::chrono_literals;
using namespace palette;
using lifecycle::Retire;
using lifecycle::RotateOptions;
using lifecycle::Rotation;
using lifecycle::RotationState;
using lifecycle::Slot;
using Outcome = Rotation::Outcome;
using Days = std::chrono::days;

std::string text(const Result<Rotation>& rotation) {
    std::ostringstream out;
    if (rotation)
        out << *rotation;
    else
        out << rotation.error().message();
    return out.str();
}

TEST_CASE("rotation: the first call for an empty slot provisions it") {
    RotationScene scene;
    auto const rotation = scene.rotate();
    INFO(text(rotation));
    REQUIRE(rotation);
    CHECK(rotation->outcome == Outcome::completed);
    CHECK(rotation->state == RotationState::idle);
    CHECK(rotation->old_uid.empty());
    CHECK(rotation->left.empty());
    CHECK(scene.keys() == 1);
    CHECK(scene.works());
    REQUIRE(rotation->next_due);
    CHECK(*rotation->next_due - scene.time.clock->now() > Days(19));
    CHECK(*rotation->next_due - scene.time.clock->now() <= Days(20));
}

TEST_CASE("rotation: does nothing before two thirds of the life that the service gave") {
    RotationScene scene;
    auto const first = scene.rotate().value();
    auto const value = scene.value();
    scene.time.run_for(Days(19));
    auto const rotation = scene.rotate();
    INFO(text(rotation));
    REQUIRE(rotation);
    CHECK(rotation->outcome == Outcome::not_due);
    CHECK(rotation->next_due == first.next_due);
    CHECK(scene.value() == value);
    CHECK(scene.keys() == 1);
}

TEST_CASE(
    "rotation: replaces a key that is due, revokes it after the overlap and deletes it after the "
    "quarantine") {
    RotationScene scene;
    auto const first = scene.rotate().value();
    auto const old_value = scene.value();
    scene.time.run_for(Days(20));

    auto const promoted = scene.rotate();
    INFO(text(promoted));
    REQUIRE(promoted);
    CHECK(promoted->outcome == Outcome::in_progress);
    CHECK(promoted->state == RotationState::overlap);
    CHECK(promoted->old_uid == first.new_uid);
    CHECK(promoted->new_uid != first.new_uid);
    REQUIRE(promoted->proven_at);
    CHECK(scene.value() != old_value);
    CHECK(scene.works());
    CHECK(scene.active_keys() == 2);

    // Within the overlap nothing more is done.
    scene.time.run_for(58min);
    CHECK(scene.rotate().value().state == RotationState::overlap);
    CHECK(scene.active_keys() == 2);

    scene.time.run_for(5min);
    auto const revoked = scene.rotate();
    INFO(text(revoked));
    REQUIRE(revoked);
    CHECK(revoked->outcome == Outcome::in_progress);
    CHECK(revoked->state == RotationState::quarantine);
    CHECK(scene.active_keys() == 1);
    CHECK(scene.keys() == 2);

    scene.time.run_for(Days(7));
    auto const ended = scene.rotate();
    INFO(text(ended));
    REQUIRE(ended);
    CHECK(ended->outcome == Outcome::completed);
    CHECK(ended->state == RotationState::idle);
    CHECK(scene.keys() == 1);
    CHECK(scene.works());
    CHECK(ended->left.empty());
}

TEST_CASE("rotation: a client may rotate the key that it uses itself") {
    RotationScene scene;
    REQUIRE(scene.rotate());
    // From now on the client uses what is in the sink.
    auto options = scene.emulator.client_options(testing::Role::tenant_admin);
    options.auth = auth::file(scene.path);
    scene.time.watch(options);
    scene.client.emplace(scene.time.context, options);
    for (int i = 0; i < 3; ++i) {
        scene.time.run_for(Days(20));
        REQUIRE(scene.rotate().value().state == RotationState::overlap);
        scene.time.run_for(2h);
        auto const revoked = scene.rotate();
        INFO(text(revoked));
        REQUIRE(revoked);
        REQUIRE(revoked->state == RotationState::quarantine);
        scene.time.run_for(Days(8));
        REQUIRE(scene.rotate().value().outcome == Outcome::completed);
        CHECK(scene.keys() == 1);
    }
}

TEST_CASE("rotation: keeps the old key, or leaves it revoked, where that is asked for") {
    RotationScene kept;
    REQUIRE(kept.rotate());
    REQUIRE(kept.rotate(RotateOptions().force().retire(Retire::keep)).value().outcome == Outcome::completed);
    CHECK(kept.active_keys() == 2);

    RotationScene revoked;
    REQUIRE(revoked.rotate());
    auto const options = RotateOptions().overlap(0ms).retire(Retire::revoke);
    auto const rotation = revoked.rotate(RotateOptions(options).force());
    INFO(text(rotation));
    CHECK(rotation.value().outcome == Outcome::completed);
    CHECK(revoked.active_keys() == 1);
    CHECK(revoked.keys() == 2);
}

TEST_CASE(
    "rotation: the hook is called after the promotion, again while it fails, and nothing is revoked before") {
    RotationScene scene;
    REQUIRE(scene.rotate());
    int calls = 0;
    bool is_good = false;
    auto const options = RotateOptions().overlap(0ms).hook(
        [&](lifecycle::Promotion promotion) -> boost::asio::awaitable<Result<void>> {
            ++calls;
            CHECK(promotion.slot == "ci");
            if (is_good) co_return Result<void>();
            co_return Error(errc::system, "the service does not reload");
        });
    auto rotation = scene.rotate(RotateOptions(options).force());
    INFO(text(rotation));
    REQUIRE(rotation);
    CHECK(rotation->outcome == Outcome::failed);
    CHECK(rotation->problem.value().message().find("does not reload") != std::string::npos);
    CHECK(scene.works());
    CHECK(scene.active_keys() == 2);
    CHECK(calls == 1);
    REQUIRE(scene.rotate(options).value().outcome == Outcome::failed);
    CHECK(calls == 2);
    is_good = true;
    REQUIRE(scene.rotate(options).value().state == RotationState::quarantine);
    CHECK(calls == 3);
    CHECK(scene.active_keys() == 1);
}

TEST_CASE("rotation: a hook that hangs is ended after its time") {
    RotationScene scene;
    auto const options = RotateOptions().hook_timeout(10s).hook(
        [&](lifecycle::Promotion) -> boost::asio::awaitable<Result<void>> {
            co_return co_await scene.client->async_wait(24h);
        });
    auto const rotation = scene.rotate(options);
    INFO(text(rotation));
    REQUIRE(rotation);
    CHECK(rotation->outcome == Outcome::failed);
    CHECK(rotation->problem.value().code() == errc::timeout);
    CHECK(scene.works());
}

TEST_CASE("rotation: never begins because the key was revoked, unless by force") {
    RotationScene scene;
    auto const first = scene.rotate().value();
    std::optional<Result<void>> revoked;
    scene.client->async_revoke(first.new_uid, [&](Result<void> r) { revoked.emplace(std::move(r)); });
    scene.time.run_until([&] { return revoked.has_value(); });
    REQUIRE(revoked->has_value());
    scene.time.run_for(Days(21));
    auto const refused = scene.rotate();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == errc::conflict);
    CHECK(refused.error().key_uid() == first.new_uid);
    CHECK(scene.keys() == 1);
    auto const forced = scene.rotate(RotateOptions().force());
    INFO(text(forced));
    REQUIRE(forced);
    CHECK(scene.works());
}

TEST_CASE("rotation: what cannot be used is refused before anything is read or changed") {
    RotationScene scene;
    struct Row {
        Slot slot;
        RotateOptions options;
        const char* path;
    };
    for (auto const& row : {
             Row{Slot("a/b", scene.sink, scene.store), RotateOptions(), "slot"},
             Row{Slot("", scene.sink, scene.store), RotateOptions(), "slot"},
             Row{Slot("..", scene.sink, scene.store), RotateOptions(), "slot"},
             Row{Slot("ci", nullptr, scene.store), RotateOptions(), "sink"},
             Row{Slot("ci", scene.sink, nullptr), RotateOptions(), "store"},
             Row{scene.slot, RotateOptions().lifetime(0ms), "lifetime"},
             Row{scene.slot, RotateOptions().lifetime(-1h), "lifetime"},
             Row{scene.slot, RotateOptions().overlap(-1ms), "overlap"},
             Row{scene.slot, RotateOptions().lifetime(1h).overlap(1h), "overlap"},
             Row{scene.slot, RotateOptions().quarantine(-1ms), "quarantine"},
             Row{scene.slot, RotateOptions().renew_at(0), "renew_at"},
             Row{scene.slot, RotateOptions().renew_at(1.5), "renew_at"},
             Row{scene.slot, RotateOptions().hook_timeout(0ms), "hook_timeout"},
         }) {
        CAPTURE(row.path);
        auto const rotation = scene.rotate(row.slot, row.options);
        REQUIRE_FALSE(rotation);
        CHECK(rotation.error().code() == errc::invalid_argument);
        CHECK(rotation.error().path() == row.path);
        CHECK(rotation.error().operation() == "rotate");
    }
    CHECK(scene.emulator.request_count() == 0);
    CHECK(scene.folder.names().empty());
}

TEST_CASE(
    "rotation: a sink or a store in a directory that others may write to is refused before anything is "
    "changed") {
    RotationScene scene;
    std::filesystem::create_directory(scene.folder.path("open"));
    REQUIRE(::chmod(scene.folder.path("open").c_str(), 0777) == 0);
    for (auto const& slot : {Slot("ci", lifecycle::file_sink(scene.folder.path("open/key")), scene.store),
                             Slot("ci", scene.sink, lifecycle::file_store(scene.folder.path("open")))}) {
        auto const rotation = scene.rotate(slot);
        REQUIRE_FALSE(rotation);
        CHECK(rotation.error().code() == errc::invalid_argument);
        CHECK(scene.keys() == 0);
        CHECK(std::filesystem::is_empty(scene.folder.path("open")));
    }
}

TEST_CASE("rotation: a sink that reads back another value is found out before the promotion") {
    RotationScene scene;
    auto const sink = std::make_shared<testing::MemorySink>();
    Slot const slot("ci", sink, scene.store);
    REQUIRE(scene.rotate(slot));
    auto const value = sink->current_value();
    for (auto const* lie : {"another value", ""}) {
        sink->lie_on_read_back(lie);
        auto const rotation = scene.rotate(slot, RotateOptions().force());
        INFO(text(rotation));
        REQUIRE(rotation);
        CHECK(rotation->outcome == Outcome::failed);
        REQUIRE(rotation->problem);
        CHECK(rotation->problem->code() == errc::conflict);
        CHECK(sink->current_value() == value);
        // The key whose value the sink has lost is deleted at once.
        CHECK(scene.keys() == 1);
        CHECK_FALSE(sink->pending_value());
    }
}

TEST_CASE(
    "rotation: a record that is torn, empty, newer or another tenant's is an error, and never a fresh "
    "start") {
    RotationScene scene;
    REQUIRE(scene.rotate());
    auto const path = scene.folder.path("ci.json");
    auto const good = content_of(path);
    auto const keys = scene.keys();
    auto const refuse = [&](const std::string& content) {
        static_cast<void>(scene.folder.file("ci.json", content));
        auto const rotation = scene.rotate(RotateOptions().force());
        REQUIRE_FALSE(rotation);
        CHECK(rotation.error().code() == errc::bad_value);
        CHECK(scene.keys() == keys);
        return rotation.error().message();
    };
    refuse("");
    for (std::size_t size = 1; size < good.size() - 1; size += 7)
        refuse(good.substr(0, size));
    for (std::size_t at = 0; at + 1 < good.size(); at += 11) {
        auto changed = good;
        changed[at] = changed[at] == '1' ? '2' : '1';
        if (changed == good) continue;
        refuse(changed);
    }
    auto newer = good;
    newer.replace(newer.find("\"schema\":1"), 10, "\"schema\":2");
    CHECK(refuse(newer).find("newer") != std::string::npos);

    static_cast<void>(scene.folder.file("ci.json", good));
    testing::Emulator elsewhere({.clock = scene.time.clock});
    auto options = elsewhere.client_options(testing::Role::tenant_admin);
    scene.time.watch(options);
    scene.client.emplace(scene.time.context, options);
    auto const foreign = scene.rotate(RotateOptions().force());
    REQUIRE_FALSE(foreign);
    CHECK(foreign.error().code() == errc::conflict);
}

TEST_CASE("rotation: no file but the value's own has a secret") {
    RotationScene scene;
    REQUIRE(scene.rotate());
    REQUIRE(scene.rotate(RotateOptions().force()));
    auto const value = scene.value();
    REQUIRE(value.size() > 8);
    for (auto const& name : {"ci.json", "ci.lock", "key.json", "key.lock"})
        CHECK(content_of(scene.folder.path(name)).find(value.substr(0, 8)) == std::string::npos);
}

TEST_CASE("rotation: has a blocking form") {
    testing::Emulator emulator;
    TemporaryFolder folder(fast_folder());
    BlockingApiKeyClient client(emulator.client_options(testing::Role::tenant_admin));
    auto const rotation = lifecycle::rotate(
        client, Slot("ci", lifecycle::file_sink(folder.path("key")), lifecycle::file_store(folder.path())));
    INFO(text(rotation));
    REQUIRE(rotation);
    CHECK(rotation->outcome == Outcome::completed);
}

}  // namespace rotation_test
