// SPDX-License-Identifier: BSL-1.0
#include "support/dead_port.hpp"
#include "support/fault_requests.hpp"
#include "support/one_attempt.hpp"
#include "support/sanitized.hpp"
#include "support/scene.hpp"
#include "support/tls_server.hpp"

#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>
#include <palette/client.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace connections_test {

using namespace std::chrono_literals;
using namespace palette;
using support::Watched;
using testing::Emulator;
using testing::Role;
using tls::Ending;

constexpr std::string_view some_uid = "5f1b2c3d4e5f6a7b8c9d0e1f";

// What the last attempt did.
class LastAttempt final : public Observer {
public:
    void on_attempt(const AttemptEvent& event) noexcept override { report = event.report; }
    ExchangeReport report;
};

ClientOptions unlimited(ClientOptions options) {
    options.rate_limit = RateLimitOptions::off();
    return options;
}

ClientOptions options_for(const Emulator& emulator) {
    return unlimited(one_attempt(emulator.client_options(Role::tenant_admin)));
}

struct TlsScene {
    explicit TlsScene(tls::ServerOptions options = {}) : server(with_identity(std::move(options))) {}

    [[nodiscard]] ClientOptions client_options(const std::string& host = "127.0.0.1") const {
        ClientOptions options = one_attempt();
        options.endpoint = server.endpoint(host);
        if (is_plain)
            options.endpoint =
                Endpoint::parse("http://" + host + ':' + std::to_string(server.port())).value();
        options.tls.ca_pem = authority.pem();
        options.auth = auth::api_key(Secret("hunter2hunter2"));
        return unlimited(std::move(options));
    }

    tls::ServerOptions with_identity(tls::ServerOptions options) {
        options.identity = authority.issue();
        is_plain = options.greeting == tls::ServerOptions::Greeting::plain;
        return options;
    }

    bool is_plain = false;
    tls::Authority authority;
    tls::Server server;
};

const std::string forged =
    tls::http_answer(200, R"({"items":[{"metadata":{"uid":"forged","name":"forged"}}]})");
const std::string honest = tls::http_answer(200, R"({"items":[]})");

TEST_CASE("client: consecutive operations share one connection") {
    for (bool const plain_http : {false, true}) {
        Emulator const emulator({.plain_http = plain_http});
        auto options = options_for(emulator);
        auto const last = std::make_shared<LastAttempt>();
        options.observer = last;
        BlockingApiKeyClient client(options);
        CHECK(client.list());
        CHECK_FALSE(last->report.reused_connection);
        CHECK(last->report.connect.has_value());
        CHECK(last->report.handshake.has_value() != plain_http);
        for (int i = 0; i < 10; ++i) {
            CHECK(client.list());
            CHECK(last->report.reused_connection);
            CHECK_FALSE(last->report.connect.has_value());
        }
        for (auto const& request : emulator.requests())
            CHECK(request.connection == 1);
    }
}

TEST_CASE("client: an idle connection on which bytes arrive is not used again, and no operation fails") {
    struct Row {
        const char* what;
        tls::Answer unasked;
    };
    Row const rows[] = {
        {"an answer", {{forged}}},
        {"one byte", {{"H"}}},
        {"an answer and the end", {{forged}, Ending::orderly}},
        {"the end", {{}, Ending::orderly}},
        {"the end of TCP alone", {{}, Ending::cut}},
        {"a reset", {{}, Ending::reset}},
    };
    for (auto const greeting : {tls::ServerOptions::Greeting::tls, tls::ServerOptions::Greeting::plain}) {
        for (auto const& row : rows) {
            CAPTURE(row.what);
            tls::ServerOptions server_options;
            server_options.greeting = greeting;
            TlsScene scene(server_options);
            BlockingApiKeyClient client(scene.client_options());
            for (int i = 0; i < 3; ++i) {
                auto const list = client.list();
                REQUIRE_MESSAGE(list, list.error());
                CHECK(list->empty());
                scene.server.say(row.unasked);
            }
            CHECK(scene.server.seen().size() == 3);
        }
    }
}

TEST_CASE("client: bytes after a response are never taken for the next response") {
    for (auto const greeting : {tls::ServerOptions::Greeting::tls, tls::ServerOptions::Greeting::plain}) {
        bool const is_tls = greeting == tls::ServerOptions::Greeting::tls;
        CAPTURE(is_tls);
        for (auto const& behind : {forged, std::string("H")}) {
            tls::ServerOptions server_options;
            server_options.greeting = greeting;
            server_options.answer = [&](std::string_view) { return tls::Answer{{honest, behind}}; };
            TlsScene scene(server_options);
            BlockingApiKeyClient client(scene.client_options());
            for (int i = 0; i < 3; ++i) {
                auto const list = client.list();
                REQUIRE_MESSAGE(list, list.error());
                CHECK(list->empty());
            }
            CHECK(scene.server.seen().size() == 3);
        }
    }
}

// When something is to be sent next: a timer would keep the context running.
TEST_CASE("client: a connection that was idle for too long is closed and another one opened") {
    TlsScene scene;
    auto options = scene.client_options();
    options.pool.idle_timeout = 1ms;
    BlockingApiKeyClient client(options);
    for (int i = 0; i < 3; ++i) {
        CHECK(client.list());
        std::this_thread::sleep_for(2ms);
    }
    CHECK(scene.server.seen_when_over(2).size() == 3);
}

TEST_CASE("client: there are never more connections than allowed, and all of them are used") {
    for (std::size_t const most : {1u, 3u}) {
        CAPTURE(most);
        Emulator emulator({.rate_limit = testing::RateLimit::off()});
        emulator.faults().add("* / delay:2");
        auto options = options_for(emulator);
        options.pool.max_connections = most;
        support::EventLoop loop;
        ApiKeyClient client(loop.context, options);
        int good = 0;
        for (int i = 0; i < 30; ++i)
            client.async_whoami([&](const Result<Identity>& result) { good += result.has_value(); });
        loop.run_until([&] { return emulator.request_count() == 30 && good == 30; });
        std::set<std::uint64_t> used;
        for (auto const& request : emulator.requests())
            used.insert(request.connection);
        CHECK(used.size() == most);
    }
}

TEST_CASE("client: when too many wait for a connection already, one more is refused at once") {
    Emulator emulator;
    emulator.faults().add("GET / stall x1");
    auto options = options_for(emulator);
    options.pool.max_connections = 1;
    options.pool.max_waiting = 2;
    support::EventLoop loop;
    ApiKeyClient client(loop.context, options);
    std::vector<Error> refused;
    int others = 0;
    for (int i = 0; i < 4; ++i)
        client.async_revoke(std::string(some_uid), [&](const Result<void>& result) {
            if (!result && result.error().code() == errc::timeout)
                refused.push_back(result.error());
            else
                ++others;
        });
    loop.run_until([&] { return !refused.empty(); });
    CHECK(refused.size() == 1);
    CHECK(refused.front().what() == "too many operations wait for a connection already");
    CHECK(refused.front().effect() == Effect::not_applied);
    client.cancel();
    loop.run_until([&] { return others == 3; });
    CHECK(refused.size() == 1);
}

TEST_CASE("client: a silent service is given up, with the known effect") {
    struct Row {
        const char* method;
        Effect effect;
        void (*start)(ApiKeyClient&, Watched<>&);
    };
    static constexpr auto uid = [] { return std::string(some_uid); };
    static constexpr Row rows[] = {
        {"GET", Effect::not_applied, [](auto& c, auto& w) { c.async_list(w.handler()); }},
        {"GET", Effect::not_applied, [](auto& c, auto& w) { c.async_get(uid(), w.handler()); }},
        {"GET", Effect::not_applied, [](auto& c, auto& w) { c.async_whoami(w.handler()); }},
        {"POST", Effect::unknown, [](auto& c, auto& w) { c.async_create(NewApiKey("ci"), w.handler()); }},
        {"PUT", Effect::unknown, [](auto& c, auto& w) { c.async_revoke(uid(), w.handler()); }},
        {"PATCH", Effect::unknown, [](auto& c, auto& w) { c.async_set_active(uid(), true, w.handler()); }},
        {"DELETE", Effect::unknown, [](auto& c, auto& w) { c.async_remove(uid(), w.handler()); }},
    };
    Emulator emulator;
    auto const clock = std::make_shared<testing::ManualClock>();
    auto options = options_for(emulator);
    options.clock = clock;
    options.timeouts.read = 100ms;
    options.retry.settle_time = 0ms;
    support::EventLoop loop;
    ApiKeyClient client(loop.context, options);
    std::uint64_t connections = 0;
    auto const check_new_connection = [&] {
        Watched<> watched;
        client.async_whoami(watched.handler());
        loop.run_until_end_of(watched);
        CHECK(watched.is_good());
        CHECK(emulator.requests().back().connection == ++connections);
    };
    check_new_connection();
    for (auto const& row : rows) {
        CAPTURE(row.method);
        emulator.faults().add(std::string(row.method) + " / stall x1");
        auto const injected = emulator.faults().injected();
        Watched<> watched;
        row.start(client, watched);
        loop.run_until([&] { return emulator.faults().injected() > injected; });
        loop.settle();  // the client knows that it has sent the request
        clock->advance(99ms);
        loop.settle();
        CHECK_FALSE(watched.has_ended());
        clock->advance(1ms);
        loop.run_until_end_of(watched);
        CHECK(watched.error().code() == errc::timeout);
        CHECK(watched.error().what() == "nothing came from the service for 100 ms");
        CHECK(watched.error().effect() == row.effect);
        check_new_connection();
    }
}

TEST_CASE("client: a slow response is waited for") {
    Emulator emulator;
    auto options = options_for(emulator);
    bool good = false;
    // What comes slowly on a busy machine may not come at all for that long: then it has longer.
    for (int slowness = 1; slowness <= 32 && !good; slowness *= 2) {
        options.timeouts.read = slowness * 400ms;
        BlockingApiKeyClient client(options);
        emulator.faults().clear();
        emulator.faults().add("GET / drip:" + std::to_string(2 * slowness) + " x1");
        auto const begun = std::chrono::steady_clock::now();
        auto const slow = client.whoami();
        good = slow.has_value();
        if (!good) continue;
        CHECK(std::chrono::steady_clock::now() - begun > options.timeouts.read);
        auto const connection = emulator.requests().back().connection;
        CHECK(client.whoami());
        CHECK(emulator.requests().back().connection == connection);
    }
    CHECK(good);
}

ClientOptions options_for(const std::string& endpoint) {
    ClientOptions options = one_attempt();
    options.endpoint = Endpoint::parse(endpoint).value();
    options.auth = auth::api_key(Secret("hunter2hunter2"));
    return options;
}

TEST_CASE("client: an address without a service fails as errc::transport or errc::timeout") {
    struct Row {
        DeadPort::Kind kind;
        errc code;
        const char* reason;
    };
    static constexpr Row rows[] = {
        {DeadPort::Kind::refusing, errc::transport, "Connection refused"},
        {DeadPort::Kind::silent, errc::timeout, "no answer within 80 ms"},
    };
    for (auto const& row : rows) {
        DeadPort const dead(row.kind);
        auto const place = "127.0.0.1:" + std::to_string(dead.port());
        auto options = options_for("https://" + place);
        // Only for what is to take longer: a refusal may come late on a busy machine.
        if (row.kind == DeadPort::Kind::silent) options.timeouts.connect = 80ms;
        auto const last = std::make_shared<LastAttempt>();
        options.observer = last;
        BlockingApiKeyClient client(options);
        auto const result = client.revoke(std::string(some_uid));
        REQUIRE_FALSE(result);
        CHECK(result.error().code() == row.code);
        CHECK(result.error().effect() == Effect::not_applied);
        CHECK(result.error().what() == "cannot connect to " + place + ": " + row.reason);
        CHECK_FALSE(last->report.sent);
        CHECK(last->report.bytes_sent == 0);
    }
}

// At ::1 a service, at 127.0.0.1 and the same port none.
class HalfDeadHost {
public:
    // std::system_error if there is no ::1.
    explicit HalfDeadHost(DeadPort::Kind kind) {
        tls::ServerOptions options;
        options.address = "::1";
        while (!dead_) {
            alive_.emplace(options);
            try {
                dead_.emplace(kind, alive_->server.port());
            } catch (const std::system_error&) {
                REQUIRE(++taken_ < 100);
            }
        }
    }
    [[nodiscard]] ClientOptions client_options() const { return alive_->client_options("localhost"); }

private:
    std::optional<TlsScene> alive_;
    std::optional<DeadPort> dead_;
    int taken_ = 0;  // ports at 127.0.0.1 that others had
};

TEST_CASE("client: of several addresses of a host one that works is enough") {
    TlsScene const first_alive;  // nobody is at ::1
    CHECK(BlockingApiKeyClient(first_alive.client_options("localhost")).list());
    for (auto const kind : {DeadPort::Kind::refusing, DeadPort::Kind::silent}) {
        CAPTURE(static_cast<int>(kind));
        std::optional<HalfDeadHost> host;
        try {
            host.emplace(kind);
        } catch (const std::system_error& e) {
            MESSAGE("skipped: " << std::string(e.what()));
            return;
        }
        // With the usual time-outs: a dead address takes little even of a short deadline.
        auto const deadline = CallOptions().deadline(sanitized ? 3s : 500ms);
        auto list = BlockingApiKeyClient(host->client_options()).list({}, deadline);
        // A busy machine may take the rest of it: not every time, though.
        for (int tries = 1; tries < 20 && !list; ++tries)
            list = BlockingApiKeyClient(host->client_options()).list({}, deadline);
        CHECK_MESSAGE(list, list.error());
    }
}

}  // namespace connections_test
