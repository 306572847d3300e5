// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/error.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>

namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline {

// Classifies the outcome of a failed attempt: what it proves about the effect, and what follows. The table
// below is the one in docs/retries.md, "What happens when something fails", and the two change together.

/// What it means to send a request of a kind twice: the columns of the table.
enum class Safety {
    read,     // nothing is changed
    change,   // idempotent: the second one changes nothing that the first has not
    checked,  // the second one may do harm, and a Guard can tell whether the first was applied
    once,     // the second one may do harm, and nothing tells
};

/// What was observed of an attempt that did not succeed.
class AttemptOutcome {
public:
    AttemptOutcome() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    errc code = errc::transport;
    int status = 0;
    bool sent = false;           // any byte of the request may have reached the service
    bool complete = false;       // a whole response was received
    bool silent_reused = false;  // the connection was reused, and no byte was received on it (W18)
    bool of_credential = false;  // there was no credential to send the request with
    int attempts = 1;            // more: the transport tried so often to open a connection
    std::optional<std::chrono::milliseconds> retry_after{};
};

/// Why an attempt failed: the rows of the table.
enum class Fault {
    refused,           // 400, 403, 404, 409, 422
    bad_credential,    // 401
    throttled,         // 429
    server_error,      // 500
    unavailable,       // 502, 503, 504
    not_sent,          // no connection, or a proxy that has none
    stale_unsent,      // the same on a reused connection
    untrusted,         // a certificate that is not valid, a proxy that refuses: no retry will change that
    no_credential,     // the provider of credentials failed, and may succeed later
    no_answer,         // no response, half a response, a timeout
    stale_connection,  // the same on a reused connection that nothing was received on
    malformed,         // a response that makes no sense, or one that was not read to its end
};

/// What follows: the cells of the table.
enum class Recovery {
    none,            // the request ends with the error
    new_credential,  // once more with another credential, if the provider has one
    wait,            // after the pause that the service asks for, as often as the deadline allows
    retry,           // after a backoff
    retry_once,      // after a backoff, the first time
    retry_now,       // at once on a fresh connection, the first time; later after a backoff
    look,            // after a backoff, if the Guard finds that the request was not applied
};

/// What another attempt costs.
enum class Cost {
    nothing,
    attempts,  // of the request's own: retry.max_attempts
    budget,    // and of what the whole client may send again: retry.budget
};

struct Row {
    Fault fault;
    Effect proves;  // of a request that changes something
    Recovery read;
    Recovery change;
    Recovery checked;
    Recovery once;
    Cost cost;
};

inline constexpr auto table = [] {
    using enum Fault;
    using enum Effect;
    using enum Recovery;
    using enum Cost;
    // clang-format off
    return std::array{
        // fault              proves       read            change          checked         once            cost
        Row{refused,          not_applied, none,           none,           none,           none,           nothing},
        Row{bad_credential,   not_applied, new_credential, new_credential, new_credential, new_credential, nothing},
        Row{throttled,        not_applied, wait,           wait,           wait,           wait,           nothing},
        Row{server_error,     unknown,     retry_once,     none,           none,           none,           budget},
        Row{unavailable,      unknown,     retry,          retry,          look,           none,           budget},
        Row{not_sent,         not_applied, retry,          retry,          retry,          retry,          attempts},
        Row{stale_unsent,     not_applied, retry_now,      retry_now,      retry,          retry_now,      attempts},
        Row{untrusted,        not_applied, none,           none,           none,           none,           nothing},
        Row{no_credential,    not_applied, retry,          retry,          retry,          retry,          budget},
        Row{no_answer,        unknown,     retry,          retry,          look,           none,           budget},
        Row{stale_connection, unknown,     retry_now,      retry_now,      look,           none,           budget},
        Row{malformed,        unknown,     none,           none,           none,           none,           nothing},
    };
    // clang-format on
}();

constexpr bool is_success(int status) noexcept {
    return status >= 200 && status < 300;
}

constexpr errc code_of_status(int status) noexcept {
    switch (status) {
        case 400:
        case 422:
            return errc::rejected;
        case 401:
            return errc::unauthorized;
        case 403:
            return errc::forbidden;
        case 404:
            return errc::not_found;
        case 409:
            return errc::conflict;
        case 429:
            return errc::rate_limited;
        case 500:
            return errc::server_error;
        case 502:
        case 503:
        case 504:
            return errc::unavailable;
        default:
            return errc::unexpected_status;
    }
}

// A complete response: its status, or its body, has said it all.
constexpr Fault fault_of_response(errc code) noexcept {
    switch (code) {
        case errc::rejected:
        case errc::forbidden:
        case errc::not_found:
        case errc::conflict:
            return Fault::refused;
        case errc::unauthorized:
            return Fault::bad_credential;
        case errc::rate_limited:
            return Fault::throttled;
        case errc::server_error:
            return Fault::server_error;
        case errc::unavailable:
            return Fault::unavailable;
        default:
            return Fault::malformed;
    }
}

// Without a complete response: whether another attempt may have one.
constexpr bool is_transient(errc code, int status) noexcept {
    switch (code) {
        case errc::transport:
        case errc::timeout:
        case errc::truncated:
        case errc::rate_limited:
        case errc::unavailable:
            return true;
        case errc::proxy:
            return code_of_status(status) == errc::unavailable;
        default:
            return false;
    }
}

constexpr Fault fault_of(const AttemptOutcome& outcome) noexcept {
    if (outcome.complete && !outcome.of_credential) return fault_of_response(outcome.code);
    auto const transient = is_transient(outcome.code, outcome.status);
    if (outcome.of_credential) return transient ? Fault::no_credential : Fault::untrusted;
    if (!transient) return outcome.sent ? Fault::malformed : Fault::untrusted;
    if (outcome.sent) return outcome.silent_reused ? Fault::stale_connection : Fault::no_answer;
    return outcome.silent_reused ? Fault::stale_unsent : Fault::not_sent;
}

struct Verdict {
    Fault fault;
    Effect effect;
    Recovery recovery;
    Cost cost;
};

constexpr Verdict classify(const AttemptOutcome& outcome, Safety safety) noexcept {
    auto const& row = table[static_cast<std::size_t>(fault_of(outcome))];
    switch (safety) {
        case Safety::read:
            return {row.fault, Effect::not_applied, row.read, row.cost};
        case Safety::change:
            return {row.fault, row.proves, row.change, row.cost};
        case Safety::checked:
            return {row.fault, row.proves, row.checked, row.cost};
        default:
            return {row.fault, row.proves, row.once, row.cost};
    }
}

// Each fault finds its own row.
static_assert([] {
    for (std::size_t i = 0; i < table.size(); ++i)
        if (table[i].fault != static_cast<Fault>(i)) return false;
    return table.back().fault == Fault::malformed;
}());

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline
