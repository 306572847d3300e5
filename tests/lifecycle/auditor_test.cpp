// SPDX-License-Identifier: BSL-1.0
#include "lifecycle/audit_scene.hpp"

#include "support/printed.hpp"

#include <palette/pending_create.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace auditor_test {

using namespace std::chrono_literals;
using namespace palette;
using lifecycle::AuditPolicy;
using lifecycle::AuditRule;
using lifecycle::Grade;
using lifecycle::Roster;
using lifecycle::Severity;
using std::chrono::days;
using Lines = std::vector<std::string>;

struct Row {
    const char* what;
    std::function<void(ApiKey&)> change;
    Lines findings;
};

// Each on both sides of its bound.
const std::vector<Row>& rows() {
    auto const at = [](int n) { return AuditScene::days_ago(n); };
    auto const in = [](int n) { return AuditScene::in_days(n); };
    static const std::vector<Row> all{
        {"nothing to find", [](ApiKey&) {}, {}},
        {"expired a moment ago",
         [=](ApiKey& k) { k.expiry = Expiry::at(AuditScene::now); },
         {"note expired k proven"}},
        {"expired, and revoked",
         [=](ApiKey& k) {
             k.expiry = in(-3);
             k.is_active = false;
         },
         {"note expired k proven"}},
        {"expires in a month and a moment",
         [=](ApiKey& k) { k.expiry = Expiry::at(AuditScene::now + days{30} + 1ms); },
         {}},
        {"expires in a month", [=](ApiKey& k) { k.expiry = in(30); }, {"note expiring k proven"}},
        {"expires in a week", [=](ApiKey& k) { k.expiry = in(7); }, {"warning expiring k proven"}},
        {"expires in a week, revoked",
         [=](ApiKey& k) {
             k.expiry = in(7);
             k.is_active = false;
         },
         {}},
        {"never expires", [](ApiKey& k) { k.expiry = Expiry::never(); }, {"error never-expires k proven"}},
        {"never expires, revoked",
         [](ApiKey& k) {
             k.expiry = Expiry::never();
             k.is_active = false;
         },
         {}},
        {"lives for a year", [=](ApiKey& k) { k.expiry = in(355); }, {}},
        {"lives for more than a year",
         [=](ApiKey& k) { k.expiry = in(356); },
         {"warning lives-too-long k proven"}},
        {"was created a year ago, and was renewed",
         [=](ApiKey& k) {
             k.created = at(365);
             k.expiry = in(60);
         },
         {"warning lives-too-long k proven"}},
        {"was created more than a year ago, and never expires",
         [=](ApiKey& k) {
             k.created = at(366);
             k.expiry = Expiry::never();
         },
         {"error never-expires k proven", "warning old-secret k proven"}},
        {"was revoked 90 days ago",
         [=](ApiKey& k) {
             k.is_active = false;
             k.created = k.modified = at(90);
         },
         {}},
        {"was revoked 91 days ago",
         [=](ApiKey& k) {
             k.is_active = false;
             k.created = k.modified = at(91);
         },
         {"note revoked-and-forgotten k proven"}},
        {"is revoked, and nobody knows since when",
         [=](ApiKey& k) {
             k.is_active = false;
             k.created = at(91);
             k.modified.reset();
         },
         {"note revoked-and-forgotten k inferred"}},
        {"the owner is gone", [](ApiKey& k) { k.owner.uid = "u-gone"; }, {"error orphaned k proven"}},
        {"the owner of a revoked key is gone",
         [](ApiKey& k) {
             k.owner.uid = "u-gone";
             k.is_active = false;
         },
         {"note orphaned k proven"}},
    };
    return all;
}

TEST_CASE("auditor: each rule about a key speaks from its bound on, with severity and grade") {
    for (auto const& row : rows()) {
        CAPTURE(row.what);
        AuditScene scene;
        scene.keys = {AuditScene::key("k")};
        row.change(scene.keys.front());
        auto const report = scene.report();
        CHECK(lines_of(report) == row.findings);
        CHECK(report.complete());
        for (auto const& finding : report.findings) {
            CHECK_FALSE(finding.evidence.empty());
            CHECK_FALSE(finding.advice.empty());
            CHECK(*finding.key == scene.keys.front());
            CHECK(finding.owner == scene.keys.front().owner);
        }
    }
}

TEST_CASE("auditor: a rule that the policy leaves out says nothing") {
    for (auto const& row : rows()) {
        CAPTURE(row.what);
        AuditScene scene;
        scene.keys = {AuditScene::key("k")};
        row.change(scene.keys.front());
        for (auto const& finding : scene.report().findings) {
            auto without = scene;
            without.policy.without(finding.rule);
            CHECK(without.report().count(finding.rule) == 0);
            auto only = scene;
            only.policy.only({finding.rule});
            CHECK(only.report().findings.size() == 1);
        }
    }
}

TEST_CASE("auditor: a user is near the limit from the share of the policy on") {
    struct Limit {
        std::size_t keys;
        Lines findings;
    };
    for (auto const& [keys, findings] :
         {Limit{15, {}}, Limit{16, {"warning quota u-dev proven"}}, Limit{19, {"warning quota u-dev proven"}},
          Limit{20, {"error quota u-dev proven"}}, Limit{21, {"error quota u-dev proven"}}}) {
        AuditScene scene;
        for (std::size_t i = 0; i < keys; ++i)
            scene.keys.push_back(AuditScene::key("k" + std::to_string(i)));
        // Keys of every state count.
        scene.keys.front().is_active = false;
        auto const report = scene.report();
        CHECK(lines_of(report) == findings);
        if (findings.empty()) continue;
        CHECK(report.findings[0].key == nullptr);
        CHECK(report.findings[0].owner_email == "u-dev@acme.test");
        CHECK(contains(report.findings[0].evidence, std::to_string(keys) + " of 20"));
    }
}

TEST_CASE("auditor: two working keys of one owner and one name are told, and others are not") {
    AuditScene scene;
    scene.keys = {AuditScene::key("a"), AuditScene::key("b"), AuditScene::key("c", "u-admin"),
                  AuditScene::key("d")};
    for (auto& key : scene.keys)
        key.name = "ci";
    scene.keys[3].is_active = false;  // as after a rotation
    auto const report = scene.report();
    CHECK(lines_of(report) == Lines{"note duplicate-name b proven"});
    CHECK(contains(report.findings[0].evidence, " a "));
}

TEST_CASE("auditor: a key that comes twice, on two pages, is one key") {
    AuditScene scene;
    scene.keys = {AuditScene::key("a"), AuditScene::key("a")};
    auto const report = scene.report();
    CHECK(report.keys == 1);
    CHECK(report.findings.empty());
}

std::string mark(char nonce, int attempt) {
    return std::string(32, nonce) + '-' + std::to_string(attempt);
}

TEST_CASE("auditor: the mark of a create alone says nothing, for a key that was delivered keeps it") {
    AuditScene scene;
    scene.keys = {AuditScene::key("a")};
    scene.keys[0].annotations = {{"palette-keys-create", mark('a', 1)}};
    CHECK(scene.report().findings.empty());
}

TEST_CASE("auditor: of two keys of one create, the one of the earlier attempt was not delivered") {
    for (bool const is_reversed : {false, true}) {
        AuditScene scene;
        scene.keys = {AuditScene::key("a"), AuditScene::key("b"), AuditScene::key("c")};
        scene.keys[0].annotations = {{"palette-keys-create", mark('a', is_reversed ? 2 : 1)}};
        scene.keys[1].annotations = {{"palette-keys-create", mark('a', is_reversed ? 1 : 2)}};
        scene.keys[2].annotations = {{"palette-keys-create", mark('b', 1)}};
        auto const wanted = std::string("warning pending-create ") + (is_reversed ? "b" : "a") + " inferred";
        CHECK(lines_of(scene.report()) == Lines{wanted});
        // The create may be at work.
        for (auto& key : scene.keys)
            key.created = AuditScene::now - 59min;
        CHECK(scene.report().findings.empty());
    }
}

TEST_CASE("auditor: a key of an attempt that the policy names as pending was not delivered, proven") {
    AuditScene scene;
    scene.keys = {AuditScene::key("a"), AuditScene::key("b")};
    scene.keys[0].annotations = {{"palette-keys-create", mark('a', 1)}};
    scene.keys[1].annotations = {{"palette-keys-create", mark('a', 2)}};
    scene.keys[1].created = AuditScene::now;
    auto const nonce = std::string(32, 'a');
    scene.policy.pending(PendingCreate(nonce, "ci", "u-dev", AuditScene::caller(), Instant(), {1}));
    CHECK(lines_of(scene.report()) == Lines{"warning pending-create a proven"});
}

TEST_CASE("auditor: a mark on the key of another owner than the record names proves nothing") {
    auto const nonce = std::string(32, 'a');
    // With an owner, and without: then that is the user who has created.
    for (std::string const owner : {"u-admin", ""}) {
        CAPTURE(owner);
        AuditScene scene;
        scene.keys = {AuditScene::key("a", "u-dev"), AuditScene::key("b", "u-admin")};
        for (auto& key : scene.keys)
            key.annotations = {{"palette-keys-create", mark('a', 1)}};
        scene.policy.pending(PendingCreate(nonce, "ci", owner, AuditScene::caller(), Instant(), {1}));
        auto const report = scene.report();
        CHECK(lines_of(report) ==
              Lines{"warning pending-create a inferred", "warning pending-create b proven"});
        CHECK(contains(report.findings[0].evidence, "not the key of the user"));
        // Whatever the order of the records.
        scene.policy.pending(PendingCreate(nonce, "ci", "u-dev", AuditScene::caller(), Instant(), {1}));
        CHECK(lines_of(scene.report()) ==
              Lines{"warning pending-create a proven", "warning pending-create b proven"});
    }
}

TEST_CASE("auditor: keys of one attempt, or of several owners, say nothing of each other") {
    for (int const second : {1, 2}) {
        AuditScene scene;
        scene.keys = {AuditScene::key("a"), AuditScene::key("b", second == 1 ? "u-dev" : "u-admin")};
        scene.keys[0].annotations = {{"palette-keys-create", mark('a', 1)}};
        scene.keys[1].annotations = {{"palette-keys-create", mark('a', second)}};
        CHECK(scene.report().findings.empty());
        std::ranges::reverse(scene.keys);
        CHECK(scene.report().findings.empty());
    }
}

TEST_CASE("auditor: a pending create that covers the delivered key too proves nothing") {
    AuditScene scene;
    scene.keys = {AuditScene::key("a"), AuditScene::key("b")};
    scene.keys[0].annotations = {{"palette-keys-create", mark('a', 1)}};
    scene.keys[1].annotations = {{"palette-keys-create", mark('b', 1)}};
    scene.policy.pending(PendingCreate::of_nonce(std::string(32, 'a'), "ci", AuditScene::caller()).value());
    CHECK(lines_of(scene.report()) == Lines{"warning pending-create a inferred"});
}

TEST_CASE("auditor: a pending create of another tenant is named, and not used") {
    AuditScene scene;
    auto other = AuditScene::caller();
    other.tenant_uid = "t-2";
    scene.keys = {AuditScene::key("a")};
    scene.keys[0].annotations = {{"palette-keys-create", mark('a', 1)}};
    scene.policy.pending(PendingCreate::of_nonce(std::string(32, 'a'), "ci", other).value());
    auto const report = scene.report();
    CHECK(report.findings.empty());
    REQUIRE(report.not_judged.size() == 1);
    CHECK(contains(report.not_judged[0], "another tenant"));
}

TEST_CASE("auditor: the keys of an inactive owner, or of one who signed in long ago, are inferred") {
    struct Case {
        bool is_active;
        std::optional<int> days_ago;
        Lines findings;
    };
    for (auto const& [is_active, days_ago, findings] :
         {Case{true, 1, {}}, Case{true, 180, {"note idle k inferred"}},
          Case{true, 181, {"note inactive-owner k inferred", "note idle k inferred"}},
          Case{false, 1, {"warning inactive-owner k inferred"}},
          Case{false, std::nullopt, {"warning inactive-owner k inferred"}}, Case{true, std::nullopt, {}}}) {
        AuditScene scene;
        scene.keys = {AuditScene::key("k")};
        scene.keys[0].created = scene.keys[0].modified = AuditScene::days_ago(100);
        scene.users[1].is_active = is_active;
        scene.users[1].last_sign_in.reset();
        if (days_ago) scene.users[1].last_sign_in = AuditScene::days_ago(*days_ago);
        auto const report = scene.report();
        CHECK(lines_of(report) == findings);
        // What nobody knows is not taken for innocence.
        CHECK(report.complete() == days_ago.has_value());
        for (auto const& finding : report.findings)
            CHECK(finding.owner_email == "u-dev@acme.test");
    }
}

TEST_CASE(
    "auditor: an active owner of whom no sign-in is known is not inactive, and the report is complete") {
    AuditScene scene;
    for (auto& user : scene.users)
        user.last_sign_in.reset();
    scene.keys.push_back(AuditScene::key("k", "u-dev"));
    auto const report = scene.report();
    CHECK(report.findings.empty());
    CHECK(report.complete());
}

TEST_CASE("auditor: keys without an owner have no owner in common") {
    AuditScene scene;
    scene.limit = 2;
    scene.keys = {AuditScene::key("a", ""), AuditScene::key("b", "")};
    for (auto& key : scene.keys)
        key.name = "ci";
    scene.policy.only({AuditRule::quota, AuditRule::duplicate_name});
    auto const report = scene.report();
    CHECK(report.findings.empty());
    CHECK(report.not_judged == Lines{"2 keys without an owner; not judged: quota, duplicate-name"});
}

TEST_CASE("auditor: a key is idle only if nothing is recent: its creation, a change, a sign-in, an event") {
    struct Case {
        int created, modified, signed_in;
        bool has_event;
        bool is_idle;
    };
    for (auto const& c :
         {Case{91, 91, 91, false, true}, Case{90, 91, 91, false, false}, Case{91, 90, 91, false, false},
          Case{91, 91, 90, false, false}, Case{91, 91, 91, true, false}}) {
        AuditScene scene;
        auto key = AuditScene::key("k");
        key.created = AuditScene::days_ago(c.created);
        key.modified = AuditScene::days_ago(c.modified);
        scene.users[1].last_sign_in = AuditScene::days_ago(c.signed_in);
        scene.policy.read_events(true);
        auto auditor = scene.auditor_with_users();
        auditor.add_event("u-admin");
        if (c.has_event) auditor.add_event("u-dev");
        auditor.end_events();
        auditor.add_key(key);
        auto const report = auditor.finish();
        CHECK(lines_of(report) == (c.is_idle ? Lines{"note idle k inferred"} : Lines{}));
        CHECK(report.events == (c.has_event ? 2U : 1U));
        if (c.is_idle) CHECK(contains(report.findings[0].evidence, "does not record the use"));
    }
}

TEST_CASE("auditor: the keys of the caller are not idle") {
    AuditScene scene;
    scene.keys = {AuditScene::key("k", "u-admin")};
    scene.keys[0].created = scene.keys[0].modified = AuditScene::days_ago(100);
    scene.users[0].last_sign_in = AuditScene::days_ago(100);
    CHECK(scene.report().findings.empty());
}

TEST_CASE("auditor: an owner whom the roster does not have leaves orphans, proven") {
    AuditScene scene;
    scene.keys = {AuditScene::key("a"), AuditScene::key("b", "u-admin")};
    scene.policy.roster(Roster::parse("name,Email\nx,U-Admin@ACME.test\n").value());
    auto const report = scene.report();
    CHECK(lines_of(report) == Lines{"error orphaned a proven"});
    CHECK(contains(report.findings[0].evidence, "u-dev@acme.test"));
    // Nobody can be looked up without an address.
    scene.users[1].email.clear();
    auto const other = scene.report();
    CHECK(other.findings.empty());
    CHECK_FALSE(other.complete());
}

AuditScene with_an_orphan() {
    AuditScene scene;
    scene.keys = {AuditScene::key("k", "u-gone")};
    return scene;
}

TEST_CASE("auditor: an absent owner is proven to be gone only by a 404 beside a read that succeeds") {
    auto const scene = with_an_orphan();
    auto const judge = [&](const std::function<void(AuditScene::Auditor&)>& answer) {
        auto auditor = scene.auditor_with_users();
        auditor.add_key(scene.keys[0]);
        CHECK(auditor.absent_owners() == Lines{"u-gone"});
        CHECK(auditor.listed_user() == "u-dev");
        answer(auditor);
        return auditor.finish();
    };
    auto const refused = Error(errc::forbidden, "no").status(403);

    auto const gone = judge([](auto& auditor) { auditor.owner_is_gone("u-gone"); });
    CHECK(lines_of(gone) == Lines{"error orphaned k proven"});
    CHECK(gone.complete());

    auto const uncontrolled = judge([&](auto& auditor) { auditor.control_failed(1, refused); });
    CHECK(lines_of(uncontrolled) == Lines{"warning orphaned k inferred"});
    REQUIRE(uncontrolled.not_judged.size() == 1);
    CHECK(contains(uncontrolled.not_judged[0], "1 owner not found, but not proven"));
    CHECK(contains(uncontrolled.not_judged[0], "HTTP 403"));

    auto const unknown = judge([&](auto& auditor) { auditor.owner_is_unknown("u-gone", refused); });
    CHECK(lines_of(unknown) == Lines{"warning orphaned k inferred"});
    REQUIRE(unknown.not_judged.size() == 1);
    CHECK(contains(unknown.not_judged[0], "u-gone"));

    auto const there = judge([&](auto& auditor) { auditor.owner_exists(AuditScene::user("u-gone")); });
    CHECK(there.findings.empty());
    CHECK(there.complete());
}

TEST_CASE("auditor: the caller is not the user whose reading proves that a credential reads others") {
    AuditScene scene;
    scene.users = {AuditScene::user("u-admin")};
    CHECK(scene.auditor_with_users().listed_user().empty());
    scene.users.insert(scene.users.begin(), AuditScene::user("u-other"));
    CHECK(scene.auditor_with_users().listed_user() == "u-other");
}

TEST_CASE("auditor: a list of users that may leave some out makes no orphan") {
    auto const scene = with_an_orphan();
    auto const judge = [&](const std::function<void(AuditScene::Auditor&)>& read_users) {
        AuditScene::Auditor auditor(scene.policy, AuditScene::caller(), AuditScene::now);
        read_users(auditor);
        auditor.add_key(scene.keys[0]);
        CHECK(auditor.absent_owners().empty());
        auto report = auditor.finish();
        CHECK(report.findings.empty());
        CHECK_FALSE(report.users);
        REQUIRE(report.not_judged.size() == 1);
        CHECK(contains(report.not_judged[0], "not judged: orphaned, inactive-owner, idle"));
        return report.not_judged[0];
    };
    auto const short_list = judge([](auto& auditor) {
        auditor.add_user(AuditScene::user("u-admin"));
        auditor.end_users(false, 2);
    });
    CHECK(contains(short_list, "1 came of 2"));
    // A list that says it is complete, and does not even have the caller.
    auto const strange = judge([](auto& auditor) {
        auditor.add_user(AuditScene::user("u-dev"));
        auditor.end_users(true, 1);
    });
    CHECK(contains(strange, "the caller is not in it"));
    auto const failed = judge([](auto& auditor) {
        auditor.add_user(AuditScene::user("u-admin"));
        auditor.users_failed(Error(errc::forbidden, "no").status(403));
    });
    CHECK(contains(failed, "HTTP 403"));
}

TEST_CASE("auditor: what could not be read, and what keys do not say, is named") {
    AuditScene scene;
    scene.policy.read_events(true);
    auto auditor = scene.auditor_with_users();
    auditor.limit_failed(Error(errc::forbidden, "no").status(403));
    auditor.add_event("u-dev");
    auditor.events_failed(Error(errc::timeout, "the deadline passed"));
    auto key = AuditScene::key("k");
    key.created.reset();
    auditor.add_key(key);
    key.uid = "without an owner";
    key.owner = Owner();
    auditor.add_key(key);
    auto const report = auditor.finish();
    CHECK(report.findings.empty());
    CHECK_FALSE(report.events);
    REQUIRE(report.not_judged.size() == 4);
    CHECK(contains(report.not_judged[0], "limit on keys could not be read: HTTP 403"));
    CHECK(contains(report.not_judged[1], "the deadline passed"));
    CHECK(contains(report.not_judged[2], "2 keys"));
    CHECK(contains(report.not_judged[2], "without a time of creation"));
    CHECK(contains(report.not_judged[3], "1 key without an owner"));
}

TEST_CASE("auditor: what the policy does not ask for is not missed") {
    AuditScene scene;
    scene.policy.only({AuditRule::expired});
    AuditScene::Auditor auditor(scene.policy, AuditScene::caller(), AuditScene::now);
    auditor.users_failed(Error(errc::forbidden));
    auditor.limit_failed(Error(errc::forbidden));
    auditor.add_key(AuditScene::key("k", "u-gone"));
    CHECK(auditor.finish().complete());

    AuditScene::Auditor other(AuditPolicy().read_users(false), AuditScene::caller(), AuditScene::now);
    auto const report = other.finish();
    REQUIRE(report.not_judged.size() == 1);
    CHECK(contains(report.not_judged[0], "does not read the users"));
}

TEST_CASE("auditor: findings come by severity, rule, expiry and uid, whatever the order of the keys") {
    AuditScene scene;
    for (auto const* const uid : {"d", "b", "c", "a"}) {
        auto key = AuditScene::key(uid);
        key.expiry = AuditScene::in_days(*uid == 'c' ? 5 : *uid == 'a' ? 20 : 6);
        scene.keys.push_back(key);
        key = AuditScene::key(std::string("never-") + uid);
        key.expiry = Expiry::never();
        scene.keys.push_back(key);
    }
    Lines const wanted{"error never-expires never-a proven", "error never-expires never-b proven",
                       "error never-expires never-c proven", "error never-expires never-d proven",
                       "warning expiring c proven",          "warning expiring b proven",
                       "warning expiring d proven",          "note expiring a proven"};
    CHECK(lines_of(scene.report()) == wanted);
    std::ranges::reverse(scene.keys);
    CHECK(lines_of(scene.report()) == wanted);
}

TEST_CASE("auditor: the timeline counts each key once") {
    AuditScene scene;
    auto const add = [&](Expiry expiry, bool is_active = true) {
        auto key = AuditScene::key("k" + std::to_string(scene.keys.size()));
        key.expiry = expiry;
        key.is_active = is_active;
        scene.keys.push_back(key);
    };
    add(AuditScene::in_days(-1));
    add(AuditScene::in_days(-1), false);
    add(AuditScene::in_days(6));
    add(AuditScene::in_days(7));
    add(AuditScene::in_days(363));
    add(AuditScene::in_days(364));
    add(Expiry::never());
    add(Expiry::never(), false);
    auto const timeline = scene.report().timeline;
    CHECK(timeline.expired == 2);
    CHECK(timeline.weeks[0] == 1);
    CHECK(timeline.weeks[1] == 1);
    CHECK(timeline.weeks[51] == 1);
    CHECK(timeline.later == 1);
    CHECK(timeline.never == 1);
    CHECK(timeline.revoked == 1);
}

}  // namespace auditor_test
