// SPDX-License-Identifier: BSL-1.0
#include "support/raw_http.hpp"

#include <palette/testing/emulator.hpp>

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace slow_clients_test {

using namespace std::chrono_literals;
using palette::testing::Emulator;
using palette::testing::EmulatorOptions;
using palette::testing::RateLimit;
using palette::testing::Role;
using RealClock = std::chrono::steady_clock;

EmulatorOptions slow_clients_options() {
    return {.plain_http = true, .rate_limit = RateLimit::off()};
}

std::string good_request(const Emulator& emulator) {
    return raw::request("GET", "/v1/users/info",
                        {{"ApiKey", emulator.user(Role::tenant_admin).api_key.expose()}});
}

// Somebody who had been there before, and is served whatever the slow ones do.
class Bystander {
public:
    explicit Bystander(const Emulator& emulator) : connection_(emulator), request_(good_request(emulator)) {
        check();
    }
    void check() {
        connection_.send(request_);
        CHECK(connection_.receive().status == 200);
    }

    bool is_there() {
        connection_.send(request_);
        return connection_.receive().status == 200;
    }

private:
    raw::Connection connection_;
    std::string request_;
};

// Whether it comes true before anybody loses patience.
template <class F>
bool comes_true(F f) {
    auto const end = RealClock::now() + 20s;
    while (!f()) {
        if (RealClock::now() > end) return false;
        std::this_thread::yield();
    }
    return true;
}

void check_dropped(raw::Connection& connection, RealClock::time_point since,
                   std::chrono::milliseconds after) {
    CHECK(connection.receive_all().empty());
    CHECK(connection.end() != raw::End::late);
    CHECK(RealClock::now() - since >= after);
}

// A connection without TLS to where TLS is spoken.
class ClearSocket {
public:
    explicit ClearSocket(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        timeval const limit{10, 0};
        setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    }
    ClearSocket(const ClearSocket&) = delete;
    ClearSocket& operator=(const ClearSocket&) = delete;
    ~ClearSocket() { ::close(socket_); }

    void send(std::string_view bytes) const {
        CHECK(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
              static_cast<ssize_t>(bytes.size()));
    }
    // False: nothing has ended the waiting.
    [[nodiscard]] bool waits_for_end() const {
        char bytes[4096];
        ssize_t size;
        while ((size = ::recv(socket_, bytes, sizeof bytes, 0)) > 0) {
        }
        return size == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
    }

private:
    int socket_;
};

TEST_CASE("slow clients: a request that does not end is dropped after the bound") {
    auto options = slow_clients_options();
    options.request_timeout = 150ms;
    Emulator emulator(options);
    Bystander bystander(emulator);
    std::string const head = "POST /v1/apiKeys HTTP/1.1\r\nHost: localhost\r\n";
    std::string const beginnings[] = {
        "G",
        "GET /v1/apiKeys HTTP/1.1",
        head,
        head + "X: y",
        head + "Content-Length: 2\r\n\r\n",
        head + "Content-Length: 2\r\n\r\n{",
        head + "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n",
        head + "Transfer-Encoding: chunked\r\n\r\n",
        head + "Transfer-Encoding: chunked\r\n\r\n5",
        head + "Transfer-Encoding: chunked\r\n\r\n5\r\n{",
        head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n",
    };
    for (auto const& text : beginnings) {
        CAPTURE(text);
        auto const begin = RealClock::now();
        raw::Connection connection(emulator);
        connection.send(text);
        bystander.check();
        auto const continues = text.find("Expect") != std::string::npos;
        CHECK(connection.receive_all() == std::string(continues ? "HTTP/1.1 100 Continue\r\n\r\n" : ""));
        CHECK(connection.end() != raw::End::late);
        CHECK(RealClock::now() - begin >= 150ms);
        bystander.check();
    }
    CHECK(emulator.keys().size() == 4);
}

TEST_CASE("slow clients: the bound is for the whole request, however it trickles in") {
    auto options = slow_clients_options();
    options.request_timeout = 150ms;
    Emulator emulator(options);
    Bystander bystander(emulator);
    std::string const head = "POST /v1/apiKeys HTTP/1.1\r\nHost: localhost\r\n";
    struct {
        std::string begin;
        std::string_view piece;
    } const table[] = {
        {"GET /", "a"},
        {head, "X: y\r\n"},
        {head + "Content-Length: 1000\r\n\r\n", " "},
        {head + "Transfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n"},
    };
    for (auto const& [begin, piece] : table) {
        CAPTURE(begin);
        auto const start = RealClock::now();
        raw::Connection connection(emulator, {.timeout = 20ms});
        auto going_on = connection.send(begin);
        int pieces = 0;
        while (going_on && pieces < 500) {
            ++pieces;
            going_on = connection.send(piece) && connection.receive_some().empty() &&
                       connection.end() == raw::End::late;
        }
        CHECK_FALSE(going_on);
        CHECK(RealClock::now() - start >= 150ms);
        bystander.check();
    }
}

TEST_CASE("slow clients: the second request of a connection has a bound of its own") {
    auto options = slow_clients_options();
    options.request_timeout = 150ms;
    Emulator emulator(options);
    raw::Connection connection(emulator);
    auto const request = good_request(emulator);
    connection.send(request);
    CHECK(connection.receive().status == 200);
    auto const begin = RealClock::now();
    connection.send(request + request.substr(0, 20));
    CHECK(connection.receive().status == 200);
    check_dropped(connection, begin, 150ms);
}

// A connection that was served once. A busy machine may take longer than the bound until it has sent the
// request: then that connection is closed, and another one is opened.
std::unique_ptr<raw::Connection> use_in_time(const Emulator& emulator) {
    std::unique_ptr<raw::Connection> connection;
    CHECK(comes_true([&] {
        connection = std::make_unique<raw::Connection>(emulator);
        connection->send(good_request(emulator));
        return connection->receive().status == 200;
    }));
    return connection;
}

TEST_CASE("slow clients: an idle connection is closed after the bound, before and after requests") {
    auto options = slow_clients_options();
    options.idle_timeout = 150ms;
    Emulator emulator(options);
    auto const begin = RealClock::now();
    raw::Connection silent(emulator);
    auto const used = use_in_time(emulator);
    check_dropped(silent, begin, 150ms);
    check_dropped(*used, begin, 150ms);
    CHECK(used->end() == raw::End::closed);
    CHECK(comes_true([&] { return emulator.connections() == 0; }));
    use_in_time(emulator);
}

TEST_CASE("slow clients: an idle time is not for requests that are under way, nor the other way round") {
    auto options = slow_clients_options();
    options.idle_timeout = 100ms;
    options.request_timeout = 600ms;
    Emulator emulator(options);
    // A busy machine may take longer than the idle time until it has sent the byte.
    RealClock::duration longest{};
    for (int tries = 0; tries < 10 && longest < 600ms; ++tries) {
        auto const begin = RealClock::now();
        raw::Connection connection(emulator);
        connection.send("G");
        check_dropped(connection, begin, 100ms);
        longest = std::max(longest, RealClock::now() - begin);
    }
    CHECK(longest >= 600ms);

    std::swap(options.idle_timeout, options.request_timeout);
    Emulator other(options);
    auto const later = RealClock::now();
    raw::Connection idle(other);
    check_dropped(idle, later, 600ms);
}

// A handshake may take longer than the bound on a busy machine: then there is another one.
template <class AnyConnection>
std::unique_ptr<AnyConnection> after_handshake(const Emulator& emulator) {
    std::unique_ptr<AnyConnection> made;
    REQUIRE(comes_true([&] {
        try {
            made = std::make_unique<AnyConnection>(emulator);
        } catch (const std::exception&) {
            return false;
        }
        return true;
    }));
    return made;
}

TEST_CASE("slow clients: a TLS handshake that does not begin or does not end is dropped after the bound") {
    using namespace std::string_literals;
    Emulator emulator({.rate_limit = RateLimit::off(), .request_timeout = 500ms});
    auto const bystander = after_handshake<Bystander>(emulator);
    for (auto const& bytes : {""s, "\x16"s, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s}) {
        CAPTURE(bytes.size());
        auto const begin = RealClock::now();
        ClearSocket const socket(emulator.port());
        if (!bytes.empty()) socket.send(bytes);
        bystander->check();
        CHECK(socket.waits_for_end());
        CHECK(RealClock::now() - begin >= 500ms);
        bystander->check();
    }
    CHECK(comes_true([&] { return emulator.connections() == 1; }));
}

TEST_CASE("slow clients: TLS clients that are slow later are dropped as well") {
    Emulator emulator({.rate_limit = RateLimit::off(), .request_timeout = 500ms, .idle_timeout = 500ms});
    auto const begin = RealClock::now();
    auto const idle = after_handshake<raw::Connection>(emulator);
    auto const in_head = after_handshake<raw::Connection>(emulator);
    in_head->send("GET /v1/apiKeys HTTP/1.1\r\nHost: ");
    check_dropped(*in_head, begin, 500ms);
    check_dropped(*idle, begin, 500ms);
    CHECK(comes_true([&] { return emulator.connections() == 0; }));
}

TEST_CASE("slow clients: a client that does not read a response is disconnected after write_timeout") {
    for (bool const plain : {true, false}) {
        CAPTURE(plain);
        Emulator emulator({.plain_http = plain, .rate_limit = RateLimit::off(), .write_timeout = 200ms});
        emulator.faults().add("GET /v1/apiKeys huge:100000000");
        Bystander bystander(emulator);
        auto const begin = RealClock::now();
        raw::Connection deaf(emulator, {.smallest_receive_buffer = 4'096});
        deaf.send(raw::request("GET", "/v1/apiKeys"));
        CHECK(comes_true([&] { return emulator.request_count() > 1; }));
        CHECK(comes_true([&] {
            bystander.check();
            return emulator.connections() == 1;
        }));
        CHECK(RealClock::now() - begin >= 200ms);
        CHECK_FALSE(deaf.receive().complete);
    }
}

TEST_CASE(
    "slow clients: a client that sends requests and reads no response is disconnected after write_timeout") {
    auto options = slow_clients_options();
    options.keys = 1'000;
    options.write_timeout = 200ms;
    Emulator emulator(options);
    Bystander bystander(emulator);
    raw::Connection deaf(emulator, {.smallest_receive_buffer = 4'096});
    auto const list =
        raw::request("GET", "/v1/apiKeys", {{"ApiKey", emulator.user(Role::tenant_admin).api_key.expose()}});
    std::string many;
    for (int i = 0; i < 100; ++i)
        many += list;
    deaf.send(many);
    CHECK(comes_true([&] {
        bystander.check();
        return emulator.connections() == 1;
    }));
    // A hundred answers of half a megabyte do not fit into any buffer on the way.
    auto const received = deaf.receive_all();
    CHECK(received.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(received.size() < 40'000'000);
}

TEST_CASE("slow clients: who is told that the connection closes, and stays, is dropped") {
    Emulator emulator(slow_clients_options());
    raw::Connection silent(emulator);
    raw::Connection talkative(emulator);
    for (auto* const connection : {&silent, &talkative}) {
        connection->send("nonsense\r\n\r\n");
        CHECK(connection->receive().status == 400);
    }
    CHECK(comes_true([&] {
        talkative.send("more nonsense\r\n");
        return emulator.connections() == 0;
    }));
}

TEST_CASE("slow clients: who is told that the connection closes, and sends without end, is dropped") {
    Emulator emulator(slow_clients_options());
    Bystander bystander(emulator);
    raw::Connection flood(emulator);
    flood.send("nonsense\r\n\r\n");
    CHECK(flood.receive().status == 400);
    std::atomic<bool> dropped = false;
    std::thread sender([&] {
        std::string const piece(256 * 1024, 'x');
        auto const end = RealClock::now() + 1min;
        while (!dropped && RealClock::now() < end)
            dropped = !flood.send(piece);
    });
    while (!dropped && emulator.connections() > 1)
        bystander.check();
    sender.join();
    CHECK(dropped);
    bystander.check();
}

TEST_CASE("slow clients: beyond the bound a new connection takes the place of the longest idle one") {
    auto options = slow_clients_options();
    options.max_connections = 3;
    for (bool const plain : {true, false}) {
        CAPTURE(plain);
        options.plain_http = plain;
        Emulator emulator(options);
        raw::Connection silent(emulator);  // has never sent a request
        Bystander first(emulator);
        Bystander second(emulator);
        CHECK(emulator.connections() == 3);
        first.check();  // and so has been idle for less time than the second

        Bystander next(emulator);
        CHECK(silent.receive().status == 0);
        CHECK(silent.end() != raw::End::late);
        Bystander after_next(emulator);
        CHECK_FALSE(second.is_there());
        first.check();
        next.check();
        after_next.check();
        CHECK(comes_true([&] { return emulator.connections() == 3; }));
    }
}

/// Lets the process open so many files, as long as it lives.
class FileLimit {
public:
    explicit FileLimit(rlim_t files) {
        REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
        auto more = before_;
        more.rlim_cur = std::max(before_.rlim_cur, std::min(files, before_.rlim_max));
        REQUIRE(::setrlimit(RLIMIT_NOFILE, &more) == 0);
        is_enough_ = more.rlim_cur >= files;
    }
    FileLimit(const FileLimit&) = delete;
    FileLimit& operator=(const FileLimit&) = delete;
    ~FileLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }

    [[nodiscard]] bool is_enough() const noexcept { return is_enough_; }

private:
    rlimit before_{};
    bool is_enough_ = false;
};

TEST_CASE("slow clients: by default the 1,025th connection takes the place of the longest idle one") {
    FileLimit const limit(2'500);  // both ends of each connection are here
    if (!limit.is_enough()) {
        MESSAGE("not run: this machine does not let a process open 2,500 files");
        return;
    }
    Emulator emulator(slow_clients_options());
    Bystander longest(emulator);
    Bystander second(emulator);
    std::vector<std::unique_ptr<Bystander>> others;
    while (others.size() < 1'022)
        others.push_back(std::make_unique<Bystander>(emulator));
    CHECK(emulator.connections() == 1'024);
    Bystander beyond(emulator);
    CHECK_FALSE(longest.is_there());
    second.check();
    beyond.check();
    CHECK(comes_true([&] { return emulator.connections() == 1'024; }));
    for (auto const& other : others)
        other->check();
}

TEST_CASE("slow clients: unused connections do not keep others out") {
    auto options = slow_clients_options();
    options.max_connections = 8;
    for (bool const plain : {true, false}) {
        CAPTURE(plain);
        options.plain_http = plain;
        Emulator emulator(options);
        std::vector<std::unique_ptr<ClearSocket>> silent;
        for (int i = 0; i < 40; ++i)
            silent.push_back(std::make_unique<ClearSocket>(emulator.port()));
        Bystander bystander(emulator);
        bystander.check();
    }
}

TEST_CASE("slow clients: no more connections are served than the bound says while none of them is idle") {
    auto options = slow_clients_options();
    options.max_connections = 3;
    Emulator emulator(options);
    emulator.faults().add("* / stall x2");
    std::vector<std::unique_ptr<raw::Connection>> busy;
    for (int i = 0; i < 2; ++i) {
        busy.push_back(std::make_unique<raw::Connection>(emulator));
        busy.back()->send(good_request(emulator));
    }
    raw::Connection slow(emulator);  // in the middle of its request, as it is told
    slow.send("POST /v1/apiKeys HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    CHECK(slow.receive_some().starts_with("HTTP/1.1 100 "));
    CHECK(comes_true([&] { return emulator.faults().injected() == 2; }));
    CHECK(comes_true([&] { return emulator.connections() == 3; }));
    for (int i = 0; i < 20; ++i) {
        raw::Connection beyond(emulator);
        beyond.send(good_request(emulator));
        CHECK(beyond.receive().status == 0);
        CHECK(beyond.end() != raw::End::late);
        CHECK(emulator.connections() == 3);
    }
    busy.clear();
    CHECK(comes_true([&] { return emulator.connections() <= 1; }));
    Bystander next(emulator);
}

TEST_CASE("slow clients: of many connections opened, used and left, none remains") {
    Emulator emulator(slow_clients_options());
    Bystander bystander(emulator);
    auto const request = good_request(emulator);
    for (int round = 0; round < 10; ++round) {
        std::vector<std::unique_ptr<raw::Connection>> connections;
        for (std::size_t i = 0; i < 60; ++i) {
            connections.push_back(std::make_unique<raw::Connection>(emulator));
            auto& connection = *connections.back();
            if (i % 6 == 1) connection.send(request);
            if (i % 6 == 2) connection.send(request.substr(0, i));
            if (i % 6 == 3) connection.send("nonsense\r\n\r\n");
            if (i % 6 == 4) connection.finish_sending();
            if (i % 6 == 5) {
                connection.send(request);
                CHECK(connection.receive().status == 200);
            }
        }
        bystander.check();
    }
    CHECK(comes_true([&] { return emulator.connections() == 1; }));
    bystander.check();
}

}  // namespace slow_clients_test
