// SPDX-License-Identifier: BSL-1.0
#pragma once

// How what earlier attempts have left behind is deleted, or named.

#include <palette/impl/lifecycle/gone.hpp>
#include <palette/impl/lifecycle/rotation/rotation_driver.hpp>

#include <chrono>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

PALETTE_KEYS_INLINE asio::awaitable<Result<void>> RotationDriver::clean() {
    auto const left = machine_->leftover();
    if (left.is_revoked) {
        // Somebody may have missed it meanwhile.
        auto const key = co_await read(left.uid);
        if (has_ended()) co_return ended();
        if (!key) co_return key.error();
        if (*key && (*key)->is_active) {
            left_.push_back("the old key " + left.uid +
                            " was re-activated, so it is not deleted: whoever did that decides about it");
            co_return Result<void>();
        }
    }
    if (!left.uid.empty()) {
        // An attempt before has made it, and nobody uses it: it is not the client's own.
        auto removed = co_await client_.async_remove(left.uid, ChangeOptions().allow_own_key());
        if (removed) note_deleted(left.uid);
        // Deleted by hand, or by a run that was killed before it had written that down.
        if (removed || says_gone(removed.error())) co_return Result<void>();
        // One that a person has revoked, because it cannot be deleted, stands in nobody's way.
        auto const key = co_await read(left.uid);
        if (!has_ended() && key && *key && !(*key)->is_active) machine_->leftover_is_revoked();
        co_return removed;
    }
    // That of the record, and not of today's credential: reconciling refuses another user, who may not see
    // the keys and would find none. One who surely sees them goes on for a colleague who may be gone.
    Identity by;
    by.user_uid = machine_->record().user_uid;
    by.tenant_uid = machine_->record().tenant_uid;
    by.org_name = machine_->record().org_name;
    if (caller_.user_uid != by.user_uid && co_await sees_keys_of(left.owner_uid)) by = caller_;
    if (has_ended()) co_return ended();
    auto pending = PendingCreate::of_nonce(left.nonce, left.name, by, left.owner_uid);
    if (!pending) co_return std::move(pending.error());
    auto done = co_await client_.async_reconcile(std::move(*pending));
    if (has_ended()) co_return ended();
    if (!done && done.error().code() == errc::bad_value) {
        // The service does not keep the mark: no later look finds more, and a person has to.
        co_await look_for_suspects(left);
        co_return Result<void>();
    }
    if (!done && caller_.user_uid != by.user_uid)
        done.error().advice("rotate as the user who began that create, " + by.user_uid +
                            ", or by force(), which does not wait for it");
    if (!done) co_return std::move(done.error());
    for (auto const& uid : done->removed())
        note_deleted(uid);
    // No key bears the mark: none was made, or the service has dropped the mark, which looks the same.
    if (done->removed().empty() && done->not_removed().empty()) co_await look_for_suspects(left);
    // From here on the record has them by their uids, as other keys that are to be deleted.
    machine_->found_leftovers(done->not_removed());
    if (!problem_ && !done->not_removed().empty())
        problem_ = Error(errc::forbidden, "a key of an earlier attempt could not be deleted")
                       .key_uid(done->not_removed().front());
    co_return Result<void>();
}

// By the key that consumers use, or used before.
PALETTE_KEYS_INLINE asio::awaitable<bool> RotationDriver::sees_keys_of(std::string owner_uid) {
    if (caller_.user_uid == owner_uid) co_return true;
    auto const& current = machine_->contents().current;
    auto uid = current ? current->key_uid : machine_->record().old_uid;
    if (uid.empty()) co_return false;
    auto const key = co_await read(std::move(uid));
    co_return key && *key && (*key)->owner.uid == owner_uid;
}

PALETTE_KEYS_INLINE void RotationDriver::note_deleted(const std::string& uid) {
    if (uid == created_uid_)
        note("deleted key " + uid + " again");
    else
        note("deleted key " + uid + ", which an earlier attempt had made and nobody uses");
}

// A service that drops annotations hides what a create without an answer has made. Nothing proves then whose
// a key is, so it is not deleted, and named for a person.
PALETTE_KEYS_INLINE asio::awaitable<void> RotationDriver::look_for_suspects(Leftover left) {
    auto const keys = co_await client_.async_list(ListFilter().owner(left.owner_uid));
    if (keys) name_suspects(*keys, left);  // otherwise with the next look
}

PALETTE_KEYS_INLINE void RotationDriver::name_suspects(const KeyList& keys, const Leftover& left) {
    auto const& record = machine_->record();
    auto const& contents = machine_->contents();
    for (auto const& key : keys) {
        auto const is_in = [&](const std::optional<palette::lifecycle::Receipt>& value) {
            return value && value->key_uid == key.uid;
        };
        auto const is_known = key.uid == record.old_uid || key.uid == record.new_uid ||
                              is_in(contents.current) || is_in(contents.pending) || is_in(contents.previous);
        // Both times are the service's, and its machines may differ.
        auto const is_older =
            left.since && key.created && *key.created < *left.since - std::chrono::minutes(1);
        // A key with our annotation shows that the service keeps annotations: its mark would have been found.
        if (key.name == left.name && !is_older && !key.annotations.contains(slot_annotation) && !is_known)
            left_.push_back("look whether key " + key.uid +
                            " is what a create without an answer has made: it has the name, and no mark");
    }
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
