// SPDX-License-Identifier: BSL-1.0
#include "support/awaited.hpp"
#include "support/environment.hpp"
#include "support/printed.hpp"
#include "support/temporary_folder.hpp"

#include <palette/lifecycle/secret_sink.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// The recipes in examples/sinks, against fakes of their tools.
namespace sink_recipes_test {

using namespace palette;
using namespace palette::lifecycle;

const std::string sources = PALETTE_KEYS_SOURCE_DIR;
const auto expiry = Expiry::on(std::chrono::year{2027} / 1 / 31);

std::string value_of(const std::string& rotation_id) {
    return "value/of+" + rotation_id + "%s \\n$(id)=";
}

// The programs find the fakes where the tools would be.
class FakeTools {
public:
    explicit FakeTools(std::string recipe)
        : recipe_(std::move(recipe)),
          path_("PATH", sources + "/tests/lifecycle/fakes:" + std::string(std::getenv("PATH"))) {
        std::vector<std::string> argv{sources + "/examples/sinks/" + recipe_};
        if (recipe_ == "systemd-creds") argv.push_back(folder.path());
        argv.emplace_back("palette-ci");
        auto options = CommandOptions().environment("FAKE_STORE", folder.path()).write_only(recipe_ == "gh");
        sink = command_sink(std::move(argv), std::move(options));
    }

    Result<Receipt> stage(const std::string& rotation_id) {
        Secret const secret(value_of(rotation_id));
        return awaited(sink->stage(rotation_id, "uid-of-" + rotation_id, expiry, secret));
    }
    Result<void> promote(const Receipt& receipt, std::optional<std::uint64_t> expected) {
        return awaited(sink->promote(receipt, expected));
    }
    SinkContents contents() {
        auto const found = awaited(sink->contents());
        REQUIRE_MESSAGE(found, found.error().message());
        return *found;
    }
    [[nodiscard]] bool is_readable() const { return sink->capabilities().readable; }
    void check_value(const Receipt& receipt) {
        if (!is_readable()) return;
        auto const read = awaited(sink->read_back(receipt));
        REQUIRE_MESSAGE(read, read.error().message());
        CHECK(read->expose() == value_of(receipt.rotation_id));
    }

    TemporaryFolder folder{fast_folder()};
    std::shared_ptr<SecretSink> sink;

private:
    std::string recipe_;
    EnvironmentVariable path_;
};

// Stages, reads, promotes, discards and asks what it holds.
void check_recipe(const std::string& recipe) {
    FakeTools tools(recipe);
    CHECK(tools.contents() == SinkContents());

    auto const staged = tools.stage("r1");
    REQUIRE_MESSAGE(staged, staged.error().message());
    auto const one = *staged;
    CHECK(one == Receipt(1, "r1", "uid-of-r1", expiry));
    CHECK(tools.stage("r1").value() == one);
    CHECK(tools.contents().pending == one);
    CHECK(tools.contents().current == std::nullopt);
    tools.check_value(one);
    CHECK(tools.promote(one, 5).error().code() == errc::conflict);
    auto const promoted = tools.promote(one, std::nullopt);
    REQUIRE_MESSAGE(promoted, promoted.error().message());
    REQUIRE(tools.promote(one, std::nullopt));

    auto const two = tools.stage("r2").value();
    CHECK(two.generation == 2);
    tools.check_value(one);
    tools.check_value(two);
    CHECK(tools.promote(two, std::nullopt).error().code() == errc::conflict);
    CHECK(tools.promote(Receipt(9, "r9", "", expiry), 1).error().code() == errc::not_found);
    REQUIRE(tools.promote(two, 1));
    SinkContents expected;
    expected.current = two;
    expected.previous = one;
    CHECK(tools.contents() == expected);
    tools.check_value(two);
    tools.check_value(one);

    CHECK(awaited(tools.sink->discard(two)).error().code() == errc::conflict);
    REQUIRE(awaited(tools.sink->discard(one)));
    REQUIRE(awaited(tools.sink->discard(one)));
    auto const three = tools.stage("r3").value();
    CHECK(three.generation == 3);
    REQUIRE(awaited(tools.sink->discard(three)));
    expected.previous.reset();
    CHECK(tools.contents() == expected);
    if (tools.is_readable()) CHECK(awaited(tools.sink->read_back(one)).error().code() == errc::not_found);
    auto const four = tools.stage("r4").value();
    CHECK(four.generation == 4);
    REQUIRE(tools.promote(four, 2));
    CHECK(tools.contents().previous == two);
    tools.check_value(four);

    auto const calls = content_of(tools.folder.path("calls"));
    CHECK_FALSE(calls.empty());
    CHECK_FALSE(contains(calls, "value/of+"));
}

TEST_CASE("sink recipes: vault keeps the contract of a sink") {
    check_recipe("vault");
}

TEST_CASE("sink recipes: kubernetes keeps the contract of a sink") {
    check_recipe("kubernetes");
}

TEST_CASE("sink recipes: systemd-creds keeps the contract of a sink") {
    check_recipe("systemd-creds");
}

TEST_CASE("sink recipes: pass keeps the contract of a sink") {
    check_recipe("pass");
}

TEST_CASE("sink recipes: gh keeps the contract of a sink that cannot be read") {
    check_recipe("gh");
}

TEST_CASE("sink recipes: a tool that fails is an error, and never a sink that holds nothing") {
    for (const std::string recipe : {"vault", "kubernetes", "systemd-creds", "pass", "gh"}) {
        CAPTURE(recipe);
        FakeTools tools(recipe);
        REQUIRE(tools.promote(tools.stage("r1").value(), std::nullopt));
        TemporaryFolder const broken;
        for (auto const* const tool : {"vault", "kubectl", "systemd-creds", "pass", "gh"})
            static_cast<void>(broken.file(tool, "#!/bin/sh\necho 'connection refused' >&2\nexit 1\n", 0700));
        EnvironmentVariable const path("PATH", broken.path() + ":" + std::string("/usr/bin:/bin"));
        auto const staged = tools.stage("r2");
        REQUIRE_FALSE(staged);
        CHECK(contains(staged.error().what(), "connection refused"));
        // Its notes are files, which it reads itself.
        if (recipe == "systemd-creds") continue;
        auto const found = awaited(tools.sink->contents());
        REQUIRE_FALSE(found);
        CHECK(found.error().code() == errc::unavailable);
        CHECK(contains(found.error().what(), "connection refused"));
    }
}

TEST_CASE("sink recipes: a tool that fails is never a lost promote, nor a value that is not there") {
    // 3 and 4 mean that to command_sink(), and something else to the tools.
    for (const std::string recipe : {"vault", "kubernetes", "systemd-creds", "pass", "gh"})
        for (const std::string status : {"1", "3", "4"}) {
            CAPTURE(recipe);
            CAPTURE(status);
            FakeTools tools(recipe);
            REQUIRE(tools.promote(tools.stage("r1").value(), std::nullopt));
            auto const two = tools.stage("r2").value();
            TemporaryFolder const broken;
            for (auto const* const tool : {"vault", "kubectl", "systemd-creds", "pass", "gh"})
                static_cast<void>(broken.file(tool, "#!/bin/sh\nexit " + status + "\n", 0700));
            EnvironmentVariable const path("PATH", broken.path() + ":" + std::string("/usr/bin:/bin"));
            auto const check = [](const auto& result) {
                REQUIRE_FALSE(result);
                CHECK(result.error().code() != errc::conflict);
                CHECK(result.error().code() != errc::not_found);
            };
            check(tools.promote(two, 1));
            check(tools.stage("r3"));
            if (tools.is_readable()) check(awaited(tools.sink->read_back(two)));
        }
}

TEST_CASE("sink recipes: vault that goes down in a promote is unavailable, and not a lost promote") {
    FakeTools tools("vault");
    REQUIRE(tools.promote(tools.stage("r1").value(), std::nullopt));
    auto const two = tools.stage("r2").value();
    static_cast<void>(tools.folder.file("goes-down", ""));
    auto const promoted = tools.promote(two, 1);
    REQUIRE_FALSE(promoted);
    CHECK(promoted.error().code() == errc::unavailable);
    CHECK(promoted.error().effect() == Effect::unknown);
    std::filesystem::remove(tools.folder.path("is-down"));
    REQUIRE(tools.promote(two, 1));
    tools.check_value(two);
}

TEST_CASE("sink recipes: a promote that vault has done, and whose answer was lost, is done") {
    FakeTools tools("vault");
    auto const one = tools.stage("r1").value();
    static_cast<void>(tools.folder.file("loses-an-answer", ""));
    auto const promoted = tools.promote(one, std::nullopt);
    REQUIRE_MESSAGE(promoted, promoted.error().message());
    CHECK(tools.contents().current == one);
    CHECK_FALSE(tools.contents().pending);
}

TEST_CASE("sink recipes: vault notices by its check-and-set that somebody else was faster") {
    FakeTools tools("vault");
    auto const one = tools.stage("r1").value();
    static_cast<void>(tools.folder.file("faster", ""));
    CHECK(tools.promote(one, std::nullopt).error().code() == errc::conflict);
}

TEST_CASE("sink recipes: vault without metadata, a store of version 1, is an error and stores nothing") {
    FakeTools tools("vault");
    TemporaryFolder const old;
    static_cast<void>(
        old.file("vault", "#!/bin/sh\necho 'Metadata not supported on KV Version 1' >&2; exit 1\n", 0700));
    EnvironmentVariable const path("PATH", old.path() + ":" + std::string("/usr/bin:/bin"));
    auto const staged = tools.stage("r1");
    REQUIRE_FALSE(staged);
    CHECK(staged.error().code() == errc::unavailable);
    CHECK(contains(staged.error().what(), "Metadata not supported on KV Version 1"));
}

}  // namespace sink_recipes_test
