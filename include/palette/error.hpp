// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <cstdint>
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

/// Classifies what went wrong: a small set, to branch on. Error carries the details.
///
/// The set may grow before 1.0. Prefer the questions below (is_retryable(), is_auth(), ...) to long lists of
/// codes: they stay right when it does.
enum class errc {
    // Refused by the client before a byte was sent.
    invalid_argument = 1,  ///< A name, uid, time, host or text that cannot be sent.

    // A response that is not what the service documents.
    not_json,           ///< The body is not JSON, or not UTF-8.
    truncated,          ///< The body ended in the middle.
    trailing_data,      ///< Something follows the JSON text.
    wrong_type,         ///< A field has another JSON type than documented.
    bad_value,          ///< A field has the right type and an impossible value, such as a 13th month.
    too_large,          ///< The body, or the memory it would take, is beyond the bound.
    too_deep,           ///< The body is nested beyond the bound.
    missing_key_value,  ///< A key was created, but the response does not carry its value.
    unexpected_status,  ///< An HTTP status that the service does not document, such as a redirect.

    // The service's documented refusals.
    unauthorized,  ///< 401: no credential, or one that is not valid any more.
    forbidden,     ///< 403: the credential is valid, and has no permission for this.
    not_found,     ///< 404: no such key, or no such user.
    conflict,      ///< 409; or a state that the operation does not accept, which the message names.
    rejected,      ///< 400, 422: the service does not accept the request.
    rate_limited,  ///< 429.
    server_error,  ///< 500: an operational error, not necessarily a transient one.
    unavailable,   ///< 502, 503, 504.

    // No response.
    transport,          ///< The lookup or the connection failed, or the connection broke.
    timeout,            ///< A deadline passed.
    operation_aborted,  ///< The operation was cancelled, or the client was destroyed.
    auth_provider,      ///< The source of credentials failed.

    // No response, and a retry will not help.
    untrusted,  ///< TLS: the service could not prove its identity: certificate, host name, version.
    proxy,      ///< The proxy refused to connect. Error::status() is its status, 0 if it sent none.

    // Refused by the operating system.
    system,  ///< A full disk, a directory without permission, no randomness.

    // Refused by the client, too, before the change was sent.
    own_key,  ///< A revocation or deletion of what is, or may be, the client's own key; see
              ///< ChangeOptions::allow_own_key().

    // This program.
    out_of_memory,  ///< An allocation failed. Never retried; Error::effect() says what was done before.
};

/// Groups codes, for comparison with a std::error_code: `ec == palette::condition::auth`.
enum class condition {
    retryable = 1,       ///< See is_retryable().
    auth,                ///< See is_auth().
    not_found,           ///< See is_not_found().
    malformed_response,  ///< See is_malformed_response().
};

/// Returns whether the failure is transient: the same call may succeed later. The overload for an Error and
/// condition::retryable mean the same. Whether another call may do harm is a separate question, which
/// is_safe_to_repeat() answers.
[[nodiscard]] constexpr bool is_retryable(errc code) noexcept {
    return code == errc::rate_limited || code == errc::unavailable || code == errc::transport ||
           code == errc::timeout;
}

/// Returns whether the credential is the cause: missing, not valid, without the permission, or not to be
/// obtained.
[[nodiscard]] constexpr bool is_auth(errc code) noexcept {
    return code == errc::unauthorized || code == errc::forbidden || code == errc::auth_provider;
}

/// Returns whether there is no such key or user.
[[nodiscard]] constexpr bool is_not_found(errc code) noexcept {
    return code == errc::not_found;
}

/// Returns whether the response is not one of the service: it came from a proxy, a portal or another version.
[[nodiscard]] constexpr bool is_malformed_response(errc code) noexcept {
    return code >= errc::not_json && code <= errc::unexpected_status;
}

/// Returns the category of the codes in errc, named "palette".
PALETTE_KEYS_DECL const std::error_category& get_error_category() noexcept;
/// Returns the category of the groups in condition, named "palette.condition".
PALETTE_KEYS_DECL const std::error_category& get_condition_category() noexcept;
/// Returns the code as a std::error_code. The codes for an invalid argument, a timeout, a cancellation and a
/// lack of memory equal the conditions std::errc::invalid_argument, timed_out, operation_canceled and
/// not_enough_memory.
PALETTE_KEYS_DECL std::error_code make_error_code(errc code) noexcept;
/// Returns the group as a std::error_condition.
PALETTE_KEYS_DECL std::error_condition make_error_condition(condition group) noexcept;
/// Returns the name of the code, such as "not_found"; empty for a number that is none.
[[nodiscard]] PALETTE_KEYS_DECL std::string_view to_string(errc code) noexcept;
/// Returns the name of the condition, such as "retryable".
[[nodiscard]] PALETTE_KEYS_DECL std::string_view to_string(condition group) noexcept;
/// Writes the name of the code, such as "not_found".
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, errc code);

/// Tells whether the requested change has happened on the service.
enum class Effect : std::uint8_t {
    not_applied,  ///< Certainly not.
    applied,      ///< Certainly.
    unknown,      ///< Not known, and may still be applied later. See docs/retries.md, "unknown".
};

/// Writes the name of the effect, such as "not_applied".
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, Effect effect);
/// Returns the name of the effect: "not_applied", "applied" or "unknown".
[[nodiscard]] PALETTE_KEYS_DECL std::string_view to_string(Effect effect) noexcept;

/// Describes a failed attempt that was retried.
class FailedAttempt {
public:
    /// Constructs the description.
    FailedAttempt(errc code_, int status_) noexcept : code(code_), status(status_) {}

    /// Gives the code of the failure.
    errc code;
    /// Gives the HTTP status; 0 without a complete response.
    int status;

    /// Compares all members.
    friend bool operator==(const FailedAttempt&, const FailedAttempt&) = default;
};

class PendingCreate;

namespace detail {

/// Holds a shared PendingCreate, and compares by its value.
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

/// Describes why an operation failed, and what that means for the caller. A value: copyable and comparable.
///
///     if (auto key = co_await client.async_get(uid); !key) log(key.error().message());
///
/// Implementers of a seam make errors with the setters, which chain:
///
///     auto error = Error(errc::auth_provider, "the vault is sealed").effect(Effect::not_applied);
///
/// Texts from outside are shortened, and their control characters escaped, before they enter an Error, so
/// that message() is one printable line.
class PALETTE_KEYS_DECL Error {
public:
    /// Constructs an error. `what` says what happened, without a final full stop; empty: the words of the
    /// code.
    explicit Error(errc code, std::string what = {});

    /// Wipes the texts: before they are redacted they may contain a credential that the service repeated.
    ~Error();
    /// Copies the error.
    Error(const Error& other);
    /// Moves the texts. A moved-from error keeps its code, and has no texts.
    Error(Error&&) noexcept;
    /// Wipes the texts, and copies those of the other error.
    Error& operator=(const Error& other);
    /// Wipes the texts, and moves those of the other error.
    Error& operator=(Error&&) noexcept;

    /// Returns the code.
    [[nodiscard]] errc code() const noexcept { return code_; }
    /// Returns whether the requested change has happened.
    [[nodiscard]] Effect effect() const noexcept { return effect_; }
    /// Returns whether what failed is a step of a longer operation, a rotation for one. effect() is then that
    /// of the step, and message() does not say that nothing was changed; what the steps before it have
    /// changed, the report of the longer operation tells.
    [[nodiscard]] bool is_step() const noexcept { return is_step_; }

    /// Returns what happened, without advice. message() has both.
    [[nodiscard]] const std::string& what() const& noexcept;
    /// Same, from a temporary: by value.
    [[nodiscard]] std::string what() const&& { return static_cast<const Error&>(*this).what(); }

    /// Returns the name of the operation that failed: "revoke". Empty if no operation of a client did, or if
    /// it ran out of memory.
    [[nodiscard]] const std::string& operation() const& noexcept;
    /// Same, from a temporary: by value.
    [[nodiscard]] std::string operation() const&& { return static_cast<const Error&>(*this).operation(); }

    /// Returns the uid of the key that the error is about: of the key that was to be read or changed, or of a
    /// key that a create has left behind. Empty if there is none.
    [[nodiscard]] const std::string& key_uid() const& noexcept;
    /// Same, from a temporary: by value.
    [[nodiscard]] std::string key_uid() const&& { return static_cast<const Error&>(*this).key_uid(); }

    /// Returns the error code of the operating system, of Asio or of OpenSSL that caused the failure; a zero
    /// code if there was none.
    [[nodiscard]] std::error_code cause() const noexcept;

    /// Returns the place in a request or a response: "items[17].spec.expiry". Empty if the whole is meant.
    [[nodiscard]] const std::string& path() const& noexcept;
    /// Same, from a temporary: by value.
    [[nodiscard]] std::string path() const&& { return static_cast<const Error&>(*this).path(); }

    /// Returns the HTTP status; 0 without a complete response.
    [[nodiscard]] int status() const noexcept { return status_; }

    /// Returns the service's own error code; empty if there was none.
    [[nodiscard]] const std::string& server_code() const& noexcept;
    /// Same, from a temporary: by value.
    [[nodiscard]] std::string server_code() const&& { return static_cast<const Error&>(*this).server_code(); }
    /// Returns the service's own message; empty if there was none.
    [[nodiscard]] const std::string& server_message() const& noexcept;
    /// Same, from a temporary: by value.
    [[nodiscard]] std::string server_message() const&& {
        return static_cast<const Error&>(*this).server_message();
    }
    /// Returns the service's reference, to be quoted to its support; empty if there was none.
    [[nodiscard]] const std::string& ref() const& noexcept;
    /// Same, from a temporary: by value.
    [[nodiscard]] std::string ref() const&& { return static_cast<const Error&>(*this).ref(); }

    /// Returns how many requests the operation has sent, of every kind and the last one included: a create
    /// that asked who it is and was then refused has sent 2, and has retried nothing. 0 if the operation was
    /// refused before the first. earlier() lists the failed attempts before the last one.
    [[nodiscard]] int attempts() const noexcept { return attempts_; }

    /// Returns the failed attempts before the last one, in their order.
    [[nodiscard]] const std::vector<FailedAttempt>& earlier() const& noexcept;
    /// Same, from a temporary: by value.
    [[nodiscard]] std::vector<FailedAttempt> earlier() const&& {
        return static_cast<const Error&>(*this).earlier();
    }
    /// Returns the record of the keys that a create may have left behind, for async_reconcile(); null if
    /// there is none. palette/pending_create.hpp has the type.
    [[nodiscard]] const std::shared_ptr<const PendingCreate>& pending() const& noexcept {
        return pending_.get();
    }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::shared_ptr<const PendingCreate> pending() const&& noexcept { return pending_.get(); }

    /// Returns one line: the operation and the key, what happened, whether the change was made, and advice().
    /// ```
    ///     revoke 463209768807a774078d86d3: the credential may not do this (HTTP 403, Forbidden); nothing was
    ///     changed; ...
    /// ```
    [[nodiscard]] std::string message() const;

    /// Returns what to do next: the words set by advice(words), or those that hold for every error with this
    /// code, effect and pending(). With Effect::unknown: read the key now, in an hour and in a day; a client
    /// names the uid. With pending(): reconcile at these times.
    [[nodiscard]] std::string_view advice() const& noexcept;
    void advice() const&& = delete;
    /// Returns whether advice(words) has set words.
    [[nodiscard]] bool has_own_advice() const noexcept;

    // The setters below are for those who make errors: the library, and implementers of its seams.

    /// Sets what to do next.
    Error& advice(std::string words) &;
    /// Sets whether the change has happened. Default: not_applied.
    Error& effect(Effect effect) & noexcept;
    /// Sets whether what failed is a step of a longer operation. Default: false.
    Error& is_step(bool is) & noexcept;
    /// Sets the name of the operation.
    Error& operation(std::string name) &;
    /// Sets the uid of the key that the error is about.
    Error& key_uid(std::string uid) &;
    /// Sets the code that caused the failure. A boost::system::error_code converts.
    Error& cause(std::error_code code) &;
    /// Sets the place in a request or a response.
    Error& path(std::string path) &;
    /// Sets the HTTP status.
    Error& status(int status) & noexcept;
    /// Sets the number of requests that were sent.
    Error& attempts(int attempts) & noexcept;
    /// Sets the failed attempts before the last one.
    Error& earlier(std::vector<FailedAttempt> attempts) &;
    /// Sets the service's own code, message and reference.
    Error& server(std::string code, std::string message, std::string ref) &;
    /// Sets the record of the keys that a create may have left behind.
    Error& pending(std::shared_ptr<const PendingCreate> pending) & noexcept;

    /// Same, on a temporary.
    Error advice(std::string words) && { return std::move(advice(std::move(words))); }
    /// Same, on a temporary.
    Error effect(Effect e) && noexcept { return std::move(effect(e)); }
    /// Same, on a temporary.
    Error is_step(bool is) && noexcept { return std::move(is_step(is)); }
    /// Same, on a temporary.
    Error operation(std::string name) && { return std::move(operation(std::move(name))); }
    /// Same, on a temporary.
    Error key_uid(std::string uid) && { return std::move(key_uid(std::move(uid))); }
    /// Same, on a temporary.
    Error cause(std::error_code code) && { return std::move(cause(code)); }
    /// Same, on a temporary.
    Error path(std::string p) && { return std::move(path(std::move(p))); }
    /// Same, on a temporary.
    Error status(int s) && noexcept { return std::move(status(s)); }
    /// Same, on a temporary.
    Error attempts(int n) && noexcept { return std::move(attempts(n)); }
    /// Same, on a temporary.
    Error earlier(std::vector<FailedAttempt> a) && { return std::move(earlier(std::move(a))); }
    /// Same, on a temporary.
    Error server(std::string code, std::string message, std::string ref) && {
        return std::move(server(std::move(code), std::move(message), std::move(ref)));
    }
    /// Same, on a temporary.
    Error pending(std::shared_ptr<const PendingCreate> what) && noexcept {
        return std::move(pending(std::move(what)));
    }

    /// Compares everything, pending() by its value.
    PALETTE_KEYS_DECL friend bool operator==(const Error& a, const Error& b) noexcept;

private:
    struct Words;
    [[nodiscard]] Words& words();

    errc code_;
    Effect effect_ = Effect::not_applied;
    bool is_step_ = false;
    int status_ = 0;
    int attempts_ = 0;
    // Coroutines keep room for many errors, and nearly all of it stays empty, so the words are allocated.
    // Null if the code says everything.
    std::unique_ptr<Words> words_;
    detail::SharedPending pending_;
};

/// Writes message().
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const Error& error);

/// Returns whether the failure is transient; see is_retryable(errc).
[[nodiscard]] inline bool is_retryable(const Error& e) noexcept {
    return is_retryable(e.code());
}

/// Tells whether a call has the same effect when it is made twice. All operations except async_create() are
/// idempotent: a second create makes a second key.
enum class Idempotency { idempotent, not_idempotent };

/// Returns whether the call that failed with this error can be repeated without applying twice what must be
/// applied once. That is so if nothing was changed, or if the operation is idempotent.
///
///     bool const retry = is_retryable(error) && is_safe_to_repeat(error, Idempotency::not_idempotent);
///
/// A create with Effect::unknown or Effect::applied may have left a key: Error::pending() says what to clean
/// up.
[[nodiscard]] inline bool is_safe_to_repeat(const Error& e, Idempotency operation) noexcept {
    return e.effect() == Effect::not_applied || operation == Idempotency::idempotent;
}

/// Returns whether the credential is the cause; see is_auth(errc).
[[nodiscard]] inline bool is_auth(const Error& e) noexcept {
    return is_auth(e.code());
}
/// Returns whether there is no such key or user.
[[nodiscard]] inline bool is_not_found(const Error& e) noexcept {
    return is_not_found(e.code());
}
/// Returns whether the response is not one of the service; see is_malformed_response(errc).
[[nodiscard]] inline bool is_malformed_response(const Error& e) noexcept {
    return is_malformed_response(e.code());
}

/// Carries an Error as an exception.
///
/// Thrown by Result::value() without a value; by the constructors of a client and a RateLimiter whose options
/// cannot be used, of a BlockingApiKeyClient that gets no thread, and of a PendingCreate without attempts;
/// by PendingCreate::make_nonce() if the system provides no randomness; and by a function that starts an
/// operation on a moved-from ApiKeyClient. Operations do not throw otherwise. Running out of memory throws
/// std::bad_alloc. As a std::system_error, the exception has the code of the error:
/// `thrown.code() == errc::timeout`.
class PALETTE_KEYS_DECL Exception : public std::system_error {
public:
    /// Constructs an exception that carries `error`.
    explicit Exception(Error error);
    /// Copies the content.
    Exception(const Exception&) noexcept = default;  // and no move, which would leave one without an error
    /// Copies the content.
    Exception& operator=(const Exception&) noexcept = default;
    ~Exception() override = default;

    /// Returns the error.
    [[nodiscard]] const Error& error() const& noexcept;
    /// Same, from a temporary: by value.
    [[nodiscard]] Error error() const&& { return static_cast<const Exception&>(*this).error(); }
    /// Returns Error::message() of the error.
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
