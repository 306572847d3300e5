// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/api_key.hpp>
#include <palette/boost_error.hpp>
#include <palette/error.hpp>
#include <palette/result.hpp>
#include <palette/secret.hpp>

#include <boost/asio/associator.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>

#include <exception>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

namespace detail {

/// Makes the value that stands beside an error, where a completion signature has a place for both.
template <class T>
struct EmptyValue {
    static T make() { return T(); }
};

template <>
struct EmptyValue<CreatedApiKey> {
    static CreatedApiKey make() { return CreatedApiKey(std::string(), Secret(), false); }
};

/// Moves the error into an exception pointer; std::bad_alloc where there is no memory for that.
inline std::exception_ptr exception_of(Error&& error) noexcept {
    try {
        return std::make_exception_ptr(Exception(std::move(error)));
    } catch (...) {
        return std::current_exception();
    }
}

/// How a completion is split into a failure and a value: the failure's type, and how an Error becomes one.
struct AsException {
    using Failure = std::exception_ptr;
    static Failure of(Error&& error) noexcept { return exception_of(std::move(error)); }
};

struct AsErrorCode {
    using Failure = boost::system::error_code;
    static Failure of(Error&& error) noexcept { return to_boost_error_code(error); }
};

template <class Split, class T>
struct SplitSignature {
    using Type = void(typename Split::Failure, T);
};

template <class Split>
struct SplitSignature<Split, void> {
    using Type = void(typename Split::Failure);
};

/// Calls a handler of SplitSignature with a Result. Its executor, allocator and cancellation slot are those
/// of the handler.
template <class Split, class T, class Handler>
class SplittingHandler {
public:
    explicit SplittingHandler(Handler handler) : handler_(std::move(handler)) {}

    void operator()(Result<T> result) {
        using Failure = typename Split::Failure;
        if constexpr (std::is_void_v<T>) {
            std::move(handler_)(result ? Failure() : Split::of(std::move(result).error()));
        } else if (result) {
            std::move(handler_)(Failure(), std::move(*result));
        } else {
            std::move(handler_)(Split::of(std::move(result).error()), EmptyValue<T>::make());
        }
    }

    [[nodiscard]] const Handler& handler() const noexcept { return handler_; }

private:
    Handler handler_;
};

/// Has the executor of an initiation that has one, as cancel_after() needs it.
template <class Initiation>
class InitiationExecutor {
public:
    explicit InitiationExecutor(Initiation initiation) : initiation_(std::move(initiation)) {}

protected:
    Initiation initiation_;
};

template <class Initiation>
    requires requires(const Initiation& i) {
        typename Initiation::executor_type;
        i.get_executor();
    }
class InitiationExecutor<Initiation> {
public:
    using executor_type = typename Initiation::executor_type;

    explicit InitiationExecutor(Initiation initiation) : initiation_(std::move(initiation)) {}
    [[nodiscard]] executor_type get_executor() const noexcept { return initiation_.get_executor(); }

protected:
    Initiation initiation_;
};

/// Starts the operation with a SplittingHandler.
template <class Split, class T, class Initiation>
class SplittingInitiation : public InitiationExecutor<Initiation> {
public:
    using InitiationExecutor<Initiation>::InitiationExecutor;

    template <class Handler, class... Args>
    void operator()(Handler&& handler, Args&&... args) && {
        std::move(this->initiation_)(splitting(std::forward<Handler>(handler)), std::forward<Args>(args)...);
    }
    template <class Handler, class... Args>
    void operator()(Handler&& handler, Args&&... args) const& {
        this->initiation_(splitting(std::forward<Handler>(handler)), std::forward<Args>(args)...);
    }

private:
    template <class Handler>
    static auto splitting(Handler&& handler) {
        return SplittingHandler<Split, T, std::decay_t<Handler>>(std::forward<Handler>(handler));
    }
};

/// A token that gives an operation with a Result the signature of `Split` before `Token` sees it.
template <class Split, class Token>
class SplittingToken {
public:
    SplittingToken()
        requires std::is_default_constructible_v<Token>
    = default;
    explicit SplittingToken(Token token) : token_(std::move(token)) {}

    [[nodiscard]] const Token& token() const& noexcept { return token_; }
    [[nodiscard]] Token&& token() && noexcept { return std::move(token_); }

private:
    [[no_unique_address]] Token token_;
};

/// Derived from what Asio has for `Token`, whose return_type its adaptors ask for.
template <class Split, class Token, class T>
class SplittingResult : public boost::asio::async_result<Token, typename SplitSignature<Split, T>::Type> {
    using Signature = typename SplitSignature<Split, T>::Type;

    template <class Initiation>
    using Splitting = SplittingInitiation<Split, T, std::decay_t<Initiation>>;

public:
    template <class Initiation, class Splitter, class... Args>
    static auto initiate(Initiation&& initiation, Splitter&& splitter, Args&&... args)
        -> decltype(boost::asio::async_initiate<Token, Signature>(std::declval<Splitting<Initiation>>(),
                                                                  std::declval<Token&>(),
                                                                  std::declval<Args>()...)) {
        Token token(std::forward<Splitter>(splitter).token());
        return boost::asio::async_initiate<Token, Signature>(
            Splitting<Initiation>(std::forward<Initiation>(initiation)), token, std::forward<Args>(args)...);
    }
};

}  // namespace detail

/// The type of throwing().
template <class Token = boost::asio::use_awaitable_t<>>
class throwing_t : public detail::SplittingToken<detail::AsException, Token> {
public:
    using detail::SplittingToken<detail::AsException, Token>::SplittingToken;
};

/// The type of as_error_code().
template <class Token = boost::asio::deferred_t>
class as_error_code_t : public detail::SplittingToken<detail::AsErrorCode, Token> {
public:
    using detail::SplittingToken<detail::AsErrorCode, Token>::SplittingToken;
};

/// Adapts a completion token so that an operation of ApiKeyClient throws where it fails: the completion
/// signature is `void(std::exception_ptr, T)` instead of `void(Result<T>)`, and `void(std::exception_ptr)`
/// instead of `void(Result<void>)`. The exception is an Exception and has the whole Error.
///
///     palette::ApiKey key = co_await client.async_get(uid, palette::throwing());
///
///     using namespace boost::asio::experimental::awaitable_operators;
///     auto [me, keys] = co_await (client.async_whoami(palette::throwing()) &&
///                                 client.async_list(palette::throwing()));
///
/// With it, `&&` of awaitable_operators and asio::experimental::wait_for_one_error() stop at the first
/// operation that fails, `||` and wait_for_one_success() go on until one succeeds, and use_future gives a
/// future of T. Without this adaptor, a Result that has an error counts as a success there.
///
/// Where `&&` has stopped the other operation, both have failed, and Asio throws asio::multiple_exceptions:
/// its first_exception() is that of the left operand, whichever failed first. A parallel group has the order.
///
/// `token` is asio::use_awaitable if it is left out. `throwing(asio::deferred)` is for a parallel group;
/// Boost 1.81 cannot co_await it.
///
/// On failure, T is empty: default-constructed, or a CreatedApiKey without uid and value. If there is no
/// memory for the Exception, the exception is std::bad_alloc.
///
/// Executor, allocator and cancellation slot of `token` are kept. Adaptors that change the signature go
/// inside of this one, as in `throwing(asio::as_tuple(asio::use_awaitable))`; those that leave it alone, such
/// as asio::bind_executor() and asio::cancel_after(), go on either side.
template <class Token = boost::asio::use_awaitable_t<>>
[[nodiscard]] auto throwing(Token&& token = Token()) {
    return throwing_t<std::decay_t<Token>>(std::forward<Token>(token));
}

/// Adapts a completion token so that an operation of ApiKeyClient completes with an error code, as those of
/// Asio do: the completion signature is `void(boost::system::error_code, T)` instead of `void(Result<T>)`,
/// and `void(boost::system::error_code)` instead of `void(Result<void>)`.
///
///     auto token = palette::as_error_code(asio::as_tuple(asio::deferred));
///     auto [ec, key] = co_await client.async_get(uid, token);
///     if (ec == palette::errc::not_found) co_return;
///
///     auto handler = [](std::error_code ec, palette::ApiKey key) { use(ec, key); };
///     client.async_get(uid, palette::as_error_code(handler));
///
/// The code is to_boost_error_code() of the Error (palette/boost_error.hpp), and compares equal to its errc,
/// to a palette::condition and to the std::errc that corresponds. It converts to std::error_code and is then
/// equal to what make_error_code() gives. Its type is Boost's because asio::redirect_error(), use_awaitable,
/// use_future and yield_context treat no other type as an error. A cancelled operation has
/// errc::operation_aborted, which equals std::errc::operation_canceled and not
/// asio::error::operation_aborted.
///
/// What else the Error says, its Effect above all, is lost. Prefer the Result, or throwing(), for operations
/// that change something.
///
/// `token` is asio::deferred if it is left out. The value on failure, and what is kept of `token`, are those
/// of throwing().
template <class Token = boost::asio::deferred_t>
[[nodiscard]] auto as_error_code(Token&& token = Token()) {
    return as_error_code_t<std::decay_t<Token>>(std::forward<Token>(token));
}

}  // namespace palette::inline PALETTE_KEYS_ABI

template <class Token, class T>
struct boost::asio::async_result<palette::throwing_t<Token>, void(palette::Result<T>)>
    : palette::detail::SplittingResult<palette::detail::AsException, Token, T> {};

template <class Token, class T>
struct boost::asio::async_result<palette::as_error_code_t<Token>, void(palette::Result<T>)>
    : palette::detail::SplittingResult<palette::detail::AsErrorCode, Token, T> {};

template <template <class, class> class Associator, class Split, class T, class Handler, class Candidate>
struct boost::asio::associator<Associator, palette::detail::SplittingHandler<Split, T, Handler>, Candidate>
    : Associator<Handler, Candidate> {
    using Splitting = palette::detail::SplittingHandler<Split, T, Handler>;

    static auto get(const Splitting& h) noexcept { return Associator<Handler, Candidate>::get(h.handler()); }
    static auto get(const Splitting& h, const Candidate& c) noexcept
        -> decltype(Associator<Handler, Candidate>::get(h.handler(), c)) {
        return Associator<Handler, Candidate>::get(h.handler(), c);
    }
};
