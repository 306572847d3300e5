// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/auth_provider.hpp>
#include <palette/secret.hpp>

#include <memory>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::auth {

/// Names the user who logs in. Move-only.
///
///     auto user = auth::LoginOptions("ada@acme.com", Secret::take(password)).org("acme");
///
/// Setter and getter have one name. Of a const object, `options.use_refresh()` is the getter; of any other it
/// is the setter.
class LoginOptions {
public:
    /// Constructs the options for a user.
    LoginOptions(std::string email, Secret password)
        : email_(std::move(email)),
          password_(std::move(password)) {}

    /// Sets the organisation, for a user who belongs to several. Default: empty, not sent.
    LoginOptions& org(std::string name) & noexcept {
        org_ = std::move(name);
        return *this;
    }
    /// Exchanges a token that is about to expire for the next one, instead of sending the password again. If
    /// that fails, the password is sent. Off by default: the service takes the old token in the URL, where
    /// access logs keep it.
    LoginOptions& use_refresh(bool on = true) & noexcept {
        use_refresh_ = on;
        return *this;
    }
    /// Same, on a temporary.
    LoginOptions org(std::string name) && noexcept { return std::move(org(std::move(name))); }
    /// Same, on a temporary.
    LoginOptions use_refresh(bool on = true) && noexcept { return std::move(use_refresh(on)); }

    /// Returns the e-mail address.
    [[nodiscard]] const std::string& email() const& noexcept { return email_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::string email() const&& { return email_; }
    /// Returns the password.
    [[nodiscard]] const Secret& password() const& noexcept { return password_; }
    void password() const&& = delete;
    /// Returns the organisation; empty if none was set.
    [[nodiscard]] const std::string& org() const& noexcept { return org_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::string org() const&& { return org_; }
    /// Returns whether tokens are exchanged without the password.
    [[nodiscard]] bool use_refresh() const noexcept { return use_refresh_; }

private:
    std::string email_;
    Secret password_;
    std::string org_;
    bool use_refresh_ = false;
};

/// Returns a provider that logs in with a user's e-mail address and password, and gets tokens that live for
/// some 15 minutes. The client's own transport carries the login, so that the same TLS settings protect it. A
/// token expires when it says so itself, or 15 minutes after the login.
///
///     options.auth = auth::login(auth::LoginOptions("ada@acme.com", Secret::take(password)));
///
/// Errors, when the client asks, not applied. No text contains the password, even if the service repeats it.
/// - errc::unauthorized: the service refused the login.
/// - errc::auth_provider: the service asks for a second factor, which a program cannot give; or the address
///   or password cannot be sent.
/// - errc::rate_limited, unavailable, server_error: the service cannot log in anybody at the moment.
/// - errc::not_json, bad_value, unexpected_status, ...: the response is not one of the service.
/// - errc::transport, timeout: as the transport reports them.
///
/// Threads: may be shared by any number of clients; each logs in for itself.
///
/// Cancellation: that of the transport.
[[nodiscard]] PALETTE_KEYS_DECL std::shared_ptr<AuthProvider> login(LoginOptions options);

}  // namespace palette::inline PALETTE_KEYS_ABI::auth

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/auth/login.ipp>
#endif
