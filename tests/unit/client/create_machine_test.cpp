// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/client/create_machine.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace create_machine_test {

using palette::Effect;
using Machine = palette::impl::client::CreateMachine;
using Do = Machine::Do;
using Time = Machine::Time;
using Suffixes = std::vector<int>;

Machine::Now left(int ms) {
    Machine::Now now;
    now.left = Time(ms);
    return now;
}

Machine::Match seen(std::string uid, int suffix) {
    Machine::Match match;
    match.uid = std::move(uid);
    match.suffix = suffix;
    return match;
}

// After the first POST, whose answer was lost with `ms` left.
struct Lost {
    explicit Lost(int ms, bool again = false)
        : machine([&] {
              Machine::Settings settings;
              settings.retry_when_unseen = again;
              return Machine(settings);
          }()) {
        machine.identified(true, left(ms));
        next = machine.posted(Machine::Posted::unknown, "", left(ms));
    }

    // Lists that show nothing, until it is not content to wait: the waits.
    std::vector<int> look_in_vain(int ms) {
        std::vector<int> waits;
        while (next.what == Do::list) {
            next = machine.listed(Machine::Listed::complete, {}, left(ms));
            if (next.what != Do::wait) break;
            waits.push_back(static_cast<int>(next.time.count()));
            ms -= waits.back();
            next = machine.waited(left(ms));
        }
        return waits;
    }

    Machine machine;
    Machine::Action next;
};

TEST_CASE("create machine: a POST leaves the time to settle, or half of what there is") {
    for (auto const& [ms, reserved] : {std::pair(30'000, 2'000), std::pair(3'000, 1'500), std::pair(0, 0)}) {
        Machine machine{Machine::Settings()};
        auto const next = machine.identified(true, left(ms));
        CHECK(next.what == Do::post);
        CHECK(next.suffix == 1);
        CHECK(next.time == Time(reserved));
    }
}

TEST_CASE("create machine: it looks at once, then ever less often, and last when the time is over") {
    Lost lost(30'000);
    CHECK(lost.look_in_vain(30'000) == std::vector{100, 200, 400, 500, 500, 300});
    CHECK(lost.next.what == Do::fail);
    CHECK(lost.next.blame == Machine::Blame::post);
    CHECK(lost.next.effect == Effect::unknown);
    CHECK(lost.machine.pending() == Suffixes{1});

    Lost late(450);
    CHECK(late.look_in_vain(450) == std::vector{100, 200, 150});
}

TEST_CASE(
    "create machine: who creates again when unseen looks for no more than half of the time that is left") {
    Lost lost(600, true);
    CHECK(lost.look_in_vain(600) == std::vector{100, 200});
    CHECK(lost.next.what == Do::post);
    CHECK(lost.next.suffix == 2);
    CHECK(lost.next.time == Time(150));

    Lost too_late(190, true);
    CHECK(too_late.look_in_vain(190) == std::vector{95});
    CHECK(too_late.next.what == Do::fail);  // a POST with 95 ms would be lost as well
}

TEST_CASE("create machine: lists that fail show nothing, and nobody creates again upon them") {
    Lost lost(600, true);
    auto ms = 600;
    while (lost.next.what == Do::list) {
        lost.next = lost.machine.listed(Machine::Listed::failed, {}, left(ms));
        if (lost.next.what != Do::wait) break;
        ms -= static_cast<int>(lost.next.time.count());
        lost.next = lost.machine.waited(left(ms));
    }
    CHECK(lost.next.what == Do::fail);
    CHECK(lost.machine.pending() == Suffixes{1});
}

TEST_CASE("create machine: a list that is refused ends the search, with the error that began it") {
    Lost lost(30'000, true);
    auto const next = lost.machine.listed(Machine::Listed::refused, {}, left(30'000));
    CHECK(next.what == Do::fail);
    CHECK(next.blame == Machine::Blame::post);
    CHECK(next.effect == Effect::unknown);
    CHECK(lost.machine.pending() == Suffixes{1});
}

TEST_CASE("create machine: all keys of one POST are deleted before the next one is sent") {
    Lost lost(30'000);
    auto next = lost.machine.listed(Machine::Listed::complete, {seen("a", 1), seen("b", 1), seen("c", 2)},
                                    left(30'000));
    CHECK(next.what == Do::remove);
    CHECK(next.uid == "b");
    next = lost.machine.removed(Machine::Removed::gone, left(30'000));
    CHECK(lost.machine.pending() == Suffixes{1});
    CHECK(next.what == Do::remove);
    CHECK(next.uid == "a");
    next = lost.machine.removed(Machine::Removed::gone, left(30'000));
    CHECK(next.what == Do::post);
    CHECK(next.suffix == 2);
    CHECK(lost.machine.pending().empty());
}

TEST_CASE("create machine: when an earlier key comes late, the last one is looked for on") {
    Lost lost(3'000, true);
    lost.look_in_vain(3'000);
    REQUIRE(lost.next.what == Do::post);
    lost.machine.posted(Machine::Posted::unknown, "", left(1'400));
    auto next = lost.machine.listed(Machine::Listed::complete, {seen("late", 1)}, left(1'400));
    CHECK(next.uid == "late");
    next = lost.machine.removed(Machine::Removed::gone, left(1'400));
    CHECK(next.what == Do::wait);
    CHECK(lost.machine.pending() == Suffixes{2});
}

TEST_CASE(
    "W12 create machine: a key that was not there when it was to be deleted is pending until a later "
    "success") {
    Lost lost(30'000);
    lost.machine.listed(Machine::Listed::complete, {seen("a", 1)}, left(30'000));
    auto next = lost.machine.removed(Machine::Removed::not_there, left(30'000));
    REQUIRE(next.what == Do::post);
    CHECK(lost.machine.pending() == Suffixes{1});

    auto refused = lost.machine;
    next = refused.posted(Machine::Posted::refused, "", left(30'000));
    CHECK(next.effect == Effect::unknown);
    CHECK(refused.pending() == Suffixes{1});

    next = lost.machine.posted(Machine::Posted::value, "b", left(30'000));
    CHECK(next.what == Do::read);
    CHECK(lost.machine.pending().empty());
}

TEST_CASE("create machine: two keys with the mark of the value confirm no uid") {
    Machine machine{Machine::Settings()};
    machine.identified(true, left(30'000));
    CHECK(machine.posted(Machine::Posted::value, "user", left(30'000)).what == Do::read);
    CHECK(machine.read(Machine::Read::not_it, left(30'000)).what == Do::list);
    auto const next = machine.listed(Machine::Listed::complete, {seen("a", 1), seen("b", 1)}, left(30'000));
    CHECK(next.what == Do::deliver);
    CHECK(next.uid == "user");
    CHECK_FALSE(next.confirmed);
}

TEST_CASE("create machine: whether marks are kept is what the last read has shown") {
    for (auto const read : {Machine::Read::ours, Machine::Read::ours_unmarked}) {
        Machine::Settings settings;
        settings.marks_persist = read != Machine::Read::ours;
        Machine machine(settings);
        machine.identified(true, left(30'000));
        machine.posted(Machine::Posted::value, "a", left(30'000));
        auto const next = machine.read(read, left(30'000));
        CHECK(next.what == Do::deliver);
        CHECK(next.confirmed);
        CHECK(machine.marks_persist() == (read == Machine::Read::ours));
    }
}

TEST_CASE("create machine: with a nonce that was given it looks first, and asks for nothing if it was used") {
    Machine::Settings settings;
    settings.look_first = true;
    Machine fresh(settings);
    CHECK(fresh.identified(true, left(30'000)).what == Do::list);
    CHECK(fresh.listed(Machine::Listed::complete, {}, left(30'000)).what == Do::post);

    Machine used(settings);
    used.identified(true, left(30'000));
    auto const refused = used.listed(Machine::Listed::complete, {seen("old", 3)}, left(30'000));
    CHECK(refused.what == Do::fail);
    CHECK(refused.blame == Machine::Blame::nonce);
    CHECK(refused.effect == Effect::not_applied);
    CHECK(used.pending() == Suffixes());

    for (auto const outcome : {Machine::Listed::failed, Machine::Listed::refused}) {
        Machine blind(settings);
        blind.identified(true, left(30'000));
        auto const next = blind.listed(outcome, {}, left(30'000));
        CHECK(next.what == Do::fail);
        CHECK(next.blame == Machine::Blame::step);
        CHECK(next.effect == Effect::not_applied);
    }

    settings.marks_persist = false;  // no list can show a nonce
    CHECK(Machine(settings).identified(true, left(30'000)).what == Do::post);
}

}  // namespace create_machine_test
