// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/pipeline/answer.hpp>
#include <palette/impl/pipeline/call.hpp>
#include <palette/impl/pipeline/conditions.hpp>
#include <palette/impl/pipeline/credentials.hpp>
#include <palette/impl/pipeline/outcome.hpp>
#include <palette/impl/pipeline/request_history.hpp>
#include <palette/impl/pipeline/retry.hpp>

#include <chrono>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline {

// A request on its way through the pipeline, from the first attempt to the last. In the frame of send().
class Sending {
public:
    Sending(Call& of, const RequestKind& of_kind, HttpRequest& to_send, Answer& to_fill,
            const Conditions& under, const RetryOptions& retry, RetryBudget& budget)
        : call(of),
          kind(of_kind),
          request(to_send),
          answer(to_fill),
          conditions(under),
          retries(retry, safety(), budget),
          history(of) {}

    // Without a guard nobody can tell whether it was applied.
    [[nodiscard]] Safety safety() const noexcept {
        return kind.safety == Safety::checked && conditions.guard == nullptr ? Safety::once : kind.safety;
    }

    // An attempt begins, and nothing is known of it.
    void begin_attempt(std::chrono::nanoseconds now) {
        begun = now;
        outcome = AttemptOutcome();
        result = Result<void>();
    }

    // The attempt has failed with that, and has the effect that its outcome proves.
    void fail(Error error) {
        outcome.code = error.code();
        outcome.status = error.status();
        // A body can tell more than the table: the key was made, and its value is missing (W8).
        if (!outcome.complete || error.effect() != Effect::applied)
            error.effect(classify(outcome, kind.safety).effect);
        result = std::move(error);
    }

    // Once; but a credential that came while this attempt was on its way has had no attempt.
    [[nodiscard]] bool may_change_credential(const Credentials& credentials) noexcept {
        if (conditions.credential) return false;
        return credentials.has_other_than(request.credential) || !std::exchange(has_changed_credential, true);
    }

    Call& call;
    const RequestKind& kind;
    HttpRequest& request;
    Answer& answer;
    const Conditions& conditions;
    Retries retries;
    RequestHistory history;
    std::chrono::nanoseconds begun{};  // the last attempt
    bool has_credential = false;       // at hand, when it began
    Result<void> result;               // of the last attempt
    AttemptOutcome outcome;            // if that has failed
    int resends = 0;
    bool has_changed_credential = false;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline
