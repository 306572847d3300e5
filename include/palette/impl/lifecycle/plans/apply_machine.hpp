// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/caller.hpp>
#include <palette/lifecycle/apply.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

using palette::lifecycle::ActionKind;
using palette::lifecycle::ApplyOptions;
using palette::lifecycle::BulkItem;
using palette::lifecycle::BulkOutcome;
using palette::lifecycle::BulkReport;
using palette::lifecycle::Guard;
using palette::lifecycle::Plan;
using palette::lifecycle::PlanItem;

// Whether a later run leaves the key alone.
inline bool is_final(BulkOutcome outcome) noexcept {
    return outcome == BulkOutcome::done || outcome == BulkOutcome::already || outcome == BulkOutcome::drifted;
}

// A line of the journal: that a key is about to be changed, or what that came to.
struct JournalEntry {
    std::string uid;
    ActionKind step = ActionKind::revoke;
    std::optional<BulkOutcome> result;  // nothing: an intent
    Instant at{};                       // by the service's clock
    std::string sentence;               // of a result

    friend bool operator==(const JournalEntry&, const JournalEntry&) = default;
};

// One change that is to be made now.
struct ApplyStep {
    std::size_t item = 0;
    ActionKind kind = ActionKind::revoke;
};

// Decides what of a plan is done when, and knows what has become of each key. It does nothing itself: it is
// told what the journal, the lists and the answers say, and what time it is.
//
//     restore -> admit -> compare and confirm, if needs_list() -> next, begun, finished ... -> report
class ApplyMachine {
public:
    // Both outlive the machine.
    ApplyMachine(const Plan& plan, const ApplyOptions& options);

    // Takes over what an earlier run has written. errc::bad_value for what no run of this plan writes.
    [[nodiscard]] Result<void> restore(const std::vector<JournalEntry>& entries);

    // Decides whether the plan may be applied by this caller at this time, and which keys are to be changed.
    [[nodiscard]] Result<void> admit(const Caller& caller, Instant now);

    // Whether the keys have to be looked at: before anything is changed, and once nothing is under way, for
    // those of which the service has said that they do not exist. It may say so of a credential, too (W12).
    [[nodiscard]] bool needs_list() const noexcept { return needs_list_; }
    void compare(const KeyList& keys);
    // The keys that the list lacks, each of which has to be read: a list may leave out a key that there is.
    [[nodiscard]] std::vector<std::size_t> missing() const;
    void confirm(std::size_t item, const Result<ApiKey>& read);

    // The changes to be made now, whose intents are on the disk before they are sent. Empty: wait for one
    // that is under way. With none, and without a list that is needed, it is over.
    [[nodiscard]] std::vector<ApplyStep> next();
    void begun(const ApplyStep& step);
    void finished(std::size_t item, const Result<void>& result, Instant now);
    // After finished() has thrown: what the change came to is not known.
    void lost(std::size_t item) noexcept;

    // Lets no other change begin.
    void stop(std::string why);
    [[nodiscard]] bool is_stopped() const noexcept { return !stopped_.empty(); }
    [[nodiscard]] std::size_t under_way() const noexcept { return under_way_; }

    // The items that have come to an outcome since the last call.
    [[nodiscard]] std::vector<std::size_t> take_decided();
    // Those that were begun, and were cancelled before they were sent: they are not started.
    [[nodiscard]] std::vector<std::size_t> take_withdrawn();
    // What the journal is to say about one of either; nothing if that shows by itself from the plan.
    [[nodiscard]] std::optional<JournalEntry> entry_of(std::size_t item) const;
    [[nodiscard]] JournalEntry intent_of(const ApplyStep& step, Instant now) const;
    [[nodiscard]] const BulkItem& item(std::size_t number) const { return items_[number].report; }
    // Whether it is the key that the client used when the run began.
    [[nodiscard]] bool is_own(std::size_t item) const noexcept { return items_[item].is_own; }
    [[nodiscard]] std::size_t decided() const noexcept { return decided_; }

    // With the keys that were not begun as not started.
    [[nodiscard]] BulkReport report(Instant now) const;

private:
    enum class State : std::uint8_t {
        waiting,
        in_doubt,  // begun, perhaps by an earlier run, without a result
        under_way,
        decided,
    };
    struct Item {
        const PlanItem* seen = nullptr;
        State state = State::waiting;
        ActionKind step = ActionKind::revoke;
        bool is_own = false;
        bool was_missing = false;  // the service has answered that there is no such key
        bool is_unlisted = false;  // the list does not have it, and it was not read since
        bool is_withdrawn = false;
        std::vector<Guard> guards;
        std::optional<Instant> revoked_at;  // the beginning of the quarantine
        Instant decided_at{};
        BulkItem report;
    };

    [[nodiscard]] ActionKind first_step() const noexcept;
    [[nodiscard]] bool is_second_step(const Item& item) const noexcept { return item.revoked_at.has_value(); }
    void guard_own_key(const Caller& caller);
    [[nodiscard]] std::string blocking_guards(const Item& item) const;
    void open(Item& item);
    void open_quarantined(Item& item);
    [[nodiscard]] Result<void> check_caller(const Caller& caller) const;
    [[nodiscard]] Result<void> check_age() const;
    [[nodiscard]] Result<void> check_size() const;
    [[nodiscard]] bool is_open(const Item& item) const noexcept;
    void compare(Item& item, const ApiKey* key);
    [[nodiscard]] bool is_done(const Item& item, const ApiKey& key) const;
    [[nodiscard]] std::string drift_of(const Item& item, const ApiKey& key) const;
    void revoked(Item& item, BulkOutcome outcome, std::string sentence);
    void fail(Item& item, const Error& error, BulkOutcome outcome);
    void withdraw(Item& item, const Error& error);
    void decide(Item& item, BulkOutcome outcome, std::string sentence);
    [[nodiscard]] bool is_in_quarantine(const Item& item) const noexcept;
    [[nodiscard]] bool may_do_own_key(ActionKind step) const noexcept;
    [[nodiscard]] std::string due_words(const Item& item) const;

    const Plan& plan_;
    const ApplyOptions& options_;
    std::vector<Item> items_;  // in the order of the plan, which is that of the uids
    Instant now_{};
    bool needs_list_ = false;
    bool was_run_before_ = false;
    std::size_t next_ = 0;  // no item before it waits, but for the own key
    std::size_t under_way_ = 0;
    std::size_t decided_ = 0;
    std::size_t failures_in_a_row_ = 0;
    std::string stopped_;
    std::vector<std::size_t> news_;
    std::vector<std::size_t> withdrawn_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/lifecycle/plans/apply_admission.ipp>
#    include <palette/impl/lifecycle/plans/apply_machine.ipp>
#endif
