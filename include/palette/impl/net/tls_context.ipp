// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/net/tls.hpp>
#include <palette/result.hpp>
#include <palette/tls_context.hpp>

#include <openssl/ssl.h>

#include <memory>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {
namespace impl::net {

// What the transport does with a context that a caller has made.
struct TlsContextAccess {
    static std::shared_ptr<boost::asio::ssl::context> get(const std::shared_ptr<TlsContext>& holder) {
        return {holder, &holder->context_};
    }
};

inline bool is_set(const TlsOptions& options) noexcept {
    return !options.ca_file.empty() || !options.ca_directory.empty() || !options.ca_pem.empty() ||
           !options.client_certificate_file.empty() || !options.client_key_file.empty() ||
           options.client_key_passphrase || options.insecure_skip_verification;
}

PALETTE_KEYS_INLINE Result<std::shared_ptr<boost::asio::ssl::context>> tls_context_of(
    const TlsOptions& options) {
    if (!options.context) return make_tls_context(options);
    if (is_set(options))
        return Error(errc::invalid_argument,
                     "a TLS context decides what the other options of TLS say: set them, or the context")
            .path("tls.context");
    return TlsContextAccess::get(options.context);
}

}  // namespace impl::net

PALETTE_KEYS_INLINE TlsContext::TlsContext(boost::asio::ssl::context context) : context_(std::move(context)) {
    auto* const native = context_.native_handle();
    auto const refuse = [](const char* why) {
        throw Exception(Error(errc::invalid_argument, why).path("tls.context"));
    };
    if (native == nullptr) refuse("the TLS context has been moved from");
    auto const newest = SSL_CTX_get_max_proto_version(native);
    if (newest != 0 && newest < TLS1_2_VERSION) refuse("the TLS context allows no TLS 1.2 or newer");
    impl::net::harden(native);
}

}  // namespace palette::inline PALETTE_KEYS_ABI
