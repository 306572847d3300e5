// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/api_key.hpp>
#include <palette/impl/lifecycle/rotation/rotation_record.hpp>
#include <palette/lifecycle/rotation.hpp>
#include <palette/user.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

// What a rotation does next. Each is one effect, or one look, which may fail and within which a process may
// be killed.
enum class RotationStep {
    identify,       // who the client is
    read_sink,      // what the sink holds
    clean,          // delete leftover(): a key, or the keys of a nonce
    discard_stale,  // the pending value of a rotation that is over
    read_current,   // the key that is to be replaced
    draw,           // a rotation id and a nonce
    save,           // the record
    create,
    stage,
    prove,
    promote,
    call_hook,
    revoke,
    reactivate,  // the old key, for the new one does not work
    read_old,    // whether somebody has re-activated it
    remove_old,
    drop_previous,
    read_record,  // what another rotation, which has taken over, makes of the key that was created in this
                  // run
    discard,      // the value that was staged in this run, after another rotation has taken over
    remove_new,   // the key that was created in this run, likewise
    finish,
};

// Why a step has not succeeded.
enum class StepFailure {
    later,    // it was not done, and may be another time
    refused,  // it will not be done
    lost,     // another rotation was faster
    unknown,  // it may have been done
};

// Decides what a rotation does, and in which order. Pure: no I/O, no clock, no randomness. The record is what
// is on the disk whenever `save` has succeeded, and that alone is known after a kill; the sink says the rest.
//
//     while ((step = machine.next()) != RotationStep::finish)
//         perform(step), and tell the machine how it ended
class RotationMachine {
public:
    using Step = RotationStep;
    using Failure = StepFailure;
    using State = palette::lifecycle::RotationState;
    using Outcome = palette::lifecycle::Rotation::Outcome;

    // `loaded`: nothing if the store has no record of the slot.
    RotationMachine(std::string slot, palette::lifecycle::RotateOptions options,
                    std::optional<RotationRecord> loaded);

    [[nodiscard]] Step next() const noexcept { return step_; }

    // The service's time, before each of what follows.
    void set_time(Instant now) noexcept { now_ = now; }

    // How the step has ended well.
    void identified(const Identity& caller);
    void saw_sink(palette::lifecycle::SinkContents contents);
    void saw_current(const std::optional<ApiKey>& key);
    void drew(std::string rotation_id, std::string nonce);
    void created(std::string uid);
    void staged(palette::lifecycle::Receipt receipt);
    void proved(const ApiKey& key);
    void saw_old(const std::optional<ApiKey>& key);
    // The old key, of which the revocation was refused, is not active any more: somebody else has done it.
    void found_revoked();
    void saw_record(const std::optional<RotationRecord>& record);
    // Of leftover(), whose deletion is refused; and of keys that a look for its nonce has found, likewise.
    void leftover_is_revoked();
    void found_leftovers(const std::vector<std::string>& uids);
    // All others. What was to be deleted or revoked and is not there any more counts as done.
    void succeeded();

    // Why the step that is about to fail fails, in words; no secret.
    void set_why(std::string why) { why_ = std::move(why); }
    // How it has ended otherwise. `uid`: of the key that a failed create has left, if that is known.
    void failed(Failure why, const std::string& uid = {});

    [[nodiscard]] const RotationRecord& record() const noexcept { return record_; }
    [[nodiscard]] const Leftover& leftover() const noexcept { return record_.leftovers[leftover_]; }
    [[nodiscard]] const palette::lifecycle::SinkContents& contents() const noexcept { return contents_; }
    [[nodiscard]] const std::string& current_uid() const noexcept { return current_uid_; }

    // After `finish`.
    [[nodiscard]] Outcome outcome() const noexcept { return outcome_; }
    [[nodiscard]] std::optional<Instant> next_due() const noexcept { return next_due_; }
    [[nodiscard]] const std::vector<std::string>& left() const noexcept { return left_; }
    // What the machine itself has found wrong; the driver knows why a step has failed.
    [[nodiscard]] const std::optional<Error>& refusal() const noexcept { return refusal_; }

private:
    using Go = void (RotationMachine::*)();

    void decide();
    void begin_or_wait();
    void plan();
    void draw();
    void create() { step_ = Step::create; }
    void stage() { step_ = Step::stage; }
    void prove() { step_ = Step::prove; }
    void promote() { step_ = Step::promote; }
    void revoke() { step_ = Step::revoke; }
    void reactivate() { step_ = Step::reactivate; }
    void read_sink() { step_ = Step::read_sink; }
    void was_promoted();
    void go_on_in_overlap();
    void go_on_in_quarantine();
    void replace_broken();
    void forget_broken();
    void complete();
    void next_or_finish();
    void go_on_without_stale();

    void abandon(Outcome why);
    void restart();
    void leave_behind();
    void begin_empty();
    void end_for_unknown_value();
    void end_for_taken_value(const std::string& key_uid);
    void saw_taken(const std::optional<ApiKey>& key);
    void end_because(Error refusal);
    void end_for_another_user(const std::string& key_uid);
    void note_failure();
    void forget_failures();
    void finish();
    void finish_with(Outcome outcome, std::optional<Instant> next_due);
    void save_then(Go go);
    void lose();
    void say_leftovers();

    [[nodiscard]] const palette::lifecycle::RotateOptions& options() const noexcept { return options_; }
    // The key that was promoted last. A rotation that has failed leaves no new key, and that one as the old.
    [[nodiscard]] const std::string& promoted_uid() const noexcept {
        return record_.new_uid.empty() ? record_.old_uid : record_.new_uid;
    }
    [[nodiscard]] bool is_for(const std::string& owner_uid) const noexcept;
    [[nodiscard]] bool is_ours(const std::optional<palette::lifecycle::Receipt>& value) const noexcept;
    [[nodiscard]] bool is_due() const noexcept { return record_.due && now_ >= *record_.due; }
    // Whether the next rotation cannot wait for what this one has left to do.
    [[nodiscard]] bool must_go_on() const noexcept { return is_due() || (options().force() && !has_drawn_); }
    [[nodiscard]] bool has_key_left() const;
    [[nodiscard]] bool find_leftover();
    void cleaned(bool is_gone);
    [[nodiscard]] Instant due_of(const ApiKey& key) const;
    [[nodiscard]] std::optional<Error> fault_of_successor(const ApiKey& key) const;
    [[nodiscard]] std::optional<Instant> earliest(std::optional<Instant> time) const;

    palette::lifecycle::RotateOptions options_;
    RotationRecord record_;
    palette::lifecycle::SinkContents contents_;
    Instant now_{};
    Step step_ = Step::identify;
    Go after_save_ = &RotationMachine::finish;
    Identity caller_;
    std::string current_uid_;
    std::size_t leftover_ = 0;
    std::vector<std::string> cleaned_;  // in this run: uids and nonces
    bool is_dirty_ = false;
    bool record_is_lost_ = false;  // another rotation writes it now
    bool has_created_ = false;     // in this run, and not promoted
    bool has_reread_ = false;      // the sink, after a promotion whose outcome is not known
    bool has_drawn_ = false;
    bool has_proved_ = false;
    bool ends_after_cleaning_ = false;
    Outcome outcome_ = Outcome::not_due;
    std::optional<Instant> next_due_;
    std::vector<std::string> left_;
    std::string why_;
    std::optional<Error> refusal_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/lifecycle/rotation/rotation_failures.ipp>
#    include <palette/impl/lifecycle/rotation/rotation_leftovers.ipp>
#    include <palette/impl/lifecycle/rotation/rotation_machine.ipp>
#    include <palette/impl/lifecycle/rotation/rotation_successor.ipp>
#endif
