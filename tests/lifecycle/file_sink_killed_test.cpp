// SPDX-License-Identifier: BSL-1.0
#include "support/awaited.hpp"
#include "support/killed_at.hpp"
#include "support/temporary_folder.hpp"

#include <palette/lifecycle/secret_sink.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

// A file sink is killed before each of its system calls that change a file, and the next run finds its way.
namespace file_sink_killed_test {

using namespace palette;
using namespace palette::lifecycle;

const auto expiry = Expiry::on(std::chrono::year{2027} / 1 / 31);

std::string value_of(std::uint64_t generation) {
    return "value of generation " + std::to_string(generation);
}

Receipt receipt_of(std::uint64_t generation) {
    if (generation == 0) return Receipt();
    return Receipt(generation, "r" + std::to_string(generation), "uid", expiry);
}

Receipt stage(SecretSink& sink, std::uint64_t generation) {
    Secret const value(value_of(generation));
    return awaited(sink.stage("r" + std::to_string(generation), "uid", expiry, value)).value();
}

// What the sink holds: generations; nothing where there is no value.
struct Held {
    std::optional<std::uint64_t> current, pending, previous;

    friend bool operator==(const Held&, const Held&) = default;
};

struct Fixture {
    TemporaryFolder folder{fast_folder()};
    std::string path = folder.path("key");
    int kills = 0;

    [[nodiscard]] std::shared_ptr<SecretSink> sink() const { return file_sink(path); }

    void start_with(const Held& held) const {
        for (auto const& name : folder.names())
            std::filesystem::remove(folder.path(name));
        if (held.current == 0) REQUIRE(!folder.file("key", value_of(0)).empty());
        auto const to_make = std::max(held.current.value_or(0), held.pending.value_or(0));
        for (std::uint64_t generation = 1; generation <= to_make; ++generation) {
            auto const receipt = stage(*sink(), generation);
            if (held.pending == generation) break;
            auto const current = awaited(sink()->contents()).value().current;
            awaited(sink()->promote(receipt, current ? std::optional(current->generation) : std::nullopt))
                .value();
        }
        auto const contents = awaited(sink()->contents()).value();
        if (contents.previous && !held.previous) awaited(sink()->discard(*contents.previous)).value();
        REQUIRE(found() == held);
    }

    // Each value that the sink names is there, whole, and is what consumers read.
    [[nodiscard]] Held found() const {
        auto const contents = awaited(sink()->contents());
        REQUIRE_MESSAGE(contents, contents.error().message());
        Held held;
        struct Row {
            const std::optional<Receipt>* receipt;
            std::optional<std::uint64_t>* generation;
            std::string file;
        };
        for (auto const& [receipt, generation, file] :
             {Row{&contents->current, &held.current, path},
              Row{&contents->pending, &held.pending, path + ".pending"},
              Row{&contents->previous, &held.previous, path + ".previous"}}) {
            if (!*receipt) continue;
            *generation = (*receipt)->generation;
            CHECK(**receipt == receipt_of(**generation));
            CHECK(content_of(file) == value_of(**generation));
            auto const read = awaited(sink()->read_back(**receipt));
            REQUIRE_MESSAGE(read, read.error().message());
            CHECK(read->expose() == value_of(**generation));
        }
        return held;
    }

    // What there is when nothing is left over.
    void check_names(const Held& held) const {
        std::vector<std::string> expected{"key.json", "key.lock"};
        if (held.current) expected.emplace_back("key");
        if (held.pending) expected.emplace_back("key.pending");
        if (held.previous) expected.emplace_back("key.previous");
        auto names = folder.names();
        std::ranges::sort(names);
        std::ranges::sort(expected);
        CHECK(names == expected);
    }

    // Kills `change` everywhere, and after each kill checks that `path` is complete and that the sink holds
    // one of `between`; then runs `next`, by default the same again, which leads to `after`.
    void kill_everywhere(const Held& before, const std::function<void(SecretSink&)>& change,
                         const std::vector<Held>& between, const Held& after,
                         std::function<void(SecretSink&)> next = nullptr) {
        if (!next) next = change;
        for (int n = 0;; ++n) {
            CAPTURE(n);
            start_with(before);
            if (!killed_at_change(n, [&] { change(*sink()); })) break;
            ++kills;
            auto const held = found();
            CHECK(std::ranges::count(between, held) == 1);
            next(*sink());
            CHECK(found() == after);
            check_names(after);
            // It goes on from there.
            auto const another = stage(*sink(), awaited(sink()->contents()).value().current ? 9 : 8);
            CHECK(awaited(sink()->contents()).value().pending == another);
        }
        MESSAGE(kills << " kills");
    }
};

const std::optional<std::uint64_t> none;

// Its value and rotation have the number that the receipt should have.
auto staging(std::uint64_t generation) {
    return [generation](SecretSink& sink) {
        if (stage(sink, generation).generation != generation) throw std::logic_error("another generation");
    };
}

auto promoting(std::uint64_t generation, std::optional<std::uint64_t> expected) {
    return [=](SecretSink& sink) { awaited(sink.promote(receipt_of(generation), expected)).value(); };
}

auto discarding(std::uint64_t generation) {
    return [=](SecretSink& sink) { awaited(sink.discard(receipt_of(generation))).value(); };
}

TEST_CASE_FIXTURE(Fixture, "file_sink, killed: the first stage() in an empty directory") {
    kill_everywhere({none, none, none}, staging(1), {{none, none, none}, {none, 1, none}}, {none, 1, none});
    CHECK(kills >= 10);
}

TEST_CASE_FIXTURE(Fixture, "file_sink, killed: the first stage() beside a value that was there before") {
    kill_everywhere({0, none, none}, staging(1), {{0, none, none}, {0, 1, none}}, {0, 1, none});
}

TEST_CASE_FIXTURE(Fixture, "file_sink, killed: a stage() beside a current and a previous value") {
    kill_everywhere({2, none, 1}, staging(3), {{2, none, 1}, {2, 3, 1}}, {2, 3, 1});
}

TEST_CASE_FIXTURE(Fixture, "file_sink, killed: a stage() in the place of another pending value") {
    kill_everywhere({1, 2, none}, staging(3), {{1, 2, none}, {1, none, none}, {1, 3, none}}, {1, 3, none});
}

TEST_CASE_FIXTURE(Fixture, "file_sink, killed: the first promote()") {
    kill_everywhere({none, 1, none}, promoting(1, none), {{none, 1, none}, {1, none, none}}, {1, none, none});
    kill_everywhere({0, 1, none}, promoting(1, 0), {{0, 1, none}, {1, none, 0}}, {1, none, 0});
}

TEST_CASE_FIXTURE(Fixture, "file_sink, killed: a promote() beside a previous value, which it forgets") {
    kill_everywhere({2, 3, 1}, promoting(3, 2), {{2, 3, 1}, {2, 3, none}, {3, none, 2}}, {3, none, 2});
}

TEST_CASE_FIXTURE(Fixture, "file_sink, killed: a promote() that is not repeated leaves nothing half done") {
    auto const next = [](SecretSink& sink) {
        auto const contents = awaited(sink.contents()).value();
        if (contents.pending) awaited(sink.discard(*contents.pending)).value();
        // Any change ends what was begun.
        awaited(sink.discard(Receipt(77, "none", "", expiry))).value();
        if (awaited(sink.contents()).value().current->generation == 2)
            awaited(sink.promote(stage(sink, 3), 2)).value();
    };
    for (int n = 0;; ++n) {
        CAPTURE(n);
        start_with({2, 3, 1});
        if (!killed_at_change(n, [&] { promoting(3, 2)(*sink()); })) break;
        auto const was_promoted = found().current == 3;
        CHECK(content_of(path) == value_of(was_promoted ? 3 : 2));
        next(*sink());
        auto const contents = awaited(sink()->contents()).value();
        CHECK(contents.current->rotation_id == "r3");
        CHECK(contents.current->generation == (was_promoted ? 3 : 4));
        CHECK(contents.previous == receipt_of(2));
        check_names({3, none, 2});
    }
}

TEST_CASE_FIXTURE(Fixture, "file_sink, killed: a discard() of the pending value") {
    kill_everywhere({1, 2, none}, discarding(2), {{1, 2, none}, {1, none, none}}, {1, none, none});
}

TEST_CASE_FIXTURE(Fixture, "file_sink, killed: a discard() of the previous value") {
    kill_everywhere({2, 3, 1}, discarding(1), {{2, 3, 1}, {2, 3, none}}, {2, 3, none});
}

}  // namespace file_sink_killed_test
