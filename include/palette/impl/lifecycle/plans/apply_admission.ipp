// SPDX-License-Identifier: BSL-1.0
#pragma once

// What the machine of a run decides before the first change: what an earlier run has done, whether the plan
// may be applied, and which keys are to be changed.

#include <palette/detail/printable.hpp>
#include <palette/impl/lifecycle/plans/apply_machine.hpp>
#include <palette/impl/lifecycle/plans/plan_rules.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

PALETTE_KEYS_INLINE Result<void> ApplyMachine::restore(const std::vector<JournalEntry>& entries) {
    for (auto const& entry : entries) {
        // The items are in the order of their uids, which was checked before.
        auto const found =
            std::ranges::lower_bound(items_, entry.uid, {}, [](const Item& item) { return item.seen->uid; });
        if (found == items_.end() || found->seen->uid != entry.uid)
            return Error(errc::bad_value, "the journal names a key that the plan does not have")
                .key_uid(detail::printable(entry.uid));
        auto& item = *found;
        if (item.state == State::decided)
            return Error(errc::bad_value, "the journal goes on about a key that it has come to an end with")
                .key_uid(detail::printable(entry.uid));
        // With a quarantine a key has two steps, and the second one comes only after a result of the first.
        auto const expected = is_second_step(item) ? plan_.action.kind() : first_step();
        if (entry.step != expected)
            return Error(errc::bad_value, "the journal names a step that the plan does not have")
                .key_uid(detail::printable(entry.uid));
        // The process was killed between the intent and the result: the change may have been sent, and done.
        if (!entry.result || *entry.result == BulkOutcome::unknown) {
            item.state = State::in_doubt;
            continue;
        }
        item.state = State::waiting;
        // What has failed, or was not sent, is tried once more by this run.
        if (!is_final(*entry.result)) continue;
        auto const is_gone = *entry.result == BulkOutcome::drifted;
        if (plan_.quarantine && !is_gone && !is_second_step(item)) {
            // The quarantine began with the revocation, and not with this run.
            item.revoked_at = entry.at;
            item.step = plan_.action.kind();
            item.report.outcome = *entry.result;
            item.report.sentence = detail::one_line(entry.sentence, 400);
        } else {
            decide(item, *entry.result, detail::one_line(entry.sentence, 400));
        }
    }
    // An earlier run has told of these, and written them down.
    news_.clear();
    was_run_before_ = !entries.empty();
    return {};
}

PALETTE_KEYS_INLINE void ApplyMachine::guard_own_key(const Caller& caller) {
    auto const& own = own_key_of(caller, options_.own_key());
    auto const is_key = caller.kind == Credential::Kind::api_key;
    for (auto& item : items_) {
        auto const& seen = *item.seen;
        // Known now, whatever the plan has guessed.
        if (!own.empty()) std::erase(item.guards, Guard::possible_own_key);
        if (!takes_away(plan_.action, seen)) continue;
        auto const is_ours = seen.owner.uid == caller.identity.user_uid && is_working(seen, plan_.as_of);
        // Where nobody tells the uid, the plan's word stands, which comes from the credential that made it.
        auto const is_certain = !own.empty() ? is_same_key(seen.uid, own) : has_guard(seen, Guard::own_key);
        if (is_certain) {
            item.is_own = true;
            if (!has_guard(seen, Guard::own_key)) item.guards.push_back(Guard::own_key);
        } else if (own.empty() && is_key && is_ours && !has_guard(seen, Guard::possible_own_key)) {
            item.guards.push_back(Guard::possible_own_key);
        }
    }
}

// What to do about a guard, for whoever reads the report.
inline std::string_view advice_about(Guard guard) noexcept {
    switch (guard) {
        case Guard::own_key:
            return "use another credential, or include own_key";
        case Guard::possible_own_key:
            return "set PALETTE_API_KEY_UID, or own_key(uid)";
        case Guard::last_user_key:
            return "include it if its user may be left without a key";
        case Guard::last_admin_key:
            return "include it if no administrator needs a key";
        case Guard::protected_key:
            return "include it, or take the annotation \"protect\" off";
    }
    return "unknown guard";
}

PALETTE_KEYS_INLINE std::string ApplyMachine::blocking_guards(const Item& item) const {
    std::string words;
    // All of them: a person does not have to run into one after another.
    for (auto const guard : item.guards) {
        if (options_.includes(guard)) continue;
        words.append(words.empty() ? "" : ", ").append(palette::lifecycle::to_string(guard));
        words.append(" (").append(advice_about(guard)).append(")");
    }
    return words;
}

PALETTE_KEYS_INLINE Result<void> ApplyMachine::check_caller(const Caller& caller) const {
    auto const refuse = [](const char* what, const std::string& has, const std::string& is,
                           const char* field) -> Error {
        return Error(errc::conflict, std::string("the plan is that of another ") + what + ", " +
                                         detail::printable(has) + ", and the credential is of " +
                                         detail::printable(is))
            .path(field)
            .advice("apply it with the credential that made it, or make a new plan");
    };
    // Another user may see other keys. What this one does not see would pass for deleted.
    auto const& is = caller.identity;
    if (is.tenant_uid != plan_.tenant_uid)
        return refuse("tenant", plan_.tenant_uid, is.tenant_uid, "tenant_uid");
    if (is.user_uid != plan_.actor_uid) return refuse("user", plan_.actor_uid, is.user_uid, "actor_uid");
    return {};
}

PALETTE_KEYS_INLINE bool ApplyMachine::is_open(const Item& item) const noexcept {
    return item.state == State::waiting || item.state == State::in_doubt;
}

PALETTE_KEYS_INLINE std::string ApplyMachine::due_words(const Item& item) const {
    return Expiry::at(*item.revoked_at + *plan_.quarantine).to_string();
}

PALETTE_KEYS_INLINE void ApplyMachine::open_quarantined(Item& item) {
    if (now_ >= *item.revoked_at + *plan_.quarantine) return;
    // Decided as far as this run goes, and not through decide(): there is nothing new that the journal or the
    // program has to be told.
    item.state = State::decided;
    ++decided_;
    item.report.sentence = "is revoked, and in quarantine until " + due_words(item);
}

// Whether there is anything to do for the key, as far as the plan and the journal tell.
PALETTE_KEYS_INLINE void ApplyMachine::open(Item& item) {
    if (!is_open(item)) return;
    if (item.seen->step == PlanItem::Step::skip)
        return decide(item, BulkOutcome::skipped, detail::one_line(item.seen->reason, 400));
    // A change that was begun is looked for before a guard speaks: it may be done.
    if (auto const guards = blocking_guards(item);
        !guards.empty() && item.seen->step == PlanItem::Step::change && item.state != State::in_doubt)
        return decide(item, BulkOutcome::guarded, "is left alone, for a guard speaks for it: " + guards);
    if (is_second_step(item)) open_quarantined(item);
}

PALETTE_KEYS_INLINE Result<void> ApplyMachine::admit(const Caller& caller, Instant now) {
    now_ = now;
    if (auto good = check_caller(caller); !good) return good;
    guard_own_key(caller);
    for (auto& item : items_)
        open(item);
    auto const has_change = std::ranges::any_of(items_, [this](const Item& item) {
        return is_open(item) && item.seen->step == PlanItem::Step::change;
    });
    // A plan that has nothing left to do only makes a report, at any age.
    if (has_change) {
        if (auto good = check_age(); !good) return good;
        if (auto good = check_size(); !good) return good;
    }
    using namespace std::chrono_literals;
    // A plan that is half a minute old is what was seen. After a kill only a list shows which changes were
    // made.
    needs_list_ = has_change && (now - plan_.as_of > 30s || was_run_before_);
    if (needs_list_) return {};
    for (auto& item : items_)
        if (is_open(item) && item.seen->step == PlanItem::Step::already)
            decide(item, BulkOutcome::already, "is as the plan wants it");
        else if (is_open(item) && plan_.quarantine && !item.seen->is_active && !is_second_step(item))
            revoked(item, BulkOutcome::already, "was revoked before");
    return {};
}

PALETTE_KEYS_INLINE Result<void> ApplyMachine::check_age() const {
    using namespace std::chrono_literals;
    auto const made = "the plan was made " + Expiry::at(plan_.as_of).to_string();
    // Both times are the service's, whose servers may differ a little. More than that is another service, or
    // a clock that was set back: the age of the plan is not known.
    if (now_ < plan_.as_of - 5min)
        return Error(errc::conflict, made + ", and the service's clock shows " + Expiry::at(now_).to_string())
            .path("as_of")
            .advice("make a new plan");
    // What a run has begun in time may be finished, or half of the keys would stay as they were for ever.
    // Each of them is compared with the plan before.
    if (was_run_before_ || now_ - plan_.as_of <= plan_.time_to_live) return {};
    return Error(errc::conflict, made + ", and was to be begun within " +
                                     std::to_string(plan_.time_to_live.count() / 1'000) + " s: it is too old")
        .path("as_of")
        .advice("make a new plan");
}

PALETTE_KEYS_INLINE Result<void> ApplyMachine::check_size() const {
    // What a guard holds back is not changed, and does not count.
    auto const changes = static_cast<std::size_t>(std::ranges::count_if(items_, [this](const Item& item) {
        return item.seen->step == PlanItem::Step::change && blocking_guards(item).empty();
    }));
    auto const refuse = [&](const std::string& why, const char* advice) {
        return Error(errc::invalid_argument, "the plan changes " + std::to_string(changes) + " keys, " + why)
            .path("items")
            .advice(advice);
    };
    if (changes > options_.max_items())
        return refuse("and at most " + std::to_string(options_.max_items()) + " may be changed",
                      "review the plan; ApplyOptions::max_items() allows more");
    // In a small tenant a single key is more than a fifth, and is still what somebody means.
    if (changes > 1 && changes * 5 > plan_.keys_in_tenant && !options_.allow_large_share())
        return refuse(
            "more than a fifth of the " + std::to_string(plan_.keys_in_tenant) + " keys in the tenant",
            "review the plan; ApplyOptions::allow_large_share() allows it");
    return {};
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
