// SPDX-License-Identifier: BSL-1.0
#include "lifecycle/apply_world.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

// What a run of a plan decides, without a service, a disk or a clock.

namespace apply_machine_test {

using namespace apply_world;
using Outcomes = std::vector<BulkOutcome>;

Outcomes outcomes_of(const BulkReport& report) {
    Outcomes outcomes;
    for (auto const& item : report.items)
        outcomes.push_back(item.outcome);
    return outcomes;
}

std::string sentence_of(const BulkReport& report, const std::string& uid) {
    for (auto const& item : report.items)
        if (item.uid == uid) return item.sentence;
    return {};
}

TEST_CASE("apply machine: each key is written once, and the second run writes and lists nothing") {
    auto world = small_world();
    auto const plan = world.plan();
    auto const first = world.run(plan).value();
    CHECK(first.is_complete());
    CHECK(first.count(BulkOutcome::done) == 5);
    CHECK(world.order.size() == 5);
    CHECK(world.lists == 0);  // the plan is fresh: it is what was seen
    world.now += 48h;         // it has long become too old
    auto const second = world.run(plan).value();
    CHECK(outcomes_of(second) == outcomes_of(first));
    CHECK(world.order.size() == 5);
    CHECK(world.lists == 0);
}

std::vector<Action> actions() {
    return {Action::revoke(), Action::remove(), Action::extend(960h),
            Action::set_expiry(Expiry::at(noon + 5h)), Action::edit(ApiKeyEdit().description("swept"))};
}

TEST_CASE("apply machine: killed before each of its effects, a run is finished without a second write") {
    for (auto const& action : actions()) {
        CAPTURE(action.to_string());
        int kills = 0;
        for (int at = 0;; ++at) {
            CAPTURE(at);
            auto world = small_world();
            auto const plan = world.plan(Selection::owners({"u1"}), action);
            try {
                static_cast<void>(world.run(plan, World::all_allowed(), at).value());
                break;  // it ended before that effect
            } catch (const Killed&) {
                ++kills;
            }
            world.now += 1s;
            auto const report = world.run(plan).value();
            REQUIRE(report.is_complete());
            REQUIRE(report.count(BulkOutcome::done) == 5);
            REQUIRE(world.order.size() == 5);
            REQUIRE(world.most_writes() == 1);
        }
        CHECK(kills == 15);  // an intent, a write and a result for each key
    }
}

TEST_CASE("apply machine: killed again and again, a run comes to its end") {
    auto world = small_world();
    auto const plan = world.plan();
    int kills = 0;
    // Each run lives for two effects: the intents of a batch of one, and its write.
    auto const options = World::all_allowed().max_under_way(1);
    for (bool is_over = false; !is_over;) {
        REQUIRE(kills < 100);
        try {
            is_over = world.run(plan, options, 2).value().is_complete();
        } catch (const Killed&) {
            ++kills;
        }
    }
    CHECK(kills > 2);
    CHECK(world.order.size() == 5);
    CHECK(world.most_writes() == 1);
}

TEST_CASE("apply machine: a change that was begun and whose key has changed otherwise is left alone") {
    auto world = small_world();
    auto const plan = world.plan(Selection::owners({"u1"}), Action::extend(960h));
    CHECK_THROWS_AS(static_cast<void>(world.run(plan, World::all_allowed(), 5)), Killed);  // all intents
    world.key_of("a").expiry = Expiry::at(noon + 1h);
    world.key_of("b").expiry = Expiry::never();
    world.remove("c");
    auto const report = world.run(plan).value();
    CHECK(outcomes_of(report) == Outcomes{BulkOutcome::drifted, BulkOutcome::done, BulkOutcome::drifted,
                                          BulkOutcome::done, BulkOutcome::done});
    CHECK(world.order == std::vector<std::string>{"d", "e"});
}

TEST_CASE("apply machine: a plan older than 30 seconds is compared, and what drifted is left alone") {
    auto world = small_world();
    auto const plan = world.plan();
    world.now += 31s;
    world.key_of("a").is_active = false;
    world.key_of("b").expiry = Expiry::at(noon + 1h);
    world.key_of("c").modified = noon;
    world.remove("d");
    world.key_of("e").owner.uid = "u2\n";
    auto const report = world.run(plan).value();
    CHECK(world.lists == 1);
    CHECK(world.order.empty());
    CHECK(outcomes_of(report) == Outcomes{BulkOutcome::already, BulkOutcome::drifted, BulkOutcome::drifted,
                                          BulkOutcome::drifted, BulkOutcome::drifted});
    CHECK(sentence_of(report, "b") ==
          "is left alone, for it is not as the plan saw it: it expires 2026-11-28T13:00:00.000Z instead of "
          "2026-12-08T12:00:00.000Z");
    CHECK(sentence_of(report, "c") ==
          "is left alone, for it is not as the plan saw it: somebody has modified it");
    CHECK(sentence_of(report, "d") == "is left alone: it does not exist any more");
    CHECK(sentence_of(report, "e") == "is left alone, for it is not as the plan saw it: its owner is u2\\n");
    CHECK(report.is_complete());
}

TEST_CASE("apply machine: a key that needed nothing and has changed since is left alone") {
    auto world = small_world();
    world.key_of("a").is_active = false;
    auto const plan = world.plan();
    world.key_of("a").is_active = true;
    world.now += 31s;
    CHECK(outcome_of(world.run(plan).value(), "a") == BulkOutcome::drifted);
    CHECK(world.key_of("a").is_active);
}

TEST_CASE("apply machine: a plan of another tenant or user, or of another time, is refused") {
    auto world = small_world();
    auto const plan = world.plan();
    auto const refused = [&] {
        auto const report = world.run(plan);
        REQUIRE_FALSE(report);
        CHECK(report.error().code() == errc::conflict);
        CHECK(report.error().effect() == Effect::not_applied);
        return report.error().path();
    };
    world.who.identity.tenant_uid = "5f0000000000000000000002";
    CHECK(refused() == "tenant_uid");
    world.who = caller();
    world.who.identity.user_uid = "u1";
    CHECK(refused() == "actor_uid");
    world.who = caller();
    world.now = noon + 1h + 1s;
    CHECK(refused() == "as_of");
    world.now = noon - 6min;
    CHECK(refused() == "as_of");
    CHECK(world.order.empty());
    world.now = noon + 1h;
    CHECK(world.run(plan).value().is_complete());
}

TEST_CASE("apply machine: too many keys, and too large a part of the tenant, are refused unless allowed") {
    auto world = small_world();
    auto const plan = world.plan();
    auto const with = [](ApplyOptions options) { return options.include(Guard::last_user_key); };
    auto const refused = world.run(plan, with(ApplyOptions("j")));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().what() == "the plan changes 5 keys, more than a fifth of the 6 keys in the tenant");
    auto const many = world.run(plan, with(ApplyOptions("j").allow_large_share().max_items(4)));
    REQUIRE_FALSE(many);
    CHECK(many.error().what() == "the plan changes 5 keys, and at most 4 may be changed");
    CHECK(world.order.empty());
    // One key is no large part, of a small tenant either.
    CHECK(world.run(world.plan(Selection::uids({"a"})), ApplyOptions("j")).value().is_complete());
    CHECK(world.run(plan, with(ApplyOptions("j").allow_large_share().max_items(5))));
}

TEST_CASE("apply machine: a guarded key is left alone, unless each of its guards is included") {
    auto world = small_world();
    world.key_of("a").annotations.set("protect", "yes");
    auto const plan = world.plan();
    auto const base = ApplyOptions("j").allow_large_share();
    auto const report = world.run(plan, base).value();
    CHECK(outcomes_of(report) == Outcomes{BulkOutcome::guarded, BulkOutcome::done, BulkOutcome::done,
                                          BulkOutcome::done, BulkOutcome::done});
    // The last key of the user is the one that is protected anyway.
    CHECK(
        sentence_of(report, "a") ==
        "is left alone, for a guard speaks for it: last_user_key (include it if its user may be left without "
        "a key), protected_key (include it, or take the annotation \"protect\" off)");
    CHECK(report.is_complete());
    CHECK(outcome_of(world.run(plan, ApplyOptions(base).include(Guard::protected_key)).value(), "a") ==
          BulkOutcome::guarded);
    auto const both = ApplyOptions(base).include(Guard::protected_key).include(Guard::last_user_key);
    CHECK(outcome_of(world.run(plan, both).value(), "a") == BulkOutcome::done);
    CHECK(world.most_writes() == 1);
}

TEST_CASE(
    "apply machine: the client's own key comes last and alone, and only after a good end of all others") {
    auto world = small_world();
    world.who = caller(Credential::Kind::api_key, "z");
    auto const plan = world.plan(Selection::owners({"u1", actor}));
    auto const options = World::all_allowed().allow_own_key().include(Guard::last_admin_key);
    world.refuses = [](const std::string& uid) {
        return uid == "b" ? std::optional(Error(errc::forbidden)) : std::nullopt;
    };
    auto const first = world.run(plan, options).value();
    CHECK(outcome_of(first, "b") == BulkOutcome::failed);
    CHECK(outcome_of(first, "z") == BulkOutcome::not_started);
    CHECK(world.key_of("z").is_active);
    world.refuses = nullptr;
    CHECK(world.run(plan, options).value().is_complete());
    CHECK(world.order.back() == "z");
    CHECK(world.most_writes() == 1);
}

TEST_CASE("apply machine: the client's own key stays as long as a guard keeps another one") {
    auto world = small_world();
    world.key_of("b").annotations.set("protect", "yes");
    world.who = caller(Credential::Kind::api_key, "z");
    auto const plan = world.plan(Selection::owners({"u1", actor}));
    auto const options = World::all_allowed().allow_own_key().include(Guard::last_admin_key);
    auto const first = world.run(plan, options).value();
    CHECK(outcome_of(first, "b") == BulkOutcome::guarded);
    CHECK(outcome_of(first, "z") == BulkOutcome::not_started);
    CHECK(sentence_of(first, "z") ==
          "was not begun: it is the key that the client uses, and another one has failed, was left alone, or "
          "is in quarantine");
    CHECK_FALSE(first.is_complete());
    CHECK(world.key_of("z").is_active);
    CHECK(world.run(plan, ApplyOptions(options).include(Guard::protected_key)).value().is_complete());
    CHECK(world.order.back() == "z");
    CHECK_FALSE(world.key_of("z").is_active);
}

TEST_CASE("apply machine: the client's own key is not deleted while another one is in quarantine") {
    auto world = small_world();
    world.who = caller(Credential::Kind::api_key, "z");
    auto const plan =
        world.plan(Selection::owners({"u1", actor}), Action::remove(), PlanOptions().quarantine(168h));
    auto const options = World::all_allowed().allow_own_key().include(Guard::last_admin_key);
    // The own key is revoked already, so that its quarantine has begun; that of "b" has not.
    JournalEntry entry;
    entry.at = noon;
    entry.result = BulkOutcome::done;
    for (auto const* const uid : {"a", "c", "d", "e", "z"}) {
        entry.uid = uid;
        world.journal.push_back(entry);
        world.key_of(uid).is_active = false;
    }
    world.now = noon + 169h;
    auto const report = world.run(plan, options).value();
    CHECK(outcome_of(report, "b") == BulkOutcome::done);
    CHECK(outcome_of(report, "z") == BulkOutcome::not_started);
    CHECK(world.order == std::vector<std::string>{"a", "b", "c", "d", "e"});
    CHECK(world.has("b"));
    CHECK(world.has("z"));
    world.now = *report.next_due;
    CHECK(world.run(plan, options).value().is_complete());
    CHECK(world.order.back() == "z");
    CHECK_FALSE(world.has("z"));
}

TEST_CASE("apply machine: the own-key guard goes by the credential that applies, not the one that planned") {
    auto world = small_world();
    auto const plan = world.plan(Selection::owners({"u1", actor}));  // with a token: no guard
    world.who = caller(Credential::Kind::api_key, "z");
    auto const options = World::all_allowed().include(Guard::last_admin_key);
    CHECK(outcome_of(world.run(plan, options).value(), "z") == BulkOutcome::guarded);
    world.journal.clear();
    world.who = caller(Credential::Kind::api_key);
    CHECK(outcome_of(world.run(plan, options).value(), "z") == BulkOutcome::guarded);
    CHECK(world.key_of("z").is_active);
    // To be told which key it is lifts the guess from all others.
    world.journal.clear();
    CHECK(outcome_of(world.run(plan, ApplyOptions(options).own_key("elsewhere")).value(), "z") ==
          BulkOutcome::done);
}

TEST_CASE("apply machine: a credential that knows its key is believed rather than own_key()") {
    auto world = small_world();
    auto const plan = world.plan(Selection::owners({"u1", actor}));
    auto const options = World::all_allowed().include(Guard::last_admin_key);
    world.who = caller(Credential::Kind::api_key, "z");
    CHECK(outcome_of(world.run(plan, ApplyOptions(options).own_key("a")).value(), "z") ==
          BulkOutcome::guarded);
    CHECK(world.key_of("z").is_active);
    CHECK_FALSE(world.key_of("a").is_active);
}

TEST_CASE("apply machine: the uid of the own key is the same in capitals") {
    auto world = small_world();
    auto const plan = world.plan(Selection::owners({"u1", actor}));
    auto const options = World::all_allowed().include(Guard::last_admin_key);
    world.who = caller(Credential::Kind::api_key, "Z");
    CHECK(outcome_of(world.run(plan, options).value(), "z") == BulkOutcome::guarded);
    world.journal.clear();
    world.who = caller(Credential::Kind::api_key);
    CHECK(outcome_of(world.run(plan, ApplyOptions(options).own_key("Z")).value(), "z") ==
          BulkOutcome::guarded);
    CHECK(world.key_of("z").is_active);
}

TEST_CASE("apply machine: failures in a row stop a run, single ones do not, and the next run goes on") {
    auto world = small_world();
    auto const plan = world.plan();
    auto const options = World::all_allowed().stop_after(2).max_under_way(1);
    world.refuses = [](const std::string& uid) {
        return uid == "a" || uid == "c" || uid == "d" ? std::optional(Error(errc::rejected)) : std::nullopt;
    };
    auto const report = world.run(plan, options).value();
    CHECK(outcomes_of(report) == Outcomes{BulkOutcome::failed, BulkOutcome::done, BulkOutcome::failed,
                                          BulkOutcome::failed, BulkOutcome::not_started});
    CHECK(report.stopped == "2 changes in a row have failed");
    CHECK_FALSE(report.is_complete());
    REQUIRE(report.items[0].error);
    CHECK(report.items[0].error->code() == errc::rejected);
    world.refuses = nullptr;
    CHECK(world.run(plan, options).value().is_complete());
    CHECK(world.most_writes() == 1);
}

TEST_CASE("apply machine: a refused credential stops a run at once") {
    auto world = small_world();
    world.refuses = [](const std::string&) { return std::optional(Error(errc::unauthorized).status(401)); };
    auto const report = world.run(world.plan(), World::all_allowed().max_under_way(1)).value();
    CHECK(report.count(BulkOutcome::failed) == 1);
    CHECK(report.count(BulkOutcome::not_started) == 4);
    CHECK(report.stopped == "the service refused the credential (HTTP 401)");
}

TEST_CASE("apply machine: an unknown effect is looked for by the next run") {
    for (bool const was_applied : {false, true}) {
        CAPTURE(was_applied);
        auto world = small_world();
        auto const plan = world.plan();
        world.refuses = [&](const std::string& uid) -> std::optional<Error> {
            if (uid != "c") return std::nullopt;
            if (was_applied) world.key_of("c").is_active = false;
            return Error(errc::timeout).effect(Effect::unknown);
        };
        auto const first = world.run(plan).value();
        CHECK(outcome_of(first, "c") == BulkOutcome::unknown);
        CHECK_FALSE(first.is_complete());
        world.refuses = nullptr;
        auto const second = world.run(plan).value();
        CHECK(second.is_complete());
        CHECK(outcome_of(second, "c") == BulkOutcome::done);
        CHECK(world.writes["c"] == (was_applied ? 0 : 1));
        CHECK(world.lists == 1);
    }
}

TEST_CASE("apply machine: that a key does not exist is believed after a list alone") {
    auto world = small_world();
    auto const plan = world.plan(Selection::owners({"u1"}), Action::remove());
    world.remove("b");
    // The service may say so of a credential that it does not take any more.
    world.refuses = [](const std::string& uid) {
        return uid == "c" ? std::optional(Error(errc::not_found).status(404)) : std::nullopt;
    };
    auto const report = world.run(plan).value();
    CHECK(outcome_of(report, "b") == BulkOutcome::already);
    CHECK(outcome_of(report, "c") == BulkOutcome::failed);
    CHECK(world.lists == 1);
    world.refuses = nullptr;
    CHECK(outcome_of(world.run(plan).value(), "c") == BulkOutcome::done);
}

TEST_CASE("apply machine: a 404 of a proxy does not say that a key is gone") {
    auto world = small_world();
    auto const plan = world.plan(Selection::owners({"u1"}), Action::remove());
    world.unlisted = {"b"};
    world.refuses_reads = Error(errc::not_found).status(404);
    world.now += 1min;  // so that the plan is compared with a list
    CHECK(outcome_of(world.run(plan).value(), "b") == BulkOutcome::failed);
    world.refuses_reads.reset();
    CHECK(outcome_of(world.run(plan).value(), "b") == BulkOutcome::done);
}

TEST_CASE("apply machine: a key that a list leaves out is read, and is changed if it is there") {
    for (auto const& action : {Action::revoke(), Action::remove()}) {
        CAPTURE(action.to_string());
        auto world = small_world();
        auto const plan = world.plan(Selection::owners({"u1"}), action);
        world.now += 31s;
        world.unlisted = {"b", "d"};
        world.remove("d");
        auto const report = world.run(plan).value();
        CHECK(outcome_of(report, "b") == BulkOutcome::done);
        CHECK(outcome_of(report, "d") ==
              (action == Action::remove() ? BulkOutcome::already : BulkOutcome::drifted));
        CHECK(report.count(BulkOutcome::done) == 4);
        CHECK(world.reads == 2);
        CHECK(world.lists == 1);
    }
}

TEST_CASE("apply machine: a key that cannot be read is not taken for gone") {
    auto world = small_world();
    auto const plan = world.plan(Selection::owners({"u1"}), Action::remove());
    CHECK_THROWS_AS(static_cast<void>(world.run(plan, World::all_allowed().max_under_way(1), 1)), Killed);
    world.now += 31s;
    world.unlisted = {"a", "b"};
    world.refuses_reads = Error(errc::forbidden).status(403);
    auto const report = world.run(plan).value();
    CHECK(outcome_of(report, "a") == BulkOutcome::unknown);  // it was begun
    CHECK(outcome_of(report, "b") == BulkOutcome::failed);
    CHECK(report.count(BulkOutcome::done) == 3);
    world.refuses_reads.reset();
    auto const next = world.run(plan).value();
    CHECK(next.is_complete());
    CHECK(next.count(BulkOutcome::done) == 5);
    CHECK(world.most_writes() == 1);
    CHECK_FALSE(world.has("a"));
}

TEST_CASE("apply machine: a refused credential stops the reads of keys that a list leaves out") {
    auto world = small_world();
    auto const plan = world.plan();
    world.now += 31s;
    world.unlisted = {"a", "b", "c", "d", "e"};
    world.refuses_reads = Error(errc::unauthorized).status(401);
    auto const report = world.run(plan).value();
    CHECK(report.stopped == "the service refused the credential (HTTP 401)");
    CHECK(outcomes_of(report) == Outcomes{BulkOutcome::failed, BulkOutcome::not_started,
                                          BulkOutcome::not_started, BulkOutcome::not_started,
                                          BulkOutcome::not_started});
    CHECK(world.reads == 1);
    CHECK(world.order.empty());
}

TEST_CASE("apply machine: an extension that would shorten a life is none") {
    auto world = small_world();
    auto const plan = world.plan(Selection::owners({"u1"}), Action::extend(960h));
    world.refuses = [](const std::string& uid) {
        return uid == "a" ? std::optional(Error(errc::conflict).path("expiry")) : std::nullopt;
    };
    CHECK(outcome_of(world.run(plan).value(), "a") == BulkOutcome::already);
}

TEST_CASE("apply machine: an extension that the service refuses with a 409 has failed") {
    auto world = small_world();
    auto const plan = world.plan(Selection::owners({"u1"}), Action::extend(960h));
    world.refuses = [](const std::string& uid) -> std::optional<Error> {
        if (uid == "a") return Error(errc::conflict).status(409);
        if (uid == "b") return Error(errc::conflict).status(409).path("expiry");
        return std::nullopt;
    };
    auto const report = world.run(plan).value();
    CHECK(outcome_of(report, "a") == BulkOutcome::failed);
    CHECK(outcome_of(report, "b") == BulkOutcome::failed);
    world.refuses = nullptr;
    CHECK(world.run(plan).value().count(BulkOutcome::done) == 5);
}

TEST_CASE("apply machine: in a quarantine keys are revoked first, and deleted once it is over") {
    auto world = small_world();
    world.key_of("a").is_active = false;
    auto const plan = world.plan(Selection::owners({"u1"}), Action::remove(), PlanOptions().quarantine(168h));
    auto const first = world.run(plan).value();
    CHECK(first.count(BulkOutcome::done) == 4);
    CHECK(outcome_of(first, "a") == BulkOutcome::already);
    CHECK(first.next_due == noon + 168h);
    CHECK_FALSE(first.is_complete());
    CHECK(world.order.size() == 4);

    world.now = noon + 167h;
    auto const early = world.run(plan).value();
    CHECK(early.next_due == noon + 168h);
    CHECK(world.order.size() == 4);
    CHECK(world.lists == 0);

    world.key_of("c").is_active = true;
    world.now = noon + 168h;
    auto const second = world.run(plan).value();
    CHECK(second.is_complete());
    CHECK(outcome_of(second, "c") == BulkOutcome::drifted);
    CHECK(sentence_of(second, "c").find("in use") != std::string::npos);
    CHECK(world.has("c"));
    for (auto const* const uid : {"a", "b", "d", "e"})
        CHECK_FALSE(world.has(uid));
    world.now += 1h;
    CHECK(world.run(plan).value().is_complete());
    CHECK(world.order.size() == 8);
}

TEST_CASE("apply machine: killed before each effect, a quarantine comes to its end all the same") {
    auto const plan_for = [](const World& world) {
        return world.plan(Selection::owners({"u1"}), Action::remove(), PlanOptions().quarantine(168h));
    };
    for (int at = 0; at < 30; ++at) {
        CAPTURE(at);
        auto world = small_world();
        auto const plan = plan_for(world);
        auto const kill = [&](int effect) {
            try {
                static_cast<void>(world.run(plan, World::all_allowed(), effect).value());
            } catch (const Killed&) {
                world.now += 1s;
            }
        };
        if (at < 15) kill(at);
        REQUIRE(world.run(plan).value().next_due);
        REQUIRE(world.most_writes() == 1);
        world.now = noon + 169h;
        if (at >= 15) kill(at - 15);
        REQUIRE(world.run(plan).value().is_complete());
        REQUIRE(world.most_writes() == 2);  // a revocation and a deletion
        REQUIRE(world.order.size() == 10);
        REQUIRE_FALSE(world.has("a"));
    }
}

TEST_CASE("apply machine: a deletion that was cancelled before it was sent is made by the next run") {
    auto world = small_world();
    auto const plan = world.plan(Selection::owners({"u1"}), Action::remove(), PlanOptions().quarantine(168h));
    CHECK(world.run(plan).value().count(BulkOutcome::done) == 5);
    world.now = noon + 168h;
    world.refuses = [](const std::string& uid) {
        return uid == "b" ? std::optional(Error(errc::operation_aborted)) : std::nullopt;
    };
    auto const options = World::all_allowed().max_under_way(1);
    auto const stopped = world.run(plan, options).value();
    CHECK_FALSE(stopped.stopped.empty());
    CHECK(outcomes_of(stopped) == Outcomes{BulkOutcome::done, BulkOutcome::not_started,
                                           BulkOutcome::not_started, BulkOutcome::not_started,
                                           BulkOutcome::not_started});
    // An intent alone would mean that it may have been deleted.
    CHECK(world.journal.back().uid == "b");
    CHECK(world.journal.back().step == ActionKind::remove);
    CHECK(world.journal.back().result == BulkOutcome::not_started);
    world.refuses = nullptr;
    CHECK(world.run(plan, options).value().is_complete());
    CHECK_FALSE(world.has("b"));
}

TEST_CASE("apply machine: a plan with a quarantine that was begun in time is finished, however late") {
    auto world = small_world();
    auto const plan = world.plan(Selection::owners({"u1"}), Action::remove(), PlanOptions().quarantine(168h));
    auto const options = World::all_allowed().max_under_way(1).stop_after(1);
    world.refuses = [](const std::string& uid) {
        return uid == "c" ? std::optional(Error(errc::rejected)) : std::nullopt;
    };
    CHECK(world.run(plan, options).value().count(BulkOutcome::done) == 2);
    world.refuses = nullptr;
    world.now = noon + 200h;
    auto const late = world.run(plan, options).value();
    CHECK(late.count(BulkOutcome::done) == 5);
    CHECK_FALSE(world.has("a"));
    CHECK_FALSE(world.key_of("c").is_active);
    CHECK(late.next_due == noon + 368h);
    world.now = noon + 368h;
    CHECK(world.run(plan, options).value().is_complete());
    CHECK_FALSE(world.has("c"));
}

TEST_CASE("apply machine: a journal with a key or a step that the plan does not have is refused") {
    auto world = small_world();
    auto const plan = world.plan();
    JournalEntry entry;
    entry.uid = "nobody";
    world.journal = {entry};
    CHECK(world.run(plan).error().code() == errc::bad_value);
    entry.uid = "a";
    entry.step = ActionKind::remove;
    world.journal = {entry};
    CHECK(world.run(plan).error().code() == errc::bad_value);
    // What has come to an end is not begun once more.
    entry.step = ActionKind::revoke;
    entry.result = BulkOutcome::done;
    world.journal = {entry, entry};
    CHECK(world.run(plan).error().code() == errc::bad_value);
    CHECK(world.order.empty());
}

}  // namespace apply_machine_test
