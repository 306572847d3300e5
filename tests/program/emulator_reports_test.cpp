// SPDX-License-Identifier: BSL-1.0
#include "program/running_emulator.hpp"

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <algorithm>
#include <csignal>
#include <system_error>

namespace emulator_reports_test {

using namespace program;
using Stream = child::Process::Stream;

child::Process::End ended(child::Process& process) {
    process.send(SIGTERM);
    auto end = process.wait_for_end(5s);
    REQUIRE_MESSAGE(end, "it did not end");
    CHECK(end->status == 0);
    CHECK(end->signal == 0);
    return *end;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin < text.size();) {
        auto const end = std::min(text.find('\n', begin), text.size());
        lines.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return lines;
}

std::size_t count_with(const std::string& text, std::initializer_list<std::string_view> parts) {
    return static_cast<std::size_t>(std::ranges::count_if(lines_of(text), [&](const std::string& line) {
        return std::ranges::all_of(parts, [&](auto part) { return line.find(part) != std::string::npos; });
    }));
}

bool holds(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

std::string token_of_admin(const RunningEmulator& emulator) {
    auto const answer =
        ask(emulator.url(),
            request("POST", "/v1/auth/authenticate", {},
                    R"({"emailId":")" + emulator.of_user("tenant_admin", "email") + R"(","password":")" +
                        emulator.of_user("tenant_admin", "password") + "\"}"));
    REQUIRE(answer.status == 200);
    return RunningEmulator::text_of(boost::json::parse(answer.body()).as_object(), "Authorization");
}

TEST_CASE("palette-emulator: nothing follows the ready line on standard output") {
    RunningEmulator emulator({"--plain-http", "--rate-limit=0.001:4", "--fault", "GET / garbage x1",
                              "--fault", "PUT / drop-after"});
    CHECK(emulator.ask("GET", "/v1/apiKeys").status == 200);
    CHECK(emulator.ask("POST", "/v1/apiKeys", R"({"metadata":{"name":"one"}})").status == 201);
    CHECK(emulator.ask("PUT", "/v1/apiKeys/0", "{}").status == 0);
    CHECK(emulator.ask("GET", "/nowhere").status == 404);
    CHECK(ask(emulator.url(), "not HTTP at all\r\n\r\n").status == 400);
    CHECK(ended(emulator.process()).output == "");
}

TEST_CASE("palette-emulator: every request is a line on standard error, with its status and its faults") {
    RunningEmulator emulator(
        {"--plain-http", "--fault", "GET /v1/users/info drop-before", "--fault", "GET /v1/users status:503"});
    CHECK(emulator.ask("GET", "/v1/apiKeys").status == 200);
    CHECK(emulator.ask("GET", "/v1/apiKeys").status == 200);
    CHECK(emulator.ask("DELETE", "/v1/apiKeys/unheard-of").status == 404);
    CHECK(emulator.ask("GET", "/v1/users/info").status == 0);
    CHECK(emulator.ask("GET", "/v1/users").status == 503);
    auto const said = ended(emulator.process()).errors;
    CAPTURE(said);
    CHECK(count_with(said, {"GET /v1/apiKeys", "200"}) == 2);
    CHECK(count_with(said, {"DELETE /v1/apiKeys/unheard-of", "404"}) == 1);
    CHECK(count_with(said, {"GET /v1/users/info", "drop-before"}) == 1);
    CHECK(count_with(said, {"GET /v1/users ", "503", "status"}) == 1);
    CHECK(said.ends_with('\n'));
}

TEST_CASE("palette-emulator: no credential is on standard error") {
    RunningEmulator emulator({"--plain-http", "--rate-limit=off", "--fault", "PATCH / echo-credential"});
    auto const url = emulator.url();
    auto const token = token_of_admin(emulator);
    auto const created = emulator.ask("POST", "/v1/apiKeys", R"({"metadata":{"name":"one"}})");
    REQUIRE(created.status == 201);
    auto const value = RunningEmulator::text_of(boost::json::parse(created.body()).as_object(), "apiKey");
    CHECK(ask(url, request("GET", "/v1/apiKeys", {"Authorization: " + token})).status == 200);
    CHECK(ask(url, request("GET", "/v1/apiKeys?ApiKey=" + value, {"ApiKey: " + value})).status == 200);
    CHECK(ask(url, request("PATCH", "/v1/apiKeys/0", {"ApiKey: " + value}, "{}")).status == 404);
    for (std::string const prefix : {"/v1/auth/refresh/", "http://localhost/v1/auth/refresh/"}) {
        CHECK(ask(url, request("GET", prefix + token)).status == 200);
        CHECK(ask(url, request("GET", prefix + token + "?setCookie=false")).status == 200);
        CHECK(ask(url, request("POST", prefix + token)).status == 405);
        CHECK(ask(url, request("GET", prefix + token + "/")).status == 404);
    }

    auto const said = ended(emulator.process()).errors;
    CHECK(count_with(said, {"GET", "/v1/auth/refresh/", "200"}) == 4);
    CHECK_FALSE(holds(said, token));
    CHECK_FALSE(holds(said, token.substr(0, 20)));
    CHECK_FALSE(holds(said, value));
    for (std::string const role : {"tenant_admin", "tenant_user_admin", "tenant_viewer", "user"})
        for (std::string const what : {"password", "api_key"})
            CHECK_FALSE(holds(said, emulator.of_user(role, what)));
}

TEST_CASE("palette-emulator: with --quiet nothing is on standard error") {
    RunningEmulator emulator({"--quiet", "--plain-http", "--fault", "GET /v1/users status:500"});
    CHECK(emulator.ask("GET", "/v1/apiKeys").status == 200);
    CHECK(emulator.ask("GET", "/v1/users").status == 500);
    CHECK(ask(emulator.url(), "not HTTP at all\r\n\r\n").status == 400);
    CHECK(ended(emulator.process()).errors == "");
}

TEST_CASE("palette-emulator: no client can write more than its line on standard error") {
    RunningEmulator emulator({"--plain-http"});
    for (std::string const target :
         {"/v1/\x1b[31m", "/v1/a\tb", "/v1/a\rb", "/v1/a\x7f", "/v1/%0A%1B%00", "*"})
        ask(emulator.url(), request("GET", target));
    ask(emulator.url(), request("GET\x1b", "/"));
    auto const said = ended(emulator.process()).errors;
    CHECK(lines_of(said).size() <= 8);
    CHECK(std::ranges::none_of(said, [](char c) { return c != '\n' && is_control(c); }));
}

struct Streams {
    std::string what;
    Stream output;
    Stream errors;
    bool input_closed;
};

const Streams missing_streams[] = {
    {"no reader of the output", Stream::broken, Stream::piped, false},
    {"no reader of the errors", Stream::piped, Stream::broken, false},
    {"no reader of either", Stream::broken, Stream::broken, false},
    {"no output", Stream::closed, Stream::piped, false},
    {"no errors", Stream::piped, Stream::closed, false},
    {"no input", Stream::piped, Stream::piped, true},
    {"nothing at all", Stream::closed, Stream::closed, true},
};

// Without a ready line, that can only be tried.
void wait_until_it_listens(child::Process& process, const std::string& url) {
    for (auto const end = std::chrono::steady_clock::now() + 30s;;) {
        try {
            Socket const socket(url);
            return;
        } catch (const std::system_error&) {
            REQUIRE(std::chrono::steady_clock::now() < end);
            REQUIRE_FALSE(process.wait_for_end(5ms));
        }
    }
}

TEST_CASE(
    "palette-emulator: it serves without standard streams, and nothing that was meant for them is sent") {
    auto const address = own_loopback_address();
    for (auto const& row : missing_streams) {
        CAPTURE(row.what);
        auto const port = std::to_string(free_port(address));
        child::Process process(path_of_emulator(),
                               {.arguments = {"--plain-http", "--listen", address, "--port", port},
                                .output = row.output,
                                .errors = row.errors,
                                .input_closed = row.input_closed});
        auto const url = "http://" + address + ':' + port;
        wait_until_it_listens(process, url);
        for (int i = 0; i < 3; ++i) {
            auto const text = ask(url, request("GET", "/v1/apiKeys")).text;
            CHECK(text.starts_with("HTTP/1.1 401 "));
            CHECK_FALSE(holds(text, "/v1/apiKeys"));
            CHECK_FALSE(holds(text, "password"));
        }
        ended(process);
    }
}

TEST_CASE("palette-emulator: a token is not on standard error, however its path is spelt") {
    RunningEmulator emulator({"--plain-http", "--rate-limit=off"});
    auto const token = token_of_admin(emulator);
    for (std::string const prefix : {"/v1/auth/%72efresh/", "/%76%31/auth/refresh/", "//v1/auth/refresh/",
                                     "/v1//auth/refresh/", "/v1/auth/Refresh/", "/api/v1/auth/refresh/"}) {
        CAPTURE(prefix);
        CHECK(ask(emulator.url(), request("GET", prefix + token)).status != 0);
    }
    auto const said = ended(emulator.process()).errors;
    CAPTURE(said);
    CHECK_FALSE(holds(said, token));
}

TEST_CASE("palette-emulator: it serves and ends though nobody reads its standard error") {
    RunningEmulator emulator({"--plain-http", "--rate-limit=off"});
    auto const long_path = "/" + std::string(8'000, 'x');
    int answered = 0;
    while (answered < 40 && ask(emulator.url(), request("GET", long_path)).status == 404)
        ++answered;
    CHECK(answered == 40);
    ended(emulator.process());
}

}  // namespace emulator_reports_test
