// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/expiry.hpp>
#include <palette/impl/lifecycle/rotation/rotation_machine.hpp>

#include <algorithm>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

PALETTE_KEYS_INLINE RotationMachine::RotationMachine(std::string slot,
                                                     palette::lifecycle::RotateOptions options,
                                                     std::optional<RotationRecord> loaded)
    : options_(std::move(options)) {
    if (loaded) record_ = std::move(*loaded);
    record_.slot = std::move(slot);
}

// --- where a run begins --------------------------------------------------------------------------

PALETTE_KEYS_INLINE void RotationMachine::identified(const Identity& caller) {
    caller_ = caller;
    // In another tenant no key of the record exists, and a key that does not exist counts as deleted.
    if (!record_.tenant_uid.empty() && record_.tenant_uid != caller.tenant_uid)
        return end_because(
            Error(errc::conflict, "the record of the slot is of another tenant than the client's credential")
                .path("tenantUid")
                .advice("use a credential of that tenant, or another slot"));
    // Whoever asks for another user's key takes what is in the sink for it.
    if ((record_.state != State::idle || !record_.broken_uid.empty()) && !is_for(record_.owner_uid))
        return end_for_another_user(record_.new_uid);
    read_sink();
}

PALETTE_KEYS_INLINE bool RotationMachine::is_for(const std::string& owner_uid) const noexcept {
    return options().for_user().empty() || options().for_user() == owner_uid;
}

PALETTE_KEYS_INLINE void RotationMachine::end_for_another_user(const std::string& key_uid) {
    end_because(Error(errc::conflict, "the key of the slot is another user's than for_user()")
                    .key_uid(key_uid)
                    .advice("use another slot for another user"));
}

PALETTE_KEYS_INLINE bool RotationMachine::is_ours(
    const std::optional<palette::lifecycle::Receipt>& value) const noexcept {
    return value && !record_.rotation_id.empty() && value->rotation_id == record_.rotation_id;
}

PALETTE_KEYS_INLINE void RotationMachine::saw_sink(palette::lifecycle::SinkContents contents) {
    contents_ = std::move(contents);
    auto const& current = contents_.current;
    auto& pending = contents_.pending;
    // A promotion that was cut short may have left the value in both places: it is the current one.
    if (pending && current && pending->generation == current->generation &&
        pending->rotation_id == current->rotation_id)
        pending.reset();
    decide();
}

// The record says what was about to be done, and the sink what was.
PALETTE_KEYS_INLINE void RotationMachine::decide() {
    switch (record_.state) {
        case State::idle:
            return begin_or_wait();
        case State::planned:
        case State::created:
        case State::staged:
        case State::proven:
            // A kill came between the promotion and the save that would have told of it.
            if (is_ours(contents_.current)) return was_promoted();
            // The value was in the memory of a process that is gone.
            if (!is_ours(contents_.pending)) return restart();
            if (has_reread_) {  // the promotion was not done
                note_failure();
                return finish_with(Outcome::failed, record_.retry_at);
            }
            record_.receipt = contents_.pending;
            record_.new_uid = contents_.pending->key_uid;
            // What is current now is what the promotion may replace. Whoever promotes meanwhile makes it
            // fail.
            record_.expected_current.reset();
            if (contents_.current)
                record_.expected_current = contents_.current->generation;
            else if (!record_.old_uid.empty() && record_.broken_uid.empty())
                left_.push_back("look whether anybody uses the key " + record_.old_uid +
                                ", whose value was taken out of the sink: it is the old key now");
            record_.state = State::staged;
            // However long ago it was proved: what is promoted works now.
            return save_then(&RotationMachine::prove);
        case State::overlap:
        case State::revoked:
        case State::quarantine:
            break;
    }
    if (!is_ours(contents_.current)) {
        // A store that does not compare, or somebody who wrote to the sink: which key its consumers use is
        // not known here, so none is revoked.
        left_.push_back("look which key the consumers of the slot use; the rotation knows " +
                        record_.old_uid + " and " + record_.new_uid);
        if (!options().force()) {
            if (!contents_.current) {
                current_uid_ = record_.new_uid;
                step_ = Step::read_current;
                return;
            }
            return end_because(
                Error(errc::conflict, "the sink's current value is not the one that this rotation promoted")
                    .advice("nothing was revoked; force() begins a new rotation"));
        }
        record_.state = State::idle;
        return save_then(&RotationMachine::begin_or_wait);
    }
    // Whether the new key works decides about the old one, which is revoked already: before all else.
    if (record_.state == State::revoked) return prove();
    // Before a pause of days, so that what is left over does not wait for its end.
    if (find_leftover()) {
        step_ = Step::clean;
        return;
    }
    if (record_.state == State::overlap) return go_on_in_overlap();
    go_on_in_quarantine();
}

// --- before a rotation ---------------------------------------------------------------------------

PALETTE_KEYS_INLINE void RotationMachine::begin_or_wait() {
    // First of all: a slot has three keys at most, and the next one needs the room.
    if (find_leftover()) {
        step_ = Step::clean;
        return;
    }
    if (contents_.pending) {
        // Of a rotation whose record is gone, or that was given up. Nobody reads it; it must not stand in the
        // way of the next for ever.
        auto const& uid = contents_.pending->key_uid;
        auto const is_known =
            std::ranges::any_of(record_.leftovers, [&](const Leftover& left) { return left.uid == uid; });
        // What was tried in this run is not written down once more, which would go round for ever.
        auto const is_clean = std::ranges::find(cleaned_, uid) != cleaned_.end();
        if (!uid.empty() && !is_known && !is_clean) {
            Leftover left;
            left.uid = uid;
            left.next_at = Instant{};  // at once
            record_.leftovers.push_back(std::move(left));
            return save_then(&RotationMachine::begin_or_wait);
        }
        // The value after its key: until the key is gone, the value is what names it.
        step_ = Step::discard_stale;
        return;
    }
    // A rotation that has failed is not begun anew in the same call, for its backoff counts from now.
    if (ends_after_cleaning_) return finish();
    if (!contents_.current) return begin_empty();
    // A value that was put there by hand has no uid in the sink: a person has to tell it.
    current_uid_ = contents_.current->key_uid.empty() ? options().current_key() : contents_.current->key_uid;
    if (!record_.broken_uid.empty() && record_.broken_uid != current_uid_) {
        // Somebody else has put a value there meanwhile.
        forget_broken();
    }
    if (current_uid_.empty()) return end_for_unknown_value();
    step_ = Step::read_current;
}

// A value that was promoted, and that somebody has taken out of the sink, may be in use where it is now.
PALETTE_KEYS_INLINE void RotationMachine::begin_empty() {
    if (promoted_uid().empty() || !record_.broken_uid.empty()) return plan();
    current_uid_ = promoted_uid();
    step_ = Step::read_current;
}

PALETTE_KEYS_INLINE void RotationMachine::end_for_unknown_value() {
    if (promoted_uid().empty())
        return end_because(Error(errc::conflict, "the sink holds a key whose uid is not known")
                               .advice("give its uid: RotateOptions::current_key()"));
    end_because(
        Error(errc::conflict,
              "the sink does not know what it holds as the value of this key, which was stored")
            .key_uid(promoted_uid())
            .advice(
                "put the value back, and what the sink keeps beside it, such as the .json of a file; or give "
                "the uid of the key that is there, RotateOptions::current_key(), and replace it by force()"));
}

PALETTE_KEYS_INLINE void RotationMachine::end_for_taken_value(const std::string& key_uid) {
    end_because(Error(errc::conflict, "the sink is empty, and had the value of this key")
                    .key_uid(key_uid)
                    .advice("put the value back, or make another key by force(); this one stays, for "
                            "whoever has taken its value may use it"));
}

PALETTE_KEYS_INLINE void RotationMachine::saw_taken(const std::optional<ApiKey>& key) {
    auto const is_idle = record_.state == State::idle;
    if (!key && is_idle) return plan();
    if (key && !is_for(key->owner.uid)) return end_for_another_user(current_uid_);
    auto const works = key && key->state(now_) == KeyState::active;
    if (!options().force() && works) return end_for_taken_value(current_uid_);
    // To put the value back would not help.
    if (!options().force())
        return end_because(
            Error(errc::conflict, key ? "the sink is empty, and the key whose value it had is "
                                        "revoked or has expired"
                                      : "the sink is empty, and the key whose value it had "
                                        "does not exist any more")
                .key_uid(current_uid_)
                .advice("that may be somebody's answer to an incident; force() makes another"));
    left_.push_back("look whether anybody uses the key " + current_uid_);
    plan();
}

PALETTE_KEYS_INLINE void RotationMachine::saw_current(const std::optional<ApiKey>& key) {
    if (!contents_.current && record_.broken_uid.empty()) return saw_taken(key);
    // The old key, which is to be retired, is the one before this one.
    if (!record_.broken_uid.empty()) return draw();
    auto const works = key && key->state(now_) == KeyState::active;
    if (!works && !options().force())
        return end_because(
            Error(errc::conflict, key ? "the current key of the slot is revoked or has expired"
                                      : "the current key of the slot does not exist any more")
                .key_uid(current_uid_)
                .advice("that may be somebody's answer to an incident; force() replaces the key"));
    // One that works, or that force() is about to replace.
    if (record_.state == State::quarantine)
        return finish_with(Outcome::in_progress, earliest(record_.quarantine_until));
    if (key) {
        if (!is_for(key->owner.uid)) return end_for_another_user(current_uid_);
        record_.due = due_of(*key);
        if (!options().force() && now_ < *record_.due) return finish_with(Outcome::not_due, record_.due);
    }
    record_.old_uid = key ? current_uid_ : "";
    // A key that does not work has no life which its successor would have to outlive.
    record_.old_expiry = key && works ? key->expiry : Expiry::at(now_);
    record_.key_name = !options().key_name().empty() ? options().key_name() : key ? key->name : record_.slot;
    record_.owner_uid = key ? key->owner.uid : options().for_user();
    draw();
}

// For a slot that is empty.
PALETTE_KEYS_INLINE void RotationMachine::plan() {
    if (!record_.broken_uid.empty()) forget_broken();
    record_.old_uid.clear();
    record_.old_expiry = Expiry::at(now_);
    record_.key_name = options().key_name().empty() ? record_.slot : options().key_name();
    record_.owner_uid = options().for_user();
    draw();
}

PALETTE_KEYS_INLINE void RotationMachine::draw() {
    auto const is_forced = options().force();
    // The backoff is in the record, so that it holds for a cron job that runs each minute as well.
    if (!is_forced && record_.retry_at && now_ < *record_.retry_at) {
        // Nothing serves meanwhile, and whoever asked for the first key must not take it for there.
        if (!contents_.current)
            refusal_ =
                Error(errc::conflict, "the slot is empty, and an attempt to fill it has just failed" +
                                          (record_.why_failed.empty() ? "" : ": " + record_.why_failed))
                    .advice("call again after " + Expiry::at(*record_.retry_at).to_string() +
                            ", or with force()");
        finish_with(Outcome::not_due, record_.retry_at);
    } else if (!is_forced && has_key_left()) {
        note_failure();
        if (cleaned_.empty())  // else the driver knows why
            refusal_ = Error(errc::conflict,
                             "a key that was given up may still exist, and no other is created before it is "
                             "deleted")
                           .advice("delete what Rotation::left names, or let the credential do it");
        finish_with(Outcome::failed, record_.retry_at);
    } else {
        step_ = Step::draw;
    }
}

PALETTE_KEYS_INLINE void RotationMachine::drew(std::string rotation_id, std::string nonce) {
    // Nothing of the rotation before may look like a part of this one: after a kill, the state and the id of
    // the record alone tell which value and which key are whose.
    has_drawn_ = true;
    record_.tenant_uid = caller_.tenant_uid;
    record_.user_uid = caller_.user_uid;
    record_.org_name = caller_.org_name;
    if (record_.owner_uid.empty()) record_.owner_uid = caller_.user_uid;
    record_.rotation_id = std::move(rotation_id);
    record_.nonce = std::move(nonce);
    record_.drawn_at = now_;
    record_.new_uid.clear();
    record_.receipt.reset();
    record_.expected_current.reset();
    record_.proven_at.reset();
    record_.hook_done = false;
    record_.has_revoked_old = false;
    record_.overlap_until.reset();
    record_.quarantine_until.reset();
    record_.proofs_failed = 0;
    record_.state = State::planned;
    // The nonce is in the store before the first request, since after a kill nothing else finds the key.
    save_then(&RotationMachine::create);
}

// --- the old key ---------------------------------------------------------------------------------

PALETTE_KEYS_INLINE void RotationMachine::go_on_in_overlap() {
    // Before the time is looked at: a consumer that was not told uses the old key, however old the promotion
    // is.
    if (options().hook() && !record_.hook_done) {
        step_ = Step::call_hook;
        return;
    }
    if (record_.old_uid.empty() || options().retire() == palette::lifecycle::Retire::keep) return complete();
    // By force the new key is tried at once: a person may know that it does not work.
    if (now_ < record_.overlap_until.value_or(now_) && (!options().force() || has_drawn_))
        return finish_with(Outcome::in_progress, record_.overlap_until);
    prove();
}

// Somebody else has emptied the sink, or put another value there, while a broken key was to be replaced.
PALETTE_KEYS_INLINE void RotationMachine::forget_broken() {
    left_.push_back("look whether anybody uses the key " + record_.old_uid);
    Leftover left;
    left.uid = std::exchange(record_.broken_uid, {});
    left.next_at = now_ + options().overlap();
    left.is_revoked = true;  // one that works by then is not deleted, and stands in nobody's way
    record_.leftovers.push_back(std::move(left));
    is_dirty_ = true;
}

// The key that consumers read does not work, and the one that it has replaced still does, or nothing does:
// that one stays the old key until another successor is promoted.
PALETTE_KEYS_INLINE void RotationMachine::replace_broken() {
    record_.broken_uid = record_.new_uid;
    current_uid_ = record_.new_uid;
    step_ = Step::read_current;
}

PALETTE_KEYS_INLINE void RotationMachine::go_on_in_quarantine() {
    auto const is_over = now_ >= record_.quarantine_until.value_or(now_);
    // By force, that of the rotation before ends, and not that of the one that was begun by force.
    auto const is_cut_short = options().force() && !has_drawn_;
    // A slot has three keys at most.
    if (is_over || is_due() || is_cut_short) {
        step_ = Step::read_old;
    } else if (has_proved_) {
        finish_with(Outcome::in_progress, earliest(record_.quarantine_until));
    } else {
        // In these days nobody else looks at the key that consumers use.
        current_uid_ = record_.new_uid;
        step_ = Step::read_current;
    }
}

PALETTE_KEYS_INLINE void RotationMachine::saw_old(const std::optional<ApiKey>& key) {
    // Deleted by hand, or by a run that was killed before it had written that down.
    if (!key) {
        step_ = contents_.previous ? Step::drop_previous : Step::finish;
        if (step_ == Step::finish) complete();
        return;
    }
    if (key->is_active) {
        left_.push_back("the old key " + record_.old_uid +
                        " was re-activated, so it is not deleted: whoever did that decides about it");
        return complete();
    }
    step_ = Step::remove_old;
}

PALETTE_KEYS_INLINE void RotationMachine::found_revoked() {
    // What this rotation has not revoked, it does not re-activate.
    record_.has_revoked_old = false;
    record_.state = State::revoked;
    save_then(&RotationMachine::prove);
}

PALETTE_KEYS_INLINE void RotationMachine::complete() {
    record_.state = State::idle;
    forget_failures();
    outcome_ = Outcome::completed;
    save_then(&RotationMachine::next_or_finish);
}

// A rotation that became due while the old key was in quarantine, or that is forced, begins in the same call.
PALETTE_KEYS_INLINE void RotationMachine::next_or_finish() {
    if (!has_drawn_ && (is_due() || options().force())) return read_sink();
    next_due_ = record_.due;
    finish();
}

PALETTE_KEYS_INLINE std::optional<Instant> RotationMachine::earliest(std::optional<Instant> time) const {
    if (record_.due && (!time || *record_.due < *time)) time = record_.due;
    return time;
}

// --- how a run ends ------------------------------------------------------------------------------

PALETTE_KEYS_INLINE void RotationMachine::finish_with(Outcome outcome, std::optional<Instant> next_due) {
    outcome_ = outcome;
    next_due_ = next_due;
    finish();
}

PALETTE_KEYS_INLINE void RotationMachine::finish() {
    // What was noted on the way, such as a backoff, is written here. A record that another rotation writes is
    // left alone.
    if (is_dirty_ && !record_is_lost_) return save_then(&RotationMachine::finish);
    if (outcome_ == Outcome::failed && !next_due_) next_due_ = record_.retry_at;
    // A leftover may be due before the rotation is, and somebody has to call for it.
    if (outcome_ != Outcome::failed && !record_is_lost_)
        for (auto const& left : record_.leftovers)
            if (auto const look = std::max(left.next_at, now_); !next_due_ || look < *next_due_)
                next_due_ = look;
    // What another rotation writes is for that one to say: a key that was left over here may be in use there.
    if (outcome_ != Outcome::lost_race || !record_is_lost_) say_leftovers();
    step_ = Step::finish;
}

PALETTE_KEYS_INLINE void RotationMachine::save_then(Go go) {
    after_save_ = go;
    step_ = Step::save;
}

PALETTE_KEYS_INLINE void RotationMachine::succeeded() {
    switch (step_) {
        case Step::save:
            is_dirty_ = false;
            return (this->*after_save_)();
        case Step::clean:
            return cleaned(true);
        case Step::discard_stale:
            return go_on_without_stale();
        case Step::promote:
            // As a look at the sink would say, which costs the run of a program with some sinks.
            contents_.previous = contents_.current;
            contents_.current = record_.receipt;
            contents_.pending.reset();
            return was_promoted();
        case Step::call_hook:
            record_.hook_done = true;
            return save_then(&RotationMachine::go_on_in_overlap);
        case Step::revoke:
            // Consumers depend on the new key alone from here on. The proof that follows decides whether the
            // old one is re-activated.
            record_.state = State::revoked;
            return save_then(&RotationMachine::prove);
        case Step::reactivate:
            record_.has_revoked_old = false;
            is_dirty_ = true;
            return finish_with(Outcome::failed, record_.overlap_until);
        case Step::remove_old:
            // The value after its key: as long as the key could be re-activated, it was the way back.
            if (!contents_.previous) return complete();
            step_ = Step::drop_previous;
            return;
        case Step::drop_previous:
            return complete();
        case Step::discard:
            step_ = Step::remove_new;
            return;
        default:
            return finish();
    }
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
