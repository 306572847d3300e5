// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/caller.hpp>
#include <palette/impl/values/text.hpp>
#include <palette/lifecycle/plan.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

using palette::lifecycle::Action;
using palette::lifecycle::ActionKind;
using palette::lifecycle::Guard;
using palette::lifecycle::Plan;
using palette::lifecycle::PlanItem;

inline constexpr std::string_view protect_annotation = "protect";

// Whether the service accepts the key.
inline bool is_working(const ApiKey& key, Instant now) noexcept {
    return !key.deleted && key.state(now) == KeyState::active;
}
inline bool is_working(const PlanItem& item, Instant now) noexcept {
    return item.is_active && !item.expiry.passed(now);
}

// Whether the action takes the key away from whoever uses it, now or earlier than it would end by itself.
inline bool takes_away(const Action& action, const PlanItem& item) noexcept {
    if (action.kind() == ActionKind::revoke || action.kind() == ActionKind::remove) return true;
    return action.changes().expiry() && *action.changes().expiry() < item.expiry;
}

// Whether the key is as the action would make it. `target`: of an extension.
inline bool is_as_wanted(const Action& action, const std::optional<Expiry>& target, const ApiKey& key) {
    switch (action.kind()) {
        case ActionKind::revoke:
            return !key.is_active;
        case ActionKind::reactivate:
            return key.is_active;
        case ActionKind::extend:
            return target && key.expiry >= *target;
        case ActionKind::set_expiry:
        case ActionKind::edit:
            return action.changes().applied_to(key) == key;
        default:
            return false;  // a key that is deleted is in no list
    }
}

// Why the service would refuse the action; empty if it would not.
inline std::string_view obstacle(const Action& action, const ApiKey& key, Instant now) noexcept {
    if (action.kind() == ActionKind::reactivate && key.expiry.passed(now))
        return "its expiry has passed, and the service re-activates no such key: extend it first";
    return {};
}

// The uid of the key that the client uses: as its credential says, which a program may have replaced since it
// wrote down `told`. Empty if nobody knows.
inline const std::string& own_key_of(const Caller& caller, const std::string& told) noexcept {
    return caller.key_uid.empty() ? told : caller.key_uid;
}

// Uids are hexadecimal, and the service may take them in capitals too.
inline bool is_same_key(std::string_view a, std::string_view b) noexcept {
    return detail::equals_ignoring_case(a, b);
}

inline bool has_guard(const PlanItem& item, Guard guard) noexcept {
    return std::ranges::find(item.guards, guard) != item.guards.end();
}

inline void add_guard(PlanItem& item, Guard guard) {
    if (has_guard(item, guard)) return;
    item.guards.insert(std::ranges::upper_bound(item.guards, guard), guard);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
