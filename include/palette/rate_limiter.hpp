// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/clock.hpp>
#include <palette/endpoint.hpp>
#include <palette/result.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

/// Sets the rate of requests for each kind of path, by default the service's documented limit. Requests
/// beyond it wait in the client.
struct RateLimitOptions {
    /// Sets the sustained rate, in requests per second. Default: 10.
    double per_second = 10;
    /// Sets how many requests may be sent at once after a pause. Default: 50.
    double burst = 50;

    /// Returns options without a limit.
    [[nodiscard]] static RateLimitOptions off() noexcept { return {0, 0}; }
    /// Returns whether there is no limit.
    [[nodiscard]] bool is_off() const noexcept { return per_second == 0 && burst == 0; }
};

/// Limits the rate of requests, first come, first served, with a token bucket for every kind of path of every
/// host.
///
/// Each client makes a limiter for itself. The service counts by address, so the clients of one machine share
/// one:
///
///     auto limiter = std::make_shared<palette::RateLimiter>();
///     first.limiter = limiter;
///     second.limiter = limiter;
///
/// Other parts of the program that call the service wait in the same queues with async_acquire().
///
/// The limiter has a clock of its own: the machine's, or the one that its constructor is given. A client
/// with another clock is refused by its constructor. A clock that is set back, or jumps, costs one burst too
/// many at most: the limiter goes on from the new time.
///
/// When the service answers 429 all the same, because another program spends the same limit, the limiter
/// halves its rate for everybody, down to a sixteenth at most, and returns to the full rate within ten
/// seconds without a 429.
///
/// Threads: every function may be called from any thread.
class PALETTE_KEYS_DECL RateLimiter {
    class State;
    class Acquire;

public:
    /// Constructs a limiter. `clock`: null for the machine's. Throws Exception (errc::invalid_argument) if
    /// the limit lets nothing through or is not a finite number.
    explicit RateLimiter(RateLimitOptions limit = {}, std::shared_ptr<Clock> clock = nullptr);
    RateLimiter(const RateLimiter&) = delete;
    RateLimiter& operator=(const RateLimiter&) = delete;
    ~RateLimiter();

    /// Returns the clock that the constructor was given; null for the machine's.
    [[nodiscard]] const std::shared_ptr<Clock>& clock() const& noexcept;
    void clock() const&& = delete;

    /// Permits one request, now.
    class PALETTE_KEYS_DECL Permit {
    public:
        /// Reports that the service answered 429 to the request. Nothing that the service limits together
        /// with it is sent for `retry_after`, or for one minute if that is less, and the rate is halved; see
        /// RateLimiter. May be called from any thread, also when the limiter has been destroyed.
        void refused(std::chrono::nanoseconds retry_after = {});

    private:
        friend class RateLimiter;
        Permit(std::shared_ptr<State> state, std::string bucket, std::chrono::nanoseconds turn) noexcept;

        std::shared_ptr<State> state_;
        std::string bucket_;
        std::chrono::nanoseconds turn_;
    };

    /// Waits until a request to `target` of `endpoint` may be sent, and takes its turn: first come, first
    /// served, among the requests of all clients that share the limiter.
    ///
    ///     auto permit = co_await limiter.async_acquire(options.endpoint, "/v1/audits");
    ///     if (!permit) co_return;
    ///     send();  // and permit->refused() when the answer is 429
    ///
    /// `target` is the path, with or without a query: "/v1/apiKeys/5f1b2c3d4e5f6a7b8c9d0e1f". It chooses the
    /// bucket; clients use those of /v1/apiKeys and /v1/users, and of /v1/auth for their logins.
    ///
    /// Completes with a Permit; the signature of the handler is void(Result<Permit>). A permit that is not
    /// used is not given back. The place in the queue is taken when the operation is started, that is, for
    /// asio::deferred, when it is awaited.
    ///
    /// Errors: errc::operation_aborted after a cancellation; errc::out_of_memory. There is no deadline.
    /// Throws std::bad_alloc, and never calls the handler, if there is no memory to start with. Cancellation:
    /// of every type, through the slot of the handler; the place in the queue is left. Threads: may be called
    /// from any thread. The wait is on the executor of the handler, which is where the handler is called. The
    /// limiter may be destroyed meanwhile.
    template <boost::asio::completion_token_for<void(Result<Permit>)> Token = boost::asio::deferred_t>
    auto async_acquire(const Endpoint& endpoint, std::string_view target, Token&& token = Token()) {
        return async_acquire(boost::asio::any_io_executor(), endpoint, target, std::forward<Token>(token));
    }
    /// Same, where the wait is on `executor`, for a handler that has none of its own or a type-erased one.
    template <boost::asio::completion_token_for<void(Result<Permit>)> Token = boost::asio::deferred_t>
    auto async_acquire(boost::asio::any_io_executor executor, const Endpoint& endpoint,
                       std::string_view target, Token&& token = Token()) {  // NOLINT(*-missing-std-forward)
        return boost::asio::async_initiate<Token, void(Result<Permit>)>(
            Initiation(state_, bucket_of(endpoint, target), std::move(executor)), token);
    }

    // The functions below are for the library itself, whose operations have deadlines of their own. They are
    // told the time and the bucket: prefer async_acquire(), which knows both.

    /// Identifies a place in all queues, behind the places given before.
    enum class Ticket : std::uint64_t {};
    /// Returns a new place.
    [[nodiscard]] Ticket ticket() noexcept;

    /// Takes a turn, or returns how long to wait before asking again. Zero means that the turn has come and
    /// was taken; otherwise the ticket keeps its place while it waits. `bucket` names the requests that the
    /// service counts together: "palette.acme.com/apiKeys". `now` is the time of the limiter's clock; of the
    /// machine's clocks, of the steady one.
    ///
    ///     auto const ticket = limiter.ticket();
    ///     for (auto wait = limiter.wait(bucket, ticket, now()); wait > 0ns;
    ///          wait = limiter.wait(bucket, ticket, now()))
    ///         sleep(wait);  // and leave() to give up
    ///     send();           // and refused() when the answer is 429
    [[nodiscard]] std::chrono::nanoseconds wait(std::string_view bucket, Ticket ticket,
                                                std::chrono::nanoseconds now);
    /// Gives up the place of a ticket that waits in the queue of this bucket.
    void leave(std::string_view bucket, Ticket ticket);

    /// Reports that the service answered 429 to a request sent at the time `sent`. Nothing of this bucket is
    /// sent for `pause`, or for one minute if that is less.
    void refused(std::string_view bucket, std::chrono::nanoseconds sent, std::chrono::nanoseconds now,
                 std::chrono::nanoseconds pause = {});

private:
    using Handler = boost::asio::any_completion_handler<void(Result<Permit>)>;

    static std::string bucket_of(const Endpoint& endpoint, std::string_view target);
    static void start(std::shared_ptr<State> state, std::string bucket,
                      const boost::asio::any_io_executor& executor, Handler handler);

    class Initiation {
    public:
        Initiation(std::shared_ptr<State> state, std::string bucket,
                   boost::asio::any_io_executor executor) noexcept
            : state_(std::move(state)),
              bucket_(std::move(bucket)),
              executor_(std::move(executor)) {}

        template <class H>
        void operator()(H&& handler) {
            using Own = boost::asio::associated_executor_t<std::decay_t<H>>;
            if constexpr (std::is_convertible_v<Own, boost::asio::any_io_executor>)
                if (!executor_) executor_ = boost::asio::get_associated_executor(handler);
            if (!executor_)
                throw Exception(
                    Error(errc::invalid_argument, "the handler has no executor to wait on: give one"));
            start(std::move(state_), std::move(bucket_), executor_, Handler(std::forward<H>(handler)));
        }

    private:
        std::shared_ptr<State> state_;
        std::string bucket_;
        boost::asio::any_io_executor executor_;
    };

    std::shared_ptr<State> state_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/seams/rate_limiter.ipp>
#endif
