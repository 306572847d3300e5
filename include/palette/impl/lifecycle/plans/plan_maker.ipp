// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/lifecycle/plans/plan_maker.hpp>
#include <palette/impl/lifecycle/plans/plan_rules.hpp>
#include <palette/impl/values/uid.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <set>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

PALETTE_KEYS_INLINE std::optional<Error> PlanMaker::check() const {
    using std::chrono::milliseconds;
    auto const bad = [](const char* what, const char* field) {
        return Error(errc::invalid_argument, what).path(field);
    };
    // A century: what is added to the service's time stays a time that can be written.
    constexpr milliseconds most = std::chrono::days{36'500};
    if (options_.time_to_live() <= milliseconds(0) || options_.time_to_live() > most)
        return bad("a plan lives longer than nothing, and a century at most", "time_to_live");
    if (options_.quarantine()) {
        if (action_.kind() != ActionKind::remove)
            return bad("only keys that are deleted are in quarantine before", "quarantine");
        if (*options_.quarantine() <= milliseconds(0) || *options_.quarantine() > most)
            return bad("a quarantine is longer than nothing, and a century at most", "quarantine");
    }
    if (action_.kind() == ActionKind::extend && (action_.duration() <= milliseconds(0)))
        return bad("keys are extended by a time from now on", "duration");
    if (action_.kind() == ActionKind::edit && action_.changes().empty())
        return bad("an edit that changes nothing", "edit");
    return std::nullopt;
}

PALETTE_KEYS_INLINE bool PlanMaker::needs_users() const noexcept {
    // An expiry that is moved forward takes a key away as well.
    return action_.kind() == ActionKind::revoke || action_.kind() == ActionKind::remove ||
           action_.changes().expiry();
}

PALETTE_KEYS_INLINE Result<Plan> PlanMaker::make(const PlanSources& sources) const {
    // The time of the list, by which the states of its keys are judged.
    auto const now = sources.keys.as_of();
    if (action_.changes().expiry() && action_.changes().expiry()->passed(now))
        return Error(errc::invalid_argument, "an expiry that has passed already, " +
                                                 action_.changes().expiry()->to_string() +
                                                 ": revoke the keys instead")
            .path("expiry");
    Plan plan;
    plan.tenant_uid = sources.caller.identity.tenant_uid;
    plan.org_name = sources.caller.identity.org_name;
    plan.actor_uid = sources.caller.identity.user_uid;
    plan.as_of = now;
    plan.time_to_live = options_.time_to_live();
    plan.action = action_;
    plan.quarantine = options_.quarantine();
    plan.selection = selection_.to_string();
    plan.keys_in_tenant = sources.keys.size();
    select(plan, sources);
    note_missing(plan, sources);
    // Only what takes a key away from somebody has a guard against it.
    if (!plan.items.empty() && needs_users()) {
        guard_own_key(plan, sources);
        guard_last_keys(plan, sources);
        guard_last_admin_key(plan, sources);
    }
    return plan;
}

PALETTE_KEYS_INLINE void PlanMaker::select(Plan& plan, const PlanSources& sources) const {
    std::size_t odd = 0;
    for (auto const& key : sources.keys) {
        auto reason = selection_.reason_for(key, plan.as_of);
        if (!reason) continue;
        // Such a uid cannot stand in the path of a request (W22).
        if (detail::fault_of_uid(key.uid) != nullptr)
            ++odd;
        else
            plan.items.push_back(item_of(key, *std::move(reason), plan.as_of));
    }
    // In one order, so that the text of a plan is stable, and a run finds an item by its uid.
    std::ranges::sort(plan.items, {}, &PlanItem::uid);
    // A key that another one has moved to a later page, while the pages were read, comes twice.
    auto const twice = std::ranges::unique(plan.items, {}, &PlanItem::uid);
    plan.items.erase(twice.begin(), twice.end());
    if (odd > 0)
        plan.notes.push_back("selected keys whose uid cannot be one, and that are left out: " +
                             std::to_string(odd));
}

PALETTE_KEYS_INLINE PlanItem PlanMaker::item_of(const ApiKey& key, std::string reason, Instant now) const {
    PlanItem item;
    item.uid = key.uid;
    item.name = key.name;
    item.owner = key.owner;
    item.is_active = key.is_active;
    item.expiry = key.expiry;
    item.modified = key.modified;
    item.reason = std::move(reason);
    // Fixed here, so that a run that goes on later does not extend a key twice.
    if (action_.kind() == ActionKind::extend) item.target = Expiry::in(action_.duration(), now);
    auto const difficulty = obstacle(action_, key, now);
    // Before the obstacle: a key that needs nothing meets none.
    if (is_as_wanted(action_, item.target, key)) {
        item.step = PlanItem::Step::already;
    } else if (!difficulty.empty()) {
        item.step = PlanItem::Step::skip;
        item.reason = difficulty;
    } else if (key.annotations.contains(protect_annotation) && action_.kind() != ActionKind::reactivate &&
               action_.kind() != ActionKind::extend) {
        // Re-activating and extending take nothing away from anybody.
        add_guard(item, Guard::protected_key);
    }
    return item;
}

// What selects no key may be misspelt, and the key that was meant goes on working.
PALETTE_KEYS_INLINE void PlanMaker::note_missing(Plan& plan, const PlanSources& sources) const {
    auto const missing = selection_.missing_in(sources.keys);
    constexpr std::size_t shown = 20;
    for (std::size_t i = 0; i < missing.size() && i < shown; ++i)
        plan.notes.push_back("no key that the actor sees is selected by " + detail::in_quotes(missing[i]));
    if (missing.size() > shown)
        plan.notes.push_back(std::to_string(missing.size() - shown) + " more select no key");
}

// Whether a guard is to be asked about the key.
inline bool is_taken(const Plan& plan, const PlanItem& item) noexcept {
    return item.step == PlanItem::Step::change && takes_away(plan.action, item) &&
           is_working(item, plan.as_of);
}

PALETTE_KEYS_INLINE void PlanMaker::guard_own_key(Plan& plan, const PlanSources& sources) const {
    auto own = own_key_of(sources.caller, options_.own_key());
    auto const is_key = sources.caller.kind == Credential::Kind::api_key;
    // A token of a login is no key.
    if (own.empty() && !is_key) return;
    if (own.empty()) {
        // The caller sees all keys of their own: of a single one that works, it is certain.
        std::set<std::string_view> candidates;
        for (auto const& key : sources.keys)
            if (key.owner.uid == plan.actor_uid && is_working(key, plan.as_of)) candidates.insert(key.uid);
        if (candidates.size() == 1) own = *candidates.begin();
    }
    for (auto& item : plan.items) {
        if (!is_taken(plan, item)) continue;
        if (is_same_key(item.uid, own))
            add_guard(item, Guard::own_key);
        else if (own.empty() && item.owner.uid == plan.actor_uid)
            add_guard(item, Guard::possible_own_key);
    }
}

// Of keys that are all taken, the one that is kept: one that another guard speaks for, or else the one that
// lives longest.
inline PlanItem& last_of(const std::vector<PlanItem*>& taken) {
    return **std::ranges::max_element(taken, [](const PlanItem* a, const PlanItem* b) {
        auto const rank = [](const PlanItem& item) { return item.guards.empty() ? 0 : 1; };
        if (rank(*a) != rank(*b)) return rank(*a) < rank(*b);
        return a->expiry < b->expiry;
    });
}

PALETTE_KEYS_INLINE void PlanMaker::guard_last_keys(Plan& plan, const PlanSources& sources) const {
    std::set<std::string_view> existing;
    bool const knows_users = sources.users && sources.users->is_complete();
    // Only of a list that is complete: in another one, an owner who is missing may still exist.
    if (knows_users)
        for (auto const& user : *sources.users)
            existing.insert(user.uid);
    std::map<std::string_view, std::set<std::string_view>> working;
    for (auto const& key : sources.keys)
        if (is_working(key, plan.as_of)) working[key.owner.uid].insert(key.uid);
    std::map<std::string_view, std::vector<PlanItem*>> taken;
    for (auto& item : plan.items)
        if (is_taken(plan, item)) taken[item.owner.uid].push_back(&item);
    for (auto const& [owner, items] : taken) {
        // Nobody is locked out where there is no user.
        if (knows_users && !existing.contains(owner)) continue;
        // Every key of the user that works is taken, so one of them is the last.
        if (items.size() == working[owner].size()) add_guard(last_of(items), Guard::last_user_key);
    }
}

PALETTE_KEYS_INLINE std::vector<std::string> PlanMaker::admins(const PlanSources& sources) const {
    auto roles = options_.admin_roles();
    // The service does not say which role is an administrator's. Whoever may make such a plan has one.
    if (roles.empty())
        for (auto const& user : *sources.users)
            if (user.uid == sources.caller.identity.user_uid) roles = user.roles;
    std::vector<std::string> found;
    for (auto const& user : *sources.users)
        if (user.is_active && std::ranges::find_first_of(user.roles, roles) != user.roles.end())
            found.push_back(user.uid);
    return found;
}

PALETTE_KEYS_INLINE void PlanMaker::guard_last_admin_key(Plan& plan, const PlanSources& sources) const {
    auto const unknown = [&](const std::string& why) {
        plan.notes.push_back(why +
                             "; so the last key of the administrators was not looked for, and every "
                             "owner is taken for an existing user");
    };
    // Which key is the last one cannot be told from a part of the users. The plan says so and does not guess.
    if (!sources.users) return unknown("the users cannot be listed: " + sources.users_problem);
    if (!sources.users->is_complete()) return unknown("the list of users is not complete");
    auto const who = admins(sources);
    if (who.empty()) return unknown("no user of the list is known to be an administrator");
    std::set<std::string_view> const of(who.begin(), who.end());
    std::set<std::string_view> working;
    for (auto const& key : sources.keys)
        if (of.contains(key.owner.uid) && is_working(key, plan.as_of)) working.insert(key.uid);
    std::vector<PlanItem*> taken;
    for (auto& item : plan.items)
        if (of.contains(item.owner.uid) && is_taken(plan, item)) taken.push_back(&item);
    if (!taken.empty() && taken.size() == working.size()) add_guard(last_of(taken), Guard::last_admin_key);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
