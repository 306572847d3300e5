// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <exception>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI {

// What went wrong. A small set, to branch on; Error carries the words.
//
// The set may grow before 1.0. Prefer the questions below (is_retryable, is_auth, ...) to long lists
// of codes: they stay right when it does.
enum class errc {
    // Refused here, before a byte was sent.
    invalid_argument = 1,  // a name, uid, time, host or text that cannot be sent

    // An answer that is not what the service documents.
    not_json,           // the body is not JSON, or not UTF-8
    truncated,          // the body ended in the middle
    trailing_data,      // something follows the JSON text
    wrong_type,         // a field has another JSON type than documented
    bad_value,          // a field has the right type and an impossible value, such as a 13th month
    too_large,          // the body, or what it would take in memory, is beyond the bound
    too_deep,           // the body is nested beyond the bound
    missing_key_value,  // a key was created, but the answer does not carry its value
    unexpected_status,  // an HTTP status that the service does not document, such as a redirect

    // The service's documented refusals.
    unauthorized,  // 401: no credential, or one that is not valid any more
    forbidden,     // 403: a valid credential that may not do this
    not_found,     // 404: no such key, or no such user
    conflict,      // 409; or something is not as the operation needs it, which the message says
    rejected,      // 400, 422: the service does not accept the request
    rate_limited,  // 429
    server_error,  // 500: an operational error, not necessarily a passing one
    unavailable,   // 502, 503, 504

    // No answer.
    transport,          // lookup or connection failed, or the connection broke
    timeout,            // a deadline passed
    operation_aborted,  // cancelled, or the client was destroyed
    auth_provider,      // the source of credentials failed

    // No answer, and trying again will not help.
    untrusted,  // TLS: the service could not prove that it is the one: certificate, host name, version
    proxy,      // the proxy refused to connect; Error::status() is its status, 0 if it sent none

    // Refused by the operating system: a full disk, a directory without permission, no randomness.
    system,

    // Refused here as well, before a byte was sent.
    own_key,  // a revocation or deletion of the key that the client itself uses; CallOptions::allow_own_key()

    // This program.
    out_of_memory,  // an allocation failed; never retried, and Error::effect() says what was done before
};

// Groups of codes, for comparison with a std::error_code: `ec == palette::condition::auth`.
enum class condition {
    retryable = 1,       // see is_retryable
    auth,                // see is_auth
    not_found,           // see is_not_found
    malformed_response,  // see is_malformed_response
};

/// Tells whether the failure is a passing one: the same call, made again later, may succeed. The overload for
/// an Error and condition::retryable mean the same. Whether another call may do harm is another question,
/// which is_safe_to_repeat() answers.
[[nodiscard]] constexpr bool is_retryable(errc code) noexcept {
    return code == errc::rate_limited || code == errc::unavailable || code == errc::transport ||
           code == errc::timeout;
}

// The credential is at fault: missing, not valid, not allowed to, or not to be had.
[[nodiscard]] constexpr bool is_auth(errc code) noexcept {
    return code == errc::unauthorized || code == errc::forbidden || code == errc::auth_provider;
}

[[nodiscard]] constexpr bool is_not_found(errc code) noexcept {
    return code == errc::not_found;
}

// Something answered that does not speak as the service does: a proxy, a portal, another version.
[[nodiscard]] constexpr bool is_malformed_response(errc code) noexcept {
    return code >= errc::not_json && code <= errc::unexpected_status;
}

PALETTE_KEYS_DECL const std::error_category& get_error_category() noexcept;
PALETTE_KEYS_DECL const std::error_category& get_condition_category() noexcept;
PALETTE_KEYS_DECL std::error_code make_error_code(errc code) noexcept;
PALETTE_KEYS_DECL std::error_condition make_error_condition(condition group) noexcept;
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, errc code);

// Whether the change that was asked for has happened on the service.
enum class Effect {
    not_applied,  // certainly not
    applied,      // certainly
    unknown,      // nobody can tell; may still be applied later: look, and look again (README.md says when)
};

PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, Effect effect);

// What an attempt met after which another one was made.
class FailedAttempt {
public:
    FailedAttempt(errc code_, int status_) noexcept : code(code_), status(status_) {}

    errc code;
    int status;  // of HTTP; 0: no complete answer

    friend bool operator==(const FailedAttempt&, const FailedAttempt&) = default;
};

class PendingCreate;

namespace detail {

// Compared by what it points to.
class PALETTE_KEYS_DECL SharedPending {
public:
    SharedPending() = default;
    explicit SharedPending(std::shared_ptr<const PendingCreate> pending) noexcept
        : pending_(std::move(pending)) {}

    [[nodiscard]] const std::shared_ptr<const PendingCreate>& get() const& noexcept { return pending_; }
    [[nodiscard]] std::shared_ptr<const PendingCreate> get() const&& { return pending_; }

    PALETTE_KEYS_DECL friend bool operator==(const SharedPending& a, const SharedPending& b);

private:
    std::shared_ptr<const PendingCreate> pending_;
};

}  // namespace detail

// Why an operation failed, and what that means for the caller. A value: copyable, comparable.
//
//     if (auto key = co_await client.async_get(uid); !key) log(key.error().message());
//
// Texts that came from outside are shortened and have their control characters escaped before they
// enter an Error, so that message() is one printable line.
class PALETTE_KEYS_DECL Error {
public:
    // `what` says what happened, without a final full stop.
    explicit Error(errc code, std::string what = {});

    // Wipes its texts: before they are redacted they may hold a credential that the service repeated.
    ~Error();
    Error(const Error& other);
    // What was moved from keeps its code, and has no words.
    Error(Error&&) noexcept;
    Error& operator=(const Error& other);
    Error& operator=(Error&&) noexcept;

    [[nodiscard]] errc code() const noexcept { return code_; }
    [[nodiscard]] Effect effect() const noexcept { return effect_; }

    // What happened, without advice. message() has both.
    [[nodiscard]] const std::string& what() const& noexcept;
    [[nodiscard]] std::string what() const&& { return static_cast<const Error&>(*this).what(); }

    // Where in a request or an answer: "items[17].spec.expiry". Empty if the whole is meant.
    [[nodiscard]] const std::string& path() const& noexcept;
    [[nodiscard]] std::string path() const&& { return static_cast<const Error&>(*this).path(); }

    // The HTTP status, or 0 if there was no complete answer.
    [[nodiscard]] int status() const noexcept { return status_; }

    // The service's own words, if it had any: its code, its message, its reference for support.
    [[nodiscard]] const std::string& server_code() const& noexcept;
    [[nodiscard]] std::string server_code() const&& { return static_cast<const Error&>(*this).server_code(); }
    [[nodiscard]] const std::string& server_message() const& noexcept;
    [[nodiscard]] std::string server_message() const&& {
        return static_cast<const Error&>(*this).server_message();
    }
    [[nodiscard]] const std::string& ref() const& noexcept;
    [[nodiscard]] std::string ref() const&& { return static_cast<const Error&>(*this).ref(); }

    // How many requests were sent. 0: refused before the first.
    [[nodiscard]] int attempts() const noexcept { return attempts_; }

    // What those met that were made before the last one and failed, in their order.
    [[nodiscard]] const std::vector<FailedAttempt>& earlier() const& noexcept;
    [[nodiscard]] std::vector<FailedAttempt> earlier() const&& {
        return static_cast<const Error&>(*this).earlier();
    }
    // What a create may have left behind, to be cleaned up with async_reconcile(); null if there is nothing.
    // palette/pending_create.hpp has the type.
    [[nodiscard]] const std::shared_ptr<const PendingCreate>& pending() const& noexcept {
        return pending_.get();
    }
    [[nodiscard]] std::shared_ptr<const PendingCreate> pending() const&& noexcept { return pending_.get(); }

    // One line: what happened, whether it was applied, what to do next: advice().
    [[nodiscard]] std::string message() const;

    /// Says what to do next: the words given by advice(words), or those that hold for every error with this
    /// code, effect and pending().
    [[nodiscard]] std::string_view advice() const& noexcept;
    void advice() const&& = delete;
    [[nodiscard]] bool has_own_advice() const noexcept;

    // For those who make errors: the library, and implementers of its seams.
    //
    //     return Error(errc::auth_provider, "the vault is sealed").effect(Effect::not_applied);
    Error& advice(std::string words) &;
    Error& effect(Effect effect) & noexcept;
    Error& path(std::string path) &;
    Error& status(int status) & noexcept;
    Error& attempts(int attempts) & noexcept;
    Error& earlier(std::vector<FailedAttempt> attempts) &;
    Error& server(std::string code, std::string message, std::string ref) &;
    Error& pending(std::shared_ptr<const PendingCreate> pending) & noexcept;

    Error advice(std::string words) && { return std::move(advice(std::move(words))); }
    Error effect(Effect e) && noexcept { return std::move(effect(e)); }
    Error path(std::string p) && { return std::move(path(std::move(p))); }
    Error status(int s) && noexcept { return std::move(status(s)); }
    Error attempts(int n) && noexcept { return std::move(attempts(n)); }
    Error earlier(std::vector<FailedAttempt> a) && { return std::move(earlier(std::move(a))); }
    Error server(std::string code, std::string message, std::string ref) && {
        return std::move(server(std::move(code), std::move(message), std::move(ref)));
    }
    Error pending(std::shared_ptr<const PendingCreate> what) && noexcept {
        return std::move(pending(std::move(what)));
    }

    PALETTE_KEYS_DECL friend bool operator==(const Error& a, const Error& b) noexcept;

private:
    struct Words;
    [[nodiscard]] Words& words();

    errc code_;
    Effect effect_ = Effect::not_applied;
    int status_ = 0;
    int attempts_ = 0;
    // Coroutines keep room for many errors, and nearly all of it stays empty: the words are elsewhere. Null:
    // the code says it all, and the error takes no memory.
    std::unique_ptr<Words> words_;
    detail::SharedPending pending_;
};

PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const Error& error);

[[nodiscard]] inline bool is_retryable(const Error& e) noexcept {
    return is_retryable(e.code());
}

/// Whether a call does the same when it is made twice. All operations but async_create() are idempotent: a
/// second create makes a second key.
enum class Idempotency { idempotent, not_idempotent };

/// Tells whether the call that failed with this error can be made again without doing twice what should be
/// done once. It always can if nothing was changed, and if the operation is idempotent.
///
///     bool const again = is_retryable(error) && is_safe_to_repeat(error, Idempotency::not_idempotent);
///
/// A create with Effect::unknown or Effect::applied may have left a key: Error::pending() says what to clean
/// up.
[[nodiscard]] inline bool is_safe_to_repeat(const Error& e, Idempotency operation) noexcept {
    return e.effect() == Effect::not_applied || operation == Idempotency::idempotent;
}

[[nodiscard]] inline bool is_auth(const Error& e) noexcept {
    return is_auth(e.code());
}
[[nodiscard]] inline bool is_not_found(const Error& e) noexcept {
    return is_not_found(e.code());
}
[[nodiscard]] inline bool is_malformed_response(const Error& e) noexcept {
    return is_malformed_response(e.code());
}

/// Thrown by Result::value() when there is no value; by the constructors of a client and a RateLimiter whose
/// options cannot work, of a BlockingApiKeyClient that gets no thread, and of a PendingCreate without
/// attempts; and by PendingCreate::make_nonce() when the system has no randomness to give. Operations do not
/// throw. Running out of memory throws std::bad_alloc.
class PALETTE_KEYS_DECL Exception : public std::exception {
public:
    explicit Exception(Error error);
    Exception(const Exception&) noexcept = default;  // and no move, which would leave one without an error
    Exception& operator=(const Exception&) noexcept = default;
    ~Exception() override = default;

    [[nodiscard]] const Error& error() const& noexcept;
    [[nodiscard]] Error error() const&& { return static_cast<const Exception&>(*this).error(); }
    [[nodiscard]] const char* what() const noexcept override;

private:
    struct State;
    std::shared_ptr<const State> state_;  // shared, so that copying an exception in flight cannot throw
};

namespace detail {
[[noreturn]] PALETTE_KEYS_DECL void throw_exception(Error error);
}

}  // namespace palette::inline PALETTE_KEYS_ABI

template <>
struct std::is_error_code_enum<palette::errc> : std::true_type {};
template <>
struct std::is_error_condition_enum<palette::condition> : std::true_type {};

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/values/error.ipp>
#    include <palette/result.hpp>  // for what two errors have pending, to compare it
#endif
