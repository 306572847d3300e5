// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/net/pool.hpp>

#include <algorithm>
#include <cassert>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::net {

PALETTE_KEYS_INLINE Pool::Pool(const PoolOptions& options)
    : most_connections_(std::max<std::size_t>(options.most_connections, 1)),
      most_waiting_(options.most_waiting),
      // Longer ones could not be added to a time.
      idle_timeout_(std::clamp<std::chrono::milliseconds>(options.idle_timeout, std::chrono::milliseconds{0},
                                                          std::chrono::years{1})) {}

PALETTE_KEYS_INLINE Turn Pool::request() {
    if (is_closed_) return {Turn::Action::refuse_closed};
    if (!idle_.empty() || busy_ < most_connections_) return use_or_open();
    if (waiters_.size() >= most_waiting_) return {Turn::Action::refuse_full};
    auto const ticket = Ticket{++last_ticket_};
    waiters_.push_back({ticket, failures_});
    return {Turn::Action::wait, {}, ticket};
}

// Precondition: there is an idle one, or a free place.
PALETTE_KEYS_INLINE Turn Pool::use_or_open() {
    assert(!idle_.empty() || busy_ < most_connections_);
    ++busy_;
    if (idle_.empty()) return {Turn::Action::open, ConnectionId{++last_connection_}};
    auto const connection = idle_.back().connection;
    idle_.pop_back();
    return {Turn::Action::use, connection};
}

PALETTE_KEYS_INLINE std::optional<Error> Pool::give_up(Ticket ticket) {
    auto const waiter = std::ranges::lower_bound(waiters_, ticket, {}, &Waiter::ticket);
    if (waiter == waiters_.end() || waiter->ticket != ticket) return std::nullopt;
    bool const others_failed = failures_ > waiter->failures_before;
    waiters_.erase(waiter);
    return others_failed ? last_failure_ : std::nullopt;
}

PALETTE_KEYS_INLINE void Pool::opened(ConnectionId) {
    last_failure_.reset();
}

PALETTE_KEYS_INLINE std::optional<Turn> Pool::failed(ConnectionId, Error why) {
    last_failure_ = std::move(why);
    ++failures_;
    return free_place();
}

PALETTE_KEYS_INLINE std::optional<Turn> Pool::abandoned(ConnectionId) {
    return free_place();
}

// A connection has gone; who waited longest opens another in its place.
PALETTE_KEYS_INLINE std::optional<Turn> Pool::free_place() {
    assert(busy_ > 0);
    --busy_;
    if (waiters_.empty()) return std::nullopt;
    auto turn = use_or_open();
    turn.ticket = waiters_.front().ticket;
    waiters_.pop_front();
    return turn;
}

PALETTE_KEYS_INLINE Pool::Released Pool::release(ConnectionId connection, bool reusable, Time now) {
    if (!reusable || is_closed_) return {false, free_place()};
    idle_.push_back({connection, now});
    return {true, free_place()};
}

PALETTE_KEYS_INLINE Turn Pool::replace(ConnectionId) {
    assert(busy_ > 0);
    --busy_;
    return use_or_open();
}

PALETTE_KEYS_INLINE bool Pool::idle_died(ConnectionId connection) noexcept {
    return std::erase_if(idle_, [&](const Idle& idle) { return idle.connection == connection; }) > 0;
}

PALETTE_KEYS_INLINE std::vector<ConnectionId> Pool::distrust_idle() {
    std::vector<ConnectionId> distrusted;
    for (auto const& idle : std::exchange(idle_, {}))
        distrusted.push_back(idle.connection);
    return distrusted;
}

PALETTE_KEYS_INLINE std::vector<ConnectionId> Pool::expire(Time now) {
    std::vector<ConnectionId> expired;
    auto const fresh =
        std::ranges::find_if(idle_, [&](const Idle& idle) { return now < idle.since + idle_timeout_; });
    std::for_each(idle_.begin(), fresh, [&](const Idle& idle) { expired.push_back(idle.connection); });
    idle_.erase(idle_.begin(), fresh);
    return expired;
}

PALETTE_KEYS_INLINE std::optional<Pool::Time> Pool::next_expiry() const noexcept {
    if (idle_.empty()) return std::nullopt;
    return idle_.front().since + idle_timeout_;
}

PALETTE_KEYS_INLINE Pool::Closed Pool::close() {
    is_closed_ = true;
    Closed closed;
    for (auto const& idle : std::exchange(idle_, {}))
        closed.idle.push_back(idle.connection);
    for (auto const& waiter : std::exchange(waiters_, {}))
        closed.waiters.push_back(waiter.ticket);
    return closed;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::net
