// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/error.hpp>

#include <cassert>
#include <concepts>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace palette::inline PALETTE_KEYS_ABI {

template <class T>
class Result;

namespace detail {

template <class>
inline constexpr bool is_result = false;
template <class T>
inline constexpr bool is_result<Result<T>> = true;

template <class T, class U>
concept comparable = requires(const T& a, const U& b) {
    { a == b } -> std::convertible_to<bool>;
};

}  // namespace detail

/// Holds a T, or the Error that says why there is none. Every operation completes with a Result.
///
///     palette::Result<palette::ApiKey> key = co_await client.async_get(uid);
///     if (key) use(*key);                    // or key->name
///     else     log(key.error().message());
///
///     use(key.value());                      // or: throw if there is none
///
/// A Result is used as std::expected<T, Error> is, with these differences:
/// - An Error converts to a Result without a wrapper.
/// - value() throws palette::Exception.
/// - A temporary Result moves its value or its error out instead of returning a reference that would dangle:
///   `for (auto& key : client.list().value())` is safe. A temporary has no operator->.
/// - There is no conversion between Results, and no swap or error_or.
/// - Ignoring a Result is a compiler warning. The move constructor of T must not throw.
///
/// Preconditions: operator* and operator-> need has_value(); error() needs !has_value(). Asserted.
///
/// Threads: not synchronised, like any value.
template <class T>
class [[nodiscard]] Result {
    static_assert(std::is_object_v<T> && !std::is_array_v<T> && !std::same_as<T, Error>);
    static_assert(std::is_nothrow_move_constructible_v<T>, "so that there is always a value or an error");

public:
    /// Names the type of the value.
    using value_type = T;
    /// Names the type of the error.
    using error_type = Error;

    /// Constructs a result with a value-initialised T.
    Result()
        requires std::default_initializable<T>
    = default;

    /// Constructs a result with a value.
    template <class U = T>
        requires(std::constructible_from<T, U> && !detail::is_result<std::remove_cvref_t<U>> &&
                 !std::same_as<std::remove_cvref_t<U>, Error> &&
                 !std::same_as<std::remove_cvref_t<U>, std::in_place_t>)
    explicit(!std::convertible_to<U, T>) Result(U&& value)
        : state_(std::in_place_index<0>, std::forward<U>(value)) {}

    /// Constructs a result with an error.
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    /// Constructs the value in place from `args`.
    template <class... Args>
        requires std::constructible_from<T, Args...>
    explicit Result(std::in_place_t, Args&&... args)
        : state_(std::in_place_index<0>, std::forward<Args>(args)...) {}

    /// Returns whether there is a value.
    [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
    /// Returns whether there is a value.
    explicit operator bool() const noexcept { return has_value(); }

    /// Returns the value; from a temporary by value. Precondition: has_value().
    [[nodiscard]] T& operator*() & noexcept { return *ptr(); }
    /// Same, for a const object.
    [[nodiscard]] const T& operator*() const& noexcept { return *ptr(); }
    /// Same, from a temporary: moves the content out.
    [[nodiscard]] T operator*() && noexcept { return std::move(*ptr()); }
    void operator*() const&& = delete;
    /// Returns a pointer to the value. Precondition: has_value().
    [[nodiscard]] T* operator->() & noexcept { return ptr(); }
    /// Same, for a const object.
    [[nodiscard]] const T* operator->() const& noexcept { return ptr(); }
    void operator->() const&& = delete;

    /// Returns the value; from a temporary by value. Throws Exception with the error if there is none.
    [[nodiscard]] T& value() & { return check(), *ptr(); }
    /// Same, for a const object.
    [[nodiscard]] const T& value() const& { return check(), *ptr(); }
    /// Same, from a temporary: moves the content out.
    [[nodiscard]] T value() && { return check(), std::move(*ptr()); }
    void value() const&& = delete;

    /// Returns the error; from a temporary by value. Precondition: !has_value().
    [[nodiscard]] Error& error() & noexcept { return *err(); }
    /// Same, for a const object.
    [[nodiscard]] const Error& error() const& noexcept { return *err(); }
    /// Same, from a temporary: moves the content out.
    [[nodiscard]] Error error() && noexcept { return std::move(*err()); }
    void error() const&& = delete;

    /// Returns the value, or `other` if there is none.
    template <class U>
    [[nodiscard]] T value_or(U&& other) const& {
        return has_value() ? *ptr() : static_cast<T>(std::forward<U>(other));
    }
    /// Same, from a temporary: moves the content out.
    template <class U>
    [[nodiscard]] T value_or(U&& other) && {
        return has_value() ? std::move(*ptr()) : static_cast<T>(std::forward<U>(other));
    }

    /// Replaces the content with a value made of `args`, and returns the value. If the constructor of T
    /// throws, the content stays.
    template <class... Args>
    T& emplace(Args&&... args) {
        if constexpr (std::is_nothrow_constructible_v<T, Args...>) {
            return state_.template emplace<0>(std::forward<Args>(args)...);
        } else {
            return *(*this = Result(std::in_place, std::forward<Args>(args)...));
        }
    }

    /// Returns f(value), where f returns a Result: the next step of a chain. Without a value, returns the
    /// error and does not call f.
    template <class F>
    auto and_then(F&& f) const& -> std::remove_cvref_t<std::invoke_result_t<F, const T&>> {
        if (has_value()) return std::invoke(std::forward<F>(f), *ptr());
        return *err();
    }
    /// Same, and moves the content out.
    template <class F>
    auto and_then(F&& f) && -> std::remove_cvref_t<std::invoke_result_t<F, T>> {
        if (has_value()) return std::invoke(std::forward<F>(f), std::move(*ptr()));
        return std::move(*err());
    }

    /// Returns a Result with f(value), where f returns a plain value. Without a value, returns the error and
    /// does not call f.
    template <class F>
    auto transform(F&& f) const& -> Result<std::remove_cv_t<std::invoke_result_t<F, const T&>>> {
        using Next = Result<std::remove_cv_t<std::invoke_result_t<F, const T&>>>;
        if (!has_value()) return *err();
        return Next::from(std::forward<F>(f), *ptr());
    }
    /// Same, and moves the content out.
    template <class F>
    auto transform(F&& f) && -> Result<std::remove_cv_t<std::invoke_result_t<F, T>>> {
        using Next = Result<std::remove_cv_t<std::invoke_result_t<F, T>>>;
        if (!has_value()) return std::move(*err());
        return Next::from(std::forward<F>(f), std::move(*ptr()));
    }

    /// Returns f(error), where f returns a Result<T>: a way out of an error. With a value, returns the value
    /// and does not call f.
    template <class F>
    Result or_else(F&& f) const& {
        return has_value() ? *this : Result(std::invoke(std::forward<F>(f), *err()));
    }
    /// Same, and moves the content out.
    template <class F>
    Result or_else(F&& f) && {
        return has_value() ? std::move(*this) : Result(std::invoke(std::forward<F>(f), std::move(*err())));
    }

    /// Returns a Result with the error f(error). With a value, returns the value and does not call f.
    template <class F>
    Result transform_error(F&& f) && {
        if (has_value()) return std::move(*this);
        return Result(Error(std::invoke(std::forward<F>(f), std::move(*err()))));
    }
    /// Same, and copies the content.
    template <class F>
    Result transform_error(F&& f) const& {
        if (has_value()) return *this;
        return Result(Error(std::invoke(std::forward<F>(f), *err())));
    }

    /// Compares the values, or the errors.
    friend bool operator==(const Result& a, const Result& b)
        requires std::equality_comparable<T>
    {
        return a.state_ == b.state_;
    }
    /// Returns whether there is an error and it equals `b`.
    friend bool operator==(const Result& a, const Error& b) { return !a.has_value() && a.error() == b; }

private:
    template <class>
    friend class Result;

    template <class F, class... Args>
    static Result from(F&& f, Args&&... args) {
        return Result(std::in_place, std::invoke(std::forward<F>(f), std::forward<Args>(args)...));
    }

    void check() const {
        if (!has_value()) detail::throw_exception(*err());
    }

    T* ptr() noexcept {
        assert(has_value());
        return std::get_if<0>(&state_);
    }
    const T* ptr() const noexcept {
        assert(has_value());
        return std::get_if<0>(&state_);
    }
    Error* err() noexcept {
        assert(!has_value());
        return std::get_if<1>(&state_);
    }
    const Error* err() const noexcept {
        assert(!has_value());
        return std::get_if<1>(&state_);
    }

    std::variant<T, Error> state_;
};

/// Returns whether there is a value and it equals `b`.
template <class T, class U>
    requires(!detail::is_result<U> && !std::same_as<U, Error> && detail::comparable<T, U>)
bool operator==(const Result<T>& a, const U& b) {
    return a.has_value() && *a == b;
}

/// Holds success, or the Error that says why not: what an operation without a value completes with. The
/// functions mean the same as those of Result<T>.
template <>
class [[nodiscard]] Result<void> {
public:
    /// Names the type of the value.
    using value_type = void;
    /// Names the type of the error.
    using error_type = Error;

    /// Constructs a success.
    Result() = default;
    /// Constructs a result with an error.
    Result(Error error) : error_(std::move(error)) {}
    /// Constructs a success.
    explicit Result(std::in_place_t) {}

    /// Returns whether there is no error.
    [[nodiscard]] bool has_value() const noexcept { return !error_; }
    /// Returns whether there is no error.
    explicit operator bool() const noexcept { return has_value(); }
    /// Does nothing. Precondition: has_value().
    void operator*() const noexcept { assert(has_value()); }

    /// Throws Exception with the error if there is one.
    void value() const {
        if (error_) detail::throw_exception(*error_);
    }

    /// Returns the error; from a temporary by value. Precondition: !has_value().
    [[nodiscard]] Error& error() & noexcept { return assert(error_), *error_; }
    /// Same, for a const object.
    [[nodiscard]] const Error& error() const& noexcept { return assert(error_), *error_; }
    /// Same, from a temporary: moves the content out.
    [[nodiscard]] Error error() && noexcept { return assert(error_), std::move(*error_); }
    void error() const&& = delete;

    /// Turns the result into a success.
    void emplace() noexcept { error_.reset(); }

    /// Returns f(), where f returns a Result. After an error, returns the error and does not call f.
    template <class F>
    auto and_then(F&& f) const -> std::remove_cvref_t<std::invoke_result_t<F>> {
        if (error_) return *error_;
        return std::invoke(std::forward<F>(f));
    }

    /// Returns a Result with f(). After an error, returns the error and does not call f.
    template <class F>
    auto transform(F&& f) const -> Result<std::remove_cv_t<std::invoke_result_t<F>>> {
        using Next = Result<std::remove_cv_t<std::invoke_result_t<F>>>;
        if (error_) return *error_;
        return Next::from(std::forward<F>(f));
    }

    /// Returns f(error), where f returns a Result<void>. After a success, does not call f.
    template <class F>
    Result or_else(F&& f) const {
        return error_ ? Result(std::invoke(std::forward<F>(f), *error_)) : *this;
    }

    /// Returns a Result with the error f(error). After a success, does not call f.
    template <class F>
    Result transform_error(F&& f) const {
        return error_ ? Result(Error(std::invoke(std::forward<F>(f), *error_))) : *this;
    }

    /// Compares the outcomes, and the errors if there are any.
    friend bool operator==(const Result&, const Result&) = default;
    /// Returns whether there is an error and it equals `b`.
    friend bool operator==(const Result& a, const Error& b) { return a.error_ == b; }

private:
    template <class>
    friend class Result;

    template <class F, class... Args>
    static Result from(F&& f, Args&&... args) {
        std::invoke(std::forward<F>(f), std::forward<Args>(args)...);
        return {};
    }

    std::optional<Error> error_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/detail/pending_create.hpp>  // Error's own header cannot: it takes a Result
#endif
