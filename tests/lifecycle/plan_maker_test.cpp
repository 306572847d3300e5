// SPDX-License-Identifier: BSL-1.0
#include "lifecycle/plan_samples.hpp"

#include <palette/impl/lifecycle/plans/plan_rules.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace plan_maker_test {

using namespace plan_samples;
using lifecycle::Action;
using lifecycle::Guard;
using lifecycle::Plan;
using lifecycle::PlanItem;
using lifecycle::PlanOptions;
using lifecycle::Selection;
using Guards = std::vector<Guard>;
using Step = PlanItem::Step;
using impl::lifecycle::has_guard;

std::vector<std::string> uids_of(const Plan& plan) {
    std::vector<std::string> uids;
    for (auto const& item : plan.items)
        uids.push_back(item.uid);
    return uids;
}

const PlanItem& item_of(const Plan& plan, const std::string& uid) {
    auto const found = std::ranges::find(plan.items, uid, &PlanItem::uid);
    REQUIRE(found != plan.items.end());
    return *found;
}

ApiKey revoked(ApiKey key) {
    key.is_active = false;
    return key;
}

TEST_CASE("plan: a selection takes the keys that it names, in the order of their uids") {
    auto other = key("c", "u2");
    other.name = "ci";
    auto const all = sources({key("b"), other, key("a")}, {user("u1"), user("u2")});
    CHECK(uids_of(make(all, Selection::uids({"b", "a", "b"})).value()) == std::vector<std::string>{"a", "b"});
    CHECK(uids_of(make(all, Selection::names({"ci"})).value()) == std::vector<std::string>{"c"});
    CHECK(uids_of(make(all, Selection::owners({"u1"})).value()) == std::vector<std::string>{"a", "b"});
    CHECK(Selection::owner("u1") == Selection::owners({"u1"}));
    CHECK(Selection::uid("a") == Selection::uids({"a"}));
    CHECK(uids_of(make(all, Selection::matching(ListFilter().name("ci"))).value()) ==
          std::vector<std::string>{"c"});
    auto const found = make(all, Selection::of({{"c", "its owner is gone"}}, "orphaned, proven")).value();
    CHECK(uids_of(found) == std::vector<std::string>{"c"});
    CHECK(found.items[0].reason == "its owner is gone");
    CHECK(found.selection == "1 key: orphaned, proven");
    CHECK(found.keys_in_tenant == 3);
}

TEST_CASE("plan: of an audit's findings, the proven ones are selected, and others only when asked for") {
    lifecycle::AuditReport report;
    report.as_of = noon;
    auto const add = [&](const char* uid, lifecycle::AuditRule rule, lifecycle::Grade grade) {
        lifecycle::Finding finding;
        finding.rule = rule;
        finding.grade = grade;
        finding.key = std::make_shared<const ApiKey>(key(uid));
        finding.evidence = "because";
        report.findings.push_back(finding);
    };
    using lifecycle::AuditRule;
    using lifecycle::Grade;
    add("a", AuditRule::orphaned, Grade::proven);
    add("b", AuditRule::orphaned, Grade::inferred);
    add("c", AuditRule::expired, Grade::proven);
    report.findings.emplace_back().rule = AuditRule::orphaned;  // about a user, and no key
    auto const all = sources({key("a"), key("b"), key("c"), key("d")}, {user("u1")});
    auto const proven = make(all, Selection::findings(report, {AuditRule::orphaned})).value();
    CHECK(uids_of(proven) == std::vector<std::string>{"a"});
    CHECK(proven.items[0].reason == "orphaned: because");
    CHECK(proven.selection == "1 key: found by an audit of 2026-11-28T12:00:00.000Z to be orphaned, proven");
    auto const both = Selection::findings(report, {AuditRule::orphaned, AuditRule::expired}, Grade::inferred);
    CHECK(uids_of(make(all, both).value()) == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("plan: what is selected and does not exist is noted") {
    auto const all = sources({key("a")}, {user("u1")});
    auto const plan = make(all, Selection::uids({"a", "zz\u202E"})).value();
    REQUIRE(plan.notes.size() == 1);
    CHECK(plan.notes[0] == "no key that the actor sees is selected by \"zz\\xe2\\x80\\xae\"");
}

TEST_CASE("plan: a key that comes twice in a list is in the plan once, and one with an odd uid is not") {
    auto const plan = make(sources({key("a"), key("a"), key("../b")}, {user("u1")})).value();
    CHECK(uids_of(plan) == std::vector<std::string>{"a"});
    REQUIRE(plan.notes.size() == 1);
    CHECK(plan.notes[0] == "selected keys whose uid cannot be one, and that are left out: 1");
}

TEST_CASE("plan: each action knows what needs nothing, and what cannot be done") {
    auto const expired = Expiry::at(noon - 1h);
    struct Row {
        Action action;
        ApiKey key;
        Step step;
    };
    auto named = key("a");
    named.description = "kept";
    std::vector<Row> const rows{
        {Action::revoke(), key("a"), Step::change},
        {Action::revoke(), revoked(key("a")), Step::already},
        {Action::revoke(), key("a", "u1", expired), Step::change},
        {Action::reactivate(), key("a"), Step::already},
        {Action::reactivate(), revoked(key("a")), Step::change},
        {Action::reactivate(), revoked(key("a", "u1", expired)), Step::skip},
        {Action::remove(), revoked(key("a")), Step::change},
        {Action::extend(240h), key("a"), Step::already},
        {Action::extend(241h), key("a"), Step::change},
        {Action::extend(24'000h), key("a", "u1", Expiry::never()), Step::already},
        {Action::set_expiry(Expiry::at(noon + 240h)), key("a"), Step::already},
        {Action::set_expiry(Expiry::at(noon + 1h)), key("a"), Step::change},
        {Action::edit(ApiKeyEdit().description("kept")), named, Step::already},
        {Action::edit(ApiKeyEdit().description("")), named, Step::change},
    };
    for (auto const& row : rows) {
        CAPTURE(row.action.to_string());
        auto const plan = make(sources({row.key}, {user("u1")}), Selection::matching({}), row.action).value();
        CHECK(plan.items[0].step == row.step);
        CHECK(plan.changes() == (row.step == Step::change ? 1 : 0));
    }
}

TEST_CASE("plan: an extension is fixed when the plan is made") {
    auto const plan =
        make(sources({key("a")}, {user("u1")}), Selection::matching({}), Action::extend(720h)).value();
    CHECK(plan.items[0].target == Expiry::at(noon + 720h));
}

TEST_CASE("plan: the key that the client uses is guarded, certainly or possibly") {
    std::vector<ApiKey> const keys{key("mine1", actor), key("mine2", actor), key("theirs", "u1"),
                                   key("more", "u1")};
    auto const guards = [&](const Caller& who, const char* uid, PlanOptions options = {},
                            Action action = Action::revoke()) {
        auto const plan = make(sources(keys, {user("u1")}, who), Selection::uids({"mine1", "theirs"}),
                               std::move(action), std::move(options))
                              .value();
        return item_of(plan, uid).guards;
    };
    using Kind = Credential::Kind;
    CHECK(guards(caller(Kind::api_key, "mine1"), "mine1") == Guards{Guard::own_key});
    CHECK(guards(caller(Kind::api_key, "mine2"), "mine1").empty());
    CHECK(guards(caller(Kind::api_key), "mine1") == Guards{Guard::possible_own_key});
    CHECK(guards(caller(Kind::api_key), "theirs").empty());
    CHECK(guards(caller(Kind::api_key), "mine1", PlanOptions().own_key("mine1")) == Guards{Guard::own_key});
    CHECK(guards(caller(Kind::api_key), "mine1", PlanOptions().own_key("mine2")).empty());
    // What a program has written down may be of yesterday; the credential is in use.
    CHECK(guards(caller(Kind::api_key, "mine1"), "mine1", PlanOptions().own_key("mine2")) ==
          Guards{Guard::own_key});
    CHECK(guards(caller(Kind::api_key, "MINE1"), "mine1") == Guards{Guard::own_key});
    CHECK(guards(caller(Kind::token), "mine1").empty());
    CHECK(guards(caller(Kind::api_key, "mine1"), "mine1", {}, Action::extend(960h)).empty());
    CHECK(guards(caller(Kind::api_key, "mine1"), "mine1", {}, Action::set_expiry(Expiry::at(noon + 1h))) ==
          Guards{Guard::own_key});
}

TEST_CASE("plan: a single working key of the caller's is certainly the one in use") {
    auto const plan = make(sources({key("mine", actor), revoked(key("old", actor)), key("x"), key("y")},
                                   {user("u1")}, caller(Credential::Kind::api_key)),
                           Selection::owners({actor}))
                          .value();
    CHECK(has_guard(item_of(plan, "mine"), Guard::own_key));
    CHECK(item_of(plan, "old").guards.empty());
}

TEST_CASE("plan: of a user whose keys are all taken, the one that lives longest is guarded") {
    auto const all = sources({key("a"), key("b", "u1", Expiry::never()), revoked(key("c")), key("d", "u2"),
                              key("e", "u2"), key("f", actor)},
                             {user("u1"), user("u2")});
    auto const plan = make(all, Selection::uids({"a", "b", "c", "d"})).value();
    CHECK(item_of(plan, "a").guards.empty());
    CHECK(item_of(plan, "b").guards == Guards{Guard::last_user_key});
    CHECK(item_of(plan, "c").guards.empty());
    CHECK(item_of(plan, "d").guards.empty());  // "e" remains
}

TEST_CASE(
    "plan: the last key of a user who does not exist is not guarded, if the list of users is complete") {
    auto all = sources({key("a", "gone"), key("b", actor)}, {});
    CHECK(make(all, Selection::uids({"a"})).value().items[0].guards.empty());
    all.users = users({user(actor, {"admin"})}, false);
    auto const unsure = make(all, Selection::uids({"a"})).value();
    CHECK(unsure.items[0].guards == Guards{Guard::last_user_key});
    REQUIRE(unsure.notes.size() == 1);
    CHECK(unsure.notes[0].starts_with("the list of users is not complete; so the last key"));
    all.users.reset();
    all.users_problem = "the credential may not do this";
    CHECK(make(all, Selection::uids({"a"}))
              .value()
              .notes[0]
              .starts_with("the users cannot be listed: the credential may not do this; so"));
}

TEST_CASE("plan: the last working key of all administrators is guarded") {
    auto const all = sources({key("a", actor), key("b", "boss"), key("c", "boss"), key("d", "u1")},
                             {user("boss", {"admin", "dev"}), user("u1", {"dev"})});
    auto const part = make(all, Selection::uids({"a", "b"})).value();
    CHECK_FALSE(has_guard(item_of(part, "b"), Guard::last_admin_key));
    auto const whole = make(all, Selection::uids({"a", "b", "c"})).value();
    CHECK(std::ranges::count_if(
              whole.items, [](const PlanItem& item) { return has_guard(item, Guard::last_admin_key); }) == 1);
    // The role of administrators is told: that of the actor is not it.
    auto const told = make(all, Selection::uids({"d"}), Action::revoke(), PlanOptions().admin_role("dev"));
    CHECK_FALSE(has_guard(told->items[0], Guard::last_admin_key));  // boss has it as well
    auto const both =
        make(all, Selection::uids({"b", "c", "d"}), Action::revoke(), PlanOptions().admin_role("dev"));
    CHECK(std::ranges::any_of(both->items,
                              [](const PlanItem& item) { return has_guard(item, Guard::last_admin_key); }));
}

TEST_CASE("plan: an annotation protects a key from all that changes it for the worse") {
    auto precious = key("a");
    precious.annotations.set("protect", "");
    auto const all = sources({precious, key("b")}, {user("u1")});
    auto const is_guarded = [&](Action action) {
        return has_guard(make(all, Selection::uids({"a"}), std::move(action)).value().items[0],
                         Guard::protected_key);
    };
    CHECK(is_guarded(Action::revoke()));
    CHECK(is_guarded(Action::remove()));
    CHECK(is_guarded(Action::edit(ApiKeyEdit().name("x"))));
    CHECK(is_guarded(Action::set_expiry(Expiry::at(noon + 1h))));
    CHECK_FALSE(is_guarded(Action::extend(960h)));
}

TEST_CASE("plan: arguments that cannot be used are refused, each with its field") {
    auto const all = sources({key("a")});
    auto const field = [&](Action action, PlanOptions options = {}) {
        auto const plan = make(all, Selection::matching({}), std::move(action), std::move(options));
        REQUIRE_FALSE(plan);
        CHECK(plan.error().code() == errc::invalid_argument);
        return plan.error().path();
    };
    CHECK(field(Action::extend(0s)) == "duration");
    CHECK(field(Action::extend(-1h)) == "duration");
    CHECK(field(Action::edit(ApiKeyEdit())) == "edit");
    CHECK(field(Action::set_expiry(Expiry::at(noon - 1s))) == "expiry");
    CHECK(field(Action::revoke(), PlanOptions().quarantine(1h)) == "quarantine");
    CHECK(field(Action::remove(), PlanOptions().quarantine(0h)) == "quarantine");
    CHECK(field(Action::revoke(), PlanOptions().time_to_live(-1h)) == "time_to_live");
    CHECK(field(Action::revoke(), PlanOptions().time_to_live(std::chrono::milliseconds::max())) ==
          "time_to_live");
}

}  // namespace plan_maker_test
