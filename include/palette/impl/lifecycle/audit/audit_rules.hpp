// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/lifecycle/audit_finding.hpp>

#include <cstddef>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

// What is said of a rule, whatever it has found.
struct AuditRuleText {
    std::string_view id;
    std::string_view title;
    std::string_view meaning;
    palette::lifecycle::Severity severity;  // as a rule
};

// In the order of AuditRule.
inline constexpr AuditRuleText audit_rule_texts[] = {
    {"expired", "Expired key", "The expiry of the key has passed, and the key still exists.",
     palette::lifecycle::Severity::note},
    {"expiring", "Key that expires soon", "A working key expires soon.",
     palette::lifecycle::Severity::warning},
    {"never-expires", "Key without an expiry", "A working key has no expiry.",
     palette::lifecycle::Severity::error},
    {"lives-too-long", "Key with a long life",
     "The time from the creation of the key to its expiry is longer than the policy allows.",
     palette::lifecycle::Severity::warning},
    {"old-secret", "Key with an old value",
     "The key was created long ago. Renewing a key never changes its value.",
     palette::lifecycle::Severity::warning},
    {"revoked-and-forgotten", "Revoked key that was kept",
     "The key was revoked long ago, and can still be re-activated.", palette::lifecycle::Severity::note},
    {"quota", "User near the limit of keys", "The user has nearly as many keys as a user may have.",
     palette::lifecycle::Severity::warning},
    {"duplicate-name", "Two keys of one name", "Two working keys of one owner have the same name.",
     palette::lifecycle::Severity::note},
    {"pending-create", "Key whose value nobody has",
     "A create left the key behind: nobody has received its value.", palette::lifecycle::Severity::warning},
    {"orphaned", "Key of a user who is gone", "The owner of the key does not exist any more.",
     palette::lifecycle::Severity::error},
    {"inactive-owner", "Key of an inactive user",
     "The owner of the key is inactive, or last signed in long ago.", palette::lifecycle::Severity::warning},
    {"idle", "Key that seems unused",
     "Nothing suggests that anybody uses the key. The service records no use of keys.",
     palette::lifecycle::Severity::note},
};

inline const AuditRuleText& text_of(palette::lifecycle::AuditRule rule) noexcept {
    return audit_rule_texts[static_cast<std::size_t>(rule)];
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
