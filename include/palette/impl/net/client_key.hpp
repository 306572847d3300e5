// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/values/wipe.hpp>
#include <palette/result.hpp>
#include <palette/secret.hpp>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509err.h>
#include <boost/asio/ssl/context.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <string>

// The private key of the client, which may be encrypted.
namespace palette::inline PALETTE_KEYS_ABI::impl::net {

namespace ssl = boost::asio::ssl;

inline Error bad_tls_option(const std::string& what, const std::string& file,
                            const boost::system::error_code& ec) {
    return Error(errc::invalid_argument,
                 what + ' ' + detail::in_quotes(file, 256) + " cannot be used: " + ec.message())
        .path("tls")
        .cause(ec);
}

// Gives the passphrase to OpenSSL as long as it lives, from the secret to OpenSSL's buffer: a callback of
// Asio's would leave copies. Without one, OpenSSL would ask at the terminal, and wait.
class PassphraseCallback {
public:
    PassphraseCallback(ssl::context& context, const Secret* passphrase) noexcept
        : context_(context.native_handle()),
          passphrase_(passphrase) {
        SSL_CTX_set_default_passwd_cb(context_, &PassphraseCallback::give);
        SSL_CTX_set_default_passwd_cb_userdata(context_, this);
    }
    PassphraseCallback(const PassphraseCallback&) = delete;
    PassphraseCallback& operator=(const PassphraseCallback&) = delete;
    ~PassphraseCallback() {
        SSL_CTX_set_default_passwd_cb(context_, nullptr);
        // Asio takes it for an object of its own.
        SSL_CTX_set_default_passwd_cb_userdata(context_, nullptr);
    }

    [[nodiscard]] bool was_asked() const noexcept { return was_asked_; }

    // How many bytes OpenSSL takes.
    static constexpr std::size_t max_size = PEM_BUFSIZE - 1;

private:
    static int give(char* buffer, int size, int, void* data) noexcept {
        auto& self = *static_cast<PassphraseCallback*>(data);
        self.was_asked_ = true;
        if (self.passphrase_ == nullptr) return -1;
        auto const text = self.passphrase_->expose();
        if (size < 0 || text.size() > static_cast<std::size_t>(size)) return -1;
        text.copy(buffer, text.size());
        return static_cast<int>(text.size());
    }

    SSL_CTX* context_;
    const Secret* passphrase_;
    bool was_asked_ = false;
};

// OpenSSL leaves the passphrase of a key in the traditional form on the stack, in a frame that has ended. The
// frames of reading a key end within this.
[[gnu::noinline]] inline void wipe_ended_frames() {
    unsigned char frames[32 * 1024];
    detail::wipe(frames, sizeof frames);
}

inline Error bad_passphrase(const std::string& what, const std::string& file) {
    return Error(errc::invalid_argument, "the client key " + detail::in_quotes(file, 256) + ' ' + what)
        .path("tls.client_key_passphrase");
}

inline Result<void> set_client_key(ssl::context& context, const std::string& file, const Secret* passphrase) {
    if (passphrase != nullptr && passphrase->size() > PassphraseCallback::max_size)
        return bad_passphrase("has a passphrase of more than 1,023 bytes", file);
    PassphraseCallback const callback(context, passphrase);
    boost::system::error_code ec;
    context.use_private_key_file(file, ssl::context::pem, ec);
    wipe_ended_frames();
    auto const is_of_another =
        ERR_GET_LIB(static_cast<unsigned long>(ec.value())) == ERR_LIB_X509 &&
        ERR_GET_REASON(static_cast<unsigned long>(ec.value())) == X509_R_KEY_VALUES_MISMATCH;
    if (ec && callback.was_asked() && !is_of_another)
        return bad_passphrase(passphrase == nullptr
                                  ? "is encrypted, and there is no passphrase"
                                  : "cannot be decrypted: the passphrase is wrong, or the file is damaged",
                              file)
            .cause(ec);
    if (ec) return bad_tls_option("the client key", file, ec);
    if (passphrase != nullptr && !callback.was_asked())
        return bad_passphrase("is not encrypted, and there is a passphrase", file);
    return {};
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::net
