// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/observer.hpp>

#include <memory>
#include <string>

namespace palette::inline PALETTE_KEYS_ABI::observe {

/// Counts attempts and operations, and writes them as Prometheus reads them.
///
///     auto counters = std::make_shared<observe::Counters>();
///     options.observer = counters;
///
///     respond(counters->to_prometheus());  // Content-Type: text/plain; version=0.0.4
///
/// The metrics, whose labels take a small and fixed set of values:
/// - palette_requests_total{operation, method, path, status, error}: attempts that have ended. `status` is
///   the HTTP status, "" without a response; `error` the name of the code, "" after a success.
/// - palette_request_duration_seconds{method, path}: a histogram.
/// - palette_operations_total{operation, error, effect}: operations that have ended; `error` and `effect`
///   are "" after a success.
/// - palette_operation_duration_seconds{operation}: a histogram, the wait in the queue included.
/// - palette_operation_queued_seconds{operation}: a histogram of that wait.
/// - palette_operations_in_flight: a gauge.
///
/// Threads: every function may be called from any thread; clients may share one. An event for which there is
/// no memory is not counted.
class PALETTE_KEYS_DECL Counters final : public Observer {
public:
    /// Constructs counters that have counted nothing.
    Counters();
    ~Counters() override;

    /// Returns all metrics in Prometheus' text format, in a stable order.
    [[nodiscard]] std::string to_prometheus() const;

    /// Counts an operation that starts.
    void on_operation_start(const OperationEvent& event) noexcept override;
    /// Counts an attempt.
    void on_attempt(const AttemptEvent& event) noexcept override;
    /// Counts an operation that has ended.
    void on_operation(const OperationEvent& event) noexcept override;

private:
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::observe

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/observe/counters.ipp>
#endif
