// SPDX-License-Identifier: BSL-1.0
#include "lifecycle/rotation_scene.hpp"

#include <palette/testing/fault.hpp>
#include <palette/testing/received_request.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The table of docs/rotation.md, "What a misbehaving service does to a rotation", row by row.

namespace rotation_faults_test {

using namespace std::chrono_literals;
using namespace palette;
using lifecycle::Rotation;
using Outcome = Rotation::Outcome;

struct Row {
    std::vector<std::string> faults;  // "quota": as many keys as there may be
    std::string calls;
    std::string left;
};

// The texts between backquotes.
std::vector<std::string> in_backquotes(const std::string& cell) {
    std::vector<std::string> found;
    for (std::size_t at = 0; (at = cell.find('`', at)) != std::string::npos;) {
        auto const end = cell.find('`', at + 1);
        REQUIRE(end != std::string::npos);
        found.push_back(cell.substr(at + 1, end - at - 1));
        at = end + 1;
    }
    return found;
}

std::string trimmed(std::string_view text) {
    auto const begin = text.find_first_not_of(' ');
    if (begin == std::string_view::npos) return {};
    return std::string(text.substr(begin, text.find_last_not_of(' ') - begin + 1));
}

std::vector<Row> rows() {
    std::ifstream page(PALETTE_KEYS_SOURCE_DIR "/docs/rotation.md");
    std::vector<Row> found;
    bool is_in_table = false;
    for (std::string line; std::getline(page, line);) {
        if (line.starts_with("## ")) is_in_table = line.find("misbehaving service") != std::string::npos;
        if (!is_in_table || !line.starts_with("| ") || line.find('`') == std::string::npos) continue;
        std::vector<std::string> cells;
        std::istringstream rest(line.substr(1));
        for (std::string cell; std::getline(rest, cell, '|');)
            cells.push_back(cell);
        REQUIRE(cells.size() == 4);
        auto faults = in_backquotes(cells[1]);
        if (!faults.empty()) found.push_back(Row{std::move(faults), trimmed(cells[2]), trimmed(cells[3])});
    }
    return found;
}

// Whether a request has met that fault: "GET /v1/apiKeys list-lag:600000".
bool was_met(const testing::Emulator& emulator, const std::string& fault) {
    auto const rule = testing::FaultRule::parse(fault).value().to_string();
    std::istringstream words(rule);
    std::string kind;
    words >> kind >> kind >> kind;
    kind.resize(std::min(kind.find(':'), kind.size()));
    return std::ranges::any_of(emulator.requests(), [&](const testing::ReceivedRequest& request) {
        return request.faults.find(kind) != std::string::npos;
    });
}

// Each call comes when the one before has said that there is something to do.
class Calls {
public:
    explicit Calls(RotationScene& scene) : scene_(scene) {}

    std::string next() {
        auto const rotation = scene_.rotate();
        std::ostringstream out;
        if (rotation) {
            out << rotation->outcome << ", " << rotation->state;
            for (auto const& line : rotation->left)
                left += line + '\n';
        } else {
            out << "error " << rotation.error().code();
        }
        last = rotation ? rotation->outcome : Outcome::failed;
        CHECK(scene_.works());
        scene_.time.run_for(
            rotation && rotation->next_due
                ? std::max<std::chrono::milliseconds>(*rotation->next_due - rotation->as_of, 0ms) + 2s
                : 5min);
        return out.str();
    }

    std::string left;
    Outcome last = Outcome::not_due;

private:
    RotationScene& scene_;
};

TEST_CASE("rotation: ends as the page says whatever the service does, and with one key once that is over") {
    auto const table = rows();
    REQUIRE(table.size() >= 8);
    for (auto const& row : table) {
        RotationScene scene;
        REQUIRE(scene.rotate());
        scene.time.run_for(std::chrono::days(20) + 2s);
        std::vector<std::string> filling;
        for (auto const& fault : row.faults) {
            CAPTURE(fault);
            if (fault != "quota") {
                scene.emulator.faults().add(fault);
                continue;
            }
            while (scene.keys() + 1 < 20)
                filling.push_back(
                    scene.emulator.seed_key(NewApiKey("other").lives_for(std::chrono::days(90))).uid());
        }
        CAPTURE(row.faults.back());
        Calls calls(scene);
        auto what = calls.next();
        for (int i = 0; i < 2; ++i)
            what += " · " + calls.next();
        CHECK(what == row.calls);
        auto const says_so =
            row.left.empty() ? calls.left.empty() : calls.left.find(row.left) != std::string::npos;
        CHECK_MESSAGE(says_so, calls.left);

        // A fault that no request meets would show nothing.
        for (auto const& fault : row.faults)
            CHECK_MESSAGE((fault == "quota" || was_met(scene.emulator, fault)), fault);
        scene.emulator.faults().clear();
        for (auto const& uid : filling) {
            std::optional<bool> gone;
            scene.client->async_remove(uid, [&](const Result<void>& r) { gone = r.has_value(); });
            scene.time.run_until([&] { return gone.has_value(); });
            REQUIRE(*gone);
        }
        for (int i = 0; i < 12 && calls.last != Outcome::completed; ++i)
            calls.next();
        CHECK(calls.last == Outcome::completed);
        CHECK(scene.works());
        // Nothing proves whose a key without a mark is.
        CHECK(scene.keys() == (row.left.starts_with("look whether key") ? 2 : 1));
    }
}

TEST_CASE("rotation: a new key to which the service gives less life than the overlap takes is given up") {
    RotationScene scene({.max_lifetime = 30min});
    auto const rotation = scene.rotate();
    REQUIRE(rotation);
    CHECK(rotation->outcome == Outcome::failed);
    REQUIRE(rotation->problem);
    CHECK(rotation->problem->code() == errc::conflict);
    CHECK(rotation->problem->message().find("than the overlap takes") != std::string::npos);
    CHECK(scene.keys() == 0);
    CHECK_FALSE(std::filesystem::exists(scene.path));
}

}  // namespace rotation_faults_test
