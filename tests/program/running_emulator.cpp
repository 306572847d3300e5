// SPDX-License-Identifier: BSL-1.0
#include "program/running_emulator.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <sys/socket.h>
#include <unistd.h>
#include <boost/json/parse.hpp>

#include <array>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <system_error>

namespace program {
namespace {

void check(bool good, const char* what) {
    if (!good) throw std::system_error(errno, std::generic_category(), what);
}

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Addresses address_of(const std::string& host, const std::string& port) {
    addrinfo wanted{};
    wanted.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), port.c_str(), &wanted, &found) != 0)
        throw std::runtime_error("not an address: " + host + " port " + port);
    return {found, &::freeaddrinfo};
}

// "https://[::1]:443": without brackets, and none of it may be missing.
struct Place {
    explicit Place(const std::string& url) {
        auto const begin = url.find("://");
        auto const colon = url.rfind(':');
        if (begin == std::string::npos || colon <= begin) throw std::runtime_error("no place: " + url);
        is_tls = url.starts_with("https://");
        host = url.substr(begin + 3, colon - begin - 3);
        if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
        port = url.substr(colon + 1);
    }
    bool is_tls;
    std::string host;
    std::string port;
};

child::Descriptor open_socket(const addrinfo& address) {
    child::Descriptor opened(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    check(opened.number() >= 0, "socket");
    return opened;
}

std::vector<int> statuses_in(std::string_view text) {
    static constexpr std::string_view mark = "HTTP/1.1 ";
    std::vector<int> found;
    for (auto at = text.find(mark); at != std::string_view::npos; at = text.find(mark)) {
        text.remove_prefix(at + mark.size());
        std::from_chars(text.data(), text.data() + text.size(), found.emplace_back());
    }
    return found;
}

std::string tls_exchange(Socket& socket, const std::string& host, std::string_view bytes,
                         const std::string& ca_file) {
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> const context(SSL_CTX_new(TLS_client_method()),
                                                                    &SSL_CTX_free);
    if (!ca_file.empty() && SSL_CTX_load_verify_locations(context.get(), ca_file.c_str(), nullptr) != 1)
        throw std::runtime_error("no authority can be read from " + ca_file);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    std::unique_ptr<SSL, decltype(&SSL_free)> const ssl(SSL_new(context.get()), &SSL_free);
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), host.c_str());
    SSL_set_fd(ssl.get(), socket.number());
    if (SSL_connect(ssl.get()) != 1) {
        auto const reason = SSL_get_verify_result(ssl.get());
        if (reason != X509_V_OK) throw Distrusted(X509_verify_cert_error_string(reason));
        throw std::runtime_error("the TLS handshake failed");
    }
    SSL_write(ssl.get(), bytes.data(), static_cast<int>(bytes.size()));
    std::string text;
    std::array<char, 4096> piece;
    for (int size; (size = SSL_read(ssl.get(), piece.data(), static_cast<int>(piece.size()))) > 0;)
        text.append(piece.data(), static_cast<std::size_t>(size));
    return text;
}

}  // namespace

std::string path_of_emulator() {
    return PALETTE_EMULATOR_PROGRAM;
}

Socket::Socket(const std::string& url) {
    Place const place(url);
    auto const address = address_of(place.host, place.port);
    descriptor_ = open_socket(*address);
    timeval const limit{10, 0};
    ::setsockopt(number(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    check(::connect(number(), address->ai_addr, address->ai_addrlen) == 0, "connect");
}

void Socket::send(std::string_view bytes) {
    while (!bytes.empty()) {
        auto const sent = ::send(number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        check(sent > 0, "send");
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

std::string Socket::receive_all() {
    std::string text;
    std::array<char, 4096> piece;
    for (ssize_t size; (size = ::recv(number(), piece.data(), piece.size(), 0)) > 0;)
        text.append(piece.data(), static_cast<std::size_t>(size));
    return text;
}

void Socket::wait_for_a_byte() {
    char byte;
    check(::recv(number(), &byte, 1, 0) == 1, "recv");
}

std::string Answer::body() const {
    auto const end = text.find("\r\n\r\n");
    return end == std::string::npos ? std::string() : text.substr(end + 4);
}

std::string request(std::string_view method, std::string_view target, HeaderLines headers,
                    std::string_view body) {
    std::string text(method);
    text += ' ';
    text += target;
    text += " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    for (auto const line : headers)
        text.append(line).append("\r\n");
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return text.append("\r\n").append(body);
}

Answer ask(const std::string& url, std::string_view request, const std::string& ca_file) {
    Place const place(url);
    Socket socket(url);
    Answer answer;
    if (place.is_tls) {
        answer.text = tls_exchange(socket, place.host, request, ca_file);
    } else {
        socket.send(request);
        answer.text = socket.receive_all();
    }
    if (auto const statuses = statuses_in(answer.text); !statuses.empty()) answer.status = statuses.front();
    return answer;
}

std::vector<int> ask_often(const std::string& url, std::string_view api_key, int count) {
    Socket socket(url);
    for (int i = 1; i <= count; ++i) {
        std::string text = "GET /v1/users/info HTTP/1.1\r\nHost: localhost\r\nApiKey: ";
        text.append(api_key).append(i == count ? "\r\nConnection: close\r\n\r\n" : "\r\n\r\n");
        socket.send(text);
    }
    return statuses_in(socket.receive_all());
}

RunningEmulator::RunningEmulator(std::vector<std::string> arguments)
    : process_(path_of_emulator(), {.arguments = std::move(arguments)}) {
    auto const line = process_.output_line();
    if (!line) {
        auto const end = process_.wait_for_end(0ms);
        throw std::runtime_error("no ready line: " + (end ? end->errors : "it still runs"));
    }
    ready_ = boost::json::parse(*line).as_object();
}

std::string RunningEmulator::of_user(std::string_view role, std::string_view what) const {
    for (auto const& user : ready_.at("users").as_array())
        if (text_of(user.as_object(), "role") == role) return text_of(user.as_object(), what);
    throw std::runtime_error("no user is a " + std::string(role));
}

Answer RunningEmulator::ask(std::string_view method, std::string_view target, std::string_view body) const {
    return program::ask(url(), request(method, target, {"ApiKey: " + api_key()}, body));
}

std::string RunningEmulator::text_of(const boost::json::object& object, std::string_view name) {
    return std::string(object.at(name).as_string());
}

std::string own_loopback_address() {
    auto const id = static_cast<unsigned>(::getpid());
    return "127." + std::to_string(64 + (id >> 16) % 64) + '.' + std::to_string(id >> 8 & 255) + '.' +
           std::to_string(id & 255);
}

std::uint16_t free_port(const std::string& address) {
    auto const any = address_of(address, "0");
    auto const socket = open_socket(*any);
    check(::bind(socket.number(), any->ai_addr, any->ai_addrlen) == 0, "bind");
    sockaddr_in bound{};
    socklen_t size = sizeof bound;
    check(::getsockname(socket.number(), reinterpret_cast<sockaddr*>(&bound), &size) == 0, "getsockname");
    return ntohs(bound.sin_port);
}

bool has_ipv6_loopback() {
    auto const any = address_of("::1", "0");
    child::Descriptor const socket(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return socket.number() >= 0 && ::bind(socket.number(), any->ai_addr, any->ai_addrlen) == 0;
}

ScratchFolder::ScratchFolder() {
    auto name = (std::filesystem::temp_directory_path() / "palette-emulator-test-XXXXXX").string();
    check(::mkdtemp(name.data()) != nullptr, "mkdtemp");
    path_ = name;
}

ScratchFolder::~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace program
