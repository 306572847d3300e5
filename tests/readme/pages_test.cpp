// SPDX-License-Identifier: BSL-1.0
// What README and the pages say about the end of their code is so: it is run against the emulator, and killed
// on its way.
#include "page_scene.hpp"

#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>

namespace page_plans_act_on_hundreds_of_keys {
PALETTE_KEYS_FRAGMENT;
}
namespace page_readme_create_for_a_colleague {
PALETTE_KEYS_FRAGMENT;
}
namespace page_readme_list_and_renew_what_ends_soon {
PALETTE_KEYS_FRAGMENT;
}
namespace page_readme_revoke_in_an_incident {
PALETTE_KEYS_FRAGMENT;
}
namespace page_readme_test_my_program {
PALETTE_KEYS_FRAGMENT;
}
namespace page_rotation_in_a_service {
PALETTE_KEYS_FRAGMENT;
}
namespace page_testing_the_emulator_in_your_tests {
PALETTE_KEYS_FRAGMENT;
}

namespace pages_test {

TEST_CASE("pages: README's code for an incident revokes all keys of a user, and may be run again") {
    Scene scene;
    scene.seed(Role::user, 5);
    auto const uid = scene.emulator.user(Role::user).uid;
    auto* const code = &page_readme_revoke_in_an_incident::fragment;
    // A kill in the middle does not stop the next run.
    CHECK(scene.run(code, uid, Role::tenant_admin, [&] { return scene.active_keys_of(Role::user) < 6; }));
    for (int run = 0; run < 2; ++run) {
        scene.run(code, uid);
        CHECK(ended_well());
        CHECK(scene.active_keys_of(Role::user) == 0);
    }
}

TEST_CASE("pages: code for hundreds of keys may be killed, fails if a key fails, and ends well, run again") {
    auto* const code = &page_plans_act_on_hundreds_of_keys::fragment;
    Scene scene({.keys = 100});
    scene.seed_expired(6);
    auto const left = [&] { return scene.expired_keys(); };
    auto const all = left();
    CHECK(scene.run(code, {}, Role::tenant_admin, [&] { return left() < all; }));
    if (left() > 0) {
        scene.emulator.faults().add("DELETE /v1/apiKeys status:403");
        scene.run(code, {});
        CHECK_FALSE(what_was_said.failed.empty());
        scene.emulator.faults().clear();
    }
    // The second time there is nothing left to do, and no file of the first stands in the way.
    for (int sweep = 0; sweep < 2; ++sweep) {
        scene.run(code, {});
        CHECK(ended_well());
        CHECK(left() == 0);
        CHECK_FALSE(std::filesystem::exists("sweep.plan"));
        scene.run(code, {});
        CHECK(ended_well());
        scene.seed_expired(2);
    }
}

TEST_CASE("pages: a key that is refused for good does not hold up those that expire later") {
    Scene scene({.keys = 100});
    scene.seed_expired(2);
    auto* const code = &page_plans_act_on_hundreds_of_keys::fragment;
    auto const keys = scene.emulator.keys();
    auto const denied = std::ranges::find_if(
        keys, [&](const ApiKey& key) { return key.state(keys.as_of()) == KeyState::expired; });
    REQUIRE(denied != keys.end());
    scene.emulator.faults().add("DELETE /v1/apiKeys/" + denied->uid + " status:403");
    for (int sweep = 0; sweep < 2; ++sweep) {
        scene.run(code, {});
        CHECK(has_failed_over(denied->uid));
        CHECK(scene.expired_keys() == 1);
        CHECK_FALSE(std::filesystem::exists("sweep.plan"));
        scene.seed_expired(1);
    }
    scene.emulator.faults().clear();
    scene.run(code, {});
    CHECK(ended_well());
    CHECK(scene.expired_keys() == 0);
}

TEST_CASE("pages: a plan that a person has reviewed for too long is refused, and the next one is not") {
    auto const clock = std::make_shared<testing::ManualClock>();
    Scene scene({.keys = 100, .clock = clock});
    scene.seed_expired(3);
    auto* const code = &page_plans_act_on_hundreds_of_keys::fragment;
    // Killed once the plan is there, before anything is changed.
    CHECK(scene.run(code, {}, Role::tenant_admin, [] { return std::filesystem::exists("sweep.plan"); }));
    REQUIRE(scene.expired_keys() > 0);
    clock->advance(std::chrono::hours{2});
    scene.run(code, {});
    CHECK(has_failed_over("sweep.plan: "));
    CHECK(has_failed_over("it is too old"));
    scene.run(code, {});
    CHECK(ended_well());
    CHECK(scene.expired_keys() == 0);
}

TEST_CASE("pages: a service whose rotations fail says so") {
    Scene scene;
    // Neither its sink nor its store can be used here.
    CHECK(scene.run(&page_rotation_in_a_service::fragment, {}, Role::tenant_admin,
                    [] { return !what_was_said.logged.empty(); }));
    CHECK(count_of(what_was_said.logged, "/var/lib/acme/palette") > 0);
}

TEST_CASE("pages: README's code for an incident says once what has become of a key") {
    Scene scene;
    scene.seed(Role::user, 2);
    scene.emulator.faults().add("PUT /v1/apiKeys status:403 x1");
    scene.run(&page_readme_revoke_in_an_incident::fragment, scene.emulator.user(Role::user).uid);
    CHECK(what_was_said.logged.size() == 2);
    CHECK(what_was_said.failed.size() == 1);
}

TEST_CASE("pages: README's code for a colleague's key makes one key, wherever it is killed") {
    auto* const code = &page_readme_create_for_a_colleague::fragment;
    bool was_killed = true;
    for (std::size_t last = 1; was_killed; ++last) {
        CAPTURE(last);
        Scene scene;
        auto const ada = scene.emulator.add_user({.email = "ada@acme.com"}).uid;
        auto const keys_of_ada = [&] {
            return std::ranges::count_if(scene.emulator.keys(), [&](const ApiKey& key) {
                return key.owner.uid == ada && key.name == "ci";
            });
        };
        was_killed =
            scene.run(code, {}, Role::tenant_admin, [&] { return scene.emulator.requests().size() >= last; });
        scene.run(code, {});
        CHECK(ended_well());
        CHECK(keys_of_ada() == 1);
        auto const value = content_of("ada.key");
        CHECK_FALSE(value.empty());
        scene.run(code, {});
        CHECK(ended_well());
        CHECK(keys_of_ada() == 1);
        CHECK(content_of("ada.key") == value);
    }
}

TEST_CASE("pages: README's code for a colleague's key ends well once the key is there, and not before") {
    Scene scene;
    static_cast<void>(scene.emulator.add_user({.email = "ada@acme.com"}));
    auto* const code = &page_readme_create_for_a_colleague::fragment;
    scene.emulator.faults().add("POST /v1/apiKeys status:403 x1");
    scene.run(code, {});
    CHECK_FALSE(what_was_said.failed.empty());
    CHECK_FALSE(std::filesystem::exists("ada.key"));
    // The next run, a moment later.
    scene.run(code, {});
    CHECK(what_was_said.failed.empty() == std::filesystem::exists("ada.key"));
    ended_well();
}

TEST_CASE("pages: README's code for a colleague's key makes no other one where its value was moved") {
    Scene scene;
    static_cast<void>(scene.emulator.add_user({.email = "ada@acme.com"}));
    auto* const code = &page_readme_create_for_a_colleague::fragment;
    scene.run(code, {});
    REQUIRE(ended_well());
    auto const number = scene.emulator.keys().size();
    std::filesystem::rename("ada.key", "handed-over");
    scene.run(code, {});
    CHECK(has_failed_over("the sink is empty"));
    CHECK(scene.emulator.keys().size() == number);
    std::filesystem::rename("handed-over", "ada.key");
    scene.run(code, {});
    CHECK(ended_well());
    CHECK(scene.emulator.keys().size() == number);
}

TEST_CASE("pages: README's code for a colleague's key gives no other user the key that is there") {
    Scene scene;
    auto const first = scene.emulator.add_user({.email = "ada@acme.com", .single_sign_on = true});
    auto* const code = &page_readme_create_for_a_colleague::fragment;
    scene.run(code, {});
    CHECK(ended_well());
    auto const value = content_of("ada.key");
    auto const number = scene.emulator.keys().size();
    // Her key stays, and the address is another user's now.
    scene.emulator.remove_user(first.uid);
    static_cast<void>(scene.emulator.add_user({.email = "ada@acme.com"}));
    scene.run(code, {});
    CHECK(has_failed_over("another user's"));
    CHECK(content_of("ada.key") == value);
    CHECK(scene.emulator.keys().size() == number);
}

TEST_CASE("pages: README's renewal stops at the first key that its credential may not change") {
    Scene scene;
    for (int i = 0; i < 3; ++i)
        static_cast<void>(
            scene.emulator.seed_key(NewApiKey("soon-" + std::to_string(i))
                                        .lives_for(std::chrono::days{2})
                                        .for_user(scene.emulator.user(Role::tenant_viewer).uid)));
    scene.run(&page_readme_list_and_renew_what_ends_soon::fragment, {}, Role::tenant_viewer);
    CHECK(what_was_said.failed.size() == 2);
    CHECK(has_failed_over("no key after"));
}

TEST_CASE("pages: code with a clock that nobody moves ends") {
    Scene scene;
    scene.run(&page_testing_the_emulator_in_your_tests::fragment, {});
    CHECK(ended_well());
    scene.run(&page_readme_test_my_program::fragment, {});
    CHECK(ended_well());
}

}  // namespace pages_test
