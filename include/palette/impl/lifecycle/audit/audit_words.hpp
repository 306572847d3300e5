// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/lifecycle/audit_policy.hpp>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

// "2026-12-20T09:30:00.000Z"
inline std::string in_words(Instant time) {
    return Expiry::at(time).to_string();
}

// "12 days", "47 hours", "3 minutes"
inline std::string in_words(std::chrono::milliseconds span) {
    using namespace std::chrono;
    auto const number = [](auto count, const char* unit) {
        return std::to_string(count) + ' ' + unit + (count == 1 ? "" : "s");
    };
    // Rounded down: a key is never said to last longer than it does.
    if (span >= days{2}) return number(duration_cast<days>(span).count(), "day");
    if (span >= hours{1}) return number(duration_cast<hours>(span).count(), "hour");
    return number(duration_cast<minutes>(span).count(), "minute");
}

// A count and its noun: "1 key", "20 keys".
inline std::string counted(std::size_t number, std::string_view noun) {
    return std::to_string(number) + ' ' + std::string(noun) + (number == 1 ? "" : "s");
}

inline std::string name_of(const Owner& owner) {
    auto name = owner.first_name;
    if (!name.empty() && !owner.last_name.empty()) name += ' ';
    return name + owner.last_name;
}

// What went wrong, without advice: an audit goes on without what could not be read.
inline std::string words_of(const Error& error) {
    auto words = error.status() != 0 ? "HTTP " + std::to_string(error.status()) + ", " : std::string();
    if (!error.path().empty()) words += error.path() + ": ";
    return words + error.what();
}

// The settings that a report shows.
inline std::vector<std::pair<std::string, std::string>> words_of(
    const palette::lifecycle::AuditPolicy& policy) {
    using palette::lifecycle::all_audit_rules;
    std::string rules;
    for (auto const rule : all_audit_rules)
        if (policy.judges(rule)) rules += (rules.empty() ? "" : ", ") + std::string(to_string(rule));
    auto const percent = std::to_string(std::lround(policy.quota_share() * 100)) + " %";
    auto const yes_or_no = [](bool is) { return std::string(is ? "yes" : "no"); };
    auto const roster =
        policy.roster() ? std::to_string(policy.roster()->size()) + " addresses" : std::string("none");
    return {{"rules", rules},
            {"expiring_within", in_words(policy.expiring_within())},
            {"max_life", in_words(policy.max_life())},
            {"max_age", in_words(policy.max_age())},
            {"revoked_for", in_words(policy.revoked_for())},
            {"idle_for", in_words(policy.idle_for())},
            {"inactive_sign_in", in_words(policy.inactive_sign_in())},
            {"quota_share", percent},
            {"roster", roster},
            {"pending", std::to_string(policy.pending().size())},
            {"read_users", yes_or_no(policy.read_users())},
            {"read_events", yes_or_no(policy.read_events())},
            {"max_keys", std::to_string(policy.max_keys())}};
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
