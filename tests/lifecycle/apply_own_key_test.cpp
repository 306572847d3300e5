// SPDX-License-Identifier: BSL-1.0
#include "lifecycle/apply_scene.hpp"

#include <palette/auth_provider.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// Plans that are applied with the keys that they change.

namespace apply_own_key_test {

using namespace palette;
using lifecycle::BulkOutcome;
using lifecycle::Selection;
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

}  // namespace apply_own_key_test
