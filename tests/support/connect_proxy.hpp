// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

// An HTTP proxy that makes tunnels, or misbehaves as it is told. It owes nothing to the library.
namespace proxying {

struct ProxyOptions {
    std::uint16_t target = 0;   // the port of 127.0.0.1 that it connects to, whatever it is asked for
    std::string authorization;  // what Proxy-Authorization has to be; empty: anything
    std::string answer;         // sent instead of making a tunnel; then it closes
    std::string behind;         // sent with the good news, in one packet
    bool is_silent = false;     // takes everything and says nothing
};

class ConnectProxy {
public:
    // It serves from now on until the destructor, in a thread of its own.
    explicit ConnectProxy(ProxyOptions options);
    ConnectProxy(const ConnectProxy&) = delete;
    ConnectProxy& operator=(const ConnectProxy&) = delete;
    ~ConnectProxy();

    [[nodiscard]] std::uint16_t port() const noexcept;
    [[nodiscard]] std::string url() const;

    // The head of every request, in the order in which they came.
    [[nodiscard]] std::vector<std::string> heads() const;
    [[nodiscard]] std::size_t tunnels() const;

    // Everything that went through tunnels, in both directions.
    [[nodiscard]] std::string carried() const;

private:
    class Machine;
    std::unique_ptr<Machine> machine_;
};

}  // namespace proxying
