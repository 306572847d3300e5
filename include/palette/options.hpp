// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/auth_provider.hpp>
#include <palette/clock.hpp>
#include <palette/endpoint.hpp>
#include <palette/observer.hpp>
#include <palette/proxy.hpp>
#include <palette/rate_limiter.hpp>
#include <palette/result.hpp>
#include <palette/transport.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

// How long each thing may take.
struct Timeouts {
    /// Bounds the wait for the rate limiter or a connection before the first request of an operation.
    std::chrono::milliseconds queue = std::chrono::minutes{2};
    /// Bounds everything from the first request of an operation on: its later requests, their waits for the
    /// rate limiter or a connection, retries and logins. An operation whose next request cannot be sent
    /// within the time that is left fails at once.
    std::chrono::milliseconds total = std::chrono::seconds{30};
    // For one try at each. `total` bounds them all.
    std::chrono::milliseconds lookup = std::chrono::seconds{10};
    std::chrono::milliseconds connect = std::chrono::seconds{10};    // all addresses of the host together
    std::chrono::milliseconds handshake = std::chrono::seconds{10};  // and so long for a proxy's answer
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

// What is sent again after it failed, and when no more. What is safe to send again the client knows: a read
// and what can be done twice, after a passing failure; what creates, only if it was certainly not done.
struct RetryOptions {
    // Of one request, the first included. 1: nothing is sent again. A 429 does not count: it proves that
    // nothing was done, and is waited out as long as there is time.
    int most_attempts = 4;
    // Before the second attempt it waits for a random part of this; before each later one, of twice as much;
    // never more than most_wait. Where the service says how long (Retry-After), that long. Where no
    // connection can be opened, one operation at a time tries again for the whole client, after a random time
    // between half and all of these; the others wait for that try, or for a connection that is open. While
    // none is open, an operation ends that has seen most_attempts tries fail.
    std::chrono::milliseconds first_wait = std::chrono::milliseconds{200};
    std::chrono::milliseconds most_wait = std::chrono::seconds{5};
    // How often in a row the client as a whole sends something again, so that it does not multiply an
    // outage. Each success gives a tenth of one back. What was never sent for want of a connection costs
    // nothing.
    double budget = 20;
    // How long a key is looked for whose creation was not answered.
    std::chrono::milliseconds settle = std::chrono::seconds{2};
    /// Seeds the jitter of the backoff, so that a test meets the same waits in each run. Unset, it differs
    /// for each client. In production leave it unset: clients of one seed retry at the same moments, which
    /// is what jitter prevents.
    std::optional<std::uint32_t> jitter_seed{};
};

/// Bounds what one list may take: of keys (`async_list`, `async_find`, and the search of a create) or of
/// users
/// (`async_find_user`). A list of more fails with errc::too_large, and the error names the option. The
/// defaults are far above what a tenant holds; a service that does not stop sending meets them.
///
/// One page has a bound of its own, which no option moves: 64 MiB of keys, or 16 MiB of users. A larger page
/// fails with errc::too_large, too, and the error says how many bytes an answer may have, unless what is left
/// of max_bytes is less.
struct ListLimits {
    /// The bodies of all its pages together, in bytes. Default: 128 MiB, which is about 250,000 keys.
    std::size_t max_bytes = std::size_t{128} << 20;
    /// Keys or users, whether a filter wants them or not. Checked after each page. Default: 250,000.
    std::size_t max_items = 250'000;
    /// Default: 10,000.
    std::size_t max_pages = 10'000;
    /// The token that the service gives for the next page, in bytes. Default: 4,096.
    std::size_t max_token_length = 4'096;
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
    ProxyOptions proxy{};                    // for an https endpoint; not seen by a transport of your own
    RetryOptions retry{};
    std::shared_ptr<RateLimiter> limiter{};  // none: one of its own, as rate_limit says
    ListLimits list_limits{};

    // From PALETTE_HOST, PALETTE_API_KEY or else SPECTROCLOUD_APIKEY, PALETTE_CA_FILE, which replaces
    // the system's authorities, HTTPS_PROXY or else https_proxy, and with it NO_PROXY or else no_proxy; see
    // proxy.hpp. A variable that is empty counts as not set. errc::invalid_argument names the variable that
    // is missing or wrong. A set-uid program gets nothing from its environment.
    static Result<ClientOptions> from_environment();
};

// What one call may be given beyond its arguments, before the completion token.
//
//     co_await client.async_revoke(uid, CallOptions().deadline(5s).verify());
class CallOptions {
public:
    CallOptions() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    // For all of it, instead of timeouts.total. Counts by this machine's steady clock, or by
    // ClientOptions::clock.
    CallOptions& deadline(std::chrono::milliseconds time) & noexcept {
        deadline_ = time;
        return *this;
    }
    // Reads back after a revoke, a re-activation or a deletion, and fails if the service does not show it.
    CallOptions& verify(bool on = true) & noexcept {
        verify_ = on;
        return *this;
    }
    // Takes an expiry that has passed already by the service's clock.
    CallOptions& allow_past_expiry(bool on = true) & noexcept {
        allow_past_expiry_ = on;
        return *this;
    }
    /// Lets a renewal bring the expiry forward. Without this option, a renewal that would do so is refused
    /// with errc::conflict: thirty days for a key that never expires would make it expire.
    CallOptions& allow_shorter(bool on = true) & noexcept {
        allow_shorter_ = on;
        return *this;
    }
    /// Lets a revocation, a deactivation or a deletion reach the key that this client itself uses, as far as
    /// Credential::key_uid() tells. Without it such a call is refused with errc::own_key, and nothing is
    /// sent.
    CallOptions& allow_own_key(bool on = true) & noexcept {
        allow_own_key_ = on;
        return *this;
    }
    /// Marks the key of a create with a nonce of your own: 32 hexadecimal digits from
    /// PendingCreate::make_nonce(), written down before the create. What the create made can then be found
    /// even if the program is killed: PendingCreate::of_nonce().
    ///
    /// One nonce for each create. One of the last 1,024 that this client has used is refused with
    /// errc::invalid_argument before a byte is sent. Any other that has been used, by an earlier run of the
    /// program for instance, is refused with errc::conflict, not_applied, and the error names the keys that
    /// bear it: for that, a create with a nonce lists the keys before it asks for one. A key that the list
    /// does not show, since it is of another user or comes late, is not seen; so make a new nonce after a
    /// restart.
    CallOptions& nonce(std::string_view digits) & noexcept {
        nonce_size_ = digits.copy(nonce_, sizeof nonce_);
        has_nonce_ = true;
        return *this;
    }
    // For a create whose answer was lost and whose key is not seen within RetryOptions::settle: asks for
    // another key instead of failing. CreatedApiKey::pending() then names what may be left.
    CallOptions& create_again_when_unseen(bool on = true) & noexcept {
        create_again_when_unseen_ = on;
        return *this;
    }
    CallOptions deadline(std::chrono::milliseconds time) && noexcept { return deadline(time); }
    CallOptions verify(bool on = true) && noexcept { return verify(on); }
    CallOptions allow_past_expiry(bool on = true) && noexcept { return allow_past_expiry(on); }
    CallOptions allow_own_key(bool on = true) && noexcept { return allow_own_key(on); }

    CallOptions allow_shorter(bool on = true) && noexcept { return allow_shorter(on); }
    CallOptions nonce(std::string_view digits) && noexcept { return nonce(digits); }
    CallOptions create_again_when_unseen(bool on = true) && noexcept { return create_again_when_unseen(on); }

    [[nodiscard]] std::optional<std::chrono::milliseconds> deadline() const noexcept { return deadline_; }
    [[nodiscard]] bool verifies() const noexcept { return verify_; }
    [[nodiscard]] bool allows_past_expiry() const noexcept { return allow_past_expiry_; }
    [[nodiscard]] bool allows_shorter() const noexcept { return allow_shorter_; }
    [[nodiscard]] bool allows_own_key() const noexcept { return allow_own_key_; }
    [[nodiscard]] std::optional<std::string_view> nonce() const& noexcept {
        return has_nonce_ ? std::optional(std::string_view(nonce_, nonce_size_)) : std::nullopt;
    }
    void nonce() const&& = delete;
    [[nodiscard]] bool creates_again_when_unseen() const noexcept { return create_again_when_unseen_; }

private:
    std::optional<std::chrono::milliseconds> deadline_;
    bool verify_ = false;
    bool allow_past_expiry_ = false;
    bool allow_shorter_ = false;
    bool allow_own_key_ = false;
    bool create_again_when_unseen_ = false;
    bool has_nonce_ = false;
    std::size_t nonce_size_ = 0;
    char nonce_[33]{};  // one more than it has: what is longer is no nonce either
};

}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/seams/options.ipp>
#endif
