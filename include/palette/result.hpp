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

// A T, or the Error that says why there is none: what every operation completes with.
//
// It is used as std::expected<T, Error> is, with three differences: an Error converts to it without a
// wrapper, value() throws palette::Exception, and a temporary result gives its value or its error away
// instead of a reference that would dangle: `for (auto& key : client.list().value())` is safe. A temporary
// has no operator->. Ignoring a result is a compiler warning. T's move may not throw; there is no conversion
// between results, and no swap or error_or.
//
//     palette::Result<palette::ApiKey> key = ...;
//     if (key) use(*key);                    // or key->name
//     else     log(key.error().message());
//
//     use(key.value());                      // or: throw if there is none
//
// Preconditions: operator*, operator-> need has_value(); error() needs !has_value(). Asserted.
// Not synchronised: like any value, share it between threads only under your own lock.
template <class T>
class [[nodiscard]] Result {
    static_assert(std::is_object_v<T> && !std::is_array_v<T> && !std::same_as<T, Error>);
    static_assert(std::is_nothrow_move_constructible_v<T>, "so that there is always a value or an error");

public:
    using value_type = T;
    using error_type = Error;

    Result()
        requires std::default_initializable<T>
    = default;

    template <class U = T>
        requires(std::constructible_from<T, U> && !detail::is_result<std::remove_cvref_t<U>> &&
                 !std::same_as<std::remove_cvref_t<U>, Error> &&
                 !std::same_as<std::remove_cvref_t<U>, std::in_place_t>)
    explicit(!std::convertible_to<U, T>) Result(U&& value)
        : state_(std::in_place_index<0>, std::forward<U>(value)) {}

    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    template <class... Args>
        requires std::constructible_from<T, Args...>
    explicit Result(std::in_place_t, Args&&... args)
        : state_(std::in_place_index<0>, std::forward<Args>(args)...) {}

    [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    [[nodiscard]] T& operator*() & noexcept { return *ptr(); }
    [[nodiscard]] const T& operator*() const& noexcept { return *ptr(); }
    [[nodiscard]] T operator*() && noexcept { return std::move(*ptr()); }
    void operator*() const&& = delete;
    [[nodiscard]] T* operator->() & noexcept { return ptr(); }
    [[nodiscard]] const T* operator->() const& noexcept { return ptr(); }
    void operator->() const&& = delete;

    [[nodiscard]] T& value() & { return check(), *ptr(); }
    [[nodiscard]] const T& value() const& { return check(), *ptr(); }
    [[nodiscard]] T value() && { return check(), std::move(*ptr()); }
    void value() const&& = delete;

    [[nodiscard]] Error& error() & noexcept { return *err(); }
    [[nodiscard]] const Error& error() const& noexcept { return *err(); }
    [[nodiscard]] Error error() && noexcept { return std::move(*err()); }
    void error() const&& = delete;

    template <class U>
    [[nodiscard]] T value_or(U&& other) const& {
        return has_value() ? *ptr() : static_cast<T>(std::forward<U>(other));
    }
    template <class U>
    [[nodiscard]] T value_or(U&& other) && {
        return has_value() ? std::move(*ptr()) : static_cast<T>(std::forward<U>(other));
    }

    // If T's constructor throws, what was here stays.
    template <class... Args>
    T& emplace(Args&&... args) {
        if constexpr (std::is_nothrow_constructible_v<T, Args...>) {
            return state_.template emplace<0>(std::forward<Args>(args)...);
        } else {
            return *(*this = Result(std::in_place, std::forward<Args>(args)...));
        }
    }

    // f(value) -> Result<U>: the next step of a chain; an error skips it.
    template <class F>
    auto and_then(F&& f) const& -> std::remove_cvref_t<std::invoke_result_t<F, const T&>> {
        if (has_value()) return std::invoke(std::forward<F>(f), *ptr());
        return *err();
    }
    template <class F>
    auto and_then(F&& f) && -> std::remove_cvref_t<std::invoke_result_t<F, T>> {
        if (has_value()) return std::invoke(std::forward<F>(f), std::move(*ptr()));
        return std::move(*err());
    }

    // f(value) -> U: changes the value; an error stays.
    template <class F>
    auto transform(F&& f) const& -> Result<std::remove_cv_t<std::invoke_result_t<F, const T&>>> {
        using Next = Result<std::remove_cv_t<std::invoke_result_t<F, const T&>>>;
        if (!has_value()) return *err();
        return Next::from(std::forward<F>(f), *ptr());
    }
    template <class F>
    auto transform(F&& f) && -> Result<std::remove_cv_t<std::invoke_result_t<F, T>>> {
        using Next = Result<std::remove_cv_t<std::invoke_result_t<F, T>>>;
        if (!has_value()) return std::move(*err());
        return Next::from(std::forward<F>(f), std::move(*ptr()));
    }

    // f(error) -> Result<T>: a way out of an error; a value skips it.
    template <class F>
    Result or_else(F&& f) const& {
        return has_value() ? *this : Result(std::invoke(std::forward<F>(f), *err()));
    }
    template <class F>
    Result or_else(F&& f) && {
        return has_value() ? std::move(*this) : Result(std::invoke(std::forward<F>(f), std::move(*err())));
    }

    // f(error) -> Error: changes the error; a value stays.
    template <class F>
    Result transform_error(F&& f) && {
        if (has_value()) return std::move(*this);
        return Result(Error(std::invoke(std::forward<F>(f), std::move(*err()))));
    }
    template <class F>
    Result transform_error(F&& f) const& {
        if (has_value()) return *this;
        return Result(Error(std::invoke(std::forward<F>(f), *err())));
    }

    friend bool operator==(const Result& a, const Result& b)
        requires std::equality_comparable<T>
    {
        return a.state_ == b.state_;
    }
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

// Equal if there is a value and it equals `b`.
template <class T, class U>
    requires(!detail::is_result<U> && !std::same_as<U, Error> && detail::comparable<T, U>)
bool operator==(const Result<T>& a, const U& b) {
    return a.has_value() && *a == b;
}

// Success, or the Error that says why not.
template <>
class [[nodiscard]] Result<void> {
public:
    using value_type = void;
    using error_type = Error;

    Result() = default;
    Result(Error error) : error_(std::move(error)) {}
    explicit Result(std::in_place_t) {}

    [[nodiscard]] bool has_value() const noexcept { return !error_; }
    explicit operator bool() const noexcept { return has_value(); }
    void operator*() const noexcept { assert(has_value()); }

    void value() const {
        if (error_) detail::throw_exception(*error_);
    }

    [[nodiscard]] Error& error() & noexcept { return assert(error_), *error_; }
    [[nodiscard]] const Error& error() const& noexcept { return assert(error_), *error_; }
    [[nodiscard]] Error error() && noexcept { return assert(error_), std::move(*error_); }
    void error() const&& = delete;

    void emplace() noexcept { error_.reset(); }

    template <class F>
    auto and_then(F&& f) const -> std::remove_cvref_t<std::invoke_result_t<F>> {
        if (error_) return *error_;
        return std::invoke(std::forward<F>(f));
    }

    template <class F>
    auto transform(F&& f) const -> Result<std::remove_cv_t<std::invoke_result_t<F>>> {
        using Next = Result<std::remove_cv_t<std::invoke_result_t<F>>>;
        if (error_) return *error_;
        return Next::from(std::forward<F>(f));
    }

    template <class F>
    Result or_else(F&& f) const {
        return error_ ? Result(std::invoke(std::forward<F>(f), *error_)) : *this;
    }

    template <class F>
    Result transform_error(F&& f) const {
        return error_ ? Result(Error(std::invoke(std::forward<F>(f), *error_))) : *this;
    }

    friend bool operator==(const Result&, const Result&) = default;
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
