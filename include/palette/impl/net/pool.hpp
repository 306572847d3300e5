// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/error.hpp>
#include <palette/options.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::net {

// Names of what a pool's driver keeps. None is ever given twice.
enum class ConnectionId : std::uint64_t {};
enum class Ticket : std::uint64_t {};

// What a request for a connection does now.
struct Turn {
    enum class Action {
        use,   // `connection`, which is open
        open,  // a new one, to be called `connection`
        wait,  // until a later Turn bears `ticket`
        refuse_full,
        refuse_closed,
    };

    Action action;
    ConnectionId connection{};
    Ticket ticket{};  // also of whom a later Turn is for

    friend bool operator==(const Turn&, const Turn&) = default;
};

// Decides who gets which connection to one endpoint. It does no I/O and has no clock: it is told what
// happened, and what it returns is to be done.
//
//     for (auto const id : pool.expire(now)) close(id);
//     auto turn = pool.request();
//     if (turn.action == Turn::Action::wait) turn = co_await turn_of(turn.ticket);
//     if (turn.action == Turn::Action::use && is_dead(turn.connection)) turn = pool.replace(turn.connection);
//     if (turn.action == Turn::Action::open) ...  // then opened(), failed() or abandoned()
//     ...                                         // then release()
//
// Every connection that a Turn names ends in exactly one of release(), replace(), failed() and abandoned():
// also when the request that it was for has gone. Every std::optional<Turn> that is returned belongs to
// the waiter whose ticket it bears.
//
// Connections that are open or being opened are never more than most_connections; waiters come to their
// turn in the order of their requests; nobody waits while a place is free. The idle connection that was
// used last is used first, so that the others come to their time-out.
//
// Not synchronised: every call is made on one strand.
class Pool {
public:
    using Time = std::chrono::steady_clock::time_point;

    // There is always room for one connection.
    explicit Pool(const PoolOptions& options);

    // Never gives what is idle for too long, if expire() was called before.
    [[nodiscard]] Turn request();

    // The waiter goes, and there is no Turn for it any more. Why connections could not be opened while it
    // waited, if that was so: it says more than that it was cancelled.
    [[nodiscard]] std::optional<Error> give_up(Ticket ticket);

    void opened(ConnectionId connection);

    // It could not be opened. Whoever opened it has the error; the next waiter tries anew.
    [[nodiscard]] std::optional<Turn> failed(ConnectionId connection, Error why);

    // Nobody will open it: its request has gone.
    [[nodiscard]] std::optional<Turn> abandoned(ConnectionId connection);

    struct Released {
        bool is_kept;              // otherwise it is to be closed
        std::optional<Turn> next;  // the same connection's or another's
    };

    // It is not used any more. `reusable`: another request may follow on it.
    [[nodiscard]] Released release(ConnectionId connection, bool reusable, Time now);

    // It was to be used, and is dead: what to do instead, use or open. It is to be closed.
    [[nodiscard]] Turn replace(ConnectionId connection);

    // An idle one was found dead and is to be closed; if it is not idle any more, nothing happens, and its
    // user will find out. Whether it was idle.
    bool idle_died(ConnectionId connection) noexcept;

    // One of them was dead without showing it, and the others are to be closed: they may be as dead.
    [[nodiscard]] std::vector<ConnectionId> distrust_idle();

    // Those that are idle for too long, and are to be closed.
    [[nodiscard]] std::vector<ConnectionId> expire(Time now);

    // When expire() will have something to tell; nothing while nothing is idle.
    [[nodiscard]] std::optional<Time> next_expiry() const noexcept;

    struct Closed {
        std::vector<ConnectionId> idle;  // to be closed now
        std::vector<Ticket> waiters;     // to be told that the pool is closed
    };

    // Every later request is refused, and what is released is closed.
    [[nodiscard]] Closed close();

    [[nodiscard]] std::size_t connections() const noexcept { return busy_ + idle_.size(); }
    [[nodiscard]] std::size_t idle() const noexcept { return idle_.size(); }
    [[nodiscard]] std::size_t waiting() const noexcept { return waiters_.size(); }
    [[nodiscard]] bool is_closed() const noexcept { return is_closed_; }

private:
    struct Idle {
        ConnectionId connection;
        Time since;
    };
    struct Waiter {
        Ticket ticket;
        std::uint64_t failures_before;
    };

    [[nodiscard]] Turn use_or_open();
    [[nodiscard]] std::optional<Turn> free_place();

    std::size_t most_connections_;
    std::size_t most_waiting_;
    std::chrono::milliseconds idle_timeout_;

    std::size_t busy_ = 0;        // in use, or being opened
    std::vector<Idle> idle_;      // in the order of their last use
    std::deque<Waiter> waiters_;  // in the order of their requests, and so of their tickets
    bool is_closed_ = false;

    std::uint64_t last_connection_ = 0;
    std::uint64_t last_ticket_ = 0;

    std::optional<Error> last_failure_;  // none once a connection was opened
    std::uint64_t failures_ = 0;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::net

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/net/pool.ipp>
#endif
