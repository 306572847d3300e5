// SPDX-License-Identifier: BSL-1.0
#pragma once

// The new key of a rotation, from its creation to its promotion: what it has to be, and when it is due
// itself.

#include <palette/impl/lifecycle/rotation/rotation_machine.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

PALETTE_KEYS_INLINE Instant RotationMachine::due_of(const ApiKey& key) const {
    auto const part = [this](std::chrono::milliseconds life) {
        return std::chrono::floor<std::chrono::milliseconds>(std::chrono::duration<double, std::milli>(life) *
                                                             options().renew_at());
    };
    auto const end = key.expiry.instant();
    // A key without an end is replaced all the same, as if it had the life that is asked for today.
    if (!end) return key.created.value_or(now_) + part(options().lifetime());
    // Of the life that the service gave, which may be less than what was asked for.
    auto const begin = key.created.value_or(*end - options().lifetime());
    // An expiry that was edited may lie before the creation.
    return begin + part(std::max(*end - begin, std::chrono::milliseconds(0)));
}

PALETTE_KEYS_INLINE void RotationMachine::created(std::string uid) {
    has_created_ = true;
    record_.new_uid = std::move(uid);
    record_.state = State::created;
    // The uid is in the store before the value leaves the memory: a kill from here on leaves a key that can
    // be named.
    save_then(&RotationMachine::stage);
}

PALETTE_KEYS_INLINE void RotationMachine::staged(palette::lifecycle::Receipt receipt) {
    contents_.pending = receipt;
    // What is current now is what the promotion may replace. Whoever promotes meanwhile makes it fail.
    record_.expected_current.reset();
    if (contents_.current) record_.expected_current = contents_.current->generation;
    record_.receipt = std::move(receipt);
    record_.state = State::staged;
    save_then(&RotationMachine::prove);
}

PALETTE_KEYS_INLINE std::optional<Error> RotationMachine::fault_of_successor(const ApiKey& key) const {
    auto const fault = [&](errc code, std::string what) {
        return Error(code, std::move(what)).key_uid(key.uid).effect(Effect::applied);
    };
    if (key.owner.uid != record_.owner_uid)
        return fault(errc::conflict, "the new key is another user's than asked for");
    if (key.state(now_) != KeyState::active) return fault(errc::conflict, "the new key is not active");
    auto const end = key.expiry.instant();
    if (!end) return std::nullopt;
    // It would end before the old key is revoked.
    if (*end - now_ <= options().overlap())
        return fault(errc::conflict, "the service gave the new key a shorter life, until " +
                                         key.expiry.to_string() + ", than the overlap takes");
    // A service that shortens lives would make each rotation due at once, and the next one too.
    if (!record_.old_expiry.is_never() && key.expiry <= record_.old_expiry)
        return fault(errc::conflict, "the new key would not outlive the old one: it ends at " +
                                         key.expiry.to_string() + ", the old one at " +
                                         record_.old_expiry.to_string());
    return std::nullopt;
}

PALETTE_KEYS_INLINE void RotationMachine::proved(const ApiKey& key) {
    has_proved_ = true;
    switch (record_.state) {
        case State::staged:
        case State::proven:
            if (auto fault = fault_of_successor(key)) {
                refusal_ = std::move(fault);
                abandon(Outcome::failed);
                // Where the service gives less than was asked for, the next key outlives the old one only
                // when that has no more than such a life left.
                if (auto const end = key.expiry.instant(); end && record_.old_expiry.instant())
                    record_.retry_at =
                        std::max(*record_.retry_at, *record_.old_expiry.instant() - (*end - now_) / 2);
                return;
            }
            record_.due = due_of(key);
            record_.proven_at = now_;
            record_.proofs_failed = 0;
            record_.state = State::proven;
            return save_then(&RotationMachine::promote);
        case State::overlap:
            // The hook has failed, and force() has had the key proved all the same: the key works, so only
            // the hook is left to do.
            if (options().hook() && !record_.hook_done) {
                note_failure();
                return finish_with(Outcome::failed, record_.retry_at);
            }
            // Proved by force before its time: consumers keep the overlap that they were given.
            if (now_ < record_.overlap_until.value_or(now_))
                return finish_with(Outcome::in_progress, record_.overlap_until);
            record_.has_revoked_old = true;  // or is about to
            // In the store before the request: after a kill, only a revocation of this rotation is ever
            // undone.
            return save_then(&RotationMachine::revoke);
        case State::revoked:
            if (options().retire() == palette::lifecycle::Retire::revoke) return complete();
            record_.quarantine_until = now_ + options().quarantine();
            // One that had ended before the rotation began was no way back.
            if (record_.old_expiry < Expiry::at(*record_.quarantine_until) &&
                record_.old_expiry > Expiry::at(record_.proven_at.value_or(now_)))
                left_.push_back("there is no way back once the old key has expired, at " +
                                record_.old_expiry.to_string() + ", before its quarantine ends");
            record_.state = State::quarantine;
            return save_then(&RotationMachine::go_on_in_quarantine);
        case State::idle:
        case State::planned:
        case State::created:
        case State::quarantine:
            break;
    }
    finish();
}

PALETTE_KEYS_INLINE void RotationMachine::was_promoted() {
    has_created_ = false;
    // A later reading of the sink takes it from here.
    record_.new_uid =
        contents_.current && is_ours(contents_.current) ? contents_.current->key_uid : record_.new_uid;
    forget_failures();
    // Counted from now also after a kill in between: consumers are given the whole overlap.
    record_.overlap_until = now_ + options().overlap();
    if (!record_.broken_uid.empty()) {
        Leftover left;
        left.uid = std::exchange(record_.broken_uid, {});
        left.next_at = *record_.overlap_until;  // somebody may have re-activated it meanwhile
        record_.leftovers.push_back(std::move(left));
    }
    record_.state = State::overlap;
    save_then(&RotationMachine::go_on_in_overlap);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
