// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <boost/asio/ssl/context.hpp>

namespace palette::inline PALETTE_KEYS_ABI {

namespace impl::net {
struct TlsContextAccess;
}

/// Holds a TLS context of your own, for what TlsOptions has no fields for: a private key in hardware
/// (PKCS#11), pinned certificates, revocation lists, a verification of your own.
///
///     namespace ssl = boost::asio::ssl;
///     ssl::context context(ssl::context::tls_client);
///     context.load_verify_file("/etc/acme/ca.pem");
///     context.set_verify_callback([](bool is_good, ssl::verify_context& at) {
///         if (X509_STORE_CTX_get_error_depth(at.native_handle()) > 0) return is_good;
///         return is_good && is_pinned(X509_STORE_CTX_get_current_cert(at.native_handle()));
///     });
///     options.tls.context = std::make_shared<palette::TlsContext>(std::move(context));
///
/// The context decides:
/// - Which authorities are trusted. A context without authorities trusts nobody: call
///   set_default_verify_paths() for those of the system.
/// - The certificate and the private key of the client, ciphers, signature algorithms, the depth of chains,
///   and a newest version.
/// - What else is verified, by its callback. A callback that returns false refuses the service
///   (errc::untrusted). One that accepts what OpenSSL has refused must say so to OpenSSL, too, with
///   `X509_STORE_CTX_set_error(at.native_handle(), X509_V_OK)`: to return true is not enough.
///
/// These hold for every connection, whatever the context says:
/// - TLS 1.2 at least, or newer if the context or the system's policy asks for it.
/// - The service must show a certificate, and it is verified, whatever the context's verify mode.
/// - The name of the host is sent (SNI), and the certificate must be for it; a callback cannot change that.
/// - Sessions are resumed among the connections of one client only, and never with another context. Where a
///   session is resumed, the callback is not called again. A context with a callback for new sessions
///   (SSL_CTX_sess_set_new_cb) keeps it, and no session is resumed.
/// - No compression and no renegotiation; plaintext is wiped from OpenSSL's buffers; an end of the connection
///   without the end of TLS is an error.
///
/// The context is configured before it is given, and not changed afterwards. Several clients may share it.
///
/// Threads: callbacks of the context are called on the executors of its clients, maybe at the same time. They
/// do not throw and do not wait.
class PALETTE_KEYS_DECL TlsContext {
public:
    /// Takes the context. Throws Exception (errc::invalid_argument) if it was moved from, or if its newest
    /// version is older than TLS 1.2.
    explicit TlsContext(boost::asio::ssl::context context);
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;
    ~TlsContext() = default;

private:
    friend struct impl::net::TlsContextAccess;
    boost::asio::ssl::context context_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/net/tls_context.ipp>
#endif
