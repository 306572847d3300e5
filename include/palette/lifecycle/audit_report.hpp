// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/instant.hpp>
#include <palette/lifecycle/audit_finding.hpp>
#include <palette/user.hpp>

#include <array>
#include <cstddef>
#include <iosfwd>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI {

namespace lifecycle {

/// Counts the keys of a tenant by when they expire.
class ExpiryTimeline {
public:
    /// Constructs a timeline without keys.
    ExpiryTimeline() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    /// Counts the keys whose expiry has passed.
    std::size_t expired = 0;
    /// Counts the working keys that expire in each of the 52 weeks that follow the audit.
    std::array<std::size_t, 52> weeks{};
    /// Counts the working keys that expire after these weeks.
    std::size_t later = 0;
    /// Counts the working keys that never expire.
    std::size_t never = 0;
    /// Counts the revoked keys whose expiry has not passed.
    std::size_t revoked = 0;
};

/// Holds what an audit found, and what it could not judge. Every format escapes what comes from the service:
/// a name can neither drive a terminal, nor run in a page or a spreadsheet.
class PALETTE_KEYS_DECL AuditReport {
public:
    /// Constructs a report without content.
    AuditReport() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    /// Identifies who has made the audit, and in which tenant.
    Identity actor;
    /// Tells the service's time at the audit: all times are judged by it.
    Instant as_of{};
    /// Lists the settings of the policy as names and values, such as "max_life" and "365 days".
    std::vector<std::pair<std::string, std::string>> policy;
    /// Lists the findings: by severity, the gravest first, then by rule, expiry and uid.
    std::vector<Finding> findings;
    /// Says in sentences what could not be judged, and why. Empty for a complete report.
    std::vector<std::string> not_judged;
    /// Counts the keys that were read.
    std::size_t keys = 0;
    /// Counts the users that were read; nothing if they were not, or not to the end.
    std::optional<std::size_t> users;
    /// Counts the events of the audit log that were read; nothing if they were not, or not to the end.
    std::optional<std::size_t> events;
    /// Counts the keys by when they expire.
    ExpiryTimeline timeline;

    /// Returns the uid of the tenant.
    [[nodiscard]] const std::string& tenant_uid() const& noexcept { return actor.tenant_uid; }
    void tenant_uid() const&& = delete;
    /// Returns whether every rule of the policy was judged for every key. A report that is not complete is
    /// never a clean bill, whatever it has found.
    [[nodiscard]] bool complete() const noexcept { return not_judged.empty(); }
    /// Returns the number of findings of that rule.
    [[nodiscard]] std::size_t count(AuditRule rule) const noexcept;
    /// Returns the number of findings of that severity.
    [[nodiscard]] std::size_t count(Severity severity) const noexcept;

    /// Returns the report as text for people: a summary, and an entry for each finding.
    [[nodiscard]] std::string to_text() const;
    /// Returns the report as JSON, as docs/audit-report.schema.json describes it. Fields may be added as long
    /// as "schema_version" is 1. Texts of the service are unchanged, but for bytes that are not UTF-8.
    [[nodiscard]] std::string to_json() const;
    /// Returns the findings as CSV (RFC 4180): a header row, and a row for each. A cell that begins with '=',
    /// '+', '-' or '@' gets an apostrophe in front, so that a spreadsheet takes it for text. So does such a
    /// sign behind a ';', also with blanks and quotes between: where ';' separates the cells of a list, a
    /// spreadsheet begins another cell there. Control characters are escaped.
    [[nodiscard]] std::string to_csv() const;
    /// Returns the findings as SARIF 2.1.0, for code-scanning services. What was not judged is a notification
    /// of the invocation.
    [[nodiscard]] std::string to_sarif() const;
    /// Returns the report as one HTML page, which loads nothing: a timeline of expiries, the counts of the
    /// rules, and a table that can be sorted and filtered. It can be read without scripts, in the dark and on
    /// paper. Its Content-Security-Policy lets only its own style and script act.
    [[nodiscard]] std::string to_html() const;
};

/// Writes the counts of the report on one line.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const AuditReport& report);

}  // namespace lifecycle
}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/lifecycle/audit/audit_formats.ipp>
#    include <palette/impl/lifecycle/audit/audit_html.ipp>
#    include <palette/impl/lifecycle/audit/audit_report.ipp>
#    include <palette/impl/lifecycle/audit/audit_sarif.ipp>
#endif
