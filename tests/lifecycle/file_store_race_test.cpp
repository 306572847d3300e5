// SPDX-License-Identifier: BSL-1.0
#include "support/awaited.hpp"
#include "support/temporary_folder.hpp"

#include <palette/impl/system/directory.hpp>
#include <palette/impl/system/file_lock.hpp>
#include <palette/lifecycle/rotation_store.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

// Two who save the record of one slot and do not know of each other: the versions decide, and nothing else.

namespace file_store_race_test {

using namespace std::chrono_literals;
using namespace palette;
using impl::files::FileLock;

// Somebody who looks at the version, and takes his time.
class SlowSaver {
public:
    explicit SlowSaver(const TemporaryFolder& folder) {
        auto const directory = impl::files::open_private_directory(folder.path()).value();
        lock_.emplace(FileLock::try_lock(directory, "ci.save").value());
    }
    void end() { lock_.reset(); }

private:
    std::optional<FileLock> lock_;
};

TEST_CASE("file_store: a save waits for another one that is under way, and is lost by its version alone") {
    TemporaryFolder const folder(fast_folder());
    auto const store = lifecycle::file_store(folder.path());
    REQUIRE(awaited(store->save("ci", "first", 0)).value() == 1);
    SlowSaver other(folder);
    std::thread later([&other] {
        std::this_thread::sleep_for(20ms);
        other.end();
    });
    auto const saved = awaited(store->save("ci", "second", 1));
    later.join();
    REQUIRE_MESSAGE(saved, "it was refused");
    CHECK(*saved == 2);
    auto const lost = awaited(store->save("ci", "third", 1));
    REQUIRE_FALSE(lost);
    CHECK(lost.error().code() == errc::conflict);
    CHECK(awaited(store->load("ci")).value() == lifecycle::StoredRecord(2, "second"));
}

TEST_CASE("file_store: a save that another one holds up for 10 s is a timeout, and no lost race") {
    TemporaryFolder const folder(fast_folder());
    auto const store = lifecycle::file_store(folder.path());
    REQUIRE(awaited(store->save("ci", "first", 0)).value() == 1);
    SlowSaver other(folder);
    auto const late = awaited(store->save("ci", "second", 1));
    REQUIRE_FALSE(late);
    CHECK(late.error().code() == errc::timeout);
    CHECK(late.error().effect() == Effect::not_applied);
    CHECK(late.error().what().find("is locked by process ") != std::string::npos);
    CHECK(late.error().advice().starts_with("call again later"));
    other.end();
    CHECK(awaited(store->save("ci", "second", 1)).value() == 2);
}

TEST_CASE("file_store: of many who save the same version at the same time, one has saved it") {
    TemporaryFolder const folder(fast_folder());
    for (std::uint64_t version = 0; version < 50; ++version) {
        std::atomic<int> saved = 0;
        std::atomic<int> lost = 0;
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&] {
                auto const store = lifecycle::file_store(folder.path());
                auto const result = awaited(store->save("ci", "text", version));
                if (result)
                    ++saved;
                else if (result.error().code() == errc::conflict)
                    ++lost;
            });
        threads.clear();
        CHECK(saved == 1);
        CHECK(lost == 3);
    }
}

}  // namespace file_store_race_test
