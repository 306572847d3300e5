// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/lifecycle/audit/audit_rules.hpp>
#include <palette/lifecycle/audit_finding.hpp>

#include <ostream>

namespace palette::inline PALETTE_KEYS_ABI::lifecycle {

// The texts of the rules are found by the number of the rule.
static_assert(std::size(impl::lifecycle::audit_rule_texts) == all_audit_rules.size());

PALETTE_KEYS_INLINE std::string_view to_string(AuditRule rule) noexcept {
    auto const number = static_cast<std::size_t>(rule);
    return number < all_audit_rules.size() ? impl::lifecycle::text_of(rule).id : std::string_view();
}

PALETTE_KEYS_INLINE std::string_view to_string(Severity severity) noexcept {
    static constexpr std::array<std::string_view, 3> names{"note", "warning", "error"};
    auto const number = static_cast<std::size_t>(severity);
    return number < names.size() ? names[number] : std::string_view();
}

PALETTE_KEYS_INLINE std::string_view to_string(Grade grade) noexcept {
    return grade == Grade::proven ? "proven" : "inferred";
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, AuditRule rule) {
    return out << to_string(rule);
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, Severity severity) {
    return out << to_string(severity);
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, Grade grade) {
    return out << to_string(grade);
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const Finding& finding) {
    using palette::detail::printable;
    return out << finding.severity << ' ' << finding.rule << ' ' << printable(finding.subject_uid()) << " ("
               << finding.grade << "): " << printable(finding.evidence, 400);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::lifecycle
