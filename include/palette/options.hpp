// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/auth_provider.hpp>
#include <palette/clock.hpp>
#include <palette/endpoint.hpp>
#include <palette/observer.hpp>
#include <palette/result.hpp>
#include <palette/transport.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

// How long each thing may take.
struct Timeouts {
    // For the rate limiter or a connection. Nothing is sent before.
    std::chrono::milliseconds queue = std::chrono::minutes{2};
    // For all that comes after, retries and logins included.
    std::chrono::milliseconds total = std::chrono::seconds{30};
    // For one try at each. `total` bounds them all.
    std::chrono::milliseconds lookup = std::chrono::seconds{10};
    std::chrono::milliseconds connect = std::chrono::seconds{10};
    std::chrono::milliseconds handshake = std::chrono::seconds{10};
    // For a service from which nothing comes.
    std::chrono::milliseconds silence = std::chrono::seconds{20};
};

// Whom to trust: the system's authorities, unless one of the three is set; then those alone.
struct TlsOptions {
    std::string ca_file;       // PEM
    std::string ca_directory;  // as c_rehash makes it
    std::string ca_pem;        // the certificates themselves

    // For services that ask for one: PEM files.
    std::string client_certificate_file;
    std::string client_key_file;

    // Anybody can pose as the service, and have your key. For nothing but a try.
    bool insecure_skip_verification = false;
};

struct PoolOptions {
    std::size_t most_connections = 8;
    std::size_t most_waiting = 10'000;  // operations that wait for one
    // A connection that has been idle for so long is not used again; it is closed at the next operation,
    // or with the client. No timer runs, so a context without operations has nothing to wait for.
    std::chrono::milliseconds idle_timeout = std::chrono::seconds{50};
};

// The service's documented limit for each kind of path: what goes beyond is held back here.
struct RateLimitOptions {
    double per_second = 10;
    double burst = 50;

    // Nothing is held back.
    [[nodiscard]] static RateLimitOptions off() noexcept { return {0, 0}; }
    [[nodiscard]] bool is_off() const noexcept { return burst == 0; }
};

// What a client is made of. Defaults are for production; what is needed is a credential.
//
//     ClientOptions options;
//     options.endpoint = Endpoint::parse("palette.acme.com").value();
//     options.auth = auth::api_key(Secret::take(line));
//
// Fields are only appended from version to version.
struct PALETTE_KEYS_DECL ClientOptions {
    Endpoint endpoint{};
    std::shared_ptr<AuthProvider> auth{};
    TlsOptions tls{};
    Timeouts timeouts{};
    PoolOptions pool{};
    RateLimitOptions rate_limit{};
    std::shared_ptr<Observer> observer{};
    std::shared_ptr<Clock> clock{};          // none: the machine's
    std::shared_ptr<Transport> transport{};  // none: HTTP/1.1 over TLS

    // From PALETTE_HOST, PALETTE_API_KEY or else SPECTROCLOUD_APIKEY, and PALETTE_CA_FILE, which replaces
    // the system's authorities. errc::invalid_argument names the variable that is missing or wrong. A
    // set-uid program gets nothing from its environment.
    static Result<ClientOptions> from_environment();
};

// What one call may be given beyond its arguments, before the completion token.
//
//     co_await client.async_revoke(uid, CallOptions().deadline(5s).verify());
class CallOptions {
public:
    CallOptions() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    // For all of it, instead of timeouts.total.
    CallOptions& deadline(std::chrono::milliseconds time) & noexcept {
        deadline_ = time;
        return *this;
    }
    // Reads back after a revoke, a re-activation or a deletion, and fails if the service does not show it.
    CallOptions& verify(bool on = true) & noexcept {
        verify_ = on;
        return *this;
    }
    // Takes an expiry that has passed already.
    CallOptions& allow_past_expiry(bool on = true) & noexcept {
        allow_past_expiry_ = on;
        return *this;
    }
    CallOptions&& deadline(std::chrono::milliseconds time) && noexcept { return std::move(deadline(time)); }
    CallOptions&& verify(bool on = true) && noexcept { return std::move(verify(on)); }
    CallOptions&& allow_past_expiry(bool on = true) && noexcept { return std::move(allow_past_expiry(on)); }

    [[nodiscard]] std::optional<std::chrono::milliseconds> deadline() const noexcept { return deadline_; }
    [[nodiscard]] bool verifies() const noexcept { return verify_; }
    [[nodiscard]] bool allows_past_expiry() const noexcept { return allow_past_expiry_; }

private:
    std::optional<std::chrono::milliseconds> deadline_;
    bool verify_ = false;
    bool allow_past_expiry_ = false;
};

}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/options.ipp>
#endif
