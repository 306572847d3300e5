// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/expiry.hpp>
#include <palette/impl/lifecycle/audit/audit_words.hpp>
#include <palette/lifecycle/audit_report.hpp>

#include <algorithm>
#include <ostream>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI {

namespace impl::lifecycle {

// "20 keys, 4 users, no audit log"
inline std::string what_was_read(const palette::lifecycle::AuditReport& report) {
    return counted(report.keys, "key") + ", " +
           (report.users ? counted(*report.users, "user") : std::string("no users")) + ", " +
           (report.events ? counted(*report.events, "event") : std::string("no audit log"));
}

// How an owner is told apart: by the address, the name and the uid, as far as they are known.
inline std::string owner_in_words(const palette::lifecycle::Finding& finding) {
    using detail::printable;
    auto const name = name_of(finding.owner);
    std::string words = finding.owner_email.empty() ? printable(name) : printable(finding.owner_email);
    if (finding.owner.uid.empty()) return words;
    auto const uid = printable(finding.owner.uid);
    return words.empty() ? uid : words + " (" + uid + ')';
}

inline void append_padded(std::string& out, std::string_view text, std::size_t width) {
    out += text;
    out.append(width > text.size() ? width - text.size() : 1, ' ');
}

inline void append_text_of(std::string& out, const palette::lifecycle::Finding& finding, Instant as_of) {
    append_padded(out, to_string(finding.severity), 9);
    append_padded(out, to_string(finding.rule), 23);
    append_padded(out, to_string(finding.grade), 10);
    if (finding.key) {
        auto const& key = *finding.key;
        out += detail::printable(key.uid) + ' ' + detail::in_quotes(key.name) + ", " +
               std::string(to_string(key.state(as_of)));
        out += ", of ";
    } else {
        out += "user ";
    }
    auto const owner = owner_in_words(finding);
    out += owner.empty() ? "nobody" : owner;
    out += "\n         " + finding.evidence + "\n         to do: " + finding.advice + '\n';
}

}  // namespace impl::lifecycle

namespace lifecycle {

PALETTE_KEYS_INLINE std::size_t AuditReport::count(AuditRule rule) const noexcept {
    return static_cast<std::size_t>(std::ranges::count(findings, rule, &Finding::rule));
}

PALETTE_KEYS_INLINE std::size_t AuditReport::count(Severity severity) const noexcept {
    return static_cast<std::size_t>(std::ranges::count(findings, severity, &Finding::severity));
}

PALETTE_KEYS_INLINE std::string AuditReport::to_text() const {
    using palette::detail::printable;
    std::string out = "Audit of the API keys of tenant " + printable(tenant_uid());
    if (!actor.org_name.empty()) out += " (" + printable(actor.org_name) + ')';
    out += "\nat " + impl::lifecycle::in_words(as_of) + ", by the user " + printable(actor.user_uid) + '\n';
    out += impl::lifecycle::what_was_read(*this) + " were read\n\n";
    if (complete())
        out += "The report is complete.\n";
    else
        out += "The report is NOT complete:\n";
    for (auto const& line : not_judged)
        out += "- " + palette::detail::one_line(line, 1'000) + '\n';

    out += '\n' + impl::lifecycle::counted(findings.size(), "finding");
    out += ": " + std::to_string(count(Severity::error)) + " error, " +
           std::to_string(count(Severity::warning)) + " warning, " + std::to_string(count(Severity::note)) +
           " note\n";
    for (auto const rule : all_audit_rules)
        if (auto const number = count(rule); number > 0) {
            out += "  ";
            impl::lifecycle::append_padded(out, to_string(rule), 23);
            out += std::to_string(number) + '\n';
        }
    for (auto const& finding : findings) {
        out += '\n';
        impl::lifecycle::append_text_of(out, finding, as_of);
    }
    return out;
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const AuditReport& report) {
    return out << "AuditReport of tenant " << palette::detail::printable(report.tenant_uid()) << " at "
               << impl::lifecycle::in_words(report.as_of) << ": "
               << impl::lifecycle::counted(report.findings.size(), "finding") << ", "
               << (report.complete() ? "complete" : "not complete");
}

}  // namespace lifecycle
}  // namespace palette::inline PALETTE_KEYS_ABI
