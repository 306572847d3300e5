// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/clock.hpp>
#include <palette/credential.hpp>
#include <palette/result.hpp>
#include <palette/transport.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

/// Tells a provider why a credential is requested, and gives what is needed to obtain one.
class CredentialRequest {
public:
    /// Tells why a credential is requested.
    enum class Reason {
        first,     ///< There is none yet.
        expiring,  ///< The previous one expires soon, and is used until then; or it has expired.
        rejected,  ///< The service answered 401 to the previous one.
    };

    /// Constructs a request; for the client, and for tests of a provider. `hides` is called with each secret
    /// that the provider hides; empty: no one is.
    CredentialRequest(Reason reason, std::shared_ptr<const Credential> previous, Transport& transport,
                      Instant now, std::function<void(const Secret&)> hides = {})
        : reason_(reason),
          previous_(std::move(previous)),
          transport_(&transport),
          now_(now),
          hides_(std::move(hides)) {}

    /// Returns why a credential is requested.
    [[nodiscard]] Reason reason() const noexcept { return reason_; }
    /// Returns the credential that is to be replaced; null for Reason::first.
    [[nodiscard]] const std::shared_ptr<const Credential>& previous() const& noexcept { return previous_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::shared_ptr<const Credential> previous() const&& { return previous_; }

    /// Returns the client's own transport: a login goes the same way as every other request, and waits for
    /// the client's rate limit of its path, such as /v1/auth.
    [[nodiscard]] Transport& transport() const noexcept { return *transport_; }

    /// Returns the time by the client's clock.
    [[nodiscard]] Instant now() const noexcept { return now_; }

    /// Makes a secret known to the client, which from then on replaces it in every text of an error, in every
    /// usual encoding. Meant for secrets that a service might repeat later: a password, a refresh token, a
    /// client secret. The credentials that credential() returns need no such call.
    ///
    /// The client keeps keyed hashes, no copy, and forgets the oldest: it knows the last 2,600 secrets of 32
    /// bytes, or the last 65 of 1,000. Call hide() each time before a secret is sent, so that those in use
    /// are among the last. A secret of less than four bytes is not hidden.
    ///
    /// Threads: on the client's executor, before credential() has completed.
    void hide(const Secret& secret) const {
        if (hides_) hides_(secret);
    }

private:
    Reason reason_;
    std::shared_ptr<const Credential> previous_;
    Transport* transport_;
    Instant now_;
    std::function<void(const Secret&)> hides_;
};

/// Provides credentials: a source of your own, where those of palette::auth do not fit.
///
///     class FromVault : public palette::AuthProvider {
///         boost::asio::awaitable<palette::Result<std::shared_ptr<const Credential>>> credential(
///             CredentialRequest request) override {
///             co_return Credential::api_key(co_await vault_.read("palette/ci"));
///         }
///     };
///
/// The client asks when it has no credential, before one expires, and once after a 401; never twice at the
/// same time. A provider that returns the previous credential again says that there is no other. All
/// credentials of one provider belong to one user.
///
/// "Before one expires" means 60 s, or a quarter of the life that the credential had when it was received, if
/// that is less. Operations do not wait for that request as long as the previous credential has not expired.
/// A failure then is not reported; the client asks again when an operation comes after 1 s, 2 s, 4 s, ... 30
/// s.
///
/// A provider that sends a secret of its own calls CredentialRequest::hide() first: otherwise a service that
/// repeats the secret in a later response would have it shown in an error.
///
/// Errors: an error that is returned reaches the caller of the operation, with its code; an exception reaches
/// the caller as errc::auth_provider, or as errc::out_of_memory for a lack of memory.
///
/// Threads: called on the client's executor.
///
/// Cancellation: through the cancellation state of the coroutine, when no operation waits for the credential
/// any more; a request in the background is cancelled after timeouts.total, and with the client.
class AuthProvider {
public:
    AuthProvider() = default;
    AuthProvider(const AuthProvider&) = delete;
    AuthProvider& operator=(const AuthProvider&) = delete;
    virtual ~AuthProvider() = default;

    /// Returns a credential, or the error that says why there is none.
    virtual boost::asio::awaitable<Result<std::shared_ptr<const Credential>>> credential(
        CredentialRequest request) = 0;
};

}  // namespace palette::inline PALETTE_KEYS_ABI
