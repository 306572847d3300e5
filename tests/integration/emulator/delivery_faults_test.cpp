// SPDX-License-Identifier: BSL-1.0
#include "support/fault_requests.hpp"
#include "support/raw_http.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace delivery_faults_test {

using namespace std::chrono_literals;
using palette::testing::Emulator;
using palette::testing::RateLimit;
using palette::testing::Role;
using raw::End;

bool serves_others(const Emulator& emulator) {
    raw::Client other(emulator, emulator.user(Role::user).api_key.expose());
    return other.get("/v1/users/info").status == 200;
}

struct DeliveryRow {
    std::string_view rule;
    bool applied;
    bool answered;
    End end;
    std::string_view name;
};

constexpr DeliveryRow delivery_rows[] = {
    {"* / delay:0 x1", true, true, End::none, "delay"},
    {"* / drip:0 x1", true, true, End::none, "drip"},
    {"* / close-idle x1", true, true, End::closed, "close-idle"},
    {"* / drop-before x1", false, false, End::closed, "drop-before"},
    {"* / drop-after x1", true, false, End::closed, "drop-after"},
    {"* / apply-late:0 x1", true, false, End::closed, "apply-late"},
    {"* / reset x1", false, false, End::reset, "reset"},
};

void check_delivery(bool plain_http) {
    Emulator emulator({.plain_http = plain_http, .rate_limit = RateLimit::off()});
    for (auto const& row : delivery_rows) {
        CAPTURE(row.rule);
        auto const keys_before = emulator.keys().size();
        auto const keys_after = keys_before + (row.applied ? 1 : 0);
        emulator.faults().add(row.rule);
        raw::Connection connection(emulator);
        REQUIRE(connection.send(ask_for_key(emulator)));
        if (row.answered) {
            auto const answer = connection.receive();
            CHECK(answer.status == 201);
            CHECK(answer.complete);
            CHECK_FALSE(answer.headers.contains("connection"));
        }
        if (row.end == End::none) {
            CHECK(connection.send(ask(emulator, "GET", "/v1/users/info")));
            CHECK(connection.receive().status == 200);
        } else {
            CHECK(connection.receive_all().empty());
        }
        CHECK(connection.end() == row.end);
        CHECK(soon([&] { return emulator.keys().size() == keys_after; }));
        CHECK(serves_others(emulator));
        CHECK(emulator.keys().size() == keys_after);
        auto const requests = emulator.requests();
        auto const& met = requests[requests.size() - (row.end == End::none ? 3 : 2)];
        CHECK(met.method == "POST");
        CHECK(met.faults == row.name);
        if (row.answered) CHECK(met.status == 201);
    }
    CHECK(emulator.faults().injected() == std::size(delivery_rows));
}

TEST_CASE("fault: a delivery fault ends the connection and applies the request as its row says") {
    check_delivery(true);
}

TEST_CASE("fault: delivery faults do the same over TLS") {
    check_delivery(false);
}

void check_truncation(bool plain_http) {
    Emulator emulator({.plain_http = plain_http, .keys = 2'000, .rate_limit = RateLimit::off()});
    raw::Connection connection(emulator);
    for (std::string_view const path : {"/v1/users/info", "/v1/apiKeys"}) {
        connection.send(ask(emulator, "GET", path));
        auto const whole = connection.receive();
        REQUIRE(whole.complete);
        emulator.faults().add("* / truncate x1");
        raw::Connection cut(emulator);
        cut.send(ask(emulator, "GET", path));
        auto const half = cut.receive();
        CHECK(half.status == 200);
        CHECK(half.headers.at("content-length") == std::to_string(whole.body.size()));
        CHECK_FALSE(half.complete);
        CHECK(half.body == whole.body.substr(0, whole.body.size() / 2));
        CHECK(cut.end() == End::closed);
    }

    auto const keys = emulator.keys().size();
    emulator.faults().add("* / truncate x1");
    raw::Connection creation(emulator);
    creation.send(ask_for_key(emulator));
    auto const half = creation.receive();
    CHECK(half.status == 201);
    CHECK_FALSE(half.complete);
    CHECK(creation.end() == End::closed);
    CHECK(emulator.keys().size() == keys + 1);
    CHECK(emulator.requests().back().faults == "truncate");
    CHECK(emulator.requests().back().status == 201);
}

TEST_CASE("fault: truncate sends half of the body, however large it is, and applies the request") {
    check_truncation(true);
}

TEST_CASE("fault: truncate does the same over TLS") {
    check_truncation(false);
}

TEST_CASE("fault: truncate of an answer without a body is no complete answer either") {
    Emulator emulator({.plain_http = true, .rate_limit = RateLimit::off()});
    auto const uid = emulator.seed_key(palette::NewApiKey("gone")).uid();
    emulator.faults().add("DELETE / truncate x1");
    raw::Connection connection(emulator);
    connection.send(ask(emulator, "DELETE", "/v1/apiKeys/" + uid));
    auto const text = connection.receive_all();
    CHECK(text.starts_with("HTTP/1.1 "));
    CHECK_FALSE(text.ends_with("\r\n\r\n"));
    CHECK(connection.end() == End::closed);
    for (auto const& key : emulator.keys())
        CHECK(key.uid != uid);
}

void check_stall(bool plain_http) {
    auto emulator = std::make_unique<Emulator>(
        palette::testing::EmulatorOptions{.plain_http = plain_http, .rate_limit = RateLimit::off()});
    emulator->faults().add("* / stall x1");
    auto const keys = emulator->keys().size();
    raw::Connection stalled(*emulator);
    stalled.send(ask_for_key(*emulator));
    REQUIRE(soon([&] { return emulator->request_count() == 1; }));
    CHECK(serves_others(*emulator));
    CHECK(soon([&] { return emulator->connections() == 1; }));
    CHECK(emulator->request_count() == 2);
    CHECK(emulator->requests().front().faults == "stall");
    CHECK(emulator->requests().front().status == 0);
    CHECK(emulator->keys().size() == keys);

    auto const start = std::chrono::steady_clock::now();
    emulator.reset();
    CHECK(std::chrono::steady_clock::now() - start < 5s);
    CHECK(stalled.receive_all().empty());
    CHECK(stalled.end() == End::closed);
}

TEST_CASE("fault: stall leaves a request unanswered until the emulator goes, and holds up nobody") {
    check_stall(true);
}

TEST_CASE("fault: stall does the same over TLS") {
    check_stall(false);
}

TEST_CASE("fault: a stalled connection stays open beyond every bound of time, and is silent") {
    Emulator emulator({.plain_http = true,
                       .rate_limit = RateLimit::off(),
                       .request_timeout = 10ms,
                       .idle_timeout = 10ms,
                       .write_timeout = 10ms});
    emulator.faults().add("* / stall x1");
    // A busy machine may take longer than the idle time until it has sent a request: then the connection is
    // closed before that, and there is another one.
    std::optional<raw::Connection> stalled;
    REQUIRE(soon([&] {
        stalled.emplace(emulator, raw::Connection::Options{.timeout = 100ms});
        stalled->send(ask_for_key(emulator));
        CHECK(stalled->receive_all().empty());
        return emulator.faults().injected() == 1;
    }));
    CHECK(stalled->end() == End::late);
    stalled->send(ask_for_key(emulator));
    CHECK(stalled->receive_all().empty());
    CHECK(stalled->end() == End::late);
    CHECK(emulator.connections() == 1);
    CHECK(emulator.request_count() == 1);
}

TEST_CASE("fault: a stalled client that goes away is forgotten") {
    Emulator emulator({.plain_http = true, .rate_limit = RateLimit::off()});
    emulator.faults().add("* / stall");
    for (int i = 0; i < 3; ++i) {
        raw::Connection stalled(emulator);
        stalled.send(ask_for_key(emulator));
        REQUIRE(soon([&] { return emulator.faults().injected() == static_cast<std::uint64_t>(i) + 1; }));
    }
    CHECK(soon([&] { return emulator.connections() == 0; }));
}

TEST_CASE("fault: delivery faults are injected into paths that lead nowhere and requests that are refused") {
    Emulator emulator({.plain_http = true, .rate_limit = RateLimit::off()});
    auto const keys = emulator.keys().size();
    std::string const requests[] = {ask(emulator, "GET", "/"), ask(emulator, "PUT", "/nowhere", "{}"),
                                    ask(emulator, "DELETE", "/v1/apiKeys"),
                                    raw::request("POST", "/v1/apiKeys", {}, R"({"metadata":{"name":"ci"}})"),
                                    ask(emulator, "POST", "/v1/apiKeys", "no JSON")};
    for (auto const& row : delivery_rows)
        for (auto const& request : requests) {
            CAPTURE(row.rule);
            CAPTURE(request);
            emulator.faults().add(row.rule);
            raw::Connection connection(emulator);
            connection.send(request);
            auto const answer = connection.receive();
            CHECK(answer.complete == row.answered);
            CHECK((answer.status >= 400) == row.answered);
            if (row.answered && row.end == End::closed) CHECK(connection.receive_all().empty());
            CHECK(connection.end() == row.end);
            CHECK(emulator.requests().back().faults == row.name);
        }
    CHECK(emulator.faults().injected() == std::size(delivery_rows) * std::size(requests));
    CHECK(emulator.keys().size() == keys);
}

TEST_CASE("fault: an answer to HEAD has no body under any delivery fault") {
    Emulator emulator({.plain_http = true, .rate_limit = RateLimit::off()});
    for (auto const& row : delivery_rows) {
        CAPTURE(row.rule);
        emulator.faults().add(row.rule);
        raw::Connection connection(emulator);
        connection.send(ask(emulator, "HEAD", "/v1/apiKeys", {}, true));
        auto const text = connection.receive_all();
        CHECK(text.starts_with("HTTP/1.1 200 ") == row.answered);
        CHECK(text.ends_with("\r\n\r\n") == row.answered);
        CHECK(emulator.requests().back().faults == row.name);
    }
}

TEST_CASE("fault: answers that were on their way before a drop arrive") {
    Emulator emulator({.plain_http = true, .rate_limit = RateLimit::off()});
    for (std::string_view const fault : {"drop-before", "drop-after", "apply-late:0"}) {
        CAPTURE(fault);
        emulator.faults().clear();
        emulator.faults().add("* / " + std::string(fault) + " after=1");
        auto const keys = emulator.keys().size();
        raw::Connection connection(emulator);
        connection.send(ask_for_key(emulator) + ask(emulator, "GET", "/v1/users/info"));
        auto const answer = connection.receive();
        CHECK(answer.status == 201);
        CHECK(answer.complete);
        CHECK(connection.receive_all().empty());
        CHECK(connection.end() == End::closed);
        CHECK(emulator.keys().size() == keys + 1);
    }
}

TEST_CASE("fault: truncate of an answer to HEAD sends no byte of a body") {
    Emulator emulator({.plain_http = true, .rate_limit = RateLimit::off()});
    emulator.faults().add("HEAD / truncate x1");
    raw::Connection connection(emulator);
    connection.send(ask(emulator, "HEAD", "/v1/apiKeys"));
    auto const text = connection.receive_all();
    CHECK(connection.end() == End::closed);
    CHECK(text.starts_with("HTTP/1.1 "));
    auto const head = text.find("\r\n\r\n");
    CHECK((head == std::string::npos || head + 4 == text.size()));
}

TEST_CASE("fault: truncate sends half of a body of deep and of huge too") {
    Emulator emulator({.plain_http = true, .rate_limit = RateLimit::off()});
    for (std::string_view const fault : {"deep:500", "huge:1000", "huge:1000000"}) {
        CAPTURE(fault);
        emulator.faults().clear();
        emulator.faults().add("* / " + std::string(fault));
        raw::Connection connection(emulator);
        connection.send(ask(emulator, "GET", "/v1/apiKeys"));
        auto const whole = connection.receive();
        REQUIRE(whole.complete);
        emulator.faults().add("* / truncate");
        connection.send(ask(emulator, "GET", "/v1/apiKeys"));
        auto const half = connection.receive();
        CHECK(half.status == 200);
        CHECK_FALSE(half.complete);
        CHECK((half.body == whole.body.substr(0, whole.body.size() / 2)));
        CHECK(connection.end() == End::closed);
    }
}

TEST_CASE("fault: a request that gets no byte of an answer is recorded without a status") {
    Emulator emulator({.plain_http = true, .rate_limit = RateLimit::off()});
    for (auto const& row : delivery_rows) {
        CAPTURE(row.rule);
        auto const keys = emulator.keys().size() + (row.applied ? 1 : 0);
        emulator.faults().add(row.rule);
        raw::Connection connection(emulator);
        connection.send(ask_for_key(emulator, true));
        connection.receive_all();
        REQUIRE(soon([&] { return emulator.keys().size() == keys; }));
        CHECK(emulator.requests().back().status == (row.answered ? 201 : 0));
    }
}

}  // namespace delivery_faults_test
