// SPDX-License-Identifier: BSL-1.0
#include "support/random.hpp"
#include "support/raw_http.hpp"

#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <string>
#include <string_view>

namespace bad_bodies_test {

using palette::testing::Emulator;
using palette::testing::EmulatorOptions;
using palette::testing::RateLimit;
using palette::testing::Role;

EmulatorOptions bad_bodies_options() {
    return {.plain_http = true, .rate_limit = RateLimit::off()};
}

std::string admin_key(const Emulator& emulator) {
    return std::string(emulator.user(Role::tenant_admin).api_key.expose());
}

// The message of an answer that is an error, as all of them should be.
std::string message_of_error(const raw::Response& response) {
    REQUIRE(response.complete);
    CHECK(response.headers.at("content-type") == "application/json");
    auto const error = boost::json::parse(response.body).as_object();
    CHECK_FALSE(error.at("code").as_string().empty());
    CHECK_FALSE(error.at("ref").as_string().empty());
    return std::string(error.at("message").as_string());
}

TEST_CASE("bad bodies: a body that is not a JSON object gets 400, and the connection stays open") {
    using namespace std::string_literals;
    std::string const bodies[] = {
        " ",
        "{",
        R"({"metadata":{"name":"x"})",
        R"({"metadata":{"name":"x)",
        R"({"metadata":{"name":"x"}}})",
        R"({"metadata":{"name":"x"}} {})",
        R"({"metadata":{"name":"x"}}x)",
        R"({"metadata":{"name":"x"},})",
        R"({"metadata":{"name":"x",}})",
        R"({'metadata':{'name':'x'}})",
        R"({metadata:{name:"x"}})",
        R"({"metadata":{"name":"x"}/**/})",
        R"({"metadata" {"name":"x"}})",
        R"({"metadata":{"name":"x"} "spec":{}})",
        R"([{"metadata":{"name":"x"}}])",
        R"("text")",
        "17",
        "true",
        "null",
        "NaN",
        R"({"metadata":{"name":"x"},"n":01})",
        R"({"metadata":{"name":"x"},"n":+1})",
        R"({"metadata":{"name":"x"},"n":.5})",
        R"({"metadata":{"name":"x"},"n":Infinity})",
        R"({"metadata":{"name":"\x41"}})",
        R"({"metadata":{"name":"\ud800"}})",
        R"({"metadata":{"name":"\udc00x"}})",
        "{\"metadata\":{\"name\":\"a\nb\"}}",
        "{\"metadata\":{\"name\":\"\xFF\"}}",
        "{\"metadata\":{\"name\":\"\xC0\xAF\"}}",
        "{\"metadata\":{\"name\":\"\xED\xA0\x80\"}}",
        "{\"metadata\":{\"name\":\"\xF4\x90\x80\x80\"}}",
        "{\"metadata\":{\"na\xE2\x82me\":\"x\"}}",
        "\xEF\xBB\xBF{\"metadata\":{\"name\":\"x\"}}",
        "{\"metadata\":{\"name\":\"x\"}}\0"s,
        "\0{\"metadata\":{\"name\":\"x\"}}"s,
        "\xFF\xFE{\0\"\0"s,
        "metadata=x&name=y",
        std::string(50'000, '['),
        "{\"metadata\":" + std::string(50'000, '[') + std::string(50'000, ']') + "}",
    };
    Emulator emulator(bad_bodies_options());
    raw::Client bystander(emulator, admin_key(emulator));
    raw::Connection connection(emulator);
    for (auto const& body : bodies) {
        CAPTURE(body.substr(0, 60));
        connection.send(raw::request("POST", "/v1/apiKeys", {{"ApiKey", admin_key(emulator)}}, body));
        auto const response = connection.receive();
        CHECK(response.status == 400);
        CHECK(message_of_error(response).starts_with("the body"));
        CHECK(bystander.get("/v1/users/info").status == 200);
    }
    CHECK(emulator.keys().size() == 4);
}

TEST_CASE("bad bodies: a member of the wrong type gets 400 and is named with its path") {
    struct {
        std::string_view body;
        std::string_view path;
    } const of_keys[] = {
        {R"({"metadata":7})", "metadata"},
        {R"({"metadata":[]})", "metadata"},
        {R"({"metadata":{"name":7}})", "metadata.name"},
        {R"({"metadata":{"name":["x"]}})", "metadata.name"},
        {R"({"metadata":{}})", "metadata.name"},
        {R"({"metadata":{"name":""}})", "metadata.name"},
        {R"({"metadata":{"name":null}})", "metadata.name"},
        {R"({})", "metadata.name"},
        {R"({"metadata":{"name":"x","annotations":"a=b"}})", "metadata.annotations"},
        {R"({"metadata":{"name":"x","annotations":[{"a":"b"}]}})", "metadata.annotations"},
        {R"({"metadata":{"name":"x","annotations":{"a":1}}})", "metadata.annotations.a"},
        {R"({"metadata":{"name":"x","annotations":{"description":{}}}})", "metadata.annotations.description"},
        {R"({"metadata":{"name":"x","labels":true}})", "metadata.labels"},
        {R"({"metadata":{"name":"x","labels":{"team":["a"]}}})", "metadata.labels.team"},
        {R"({"metadata":{"name":"x","uid":1}})", "metadata.uid"},
        {R"({"metadata":{"name":"x","creationTimestamp":1700000000}})", "metadata.creationTimestamp"},
        {R"({"metadata":{"name":"x","lastModifiedTimestamp":"now"}})", "metadata.lastModifiedTimestamp"},
        {R"({"metadata":{"name":"x","deletionTimestamp":{}}})", "metadata.deletionTimestamp"},
        {R"({"metadata":{"name":"x"},"spec":"x"})", "spec"},
        {R"({"metadata":{"name":"x"},"spec":{"expiry":1e99}})", "spec.expiry"},
        {R"({"metadata":{"name":"x"},"spec":{"expiry":{"Time":1}}})", "spec.expiry"},
        {R"({"metadata":{"name":"x"},"spec":{"expiry":"never"}})", "spec.expiry"},
        {R"({"metadata":{"name":"x"},"spec":{"expiry":"30d"}})", "spec.expiry"},
        {R"({"metadata":{"name":"x"},"spec":{"expiry":""}})", "spec.expiry"},
        {R"({"metadata":{"name":"x"},"spec":{"expiry":"2099-13-01T00:00:00Z"}})", "spec.expiry"},
        {R"({"metadata":{"name":"x"},"spec":{"expiry":"2099-02-30T00:00:00Z"}})", "spec.expiry"},
        {R"({"metadata":{"name":"x"},"spec":{"expiry":"2099-01-01"}})", "spec.expiry"},
        {R"({"metadata":{"name":"x"},"spec":{"expiry":"2099-01-01T00:00:00"}})", "spec.expiry"},
        {R"({"metadata":{"name":"x"},"spec":{"expiry":"1999-01-01T00:00:00Z"}})", "spec.expiry"},
    };
    Emulator emulator(bad_bodies_options());
    raw::Client admin(emulator, admin_key(emulator));
    auto const before = emulator.keys();
    auto const path = "/v1/apiKeys/" + before[3].uid;
    for (auto const& [body, member] : of_keys) {
        for (auto const& response : {admin.post("/v1/apiKeys", body), admin.put(path, body)}) {
            CAPTURE(body);
            CHECK(response.status == 400);
            CHECK(message_of_error(response).starts_with(std::string(member) + ":"));
        }
    }
    auto const with_user = admin.post("/v1/apiKeys", R"({"metadata":{"name":"x"},"spec":{"userUid":5}})");
    CHECK(with_user.status == 400);
    CHECK(message_of_error(with_user).starts_with("spec.userUid:"));
    for (std::string_view const value : {"\"true\"", "1", "0", "[]", "{}", "\"\""}) {
        CAPTURE(value);
        auto const body = "{\"isActive\":" + std::string(value) + "}";
        for (auto const& response : {admin.patch(path, body), admin.put(path + "/state", body)}) {
            CHECK(response.status == 400);
            CHECK(message_of_error(response).starts_with("isActive:"));
        }
    }
    for (std::string_view const member : {"emailId", "password", "org"}) {
        CAPTURE(member);
        auto const response =
            admin.post("/v1/auth/authenticate", "{\"" + std::string(member) + "\":[\"top secret\"]}");
        CHECK(response.status == 400);
        auto const message = message_of_error(response);
        CHECK(message.starts_with(std::string(member) + ":"));
        CHECK(message.find("top secret") == std::string::npos);
    }
    CHECK(std::ranges::equal(emulator.keys(), before));
}

TEST_CASE("bad bodies: unusual but valid JSON is accepted") {
    std::string_view const bodies[] = {
        R"({"metadata":{"name":"x"},"unknown":{"a":[1,2,{"b":null}]},"n":-1.5e300})",
        R"({"metadata":{"name":"x","annotations":null,"labels":null},"spec":null})",
        R"({"metadata":{"name":"x","annotations":{"a":null}},"spec":{"expiry":null,"userUid":""}})",
        R"({"metadata":{"name":"x"},"n":123456789012345678901234567890123456789012345678901234567890})",
        R"({"metadata":{"name":"x","uid":"","creationTimestamp":"0001-01-01T00:00:00.000Z"}})",
        R"({"metadata":{"name":"\u0000\ud83d\udd11"},"spec":{"expiry":"2099-01-01t00:00:60+05:30"}})",
        "\t\r\n {\"metadata\":{\"name\":\"x\"}} \n",
    };
    Emulator emulator(bad_bodies_options());
    raw::Client admin(emulator, admin_key(emulator));
    for (auto const body : bodies) {
        CAPTURE(body);
        CHECK(admin.post("/v1/apiKeys", body).status == 201);
    }
    auto const list = boost::json::parse(admin.get("/v1/apiKeys").body).as_object();
    CHECK(list.at("items").as_array().size() == 4 + std::size(bodies));
}

TEST_CASE("bad bodies: a body beyond the bound gets 413, and one of just that size does not") {
    auto options = bad_bodies_options();
    options.max_body_bytes = 1000;
    Emulator emulator(options);
    raw::Client bystander(emulator, admin_key(emulator));
    std::string good = R"({"metadata":{"name":"x"}})";
    good.resize(1000, ' ');
    CHECK(bystander.post("/v1/apiKeys", good).status == 201);

    auto const head = "POST /v1/apiKeys HTTP/1.1\r\nHost: localhost\r\nApiKey: " + admin_key(emulator) +
                      "\r\nTransfer-Encoding: chunked\r\n\r\n";
    auto const chunk = "64\r\n" + std::string(100, ' ') + "\r\n";
    std::string eleven_chunks;
    for (int i = 0; i < 11; ++i)
        eleven_chunks += chunk;
    std::string const bodies[] = {
        raw::request("POST", "/v1/apiKeys", {{"ApiKey", admin_key(emulator)}}, good + ' '),
        raw::request("POST", "/v1/apiKeys", {}, std::string(4'000'000, ' ')),
        "POST /v1/apiKeys HTTP/1.1\r\nHost: localhost\r\nContent-Length: 18446744073709551615\r\n\r\n",
        "POST /v1/apiKeys HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: "
        "1001\r\n\r\n",
        head + "FFFFFFFFFFFFFFFF\r\n",
        head + eleven_chunks,
    };
    for (auto const& text : bodies) {
        CAPTURE(text.substr(0, 200));
        raw::Connection connection(emulator);
        connection.send(text);
        auto const response = connection.receive();
        CHECK(response.status == 413);
        CHECK(response.headers.at("connection") == "close");
        CHECK(message_of_error(response).find("1000") != std::string::npos);
        CHECK(connection.receive_all().empty());
        CHECK(bystander.get("/v1/users/info").status == 200);
    }
    CHECK(emulator.keys().size() == 5);
}

// A request whose head, with the empty line, has `size` bytes.
std::string request_with_head_of(std::size_t size, const std::string& key) {
    auto const without = raw::request("GET", "/v1/users/info", {{"ApiKey", key}, {"X", ""}}).size();
    return raw::request("GET", "/v1/users/info", {{"ApiKey", key}, {"X", std::string(size - without, 'x')}});
}

TEST_CASE("bad bodies: a head beyond the bound gets 431, and one of just that size does not") {
    auto options = bad_bodies_options();
    options.max_header_bytes = 4'000;
    Emulator emulator(options);
    raw::Client bystander(emulator, admin_key(emulator));
    {
        raw::Connection connection(emulator);
        for (int i = 0; i < 3; ++i) {
            connection.send(request_with_head_of(4'000, admin_key(emulator)));
            CHECK(connection.receive().status == 200);
        }
    }
    std::string many;
    for (int i = 0; i < 5'000; ++i)
        many += "X: y\r\n";
    std::string const heads[] = {
        request_with_head_of(4'001, admin_key(emulator)),
        request_with_head_of(40'000, admin_key(emulator)),
        raw::request("GET", "/" + std::string(8'000, 'a')),
        std::string(8'000, 'A') + " / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\n" + many + "\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\n" + std::string(8'000, 'N') + ": y\r\n\r\n",
    };
    for (auto const& text : heads) {
        CAPTURE(text.size());
        CAPTURE(text.substr(0, 60));
        raw::Connection connection(emulator);
        connection.send(text);
        auto const response = connection.receive();
        CHECK(response.status == 431);
        CHECK(response.headers.at("connection") == "close");
        CHECK(message_of_error(response).find("4000") != std::string::npos);
        CHECK(connection.receive_all().empty());
        CHECK(bystander.get("/v1/users/info").status == 200);
    }
}

// What a request is answered with that begins so and goes on, piece after piece, without an end.
int status_of_endless(const Emulator& emulator, const std::string& begin, const std::string& piece) {
    raw::Connection connection(emulator);
    auto taken = connection.send(begin);
    for (int i = 0; taken && i < 100; ++i)
        taken = connection.send(piece);
    return connection.receive().status;
}

TEST_CASE("bad bodies: the framing of a body is bounded, too") {
    auto options = bad_bodies_options();
    options.request_timeout = std::chrono::seconds{3};
    Emulator emulator(options);
    constexpr std::size_t piece = 4'096;
    std::string lines;
    while (lines.size() < piece)
        lines += "X: " + std::string(59, 'x') + "\r\n";

    // Every piece ends three bytes into a line: then nothing of it is left over but those three.
    std::string begin = "GET / HTTP/1.1\r\nHost: localhost\r\nY: ";
    begin += std::string(253 - 2 - begin.size(), 'y') + "\r\n";
    CHECK(status_of_endless(emulator, begin + lines.substr(0, 3), lines.substr(3) + "X: ") == 431);

    std::string const chunked =
        "POST /v1/apiKeys HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    CHECK(status_of_endless(emulator, chunked + "2;name=", std::string(piece, 'x')) >= 400);
    CHECK(status_of_endless(emulator, chunked + "0;name=", std::string(piece, 'x')) >= 400);
    CHECK(status_of_endless(emulator, chunked + "2\r\n{}\r\n0\r\n", lines) >= 400);
    CHECK(status_of_endless(emulator, chunked, std::string(piece, '0')) >= 400);
}

// A few bytes changed, taken out, put in, doubled or cut off.
std::string mutated(std::string text, sample::Random& random) {
    static constexpr std::string_view pieces[] = {"\r\n", "\n",   "\r\n\r\n", " ",    ":",  "%",
                                                  "%00",  "\"",   "{",        "}}",   ",",  "HTTP/1.0",
                                                  "0",    "99",   "-",        "\xFF", "\\", "chunked",
                                                  "Host", "HEAD", "null",     "[",    "\t", "Expect: x\r\n"};
    for (auto n = 1 + random.below(4); n > 0; --n) {
        auto const at = random.below(text.size() + 1);
        auto const length = random.below(8);
        switch (random.below(6)) {
            case 0:
                text.replace(at, 1, 1, static_cast<char>(random.below(256)));
                break;
            case 1:
                text.erase(at, length);
                break;
            case 2:
                text.insert(at, pieces[random.below(std::size(pieces))]);
                break;
            case 3:
                text.insert(at, text.substr(at, 4 * length));
                break;
            case 4:
                if (random.one_in(4)) text.resize(at);
                break;
            default:
                std::reverse(text.begin() + static_cast<std::ptrdiff_t>(at),
                             text.begin() + static_cast<std::ptrdiff_t>(std::min(at + length, text.size())));
        }
    }
    return text;
}

TEST_CASE("bad bodies: whatever becomes of a good request, it is answered or the connection closes") {
    Emulator emulator(bad_bodies_options());
    raw::Client bystander(emulator, admin_key(emulator));
    std::string const good = raw::request(
        "PUT", "/v1/apiKeys/" + emulator.keys()[3].uid + "?a=b", {{"ApiKey", admin_key(emulator)}},
        R"({"metadata":{"name":"x","annotations":{"a":"b"}},"spec":{"expiry":"2099-01-01T00:00:00Z"}})");
    sample::Random random(3);
    int refused = 0;
    for (int i = 0; i < 600; ++i) {
        auto const text = mutated(good, random);
        CAPTURE(i);
        CAPTURE(text);
        raw::Connection connection(emulator);
        connection.send(text);
        connection.finish_sending();
        while (connection.end() == raw::End::none) {
            auto const response = connection.receive();
            if (response.status == 0) break;
            CHECK((response.status == 100 || response.status / 100 == 2 || response.status / 100 == 4));
            if (response.status < 400 || text.find("HEAD") != std::string::npos) continue;
            CHECK_FALSE(message_of_error(response).empty());
            ++refused;
        }
        CHECK(connection.end() != raw::End::late);
    }
    CHECK(refused > 100);
    CHECK(bystander.get("/v1/users/info").status == 200);
    CHECK(bystander.put("/v1/apiKeys/" + emulator.keys()[3].uid, R"({"metadata":{"name":"y"}})").status ==
          204);
}

}  // namespace bad_bodies_test
