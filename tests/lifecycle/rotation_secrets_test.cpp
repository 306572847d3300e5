// SPDX-License-Identifier: BSL-1.0
#include "lifecycle/rotation_scene.hpp"
#include "support/temporary_folder.hpp"

#include <palette/lifecycle/secret_sink.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Where the value of a key is looked for, and must not be: everywhere but in its own place.

namespace rotation_secrets_test {

using namespace std::chrono_literals;
using namespace palette;
using lifecycle::Receipt;
using lifecycle::RotateOptions;
using lifecycle::Rotation;
using lifecycle::SinkContents;
namespace asio = boost::asio;

// Half of a value is as bad as all of it.
bool shows(std::string_view text, std::string_view value) {
    REQUIRE(value.size() >= 16);
    auto const half = value.size() / 2;
    return text.find(value.substr(0, half)) != std::string_view::npos ||
           text.find(value.substr(half)) != std::string_view::npos;
}

std::string said(const Result<Rotation>& result) {
    std::ostringstream out;
    if (result)
        out << *result;
    else
        out << result.error() << result.error().message();
    if (result && result->problem) out << *result->problem;
    return out.str();
}

// Rotates three times, each to its end, and once to a failure.
std::string everything_said(RotationScene& scene, const lifecycle::Slot& slot, std::set<std::string>& values,
                            const std::string& value_file) {
    std::string text;
    for (int i = 0; i < 12; ++i) {
        auto const result = scene.rotate(slot);
        REQUIRE_MESSAGE(result, said(result));
        text += said(result);
        values.insert(content_of(value_file));
        REQUIRE(result->next_due);
        scene.time.run_for(std::max<std::chrono::milliseconds>(*result->next_due - result->as_of, 0s) + 2s);
    }
    scene.emulator.faults().add("POST /v1/apiKeys status:403 x1");
    auto const refused = scene.rotate(slot, RotateOptions().force());
    text += said(refused);
    scene.emulator.faults().add("* /v1/users/info echo-credential x4");
    text += said(scene.rotate(slot, RotateOptions().force()));
    return text;
}

// A sink whose programs take real time, in which the clock of the scene stands still.
class InRealTime final : public lifecycle::SecretSink {
public:
    InRealTime(std::shared_ptr<SecretSink> sink, VirtualTime& time) : sink_(std::move(sink)), time_(time) {}

    asio::awaitable<Result<Receipt>> stage(std::string rotation_id, std::string key_uid, Expiry expiry,
                                           const Secret& secret) override {
        auto const busy = time_.busy();
        co_return co_await sink_->stage(rotation_id, key_uid, expiry, secret);
    }
    asio::awaitable<Result<Secret>> read_back(Receipt receipt) override {
        auto const busy = time_.busy();
        co_return co_await sink_->read_back(receipt);
    }
    asio::awaitable<Result<void>> promote(Receipt receipt, std::optional<std::uint64_t> expected) override {
        auto const busy = time_.busy();
        co_return co_await sink_->promote(receipt, expected);
    }
    asio::awaitable<Result<void>> discard(Receipt receipt) override {
        auto const busy = time_.busy();
        co_return co_await sink_->discard(receipt);
    }
    asio::awaitable<Result<SinkContents>> contents() override {
        auto const busy = time_.busy();
        co_return co_await sink_->contents();
    }

private:
    std::shared_ptr<SecretSink> sink_;
    VirtualTime& time_;
};

TEST_CASE("rotation: no value of a key is in the record, the locks, a report or an error") {
    RotationScene scene;
    std::set<std::string> values;
    auto text = everything_said(scene, scene.slot, values, scene.path);
    REQUIRE(values.size() >= 3);
    std::vector<std::string> looked_at;
    for (auto const& name : scene.folder.names()) {
        if (name == "key" || name == "key.pending" || name == "key.previous") continue;
        looked_at.push_back(name);
        text += content_of(scene.folder.path(name));
    }
    CHECK(looked_at.size() >= 4);
    for (auto const& value : values)
        CHECK_FALSE(shows(text, value));
    // What is not to be found can be found where it is.
    CHECK(shows(content_of(scene.path), *values.find(scene.value())));
}

TEST_CASE(
    "rotation: while a command sink runs, no argument and no environment of any process has the value") {
    RotationScene scene;
    // It keeps the values in files, and all that the system shows of the processes that run meanwhile.
    auto const program = scene.folder.file("sink", R"sh(#!/bin/sh
cd "$(dirname "$0")" || exit 1
cat /proc/[0-9]*/cmdline >>seen 2>/dev/null
cat /proc/self/environ /proc/$PPID/environ >>seen 2>/dev/null
case $PALETTE_SINK_VERB in
stage)
    cat >value.pending
    cat /proc/[0-9]*/cmdline >>seen 2>/dev/null
    generation=$(($(cat generation 2>/dev/null || echo 0) + 1))
    echo $generation >generation
    printf '{"generation": %s, "rotation_id": "%s", "key_uid": "%s", "expiry": "%s"}' \
        $generation "$PALETTE_ROTATION_ID" "$PALETTE_KEY_UID" "$PALETTE_KEY_EXPIRY" >pending
    echo $generation
    ;;
read)
    if grep -q "\"generation\": $PALETTE_GENERATION," current 2>/dev/null; then cat value; else cat value.pending; fi
    ;;
promote)
    if [ -e value.pending ]; then
        mv value.pending value
        mv pending current
    fi
    ;;
contents)
    current=$(cat current 2>/dev/null || echo null)
    pending=$(cat pending 2>/dev/null || echo null)
    echo "{\"current\": $current, \"pending\": $pending, \"previous\": null}"
    ;;
esac
)sh",
                                           0700);
    auto const sink = std::make_shared<InRealTime>(lifecycle::command_sink({program}), scene.time);
    lifecycle::Slot const slot("ci", sink, scene.store);
    std::set<std::string> values;
    auto const text = everything_said(scene, slot, values, scene.folder.path("value"));
    REQUIRE(values.size() >= 3);
    auto const seen = content_of(scene.folder.path("seen"));
    CHECK(seen.find("PALETTE_SINK_VERB=stage") != std::string::npos);
    CHECK(seen.find(program) != std::string::npos);
    for (auto const& value : values) {
        CHECK_FALSE(shows(seen, value));
        CHECK_FALSE(shows(text, value));
        CHECK_FALSE(shows(content_of(scene.folder.path("ci.json")), value));
    }
}

}  // namespace rotation_secrets_test
