// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/error.hpp>
#include <palette/impl/values/wipe.hpp>

#include <cstddef>
#include <iterator>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI {
namespace detail {

struct ErrcText {
    const char* name;
    const char* what;
    const char* next;
};

// One row per errc, in its order: its name, what happened if nobody knows better, what to do next.
inline constexpr ErrcText errc_texts[] = {
    {"", "", ""},
    {"invalid_argument", "the request cannot be sent as it is", "correct the argument and call again"},
    {"not_json", "the answer is not JSON",
     "check that the host is the Palette API and not a proxy or portal"},
    {"truncated", "the answer ended in the middle",
     "try again; if it persists, look at the proxies on the way"},
    {"trailing_data", "something follows the end of the answer",
     "check that the host is the Palette API and not a proxy or portal"},
    {"wrong_type", "a field of the answer has an undocumented type",
     "check the service's version, and report the field to the maintainers"},
    {"bad_value", "a field of the answer has an impossible value",
     "check the service's version, and report the field to the maintainers"},
    {"too_large", "the answer is larger than the bound",
     "check that the host is the Palette API and not a proxy or portal"},
    {"too_deep", "the answer is nested more deeply than the bound", "check that the host is the Palette API"},
    {"missing_key_value", "a key was created, but its value did not come with the answer",
     "reconcile what is pending, to have the key deleted; this service may be too old to give values"},
    {"unexpected_status", "the service answered with an undocumented status",
     "check that the host is the Palette API and not a proxy or portal"},
    {"unauthorized", "the credential was refused",
     "check that the key is active and has not expired, or log in anew"},
    {"forbidden", "the credential may not do this", "use the credential of a user who has the role for it"},
    {"not_found", "there is no such key", "check the uid; the key may have been deleted"},
    {"conflict", "the key is not as it was when it was read", "read it again and decide anew"},
    {"rejected", "the service does not accept the request", "correct what it names and call again"},
    {"rate_limited", "too many requests", "wait, then call again; share one rate limiter between clients"},
    {"server_error", "the service failed to do it",
     "look at the service's status, and quote the reference to support"},
    {"unavailable", "the service is not available at the moment", "call again later"},
    {"transport", "the connection failed", "check the host, the network and the proxy settings"},
    {"timeout", "the deadline passed", "call again, with a longer deadline if it persists"},
    {"operation_aborted", "the operation was cancelled", "nothing, if that was meant"},
    {"auth_provider", "the source of credentials failed", "check how the program gets its credential"},
    {"untrusted", "the service could not prove that it is the one that was meant",
     "check the host, its certificate, and the authorities in the TLS options"},
    {"proxy", "the proxy refused to connect to the service",
     "check the proxy's address and credentials, and what it allows"},
    {"system", "the operating system refused",
     "check the disk space, the permissions and the limits of the process"},
    {"own_key", "the key is the one that this client itself uses",
     "use another credential for it, or ChangeOptions::allow_own_key() if that is meant"},
    {"out_of_memory", "out of memory", "free memory in this program, or run fewer operations at a time"},
};

// What to do where part of the work was done, or may have been: to repeat it is not what comes next.
inline constexpr const char* advice_if_applied = "nothing has to be repeated; read it again to see how it is";
// More than once: a request that was delayed can still be executed, and lists lag.
inline constexpr const char* advice_if_unknown =
    "read the key now, in an hour and in a day, and repeat the change if it is not in effect";
inline constexpr const char* advice_if_changed_and_unknown =
    "read the key now, in an hour and in a day, and decide anew";
inline constexpr const char* advice_if_pending = "reconcile what is pending now, in an hour and in a day";

// A code whose own advice is right although something was applied.
constexpr bool has_advice_if_applied(errc code) noexcept {
    // Each of these says what to do about the rest: look, reconcile, or mend the system.
    return code == errc::conflict || code == errc::missing_key_value || code == errc::system;
}

constexpr const ErrcText& text_of(int value) noexcept {
    // An error_code may be made of any number.
    bool const known = value > 0 && value < static_cast<int>(std::size(errc_texts));
    // An unknown number has the empty texts of no error.
    return errc_texts[known ? value : 0];
}

class ErrorCategory final : public std::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "palette"; }
    [[nodiscard]] std::string message(int value) const override { return text_of(value).what; }

    [[nodiscard]] bool equivalent(int value, const std::error_condition& group) const noexcept override {
        // A code may be in a group and stand for a std::errc as well, and has one default condition only.
        if (group.category() != get_condition_category()) return default_error_condition(value) == group;
        auto const code = static_cast<errc>(value);
        switch (static_cast<condition>(group.value())) {
            case condition::retryable:
                return is_retryable(code);
            case condition::auth:
                return is_auth(code);
            case condition::not_found:
                return is_not_found(code);
            case condition::malformed_response:
                return is_malformed_response(code);
        }
        return false;
    }

    // Code that knows std::errc alone can ask for these without knowing this library.
    [[nodiscard]] std::error_condition default_error_condition(int value) const noexcept override {
        switch (static_cast<errc>(value)) {
            case errc::invalid_argument:
                return std::make_error_condition(std::errc::invalid_argument);
            case errc::timeout:
                return std::make_error_condition(std::errc::timed_out);
            case errc::operation_aborted:
                return std::make_error_condition(std::errc::operation_canceled);
            case errc::out_of_memory:
                return std::make_error_condition(std::errc::not_enough_memory);
            default:
                return {value, *this};
        }
    }
};

class ConditionCategory final : public std::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "palette.condition"; }
    [[nodiscard]] std::string message(int value) const override {
        switch (static_cast<condition>(value)) {
            case condition::retryable:
                return "a passing failure";
            case condition::auth:
                return "the credential is at fault";
            case condition::not_found:
                return "there is no such key or user";
            case condition::malformed_response:
                return "the answer is not what the service documents";
        }
        return {};
    }
};

// "HTTP 503, HTTP 503, transport"
inline std::string in_words(const std::vector<FailedAttempt>& attempts) {
    std::string words;
    for (auto const& attempt : attempts) {
        if (!words.empty()) words += ", ";
        // The status says more than the code that was made of it.
        words += attempt.status != 0 ? "HTTP " + std::to_string(attempt.status)
                                     : std::string(text_of(static_cast<int>(attempt.code)).name);
    }
    return words;
}

PALETTE_KEYS_INLINE void throw_exception(Error error) {
    throw Exception(std::move(error));
}

}  // namespace detail

PALETTE_KEYS_INLINE const std::error_category& get_error_category() noexcept {
    // One object in the whole program: categories are compared by address.
    static const detail::ErrorCategory category;
    return category;
}

PALETTE_KEYS_INLINE const std::error_category& get_condition_category() noexcept {
    static const detail::ConditionCategory category;
    return category;
}

PALETTE_KEYS_INLINE std::error_code make_error_code(errc code) noexcept {
    return {static_cast<int>(code), get_error_category()};
}

PALETTE_KEYS_INLINE std::error_condition make_error_condition(condition group) noexcept {
    return {static_cast<int>(group), get_condition_category()};
}

PALETTE_KEYS_INLINE std::string_view to_string(errc code) noexcept {
    return detail::text_of(static_cast<int>(code)).name;
}

PALETTE_KEYS_INLINE std::string_view to_string(condition group) noexcept {
    switch (group) {
        case condition::retryable:
            return "retryable";
        case condition::auth:
            return "auth";
        case condition::not_found:
            return "not_found";
        case condition::malformed_response:
            return "malformed_response";
    }
    return "unknown";
}

PALETTE_KEYS_INLINE std::string_view to_string(Effect effect) noexcept {
    switch (effect) {
        case Effect::not_applied:
            return "not_applied";
        case Effect::applied:
            return "applied";
        case Effect::unknown:
            break;
    }
    return "unknown";
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, errc code) {
    return out << to_string(code);
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, Effect effect) {
    return out << to_string(effect);
}

// Apart from the error itself, which travels through every Result: without words it is small and costs no
// memory.
struct Error::Words {
    Words() = default;
    Words(const Words&) = default;
    Words(Words&&) = delete;
    Words& operator=(const Words&) = delete;
    Words& operator=(Words&&) = delete;
    ~Words() {
        // The service, a proxy or a provider may have put a secret into a text of its own.
        for (auto* const text :
             {&what, &advice, &operation, &key_uid, &path, &server_code, &server_message, &ref})
            detail::wipe(*text);
    }

    std::string what;  // empty: that of the code
    std::string advice;
    std::string operation;
    std::string key_uid;
    std::error_code cause;
    std::string path;
    std::string server_code;
    std::string server_message;
    std::string ref;
    std::vector<FailedAttempt> earlier;
};

namespace detail {

// What happened, of every code, as strings. Made when the program starts: an error that memory has run out
// has its words as well.
inline const std::string& what_of(errc code) {
    static const auto texts = [] {
        std::vector<std::string> all;
        for (auto const& text : errc_texts)
            all.emplace_back(text.what);
        return all;
    }();
    return texts[static_cast<std::size_t>(&text_of(static_cast<int>(code)) - std::begin(errc_texts))];
}
inline const std::string& made_early = what_of(errc::out_of_memory);

inline const std::string no_text;
inline const std::vector<FailedAttempt> no_attempts;

}  // namespace detail

PALETTE_KEYS_INLINE Error::Error(errc code, std::string what) : code_(code) {
    if (!what.empty()) words().what = std::move(what);
}

PALETTE_KEYS_INLINE Error::Error(const Error& other)
    : code_(other.code_),
      effect_(other.effect_),
      is_step_(other.is_step_),
      status_(other.status_),
      attempts_(other.attempts_),
      words_(other.words_ ? std::make_unique<Words>(*other.words_) : nullptr),
      pending_(other.pending_) {}

PALETTE_KEYS_INLINE Error& Error::operator=(const Error& other) {
    // The copy may throw; the move does not. Either all of it is assigned or nothing.
    if (this != &other) *this = Error(other);
    return *this;
}

PALETTE_KEYS_INLINE Error::Error(Error&&) noexcept = default;
PALETTE_KEYS_INLINE Error& Error::operator=(Error&&) noexcept = default;
PALETTE_KEYS_INLINE Error::~Error() = default;

PALETTE_KEYS_INLINE Error::Words& Error::words() {
    // An error without words allocates nothing: out_of_memory can always be told.
    if (!words_) words_ = std::make_unique<Words>();
    return *words_;
}

PALETTE_KEYS_INLINE const std::string& Error::what() const& noexcept {
    return words_ && !words_->what.empty() ? words_->what : detail::what_of(code_);
}

PALETTE_KEYS_INLINE const std::string& Error::operation() const& noexcept {
    return words_ ? words_->operation : detail::no_text;
}

PALETTE_KEYS_INLINE const std::string& Error::key_uid() const& noexcept {
    return words_ ? words_->key_uid : detail::no_text;
}

PALETTE_KEYS_INLINE std::error_code Error::cause() const noexcept {
    return words_ ? words_->cause : std::error_code();
}

PALETTE_KEYS_INLINE const std::string& Error::path() const& noexcept {
    return words_ ? words_->path : detail::no_text;
}

PALETTE_KEYS_INLINE const std::string& Error::server_code() const& noexcept {
    return words_ ? words_->server_code : detail::no_text;
}

PALETTE_KEYS_INLINE const std::string& Error::server_message() const& noexcept {
    return words_ ? words_->server_message : detail::no_text;
}

PALETTE_KEYS_INLINE const std::string& Error::ref() const& noexcept {
    return words_ ? words_->ref : detail::no_text;
}

PALETTE_KEYS_INLINE const std::vector<FailedAttempt>& Error::earlier() const& noexcept {
    return words_ ? words_->earlier : detail::no_attempts;
}

PALETTE_KEYS_INLINE bool operator==(const Error& a, const Error& b) noexcept {
    return a.code() == b.code() && a.effect() == b.effect() && a.is_step() == b.is_step() &&
           a.status() == b.status() && a.attempts() == b.attempts() && a.what() == b.what() &&
           a.has_own_advice() == b.has_own_advice() && a.advice() == b.advice() &&
           a.operation() == b.operation() && a.key_uid() == b.key_uid() && a.cause() == b.cause() &&
           a.path() == b.path() && a.server_code() == b.server_code() &&
           a.server_message() == b.server_message() && a.ref() == b.ref() && a.earlier() == b.earlier() &&
           a.pending_ == b.pending_;
}

PALETTE_KEYS_INLINE Error& Error::advice(std::string advice) & {
    if (words_ || !advice.empty()) words().advice = std::move(advice);
    return *this;
}

PALETTE_KEYS_INLINE bool Error::has_own_advice() const noexcept {
    return words_ && !words_->advice.empty();
}

PALETTE_KEYS_INLINE std::string_view Error::advice() const& noexcept {
    if (has_own_advice()) return words_->advice;
    // A key without a value that may work comes before whatever else has failed. missing_key_value has this
    // advice in its own row.
    if (pending_.get() && code_ != errc::missing_key_value) return detail::advice_if_pending;
    // "Call again" would be wrong: it would repeat a change that has been made.
    if (effect_ == Effect::applied && !detail::has_advice_if_applied(code_)) return detail::advice_if_applied;
    if (effect_ == Effect::unknown)
        return code_ == errc::conflict ? detail::advice_if_changed_and_unknown : detail::advice_if_unknown;
    return detail::text_of(static_cast<int>(code_)).next;
}

PALETTE_KEYS_INLINE Error& Error::effect(Effect effect) & noexcept {
    effect_ = effect;
    return *this;
}

PALETTE_KEYS_INLINE Error& Error::is_step(bool is) & noexcept {
    is_step_ = is;
    return *this;
}

PALETTE_KEYS_INLINE Error& Error::operation(std::string name) & {
    if (words_ || !name.empty()) words().operation = std::move(name);
    return *this;
}

PALETTE_KEYS_INLINE Error& Error::key_uid(std::string uid) & {
    if (words_ || !uid.empty()) words().key_uid = std::move(uid);
    return *this;
}

PALETTE_KEYS_INLINE Error& Error::cause(std::error_code code) & {
    if (words_ || code) words().cause = code;
    return *this;
}

PALETTE_KEYS_INLINE Error& Error::path(std::string path) & {
    if (words_ || !path.empty()) words().path = std::move(path);
    return *this;
}

PALETTE_KEYS_INLINE Error& Error::status(int status) & noexcept {
    status_ = status;
    return *this;
}

PALETTE_KEYS_INLINE Error& Error::attempts(int attempts) & noexcept {
    attempts_ = attempts;
    return *this;
}

PALETTE_KEYS_INLINE Error& Error::earlier(std::vector<FailedAttempt> attempts) & {
    if (words_ || !attempts.empty()) words().earlier = std::move(attempts);
    return *this;
}

PALETTE_KEYS_INLINE Error& Error::server(std::string code, std::string message, std::string ref) & {
    // As in the other setters: to set nothing does not allocate.
    if (!words_ && code.empty() && message.empty() && ref.empty()) return *this;
    auto& own = words();
    own.server_code = std::move(code);
    own.server_message = std::move(message);
    own.ref = std::move(ref);
    return *this;
}

PALETTE_KEYS_INLINE Error& Error::pending(std::shared_ptr<const PendingCreate> pending) & noexcept {
    // Shared and not copied: this function must not throw while an error is put together.
    pending_ = detail::SharedPending(std::move(pending));
    return *this;
}

PALETTE_KEYS_INLINE std::string Error::message() const {
    std::string line = operation();
    if (!key_uid().empty()) line += (line.empty() ? "key " : " ") + key_uid();
    if (!line.empty()) line += ": ";
    if (!path().empty()) line += path() + ": ";
    line += what();

    std::string answer;
    auto const add = [&](std::string_view label, const std::string& text) {
        if (text.empty()) return;
        if (!answer.empty()) answer += ", ";
        answer += label;
        answer += text;
    };
    // The service's own words, in brackets: an error that hides them cannot be reported to anybody.
    if (status_ != 0) add("HTTP ", std::to_string(status_));
    add("", server_code());
    add("", server_message());
    add("ref ", ref());
    if (!answer.empty()) line += " (" + answer + ")";
    if (attempts_ > 1) line += ", after " + std::to_string(attempts_) + " requests";
    if (!earlier().empty()) line += " (before: " + detail::in_words(earlier()) + ")";

    switch (effect_) {
        case Effect::not_applied:
            // Steps before it may have, and it would be read as if they had not.
            if (!is_step_) line += "; nothing was changed";
            break;
        case Effect::applied:
            line += "; the change was applied";
            break;
        case Effect::unknown:
            line += "; whether it was applied is unknown";
            break;
    }
    // It may be active, and nobody knows its value: the reader has something to clean up.
    if (pending_.get()) line += "; a key without a value may be left";
    // No text from outside may break the line of a log.
    return detail::one_line(line.append("; ").append(advice()));
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const Error& error) {
    return out << error.message();
}

struct Exception::State {
    Error error;
    std::string message;
};

PALETTE_KEYS_INLINE Exception::Exception(Error error) : std::system_error(make_error_code(error.code())) {
    // Made now, for what() is noexcept and gives a pointer.
    auto message = error.message();
    // Shared, because copying an exception must not throw.
    state_ = std::make_shared<const State>(State{std::move(error), std::move(message)});
}

PALETTE_KEYS_INLINE const Error& Exception::error() const& noexcept {
    return state_->error;
}
PALETTE_KEYS_INLINE const char* Exception::what() const noexcept {
    return state_->message.c_str();
}

}  // namespace palette::inline PALETTE_KEYS_ABI
