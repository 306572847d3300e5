// SPDX-License-Identifier: BSL-1.0
#include <palette/observe/lines.hpp>

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace lines_test {

using namespace palette;
using namespace std::chrono_literals;

AttemptEvent some_attempt() {
    AttemptEvent event;
    event.operation_id = 7;
    event.operation = "revoke";
    event.attempt = 2;
    event.method = "PUT";
    event.path_template = "/v1/apiKeys/{uid}/state";
    event.server_address = "palette.acme.com";
    event.server_port = 443;
    event.status = 204;
    event.duration = 12'345us;
    event.report.handshake = 3ms;
    event.report.bytes_sent = 412;
    return event;
}

OperationEvent some_operation() {
    OperationEvent event;
    event.operation_id = 7;
    event.operation = "revoke";
    event.key_uid = "463209768807a774078d86d3";
    event.attempts = 2;
    event.error = errc::unavailable;
    event.effect = Effect::unknown;
    event.queued = 1ms;
    event.duration = 2s;
    return event;
}

struct Said {
    std::vector<std::string> lines;
    auto writer() {
        return [this](std::string_view line) { lines.emplace_back(line); };
    }
};

TEST_CASE("lines: an attempt and an operation are a line of logfmt each") {
    Said said;
    auto const observer = observe::lines(said.writer());
    observer->on_attempt(some_attempt());
    observer->on_operation(some_operation());
    REQUIRE(said.lines.size() == 2);
    CHECK(said.lines[0] ==
          "event=attempt operation=revoke operation_id=7 attempt=2 method=PUT "
          "path=\"/v1/apiKeys/{uid}/state\" host=palette.acme.com port=443 status=204 duration_ms=12.345 "
          "handshake_ms=3.000 reused=false sent=412 received=0");
    CHECK(said.lines[1] ==
          "event=operation operation=revoke operation_id=7 key=463209768807a774078d86d3 attempts=2 "
          "error=unavailable effect=unknown queued_ms=1.000 duration_ms=2000.000");
}

TEST_CASE("lines: as JSON, each line is an object with the same fields") {
    Said said;
    auto const observer = observe::lines(said.writer(), observe::LineFormat::json);
    auto attempt = some_attempt();
    attempt.traceparent = "a\"b\\c\n\x7F";
    observer->on_attempt(attempt);
    observer->on_operation(some_operation());
    REQUIRE(said.lines.size() == 2);
    auto const first = boost::json::parse(said.lines[0]).as_object();
    CHECK(first.at("event") == "attempt");
    CHECK(first.at("path") == "/v1/apiKeys/{uid}/state");
    CHECK(first.at("status") == 204);
    CHECK(first.at("duration_ms") == 12.345);
    CHECK(first.at("reused") == false);
    CHECK(first.at("traceparent") == "a\"b\\c\n\x7F");
    CHECK_FALSE(first.contains("error"));
    CHECK_FALSE(first.contains("connect_ms"));
    auto const second = boost::json::parse(said.lines[1]).as_object();
    CHECK(second.at("error") == "unavailable");
    CHECK(second.at("key") == "463209768807a774078d86d3");
}

TEST_CASE("lines: whatever an own observer traces with, a line stays one line of printable characters") {
    for (auto const format : {observe::LineFormat::logfmt, observe::LineFormat::json}) {
        Said said;
        auto const observer = observe::lines(said.writer(), format);
        for (int c = 0; c < 256; ++c) {
            auto event = some_attempt();
            auto const text = "x" + std::string(1, static_cast<char>(c)) + " y=1";
            event.traceparent = text;
            observer->on_attempt(event);
        }
        REQUIRE(said.lines.size() == 256);
        for (auto const& line : said.lines)
            for (char const c : line)
                CHECK((c >= ' ' && c <= '~'));
    }
}

TEST_CASE("lines: what the writer throws is dropped") {
    auto const observer = observe::lines([](std::string_view) { throw std::runtime_error("a full disk"); });
    observer->on_attempt(some_attempt());
    observer->on_operation(some_operation());
}

}  // namespace lines_test
