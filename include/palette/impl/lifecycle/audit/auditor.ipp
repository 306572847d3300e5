// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/lifecycle/audit/audit_words.hpp>
#include <palette/impl/lifecycle/audit/auditor.hpp>
#include <palette/impl/values/create_mark.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

PALETTE_KEYS_INLINE Auditor::Auditor(palette::lifecycle::AuditPolicy policy, Identity actor, Instant now)
    : policy_(std::move(policy)),
      now_(now) {
    report_.actor = std::move(actor);
    report_.as_of = now;
    report_.policy = words_of(policy_);
    if (!policy_.read_users())
        not_judged("the policy does not read the users", {Rule::orphaned, Rule::inactive_owner, Rule::idle});
    for (auto const& pending : policy_.pending())
        if (!pending.tenant_uid().empty() && pending.tenant_uid() != report_.actor.tenant_uid)
            not_judged("a pending create of the policy is of another tenant", {Rule::pending_create});
}

PALETTE_KEYS_INLINE Auditor::Person& Auditor::person(std::string_view uid) {
    // The index numbers uids from 0 on, so that its numbers are the places in persons_.
    auto const [number, is_new] = person_uids_.insert(uid);
    if (is_new) persons_.emplace_back();
    return persons_[number];
}

PALETTE_KEYS_INLINE void Auditor::take_over(const User& user) {
    auto& facts = person(user.uid);
    facts.is_listed = true;
    facts.is_active = user.is_active;
    facts.email = user.email;
    facts.last_sign_in = user.last_sign_in;
}

PALETTE_KEYS_INLINE void Auditor::add_user(const User& user) {
    // A credential that may read nobody else may read its own user.
    if (listed_user_.empty() && user.uid != report_.actor.user_uid) listed_user_ = user.uid;
    take_over(user);
    // A user who comes twice, on two pages, counts once.
    listed_ = person_uids_.size();
}

PALETTE_KEYS_INLINE void Auditor::end_users(bool is_complete, std::optional<std::size_t> total) {
    // The caller exists. A list without them leaves out others as well.
    bool const has_caller = person_uids_.find(report_.actor.user_uid) != TextIndex::none;
    has_users_ = is_complete && has_caller;
    if (has_users_) {
        report_.users = listed_;
        return;
    }
    std::string why = "the list of users is not complete: ";
    if (!is_complete)
        why += std::to_string(listed_) + " came" + (total ? " of " + std::to_string(*total) : std::string());
    else
        why += "the caller is not in it";
    not_judged(std::move(why), {Rule::orphaned, Rule::inactive_owner, Rule::idle});
}

PALETTE_KEYS_INLINE void Auditor::users_failed(const Error& error) {
    not_judged("the users could not be read: " + words_of(error),
               {Rule::orphaned, Rule::inactive_owner, Rule::idle});
}

PALETTE_KEYS_INLINE void Auditor::limit_failed(const Error& error) {
    not_judged("the limit on keys could not be read: " + words_of(error), {Rule::quota});
}

PALETTE_KEYS_INLINE void Auditor::add_event(const std::string& user_uid) {
    ++events_;
    if (!user_uid.empty()) person(user_uid).is_seen = true;
}

PALETTE_KEYS_INLINE void Auditor::events_failed(const Error& error) {
    // Part of a log would make keys look idle whose owners are in the other part.
    for (auto& anybody : persons_)
        anybody.is_seen = false;
    not_judged("the audit log could not be read: " + words_of(error), {Rule::idle});
}

// Judges the key by what is known so far, and keeps what only the end can judge.
PALETTE_KEYS_INLINE void Auditor::add_key(ApiKey given) {
    // A key that moved to a later page while the pages were read comes twice.
    auto const [number, is_new] = uids_.insert(given.uid);
    if (!is_new && !given.uid.empty()) return;
    Subject key(std::move(given));
    auto const state = key->state(now_);
    // As in person(), whose number is needed below.
    auto const owner_number = person_uids_.insert(key->owner.uid).first;
    if (owner_number == persons_.size()) persons_.emplace_back();
    auto& owner = persons_[owner_number];
    count(key, state, owner);
    judge_life(key, state);
    judge_age(key, state);
    judge_name(key, state, number, owner_number);
    judge_mark(key);
    if (key->owner.uid.empty()) {
        ++unjudged_.without_owner;
        return;
    }
    if (!has_users_ || !judges_owners()) return;
    // Judged at the end, when the service was asked for the owner.
    if (!owner.is_listed)
        absent_[key->owner.uid].push_back(key.share());
    else
        judge_owner(key, owner);
}

// For the timeline of the report, and for the quota of the owner, which counts keys in any state.
PALETTE_KEYS_INLINE void Auditor::count(const Subject& key, KeyState state, Person& owner) {
    ++report_.keys;
    if (++owner.keys == 1) owner.names = key->owner;
    auto& timeline = report_.timeline;
    if (state == KeyState::expired) {
        ++timeline.expired;
    } else if (state == KeyState::revoked) {
        ++timeline.revoked;
    } else if (key->expiry.is_never()) {
        ++timeline.never;
    } else {
        // A working key has not expired, so that the number is not negative.
        auto const week = static_cast<std::size_t>(key->expiry.remaining(now_) / std::chrono::weeks{1});
        ++(week < timeline.weeks.size() ? timeline.weeks[week] : timeline.later);
    }
}

PALETTE_KEYS_INLINE void Auditor::judge_life(Subject& key, KeyState state) {
    auto const end = key->expiry.instant();
    if (state == KeyState::expired && judges(Rule::expired))
        add(Rule::expired, Severity::note, Grade::proven, key,
            "expired at " + in_words(*end) + ", " + ago(*end) + (key->is_active ? "" : "; is revoked, too"),
            "delete the key, and create a new one if it is still needed");
    if (state != KeyState::active) return;
    if (!end && judges(Rule::never_expires))
        add(Rule::never_expires, Severity::error, Grade::proven, key, "has no expiry",
            "set an expiry, and have the program renew or rotate the key before");
    if (end && *end - now_ <= policy_.expiring_within() && judges(Rule::expiring)) {
        constexpr std::chrono::days soon{7};
        add(Rule::expiring, *end - now_ <= soon ? Severity::warning : Severity::note, Grade::proven, key,
            "expires at " + in_words(*end) + ", in " + in_words(*end - now_),
            "renew the key, or rotate it if its value is old; let it expire if nobody needs it");
    }
}

PALETTE_KEYS_INLINE void Auditor::judge_age(Subject& key, KeyState state) {
    if (state == KeyState::revoked && judges(Rule::revoked_and_forgotten)) {
        // What changed a key last was its revocation, or came later.
        auto const since = key->modified ? key->modified : key->created;
        if (!since)
            ++unjudged_.without_creation;
        else if (now_ - *since > policy_.revoked_for())
            add(Rule::revoked_and_forgotten, Severity::note, key->modified ? Grade::proven : Grade::inferred,
                key,
                "is revoked, and was " + std::string(key->modified ? "last changed" : "created") + " at " +
                    in_words(*since) + ", " + ago(*since) +
                    (key->modified ? "" : "; the service does not say when it was changed"),
                "delete the key: until then it can be re-activated");
    }
    if (state != KeyState::active || !(judges(Rule::lives_too_long) || judges(Rule::old_secret))) return;
    if (!key->created) {
        ++unjudged_.without_creation;
        return;
    }
    auto const end = key->expiry.instant();
    if (end && *end - *key->created > policy_.max_life() && judges(Rule::lives_too_long))
        add(Rule::lives_too_long, Severity::warning, Grade::proven, key,
            "lives for " + in_words(*end - *key->created) + ", from " + in_words(*key->created) + " to " +
                in_words(*end) + "; the policy allows " + in_words(policy_.max_life()),
            "rotate the key, with a shorter life");
    if (now_ - *key->created > policy_.max_age() && judges(Rule::old_secret))
        add(Rule::old_secret, Severity::warning, Grade::proven, key,
            "was created at " + in_words(*key->created) + ", " + ago(*key->created) +
                "; renewing a key does not change its value",
            "rotate the key: create a new one, and revoke and delete this one");
}

PALETTE_KEYS_INLINE void Auditor::judge_name(Subject& key, KeyState state, std::size_t number,
                                             std::size_t owner) {
    // After a rotation the old key, which is revoked, has the name of the new one.
    if (state != KeyState::active || key->owner.uid.empty() || !judges(Rule::duplicate_name)) return;
    // The number always has the same length: no name can look like the end of another owner's number.
    name_of_owner_.assign(reinterpret_cast<const char*>(&owner), sizeof owner);
    name_of_owner_ += key->name;
    auto const [name, is_new] = names_.insert(name_of_owner_);
    if (is_new) {
        first_of_name_.push_back(number);
        return;
    }
    add(Rule::duplicate_name, Severity::note, Grade::proven, key,
        "has the same name as the working key " + detail::printable(uids_[first_of_name_[name]]) +
            " of the same owner",
        "rename one of them, and use uids in programs");
}

// A create whose answer was lost may leave a key whose value nobody has (W7). A record that the policy was
// given proves that; the marks of the keys themselves only suggest it.
PALETTE_KEYS_INLINE void Auditor::judge_mark(Subject& key) {
    if (!judges(Rule::pending_create)) return;
    auto const mark = key->annotations[detail::create_annotation];
    if (!mark.empty() && !judge_pending(key, mark)) judge_superseded(key, mark);
}

PALETTE_KEYS_INLINE bool Auditor::judge_pending(Subject& key, std::string_view mark) {
    auto const fits = [&](const PendingCreate& pending) {
        return pending.tenant_uid() == report_.actor.tenant_uid && pending.matches(mark);
    };
    // Whoever may write annotations can give a key the mark of another user's create.
    auto const is_of_owner = [&](const PendingCreate& pending) {
        auto const owner = pending.owner_uid().empty() ? pending.user_uid() : pending.owner_uid();
        return !owner.empty() && owner == key->owner.uid;
    };
    auto const& records = policy_.pending();
    // Without a record that fits there is no finding. With one, the grade depends on what the record proves.
    if (std::ranges::none_of(records, fits)) return false;
    auto const of_owner =
        std::ranges::find_if(records, [&](auto const& one) { return fits(one) && is_of_owner(one); });
    // A record of a nonce alone covers the key that was delivered as well.
    auto const proof = std::ranges::find_if(records, [&](auto const& one) {
        return fits(one) && is_of_owner(one) && !one.covers_all_attempts();
    });
    if (proof != records.end())
        add(Rule::pending_create, Severity::warning, Grade::proven, key,
            "bears the mark of an attempt that the policy names as pending: its value was not delivered",
            "delete the key: nobody can use it");
    else if (of_owner != records.end())
        add(Rule::pending_create, Severity::warning, Grade::inferred, key,
            "bears the nonce of a create that the policy names as pending: whoever began the create knows "
            "whether a value was delivered",
            "delete the key, unless its value was received");
    else
        add(Rule::pending_create, Severity::warning, Grade::inferred, key,
            "bears the mark of a create that the policy names as pending, but is not the key of the user "
            "whom "
            "that names: somebody may have copied the mark",
            "ask the owner of the key, and delete it if nobody has its value");
    return true;
}

// A key that was delivered keeps its mark, so that one alone says nothing. But a create sends a request only
// when the one before has delivered nothing.
PALETTE_KEYS_INLINE void Auditor::judge_superseded(Subject& key, std::string_view mark) {
    // Annotations are open to users: what does not look like a mark of ours says nothing.
    auto const nonce = mark.substr(0, std::min(mark.size(), detail::nonce_length));
    if (!detail::is_nonce(nonce)) return;
    auto const number = detail::attempt_of(mark, nonce);
    if (number == 0) return;
    // All keys of a create have one owner; others have copied the mark.
    auto& last = attempts_[std::string(nonce) + key->owner.uid];
    // Two keys of one attempt: which of them the create has made, nobody can say.
    if (number == last.number) return;
    // Keys come in any order. Of two attempts, the one with the lower number has delivered nothing.
    auto superseded = number < last.number ? key.share() : last.key;
    auto const by = number < last.number ? last.key : key.share();
    if (number > last.number) last = LastAttempt{number, by};
    constexpr std::chrono::hours grace{1};  // for the create to delete the key itself
    if (!superseded || !superseded->created || now_ - *superseded->created < grace) return;
    Subject subject(std::move(superseded));
    add(Rule::pending_create, Severity::warning, Grade::inferred, subject,
        "bears the mark of an attempt of a create that went on to make the key " +
            detail::printable(by->uid) + ": its own value was not delivered",
        "delete the key: nobody can use it");
}

PALETTE_KEYS_INLINE std::vector<std::string> Auditor::absent_owners() const {
    std::vector<std::string> owners;
    if (judges_owners())
        for (auto const& [uid, keys] : absent_)
            owners.push_back(uid);
    return owners;
}

// Created since the users were read, or left out of the list: an owner like another.
PALETTE_KEYS_INLINE void Auditor::owner_exists(const User& user) {
    auto const node = absent_.extract(user.uid);
    if (!node) return;
    take_over(user);
    for (auto const& key : node.mapped()) {
        Subject subject(key);
        judge_owner(subject, person(user.uid));
    }
}

PALETTE_KEYS_INLINE void Auditor::owner_is_unknown(const std::string& uid, const Error& error) {
    unknown_[uid] = words_of(error);
}

PALETTE_KEYS_INLINE void Auditor::control_failed(std::size_t owners, const Error& error) {
    if (uncontrolled_ == 0) control_fault_ = words_of(error);
    uncontrolled_ += owners;
}

// Proven takes three things: a complete list without the owner, a 404 for the owner, and a control read that
// succeeds with the same credential (W12).
PALETTE_KEYS_INLINE void Auditor::judge_absent() {
    constexpr auto advice =
        "revoke the key, wait for somebody who misses it, and delete it; give what uses it a key of a user "
        "who is there";
    for (auto const& [uid, keys] : absent_) {
        bool const is_proven = gone_.contains(uid);
        std::string evidence =
            "the owner is not in the list of all " + std::to_string(report_.users.value_or(0)) + " users";
        if (is_proven)
            evidence +=
                ", and the service finds no such user, although it finds another of the list for the same "
                "credential";
        else
            evidence += "; that the owner is gone could not be confirmed";
        if (judges(Rule::orphaned))
            for (auto const& key : keys)
                add(Rule::orphaned,
                    key->state(now_) != KeyState::active ? Severity::note
                    : is_proven                          ? Severity::error
                                                         : Severity::warning,
                    is_proven ? Grade::proven : Grade::inferred, key, key->owner, evidence, advice);
    }
    if (uncontrolled_ > 0)
        not_judged(
            counted(uncontrolled_, "owner") +
                " not found, but not proven to be gone, for no other user of the list could be read: " +
                control_fault_,
            {Rule::orphaned});
    for (auto const& [uid, why] : unknown_)
        not_judged("whether the owner " + detail::printable(uid) + " exists: " + why,
                   {Rule::orphaned, Rule::inactive_owner, Rule::idle});
}

// Of an owner who exists. The roster knows who has left, where the service keeps their record.
PALETTE_KEYS_INLINE void Auditor::judge_owner(Subject& key, const Person& owner) {
    auto const state = key->state(now_);
    auto const& roster = policy_.roster();
    if (roster && judges(Rule::orphaned)) {
        if (owner.email.empty()) {
            ++unjudged_.without_email;
        } else if (!roster->contains(owner.email)) {
            add(Rule::orphaned, state == KeyState::active ? Severity::error : Severity::note, Grade::proven,
                key,
                "the owner's address " + detail::printable(owner.email) + " is not among the " +
                    std::to_string(roster->size()) + " of the roster",
                "revoke the key, wait for somebody who misses it, and delete it; remove the user");
        }
    }
    if (state == KeyState::active) {
        judge_sign_in(key, owner);
        judge_idle(key, owner);
    }
}

PALETTE_KEYS_INLINE void Auditor::judge_sign_in(Subject& key, const Person& owner) {
    if (!judges(Rule::inactive_owner)) return;
    constexpr auto advice = "ask whether the user is still there; if not, treat the key as orphaned";
    if (!owner.is_active)
        add(Rule::inactive_owner, Severity::warning, Grade::inferred, key,
            "the owner is not active; the service does not say whether the user is new or was disabled",
            advice);
    // Who never signed in, as far as the service tells, has not been away since: a technical user, for
    // example.
    else if (owner.last_sign_in && now_ - *owner.last_sign_in > policy_.inactive_sign_in())
        add(Rule::inactive_owner, Severity::note, Grade::inferred, key,
            "the owner last signed in at " + in_words(*owner.last_sign_in) + ", " + ago(*owner.last_sign_in) +
                "; the use of a key may not count as that",
            advice);
}

// Never proven, for the service records no use of keys: what could be a trace of one clears the key.
PALETTE_KEYS_INLINE void Auditor::judge_idle(Subject& key, const Person& owner) {
    if (!judges(Rule::idle)) return;
    // The caller has just been seen.
    if (key->owner.uid == report_.actor.user_uid || owner.is_seen) return;
    auto const is_recent = [&](const std::optional<Instant>& time) {
        return time && now_ - *time <= policy_.idle_for();
    };
    if (is_recent(key->created) || is_recent(key->modified) || is_recent(owner.last_sign_in)) return;
    if (!owner.last_sign_in && !report_.events) {
        ++unjudged_.without_trace;
        return;
    }
    auto evidence = owner.last_sign_in ? "the owner last signed in at " + in_words(*owner.last_sign_in)
                                       : std::string("no sign-in of the owner is known");
    evidence += report_.events ? ", and the audit log of " + in_words(policy_.idle_for()) +
                                     " has nothing that the owner did"
                               : std::string("; the audit log was not read");
    evidence += "; the service does not record the use of keys, so the key may be in use";
    add(Rule::idle, Severity::note, Grade::inferred, key, std::move(evidence),
        "find out by revoking the key and waiting: re-activate it if somebody misses it, or delete it");
}

PALETTE_KEYS_INLINE void Auditor::judge_quota() {
    if (!limit_ || *limit_ == 0 || !judges(Rule::quota)) return;
    for (auto const& owner : persons_) {
        // Users without a key have no uid here, and neither has what stands for keys without an owner.
        if (owner.names.uid.empty() ||
            static_cast<double>(owner.keys) < policy_.quota_share() * static_cast<double>(*limit_))
            continue;
        add(Rule::quota, owner.keys >= *limit_ ? Severity::error : Severity::warning, Grade::proven, nullptr,
            owner.names, "has " + std::to_string(owner.keys) + " of " + std::to_string(*limit_) + " keys",
            "delete keys that nobody needs, or have the limit raised: a rotation takes one more");
    }
}

// Otherwise a report without a finding would be taken for a clean tenant.
PALETTE_KEYS_INLINE void Auditor::say_what_was_not_judged() {
    not_judged(unjudged_.without_creation, "without a time of creation",
               {Rule::lives_too_long, Rule::old_secret, Rule::revoked_and_forgotten});
    not_judged(unjudged_.without_owner, "without an owner",
               {Rule::quota, Rule::duplicate_name, Rule::orphaned, Rule::inactive_owner, Rule::idle});
    not_judged(unjudged_.without_email, "of an owner without an address", {Rule::orphaned});
    not_judged(unjudged_.without_trace,
               "of an owner whose last sign-in is not known, and the audit log was not read", {Rule::idle});
}

PALETTE_KEYS_INLINE Auditor::Report Auditor::finish() {
    judge_absent();
    judge_quota();
    say_what_was_not_judged();
    // At the end, for an owner who was absent may have been read meanwhile, and have an address now.
    for (auto& finding : report_.findings)
        if (auto const number = person_uids_.find(finding.owner.uid); number != TextIndex::none)
            finding.owner_email = persons_[number].email;
    // What is worst first, and what expires first within a rule. The uid makes the order the same each time.
    auto const place = [](const Finding& f) {
        return std::tuple(-static_cast<int>(f.severity), f.rule, f.key ? f.key->expiry : Expiry(),
                          std::string_view(f.subject_uid()));
    };
    std::ranges::sort(report_.findings, {}, place);
    return std::move(report_);
}

PALETTE_KEYS_INLINE void Auditor::add(Rule rule, Severity severity, Grade grade, Subject& key,
                                      std::string evidence, std::string advice) {
    auto const& shared = key.share();
    add(rule, severity, grade, shared, shared->owner, std::move(evidence), std::move(advice));
}

PALETTE_KEYS_INLINE void Auditor::add(Rule rule, Severity severity, Grade grade, const Key& key,
                                      const Owner& owner, std::string evidence, std::string advice) {
    auto& finding = report_.findings.emplace_back();
    finding.rule = rule;
    finding.severity = severity;
    finding.grade = grade;
    finding.key = key;
    finding.owner = owner;
    finding.evidence = std::move(evidence);
    finding.advice = std::move(advice);
}

PALETTE_KEYS_INLINE void Auditor::not_judged(std::string why, std::initializer_list<Rule> rules) {
    std::string names;
    for (auto const rule : rules)
        if (judges(rule)) names += (names.empty() ? "" : ", ") + std::string(to_string(rule));
    // What the policy leaves out was not to be judged.
    if (!names.empty()) report_.not_judged.push_back(std::move(why) + "; not judged: " + names);
}

PALETTE_KEYS_INLINE void Auditor::not_judged(std::size_t keys, std::string_view why,
                                             std::initializer_list<Rule> rules) {
    if (keys > 0) not_judged(counted(keys, "key") + ' ' + std::string(why), rules);
}

PALETTE_KEYS_INLINE std::string Auditor::ago(Instant time) const {
    return in_words(now_ - time) + " ago";
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
