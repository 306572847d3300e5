// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/options.hpp>
#include <palette/result.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

class ApiKeyClient;

namespace impl::client {
class Core;
}

namespace detail {

/// Accepts the completion tokens of an operation whose handler has the signature void(Result<T>).
template <class Token, class T>
concept TokenFor = boost::asio::completion_token_for<Token, void(Result<T>)>;

template <class T>
using Handler = boost::asio::any_completion_handler<void(Result<T>)>;

// Starts an operation of operations.hpp, from any thread. Each is instantiated where its body is, in
// impl/client, so that the programs of users compile none of it. Throws std::bad_alloc, and never calls the
// handler, if there is no memory for what a completion needs.
template <class Operation>
PALETTE_KEYS_DECL void start(const std::shared_ptr<impl::client::Core>& core,
                             Handler<typename Operation::Value> handler, Operation operation,
                             const CallSettings& options);

// Starts WaitForEnd, which no observer hears of, and async_close() does not wait for.
PALETTE_KEYS_DECL void wait_for_end(const ApiKeyClient& client, Handler<void> handler,
                                    const CallSettings& options);

// How often the client was cancelled, which is told at once: what WaitForEnd tells is on its way for a
// moment.
PALETTE_KEYS_DECL std::shared_ptr<const std::atomic<std::uint64_t>> cancellations_of(
    const ApiKeyClient& client);

PALETTE_KEYS_DECL boost::asio::any_io_executor executor_of(const impl::client::Core& core) noexcept;

// Starts an operation when the token says so, which may be after the client has been moved.
class Initiation {
public:
    using executor_type = boost::asio::any_io_executor;

    explicit Initiation(std::shared_ptr<impl::client::Core> core) noexcept : core_(std::move(core)) {}
    [[nodiscard]] executor_type get_executor() const noexcept { return executor_of(*core_); }

    template <class H, class Operation>
    void operator()(H&& handler, Operation operation, const CallSettings& options) const {
        start(core_, Handler<typename Operation::Value>(std::forward<H>(handler)), std::move(operation),
              options);
    }

private:
    std::shared_ptr<impl::client::Core> core_;
};

// Starts an operation of what is built on a client, with `Start`: a function, or a member function of
// `Object`, that takes the handler of a Result<T> and what the operation is given. `object` outlives the
// operation.
template <auto Start, class T, class Object>
class InitiationOn {
public:
    using executor_type = boost::asio::any_io_executor;

    InitiationOn(Object& object, executor_type executor) noexcept
        : object_(&object),
          executor_(std::move(executor)) {}
    [[nodiscard]] executor_type get_executor() const noexcept { return executor_; }

    template <class H, class... Arguments>
    void operator()(H&& handler, Arguments&&... arguments) const {
        std::invoke(Start, *object_, Handler<T>(std::forward<H>(handler)),
                    std::forward<Arguments>(arguments)...);
    }

private:
    Object* object_;
    executor_type executor_;
};

}  // namespace detail
}  // namespace palette::inline PALETTE_KEYS_ABI
