// SPDX-License-Identifier: BSL-1.0
#include "support/raw_http.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <stdexcept>

namespace raw {
namespace {

void check(bool good, const char* what) {
    if (!good) throw std::runtime_error(std::string("raw_http: ") + what);
}

sockaddr_in address_of(const std::string& host, std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    check(inet_pton(AF_INET, host.c_str(), &address.sin_addr) == 1, "not an address");
    return address;
}

std::string in_small_letters(std::string text) {
    std::ranges::transform(text, text.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

// The status line and the header, without the empty line.
Response parse_head(const std::string& head) {
    Response response;
    auto line_end = head.find("\r\n");
    if (head.starts_with("HTTP/1.1 ")) response.status = std::atoi(head.c_str() + 9);
    while (line_end != std::string::npos) {
        auto const begin = line_end + 2;
        line_end = head.find("\r\n", begin);
        auto const line = head.substr(begin, line_end == std::string::npos ? line_end : line_end - begin);
        auto const colon = line.find(": ");
        if (colon != std::string::npos)
            response.headers[in_small_letters(line.substr(0, colon))] = line.substr(colon + 2);
    }
    return response;
}

}  // namespace

struct Connection::Tls {
    Tls(int socket, const std::string& ca_pem) : context(SSL_CTX_new(TLS_client_method())) {
        check(context != nullptr, "no TLS");
        BIO* const memory = BIO_new_mem_buf(ca_pem.data(), static_cast<int>(ca_pem.size()));
        X509* const authority = PEM_read_bio_X509(memory, nullptr, nullptr, nullptr);
        check(authority != nullptr && X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority) == 1,
              "the authority's certificate cannot be read");
        X509_free(authority);
        BIO_free(memory);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
        ssl = SSL_new(context);
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), "127.0.0.1");
        SSL_set_fd(ssl, socket);
        check(SSL_connect(ssl) == 1, "the TLS handshake failed");
    }
    Tls(const Tls&) = delete;
    Tls& operator=(const Tls&) = delete;
    ~Tls() {
        SSL_free(ssl);
        SSL_CTX_free(context);
    }

    SSL_CTX* context = nullptr;
    SSL* ssl = nullptr;
};

Connection::Connection(const palette::testing::Emulator& emulator, const Options& options)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    check(socket_ >= 0, "no socket");
    // OpenSSL writes alerts to connections that are gone.
    ::signal(SIGPIPE, SIG_IGN);
    int const yes = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    auto const seconds = std::chrono::floor<std::chrono::seconds>(options.timeout);
    timeval const limit{
        static_cast<time_t>(seconds.count()),
        static_cast<suseconds_t>(std::chrono::microseconds(options.timeout - seconds).count())};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (auto const size = options.smallest_receive_buffer; size > 0)
        setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (!options.source.empty()) {
        auto const source = address_of(options.source, 0);
        check(::bind(socket_, reinterpret_cast<const sockaddr*>(&source), sizeof source) == 0, "cannot bind");
    }
    auto const server = address_of("127.0.0.1", emulator.port());
    check(::connect(socket_, reinterpret_cast<const sockaddr*>(&server), sizeof server) == 0,
          "cannot connect");
    if (emulator.url().starts_with("https:")) tls_ = std::make_unique<Tls>(socket_, emulator.ca_pem());
}

Connection::~Connection() {
    tls_.reset();
    ::close(socket_);
}

bool Connection::send(std::string_view bytes) {
    while (!bytes.empty()) {
        auto const sent = tls_ ? SSL_write(tls_->ssl, bytes.data(), static_cast<int>(bytes.size()))
                               : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

void Connection::finish_sending() {
    if (tls_) SSL_shutdown(tls_->ssl);
    ::shutdown(socket_, SHUT_WR);
}

bool Connection::read_more() {
    char bytes[65'536];
    errno = 0;
    auto const size =
        tls_ ? SSL_read(tls_->ssl, bytes, sizeof bytes) : ::recv(socket_, bytes, sizeof bytes, 0);
    if (size > 0) {
        buffer_.append(bytes, static_cast<std::size_t>(size));
        return true;
    }
    end_ = errno == ECONNRESET                       ? End::reset
           : errno == EAGAIN || errno == EWOULDBLOCK ? End::late
                                                     : End::closed;
    return false;
}

Response Connection::receive(bool to_head) {
    std::size_t end;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
        if (!read_more()) return {};
    auto response = parse_head(buffer_.substr(0, end));
    buffer_.erase(0, end + 4);
    auto const length = response.headers.find("content-length");
    std::size_t const due =
        to_head || length == response.headers.end() ? 0 : std::strtoull(length->second.c_str(), nullptr, 10);
    while (buffer_.size() < due && read_more()) {
    }
    response.body = buffer_.substr(0, due);
    response.complete = response.body.size() == due;
    buffer_.erase(0, due);
    return response;
}

std::string Connection::receive_some(std::size_t most) {
    if (buffer_.empty()) read_more();
    auto const part = buffer_.substr(0, most);
    buffer_.erase(0, part.size());
    return part;
}

std::string Connection::receive_all() {
    while (read_more()) {
    }
    return std::exchange(buffer_, {});
}

std::string request(std::string_view method, std::string_view target, Headers headers,
                    std::string_view body) {
    std::string text(method);
    text += ' ';
    text += target;
    text += " HTTP/1.1\r\nHost: 127.0.0.1\r\n";
    for (auto const& [name, value] : headers) {
        text += name;
        text += ": ";
        text += value;
        text += "\r\n";
    }
    if (!body.empty())
        text += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    text += "\r\n";
    text += body;
    return text;
}

Client::Client(const palette::testing::Emulator& emulator, std::string_view api_key)
    : Client(emulator, "ApiKey", api_key) {}

Client::Client(const palette::testing::Emulator& emulator, std::string_view header, std::string_view value)
    : emulator_(emulator),
      header_(header),
      value_(value) {}

Response Client::call(std::string_view method, std::string_view path, std::string_view body) {
    if (!connection_) connection_ = std::make_unique<Connection>(emulator_);
    auto const text =
        value_.empty() ? request(method, path, {}, body) : request(method, path, {{header_, value_}}, body);
    connection_->send(text);
    auto response = connection_->receive(method == "HEAD");
    if (connection_->end() != End::none || response.headers.contains("connection")) connection_.reset();
    return response;
}

}  // namespace raw
