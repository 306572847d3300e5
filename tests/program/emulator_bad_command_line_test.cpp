// SPDX-License-Identifier: BSL-1.0
#include "program/running_emulator.hpp"

#include <palette/version.hpp>

#include <doctest/doctest.h>

#include <algorithm>

namespace emulator_bad_command_line_test {

using namespace program;

child::Process::End run_to_its_end(const std::vector<std::string>& arguments) {
    child::Process process(path_of_emulator(), {.arguments = arguments});
    auto const end = process.wait_for_end(10s);
    REQUIRE_MESSAGE(end, "it goes on as if nothing were wrong");
    return *end;
}

TEST_CASE("palette-emulator: --help says what every option and every kind of fault is called") {
    for (std::string const option : {"--help", "-h"}) {
        auto const end = run_to_its_end({option});
        CHECK(end.status == 0);
        CHECK(end.errors == "");
        for (std::string const word : {"--listen",
                                       "--port",
                                       "--plain-http",
                                       "--ca-out",
                                       "--rate-limit",
                                       "--retry-after",
                                       "--quota",
                                       "--keys",
                                       "--fault",
                                       "--quiet",
                                       "--allow-remote",
                                       "--version",
                                       "--help",
                                       "delay:",
                                       "status:",
                                       "retry-after:",
                                       "drop-before",
                                       "drop-after",
                                       "apply-late:",
                                       "truncate",
                                       "reset",
                                       "stall",
                                       "drip:",
                                       "garbage",
                                       "trailing",
                                       "html:",
                                       "wrong-type",
                                       "huge:",
                                       "deep:",
                                       "close-idle",
                                       "echo-credential",
                                       "redirect:",
                                       "legacy-create",
                                       "uid-is-user",
                                       "page:",
                                       "list-lag:",
                                       "strip-annotations",
                                       "deny-delete",
                                       "deny-list",
                                       "late-activation:",
                                       "METHOD PATH-PREFIX KIND[:ARG] [xN] [after=M]"}) {
            CAPTURE(word);
            CHECK(end.output.find(word) != std::string::npos);
        }
    }
}

TEST_CASE("palette-emulator: --version says the version and nothing else") {
    auto const end = run_to_its_end({"--version"});
    CHECK(end.status == 0);
    CHECK(end.output == "palette-emulator " PALETTE_KEYS_VERSION "\n");
    CHECK(end.errors == "");
}

// One line on standard error that says whose it is; nothing on the other stream; status 2.
std::string check_that_it_is_refused(const std::vector<std::string>& arguments) {
    auto const end = run_to_its_end(arguments);
    CHECK(end.status == 2);
    CHECK(end.output == "");
    CHECK(end.errors.starts_with("palette-emulator: "));
    CHECK(end.errors.find('\n') == end.errors.size() - 1);
    CHECK(end.errors.size() < 600);
    return end.errors;
}

struct BadOptions {
    std::vector<std::string> arguments;
    std::string said;  // what is wrong
};

const BadOptions bad_options[] = {
    {{"--bogus"}, "--bogus"},
    {{"--plain-http", "--bogus=1"}, "--bogus"},
    {{"--Quiet"}, "--Quiet"},
    {{"-q"}, "-q"},
    {{"serve"}, "serve"},
    {{"--"}, "--"},
    {{""}, "\"\""},
    {{"--plain-http=yes"}, "--plain-http"},
    {{"--quiet="}, "--quiet"},

    {{"--listen"}, "--listen"},
    {{"--plain-http", "--port"}, "--port"},
    {{"--ca-out"}, "--ca-out"},
    {{"--rate-limit"}, "--rate-limit"},
    {{"--quota"}, "--quota"},
    {{"--keys"}, "--keys"},
    {{"--fault"}, "--fault"},

    {{"--port", "65536"}, "65536"},
    {{"--port", "-1"}, "-1"},
    {{"--port", "+1"}, "+1"},
    {{"--port", "80a"}, "80a"},
    {{"--port", "0x50"}, "0x50"},
    {{"--port", " 80"}, " 80"},
    {{"--port", ""}, "--port"},
    {{"--port="}, "--port"},
    {{"--port", "--quiet"}, "--port"},
    {{"--quota", "-1"}, "--quota"},
    {{"--quota=10001"}, "10001"},
    {{"--quota", "many"}, "many"},
    {{"--keys", "-1"}, "--keys"},
    {{"--keys", "1e3"}, "1e3"},
    {{"--keys", "1,000"}, "1,000"},
    {{"--keys", "99999999999999999999"}, "99999999999999999999"},
    {{"--keys", "5", "--quota", "0"}, "quota"},

    {{"--rate-limit", "10"}, "\"10\""},
    {{"--rate-limit", "10:"}, "\"10:\""},
    {{"--rate-limit", ":50"}, "\":50\""},
    {{"--rate-limit", ":"}, "\":\""},
    {{"--rate-limit", ""}, "--rate-limit"},
    {{"--rate-limit=0:50"}, "0:50"},
    {{"--rate-limit", "10:0"}, "10:0"},
    {{"--rate-limit", "10:0.5"}, "10:0.5"},
    {{"--rate-limit", "-1:50"}, "-1:50"},
    {{"--rate-limit", "10:-50"}, "10:-50"},
    {{"--rate-limit", "nan:50"}, "nan:50"},
    {{"--rate-limit", "10:inf"}, "10:inf"},
    {{"--rate-limit", "10:50:1"}, "10:50:1"},
    {{"--rate-limit", "10 50"}, "10 50"},
    {{"--rate-limit", "OFF"}, "OFF"},

    {{"--fault", ""}, "METHOD PATH-PREFIX KIND"},
    {{"--fault", "GET /v1/apiKeys"}, "METHOD PATH-PREFIX KIND"},
    {{"--fault", "GET v1/apiKeys stall"}, "v1/apiKeys"},
    {{"--fault", "G3T / stall"}, "G3T"},
    {{"--fault", "GET / explode"}, "explode"},
    {{"--fault", "GET / stall", "--fault=GET / explode"}, "explode"},
    {{"--fault", "GET / Stall"}, "Stall"},
    {{"--fault", "GET / stall:5"}, "stall"},
    {{"--fault", "GET / delay"}, "delay:300"},
    {{"--fault", "GET / delay:soon"}, "delay:300"},
    {{"--fault", "GET / delay:-1"}, "delay:300"},
    {{"--fault", "GET / status:99"}, "status:503"},
    {{"--fault", "GET / status:600"}, "status:503"},
    {{"--fault", "GET / redirect:"}, "redirect"},
    {{"--fault", "GET / page:0"}, "page:3"},
    {{"--fault", "GET / stall x0"}, "x0"},
    {{"--fault", "GET / stall x"}, "\"x\""},
    {{"--fault", "GET / stall after=-1"}, "after=-1"},
    {{"--fault", "GET / stall twice"}, "twice"},
    {{"--fault", "GET / legacy-create"}, "legacy-create"},

    {{"--listen", ""}, "127.0.0.1"},
    {{"--listen", "localhost"}, "127.0.0.1"},
    {{"--listen", "256.0.0.1"}, "127.0.0.1"},
    {{"--listen", "127.0.0.1:80"}, "127.0.0.1"},
    {{"--listen", "[::1]"}, "127.0.0.1"},

    {{"--allow-remote", "--plain-http"}, "TLS"},
    {{"--listen=0.0.0.0", "--allow-remote", "--plain-http"}, "TLS"},
    {{"--plain-http", "--ca-out", "ca.pem"}, "--ca-out"},
    {{"--ca-out", "/nowhere/at/all/ca.pem"}, "/nowhere/at/all/ca.pem"},
    {{"--ca-out", "/"}, "--ca-out"},
    {{"--ca-out", "/dev/full"}, "/dev/full"},
};

TEST_CASE("palette-emulator: bad options are one line that says what is wrong, and status 2") {
    for (auto const& row : bad_options) {
        std::string line;
        for (auto const& argument : row.arguments)
            line += argument + ' ';
        CAPTURE(line);
        auto const said = check_that_it_is_refused(row.arguments);
        CAPTURE(said);
        CHECK(said.find(row.said) != std::string::npos);
    }
}

TEST_CASE("palette-emulator: what is very long is not repeated in full") {
    std::string const text(10'000, 'x');
    for (std::string const option :
         {"", "--", "--port=", "--quota=", "--keys=", "--rate-limit=", "--listen=", "--fault="})
        check_that_it_is_refused({option + text});
}

TEST_CASE("palette-emulator: addresses that others reach are refused, and what would allow them is named") {
    for (std::string const address : {"0.0.0.0", "::", "10.0.0.1", "192.168.1.1", "169.254.0.1", "fd00::1",
                                      "::ffff:10.0.0.1", "128.0.0.1"}) {
        CAPTURE(address);
        for (auto const& more : {std::vector<std::string>{}, {"--plain-http"}}) {
            std::vector<std::string> arguments{"--listen", address};
            arguments.insert(arguments.end(), more.begin(), more.end());
            auto const said = check_that_it_is_refused(arguments);
            CHECK(said.find(address) != std::string::npos);
            CHECK(said.find("--allow-remote") != std::string::npos);
        }
    }
}

TEST_CASE("palette-emulator: an empty file name is no file name") {
    for (auto const& arguments : {std::vector<std::string>{"--ca-out", ""}, {"--ca-out="}}) {
        auto const said = check_that_it_is_refused(arguments);
        CHECK(said.find("--ca-out") != std::string::npos);
    }
}

TEST_CASE("palette-emulator: an address with a zone that is not there is refused like any bad one") {
    check_that_it_is_refused({"--listen", "::1%999999"});
}

TEST_CASE("palette-emulator: control characters in an option do not reach the terminal") {
    const std::vector<std::string> rows[] = {{"--x\ny"},
                                             {"a\x1b[31m"},
                                             {"--port", "1\n2"},
                                             {"--rate-limit=\r\n"},
                                             {"--listen", "127.0.0.1\n"},
                                             {"--listen", "::1%1\nx"},
                                             {"--fault", "GET /\n stall"},
                                             {"--fault", "GET / stall\x7f"},
                                             {"--ca-out", "/nowhere/at/a\nll\x1b[31m"}};
    for (auto const& arguments : rows) {
        auto const said = check_that_it_is_refused(arguments);
        CAPTURE(said);
        CHECK(std::ranges::count_if(
                  said, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }) == 1);
    }
}

}  // namespace emulator_bad_command_line_test
