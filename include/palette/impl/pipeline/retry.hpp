// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/error.hpp>
#include <palette/options.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::pipeline {

// What it means to send a request of a kind twice.
enum class Safety {
    read,    // nothing is changed
    change,  // the second one changes nothing that the first has not
    once,    // the second one may do harm: only if it is certain that the first did nothing
};

// What an attempt met that did not succeed.
class AttemptOutcome {
public:
    AttemptOutcome() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    errc code = errc::transport;
    int status = 0;
    bool sent = false;           // any byte of the request may have reached the service
    bool complete = false;       // all of an answer came
    bool silent_reused = false;  // the connection was an old one, and not a byte came over it (W18)
    bool of_credential = false;  // there was no credential to send the request with
    int attempts = 1;            // more: the transport tried so often to open a connection
    std::optional<std::chrono::milliseconds> retry_after{};
};

// The first question: whether it may be sent again at all.
constexpr bool is_passing(const AttemptOutcome& outcome, Safety safety, bool first_500) noexcept {
    switch (outcome.code) {
        case errc::rate_limited:
        case errc::unavailable:
        case errc::transport:
        case errc::timeout:
            return true;
        case errc::truncated:
            return !outcome.complete;
        case errc::server_error:  // "operational", and not necessarily passing (W15)
            return outcome.complete && safety == Safety::read && first_500;
        case errc::proxy:
            return outcome.status == 502 || outcome.status == 503 || outcome.status == 504;
        default:
            return false;
    }
}

constexpr bool proves_nothing_done(const AttemptOutcome& outcome) noexcept {
    return !outcome.sent || outcome.code == errc::rate_limited;
}

// Whether to look may tell if it was done.
constexpr bool is_in_doubt(const AttemptOutcome& outcome) noexcept {
    return is_passing(outcome, Safety::change, false) && !proves_nothing_done(outcome);
}

constexpr bool is_safe(const AttemptOutcome& outcome, Safety safety) noexcept {
    return safety != Safety::once || proves_nothing_done(outcome);
}

// What all operations of one client may send again, so that an outage is not multiplied: each retry of what
// was sent takes one from it, each success gives a tenth of one back.
class RetryBudget {
public:
    explicit RetryBudget(double most) noexcept : most_(most), left_(most) {}

    bool take() noexcept {
        if (left_ < 1 - tiny) return false;
        left_ -= 1;
        return true;
    }
    void succeeded() noexcept { left_ = std::min(most_, left_ + 0.1); }

private:
    static constexpr double tiny = 1e-6;  // ten tenths are one

    double most_;
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
        attempts_ += outcome.attempts;
        bool const first_500 = !std::exchange(met_500_, met_500_ || outcome.code == errc::server_error);
        if (options_.most_attempts == 1 || !is_passing(outcome, safety_, first_500) ||
            !is_safe(outcome, safety_))
            return never;
        // The old connection has used up none of the chances of a new one.
        if (outcome.silent_reused && !std::exchange(has_replaced_, true)) {
            attempts_ -= outcome.attempts;
            return {true, std::chrono::milliseconds::zero()};
        }
        bool const is_paced = outcome.code == errc::rate_limited && !outcome.of_credential;
        if (is_paced)
            attempts_ -= outcome.attempts;
        else if (attempts_ >= options_.most_attempts)
            return never;
        // "At once" is believed once.
        bool const is_told = outcome.retry_after && (outcome.retry_after->count() > 0 || waits_ == 0);
        auto const backs_off = backoff(++waits_, chance);
        auto const wait = is_told    ? *outcome.retry_after
                          : is_paced ? std::max(backs_off, least_pause)
                                     : backs_off;
        if (wait >= left) return never;
        // What sent nothing has multiplied nothing.
        bool const is_free = is_paced || (!outcome.sent && !outcome.of_credential);
        if (!is_free && !budget_.take()) return never;
        return {true, wait};
    }

private:
    // Refusals for want of patience are not counted: they are not to come in a storm.
    static constexpr std::chrono::milliseconds least_pause{10};

    // Full jitter: anything up to a bound that doubles.
    [[nodiscard]] std::chrono::milliseconds backoff(int wait, double chance) const noexcept {
        using Milliseconds = std::chrono::duration<double, std::milli>;
        auto bound = Milliseconds(options_.first_wait);
        for (int i = 1; i < wait && bound < options_.most_wait; ++i)
            bound *= 2;
        return std::chrono::round<std::chrono::milliseconds>(
            std::min(bound, Milliseconds(options_.most_wait)) * chance);
    }

    const RetryOptions& options_;
    Safety safety_;
    RetryBudget& budget_;
    int attempts_ = 0;
    int waits_ = 0;
    bool has_replaced_ = false;
    bool met_500_ = false;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::pipeline
