// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/client.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/deferred.hpp>

#include <chrono>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI {

namespace impl::lifecycle {
class Watch;
}

namespace lifecycle {

/// Tells that the remaining life of a key has come down to a threshold.
class ExpiryEvent {
public:
    /// Constructs an event without content.
    ExpiryEvent() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    /// Holds the key as it was seen.
    ApiKey key;
    /// Gives the threshold that was passed, as a time before the expiry; zero: the key has expired.
    std::chrono::milliseconds threshold{};
    /// Tells the service's time when the key was seen.
    Instant as_of{};
    /// Tells whether the key has passed a lower threshold as well, whose event follows: after a program has
    /// not run for a while. A program that wants one notice a key leaves out these events.
    bool superseded = false;

    /// Returns the life that remained to the key when it was seen; zero if it had expired.
    [[nodiscard]] std::chrono::milliseconds remaining() const noexcept { return key.expiry.remaining(as_of); }
};

/// Configures an ExpiryWatch. Setters chain.
///
///     auto options = lifecycle::WatchOptions().state_file("/var/lib/acme/watch.json");
class WatchOptions {
public:
    /// Is called with an error after which the watch goes on; see on_error().
    using Listener = std::function<void(const Error&)>;

    /// Constructs the default options.
    WatchOptions() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    /// Sets the thresholds, as times before the expiry, in any order; zero is the expiry itself. At least
    /// one, each not negative and a century at most. Default: 30, 14, 7, 3 and 1 days, and zero.
    WatchOptions& thresholds(std::vector<std::chrono::milliseconds> times) & {
        thresholds_ = std::move(times);
        return *this;
    }
    /// Sets how long the watch waits between two looks at the keys, by the client's clock. Greater than zero.
    /// Default: 1 hour.
    WatchOptions& poll_interval(std::chrono::milliseconds time) & noexcept {
        poll_interval_ = time;
        return *this;
    }
    /// Selects the keys that are watched. The condition ListFilter::expires_within() is the watch's own, and
    /// ListFilter::state() is errc::invalid_argument: with it, the watch would not see keys that have
    /// expired. Default: all keys that the caller may see.
    WatchOptions& filter(ListFilter keys) & {
        filter_ = std::move(keys);
        return *this;
    }
    /// Keeps in a file which events were reported, so that another process goes on where this one ends. The
    /// directory must exist, and nobody else may be able to write in it. The file has mode 0600; beside it
    /// lies a lock, `path`.lock: one watch at a time uses the file. Default: none, nothing is kept.
    WatchOptions& state_file(std::string path) & {
        state_file_ = std::move(path);
        return *this;
    }
    /// Sets a function that is called with each error of the service or of a handler, after which the watch
    /// waits, and goes on. Default: none.
    WatchOptions& on_error(Listener listener) & {
        on_error_ = std::move(listener);
        return *this;
    }
    /// Same, on a temporary.
    WatchOptions thresholds(std::vector<std::chrono::milliseconds> times) && {
        return std::move(thresholds(std::move(times)));
    }
    /// Same, on a temporary.
    WatchOptions poll_interval(std::chrono::milliseconds time) && noexcept {
        return std::move(poll_interval(time));
    }
    /// Same, on a temporary.
    WatchOptions filter(ListFilter keys) && { return std::move(filter(std::move(keys))); }
    /// Same, on a temporary.
    WatchOptions state_file(std::string path) && { return std::move(state_file(std::move(path))); }
    /// Same, on a temporary.
    WatchOptions on_error(Listener listener) && { return std::move(on_error(std::move(listener))); }

    /// Returns the thresholds.
    [[nodiscard]] const std::vector<std::chrono::milliseconds>& thresholds() const& noexcept {
        return thresholds_;
    }
    void thresholds() const&& = delete;
    /// Returns how long the watch waits between two looks.
    [[nodiscard]] std::chrono::milliseconds poll_interval() const noexcept { return poll_interval_; }
    /// Returns which keys are watched.
    [[nodiscard]] const ListFilter& filter() const& noexcept { return filter_; }
    void filter() const&& = delete;
    /// Returns the path of the file; empty if nothing is kept.
    [[nodiscard]] const std::string& state_file() const& noexcept { return state_file_; }
    void state_file() const&& = delete;
    /// Returns the function that is called with errors; empty if there is none.
    [[nodiscard]] const Listener& on_error() const& noexcept { return on_error_; }
    void on_error() const&& = delete;

private:
    std::vector<std::chrono::milliseconds> thresholds_{std::chrono::days{30}, std::chrono::days{14},
                                                       std::chrono::days{7},  std::chrono::days{3},
                                                       std::chrono::days{1},  std::chrono::days{0}};
    std::chrono::milliseconds poll_interval_ = std::chrono::hours{1};
    ListFilter filter_;
    std::string state_file_;
    Listener on_error_;
};

/// Tells a program when keys come near to their end: one event for each key, threshold and expiry. All keys
/// are looked at with one list, once in WatchOptions::poll_interval().
///
///     lifecycle::ExpiryWatch watch(client,
///     lifecycle::WatchOptions().state_file("/var/lib/acme/watch.json")); auto ended = co_await
///     watch.async_run(notify);  // until it is cancelled
///
/// A threshold is passed when the remaining life of a key comes down to it, or jumps down below it. A key
/// that is created with less life than a threshold never passes that one, nor does a key that is renewed to
/// less. A renewal makes a new expiry, with new events. Revoked keys have no events; what such a key has
/// passed is reported when it is re-activated. Keys that had expired before the first look of all have none.
///
/// After a time in which the program did not run, or the machine slept, each threshold that was passed is
/// reported, in the order of the times at which that was.
///
/// An event counts as reported once it was handled: when the handler of async_run() has succeeded, or
/// async_next() is called for another one. A program that is killed before gets the event once more: none is
/// lost. With a state file that also holds between processes. The file is written with each look, when no
/// more events are due, and when the operation or the watch ends; while events are due, once a second by the
/// client's clock: after a kill, at most the events of one second are reported once more.
///
/// Times are the service's. Errors of the service, and those of the handler of async_run(), back off
/// exponentially, from 30 seconds to WatchOptions::poll_interval(), and do not end the watch.
///
/// Threads: not synchronised; one operation at a time, on a strand of the client's executor.
class PALETTE_KEYS_DECL ExpiryWatch {
public:
    /// Handles an event, in async_run().
    using EventHandler = std::function<boost::asio::awaitable<Result<void>>(ExpiryEvent)>;

    /// Constructs a watch. Precondition: `client` outlives the operations.
    explicit ExpiryWatch(ApiKeyClient& client, WatchOptions options = WatchOptions());
    /// Moves the watch. Precondition: no operation is under way.
    ExpiryWatch(ExpiryWatch&&) noexcept;
    /// Ends the watch that is assigned to, as its destructor does, and moves the other one.
    ExpiryWatch& operator=(ExpiryWatch&&) noexcept;
    /// Writes to the state file what was reported and is not there yet, as far as that succeeds, and releases
    /// it. An operation that is under way goes on until it ends.
    ~ExpiryWatch();

    /// Waits for the next event. The event of the call before counts as reported from now on.
    ///
    /// Completes with the event. Errors:
    /// - errc::operation_aborted: the operation was cancelled, or the client closed. No event is lost.
    /// - errc::invalid_argument: options that cannot be used, or a state file in a directory that others can
    ///   write in.
    /// - errc::bad_value: a state file that is damaged, or of a newer version of this library.
    /// - errc::conflict: another process uses the state file, or the file is another tenant's.
    /// - errc::system: the state file cannot be read or written.
    /// - errc::too_large: the state file would have more than 64 MiB, which is more than half a million keys.
    template <palette::detail::TokenFor<ExpiryEvent> Token = boost::asio::deferred_t>
    auto async_next(Token&& token = Token());

    /// Calls `handler` with each event, until it is cancelled. If the handler fails or throws, the event is
    /// reported again, after a backoff, unless the key was renewed meanwhile. The later events of that key
    /// wait for it, those of other keys do not.
    ///
    /// Errors: those of async_next().
    template <palette::detail::TokenFor<void> Token = boost::asio::deferred_t>
    auto async_run(EventHandler handler, Token&& token = Token());

private:
    void start_next(boost::asio::any_completion_handler<void(Result<ExpiryEvent>)> handler);
    void start_run(boost::asio::any_completion_handler<void(Result<void>)> handler, EventHandler function);

    ApiKeyClient* client_;
    std::shared_ptr<impl::lifecycle::Watch> watch_;
};

template <palette::detail::TokenFor<ExpiryEvent> Token>
auto ExpiryWatch::async_next(Token&& token) {  // NOLINT(*-missing-std-forward)
    return boost::asio::async_initiate<Token, void(Result<ExpiryEvent>)>(
        palette::detail::InitiationOn<&ExpiryWatch::start_next, ExpiryEvent, ExpiryWatch>(
            *this, client_->get_executor()),
        token);
}

template <palette::detail::TokenFor<void> Token>
auto ExpiryWatch::async_run(EventHandler handler, Token&& token) {  // NOLINT(*-missing-std-forward)
    return boost::asio::async_initiate<Token, void(Result<void>)>(
        palette::detail::InitiationOn<&ExpiryWatch::start_run, void, ExpiryWatch>(*this,
                                                                                  client_->get_executor()),
        token, std::move(handler));
}

/// Writes the event on one line, escaped.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const ExpiryEvent& event);

}  // namespace lifecycle
}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/lifecycle/watch/watch.ipp>
#endif
