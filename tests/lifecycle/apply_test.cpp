// SPDX-License-Identifier: BSL-1.0
#include "lifecycle/apply_scene.hpp"

#include <palette/blocking_client.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Plans that are made and applied against a service.

namespace apply_test {

using namespace std::chrono_literals;
using namespace palette;
using lifecycle::Action;
using lifecycle::ApplyOptions;
using lifecycle::BulkOutcome;
using lifecycle::Guard;
using lifecycle::Plan;
using lifecycle::PlanItem;
using lifecycle::PlanOptions;
using lifecycle::Selection;
using testing::RateLimit;
using testing::Role;

TEST_CASE("apply: a thousand revokes take what the rate limit allows, one write each, and no 429") {
    ApplyScene scene(1'000);
    auto const plan = scene.plan(Selection::matching(ListFilter().state(KeyState::active))).value();
    REQUIRE(plan.changes() >= 1'000);
    auto const from = scene.time.seconds();
    auto options = scene.all_allowed();
    // As many as can be had at once: the limiter is what holds them back.
    auto const report = scene.apply(plan, options.include(Guard::possible_own_key));
    CHECK_FALSE(report);  // which is refused
    auto const begun = scene.time.seconds();
    CHECK(begun == from);
    auto const applied = scene.apply(plan, scene.all_allowed()).value();
    auto const took = scene.time.seconds() - begun;
    auto const number = applied.count(BulkOutcome::done);
    CHECK(number >= 1'000);
    RateLimit const limit;
    auto const best = (static_cast<double>(number) - limit.burst) / limit.per_second;
    MESSAGE(number, " revokes took ", took, " s, ", took / best, " of the optimum");
    CHECK(took <= 1.02 * best);
    CHECK(scene.count("PUT") == static_cast<std::ptrdiff_t>(number));
    for (auto const& [path, times] : scene.writes())
        CHECK_MESSAGE(times == 1, path);
    CHECK(scene.count(429) == 0);

    // Applied again, it asks who it is, and nothing else.
    auto const before = scene.emulator.request_count();
    auto const again = scene.apply(plan, scene.all_allowed()).value();
    CHECK(again.count(BulkOutcome::done) == number);
    CHECK(scene.emulator.request_count() == before + 1);
    CHECK(scene.emulator.requests().back().path == "/v1/users/info");
}

TEST_CASE("apply: whenever a change comes to the service, its intent is in the journal") {
    TemporaryFolder const folder(fast_folder());
    auto const journal = folder.path("journal");
    std::atomic<int> changes = 0;
    std::atomic<int> without_intent = 0;
    UserScene scene(0, RateLimit::off(), [&](const testing::ReceivedRequest& request) {
        if (request.method == "GET") return;
        ++changes;
        auto const uid = request.path.substr(std::string_view("/v1/apiKeys/").size(), 24);
        if (content_of(journal).find("{\"intent\":\"" + uid + '"') == std::string::npos) ++without_intent;
    });
    scene.journal = journal;
    scene.seed(100, scene.user);
    auto const plan = scene.plan(Selection::owners({scene.user})).value();
    REQUIRE(scene.apply(plan, scene.all_allowed().max_under_way(7)).value().is_complete());
    CHECK(changes == 100);
    CHECK(without_intent == 0);
}

TEST_CASE("apply: each action does to the keys what it says") {
    struct Row {
        Action action;
        std::ptrdiff_t requests;  // for each key
        bool (*is_done)(const ApiKey& key, const ApiKey& before);
    };
    auto const later = Expiry::at(std::chrono::sys_days{2099y / 1 / 1});
    std::vector<Row> const rows{
        {Action::revoke(), 1, [](const ApiKey& key, const ApiKey&) { return !key.is_active; }},
        {Action::remove(), 1, [](const ApiKey& key, const ApiKey&) { return key.uid.empty(); }},
        {Action::extend(720h), 3,
         [](const ApiKey& key, const ApiKey& before) { return key.expiry > before.expiry; }},
        {Action::set_expiry(later), 3,
         [](const ApiKey& key, const ApiKey&) {
             return key.expiry == Expiry::at(std::chrono::sys_days{2099y / 1 / 1});
         }},
        {Action::edit(ApiKeyEdit().description("swept")), 3,
         [](const ApiKey& key, const ApiKey&) { return key.description == "swept"; }},
    };
    for (auto const& row : rows) {
        CAPTURE(row.action.to_string());
        UserScene scene;
        auto const uids = scene.seed(5, scene.user);
        auto const before = scene.key(uids[0]);
        auto const plan = scene.plan(Selection::owners({scene.user}), row.action).value();
        auto const requests = static_cast<std::ptrdiff_t>(scene.emulator.request_count());
        auto const report = scene.apply(plan, scene.all_allowed()).value();
        CHECK(report.count(BulkOutcome::done) == 5);
        CHECK(report.is_complete());
        CHECK(static_cast<std::ptrdiff_t>(scene.emulator.request_count()) == requests + 1 + 5 * row.requests);
        for (auto const& uid : uids)
            CHECK(row.is_done(scene.key(uid), before));
    }
}

TEST_CASE("apply: revoked keys are re-activated, but for those that the service would not") {
    UserScene scene;
    auto const uids = scene.seed(3, scene.user);
    auto const off = scene.plan(Selection::owners({scene.user})).value();
    REQUIRE(scene.apply(off, scene.all_allowed()).value().is_complete());
    auto const on = scene.plan(Selection::owners({scene.user}), Action::reactivate()).value();
    scene.journal += "2";
    REQUIRE(scene.apply(on, scene.all_allowed()).value().count(BulkOutcome::done) == 3);
    CHECK(scene.key(uids[0]).is_active);
    scene.journal += "3";
    REQUIRE(scene.apply(scene.plan(Selection::owners({scene.user})).value(), scene.all_allowed()));
    scene.time.run_for(std::chrono::days{11});
    scene.journal += "4";
    auto const late = scene.plan(Selection::owners({scene.user}), Action::reactivate()).value();
    auto const report = scene.apply(late, scene.all_allowed()).value();
    CHECK(report.count(BulkOutcome::skipped) == 3);
    CHECK(report.items[0].sentence.find("extend it first") != std::string::npos);
}

TEST_CASE("apply: an extension never shortens a life, whoever has lengthened it in between") {
    UserScene scene;
    auto const never =
        scene.emulator.seed_key(NewApiKey("never").for_user(scene.user).expires(Expiry::never()));
    auto const long_lived = scene.emulator.seed_key(NewApiKey("long").for_user(scene.user).lives_for(8'760h));
    auto const uids = scene.seed(2, scene.user);
    auto const plan = scene.plan(Selection::owners({scene.user}), Action::extend(720h)).value();
    CHECK(plan.changes() == 2);
    // Within the 30 seconds in which the plan is taken for what is.
    support::Watched<ApiKey> renewed;
    scene.client->async_renew(uids[0], Expiry::never(), renewed.handler());
    scene.time.run_until([&] { return renewed.has_ended(); });
    REQUIRE(renewed.result());
    auto const report = scene.apply(plan, scene.all_allowed()).value();
    CHECK(report.count(BulkOutcome::already) == 3);
    CHECK(report.count(BulkOutcome::done) == 1);
    CHECK(scene.key(uids[0]).expiry.is_never());
    CHECK(scene.key(never.uid()).expiry.is_never());
    CHECK(scene.key(long_lived.uid()).expiry > Expiry::at(scene.time.clock->now() + 8'000h));
    CHECK(scene.key(uids[1]).expiry == plan.items[1].target.value_or(*plan.items[0].target));
}

TEST_CASE("apply: a plan of another user or tenant changes nothing") {
    UserScene scene;
    scene.seed(3, scene.user);
    auto const plan = scene.plan(Selection::owners({scene.user})).value();
    auto const& other = scene.emulator.user(Role::tenant_user_admin);
    scene.sign_in_with(auth::api_key(Secret(other.api_key.expose()), other.api_key_uid));
    auto const by_other = scene.apply(plan, scene.all_allowed());
    REQUIRE_FALSE(by_other);
    CHECK(by_other.error().path() == "actor_uid");
    CHECK(by_other.error().operation() == "apply");
    UserScene elsewhere;
    auto const there = elsewhere.apply(plan, elsewhere.all_allowed());
    REQUIRE_FALSE(there);
    CHECK(there.error().path() == "tenant_uid");
    CHECK(scene.count("PUT") + elsewhere.count("PUT") == 0);
}

TEST_CASE("apply: a plan that is too old is refused, and one that drifted is applied where it did not") {
    UserScene scene;
    auto const uids = scene.seed(3, scene.user);
    auto const plan =
        scene.plan(Selection::owners({scene.user}), Action::revoke(), PlanOptions().time_to_live(10min))
            .value();
    scene.time.run_for(5min);
    scene.client->async_renew(uids[1], Expiry::never(), [](const Result<ApiKey>&) {});
    scene.client->async_remove(uids[2], [](const Result<void>&) {});
    scene.time.settle();
    auto const report = scene.apply(plan, scene.all_allowed()).value();
    CHECK(report.count(BulkOutcome::done) == 1);
    CHECK(report.count(BulkOutcome::drifted) == 2);
    CHECK_FALSE(scene.key(uids[0]).is_active);
    CHECK(scene.key(uids[1]).is_active);
    scene.time.run_for(6min);
    scene.journal += "2";
    auto const late = scene.apply(plan, scene.all_allowed());
    REQUIRE_FALSE(late);
    CHECK(late.error().code() == errc::conflict);
    CHECK(late.error().path() == "as_of");
}

TEST_CASE("apply: each key that the list lacks is read by itself, and no other is") {
    UserScene scene;
    auto const uids = scene.seed(6, scene.user);
    auto const plan = scene.plan(Selection::owners({scene.user}), Action::remove()).value();
    scene.time.run_for(5min);
    for (auto const& uid : {uids[1], uids[4]})
        scene.client->async_remove(uid, [](const Result<void>&) {});
    scene.time.settle();
    auto const report = scene.apply(plan, scene.all_allowed()).value();
    CHECK(report.count(BulkOutcome::done) == 4);
    CHECK(report.count(BulkOutcome::already) == 2);
    std::vector<std::string> read;
    for (auto const& request : scene.emulator.requests())
        if (request.method == "GET" && request.path.starts_with("/v1/apiKeys/")) {
            CHECK(request.status == 404);
            read.push_back(request.path.substr(std::string_view("/v1/apiKeys/").size()));
        }
    std::ranges::sort(read);
    CHECK(read == std::vector{std::min(uids[1], uids[4]), std::max(uids[1], uids[4])});
}

TEST_CASE("apply: answers that are lost leave nothing unknown for the second run") {
    UserScene scene;
    scene.seed(8, scene.user);
    auto const plan = scene.plan(Selection::owners({scene.user})).value();
    scene.emulator.faults().add("PUT /v1/apiKeys drop-after");
    auto const first = scene.apply(plan, scene.all_allowed().stop_after(100)).value();
    CHECK(first.count(BulkOutcome::unknown) > 0);
    CHECK_FALSE(first.is_complete());
    scene.emulator.faults().clear();
    auto const writes = scene.count("PUT");
    auto const second = scene.apply(plan, scene.all_allowed()).value();
    CHECK(second.is_complete());
    CHECK(second.count(BulkOutcome::done) == 8);
    CHECK(scene.count("PUT") == writes);  // all had been applied, and one list shows it
}

TEST_CASE("apply: options that cannot be used are refused, each with its field") {
    UserScene scene;
    auto const plan =
        scene.plan(Selection::owners({scene.user}), Action::remove(), PlanOptions().quarantine(168h)).value();
    auto const field = [&](ApplyOptions options) {
        auto const report = scene.apply(plan, std::move(options));
        REQUIRE_FALSE(report);
        CHECK(report.error().code() == errc::invalid_argument);
        return report.error().path();
    };
    CHECK(field(scene.all_allowed().stop_after(0)) == "stop_after");
    CHECK(field(scene.all_allowed().max_under_way(0)) == "max_under_way");
    CHECK(field(scene.all_allowed().max_under_way(1'001)) == "max_under_way");
    CHECK(field(scene.all_allowed().item_deadline(0s)) == "item_deadline");
    CHECK(field(scene.all_allowed().include(Guard::possible_own_key)) == "include");
    CHECK(field(ApplyOptions::without_journal()) == "journal");
    CHECK(field(ApplyOptions("")) == "journal");
    // As no plan is that was made here.
    auto twice = plan;
    twice.items = {PlanItem(), PlanItem()};
    CHECK(scene.apply(twice, scene.all_allowed()).error().path() == "items");
    auto endless = plan;
    endless.quarantine = std::chrono::milliseconds::max();
    CHECK(scene.apply(endless, scene.all_allowed()).error().path() == "quarantine");
    endless.time_to_live = std::chrono::milliseconds(-1);
    CHECK(scene.apply(endless, scene.all_allowed()).error().path() == "time_to_live");
}

TEST_CASE("apply: a scream test revokes, waits, and deletes what nobody has missed") {
    UserScene scene;
    auto const uids = scene.seed(3, scene.user);
    auto const plan =
        scene.plan(Selection::owners({scene.user}), Action::remove(), PlanOptions().quarantine(336h));
    auto const text = plan.value().to_text();
    auto const first = scene.apply(Plan::parse(text).value(), scene.all_allowed()).value();
    CHECK(first.count(BulkOutcome::done) == 3);
    REQUIRE(first.next_due);
    CHECK_FALSE(scene.key(uids[0]).is_active);
    scene.client->async_reactivate(uids[1], [](const Result<void>&) {});
    scene.time.run_for(336h);
    auto const second = scene.apply(Plan::parse(text).value(), scene.all_allowed()).value();
    CHECK(second.is_complete());
    CHECK(second.count(BulkOutcome::drifted) == 1);
    CHECK(scene.key(uids[0]).uid.empty());
    CHECK(scene.key(uids[1]).is_active);
}

TEST_CASE("apply: a blocking client plans and applies, too") {
    testing::Emulator emulator({.plain_http = true, .rate_limit = RateLimit::off()});
    auto const user = emulator.add_user({.email = "ada@acme.com"}).uid;
    static_cast<void>(emulator.seed_key(NewApiKey("a").for_user(user)));
    BlockingApiKeyClient client(emulator.client_options(Role::tenant_admin));
    auto const plan = lifecycle::plan(client, Selection::owners({user}), Action::revoke()).value();
    auto const report =
        lifecycle::apply(client, plan, ApplyOptions::without_journal().include(Guard::last_user_key)).value();
    CHECK(report.count(BulkOutcome::done) == 1);
    CHECK_FALSE(lifecycle::plan(client, Selection::owners({user}), Action::extend(0s)));
}

}  // namespace apply_test
