// SPDX-License-Identifier: BSL-1.0
#include "program/running_emulator.hpp"

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <csignal>
#include <set>

namespace emulator_program_test {

using namespace program;
namespace json = boost::json;

constexpr int signals_of_the_end[] = {SIGTERM, SIGINT};

// A second is what is promised; the rest is for machines that are busy.
void check_that_it_ends(child::Process& process, int signal) {
    process.send(signal);
    auto const end = process.wait_for_end(5s);
    REQUIRE_MESSAGE(end, "it did not end");
    CHECK(end->status == 0);
    CHECK(end->signal == 0);
}

std::set<std::string> names_in(const json::object& object) {
    std::set<std::string> names;
    for (auto const& member : object)
        names.insert(member.key());
    return names;
}

bool is_uid(std::string_view text) {
    return text.size() == 24 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

json::object object_in(const Answer& answer) {
    return json::parse(answer.body()).as_object();
}

TEST_CASE("palette-emulator: one line of JSON says where it is and what to log in with") {
    RunningEmulator emulator({"--plain-http"});
    auto const& ready = emulator.ready();
    CHECK(names_in(ready) == std::set<std::string>{"url", "ca_file", "tenant_uid", "org", "users"});
    CHECK(emulator.url().starts_with("http://127.0.0.1:"));
    CHECK(ready.at("ca_file").is_null());
    CHECK(is_uid(ready.at("tenant_uid").as_string()));
    CHECK(ready.at("org").as_string() == "acme");

    auto const& users = ready.at("users").as_array();
    std::vector<std::string> roles;
    std::set<std::string> differing;
    for (auto const& user : users) {
        auto const& one = user.as_object();
        CHECK(names_in(one) ==
              std::set<std::string>{"role", "email", "password", "uid", "api_key", "api_key_uid"});
        CHECK(is_uid(one.at("uid").as_string()));
        CHECK(is_uid(one.at("api_key_uid").as_string()));
        CHECK(one.at("email").as_string().ends_with("@acme.test"));
        CHECK(one.at("api_key").as_string().size() == 32);
        roles.push_back(RunningEmulator::text_of(one, "role"));
        for (auto const* const name : {"email", "password", "uid", "api_key", "api_key_uid"})
            differing.insert(RunningEmulator::text_of(one, name));
    }
    CHECK(differing.size() == 20);
    REQUIRE(roles.size() == 4);
    CHECK(roles[0] == "tenant_admin");
    CHECK(roles[1] == "user");
    CHECK(std::set(roles.begin(), roles.end()) ==
          std::set<std::string>{"tenant_admin", "tenant_user_admin", "tenant_viewer", "user"});
    CHECK(emulator.of_user("tenant_admin", "email") == "admin@acme.test");
    CHECK(emulator.of_user("user", "email") == "dev@acme.test");
}

TEST_CASE("palette-emulator: every user of the ready line gets in with the key and with the password") {
    RunningEmulator emulator({"--plain-http"});
    auto const url = emulator.url();
    for (std::string const role : {"tenant_admin", "tenant_user_admin", "tenant_viewer", "user"}) {
        CAPTURE(role);
        auto const by_key =
            ask(url, request("GET", "/v1/users/info", {"ApiKey: " + emulator.of_user(role, "api_key")}));
        REQUIRE(by_key.status == 200);
        auto const info = object_in(by_key);
        CHECK(info.at("userUid").as_string() == emulator.of_user(role, "uid"));
        CHECK(info.at("tenantUid") == emulator.ready().at("tenant_uid"));
        CHECK(info.at("orgName") == emulator.ready().at("org"));

        auto const log_in = json::serialize(json::object{{"emailId", emulator.of_user(role, "email")},
                                                         {"password", emulator.of_user(role, "password")},
                                                         {"org", emulator.ready().at("org")}});
        auto const logged_in = ask(url, request("POST", "/v1/auth/authenticate", {}, log_in));
        REQUIRE(logged_in.status == 200);
        auto const token = RunningEmulator::text_of(object_in(logged_in), "Authorization");
        auto const by_token = ask(url, request("GET", "/v1/users/info", {"Authorization: " + token}));
        REQUIRE(by_token.status == 200);
        CHECK(object_in(by_token) == info);
    }
}

TEST_CASE("palette-emulator: credentials and uids are others at every start") {
    RunningEmulator one({"--plain-http"});
    RunningEmulator other({"--plain-http"});
    CHECK(one.ready().at("tenant_uid") != other.ready().at("tenant_uid"));
    for (std::string const role : {"tenant_admin", "tenant_user_admin", "tenant_viewer", "user"})
        for (std::string const what : {"password", "uid", "api_key"})
            CHECK(one.of_user(role, what) != other.of_user(role, what));
    auto const stranger = request("GET", "/v1/users/info", {"ApiKey: " + other.api_key()});
    CHECK(ask(one.url(), stranger).status == 401);
}

struct UnderWay {
    std::string what;
    std::vector<std::string> arguments;
    std::string sent;
    bool is_reported;        // on standard error, as soon as it is under way
    bool has_begun = false;  // to be answered
};

const std::string asked = "GET /v1/apiKeys HTTP/1.1\r\nHost: localhost\r\n\r\n";

const UnderWay under_way[] = {
    {"nothing", {"--plain-http"}, "", false},
    {"a kept connection", {"--plain-http"}, asked, true, true},
    {"half a header", {"--plain-http"}, asked.substr(0, 20), false},
    {"half a body",
     {"--plain-http"},
     "POST /v1/apiKeys HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{",
     false},
    {"a TLS handshake that does not begin", {}, "", false},
    {"a TLS handshake that does not go on", {}, std::string("\x16\x03\x01\x02\x00\x01", 6), false},
    {"stall", {"--plain-http", "--fault", "* / stall"}, asked, true},
    {"delay", {"--plain-http", "--fault", "* / delay:86400000"}, asked, true},
    {"drip", {"--plain-http", "--fault", "* / drip:86400000"}, asked, true, true},
    {"apply-late", {"--plain-http", "--fault", "* / apply-late:86400000"}, asked, true},
    {"huge", {"--plain-http", "--fault", "* / huge:1000000000000"}, asked, true, true},
};

void wait_for_report(child::Process& process) {
    std::optional<std::string> line;
    do {
        line = process.error_line();
        REQUIRE(line);
    } while (line->find("/v1/apiKeys") == std::string::npos);
}

TEST_CASE("palette-emulator: SIGTERM and SIGINT end it with status 0, whatever is under way") {
    for (auto const signal : signals_of_the_end) {
        for (auto const& row : under_way) {
            CAPTURE(signal);
            CAPTURE(row.what);
            RunningEmulator emulator(row.arguments);
            Socket socket(emulator.url());
            socket.send(row.sent);
            if (row.has_begun) socket.wait_for_a_byte();
            if (row.is_reported) wait_for_report(emulator.process());
            check_that_it_ends(emulator.process(), signal);
        }
    }
}

TEST_CASE("palette-emulator: it ends with two hundred connections open") {
    RunningEmulator emulator({"--plain-http", "--quiet"});
    std::vector<Socket> sockets;
    for (int i = 0; i < 200; ++i)
        sockets.emplace_back(emulator.url()).send(asked);
    for (auto& socket : sockets)
        socket.wait_for_a_byte();
    check_that_it_ends(emulator.process(), SIGTERM);
}

TEST_CASE("palette-emulator: both signals end it where a shell has put it in the background") {
    for (auto const signal : signals_of_the_end) {
        CAPTURE(signal);
        child::Process process(path_of_emulator(), {.arguments = {"--plain-http"}, .in_background = true});
        REQUIRE(process.output_line());
        check_that_it_ends(process, signal);
    }
}

TEST_CASE("palette-emulator: a port is free again as soon as it has ended") {
    auto const address = own_loopback_address();
    auto const port = std::to_string(free_port(address));
    for (int i = 0; i < 3; ++i) {
        RunningEmulator emulator({"--plain-http", "--listen", address, "--port", port});
        Socket socket(emulator.url());
        socket.send(asked);
        socket.wait_for_a_byte();
        check_that_it_ends(emulator.process(), SIGTERM);
    }
}

TEST_CASE("palette-emulator: a signal ends it also while it makes its keys") {
    for (auto const signal : signals_of_the_end) {
        CAPTURE(signal);
        child::Process process(path_of_emulator(), {.arguments = {"--plain-http", "--keys=10000000"}});
        // Nothing tells when it begins. Before that the signal kills it.
        CHECK_FALSE(process.wait_for_end(200ms));
        process.send(signal);
        auto const end = process.wait_for_end(5s);
        REQUIRE_MESSAGE(end, "it did not end");
        CHECK((end->status == 0 || end->signal == signal));
        CHECK(end->output == "");
    }
}

}  // namespace emulator_program_test
