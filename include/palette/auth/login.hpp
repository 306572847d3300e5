// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/auth_provider.hpp>
#include <palette/secret.hpp>

#include <memory>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::auth {

// Who logs in, and how.
//
//     LoginOptions("ada@acme.com", Secret::take(password)).org("acme")
class LoginOptions {
public:
    LoginOptions(std::string email, Secret password)
        : email_(std::move(email)),
          password_(std::move(password)) {}

    // The organisation, for a user who belongs to several. Not sent if it is empty.
    LoginOptions& org(std::string name) & noexcept {
        org_ = std::move(name);
        return *this;
    }
    // Exchanges a token that is about to end for the next one, instead of sending the password again. The
    // service takes the old token in the URL, where access logs keep it: hence not by default. If it does
    // not work, the password is sent.
    LoginOptions& use_refresh(bool on = true) & noexcept {
        use_refresh_ = on;
        return *this;
    }
    LoginOptions org(std::string name) && noexcept { return std::move(org(std::move(name))); }
    LoginOptions use_refresh(bool on = true) && noexcept { return std::move(use_refresh(on)); }

    [[nodiscard]] const std::string& email() const& noexcept { return email_; }
    [[nodiscard]] std::string email() const&& { return email_; }
    [[nodiscard]] const Secret& password() const& noexcept { return password_; }
    void password() const&& = delete;
    [[nodiscard]] const std::string& org() const& noexcept { return org_; }
    [[nodiscard]] std::string org() const&& { return org_; }
    [[nodiscard]] bool use_refresh() const noexcept { return use_refresh_; }

private:
    std::string email_;
    Secret password_;
    std::string org_;
    bool use_refresh_ = false;
};

// A user's e-mail address and password, for which the service gives tokens that live some 15 minutes. The
// client's own transport carries the login, so that the same TLS settings guard it. A token ends when it
// says so itself, or 15 minutes after the login.
//
//     options.auth = auth::login(LoginOptions("ada@acme.com", Secret::take(password)));
//
// Errors, when the client asks. Nothing is ever applied by then, and no text holds the password, even if
// the service repeats it:
//   errc::unauthorized                                the service refused the login
//   errc::auth_provider                               it asks for a second factor, which a program cannot
//                                                     give; or the address or password cannot be sent
//   errc::rate_limited, unavailable, server_error     it cannot log anybody in at the moment
//   errc::not_json, bad_value, unexpected_status, ... something else answered
//   errc::transport, timeout                          as the transport gives them
// Threads: may be shared by any number of clients; each logs in for itself.
// Cancellation: as the transport has it.
[[nodiscard]] PALETTE_KEYS_DECL std::shared_ptr<AuthProvider> login(LoginOptions options);

}  // namespace palette::inline PALETTE_KEYS_ABI::auth

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/auth/login.ipp>
#endif
