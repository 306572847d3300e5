// SPDX-License-Identifier: BSL-1.0
#include "support/counting_allocator.hpp"
#include "support/raw_http.hpp"
#include "support/sanitized.hpp"

#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>

#include <unistd.h>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace emulator_load_test {

using palette::testing::Emulator;
using palette::testing::RateLimit;
using palette::testing::Role;

// What the system has given this process and it still holds.
std::size_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    std::size_t total = 0;
    std::size_t resident = 0;
    file >> total >> resident;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

// 64 connections of a client that reads, creates, edits and deletes.
class Crowd {
public:
    explicit Crowd(const Emulator& emulator) : emulator_(emulator) {
        for (int i = 0; i < 64; ++i)
            connections_.push_back(std::make_unique<raw::Connection>(emulator));
    }

    // As many requests, `in flight` on all connections together; how many of them are answered well.
    int send(int requests) {
        int answered = 0;
        for (int sent = 0; sent < requests;) {
            for (auto const& connection : connections_)
                connection->send(next(sent++));
            for (auto const& connection : connections_) {
                auto const response = connection->receive();
                answered += response.status >= 200 && response.status < 300 && response.complete;
            }
        }
        return answered;
    }

private:
    std::string next(int number) {
        auto const key = std::string(emulator_.user(Role::tenant_admin).api_key.expose());
        auto const uid = emulator_.user(Role::user).uid;
        switch (number % 4) {
            case 0:
                return raw::request("GET", "/v1/apiKeys", {{"ApiKey", key}});
            case 1:
                return raw::request("GET", "/v1/users", {{"ApiKey", key}});
            case 2:
                return raw::request("GET", "/v1/users/info", {{"ApiKey", key}});
            default:
                return raw::request("PUT", path_, {{"ApiKey", key}}, R"({"metadata":{"name":"again"}})");
        }
    }

    const Emulator& emulator_;
    std::vector<std::unique_ptr<raw::Connection>> connections_;
    std::string path_ = "/v1/apiKeys/" + emulator_.keys().back().uid;
};

TEST_CASE("20000 requests over 64 connections are all answered and leave memory as 2000 did") {
    Emulator emulator({.rate_limit = RateLimit::off()});
    Crowd crowd(emulator);
    CHECK(crowd.send(2'048) == 2'048);
    auto const in_use = counting::now();
    auto const resident = resident_bytes();
    CHECK(crowd.send(17'984) == 17'984);
    CHECK(emulator.request_count() == 20'032);
    auto const grown = static_cast<std::int64_t>(counting::now()) - static_cast<std::int64_t>(in_use);
    auto const resident_growth =
        static_cast<std::int64_t>(resident_bytes()) - static_cast<std::int64_t>(resident);
    MESSAGE("memory in use grew by ", grown / 1024, " KiB, resident memory by ", resident_growth / 1024,
            " KiB");
    constexpr std::int64_t bound = 2 * 1024 * 1024;
    CHECK(grown <= bound);
    // Sanitizers keep what is freed, for a while.
    if (!sanitized) CHECK(resident_growth <= bound);
}

}  // namespace emulator_load_test
