// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/lifecycle/gone.hpp>
#include <palette/impl/lifecycle/plans/apply_machine.hpp>
#include <palette/impl/lifecycle/plans/plan_rules.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

PALETTE_KEYS_INLINE ApplyMachine::ApplyMachine(const Plan& plan, const ApplyOptions& options)
    : plan_(plan),
      options_(options) {
    items_.reserve(plan.items.size());
    for (auto const& seen : plan.items) {
        Item item;
        item.seen = &seen;
        item.step = first_step();
        // A copy, since the guard of the own key is judged anew by the credential of the run.
        item.guards = seen.guards;
        item.report.uid = seen.uid;
        item.report.name = seen.name;
        items_.push_back(std::move(item));
    }
}

// With a quarantine, a key is revoked before it is deleted.
PALETTE_KEYS_INLINE ActionKind ApplyMachine::first_step() const noexcept {
    return plan_.quarantine ? ActionKind::revoke : plan_.action.kind();
}

PALETTE_KEYS_INLINE void ApplyMachine::compare(const KeyList& keys) {
    needs_list_ = false;
    std::map<std::string_view, const ApiKey*> found;
    for (auto const& key : keys)
        found.emplace(key.uid, &key);
    for (auto& item : items_) {
        if (!is_open(item)) continue;
        auto const key = found.find(item.seen->uid);
        // A list may leave out a key that there is: it is read before it counts as gone.
        item.is_unlisted = key == found.end();
        if (!item.is_unlisted) compare(item, key->second->deleted ? nullptr : key->second);
    }
}

PALETTE_KEYS_INLINE std::vector<std::size_t> ApplyMachine::missing() const {
    std::vector<std::size_t> numbers;
    for (std::size_t i = 0; i < items_.size(); ++i)
        if (is_open(items_[i]) && items_[i].is_unlisted) numbers.push_back(i);
    return numbers;
}

PALETTE_KEYS_INLINE void ApplyMachine::confirm(std::size_t number, const Result<ApiKey>& read) {
    auto& item = items_[number];
    item.is_unlisted = false;
    if (read) return compare(item, read->deleted ? nullptr : &*read);
    if (says_gone(read.error())) return compare(item, nullptr);
    // What could not be read is not known to be gone: the next run looks again.
    auto const is_in_doubt = item.state == State::in_doubt && !item.was_missing;
    fail(item, read.error(), is_in_doubt ? BulkOutcome::unknown : BulkOutcome::failed);
}

PALETTE_KEYS_INLINE bool ApplyMachine::is_done(const Item& item, const ApiKey& key) const {
    // By the step and not by the action: with a quarantine, a deletion begins with a revocation.
    if (item.step == ActionKind::revoke) return !key.is_active;
    return is_as_wanted(plan_.action, item.seen->target, key);
}

// How the key differs from what the plan saw; empty if it does not.
PALETTE_KEYS_INLINE std::string ApplyMachine::drift_of(const Item& item, const ApiKey& key) const {
    auto const& seen = *item.seen;
    if (key.owner.uid != seen.owner.uid) return "its owner is " + detail::printable(key.owner.uid);
    if (key.expiry != seen.expiry)
        return "it expires " + key.expiry.to_string() + " instead of " + seen.expiry.to_string();
    // Without a look at the time of its modification, which our own revocation has moved.
    if (is_second_step(item))
        return key.is_active ? "somebody has re-activated it in its quarantine, so that it is in use" : "";
    if (key.is_active != seen.is_active)
        return key.is_active ? "somebody has re-activated it" : "somebody has revoked it";
    if (key.name != seen.name) return "its name is " + detail::in_quotes(key.name);
    if (key.modified != seen.modified) return "somebody has modified it";
    return {};
}

PALETTE_KEYS_INLINE void ApplyMachine::compare(Item& item, const ApiKey* key) {
    auto const was_begun = item.state == State::in_doubt;
    if (key == nullptr) {
        // The 404 of the change told the truth, and was no failure.
        item.report.error.reset();
        if (item.step != ActionKind::remove)
            return decide(item, BulkOutcome::drifted, "is left alone: it does not exist any more");
        if (!was_begun || item.was_missing)
            return decide(item, BulkOutcome::already, "does not exist any more");
        return decide(item, BulkOutcome::done, "was deleted by an earlier run, which was interrupted");
    }
    // The key is there, and the change met a 404 nevertheless: the service has refused the credential (W12).
    if (item.was_missing) return fail(item, Error(*item.report.error), BulkOutcome::failed);
    if (is_done(item, *key)) {
        auto const outcome = was_begun ? BulkOutcome::done : BulkOutcome::already;
        auto* const sentence =
            was_begun ? "was found done, by an earlier run that was interrupted" : "is as the plan wants it";
        if (plan_.quarantine) return revoked(item, outcome, sentence);
        return decide(item, outcome, sentence);
    }
    // Nobody has decided yet that a key that needed nothing is to be changed.
    auto drift = drift_of(item, *key);
    if (drift.empty() && item.seen->step == PlanItem::Step::already) drift = "it has changed";
    if (!drift.empty())
        return decide(item, BulkOutcome::drifted,
                      "is left alone, for it is not as the plan saw it: " + drift);
    if (auto const guards = blocking_guards(item); !guards.empty())
        return decide(item, BulkOutcome::guarded, "is left alone, for a guard speaks for it: " + guards);
    item.state = State::waiting;
}

// What a later run may still want to change, it needs the credential for.
inline bool is_good_end(BulkOutcome outcome) noexcept {
    return is_final(outcome) || outcome == BulkOutcome::skipped;
}

PALETTE_KEYS_INLINE bool ApplyMachine::is_in_quarantine(const Item& item) const noexcept {
    // A key that this run has revoked still has the first step, and one of an earlier run the second.
    return item.state == State::decided && item.revoked_at &&
           (item.step == ActionKind::revoke || now_ < *item.revoked_at + *plan_.quarantine);
}

// The own key is revoked while others are in quarantine, for that is its first step as well.
PALETTE_KEYS_INLINE bool ApplyMachine::may_do_own_key(ActionKind step) const noexcept {
    // Last and alone, for the credential may not be accepted any more afterwards.
    return under_way_ == 0 && std::ranges::all_of(items_, [&](const Item& item) {
               if (item.is_own) return true;
               if (item.state != State::decided || !is_good_end(item.report.outcome)) return false;
               return step == first_step() || !is_in_quarantine(item);
           });
}

PALETTE_KEYS_INLINE std::vector<ApplyStep> ApplyMachine::next() {
    std::vector<ApplyStep> steps;
    if (is_stopped()) return steps;
    // In batches, since each costs a write to the disk that is waited for; half of them are always under way.
    auto const limit = options_.max_under_way();
    if (under_way_ > limit / 2) return steps;
    for (; next_ < items_.size() && under_way_ + steps.size() < limit; ++next_) {
        auto const& item = items_[next_];
        if (item.state == State::waiting && !item.is_own) steps.push_back({next_, item.step});
    }
    if (!steps.empty()) return steps;
    for (std::size_t i = 0; i < items_.size(); ++i) {
        auto const& item = items_[i];
        if (item.is_own && item.state == State::waiting && may_do_own_key(item.step))
            steps.push_back({i, item.step});
    }
    return steps;
}

PALETTE_KEYS_INLINE void ApplyMachine::begun(const ApplyStep& step) {
    // When the operation was started, and not before: one whose start has thrown is not waited for.
    items_[step.item].state = State::under_way;
    ++under_way_;
}

PALETTE_KEYS_INLINE void ApplyMachine::revoked(Item& item, BulkOutcome outcome, std::string sentence) {
    item.revoked_at = now_;
    decide(item, outcome, std::move(sentence) + "; in quarantine until " + due_words(item));
}

inline std::string past_of(ActionKind kind) {
    switch (kind) {
        case ActionKind::revoke:
            return "was revoked";
        case ActionKind::reactivate:
            return "was re-activated";
        case ActionKind::remove:
            return "was deleted";
        case ActionKind::extend:
            return "was extended";
        default:
            return "was edited";
    }
}

// Whether the client has not extended a key, because it lives longer. A 409 of the service means something
// else.
inline bool would_shorten(const Error& error) {
    return error.code() == errc::conflict && error.status() == 0 && error.path() == "expiry";
}

PALETTE_KEYS_INLINE void ApplyMachine::lost(std::size_t number) noexcept {
    // finished() counts the change off before anything in it can throw.
    items_[number].state = State::in_doubt;
}

PALETTE_KEYS_INLINE void ApplyMachine::finished(std::size_t number, const Result<void>& result, Instant now) {
    now_ = now;
    auto& item = items_[number];
    --under_way_;
    if (result) {
        failures_in_a_row_ = 0;
        if (plan_.quarantine && !is_second_step(item))
            return revoked(item, BulkOutcome::done, past_of(item.step));
        return decide(item, BulkOutcome::done, past_of(item.step));
    }
    auto const& error = result.error();
    // First, whatever the code: what may have been done is looked for by the next run.
    if (error.effect() == Effect::unknown) return fail(item, error, BulkOutcome::unknown);
    if (error.code() == errc::operation_aborted && error.effect() == Effect::not_applied)
        return withdraw(item, error);
    // A 404 may be about the credential (W12). The key counts as gone when a list and a read say so.
    if (is_not_found(error)) {
        item.state = State::in_doubt;
        item.was_missing = true;
        item.report.error = error;
        needs_list_ = true;
        return;
    }
    if (item.step == ActionKind::extend && would_shorten(error))
        return decide(item, BulkOutcome::already, "lives longer than that by now");
    if (error.effect() == Effect::applied) {
        // Written, but not read back, or not as it was written.
        item.report.error = error;
        failures_in_a_row_ = 0;
        return decide(item, BulkOutcome::done,
                      past_of(item.step) + ", but: " + detail::one_line(error.what(), 400));
    }
    if (error.code() == errc::own_key) {
        item.report.error = error;
        return decide(item, BulkOutcome::guarded, detail::one_line(error.message(), 400));
    }
    fail(item, error, BulkOutcome::failed);
}

// Where the run was not cancelled, the client was, or closed: the others would end in the same way.
PALETTE_KEYS_INLINE void ApplyMachine::withdraw(Item& item, const Error& error) {
    stop(detail::one_line(error.what(), 400));
    item.state = State::waiting;
    item.is_withdrawn = true;
    item.decided_at = now_;
    item.report.sentence = "was cancelled before it was sent";
    // The journal is told that the change was not sent, so that the next run begins it like any other.
    withdrawn_.push_back(static_cast<std::size_t>(&item - items_.data()));
}

PALETTE_KEYS_INLINE void ApplyMachine::fail(Item& item, const Error& error, BulkOutcome outcome) {
    item.report.error = error;
    decide(item, outcome, detail::one_line(error.message(), 400));
    // A success begins the count anew: single keys that are refused are no reason to stop, and a service that
    // is down is one.
    ++failures_in_a_row_;
    // All others would fail for the same reason.
    if (error.code() == errc::unauthorized) return stop("the service refused the credential (HTTP 401)");
    if (failures_in_a_row_ >= options_.stop_after())
        stop(std::to_string(failures_in_a_row_) + " changes in a row have failed");
}

PALETTE_KEYS_INLINE void ApplyMachine::decide(Item& item, BulkOutcome outcome, std::string sentence) {
    // First, for it may throw: what is decided is told, and what is told is decided.
    news_.push_back(static_cast<std::size_t>(&item - items_.data()));
    item.state = State::decided;
    item.decided_at = now_;
    item.report.outcome = outcome;
    item.report.sentence = std::move(sentence);
    ++decided_;
}

PALETTE_KEYS_INLINE void ApplyMachine::stop(std::string why) {
    // The first reason is the cause, and later ones are its effects.
    if (stopped_.empty()) stopped_ = std::move(why);
}

PALETTE_KEYS_INLINE std::vector<std::size_t> ApplyMachine::take_withdrawn() {
    return std::exchange(withdrawn_, {});
}

PALETTE_KEYS_INLINE std::vector<std::size_t> ApplyMachine::take_decided() {
    return std::exchange(news_, {});
}

PALETTE_KEYS_INLINE std::optional<JournalEntry> ApplyMachine::entry_of(std::size_t number) const {
    auto const& item = items_[number];
    auto const outcome = item.report.outcome;
    // What the plan itself says, and what the next run decides anew, is not written down.
    if (!is_final(outcome) && outcome != BulkOutcome::failed && outcome != BulkOutcome::unknown &&
        !item.is_withdrawn)
        return std::nullopt;
    JournalEntry entry;
    entry.uid = item.seen->uid;
    entry.step = item.step;
    entry.result = item.is_withdrawn ? BulkOutcome::not_started : outcome;
    entry.at = item.decided_at;
    entry.sentence = item.report.sentence;
    return entry;
}

PALETTE_KEYS_INLINE JournalEntry ApplyMachine::intent_of(const ApplyStep& step, Instant now) const {
    JournalEntry entry;
    entry.uid = items_[step.item].seen->uid;
    entry.step = step.kind;
    entry.at = now;
    return entry;
}

PALETTE_KEYS_INLINE BulkReport ApplyMachine::report(Instant now) const {
    BulkReport report;
    report.as_of = now;
    report.stopped = stopped_;
    report.journal = options_.journal();
    report.items.reserve(items_.size());
    for (auto const& item : items_) {
        report.items.push_back(item.report);
        auto& last = report.items.back();
        // The answer was lost in an exception, or the run was stopped before the list that would have told.
        if (item.state == State::in_doubt) {
            last.outcome = BulkOutcome::unknown;
            last.sentence = "was begun, and what it came to is not known";
        } else if (item.state != State::decided) {
            last.outcome = BulkOutcome::not_started;
            last.sentence = is_stopped() ? "was not begun: " + detail::one_line(stopped_, 400)
                                         : "was not begun: it is the key that the client uses, and "
                                           "another one has failed, was left alone, or is in quarantine";
        }
        if (!is_in_quarantine(item)) continue;
        auto const due = *item.revoked_at + *plan_.quarantine;
        report.next_due = report.next_due ? std::min(*report.next_due, due) : due;
    }
    return report;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
