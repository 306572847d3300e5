// SPDX-License-Identifier: BSL-1.0
#include "support/raw_http.hpp"
#include "support/sanitized.hpp"

#include <doctest/doctest.h>
#include <unistd.h>
#include <boost/json.hpp>

#include <algorithm>
#include <fstream>
#include <string>
#include <string_view>

namespace spoilt_answers_test {

namespace json = boost::json;
using palette::testing::Emulator;
using palette::testing::RateLimit;
using palette::testing::Role;

constexpr std::string_view new_key = R"({"metadata":{"name":"ci"}})";

palette::testing::EmulatorOptions quick() {
    return {.plain_http = true, .rate_limit = RateLimit::off()};
}

raw::Client admin_of(const Emulator& emulator) {
    return {emulator, emulator.user(Role::tenant_admin).api_key.expose()};
}

std::string ask_for_list(const Emulator& emulator) {
    auto const key = emulator.user(Role::tenant_admin).api_key.expose();
    return raw::request("GET", "/v1/apiKeys", {{"ApiKey", key}});
}

bool is_json(std::string_view text) {
    boost::system::error_code ec;
    json::parse(text, ec);
    return !ec;
}

json::object object_of(const raw::Response& response) {
    CAPTURE(response.body);
    REQUIRE(response.complete);
    REQUIRE(is_json(response.body));
    return json::parse(response.body).as_object();
}

TEST_CASE("fault: garbage answers 200 with a body that is not JSON") {
    Emulator emulator(quick());
    emulator.faults().add("* / garbage");
    auto admin = admin_of(emulator);
    for (std::string_view const path : {"/v1/apiKeys", "/v1/users/info", "/v1/apiKeys/none", "/nowhere"}) {
        CAPTURE(path);
        auto const answer = admin.get(path);
        CHECK(answer.status == 200);
        CHECK(answer.complete);
        CHECK_FALSE(answer.body.empty());
        CHECK_FALSE(is_json(answer.body));
    }
}

TEST_CASE("fault: trailing keeps the good body and adds junk within its length") {
    Emulator emulator(quick());
    auto admin = admin_of(emulator);
    for (std::string_view const path : {"/v1/apiKeys", "/v1/users/info", "/v1/users"}) {
        CAPTURE(path);
        auto const good = admin.get(path);
        emulator.faults().add("* / trailing x1");
        auto const bad = admin.get(path);
        CHECK(bad.status == 200);
        CHECK(bad.complete);
        CHECK(bad.body.starts_with(good.body));
        CHECK(bad.body.size() > good.body.size());
        CHECK_FALSE(is_json(bad.body));
    }
    emulator.faults().add("* / trailing x1");
    auto const created = admin.post("/v1/apiKeys", new_key);
    auto const value =
        json::parse(created.body.substr(0, created.body.find('}') + 1)).at("apiKey").as_string();
    CHECK(raw::Client(emulator, std::string(value)).get("/v1/users/info").status == 200);
}

bool are_of_one_type(const json::value& a, const json::value& b) {
    return a.kind() == b.kind() || (a.is_number() && b.is_number());
}

// Every field of the good answer that is there, is of another type.
void check_wrong_types(const raw::Response& good, const raw::Response& bad) {
    auto const right = object_of(good);
    auto const wrong = object_of(bad);
    CHECK(right.size() > 0);
    for (auto const& [name, value] : right) {
        CAPTURE(name);
        REQUIRE(wrong.contains(name));
        CHECK_FALSE(are_of_one_type(wrong.at(name), value));
    }
}

TEST_CASE("fault: wrong-type gives every field of an answer another type") {
    Emulator emulator(quick());
    auto admin = admin_of(emulator);
    auto const& user = emulator.user(Role::user);
    auto const log_in = R"({"emailId":")" + user.email + R"(","password":")" +
                        std::string(user.password.expose()) + R"(","org":"acme"})";
    auto const uid = emulator.keys().front().uid;
    struct Ask {
        std::string_view method;
        std::string path;
        std::string body;
    };
    Ask const asks[] = {{"GET", "/v1/apiKeys", ""},
                        {"GET", "/v1/apiKeys/" + uid, ""},
                        {"GET", "/v1/users", ""},
                        {"GET", "/v1/users/info", ""},
                        {"POST", "/v1/apiKeys", std::string(new_key)},
                        {"POST", "/v1/auth/authenticate", log_in}};
    for (auto const& [method, path, body] : asks) {
        CAPTURE(path);
        auto const good = admin.call(method, path, body);
        emulator.faults().add("* / wrong-type x1");
        auto const bad = admin.call(method, path, body);
        CHECK(bad.status == good.status);
        check_wrong_types(good, bad);
    }
}

TEST_CASE("fault: huge is a JSON body of exactly that size") {
    Emulator emulator(quick());
    auto admin = admin_of(emulator);
    for (std::size_t const size : {2u, 3u, 65'535u, 65'536u, 65'537u, 1'000'000u}) {
        CAPTURE(size);
        emulator.faults().add("* / huge:" + std::to_string(size) + " x1");
        auto const answer = admin.get("/v1/apiKeys");
        CHECK(answer.status == 200);
        CHECK(answer.complete);
        CHECK(answer.body.size() == size);
        CHECK(is_json(answer.body));
    }
}

std::size_t resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::size_t all = 0;
    std::size_t resident = 0;
    statm >> all >> resident;
    return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

TEST_CASE("fault: huge streams 64 MiB without holding it in memory") {
    constexpr std::size_t size = 64 * 1024 * 1024;
    Emulator emulator(quick());
    emulator.faults().add("* / huge:" + std::to_string(size));
    raw::Connection connection(emulator);
    auto const before = resident_bytes();
    connection.send(ask_for_list(emulator));
    std::size_t most = before;
    std::size_t received = 0;
    std::size_t head = 0;
    std::string tail;
    for (int i = 0; head == 0 || received < head + size; ++i) {
        auto const part = connection.receive_some();
        if (part.empty()) break;
        if (head == 0) head = part.find("\r\n\r\n") + 4;
        received += part.size();
        tail = part.size() > 1 ? part : tail + part;
        if (i % 64 == 0) most = std::max(most, resident_bytes());
    }
    CHECK(received == head + size);
    CHECK(tail.ends_with("x\""));
    // The allocators of sanitizers keep what was freed.
    if (!sanitized) CHECK(most - before < size / 4);
}

TEST_CASE("fault: huge begins at once, even if no machine could hold the body") {
    Emulator emulator(quick());
    emulator.faults().add("* / huge:1000000000000 x1");
    {
        raw::Connection connection(emulator);
        connection.send(ask_for_list(emulator));
        std::string text;
        while (text.size() < 1'000'000) {
            auto const part = connection.receive_some();
            REQUIRE_FALSE(part.empty());
            text += part;
        }
        CHECK(text.find("\r\nContent-Length: 1000000000000\r\n") != std::string::npos);
        CHECK(text.ends_with("xxxx"));
        CHECK(admin_of(emulator).get("/v1/users/info").status == 200);
    }
    CHECK(admin_of(emulator).get("/v1/users/info").status == 200);
}

TEST_CASE("fault: deep is JSON nested that deep") {
    Emulator emulator(quick());
    auto admin = admin_of(emulator);
    for (std::size_t const depth : {1u, 2u, 32u, 65'537u, 100'000u}) {
        CAPTURE(depth);
        emulator.faults().add("* / deep:" + std::to_string(depth) + " x1");
        auto const answer = admin.get("/v1/apiKeys");
        CHECK(answer.status == 200);
        CHECK(answer.complete);
        CHECK((answer.body == std::string(depth, '[') + std::string(depth, ']')));
    }
}

TEST_CASE("fault: wrong-type gives every field of an error another type") {
    Emulator emulator(quick());
    auto admin = admin_of(emulator);
    auto const good = admin.get("/v1/apiKeys/none");
    emulator.faults().add("* / wrong-type x1");
    auto const bad = admin.get("/v1/apiKeys/none");
    CHECK(bad.status == good.status);
    check_wrong_types(good, bad);
}

}  // namespace spoilt_answers_test
