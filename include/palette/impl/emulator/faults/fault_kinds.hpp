// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/testing/fault_kind.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

// What there is to know of every kind of fault, beside what it does.
struct FaultTraits {
    enum class Group { delivery, answer, behaviour };
    enum class Argument { none, number, text };

    testing::FaultKind kind;
    std::string_view name;
    Group group;
    Argument argument = Argument::none;
    std::uint64_t least = 0;
    std::uint64_t most = 0;
    std::string_view example{};
    std::string_view methods{};  // those that it concerns; empty: all
};

inline constexpr auto fault_kinds = [] {
    using Kind = testing::FaultKind;
    using enum FaultTraits::Group;
    using enum FaultTraits::Argument;
    constexpr std::uint64_t day = 86'400'000;
    // Bodies are written piece by piece (AnswerBytes), so that their size costs no memory.
    constexpr std::uint64_t tera = 1'000'000'000'000;
    return std::to_array<FaultTraits>({
        {Kind::delay, "delay", delivery, number, 0, day, "delay:300"},
        {Kind::drop_before, "drop-before", delivery},
        {Kind::drop_after, "drop-after", delivery},
        {Kind::apply_late, "apply-late", delivery, number, 0, day, "apply-late:3000"},
        {Kind::truncate, "truncate", delivery},
        {Kind::reset, "reset", delivery},
        {Kind::stall, "stall", delivery},
        {Kind::drip, "drip", delivery, number, 0, day, "drip:1"},
        {Kind::close_idle, "close-idle", delivery},
        {Kind::status, "status", answer, number, 200, 599, "status:503"},
        {Kind::retry_after, "retry-after", answer, text, 0, 0, "retry-after:2 or retry-after:date"},
        {Kind::html, "html", answer, number, 200, 599, "html:502"},
        {Kind::redirect, "redirect", answer, text, 0, 0, "redirect:https://elsewhere.test/"},
        {Kind::echo_credential, "echo-credential", answer},
        {Kind::garbage, "garbage", answer},
        {Kind::trailing, "trailing", answer},
        {Kind::wrong_type, "wrong-type", answer},
        {Kind::huge, "huge", answer, number, 2, tera, "huge:100000000"},
        {Kind::deep, "deep", answer, number, 1, tera, "deep:10000"},
        {Kind::legacy_create, "legacy-create", behaviour, none, 0, 0, "", "POST"},
        {Kind::uid_is_user, "uid-is-user", behaviour, none, 0, 0, "", "POST"},
        {Kind::page, "page", behaviour, number, 1, tera, "page:3", "GET"},
        {Kind::list_lag, "list-lag", behaviour, number, 0, day, "list-lag:2000", "GET"},
        {Kind::strip_annotations, "strip-annotations", behaviour, none, 0, 0, "", "POST PUT"},
        {Kind::deny_delete, "deny-delete", behaviour, none, 0, 0, "", "DELETE"},
        {Kind::deny_list, "deny-list", behaviour, none, 0, 0, "", "GET"},
        {Kind::late_activation, "late-activation", behaviour, number, 0, day, "late-activation:500", "POST"},
    });
}();

static_assert(std::ranges::is_sorted(fault_kinds, {}, &FaultTraits::kind), "found by their number");

constexpr const FaultTraits& fault_kind(testing::FaultKind kind) noexcept {
    return fault_kinds[static_cast<std::size_t>(kind)];
}

inline const FaultTraits* find_fault_kind(std::string_view name) noexcept {
    auto const* const found = std::ranges::find(fault_kinds, name, &FaultTraits::name);
    return found == std::end(fault_kinds) ? nullptr : found;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation
