// SPDX-License-Identifier: BSL-1.0
#include "lifecycle/apply_scene.hpp"
#include "support/random.hpp"
#include "support/small_files.hpp"

#include <palette/auth_provider.hpp>
#include <palette/blocking_client.hpp>
#include <palette/impl/lifecycle/plans/apply_journal.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
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
using lifecycle::BulkItem;
using lifecycle::BulkOutcome;
using lifecycle::BulkReport;
using lifecycle::Guard;
using lifecycle::Plan;
using lifecycle::PlanItem;
using lifecycle::PlanOptions;
using lifecycle::Selection;
using testing::RateLimit;
using testing::Role;

struct Scene : ApplyScene {
    using ApplyScene::ApplyScene;
    std::string user = emulator.add_user({.email = "ada@acme.com"}).uid;
};

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
    Scene scene(0, RateLimit::off(), [&](const testing::ReceivedRequest& request) {
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
        Scene scene;
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
    Scene scene;
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
    Scene scene;
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

// What a revocation of everything comes to with that credential: no 401, whatever is allowed.
void revoke_everything(ApplyScene& scene, const std::string& own_key, bool is_last_key) {
    auto const plan = scene.plan(Selection::matching({})).value();
    auto const careful = scene.apply(plan, scene.all_allowed()).value();
    CHECK(careful.is_complete());
    CHECK(careful.stopped.empty());
    auto const is_guarded = !own_key.empty();
    CHECK(scene.active_keys() == (is_guarded ? 1U : 0U));
    if (is_guarded) {
        CHECK(scene.key(own_key).is_active);
        auto const all = scene.apply(plan, scene.all_allowed().allow_own_key()).value();
        CHECK(all.is_complete());
        CHECK(scene.active_keys() == (is_last_key ? 0U : 1U));
    }
    CHECK(scene.count(401) == 0);
    for (auto const& [path, times] : scene.writes())
        CHECK_MESSAGE(times == 1, path);
    // No key is read by itself: the plan has cleared them.
    for (auto const& request : scene.emulator.requests())
        CHECK_FALSE((request.method == "GET" && request.path.starts_with("/v1/apiKeys/")));
}

TEST_CASE(
    "apply: everything is revoked with a key whose uid is known: its own comes last, if it is allowed") {
    ApplyScene scene(30);
    auto const own = scene.admin().api_key_uid;
    revoke_everything(scene, own, true);
    CHECK(scene.emulator.requests().back().path == "/v1/apiKeys/" + own + "/state");
}

TEST_CASE("apply: everything is revoked with a key of unknown uid, the only one of its user") {
    ApplyScene scene(30);
    scene.sign_in_with(auth::api_key(Secret(scene.admin().api_key.expose())));
    revoke_everything(scene, scene.admin().api_key_uid, true);
}

TEST_CASE("apply: everything is revoked with one of two keys, and nobody knows which: both stay") {
    ApplyScene scene(30);
    auto const other = scene.seed(1, scene.admin().uid)[0];
    scene.sign_in_with(auth::api_key(Secret(scene.admin().api_key.expose())));
    auto const plan = scene.plan(Selection::matching({})).value();
    auto const report = scene.apply(plan, scene.all_allowed().allow_own_key()).value();
    CHECK(report.count(BulkOutcome::guarded) == 2);
    CHECK(scene.active_keys() == 2);
    // Told which it is, the run revokes the other, and then that one.
    auto const own = scene.admin().api_key_uid;
    CHECK(scene.apply(plan, scene.all_allowed().own_key(own).allow_own_key()).value().is_complete());
    CHECK(scene.active_keys() == 0);
    CHECK_FALSE(scene.key(other).is_active);
    CHECK(scene.emulator.requests().back().path == "/v1/apiKeys/" + own + "/state");
    CHECK(scene.count(401) == 0);
}

TEST_CASE("apply: everything is revoked with a token, which outlives the keys") {
    ApplyScene scene(30);
    scene.sign_in_with(auth::token(scene.emulator.sign_in(scene.admin().uid)));
    revoke_everything(scene, {}, false);
}

TEST_CASE("apply: everything is revoked with a login") {
    ApplyScene scene(30);
    scene.sign_in_with(
        auth::login(auth::LoginOptions(scene.admin().email, Secret(scene.admin().password.expose()))));
    // The login is no attempt of an operation's, for which the clock would wait.
    support::Watched<Identity> logged_in;
    scene.client->async_whoami(logged_in.handler());
    while (!logged_in.has_ended())
        scene.time.context.run_one();
    REQUIRE(logged_in.result());
    revoke_everything(scene, {}, false);
}

// Gives its credentials one after the other.
class Successors final : public AuthProvider {
public:
    using Shared = std::shared_ptr<const Credential>;
    explicit Successors(std::vector<Shared> credentials) : left_(std::move(credentials)) {}

    boost::asio::awaitable<Result<Shared>> credential(CredentialRequest) override {
        auto const next = left_.front();
        if (left_.size() > 1) left_.erase(left_.begin());
        co_return next;
    }

private:
    std::vector<Shared> left_;
};

TEST_CASE("apply: a key that becomes the client's own while the plan is applied is left alone") {
    for (bool const begins_with_token : {false, true}) {
        CAPTURE(begins_with_token);
        ApplyScene scene;
        auto const& admin = scene.admin();
        auto const uids = scene.seed(3, admin.uid);
        auto made = scene.emulator.seed_key(NewApiKey("next").for_user(admin.uid));
        auto const next = made.uid();
        std::vector<Successors::Shared> credentials{
            begins_with_token ? Credential::token(scene.emulator.sign_in(admin.uid))
                              : Credential::api_key(Secret(admin.api_key.expose()), admin.api_key_uid),
            Credential::api_key(std::move(made).secret(), next)};
        scene.sign_in_with(std::make_shared<Successors>(std::move(credentials)));
        auto selected = uids;
        selected.push_back(next);
        auto const plan = scene.plan(Selection::uids(selected)).value();
        // The first change finds that the old credential is refused.
        scene.emulator.faults().add("PUT /v1/apiKeys status:401 x1");
        auto const report = scene.apply(plan, scene.all_allowed().allow_own_key().max_under_way(1)).value();
        CHECK(report.count(BulkOutcome::done) == 3);
        CHECK(report.count(BulkOutcome::guarded) == 1);
        CHECK(scene.key(next).is_active);
        for (auto const& item : report.items)
            if (item.uid == next) CHECK(item.error.value().code() == errc::own_key);
        for (auto const& uid : uids)
            CHECK_FALSE(scene.key(uid).is_active);
    }
}

TEST_CASE("apply: a plan of another user or tenant changes nothing") {
    Scene scene;
    scene.seed(3, scene.user);
    auto const plan = scene.plan(Selection::owners({scene.user})).value();
    auto const& other = scene.emulator.user(Role::tenant_user_admin);
    scene.sign_in_with(auth::api_key(Secret(other.api_key.expose()), other.api_key_uid));
    auto const by_other = scene.apply(plan, scene.all_allowed());
    REQUIRE_FALSE(by_other);
    CHECK(by_other.error().path() == "actor_uid");
    CHECK(by_other.error().operation() == "apply");
    Scene elsewhere;
    auto const there = elsewhere.apply(plan, elsewhere.all_allowed());
    REQUIRE_FALSE(there);
    CHECK(there.error().path() == "tenant_uid");
    CHECK(scene.count("PUT") + elsewhere.count("PUT") == 0);
}

TEST_CASE("apply: a plan that is too old is refused, and one that drifted is applied where it did not") {
    Scene scene;
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
    Scene scene;
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
    Scene scene;
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

TEST_CASE("apply: a service that refuses everything stops the run after five, and the next one goes on") {
    Scene scene;
    scene.seed(15, scene.user);
    auto const plan = scene.plan(Selection::owners({scene.user})).value();
    scene.emulator.faults().add("PUT /v1/apiKeys status:403");
    auto const stopped = scene.apply(plan, scene.all_allowed().max_under_way(1)).value();
    CHECK(stopped.count(BulkOutcome::failed) == 5);
    CHECK(stopped.count(BulkOutcome::not_started) == 10);
    CHECK(stopped.stopped == "5 changes in a row have failed");
    REQUIRE(stopped.items[0].error);
    CHECK(stopped.items[0].error->status() == 403);
    scene.emulator.faults().clear();
    CHECK(scene.apply(plan, scene.all_allowed()).value().count(BulkOutcome::done) == 15);
}

TEST_CASE("apply: whatever becomes of requests and answers, a few runs revoke every key and no other") {
    sample::Random random(20'261'403);
    for (int round = 0; round < 8; ++round) {
        CAPTURE(round);
        Scene scene;
        scene.seed(40, scene.user);
        auto const plan = scene.plan(Selection::owners({scene.user})).value();
        for (int i = 0; i < 12; ++i) {
            static constexpr std::string_view kinds[] = {
                "drop-after", "drop-before", "reset",   "truncate",   "status:503", "status:500",
                "status:409", "html:502",    "garbage", "status:429", "status:403"};
            auto const number = [&](std::uint64_t most) { return std::to_string(1 + random.below(most)); };
            std::string rule(random.one_in(5) ? "GET /v1/apiKeys " : "PUT /v1/apiKeys ");
            rule.append(kinds[random.below(std::size(kinds))]);
            scene.emulator.faults().add(rule.append(" x" + number(4) + " after=" + number(20)));
        }
        std::size_t runs = 0;
        for (bool is_complete = false; !is_complete; ++runs) {
            REQUIRE(runs < 30);
            auto const report = scene.apply(plan, scene.all_allowed().max_under_way(1 + random.below(20)));
            is_complete = report && report->is_complete();
        }
        CHECK(scene.active_keys() == 4);  // those that the users have from the start
        auto const again = scene.apply(plan, scene.all_allowed()).value();
        CHECK(again.count(BulkOutcome::done) + again.count(BulkOutcome::already) == 40);
    }
}

TEST_CASE("apply: a plain user plans for their own keys, and the plan says what was not judged") {
    Scene scene;
    auto const& plain = scene.emulator.user(Role::user);
    scene.seed(2, plain.uid);
    scene.sign_in_with(auth::api_key(Secret(plain.api_key.expose()), plain.api_key_uid));
    auto const plan = scene.plan(Selection::matching({})).value();
    CHECK(plan.keys_in_tenant == 3);
    CHECK(plan.changes() == 3);
    REQUIRE(plan.notes.size() == 1);
    CHECK(plan.notes[0].starts_with("the users cannot be listed: "));
    auto const report = scene.apply(plan, scene.all_allowed()).value();
    CHECK(report.count(BulkOutcome::done) == 2);
    CHECK(report.count(BulkOutcome::guarded) == 1);
}

TEST_CASE("apply: a second run with one journal is refused while the first is under way") {
    Scene scene(0, RateLimit{1, 1});
    scene.seed(5, scene.user);
    auto const plan = scene.plan(Selection::owners({scene.user})).value();
    support::Watched<BulkReport> first;
    lifecycle::async_apply(*scene.client, plan, scene.all_allowed(), first.handler());
    scene.time.settle();
    auto const second = scene.apply(plan, scene.all_allowed());
    REQUIRE_FALSE(second);
    CHECK(second.error().code() == errc::conflict);
    scene.time.run_until([&] { return first.has_ended(); });
    CHECK(first.result()->is_complete());
}

TEST_CASE("apply: a cancelled run ends with what is under way, and is finished by the next") {
    Scene scene;
    scene.seed(200, scene.user);
    auto const plan = scene.plan(Selection::owners({scene.user})).value();
    support::Watched<BulkReport> run;
    lifecycle::async_apply(*scene.client, plan, scene.all_allowed().max_under_way(10), run.handler());
    scene.time.run_for(2s);
    REQUIRE_FALSE(run.has_ended());
    run.cancel();
    scene.time.run_until([&] { return run.has_ended(); });
    REQUIRE(run.result());
    CHECK(run.result()->stopped == "the run was cancelled");
    auto const done = run.result()->count(BulkOutcome::done);
    CHECK(done > 0);
    CHECK(done + run.result()->count(BulkOutcome::not_started) == 200);
    CHECK(scene.apply(plan, scene.all_allowed()).value().count(BulkOutcome::done) == 200);
    for (auto const& [path, times] : scene.writes())
        CHECK_MESSAGE(times == 1, path);
}

TEST_CASE("apply: a run that is cancelled while it asks for the time begins no further change") {
    boost::asio::io_context* context = nullptr;
    support::Watched<BulkReport> run;
    std::atomic<bool> asks_time = false;
    Scene scene(0, RateLimit::off(), [&](const testing::ReceivedRequest& request) {
        if (request.path == "/v1/users/info" && asks_time.exchange(false))
            boost::asio::post(*context, [&] { run.cancel(); });
    });
    context = &scene.time.context;
    scene.seed(5, scene.user);
    auto const plan = scene.plan(Selection::owners({scene.user})).value();
    auto options = scene.all_allowed().max_under_way(1);
    options.on_progress([&](const BulkItem&, std::size_t finished, std::size_t) {
        if (finished > 1) return;
        // The service's time is not known any more.
        scene.time.clock->advance(61min);
        asks_time = true;
    });
    lifecycle::async_apply(*scene.client, plan, options, run.handler());
    scene.time.run_until([&] { return run.has_ended(); });
    CHECK_FALSE(asks_time);
    auto const& report = run.result().value();
    CHECK(report.stopped == "the run was cancelled");
    CHECK(report.count(BulkOutcome::done) == 1);
    CHECK(report.count(BulkOutcome::not_started) == 4);
    CHECK(scene.count("PUT") == 1);
}

TEST_CASE("apply: progress is told for each key, and an exception of it stops the run") {
    Scene scene;
    scene.seed(20, scene.user);
    auto const plan = scene.plan(Selection::owners({scene.user})).value();
    std::vector<std::size_t> finished;
    auto options = scene.all_allowed().max_under_way(2);
    auto const report = scene.apply(plan, ApplyOptions(options).on_progress(
                                              [&](const BulkItem& item, std::size_t number, std::size_t all) {
                                                  CHECK(item.outcome == BulkOutcome::done);
                                                  CHECK(all == 20);
                                                  finished.push_back(number);
                                                  if (finished.size() == 7)
                                                      throw std::runtime_error("enough");
                                              }));
    REQUIRE(report);
    CHECK(report->stopped == "the function for progress has thrown: enough");
    CHECK(report->count(BulkOutcome::not_started) > 0);
    // Those that were under way have been waited for, and told as well.
    CHECK(finished.size() >= 7);
    for (std::size_t i = 0; i < finished.size(); ++i)
        CHECK(finished[i] == i + 1);
    CHECK(scene.apply(plan, options).value().is_complete());
}

TEST_CASE(
    "apply: a journal that cannot be written stops the run, and is locked until its changes have ended") {
    // All five are begun at once. The service takes two; the others wait, and are under way when the write of
    // the first results has failed.
    Scene scene(0, RateLimit{1, 2});
    scene.seed(5, scene.user);
    auto const plan = scene.plan(Selection::owners({scene.user})).value();
    std::optional<SmallFiles> full;
    std::vector<errc> others;  // what another run meets
    auto options = scene.all_allowed();
    options.on_progress([&](const BulkItem&, std::size_t, std::size_t) {
        if (!full) full.emplace(1);
        auto const other = impl::lifecycle::ApplyJournal::open(scene.journal, plan.digest());
        others.push_back(other ? errc() : other.error().code());
    });
    auto const report = scene.apply(plan, options).value();
    full.reset();
    CHECK(others == std::vector(5, errc::conflict));
    CHECK_FALSE(report.stopped.empty());
    CHECK(report.count(BulkOutcome::done) == 5);
    // What was done without a result in the journal was begun there, and is found by the next run.
    CHECK(scene.apply(plan, scene.all_allowed()).value().count(BulkOutcome::done) == 5);
    CHECK(std::ranges::count_if(scene.emulator.requests(), [](const testing::ReceivedRequest& request) {
              return request.method == "PUT" && request.status != 429;
          }) == 5);
}

TEST_CASE("apply: a journal that cannot be had is an error before anything is changed") {
    Scene scene;
    scene.seed(2, scene.user);
    auto const plan = scene.plan(Selection::owners({scene.user})).value();
    scene.journal = scene.folder.path("none/journal");
    CHECK(scene.apply(plan, scene.all_allowed()).error().code() == errc::system);
    scene.journal = scene.folder.file("other", "not a journal\n");
    CHECK(scene.apply(plan, scene.all_allowed()).error().code() == errc::bad_value);
    CHECK(scene.count("PUT") == 0);
    auto const without = ApplyOptions::without_journal().allow_large_share().include(Guard::last_user_key);
    CHECK(scene.apply(plan, without).value().is_complete());
    CHECK(scene.folder.names().size() == 2);  // the other file, and its lock
}

TEST_CASE("apply: options that cannot be used are refused, each with its field") {
    Scene scene;
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
    Scene scene;
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
