// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/scene.hpp"
#include "support/seeds.hpp"

#include <palette/auth.hpp>
#include <palette/client.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

// A client of a service that follows a script, and its operation that was started last.
class RetryScene : public support::ScriptedScene {
    auto begun() { return operation_.emplace().handler(); }

public:
    using milliseconds = std::chrono::milliseconds;

    RetryScene() {
        options.auth = palette::auth::api_key(palette::Secret("a-value-of-a-key"), "the-uid-of-another");
        options.rate_limit = palette::RateLimitOptions::off();
        options.retry.jitter_seed = seeds::short_seed(1);
        clock->set(std::chrono::sys_days{std::chrono::year{2027} / 1 / 31});
    }

    // Started, and run as far as it comes without any time passing.
    void whoami(palette::CallOptions call = {}) { client().async_whoami(call, begun()), settle(); }
    void get(palette::CallOptions call = {}) { client().async_get("a", call, begun()), settle(); }
    void revoke(palette::ChangeOptions call = {}) { client().async_revoke("a", call, begun()), settle(); }
    void remove(palette::ChangeOptions call = {}) { client().async_remove("a", call, begun()), settle(); }

    // Lets as much time pass as it needs; how long that was.
    milliseconds finish() {
        return ScriptedScene::finish([this] { return has_ended(); });
    }

    void cancel() {
        operation_->cancel();
        settle();
    }

    [[nodiscard]] bool has_ended() const noexcept { return operation_ && operation_->has_ended(); }
    [[nodiscard]] bool is_good() const noexcept { return operation_ && operation_->is_good(); }
    [[nodiscard]] std::size_t requests() const noexcept { return service->requests().size(); }

    // Of what has failed; an error that cannot be, of what has not.
    [[nodiscard]] palette::Error error() const {
        if (!has_ended() || is_good()) return palette::Error(palette::errc::bad_value, "no error");
        return operation_->error();
    }

    static inline const std::string somebody = R"({"userUid":"u","tenantUid":"t","orgName":"acme"})";

private:
    std::optional<support::Watched<>> operation_;
};
