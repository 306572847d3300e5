// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/lifecycle/audit/auditor.hpp>
#include <palette/lifecycle/audit_policy.hpp>
#include <palette/lifecycle/audit_report.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// What an auditor is fed with: a tenant of values, whose time is the noon of a day.
class AuditScene {
public:
    using Auditor = palette::impl::lifecycle::Auditor;
    using Rule = palette::lifecycle::AuditRule;
    using Policy = palette::lifecycle::AuditPolicy;
    using Report = palette::lifecycle::AuditReport;

    static constexpr palette::Instant now =
        std::chrono::sys_days{std::chrono::year{2026} / 11 / 28} + std::chrono::hours{12};

    static palette::Instant days_ago(int days) { return now - std::chrono::days{days}; }
    static palette::Expiry in_days(int days) { return palette::Expiry::at(now + std::chrono::days{days}); }

    static palette::Identity caller() {
        palette::Identity who;
        who.user_uid = "u-admin";
        who.tenant_uid = "t-1";
        who.org_name = "acme";
        return who;
    }

    // A user who is active and signed in a moment ago.
    static palette::User user(std::string uid) {
        palette::User user;
        user.email = uid + "@acme.test";
        user.uid = std::move(uid);
        user.is_active = true;
        user.last_sign_in = days_ago(1);
        return user;
    }

    // A key about which there is nothing to find, of an owner of that kind.
    static palette::ApiKey key(std::string uid, std::string owner = "u-dev") {
        palette::ApiKey key;
        key.name = "name of " + uid;
        key.uid = std::move(uid);
        key.owner = palette::Owner(std::move(owner), "Ada", "Lovelace");
        key.created = days_ago(10);
        key.modified = days_ago(10);
        key.expiry = in_days(60);
        key.is_active = true;
        return key;
    }

    [[nodiscard]] Auditor auditor_with_users() const {
        Auditor auditor(policy, caller(), now);
        for (auto const& user : users)
            auditor.add_user(user);
        auditor.end_users(true, users.size());
        if (limit) auditor.limit_is(*limit);
        return auditor;
    }

    // Of these keys, where reading an absent owner says that there is none.
    [[nodiscard]] Report report() const {
        auto auditor = auditor_with_users();
        for (auto const& key : keys)
            auditor.add_key(key);
        for (auto const& uid : auditor.absent_owners())
            auditor.owner_is_gone(uid);
        return auditor.finish();
    }

    Policy policy;
    std::vector<palette::User> users{user("u-admin"), user("u-dev")};
    std::vector<palette::ApiKey> keys;
    std::optional<std::size_t> limit = 20;
};

// "never-expires k1 proven", in the order of the report.
inline std::vector<std::string> lines_of(const palette::lifecycle::AuditReport& report) {
    std::vector<std::string> lines;
    for (auto const& finding : report.findings)
        lines.push_back(std::string(to_string(finding.severity)) + ' ' +
                        std::string(to_string(finding.rule)) + ' ' + finding.subject_uid() + ' ' +
                        std::string(to_string(finding.grade)));
    return lines;
}
