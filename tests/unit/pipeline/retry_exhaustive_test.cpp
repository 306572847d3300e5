// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/pipeline/retry.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

// Every sequence of what the attempts of a request can meet, up to one attempt more than it may make.

namespace retry_exhaustive_test {

using namespace std::chrono_literals;
using palette::errc;
using palette::RetryOptions;
using namespace palette::impl::pipeline;

struct Kind {
    const char* name;
    AttemptOutcome outcome;
    bool maybe_done;  // what is sent again after it may be done twice
};

AttemptOutcome meets(errc code, int status, bool sent) {
    AttemptOutcome outcome;
    outcome.code = code;
    outcome.status = status;
    outcome.sent = sent;
    outcome.complete = status != 0 && sent;
    return outcome;
}

const std::vector<Kind>& kinds() {
    static std::vector<Kind> const all = [] {
        std::vector<Kind> made = {
            {"404", meets(errc::not_found, 404, true), false},
            {"429", meets(errc::rate_limited, 429, true), false},
            {"500", meets(errc::server_error, 500, true), true},
            {"503", meets(errc::unavailable, 503, true), true},
            {"not JSON", meets(errc::not_json, 200, true), true},
            {"broken", meets(errc::transport, 0, true), true},
            {"cut off", meets(errc::truncated, 0, true), true},
            {"not sent", meets(errc::transport, 0, false), false},
            {"proxy", meets(errc::proxy, 503, false), false},
            {"untrusted", meets(errc::untrusted, 0, false), false},
            {"old connection", meets(errc::transport, 0, true), true},
            {"paused", meets(errc::rate_limited, 429, true), false},
        };
        made[10].outcome.silent_reused = true;
        made[11].outcome.retry_after = 700ms;
        return made;
    }();
    return all;
}

class Walk {
public:
    Walk(Safety safety, RetryOptions options) : safety_(safety), options_(options) {}

    // Every way on from where `path_` has led.
    void go(int counted) {
        for (auto const& kind : kinds()) {
            ++steps;
            path_.push_back(&kind);
            auto const next = last_of_path();
            if (next.again) {
                auto const then = counted + check(kind, next);
                CHECK(then < options_.max_attempts);
                if (path_.size() < depth) go(then);
            }
            path_.pop_back();
        }
    }

    std::size_t steps = 0;

private:
    static constexpr auto left = 10s;
    static constexpr std::size_t depth = 5;

    Retries::Next last_of_path() const {
        RetryBudget budget(2);
        Retries retries(options_, safety_, budget);
        Retries::Next next{true, 0ms};
        for (auto const* const kind : path_)
            next = retries.after(kind->outcome, left, 0.999);
        return next;
    }

    // How many of the attempts that it may make this one was.
    int check(const Kind& kind, const Retries::Next& next) const {
        CAPTURE(kind.name);
        if (safety_ == Safety::once) CHECK_FALSE(kind.maybe_done);
        if (kind.outcome.code == errc::server_error) CHECK(safety_ == Safety::read);
        CHECK(kind.outcome.code != errc::not_found);
        CHECK(kind.outcome.code != errc::not_json);
        CHECK(kind.outcome.code != errc::untrusted);
        CHECK(next.wait >= 0ms);
        CHECK(next.wait < left);
        if (kind.outcome.retry_after) CHECK(next.wait == *kind.outcome.retry_after);
        return kind.outcome.code == errc::rate_limited || next.wait == 0ms ? 0 : 1;
    }

    Safety safety_;
    RetryOptions options_;
    std::vector<const Kind*> path_;
};

TEST_CASE("retry: through every sequence of failures nothing that may be done is done twice, and it ends") {
    std::size_t steps = 0;
    for (auto const safety : {Safety::read, Safety::change, Safety::once}) {
        for (int const attempts : {1, 2, 4}) {
            RetryOptions options;
            options.max_attempts = attempts;
            Walk walk(safety, options);
            walk.go(0);
            steps += walk.steps;
        }
    }
    MESSAGE("steps: ", steps);
    CHECK(steps > 10'000);
}

}  // namespace retry_exhaustive_test
