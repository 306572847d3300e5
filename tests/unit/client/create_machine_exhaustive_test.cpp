// SPDX-License-Identifier: BSL-1.0
// Every way that a create can go, within bounds: each step comes out in every way that it can, keys land at
// once, late or never, lists lag and show what is gone, and the call is stopped anywhere. Equal states are
// looked at once. One POST makes one key at most.
#include <palette/impl/client/create_machine.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace create_machine_exhaustive_test {

using palette::Effect;
using Machine = palette::impl::client::CreateMachine;
using Do = Machine::Do;
using Time = Machine::Time;

enum class Landed { not_yet, exists, gone };

// A key that a POST made, or makes yet.
struct Key {
    std::string uid;
    int suffix;
    Landed landed;
    bool has_value = false;  // its value was received
    bool owned = true;
    auto operator<=>(const Key&) const = default;
};

// What is true, whatever the machine knows of it.
struct World {
    std::vector<Key> keys;
    std::vector<int> refused;
    int posts = 0;
    Time left{};
    bool keeps_marks = true;
    bool is_credential_dead = false;  // no request succeeds any more
    bool was_told_of_other = false;   // the owner of the key with the value
    bool is_nonce_used = false;       // a list has shown so before the first POST
    bool has_looked = false;          // there was such a list
    auto operator<=>(const World&) const = default;
};

struct State {
    Machine machine;
    World world;
    Machine::Action action;
    auto operator<=>(const State&) const = default;
};

// What a bug in the machine would be called; empty: all is well.
class Search {
public:
    Search(Machine::Settings settings, bool keeps_marks) : settings_(settings) {
        Machine const machine(settings);
        World world;
        world.left = Time(600);
        world.keeps_marks = keeps_marks;
        look({machine, world, machine.begin()});
    }

    [[nodiscard]] std::size_t states() const { return seen_.size(); }
    [[nodiscard]] std::size_t ends() const { return ends_; }
    [[nodiscard]] std::size_t removals() const { return removals_; }
    [[nodiscard]] const std::string& fault() const { return fault_; }

private:
    void expect(bool holds, const char* what) {
        if (!holds && fault_.empty()) fault_ = what;
    }

    void look(const State& state) {
        if (!fault_.empty()) return;
        auto const [at, is_new] = seen_.emplace(state, true);
        if (!is_new) return expect(!at->second, "it comes back to where it was, and never ends");
        check(state);
        if (!fault_.empty()) return;
        if (state.action.what == Do::deliver || state.action.what == Do::fail)
            ++ends_;
        else
            go_on(state);
        at->second = false;  // no longer under way
    }

    static const Key* key_of(const World& world, const std::string& uid) {
        auto const at = std::ranges::find(world.keys, uid, &Key::uid);
        return at == world.keys.end() ? nullptr : &*at;
    }

    void check(const State& state) {
        auto const& [machine, world, action] = state;
        auto const* const key = key_of(world, action.uid);
        switch (action.what) {
            case Do::post:
                expect(action.suffix == world.posts + 1, "a suffix is used twice");
                expect(!world.is_nonce_used, "a POST with a nonce that was used before");
                if (settings_.look_first && settings_.marks_persist)
                    expect(world.has_looked, "a POST before the keys that bear its nonce were looked for");
                expect(action.suffix <= settings_.max_posts, "too many POSTs");
                expect(action.time <= world.left / 2, "a POST that may use up what the search needs");
                expect(std::ranges::none_of(world.keys, &Key::has_value), "a POST after a value");
                if (!settings_.retry_when_unseen && !world.is_credential_dead)
                    expect(std::ranges::none_of(world.keys, &is_possible), "a POST while one is lost");
                break;
            case Do::list:
                expect(settings_.marks_persist, "a list that cannot show what is looked for");
                break;
            case Do::remove:
                expect(key != nullptr, "something is deleted that is none of its keys");
                expect(key == nullptr || !key->has_value, "a key is deleted whose value was received");
                expect(settings_.marks_persist, "something is deleted where marks do not persist");
                ++removals_;
                break;
            case Do::revoke:
                expect(key != nullptr && !key->owned, "a key is revoked that is as it was asked for");
                break;
            case Do::wait:
                expect(action.time.count() > 0 && action.time <= world.left, "a wait that does not fit");
                break;
            case Do::deliver:
            case Do::fail:
                check_end(state);
                break;
            default:
                break;
        }
    }

    static bool is_possible(const Key& key) { return key.landed != Landed::gone; }

    void check_end(const State& state) {
        auto const& [machine, world, action] = state;
        auto const pending = machine.pending();
        auto const is_delivery = action.what == Do::deliver;
        auto const value = std::ranges::find_if(world.keys, &Key::has_value);
        expect(std::ranges::count_if(world.keys, &Key::has_value) <= 1, "two values were received");
        expect(!is_delivery || value != world.keys.end(), "it delivers what it has not");
        expect(!is_delivery || !world.was_told_of_other, "it delivers another user's key");
        if (!is_delivery && value != world.keys.end()) {
            expect(!value->owned, "a value was received and is not delivered");
            expect(action.uid == value->uid && action.effect == Effect::applied,
                   "the key of another owner is not named");
        }
        if (is_delivery && action.confirmed)
            expect(action.uid == value->uid && value->owned, "a wrong uid is confirmed");
        for (auto const& key : world.keys) {
            auto const is_pending = std::ranges::find(pending, key.suffix) != pending.end();
            if (key.has_value)
                expect(!is_pending, "a key whose value was received is given up for deletion");
            else if (is_possible(key))
                expect(is_pending, "a key that may exist is not named");
            if (action.what == Do::fail && is_possible(key))
                expect(action.effect != Effect::not_applied,
                       "nothing was done, it says, and a key may exist");
        }
        for (int const suffix : world.refused)
            expect(std::ranges::find(pending, suffix) == pending.end(), "a POST that was refused is named");
    }

    // The step takes its time or none, after which the call is stopped or not.
    template <class Tell>
    void tell(const State& state, const World& world, Tell tell_machine) {
        for (auto const takes : {Time(0), Time(150)}) {
            for (bool const stopped : {false, true}) {
                State next = state;
                next.world = world;
                next.world.left = std::max(Time(0), world.left - takes);
                Machine::Now now;
                now.left = next.world.left;
                now.stopped = stopped || now.left.count() == 0;
                if (now.stopped && !stopped) continue;  // the deadline: the same as the other
                next.action = tell_machine(next.machine, now);
                look(next);
            }
        }
    }

    // With every choice of what has arrived meanwhile of that which was still under way.
    void go_on(const State& state) {
        auto const& keys = state.world.keys;
        for (std::size_t choice = 0; choice < (std::size_t{1} << keys.size()); ++choice) {
            State next = state;
            bool is_choice = true;
            for (std::size_t i = 0; i < keys.size(); ++i) {
                if ((choice >> i & 1) == 0) continue;
                is_choice = is_choice && keys[i].landed == Landed::not_yet;
                next.world.keys[i].landed = Landed::exists;
            }
            if (is_choice) step(next);
        }
    }

    void step(const State& state) {
        switch (state.action.what) {
            case Do::identify:
                for (bool const known : {true, false})
                    tell(state, state.world,
                         [&](Machine& m, Machine::Now now) { return m.identified(known, now); });
                break;
            case Do::post:
                return post(state);
            case Do::list:
                return list(state);
            case Do::wait: {
                auto world = state.world;
                world.left -= state.action.time;
                return tell(state, world, [](Machine& m, Machine::Now now) { return m.waited(now); });
            }
            case Do::remove:
                return remove(state);
            case Do::read:
                return read(state);
            case Do::revoke:
                return tell(state, state.world, [](Machine& m, Machine::Now) { return m.revoked(); });
            default:
                break;
        }
    }

    void post(const State& state) {
        auto const suffix = state.action.suffix;
        auto const uid = "key-" + std::to_string(suffix);
        auto const with = [&](std::vector<Key> keys) {
            auto world = state.world;
            world.posts = suffix;
            for (auto& key : keys)
                world.keys.push_back(std::move(key));
            return world;
        };
        auto const met = [&](World world, Machine::Posted outcome, const std::string& told) {
            tell(state, world, [&](Machine& m, Machine::Now now) { return m.posted(outcome, told, now); });
        };
        auto refused = with({});
        refused.refused.push_back(suffix);
        met(refused, Machine::Posted::refused, "");
        met(with({}), Machine::Posted::unknown, "");
        met(with({{uid, suffix, Landed::not_yet}}), Machine::Posted::unknown, "");
        if (state.world.is_credential_dead) return;
        met(with({{uid, suffix, Landed::exists}}), Machine::Posted::unknown, "");
        met(with({{uid, suffix, Landed::exists}}), Machine::Posted::no_value, uid);
        met(with({{uid, suffix, Landed::exists}}), Machine::Posted::no_value, "user");
        for (bool const owned : {true, false})
            for (auto const& told : {uid, std::string("user"), std::string()})
                met(with({{uid, suffix, Landed::exists, true, owned}}), Machine::Posted::value, told);
    }

    void list(const State& state) {
        auto const met = [&](Machine::Listed outcome, const std::vector<Machine::Match>& matches) {
            auto world = state.world;
            if (outcome == Machine::Listed::complete) world.has_looked = true;
            if (world.posts == 0 && !matches.empty()) world.is_nonce_used = true;
            world.was_told_of_other = std::ranges::any_of(matches, [&](const Machine::Match& m) {
                auto const* const key = key_of(world, m.uid);
                return key != nullptr && key->has_value && !m.owned;
            });
            tell(state, world, [&](Machine& m, Machine::Now now) { return m.listed(outcome, matches, now); });
        };
        met(Machine::Listed::failed, {});
        met(Machine::Listed::refused, {});
        if (state.world.is_credential_dead) return;
        if (!state.world.keeps_marks) return met(Machine::Listed::complete, {});
        // Each that was there is seen or not.
        auto const& keys = state.world.keys;
        for (std::size_t choice = 0; choice < (std::size_t{1} << keys.size()); ++choice) {
            std::vector<Machine::Match> matches;
            bool is_choice = true;
            for (std::size_t i = 0; i < keys.size(); ++i) {
                if ((choice >> i & 1) == 0) continue;
                is_choice = is_choice && keys[i].landed != Landed::not_yet;
                matches.push_back({keys[i].uid, keys[i].suffix, keys[i].owned});
            }
            if (!is_choice) continue;
            met(Machine::Listed::complete, matches);
            // With the nonce, and none of this create's: they are nobody's to delete.
            matches.push_back({"foreign", 7, true});
            matches.push_back({"of-another-owner", 1, false});
            if (!state.machine.has_value()) met(Machine::Listed::complete, matches);
        }
    }

    void remove(const State& state) {
        auto const met = [&](World world, Machine::Removed outcome) {
            tell(state, world, [&](Machine& m, Machine::Now now) { return m.removed(outcome, now); });
        };
        auto gone = state.world;
        std::ranges::find(gone.keys, state.action.uid, &Key::uid)->landed = Landed::gone;
        auto dead = state.world;
        dead.is_credential_dead = true;
        met(state.world, Machine::Removed::refused);
        met(state.world, Machine::Removed::unknown);
        met(gone, Machine::Removed::unknown);
        met(gone, Machine::Removed::not_there);
        met(dead, Machine::Removed::not_there);  // W12: a refused credential can look so
        if (!state.world.is_credential_dead) met(gone, Machine::Removed::gone);
    }

    void read(const State& state) {
        auto const met = [&](Machine::Read outcome, bool tells_of_other = false) {
            auto world = state.world;
            world.was_told_of_other = tells_of_other;
            tell(state, world, [&](Machine& m, Machine::Now now) { return m.read(outcome, now); });
        };
        met(Machine::Read::failed);
        auto const* const key = key_of(state.world, state.action.uid);
        if (key == nullptr) return met(Machine::Read::not_it);
        met(Machine::Read::not_it);  // a read that lags
        if (!key->owned) return met(Machine::Read::others, true);
        met(state.world.keeps_marks ? Machine::Read::ours : Machine::Read::ours_unmarked);
    }

    Machine::Settings settings_;
    std::map<State, bool> seen_;  // and whether it is under way
    std::size_t ends_ = 0;
    std::size_t removals_ = 0;
    std::string fault_;
};

struct Row {
    int max_posts;
    bool retry_when_unseen;
    bool keeps_marks;
    bool is_thought_to;
    std::size_t min_states;
    bool look_first = false;
};

TEST_CASE("W7 create: whatever comes, one value at most is delivered, and every other key is named") {
    std::size_t states = 0;
    for (auto const& row :
         {Row{1, false, true, true, 400}, Row{2, false, true, true, 4'000}, Row{2, true, true, true, 9'000},
          Row{3, false, true, true, 12'000}, Row{2, true, false, true, 2'500}, Row{2, true, false, false, 50},
          Row{2, true, true, true, 9'000, true}, Row{2, false, false, false, 20, true}}) {
        CAPTURE(row.max_posts);
        CAPTURE(row.retry_when_unseen);
        CAPTURE(row.keeps_marks);
        Machine::Settings settings;
        settings.max_posts = row.max_posts;
        settings.settle_time = Time(250);
        settings.retry_when_unseen = row.retry_when_unseen;
        settings.marks_persist = row.is_thought_to;
        settings.look_first = row.look_first;
        Search const search(settings, row.keeps_marks);
        CHECK(search.fault() == "");
        CHECK(search.states() >= row.min_states);
        CHECK(search.ends() > search.states() / 10);
        CHECK((search.removals() > 0) == row.keeps_marks);
        MESSAGE("states: ", search.states());
        states += search.states();
    }
    MESSAGE("states in all: ", states);
}

}  // namespace create_machine_exhaustive_test
