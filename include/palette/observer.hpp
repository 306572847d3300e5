// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/error.hpp>
#include <palette/transport.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI {

/// Describes one attempt: a request and its outcome. OpenTelemetry's names for HTTP stand beside the members.
///
/// Nothing in it is secret: paths are templates, and texts of the service are not included.
class AttemptEvent {
public:
    /// Constructs an event without content.
    AttemptEvent() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    std::uint64_t operation_id = 0;       ///< The same for all attempts of one operation.
    std::string_view operation;           ///< The name of the operation: "revoke".
    int attempt = 1;                      ///< Counts the requests of the operation, from 1 on.
    std::string_view traceparent;         ///< The header that the request carries; empty: none.
    std::string_view method;              ///< http.request.method
    std::string_view path_template;       ///< url.template: "/v1/apiKeys/{uid}/state"
    std::string_view server_address;      ///< server.address
    std::uint16_t server_port = 0;        ///< server.port
    int resend_count = 0;                 ///< http.request.resend_count
    int status = 0;                       ///< http.response.status_code; 0: no response.
    std::optional<errc> error;            ///< error.type; nothing if the attempt succeeded.
    std::chrono::nanoseconds duration{};  ///< http.client.request.duration
    ExchangeReport report;                ///< Phases, bytes, reuse of the connection.
};

/// Describes one operation from its start to its completion.
class OperationEvent {
public:
    /// Constructs an event without content.
    OperationEvent() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    std::uint64_t operation_id = 0;       ///< That of its attempts.
    std::string_view operation;           ///< The name of the operation: "revoke".
    std::string_view key_uid;             ///< The key that the operation is about; empty: none, or not one.
    std::string_view traceparent;         ///< What the caller gave with CallOptions::traceparent().
    int attempts = 0;                     ///< How many requests were sent.
    std::optional<errc> error;            ///< Nothing if the operation succeeded.
    Effect effect = Effect::not_applied;  ///< Of a failed operation.
    std::chrono::nanoseconds queued{};    ///< The wait in the queue.
    std::chrono::nanoseconds duration{};  ///< The whole operation, the queue included.
};

/// Observes what a client does: for logs, metrics and traces.
///
/// Requirements: the functions are short, and do not throw. The views in an event are valid during the call
/// only.
///
/// Order: on_operation_start(); for each attempt on_attempt_start() and on_attempt(); on_operation(). Each
/// start has its end, also where memory runs out, except for those that the end of the context destroys. An
/// operation for which there is no memory to begin with has neither.
///
/// Threads: called on the client's executor, one call after another.
class Observer {
public:
    Observer() = default;
    Observer(const Observer&) = delete;
    Observer& operator=(const Observer&) = delete;
    virtual ~Observer() = default;

    /// Is called when an operation starts. Of the event, the members before `attempts` are set.
    virtual void on_operation_start(const OperationEvent&) noexcept {}
    /// Is called before every attempt. Of the event, the members before `status` are set.
    virtual void on_attempt_start(const AttemptEvent&) noexcept {}
    /// Is called after every attempt.
    virtual void on_attempt(const AttemptEvent&) noexcept {}
    /// Is called after every operation.
    virtual void on_operation(const OperationEvent&) noexcept {}

    /// Returns the value of the header traceparent for the next attempt of this operation; empty: that of
    /// CallOptions::traceparent(), if there is one. Called before each attempt.
    virtual std::string traceparent(std::uint64_t operation_id) noexcept {
        static_cast<void>(operation_id);
        return {};
    }
};

}  // namespace palette::inline PALETTE_KEYS_ABI
