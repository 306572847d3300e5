// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/lifecycle/selection.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <ostream>
#include <set>
#include <sstream>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::lifecycle {

inline std::vector<Selected> without_reasons(std::vector<std::string> marks) {
    std::vector<Selected> entries;
    entries.reserve(marks.size());
    for (auto& mark : marks)
        entries.emplace_back(std::move(mark), std::string());
    return entries;
}

PALETTE_KEYS_INLINE Selection::Selection(By by, std::vector<Selected> entries) : by_(by) {
    // Of several reasons for one key, the first one is kept.
    std::map<std::string, std::string> reasons;
    for (auto& entry : entries)
        reasons.emplace(std::move(entry.uid), std::move(entry.reason));
    entries_.reserve(reasons.size());
    for (auto& [uid, reason] : reasons)
        entries_.emplace_back(uid, std::move(reason));
}

PALETTE_KEYS_INLINE Selection Selection::matching(ListFilter filter) {
    Selection selection(By::filter, {});
    selection.filter_ = std::move(filter);
    return selection;
}

PALETTE_KEYS_INLINE Selection Selection::uids(std::vector<std::string> uids) {
    return Selection(By::uid, without_reasons(std::move(uids)));
}

PALETTE_KEYS_INLINE Selection Selection::uid(std::string uid) {
    std::vector<std::string> one;
    one.push_back(std::move(uid));
    return uids(std::move(one));
}

PALETTE_KEYS_INLINE Selection Selection::names(std::vector<std::string> names) {
    return Selection(By::name, without_reasons(std::move(names)));
}

PALETTE_KEYS_INLINE Selection Selection::owners(std::vector<std::string> user_uids) {
    return Selection(By::owner, without_reasons(std::move(user_uids)));
}

PALETTE_KEYS_INLINE Selection Selection::owner(std::string user_uid) {
    std::vector<std::string> one;
    one.push_back(std::move(user_uid));
    return owners(std::move(one));
}

PALETTE_KEYS_INLINE Selection Selection::of(std::vector<Selected> keys, std::string words) {
    Selection selection(By::entry, std::move(keys));
    selection.words_ = std::move(words);
    return selection;
}

PALETTE_KEYS_INLINE Selection Selection::findings(const AuditReport& report,
                                                  const std::vector<AuditRule>& rules, Grade least) {
    std::vector<Selected> keys;
    for (auto const& finding : report.findings) {
        if (!finding.key || std::ranges::find(rules, finding.rule) == rules.end()) continue;
        // A greater grade is a weaker one: what is only inferred is no reason to take a key away unless
        // somebody says so.
        if (finding.grade > least) continue;
        auto reason = std::string(palette::lifecycle::to_string(finding.rule));
        keys.emplace_back(finding.key->uid, reason + ": " + finding.evidence);
    }
    std::string words = "found by an audit of " + Expiry::at(report.as_of).to_string() + " to be";
    for (auto const rule : rules)
        words.append(rule == rules.front() ? " " : " or ").append(palette::lifecycle::to_string(rule));
    if (least == Grade::proven) words += ", proven";
    return of(std::move(keys), std::move(words));
}

PALETTE_KEYS_INLINE const std::string& Selection::mark_of(const ApiKey& key) const noexcept {
    if (by_ == By::name) return key.name;
    return by_ == By::owner ? key.owner.uid : key.uid;
}

PALETTE_KEYS_INLINE std::optional<std::string> Selection::reason_for(const ApiKey& key, Instant now) const {
    if (by_ == By::filter) {
        if (!filter_.matches(key, now)) return std::nullopt;
        return "meets the filter";
    }
    // The entries came out of a map, so they are sorted.
    auto const found = std::ranges::lower_bound(entries_, mark_of(key), {}, &Selected::uid);
    if (found == entries_.end() || found->uid != mark_of(key)) return std::nullopt;
    switch (by_) {
        case By::name:
            return "is named so";
        case By::owner:
            return "is a key of this user";
        case By::entry:
            return found->reason;
        default:
            return "is listed by its uid";
    }
}

PALETTE_KEYS_INLINE std::vector<std::string> Selection::missing_in(const KeyList& keys) const {
    std::set<std::string_view> marks;
    for (auto const& key : keys)
        marks.insert(mark_of(key));
    std::vector<std::string> missing;
    for (auto const& entry : entries_)
        if (!marks.contains(entry.uid)) missing.push_back(entry.uid);
    return missing;
}

PALETTE_KEYS_INLINE std::string Selection::to_string() const {
    using palette::detail::printable;
    if (by_ == By::filter) {
        std::ostringstream words;
        words << "the keys that meet " << filter_;
        return std::move(words).str();
    }
    if (by_ == By::entry)
        return std::to_string(entries_.size()) + (entries_.size() == 1 ? " key: " : " keys: ") +
               palette::detail::one_line(words_, 400);
    std::string words = by_ == By::uid    ? "the keys with the uids"
                        : by_ == By::name ? "the keys named"
                                          : "the keys of the users";
    // The items of a plan name each key, so that a long list adds nothing here.
    constexpr std::size_t shown = 8;
    for (std::size_t i = 0; i < entries_.size() && i < shown; ++i)
        words += (i == 0 ? " " : ", ") + printable(entries_[i].uid);
    if (entries_.size() > shown) words += " and " + std::to_string(entries_.size() - shown) + " more";
    return words;
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const Selection& selection) {
    return out << selection.to_string();
}

}  // namespace palette::inline PALETTE_KEYS_ABI::lifecycle
