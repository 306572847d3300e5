// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/error.hpp>
#include <palette/options.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>

namespace palette::inline PALETTE_KEYS_ABI::impl::net {

// Names of what a pool's driver keeps. None is ever given twice.
enum class ConnectionId : std::uint64_t {};
enum class WaiterId : std::uint64_t {};

/// What a request for a connection does now.
struct Turn {
    enum class Action {
        use,   // `connection`, which is open
        open,  // a new one, to be called `connection`
        wait,  // until a later Turn bears `ticket`
        fail,  // no connection can be opened: Pool::last_failure()
        refuse_full,
        refuse_closed,
    };

    Action action;
    ConnectionId connection{};
    WaiterId ticket{};
    // Of `fail`: how many tries to open a connection the request has seen fail, its own included.
    int failures = 0;

    friend bool operator==(const Turn&, const Turn&) = default;
};

/// Decides who gets which connection to one endpoint, and who may try to open one. Does no I/O, has no clock
/// and no random numbers: the driver tells it what happened, and does what it returns.
///
///     auto turn = pool.request(now);
///     while (turn.action == Turn::Action::wait) turn = co_await turn_of(turn.ticket);
///     if (turn.action == Turn::Action::use && is_dead(turn.connection)) turn = pool.replace(turn, now);
///     if (turn.action == Turn::Action::open) ...  // then opened() or one of the other three
///     ...                                         // then release()
///
/// Places: connections that are open or being opened are never more than max_connections. A Turn of `use` or
/// `open` is a place, and ends in exactly one of release(), replace(), failed(), failed_for_good() and
/// abandoned(), also when the request that it was for has gone.
///
/// Turns: after every call but request(), the driver asks next_turn() until there is none, and gives each to
/// the waiter whose ticket the turn bears. After every call, request() included, it asks next_try(), and
/// asks next_turn() again at that time: whoever has just begun to wait may be alone between two tries.
/// Waiters come to their turn in the order of their tickets; nobody waits while a connection is idle, or a
/// place is free and the way is not down. The idle connection that was used last is used first, so that the
/// others come to their timeout.
///
/// Outages: once a connection could not be opened, the way is down until one can. Then a single request at a
/// time tries, after a backoff with half jitter: a random time in [b/2, b], b = initial_backoff · 2ⁿ, at most
/// max_backoff. All others wait for that try, or for a connection that is open still and becomes free. While
/// no connection is open, a request fails that has seen max_attempts tries fail. When the last request has
/// gone, the outage is forgotten, so that the next one need not wait.
///
/// Failing allocations: only request(), replace() and failed() allocate. If one throws, nothing has changed.
///
/// Not synchronised: every call is made on one strand.
class Pool {
public:
    using Time = std::chrono::steady_clock::time_point;

    /// There is always room for one connection, and one try to open it.
    explicit Pool(const PoolOptions& options, const RetryOptions& retry = {});

    /// Never gives what is idle for too long, if pop_expired() was asked before.
    [[nodiscard]] Turn request(Time now);

    /// The turn of the waiter who is to have one now.
    [[nodiscard]] std::optional<Turn> next_turn(Time now) noexcept;

    /// When next_turn() will have a turn although nothing happens: the next try after a failed one.
    [[nodiscard]] std::optional<Time> next_try() const noexcept;

    /// The waiter goes, and there is no Turn for it any more. Null, or why connections could not be opened
    /// while it waited, which says more than that it was cancelled.
    std::shared_ptr<const Error> give_up(WaiterId ticket) noexcept;

    void opened(const Turn& turn) noexcept;

    /// The connection could not be opened, in passing. What the request does now: wait or fail. `chance` is
    /// in [0, 1).
    [[nodiscard]] Turn failed(const Turn& turn, Error why, Time now, double chance);

    /// The connection could not be opened for a reason that waiting does not mend. Whoever opened it has the
    /// error; every other request tries for itself.
    void failed_for_good(const Turn& turn) noexcept;

    /// Nobody will open the connection: its request has gone.
    void abandoned(const Turn& turn) noexcept;

    /// Why the last connection could not be opened; null once one was opened.
    [[nodiscard]] const std::shared_ptr<const Error>& last_failure() const noexcept { return last_failure_; }

    /// The connection is not used any more. `reusable`: another request may follow on it. False: it is to be
    /// closed.
    [[nodiscard]] bool release(ConnectionId connection, bool reusable, Time now) noexcept;

    /// The connection was to be used, and is dead: what to do instead. It is to be closed.
    [[nodiscard]] Turn replace(const Turn& turn, Time now);

    /// An idle connection to be closed: the oldest one if it is idle for too long, or whichever there is.
    /// Asked until there is none. When one connection was dead without showing it, the others may be as dead.
    [[nodiscard]] std::optional<ConnectionId> pop_expired(Time now) noexcept;
    [[nodiscard]] std::optional<ConnectionId> pop_idle() noexcept;

    /// Every later request is refused, what is released is closed, and next_turn() refuses all who wait. What
    /// is idle is for the driver to pop.
    void close() noexcept { is_closed_ = true; }

    [[nodiscard]] std::size_t connections() const noexcept { return busy_ + idle_.size(); }
    [[nodiscard]] std::size_t idle() const noexcept { return idle_.size(); }
    [[nodiscard]] std::size_t waiting() const noexcept { return waiters_.size(); }
    [[nodiscard]] bool is_down() const noexcept { return outage_.has_value(); }
    [[nodiscard]] bool is_closed() const noexcept { return is_closed_; }

private:
    struct Idle {
        ConnectionId connection{};
        Time since{};
    };
    // A request that waits, or that opens a connection.
    struct Request {
        std::uint64_t rounds_before;    // failed tries that are none of its own
        std::uint64_t failures_before;  // the same, of all that failed
    };
    using Requests = std::map<WaiterId, Request>;
    struct Outage {
        explicit Outage(Time now) noexcept : next_try(now), tries(0) {}

        Time next_try;
        int tries;
        std::optional<WaiterId> prober;  // who tries now
    };

    [[nodiscard]] std::size_t open_connections() const noexcept {
        return busy_ - opening_.size() + idle_.size();
    }
    [[nodiscard]] bool may_open(Time now) const noexcept;
    [[nodiscard]] bool is_out_of_patience(const Request& request) const noexcept;
    void reserve_places(std::size_t number);
    Turn use_idle(WaiterId ticket) noexcept;
    Turn open(Requests::node_type request) noexcept;
    Requests::node_type stop_opening(const Turn& turn) noexcept;
    void free_place() noexcept;
    void forget_outage_without_requests() noexcept;
    [[nodiscard]] std::chrono::milliseconds backoff(int tries, double chance) const noexcept;

    std::size_t max_connections_;
    std::size_t max_waiting_;
    std::chrono::milliseconds idle_timeout_;
    std::uint64_t max_attempts_;
    std::chrono::milliseconds initial_backoff_;
    std::chrono::milliseconds max_backoff_;

    std::size_t busy_ = 0;   // in use, or being opened
    std::list<Idle> idle_;   // in the order of their last use
    std::list<Idle> spare_;  // so that no place is given back with an allocation
    Requests waiters_;       // in the order of their tickets
    Requests opening_;
    bool is_closed_ = false;

    std::uint64_t last_connection_ = 0;
    std::uint64_t last_ticket_ = 0;

    std::optional<Outage> outage_;
    std::uint64_t rounds_ = 0;                   // tries that failed while nothing was open
    std::uint64_t failures_ = 0;                 // all that failed
    std::shared_ptr<const Error> last_failure_;  // none once a connection was opened
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::net

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/net/pool.ipp>
#endif
