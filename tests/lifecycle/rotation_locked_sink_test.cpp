// SPDX-License-Identifier: BSL-1.0
#include "lifecycle/rotation_scene.hpp"

#include <palette/impl/system/directory.hpp>
#include <palette/impl/system/file_lock.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

// A rotation whose sink is locked for longer than the sink waits, by a process that was stopped.

namespace rotation_locked_sink_test {

using namespace std::chrono_literals;
using namespace palette;
using Outcome = lifecycle::Rotation::Outcome;
template <class T>
using Awaitable = boost::asio::awaitable<Result<T>>;

// A file sink that somebody else locks for the time of one promote().
class LockedAtPromote : public lifecycle::SecretSink {
public:
    explicit LockedAtPromote(RotationScene& scene) : scene_(scene) {}

    Awaitable<lifecycle::Receipt> stage(std::string rotation_id, std::string key_uid, Expiry expiry,
                                        const Secret& secret) override {
        return scene_.sink->stage(std::move(rotation_id), std::move(key_uid), expiry, secret);
    }
    Awaitable<Secret> read_back(lifecycle::Receipt receipt) override {
        return scene_.sink->read_back(std::move(receipt));
    }
    Awaitable<void> promote(lifecycle::Receipt receipt, std::optional<std::uint64_t> expected) override {
        std::optional<impl::files::FileLock> lock;
        std::shared_ptr<void> busy;
        if (std::exchange(is_locked, false)) {
            auto const directory = impl::files::open_private_directory(scene_.folder.path()).value();
            lock.emplace(impl::files::FileLock::try_lock(directory, "key.lock").value());
            busy = scene_.time.busy();  // the sink waits by the machine's clock
        }
        co_return co_await scene_.sink->promote(std::move(receipt), expected);
    }
    Awaitable<void> discard(lifecycle::Receipt receipt) override {
        return scene_.sink->discard(std::move(receipt));
    }
    Awaitable<lifecycle::SinkContents> contents() override { return scene_.sink->contents(); }

    bool is_locked = true;

private:
    RotationScene& scene_;
};

TEST_CASE("rotation: a sink that is locked at the promotion costs no key, and the next call promotes") {
    RotationScene scene;
    auto const first = scene.rotate().value();
    auto const sink = std::make_shared<LockedAtPromote>(scene);
    lifecycle::Slot const slot("ci", sink, scene.store);
    auto const options = lifecycle::RotateOptions().force().overlap(0ms);
    auto const held_up = scene.rotate(slot, options).value();
    CHECK(held_up.outcome == Outcome::failed);
    REQUIRE(held_up.problem);
    CHECK(held_up.problem->code() == errc::timeout);
    CHECK(held_up.problem->advice().starts_with("call again later"));
    CHECK(scene.is_active(first.new_uid));
    CHECK(scene.is_active(held_up.new_uid));
    CHECK(scene.works());

    scene.time.run_for(2min);
    auto const rotated = scene.rotate(slot, lifecycle::RotateOptions().overlap(0ms)).value();
    CHECK(rotated.new_uid == held_up.new_uid);
    CHECK_FALSE(scene.is_active(first.new_uid));
    CHECK(scene.works());
}

}  // namespace rotation_locked_sink_test
