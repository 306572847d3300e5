// SPDX-License-Identifier: BSL-1.0
#include "lifecycle/audit_scene.hpp"

#include <palette/impl/lifecycle/watch/watch_machine.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace watch_machine_test {

using namespace palette;
using namespace std::chrono_literals;
using impl::lifecycle::WatchMachine;
using std::chrono::days;
using Names = std::vector<std::string>;

// A machine that looks each day, at keys that a test changes.
class Days {
public:
    Days() : Days({days{30}, days{14}, days{7}, days{3}, days{1}, days{0}}) {}
    explicit Days(std::vector<std::chrono::milliseconds> times)
        : thresholds(times),
          machine(std::move(times)) {}

    ApiKey& add(std::string uid, int life) {
        auto& key = keys.emplace_back(AuditScene::key(std::move(uid)));
        key.created = key.modified = now;
        key.expiry = Expiry::at(now + days{life});
        return key;
    }

    // "k 14": what is reported at a look, and handled.
    Names look() {
        see();
        Names names;
        for (; machine.has_event(); machine.settle())
            names.push_back(machine.event().key.uid + ' ' +
                            std::to_string(machine.event().threshold / days{1}) +
                            (machine.event().superseded ? "+" : ""));
        return names;
    }
    void see() {
        KeyList list({}, now);
        for (auto const& key : keys)
            if (key.expiry.remaining(now) <= machine.horizon()) list.push_back(key);
        machine.saw(list);
    }
    // The days on which something is reported.
    Names pass(int number) {
        Names all;
        for (int day = 1; day <= number; ++day) {
            now += days{1};
            for (auto const& name : look())
                all.push_back(std::to_string(day) + ": " + name);
        }
        return all;
    }
    void restart() {
        auto const text = machine.to_text();
        machine = WatchMachine(thresholds);
        REQUIRE(machine.restore(text));
        CHECK(machine.to_text() == text);
    }

    Instant now = AuditScene::now;
    std::vector<ApiKey> keys;
    std::vector<std::chrono::milliseconds> thresholds;
    WatchMachine machine;
};

TEST_CASE("watch machine: each threshold is reported once, when the key has come to it") {
    Days scene;
    scene.add("k", 60);
    CHECK(scene.look().empty());
    CHECK(scene.pass(100) == Names{"30: k 30", "46: k 14", "53: k 7", "57: k 3", "59: k 1", "60: k 0"});
}

TEST_CASE("watch machine: a key that never had so much life does not pass the threshold") {
    Days scene;
    scene.look();
    scene.add("week", 7);
    scene.add("month", 30);
    CHECK(scene.look().empty());
    CHECK(scene.pass(31) == Names{"4: week 3", "6: week 1", "7: week 0", "16: month 14", "23: month 7",
                                  "27: month 3", "29: month 1", "30: month 0"});
}

TEST_CASE("watch machine: what was passed before the first look is reported, but for what had expired") {
    Days scene;
    scene.add("old", 100).created = AuditScene::now - std::chrono::days{100};
    scene.keys[0].expiry = AuditScene::in_days(5);
    scene.add("gone", 1);
    scene.keys[1].expiry = AuditScene::in_days(-1);
    CHECK(scene.look() == Names{"old 30+", "old 14+", "old 7"});
    CHECK(scene.look().empty());
}

TEST_CASE("watch machine: a renewal arms the thresholds that the new life has") {
    Days scene;
    auto& key = scene.add("k", 60);
    scene.pass(58);
    key.expiry = Expiry::at(scene.now + std::chrono::days{10});
    key.modified = scene.now;
    CHECK(scene.pass(11) == Names{"3: k 7", "7: k 3", "9: k 1", "10: k 0"});
    // After its end as well.
    key.expiry = Expiry::at(scene.now + std::chrono::days{40});
    key.modified = scene.now;
    CHECK(scene.pass(40) == Names{"10: k 30", "26: k 14", "33: k 7", "37: k 3", "39: k 1", "40: k 0"});
}

TEST_CASE("watch machine: a key that is renewed for a month every week is never reported") {
    Days scene;
    auto& key = scene.add("k", 30);
    for (int week = 0; week < 20; ++week) {
        key.expiry = Expiry::at(scene.now + std::chrono::days{30});
        key.modified = scene.now;
        CHECK(scene.pass(7).empty());
    }
}

TEST_CASE("watch machine: an expiry that is shortened passes what lies between") {
    Days scene;
    auto& key = scene.add("k", 60);
    scene.pass(40);  // 20 are left, and the first threshold was passed
    key.expiry = Expiry::at(scene.now + std::chrono::days{5});
    CHECK(scene.look() == Names{"k 14+", "k 7"});
    auto& other = scene.add("never", 10);
    other.expiry = Expiry::never();
    other.created = AuditScene::now - std::chrono::days{50};
    scene.look();
    other.expiry = Expiry::at(scene.now + std::chrono::days{2});
    CHECK(scene.look() == Names{"never 30+", "never 14+", "never 7+", "never 3"});
}

TEST_CASE("watch machine: after a sleep each threshold is reported, in the order of their times") {
    Days scene;
    scene.add("a", 60);
    scene.add("b", 50);
    CHECK(scene.pass(25) == Names{"20: b 30"});
    scene.now += std::chrono::days{30};
    CHECK(scene.look() == Names{"a 30+", "b 14+", "b 7+", "a 14+", "b 3+", "b 1+", "b 0", "a 7"});
    CHECK(scene.look().empty());
}

TEST_CASE("watch machine: revoked keys are silent, and catch up when they are active") {
    Days scene;
    auto& key = scene.add("k", 40);
    key.is_active = false;
    CHECK(scene.pass(30).empty());
    key.is_active = true;
    CHECK(scene.look() == Names{"k 30+", "k 14"});
}

TEST_CASE("watch machine: an event that was not handled is found by the next look") {
    Days scene;
    scene.add("k", 60);
    scene.pass(29);
    scene.now += std::chrono::days{1};
    scene.see();
    CHECK(scene.machine.has_event());
    scene.machine.defer();
    CHECK_FALSE(scene.machine.has_event());
    scene.restart();
    CHECK(scene.look() == Names{"k 30"});
    scene.restart();
    CHECK(scene.look().empty());
}

TEST_CASE("watch machine: what is deferred are the events of that key alone") {
    Days scene;
    scene.add("a", 60);
    scene.add("b", 60);
    scene.look();
    scene.now += std::chrono::days{47};
    scene.see();
    REQUIRE(scene.machine.event().key.uid == "a");
    scene.machine.defer();
    Names names;
    for (; scene.machine.has_event(); scene.machine.settle())
        names.push_back(scene.machine.event().key.uid);
    CHECK(names == Names{"b", "b"});
    CHECK(scene.look() == Names{"a 30+", "a 14"});
}

TEST_CASE("watch machine: a restart changes nothing, at any time") {
    for (int when = 0; when < 61; ++when) {
        Days scene;
        scene.add("k", 60);
        scene.look();
        auto all = scene.pass(when);
        scene.restart();
        for (auto const& name : scene.pass(61 - when))
            all.push_back(name);
        CHECK(all.size() == 6);
    }
}

TEST_CASE("watch machine: a key that is missing in a list is not reported twice when it comes back") {
    Days scene;
    scene.add("k", 60);
    scene.pass(31);
    auto const kept = scene.keys;
    scene.keys.clear();
    CHECK(scene.pass(3).empty());
    scene.keys = kept;
    CHECK(scene.look().empty());
}

TEST_CASE("watch machine: keys that are gone are forgotten") {
    Days scene;
    for (int i = 0; i < 100; ++i)
        scene.add("k" + std::to_string(i), 20);
    scene.pass(21);
    auto const size = scene.machine.to_text().size();
    scene.keys.clear();
    scene.pass(60);
    CHECK(scene.machine.to_text().size() < size / 50);
}

TEST_CASE("watch machine: thresholds may come in any order, and twice") {
    Days scene({std::chrono::days{1}, std::chrono::days{5}, std::chrono::days{1}});
    CHECK(scene.machine.horizon() == std::chrono::days{5});
    scene.add("k", 10);
    CHECK(scene.pass(12) == Names{"5: k 5", "9: k 1"});
}

TEST_CASE("watch machine: keys without a uid, and keys that come twice, make no event of their own") {
    Days scene;
    scene.add("k", 60);
    scene.add("", 60);
    scene.keys.push_back(scene.keys[0]);
    CHECK(scene.pass(30) == Names{"30: k 30"});
}

TEST_CASE("watch machine: a state that is none is refused, and changes nothing") {
    for (auto const* const text :
         {"", "{}", "[]", "{\"keys\":1}", "{\"keys\":[1]}", "{\"keys\":[[\"a\",1]]}",
          "{\"keys\":[[\"a\",\"1\",1]]}", "{\"keys\":[[1,1,1]]}", "{\"keys\":[],\"last_seen\":\"x\"}",
          "{\"keys\":[[\"a\",9223372036854775807,1]]}", "{\"keys\":[],\"last_seen\":-9223372036854775807}",
          "{\"keys\":[]"}) {
        CAPTURE(text);
        WatchMachine machine({days{1}});
        auto const before = machine.to_text();
        auto const restored = machine.restore(text);
        REQUIRE_FALSE(restored);
        CHECK(restored.error().code() == errc::bad_value);
        CHECK(machine.to_text() == before);
    }
}

}  // namespace watch_machine_test
