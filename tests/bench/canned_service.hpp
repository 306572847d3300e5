// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

namespace bench {

// The answers of a service that has `keys` keys and `users` users, as they go over the wire.
struct CannedAnswers {
    explicit CannedAnswers(std::size_t keys, std::size_t users = 0);

    // The one for "GET /v1/apiKeys " or for "GET /v1/apiKeys/{uid} ", and for what an audit reads beside.
    [[nodiscard]] std::string_view to(std::string_view request) const noexcept;

    std::string key;
    std::string list;
    std::string user_list;
    std::string identity;
    std::string limits;
};

inline constexpr std::string_view key_uid = "65f1c0de0000000000000000";
inline constexpr std::string_view api_key = "2Q7tVx0sYb3mN8cKzR5wLd1hGf6jPa9e";

// A service that does less than any client of it: plain HTTP on loopback, answers made before, one
// thread, which waits for requests and writes. It knows whole requests only, one after another on a
// connection.
class CannedService {
public:
    explicit CannedService(std::size_t keys, std::size_t users = 0);
    CannedService(const CannedService&) = delete;
    CannedService& operator=(const CannedService&) = delete;
    ~CannedService();

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

private:
    void serve() const;

    CannedAnswers answers_;
    int listener_;
    int stop_;  // readable when it is to stop
    std::uint16_t port_;
    std::thread thread_;
};

// A socket that listens on a free port of the loopback address, which is written to `port`.
int listen_on_loopback(std::uint16_t& port);

}  // namespace bench
