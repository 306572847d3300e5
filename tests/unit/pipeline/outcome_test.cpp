// SPDX-License-Identifier: BSL-1.0
#include "support/outcomes.hpp"

#include <palette/impl/pipeline/outcome.hpp>

#include <doctest/doctest.h>

#include <initializer_list>
#include <ostream>
#include <vector>

namespace outcome_test {

using palette::Effect;
using palette::errc;
using namespace palette::impl::pipeline;

using support::answered;
using support::broken;
using support::unsent;

AttemptOutcome unsent_on_reused() {
    auto outcome = unsent();
    outcome.silent_reused = true;
    return outcome;
}

AttemptOutcome without_credential(errc code, int status = 0) {
    auto outcome = unsent(code, status);
    outcome.of_credential = true;
    return outcome;
}

TEST_CASE("outcome: every fault has the recovery, the effect and the cost that docs/retries.md says") {
    using enum Recovery;
    struct Expected {
        const char* name;
        AttemptOutcome outcome;
        Recovery read, change, checked, once;
        Effect effect;
        Cost cost;
    };
    constexpr auto nothing_done = Effect::not_applied;
    constexpr auto unknown = Effect::unknown;
    for (auto const& row : std::initializer_list<Expected>{
             {"400", answered(400), none, none, none, none, nothing_done, Cost::nothing},
             {"401 (W13)", answered(401), new_credential, new_credential, new_credential, new_credential,
              nothing_done, Cost::nothing},
             {"403", answered(403), none, none, none, none, nothing_done, Cost::nothing},
             {"404", answered(404), none, none, none, none, nothing_done, Cost::nothing},
             {"409", answered(409), none, none, none, none, nothing_done, Cost::nothing},
             {"422", answered(422), none, none, none, none, nothing_done, Cost::nothing},
             {"429 (W14)", answered(429), wait, wait, wait, wait, nothing_done, Cost::nothing},
             {"500 (W15)", answered(500), retry_once, none, none, none, unknown, Cost::budget},
             {"502", answered(502), retry, retry, look, none, unknown, Cost::budget},
             {"503", answered(503), retry, retry, look, none, unknown, Cost::budget},
             {"504", answered(504), retry, retry, look, none, unknown, Cost::budget},
             {"no connection", unsent(errc::transport), retry, retry, retry, retry, nothing_done,
              Cost::attempts},
             {"a proxy that has none", unsent(errc::proxy, 503), retry, retry, retry, retry, nothing_done,
              Cost::attempts},
             {"a reused connection that takes nothing", unsent_on_reused(), retry_now, retry_now, retry,
              retry_now, nothing_done, Cost::attempts},
             {"a certificate that is not valid", unsent(errc::untrusted), none, none, none, none,
              nothing_done, Cost::nothing},
             {"a proxy that refuses", unsent(errc::proxy, 407), none, none, none, none, nothing_done,
              Cost::nothing},
             {"no answer", broken(errc::transport), retry, retry, look, none, unknown, Cost::budget},
             {"half an answer", broken(errc::truncated), retry, retry, look, none, unknown, Cost::budget},
             {"silence", broken(errc::timeout), retry, retry, look, none, unknown, Cost::budget},
             {"the same on a reused connection (W18)", broken(errc::transport, true), retry_now, retry_now,
              look, none, unknown, Cost::budget},
             {"a redirect (W17)", answered(307), none, none, none, none, unknown, Cost::nothing},
             {"a body that makes no sense", answered(200, errc::not_json), none, none, none, none, unknown,
              Cost::nothing},
             {"a body beyond the bound", broken(errc::too_large), none, none, none, none, unknown,
              Cost::nothing},
             {"a provider that fails for now", without_credential(errc::unavailable, 503), retry, retry,
              retry, retry, nothing_done, Cost::budget},
             {"a provider that is rate-limited", without_credential(errc::rate_limited, 429), retry, retry,
              retry, retry, nothing_done, Cost::budget},
             {"a provider that fails for good", without_credential(errc::auth_provider), none, none, none,
              none, nothing_done, Cost::nothing},
         }) {
        CAPTURE(row.name);
        CHECK(classify(row.outcome, Safety::read).recovery == row.read);
        CHECK(classify(row.outcome, Safety::change).recovery == row.change);
        CHECK(classify(row.outcome, Safety::checked).recovery == row.checked);
        CHECK(classify(row.outcome, Safety::once).recovery == row.once);
        CHECK(classify(row.outcome, Safety::read).effect == nothing_done);
        for (auto const safety : {Safety::change, Safety::checked, Safety::once})
            CHECK(classify(row.outcome, safety).effect == row.effect);
        CHECK(classify(row.outcome, Safety::read).cost == row.cost);
    }
}

// Each combination of what can be observed, whether it makes sense or not.
std::vector<AttemptOutcome> all_outcomes() {
    std::vector<AttemptOutcome> all;
    for (auto code = static_cast<int>(errc::invalid_argument); code <= static_cast<int>(errc::out_of_memory);
         ++code)
        for (int const status : {0, 200, 400, 401, 403, 407, 429, 500, 502, 503})
            for (unsigned bits = 0; bits < 16; ++bits) {
                AttemptOutcome outcome;
                outcome.code = static_cast<errc>(code);
                outcome.status = status;
                outcome.sent = (bits & 1) != 0;
                outcome.complete = (bits & 2) != 0;
                outcome.silent_reused = (bits & 4) != 0;
                outcome.of_credential = (bits & 8) != 0;
                all.push_back(outcome);
            }
    return all;
}

TEST_CASE("outcome: what may have been applied is not sent again unless that is harmless or looked up") {
    for (auto const& outcome : all_outcomes()) {
        auto const once = classify(outcome, Safety::once);
        if (once.effect != Effect::not_applied) CHECK(once.recovery == Recovery::none);
        auto const checked = classify(outcome, Safety::checked);
        if (checked.effect != Effect::not_applied)
            CHECK((checked.recovery == Recovery::none || checked.recovery == Recovery::look));
        for (auto const safety : {Safety::read, Safety::change, Safety::once})
            CHECK(classify(outcome, safety).recovery != Recovery::look);
        CHECK(classify(outcome, Safety::read).effect == Effect::not_applied);
    }
}

TEST_CASE("outcome: without a complete response, what was sent is unknown and what was not is not applied") {
    for (auto const& outcome : all_outcomes()) {
        if (outcome.complete) continue;
        auto const was_sent = outcome.sent && !outcome.of_credential;
        auto const expected = was_sent ? Effect::unknown : Effect::not_applied;
        CHECK(classify(outcome, Safety::once).effect == expected);
    }
}

TEST_CASE("outcome: only a complete 401 asks for another credential, and only a complete 429 for patience") {
    for (auto const& outcome : all_outcomes()) {
        auto const is_answer = outcome.complete && !outcome.of_credential;
        auto const recovery = classify(outcome, Safety::read).recovery;
        CHECK((recovery == Recovery::new_credential) == (is_answer && outcome.code == errc::unauthorized));
        CHECK((recovery == Recovery::wait) == (is_answer && outcome.code == errc::rate_limited));
    }
}

}  // namespace outcome_test
