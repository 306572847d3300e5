// SPDX-License-Identifier: BSL-1.0
#include "support/raw_http.hpp"

#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

namespace answer_faults_test {

namespace json = boost::json;
using palette::testing::Emulator;
using palette::testing::ManualClock;
using palette::testing::RateLimit;
using palette::testing::ReceivedRequest;
using palette::testing::Role;

constexpr std::string_view new_key = R"({"metadata":{"name":"ci"}})";

palette::testing::EmulatorOptions quick(std::size_t quota = 20) {
    return {.plain_http = true, .quota = quota, .rate_limit = RateLimit::off()};
}

raw::Client admin_of(const Emulator& emulator) {
    return {emulator, emulator.user(Role::tenant_admin).api_key.expose()};
}

std::string ask(const Emulator& emulator, std::string_view method, std::string_view path,
                std::string_view body = {}) {
    return raw::request(method, path, {{"ApiKey", emulator.user(Role::tenant_admin).api_key.expose()}}, body);
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

void check_error_body(const raw::Response& response) {
    auto const error = object_of(response);
    CHECK_FALSE(error.at("code").as_string().empty());
    CHECK_FALSE(error.at("message").as_string().empty());
    CHECK(error.at("ref").is_string());
}

bool has_key(const Emulator& emulator, std::string_view uid) {
    auto const keys = emulator.keys();
    return std::ranges::any_of(keys, [&](auto const& key) { return key.uid == uid; });
}

struct AnswerRow {
    std::string_view fault;
    bool applied;
    int created;  // the status of a create
    int removed;  // that of a delete
};

constexpr AnswerRow answer_rows[] = {
    {"status:200", false, 200, 200},      {"status:503", false, 503, 503}, {"retry-after:1", false, 429, 429},
    {"html:200", false, 200, 200},        {"html:502", false, 502, 502},   {"redirect:/v2", false, 307, 307},
    {"echo-credential", false, 404, 404}, {"garbage", true, 200, 200},     {"trailing", true, 201, 200},
    {"wrong-type", true, 201, 200},       {"huge:5000", true, 201, 200},   {"deep:50", true, 201, 200},
};

TEST_CASE("fault: an answer fault applies a create and a delete, or does not, as its row says") {
    Emulator emulator(quick(100));
    auto admin = admin_of(emulator);
    for (auto const& [fault, applied, created, removed] : answer_rows) {
        CAPTURE(fault);
        auto const uid = emulator.seed_key(palette::NewApiKey("old")).uid();
        emulator.faults().add("* / " + std::string(fault) + " x2");
        CHECK(admin.remove("/v1/apiKeys/" + uid).status == removed);
        CHECK(has_key(emulator, uid) != applied);
        auto const before = emulator.keys().size();
        CHECK(admin.post("/v1/apiKeys", new_key).status == created);
        CHECK(emulator.keys().size() == before + (applied ? 1 : 0));
        auto const met = emulator.requests().back();
        CHECK(met.status == created);
        CHECK(met.faults == fault.substr(0, fault.find(':')));
    }
    CHECK(emulator.faults().injected() == 2 * std::size(answer_rows));
}

TEST_CASE("fault: after any answer fault the connection is good for the next request") {
    Emulator emulator(quick(1'000));
    auto const uid = emulator.seed_key(palette::NewApiKey("stays")).uid();
    struct Ask {
        std::string_view method;
        std::string path;
        std::string_view body;
    };
    Ask const asks[] = {{"GET", "/v1/apiKeys", ""},        {"HEAD", "/v1/apiKeys", ""},
                        {"POST", "/v1/apiKeys", new_key},  {"PATCH", "/v1/apiKeys/" + uid, "{}"},
                        {"GET", "/v1/apiKeys/none", ""},   {"HEAD", "/nowhere", ""},
                        {"PUT", "/v1/apiKeys", "no JSON"}, {"POST", "/v1/auth/authenticate", "{}"}};
    for (auto const& row : answer_rows)
        for (auto const& [method, path, body] : asks) {
            CAPTURE(row.fault);
            CAPTURE(method);
            CAPTURE(path);
            raw::Connection connection(emulator);
            emulator.faults().add("* / " + std::string(row.fault) + " x1");
            connection.send(ask(emulator, method, path, body));
            CHECK(connection.receive(method == "HEAD").status >= 200);
            connection.send(ask(emulator, "GET", "/v1/users/info"));
            auto const next = connection.receive();
            CHECK(next.status == 200);
            CHECK(is_json(next.body));
        }
    CHECK(emulator.faults().injected() == std::size(answer_rows) * std::size(asks));
}

TEST_CASE("fault: status answers with that status and an error body") {
    Emulator emulator(quick());
    auto admin = admin_of(emulator);
    for (int const status :
         {400, 401, 402, 403, 404, 405, 409, 418, 422, 429, 499, 500, 502, 503, 504, 599}) {
        CAPTURE(status);
        emulator.faults().add("GET / status:" + std::to_string(status) + " x1");
        auto const answer = admin.get("/v1/apiKeys");
        CHECK(answer.status == status);
        CHECK(answer.headers.at("content-type") == "application/json");
        CHECK_FALSE(answer.headers.contains("retry-after"));
        check_error_body(answer);
    }
}

TEST_CASE("fault: status answers without a body where HTTP has none") {
    Emulator emulator(quick());
    for (std::string_view const fault : {"status:204", "status:304", "html:204"}) {
        CAPTURE(fault);
        emulator.faults().add("GET / " + std::string(fault) + " x1");
        raw::Connection connection(emulator);
        auto const request = ask(emulator, "GET", "/v1/users/info");
        connection.send(request + request);
        auto const empty = connection.receive();
        CHECK(std::to_string(empty.status) == fault.substr(fault.find(':') + 1));
        CHECK_FALSE(empty.headers.contains("content-length"));
        CHECK(connection.receive().status == 200);
    }
}

TEST_CASE("fault: retry-after answers 429 with its text as the header") {
    Emulator emulator(quick());
    auto admin = admin_of(emulator);
    for (std::string_view const value :
         {"0", "2", "120", "-1", "soon", "1.5", "99999999999999999999", "Date"}) {
        CAPTURE(value);
        emulator.faults().add("* / retry-after:" + std::string(value) + " x1");
        auto const answer = admin.get("/v1/apiKeys");
        CHECK(answer.status == 429);
        CHECK(answer.headers.at("retry-after") == value);
        CHECK(object_of(answer).at("code").as_string() == "TooManyRequests");
    }
}

TEST_CASE("fault: retry-after with a date is two seconds ahead of the clock") {
    auto const clock = std::make_shared<ManualClock>(std::chrono::sys_days{std::chrono::year{2028} / 2 / 28} +
                                                     std::chrono::hours{24} - std::chrono::seconds{1});
    Emulator emulator({.plain_http = true, .rate_limit = RateLimit::off(), .clock = clock});
    emulator.faults().add("* / retry-after:date x1");
    auto const answer = admin_of(emulator).get("/v1/apiKeys");
    CHECK(answer.status == 429);
    CHECK(answer.headers.at("date") == "Mon, 28 Feb 2028 23:59:59 GMT");
    CHECK(answer.headers.at("retry-after") == "Tue, 29 Feb 2028 00:00:01 GMT");
}

TEST_CASE("fault: html answers with that status and a page") {
    Emulator emulator(quick());
    auto admin = admin_of(emulator);
    for (int const status : {200, 403, 502, 504}) {
        CAPTURE(status);
        emulator.faults().add("* / html:" + std::to_string(status) + " x1");
        auto const answer = admin.get("/v1/apiKeys");
        CHECK(answer.status == status);
        CHECK(answer.complete);
        CHECK(answer.headers.at("content-type").starts_with("text/html"));
        CHECK(answer.body.find("<html>") != std::string::npos);
        CHECK(answer.body.find("</html>") != std::string::npos);
    }
}

TEST_CASE("fault: redirect answers 307 to its address") {
    Emulator emulator(quick());
    auto admin = admin_of(emulator);
    for (std::string_view const where :
         {"https://elsewhere.test:8443/v1/apiKeys?a=b#c", "/v2", "//elsewhere"}) {
        emulator.faults().add("* / redirect:" + std::string(where) + " x1");
        auto const answer = admin.post("/v1/apiKeys", new_key);
        CHECK(answer.status == 307);
        CHECK(answer.headers.at("location") == where);
    }
}

// The message holds the credential twice: as it is, and percent-encoded.
void check_echo(const raw::Response& answer, std::string_view credential, std::string_view encoded) {
    CHECK(answer.status == 404);
    auto const error = object_of(answer);
    std::string_view const message = error.at("message").as_string();
    CAPTURE(message);
    CHECK(error.at("code").as_string() == "ResourceNotFound");
    auto const at = message.find(credential);
    REQUIRE(at != std::string_view::npos);
    CHECK(message.find(encoded, credential == encoded ? at + 1 : 0) != std::string_view::npos);
}

TEST_CASE("fault: echo-credential gives back whatever credential was sent") {
    Emulator emulator(quick());
    emulator.faults().add("* / echo-credential");
    for (std::string_view const header : {"ApiKey", "Authorization", "apikey", "AUTHORIZATION"}) {
        CAPTURE(header);
        raw::Client odd(emulator, header, R"(a+b/c=%"\d e~)");
        for (std::string_view const path : {"/v1/apiKeys", "/nowhere", "/v1/apiKeys/123"})
            check_echo(odd.get(path), R"(a+b/c=%"\d e~)", "a%2Bb%2Fc%3D%25%22%5Cd%20e~");
        raw::Client plain(emulator, header, "plain-One.2_3");
        check_echo(plain.post("/v1/apiKeys", new_key), "plain-One.2_3", "plain-One.2_3");
    }
    raw::Client nobody(emulator, "");
    check_echo(nobody.get("/v1/auth/refresh/to%2Fken%3D?setCookie=true"), "to/ken=", "to%2Fken%3D");
    check_echo(nobody.post("/v1/auth/authenticate", R"({"emailId":"a@b","password":"p&w","org":"acme"})"),
               "p&w", "p%26w");
    CHECK(nobody.get("/v1/apiKeys").status == 404);
    for (auto const& request : emulator.requests()) {
        CHECK(request.status == 404);
        CHECK(request.user_uid.empty());
        CHECK(request.path.find("ken") == std::string::npos);
    }
}

TEST_CASE("fault: a request is recorded with its credential though a fault answered it") {
    Emulator emulator(quick());
    emulator.faults().add("* / status:401");
    CHECK(admin_of(emulator).get("/v1/apiKeys").status == 401);
    CHECK(emulator.requests().back().credential == ReceivedRequest::Credential::api_key);
    auto const token = emulator.sign_in(emulator.user(Role::user).uid);
    raw::Client(emulator, "Authorization", token.expose()).get("/v1/apiKeys");
    CHECK(emulator.requests().back().credential == ReceivedRequest::Credential::token);
    raw::Client(emulator, "").get("/v1/apiKeys");
    CHECK(emulator.requests().back().credential == ReceivedRequest::Credential::none);
}

}  // namespace answer_faults_test
