// SPDX-License-Identifier: BSL-1.0
#include "fleet/fleet_scene.hpp"
#include "support/random.hpp"
#include "support/sanitized.hpp"

#include <palette/lifecycle/rotation.hpp>
#include <palette/testing/received_request.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

// Two processes that rotate the key of one slot at the same time.

namespace races_test {

using namespace std::chrono_literals;
using palette::lifecycle::RotationState;
using palette::testing::ReceivedRequest;
using std::chrono::microseconds;

constexpr int races = sanitized ? 20 : 100;

// What one of the two has said.
struct Said {
    explicit Said(std::string line_) : line(std::move(line_)) {}

    // "busy"; "error" for a rotation that has not begun.
    [[nodiscard]] std::string outcome() const {
        constexpr std::string_view start = "Rotation{";
        if (!line.starts_with(start)) return "error";
        return line.substr(start.size(), line.find(',') - start.size());
    }
    // The uid of the key with which it did this; empty if it did not.
    [[nodiscard]] std::string uid_after(const std::string& what) const {
        auto const at = line.find(what);
        return at == std::string::npos ? std::string() : line.substr(at + what.size(), 24);
    }
    [[nodiscard]] bool has_promoted() const { return !uid_after("promoted key ").empty(); }

    std::string line;
};

// Whether somebody has used `uid` on a connection on which nothing else had come before.
std::size_t proofs(const std::vector<ReceivedRequest>& requests, std::size_t end, const std::string& uid) {
    std::map<std::uint64_t, std::vector<const ReceivedRequest*>> connections;
    for (std::size_t i = 0; i < end; ++i)
        if (requests[i].status == 200) connections[requests[i].connection].push_back(&requests[i]);
    return static_cast<std::size_t>(std::ranges::count_if(connections, [&uid](const auto& connection) {
        auto const& came = connection.second;
        return came.size() == 2 && came[0]->path == "/v1/users/info" && came[1]->path == "/v1/apiKeys/" + uid;
    }));
}

struct Races {
    explicit Races(const std::string& lock)
        : racers{child::Process(PALETTE_FLEET_PROGRAM, scene.arguments("race", {"0", lock})),
                 child::Process(PALETTE_FLEET_PROGRAM, scene.arguments("race", {"1", lock}))} {
        alone();
    }
    ~Races() { scene.shared->is_over = true; }

    void start(std::size_t racer) { scene.shared->go.at(racer) = number; }
    Said answer_of(std::size_t racer) {
        auto line = racers.at(racer).output_line();
        REQUIRE(line);
        return Said(*std::move(line));
    }

    std::vector<Said> race(microseconds delay) {
        ++number;
        auto const first = static_cast<std::size_t>(random.below(2));
        start(first);
        std::this_thread::sleep_for(delay);
        start(1 - first);
        std::vector<Said> said{answer_of(0), answer_of(1)};
        for (auto const& one : said)
            ++outcomes[one.outcome()];
        return said;
    }

    // The one that is not disturbed.
    Said alone() {
        ++number;
        start(0);
        return answer_of(0);
    }

    // What came to the service since the last call.
    std::vector<ReceivedRequest> new_requests() {
        auto requests = scene.emulator.requests();
        std::erase_if(requests, [this](const auto& request) { return request.number <= seen; });
        seen = scene.emulator.request_count();
        return requests;
    }

    void check_keys(std::set<std::string> expected) {
        std::set<std::string> found;
        for (auto const& key : scene.keys())
            found.insert(key.uid);
        CHECK(found == expected);
    }

    // The old key is changed, and that comes after two proofs of the new one.
    void check_proof(const std::string& old_uid, const std::string& new_uid) {
        auto const requests = new_requests();
        auto const revoked = std::ranges::find_if(requests, [&](const auto& request) {
            return request.method != "GET" && request.path.starts_with("/v1/apiKeys/" + old_uid);
        });
        REQUIRE(revoked != requests.end());
        auto const place = static_cast<std::size_t>(revoked - requests.begin());
        CHECK(proofs(requests, place, new_uid) >= 2);
        CHECK(proofs(requests, requests.size(), new_uid) >= 4);
    }

    [[nodiscard]] std::string list_outcomes() const {
        std::string text;
        for (auto const& [outcome, times] : outcomes)
            text += ' ' + outcome + ' ' + std::to_string(times);
        return text;
    }

    FleetScene scene{50};
    sample::Random random{20'261'129};
    std::array<child::Process, 2> racers;
    int number = 0;
    std::uint64_t seen = 0;
    std::map<std::string, int> outcomes;
};

TEST_CASE("a fleet races: by the lock, one of two makes the successor, and the other one is busy") {
    Races scene("locked");
    for (int i = 0; i < races; ++i) {
        CAPTURE(i);
        auto const old_uid = scene.scene.contents().current.value().key_uid;
        scene.scene.pass(std::chrono::days{20});
        scene.new_requests();
        auto const said = scene.race(microseconds(scene.random.below(2) * scene.random.below(100'000)));
        INFO(said[0].line << '\n' << said[1].line);
        REQUIRE(said[0].has_promoted() != said[1].has_promoted());
        auto const& winner = said[said[0].has_promoted() ? 0 : 1];
        auto const& loser = said[said[0].has_promoted() ? 1 : 0];
        CHECK(loser.uid_after("created key ").empty());
        CHECK((loser.outcome() == "busy" || loser.outcome() == "in_progress"));
        auto const new_uid = winner.uid_after("promoted key ");
        CHECK(scene.scene.contents().current.value().key_uid == new_uid);
        scene.check_keys({old_uid, new_uid});
        auto const promoted = scene.new_requests();
        CHECK(proofs(promoted, promoted.size(), new_uid) == 2);

        scene.scene.pass(61min);  // the service tells whole seconds
        scene.race(0us);
        scene.check_proof(old_uid, new_uid);
        REQUIRE(scene.scene.record().state == RotationState::quarantine);
        scene.scene.pass(std::chrono::days{7} + 1min);
        scene.race(0us);
        scene.check_keys({new_uid});
        REQUIRE(scene.scene.works());
    }
    MESSAGE((3 * races), " races:", scene.list_outcomes());
    CHECK(scene.outcomes["busy"] >= races);
    CHECK(scene.outcomes["in_progress"] >= 2 * races);
}

TEST_CASE(
    "a fleet races: without a lock the versions of the record decide, and the key of the loser is deleted") {
    Races scene("unlocked");
    int deleted = 0;
    int taken_over = 0;
    for (int i = 0; i < races; ++i) {
        CAPTURE(i);
        auto const old_uid = scene.scene.contents().current.value().key_uid;
        scene.scene.pass(std::chrono::days{20});
        auto const said =
            scene.race(microseconds(scene.random.below(scene.random.one_in(2) ? 15'000 : 60'000)));
        INFO(said[0].line << '\n' << said[1].line);
        REQUIRE(scene.scene.works());
        REQUIRE(scene.scene.unknown_keys().empty());
        for (auto const& one : said)
            if (one.outcome() == "lost_race")
                deleted += one.uid_after("deleted the new key ").empty() ? 0 : 1;

        // Who comes next ends what the two have left.
        for (int tries = 0; tries < 20 && scene.scene.record().state != RotationState::overlap; ++tries) {
            scene.scene.pass(1min);
            scene.alone();
        }
        auto const new_uid = scene.scene.contents().current.value().key_uid;
        for (auto const& one : said)
            taken_over += one.outcome() == "lost_race" && one.uid_after("created key ") == new_uid ? 1 : 0;
        CHECK(new_uid != old_uid);
        scene.check_keys({old_uid, new_uid});

        scene.scene.pass(61min);  // the service tells whole seconds
        scene.new_requests();
        scene.race(0us);
        REQUIRE(scene.scene.works());
        for (int tries = 0; tries < 20 && scene.scene.record().state != RotationState::quarantine; ++tries)
            scene.alone();
        scene.check_proof(old_uid, new_uid);
        scene.scene.pass(std::chrono::days{7} + 1min);
        scene.race(0us);
        for (int tries = 0; tries < 20 && scene.scene.record().state != RotationState::idle; ++tries)
            scene.alone();
        scene.check_keys({new_uid});
        REQUIRE(scene.scene.works());
    }
    // What a loser does with its key depends on when it lost: "rotation lost race" makes each of these
    // happen.
    MESSAGE((3 * races), " races:", scene.list_outcomes(), "; losers deleted their key ", deleted,
            " times, and the other one took it over ", taken_over, " times");
    CHECK(scene.outcomes["lost_race"] >= races);
    CHECK(scene.outcomes["busy"] == 0);
}

}  // namespace races_test
