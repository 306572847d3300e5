// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/awaited.hpp"
#include "support/environment.hpp"
#include "support/process.hpp"
#include "support/raw_http.hpp"
#include "support/shared_clock.hpp"
#include "support/temporary_folder.hpp"

#include <palette/api_key.hpp>
#include <palette/impl/lifecycle/rotation/rotation_record.hpp>
#include <palette/lifecycle/rotation_store.hpp>
#include <palette/lifecycle/secret_sink.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

// A service, a slot in files, and processes that rotate its key or use it, by one clock that runs faster than
// time.
class FleetScene {
public:
    using Record = palette::impl::lifecycle::RotationRecord;
    using OnRequest = std::function<void(const palette::testing::ReceivedRequest&)>;

    explicit FleetScene(std::int64_t speed, OnRequest on_request = nullptr)
        : shared(SharedFile::make(folder_.path("shared"), speed)),
          emulator(palette::testing::EmulatorOptions{.plain_http = true,
                                                     .rate_limit = palette::testing::RateLimit::off(),
                                                     .clock = std::make_shared<SharedClock>(*shared),
                                                     .on_request = std::move(on_request)}),
          host_("PALETTE_HOST", emulator.url()),
          key_("PALETTE_API_KEY",
               std::string(emulator.user(palette::testing::Role::tenant_admin).api_key.expose())) {
        std::filesystem::create_directory(slot_folder());
        for (auto const& key : emulator.keys())
            first_keys_.insert(key.uid);
    }

    // The arguments of a program of the fleet, after the verb and the folder.
    [[nodiscard]] child::Process::Options arguments(const std::string& verb,
                                                    const std::vector<std::string>& more = {}) const {
        child::Process::Options options;
        options.arguments = {verb, folder_.path()};
        options.arguments.insert(options.arguments.end(), more.begin(), more.end());
        return options;
    }

    // Runs one to its end: what it has said.
    std::string run(const std::string& verb, const std::vector<std::string>& more = {}) {
        child::Process process(PALETTE_FLEET_PROGRAM, arguments(verb, more));
        auto const end = process.wait_for_end(longest);
        REQUIRE(end);
        CAPTURE(end->errors);
        REQUIRE(end->status == 0);
        return end->output;
    }

    void pass(std::chrono::milliseconds time) { shared->ahead += time.count(); }

    [[nodiscard]] std::string slot_folder() const { return folder_.path("slot"); }

    // Whether the service accepts what a consumer of the sink reads now.
    [[nodiscard]] bool works() const {
        raw::Client reader(emulator, content_of(slot_folder() + "/key"));
        return reader.get("/v1/users/info").status == 200;
    }

    // The keys of the slot: all but those that each user has from the start.
    [[nodiscard]] std::vector<palette::ApiKey> keys() const {
        std::vector<palette::ApiKey> found;
        for (auto const& key : emulator.keys())
            if (!first_keys_.contains(key.uid)) found.push_back(key);
        return found;
    }

    [[nodiscard]] palette::lifecycle::SinkContents contents() const {
        auto const sink = palette::lifecycle::file_sink(slot_folder() + "/key");
        return awaited(sink->contents()).value();
    }

    [[nodiscard]] Record record() const {
        auto const store = palette::lifecycle::file_store(slot_folder());
        auto const stored = awaited(store->load("fleet")).value();
        return stored.version == 0 ? Record() : palette::impl::lifecycle::parse_record(stored.text).value();
    }

    // The keys about which neither the sink nor the record knows anything.
    [[nodiscard]] std::vector<std::string> unknown_keys() const {
        // First: what comes later, comes of a request that was written down before it was sent.
        auto const found = keys();
        auto const known = contents();
        auto const record = this->record();
        std::vector<std::string> unknown;
        for (auto const& key : found)
            if (!is_known(key, known, record)) unknown.push_back(key.uid);
        return unknown;
    }

    static constexpr std::chrono::minutes longest{5};

private:
    TemporaryFolder folder_{fast_folder()};
    std::set<std::string> first_keys_;

    static bool is_known(const palette::ApiKey& key, const palette::lifecycle::SinkContents& contents,
                         const Record& record) {
        for (auto const* const value : {&contents.current, &contents.pending, &contents.previous})
            if (*value && (*value)->key_uid == key.uid) return true;
        auto const has_nonce = [&key](const std::string& nonce) {
            return !nonce.empty() && key.annotations["palette-keys-create"].starts_with(nonce);
        };
        return key.uid == record.old_uid || key.uid == record.new_uid ||
               (record.state == palette::lifecycle::RotationState::planned && has_nonce(record.nonce)) ||
               std::ranges::any_of(record.leftovers, [&](const auto& left) {
                   return left.uid == key.uid || has_nonce(left.nonce);
               });
    }

public:
    SharedFile shared;
    palette::testing::Emulator emulator;

private:
    EnvironmentVariable host_;
    EnvironmentVariable key_;
};
