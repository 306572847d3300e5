// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <vector>

// A socket that is bound and takes no connection.
class DeadPort {
public:
    enum class Kind { refusing, silent };

    // std::system_error if somebody has the port.
    explicit DeadPort(Kind kind, std::uint16_t port = 0) {
        auto const socket = open();
        sockaddr_in address = loopback(port);
        socklen_t size = sizeof address;
        if (::bind(socket, reinterpret_cast<sockaddr*>(&address), size) != 0)
            throw std::system_error(errno, std::generic_category(), "bind");
        ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(address.sin_port);
        if (kind == Kind::silent) fill(socket);
    }
    DeadPort(const DeadPort&) = delete;
    DeadPort& operator=(const DeadPort&) = delete;
    ~DeadPort() {
        for (int const socket : sockets_)
            ::close(socket);
    }
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

private:
    static sockaddr_in loopback(std::uint16_t port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port);
        return address;
    }
    int open() {
        return sockets_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    }

    // What comes when the queue is full is not answered.
    void fill(int listener) {
        ::listen(listener, 0);
        auto const address = loopback(port_);
        for (;;) {
            pollfd waited{open(), POLLOUT, 0};
            ::connect(waited.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
            if (::poll(&waited, 1, 50) == 0) return;
        }
    }

    std::vector<int> sockets_;
    std::uint16_t port_ = 0;
};
