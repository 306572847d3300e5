// SPDX-License-Identifier: BSL-1.0
#include "support/tls_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <list>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

namespace tls {
namespace {

void check(bool good, const char* what) {
    if (!good) throw std::system_error(errno, std::generic_category(), what);
}

template <auto free>
struct FreedWith {
    void operator()(auto* object) const noexcept { free(object); }
};
using Bytes = std::unique_ptr<BIO, FreedWith<BIO_free_all>>;
using Key = std::unique_ptr<EVP_PKEY, FreedWith<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, FreedWith<X509_free>>;
using Context = std::unique_ptr<SSL_CTX, FreedWith<SSL_CTX_free>>;
using Connected = std::unique_ptr<SSL, FreedWith<SSL_free>>;

class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) { check(number >= 0, "descriptor"); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { ::close(number_); }
    [[nodiscard]] int number() const noexcept { return number_; }

private:
    int number_;
};

Bytes reader_of(const std::string& text) {
    return Bytes(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

template <class Write>
std::string written(Write write) {
    Bytes const memory(BIO_new(BIO_s_mem()));
    check(write(memory.get()) == 1, "PEM");
    char* data = nullptr;
    auto const size = BIO_get_mem_data(memory.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate) {
    return written([&](BIO* out) { return PEM_write_bio_X509(out, certificate); });
}

Certificate parsed(const std::string& pem) {
    Certificate certificate(PEM_read_bio_X509(reader_of(pem).get(), nullptr, nullptr, nullptr));
    check(certificate != nullptr, "certificate");
    return certificate;
}

Certificate unsigned_certificate(EVP_PKEY* key, const CertificateOptions& options) {
    Certificate certificate(X509_new());
    auto* const c = certificate.get();
    std::uint32_t serial = 0;
    RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
    auto const name = options.common_name.empty() ? "test " + std::to_string(serial) : options.common_name;
    X509_set_version(c, X509_VERSION_3);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(c), serial);
    X509_gmtime_adj(X509_getm_notBefore(c), options.begins.count());
    X509_gmtime_adj(X509_getm_notAfter(c), options.ends.count());
    X509_set_pubkey(c, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    return certificate;
}

void extend(X509* certificate, int what, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, nullptr, certificate, nullptr, nullptr, 0);
    auto* const extension = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
    check(extension != nullptr, "extension");
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

}  // namespace

Authority::Authority()
    : key_(EVP_EC_gen("P-256"), &EVP_PKEY_free),
      certificate_(unsigned_certificate(key_.get(), {}).release(), &X509_free) {
    auto* const c = certificate_.get();
    X509_set_issuer_name(c, X509_get_subject_name(c));
    extend(c, NID_basic_constraints, "critical,CA:TRUE");
    extend(c, NID_key_usage, "critical,keyCertSign");
    X509_sign(c, key_.get(), EVP_sha256());
    pem_ = pem_of(c);
}

Identity Authority::issue(const CertificateOptions& options) const {
    Key const key(EVP_EC_gen("P-256"));
    auto const certificate = unsigned_certificate(key.get(), options);
    auto* const c = certificate.get();
    X509_set_issuer_name(c, X509_get_subject_name(certificate_.get()));
    if (!options.names.empty()) extend(c, NID_subject_alt_name, options.names);
    extend(c, NID_ext_key_usage, options.purpose);
    X509_sign(c, key_.get(), EVP_sha256());
    return {pem_of(c), written([&](BIO* out) {
                return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
            })};
}

std::string Authority::file_name() const {
    char name[16];
    std::snprintf(name, sizeof name, "%08lx.0", X509_subject_name_hash(certificate_.get()));
    return name;
}

std::string http_answer(int status, std::string_view body) {
    return "HTTP/1.1 " + std::to_string(status) +
           " Answer\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + std::string(body);
}

class Server::Machine {
public:
    explicit Machine(ServerOptions options)
        : options_(std::move(options)),
          listener_(::socket(is_ipv6() ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        if (!options_.answer)
            options_.answer = [](std::string_view) { return Answer{{http_answer(200, R"({"items":[]})")}}; };
        if (options_.greeting == ServerOptions::Greeting::tls) make_context();
        listen();
        thread_ = std::thread([this] { accept_all(); });
    }
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;

    ~Machine() {
        ::shutdown(listener_.number(), SHUT_RDWR);
        thread_.join();
        for (auto& connection : connections_) {
            {
                std::lock_guard const lock(mutex_);
                order(connection, Answer{{}, Ending::cut});
            }
            ::shutdown(connection.socket.number(), SHUT_RDWR);
            connection.thread.join();
        }
    }

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

    [[nodiscard]] std::vector<Seen> seen() const {
        std::lock_guard const lock(mutex_);
        return all_seen();
    }

    [[nodiscard]] std::vector<Seen> seen_when_over(std::size_t count) const {
        std::unique_lock lock(mutex_);
        wait(lock,
             [&] { return std::ranges::count_if(connections_, &Connection::is_over) >= ssize_t(count); });
        return all_seen();
    }

    void say(const Answer& unasked) {
        std::unique_lock lock(mutex_);
        for (auto& connection : connections_)
            if (!connection.is_over) order(connection, unasked);
        wait(lock, [&] {
            return std::ranges::all_of(connections_, [](auto& c) { return c.is_over || !c.order; });
        });
    }

private:
    struct Connection {
        explicit Connection(int accepted) : socket(accepted), bell(::eventfd(0, EFD_CLOEXEC)) {}

        Descriptor socket;
        Descriptor bell;  // rings when there is an order
        Connected ssl;
        Seen seen;
        std::optional<Answer> order;
        bool is_over = false;
        std::thread thread;
    };

    [[nodiscard]] bool is_ipv6() const { return options_.address.find(':') != std::string::npos; }

    void listen() {
        sockaddr_in6 v6{};
        sockaddr_in v4{};
        v6.sin6_family = AF_INET6;
        v4.sin_family = AF_INET;
        auto* const place = is_ipv6() ? reinterpret_cast<sockaddr*>(&v6) : reinterpret_cast<sockaddr*>(&v4);
        socklen_t size = is_ipv6() ? sizeof v6 : sizeof v4;
        ::inet_pton(place->sa_family, options_.address.c_str(),
                    is_ipv6() ? static_cast<void*>(&v6.sin6_addr) : &v4.sin_addr);
        check(::bind(listener_.number(), place, size) == 0, "bind");
        check(::listen(listener_.number(), 64) == 0, "listen");
        check(::getsockname(listener_.number(), place, &size) == 0, "getsockname");
        port_ = ntohs(is_ipv6() ? v6.sin6_port : v4.sin_port);
    }

    void make_context() {
        context_.reset(SSL_CTX_new(TLS_server_method()));
        auto* const c = context_.get();
        if (options_.security_level >= 0) {
            SSL_CTX_set_security_level(c, options_.security_level);
            SSL_CTX_set_cipher_list(c, ("ALL:@SECLEVEL=" + std::to_string(options_.security_level)).c_str());
        }
        SSL_CTX_set_min_proto_version(c, options_.oldest);
        SSL_CTX_set_max_proto_version(c, options_.newest);
        Key const key(
            PEM_read_bio_PrivateKey(reader_of(options_.identity.key).get(), nullptr, nullptr, nullptr));
        check(SSL_CTX_use_certificate(c, parsed(options_.identity.certificate).get()) == 1, "certificate");
        check(SSL_CTX_use_PrivateKey(c, key.get()) == 1, "private key");
        SSL_CTX_set_session_id_context(c, reinterpret_cast<const unsigned char*>("test"), 4);
        SSL_CTX_set_session_ticket_cb(c, &Machine::on_new_ticket, &Machine::on_ticket, this);
        if (options_.client_authority.empty()) return;
        X509_STORE_add_cert(SSL_CTX_get_cert_store(c), parsed(options_.client_authority).get());
        SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }

    static int on_new_ticket(SSL* ssl, void* self) {
        auto& machine = *static_cast<Machine*>(self);
        std::lock_guard const lock(machine.mutex_);
        auto const number = ++machine.tickets_;
        return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), &number, sizeof number);
    }

    static SSL_TICKET_RETURN on_ticket(SSL* ssl, SSL_SESSION* session, const unsigned char*, std::size_t,
                                       SSL_TICKET_STATUS status, void* self) {
        if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
            return SSL_TICKET_RETURN_IGNORE_RENEW;
        auto& machine = *static_cast<Machine*>(self);
        std::lock_guard const lock(machine.mutex_);
        void* number = nullptr;
        std::size_t size = 0;
        if (SSL_SESSION_get0_ticket_appdata(session, &number, &size) == 1 && size == sizeof(std::uint32_t))
            std::memcpy(&static_cast<Connection*>(SSL_get_app_data(ssl))->seen.ticket, number, size);
        return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
    }

    void accept_all() {
        // A client that has gone is no reason to die.
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, nullptr);
        int accepted;
        while ((accepted = ::accept4(listener_.number(), nullptr, nullptr, SOCK_CLOEXEC)) >= 0) {
            int const on = 1;
            ::setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            std::lock_guard const lock(mutex_);
            auto& connection = connections_.emplace_back(accepted);
            connection.thread = std::thread([this, &connection] { serve(connection); });
        }
    }

    void serve(Connection& connection) {
        using Greeting = ServerOptions::Greeting;
        auto const greeting = options_.greeting;
        auto ending = Ending::cut;
        if (greeting == Greeting::closes || greeting == Greeting::silent) {
            char hello[4096];
            static_cast<void>(::recv(connection.socket.number(), hello, sizeof hello, 0));
            if (greeting == Greeting::silent) await_end(connection);
        } else if (greeting == Greeting::plain || shake_hands(connection)) {
            ending = converse(connection);
        }
        end(connection, ending);
        done(connection);
        await_end(connection);
        std::lock_guard const lock(mutex_);
        connection.is_over = true;
        changed_.notify_all();
    }

    bool shake_hands(Connection& connection) {
        auto* const ssl = SSL_new(context_.get());
        connection.ssl.reset(ssl);
        SSL_set_app_data(ssl, &connection);
        SSL_set_fd(ssl, connection.socket.number());
        auto const is_good = SSL_accept(ssl) == 1;
        std::lock_guard const lock(mutex_);
        auto& seen = connection.seen;
        if (auto const* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)) seen.server_name = name;
        seen.is_shaken = is_good;
        seen.is_resumed = SSL_session_reused(ssl) == 1;
        seen.version = SSL_version(ssl);
        seen.has_certificate = SSL_get0_peer_certificate(ssl) != nullptr;
        return is_good;
    }

    // Until one of both sides ends it.
    Ending converse(Connection& connection) {
        std::string text;
        for (;;) {
            if (auto const ordered = take_order(connection)) {
                send(connection, ordered->records);
                if (ordered->ending != Ending::none) return ordered->ending;
                done(connection);
            }
            if (!await(connection)) continue;
            if (!receive(connection, text)) return Ending::cut;
            auto const size = size_of_request(text);
            if (size == 0) continue;
            auto const answer = options_.answer(std::string_view(text).substr(0, size));
            text.erase(0, size);
            send(connection, answer.records);
            if (answer.ending != Ending::none) return answer.ending;
        }
    }

    // Whether there is something to read; an order comes first.
    static bool await(Connection& connection) {
        if (connection.ssl && SSL_pending(connection.ssl.get()) > 0) return true;
        pollfd waited[] = {{connection.bell.number(), POLLIN, 0}, {connection.socket.number(), POLLIN, 0}};
        ::poll(waited, 2, -1);
        return (waited[0].revents & POLLIN) == 0;
    }

    std::optional<Answer> take_order(Connection& connection) {
        std::lock_guard const lock(mutex_);
        if (!connection.order) return std::nullopt;
        std::uint64_t rings = 0;
        check(::read(connection.bell.number(), &rings, sizeof rings) == sizeof rings, "read");
        return connection.order;
    }

    void done(Connection& connection) {
        std::lock_guard const lock(mutex_);
        connection.order.reset();
        changed_.notify_all();
    }

    static void order(Connection& connection, const Answer& answer) {
        std::uint64_t const ring = 1;
        connection.order = answer;
        check(::write(connection.bell.number(), &ring, sizeof ring) == sizeof ring, "write");
    }

    bool receive(Connection& connection, std::string& text) {
        char bytes[4096];
        auto const size = connection.ssl ? SSL_read(connection.ssl.get(), bytes, sizeof bytes)
                                         : ::recv(connection.socket.number(), bytes, sizeof bytes, 0);
        if (size <= 0) return false;
        text.append(bytes, static_cast<std::size_t>(size));
        std::lock_guard const lock(mutex_);
        connection.seen.requests.append(bytes, static_cast<std::size_t>(size));
        return true;
    }

    // 0: there is no complete one. In the clear, whatever comes is one.
    [[nodiscard]] std::size_t size_of_request(const std::string& text) const {
        static constexpr std::string_view length = "Content-Length: ";
        auto const end = text.find("\r\n\r\n");
        if (end == std::string::npos) return context_ ? 0 : text.size();
        auto const at = text.find(length);
        auto const body = at < end ? std::stoul(text.substr(at + length.size())) : 0;
        return text.size() >= end + 4 + body ? end + 4 + body : 0;
    }

    static void send(Connection& connection, const std::vector<std::string>& records) {
        auto const hold = [&](int on) {
            ::setsockopt(connection.socket.number(), IPPROTO_TCP, TCP_CORK, &on, sizeof on);
        };
        hold(1);
        for (auto const& record : records) {
            if (connection.ssl)
                SSL_write(connection.ssl.get(), record.data(), static_cast<int>(record.size()));
            else
                ::send(connection.socket.number(), record.data(), record.size(), MSG_NOSIGNAL);
        }
        hold(0);
    }

    static void end(Connection& connection, Ending ending) {
        auto const socket = connection.socket.number();
        if (ending == Ending::reset) {
            linger const none{1, 0};
            ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &none, sizeof none);
            sockaddr nobody{};
            nobody.sa_family = AF_UNSPEC;
            ::connect(socket, &nobody, sizeof nobody);
            return;
        }
        if (connection.ssl && ending == Ending::orderly) SSL_shutdown(connection.ssl.get());
        ::shutdown(socket, SHUT_WR);
    }

    // What was sent last would be lost if the socket were closed while there is something to read.
    static void await_end(Connection& connection) {
        char rest[4096];
        while (::recv(connection.socket.number(), rest, sizeof rest, 0) > 0) {
        }
    }

    [[nodiscard]] std::vector<Seen> all_seen() const {
        std::vector<Seen> all;
        for (auto const& connection : connections_)
            all.push_back(connection.seen);
        return all;
    }

    template <class Condition>
    void wait(std::unique_lock<std::mutex>& lock, Condition condition) const {
        if (!changed_.wait_for(lock, 30s, condition))
            throw std::runtime_error("the TLS server waits in vain");
    }

    ServerOptions options_;
    Descriptor listener_;
    std::uint16_t port_ = 0;
    Context context_;

    mutable std::mutex mutex_;  // guards what follows, and what was seen
    mutable std::condition_variable changed_;
    std::list<Connection> connections_;
    std::uint32_t tickets_ = 0;
    std::thread thread_;
};

Server::Server(ServerOptions options) : machine_(std::make_unique<Machine>(std::move(options))) {}
Server::~Server() = default;

std::uint16_t Server::port() const noexcept {
    return machine_->port();
}

palette::Endpoint Server::endpoint(const std::string& host) const {
    return palette::Endpoint::parse("https://" + host + ':' + std::to_string(port())).value();
}

std::vector<Seen> Server::seen() const {
    return machine_->seen();
}

std::vector<Seen> Server::seen_when_over(std::size_t count) const {
    return machine_->seen_when_over(count);
}

void Server::say(const Answer& unasked) {
    machine_->say(unasked);
}

}  // namespace tls
