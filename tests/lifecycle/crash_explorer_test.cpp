// SPDX-License-Identifier: BSL-1.0
#include "support/temporary_folder.hpp"

#include <palette/testing/crash_explorer.hpp>

#include <doctest/doctest.h>

#include <sstream>
#include <string>

// Each effect of a rotation over files, interrupted in every way.

namespace crash_explorer_test {

using namespace palette;

TEST_CASE("crash explorer: a rotation over files stands every interruption of every effect") {
    TemporaryFolder folder(fast_folder());
    testing::CrashExplorer explorer([&](const std::string& name) {
        return lifecycle::Slot(name, lifecycle::file_sink(folder.path(name + ".key")),
                               lifecycle::file_store(folder.path()));
    });
    explorer.record_file([&](const std::string& name) { return folder.path(name + ".json"); });
    auto const report = explorer.run();
    std::ostringstream text;
    text << report;
    MESSAGE(text.str());
    CHECK(report.broken() == 0);
    CHECK(report.cells.size() > 300);
}

}  // namespace crash_explorer_test
