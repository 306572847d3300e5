// SPDX-License-Identifier: BSL-1.0
#include "support/printed.hpp"

#include <palette/impl/net/tunnel.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace tunnel_test {

using namespace palette;
using impl::net::TunnelReply;

struct Scene {
    ClientOptions options;

    Scene() {
        options.endpoint = Endpoint::parse("palette.acme.com").value();
        options.proxy.url = "http://proxy.acme.com:3128";
    }

    impl::net::ProxyRoute route() {
        auto made = impl::net::route_of(options);
        REQUIRE_MESSAGE(made, made.error());
        REQUIRE(made->has_value());
        return std::move(**made);
    }
    std::string request() {
        Secret out;
        impl::net::render_connect(impl::net::tunnel_target(options.endpoint), route(), out);
        return std::string(out.expose());
    }
    bool is_direct() {
        auto const made = impl::net::route_of(options);
        REQUIRE_MESSAGE(made, made.error());
        return !made->has_value();
    }
    Error refusal() {
        auto const made = impl::net::route_of(options);
        REQUIRE_FALSE(made);
        CHECK(made.error().code() == errc::invalid_argument);
        CHECK_FALSE(contains(made.error().message(), "hunter2"));
        return made.error();
    }
    void set_password(std::string_view text) {
        options.proxy.password = std::make_shared<const Secret>(text);
    }
};

// How an answer is judged that comes in pieces of that size.
Result<void> verdict(std::string_view answer, std::size_t piece) {
    TunnelReply reply("the proxy p:1");
    std::string left;
    for (std::size_t at = 0; at < answer.size() && !reply.is_whole(); at += piece) {
        left += answer.substr(at, piece);
        left.erase(0, reply.take(left));
    }
    REQUIRE(reply.is_whole());
    return reply.verdict(left.size());
}

TEST_CASE_FIXTURE(Scene, "tunnel: the proxy is asked for the service's name and port, and told no more") {
    auto const text = request();
    CHECK(
        text.starts_with("CONNECT palette.acme.com:443 HTTP/1.1\r\nHost: palette.acme.com:443\r\n"
                         "User-Agent: palette-keys/"));
    CHECK(text.ends_with("\r\n\r\n"));
    CHECK_FALSE(contains(text, "Authorization"));

    options.endpoint = Endpoint::parse("[fd00::1]:8443").value();
    CHECK(request().starts_with("CONNECT [fd00::1]:8443 HTTP/1.1\r\nHost: [fd00::1]:8443\r\n"));
}

TEST_CASE_FIXTURE(Scene, "tunnel: user and password go to the proxy in the form of Basic authentication") {
    struct Row {
        const char* user;
        std::string_view password;
        const char* encoded;
    };
    static constexpr Row rows[] = {
        {"Aladdin", "open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
        {"robot", "", "cm9ib3Q6"},
        {"", "hunter2", "Omh1bnRlcjI="},
        {"test", "123\xc2\xa3", "dGVzdDoxMjPCow=="},
    };
    for (auto const& row : rows) {
        options.proxy.user = row.user;
        set_password(row.password);
        CHECK(contains(request(), "\r\nProxy-Authorization: Basic " + std::string(row.encoded) + "\r\n\r\n"));
    }
    options.proxy.user = "robot";
    options.proxy.password = nullptr;
    CHECK(contains(request(), "\r\nProxy-Authorization: Basic cm9ib3Q6\r\n"));
}

TEST_CASE_FIXTURE(Scene, "tunnel: plain HTTP and what the bypass covers go without the proxy") {
    CHECK_FALSE(is_direct());
    options.proxy.bypass = {"acme.com:8443"};
    CHECK_FALSE(is_direct());
    options.proxy.bypass = {"acme.com"};
    CHECK(is_direct());
    options.proxy.bypass.clear();
    options.endpoint = Endpoint::parse("http://127.0.0.1:8080").value();
    CHECK(is_direct());
    options.endpoint = Endpoint();
    CHECK_FALSE(is_direct());
    options.proxy = ProxyOptions();
    CHECK(is_direct());
}

TEST_CASE_FIXTURE(Scene, "tunnel: options that make no sense are refused, whether they are needed or not") {
    for (auto const* const endpoint : {"palette.acme.com", "http://127.0.0.1:8080"}) {
        options.endpoint = Endpoint::parse(endpoint).value();
        options.proxy = ProxyOptions();
        options.proxy.url = "https://proxy:3128";
        CHECK(refusal().path() == "proxy.url");
        options.proxy.url = "http://robot:hunter2@proxy:3128";
        CHECK(refusal().path() == "proxy.url");
        options.proxy.url = "http://proxy:3128";
        options.proxy.user = "ro:bot";
        CHECK(refusal().path() == "proxy.user");
        options.proxy.user = "robot";
        set_password("hunter2\r\nX: y");
        CHECK(refusal().path() == "proxy.user");
        set_password("hunter2");
        options.proxy.bypass = {"10.0.0.0/40"};
        CHECK(refusal().path() == "proxy.bypass");
        options.proxy.bypass.clear();
        options.proxy.url.clear();
        CHECK(refusal().path() == "proxy.url");
    }
}

TEST_CASE("tunnel: only a 2xx with nothing behind it opens one") {
    struct Row {
        std::string answer;
        const char* what;  // empty: opens it
        int status;
    };
    std::string const ok = "HTTP/1.1 200 Connection established\r\n\r\n";
    std::string const strange = "the proxy p:1 does not answer as an HTTP proxy does";
    Row const rows[] = {
        {ok, "", 200},
        {"HTTP/1.0 200 OK\r\nProxy-Agent: hunter2\r\n\r\n", "", 200},
        {"HTTP/1.1 204 No Content\r\n\r\n", "", 204},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "", 200},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "", 200},
        {"HTTP/1.1 100 Continue\r\n\r\n" + ok, "", 200},
        {ok + "x", "the proxy p:1 sends something before the service could", 200},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
         "the proxy p:1 sends something before the service could", 200},
        {"HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm=\"hunter2\"\r\n\r\n",
         "the proxy p:1 refuses its credentials: they are missing or wrong", 407},
        {"HTTP/1.1 403 Forbidden hunter2\r\nContent-Length: 7\r\n\r\nhunter2",
         "the proxy p:1 refuses to connect to the service", 403},
        {"HTTP/1.1 302 Found\r\nLocation: http://hunter2/\r\n\r\n",
         "the proxy p:1 refuses to connect to the service", 302},
        {"HTTP/1.1 502 Bad Gateway\r\n\r\n", "the proxy p:1 refuses to connect to the service", 502},
        {"HTTP/1.1 101 Switching Protocols\r\n\r\n", strange.c_str(), 0},
        {"SSH-2.0-hunter2\r\n", strange.c_str(), 0},
        {"HTTP/2 200\r\n\r\n", strange.c_str(), 0},
        {"HTTP/1.1 2000 OK\r\n\r\n", strange.c_str(), 0},
        {"HTTP/1.1 200 OK\n\n", strange.c_str(), 0},
        {"HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x'),
         "the proxy p:1 answers with more than a proxy has to say", 0},
    };
    for (auto const& row : rows) {
        CAPTURE(row.answer.substr(0, 80));
        for (std::size_t const piece : {std::size_t{1}, std::size_t{7}, row.answer.size()}) {
            // In small pieces what follows a good answer is still on its way.
            if (piece < row.answer.size() && row.status == 200 && *row.what != '\0') continue;
            auto const result = verdict(row.answer, piece);
            CHECK(result.has_value() == (*row.what == '\0'));
            if (result) continue;
            CHECK(result.error().code() == errc::proxy);
            CHECK(result.error().what() == row.what);
            CHECK(result.error().status() == row.status);
            CHECK(result.error().effect() == Effect::not_applied);
            CHECK_FALSE(contains(result.error().message(), "hunter2"));
        }
    }
}

}  // namespace tunnel_test
