// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/lifecycle/action.hpp>

#include <array>
#include <cstddef>
#include <ostream>

namespace palette::inline PALETTE_KEYS_ABI::lifecycle {

PALETTE_KEYS_INLINE std::string_view to_string(ActionKind kind) noexcept {
    // Plans and journals hold these names, so that they never change.
    static constexpr std::array<std::string_view, 6> names{"revoke", "reactivate", "remove",
                                                           "extend", "set_expiry", "edit"};
    auto const number = static_cast<std::size_t>(kind);
    return number < names.size() ? names[number] : std::string_view();
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, ActionKind kind) {
    return out << to_string(kind);
}

PALETTE_KEYS_INLINE std::string Action::to_string() const {
    using palette::detail::in_quotes;
    if (kind_ == ActionKind::extend)
        return "extend to " + std::to_string(duration_.count()) + " ms from the time of the plan";
    std::string words(palette::lifecycle::to_string(kind_));
    if (changes_.name()) words += " name " + in_quotes(*changes_.name());
    if (changes_.description()) words += " description " + in_quotes(*changes_.description());
    if (changes_.expiry()) words += " expiry " + changes_.expiry()->to_string();
    return words;
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const Action& action) {
    return out << action.to_string();
}

}  // namespace palette::inline PALETTE_KEYS_ABI::lifecycle
