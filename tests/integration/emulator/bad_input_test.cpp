// SPDX-License-Identifier: BSL-1.0
#include "support/raw_http.hpp"

#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <chrono>
#include <set>
#include <string>
#include <string_view>
#include <thread>

namespace bad_input_test {

using palette::testing::Emulator;
using palette::testing::RateLimit;
using palette::testing::Role;

// An emulator, and somebody who behaves well and expects to be served whatever others do.
struct BadInputScene {
    Emulator emulator{{.plain_http = true, .rate_limit = RateLimit::off()}};
    std::string key{emulator.user(Role::tenant_admin).api_key.expose()};
    raw::Client bystander{emulator, key};

    [[nodiscard]] std::string good_request() const {
        return raw::request("GET", "/v1/users/info", {{"ApiKey", key}});
    }
    void check_bystander() { CHECK(bystander.get("/v1/users/info").status == 200); }
};

void check_error(const raw::Response& response, int status) {
    CHECK(response.status == status);
    REQUIRE(response.complete);
    CHECK(response.headers.at("content-type") == "application/json");
    auto const error = boost::json::parse(response.body).as_object();
    CHECK_FALSE(error.at("code").as_string().empty());
    CHECK_FALSE(error.at("message").as_string().empty());
    CHECK_FALSE(error.at("ref").as_string().empty());
}

std::string with_head(std::string_view lines, std::string_view body = {}) {
    return "POST /v1/apiKeys HTTP/1.1\r\nHost: 127.0.0.1\r\n" + std::string(lines) + "\r\n" +
           std::string(body);
}

TEST_CASE("bad input: what is not HTTP 1.1 gets 400 and the connection closes") {
    using namespace std::string_literals;
    std::string const malformed[] = {
        "GET /v1/apiKeys\r\n\r\n",
        "GET /v1/apiKeys HTTP/1.1 more\r\nHost: 127.0.0.1\r\n\r\n",
        "GET  /v1/apiKeys HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        "GET /v1/api Keys HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        "GET /v1/\x01 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        "GET /v1/apiKeys HTTP/1.x\r\nHost: 127.0.0.1\r\n\r\n",
        "GET /v1/apiKeys HTTP/1.2\r\nHost: 127.0.0.1\r\n\r\n",
        "GET /v1/apiKeys HTTP/3.0\r\nHost: 127.0.0.1\r\n\r\n",
        "GET /v1/apiKeys JTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        "G(T /v1/apiKeys HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        " /v1/apiKeys HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET /v1/apiKeys HTTP/1.1\nHost: 127.0.0.1\n\n",
        "\0\0\0\0\0\0\0\0"s,
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s,
        with_head("X: a\0b\r\n"s),
        with_head("X: a\rb\r\n"),
        with_head("X: a\nb\r\n"),
        with_head("no colon\r\n"),
        with_head("X : space before the colon\r\n"),
        with_head(": no name\r\n"),
        with_head("X\x7F: y\r\n"),
        "GET / HTTP/1.1\r\n Host: 127.0.0.1\r\n\r\n",
        with_head("Content-Length: -1\r\n", "{}"),
        with_head("Content-Length: +2\r\n", "{}"),
        with_head("Content-Length: 0x2\r\n", "{}"),
        with_head("Content-Length: 2 2\r\n", "{}"),
        with_head("Content-Length:\r\n"),
        with_head("Content-Length: two\r\n", "{}"),
        with_head("Content-Length: 18446744073709551616\r\n", "{}"),
        with_head("Content-Length: 2\r\nContent-Length: 3\r\n", "{}"),
        with_head("Content-Length: 2, 3\r\n", "{}"),
        with_head("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"),
        with_head("Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", "2\r\n{}\r\n0\r\n\r\n"),
        with_head("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        with_head("Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n0\r\n\r\n"),
        with_head("Transfer-Encoding: chunked\r\n", "-2\r\n{}\r\n0\r\n\r\n"),
        with_head("Transfer-Encoding: chunked\r\n", "\r\n{}\r\n0\r\n\r\n"),
        with_head("Transfer-Encoding: chunked\r\n", "11111111111111111\r\n{}\r\n0\r\n\r\n"),
        with_head("Transfer-Encoding: chunked\r\n", "2\r\n{}too long\r\n0\r\n\r\n"),
        with_head("Transfer-Encoding: chunked\r\n", "2 {}\r\n0\r\n\r\n"),
        with_head("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\nno colon\r\n\r\n"),
    };
    BadInputScene scene;
    for (auto const& text : malformed) {
        CAPTURE(text);
        raw::Connection connection(scene.emulator);
        connection.send(text);
        auto const response = connection.receive();
        check_error(response, 400);
        CHECK(response.headers.at("connection") == "close");
        CHECK(connection.receive_all().empty());
        CHECK(connection.end() == raw::End::closed);
        scene.check_bystander();
    }
    CHECK(scene.emulator.keys().size() == 4);
}

TEST_CASE("bad input: a complete request that is wrong is answered, and so is the next on its connection") {
    struct {
        std::string_view line;
        std::string_view headers;
        int status;
    } const table[] = {
        {"GET /v1/users/info HTTP/1.1", "", 400},
        {"GET /v1/users/info HTTP/1.1", "Host: 127.0.0.1\r\nHost: 127.0.0.1\r\n", 400},
        {"GET /v1/users/info HTTP/1.1", "Host: 127.0.0.1\r\nHOST: evil.test\r\n", 400},
        {"GET /v1/apiKeys/% HTTP/1.1", "Host: 127.0.0.1\r\n", 400},
        {"GET /v1/apiKeys/%2 HTTP/1.1", "Host: 127.0.0.1\r\n", 400},
        {"GET /v1/apiKeys/%zz HTTP/1.1", "Host: 127.0.0.1\r\n", 400},
        {"GET /v1/apiKeys/%+1 HTTP/1.1", "Host: 127.0.0.1\r\n", 400},
        {"GET /v1/apiKeys/%-1 HTTP/1.1", "Host: 127.0.0.1\r\n", 400},
        {"GET /v1/apiKeys/%%41 HTTP/1.1", "Host: 127.0.0.1\r\n", 400},
        {"GET /v1/users?limit=% HTTP/1.1", "Host: 127.0.0.1\r\n", 400},
        {"GET /v1/users?%zz=1 HTTP/1.1", "Host: 127.0.0.1\r\n", 400},
        {"GET /v1/users?limit=-1 HTTP/1.1", "Host: 127.0.0.1\r\n", 400},
        {"GET /v1/users?limit=many HTTP/1.1", "Host: 127.0.0.1\r\n", 400},
        {"GET /v1/users?limit=99999999999999999999999 HTTP/1.1", "Host: 127.0.0.1\r\n", 400},
        {"GET /v1/users?offset=1e3 HTTP/1.1", "Host: 127.0.0.1\r\n", 400},
        {"GET /v1/users?continue=%20 HTTP/1.1", "Host: 127.0.0.1\r\n", 400},
        {"GET ftp://localhost/v1/users/info HTTP/1.1", "Host: 127.0.0.1\r\n", 400},
        {"GET v1/users/info HTTP/1.1", "Host: 127.0.0.1\r\n", 400},
        {"OPTIONS * HTTP/1.1", "Host: 127.0.0.1\r\n", 400},
        {"CONNECT 127.0.0.1:443 HTTP/1.1", "Host: 127.0.0.1\r\n", 400},
        {"GET / HTTP/1.1", "Host: 127.0.0.1\r\n", 404},
        {"GET /v1 HTTP/1.1", "Host: 127.0.0.1\r\n", 404},
        {"GET /v2/apiKeys HTTP/1.1", "Host: 127.0.0.1\r\n", 404},
        {"GET /v1/apikeys HTTP/1.1", "Host: 127.0.0.1\r\n", 404},
        {"GET /v1/apiKeys/ HTTP/1.1", "Host: 127.0.0.1\r\n", 404},
        {"GET //v1/apiKeys HTTP/1.1", "Host: 127.0.0.1\r\n", 404},
        {"GET /v1//apiKeys HTTP/1.1", "Host: 127.0.0.1\r\n", 404},
        {"GET /v1/users/../apiKeys HTTP/1.1", "Host: 127.0.0.1\r\n", 404},
        {"GET /v1/%2e%2e/v1/apiKeys HTTP/1.1", "Host: 127.0.0.1\r\n", 404},
        {"GET /v1/apiKeys/.. HTTP/1.1", "Host: 127.0.0.1\r\n", 404},
        {"GET /v1/apiKeys/%00 HTTP/1.1", "Host: 127.0.0.1\r\n", 404},
        {"GET /v1/apiKeys/%FF%FE HTTP/1.1", "Host: 127.0.0.1\r\n", 404},
        {"GET /v1/apiKeys/\xFF HTTP/1.1", "Host: 127.0.0.1\r\n", 404},
        {"GET /v1/apiKeys/x/state/y HTTP/1.1", "Host: 127.0.0.1\r\n", 404},
        {"POST /v1/auth/logout HTTP/1.1", "Host: 127.0.0.1\r\n", 404},
    };
    BadInputScene scene;
    raw::Connection connection(scene.emulator);
    for (auto const& [line, headers, status] : table) {
        CAPTURE(line);
        CAPTURE(headers);
        connection.send(std::string(line) + "\r\n" + std::string(headers) + "ApiKey: " + scene.key +
                        "\r\n\r\n");
        check_error(connection.receive(), status);
        connection.send(scene.good_request());
        CHECK(connection.receive().status == 200);
        scene.check_bystander();
    }
}

TEST_CASE("bad input: an encoded slash is part of the uid and not of the path") {
    BadInputScene scene;
    auto const uid = scene.emulator.keys()[3].uid;
    raw::Client admin(scene.emulator, scene.key);
    check_error(admin.put("/v1/apiKeys/" + uid + "%2Fstate", R"({"isActive":false})"), 404);
    CHECK(scene.emulator.keys()[3].is_active);
    auto const encoded = "/v1/%61piKeys/%" + std::string(uid[0] < 'a' ? "3" : "6") +
                         std::string(1, static_cast<char>(uid[0] < 'a' ? uid[0] : uid[0] - 'a' + '1')) +
                         uid.substr(1);
    CHECK(admin.get(encoded).status == 200);
}

TEST_CASE("bad input: a method that a path does not know gets 405 with those that it knows") {
    struct {
        std::string_view path;
        std::set<std::string> allowed;
    } const table[] = {
        {"/v1/apiKeys", {"GET", "HEAD", "POST"}},
        {"/v1/apiKeys/0123456789abcdef01234567", {"GET", "HEAD", "PUT", "PATCH", "DELETE"}},
        {"/v1/apiKeys/0123456789abcdef01234567/state", {"PUT"}},
        {"/v1/auth/authenticate", {"POST"}},
        {"/v1/auth/refresh/token", {"GET", "HEAD"}},
        {"/v1/users/info", {"GET", "HEAD"}},
        {"/v1/users", {"GET", "HEAD"}},
        {"/v1/users/0123456789abcdef01234567", {"GET", "HEAD"}},
        {"/v1/audits", {"GET", "HEAD"}},
        {"/v1/tenants/0123456789abcdef01234567/resourceLimits", {"GET", "HEAD"}},
    };
    std::string_view const methods[] = {"GET",  "HEAD",    "POST",  "PUT", "PATCH", "DELETE",
                                        "LINK", "OPTIONS", "TRACE", "get", "Get",   "PROPFIND"};
    BadInputScene scene;
    raw::Client admin(scene.emulator, scene.key);
    for (auto const& [path, allowed] : table) {
        for (auto const method : methods) {
            CAPTURE(path);
            CAPTURE(method);
            auto const response = admin.call(method, path);
            CHECK((response.status == 405) == !allowed.contains(std::string(method)));
            if (response.status != 405) continue;
            if (method != "HEAD") check_error(response, 405);
            std::set<std::string> told;
            auto rest = response.headers.at("allow");
            for (auto comma = rest.find(", "); comma != std::string::npos; comma = rest.find(", ")) {
                told.insert(rest.substr(0, comma));
                rest.erase(0, comma + 2);
            }
            told.insert(rest);
            CHECK(told == allowed);
        }
    }
}

TEST_CASE("bad input: HEAD is answered as GET, without the body") {
    BadInputScene scene;
    for (std::string_view const path :
         {"/v1/users/info", "/v1/apiKeys", "/v1/users?limit=2", "/v1/nothing"}) {
        CAPTURE(path);
        raw::Connection connection(scene.emulator);
        connection.send(raw::request("GET", path, {{"ApiKey", scene.key}}));
        auto const get = connection.receive();
        connection.send(raw::request("HEAD", path, {{"ApiKey", scene.key}}) + scene.good_request());
        auto const head = connection.receive(true);
        CHECK(head.status == get.status);
        CHECK(head.headers.at("content-type") == get.headers.at("content-type"));
        CHECK(head.headers.at("content-length") == get.headers.at("content-length"));
        CHECK(connection.receive().status == 200);
    }
}

TEST_CASE("bad input: absolute targets are served as others are") {
    BadInputScene scene;
    raw::Client admin(scene.emulator, scene.key);
    for (std::string_view const origin :
         {"http://127.0.0.1", "https://localhost", "HTTP://LOCALHOST:80", "http://[::1]:8443"}) {
        CAPTURE(origin);
        auto const response = admin.get(std::string(origin) + "/v1/users?limit=1");
        REQUIRE(response.status == 200);
        CHECK(boost::json::parse(response.body).at("listmeta").at("limit").as_int64() == 1);
    }
    CHECK(scene.emulator.requests().back().path == "/v1/users");
}

TEST_CASE("bad input: a body may come in chunks, with extensions and trailers") {
    BadInputScene scene;
    raw::Connection connection(scene.emulator);
    std::string chunks;
    for (char const c : std::string_view(R"({"metadata":{"name":"in chunks"}})"))
        chunks += std::string("01;name=value;q=\"a b\"\r\n") + c + "\r\n";
    connection.send(with_head("ApiKey: " + scene.key + "\r\nTransfer-Encoding: chunked\r\n",
                              chunks + "000;last\r\nX-Sum: 1\r\n\r\n") +
                    scene.good_request());
    CHECK(connection.receive().status == 201);
    CHECK(connection.receive().status == 200);
    CHECK(scene.emulator.keys()[4].name == "in chunks");
}

TEST_CASE("bad input: a chunked body may come byte by byte, and be empty") {
    BadInputScene scene;
    raw::Connection connection(scene.emulator);
    for (std::string_view const body :
         {"0\r\n\r\n", "0\r\nX: y\r\n\r\n", "2\r\n{}\r\n0\r\n\r\n", "1\r\n\r\r\n0\r\n\r\n"}) {
        CAPTURE(body);
        connection.send(with_head("ApiKey: " + scene.key + "\r\nTransfer-Encoding: chunked\r\n"));
        for (char const c : body) {
            connection.send(std::string_view(&c, 1));
            std::this_thread::yield();
        }
        CHECK(connection.receive().status == 400);
    }
}

TEST_CASE("bad input: a transfer coding that is not known is refused, and what follows is no request") {
    BadInputScene scene;
    for (std::string_view const coding : {"gzip", "identity", "xchunked", "chunked, gzip", "gzip, chunked"}) {
        CAPTURE(coding);
        raw::Connection connection(scene.emulator);
        auto const before = scene.emulator.keys().size();
        std::string const hidden = R"({"metadata":{"name":"hidden"}})";
        auto const create = raw::request("POST", "/v1/apiKeys", {{"ApiKey", scene.key}}, hidden);
        connection.send("GET /v1/users/info HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: " +
                        std::string(coding) + "\r\n\r\n" + create);
        connection.finish_sending();
        auto const response = connection.receive();
        CHECK((response.status == 400 || response.status == 501));
        connection.receive_all();
        CHECK(scene.emulator.keys().size() == before);
    }
}

TEST_CASE("bad input: requests that come together are answered in their order") {
    BadInputScene scene;
    std::string together;
    for (int i = 1; i <= 40; ++i) {
        together += raw::request("GET", "/v1/users?limit=" + std::to_string(i), {{"ApiKey", scene.key}});
        together += raw::request("POST", "/v1/apiKeys", {{"ApiKey", scene.key}}, "{}");
        together += raw::request("GET", "/v1/nothing" + std::to_string(i));
    }
    raw::Connection connection(scene.emulator);
    connection.send(together);
    for (int i = 1; i <= 40; ++i) {
        auto const list = connection.receive();
        REQUIRE(list.status == 200);
        CHECK(boost::json::parse(list.body).at("listmeta").at("limit").as_int64() == i);
        check_error(connection.receive(), 400);
        check_error(connection.receive(), 404);
    }
}

TEST_CASE("bad input: after Connection: close and after HTTP 1.0 the connection closes") {
    BadInputScene scene;
    std::string const requests[] = {
        raw::request("GET", "/v1/users/info", {{"ApiKey", scene.key}, {"Connection", "close"}}),
        raw::request("GET", "/v1/users/info", {{"ApiKey", scene.key}, {"Connection", "x, Close"}}),
        "GET /v1/users/info HTTP/1.0\r\nApiKey: " + scene.key + "\r\n\r\n",
        "GET /v1/users/info HTTP/1.0\r\nHost: localhost\r\nApiKey: " + scene.key + "\r\n\r\n",
    };
    for (auto const& text : requests) {
        CAPTURE(text);
        auto const before = scene.emulator.request_count();
        raw::Connection connection(scene.emulator);
        connection.send(text + scene.good_request());
        auto const response = connection.receive();
        CHECK(response.status == 200);
        CHECK(response.headers.at("connection") == "close");
        CHECK(connection.receive_all().empty());
        CHECK(connection.end() == raw::End::closed);
        CHECK(scene.emulator.request_count() == before + 1);
    }
}

TEST_CASE("bad input: an HTTP 1.0 client that asks to keep the connection is told whether it is kept") {
    BadInputScene scene;
    raw::Connection connection(scene.emulator);
    connection.send("GET /v1/users/info HTTP/1.0\r\nConnection: keep-alive\r\nApiKey: " + scene.key +
                    "\r\n\r\n");
    auto const response = connection.receive();
    CHECK(response.status == 200);
    REQUIRE(response.headers.contains("connection"));
    auto const told = response.headers.at("connection");
    CHECK((told == "keep-alive" || told == "close"));
}

TEST_CASE("bad input: who expects 100-continue gets it before the body, and HTTP 1.0 never does") {
    BadInputScene scene;
    std::string const body = R"({"metadata":{"name":"expected"}})";
    auto const head = with_head("ApiKey: " + scene.key + "\r\nExpect: 100-continue\r\nContent-Length: " +
                                std::to_string(body.size()) + "\r\n");
    raw::Connection connection(scene.emulator, {.timeout = std::chrono::seconds{3}});
    connection.send(head);
    CHECK(connection.receive().status == 100);
    connection.send(body);
    CHECK(connection.receive().status == 201);

    connection.send(head + body);
    auto response = connection.receive();
    if (response.status == 100) response = connection.receive();
    CHECK(response.status == 201);
    connection.send(with_head("Expect: 100-continue\r\nContent-Length: 0\r\n"));
    CHECK(connection.receive().status == 401);

    raw::Connection old(scene.emulator);
    old.send("POST /v1/apiKeys HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    old.send("{}");
    check_error(old.receive(), 401);
}

}  // namespace bad_input_test
