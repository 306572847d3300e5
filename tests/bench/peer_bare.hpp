// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "bench/canned_service.hpp"
#include "bench/measure.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

// What no client can do without: the bytes of the request go, those of the answer come, and nobody looks at
// them.
class BarePeer {
public:
    explicit BarePeer(std::uint16_t port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        require(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
        int const on = 1;
        ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    BarePeer(const BarePeer&) = delete;
    BarePeer& operator=(const BarePeer&) = delete;
    ~BarePeer() { ::close(socket_); }

    void get(std::string_view target) {
        auto const request = "GET " + std::string(target) +
                             " HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: palette-keys/0.1.0\r\n"
                             "Accept: application/json\r\nAccept-Encoding: identity\r\nApiKey: " +
                             std::string(api_key) + "\r\n\r\n";
        require(::send(socket_, request.data(), request.size(), MSG_NOSIGNAL) > 0);
        std::array<char, 4096> answer;
        require(::recv(socket_, answer.data(), answer.size(), 0) > 0);
    }

private:
    int socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
};

}  // namespace bench
