// SPDX-License-Identifier: BSL-1.0
#include "bench/canned_service.hpp"

#include "bench/measure.hpp"
#include "support/sample_keys.hpp"
#include "support/sample_users.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace bench {
namespace {

std::string answer_with(std::string_view body) {
    std::string answer =
        "HTTP/1.1 200 OK\r\n"
        "Date: Fri, 06 Jun 2025 09:30:00 GMT\r\n"
        "Content-Type: application/json\r\n"
        "Cache-Control: no-store\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        "Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n"
        "Content-Length: ";
    return answer.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
}

void watch(int epoll, int file) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = file;
    require(::epoll_ctl(epoll, EPOLL_CTL_ADD, file, &event) == 0);
}

void accept_one(int epoll, int listener) {
    auto const connection = ::accept(listener, nullptr, nullptr);
    require(connection >= 0);
    int const on = 1;
    ::setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(epoll, connection);
}

// False: the connection has ended.
bool answer_one(int connection, const CannedAnswers& answers) {
    std::array<char, 4096> request;
    auto const got = ::recv(connection, request.data(), request.size(), 0);
    if (got <= 0) return false;
    std::string_view const text(request.data(), static_cast<std::size_t>(got));
    require(text.ends_with("\r\n\r\n"));
    for (auto rest = answers.to(text); !rest.empty();) {
        auto const sent = ::send(connection, rest.data(), rest.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        rest.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

}  // namespace

CannedAnswers::CannedAnswers(std::size_t keys, std::size_t users) {
    static constexpr std::string_view before = R"({"items":[)";
    static constexpr std::string_view after = "]}";
    auto const one = sample::key_list(1);
    key = answer_with(std::string_view(one).substr(before.size(), one.size() - before.size() - after.size()));
    list = answer_with(sample::key_list(keys));
    user_list = answer_with(sample::user_list(users));
    identity = answer_with(sample::identity());
    limits =
        answer_with(R"({"resources":[{"kind":"apiKey","label":"API keys","limit":10000,"maxLimit":10000}]})");
}

std::string_view CannedAnswers::to(std::string_view request) const noexcept {
    if (request.starts_with("GET /v1/apiKeys/")) return key;
    if (request.starts_with("GET /v1/users/")) return identity;
    if (request.starts_with("GET /v1/users?")) return user_list;
    return request.starts_with("GET /v1/tenants/") ? limits : list;
}

int listen_on_loopback(std::uint16_t& port) {
    auto const listener = ::socket(AF_INET, SOCK_STREAM, 0);
    require(listener >= 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const place = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    require(::bind(listener, place, size) == 0 && ::listen(listener, 128) == 0);
    require(::getsockname(listener, place, &size) == 0);
    port = ntohs(address.sin_port);
    return listener;
}

CannedService::CannedService(std::size_t keys, std::size_t users)
    : answers_(keys, users),
      listener_(listen_on_loopback(port_)),
      stop_(::eventfd(0, 0)),
      thread_([this] { serve(); }) {}

CannedService::~CannedService() {
    ::eventfd_write(stop_, 1);
    thread_.join();
    ::close(listener_);
    ::close(stop_);
}

// Connections that are open in the end are closed with the program.
void CannedService::serve() const {
    auto const epoll = ::epoll_create1(0);
    watch(epoll, listener_);
    watch(epoll, stop_);
    for (;;) {
        std::array<epoll_event, 64> events;
        auto const count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
        for (int i = 0; i < count; ++i) {
            auto const file = events[static_cast<std::size_t>(i)].data.fd;
            if (file == stop_) {
                ::close(epoll);
                return;
            }
            if (file == listener_)
                accept_one(epoll, listener_);
            else if (!answer_one(file, answers_))
                ::close(file);
        }
    }
}

}  // namespace bench
