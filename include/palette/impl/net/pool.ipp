// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/net/pool.hpp>

#include <algorithm>
#include <cassert>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::net {

PALETTE_KEYS_INLINE Pool::Pool(const PoolOptions& options, const RetryOptions& retry)
    : max_connections_(std::max<std::size_t>(options.max_connections, 1)),
      max_waiting_(options.max_waiting),
      // Longer ones could not be added to a time.
      idle_timeout_(std::clamp<std::chrono::milliseconds>(options.idle_timeout, std::chrono::milliseconds{0},
                                                          std::chrono::years{1})),
      max_attempts_(static_cast<std::uint64_t>(std::max(retry.max_attempts, 1))),
      initial_backoff_(std::clamp<std::chrono::milliseconds>(
          retry.initial_backoff, std::chrono::milliseconds{0}, std::chrono::hours{1})),
      max_backoff_(std::clamp<std::chrono::milliseconds>(retry.max_backoff, std::chrono::milliseconds{0},
                                                         std::chrono::hours{1})) {}

// One more than there are places in use, and one for every waiter as far as places go: when its turn comes,
// no allocation may fail.
PALETTE_KEYS_INLINE void Pool::reserve_places(std::size_t number) {
    while (idle_.size() + spare_.size() < std::min(number, max_connections_))
        spare_.emplace_back();
}

PALETTE_KEYS_INLINE bool Pool::may_open(Time now) const noexcept {
    if (is_closed_ || connections() >= max_connections_) return false;
    return !outage_ || (!outage_->prober && now >= outage_->next_try);
}

PALETTE_KEYS_INLINE Turn Pool::request(Time now) {
    if (is_closed_) return {Turn::Action::refuse_closed};
    // Whoever waits goes first, even if the connection is idle at this moment.
    if (waiters_.empty() && !idle_.empty()) return use_idle(WaiterId{++last_ticket_});
    bool const opens = waiters_.empty() && may_open(now);
    if (!opens && waiters_.size() >= max_waiting_) return {Turn::Action::refuse_full};
    reserve_places(connections() + waiters_.size() + 1);
    // A try that is under way began before this request came, and does not count as one of its own.
    auto const rounds_before = rounds_ + (opens || opening_.empty() ? 0 : 1);
    auto const ticket = WaiterId{last_ticket_ + 1};
    Requests one;
    // The node is made before anything changes: if there is no memory, nothing has happened.
    one.emplace(ticket, Request{rounds_before, failures_});
    last_ticket_ = static_cast<std::uint64_t>(ticket);
    auto node = one.extract(one.begin());
    if (opens) return open(std::move(node));
    waiters_.insert(std::move(node));
    return {Turn::Action::wait, {}, ticket};
}

// Precondition: there is an idle one.
PALETTE_KEYS_INLINE Turn Pool::use_idle(WaiterId ticket) noexcept {
    // The one used last: the others grow old and are closed when few are needed.
    auto const connection = idle_.back().connection;
    spare_.splice(spare_.end(), idle_, std::prev(idle_.end()));
    ++busy_;
    return {Turn::Action::use, connection, ticket};
}

// Precondition: there is a free place.
PALETTE_KEYS_INLINE Turn Pool::open(Requests::node_type request) noexcept {
    assert(connections() < max_connections_);
    ++busy_;
    auto const ticket = request.key();
    // During an outage one request tries for all.
    if (outage_) outage_->prober = ticket;
    opening_.insert(std::move(request));
    return {Turn::Action::open, ConnectionId{++last_connection_}, ticket};
}

PALETTE_KEYS_INLINE bool Pool::is_out_of_patience(const Request& request) const noexcept {
    return outage_ && open_connections() == 0 && rounds_ >= request.rounds_before + max_attempts_;
}

PALETTE_KEYS_INLINE std::optional<Turn> Pool::next_turn(Time now) noexcept {
    if (waiters_.empty()) return std::nullopt;
    auto const first = waiters_.begin();
    auto const ticket = first->first;
    if (is_closed_) {
        waiters_.erase(first);
        return Turn{Turn::Action::refuse_closed, {}, ticket};
    }
    if (!idle_.empty()) {
        waiters_.erase(first);
        return use_idle(ticket);
    }
    if (is_out_of_patience(first->second)) {
        auto const failures = static_cast<int>(rounds_ - first->second.rounds_before);
        waiters_.erase(first);
        forget_outage_without_requests();
        return Turn{Turn::Action::fail, {}, ticket, failures};
    }
    if (!may_open(now)) return std::nullopt;
    return open(waiters_.extract(first));
}

PALETTE_KEYS_INLINE std::optional<Pool::Time> Pool::next_try() const noexcept {
    if (!outage_ || outage_->prober || waiters_.empty() || connections() >= max_connections_)
        return std::nullopt;
    return outage_->next_try;
}

PALETTE_KEYS_INLINE std::shared_ptr<const Error> Pool::give_up(WaiterId ticket) noexcept {
    auto const waiter = waiters_.find(ticket);
    if (waiter == waiters_.end()) return nullptr;
    // Only failures since it came are the reason why it waited.
    bool const others_failed = failures_ > waiter->second.failures_before;
    waiters_.erase(waiter);
    forget_outage_without_requests();
    return others_failed ? last_failure_ : nullptr;
}

PALETTE_KEYS_INLINE void Pool::forget_outage_without_requests() noexcept {
    if (waiters_.empty() && opening_.empty()) outage_.reset();
}

PALETTE_KEYS_INLINE Pool::Requests::node_type Pool::stop_opening(const Turn& turn) noexcept {
    auto request = opening_.extract(turn.ticket);
    assert(!request.empty());
    if (outage_ && outage_->prober == turn.ticket) outage_->prober.reset();
    return request;
}

PALETTE_KEYS_INLINE void Pool::free_place() noexcept {
    assert(busy_ > 0);
    --busy_;
}

PALETTE_KEYS_INLINE void Pool::opened(const Turn& turn) noexcept {
    stop_opening(turn);
    outage_.reset();
    last_failure_.reset();
}

PALETTE_KEYS_INLINE Turn Pool::failed(const Turn& turn, Error why, Time now, double chance) {
    last_failure_ = std::make_shared<const Error>(std::move(why));
    ++failures_;
    // What others began before the way was down says nothing new.
    bool const is_round = !outage_ || outage_->prober == turn.ticket;
    auto request = stop_opening(turn);
    free_place();
    if (is_round) {
        if (!outage_) outage_.emplace(now);
        outage_->next_try = now + backoff(++outage_->tries, chance);
        // As long as one connection is open, waiting for it is better than failing.
        if (open_connections() == 0) ++rounds_;
    }
    if (is_closed_ || is_out_of_patience(request.mapped())) {
        auto const failures = static_cast<int>(rounds_ - request.mapped().rounds_before);
        forget_outage_without_requests();
        return {Turn::Action::fail, {}, turn.ticket, std::max(failures, 1)};
    }
    waiters_.insert(std::move(request));
    return {Turn::Action::wait, {}, turn.ticket};
}

PALETTE_KEYS_INLINE void Pool::failed_for_good(const Turn& turn) noexcept {
    stop_opening(turn);
    free_place();
    // Waiting does not mend this failure, and it does not show that the way is down.
    outage_.reset();
}

PALETTE_KEYS_INLINE void Pool::abandoned(const Turn& turn) noexcept {
    stop_opening(turn);
    free_place();
    forget_outage_without_requests();
}

PALETTE_KEYS_INLINE bool Pool::release(ConnectionId connection, bool reusable, Time now) noexcept {
    free_place();
    if (!reusable || is_closed_) return false;
    // A node that was reserved: this must not allocate.
    spare_.back() = {connection, now};
    idle_.splice(idle_.end(), spare_, std::prev(spare_.end()));
    return true;
}

PALETTE_KEYS_INLINE Turn Pool::replace(const Turn& turn, Time now) {
    // The next idle one, or a new one in the dead one's place, before those who wait.
    if (!idle_.empty()) {
        free_place();
        return use_idle(turn.ticket);
    }
    Requests one;
    one.emplace(turn.ticket, Request{rounds_, failures_});
    free_place();
    auto node = one.extract(one.begin());
    if (may_open(now)) return open(std::move(node));
    waiters_.insert(std::move(node));
    return {Turn::Action::wait, {}, turn.ticket};
}

PALETTE_KEYS_INLINE std::optional<ConnectionId> Pool::pop_expired(Time now) noexcept {
    if (idle_.empty() || now < idle_.front().since + idle_timeout_) return std::nullopt;
    return pop_idle();
}

PALETTE_KEYS_INLINE std::optional<ConnectionId> Pool::pop_idle() noexcept {
    if (idle_.empty()) return std::nullopt;
    auto const connection = idle_.front().connection;
    spare_.splice(spare_.end(), idle_, idle_.begin());
    return connection;
}

// Half jitter: unlike after a refusal of the service, one request tries for all, so that the tries need to be
// spread less than they need to cover a time.
PALETTE_KEYS_INLINE std::chrono::milliseconds Pool::backoff(int tries, double chance) const noexcept {
    using Milliseconds = std::chrono::duration<double, std::milli>;
    auto bound = Milliseconds(initial_backoff_);
    for (int i = 1; i < tries && bound < max_backoff_; ++i)
        bound *= 2;
    bound = std::min(bound, Milliseconds(max_backoff_));
    return std::chrono::round<std::chrono::milliseconds>(bound / 2 + bound / 2 * chance);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::net
