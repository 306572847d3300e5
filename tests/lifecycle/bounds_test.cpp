// SPDX-License-Identifier: BSL-1.0
#include "lifecycle/apply_scene.hpp"
#include "lifecycle/rotation_scene.hpp"
#include "support/printed.hpp"
#include "support/stalling_transport.hpp"
#include "support/watched.hpp"

#include <palette/lifecycle/audit.hpp>
#include <palette/lifecycle/rotator.hpp>
#include <palette/lifecycle/watch.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

// Plans, audits, rotations and watches that have to be over by a time, or at a sign. Those of a run that
// applies a plan are in apply_bounds_test.cpp.

namespace bounds_test {

using namespace std::chrono_literals;
using namespace palette;
using lifecycle::AuditPolicy;
using lifecycle::AuditReport;
using lifecycle::Plan;
using lifecycle::PlanOptions;
using lifecycle::RotateOptions;
using lifecycle::Rotation;
using lifecycle::Selection;
using support::StallingTransport;
using support::Watched;
using testing::Role;

// A service that may stall, and a user with keys.
class Scene : public UserScene {
public:
    Scene() {
        seed(3, user);
        client.reset();
        auto options = emulator.client_options(Role::tenant_admin);
        time.watch(options);
        transport = StallingTransport::into(options, time);
        client.emplace(time.context, options);
    }
    ~Scene() { client.reset(); }
    Scene(const Scene&) = delete;
    Scene& operator=(const Scene&) = delete;

    // Stalls the request of that number, from 1 on, and all later ones.
    void stall_from(int number) {
        transport->stalls = [number](const HttpRequest&) mutable { return --number <= 0; };
    }

    std::shared_ptr<StallingTransport> transport;
};

TEST_CASE("options: a deadline of many requests is kept as it was given, and there is none at first") {
    Deadline const when = 5s;
    CHECK(PlanOptions().deadline(when).deadline() == when);
    CHECK(RotateOptions().deadline(when).deadline() == when);
    CHECK(lifecycle::ApplyOptions("journal").deadline(when).deadline() == when);
    CHECK_FALSE(PlanOptions().deadline());
    CHECK_FALSE(RotateOptions().deadline());
    CHECK_FALSE(lifecycle::ApplyOptions("journal").deadline());
}

void start_plan(Scene& scene, Watched<Plan>& plan, PlanOptions options) {
    lifecycle::async_plan(*scene.client, Selection::owners({scene.user}), lifecycle::Action::revoke(),
                          std::move(options), plan.handler());
}

TEST_CASE("plan: its deadline bounds all its requests together, whichever of them stalls") {
    Scene counting;
    REQUIRE(counting.plan(Selection::owners({counting.user})));
    auto const requests = counting.transport->requests;
    CHECK(requests == 3);
    for (int at = 1; at <= requests; ++at) {
        CAPTURE(at);
        Scene scene;
        scene.stall_from(at);
        Watched<Plan> plan;
        start_plan(scene, plan, PlanOptions().deadline(5s));
        scene.time.run_until([&] { return plan.has_ended(); });
        CHECK(scene.time.seconds() == doctest::Approx(5).epsilon(0.001));
        CHECK(plan.has_failed_with(errc::timeout));
        CHECK(plan.error().operation() == "plan");
        CHECK(std::string(plan.error().what()) == "the deadline passed");
        CHECK(scene.transport->requests == at);
    }
}

TEST_CASE("plan: a deadline that has passed sends nothing, and one that does not pass changes nothing") {
    Scene scene;
    Watched<Plan> late;
    start_plan(scene, late, PlanOptions().deadline(scene.time.clock->now() - 1ms));
    scene.time.settle();
    CHECK(late.has_failed_with(errc::timeout));
    CHECK(scene.transport->requests == 0);
    Watched<Plan> good;
    start_plan(scene, good, PlanOptions().deadline(1h));
    scene.time.settle();
    REQUIRE(good.is_good());
    CHECK(good.result().value() == scene.plan(Selection::owners({scene.user})).value());
    CHECK_FALSE(scene.time.clock->next_wait());  // for the deadline, too
}

// The client is cancelled while its request number `at` has no answer.
template <class S, class T, class Start>
void cancel_at(int at, Start start) {
    CAPTURE(at);
    S scene;
    scene.stall_from(at);
    Watched<T> run;
    start(scene, run);
    scene.time.settle();
    REQUIRE_FALSE(run.has_ended());
    scene.client->cancel();
    scene.time.settle();
    CHECK(run.is_aborted());
    CHECK(scene.transport->requests == at);
}

TEST_CASE("plan: to cancel the client ends it, and sends nothing more") {
    for (int at = 1; at <= 3; ++at)
        cancel_at<Scene, Plan>(at, [](auto& scene, auto& plan) { start_plan(scene, plan, PlanOptions()); });
}

// An audit that asks for an owner who is not in the list of users.
class AuditedScene : public Scene {
public:
    AuditedScene() {
        for (int i = 0; i < 3; ++i) {
            auto const gone = emulator.add_user(
                {.email = "gone" + std::to_string(i) + "@acme.com", .single_sign_on = true});
            seed(1, gone.uid);
            emulator.remove_user(gone.uid);
        }
    }
    void start(Watched<AuditReport>& report, const CallOptions& options) {
        lifecycle::async_audit(*client, AuditPolicy().read_events(true), options, report.handler());
    }
};

TEST_CASE("audit: its deadline bounds all its requests together; once the keys are read, it has a report") {
    AuditedScene counting;
    Watched<AuditReport> whole;
    counting.start(whole, CallOptions().deadline(1h));
    counting.time.run_until([&] { return whole.has_ended(); });
    REQUIRE(whole.result().value().complete());
    auto const requests = counting.transport->requests;
    REQUIRE(requests >= 9);
    int reports = 0;
    for (int at = 1; at <= requests; ++at) {
        CAPTURE(at);
        AuditedScene scene;
        scene.stall_from(at);
        Watched<AuditReport> report;
        scene.start(report, CallOptions().deadline(5s));
        scene.time.run_until([&] { return report.has_ended(); });
        CHECK(scene.time.seconds() == doctest::Approx(5).epsilon(0.001));
        CHECK(scene.transport->requests == at);
        if (report.is_good()) {
            ++reports;
            CHECK_FALSE(report.result()->complete());
            CHECK(report.result()->to_text().find("the deadline passed") != std::string::npos);
            CHECK(report.result()->keys == whole.result()->keys);
        } else {
            CHECK(report.error().code() == errc::timeout);
            CHECK(report.error().operation() == "audit");
        }
    }
    CHECK(reports == 5);  // of which two requests are controls
}

TEST_CASE("audit: to cancel the client ends it, and sends nothing more") {
    for (int at = 1; at <= 9; ++at)
        cancel_at<AuditedScene, AuditReport>(
            at, [](auto& scene, auto& report) { scene.start(report, CallOptions()); });
}

// A slot whose key is due, and a service that may stall.
class SlotScene : public RotationScene {
public:
    SlotScene() {
        client.reset();
        auto options = emulator.client_options(Role::tenant_admin);
        time.watch(options);
        transport = StallingTransport::into(options, time);
        client.emplace(time.context, options);
        REQUIRE(rotate().value().outcome == Rotation::Outcome::completed);
        time.run_for(std::chrono::days{21});
        transport->requests = 0;
        begun = time.seconds();
        at_first = state_of_keys();
    }
    ~SlotScene() { client.reset(); }
    SlotScene(const SlotScene&) = delete;
    SlotScene& operator=(const SlotScene&) = delete;

    void stall_from(int number) {
        transport->stalls = [number](const HttpRequest&) mutable { return --number <= 0; };
    }
    void start(Watched<Rotation>& rotation, RotateOptions options) {
        lifecycle::async_rotate(*client, slot, std::move(options), rotation.handler());
    }
    [[nodiscard]] double took() const { return time.seconds() - begun; }

    [[nodiscard]] std::map<std::string, bool> state_of_keys() const {
        std::map<std::string, bool> state;
        for (auto const& key : emulator.keys())
            state.emplace(key.uid, key.is_active);
        return state;
    }
    // What an error says of its effect is true of the service.
    void check_effect(const Error& error) const {
        if (state_of_keys() == at_first) return;
        CHECK(error.effect() == Effect::unknown);
        CHECK_FALSE(contains(error.message(), "nothing was changed"));
    }

    // The next runs come to the end of the rotation, with one key, which works at each instant.
    void check_next_runs() {
        transport->stalls = nullptr;
        CHECK(works());
        auto rotation = rotate().value();
        for (int runs = 0; rotation.outcome != Rotation::Outcome::completed && runs < 6; ++runs) {
            CHECK(rotation.outcome == Rotation::Outcome::in_progress);
            CHECK_FALSE(rotation.problem);
            REQUIRE(rotation.next_due);
            time.run_for(*rotation.next_due - rotation.as_of + 1s);
            rotation = rotate().value();
            CHECK(works());
        }
        CHECK(rotation.outcome == Rotation::Outcome::completed);
        CHECK(active_keys() == 1);
        CHECK(keys() == 1);
    }

    std::shared_ptr<StallingTransport> transport;
    double begun = 0;
    std::map<std::string, bool> at_first;
};

// With an overlap of nothing, one run goes as far as the quarantine.
RotateOptions at_once() {
    return RotateOptions().overlap(0ms);
}

int requests_of_a_rotation() {
    SlotScene counting;
    REQUIRE(counting.rotate(at_once()).value().outcome == Rotation::Outcome::in_progress);
    return counting.transport->requests;
}

// Checks a rotation of which one request stalls, received by the service or not, and the runs after it; for
// each of its requests, whose number is returned.
template <class Check>
int stall_each_request(Check check) {
    auto const requests = requests_of_a_rotation();
    REQUIRE(requests >= 10);
    for (int at = 1; at <= requests; ++at) {
        for (bool const are_received : {false, true}) {
            CAPTURE(at);
            CAPTURE(are_received);
            SlotScene scene;
            scene.stall_from(at);
            scene.transport->are_received = are_received;
            check(scene);
            scene.check_next_runs();
        }
    }
    return requests;
}

TEST_CASE("rotation: its deadline ends it whichever request stalls, and the next run goes on") {
    int reports = 0;
    auto const requests = stall_each_request([&](SlotScene& scene) {
        Watched<Rotation> rotation;
        scene.start(rotation, at_once().deadline(8s));
        scene.time.run_until([&] { return rotation.has_ended(); });
        CHECK(scene.took() == doctest::Approx(8).epsilon(0.001));
        if (rotation.is_good()) {
            ++reports;
            CHECK(rotation.result()->outcome == Rotation::Outcome::failed);
            REQUIRE(rotation.result()->problem);
            CHECK(rotation.result()->problem->code() == errc::timeout);
            scene.check_effect(*rotation.result()->problem);
            CHECK(rotation.result()->next_due == rotation.result()->as_of);
        } else {
            CHECK(rotation.error().code() == errc::timeout);
            CHECK(rotation.error().operation() == "rotate");
            CHECK(rotation.error().effect() == Effect::not_applied);
            CHECK(scene.state_of_keys() == scene.at_first);
        }
    });
    CHECK(reports >= requests);
}

TEST_CASE("rotation: to cancel the client ends it, and the next run goes on") {
    int changed = 0;
    auto const requests = stall_each_request([&](SlotScene& scene) {
        Watched<Rotation> rotation;
        scene.start(rotation, at_once());
        while (scene.transport->stalled == 0 && !rotation.has_ended())
            scene.time.run_for(1s);  // proofs are a second apart
        REQUIRE_FALSE(rotation.has_ended());
        auto const sent = scene.transport->requests;
        scene.client->cancel();
        scene.time.settle();
        CHECK(rotation.is_aborted());
        CHECK(rotation.error().operation() == "rotate");
        scene.check_effect(rotation.error());
        changed += scene.state_of_keys() == scene.at_first ? 0 : 1;
        CHECK(scene.transport->requests == sent);
    });
    CHECK(changed >= requests);
}

TEST_CASE(
    "rotation: to close the client ends it after the request under way, and the next run goes on at once") {
    auto const requests = requests_of_a_rotation();
    int aborted = 0;
    for (int at = 1; at < requests; ++at) {
        CAPTURE(at);
        SlotScene scene;
        Watched<void> closed;
        scene.transport->stalls = [&, left = at](const HttpRequest&) mutable {
            if (--left == 0) scene.client->async_close(closed.handler());
            return false;
        };
        Watched<Rotation> rotation;
        scene.start(rotation, at_once());
        scene.time.run_until([&] { return rotation.has_ended() && closed.has_ended(); });
        CHECK(closed.is_good());
        if (rotation.is_good()) {
            // The last request was the one under way.
            CHECK(rotation.result()->outcome == Rotation::Outcome::in_progress);
        } else {
            ++aborted;
            CHECK(rotation.is_aborted());
            CHECK(rotation.error().operation() == "rotate");
            CHECK(contains(rotation.error().message(), "the client was closed"));
            scene.check_effect(rotation.error());
        }
        scene.transport->stalls = nullptr;
        scene.become(RotationScene::Role::tenant_admin);
        scene.check_next_runs();
    }
    CHECK(aborted >= requests - 3);
}

TEST_CASE("rotation: a deadline ends its waits and its hook, too, and a passed one sends nothing") {
    for (auto const time : {500ms, 1'500ms}) {
        CAPTURE(time.count());
        SlotScene scene;
        Watched<Rotation> rotation;
        scene.start(rotation, at_once().deadline(scene.time.clock->now() + time));
        scene.time.run_until([&] { return rotation.has_ended(); });
        CHECK(scene.took() == doctest::Approx(std::chrono::duration<double>(time).count()).epsilon(0.001));
        CHECK(rotation.result().value().problem->code() == errc::timeout);
        scene.check_next_runs();
    }
    SlotScene scene;
    int calls = 0;
    RotateOptions::Hook const never_ends =
        [&](const lifecycle::Promotion&) -> boost::asio::awaitable<Result<void>> {
        ++calls;
        co_return co_await scene.client->async_wait(1h);
    };
    Watched<Rotation> hooked;
    scene.start(hooked, at_once().hook(never_ends).deadline(20s));
    scene.time.run_until([&] { return hooked.has_ended(); });
    CHECK(scene.took() == doctest::Approx(20).epsilon(0.001));
    CHECK(hooked.result().value().problem->code() == errc::timeout);
    CHECK(hooked.result()->state == lifecycle::RotationState::overlap);
    CHECK(calls == 1);
    auto const requests = scene.transport->requests;
    Watched<Rotation> late;
    scene.start(late, at_once().deadline(0s));
    scene.time.settle();
    CHECK(late.has_failed_with(errc::timeout));
    CHECK(scene.transport->requests == requests);
    scene.check_next_runs();
}

TEST_CASE("rotator: to cancel the client ends it in a pause, and in a rotation that stalls") {
    for (bool const stalls : {false, true}) {
        CAPTURE(stalls);
        SlotScene scene;
        if (stalls) scene.stall_from(3);
        lifecycle::Rotator rotator(*scene.client, scene.slot);
        Watched<> run;
        rotator.async_run(run.handler());
        scene.time.run_for(10s);
        REQUIRE_FALSE(run.has_ended());
        auto const sent = scene.transport->requests;
        scene.client->cancel();
        scene.time.settle();
        CHECK(run.is_aborted());
        scene.check_effect(run.error());
        CHECK(run.error().effect() == Effect::unknown);
        CHECK(scene.transport->requests == sent);
    }
}

TEST_CASE("rotator: one that is cancelled, and had nothing to do, has changed nothing") {
    RotationScene scene;
    REQUIRE(scene.rotate().value().outcome == Rotation::Outcome::completed);
    lifecycle::Rotator rotator(*scene.client, scene.slot);
    Watched<> run;
    rotator.async_run(run.handler());
    scene.time.run_for(10s);
    REQUIRE_FALSE(run.has_ended());
    scene.client->cancel();
    scene.time.settle();
    CHECK(run.is_aborted());
    CHECK(run.error().effect() == Effect::not_applied);
}

TEST_CASE("rotator: a deadline bounds each of its runs, and the rotator goes on") {
    SlotScene scene;
    scene.stall_from(3);
    lifecycle::Rotator rotator(*scene.client, scene.slot, RotateOptions().deadline(5s));
    int timeouts = 0;
    bool has_rotated = false;
    rotator.on_rotation([&](const Result<Rotation>& rotation) {
        auto const* const problem =
            rotation ? rotation->problem ? &*rotation->problem : nullptr : &rotation.error();
        timeouts += problem != nullptr && problem->code() == errc::timeout ? 1 : 0;
        has_rotated = has_rotated || (rotation && !rotation->problem);
    });
    Watched<> run;
    rotator.async_run(run.handler());
    scene.time.run_for(2min);
    CHECK(timeouts >= 2);
    CHECK_FALSE(has_rotated);
    scene.transport->stalls = nullptr;
    scene.time.run_for(2h);
    CHECK(has_rotated);
    CHECK_FALSE(run.has_ended());
    run.cancel();
    scene.time.settle();
    CHECK(run.is_aborted());
}

TEST_CASE("watch: to cancel the client ends it between two looks, in one, and in a handler") {
    for (int const in : {0, 1, 2}) {
        CAPTURE(in);
        Scene scene;
        if (in == 1) scene.stall_from(2);
        if (in == 2) scene.seed(1, scene.user);
        lifecycle::ExpiryWatch watch(*scene.client);
        bool is_handled = false;
        auto const handle = [&](const lifecycle::ExpiryEvent&) -> boost::asio::awaitable<Result<void>> {
            is_handled = true;
            scene.client->cancel();
            co_return Result<void>();
        };
        Watched<> run;
        watch.async_run(handle, run.handler());
        scene.time.settle();
        if (in == 2) {
            scene.time.run_for(std::chrono::days{4});  // the keys live for ten
            CHECK(is_handled);
        } else {
            REQUIRE_FALSE(run.has_ended());
            scene.client->cancel();
            scene.time.settle();
        }
        CHECK(run.is_aborted());
    }
}

}  // namespace bounds_test
