// SPDX-License-Identifier: BSL-1.0
#include "bench/tls_service.hpp"

#include "bench/canned_service.hpp"
#include "bench/measure.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string_view>

namespace bench {
namespace {

template <auto free>
struct Freed {
    void operator()(auto* object) const noexcept { free(object); }
};
using Memory = std::unique_ptr<BIO, Freed<BIO_free_all>>;

Memory reader(const std::string& text) {
    return Memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

SSL_CTX* make_context(const palette::impl::emulation::HostIdentity& identity, const TlsOffer& offer) {
    auto* const context = SSL_CTX_new(TLS_server_method());
    require(context != nullptr);
    require(SSL_CTX_set_min_proto_version(context, offer.version) == 1);
    require(SSL_CTX_set_max_proto_version(context, offer.version) == 1);
    std::unique_ptr<X509, Freed<X509_free>> const certificate(
        PEM_read_bio_X509(reader(identity.certificate_pem).get(), nullptr, nullptr, nullptr));
    std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>> const key(
        PEM_read_bio_PrivateKey(reader(identity.private_key_pem).get(), nullptr, nullptr, nullptr));
    require(SSL_CTX_use_certificate(context, certificate.get()) == 1);
    require(SSL_CTX_use_PrivateKey(context, key.get()) == 1);
    if (!offer.resumes) {
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
        SSL_CTX_set_num_tickets(context, 0);
    }
    return context;
}

void answer_one(SSL* tls, std::string_view answer) {
    std::array<char, 4096> request;
    auto const got = SSL_read(tls, request.data(), static_cast<int>(request.size()));
    if (got <= 0) return;
    require(std::string_view(request.data(), static_cast<std::size_t>(got)).ends_with("\r\n\r\n"));
    require(SSL_write(tls, answer.data(), static_cast<int>(answer.size())) > 0);
}

void close_with_reset(int connection) {
    linger const at_once{1, 0};
    ::setsockopt(connection, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(connection);
}

}  // namespace

TlsService::TlsService(const palette::impl::emulation::HostIdentity& identity, TlsOffer offer)
    : offer_(offer),
      answer_(CannedAnswers(0).key),
      context_(make_context(identity, offer)),
      listener_(listen_on_loopback(port_)),
      thread_([this] { serve(); }) {}

TlsService::~TlsService() {
    ::shutdown(listener_, SHUT_RDWR);  // ends the accept
    thread_.join();
    ::close(listener_);
    SSL_CTX_free(context_);
}

void TlsService::wait_for(unsigned ended) const {
    for (auto now = ended_.load(); now < ended; now = ended_.load())
        ended_.wait(now);
}

void TlsService::serve() {
    for (;;) {
        auto const connection = ::accept(listener_, nullptr, nullptr);
        if (connection < 0) return;
        int const on = 1;  // a reset would drop what waits for an acknowledgement
        ::setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        serve(connection);
        ++ended_;
        ended_.notify_all();
    }
}

void TlsService::serve(int connection) {
    std::unique_ptr<SSL, Freed<SSL_free>> const tls(SSL_new(context_));
    SSL_set_fd(tls.get(), connection);
    require(SSL_accept(tls.get()) == 1);
    resumed_ += SSL_session_reused(tls.get()) == 1 ? 1 : 0;
    answer_one(tls.get(), answer_);
    if (offer_.ending == Ending::abrupt) {
        close_with_reset(connection);
    } else {
        SSL_shutdown(tls.get());
        ::close(connection);
    }
}

}  // namespace bench
