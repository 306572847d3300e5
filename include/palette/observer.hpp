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

// One request and what came of it. Names of OpenTelemetry's HTTP conventions stand beside the members.
// Nothing in it is secret: paths are templates, and texts of the service are not in it.
class AttemptEvent {
public:
    AttemptEvent() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    std::uint64_t operation_id = 0;       // the same for all attempts of one operation
    std::string_view operation;           // "revoke"
    std::string_view method;              // http.request.method
    std::string_view path_template;       // url.template: "/v1/apiKeys/{uid}/state"
    std::string_view server_address;      // server.address
    std::uint16_t server_port = 0;        // server.port
    int resend_count = 0;                 // http.request.resend_count
    int status = 0;                       // http.response.status_code; 0: no answer
    std::optional<errc> error;            // error.type
    std::chrono::nanoseconds duration{};  // http.client.request.duration
    ExchangeReport report;                // phases, bytes, reuse
};

// One operation from its start to its completion.
class OperationEvent {
public:
    OperationEvent() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    std::uint64_t operation_id = 0;
    std::string_view operation;
    int attempts = 0;
    std::optional<errc> error;
    Effect effect = Effect::not_applied;  // of a failed one
    std::chrono::nanoseconds queued{};    // until it was let in
    std::chrono::nanoseconds duration{};  // of all, the queue included
};

// Sees what a client does: for logs, metrics, traces. Both are called on the client's executor, after the
// fact; views are good for the call only. They are short, and do not throw.
class Observer {
public:
    Observer() = default;
    Observer(const Observer&) = delete;
    Observer& operator=(const Observer&) = delete;
    virtual ~Observer() = default;

    virtual void on_attempt(const AttemptEvent&) noexcept {}
    virtual void on_operation(const OperationEvent&) noexcept {}

    // The value of the header traceparent for an attempt; empty: none is sent.
    virtual std::string traceparent(std::uint64_t operation_id) noexcept {
        static_cast<void>(operation_id);
        return {};
    }
};

}  // namespace palette::inline PALETTE_KEYS_ABI
