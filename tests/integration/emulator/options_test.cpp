// SPDX-License-Identifier: BSL-1.0
#include "support/patience.hpp"
#include "support/raw_http.hpp"
#include "support/sanitized.hpp"

#include <palette/error.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace options_test {

using namespace std::chrono_literals;
using palette::errc;
using palette::testing::Emulator;
using palette::testing::EmulatorOptions;
using palette::testing::RateLimit;
using palette::testing::Role;

// Why no emulator comes of these options.
std::optional<palette::Error> refusal_of(const EmulatorOptions& options) {
    try {
        Emulator const emulator(options);
    } catch (const palette::Exception& e) {
        return e.error();
    }
    return std::nullopt;
}

void check_refused(const EmulatorOptions& options, std::string_view word) {
    CAPTURE(word);
    auto const error = refusal_of(options);
    if (!error) {
        FAIL_CHECK("these options are taken");
        return;
    }
    CHECK(error->code() == errc::invalid_argument);
    CHECK(error->what().find(word) != std::string::npos);
    CHECK(error->what().find(' ') != std::string::npos);
    CHECK(error->message().find('\n') == std::string::npos);
}

TEST_CASE("emulator options: it listens beyond this machine only if that is said, and then with TLS") {
    for (auto const* const address : {"0.0.0.0", "::", "192.0.2.1", "2001:db8::1", "255.255.255.255"}) {
        CAPTURE(address);
        check_refused({.listen = address}, address);
        check_refused({.listen = address, .plain_http = true}, address);
        check_refused({.listen = address, .plain_http = true, .allow_remote = true}, "TLS");
    }
    check_refused({.plain_http = true, .allow_remote = true}, "TLS");
    auto const unreachable = refusal_of({.listen = "192.0.2.1", .allow_remote = true});
    REQUIRE(unreachable);
    CHECK(unreachable->code() == errc::transport);
    CHECK(unreachable->what().find("192.0.2.1") != std::string::npos);
}

TEST_CASE("emulator options: remote access opens no other guard") {
    Emulator emulator({.listen = "0.0.0.0", .allow_remote = true});
    raw::Connection connection(emulator);
    std::string const key(emulator.user(Role::tenant_admin).api_key.expose());
    connection.send(raw::request("GET", "/v1/users/info", {{"ApiKey", key}}));
    CHECK(connection.receive().status == 200);
    connection.send(raw::request("GET", "/v1/users/info", {{"ApiKey", key}, {"Origin", "null"}}));
    CHECK(connection.receive().status == 403);
    connection.send("GET /v1/users/info HTTP/1.1\r\nHost: evil.test\r\nApiKey: " + key + "\r\n\r\n");
    CHECK(connection.receive().status == 403);
}

TEST_CASE("emulator options: those that make no sense are refused, and it is said which") {
    auto const nan = std::numeric_limits<double>::quiet_NaN();
    for (auto const* const address :
         {"", "localhost", "nonsense", "127.0.0.1:80", "256.0.0.1", "127.1", "[::1]"})
        check_refused({.listen = address}, "address");
    for (auto const limit : {RateLimit{0, 5}, RateLimit{-1, 5}, RateLimit{5, 0.5}, RateLimit{5, -1},
                             RateLimit{nan, 5}, RateLimit{5, nan}})
        check_refused({.rate_limit = limit}, "rate limit");
    check_refused({.org = ""}, "organisation");
    check_refused({.token_lifetime = 0ms}, "lifetime");
    check_refused({.token_lifetime = -1ms}, "lifetime");
    check_refused({.keys = 1, .quota = 0}, "quota");
}

TEST_CASE("emulator options: a name that cannot be written in JSON is refused") {
    check_refused({.org = "ac\xFFme"}, "organisation");
    Emulator emulator({.plain_http = true});
    auto const code_of = [&](palette::testing::NewTestUser user) -> std::optional<errc> {
        try {
            emulator.add_user(std::move(user));
        } catch (const palette::Exception& e) {
            return e.error().code();
        }
        return std::nullopt;
    };
    CHECK(code_of({.email = "\xFF@acme.test"}) == errc::invalid_argument);
    CHECK(code_of({.email = "a@acme.test", .first_name = "\xC3("}) == errc::invalid_argument);
    CHECK(code_of({.email = "b@acme.test", .last_name = "\xED\xA0\x80"}) == errc::invalid_argument);
}

TEST_CASE("emulator options: bounds that let nothing through are refused") {
    check_refused({.max_header_bytes = 0}, "head");
    check_refused({.max_connections = 0}, "connection");
    check_refused({.request_timeout = 0ms}, "time");
    check_refused({.idle_timeout = 0ms}, "time");
    check_refused({.write_timeout = -1ms}, "time");
}

TEST_CASE("emulator options: bounds that are no bounds let everything through") {
    constexpr auto endless = std::chrono::milliseconds::max();
    auto const clock = std::make_shared<palette::testing::ManualClock>();
    Emulator emulator({.plain_http = true,
                       .token_lifetime = endless,
                       .rate_limit = RateLimit::off(),
                       .clock = clock,
                       .max_header_bytes = std::numeric_limits<std::size_t>::max(),
                       .max_body_bytes = std::numeric_limits<std::size_t>::max(),
                       .max_connections = std::numeric_limits<std::size_t>::max(),
                       .request_timeout = endless,
                       .idle_timeout = endless,
                       .write_timeout = endless});
    auto const token = emulator.sign_in(emulator.user(Role::tenant_admin).uid);
    raw::Client admin(emulator, "Authorization", token.expose());
    CHECK(admin.get("/v1/users/info").status == 200);
    clock->advance(std::chrono::years{50});
    raw::Connection slow(emulator);
    auto const request = raw::request("GET", "/v1/users/info", {{"Authorization", token.expose()}});
    for (std::size_t i = 0; i < 3; ++i) {
        slow.send(request.substr(0, 10));
        CHECK(admin.get("/v1/users/info").status == 200);
        slow.send(request.substr(10));
        CHECK(slow.receive().status == 200);
    }
}

TEST_CASE("emulator options: a port that is taken is said to be, and is free again afterwards") {
    auto first = std::make_unique<Emulator>();
    auto const port = first->port();
    for (bool const plain : {true, false}) {
        auto const error = refusal_of({.port = port, .plain_http = plain});
        REQUIRE(error);
        CHECK(error->code() == errc::transport);
        CHECK(error->what().find(std::to_string(port)) != std::string::npos);
    }
    raw::Client client(*first, "");
    CHECK(client.get("/v1/users/info").status == 401);
    first.reset();
    Emulator const second({.port = port});
    CHECK(second.port() == port);
}

TEST_CASE("emulator options: requests may be kept or not, and are counted either way") {
    for (std::size_t const kept : {0U, 1U, 3U}) {
        Emulator emulator({.plain_http = true, .rate_limit = RateLimit::off(), .requests_kept = kept});
        raw::Client client(emulator, "");
        for (int i = 0; i < 5; ++i)
            CHECK(client.get("/v1/users/info").status == 401);
        CHECK(emulator.request_count() == 5);
        CHECK(emulator.requests().size() == kept);
        if (kept > 0) CHECK(emulator.requests().back().number == 5);
    }
}

// Of this process.
std::ptrdiff_t open_files() {
    std::filesystem::directory_iterator const begin("/proc/self/fd");
    return std::distance(begin, std::filesystem::directory_iterator());
}

// The threads of this process, by their ids. Their number says less: one that has been joined may be listed
// for a moment more, before a test as well as after it.
using Threads = std::set<std::string>;
Threads threads() {
    Threads ids;
    for (auto const& entry : std::filesystem::directory_iterator("/proc/self/task"))
        ids.insert(entry.path().filename().string());
    return ids;
}

bool has_more_than(const Threads& before) {
    return !std::ranges::includes(before, threads());
}

// Whether no others are left.
bool comes_back_to(const Threads& before) {
    auto const end = std::chrono::steady_clock::now() + 20s;
    while (has_more_than(before)) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::yield();
    }
    return true;
}

TEST_CASE("emulator options: an emulator with TLS comes and goes quickly and leaves nothing behind") {
    {
        Emulator const to_load_what_is_loaded_once;
    }
    auto const before = threads();
    auto const files = open_files();
    auto const come_and_go = [&]() -> std::chrono::steady_clock::duration {
        auto const begin = std::chrono::steady_clock::now();
        {
            Emulator const emulator;
            CHECK(has_more_than(before));
        }
        return std::chrono::steady_clock::now() - begin;
    };
    for (int i = 0; i < 8; ++i)
        come_and_go();
    constexpr auto quickly = sanitized ? 1000ms : 100ms;
    CHECK(shortest(quickly, come_and_go) < quickly);
    CHECK(comes_back_to(before));
    CHECK(open_files() == files);
}

TEST_CASE("emulator options: a program that is started meanwhile inherits nothing of it") {
    auto const is_inherited = [](int descriptor) {
        auto const flags = ::fcntl(descriptor, F_GETFD);
        return flags >= 0 && (flags & FD_CLOEXEC) == 0;
    };
    constexpr int many = 256;
    std::vector<bool> before;
    for (int i = 0; i < many; ++i)
        before.push_back(is_inherited(i));
    Emulator const emulator;
    raw::Client client(emulator, "");
    CHECK(client.get("/v1/users/info").status == 401);
    for (int i = 0; i < many; ++i) {
        CAPTURE(i);
        CHECK(is_inherited(i) == before[static_cast<std::size_t>(i)]);
    }
}

TEST_CASE("emulator options: an emulator that cannot be made leaves nothing behind either") {
    Emulator const first;
    auto const before = threads();
    auto const files = open_files();
    for (int i = 0; i < 5; ++i) {
        CHECK(refusal_of({.port = first.port()}));
        CHECK(refusal_of({.org = ""}));
    }
    CHECK(comes_back_to(before));
    CHECK(open_files() == files);
}

TEST_CASE("emulator options: destruction does not wait for requests that are under way") {
    {
        Emulator const to_load_what_is_loaded_once;
    }
    auto const before = threads();
    auto const files = open_files();
    for (bool const plain : {true, false}) {
        CAPTURE(plain);
        auto const clock = std::make_shared<palette::testing::ManualClock>();
        auto emulator = std::make_unique<Emulator>(
            EmulatorOptions{.plain_http = plain, .rate_limit = RateLimit::off(), .clock = clock});
        for (auto const* const rule : {"GET /v1/1 stall", "GET /v1/2 delay:60000", "GET /v1/3 drip:60000",
                                       "GET /v1/4 apply-late:60000", "GET /v1/5 huge:1000000000"})
            emulator->faults().add(rule);
        std::vector<std::unique_ptr<raw::Connection>> connections;
        auto const start = [&](std::string_view text) {
            connections.push_back(std::make_unique<raw::Connection>(*emulator));
            connections.back()->send(text);
        };
        for (auto const* const path : {"/v1/1", "/v1/2", "/v1/3", "/v1/4", "/v1/5"})
            start(raw::request("GET", path));
        start("GET /v1/apiKeys HTT");
        start("POST /v1/apiKeys HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n{");
        start(raw::request("GET", "/v1/apiKeys"));
        start("");
        while (emulator->request_count() < 6)
            std::this_thread::yield();

        auto const begin = std::chrono::steady_clock::now();
        emulator.reset();
        CHECK(std::chrono::steady_clock::now() - begin < 5s);
        for (auto const& connection : connections) {
            connection->receive_all();
            CHECK(connection->end() != raw::End::late);
        }
        CHECK(clock->waiting() == 0);
        clock->advance(1h);
    }
    CHECK(comes_back_to(before));
    CHECK(open_files() == files);
}

}  // namespace options_test
