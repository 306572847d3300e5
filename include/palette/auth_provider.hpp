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

// Why a credential is asked for, and with what it can be had.
class CredentialRequest {
public:
    enum class Reason {
        first,     // there is none yet
        expiring,  // the previous one ends soon, and is used on until then; or it has ended
        rejected,  // the service answered 401 to the previous one
    };

    /// Made by the client. `hides`: is given what the provider hides; none: nobody is.
    CredentialRequest(Reason reason, std::shared_ptr<const Credential> previous, Transport& transport,
                      Instant now, std::function<void(const Secret&)> hides = {})
        : reason_(reason),
          previous_(std::move(previous)),
          transport_(&transport),
          now_(now),
          hides_(std::move(hides)) {}

    [[nodiscard]] Reason reason() const noexcept { return reason_; }
    [[nodiscard]] const std::shared_ptr<const Credential>& previous() const& noexcept { return previous_; }
    [[nodiscard]] std::shared_ptr<const Credential> previous() const&& { return previous_; }

    /// The client's own: a login goes the same way as every other request, and waits for the client's rate
    /// limit of its path, such as /v1/auth.
    [[nodiscard]] Transport& transport() const noexcept { return *transport_; }

    // The time of the client's clock.
    [[nodiscard]] Instant now() const noexcept { return now_; }

    /// Makes a secret known to the client that asks, which from then on replaces it in every text of an
    /// error, in every usual encoding. For what a service might repeat later: a password, a refresh token, a
    /// client secret. Credentials that are given need no such call.
    ///
    /// The client keeps keyed hashes, no copy, and forgets the oldest: of the last 2,600 secrets of 32
    /// bytes, or 65 of 1,000, it knows all. Call it each time before a secret is sent, so that those in use
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

// Where credentials come from: one of palette::auth, or one of your own.
//
//     class FromVault : public palette::AuthProvider {
//         boost::asio::awaitable<palette::Result<std::shared_ptr<const Credential>>> credential(
//             CredentialRequest request) override {
//             co_return Credential::api_key(co_await vault_.read("palette/ci"));
//         }
//     };
//
// The client asks when it has none, before one ends, and once after a 401; never twice at the same time.
// To give the previous one again says that there is no other. All that one provider gives belong to one
// user.
//
// Before one ends means 60 s, or a quarter of the life that it had when it was received if that is less.
// Operations do not wait for that answer as long as the previous one has not ended. What fails then is not
// reported; the client asks again when an operation comes after 1 s, 2 s, 4 s, ... 30 s.
//
// A provider that sends a secret of its own to somebody makes it known first, with CredentialRequest::hide():
// a service that repeats it in a later answer would otherwise have it printed.
//
// Errors: what is returned or thrown reaches the caller of the operation as errc::auth_provider, unless it
// has a code of its own.
// Threads: called on the client's executor.
// Cancellation: when no operation waits for it any more; in the background after timeouts.total, and with
// the client.
class AuthProvider {
public:
    AuthProvider() = default;
    AuthProvider(const AuthProvider&) = delete;
    AuthProvider& operator=(const AuthProvider&) = delete;
    virtual ~AuthProvider() = default;

    virtual boost::asio::awaitable<Result<std::shared_ptr<const Credential>>> credential(
        CredentialRequest request) = 0;
};

}  // namespace palette::inline PALETTE_KEYS_ABI
