// SPDX-License-Identifier: BSL-1.0
// What pages say about the end of their code is so: it is run against the emulator, and killed on its way.
#include "fragment.hpp"
#include "support/shared_clock.hpp"
#include "support/temporary_folder.hpp"
#include "support/virtual_time.hpp"

#include <palette/auth.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/manual_clock.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace page_incidents {
boost::asio::awaitable<void> revoke_all(palette::ApiKeyClient& client, std::string uid, std::string own,
                                        std::string about_own);
boost::asio::awaitable<void> revoke_all_of_mine(palette::ApiKeyClient& client, std::string uid,
                                                std::string directory, std::string incident);
}  // namespace page_incidents
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

using namespace palette;
using boost::asio::awaitable;
using testing::Emulator;
using testing::EmulatorOptions;
using testing::Role;

using Fragment = awaitable<void>(ApiKeyClient& client, ClientOptions options, std::string uid,
                                 std::string line, std::string directory);
using Code = std::function<awaitable<void>(ApiKeyClient& client)>;

// A folder of its own, in which a program that runs the code was started.
class Scene {
public:
    explicit Scene(EmulatorOptions options = {}) : emulator(with_plain_http(std::move(options))) {
        std::filesystem::current_path(folder.path());
    }
    Scene(const Scene&) = delete;
    Scene& operator=(const Scene&) = delete;
    ~Scene() { std::filesystem::current_path(before_); }

    // Runs it as a program does that is killed when `is_killed` says so; whether it was.
    bool run(const Code& code, Role role = Role::tenant_admin, const std::function<bool()>& is_killed = {}) {
        what_was_said = {};
        boost::asio::io_context context;
        auto options = emulator.client_options(role);
        // However fast the clock of the scene runs.
        options.timeouts = {
            .queue = 24h, .total = 24h, .lookup = 24h, .connect = 24h, .handshake = 24h, .read = 24h};
        ApiKeyClient client(context, options);
        bool has_ended = false;
        boost::asio::co_spawn(context, code(client), [&](const std::exception_ptr& thrown) {
            has_ended = true;
            if (thrown) std::rethrow_exception(thrown);
        });
        auto const latest = std::chrono::steady_clock::now() + 60s;
        while (!has_ended && std::chrono::steady_clock::now() < latest) {
            context.run_one_for(1s);
            if (is_killed && is_killed()) return true;
        }
        REQUIRE(has_ended);
        return false;
    }

    bool run(Fragment* fragment, const std::string& uid, Role role = Role::tenant_admin,
             const std::function<bool()>& is_killed = {}) {
        return run(
            [&](ApiKeyClient& client) {
                return fragment(client, emulator.client_options(role), uid, std::string(), folder.path());
            },
            role, is_killed);
    }

    // The code for an incident of oneself.
    awaitable<void> revoke_all_of(ApiKeyClient& client, Role role,
                                  const std::string& incident = "incident-1") const {
        return page_incidents::revoke_all_of_mine(client, emulator.user(role).uid, folder.path(), incident);
    }

    [[nodiscard]] std::string new_key_of(Role role) const {
        return folder.path("incident-1-" + emulator.user(role).uid + ".key");
    }

    void seed(Role role, int number) {
        for (int i = 0; i < number; ++i)
            static_cast<void>(emulator.seed_key(
                NewApiKey("leaked-" + std::to_string(i)).for_user(emulator.user(role).uid)));
    }

    void seed_expired(int number) {
        auto const past = Expiry::at(std::chrono::sys_days{std::chrono::year{2020} / 1 / 1});
        for (int i = 0; i < number; ++i)
            static_cast<void>(emulator.seed_key(NewApiKey("old-" + std::to_string(i)).expires(past)));
    }

    [[nodiscard]] std::ptrdiff_t expired_keys() const {
        auto const keys = emulator.keys();
        return std::ranges::count_if(
            keys, [&](const ApiKey& key) { return key.state(keys.as_of()) == KeyState::expired; });
    }

    [[nodiscard]] std::ptrdiff_t active_keys_of(Role role) const {
        return std::ranges::count_if(emulator.keys(), [&](const ApiKey& key) {
            return key.owner.uid == emulator.user(role).uid && key.is_active;
        });
    }

    [[nodiscard]] bool is_active(std::string_view uid) const {
        return std::ranges::any_of(emulator.keys(),
                                   [&](const ApiKey& key) { return key.uid == uid && key.is_active; });
    }

    TemporaryFolder folder;
    Emulator emulator;

private:
    static EmulatorOptions with_plain_http(EmulatorOptions options) {
        options.plain_http = true;
        options.rate_limit = testing::RateLimit::off();
        return options;
    }

    std::filesystem::path before_ = std::filesystem::current_path();
};

// Status 0 of a program: fail() was not called.
bool ended_well() {
    for (auto const& text : what_was_said.failed)
        MESSAGE("fail: ", text);
    return what_was_said.failed.empty();
}

std::ptrdiff_t count_of(const std::vector<std::string>& texts, std::string_view words) {
    return std::ranges::count_if(
        texts, [&](const std::string& text) { return text.find(words) != std::string::npos; });
}

bool has_failed_over(std::string_view words) {
    return count_of(what_was_said.failed, words) > 0;
}

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

TEST_CASE("pages: a service whose rotations fail says so") {
    Scene scene;
    // Neither its sink nor its store can be used here.
    CHECK(scene.run(&page_rotation_in_a_service::fragment, {}, Role::tenant_admin,
                    [] { return !what_was_said.logged.empty(); }));
    CHECK(count_of(what_was_said.logged, "/var/lib/acme/palette") > 0);
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
