// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "fragment.hpp"
#include "support/temporary_folder.hpp"

#include <palette/testing/emulator.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The code of docs/incidents.md, of which revoke_all_of() runs the second function.
namespace page_incidents {
boost::asio::awaitable<void> revoke_all(palette::ApiKeyClient& client, std::string uid, std::string own,
                                        std::string about_own);
boost::asio::awaitable<void> revoke_all_of_mine(palette::ApiKeyClient& client, std::string uid,
                                                std::string directory, std::string incident);
}  // namespace page_incidents

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
inline bool ended_well() {
    for (auto const& text : what_was_said.failed)
        MESSAGE("fail: ", text);
    return what_was_said.failed.empty();
}

inline std::ptrdiff_t count_of(const std::vector<std::string>& texts, std::string_view words) {
    return std::ranges::count_if(
        texts, [&](const std::string& text) { return text.find(words) != std::string::npos; });
}

inline bool has_failed_over(std::string_view words) {
    return count_of(what_was_said.failed, words) > 0;
}

}  // namespace pages_test
