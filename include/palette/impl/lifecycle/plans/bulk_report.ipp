// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/lifecycle/bulk_report.hpp>

#include <algorithm>
#include <array>
#include <ostream>

namespace palette::inline PALETTE_KEYS_ABI::lifecycle {

PALETTE_KEYS_INLINE std::string_view to_string(BulkOutcome outcome) noexcept {
    // Journals hold these names, so that they never change.
    static constexpr std::array<std::string_view, 8> names{"done",    "already", "skipped", "drifted",
                                                           "guarded", "failed",  "unknown", "not_started"};
    auto const number = static_cast<std::size_t>(outcome);
    return number < names.size() ? names[number] : std::string_view();
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, BulkOutcome outcome) {
    return out << to_string(outcome);
}

PALETTE_KEYS_INLINE std::size_t BulkReport::count(BulkOutcome outcome) const noexcept {
    return static_cast<std::size_t>(std::ranges::count(items, outcome, &BulkItem::outcome));
}

PALETTE_KEYS_INLINE bool BulkReport::is_complete() const noexcept {
    // A key that was left alone for a reason is nothing that another run would change.
    return !next_due && count(BulkOutcome::failed) == 0 && count(BulkOutcome::unknown) == 0 &&
           count(BulkOutcome::not_started) == 0;
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const BulkReport& report) {
    out << "BulkReport{" << report.items.size() << (report.items.size() == 1 ? " key" : " keys");
    for (int i = 0; i <= static_cast<int>(BulkOutcome::not_started); ++i) {
        auto const outcome = static_cast<BulkOutcome>(i);
        if (auto const number = report.count(outcome); number > 0) out << ", " << number << ' ' << outcome;
    }
    if (!report.stopped.empty()) out << ", stopped: " << palette::detail::printable(report.stopped, 400);
    return out << '}';
}

}  // namespace palette::inline PALETTE_KEYS_ABI::lifecycle
