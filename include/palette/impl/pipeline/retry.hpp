// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/pipeline/outcome.hpp>
#include <palette/options.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline {

// What all operations of one client may send again, so that an outage is not multiplied: each retry of what
// was sent takes one from it, each success gives a tenth of one back.
class RetryBudget {
public:
    explicit RetryBudget(double max) noexcept : max_(max), left_(max) {}

    bool take() noexcept {
        if (left_ < 1 - tiny) return false;
        left_ -= 1;
        return true;
    }
    void succeeded() noexcept { left_ = std::min(max_, left_ + 0.1); }

private:
    static constexpr double tiny = 1e-6;  // ten tenths are one

    double max_;
    double left_;
};

// The attempts of one request: whether there is another one, and how long it waits. It does no waiting,
// knows no clock, and is given its chance.
//
//     auto const next = retries.after(outcome, call.time_left(), uniform());
//     if (next.again) wait(next.wait), send();
class Retries {
public:
    Retries(const RetryOptions& options, Safety safety, RetryBudget& budget) noexcept
        : options_(options),
          safety_(safety),
          budget_(budget) {}

    struct Next {
        bool again;
        std::chrono::milliseconds wait;
    };

    // `chance` is in [0, 1). `left`: until the operation ends.
    [[nodiscard]] Next after(const AttemptOutcome& outcome, std::chrono::milliseconds left,
                             double chance) noexcept {
        static constexpr Next never{false, std::chrono::milliseconds::zero()};
        auto const verdict = classify(outcome, safety_);
        attempts_ += outcome.attempts;
        if (options_.max_attempts == 1) return never;
        switch (verdict.recovery) {
            case Recovery::none:
            case Recovery::new_credential:
                return never;
            case Recovery::retry_once:
                if (std::exchange(has_retried_once_, true)) return never;
                break;
            case Recovery::retry_now:
                if (std::exchange(has_replaced_, true)) break;
                // The old connection has used up none of the chances of a new one.
                attempts_ -= outcome.attempts;
                return {true, std::chrono::milliseconds::zero()};
            default:
                break;
        }
        if (verdict.cost == Cost::nothing)
            attempts_ -= outcome.attempts;
        else if (attempts_ >= options_.max_attempts)
            return never;
        auto const wait = wait_before_next(outcome, verdict, chance);
        if (wait >= left) return never;
        // What sent nothing has multiplied nothing.
        if (verdict.cost == Cost::budget && !budget_.take()) return never;
        return {true, wait};
    }

private:
    // Refusals for want of patience are not counted: they are not to come in a storm.
    static constexpr std::chrono::milliseconds min_pause{10};

    [[nodiscard]] std::chrono::milliseconds wait_before_next(const AttemptOutcome& outcome,
                                                             const Verdict& verdict, double chance) noexcept {
        // "At once" is believed once.
        bool const is_told = outcome.retry_after && (outcome.retry_after->count() > 0 || waits_ == 0);
        auto const backs_off = backoff(++waits_, chance);
        if (is_told) return *outcome.retry_after;
        return verdict.recovery == Recovery::wait ? std::max(backs_off, min_pause) : backs_off;
    }

    // Full jitter: anything up to a bound that doubles.
    [[nodiscard]] std::chrono::milliseconds backoff(int wait, double chance) const noexcept {
        using Milliseconds = std::chrono::duration<double, std::milli>;
        auto bound = Milliseconds(options_.initial_backoff);
        for (int i = 1; i < wait && bound < options_.max_backoff; ++i)
            bound *= 2;
        return std::chrono::round<std::chrono::milliseconds>(
            std::min(bound, Milliseconds(options_.max_backoff)) * chance);
    }

    const RetryOptions& options_;
    Safety safety_;
    RetryBudget& budget_;
    int attempts_ = 0;
    int waits_ = 0;
    bool has_replaced_ = false;
    bool has_retried_once_ = false;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline
