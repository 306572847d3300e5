// SPDX-License-Identifier: BSL-1.0
#include "support/raw_http.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace fault_rules_test {

using palette::testing::Emulator;
using palette::testing::FaultRule;
using palette::testing::RateLimit;
using palette::testing::Role;

palette::testing::EmulatorOptions quick() {
    return {.plain_http = true, .quota = 1'000, .rate_limit = RateLimit::off()};
}

raw::Client admin_of(const Emulator& emulator) {
    return {emulator, emulator.user(Role::tenant_admin).api_key.expose()};
}

struct RuledEmulator : Emulator {
    RuledEmulator(std::initializer_list<std::string_view> rules) : Emulator(quick()) {
        for (auto const rule : rules)
            faults().add(rule);
    }

    // The statuses of so many requests, one after another.
    std::vector<int> statuses(int count, std::string_view method = "GET",
                              std::string_view path = "/v1/users/info") {
        auto admin = admin_of(*this);
        std::vector<int> all;
        for (int i = 0; i < count; ++i)
            all.push_back(admin.call(method, path).status);
        return all;
    }
};

using Statuses = std::vector<int>;

TEST_CASE("fault rule: without a count it is injected into every request") {
    RuledEmulator emulator{"GET / status:503"};
    CHECK(emulator.statuses(5) == Statuses{503, 503, 503, 503, 503});
    CHECK(emulator.faults().injected() == 5);
}

TEST_CASE("fault rule: a count and an offset say which requests it is injected into") {
    CHECK(RuledEmulator{"GET / status:503 x1"}.statuses(3) == Statuses{503, 200, 200});
    CHECK(RuledEmulator{"GET / status:503 x2"}.statuses(4) == Statuses{503, 503, 200, 200});
    CHECK(RuledEmulator{"GET / status:503 after=3"}.statuses(5) == Statuses{200, 200, 200, 503, 503});
    CHECK(RuledEmulator{"GET / status:503 x2 after=2"}.statuses(6) == Statuses{200, 200, 503, 503, 200, 200});
    CHECK(RuledEmulator{"GET / status:503 x1 after=0"}.statuses(2) == Statuses{503, 200});
}

TEST_CASE("fault rule: requests that do not match use up neither count nor offset") {
    RuledEmulator emulator{"GET /v1/users/info status:503 x1 after=1"};
    CHECK(emulator.statuses(3, "GET", "/v1/apiKeys") == Statuses{200, 200, 200});
    CHECK(emulator.statuses(2, "HEAD") == Statuses{200, 200});
    CHECK(emulator.statuses(3) == Statuses{200, 503, 200});
    CHECK(emulator.faults().injected() == 1);
}

TEST_CASE("fault rule: a method is that method alone, and a star is all, known or not") {
    for (std::string_view const method :
         {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"}) {
        CAPTURE(method);
        RuledEmulator emulator{"* / status:503 x1", std::string(method) + " / status:418"};
        CHECK(emulator.statuses(2, method) == Statuses{503, 418});
        CHECK(emulator.statuses(1, method == "GET" ? "HEAD" : "GET") == Statuses{200});
    }
}

TEST_CASE("fault rule: a path begins with the prefix, as it was sent and without its query") {
    struct Row {
        std::string_view prefix;
        std::string_view target;
        bool injected;
    };
    static constexpr Row rows[] = {
        {"/", "/v1/apiKeys", true},
        {"/", "/", true},
        {"/v1", "/v1/users/info", true},
        {"/v1/apiKeys", "/v1/apiKeys", true},
        {"/v1/apiKeys", "/v1/apiKeys?limit=2", true},
        {"/v1/apiKeys", "/v1/apiKeys/0123/state", true},
        {"/v1/apiKeys", "/v1/apiKeysAndMore", true},
        {"/v1/apiKeys", "http://127.0.0.1/v1/apiKeys", true},
        {"/v1/apiKeys/", "/v1/apiKeys", false},
        {"/v1/apiKeys", "/v1/users/info", false},
        {"/v1/apiKeys", "/v1/apikeys", false},
        {"/v1/apiKeys", "/x/v1/apiKeys", false},
        {"/v1/apiKeys", "/nowhere?/v1/apiKeys", false},
    };
    for (auto const& [prefix, target, injected] : rows) {
        CAPTURE(prefix);
        CAPTURE(target);
        RuledEmulator emulator{"GET " + std::string(prefix) + " status:503"};
        CHECK((emulator.statuses(1, "GET", target) == Statuses{503}) == injected);
        CHECK(emulator.faults().injected() == (injected ? 1 : 0));
    }
}

TEST_CASE("fault rule: of those of one group the first that matches is injected, and it alone counts") {
    CHECK(RuledEmulator{"GET / status:500 x1", "GET / status:502 x1"}.statuses(3) == Statuses{500, 502, 200});
    CHECK(RuledEmulator{"GET / status:500", "GET / html:502 x1"}.statuses(3) == Statuses{500, 500, 500});
    CHECK(RuledEmulator{"GET /v1/apiKeys status:500", "GET / status:502 x2"}.statuses(3) ==
          Statuses{502, 502, 200});
    CHECK(RuledEmulator{"GET / redirect:/a x1", "GET / status:500 x1", "GET / html:403 x1"}.statuses(4) ==
          Statuses{307, 500, 403, 200});
    CHECK(RuledEmulator{"GET / status:500 x2 after=1", "GET / status:502"}.statuses(4) ==
          Statuses{502, 500, 500, 502});
}

TEST_CASE("fault rule: an offset counts what matches, also those that another rule took") {
    CHECK(RuledEmulator{"GET / status:500 x1", "GET / status:502 after=2"}.statuses(4) ==
          Statuses{500, 200, 502, 502});
    CHECK(RuledEmulator{"GET / status:500 x2", "GET / status:502 x1 after=1"}.statuses(4) ==
          Statuses{500, 500, 502, 200});
}

TEST_CASE("fault rule: rules of different groups do not use up each other") {
    RuledEmulator emulator{"GET / drip:0 x1", "GET / status:500 x2", "GET / delay:0 x3"};
    CHECK(emulator.statuses(4) == Statuses{500, 500, 200, 200});
    std::vector<std::string> met;
    for (auto const& request : emulator.requests())
        met.push_back(request.faults);
    CHECK(met == std::vector<std::string>{"drip status", "status delay", "delay", "delay"});
    CHECK(emulator.faults().injected() == 6);
}

TEST_CASE("fault rule: clear ends all rules, and faults injected before stay counted") {
    RuledEmulator emulator{"GET / status:503", "GET / delay:0", "POST / stall"};
    CHECK(emulator.statuses(2) == Statuses{503, 503});
    CHECK(emulator.faults().injected() == 4);
    emulator.faults().clear();
    CHECK(emulator.statuses(2) == Statuses{200, 200});
    CHECK(emulator.statuses(1, "POST", "/v1/apiKeys") == Statuses{400});
    CHECK(emulator.faults().injected() == 4);
    emulator.faults().add("GET / status:502 x1 after=1");
    CHECK(emulator.statuses(3) == Statuses{200, 502, 200});
    CHECK(emulator.faults().injected() == 5);
}

TEST_CASE("fault rule: one that is added again begins to count again") {
    RuledEmulator emulator{};
    auto const rule = FaultRule::parse("GET / status:503 x1 after=1").value();
    for (int i = 0; i < 3; ++i) {
        emulator.faults().add(rule);
        CHECK(emulator.statuses(3) == Statuses{200, 503, 200});
    }
}

TEST_CASE("fault rule: a bad text is thrown back, and adds nothing") {
    RuledEmulator emulator{};
    try {
        emulator.faults().add("GET / status:5000");
        FAIL("no exception");
    } catch (const palette::Exception& e) {
        CHECK(e.error().code() == palette::errc::invalid_argument);
        CHECK(std::string_view(e.what()).find("status") != std::string_view::npos);
    }
    CHECK(emulator.statuses(1) == Statuses{200});
}

TEST_CASE("fault rule: requests over many connections at once share one count") {
    RuledEmulator emulator{"GET / status:503 x50 after=10"};
    std::vector<std::jthread> clients;
    std::vector<Statuses> all(4);
    for (auto& statuses : all)
        clients.emplace_back([&] { statuses = emulator.statuses(25); });
    clients.clear();
    std::ptrdiff_t injected = 0;
    for (auto const& statuses : all)
        injected += std::ranges::count(statuses, 503);
    CHECK(injected == 50);
    CHECK(emulator.faults().injected() == 50);
}

template <class Condition>
bool soon(Condition condition) {
    auto const end = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::yield();
    }
    return true;
}

struct DeliveryKind {
    std::string_view fault;
    bool applied;
    bool answered;
};
struct AnswerKind {
    std::string_view fault;
    bool applied;
    int status;
};

constexpr DeliveryKind delivery_kinds[] = {
    {"delay:0", true, true},       {"drop-before", false, false}, {"drop-after", true, false},
    {"apply-late:0", true, false}, {"truncate", true, false},     {"reset", false, false},
    {"stall", false, false},       {"drip:0", true, true},        {"close-idle", true, true},
};
constexpr AnswerKind answer_kinds[] = {
    {"status:500", false, 500},   {"retry-after:1", false, 429},   {"html:502", false, 502},
    {"redirect:/v2", false, 307}, {"echo-credential", false, 404}, {"garbage", true, 200},
    {"trailing", true, 201},      {"wrong-type", true, 201},       {"huge:1000", true, 201},
    {"deep:1000", true, 201},
};

void check_pair(Emulator& emulator, const DeliveryKind& delivery, const AnswerKind& answer) {
    auto const injected = emulator.faults().injected();
    auto const keys = emulator.keys().size() + (delivery.applied && answer.applied ? 1 : 0);
    auto const key = emulator.user(Role::tenant_admin).api_key.expose();
    emulator.faults().add("POST / " + std::string(answer.fault) + " x1");
    emulator.faults().add("POST / " + std::string(delivery.fault) + " x1");
    raw::Connection connection(emulator);
    connection.send(raw::request("POST", "/v1/apiKeys", {{"ApiKey", key}}, R"({"metadata":{"name":"ci"}})"));
    CHECK(soon([&] { return emulator.faults().injected() == injected + 2; }));
    if (delivery.fault != "stall") {
        auto const response = connection.receive();
        CHECK(response.complete == delivery.answered);
        if (delivery.answered) CHECK(response.status == answer.status);
    }
    CHECK(soon([&] { return emulator.keys().size() == keys; }));
    CHECK(admin_of(emulator).get("/v1/users/info").status == 200);
    CHECK(emulator.keys().size() == keys);
}

TEST_CASE("fault rule: any delivery works with any answer, and applies what both would apply") {
    Emulator emulator(quick());
    for (auto const& delivery : delivery_kinds)
        for (auto const& answer : answer_kinds) {
            CAPTURE(delivery.fault);
            CAPTURE(answer.fault);
            check_pair(emulator, delivery, answer);
        }
}

}  // namespace fault_rules_test
