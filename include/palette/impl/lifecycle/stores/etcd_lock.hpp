// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/lifecycle/stores/etcd_gateway.hpp>
#include <palette/lifecycle/rotation_store.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle::etcd {

// The connections of one lock and its lease, on the strand that has taken it. Its keeper prolongs the lease
// until the lock is given up, and then revokes it.
class Session : public std::enable_shared_from_this<Session> {
public:
    Session(asio::any_io_executor strand, const std::shared_ptr<Access>& access)
        : strand_(std::move(strand)),
          gateway_(access),
          third_of_life_(std::chrono::milliseconds(access->options().lock_ttl()) / 3),
          wake_(strand_) {}

    [[nodiscard]] Gateway& gateway() noexcept { return gateway_; }

    asio::awaitable<Result<std::uint64_t>> grant(std::chrono::seconds time_to_live);
    // Unless that was done a moment ago. A lease that has ended is noticed by whoever relies on it.
    asio::awaitable<void> prolong(bool now);
    asio::awaitable<void> wait_for_next_time();
    // Whether the lease is gone.
    asio::awaitable<bool> revoke();

    // From any thread.
    void wake() const;
    [[nodiscard]] const asio::any_io_executor& strand() const noexcept { return strand_; }

private:
    asio::any_io_executor strand_;
    Gateway gateway_;
    std::chrono::milliseconds third_of_life_;
    mutable asio::steady_timer wake_;
    std::uint64_t lease_ = 0;
    std::chrono::steady_clock::time_point prolonged_{};
};

// A lock that was taken, until etcd has said that it is gone. Holds nothing of a strand or a context, which
// may end before.
struct Hold {
    Hold(std::string slot_, std::string holder_) : slot(std::move(slot_)), holder(std::move(holder_)) {}

    const std::string slot;
    const std::string holder;          // one that no other has
    std::uint64_t created_at = 0;      // the revision of the lock's key
    std::weak_ptr<Session> session{};  // its keeper owns it
    std::atomic<bool> is_given_up = false;
};

// The locks of a store, at most one for each slot. For any thread.
class Holds {
public:
    // Null: the slot is not locked by this store.
    [[nodiscard]] std::shared_ptr<Hold> of(const std::string& slot) const;
    // False if the slot has a lock that was not given up.
    bool add(const std::shared_ptr<Hold>& hold);
    void remove(const std::shared_ptr<Hold>& hold);

private:
    mutable std::mutex mutex_;
    std::map<std::string, std::shared_ptr<Hold>> holds_;
};

// Gives the lock up when it is destroyed: the keeper does the rest, if its context still runs. Otherwise the
// lease ends by itself.
class Lock final : public palette::lifecycle::SlotLock {
public:
    explicit Lock(std::shared_ptr<Hold> hold) noexcept : hold_(std::move(hold)) {}
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    ~Lock() override;

private:
    std::shared_ptr<Hold> hold_;
};

// What the key of a lock says of its holder.
std::string describe_holder(const std::string& holder);
// The same for a person; and the holder's own id, empty if the text is nobody's.
struct Holder {
    std::string id;
    std::string words;
};
Holder read_holder(std::string_view text);

// Begins to keep the lock, whose session the keeper then owns.
void keep(std::shared_ptr<Session> session, std::shared_ptr<Hold> hold, std::shared_ptr<Holds> holds);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle::etcd

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/lifecycle/stores/etcd_lock.ipp>
#endif
