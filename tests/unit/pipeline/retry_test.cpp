// SPDX-License-Identifier: BSL-1.0
#include "support/outcomes.hpp"

#include <palette/impl/pipeline/retry.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <initializer_list>
#include <ostream>

namespace retry_test {

using namespace std::chrono_literals;
using palette::errc;
using palette::RetryOptions;
using namespace palette::impl::pipeline;

using support::answered;
using support::broken;
using support::unsent;

// A request whose attempts meet what they are told, with time and budget enough.
struct Request {
    explicit Request(Safety s, RetryOptions o = {}) : options(o), retries(options, s, budget) {}

    bool again(const AttemptOutcome& outcome) { return retries.after(outcome, 1h, 0.5).again; }

    RetryOptions options;
    RetryBudget budget{1000};
    Retries retries;
};

bool is_sent_again(Safety safety, const AttemptOutcome& outcome) {
    return Request(safety).again(outcome);
}

TEST_CASE("retry: what is sent again is what has passed soon, and can be done twice or was not done") {
    struct Row {
        const char* name;
        AttemptOutcome outcome;
        bool read, change, once;
    };
    for (auto const& row : std::initializer_list<Row>{
             {"400", answered(400, errc::rejected), false, false, false},
             {"401", answered(401, errc::unauthorized), false, false, false},
             {"403", answered(403, errc::forbidden), false, false, false},
             {"404", answered(404, errc::not_found), false, false, false},
             {"409", answered(409, errc::conflict), false, false, false},
             {"429 (W14)", answered(429, errc::rate_limited), true, true, true},
             {"500 (W15)", answered(500, errc::server_error), true, false, false},
             {"502", answered(502, errc::unavailable), true, true, false},
             {"503", answered(503, errc::unavailable), true, true, false},
             {"307 (W17)", answered(307, errc::unexpected_status), false, false, false},
             {"not JSON", answered(200, errc::not_json), false, false, false},
             {"JSON that ends early in an answer that does not", answered(200, errc::truncated), false, false,
              false},
             {"an answer that ends early", broken(errc::truncated), true, true, false},
             {"a connection that breaks", broken(), true, true, false},
             {"silence", broken(errc::timeout), true, true, false},
             {"a body beyond the bound", broken(errc::too_large), false, false, false},
             {"no connection", unsent(), true, true, true},
             {"no connection in time", unsent(errc::timeout), true, true, true},
             {"a service that is another one", unsent(errc::untrusted), false, false, false},
             {"cancelled", unsent(errc::operation_aborted), false, false, false},
             {"no credential", unsent(errc::auth_provider), false, false, false},
         }) {
        CAPTURE(row.name);
        CHECK(is_sent_again(Safety::read, row.outcome) == row.read);
        CHECK(is_sent_again(Safety::change, row.outcome) == row.change);
        CHECK(is_sent_again(Safety::once, row.outcome) == row.once);
    }
}

TEST_CASE(
    "retry: a proxy that cannot reach the service now is asked again, and one that does not want to is not") {
    for (int const status : {502, 503, 504})
        CHECK(is_sent_again(Safety::once, unsent(errc::proxy, status)));
    for (int const status : {0, 403, 407, 500})
        CHECK_FALSE(is_sent_again(Safety::read, unsent(errc::proxy, status)));
}

TEST_CASE("W15 retry: a read that met 500 is sent once more and not twice") {
    Request read(Safety::read);
    CHECK(read.again(answered(500, errc::server_error)));
    CHECK_FALSE(read.again(answered(500, errc::server_error)));
}

TEST_CASE("W18 retry: an old connection that says nothing costs neither an attempt nor a wait, once") {
    auto const silent = broken(errc::transport, true);
    RetryOptions options;
    options.max_attempts = 2;
    Request change(Safety::change, options);
    auto const next = change.retries.after(silent, 1h, 0.9);
    CHECK(next.again);
    CHECK(next.wait == 0ms);
    CHECK(change.again(silent));
    CHECK_FALSE(change.again(silent));
    CHECK_FALSE(is_sent_again(Safety::once, silent));
}

TEST_CASE("retry: it ends after as many attempts as it may make, 429 not counted") {
    RetryOptions options;
    options.max_attempts = 3;
    Request read(Safety::read, options);
    for (int i = 0; i < 20; ++i)
        CHECK(read.again(answered(429, errc::rate_limited)));
    CHECK(read.again(broken()));
    CHECK(read.again(broken()));
    CHECK_FALSE(read.again(broken()));
}

TEST_CASE("retry: a single attempt is one, whatever it meets") {
    RetryOptions options;
    options.max_attempts = 1;
    for (auto const& outcome : {answered(429, errc::rate_limited), broken(), unsent()})
        CHECK_FALSE(Request(Safety::read, options).again(outcome));
    auto const silent = broken(errc::transport, true);
    CHECK_FALSE(Request(Safety::read, options).again(silent));
}

TEST_CASE("retry: waits are a random part of a bound that doubles up to the most") {
    RetryOptions options;
    options.max_attempts = 10;
    options.initial_backoff = 100ms;
    options.max_backoff = 500ms;
    Request whole(Safety::read, options);
    Request half(Safety::read, options);
    for (auto const bound : {100ms, 200ms, 400ms, 500ms, 500ms}) {
        CHECK(whole.retries.after(broken(), 1h, 1.0).wait == bound);
        CHECK(half.retries.after(broken(), 1h, 0.5).wait == bound / 2);
    }
    CHECK(Request(Safety::read, options).retries.after(broken(), 1h, 0.0).wait == 0ms);
}

TEST_CASE("retry: the longest waits there are overflow nothing") {
    RetryOptions options;
    options.max_attempts = 1'000'000;
    options.initial_backoff = std::chrono::milliseconds::max();
    options.max_backoff = 24h * 365;
    Request read(Safety::read, options);
    for (int i = 0; i < 100; ++i)
        CHECK(read.retries.after(broken(), std::chrono::milliseconds::max(), 1.0).wait == 24h * 365);
}

TEST_CASE("W14 retry: it waits as long as the service asks, and not if that is longer than it may") {
    auto outcome = answered(503, errc::unavailable);
    outcome.retry_after = 3s;
    Request read(Safety::read);
    CHECK(read.retries.after(outcome, 10s, 0.1).wait == 3s);
    CHECK_FALSE(read.retries.after(outcome, 3s, 0.1).again);
    outcome.retry_after = 0s;
    Request at_once(Safety::read);
    CHECK(at_once.retries.after(outcome, 10s, 0.5).wait == 0s);
    CHECK(at_once.retries.after(outcome, 10s, 0.5).wait == 200ms);  // that was too soon
}

TEST_CASE("retry: a service that refuses for want of patience is not stormed") {
    RetryOptions options;
    options.initial_backoff = 0ms;
    CHECK(Request(Safety::read, options).retries.after(answered(429, errc::rate_limited), 1h, 0.5).wait ==
          10ms);
    CHECK(Request(Safety::read, options).retries.after(broken(), 1h, 0.5).wait == 0ms);
}

TEST_CASE("retry: a wait that does not fit in what is left of the time is not begun") {
    CHECK_FALSE(Request(Safety::read).retries.after(broken(), 100ms, 0.5).again);
    CHECK(Request(Safety::read).retries.after(broken(), 101ms, 0.5).again);
    CHECK_FALSE(Request(Safety::read).retries.after(broken(), -5s, 0.0).again);
}

TEST_CASE("retry: the client's budget ends retries of all its requests and successes refill it") {
    RetryOptions options;
    RetryBudget budget(2);
    auto const again = [&] { return Retries(options, Safety::read, budget).after(broken(), 1h, 0.5).again; };
    CHECK(again());
    CHECK(again());
    CHECK_FALSE(again());
    // What proves that the service lives costs nothing.
    CHECK(Retries(options, Safety::read, budget).after(answered(429, errc::rate_limited), 1h, 0.5).again);
    for (int i = 0; i < 10; ++i)
        budget.succeeded();
    CHECK(again());
    CHECK_FALSE(again());
    for (int i = 0; i < 1'000; ++i)
        budget.succeeded();
    CHECK(again());
    CHECK(again());
    CHECK_FALSE(again());
}

TEST_CASE("retry: what sent nothing costs nothing of the budget, and a source of credentials does") {
    RetryOptions options;
    RetryBudget budget(1);
    for (int i = 0; i < 50; ++i)
        CHECK(Retries(options, Safety::once, budget).after(unsent(), 1h, 0.5).again);
    auto outcome = unsent();
    outcome.of_credential = true;
    CHECK(Retries(options, Safety::once, budget).after(outcome, 1h, 0.5).again);
    CHECK_FALSE(Retries(options, Safety::once, budget).after(outcome, 1h, 0.5).again);
}

TEST_CASE("retry: the tries of a transport to open a connection are attempts") {
    auto outcome = unsent();
    outcome.attempts = 3;
    Request once(Safety::once);
    CHECK(once.again(outcome));
    CHECK_FALSE(once.again(unsent()));
    outcome.attempts = 4;
    CHECK_FALSE(Request(Safety::once).again(outcome));
}

}  // namespace retry_test
