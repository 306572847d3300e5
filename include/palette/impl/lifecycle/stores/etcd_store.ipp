// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/http_transport.hpp>
#include <palette/impl/lifecycle/record_envelope.hpp>
#include <palette/impl/lifecycle/stores/etcd_gateway.hpp>
#include <palette/impl/lifecycle/stores/etcd_lock.hpp>
#include <palette/impl/lifecycle/stores/etcd_messages.hpp>
#include <palette/impl/lifecycle/stores/slot_check.hpp>
#include <palette/lifecycle/rotation_store.hpp>
#include <palette/pending_create.hpp>

#include <boost/asio/this_coro.hpp>

#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

namespace impl::lifecycle::etcd {

class Store final : public palette::lifecycle::RotationStore {
    using SlotLock = palette::lifecycle::SlotLock;
    using StoredRecord = palette::lifecycle::StoredRecord;

public:
    Store(std::shared_ptr<Access> access, std::string prefix)
        : access_(std::move(access)),
          prefix_(std::move(prefix)) {}

    asio::awaitable<Result<std::shared_ptr<SlotLock>>> lock(std::string slot) override {
        if (auto fault = fault_of(slot)) co_return *std::move(fault);
        auto const before = holds_->of(slot);
        // Without a request: etcd would name this process as the holder, which explains less.
        if (before && !before->is_given_up) co_return locked_here(slot);

        auto const session = std::make_shared<Session>(co_await asio::this_coro::executor, access_);
        // Made before there is a lease, which would outlive an allocation that fails.
        auto const hold = std::make_shared<Hold>(slot, PendingCreate::make_nonce());
        hold->session = session;
        std::shared_ptr<SlotLock> given = std::make_shared<Lock>(hold);
        auto const lease = co_await session->grant(access_->options().lock_ttl());
        // A lease that was granted, and whose answer was lost, locks nothing and ends by itself.
        if (!lease) co_return not_applied(lease.error());
        // From here on the keeper ends the lease, however this ends.
        keep(session, hold, holds_);

        // Revision 0 means that there is no such key: of two that come at once, etcd lets one create it.
        Transaction transaction;
        transaction.if_created_at(lock_key(slot), 0)
            .then_put(lock_key(slot), describe_holder(hold->holder), *lease)
            .else_read(lock_key(slot));
        auto taken = co_await take(session->gateway(), transaction.body(), hold, before);
        if (!taken) co_return not_applied(taken.error());
        // An earlier lock of this process may have lost its lease, so that etcd gives another, while its
        // rotation still goes on. The lock that was taken here is given back by its destructor.
        if (!holds_->add(hold)) co_return locked_here(slot);
        co_return given;
    }

    asio::awaitable<Result<StoredRecord>> load(std::string slot) override {
        if (auto fault = fault_of(slot)) co_return *std::move(fault);
        auto const connection = gateway_of(holds_->of(slot));
        auto const answer = co_await connection->call("/v3/kv/range", range_body(record_key(slot)));
        if (!answer) co_return not_applied(answer.error());
        auto const found = read_range(*answer);
        if (!found) co_return found.error();
        if (!*found) co_return StoredRecord();
        co_return opened(slot, **found);
    }

    asio::awaitable<Result<std::uint64_t>> save(std::string slot, std::string text,
                                                std::uint64_t expected_version) override {
        if (auto fault = fault_of(slot)) co_return *std::move(fault);
        auto hold = holds_->of(slot);
        // Without a lock, or after it, a save compares the version alone.
        if (hold && hold->is_given_up) hold.reset();
        auto const session = hold ? hold->session.lock() : nullptr;
        // The keeper runs on the same strand, and a sink or a hook that blocks the thread holds it up.
        // Whether the lease has ended by now, the transaction finds out.
        if (session) co_await session->prolong(false);

        // Known again by whoever asks whether it was this call that has stored it.
        // A save that is sent twice would lose against itself, for the first one has changed the revision.
        SealedRecord record;
        record.mark = PendingCreate::make_nonce();
        record.text = std::move(text);
        auto const value = seal(mark_name, record);
        Transaction transaction;
        transaction.if_modified_at(record_key(slot), expected_version)
            .then_put(record_key(slot), value)
            .else_read(record_key(slot));
        // A rotation that was suspended until its lease ended must not write any more, even if nobody else
        // has written meanwhile.
        if (hold) transaction.if_created_at(lock_key(slot), hold->created_at).else_read(lock_key(slot));
        auto const connection = gateway_of(hold);
        auto const answer = co_await connection->call("/v3/kv/txn", transaction.body());
        if (!answer) co_return Error(answer.error()).path(slot);
        auto const ended = read_transaction(*answer, hold ? 2 : 1);
        // An answer that cannot be read may be that of a transaction that was applied.
        if (!ended) co_return Error(ended.error()).effect(Effect::unknown);
        co_return version_after(*ended, slot, value, hold.get());
    }

private:
    static constexpr auto mark_name = "write";

    static std::optional<Error> fault_of(const std::string& slot) {
        if (is_slot_name(slot)) return std::nullopt;
        return Error(errc::invalid_argument, "this cannot be the name of a slot").path("slot");
    }

    // No slot has such a name.
    [[nodiscard]] std::string lock_key(const std::string& slot) const { return record_key(slot) + "/lock"; }
    [[nodiscard]] std::string record_key(const std::string& slot) const { return prefix_ + slot; }

    // That of the lock, or a new one for whoever has none.
    [[nodiscard]] std::shared_ptr<Gateway> gateway_of(const std::shared_ptr<Hold>& hold) const {
        auto const session = hold && !hold->is_given_up ? hold->session.lock() : nullptr;
        if (session) return {session, &session->gateway()};
        return std::make_shared<Gateway>(access_);
    }

    static Error not_applied(const Error& error) { return Error(error).effect(Effect::not_applied); }

    static Error locked_here(const std::string& slot) {
        return Error(errc::conflict, "the slot is locked by another rotation of this process").path(slot);
    }

    // Takes the lock, which a lock before it, of this store and given up, may still hold.
    static asio::awaitable<Result<void>> take(Gateway& gateway, std::string body, std::shared_ptr<Hold> hold,
                                              std::shared_ptr<Hold> before) {
        for (bool is_last = false;; is_last = true) {
            auto const answer = co_await gateway.call("/v3/kv/txn", body);
            if (!answer) co_return answer.error();
            auto const ended = read_transaction(*answer, 1);
            if (!ended) co_return ended.error();
            if (ended->is_applied) {
                hold->created_at = ended->revision;
                co_return Result<void>();
            }
            if (!ended->found.front()) co_return Error(errc::bad_value, "the lock is there, and is not");
            auto const& lock = *ended->found.front();
            auto const holder = read_holder(lock.value);
            // The first answer was lost, and the request was sent to another endpoint: the lock is our own.
            if (holder.id == hold->holder) {
                hold->created_at = lock.create_revision;
                co_return Result<void>();
            }
            auto const is_left_over = before && holder.id == before->holder;
            // A lock without a lease is one that somebody has written by hand, and only a person may remove
            // it.
            if (is_last || !is_left_over || lock.lease == 0)
                co_return Error(errc::conflict, "the slot is locked by " + holder.words).path(hold->slot);
            // A failure shows in the next try.
            auto const revoked = co_await gateway.call("/v3/lease/revoke", lease_body(lock.lease));
            static_cast<void>(revoked);
        }
    }

    [[nodiscard]] Result<StoredRecord> opened(const std::string& slot, const KeyValue& found) const {
        RecordPlace const place{
            "the record in the key " + detail::in_quotes(record_key(slot), 256) + " of etcd",
            "restore the key from a backup, or look which keys of the slot exist, and then delete the key"};
        // etcd keeps what it is given. The checksum finds a key that a person has edited.
        auto record = unseal(mark_name, found.value, place);
        if (!record) return std::move(record.error());
        return StoredRecord(found.mod_revision, std::move(record->text));
    }

    static Result<std::uint64_t> version_after(const TransactionAnswer& ended, const std::string& slot,
                                               const std::string& value, const Hold* hold) {
        // The revision of the transaction is the mod_revision of all that it has put.
        if (ended.is_applied) return ended.revision;
        auto const& stored = ended.found.front();
        // It was sent before, and the answer was lost.
        if (stored && stored->value == value) return stored->mod_revision;
        // The lock first: with a lock that has ended, it is the reason why the record is another one.
        if (hold != nullptr) {
            auto const& lock = ended.found.back();
            if (!lock)
                return Error(errc::conflict, "the lock of the slot has ended before its rotation").path(slot);
            if (lock->create_revision != hold->created_at)
                return Error(errc::conflict,
                             "the lock of the slot has ended before its rotation, and is held by " +
                                 read_holder(lock->value).words)
                    .path(slot);
        }
        return Error(errc::conflict, "another rotation has changed the record of the slot").path(slot);
    }

    std::shared_ptr<Access> access_;
    std::string prefix_;
    std::shared_ptr<Holds> holds_ = std::make_shared<Holds>();
};

inline void check(const std::vector<Endpoint>& endpoints, const palette::lifecycle::EtcdOptions& options) {
    auto const refuse = [](const char* what, const char* field) {
        throw Exception(Error(errc::invalid_argument, what).path(field));
    };
    if (endpoints.empty()) refuse("a store in etcd needs an endpoint", "endpoints");
    if (options.timeout() <= std::chrono::milliseconds(0)) refuse("a request needs time", "timeout");
    if (options.lock_ttl() < std::chrono::seconds(5))
        refuse("a lock lasts for five seconds or more", "lock_ttl");
    if (options.lock_ttl() > std::chrono::days(1)) refuse("a lock lasts for a day at most", "lock_ttl");
}

}  // namespace impl::lifecycle::etcd

namespace lifecycle {

PALETTE_KEYS_INLINE std::shared_ptr<RotationStore> etcd_store(std::vector<Endpoint> endpoints,
                                                              std::string prefix, EtcdOptions options) {
    namespace etcd = impl::lifecycle::etcd;
    etcd::check(endpoints, options);
    auto access = std::make_shared<etcd::Access>(std::move(endpoints), std::move(options));
    // What is wrong with certificates is said now, by transports that are not used.
    for (auto const& endpoint : access->endpoints())
        if (auto made = make_http_transport(access->transport_options(endpoint)); !made)
            throw Exception(std::move(made.error()));
    return std::make_shared<etcd::Store>(std::move(access), std::move(prefix));
}

}  // namespace lifecycle
}  // namespace palette::inline PALETTE_KEYS_ABI
