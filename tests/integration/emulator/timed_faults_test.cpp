// SPDX-License-Identifier: BSL-1.0
#include "support/fault_requests.hpp"
#include "support/raw_http.hpp"

#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

namespace timed_faults_test {

using namespace std::chrono_literals;
using palette::testing::Emulator;
using palette::testing::ManualClock;
using palette::testing::RateLimit;
using palette::testing::Role;
using raw::End;

// All that comes until the other side ends, however often reading is too early.
std::string receive_to_end(raw::Connection& connection) {
    std::string text;
    soon([&] {
        text += connection.receive_all();
        return connection.end() != End::late;
    });
    return text;
}

bool serves_others(const Emulator& emulator) {
    raw::Client other(emulator, emulator.user(Role::user).api_key.expose());
    return other.get("/v1/users/info").status == 200;
}

struct TimedBench {
    explicit TimedBench(bool plain_http)
        : emulator(std::in_place,
                   palette::testing::EmulatorOptions{
                       .plain_http = plain_http, .rate_limit = RateLimit::off(), .clock = clock}),
          keys_before(emulator->keys().size()) {}

    [[nodiscard]] bool waits() const {
        return soon([&] { return clock->waiting() == 1; });
    }
    [[nodiscard]] std::size_t new_keys() const { return emulator->keys().size() - keys_before; }

    palette::Instant start = std::chrono::sys_days{2026y / 12 / 1};
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>(start);
    std::optional<Emulator> emulator;
    std::size_t keys_before;
};

void check_delay(TimedBench& bench, raw::Connection& connection, bool hear_silence) {
    bench.emulator->faults().add("POST / delay:5000 x1");
    connection.send(ask_for_key(*bench.emulator, true));
    REQUIRE(bench.waits());
    CHECK(bench.clock->next_wait() == bench.start + 5s);
    CHECK(bench.new_keys() == 1);
    CHECK(bench.emulator->requests().back().status == 201);
    CHECK(serves_others(*bench.emulator));
    bench.clock->advance(4'999ms);
    CHECK(serves_others(*bench.emulator));
    CHECK(bench.clock->waiting() == 1);
    if (hear_silence) {
        CHECK(connection.receive_some().empty());
        CHECK(connection.end() == End::late);
    }
    bench.clock->advance(1ms);
    auto const text = receive_to_end(connection);
    CHECK(text.starts_with("HTTP/1.1 201 "));
    CHECK(text.find("Date: Tue, 01 Dec 2026 00:00:05 GMT\r\n") != std::string::npos);
    CHECK(text.ends_with('}'));
    CHECK(connection.end() == End::closed);
    CHECK(bench.new_keys() == 1);
}

TEST_CASE("fault: delay applies at once and answers when its time has come, not before") {
    TimedBench bench(true);
    raw::Connection connection(*bench.emulator, {.timeout = 20ms});
    check_delay(bench, connection, true);
}

TEST_CASE("fault: delay does the same over TLS") {
    TimedBench bench(false);
    raw::Connection connection(*bench.emulator);
    check_delay(bench, connection, false);
}

TEST_CASE("fault: delay without a clock of its own takes at least its time") {
    Emulator emulator({.plain_http = true, .rate_limit = RateLimit::off()});
    emulator.faults().add("GET / delay:60 x1");
    raw::Connection connection(emulator);
    auto const start = std::chrono::steady_clock::now();
    connection.send(ask(emulator, "GET", "/v1/users/info"));
    CHECK(connection.receive().status == 200);
    CHECK(std::chrono::steady_clock::now() - start >= 60ms);
}

TEST_CASE("fault: delayed answers outlive the time that a request may take") {
    auto const clock = std::make_shared<ManualClock>();
    Emulator emulator({.plain_http = true,
                       .rate_limit = RateLimit::off(),
                       .clock = clock,
                       .request_timeout = 1ms,
                       .idle_timeout = 10s,
                       .write_timeout = 1ms});
    emulator.faults().add("GET / delay:86400000 x1");
    raw::Connection connection(emulator, {.timeout = 50ms});
    connection.send(ask(emulator, "GET", "/v1/users/info", {}, true));
    REQUIRE(soon([&] { return clock->waiting() == 1; }));
    CHECK(connection.receive_some().empty());
    CHECK(connection.end() == End::late);
    clock->advance(24h);
    CHECK(receive_to_end(connection).starts_with("HTTP/1.1 200 "));
}

void check_late_application(bool plain_http) {
    TimedBench bench(plain_http);
    bench.emulator->faults().add("POST / apply-late:3000 x1");
    raw::Connection connection(*bench.emulator);
    connection.send(ask_for_key(*bench.emulator));
    CHECK(connection.receive_all().empty());
    CHECK(connection.end() == End::closed);
    REQUIRE(bench.waits());
    CHECK(bench.clock->next_wait() == bench.start + 3s);
    CHECK(bench.new_keys() == 0);
    bench.clock->advance(2'999ms);
    CHECK(serves_others(*bench.emulator));
    CHECK(bench.clock->waiting() == 1);
    CHECK(bench.new_keys() == 0);
    bench.clock->advance(1ms);
    REQUIRE(soon([&] { return bench.new_keys() == 1; }));
    CHECK(bench.emulator->keys().back().created == bench.start + 3s);
    CHECK(bench.emulator->requests().front().faults == "apply-late");
}

TEST_CASE("fault: apply-late closes at once and applies when its time has come") {
    check_late_application(true);
}

TEST_CASE("fault: apply-late does the same over TLS") {
    check_late_application(false);
}

TEST_CASE("fault: apply-late requests are applied in the order of their times") {
    TimedBench bench(true);
    bench.emulator->faults().add("POST / apply-late:200 x1");
    bench.emulator->faults().add("POST / apply-late:100 x1");
    for (std::string_view const name : {"slow", "quick"}) {
        raw::Connection connection(*bench.emulator);
        auto const body = R"({"metadata":{"name":")" + std::string(name) + "\"}}";
        connection.send(ask(*bench.emulator, "POST", "/v1/apiKeys", body));
        CHECK(connection.receive_all().empty());
    }
    REQUIRE(soon([&] { return bench.clock->waiting() == 2; }));
    bench.clock->advance(100ms);
    REQUIRE(soon([&] { return bench.new_keys() == 1; }));
    CHECK(bench.emulator->keys().back().name == "quick");
    bench.clock->advance(100ms);
    REQUIRE(soon([&] { return bench.new_keys() == 2; }));
    CHECK(bench.emulator->keys().back().name == "slow");
}

// Takes the answer of a drip:7 byte by byte; `whole` is what it should be.
void check_drip(TimedBench& bench, const std::string& whole, std::string_view request) {
    raw::Connection connection(*bench.emulator);
    connection.send(request);
    std::string text;
    std::string sizes;
    for (std::size_t i = 0; i < whole.size() && text.size() < whole.size(); ++i) {
        // The other way out is for an answer that does not drip, and so ends too soon.
        soon([&] { return bench.clock->waiting() == 1 || (i > 0 && bench.emulator->connections() == 0); });
        auto const part = connection.receive_some();
        text += part;
        if (part.size() != 1) sizes += std::to_string(part.size()) + " at " + std::to_string(i) + ' ';
        bench.clock->advance(7ms);
    }
    CHECK(text == whole);
    CHECK(sizes == "");
    CHECK(connection.receive_all().empty());
    CHECK(connection.end() == End::closed);
}

std::string undripped(TimedBench& bench, std::string_view request) {
    raw::Connection connection(*bench.emulator);
    connection.send(request);
    return connection.receive_all();
}

void check_drip_of_user(bool plain_http) {
    TimedBench bench(plain_http);
    auto const request = ask(*bench.emulator, "GET", "/v1/users/info", {}, true);
    auto const whole = undripped(bench, request);
    REQUIRE(whole.ends_with('}'));
    bench.emulator->faults().add("* / drip:7 x1");
    check_drip(bench, whole, request);
    CHECK(bench.emulator->requests().back().faults == "drip");
}

TEST_CASE("fault: drip sends one byte for every step of the clock") {
    check_drip_of_user(true);
}

TEST_CASE("fault: drip does the same over TLS") {
    check_drip_of_user(false);
}

TEST_CASE("fault: a dripping answer does not hold up others, and applies its request first") {
    TimedBench bench(true);
    bench.emulator->faults().add("POST / drip:86400000");
    raw::Connection one(*bench.emulator);
    raw::Connection two(*bench.emulator);
    one.send(ask_for_key(*bench.emulator));
    two.send(ask_for_key(*bench.emulator));
    REQUIRE(soon([&] { return bench.clock->waiting() == 2; }));
    CHECK(bench.new_keys() == 2);
    CHECK(serves_others(*bench.emulator));
    CHECK(one.receive_some() == "H");
    CHECK(two.receive_some() == "H");
}

TEST_CASE("fault: a client that leaves while its answer is delayed or drips is forgotten in time") {
    for (std::string_view const fault : {"* / delay:1000", "* / drip:1000"}) {
        CAPTURE(fault);
        TimedBench bench(true);
        bench.emulator->faults().add(fault);
        {
            raw::Connection connection(*bench.emulator);
            connection.send(ask_for_key(*bench.emulator));
            REQUIRE(bench.waits());
        }
        CHECK(bench.new_keys() == 1);
        CHECK(soon([&] {
            bench.clock->advance(1s);
            return bench.emulator->connections() == 0;
        }));
        bench.emulator->faults().clear();
        CHECK(serves_others(*bench.emulator));
    }
}

TEST_CASE("fault: an emulator that goes ends what its faults have left pending") {
    TimedBench bench(true);
    for (std::string_view const fault :
         {"* / delay:86400000 x1", "* / drip:86400000 x1", "* / apply-late:86400000 x1"})
        bench.emulator->faults().add(fault);
    raw::Connection delayed(*bench.emulator);
    delayed.send(ask_for_key(*bench.emulator));
    REQUIRE(soon([&] { return bench.clock->waiting() == 1; }));
    raw::Connection dripping(*bench.emulator);
    dripping.send(ask_for_key(*bench.emulator));
    REQUIRE(soon([&] { return bench.clock->waiting() == 2; }));
    raw::Connection late(*bench.emulator);
    late.send(ask_for_key(*bench.emulator));
    REQUIRE(soon([&] { return bench.clock->waiting() == 3; }));

    auto const start = std::chrono::steady_clock::now();
    bench.emulator.reset();
    CHECK(std::chrono::steady_clock::now() - start < 5s);
    CHECK(delayed.receive_all().empty());
    CHECK(delayed.end() != End::late);
    CHECK(dripping.receive_all() == "H");
    CHECK(dripping.end() != End::late);
    CHECK(bench.clock->waiting() == 0);
    bench.clock->advance(48h);
}

TEST_CASE("fault: an emulator may go while another thread moves its clock") {
    auto const clock = std::make_shared<ManualClock>();
    std::jthread const mover([&](const std::stop_token& stop) {
        while (!stop.stop_requested())
            clock->advance(1ms);
    });
    for (int i = 0; i < 10; ++i) {
        Emulator emulator({.plain_http = true, .rate_limit = RateLimit::off(), .clock = clock});
        emulator.faults().add("* / drip:1");
        raw::Connection connection(emulator);
        connection.send(ask(emulator, "GET", "/v1/users/info"));
        CHECK(connection.receive_some().starts_with("H"));
    }
    CHECK(clock->waiting() == 0);
}

TEST_CASE("fault: drip keeps its pace through the bodies of deep and huge") {
    for (std::string_view const fault : {"* / deep:3", "* / huge:5"}) {
        CAPTURE(fault);
        TimedBench bench(true);
        auto const request = ask(*bench.emulator, "GET", "/v1/users/info", {}, true);
        bench.emulator->faults().add(fault);
        auto const whole = undripped(bench, request);
        bench.emulator->faults().add("* / drip:7");
        check_drip(bench, whole, request);
    }
}

}  // namespace timed_faults_test
