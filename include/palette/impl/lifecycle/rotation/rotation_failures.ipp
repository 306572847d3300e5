// SPDX-License-Identifier: BSL-1.0
#pragma once

// What the machine of a rotation does about a step that has failed.

#include <palette/impl/lifecycle/rotation/rotation_machine.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

// What was begun and cannot be finished is left behind in the record, and cleaned up.
PALETTE_KEYS_INLINE void RotationMachine::leave_behind() {
    auto const add = [this](Leftover left) {
        // At once, also for a next run whose clock is a second behind this one's.
        left.next_at = Instant{};
        record_.leftovers.push_back(std::move(left));
    };
    if (!record_.new_uid.empty()) {
        Leftover left;
        left.uid = record_.new_uid;
        add(std::move(left));
    }
    // A create that was not answered may have made keys besides.
    Leftover left;
    left.nonce = record_.nonce;
    left.name = record_.key_name;
    left.owner_uid = record_.owner_uid;
    left.since = record_.drawn_at;
    if (record_.new_uid.empty() && !record_.nonce.empty()) add(std::move(left));
    // In one save with the leftovers: at no time does the record lack a key that may exist.
    record_.new_uid.clear();
    record_.receipt.reset();
    record_.state = State::idle;
}

PALETTE_KEYS_INLINE void RotationMachine::note_failure() {
    using namespace std::chrono_literals;
    is_dirty_ = true;
    ++record_.failures;
    record_.why_failed = refusal_ ? refusal_->what() : why_;
    // A minute, doubled with each failure, up to six hours. The count has no bound, and a shift by it would
    // overflow.
    auto const wait =
        record_.failures > 9 ? 6h : std::chrono::milliseconds(1min) * (1 << (record_.failures - 1));
    record_.retry_at = now_ + std::min<std::chrono::milliseconds>(wait, 6h);
}

PALETTE_KEYS_INLINE void RotationMachine::forget_failures() {
    record_.failures = 0;
    record_.retry_at.reset();
    record_.why_failed.clear();
}

PALETTE_KEYS_INLINE void RotationMachine::abandon(Outcome why) {
    leave_behind();
    note_failure();
    // The record names the key from here on. Who loses the record later has nothing to delete.
    has_created_ = false;
    outcome_ = why;
    ends_after_cleaning_ = true;
    // Whether a value was staged, only the sink knows.
    save_then(&RotationMachine::read_sink);
}

// After a kill: the value is lost, and another key is created in its place.
PALETTE_KEYS_INLINE void RotationMachine::restart() {
    leave_behind();
    save_then(&RotationMachine::begin_or_wait);
}

// Another rotation has taken the slot over, and writes the record.
PALETTE_KEYS_INLINE void RotationMachine::lose() {
    record_is_lost_ = true;
    is_dirty_ = false;
    outcome_ = Outcome::lost_race;
    // Only the run that created a key may delete it, and only before it is promoted.
    if (!has_created_ || record_.new_uid.empty()) return finish();
    step_ = Step::read_record;
}

PALETTE_KEYS_INLINE void RotationMachine::saw_record(const std::optional<RotationRecord>& record) {
    // Whoever goes on with this very rotation promotes the key or deletes it, and whoever came after that one
    // replaces it: consumers may use it by now.
    auto const& uid = record_.new_uid;
    if (record && (record->new_uid == uid || record->old_uid == uid)) return finish();
    // The value before the key: a sink that refuses, because the value is current by now, saves the key.
    step_ = record_.receipt ? Step::discard : Step::remove_new;
}

PALETTE_KEYS_INLINE void RotationMachine::end_because(Error refusal) {
    refusal_ = std::move(refusal);
    finish_with(Outcome::failed, std::nullopt);
}

PALETTE_KEYS_INLINE void RotationMachine::failed(Failure why, const std::string& uid) {
    switch (step_) {
        case Step::save:
            if (why == Failure::lost) return lose();
            // The disk says what it said before, and the next run goes by that. A key whose uid it does not
            // have is deleted while it is known.
            is_dirty_ = false;
            record_is_lost_ = true;
            outcome_ = Outcome::failed;
            next_due_.reset();  // what is not written down is to be done again
            if (record_.state == State::created && has_created_) {
                step_ = Step::remove_new;
                return;
            }
            return finish();
        case Step::clean:
            return cleaned(false);
        case Step::create:
            // A refusal proves that no key was made, and nothing is left behind. Without that proof there may
            // be one.
            if (!uid.empty()) record_.new_uid = uid;
            if (why == Failure::unknown || !uid.empty())
                leave_behind();
            else
                record_.state = State::idle;
            note_failure();
            return finish_with(Outcome::failed, record_.retry_at);
        case Step::stage:
            return abandon(Outcome::failed);
        case Step::prove:
            // Only what this rotation has revoked: a person may have had a reason to revoke it.
            if (record_.has_revoked_old && why == Failure::refused) {
                // The old key serves for an hour more, in which a person may look at the new one, before that
                // is proved once more.
                record_.overlap_until = now_ + std::chrono::hours(1);
                record_.state = State::overlap;
                return save_then(&RotationMachine::reactivate);
            }
            // Consumers read a key that is refused, which may be somebody's answer to an incident. Nothing is
            // replaced unless a person says so.
            if (record_.state == State::revoked && why == Failure::refused) {
                if (options().force() && !has_drawn_) return replace_broken();
                left_.push_back("replace the key " + record_.new_uid +
                                ", which does not work, by force(); somebody has revoked the old key " +
                                record_.old_uid);
            }
            if (record_.state == State::overlap && why == Failure::refused && !record_.old_uid.empty()) {
                if (options().force() && !has_drawn_) return replace_broken();
                left_.push_back("replace the key " + record_.new_uid +
                                ", which does not work, by force(); the old key " + record_.old_uid +
                                " was not revoked");
            }
            if (record_.state == State::staged || record_.state == State::proven) {
                // A value that is bad stays bad: it is not tried for ever.
                if (why == Failure::refused || ++record_.proofs_failed >= 3) return abandon(Outcome::failed);
            }
            break;
        case Step::promote:
            // Another value was promoted after this run had read the sink: nobody will use the new key.
            if (why == Failure::lost) return abandon(Outcome::lost_race);
            if (why == Failure::refused) return abandon(Outcome::failed);
            // Once: a sink that goes on to hold the value as pending would be asked for ever.
            has_reread_ = true;
            return read_sink();
        case Step::revoke:
            // What was surely not done here is not undone later: somebody else may revoke it.
            if (why != Failure::unknown) record_.has_revoked_old = false;
            left_.push_back("revoke the old key " + record_.old_uid);
            break;
        case Step::reactivate:
            // The old one may have expired meanwhile. Then another key is all that helps.
            if (options().force() && !has_drawn_) return replace_broken();
            left_.push_back("re-activate the old key " + record_.old_uid + ": the new one does not work");
            break;
        case Step::remove_old:
            // The current key must not end while it waits for a deletion that the service refuses.
            if (must_go_on()) {
                Leftover left;
                left.uid = record_.old_uid;
                left.next_at = now_ + std::chrono::hours(1);
                left.is_revoked = true;
                record_.leftovers.push_back(std::move(left));
                return complete();
            }
            left_.push_back("delete the old key " + record_.old_uid + ", which is revoked");
            break;
        case Step::read_record:
            left_.push_back("delete the key " + record_.new_uid +
                            " unless the slot uses it, which is not known");
            return finish();
        case Step::discard:
            // The sink says that consumers use it.
            if (why == Failure::refused) return finish();
            step_ = Step::remove_new;
            return;
        case Step::remove_new:
            left_.push_back("delete the key " + record_.new_uid + ", whose value nobody has");
            return finish();
        case Step::call_hook:
            // A hook may fail because the new key does not work: by force that is looked at all the same.
            if (options().force() && !has_drawn_ && !record_.old_uid.empty()) return prove();
            break;
        // Nor for a sink that does not let go of a value whose key is deleted.
        case Step::discard_stale:
            if (must_go_on()) return go_on_without_stale();
            break;
        case Step::drop_previous:
            if (must_go_on()) return complete();
            break;
        default:
            // A look that failed has changed nothing, and costs nothing to repeat.
            return finish_with(Outcome::failed, record_.retry_at);
    }
    note_failure();
    finish_with(Outcome::failed, record_.retry_at);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
