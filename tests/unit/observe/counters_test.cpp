// SPDX-License-Identifier: BSL-1.0
#include <palette/observe/counters.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace counters_test {

using namespace palette;
using namespace std::chrono_literals;

void revoke(Observer& observer, std::optional<errc> error, std::chrono::nanoseconds time) {
    OperationEvent operation;
    operation.operation = "revoke";
    observer.on_operation_start(operation);
    AttemptEvent attempt;
    attempt.operation = "revoke";
    attempt.method = "PUT";
    attempt.path_template = "/v1/apiKeys/{uid}/state";
    attempt.status = error ? 503 : 204;
    attempt.error = error;
    attempt.duration = time;
    observer.on_attempt(attempt);
    operation.error = error;
    operation.effect = Effect::unknown;
    operation.duration = time;
    operation.queued = 1ms;
    observer.on_operation(operation);
}

bool has_line(const std::string& text, std::string_view line) {
    return ("\n" + text).find("\n" + std::string(line) + "\n") != std::string::npos;
}

TEST_CASE("counters: attempts and operations are counted by their outcome, and their times in buckets") {
    observe::Counters counters;
    revoke(counters, std::nullopt, 4ms);
    revoke(counters, std::nullopt, 30ms);
    revoke(counters, errc::unavailable, 60s);
    auto const text = counters.to_prometheus();
    CAPTURE(text);
    CHECK(has_line(text, "# TYPE palette_requests_total counter"));
    CHECK(has_line(text,
                   "palette_requests_total{operation=\"revoke\",method=\"PUT\","
                   "path=\"/v1/apiKeys/{uid}/state\",status=\"204\",error=\"\"} 2"));
    CHECK(has_line(text,
                   "palette_requests_total{operation=\"revoke\",method=\"PUT\","
                   "path=\"/v1/apiKeys/{uid}/state\",status=\"503\",error=\"unavailable\"} 1"));
    CHECK(has_line(text, "palette_operations_total{operation=\"revoke\",error=\"\",effect=\"\"} 2"));
    CHECK(has_line(
        text, "palette_operations_total{operation=\"revoke\",error=\"unavailable\",effect=\"unknown\"} 1"));
    auto const bucket = [](std::string_view bound, int count) {
        return "palette_operation_duration_seconds_bucket{operation=\"revoke\",le=\"" + std::string(bound) +
               "\"} " + std::to_string(count);
    };
    CHECK(has_line(text, bucket("0.005", 1)));
    CHECK(has_line(text, bucket("0.025", 1)));
    CHECK(has_line(text, bucket("0.05", 2)));
    CHECK(has_line(text, bucket("30", 2)));
    CHECK(has_line(text, bucket("+Inf", 3)));
    CHECK(has_line(text, "palette_operation_duration_seconds_count{operation=\"revoke\"} 3"));
    CHECK(has_line(text, "palette_operations_in_flight 0"));
    CHECK(text.back() == '\n');
}

TEST_CASE("counters: each metric is described once, before its values") {
    observe::Counters counters;
    revoke(counters, std::nullopt, 4ms);
    auto const text = counters.to_prometheus();
    std::string last;
    std::size_t described = 0;
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
        std::string_view const line(text.data() + at, text.find('\n', at) - at);
        if (line.starts_with("# TYPE ")) {
            ++described;
            last = line.substr(7, line.find(' ', 7) - 7);
        } else if (!line.starts_with("# ")) {
            CHECK(line.starts_with(last));
        }
    }
    CHECK(described == 6);
}

TEST_CASE("counters: clients in many threads may share one, and nothing is lost") {
    observe::Counters counters;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (int k = 0; k < 500; ++k) {
                revoke(counters, std::nullopt, 1ms);
                if (k % 100 == 0) static_cast<void>(counters.to_prometheus());
            }
        });
    for (auto& thread : threads)
        thread.join();
    CHECK(has_line(counters.to_prometheus(),
                   "palette_operations_total{operation=\"revoke\",error=\"\",effect=\"\"} 2000"));
}

}  // namespace counters_test
