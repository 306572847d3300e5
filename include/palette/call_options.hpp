// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/instant.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace palette::inline PALETTE_KEYS_ABI {

/// Represents when an operation has to be over: after a duration, or at a point in time. Converts from both.
///
///     auto options = CallOptions().deadline(5s);
///     options.deadline(std::chrono::steady_clock::now() + 5s);
class Deadline {
public:
    /// Ends the operation after `time`, counted from its start.
    template <class Rep, class Period>
    Deadline(std::chrono::duration<Rep, Period> time) noexcept
        : when_(detail::saturated_milliseconds(time)) {}
    /// Ends the operation at `time`, by this machine's steady clock.
    Deadline(std::chrono::steady_clock::time_point time) noexcept : when_(time) {}
    /// Ends the operation at `time`, UTC: by ClientOptions::clock, or by this machine's system clock.
    template <class Duration>
    Deadline(std::chrono::sys_time<Duration> time) noexcept : when_(detail::to_instant(time)) {}

    /// Returns how much time is left at `now`, the time of the client's clock. Negative once the deadline has
    /// passed. A duration is left whole.
    [[nodiscard]] std::chrono::milliseconds remaining(Instant now) const noexcept {
        if (auto const* const time = std::get_if<std::chrono::milliseconds>(&when_)) return *time;
        if (auto const* const time = std::get_if<Instant>(&when_)) return *time - now;
        auto const& time = *std::get_if<std::chrono::steady_clock::time_point>(&when_);
        return std::chrono::ceil<std::chrono::milliseconds>(time - std::chrono::steady_clock::now());
    }

    /// Compares kinds and times: a duration never equals a point in time.
    friend bool operator==(const Deadline&, const Deadline&) = default;

private:
    std::variant<std::chrono::milliseconds, std::chrono::steady_clock::time_point, Instant> when_;
};

namespace detail {

// What one call was given, whichever class of options it came in.
class CallSettings {
public:
    CallSettings() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    std::optional<Deadline> deadline;
    std::string traceparent;
    bool verify = false;
    bool allow_past_expiry = false;
    bool allow_shorter = false;
    bool allow_own_key = false;
    bool retry_when_unseen = false;
    std::optional<std::string> nonce;
};

}  // namespace detail

/// Holds what all classes of options have: the base of CallOptions, CreateOptions and ChangeOptions.
template <class Options>
class CommonOptions {
public:
    /// Bounds the whole operation, its wait in the queue included, instead of Timeouts::total;
    /// Timeouts::queue still bounds that wait. A duration is measured by this machine's steady clock, or by
    /// ClientOptions::clock. A deadline that has passed ends the operation before a byte is sent.
    Options& deadline(Deadline when) & noexcept {
        settings_.deadline = when;
        return self();
    }
    /// Sends `value` as the header traceparent of W3C Trace Context with each request of the operation, and
    /// shows it to the Observer, which may replace it for each attempt. errc::invalid_argument, not applied,
    /// if it has another form than "00-<32 hex digits>-<16 hex digits>-<2 hex digits>".
    Options& traceparent(std::string value) & noexcept {
        settings_.traceparent = std::move(value);
        return self();
    }
    /// Same, on a temporary.
    Options deadline(Deadline when) && noexcept { return std::move(deadline(when)); }
    /// Same, on a temporary.
    Options traceparent(std::string value) && noexcept { return std::move(traceparent(std::move(value))); }

    /// Returns the deadline; nothing if Timeouts::total holds.
    [[nodiscard]] std::optional<Deadline> deadline() const noexcept { return settings_.deadline; }
    /// Returns the trace context; empty if none was given.
    [[nodiscard]] const std::string& traceparent() const& noexcept { return settings_.traceparent; }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::string traceparent() const&& { return settings_.traceparent; }

    /// Returns all settings; for the library itself.
    [[nodiscard]] const detail::CallSettings& settings() const& noexcept { return settings_; }
    /// Same, from a temporary: moves the content out.
    [[nodiscard]] detail::CallSettings settings() && noexcept { return std::move(settings_); }
    void settings() const&& = delete;

private:
    friend Options;

    CommonOptions() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await
    explicit CommonOptions(detail::CallSettings settings) noexcept : settings_(std::move(settings)) {}

    [[nodiscard]] Options& self() noexcept { return static_cast<Options&>(*this); }

    detail::CallSettings settings_;
};

/// Gives any operation more than its arguments, before the completion token. Setters chain, on a temporary
/// and on a variable alike. CreateOptions and ChangeOptions add what only some operations know; a CallOptions
/// converts to both.
///
///     co_await client.async_get(uid, CallOptions().deadline(5s));
///
/// In all three classes, setter and getter have one name. Of a const object, `options.verify()` is the
/// getter; of any other it is the setter, and returns the options, which do not convert to bool: read through
/// a const object or std::as_const().
class CallOptions : public CommonOptions<CallOptions> {
public:
    /// Constructs options that change nothing.
    CallOptions() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    /// Allows a revocation, a deactivation or a deletion of the key that this client itself uses, or may use:
    /// of any active key of its own user, if the credential is an API key without Credential::key_uid().
    /// Without this option such a call is refused with errc::own_key, and the change is not sent. Operations
    /// that end no key do not need it.
    CallOptions& allow_own_key(bool on = true) & noexcept {
        settings_.allow_own_key = on;
        return *this;
    }
    /// Same, on a temporary.
    CallOptions allow_own_key(bool on = true) && noexcept { return std::move(allow_own_key(on)); }
    /// Returns whether the client's own key may be revoked, deactivated or deleted. Default: false.
    [[nodiscard]] bool allow_own_key() const noexcept { return settings_.allow_own_key; }
};

/// Gives a create more than its arguments.
///
///     co_await client.async_create(NewApiKey("ci"), CreateOptions().nonce(nonce));
class CreateOptions : public CommonOptions<CreateOptions> {
public:
    /// Constructs options that change nothing.
    CreateOptions() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await
    /// Takes over the options of any operation.
    CreateOptions(CallOptions options) noexcept : CommonOptions(std::move(options).settings()) {}

    /// Marks the key of a create with a nonce of your own: 32 hexadecimal digits from
    /// PendingCreate::make_nonce(), written down before the create. Keys of this create can then be found
    /// even if the program is killed: see PendingCreate::of_nonce().
    ///
    /// Use each nonce for one create. One of the last 1,024 nonces that this client has used is refused with
    /// errc::invalid_argument before a byte is sent. Any other used nonce, for instance one of an earlier run
    /// of the program, is refused with errc::conflict, not_applied, and the error names the keys that bear
    /// it: for this check, a create with a nonce lists the keys first. A key that the list does not show,
    /// because it is another user's or because it appears late, is not seen; so make a new nonce after a
    /// restart.
    CreateOptions& nonce(std::string_view digits) & {
        settings_.nonce = std::string(digits);
        return *this;
    }
    /// Creates another key when the answer to a create was lost and its key is not seen within
    /// RetryOptions::settle_time, instead of failing. CreatedApiKey::pending() then names the keys that may
    /// remain.
    CreateOptions& retry_when_unseen(bool on = true) & noexcept {
        settings_.retry_when_unseen = on;
        return *this;
    }
    /// Accepts an expiry that has already passed by the service's clock. Without this option such an expiry
    /// is refused with errc::invalid_argument.
    CreateOptions& allow_past_expiry(bool on = true) & noexcept {
        settings_.allow_past_expiry = on;
        return *this;
    }
    /// Same, on a temporary.
    CreateOptions nonce(std::string_view digits) && { return std::move(nonce(digits)); }
    /// Same, on a temporary.
    CreateOptions retry_when_unseen(bool on = true) && noexcept { return std::move(retry_when_unseen(on)); }
    /// Same, on a temporary.
    CreateOptions allow_past_expiry(bool on = true) && noexcept { return std::move(allow_past_expiry(on)); }

    /// Returns the nonce; nothing if the client makes one.
    [[nodiscard]] std::optional<std::string_view> nonce() const& noexcept { return settings_.nonce; }
    void nonce() const&& = delete;
    /// Returns whether a create whose key is not seen makes another key. Default: false.
    [[nodiscard]] bool retry_when_unseen() const noexcept { return settings_.retry_when_unseen; }
    /// Returns whether an expiry in the past is accepted. Default: false.
    [[nodiscard]] bool allow_past_expiry() const noexcept { return settings_.allow_past_expiry; }
};

/// Gives an operation that changes a key more than its arguments.
///
///     co_await client.async_revoke(uid, ChangeOptions().deadline(5s).verify());
class ChangeOptions : public CommonOptions<ChangeOptions> {
public:
    /// Constructs options that change nothing.
    ChangeOptions() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await
    /// Takes over the options of any operation.
    ChangeOptions(CallOptions options) noexcept : CommonOptions(std::move(options).settings()) {}

    /// Reads the key back after a revoke, a re-activation or a deletion. The operation fails with
    /// errc::conflict, applied, if the service does not show the change; a read that fails is an error with
    /// effect applied, too. Updates and renewals read the key back in any case.
    ///
    /// This doubles the requests, which count towards the rate limit: after many changes one list is cheaper.
    ChangeOptions& verify(bool on = true) & noexcept {
        settings_.verify = on;
        return *this;
    }
    /// Allows a revocation, a deactivation or a deletion of the key that this client itself uses, or may use:
    /// of any active key of its own user, if the credential is an API key without Credential::key_uid().
    /// Without this option such a call is refused with errc::own_key, and the change is not sent.
    ChangeOptions& allow_own_key(bool on = true) & noexcept {
        settings_.allow_own_key = on;
        return *this;
    }
    /// Allows a renewal to bring the expiry forward. Without this option such a renewal is refused with
    /// errc::conflict: thirty days for a key that never expires would make it expire.
    ChangeOptions& allow_shorter(bool on = true) & noexcept {
        settings_.allow_shorter = on;
        return *this;
    }
    /// Accepts an expiry that has already passed by the service's clock. Without this option such an expiry
    /// is refused with errc::invalid_argument.
    ChangeOptions& allow_past_expiry(bool on = true) & noexcept {
        settings_.allow_past_expiry = on;
        return *this;
    }
    /// Same, on a temporary.
    ChangeOptions verify(bool on = true) && noexcept { return std::move(verify(on)); }
    /// Same, on a temporary.
    ChangeOptions allow_own_key(bool on = true) && noexcept { return std::move(allow_own_key(on)); }
    /// Same, on a temporary.
    ChangeOptions allow_shorter(bool on = true) && noexcept { return std::move(allow_shorter(on)); }
    /// Same, on a temporary.
    ChangeOptions allow_past_expiry(bool on = true) && noexcept { return std::move(allow_past_expiry(on)); }

    /// Returns whether the change is read back. Default: false.
    [[nodiscard]] bool verify() const noexcept { return settings_.verify; }
    /// Returns whether the client's own key may be revoked, deactivated or deleted. Default: false.
    [[nodiscard]] bool allow_own_key() const noexcept { return settings_.allow_own_key; }
    /// Returns whether a renewal may bring the expiry forward. Default: false.
    [[nodiscard]] bool allow_shorter() const noexcept { return settings_.allow_shorter; }
    /// Returns whether an expiry in the past is accepted. Default: false.
    [[nodiscard]] bool allow_past_expiry() const noexcept { return settings_.allow_past_expiry; }
};

}  // namespace palette::inline PALETTE_KEYS_ABI
