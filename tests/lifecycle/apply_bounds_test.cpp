// SPDX-License-Identifier: BSL-1.0
#include "lifecycle/apply_scene.hpp"
#include "support/stalling_transport.hpp"

#include <palette/blocking_client.hpp>
#include <palette/observer.hpp>

#include <doctest/doctest.h>
#include <boost/asio/cancellation_type.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <utility>

// Runs of plans that have to be over by a time, or at a sign: what becomes of their keys, and of the next
// run.

namespace apply_bounds_test {

using namespace std::chrono_literals;
using namespace palette;
using lifecycle::ApplyOptions;
using lifecycle::BulkItem;
using lifecycle::BulkOutcome;
using lifecycle::BulkReport;
using lifecycle::Plan;
using lifecycle::Selection;
using support::StallingTransport;
using testing::Role;

// A user with keys, a plan that revokes them, and a service that may stall.
class Scene : public UserScene {
public:
    explicit Scene(std::size_t keys) {
        seed(keys, user);
        client.reset();
        auto options = emulator.client_options(Role::tenant_admin);
        time.watch(options);
        transport = StallingTransport::into(options, time);
        client.emplace(time.context, options);
        planned = plan(Selection::owners({user})).value();
        begun = time.seconds();
    }
    ~Scene() { client.reset(); }
    Scene(const Scene&) = delete;
    Scene& operator=(const Scene&) = delete;

    // Stalls all changes but so many.
    void stall_after(int changes) {
        transport->stalls = [changes, put = StallingTransport::all("PUT", "/v1/apiKeys")](
                                const HttpRequest& request) mutable { return put(request) && --changes < 0; };
    }
    Result<BulkReport> apply_all(ApplyOptions options) { return apply(planned, std::move(options)); }
    void start(support::Watched<BulkReport>& run, ApplyOptions options) {
        begun = time.seconds();
        lifecycle::async_apply(*client, planned, std::move(options), run.handler());
    }
    // So that it is neither at its beginning nor at its end.
    void start_half_way(support::Watched<BulkReport>& run) {
        start(run, all_allowed().stop_after(1'000));
        time.run_for(2s);
        REQUIRE_FALSE(run.has_ended());
    }
    [[nodiscard]] double took() const { return time.seconds() - begun; }

    // The next run changes what is left, and nothing twice.
    void check_next_run() {
        transport->stalls = nullptr;
        auto const report = apply_all(all_allowed()).value();
        CHECK(report.count(BulkOutcome::done) == planned.items.size());
        CHECK(report.is_complete());
        for (auto const& [path, times] : writes())
            CHECK_MESSAGE(times == 1, path);
    }

    std::shared_ptr<StallingTransport> transport;
    Plan planned;
    double begun = 0;
};

TEST_CASE("apply: at its deadline a run on a service that stalls completes with its report") {
    for (bool const are_received : {false, true}) {
        CAPTURE(are_received);
        Scene scene(12);
        scene.stall_after(3);
        scene.transport->are_received = are_received;
        support::Watched<BulkReport> run;
        scene.start(run, scene.all_allowed().max_under_way(4).deadline(10s));
        scene.time.run_until([&] { return run.has_ended(); });
        CHECK(scene.took() == doctest::Approx(10).epsilon(0.001));
        auto const& report = run.result().value();
        CHECK(report.stopped == "the deadline passed");
        CHECK(report.count(BulkOutcome::done) == 3);
        CHECK(report.count(BulkOutcome::unknown) == static_cast<std::size_t>(scene.transport->stalled));
        CHECK(report.count(BulkOutcome::unknown) >= 3);
        CHECK(report.count(BulkOutcome::unknown) + report.count(BulkOutcome::not_started) == 9);
        CHECK(report.items.back().sentence == "was not begun: the deadline passed");
        scene.check_next_run();
    }
}

TEST_CASE("apply: what waits for the rate limiter at the deadline is not started, and was not sent") {
    Scene scene(200);
    support::Watched<BulkReport> run;
    // Between two requests, which are a tenth of a second apart.
    scene.start(run, scene.all_allowed().deadline(4'950ms));
    scene.time.run_until([&] { return run.has_ended(); });
    CHECK(scene.took() == doctest::Approx(4.95).epsilon(0.001));
    auto const& report = run.result().value();
    CHECK(report.stopped == "the deadline passed");
    CHECK(report.count(BulkOutcome::done) > 60);
    CHECK(report.count(BulkOutcome::done) + report.count(BulkOutcome::not_started) == 200);
    for (auto const& item : report.items)
        if (item.outcome == BulkOutcome::not_started) {
            CHECK(item.sentence == "was not begun: the deadline passed");
            CHECK_FALSE(item.error);
        }
    // The journal says of those that were in the queue that they were not sent.
    auto const journal = content_of(scene.journal);
    CHECK(journal.find("\"outcome\":\"not_started\"") != std::string::npos);
    scene.check_next_run();
}

TEST_CASE(
    "apply: a deadline that has passed sends nothing, and the report says what earlier runs have done") {
    Scene scene(6);
    scene.stall_after(2);
    CHECK(
        scene.apply_all(scene.all_allowed().max_under_way(1).deadline(1s)).value().count(BulkOutcome::done) ==
        2);
    auto const requests = scene.transport->requests;
    for (auto const& options : {scene.all_allowed().deadline(scene.time.clock->now()),
                                scene.all_allowed().deadline(0s), scene.all_allowed().deadline(-1h)}) {
        auto const report = scene.apply_all(options).value();
        CHECK(report.stopped == "the deadline passed");
        CHECK(report.count(BulkOutcome::done) == 2);
        CHECK(report.count(BulkOutcome::unknown) == 1);
        CHECK(report.count(BulkOutcome::not_started) == 3);
    }
    CHECK(scene.transport->requests == requests);
    scene.check_next_run();
}

TEST_CASE("apply: a deadline that comes while the keys are listed or read ends the run before any change") {
    for (std::string const phase : {"/v1/users", "/v1/apiKeys", "/v1/apiKeys/"}) {
        CAPTURE(phase);
        Scene scene(3);
        auto const gone = scene.planned.items.back().uid;
        scene.client->async_remove(gone, [](const Result<void>&) {});
        scene.time.run_for(1min);  // the plan is too old to be taken for what is
        scene.transport->stalls = [=](const HttpRequest& request) {
            auto const is_of_one = request.target.starts_with("/v1/apiKeys/");
            return request.target.starts_with(phase) && is_of_one == phase.ends_with('/');
        };
        support::Watched<BulkReport> run;
        scene.start(run, scene.all_allowed().deadline(scene.time.clock->now() + 3s));
        scene.time.run_until([&] { return run.has_ended(); });
        CHECK(scene.took() == doctest::Approx(3).epsilon(0.001));
        CHECK(scene.transport->stalled == 1);
        CHECK(run.result().value().stopped == "the deadline passed");
        CHECK(run.result()->count(BulkOutcome::not_started) == 3);
        CHECK(scene.count("PUT") == 0);
        scene.transport->stalls = nullptr;
        auto const next = scene.apply_all(scene.all_allowed()).value();
        CHECK(next.count(BulkOutcome::done) == 2);
        CHECK(next.count(BulkOutcome::drifted) == 1);
    }
}

TEST_CASE("apply: to cancel the client ends a run with its report, and nothing more is begun") {
    Scene scene(200);
    support::Watched<BulkReport> run;
    scene.start_half_way(run);
    auto const sent = scene.count("PUT");
    scene.client->cancel();
    scene.time.settle();
    REQUIRE(run.has_ended());
    CHECK(run.result()->stopped == "the client was cancelled");
    CHECK(run.result()->count(BulkOutcome::done) == static_cast<std::size_t>(sent));
    CHECK(run.result()->count(BulkOutcome::not_started) == 200 - static_cast<std::size_t>(sent));
    CHECK(scene.count("PUT") == sent);
    scene.check_next_run();
}

TEST_CASE("apply: to cancel the client ends a run also while no request of it is under way") {
    Scene scene(5);
    auto options = scene.all_allowed().max_under_way(1);
    options.on_progress([&](const BulkItem&, std::size_t finished, std::size_t) {
        if (finished == 2) scene.client->cancel();
    });
    auto const report = scene.apply_all(options).value();
    CHECK(report.stopped == "the client was cancelled");
    CHECK(report.count(BulkOutcome::done) == 2);
    CHECK(report.count(BulkOutcome::not_started) == 3);
    CHECK(scene.count("PUT") == 2);
    scene.check_next_run();
}

TEST_CASE("apply: to cancel a blocking client ends a run with its report") {
    testing::Emulator emulator({.plain_http = true});
    auto const user = emulator.add_user({.email = "ada@acme.com"}).uid;
    for (int i = 0; i < 5; ++i)
        static_cast<void>(emulator.seed_key(NewApiKey("key").for_user(user).lives_for(24h)));
    BlockingApiKeyClient client(emulator.client_options(Role::tenant_admin));
    auto const plan = lifecycle::plan(client, Selection::owners({user}), lifecycle::Action::revoke()).value();
    auto options = ApplyOptions::without_journal().max_under_way(1).allow_large_share();
    options.include(lifecycle::Guard::last_user_key)
        .on_progress([&](const BulkItem&, std::size_t finished, std::size_t) {
            if (finished == 2) client.cancel();
        });
    auto const report = lifecycle::apply(client, plan, options).value();
    CHECK(report.stopped == "the client was cancelled");
    CHECK(report.count(BulkOutcome::done) == 2);
    CHECK(report.count(BulkOutcome::not_started) == 3);
    CHECK(client.whoami());
}

TEST_CASE("apply: a cancelled run does not wait for a service that stalls") {
    using boost::asio::cancellation_type;
    for (auto const type : {cancellation_type::terminal, cancellation_type::partial}) {
        Scene scene(12);
        scene.stall_after(3);
        support::Watched<BulkReport> run;
        scene.start(run, scene.all_allowed().max_under_way(4));
        scene.time.settle();
        auto const before = scene.took();
        run.cancel(type);
        scene.time.settle();
        REQUIRE(run.has_ended());
        CHECK(scene.took() == before);
        CHECK(run.result()->stopped == "the run was cancelled");
        CHECK(run.result()->count(BulkOutcome::done) == 3);
        CHECK(run.result()->count(BulkOutcome::unknown) ==
              static_cast<std::size_t>(scene.transport->stalled));
        scene.check_next_run();
    }
}

TEST_CASE("apply: a run that is cancelled without effect waits for the changes that were sent") {
    Scene scene(12);
    scene.stall_after(3);
    support::Watched<BulkReport> run;
    scene.start(run, scene.all_allowed().max_under_way(4));
    scene.time.settle();
    run.cancel(boost::asio::cancellation_type::total);
    scene.time.settle();
    REQUIRE_FALSE(run.has_ended());
    auto const stalled = scene.transport->stalled;
    scene.time.run_until([&] { return run.has_ended(); });
    CHECK(scene.took() == doctest::Approx(30).epsilon(0.01));  // timeouts.total
    CHECK(run.result()->stopped == "the run was cancelled");
    CHECK(scene.transport->stalled == stalled);
    scene.check_next_run();
}

TEST_CASE("apply: a client that is closed lets changes come to their answers, and the run ends") {
    Scene scene(200);
    support::Watched<BulkReport> run;
    scene.start_half_way(run);
    support::Watched<> closed;
    scene.client->async_close(closed.handler());
    scene.time.run_until([&] { return run.has_ended() && closed.has_ended(); });
    CHECK(closed.result());
    CHECK(run.result()->stopped == "the client was closed");
    CHECK(run.result()->count(BulkOutcome::done) + run.result()->count(BulkOutcome::not_started) == 200);
    CHECK(run.result()->count(BulkOutcome::done) == static_cast<std::size_t>(scene.count("PUT")));
}

TEST_CASE("apply: an observer is told of the requests of a run, and of nothing else") {
    struct Names : Observer {
        void on_operation_start(const OperationEvent& event) noexcept override {
            started.emplace(event.operation);
        }
        void on_operation(const OperationEvent& event) noexcept override { ended.emplace(event.operation); }
        std::set<std::string> started;
        std::set<std::string> ended;
    };
    Scene scene(2);
    auto options = scene.emulator.client_options(Role::tenant_admin);
    auto const names = std::make_shared<Names>();
    options.observer = names;
    ApiKeyClient client(scene.time.context, options);
    support::Watched<BulkReport> run;
    lifecycle::async_apply(client, scene.planned, scene.all_allowed().deadline(1h), run.handler());
    scene.time.context.restart();
    while (!run.has_ended())
        scene.time.context.run_one();
    // What waits beside the requests ends a moment later.
    while (scene.time.context.poll() > 0)
        continue;
    CHECK(run.result().value().is_complete());
    CHECK(names->started == std::set<std::string>{"describe_caller", "revoke", "service_time"});
    CHECK(names->ended == names->started);
}

TEST_CASE("apply: a plan that was begun in time is finished later, and one that was not is refused") {
    Scene scene(6);
    scene.stall_after(2);
    auto const first = scene.apply_all(scene.all_allowed().max_under_way(1).deadline(1s)).value();
    CHECK(first.count(BulkOutcome::done) == 2);
    scene.transport->stalls = nullptr;
    scene.time.run_for(48h);
    // Somebody has changed one of those that are left.
    auto const drifted = scene.planned.items.back().uid;
    scene.client->async_renew(drifted, Expiry::never(), [](const Result<ApiKey>&) {});
    scene.time.settle();
    auto const other =
        ApplyOptions(scene.journal + "2").allow_large_share().include(lifecycle::Guard::last_user_key);
    auto const unbegun = scene.apply(scene.planned, other);
    REQUIRE_FALSE(unbegun);
    CHECK(unbegun.error().code() == errc::conflict);
    CHECK(unbegun.error().path() == "as_of");
    // The journal of a plan that was refused serves the next one.
    auto const next = scene.plan(Selection::uid(drifted)).value();
    CHECK(scene.apply(next, ApplyOptions(other).deadline(0s)).value().stopped == "the deadline passed");
    auto const report = scene.apply_all(scene.all_allowed()).value();
    CHECK(report.count(BulkOutcome::done) == 5);
    CHECK(report.count(BulkOutcome::drifted) == 1);
    CHECK(scene.key(drifted).is_active);
}

}  // namespace apply_bounds_test
