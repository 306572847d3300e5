// SPDX-License-Identifier: BSL-1.0
#include "support/raw_http.hpp"

#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <initializer_list>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace guards_test {

using palette::testing::Emulator;
using palette::testing::RateLimit;
using palette::testing::Role;

struct GuardsScene {
    Emulator emulator{{.plain_http = true, .rate_limit = RateLimit::off()}};
    std::string key{emulator.user(Role::tenant_admin).api_key.expose()};
    std::string password{emulator.user(Role::tenant_admin).password.expose()};
    std::string token = raw::copy_of(emulator.sign_in(emulator.user(Role::tenant_admin).uid));
    raw::Connection connection{emulator};

    raw::Response exchange(const std::string& text) {
        connection.send(text);
        return connection.receive();
    }
    // GET, with just these headers.
    raw::Response get(std::string_view target, std::string_view headers) {
        return exchange("GET " + std::string(target) + " HTTP/1.1\r\n" + std::string(headers) + "\r\n");
    }
    [[nodiscard]] std::string log_in_body() const {
        auto const& email = emulator.user(Role::tenant_admin).email;
        return boost::json::serialize(boost::json::object{{"emailId", email}, {"password", password}});
    }
};

std::string percent_encoded_whole(std::string_view text) {
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string out;
    for (char const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        out += {'%', digits[byte >> 4], digits[byte & 15]};
    }
    return out;
}

TEST_CASE("guards: a request that a web page could send is refused, and changes nothing") {
    GuardsScene scene;
    auto const port = std::to_string(scene.emulator.port());
    std::string const origins[] = {
        "https://evil.test", "http://127.0.0.1:" + port, "http://localhost", "null", "",
    };
    struct {
        std::string_view method;
        std::string path;
        std::string body;
    } const requests[] = {
        {"GET", "/v1/apiKeys", ""},
        {"POST", "/v1/apiKeys", R"({"metadata":{"name":"x"}})"},
        {"DELETE", "/v1/apiKeys/" + scene.emulator.keys()[3].uid, ""},
        {"PUT", "/v1/apiKeys/" + scene.emulator.keys()[3].uid + "/state", R"({"isActive":false})"},
        {"POST", "/v1/auth/authenticate", scene.log_in_body()},
        {"GET", "/v1/auth/refresh/" + scene.token, ""},
        {"OPTIONS", "/v1/apiKeys", ""},
        {"GET", "/v1/nothing", ""},
    };
    for (auto const& origin : origins) {
        for (auto const& [method, path, body] : requests) {
            CAPTURE(origin);
            CAPTURE(path);
            auto const response =
                scene.exchange(raw::request(method, path, {{"ApiKey", scene.key}, {"oRiGiN", origin}}, body));
            CHECK(response.status == 403);
            CHECK(boost::json::parse(response.body).at("code").as_string() == "Forbidden");
            for (auto const& [name, value] : response.headers)
                CHECK_FALSE(name.starts_with("access-control-"));
        }
    }
    CHECK(scene.emulator.keys().size() == 4);
    CHECK(scene.emulator.keys()[3].is_active);
}

TEST_CASE("guards: a Host that is not this machine is refused, whatever it looks like") {
    std::string_view const hosts[] = {
        "evil.test",
        "evil.test:443",
        "EVIL.TEST",
        "evil.test.",
        "127.0.0.1.evil.test",
        "127.0.0.1.nip.io",
        "localhost.evil",
        "evillocalhost",
        "localhost.localnet",
        "localhost@evil.test",
        "evil.test@evil",
        "localhost, evil.test",
        "localhost evil.test",
        "10.0.0.1",
        "0.0.0.0",
        "128.0.0.1",
        "126.255.255.255:80",
        "255.255.255.255",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "127.0.0.1.1",
        "[::]",
        "[::2]:80",
        "[2001:db8::1]",
        "[::ffff:10.0.0.1]",
        "[fe80::1]",
        "evil.test/localhost",
        "evil.test?@localhost",
        "[::1",
        "*",
        "%31%32%37.0.0.1",
        "evil.test#@localhost/",
        "loc\xC4\xB1lhost",
        "xn--localhost-",
    };
    GuardsScene scene;
    for (auto const host : hosts) {
        CAPTURE(host);
        auto const header = "Host: " + std::string(host) + "\r\n";
        CHECK(scene.get("/v1/users/info", header + "ApiKey: " + scene.key + "\r\n").status == 403);
        CHECK(scene.get("/v1/users/info", header).status == 403);
        CHECK(scene.get("/v1/nothing", header).status == 403);
        CHECK(scene.exchange("GET /v1/users/info HTTP/1.0\r\nConnection: keep-alive\r\n" + header + "\r\n")
                  .status == 403);
    }
}

TEST_CASE("guards: a Host that is no host is refused as well") {
    GuardsScene scene;
    for (std::string_view const host :
         {"[::1]evil.test", "[::1].evil.test:80", "localhost:evil.test", "127.0.0.1:80:80", "localhost:-1",
          "localhost:65536", "[localhost]", "[127.0.0.1]", "::1", "[::1%25evil]"}) {
        CAPTURE(host);
        auto const status =
            scene.get("/v1/users/info", "Host: " + std::string(host) + "\r\nApiKey: " + scene.key + "\r\n")
                .status;
        CHECK((status == 403 || status == 400));
    }
}

TEST_CASE("guards: a Host that is this machine is served, in every form") {
    GuardsScene scene;
    for (std::string_view const host :
         {"127.0.0.1", "127.0.0.1:1", "127.255.255.254", "localhost", "LOCALHOST:8443", "LocalHost", "[::1]",
          "[::1]:443", "[0:0:0:0:0:0:0:1]"}) {
        CAPTURE(host);
        auto const headers = "hOST:\t " + std::string(host) + " \t\r\nApiKey: " + scene.key + "\r\n";
        CHECK(scene.get("/v1/users/info", headers).status == 200);
    }
}

TEST_CASE("guards: the host of an absolute target counts, and so does the Host beside it") {
    struct {
        std::string_view target;
        std::string_view host;
        int status;
    } const table[] = {
        {"http://127.0.0.1/v1/users/info", "localhost:80", 200},
        {"https://LOCALHOST:1/v1/users/info", "[::1]", 200},
        {"http://[::1]:80/v1/users/info", "127.0.0.1", 200},
        {"http://evil.test/v1/users/info", "127.0.0.1", 403},
        {"https://evil.test:443/v1/users/info", "127.0.0.1", 403},
        {"HTTPS://EVIL.TEST./v1/users/info", "127.0.0.1", 403},
        {"http://localhost@evil.test/v1/users/info", "127.0.0.1", 403},
        {"http://[2001:db8::1]/v1/users/info", "127.0.0.1", 403},
        {"http://127.0.0.1/v1/users/info", "evil.test", 403},
        {"http://localhost/v1/users/info", "evil.test:80", 403},
    };
    GuardsScene scene;
    for (auto const& [target, host, status] : table) {
        CAPTURE(target);
        CAPTURE(host);
        auto const headers = "Host: " + std::string(host) + "\r\nApiKey: " + scene.key + "\r\n";
        CHECK(scene.get(target, headers).status == status);
    }
}

TEST_CASE("guards: only a good credential in its own header lets anybody in") {
    GuardsScene scene;
    auto changed = scene.key;
    changed.back() = changed.back() == 'a' ? 'b' : 'a';
    std::string small = scene.key;
    for (auto& c : small)
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    REQUIRE(small != scene.key);
    struct {
        std::string headers;
        int status;
    } const table[] = {
        {"", 401},
        {"ApiKey: \r\n", 401},
        {"ApiKey: nonsense\r\n", 401},
        {"ApiKey: " + changed + "\r\n", 401},
        {"ApiKey: " + small + "\r\n", 401},
        {"ApiKey: " + scene.key.substr(1) + "\r\n", 401},
        {"ApiKey: " + scene.key + "x\r\n", 401},
        {"ApiKey: \"" + scene.key + "\"\r\n", 401},
        {"ApiKey: " + scene.key + ", " + scene.key + "\r\n", 401},
        {"ApiKey: " + std::string(8'000, 'x') + "\r\n", 401},
        {"ApiKey: \xFF\xFE\r\n", 401},
        {"ApiKey: " + scene.token + "\r\n", 401},
        {"ApiKey: " + scene.password + "\r\n", 401},
        {"Authorization: " + scene.key + "\r\n", 401},
        {"Authorization: ApiKey " + scene.key + "\r\n", 401},
        {"Authorization: Bearer " + scene.key + "\r\n", 401},
        {"Authorization: Basic YWRtaW46YWRtaW4=\r\n", 401},
        {"X-Api-Key: " + scene.key + "\r\n", 401},
        {"Api-Key: " + scene.key + "\r\n", 401},
        {"Cookie: ApiKey=" + scene.key + "; Authorization=" + scene.token + "\r\n", 401},
        {"ApiKey: " + changed + "\r\nAuthorization: " + scene.token + "\r\n", 401},
        {"ApiKey: \r\nAuthorization: " + scene.token + "\r\n", 401},
        {"ApiKey: " + scene.key + "\r\nApiKey: " + scene.key + "\r\n", 400},
        {"ApiKey: " + changed + "\r\napikey: " + scene.key + "\r\n", 400},
        {"Authorization: " + scene.token + "\r\nAUTHORIZATION: " + scene.token + "\r\n", 400},
        {"ApiKey: " + scene.key + "\r\nAuthorization: x\r\nAuthorization: y\r\n", 400},
        {"ApiKey: " + scene.key + "\r\n", 200},
        {"apikey:" + scene.key + "\r\n", 200},
        {"APIKEY: \t" + scene.key + " \r\n", 200},
        {"Authorization: " + scene.token + "\r\n", 200},
        {"ApiKey: " + scene.key + "\r\nAuthorization: " + changed + "\r\n", 200},
    };
    for (auto const& [headers, status] : table) {
        CAPTURE(headers.substr(0, 100));
        for (auto const* const path : {"/v1/users/info", "/v1/apiKeys", "/v1/users", "/v1/apiKeys/0"}) {
            auto const response = scene.get(path, "Host: localhost\r\n" + headers);
            CHECK(response.status == (status == 200 && std::string_view(path).ends_with('0') ? 404 : status));
            for (auto const& secret : {scene.key, changed, scene.token, scene.password})
                CHECK(response.body.find(secret) == std::string::npos);
        }
    }
    CHECK(scene.get("/v1/users/info?ApiKey=" + scene.key, "Host: localhost\r\n").status == 401);
}

TEST_CASE("guards: a credential in a trailer is none") {
    GuardsScene scene;
    CHECK(scene
              .get("/v1/users/info",
                   "Host: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nApiKey: " + scene.key + "\r\n")
              .status == 401);
}

std::string all_that_is_told_of(const palette::testing::ReceivedRequest& request) {
    auto told = request.source + ' ' + request.method + ' ' + request.path + ' ' + request.user_uid + ' ' +
                request.faults + '\n';
    for (auto const& map : {request.query, request.headers})
        for (auto const [name, value] : map)
            told += std::string(name) + '=' + std::string(value) + '\n';
    return told;
}

void check_tells_no_secret(const GuardsScene& scene, std::string_view text) {
    for (auto const& secret : {scene.key, scene.token, scene.password}) {
        CHECK(text.find(secret) == std::string_view::npos);
        CHECK(text.find(percent_encoded_whole(secret)) == std::string_view::npos);
    }
}

TEST_CASE("guards: neither the list of requests nor a response shows a credential") {
    GuardsScene scene;
    std::string answers;
    auto const send = [&](const std::string& text) { answers += scene.exchange(text).body + '\n'; };
    auto const get = [&](const std::string& target) {
        send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\nApiKey: " + scene.key + "\r\n\r\n");
    };
    for (auto const& secret : {scene.key, scene.token, scene.password}) {
        for (std::string_view const header :
             {"ApiKey", "Authorization", "X-Api-Key", "Cookie", "Proxy-Authorization", "Referer"})
            send(raw::request("GET", "/v1/users/info", {{header, secret}}));
        send(raw::request("GET", "/v1/users/info", {{"Authorization", "Bearer " + secret}}));
        send(raw::request("GET", "/v1/users/info", {{"ApiKey", secret}, {"ApiKey", secret}}));
        send(raw::request("POST", "/v1/auth/authenticate", {}, "{\"password\":\"" + secret + "\"}"));
        send(raw::request("POST", "/v1/auth/authenticate", {}, "{\"password\":\"" + secret));
        send(raw::request("POST", "/v1/auth/authenticate", {}, "{\"password\":[\"" + secret + "\"]}"));
        send(raw::request("POST", "/v1/apiKeys", {{"ApiKey", secret}}, "{\"metadata\":\"" + secret + "\"}"));
        get("/v1/auth/refresh/" + secret + "x");
        get("/v1/auth/refresh/" + secret + "/" + secret);
        get("/v1/auth/refresh/" + percent_encoded_whole(secret) + "x");
        get("/v1/users/info?ApiKey=" + secret);
        get("/v1/users/info?token=" + percent_encoded_whole(secret));
        get("/v1/apiKeys/" + secret + "%");
    }
    check_tells_no_secret(scene, answers);
    for (auto const& request : scene.emulator.requests())
        check_tells_no_secret(scene, all_that_is_told_of(request));
    CHECK(scene.emulator.request_count() > 50);
    CHECK(scene.emulator.requests().front().headers["apikey"] == "<redacted>");
    CHECK(scene.emulator.requests().front().headers["host"] == "127.0.0.1");
}

TEST_CASE("guards: a credential in a place where none belongs is not told either") {
    GuardsScene scene;
    std::string const secrets[] = {scene.key, scene.token};
    for (auto const& secret : secrets) {
        for (auto const& target : std::initializer_list<std::string>{
                 "/v1/apiKeys/" + secret, "/v1/apiKeys/" + secret + "/state", "/" + secret,
                 "/v1/users/" + secret, "/v1/users/info?" + secret, "/v1/users?limit=" + secret,
                 "/v1/users?continue=" + secret, "//v1/auth/refresh/" + secret, "/V1/auth/refresh/" + secret,
                 "/v1/auth/refres%68/" + secret, "/v1/auth/refresh%2F" + secret,
                 "http://localhost/v1/auth/refresh/" + secret}) {
            CAPTURE(target.substr(0, 60));
            scene.get(target, "Host: localhost\r\n");
            check_tells_no_secret(scene, all_that_is_told_of(scene.emulator.requests().back()));
        }
    }
}

TEST_CASE("guards: nothing can be controlled by HTTP") {
    GuardsScene scene;
    scene.emulator.faults().add("GET /v1/auth/refresh status:500");
    auto const before = scene.emulator.keys();
    std::string_view const paths[] = {
        "/",         "/faults",     "/v1/faults",     "/v1/emulator",    "/__admin",
        "/_control", "/v1/clock",   "/shutdown",      "/reset",          "/requests",
        "/metrics",  "/v1/tenants", "/v1/users/0/x",  "/v1/auth/logout", "/status",
        "/healthz",  "/v1/roles",   "/.well-known/x",
    };
    for (auto const path : paths) {
        for (auto const* const method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
            CAPTURE(path);
            auto const response = scene.exchange(raw::request(
                method, path, {{"ApiKey", scene.key}}, R"({"rule":"* / drop-before","time":"2099-01-01"})"));
            CHECK(response.status == 404);
        }
    }
    CHECK(scene.emulator.keys().size() == before.size());
    CHECK(scene.emulator.faults().injected() == 0);
    CHECK(scene.get("/v1/auth/refresh/x", "Host: localhost\r\n").status == 500);
}

TEST_CASE("guards: two emulators have nothing in common") {
    Emulator emulators[2];
    std::set<std::string> seen;
    for (auto const& emulator : emulators) {
        CHECK(seen.insert(emulator.tenant_uid()).second);
        CHECK(seen.insert(emulator.ca_pem()).second);
        CHECK(seen.insert(emulator.url()).second);
        for (auto const role :
             {Role::tenant_admin, Role::tenant_user_admin, Role::tenant_viewer, Role::user}) {
            auto const& user = emulator.user(role);
            CHECK(seen.insert(user.uid).second);
            CHECK(seen.insert(std::string(user.password.expose())).second);
            CHECK(seen.insert(std::string(user.api_key.expose())).second);
            CHECK(user.api_key.expose().size() == 32);
        }
        for (auto const& key : emulator.keys())
            CHECK(seen.insert(key.uid).second);
    }
    for (std::size_t i = 0; i < 2; ++i) {
        auto& mine = emulators[i];
        auto const& others = emulators[1 - i];
        auto const token = mine.sign_in(mine.user(Role::tenant_admin).uid);
        std::string const value(token.expose());
        raw::Client at_home(mine, "Authorization", value);
        CHECK(at_home.get("/v1/users/info").status == 200);
        CHECK(raw::Client(others, "Authorization", value).get("/v1/users/info").status == 401);
        CHECK(raw::Client(others, "").get("/v1/auth/refresh/" + value).status == 401);
        auto const key = mine.user(Role::tenant_admin).api_key.expose();
        CHECK(raw::Client(others, key).get("/v1/users/info").status == 401);
        auto const& admin = mine.user(Role::tenant_admin);
        auto const body = boost::json::serialize(
            boost::json::object{{"emailId", admin.email}, {"password", admin.password.expose()}});
        CHECK(raw::Client(mine, "").post("/v1/auth/authenticate", body).status == 200);
        CHECK(raw::Client(others, "").post("/v1/auth/authenticate", body).status == 401);
    }
}

}  // namespace guards_test
