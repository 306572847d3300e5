// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/temporary_folder.hpp"
#include "support/virtual_time.hpp"
#include "support/watched.hpp"

#include <palette/auth.hpp>
#include <palette/client.hpp>
#include <palette/lifecycle/apply.hpp>
#include <palette/lifecycle/plan.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// A service with keys, and a client that plans and applies, on one virtual clock.
class ApplyScene {
public:
    using Role = palette::testing::Role;
    using Plan = palette::lifecycle::Plan;
    using BulkReport = palette::lifecycle::BulkReport;
    using ApplyOptions = palette::lifecycle::ApplyOptions;
    using Selection = palette::lifecycle::Selection;
    using Action = palette::lifecycle::Action;
    using PlanOptions = palette::lifecycle::PlanOptions;
    using OnRequest = std::function<void(const palette::testing::ReceivedRequest&)>;

    explicit ApplyScene(std::size_t keys = 0, palette::testing::RateLimit limit = {},
                        OnRequest on_request = nullptr)
        : emulator({.plain_http = true,
                    .keys = keys,
                    .rate_limit = limit,
                    .clock = time.clock,
                    .requests_kept = 100'000,
                    .on_request = std::move(on_request)}) {
        sign_in_with(palette::auth::api_key(palette::Secret(admin().api_key.expose()), admin().api_key_uid));
    }
    ~ApplyScene() { client.reset(); }
    ApplyScene(const ApplyScene&) = delete;
    ApplyScene& operator=(const ApplyScene&) = delete;

    [[nodiscard]] const palette::testing::TestUser& admin() const {
        return emulator.user(Role::tenant_admin);
    }

    void sign_in_with(std::shared_ptr<palette::AuthProvider> auth) {
        client.reset();
        auto options = emulator.client_options(Role::tenant_admin);
        options.auth = std::move(auth);
        time.watch(options);
        client.emplace(time.context, options);
    }

    palette::Result<Plan> plan(Selection selection, Action action = Action::revoke(),
                               PlanOptions options = {}) {
        support::Watched<Plan> plan;
        palette::lifecycle::async_plan(*client, std::move(selection), std::move(action), std::move(options),
                                       plan.handler());
        time.run_until([&] { return plan.has_ended(); });
        return std::move(plan.result());
    }

    palette::Result<BulkReport> apply(const Plan& plan, ApplyOptions options) {
        support::Watched<BulkReport> report;
        palette::lifecycle::async_apply(*client, plan, std::move(options), report.handler());
        time.run_until([&] { return report.has_ended(); });
        return std::move(report.result());
    }

    // Everything but one's own key.
    [[nodiscard]] ApplyOptions all_allowed() const {
        return ApplyOptions(journal)
            .allow_large_share()
            .max_items(100'000)
            .include(palette::lifecycle::Guard::last_user_key)
            .include(palette::lifecycle::Guard::last_admin_key);
    }

    // The uids of keys that are made here, of a user of their own.
    std::vector<std::string> seed(std::size_t number, const std::string& owner) {
        std::vector<std::string> uids;
        for (std::size_t i = 0; i < number; ++i) {
            palette::NewApiKey key("key " + std::to_string(i));
            uids.push_back(emulator.seed_key(key.for_user(owner).lives_for(std::chrono::days{10})).uid());
        }
        return uids;
    }

    // How often each key was written, by its path; the answers of `status`, or all.
    [[nodiscard]] std::map<std::string, int> writes() const {
        std::map<std::string, int> number;
        for (auto const& request : emulator.requests())
            if (request.method != "GET") ++number[request.path];
        return number;
    }
    [[nodiscard]] std::ptrdiff_t count(std::string_view method) const {
        return std::ranges::count(emulator.requests(), method, &palette::testing::ReceivedRequest::method);
    }
    [[nodiscard]] std::ptrdiff_t count(int status) const {
        return std::ranges::count(emulator.requests(), status, &palette::testing::ReceivedRequest::status);
    }
    [[nodiscard]] palette::ApiKey key(const std::string& uid) const {
        for (auto const& key : emulator.keys())
            if (key.uid == uid) return key;
        return {};
    }
    [[nodiscard]] std::size_t active_keys() const {
        auto const keys = emulator.keys();
        return static_cast<std::size_t>(std::ranges::count(keys, true, &palette::ApiKey::is_active));
    }

    VirtualTime time;
    palette::testing::Emulator emulator;
    TemporaryFolder folder{fast_folder()};
    std::string journal = folder.path("journal");
    std::optional<palette::ApiKeyClient> client;
};

// The same with a user whose keys are to be changed.
class UserScene : public ApplyScene {
public:
    using ApplyScene::ApplyScene;
    std::string user = emulator.add_user({.email = "ada@acme.com"}).uid;
};
