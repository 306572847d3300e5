// SPDX-License-Identifier: BSL-1.0
#include "support/connect_proxy.hpp"
#include "support/dead_port.hpp"
#include "support/one_attempt.hpp"
#include "support/patience.hpp"
#include "support/printed.hpp"
#include "support/scene.hpp"
#include "support/tls_server.hpp"

#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>
#include <palette/client.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace proxy_test {

using namespace std::chrono_literals;
using namespace palette;
using proxying::ConnectProxy;
using std::chrono::steady_clock;
using testing::Emulator;
using testing::Role;

constexpr std::string_view some_uid = "5f1b2c3d4e5f6a7b8c9d0e1f";

// "rob@t" and "hunter2:s/cret" in every form in which they may appear.
constexpr std::string_view password = "hunter2:s/cret";
const std::string basic = "Basic cm9iQHQ6aHVudGVyMjpzL2NyZXQ=";
constexpr std::string_view credentials[] = {"rob@t",          "rob%40t",        "hunter2",  "s/cret",
                                            "hunter2%3as%2f", "hunter2%3As%2F", "cm9iQHQ6", "aHVudGVyM"};

void check_tells_no_credentials(const Error& error) {
    for (auto const& text : {error.message(), error.what(), error.path()})
        for (auto const part : credentials)
            CHECK_FALSE(contains(text, part));
}

class Attempts final : public Observer {
public:
    void on_attempt(const AttemptEvent& event) noexcept override { reports.push_back(event.report); }
    std::vector<ExchangeReport> reports;
};

struct ProxyScene {
    Emulator emulator;
    ClientOptions options = one_attempt(emulator.client_options(Role::tenant_admin));
    std::shared_ptr<Attempts> attempts = std::make_shared<Attempts>();

    ProxyScene() { options.observer = attempts; }

    proxying::ProxyOptions to_emulator() const {
        proxying::ProxyOptions proxy_options;
        proxy_options.target = emulator.port();
        return proxy_options;
    }
    void use(const ConnectProxy& proxy) { options.proxy.url = proxy.url(); }
    void log_in() {
        options.proxy.user = "rob@t";
        options.proxy.password = std::make_shared<const Secret>(password);
    }
    // Of a change, the only thing whose effect could be in doubt. Nothing has reached the service.
    Error refusal() {
        auto const result = BlockingApiKeyClient(options).revoke(std::string(some_uid));
        REQUIRE_FALSE(result);
        CHECK(result.error().effect() == Effect::not_applied);
        check_tells_no_credentials(result.error());
        CHECK(emulator.request_count() == 0);
        for (auto const& report : attempts->reports) {
            CHECK_FALSE(report.sent);
            CHECK(report.bytes_sent == 0);
        }
        return result.error();
    }
};

std::string shown(const ConnectProxy& proxy) {
    return "the proxy " + proxy.url().substr(std::string_view("http://").size());
}

TEST_CASE_FIXTURE(ProxyScene, "client proxy: one tunnel carries one operation after another, encrypted") {
    ConnectProxy const proxy(to_emulator());
    use(proxy);
    BlockingApiKeyClient client(options);
    for (int i = 0; i < 3; ++i) {
        auto const keys = client.list();
        REQUIRE_MESSAGE(keys, keys.error());
    }
    auto const place = "127.0.0.1:" + std::to_string(emulator.port());
    REQUIRE(proxy.heads().size() == 1);
    CHECK(proxy.tunnels() == 1);
    auto const head = proxy.heads().front();
    CHECK(head.starts_with("CONNECT " + place + " HTTP/1.1\r\nHost: " + place + "\r\n"));
    CHECK_FALSE(contains(head, "Authorization"));
    CHECK_FALSE(contains(head, "ApiKey"));
    CHECK(proxy.carried().size() > 1'000);
    CHECK_FALSE(contains(proxy.carried(), "/v1/apiKeys"));
    CHECK(emulator.requests().back().connection == 1);
    REQUIRE(attempts->reports.size() == 3);
    CHECK(attempts->reports.front().connect);
    CHECK(attempts->reports.front().handshake);
    CHECK(attempts->reports.back().reused_connection);
}

TEST_CASE_FIXTURE(ProxyScene, "client proxy: the credentials go to the proxy, and to nobody else") {
    auto proxy_options = to_emulator();
    proxy_options.authorization = basic;
    ConnectProxy const proxy(proxy_options);
    use(proxy);
    log_in();
    auto const keys = BlockingApiKeyClient(options).list();
    REQUIRE_MESSAGE(keys, keys.error());
    CHECK(contains(proxy.heads().front(), "\r\nProxy-Authorization: " + basic + "\r\n"));
    auto const requests = emulator.requests();
    REQUIRE(requests.size() == 1);
    auto const& headers = requests.front().headers;
    CHECK(headers.find("apikey") != headers.end());
    CHECK(headers.find("proxy-authorization") == headers.end());
}

TEST_CASE_FIXTURE(ProxyScene, "client proxy: missing or wrong credentials are the proxy's refusal") {
    auto proxy_options = to_emulator();
    proxy_options.authorization = "Basic somebody-else";
    ConnectProxy const proxy(proxy_options);
    use(proxy);
    for (bool const has_credentials : {false, true}) {
        if (has_credentials) log_in();
        auto const error = refusal();
        CHECK(error.code() == errc::proxy);
        CHECK(error.status() == 407);
        CHECK(error.what() == shown(proxy) + " refuses its credentials: they are missing or wrong");
        CHECK_FALSE(is_auth(error));
    }
    CHECK(proxy.tunnels() == 0);
}

TEST_CASE_FIXTURE(ProxyScene, "client proxy: one that does not make a tunnel is an error of its own") {
    struct Row {
        std::string answer;
        errc code;
        int status;
        std::string what;
    };
    std::string const refuses = " refuses to connect to the service";
    std::string const strange = " does not answer as an HTTP proxy does";
    Row const rows[] = {
        {"HTTP/1.1 403 Forbidden\r\nContent-Length: 7\r\n\r\nhunter2", errc::proxy, 403, refuses},
        {"HTTP/1.1 502 Bad Gateway\r\n\r\n", errc::proxy, 502, refuses},
        {"HTTP/1.1 302 Found\r\nLocation: http://portal/\r\n\r\n", errc::proxy, 302, refuses},
        {"hunter2\r\n\r\n", errc::proxy, 0, strange},
        {"HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n", errc::proxy, 0,
         " answers with more than a proxy has to say"},
        {"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", errc::proxy, 200,
         " sends something before the service could"},
        {"HTTP/1.1 200 OK\r\n", errc::transport, 0, " closed the connection without an answer"},
    };
    for (auto const& row : rows) {
        CAPTURE(row.what);
        auto proxy_options = to_emulator();
        proxy_options.answer = row.answer;
        ConnectProxy const proxy(proxy_options);
        use(proxy);
        log_in();
        auto const error = refusal();
        CHECK(error.code() == row.code);
        CHECK(error.status() == row.status);
        CHECK(error.what() == shown(proxy) + row.what);
        CHECK(proxy.heads().size() == 1);
    }
}

TEST_CASE_FIXTURE(ProxyScene, "client proxy: bytes that follow the consent of the proxy are refused") {
    auto proxy_options = to_emulator();
    proxy_options.behind = "\x16";
    ConnectProxy const proxy(proxy_options);
    use(proxy);
    auto const error = refusal();
    CHECK(error.code() == errc::proxy);
    CHECK(error.what() == shown(proxy) + " sends something before the service could");
}

TEST_CASE_FIXTURE(ProxyScene,
                  "client proxy: one that is not there or cannot reach the service is told from it") {
    DeadPort const dead(DeadPort::Kind::refusing);
    options.proxy.url = "http://127.0.0.1:" + std::to_string(dead.port());
    auto const absent = refusal();
    CHECK(absent.code() == errc::transport);
    CHECK(absent.what() ==
          "cannot connect to the proxy 127.0.0.1:" + std::to_string(dead.port()) + ": Connection refused");

    proxying::ProxyOptions to_nobody;
    to_nobody.target = dead.port();
    ConnectProxy const proxy(to_nobody);
    use(proxy);
    auto const unreachable = refusal();
    CHECK(unreachable.code() == errc::transport);
    CHECK(unreachable.what() == shown(proxy) + " closed the connection without an answer");
}

TEST_CASE_FIXTURE(ProxyScene, "client proxy: one that never answers has the time of a handshake") {
    auto proxy_options = to_emulator();
    proxy_options.is_silent = true;
    ConnectProxy const proxy(proxy_options);
    use(proxy);
    options.timeouts.handshake = 50ms;
    auto const begun = steady_clock::now();
    auto const error = refusal();
    CHECK(steady_clock::now() - begun < 50ms + patience);
    CHECK(error.code() == errc::timeout);
    CHECK(error.what() == shown(proxy) + " did not answer within 50 ms");
}

TEST_CASE("client proxy: the service proves through the tunnel that it is the one") {
    tls::Authority const authority;
    struct Row {
        const char* names;
        bool is_trusted;
        const char* what;  // empty: all is well
    };
    static constexpr Row rows[] = {
        {"DNS:palette.test", true, ""},
        {"DNS:evil.test,DNS:localhost,IP:127.0.0.1", true,
         "the certificate of palette.test is for another host"},
        {"DNS:palette.test", false,
         "the certificate of palette.test is signed by an authority that is not trusted"},
    };
    for (auto const& row : rows) {
        CAPTURE(row.what);
        tls::Authority const stranger;
        tls::ServerOptions server_options;
        server_options.identity = (row.is_trusted ? authority : stranger).issue({.names = row.names});
        tls::Server const server(server_options);
        proxying::ProxyOptions proxy_options;
        proxy_options.target = server.port();
        ConnectProxy const proxy(proxy_options);

        ClientOptions options = one_attempt();
        options.auth = auth::api_key(Secret("hunter2hunter2"));
        // Nobody but the proxy knows where it is.
        options.endpoint = Endpoint::parse("palette.test").value();
        options.tls.ca_pem = authority.pem();
        options.proxy.url = proxy.url();
        auto const list = BlockingApiKeyClient(options).list();
        CHECK(list.has_value() == (*row.what == '\0'));
        REQUIRE(proxy.heads().size() == 1);
        CHECK(proxy.heads().front().starts_with("CONNECT palette.test:443 HTTP/1.1\r\n"));
        auto const seen = server.seen_when_over(1).front();
        CHECK(seen.server_name == "palette.test");
        if (list) continue;
        CHECK(list.error().code() == errc::untrusted);
        CHECK(list.error().what() == row.what);
        CHECK_FALSE(contains(seen.requests, "HTTP"));
    }
}

TEST_CASE_FIXTURE(ProxyScene, "client proxy: an endpoint that needs no proxy does not use it") {
    ConnectProxy const proxy(to_emulator());
    use(proxy);
    for (auto const& bypass : {std::string("*"), std::string("127.0.0.1"),
                               "127.0.0.1:" + std::to_string(emulator.port()), std::string("127.0.0.0/8")}) {
        CAPTURE(bypass);
        options.proxy.bypass = {"acme.com", bypass};
        CHECK(BlockingApiKeyClient(options).list());
        CHECK(proxy.heads().empty());
    }
    options.proxy.bypass = {"127.0.0.1:1", "10.0.0.0/8"};
    CHECK(BlockingApiKeyClient(options).list());
    CHECK(proxy.heads().size() == 1);

    Emulator const in_the_clear({.plain_http = true});
    auto plain = in_the_clear.client_options(Role::tenant_admin);
    plain.proxy.url = proxy.url();
    CHECK(BlockingApiKeyClient(plain).list());
    CHECK(proxy.heads().size() == 1);
}

TEST_CASE_FIXTURE(ProxyScene, "client proxy: nonsense in the options is refused when the client is made") {
    auto const path_of_refusal = [&]() -> std::string {
        try {
            BlockingApiKeyClient const client(options);
        } catch (const Exception& e) {
            CHECK(e.error().code() == errc::invalid_argument);
            check_tells_no_credentials(e.error());
            return e.error().path();
        }
        return "none";
    };
    options.proxy.url = "http://proxy.acme.com:3128";
    CHECK(path_of_refusal() == "none");
    options.proxy.url = "http://rob%40t:hunter2@proxy.acme.com:3128";
    CHECK(path_of_refusal() == "proxy.url");
    options.proxy.url = "socks5://hunter2";
    CHECK(path_of_refusal() == "proxy.url");
    options.proxy.url = "http://proxy.acme.com:3128";
    options.proxy.bypass = {"10.0.0.0/33"};
    CHECK(path_of_refusal() == "proxy.bypass");
}

// Something that never comes, on the way through a proxy to an answer.
struct Stuck {
    enum class Phase { connection, consent, handshake, answer };

    explicit Stuck(Phase phase) {
        options.tls.ca_pem = scene.options.tls.ca_pem;
        if (phase == Phase::connection) {
            options.proxy.url = "http://127.0.0.1:" + std::to_string(dead.port());
            return;
        }
        auto proxy_options = scene.to_emulator();
        proxy_options.is_silent = phase == Phase::consent;
        if (phase == Phase::handshake) {
            tls::ServerOptions silence;
            silence.greeting = tls::ServerOptions::Greeting::silent;
            silent.emplace(silence);
            proxy_options.target = silent->port();
        }
        if (phase == Phase::answer) scene.emulator.faults().add("* /v1/apiKeys stall");
        proxy.emplace(proxy_options);
        options.proxy.url = proxy->url();
    }

    ProxyScene scene;
    DeadPort dead{DeadPort::Kind::silent};
    std::optional<tls::Server> silent;
    std::optional<ConnectProxy> proxy;
    ClientOptions options = scene.options;
};

constexpr Stuck::Phase every_phase[] = {Stuck::Phase::connection, Stuck::Phase::consent,
                                        Stuck::Phase::handshake, Stuck::Phase::answer};

TEST_CASE("client proxy: an operation ends by its deadline, wherever it is") {
    for (auto const phase : every_phase) {
        CAPTURE(static_cast<int>(phase));
        Stuck stuck(phase);
        BlockingApiKeyClient client(stuck.options);
        auto const begun = steady_clock::now();
        auto const keys = client.list({}, CallOptions().deadline(300ms));
        auto const took = steady_clock::now() - begun;
        REQUIRE_FALSE(keys);
        CHECK(keys.error().code() == errc::timeout);
        CHECK(took >= 300ms);
        CHECK(took < 300ms + patience);
    }
}

TEST_CASE("client proxy: a cancellation ends an operation at once, wherever it is") {
    for (auto const phase : every_phase) {
        CAPTURE(static_cast<int>(phase));
        Stuck stuck(phase);
        support::EventLoop loop;
        ApiKeyClient client(loop.context, stuck.options);
        support::Watched<> list;
        client.async_list(list.handler());
        loop.context.run_for(100ms);
        REQUIRE_FALSE(list.has_ended());
        client.cancel();
        auto const begun = steady_clock::now();
        loop.run();
        CHECK(steady_clock::now() - begun < patience);
        CHECK(list.is_aborted());
    }
}

}  // namespace proxy_test
