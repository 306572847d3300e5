// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/options.hpp>
#include <palette/result.hpp>

#include <boost/asio/ssl/context.hpp>

#include <memory>
#include <string>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::net {

// Sessions that the service offers to go on with, so that a new connection needs no full handshake. Those
// of TLS 1.3 are offered once.
class Sessions {
public:
    Sessions() = default;
    Sessions(const Sessions&) = delete;
    Sessions& operator=(const Sessions&) = delete;
    ~Sessions();

    // Lets the handshake of this connection begin with one, if there is one. Those of the connection come
    // here afterwards, and to no other connection's: a context may have several owners. It is in use no
    // longer than this object.
    void offer_to(SSL* connection);

    // Prepares a context for that, unless it has another use for its sessions.
    static void collect_from(SSL_CTX* context);

private:
    static int on_new_session(SSL* connection, SSL_SESSION* session);
    void keep(SSL_SESSION* session);

    static constexpr std::size_t max_ = 8;
    std::vector<SSL_SESSION*> sessions_;  // the newest last
};

// What holds for every context: TLS 1.2 at least, or what it or the system's policy says if that is newer;
// plaintext is wiped from OpenSSL's buffers.
void harden(SSL_CTX* context);

// Trust, client certificate. errc::invalid_argument for files that cannot be used.
Result<std::shared_ptr<boost::asio::ssl::context>> make_tls_context(const TlsOptions& options);

// The caller's own, if there is one, else a new one. errc::invalid_argument for files that cannot be used,
// and for other options beside a context.
Result<std::shared_ptr<boost::asio::ssl::context>> tls_context_of(const TlsOptions& options);

// Who is to be there, by name or address: asked for (SNI), and to be in the certificate, which is verified.
// False: nothing may be sent.
[[nodiscard]] bool expect_host(SSL* connection, const std::string& host, const TlsOptions& options);

// After a handshake, of a resumed session too: errc::untrusted unless the other side has shown a certificate
// and it was verified and is for that host, or `options` ask for no verification. A policy of the system may
// allow ciphers that need no certificate, and then the handshake succeeds without one; and a callback of the
// context may have waved anything through.
Result<void> check_peer(SSL* connection, const std::string& host, const TlsOptions& options);

// What went wrong in a handshake, in a sentence of its own for what users meet. errc::untrusted for what will
// be no better next time: certificate, host name, version, no TLS at all; else errc::transport.
Error handshake_error(SSL* connection, const std::string& host, const boost::system::error_code& ec);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::net

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/net/tls.ipp>
#    include <palette/impl/net/tls_context.ipp>
#endif
