// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/net/client_key.hpp>
#include <palette/impl/net/tls.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>

#include <filesystem>
#include <system_error>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::net {

PALETTE_KEYS_INLINE Sessions::~Sessions() {
    for (auto* const session : sessions_)
        SSL_SESSION_free(session);
}

// Where a connection has the sessions of its owner. Its application data is Asio's.
inline int sessions_index() {
    static int const index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

PALETTE_KEYS_INLINE void Sessions::collect_from(SSL_CTX* context) {
    if (SSL_CTX_sess_get_new_cb(context) != nullptr) return;
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, &Sessions::on_new_session);
}

PALETTE_KEYS_INLINE int Sessions::on_new_session(SSL* connection, SSL_SESSION* session) {
    if (auto* const self = static_cast<Sessions*>(SSL_get_ex_data(connection, sessions_index())))
        self->keep(session);
    return 0;  // it is still OpenSSL's; what is kept is a copy
}

// A copy: OpenSSL declares the session of a connection that breaks off to be no good.
PALETTE_KEYS_INLINE void Sessions::keep(SSL_SESSION* session) {
    auto* const copy = SSL_SESSION_dup(session);
    if (copy == nullptr) return;
    if (sessions_.size() == max_) {
        SSL_SESSION_free(sessions_.front());
        sessions_.erase(sessions_.begin());
    }
    sessions_.push_back(copy);
}

PALETTE_KEYS_INLINE void Sessions::offer_to(SSL* connection) {
    SSL_set_ex_data(connection, sessions_index(), this);
    if (sessions_.empty()) return;
    auto* const session = sessions_.back();
    if (SSL_SESSION_get_protocol_version(session) < TLS1_3_VERSION) {
        // Offered again, so that this connection gets one of its own to spoil.
        auto* const copy = SSL_SESSION_dup(session);
        SSL_set_session(connection, copy);
        SSL_SESSION_free(copy);
        return;
    }
    SSL_set_session(connection, session);
    sessions_.pop_back();
    SSL_SESSION_free(session);
}

inline Result<void> set_trust(ssl::context& context, const TlsOptions& options) {
    boost::system::error_code ec;
    auto const is_own = !options.ca_file.empty() || !options.ca_directory.empty() || !options.ca_pem.empty();
    if (!is_own) context.set_default_verify_paths(ec);
    if (!ec && !options.ca_file.empty()) {
        context.load_verify_file(options.ca_file, ec);
        if (ec) return bad_tls_option("the CA file", options.ca_file, ec);
    }
    if (!ec && !options.ca_directory.empty()) {
        std::error_code not_there;
        if (!std::filesystem::is_directory(options.ca_directory, not_there))
            return bad_tls_option("the CA directory", options.ca_directory,
                                  boost::system::errc::make_error_code(boost::system::errc::not_a_directory));
        context.add_verify_path(options.ca_directory, ec);
        if (ec) return bad_tls_option("the CA directory", options.ca_directory, ec);
    }
    if (!ec && !options.ca_pem.empty())
        context.add_certificate_authority(boost::asio::buffer(options.ca_pem), ec);
    if (ec)
        return Error(errc::invalid_argument, "the CA certificates cannot be used: " + ec.message())
            .path("tls")
            .cause(ec);
    return {};
}

inline Result<void> set_client_certificate(ssl::context& context, const TlsOptions& options) {
    boost::system::error_code ec;
    if (options.client_certificate_file.empty()) {
        if (options.client_key_file.empty() && options.client_key_passphrase)
            return Error(errc::invalid_argument, "there is a passphrase, and no client key")
                .path("tls.client_key_passphrase");
        if (options.client_key_file.empty()) return {};
        return Error(errc::invalid_argument, "the client key " +
                                                 detail::in_quotes(options.client_key_file, 256) +
                                                 " has no certificate: client_certificate_file is not set")
            .path("tls");
    }
    {
        PassphraseCallback const no_terminal(context, nullptr);
        context.use_certificate_chain_file(options.client_certificate_file, ec);
    }
    if (ec) return bad_tls_option("the client certificate", options.client_certificate_file, ec);
    auto const& key =
        options.client_key_file.empty() ? options.client_certificate_file : options.client_key_file;
    return set_client_key(context, key, options.client_key_passphrase.get());
}

// To 1.2. The system's policy may be stricter, and stays.
inline void raise_oldest_version(SSL_CTX* context) {
    if (SSL_CTX_get_min_proto_version(context) < TLS1_2_VERSION)
        SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
}

PALETTE_KEYS_INLINE void harden(SSL_CTX* context) {
    raise_oldest_version(context);
    SSL_CTX_set_options(context, SSL_OP_CLEANSE_PLAINTEXT | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    // With it, a response that was cut off would pass for a whole one.
    SSL_CTX_clear_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    Sessions::collect_from(context);
}

PALETTE_KEYS_INLINE Result<std::shared_ptr<ssl::context>> make_tls_context(const TlsOptions& options) {
    // Of our own: the one that Asio makes forgets the system's policy.
    auto context = std::make_shared<ssl::context>(SSL_CTX_new(TLS_client_method()));
    harden(context->native_handle());
    if (auto trust = set_trust(*context, options); !trust) return std::move(trust.error());
    if (auto own = set_client_certificate(*context, options); !own) return std::move(own.error());
    context->set_verify_mode(options.insecure_skip_verification ? ssl::verify_none : ssl::verify_peer);
    return context;
}

// Without names, a certificate would be taken by its subject's common name.
inline constexpr unsigned host_flags =
    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;

PALETTE_KEYS_INLINE bool expect_host(SSL* connection, const std::string& host, const TlsOptions& options) {
    boost::system::error_code not_an_address;
    boost::asio::ip::make_address(host, not_an_address);
    if (not_an_address && SSL_set_tlsext_host_name(connection, host.c_str()) != 1) return false;
    if (options.insecure_skip_verification) return true;
    // Whatever the context says, whose callback is kept.
    SSL_set_verify(connection, SSL_get_verify_mode(connection) | SSL_VERIFY_PEER, nullptr);
    if (!not_an_address) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection), host.c_str()) == 1;
    SSL_set_hostflags(connection, host_flags);
    return SSL_set1_host(connection, host.c_str()) == 1;
}

inline std::string certificate_fault(long verdict, const std::string& host) {
    switch (verdict) {
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH:
            return "the certificate of " + host + " is for another host";
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return "the certificate of " + host + " has expired";
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return "the certificate of " + host + " is not valid yet";
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
            return "the certificate of " + host + " is signed by an authority that is not trusted";
        case X509_V_ERR_UNSPECIFIED:
        case X509_V_ERR_APPLICATION_VERIFICATION:
            return "the certificate of " + host + " is refused by the verification of the TLS context";
        default:
            return "the certificate of " + host +
                   " is not accepted: " + X509_verify_cert_error_string(verdict);
    }
}

// Whether the certificate is for the host, as OpenSSL itself finds out unless a callback overrules it.
inline bool is_for_host(X509* certificate, const std::string& host) {
    boost::system::error_code not_an_address;
    boost::asio::ip::make_address(host, not_an_address);
    if (!not_an_address) return X509_check_ip_asc(certificate, host.c_str(), 0) == 1;
    return X509_check_host(certificate, host.data(), host.size(), host_flags, nullptr) == 1;
}

PALETTE_KEYS_INLINE Result<void> check_peer(SSL* connection, const std::string& host,
                                            const TlsOptions& options) {
    auto const shown = detail::printable(host);
    // A context of the caller's own may be for one old version alone, of which no bound can be set.
    if (SSL_version(connection) < TLS1_2_VERSION)
        return Error(errc::untrusted, shown + " offers no TLS 1.2 or newer");
    if (options.insecure_skip_verification) return {};
    auto* const certificate = SSL_get0_peer_certificate(connection);
    if (certificate == nullptr) return Error(errc::untrusted, shown + " has shown no certificate");
    auto const verdict = SSL_get_verify_result(connection);
    if (verdict != X509_V_OK) return Error(errc::untrusted, certificate_fault(verdict, shown));
    if ((SSL_get_verify_mode(connection) & SSL_VERIFY_PEER) == 0)
        return Error(errc::untrusted, "the certificate of " + shown + " was not verified");
    if (!is_for_host(certificate, host))
        return Error(errc::untrusted, certificate_fault(X509_V_ERR_HOSTNAME_MISMATCH, shown));
    return {};
}

PALETTE_KEYS_INLINE Error handshake_error(SSL* connection, const std::string& host,
                                          const boost::system::error_code& ec) {
    auto const shown = detail::printable(host);
    auto const verdict = SSL_get_verify_result(connection);
    auto const is_verified = SSL_get_verify_mode(connection) != SSL_VERIFY_NONE;
    if (is_verified && verdict != X509_V_OK)
        return Error(errc::untrusted, certificate_fault(verdict, shown)).cause(ec);
    auto const reason = ERR_GET_REASON(static_cast<unsigned long>(ec.value()));
    auto const is_ssl = ec.category() == boost::asio::error::get_ssl_category();
    if (is_ssl && (reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION))
        return Error(errc::untrusted, shown + " offers no TLS 1.2 or newer").cause(ec);
    if (is_ssl && (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_PACKET_LENGTH_TOO_LONG))
        return Error(errc::untrusted, shown + " does not speak TLS: is this an http port?").cause(ec);
    if (is_ssl && reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
        return Error(errc::untrusted, certificate_fault(X509_V_ERR_UNSPECIFIED, shown)).cause(ec);
    if (ec == ssl::error::stream_truncated || ec == boost::asio::error::eof)
        return Error(errc::transport, shown + " closed the connection during the TLS handshake").cause(ec);
    return Error(errc::transport, "the TLS handshake with " + shown + " failed: " + ec.message()).cause(ec);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::net
