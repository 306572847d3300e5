// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "lifecycle/plan_samples.hpp"

#include <palette/impl/lifecycle/plans/apply_machine.hpp>
#include <palette/impl/lifecycle/plans/plan_rules.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

// A service and a journal that are a few lines of memory, and runs of a plan that can be killed before each
// effect.
namespace apply_world {

using namespace plan_samples;
using impl::lifecycle::ApplyMachine;
using impl::lifecycle::ApplyStep;
using impl::lifecycle::JournalEntry;
using lifecycle::Action;
using lifecycle::ActionKind;
using lifecycle::ApplyOptions;
using lifecycle::BulkOutcome;
using lifecycle::BulkReport;
using lifecycle::Guard;
using lifecycle::Plan;
using lifecycle::PlanItem;
using lifecycle::PlanOptions;
using lifecycle::Selection;

struct Killed {};

class World {
public:
    explicit World(std::vector<ApiKey> keys, std::vector<User> users = {user("u1")})
        : users_(std::move(users)) {
        for (auto& key : keys)
            keys_[key.uid] = std::move(key);
    }

    [[nodiscard]] Plan plan(Selection selection = Selection::owners({"u1"}), Action action = Action::revoke(),
                            PlanOptions options = {}) const {
        auto from = sources(listed(), users_, who);
        from.keys = list();
        return make(from, std::move(selection), std::move(action), std::move(options)).value();
    }

    // One run. It is killed before the effect number `kill_at`, from 0 on.
    Result<BulkReport> run(const Plan& plan, const ApplyOptions& options = all_allowed(),
                           std::optional<int> kill_at = std::nullopt) {
        kill_at_ = kill_at;
        effects_ = 0;
        std::vector<JournalEntry> unwritten;
        ApplyMachine machine(plan, options);
        if (auto good = machine.restore(journal); !good) return good.error();
        if (auto good = machine.admit(who, now); !good) return good.error();
        std::vector<ApplyStep> sent;
        for (;;) {
            if (machine.needs_list() && sent.empty() && !machine.is_stopped()) {
                ++lists;
                machine.compare(listed_by_service());
                auto const missing = machine.missing();
                for (auto const number : missing)
                    if (!machine.is_stopped()) machine.confirm(number, read(plan.items[number].uid));
            }
            write_news(machine);
            auto const steps = machine.next();
            for (auto const& step : steps)
                write(machine.intent_of(step, now));
            for (auto const& step : steps) {
                machine.begun(step);
                sent.push_back(step);
            }
            if (!sent.empty()) {
                auto const step = sent.front();
                sent.erase(sent.begin());
                machine.finished(step.item, change(plan, step), now);
            } else if (!machine.needs_list() || machine.is_stopped()) {
                break;
            }
        }
        write_news(machine);
        return machine.report(now);
    }

    static ApplyOptions all_allowed() {
        return ApplyOptions("journal").allow_large_share().include(Guard::last_user_key);
    }

    ApiKey& key_of(const std::string& uid) { return keys_.at(uid); }
    void remove(const std::string& uid) { keys_.erase(uid); }
    [[nodiscard]] bool has(const std::string& uid) const { return keys_.contains(uid); }
    [[nodiscard]] KeyList list() const {
        auto const keys = listed();
        return KeyList(keys.begin(), keys.end(), now);
    }
    [[nodiscard]] int most_writes() const {
        int most = 0;
        for (auto const& [uid, number] : writes)
            most = std::max(most, number);
        return most;
    }

    Instant now = noon;
    Caller who = caller();
    std::vector<JournalEntry> journal;
    std::map<std::string, int> writes;  // that were applied
    std::vector<std::string> order;     // of the keys that were written
    int lists = 0;
    int reads = 0;
    std::set<std::string> unlisted;  // that exist, and that the lists of a run leave out
    // What the service answers instead of doing it.
    std::function<std::optional<Error>(const std::string& uid)> refuses;
    std::optional<Error> refuses_reads;

private:
    void effect() {
        if (kill_at_ && effects_ == *kill_at_) throw Killed();
        ++effects_;
    }

    void write_news(ApplyMachine& machine) {
        for (auto const item : machine.take_withdrawn())
            write(machine.entry_of(item).value());
        for (auto const item : machine.take_decided())
            if (auto const entry = machine.entry_of(item)) write(*entry);
    }

    void write(const JournalEntry& entry) {
        effect();
        journal.push_back(entry);
    }

    [[nodiscard]] KeyList listed_by_service() const {
        auto keys = listed();
        std::erase_if(keys, [&](const ApiKey& key) { return unlisted.contains(key.uid); });
        return KeyList(keys.begin(), keys.end(), now);
    }

    Result<ApiKey> read(const std::string& uid) {
        ++reads;
        if (refuses_reads) return Error(*refuses_reads);
        if (!keys_.contains(uid))
            return Error(errc::not_found).status(404).server("ResourceNotFound", "", "");
        return keys_.at(uid);
    }

    Result<void> change(const Plan& plan, const ApplyStep& step) {
        effect();
        auto const& uid = plan.items[step.item].uid;
        if (refuses)
            if (auto error = refuses(uid)) return *std::move(error);
        if (!keys_.contains(uid)) return Error(errc::not_found);
        ++writes[uid];
        order.push_back(uid);
        auto& key = keys_.at(uid);
        key.modified = now;
        if (step.kind == ActionKind::remove)
            keys_.erase(uid);
        else if (step.kind == ActionKind::extend)
            key.expiry = *plan.items[step.item].target;
        else if (step.kind == ActionKind::revoke || step.kind == ActionKind::reactivate)
            key.is_active = step.kind == ActionKind::reactivate;
        else
            key = plan.action.changes().applied_to(key);
        return {};
    }

    [[nodiscard]] std::vector<ApiKey> listed() const {
        std::vector<ApiKey> keys;
        for (auto const& [uid, key] : keys_)
            keys.push_back(key);
        return keys;
    }

    std::vector<User> users_;
    std::map<std::string, ApiKey> keys_;
    std::optional<int> kill_at_;
    int effects_ = 0;
};

// Five keys of one user, beside one of the actor's.
inline World small_world() {
    std::vector<ApiKey> keys{key("z", actor)};
    for (auto const* const uid : {"a", "b", "c", "d", "e"})
        keys.push_back(key(uid));
    return World(std::move(keys));
}

inline BulkOutcome outcome_of(const BulkReport& report, const std::string& uid) {
    for (auto const& item : report.items)
        if (item.uid == uid) return item.outcome;
    return BulkOutcome::not_started;
}

}  // namespace apply_world
