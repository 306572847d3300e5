// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/seeds.hpp"

#include <palette/auth.hpp>
#include <palette/client.hpp>
#include <palette/testing/manual_clock.hpp>
#include <palette/testing/scripted_transport.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

// A client of a service that follows a script, while time stands still unless a test moves it.
class RetryScene {
    auto begun() {
        result.reset();
        signal_.emplace();
        return boost::asio::bind_cancellation_slot(signal_->slot(), [this](auto const& r) {
            result = r ? palette::Result<void>() : palette::Result<void>(r.error());
        });
    }

public:
    using milliseconds = std::chrono::milliseconds;

    RetryScene() {
        options.transport = service;
        options.clock = clock;
        options.auth = palette::auth::api_key(palette::Secret("a-value-of-a-key"), "the-uid-of-another");
        options.rate_limit = palette::RateLimitOptions::off();
        options.retry.jitter_seed = seeds::short_seed(1);
    }

    palette::ApiKeyClient& client() {
        if (!client_) client_.emplace(context, options);
        return *client_;
    }

    // Started, and run as far as it comes without any time passing.
    void whoami(palette::CallOptions call = {}) { client().async_whoami(call, begun()), run(); }
    void get(palette::CallOptions call = {}) { client().async_get("a", call, begun()), run(); }
    void revoke(palette::ChangeOptions call = {}) { client().async_revoke("a", call, begun()), run(); }
    void remove(palette::ChangeOptions call = {}) { client().async_remove("a", call, begun()), run(); }

    void run() {
        context.restart();
        context.poll();
    }
    void pass(milliseconds time) {
        clock->advance(time);
        run();
    }

    // Lets as much time pass as it needs; how long that was.
    milliseconds finish() {
        auto const from = clock->now();
        while (!result && clock->advance_to_next())
            run();
        return clock->now() - from;
    }

    void cancel() {
        signal_->emit(boost::asio::cancellation_type::terminal);
        run();
    }

    [[nodiscard]] bool has_ended() const noexcept { return result.has_value(); }
    [[nodiscard]] bool is_good() const noexcept { return result && result->has_value(); }
    [[nodiscard]] std::size_t requests() const noexcept { return service->requests().size(); }

    // Of what has failed; an error that cannot be, of what has not.
    [[nodiscard]] palette::Error error() const {
        if (!result || *result) return palette::Error(palette::errc::bad_value, "no error");
        return result->error();
    }

    std::shared_ptr<palette::testing::ScriptedTransport> service =
        std::make_shared<palette::testing::ScriptedTransport>();
    std::shared_ptr<palette::testing::ManualClock> clock = std::make_shared<palette::testing::ManualClock>(
        std::chrono::sys_days{std::chrono::year{2027} / 1 / 31});
    boost::asio::io_context context;
    palette::ClientOptions options;
    std::optional<palette::Result<void>> result;

    static inline const std::string somebody = R"({"userUid":"u","tenantUid":"t","orgName":"acme"})";

private:
    std::optional<boost::asio::cancellation_signal> signal_;
    std::optional<palette::ApiKeyClient> client_;
};
