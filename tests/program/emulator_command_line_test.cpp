// SPDX-License-Identifier: BSL-1.0
#include "program/running_emulator.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <boost/json.hpp>

#include <algorithm>
#include <fstream>
#include <map>
#include <memory>

namespace emulator_command_line_test {

using namespace program;
namespace json = boost::json;

const std::string who = "/v1/users/info";

json::array listed_keys(const RunningEmulator& emulator) {
    auto const answer = emulator.ask("GET", "/v1/apiKeys");
    REQUIRE(answer.status == 200);
    return json::parse(answer.body()).as_object().at("items").as_array();
}

TEST_CASE("palette-emulator: --listen and --port say where it is to be found") {
    auto const own = own_loopback_address();
    std::vector<std::string> addresses{"127.0.0.1", "127.0.0.2", own};
    if (has_ipv6_loopback()) addresses.emplace_back("::1");
    for (auto const& address : addresses) {
        CAPTURE(address);
        RunningEmulator emulator({"--plain-http", "--listen", address});
        auto const host = address == "::1" ? "[::1]" : address;
        CHECK(emulator.url().starts_with("http://" + host + ':'));
        CHECK_FALSE(emulator.url().ends_with(":0"));
        CHECK(emulator.ask("GET", who).status == 200);
    }
    auto const port = std::to_string(free_port(own));
    RunningEmulator emulator({"--plain-http", "--listen=" + own, "--port=" + port});
    CHECK(emulator.url() == "http://" + own + ':' + port);
    CHECK(emulator.ask("GET", who).status == 200);
    CHECK_THROWS_AS(Socket("http://127.0.0.1:" + port), std::system_error);
}

TEST_CASE("palette-emulator: a port that is in use is one line that names it, and status 1") {
    auto const own = own_loopback_address();
    RunningEmulator first({"--plain-http", "--listen", own});
    auto const port = first.url().substr(first.url().rfind(':') + 1);
    child::Process second(path_of_emulator(),
                          {.arguments = {"--plain-http", "--listen", own, "--port", port}});
    auto const end = second.wait_for_end();
    REQUIRE(end);
    CHECK(end->status == 1);
    CHECK(end->output == "");
    CHECK(std::ranges::count(end->errors, '\n') == 1);
    CHECK(end->errors.find(port) != std::string::npos);
    CHECK(first.ask("GET", who).status == 200);
}

TEST_CASE("palette-emulator: TLS is verified with the file of --ca-out, at every address, and not without") {
    ScratchFolder const folder;
    auto const other_file = folder.file("other.pem");
    RunningEmulator const other({"--ca-out", other_file});
    std::vector<std::string> addresses{"127.0.0.1", "127.0.0.2"};
    if (has_ipv6_loopback()) addresses.emplace_back("::1");
    for (auto const& address : addresses) {
        CAPTURE(address);
        auto const file = folder.file("ca.pem");
        RunningEmulator emulator({"--ca-out", file, "--listen", address});
        CHECK(emulator.url().starts_with("https://"));
        CHECK(emulator.ready().at("ca_file").as_string() == file);
        auto const asked = request("GET", who, {"ApiKey: " + emulator.api_key()});
        CHECK(ask(emulator.url(), asked, file).status == 200);
        CHECK_THROWS_AS(ask(emulator.url(), asked), Distrusted);
        CHECK_THROWS_AS(ask(emulator.url(), asked, other_file), Distrusted);
    }
}

TEST_CASE("palette-emulator: the file of --ca-out holds one certificate authority and no key") {
    ScratchFolder const folder;
    auto const file = folder.file("ca=1.pem");
    std::ofstream(file) << std::string(100'000, 'x');
    RunningEmulator const emulator({"--ca-out=" + file});
    auto const text = content_of(file);
    CHECK(text.starts_with("-----BEGIN CERTIFICATE-----\n"));
    CHECK(text.find("-----BEGIN", 1) == std::string::npos);
    CHECK(text.ends_with("-----END CERTIFICATE-----\n"));

    std::unique_ptr<BIO, decltype(&BIO_free_all)> const memory(
        BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free_all);
    std::unique_ptr<X509, decltype(&X509_free)> const authority(
        PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr), &X509_free);
    REQUIRE(authority);
    CHECK(X509_check_ca(authority.get()) == 1);
    CHECK(X509_self_signed(authority.get(), 1) == 1);
    int days = 0;
    int seconds = 0;
    ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(authority.get()),
                   X509_get0_notAfter(authority.get()));
    CHECK(days * 86'400 + seconds == 86'400);
}

TEST_CASE("palette-emulator: without --ca-out there is TLS and no file") {
    RunningEmulator const emulator({});
    CHECK(emulator.url().starts_with("https://127.0.0.1:"));
    CHECK(emulator.ready().at("ca_file").is_null());
    CHECK_THROWS_AS(static_cast<void>(emulator.ask("GET", who)), Distrusted);
}

TEST_CASE("palette-emulator: ten requests a second and fifty at once are let in by default") {
    RunningEmulator emulator({"--plain-http"});
    auto const start = std::chrono::steady_clock::now();
    auto const statuses = ask_often(emulator.url(), emulator.api_key(), 300);
    std::chrono::duration<double> const time = std::chrono::steady_clock::now() - start;
    REQUIRE(statuses.size() == 300);
    CHECK(std::count(statuses.begin(), statuses.begin() + 50, 200) == 50);
    auto const let_in = std::ranges::count(statuses, 200);
    CHECK(static_cast<double>(let_in) <= 51 + 10 * time.count());
    CHECK(std::ranges::count(statuses, 429) == 300 - let_in);
    // Another path has a bucket of its own.
    CHECK(emulator.ask("GET", "/v1/apiKeys").status == 200);
}

TEST_CASE("palette-emulator: --rate-limit sets how many are let in") {
    RunningEmulator emulator({"--plain-http", "--rate-limit", "0.001:3"});
    auto const statuses = ask_often(emulator.url(), emulator.api_key(), 6);
    CHECK(statuses == std::vector<int>{200, 200, 200, 429, 429, 429});
    CHECK(emulator.ask("GET", who).text.find("Retry-After") == std::string::npos);
}

TEST_CASE("palette-emulator: --retry-after says when to come again") {
    RunningEmulator emulator({"--plain-http", "--retry-after", "--rate-limit=0.001:1"});
    CHECK(ask_often(emulator.url(), emulator.api_key(), 1) == std::vector<int>{200});
    auto const refused = emulator.ask("GET", who);
    CHECK(refused.status == 429);
    CHECK(refused.text.find("\r\nRetry-After: ") != std::string::npos);
}

TEST_CASE("palette-emulator: --rate-limit off lets everything in") {
    RunningEmulator emulator({"--plain-http", "--quiet", "--rate-limit", "off"});
    CHECK(ask_often(emulator.url(), emulator.api_key(), 1'000) == std::vector<int>(1'000, 200));
}

TEST_CASE("palette-emulator: --quota says how many keys a user has, and is 20 by default") {
    struct {
        std::vector<std::string> arguments;
        int quota;
    } const rows[] = {{{}, 20}, {{"--quota", "3"}, 3}, {{"--quota=1"}, 1}};
    for (auto const& row : rows) {
        CAPTURE(row.quota);
        auto arguments = row.arguments;
        arguments.insert(arguments.end(), {"--plain-http", "--rate-limit=off"});
        RunningEmulator emulator(arguments);
        auto const create = [&] {
            return emulator.ask("POST", "/v1/apiKeys", R"({"metadata":{"name":"one more"}})").status;
        };
        // Every user has one from the start.
        for (int i = 1; i < row.quota; ++i)
            CHECK(create() == 201);
        CHECK(create() == 409);
    }
}

TEST_CASE("palette-emulator: --keys fills the tenant, with no more of a user than the quota") {
    struct {
        std::vector<std::string> arguments;
        std::size_t keys;
        std::size_t owners;
        int quota;
    } const rows[] = {
        {{"--keys", "1000"}, 1000, 50, 20}, {{"--keys=7", "--quota=3"}, 7, 3, 3}, {{}, 0, 0, 20}};
    for (auto const& row : rows) {
        CAPTURE(row.keys);
        auto arguments = row.arguments;
        arguments.emplace_back("--plain-http");
        RunningEmulator emulator(arguments);
        auto const keys = listed_keys(emulator);
        CHECK(keys.size() == row.keys + 4);
        std::map<std::string, int> keys_of;
        for (auto const& key : keys)
            ++keys_of[RunningEmulator::text_of(key.at("spec").at("user").as_object(), "uid")];
        CHECK(keys_of.size() == row.owners + 4);
        for (auto const& [owner, count] : keys_of)
            CHECK(count <= row.quota);
    }
}

TEST_CASE("palette-emulator: --fault may be given again, and the first that matches is injected first") {
    RunningEmulator emulator({"--plain-http", "--fault", "GET /v1/users status:500 x1",
                              "--fault=GET /v1/users status:502 x2 after=0", "--fault",
                              "POST /v1/apiKeys drop-after x1"});
    for (int const status : {500, 502, 502, 200})
        CHECK(emulator.ask("GET", who).status == status);
    for (int const status : {0, 201})
        CHECK(emulator.ask("POST", "/v1/apiKeys", R"({"metadata":{"name":"one"}})").status == status);
    CHECK(listed_keys(emulator).size() == 4 + 2);
}

TEST_CASE(
    "palette-emulator: with --allow-remote it listens everywhere, and its URL is good for this machine") {
    ScratchFolder const folder;
    auto const file = folder.file("ca.pem");
    RunningEmulator emulator({"--allow-remote", "--listen", "0.0.0.0", "--ca-out", file});
    auto const asked = request("GET", who, {"ApiKey: " + emulator.api_key()});
    auto const port = emulator.url().substr(emulator.url().rfind(':') + 1);
    CHECK(ask("https://127.0.0.1:" + port, asked, file).status == 200);
    CHECK(ask(emulator.url(), asked, file).status == 200);
}

}  // namespace emulator_command_line_test
