// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/temporary_folder.hpp"
#include "support/virtual_time.hpp"

#include <palette/auth.hpp>
#include <palette/client.hpp>
#include <palette/lifecycle/rotation.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

// A service, a slot in files, and a client that rotates its key, all on one virtual clock.
class RotationScene {
public:
    using Role = palette::testing::Role;
    using Rotation = palette::lifecycle::Rotation;

    explicit RotationScene(palette::testing::Assumptions assumptions = {})
        : emulator({.assumptions = std::move(assumptions), .clock = time.clock}) {
        options_ = emulator.client_options(Role::tenant_admin);
        time.watch(options_);
        client.emplace(time.context, options_);
    }

    palette::Result<Rotation> rotate(palette::lifecycle::RotateOptions options = {}) {
        return rotate(slot, std::move(options));
    }

    palette::Result<Rotation> rotate(const palette::lifecycle::Slot& of,
                                     palette::lifecycle::RotateOptions options = {}) {
        std::optional<palette::Result<Rotation>> result;
        palette::lifecycle::async_rotate(*client, of, std::move(options),
                                         [&](palette::Result<Rotation> r) { result.emplace(std::move(r)); });
        time.run_until([&] { return result.has_value(); });
        return *std::move(result);
    }

    // From here on the rotations are another user's, and what is done by hand.
    void become(Role role) {
        auto options = emulator.client_options(role);
        time.watch(options);
        client.emplace(time.context, options);
    }

    // What somebody does by hand.
    void set_active(const std::string& uid, bool is_active) {
        std::optional<bool> done;
        auto const ended = [&](const palette::Result<void>& result) { done = result.has_value(); };
        if (is_active)
            client->async_reactivate(uid, ended);
        else
            client->async_revoke(uid, ended);
        time.run_until([&] { return done.has_value(); });
        REQUIRE(*done);
    }

    void remove(const std::string& uid) {
        std::optional<bool> done;
        client->async_remove(uid, [&](const palette::Result<void>& result) { done = result.has_value(); });
        time.run_until([&] { return done.has_value(); });
        REQUIRE(*done);
    }

    [[nodiscard]] bool is_active(const std::string& uid) const {
        for (auto const& key : emulator.keys())
            if (key.uid == uid) return key.is_active;
        return false;
    }

    // What a consumer reads.
    [[nodiscard]] std::string value() const { return content_of(path); }

    // Whether the service accepts what a consumer reads.
    bool works() {
        auto options = emulator.client_options(Role::tenant_admin);
        options.auth = palette::auth::api_key(palette::Secret(value()));
        time.watch(options);
        palette::ApiKeyClient reader(time.context, options);
        std::optional<bool> good;
        reader.async_whoami([&](const palette::Result<palette::Identity>& r) { good = r.has_value(); });
        time.run_until([&] { return good.has_value(); });
        return *good;
    }

    // The keys of the slot: but for those that each user has from the start.
    [[nodiscard]] std::size_t keys() const { return emulator.keys().size() - keys_before_; }
    [[nodiscard]] std::size_t active_keys() const {
        std::size_t active = 0;
        for (auto const& key : emulator.keys())
            active += key.is_active ? 1U : 0U;
        return active - keys_before_;
    }

    VirtualTime time;
    palette::testing::Emulator emulator;
    TemporaryFolder folder{fast_folder()};
    std::string path = folder.path("key");
    std::shared_ptr<palette::lifecycle::SecretSink> sink = palette::lifecycle::file_sink(path);
    std::shared_ptr<palette::lifecycle::RotationStore> store = palette::lifecycle::file_store(folder.path());
    palette::lifecycle::Slot slot{"ci", sink, store};
    std::optional<palette::ApiKeyClient> client;

private:
    palette::ClientOptions options_;
    std::size_t keys_before_ = emulator.keys().size();
};
