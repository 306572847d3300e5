// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/observe/counters.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::observe {

// By what Prometheus calls labels: `operation="revoke",error=""`.
class Counters::State {
public:
    using Label = std::pair<std::string_view, std::string_view>;

    // The values are names of ours and templates: nothing in them needs an escape.
    static std::string labels(std::initializer_list<Label> all) {
        std::string text;
        for (auto const& [name, value] : all) {
            if (!text.empty()) text += ',';
            text.append(name).append("=\"").append(value).append("\"");
        }
        return text;
    }

    class Histogram {
    public:
        void add(std::chrono::nanoseconds time) noexcept {
            auto const seconds = std::chrono::duration<double>(time).count();
            // Prometheus counts a time that equals a bound below it ("le").
            auto const bucket = std::lower_bound(bounds.begin(), bounds.end(), seconds);
            // Longer times count in +Inf alone, which is count_.
            if (bucket != bounds.end()) ++counts_[static_cast<std::size_t>(bucket - bounds.begin())];
            ++count_;
            sum_ += seconds;
        }

        void write(std::string& out, std::string_view name, const std::string& labels) const {
            std::uint64_t below = 0;
            auto const bucket = [&](std::string_view bound, std::uint64_t number) {
                out.append(name)
                    .append("_bucket{")
                    .append(labels)
                    .append(",le=\"")
                    .append(bound)
                    .append("\"} ");
                out.append(std::to_string(number)).append("\n");
            };
            for (std::size_t i = 0; i < bounds.size(); ++i) {
                // Prometheus wants cumulative buckets; adding up when they are read keeps add() short.
                below += counts_[i];
                bucket(text_of(bounds[i]), below);
            }
            bucket("+Inf", count_);
            out.append(name).append("_sum{").append(labels).append("} ").append(text_of(sum_)).append("\n");
            out.append(name).append("_count{").append(labels).append("} ");
            out.append(std::to_string(count_)).append("\n");
        }

    private:
        // In seconds, from a fast answer to the time in which an operation usually gives up.
        static constexpr std::array bounds{0.005, 0.01, 0.025, 0.05, 0.1,  0.25,
                                           0.5,   1.0,  2.5,   5.0,  10.0, 30.0};

        static std::string text_of(double number) {
            char digits[32];
            // to_chars() ignores the locale: a decimal comma would break the format.
            return {digits, std::to_chars(digits, digits + sizeof digits, number).ptr};
        }

        std::array<std::uint64_t, bounds.size()> counts_{};
        std::uint64_t count_ = 0;
        double sum_ = 0;
    };

    std::mutex mutex;
    // Ordered, so that each reading lists the series alike.
    std::map<std::string, std::uint64_t> requests;
    std::map<std::string, Histogram> request_times;
    std::map<std::string, std::uint64_t> operations;
    std::map<std::string, Histogram> operation_times;
    std::map<std::string, Histogram> queue_times;
    std::int64_t in_flight = 0;

    // An observer has nobody to tell of a failure.
    template <class F>
    void change(F f) noexcept {
        try {
            std::lock_guard const lock(mutex);
            f();
        } catch (...) {
        }
    }
};

PALETTE_KEYS_INLINE Counters::Counters() : state_(std::make_unique<State>()) {}
PALETTE_KEYS_INLINE Counters::~Counters() = default;

PALETTE_KEYS_INLINE void Counters::on_operation_start(const OperationEvent& /*event*/) noexcept {
    state_->change([&] { ++state_->in_flight; });
}

PALETTE_KEYS_INLINE void Counters::on_attempt(const AttemptEvent& event) noexcept {
    state_->change([&] {
        // Empty, and not left out, where there is none: all series of a metric have the same labels.
        auto const status = event.status != 0 ? std::to_string(event.status) : std::string();
        ++state_->requests[State::labels({{"operation", event.operation},
                                          {"method", event.method},
                                          {"path", event.path_template},
                                          {"status", status},
                                          {"error", event.error ? to_string(*event.error) : ""}})];
        // Without status and error: each label multiplies the number of histograms.
        state_->request_times[State::labels({{"method", event.method}, {"path", event.path_template}})].add(
            event.duration);
    });
}

PALETTE_KEYS_INLINE void Counters::on_operation(const OperationEvent& event) noexcept {
    state_->change([&] {
        // Before the labels, for which there may be no memory: the gauge would stay high for ever.
        --state_->in_flight;
        ++state_->operations[State::labels({{"operation", event.operation},
                                            {"error", event.error ? to_string(*event.error) : ""},
                                            {"effect", event.error ? to_string(event.effect) : ""}})];
        // Time in the queue apart: a client that waits for its own limit looks slow, and the service is not.
        auto const operation = State::labels({{"operation", event.operation}});
        state_->operation_times[operation].add(event.duration);
        state_->queue_times[operation].add(event.queued);
    });
}

PALETTE_KEYS_INLINE std::string Counters::to_prometheus() const {
    std::string out;
    auto const head = [&](std::string_view name, std::string_view type, std::string_view help) {
        out.append("# HELP ").append(name).append(" ").append(help).append("\n");
        out.append("# TYPE ").append(name).append(" ").append(type).append("\n");
    };
    auto const counters = [&](std::string_view name, std::string_view help, const auto& all) {
        head(name, "counter", help);
        for (auto const& [labels, count] : all)
            out.append(name)
                .append("{")
                .append(labels)
                .append("} ")
                .append(std::to_string(count))
                .append("\n");
    };
    auto const histograms = [&](std::string_view name, std::string_view help, const auto& all) {
        head(name, "histogram", help);
        for (auto const& [labels, histogram] : all)
            histogram.write(out, name, labels);
    };
    // One lock for the whole text, so that its numbers belong together.
    std::lock_guard const lock(state_->mutex);
    counters("palette_requests_total", "Requests sent, by their outcome.", state_->requests);
    histograms("palette_request_duration_seconds", "Time of a request.", state_->request_times);
    counters("palette_operations_total", "Operations, by their outcome.", state_->operations);
    histograms("palette_operation_duration_seconds", "Time of an operation.", state_->operation_times);
    histograms("palette_operation_queued_seconds", "Wait of an operation in the queue.", state_->queue_times);
    head("palette_operations_in_flight", "gauge", "Operations under way.");
    out.append("palette_operations_in_flight ").append(std::to_string(state_->in_flight)).append("\n");
    return out;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::observe
