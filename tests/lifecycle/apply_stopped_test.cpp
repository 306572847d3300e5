// SPDX-License-Identifier: BSL-1.0
#include "lifecycle/apply_scene.hpp"
#include "support/random.hpp"
#include "support/small_files.hpp"

#include <palette/impl/lifecycle/plans/apply_journal.hpp>

#include <doctest/doctest.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

// Runs of plans that end before all is done: by failures, a person, or a full disk.

namespace apply_stopped_test {

using namespace std::chrono_literals;
using namespace palette;
using lifecycle::ApplyOptions;
using lifecycle::BulkItem;
using lifecycle::BulkOutcome;
using lifecycle::BulkReport;
using lifecycle::Guard;
using lifecycle::Selection;
using testing::RateLimit;
using testing::Role;
struct Scene : ApplyScene {
    using ApplyScene::ApplyScene;
    std::string user = emulator.add_user({.email = "ada@acme.com"}).uid;
};
TEST_CASE("apply: a service that refuses everything stops the run after five, and the next one goes on") {
    UserScene scene;
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
        UserScene scene;
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
    UserScene scene;
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
    UserScene scene(0, RateLimit{1, 1});
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
    UserScene scene;
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
    UserScene scene(0, RateLimit::off(), [&](const testing::ReceivedRequest& request) {
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
    UserScene scene;
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
    UserScene scene(0, RateLimit{1, 2});
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
    UserScene scene;
    scene.seed(2, scene.user);
    auto const plan = scene.plan(Selection::owners({scene.user})).value();
    scene.journal = scene.folder.path("none/journal");
    CHECK(scene.apply(plan, scene.all_allowed()).error().code() == errc::system);
    scene.journal = scene.folder.file("other", "not a journal\n");
    CHECK(scene.apply(plan, scene.all_allowed()).error().code() == errc::bad_value);
    impl::lifecycle::JournalEntry foreign;
    foreign.uid = "no key of the plan";
    scene.journal =
        scene.folder.file("foreign", impl::lifecycle::journal_header(plan.digest()) + to_line(foreign));
    auto const refused = scene.apply(plan, scene.all_allowed());
    CHECK(refused.error().code() == errc::bad_value);
    CHECK(refused.error().what() ==
          '"' + scene.journal + "\": the journal names a key that the plan does not have");
    CHECK(scene.count("PUT") == 0);
    auto const without = ApplyOptions::without_journal().allow_large_share().include(Guard::last_user_key);
    CHECK(scene.apply(plan, without).value().is_complete());
    CHECK(scene.folder.names().size() == 4);  // the other files, and their locks
}

}  // namespace apply_stopped_test
