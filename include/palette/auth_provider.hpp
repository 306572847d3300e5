// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/clock.hpp>
#include <palette/credential.hpp>
#include <palette/result.hpp>
#include <palette/transport.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

// Why a credential is asked for, and with what it can be had.
class CredentialRequest {
public:
    enum class Reason {
        first,     // there is none yet
        expiring,  // the previous one ends soon; it is used on while no other can be had
        rejected,  // the service answered 401 to the previous one
    };

    CredentialRequest(Reason reason, std::shared_ptr<const Credential> previous, Transport& transport,
                      Instant now)
        : reason_(reason),
          previous_(std::move(previous)),
          transport_(&transport),
          now_(now) {}

    [[nodiscard]] Reason reason() const noexcept { return reason_; }
    [[nodiscard]] const std::shared_ptr<const Credential>& previous() const& noexcept { return previous_; }
    [[nodiscard]] std::shared_ptr<const Credential> previous() const&& { return previous_; }

    // The client's own: a login goes the same way as every other request.
    [[nodiscard]] Transport& transport() const noexcept { return *transport_; }

    // The time of the client's clock.
    [[nodiscard]] Instant now() const noexcept { return now_; }

private:
    Reason reason_;
    std::shared_ptr<const Credential> previous_;
    Transport* transport_;
    Instant now_;
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
// Errors: what is returned or thrown reaches the caller of the operation as errc::auth_provider, unless it
// has a code of its own.
// Threads: called on the client's executor.
// Cancellation: when no operation waits for it any more.
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
