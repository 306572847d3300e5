// SPDX-License-Identifier: BSL-1.0
#include "support/fake_etcd.hpp"
#include "support/shared_sink.hpp"
#include "support/temporary_folder.hpp"

#include <palette/testing/crash_explorer.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <map>
#include <memory>
#include <sstream>
#include <string>

// Each effect of a rotation over files, interrupted in every way.

namespace crash_explorer_test {

using namespace palette;

// Each slot as two files of the folder, which outlives what is returned.
auto slots_in(const TemporaryFolder& folder) {
    return [&folder](const std::string& name) {
        return lifecycle::Slot(name, lifecycle::file_sink(folder.path(name + ".key")),
                               lifecycle::file_store(folder.path()));
    };
}

void check_that_all_stand(testing::CrashExplorer& explorer, std::size_t least_cells) {
    auto const report = explorer.run();
    std::ostringstream text;
    text << report;
    MESSAGE(text.str());
    CHECK(report.broken() == 0);
    CHECK(report.cells.size() > least_cells);
}

TEST_CASE("crash explorer: a rotation over files stands every interruption of every effect") {
    TemporaryFolder folder(fast_folder());
    testing::CrashExplorer explorer(slots_in(folder));
    explorer.record_file([&](const std::string& name) { return folder.path(name + ".json"); });
    check_that_all_stand(explorer, 480);
}

TEST_CASE("crash explorer: a rotation over a sink in memory and a store in etcd stands every interruption") {
    FakeEtcd etcd;
    std::map<std::string, std::shared_ptr<SharedSink>> sinks;
    testing::CrashExplorer explorer([&](const std::string& name) {
        auto& sink = sinks[name];
        if (!sink) sink = std::make_shared<SharedSink>();
        return lifecycle::Slot(name, sink, lifecycle::etcd_store({etcd.endpoint()}, "/p/"));
    });
    explorer.record(
        [&](const std::string& name) { return etcd.entry("/p/" + name).value_or(FakeEtcd::Entry()).value; },
        [&](const std::string& name, const std::string& content) { etcd.put("/p/" + name, content); });
    // Nobody prolongs the lease of a process that has died.
    explorer.after_death([&](const std::string& name) {
        if (auto const lock = etcd.entry("/p/" + name + "/lock")) etcd.end_lease(lock->lease);
    });
    check_that_all_stand(explorer, 480);
}

TEST_CASE(
    "crash explorer: a key that lives for hours, and has expired when the next one fails, is replaced") {
    using namespace std::chrono_literals;
    TemporaryFolder folder(fast_folder());
    testing::CrashExplorer explorer(slots_in(folder));
    explorer.options(lifecycle::RotateOptions().lifetime(3h).overlap(1h).quarantine(0ms));
    explorer.faults({"drop-after"});
    check_that_all_stand(explorer, 200);
}

}  // namespace crash_explorer_test
