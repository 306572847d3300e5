// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/lifecycle/audit_finding.hpp>
#include <palette/lifecycle/roster.hpp>
#include <palette/pending_create.hpp>

#include <bitset>
#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI {

namespace lifecycle {

/// Configures what an audit looks for, and from when on something is a finding. Setters chain.
///
///     auto strict = lifecycle::AuditPolicy().max_life(days{90}).without(lifecycle::AuditRule::idle);
///
/// All times count by the service's clock. async_audit() refuses times that are negative or longer than a
/// century, and shares outside of 0 to 1.
class AuditPolicy {
public:
    /// Constructs the default policy.
    AuditPolicy() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    /// Sets how long before its expiry a key is `expiring`. Default: 30 days.
    AuditPolicy& expiring_within(std::chrono::milliseconds time) & noexcept {
        expiring_within_ = time;
        return *this;
    }
    /// Sets the longest time from creation to expiry; a key with a longer one `lives-too-long`. Default: 365
    /// days.
    AuditPolicy& max_life(std::chrono::milliseconds time) & noexcept {
        max_life_ = time;
        return *this;
    }
    /// Sets the greatest age of a key's value; an older one is an `old-secret`. Default: 365 days.
    AuditPolicy& max_age(std::chrono::milliseconds time) & noexcept {
        max_age_ = time;
        return *this;
    }
    /// Sets for how long a key is revoked before it is `revoked-and-forgotten`. Default: 90 days.
    AuditPolicy& revoked_for(std::chrono::milliseconds time) & noexcept {
        revoked_for_ = time;
        return *this;
    }
    /// Sets for how long nothing is seen of a key and its owner before it is `idle`. Default: 90 days.
    AuditPolicy& idle_for(std::chrono::milliseconds time) & noexcept {
        idle_for_ = time;
        return *this;
    }
    /// Sets how long ago an owner last signed in to be an `inactive-owner`. Default: 180 days.
    AuditPolicy& inactive_sign_in(std::chrono::milliseconds time) & noexcept {
        inactive_sign_in_ = time;
        return *this;
    }
    /// Sets from which part of the limit on a user has too many keys (`quota`), from 0 to 1. Default: 0.8.
    AuditPolicy& quota_share(double share) & noexcept {
        quota_share_ = share;
        return *this;
    }
    /// Leaves out a rule.
    AuditPolicy& without(AuditRule rule) & noexcept {
        rules_.reset(static_cast<std::size_t>(rule));
        return *this;
    }
    /// Leaves out all rules but these.
    AuditPolicy& only(std::initializer_list<AuditRule> rules) & noexcept {
        rules_.reset();
        for (auto const rule : rules)
            rules_.set(static_cast<std::size_t>(rule));
        return *this;
    }
    /// Gives the people that the identity provider knows: a key of an owner whose address is not there is
    /// `orphaned`, proven. Default: none.
    AuditPolicy& roster(Roster people) & {
        roster_ = std::make_shared<const Roster>(std::move(people));
        return *this;
    }
    /// Adds what an earlier create has left pending: a key that bears one of its marks is a
    /// `pending-create`; proven if it belongs to the owner that the record names, and the record does not
    /// cover the delivered key too. May be called several times. Default: none.
    AuditPolicy& pending(PendingCreate create) & {
        pending_.push_back(std::move(create));
        return *this;
    }
    /// Chooses whether the audit log is read, over the time of idle_for(), for what the owners of keys did.
    /// That takes the permission audit.list, and a request for each 50 events. Default: false.
    AuditPolicy& read_events(bool on) & noexcept {
        read_events_ = on;
        return *this;
    }
    /// Chooses whether the users are read. Without them, `orphaned`, `inactive-owner` and `idle` are not
    /// judged. Default: true.
    AuditPolicy& read_users(bool on) & noexcept {
        read_users_ = on;
        return *this;
    }
    /// Sets how many keys an audit looks at, and so how much it holds: its keys are not bound by
    /// ClientOptions::list_limits, and their uids and names are held. A tenant with more is
    /// errc::too_large. Default: 1,000,000.
    AuditPolicy& max_keys(std::size_t number) & noexcept {
        max_keys_ = number;
        return *this;
    }
    /// Same, on a temporary.
    AuditPolicy expiring_within(std::chrono::milliseconds time) && noexcept {
        return std::move(expiring_within(time));
    }
    /// Same, on a temporary.
    AuditPolicy max_life(std::chrono::milliseconds time) && noexcept { return std::move(max_life(time)); }
    /// Same, on a temporary.
    AuditPolicy max_age(std::chrono::milliseconds time) && noexcept { return std::move(max_age(time)); }
    /// Same, on a temporary.
    AuditPolicy revoked_for(std::chrono::milliseconds time) && noexcept {
        return std::move(revoked_for(time));
    }
    /// Same, on a temporary.
    AuditPolicy idle_for(std::chrono::milliseconds time) && noexcept { return std::move(idle_for(time)); }
    /// Same, on a temporary.
    AuditPolicy inactive_sign_in(std::chrono::milliseconds time) && noexcept {
        return std::move(inactive_sign_in(time));
    }
    /// Same, on a temporary.
    AuditPolicy quota_share(double share) && noexcept { return std::move(quota_share(share)); }
    /// Same, on a temporary.
    AuditPolicy without(AuditRule rule) && noexcept { return std::move(without(rule)); }
    /// Same, on a temporary.
    AuditPolicy only(std::initializer_list<AuditRule> rules) && noexcept { return std::move(only(rules)); }
    /// Same, on a temporary.
    AuditPolicy roster(Roster people) && { return std::move(roster(std::move(people))); }
    /// Same, on a temporary.
    AuditPolicy pending(PendingCreate create) && { return std::move(pending(std::move(create))); }
    /// Same, on a temporary.
    AuditPolicy read_events(bool on) && noexcept { return std::move(read_events(on)); }
    /// Same, on a temporary.
    AuditPolicy read_users(bool on) && noexcept { return std::move(read_users(on)); }
    /// Same, on a temporary.
    AuditPolicy max_keys(std::size_t number) && noexcept { return std::move(max_keys(number)); }

    /// Returns how long before its expiry a key is `expiring`.
    [[nodiscard]] std::chrono::milliseconds expiring_within() const noexcept { return expiring_within_; }
    /// Returns the longest time from creation to expiry.
    [[nodiscard]] std::chrono::milliseconds max_life() const noexcept { return max_life_; }
    /// Returns the greatest age of a key's value.
    [[nodiscard]] std::chrono::milliseconds max_age() const noexcept { return max_age_; }
    /// Returns for how long a key is revoked before it is forgotten.
    [[nodiscard]] std::chrono::milliseconds revoked_for() const noexcept { return revoked_for_; }
    /// Returns for how long nothing is seen of a key that is `idle`.
    [[nodiscard]] std::chrono::milliseconds idle_for() const noexcept { return idle_for_; }
    /// Returns how long ago an inactive owner last signed in.
    [[nodiscard]] std::chrono::milliseconds inactive_sign_in() const noexcept { return inactive_sign_in_; }
    /// Returns from which part of the limit on a user has too many keys.
    [[nodiscard]] double quota_share() const noexcept { return quota_share_; }
    /// Returns whether the rule is judged.
    [[nodiscard]] bool judges(AuditRule rule) const noexcept {
        return rules_.test(static_cast<std::size_t>(rule));
    }
    /// Returns the people that the identity provider knows; null if no roster was given.
    [[nodiscard]] const std::shared_ptr<const Roster>& roster() const& noexcept { return roster_; }
    void roster() const&& = delete;
    /// Returns what earlier creates have left pending.
    [[nodiscard]] const std::vector<PendingCreate>& pending() const& noexcept { return pending_; }
    void pending() const&& = delete;
    /// Returns whether the audit log is read.
    [[nodiscard]] bool read_events() const noexcept { return read_events_; }
    /// Returns whether the users are read.
    [[nodiscard]] bool read_users() const noexcept { return read_users_; }
    /// Returns how many keys an audit looks at.
    [[nodiscard]] std::size_t max_keys() const noexcept { return max_keys_; }

private:
    std::chrono::milliseconds expiring_within_ = std::chrono::days{30};
    std::chrono::milliseconds max_life_ = std::chrono::days{365};
    std::chrono::milliseconds max_age_ = std::chrono::days{365};
    std::chrono::milliseconds revoked_for_ = std::chrono::days{90};
    std::chrono::milliseconds idle_for_ = std::chrono::days{90};
    std::chrono::milliseconds inactive_sign_in_ = std::chrono::days{180};
    double quota_share_ = 0.8;
    std::bitset<all_audit_rules.size()> rules_ = std::bitset<all_audit_rules.size()>().set();
    std::shared_ptr<const Roster> roster_;
    std::vector<PendingCreate> pending_;
    bool read_events_ = false;
    bool read_users_ = true;
    std::size_t max_keys_ = 1'000'000;
};

}  // namespace lifecycle
}  // namespace palette::inline PALETTE_KEYS_ABI
