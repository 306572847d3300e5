// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/faults/fault_kinds.hpp>
#include <palette/impl/emulator/faults/fault_list.hpp>

#include <algorithm>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

inline const testing::FaultRule* first_of(const std::vector<testing::FaultRule>& rules,
                                          FaultTraits::Group group) noexcept {
    auto const found =
        std::ranges::find_if(rules, [&](auto const& rule) { return fault_kind(rule.kind()).group == group; });
    return found == rules.end() ? nullptr : &*found;
}

PALETTE_KEYS_INLINE const testing::FaultRule* ActiveFaults::delivery() const noexcept {
    return first_of(rules_, FaultTraits::Group::delivery);
}

PALETTE_KEYS_INLINE const testing::FaultRule* ActiveFaults::answer() const noexcept {
    return first_of(rules_, FaultTraits::Group::answer);
}

PALETTE_KEYS_INLINE const testing::FaultRule* ActiveFaults::find(Kind kind) const noexcept {
    auto const found = std::ranges::find(rules_, kind, &testing::FaultRule::kind);
    return found == rules_.end() ? nullptr : &*found;
}

PALETTE_KEYS_INLINE std::string ActiveFaults::names() const {
    std::string names;
    for (auto const& rule : rules_) {
        if (!names.empty()) names += ' ';
        names += fault_kind(rule.kind()).name;
    }
    return names;
}

// Whether a fault of the service's behaviour shows in what this operation does.
inline bool concerns(testing::FaultKind kind, const Operation* operation) noexcept {
    using Kind = testing::FaultKind;
    auto const is = [&](Operation wanted) { return operation != nullptr && *operation == wanted; };
    // A request in which nobody would see the fault does not use the rule up.
    switch (kind) {
        case Kind::legacy_create:
        case Kind::uid_is_user:
        case Kind::late_activation:
            return is(Operation::create_key);
        case Kind::page:
        case Kind::deny_list:
            return is(Operation::list_keys) || is(Operation::list_users) || is(Operation::list_audits);
        case Kind::list_lag:
            return is(Operation::list_keys);
        case Kind::strip_annotations:
            return is(Operation::create_key) || is(Operation::update_key);
        case Kind::deny_delete:
            return is(Operation::delete_key);
        default:
            return true;
    }
}

// The rules are copied out: another thread may clear the list before this request is answered.
PALETTE_KEYS_INLINE ActiveFaults FaultList::inject(std::string_view method, std::string_view path,
                                                   const Operation* operation) {
    ActiveFaults chosen;
    for (auto& [rule, matched, injected] : rules_) {
        if (rule.method() != "*" && rule.method() != method) continue;
        if (!path.starts_with(rule.path_prefix()) || !concerns(rule.kind(), operation)) continue;
        if (matched++ < rule.after()) continue;
        auto const group = fault_kind(rule.kind()).group;
        // One fault decides what the answer is, and one how it is delivered: a later rule for the same waits,
        // and keeps its number of times. Changes of behaviour go together.
        auto const taken = group == FaultTraits::Group::behaviour ? chosen.has(rule.kind())
                                                                  : first_of(chosen.rules_, group) != nullptr;
        if (taken) continue;
        ++injected;
        ++injected_;
        chosen.rules_.push_back(rule);
    }
    // Those that are used up would be looked at with every request of a long run.
    std::erase_if(rules_, [](const Counted& c) { return c.injected == c.rule.times(); });
    return chosen;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation
