// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/lifecycle/audit/text_index.hpp>
#include <palette/lifecycle/audit_policy.hpp>
#include <palette/lifecycle/audit_report.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

// Judges keys by a policy: no I/O and no clock. It is fed in this order: users, the limit, events, keys; then
// it says which owners are absent from the list of users, is told what became of them, and gives the report.
//
// Of a key nothing is kept but its uid and name, unless there is a finding about it, its owner is absent, or
// it bears the mark of a create.
class Auditor {
public:
    using Rule = palette::lifecycle::AuditRule;
    using Report = palette::lifecycle::AuditReport;

    // `now` is the service's time.
    Auditor(palette::lifecycle::AuditPolicy policy, Identity actor, Instant now);

    void add_user(const User& user);
    // `total`: how many there are, as the service says.
    void end_users(bool is_complete, std::optional<std::size_t> total);
    void users_failed(const Error& error);

    void limit_is(std::size_t keys_per_user) { limit_ = keys_per_user; }
    void limit_failed(const Error& error);

    void add_event(const std::string& user_uid);
    void end_events() { report_.events = events_; }
    void events_failed(const Error& error);

    void add_key(ApiKey key);
    [[nodiscard]] std::size_t keys() const noexcept { return report_.keys; }

    // The owners of keys who are not in the list of users, which is complete; sorted. None if it is not.
    [[nodiscard]] std::vector<std::string> absent_owners() const;
    // A user of the list other than the caller, to see whether reading one succeeds; empty if there is none.
    [[nodiscard]] const std::string& listed_user() const noexcept { return listed_user_; }
    void owner_exists(const User& user);
    void owner_is_gone(const std::string& uid) { gone_.insert(uid); }
    void owner_is_unknown(const std::string& uid, const Error& error);
    // A control read has not succeeded: that so many owners were not found proves nothing.
    void control_failed(std::size_t owners, const Error& error);

    // The auditor is used up.
    Report finish();

private:
    using Finding = palette::lifecycle::Finding;
    using Severity = palette::lifecycle::Severity;
    using Grade = palette::lifecycle::Grade;
    using Key = std::shared_ptr<const ApiKey>;

    // The key that is judged, which is put into shared memory only if something is kept of it.
    class Subject {
    public:
        explicit Subject(ApiKey&& key) noexcept : key_(std::move(key)) {}
        explicit Subject(Key key) noexcept : shared_(std::move(key)) {}
        const ApiKey* operator->() const noexcept { return shared_ ? shared_.get() : &key_; }
        // What operator-> has pointed to before is moved.
        const Key& share() {
            if (!shared_) shared_ = std::make_shared<const ApiKey>(std::move(key_));
            return shared_;
        }

    private:
        ApiKey key_;
        Key shared_;
    };

    // A user of the list, an owner of a key, or both.
    struct Person {
        bool is_listed = false;
        bool is_active = false;
        bool is_seen = false;  // in the audit log
        std::string email;
        std::optional<Instant> last_sign_in;
        Owner names;  // as they stand in a key
        std::size_t keys = 0;
    };
    // The key of a create with the highest number of an attempt.
    struct LastAttempt {
        int number = 0;
        Key key;
    };
    // Keys of which something is missing, which no rule can do without.
    struct Unjudged {
        std::size_t without_creation = 0;
        std::size_t without_owner = 0;
        std::size_t without_trace = 0;  // neither a sign-in nor the audit log
        std::size_t without_email = 0;
    };

    [[nodiscard]] bool judges(Rule rule) const noexcept { return policy_.judges(rule); }
    [[nodiscard]] bool judges_owners() const noexcept {
        return judges(Rule::orphaned) || judges(Rule::inactive_owner) || judges(Rule::idle);
    }
    [[nodiscard]] std::string ago(Instant time) const;

    Person& person(std::string_view uid);
    void take_over(const User& user);

    void count(const Subject& key, KeyState state, Person& owner);
    void judge_life(Subject& key, KeyState state);
    void judge_age(Subject& key, KeyState state);
    // `number` is that of its uid.
    void judge_name(Subject& key, KeyState state, std::size_t number, std::size_t owner);
    void judge_mark(Subject& key);
    // Whether a record of the policy has the mark: there is a finding then.
    bool judge_pending(Subject& key, std::string_view mark);
    void judge_superseded(Subject& key, std::string_view mark);
    void judge_absent();
    void judge_owner(Subject& key, const Person& owner);
    void judge_sign_in(Subject& key, const Person& owner);
    void judge_idle(Subject& key, const Person& owner);
    void judge_quota();
    void say_what_was_not_judged();

    void add(Rule rule, Severity severity, Grade grade, Subject& key, std::string evidence,
             std::string advice);
    void add(Rule rule, Severity severity, Grade grade, const Key& key, const Owner& owner,
             std::string evidence, std::string advice);
    void not_judged(std::string why, std::initializer_list<Rule> rules);
    void not_judged(std::size_t keys, std::string_view why, std::initializer_list<Rule> rules);

    palette::lifecycle::AuditPolicy policy_;
    Instant now_;
    Report report_;

    TextIndex person_uids_;
    std::deque<Person> persons_;
    std::size_t listed_ = 0;
    std::string listed_user_;
    bool has_users_ = false;  // all of them
    std::optional<std::size_t> limit_;
    std::size_t events_ = 0;
    TextIndex uids_;                          // of the keys
    TextIndex names_;                         // of working keys, each behind the number of its owner
    std::vector<std::size_t> first_of_name_;  // the number of its uid
    std::string name_of_owner_;               // kept for its memory
    std::unordered_map<std::string, LastAttempt> attempts_;  // by nonce and owner
    std::map<std::string, std::vector<Key>> absent_;         // by owner
    std::unordered_set<std::string> gone_;
    std::map<std::string, std::string> unknown_;  // owners, and why
    std::size_t uncontrolled_ = 0;                // owners
    std::string control_fault_;                   // the first
    Unjudged unjudged_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/lifecycle/audit/auditor.ipp>
#endif
