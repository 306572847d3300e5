// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/expiry.hpp>
#include <palette/impl/lifecycle/stores/etcd_lock.hpp>
#include <palette/impl/system/this_process.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle::etcd {

// --- the lease -----------------------------------------------------------------------------------

PALETTE_KEYS_INLINE asio::awaitable<Result<std::uint64_t>> Session::grant(std::chrono::seconds time_to_live) {
    auto const body = grant_body(static_cast<std::uint64_t>(time_to_live.count()));
    // Before the request: when the answer comes, a part of the lease is over.
    prolonged_ = std::chrono::steady_clock::now();
    auto answer = co_await gateway_.call("/v3/lease/grant", body);
    if (!answer) co_return std::move(answer.error());
    auto lease = read_lease(*answer);
    if (lease) lease_ = *lease;
    co_return lease;
}

PALETTE_KEYS_INLINE asio::awaitable<void> Session::prolong(bool now) {
    auto const asked = std::chrono::steady_clock::now();
    if (!now && asked - prolonged_ < third_of_life_) co_return;
    auto const answer = co_await gateway_.call("/v3/lease/keepalive", lease_body(lease_));
    // etcd answers 200 for a lease that has ended, with no time left. What fails here shows in the next save.
    if (answer && read_keepalive(*answer).value_or(0) > 0) prolonged_ = asked;
}

PALETTE_KEYS_INLINE asio::awaitable<void> Session::wait_for_next_time() {
    // A third, so that after one attempt that failed there is time for another.
    wake_.expires_after(third_of_life_);
    co_await wake_.async_wait(asio::as_tuple(asio::use_awaitable));
}

PALETTE_KEYS_INLINE asio::awaitable<bool> Session::revoke() {
    // One endpoint: nobody waits for this, and the lease ends by itself if it fails.
    auto const answer = co_await gateway_.call_once("/v3/lease/revoke", lease_body(lease_));
    co_return answer || answer.error().code() == errc::not_found;
}

PALETTE_KEYS_INLINE void Session::wake() const {
    // A timer may only be touched on its strand, and the lock is destroyed anywhere.
    asio::post(strand_, [self = shared_from_this()] { self->wake_.cancel(); });
}

// --- the locks of a store ------------------------------------------------------------------------

PALETTE_KEYS_INLINE std::shared_ptr<Hold> Holds::of(const std::string& slot) const {
    std::lock_guard const lock(mutex_);
    auto const found = holds_.find(slot);
    return found == holds_.end() ? nullptr : found->second;
}

PALETTE_KEYS_INLINE bool Holds::add(const std::shared_ptr<Hold>& hold) {
    std::lock_guard const lock(mutex_);
    // One that was given up waits for etcd's word that its lease is gone; the next rotation does not.
    auto& place = holds_[hold->slot];
    if (place && !place->is_given_up) return false;
    place = hold;
    return true;
}

PALETTE_KEYS_INLINE void Holds::remove(const std::shared_ptr<Hold>& hold) {
    std::lock_guard const lock(mutex_);
    auto const found = holds_.find(hold->slot);
    // By now the slot may be locked by the next rotation.
    if (found != holds_.end() && found->second == hold) holds_.erase(found);
}

PALETTE_KEYS_INLINE Lock::~Lock() {
    hold_->is_given_up = true;
    try {
        if (auto const session = hold_->session.lock()) session->wake();
    } catch (...) {  // NOLINT(bugprone-empty-catch): the keeper wakes later
    }
}

// A plain function's coroutine: it owns what it uses, and nobody waits for it.
inline asio::awaitable<void> keep_until_given_up(std::shared_ptr<Session> session, std::shared_ptr<Hold> hold,
                                                 std::shared_ptr<Holds> holds) {
    // Looked at on both sides of the wait: the lock may have been destroyed before the wait began.
    while (!hold->is_given_up) {
        co_await session->wait_for_next_time();
        if (hold->is_given_up) break;
        co_await session->prolong(true);
    }
    auto const is_gone = co_await session->revoke();
    // Otherwise it is kept: lock() knows by it that what it finds in etcd is left over from this process.
    if (is_gone) holds->remove(hold);
}

PALETTE_KEYS_INLINE void keep(std::shared_ptr<Session> session, std::shared_ptr<Hold> hold,
                              std::shared_ptr<Holds> holds) {
    auto const strand = session->strand();
    asio::co_spawn(strand, keep_until_given_up(std::move(session), std::move(hold), std::move(holds)),
                   asio::detached);
}

// --- who holds a lock ----------------------------------------------------------------------------

PALETTE_KEYS_INLINE std::string describe_holder(const std::string& holder) {
    auto const now =
        std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
    return boost::json::serialize(Object{{"holder", holder},
                                         {"host", processes::host_name()},
                                         {"pid", processes::process_id()},
                                         {"since", Expiry::at(now).to_string()}});
}

PALETTE_KEYS_INLINE Holder read_holder(std::string_view text) {
    Holder read;
    // The key may have been written by another program, in any form.
    read.words = "somebody else";
    auto const object = read_object(text);
    if (!object) return read;
    auto const field = [&](const char* name) -> std::string {
        auto const* const found = object->if_contains(name);
        return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
    };
    read.id = field("holder");
    auto const* const pid = object->if_contains("pid");
    if (pid == nullptr || !pid->is_int64()) return read;
    read.words = "process " + std::to_string(pid->get_int64()) + " on " + detail::printable(field("host")) +
                 " since " + detail::printable(field("since"));
    return read;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle::etcd
