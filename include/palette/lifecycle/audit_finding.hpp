// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/api_key.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI {

namespace lifecycle {

/// Names what an audit looks for. docs/audit.md describes the evidence of each rule, and its limits.
enum class AuditRule : std::uint8_t {
    expired,                ///< The expiry has passed, and the key still exists.
    expiring,               ///< A working key expires soon.
    never_expires,          ///< A working key has no expiry.
    lives_too_long,         ///< The time from creation to expiry is longer than the policy allows.
    old_secret,             ///< A working key was created long ago. Renewing a key never changes its value.
    revoked_and_forgotten,  ///< A key was revoked long ago, and can still be re-activated.
    quota,                  ///< A user has nearly as many keys as a user may have. About a user, not a key.
    duplicate_name,         ///< Two working keys of one owner have the same name.
    pending_create,         ///< A create left the key behind: nobody has received its value.
    orphaned,               ///< The owner does not exist any more.
    inactive_owner,         ///< The owner is inactive, or last signed in long ago.
    idle,                   ///< Nothing suggests that anybody uses the key.
};

/// Holds every rule, in the order of the enumerators.
inline constexpr std::array<AuditRule, 12> all_audit_rules{
    AuditRule::expired,        AuditRule::expiring,       AuditRule::never_expires,
    AuditRule::lives_too_long, AuditRule::old_secret,     AuditRule::revoked_and_forgotten,
    AuditRule::quota,          AuditRule::duplicate_name, AuditRule::pending_create,
    AuditRule::orphaned,       AuditRule::inactive_owner, AuditRule::idle,
};

/// Tells how much a finding matters.
enum class Severity : std::uint8_t {
    note,     ///< To know: a key that does no harm as it is.
    warning,  ///< To be looked at.
    error,    ///< To be acted on.
};

/// Tells how well a finding is founded.
enum class Grade : std::uint8_t {
    proven,    ///< Facts that the service or the caller's roster states.
    inferred,  ///< A conclusion, which may be wrong: the evidence says why.
};

/// Holds one result of an audit: what was found, about which key, and what to do about it.
class Finding {
public:
    /// Constructs a finding without content.
    Finding() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    /// Names what was found.
    AuditRule rule = AuditRule::expired;
    /// Tells how much it matters.
    Severity severity = Severity::note;
    /// Tells how well it is founded.
    Grade grade = Grade::proven;
    /// Holds the key as it was seen; null for AuditRule::quota, which is about the owner. Findings about one
    /// key share it.
    std::shared_ptr<const ApiKey> key;
    /// Identifies the owner of the key.
    Owner owner;
    /// Gives the e-mail address of the owner; empty if it is not known.
    std::string owner_email;
    /// Says in words what the finding rests on. Contains no text of the service's that is not escaped.
    std::string evidence;
    /// Says in words what to do.
    std::string advice;

    /// Returns the uid of the key, or of the owner if the finding is about a user.
    [[nodiscard]] const std::string& subject_uid() const& noexcept { return key ? key->uid : owner.uid; }
    void subject_uid() const&& = delete;
};

/// Returns the stable id of the rule, such as "never-expires".
[[nodiscard]] PALETTE_KEYS_DECL std::string_view to_string(AuditRule rule) noexcept;
/// Returns the name of the severity, such as "warning".
[[nodiscard]] PALETTE_KEYS_DECL std::string_view to_string(Severity severity) noexcept;
/// Returns the name of the grade: "proven" or "inferred".
[[nodiscard]] PALETTE_KEYS_DECL std::string_view to_string(Grade grade) noexcept;
/// Writes the id of the rule.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, AuditRule rule);
/// Writes the name of the severity.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, Severity severity);
/// Writes the name of the grade.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, Grade grade);
/// Writes the finding on one line, escaped.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const Finding& finding);

}  // namespace lifecycle
}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/lifecycle/audit/audit_finding.ipp>
#endif
