// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/api_key.hpp>
#include <palette/instant.hpp>
#include <palette/lifecycle/audit_report.hpp>

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::lifecycle {

/// Names a key that a plan is to change, and why.
class Selected {
public:
    /// Constructs the entry. `reason` is shown in the plan, escaped.
    Selected(std::string uid_, std::string reason_) : uid(std::move(uid_)), reason(std::move(reason_)) {}

    /// Identifies the key.
    std::string uid;
    /// Says why the key is selected, in words.
    std::string reason;

    /// Compares all members.
    friend bool operator==(const Selected&, const Selected&) = default;
};

/// Selects the keys of a plan, out of those that the service lists.
///
///     auto expired = lifecycle::Selection::matching(ListFilter().state(KeyState::expired));
///     auto theirs = lifecycle::Selection::owner(uid);
///
/// Make a selection of a list in braces before a co_await expression: g++ 12 does not compile such a list in
/// it.
class PALETTE_KEYS_DECL Selection {
public:
    /// Selects the keys that meet every condition of the filter, judged by the service's clock.
    [[nodiscard]] static Selection matching(ListFilter filter);
    /// Selects the keys with these uids. The plan notes a uid that no key has.
    [[nodiscard]] static Selection uids(std::vector<std::string> uids);
    /// Same, of one key.
    [[nodiscard]] static Selection uid(std::string uid);
    /// Selects all keys with one of these names. The plan notes a name that no key has.
    [[nodiscard]] static Selection names(std::vector<std::string> names);
    /// Selects all keys of these users, by uid. The plan notes a user who has no key.
    [[nodiscard]] static Selection owners(std::vector<std::string> user_uids);
    /// Same, of one user.
    [[nodiscard]] static Selection owner(std::string user_uid);
    /// Selects the keys about which an audit has findings of one of these rules, each with the evidence as
    /// its reason: those that are proven, or with `least` = Grade::inferred all of them. An inferred finding
    /// may be wrong: revoke, or delete with a quarantine (PlanOptions::quarantine()).
    [[nodiscard]] static Selection findings(const AuditReport& report, const std::vector<AuditRule>& rules,
                                            Grade least = Grade::proven);
    /// Selects keys one by one, each with its reason. `words` says in the plan what they have in common, such
    /// as "idle for a year".
    [[nodiscard]] static Selection of(std::vector<Selected> keys, std::string words);

    /// Returns why the key is selected at the time `now`; nothing if it is not.
    [[nodiscard]] std::optional<std::string> reason_for(const ApiKey& key, Instant now) const;
    /// Returns what was asked for and no key of `keys` has: uids, names or users, in their order.
    [[nodiscard]] std::vector<std::string> missing_in(const KeyList& keys) const;
    /// Returns the selection in words, escaped, such as "the keys of the users 5f1b2c3d4e5f6a7b8c9d0e1f".
    [[nodiscard]] std::string to_string() const;

    /// Compares what is selected, and the words.
    friend bool operator==(const Selection&, const Selection&) = default;

private:
    enum class By : std::uint8_t { filter, uid, name, owner, entry };

    Selection(By by, std::vector<Selected> entries);
    [[nodiscard]] const std::string& mark_of(const ApiKey& key) const noexcept;

    By by_;
    ListFilter filter_;
    std::vector<Selected> entries_;  // sorted, each uid, name or owner once
    std::string words_;
};

/// Writes Selection::to_string().
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const Selection& selection);

}  // namespace palette::inline PALETTE_KEYS_ABI::lifecycle

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/lifecycle/plans/selection.ipp>
#endif
