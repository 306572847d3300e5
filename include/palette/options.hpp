// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/auth_provider.hpp>
#include <palette/call_options.hpp>
#include <palette/clock.hpp>
#include <palette/endpoint.hpp>
#include <palette/observer.hpp>
#include <palette/proxy.hpp>
#include <palette/rate_limiter.hpp>
#include <palette/result.hpp>
#include <palette/secret.hpp>
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

/// Bounds the phases of an operation. Each bound is greater than zero: the constructor of a client throws
/// otherwise.
///
/// `queue` and `total` bound an operation; the others bound one attempt at a phase, and never extend `total`.
/// The error of a timeout that ends an operation is errc::timeout, and its message names what the operation
/// waited for.
struct Timeouts {
    /// Bounds the wait for the rate limiter and for a connection before the first request of an operation.
    /// Default: 2 minutes.
    std::chrono::milliseconds queue = std::chrono::minutes{2};
    /// Bounds everything from the first request of an operation on: its later requests, their waits for the
    /// rate limiter or a connection, retries and logins. An operation whose next request cannot be sent
    /// within the remaining time fails at once. Default: 30 s.
    std::chrono::milliseconds total = std::chrono::seconds{30};
    /// Bounds the lookup of the host's name. Default: 10 s.
    std::chrono::milliseconds lookup = std::chrono::seconds{10};
    /// Bounds the time to connect to any address of the host, all addresses together. Default: 10 s.
    std::chrono::milliseconds connect = std::chrono::seconds{10};
    /// Bounds the TLS handshake, and on its own the answer of a proxy to CONNECT. Default: 10 s.
    std::chrono::milliseconds handshake = std::chrono::seconds{10};
    /// Bounds the time in which no byte arrives from the service, or none can be sent to it, while a request
    /// is under way. Default: 20 s.
    std::chrono::milliseconds read = std::chrono::seconds{20};
};

class TlsContext;

/// Chooses the certificate authorities to trust, and the client's own certificate; or gives a TLS context
/// that decides both.
///
/// The system's authorities are trusted unless `ca_file`, `ca_directory` or `ca_pem` is set; then only those
/// that are set are trusted. A file that cannot be read makes the constructor of the client throw.
struct TlsOptions {
    /// Names a PEM file of authorities. Default: empty, unset.
    std::string ca_file;
    /// Names a directory of authorities, as c_rehash prepares it. Default: empty, unset.
    std::string ca_directory;
    /// Holds the certificates of authorities themselves, in PEM. Default: empty, unset.
    std::string ca_pem;

    /// Names the PEM file of the client's certificate, for a service that asks for one. Default: empty,
    /// unset.
    std::string client_certificate_file;
    /// Names the PEM file of the private key to that certificate. Default: empty, unset: the key is in
    /// `client_certificate_file`.
    std::string client_key_file;

    /// Turns off the verification of certificate and host name. Anybody on the way can then pose as the
    /// service and read the credential: use it for experiments only. Default: false.
    bool insecure_skip_verification = false;

    /// Decrypts the private key; at most 1,023 bytes. Read by the constructor of the client, which throws if
    /// the passphrase is wrong, if the key is encrypted and there is none, or if the key is not encrypted. No
    /// error contains it, and the client keeps no reference to it. Default: null.
    std::shared_ptr<const Secret> client_key_passphrase{};

    /// Replaces all fields above, none of which may then be set: for keys in hardware, pinned certificates or
    /// a verification of your own; see palette/tls_context.hpp. Default: null.
    std::shared_ptr<TlsContext> context{};
};

/// Bounds the pool of keep-alive connections of the default transport.
struct PoolOptions {
    /// Bounds the number of connections, open ones and those that are being opened. At least 1. Default: 8.
    std::size_t max_connections = 8;
    /// Bounds the number of operations that wait for a connection; one more fails with errc::timeout at once.
    /// Default: 10,000.
    std::size_t max_waiting = 10'000;
    /// Bounds how long a connection may have been idle to be used for a request. An idle connection is closed
    /// at the next operation after that, or with the client: no timer runs, so that a context without
    /// operations has nothing to wait for. Not negative. Default: 50 s.
    std::chrono::milliseconds idle_timeout = std::chrono::seconds{50};
};

/// Configures retries.
///
/// The client knows which requests are safe to retry: a read and an idempotent change after a transient
/// failure; a create only if the request was certainly not applied. These fields bound how often and how
/// fast.
struct RetryOptions {
    /// Bounds the attempts of one request, the first included; 1 turns retries off. A 429 does not count: it
    /// proves that the request was not applied, and is retried as long as the deadline allows. At least 1.
    /// Default: 4.
    ///
    /// While no connection can be opened and none is open, an operation fails once it has seen this many
    /// attempts to connect fail, its own and those of others.
    int max_attempts = 4;
    /// Sets the scale of the exponential backoff with full jitter: the wait before retry n (from 0) is a
    /// uniform random time in [0, initial_backoff * 2^n], capped at max_backoff. A Retry-After of the service
    /// is followed instead. Not negative. Default: 200 ms.
    ///
    /// While no connection can be opened, a single operation at a time tries to connect for the whole client,
    /// after a random time between half and all of that bound. The others wait for this attempt, or for a
    /// connection that is still open.
    std::chrono::milliseconds initial_backoff = std::chrono::milliseconds{200};
    /// Caps the backoff. Not negative. Default: 5 s.
    std::chrono::milliseconds max_backoff = std::chrono::seconds{5};
    /// Bounds the retries of the whole client in a row, so that retries do not multiply an outage. Each retry
    /// of a request that was sent takes 1; each success gives back 0.1, up to this value. A request that was
    /// never sent for want of a connection costs nothing. Not negative. Default: 20.
    double budget = 20;
    /// Bounds the search for a key whose creation was not answered; see ApiKeyClient::async_create(). Not
    /// negative. Default: 2 s.
    std::chrono::milliseconds settle_time = std::chrono::seconds{2};
    /// Seeds the jitter of the backoff, so that a test meets the same waits in each run. Leave it unset in
    /// production, where the seed then differs for each client: clients of one seed retry at the same
    /// moments, which jitter is to prevent. Default: unset.
    std::optional<std::uint32_t> jitter_seed{};
};

/// Bounds what one list may take: of keys (`async_list`, `async_find`, and the search of a create) or of
/// users (`async_find_user`). Each bound is greater than zero.
///
/// A list beyond a bound fails with errc::too_large, and the error names the option. The defaults are far
/// above what a tenant holds; they stop a service that does not stop sending.
///
/// A key with more than 10,000 annotations or labels, or more than 1 MiB of either, is errc::too_large too.
/// One page has a bound of its own, which no option moves: 64 MiB of keys, or 16 MiB of users. A larger page
/// fails with errc::too_large, too, and the error says how many bytes an answer may have, unless what is left
/// of max_bytes is less.
struct ListLimits {
    /// Bounds the bodies of all pages together, in bytes. Default: 128 MiB, which is about 250,000 keys.
    std::size_t max_bytes = std::size_t{128} << 20;
    /// Bounds the number of keys or users, those that a filter drops included. Checked after each page.
    /// Default: 250,000.
    std::size_t max_items = 250'000;
    /// Bounds the number of pages. Default: 10,000.
    std::size_t max_pages = 10'000;
    /// Bounds the token that the service gives for the next page, in bytes. Default: 4,096.
    std::size_t max_token_length = 4'096;
};

/// Configures a client. The defaults are for production; only `auth` has to be set.
///
///     ClientOptions options;
///     options.endpoint = Endpoint::parse("palette.acme.com").value();
///     options.auth = auth::api_key(Secret::take(line));
///
/// Fields are only appended from version to version.
struct PALETTE_KEYS_DECL ClientOptions {
    /// Names the service. Default: https://api.spectrocloud.com.
    Endpoint endpoint{};
    /// Gives the credentials. Default: null; every operation that needs a credential then fails with
    /// errc::auth_provider.
    std::shared_ptr<AuthProvider> auth{};
    /// Chooses whom to trust. Unused with a transport of your own.
    TlsOptions tls{};
    /// Bounds the phases of each operation.
    Timeouts timeouts{};
    /// Bounds the connections. Unused with a transport of your own.
    PoolOptions pool{};
    /// Sets the rate of the limiter that the client makes for itself. Unused if `limiter` is set.
    RateLimitOptions rate_limit{};
    /// Receives an event for every attempt and every operation. Default: null, none.
    std::shared_ptr<Observer> observer{};
    /// Gives the time, for tests. Default: null, the machine's clocks; see Clock.
    std::shared_ptr<Clock> clock{};
    /// Carries the requests. Default: null, HTTP/1.1 over TLS with a pool of connections.
    std::shared_ptr<Transport> transport{};
    /// Names an HTTP proxy for an https endpoint. Unused with a transport of your own. Default: no proxy.
    ProxyOptions proxy{};
    /// Configures retries.
    RetryOptions retry{};
    /// Limits the rate of requests, shared with other clients and other parts of the program. Its clock is
    /// `clock`: the constructor of a client throws otherwise. Default: null; the client makes a limiter from
    /// `rate_limit`.
    std::shared_ptr<RateLimiter> limiter{};
    /// Bounds what one list may take.
    ListLimits list_limits{};
    /// Names your program to the service, and to a proxy: "my-tool/1.2" is sent as
    /// `User-Agent: my-tool/1.2 palette-keys/0.1.0`, with logins too. One product of RFC 9110 (a name, or a
    /// name, a slash and a version) or several with one space between them; at most 256 bytes; the
    /// constructor of a client throws otherwise. Unused with a transport of your own. Default: empty.
    std::string user_agent{};

    /// Returns options from the environment. A variable that is empty counts as unset, except `PALETTE_HOST`.
    /// Blanks around the host, the key and its uid, and one line end after them, are dropped. A set-uid
    /// program gets nothing from its environment.
    ///
    /// - `PALETTE_HOST`: the endpoint, in any form that Endpoint::parse() takes. Unset: the default,
    ///   `https://api.spectrocloud.com`. Empty: an error, lest the key be sent to another installation.
    /// - `PALETTE_API_KEY`, else `SPECTROCLOUD_APIKEY`: the API key. Required.
    /// - `PALETTE_API_KEY_UID`: the uid of that API key. With it, the client refuses to revoke, deactivate or
    ///   delete its own key; see Credential::key_uid(). Optional.
    /// - `PALETTE_CA_FILE`: a PEM file, which can be opened, that replaces the system's authorities.
    /// - `HTTPS_PROXY`, else `https_proxy`: the proxy; with it `NO_PROXY`, else `no_proxy`. See ProxyOptions.
    ///
    /// Errors: errc::invalid_argument, which names the variable that is missing or wrong.
    static Result<ClientOptions> from_environment();
    /// Returns the same, with `auth` instead of a key of the environment: for a program that logs in, or
    /// reads its key from a file. `PALETTE_API_KEY` and `PALETTE_API_KEY_UID` are not read.
    ///
    ///     auto options = ClientOptions::from_environment(auth::file("/etc/acme/palette.key"));
    ///
    /// Errors: errc::invalid_argument, which names the variable that is wrong; also if `auth` is null.
    static Result<ClientOptions> from_environment(std::shared_ptr<AuthProvider> auth);
};

}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/seams/options.ipp>
#endif
