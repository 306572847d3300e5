// SPDX-License-Identifier: BSL-1.0
// What docs/incidents.md says about the end of its code is so: it is run against the emulator, and killed on
// its way.
#include "page_scene.hpp"
#include "support/shared_clock.hpp"
#include "support/virtual_time.hpp"

#include <palette/auth.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace page_readme_revoke_in_an_incident {
PALETTE_KEYS_FRAGMENT;
}

namespace pages_test {

TEST_CASE("pages: code that revokes the keys of a user fails where it has revoked nothing") {
    Scene scene;
    scene.seed(Role::tenant_viewer, 1);
    scene.run(&page_readme_revoke_in_an_incident::fragment, "0123456789abcdef01234567");
    CHECK(has_failed_over("no key of this user"));
    scene.run([](ApiKeyClient& client) {
        return page_incidents::revoke_all(client, "0123456789abcdef01234567", {}, {});
    });
    CHECK(has_failed_over("no key of this user"));
}

TEST_CASE("pages: an incident of oneself revokes all keys but the new one, and ends well, after a kill too") {
    Scene scene;
    scene.seed(Role::tenant_admin, 5);
    auto const first = scene.emulator.user(Role::tenant_admin).api_key_uid;
    auto const code = [&](const std::string& incident) {
        return [&, incident](ApiKeyClient& client) {
            return scene.revoke_all_of(client, Role::tenant_admin, incident);
        };
    };
    REQUIRE(scene.run(code("incident-1"), Role::tenant_admin, [&] { return !scene.is_active(first); }));
    scene.seed(Role::tenant_admin, 3);
    // The credential of the environment is dead by now.
    scene.run(code("incident-1"));
    CHECK(ended_well());
    CHECK(scene.active_keys_of(Role::tenant_admin) == 1);
    auto const survivor = content_of(scene.new_key_of(Role::tenant_admin));
    CHECK_FALSE(survivor.empty());
}

TEST_CASE("pages: an incident of oneself tells what it does, how far it is, and what the last key is") {
    Scene scene;
    scene.seed(Role::tenant_admin, 5);
    scene.run([&](ApiKeyClient& client) { return scene.revoke_all_of(client, Role::tenant_admin); });
    CHECK(ended_well());
    auto const& said = what_was_said.logged;
    auto const place_of = [&](std::string_view words) {
        return std::ranges::find_if(said, [&](auto const& text) { return text.starts_with(words); }) -
               said.begin();
    };
    auto const file = std::filesystem::path(scene.new_key_of(Role::tenant_admin)).filename().string();
    CHECK(place_of("ask whose key") == 0);
    CHECK(place_of("there is no new key yet") == 1);
    CHECK(place_of("list 1") > 1);
    CHECK(place_of("1 of 6: ") == place_of("list 1") + 1);
    CHECK(place_of("6 of 6: ") == place_of("list 1") + 6);
    CHECK(count_of(said, " of 6: ") == 6);
    CHECK(said.back().find(", the new one, whose value is in /") != std::string::npos);
    CHECK(said.back().ends_with(file));
}

TEST_CASE("pages: an incident of oneself without a uid tells it, and changes nothing") {
    Scene scene;
    scene.run([&](ApiKeyClient& client) {
        return page_incidents::revoke_all_of_mine(client, {}, scene.folder.path(), "incident-1");
    });
    CHECK(has_failed_over("your uid is " + scene.emulator.user(Role::tenant_admin).uid));
    CHECK(scene.folder.names().empty());
    CHECK(scene.active_keys_of(Role::tenant_admin) == 1);
    CHECK(count_of(what_was_said.logged, "new key") == 0);
}

TEST_CASE("pages: an incident of oneself says once what is left, a moment after a failure too") {
    Scene scene;
    auto const code = [&](ApiKeyClient& client) { return scene.revoke_all_of(client, Role::tenant_admin); };
    // The first create has no answer, and may have left a key.
    scene.emulator.faults().add("POST /v1/apiKeys drop-after");
    scene.emulator.faults().add("GET /v1/apiKeys list-lag:600000");
    for (int run = 0; run < 2; ++run) {
        scene.run(code);
        CHECK_FALSE(what_was_said.failed.empty());
        auto said = what_was_said.logged;
        std::ranges::sort(said);
        CHECK(std::ranges::adjacent_find(said) == said.end());
    }
}

TEST_CASE("pages: an incident of oneself says in each run that a lost create may still make a key") {
    Scene scene;
    scene.seed(Role::user, 2);
    auto const code = [&](ApiKeyClient& client) { return scene.revoke_all_of(client, Role::user); };
    // Its own looks do not find the key yet.
    scene.emulator.faults().add("POST /v1/apiKeys drop-after x1");
    scene.emulator.faults().add("GET /v1/apiKeys list-lag:600000 x12");
    int runs = 0;
    do
        scene.run(code, Role::user);
    while (!ended_well() && ++runs < 3);
    scene.emulator.faults().clear();
    for (int again = 0; again < 2; ++again) {
        scene.run(code, Role::user);
        CHECK(ended_well());
        CHECK(count_of(what_was_said.logged, "run this again after") == 1);
        CHECK(scene.active_keys_of(Role::user) == 1);
    }
}

TEST_CASE(
    "pages: an incident of oneself keeps its new key, also when that would be due for its replacement") {
    TemporaryFolder const folder;
    VirtualTime time;
    Emulator const emulator({.plain_http = true, .clock = time.clock});
    auto const& me = emulator.user(Role::user);
    auto const run = [&](const std::shared_ptr<AuthProvider>& provider) {
        what_was_said = {};
        auto options = emulator.client_options(Role::user);
        if (provider) options.auth = provider;
        time.watch(options);
        ApiKeyClient client(time.context, options);
        bool has_ended = false;
        boost::asio::co_spawn(time.context,
                              page_incidents::revoke_all_of_mine(client, me.uid, folder.path(), "incident-1"),
                              [&](const std::exception_ptr&) { has_ended = true; });
        time.run_until([&] { return has_ended; });
    };
    auto const file = folder.path("incident-1-" + me.uid + ".key");
    run(nullptr);
    CHECK(ended_well());
    auto const value = content_of(file);
    time.run_for(std::chrono::days{21});
    run(auth::api_key(Secret(value)));
    CHECK(ended_well());
    CHECK(content_of(file) == value);
    auto const keys = emulator.keys();
    CHECK(std::ranges::count_if(
              keys, [&](const ApiKey& key) { return key.owner.uid == me.uid && key.is_active; }) == 1);
}

TEST_CASE("pages: an incident of oneself refuses a directory that depends on where the program is started") {
    Scene scene;
    auto const uid = scene.emulator.user(Role::tenant_admin).uid;
    for (auto const* const directory : {".", "keys", ""}) {
        scene.run([&](ApiKeyClient& client) {
            return page_incidents::revoke_all_of_mine(client, uid, directory, "incident-1");
        });
        CHECK(has_failed_over("is not an absolute path"));
        CHECK(scene.folder.names().empty());
        CHECK(scene.active_keys_of(Role::tenant_admin) == 1);
    }
}

TEST_CASE("pages: an incident of oneself asks for the value that was stored where the file has another") {
    for (auto const* const what : {"", "other text", "another key", "no json"}) {
        CAPTURE(what);
        Scene scene;
        auto const code = [&](ApiKeyClient& client) {
            return scene.revoke_all_of(client, Role::tenant_admin);
        };
        scene.run(code);
        REQUIRE(ended_well());
        auto const file = scene.new_key_of(Role::tenant_admin);
        auto const kept = scene.folder.path("kept");
        auto const moved = std::string_view(what) == "no json" ? file + ".json" : file;
        std::filesystem::rename(moved, kept);
        std::string const text = std::string_view(what) == "another key"
                                     ? std::string(scene.emulator.user(Role::user).api_key.expose())
                                     : what;
        if (moved == file)
            static_cast<void>(scene.folder.file(std::filesystem::path(file).filename().string(), text));
        scene.seed(Role::tenant_admin, 1);
        scene.run(code);
        REQUIRE(what_was_said.failed.size() == 1);
        CHECK(has_failed_over(" is not the value that was stored"));
        CHECK(has_failed_over("put it back"));
        CHECK(count_of(what_was_said.logged, "the new key is") == 0);
        CHECK(scene.active_keys_of(Role::tenant_admin) == 2);
        std::filesystem::rename(kept, moved);
        scene.run(code);
        CHECK(ended_well());
        CHECK(scene.active_keys_of(Role::tenant_admin) == 1);
    }
}

TEST_CASE("pages: an incident of oneself says that it is the own credential that is refused, and what then") {
    for (bool had_value : {false, true}) {
        CAPTURE(had_value);
        Scene scene;
        auto const code = [&](ApiKeyClient& client) { return scene.revoke_all_of(client, Role::user); };
        if (had_value) {
            scene.run(code, Role::user);
            REQUIRE(ended_well());
            std::filesystem::rename(scene.new_key_of(Role::user), scene.folder.path("taken"));
        } else {
            auto const uid = scene.emulator.user(Role::user).api_key_uid;
            scene.run([&](ApiKeyClient& client) -> awaitable<void> {
                (co_await client.async_revoke(uid)).value();
            });
        }
        scene.run(code, Role::user);
        REQUIRE(what_was_said.failed.size() == 1);
        CHECK(has_failed_over("it is your own credential (PALETTE_API_KEY)"));
        CHECK(has_failed_over("revoke_all() with a login or an administrator's"));
        CHECK(count_of(what_was_said.logged, "takes 5 minutes") == 0);
    }
}

TEST_CASE("pages: an incident of oneself says that a list lags where none of its keys is listed") {
    Scene scene;
    auto const code = [&](ApiKeyClient& client) { return scene.revoke_all_of(client, Role::tenant_admin); };
    scene.emulator.faults().add("GET /v1/apiKeys list-lag:600000");
    scene.run(code);
    CHECK(has_failed_over("a list may lag: run again"));
    CHECK_FALSE(has_failed_over("right uid"));
    scene.emulator.faults().clear();
    scene.run(code);
    CHECK(ended_well());
    CHECK(scene.active_keys_of(Role::tenant_admin) == 1);
}

TEST_CASE("pages: code for an incident names the code for oneself to whom the user turns out to be") {
    for (bool is_uid_known : {false, true}) {
        CAPTURE(is_uid_known);
        Scene scene;
        scene.seed(Role::user, 2);
        auto const& me = scene.emulator.user(Role::user);
        auto const own = is_uid_known ? me.api_key_uid : std::string();
        auto const provider = auth::api_key(Secret(me.api_key.expose()), own);
        scene.run(
            [&](ApiKeyClient& client) -> awaitable<void> {
                auto with_uid = client.with_auth(provider);
                auto done = page_incidents::revoke_all(with_uid, me.uid, {}, {});
                co_await std::move(done);
            },
            Role::user);
        CHECK(what_was_said.failed.back() == "this user is yourself: run revoke_all_of_mine()");
        CHECK(scene.active_keys_of(Role::user) == (is_uid_known ? 1 : 3));
    }
}

TEST_CASE("pages: an incident of oneself goes on at once after a quota that was reached") {
    Scene scene({.quota = 3});
    scene.seed(Role::tenant_admin, 2);
    auto const code = [&](ApiKeyClient& client) { return scene.revoke_all_of(client, Role::tenant_admin); };
    for (int run = 0; run < 2; ++run) {
        scene.run(code);
        CHECK(has_failed_over("ApiKeyLimitReached"));
        CHECK(what_was_said.failed.back().find("delete a revoked or expired key") != std::string::npos);
        CHECK(what_was_said.failed.back().find("revoke_all() with a login") != std::string::npos);
        CHECK(count_of(what_was_said.logged, "there is no new key yet") == 1);
        CHECK(count_of(what_was_said.logged, "make a new key") == 0);
        CHECK(scene.active_keys_of(Role::tenant_admin) == 3);
    }
    scene.run([&](ApiKeyClient& client) -> awaitable<void> {
        for (auto const& key : scene.emulator.keys())
            if (key.name == "leaked-0") (co_await client.async_remove(key.uid)).value();
    });
    scene.run(code);
    CHECK(ended_well());
    CHECK(scene.active_keys_of(Role::tenant_admin) == 1);
}

TEST_CASE("pages: an incident of oneself ends well and loses no key, killed at each of its requests") {
    SharedState state;
    state.speed = 10;  // the code waits for two seconds, many times
    bool was_killed = true;
    for (std::uint64_t last = 1; was_killed; ++last) {
        CAPTURE(last);
        Scene scene({.quota = 4, .clock = std::make_shared<SharedClock>(state)});
        scene.seed(Role::tenant_admin, 2);  // there is room for one more
        auto const before = scene.emulator.request_count();
        auto const code = [&](ApiKeyClient& client) {
            return scene.revoke_all_of(client, Role::tenant_admin);
        };
        was_killed = scene.run(code, Role::tenant_admin,
                               [&] { return scene.emulator.request_count() - before >= last; });
        scene.run(code);
        CHECK(ended_well());
        CHECK(scene.active_keys_of(Role::tenant_admin) == 1);
        CHECK_FALSE(content_of(scene.new_key_of(Role::tenant_admin)).empty());
    }
}

TEST_CASE("pages: an incident of one user is not taken for that of another one") {
    Scene scene;
    scene.seed(Role::tenant_admin, 1);
    scene.seed(Role::user, 2);
    auto const code_of = [&](Role role) {
        return [&scene, role](ApiKeyClient& client) { return scene.revoke_all_of(client, role); };
    };
    // That of the first user is killed before its key is stored, and that of the second one is not disturbed.
    REQUIRE(scene.run(code_of(Role::tenant_admin), Role::tenant_admin,
                      [&] { return scene.active_keys_of(Role::tenant_admin) == 3; }));
    scene.run(code_of(Role::user), Role::tenant_viewer);
    CHECK(has_failed_over("the client uses a key of user"));
    CHECK(scene.active_keys_of(Role::user) == 3);
    scene.run(code_of(Role::user), Role::user);
    CHECK(ended_well());
    CHECK(scene.active_keys_of(Role::user) == 1);
    scene.run(code_of(Role::tenant_admin));
    CHECK(ended_well());
    CHECK(scene.active_keys_of(Role::tenant_admin) == 1);
    // Nor where the credential does not work any more.
    std::filesystem::copy_file(scene.new_key_of(Role::user), scene.new_key_of(Role::tenant_viewer));
    scene.run(code_of(Role::tenant_viewer), Role::tenant_admin);
    CHECK_FALSE(ended_well());
}

TEST_CASE("pages: code for an incident says at once that its credential may not revoke") {
    Scene scene;
    scene.seed(Role::user, 4);
    scene.run(
        [&](ApiKeyClient& client) {
            return page_incidents::revoke_all(client, scene.emulator.user(Role::user).uid, {}, {});
        },
        Role::tenant_viewer);
    CHECK(has_failed_over("this credential is refused"));
    CHECK(what_was_said.failed.size() == 6);  // five keys, and that
}

TEST_CASE("pages: code for an incident names each key once that a service has refused in all rounds") {
    SharedState state;
    state.speed = 10;  // the code waits for two seconds, and each change for its retries
    Scene scene({.clock = std::make_shared<SharedClock>(state)});
    scene.seed(Role::user, 9);
    scene.emulator.faults().add("PUT /v1/apiKeys status:503");
    auto const uid = scene.emulator.user(Role::user).uid;
    scene.run([&](ApiKeyClient& client) { return page_incidents::revoke_all(client, uid, {}, {}); });
    CHECK(what_was_said.failed.size() == 11);  // ten keys, and what to do
    CHECK(has_failed_over("run again"));
    CHECK(count_of(what_was_said.logged, "list ") == 5);
    CHECK(count_of(what_was_said.logged, ": 10 may be active") == 4);
    // Not in silence, and not with a line for each of fifty failures.
    auto const of_failures = count_of(what_was_said.logged, "have failed so far; the last: ");
    CHECK(of_failures >= 1);
    CHECK(of_failures <= 25);
}

TEST_CASE("pages: code for an incident goes on after a refusal of some keys alone") {
    Scene scene;
    scene.seed(Role::user, 9);
    scene.emulator.faults().add("PUT /v1/apiKeys status:403 x3");
    auto const uid = scene.emulator.user(Role::user).uid;
    scene.run([&](ApiKeyClient& client) { return page_incidents::revoke_all(client, uid, {}, {}); });
    CHECK(ended_well());
    CHECK(scene.active_keys_of(Role::user) == 0);
    CHECK(count_of(what_was_said.logged, ": 3 may be active") == 1);
}

}  // namespace pages_test
