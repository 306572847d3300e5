// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/lifecycle/gone.hpp>
#include <palette/impl/lifecycle/guarded.hpp>
#include <palette/impl/lifecycle/rotation/rotation_driver.hpp>
#include <palette/impl/seams/auth_provider.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>
#include <variant>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

using palette::lifecycle::RotationStore;
using palette::lifecycle::SecretSink;

PALETTE_KEYS_INLINE asio::awaitable<Result<RotationDriver::Report>> RotationDriver::run() {
    // A cancellation is seen between two steps, through the end of the run. An exception would skip the
    // report, and with it the keys that this run alone knows of.
    co_await asio::this_coro::throw_if_cancelled(false);
    if (has_ended()) co_return ended();
    // Before the record is read: without the lock, another rotation may change it between the look and the
    // step.
    auto lock = co_await guarded(&RotationStore::lock, slot_.store(), slot_.name());
    if (has_ended()) co_return ended();
    if (!lock) {
        // Whoever holds the lock does what is due. The record is theirs meanwhile, so nothing of it is
        // reported.
        if (lock.error().code() != errc::conflict) co_return std::move(lock.error());
        Report busy;
        busy.outcome = Report::Outcome::busy;
        busy.problem = std::move(lock.error());
        busy.problem->advice("call again later");
        co_return busy;
    }
    auto record = co_await load();
    if (has_ended()) co_return ended();
    if (!record) co_return std::move(record.error());
    machine_.emplace(slot_.name(), options_, std::move(*record));
    co_return co_await run_steps();
}

PALETTE_KEYS_INLINE asio::awaitable<Result<std::optional<RotationRecord>>> RotationDriver::load() {
    auto stored = co_await guarded(&RotationStore::load, slot_.store(), slot_.name());
    if (!stored) co_return std::move(stored.error());
    version_ = stored->version;
    // A store without a record says so by this version. A damaged record is an error: taken for none, it
    // would begin a second rotation beside the first.
    if (version_ == 0) co_return std::optional<RotationRecord>();
    auto parsed = parse_record(stored->text);
    if (!parsed) co_return std::move(parsed.error());
    co_return std::optional<RotationRecord>(std::move(*parsed));
}

// Whether the step comes before all that changes anything.
inline bool is_first_look(RotationStep step) noexcept {
    return step == RotationStep::identify || step == RotationStep::read_sink ||
           step == RotationStep::read_current || step == RotationStep::draw;
}

PALETTE_KEYS_INLINE asio::awaitable<Result<RotationDriver::Report>> RotationDriver::run_steps() {
    for (;;) {
        auto const step = machine_->next();
        if (step == Step::finish) co_return report();
        // Each step decides by the time at which it begins, for a proof or a hook may take minutes. The
        // client has the time since the caller was identified, and the old one is kept if it cannot tell
        // another.
        if (step != Step::identify && !has_ended()) {
            auto now = co_await client_.async_service_time();
            if (now) now_ = *now;
        }
        // Here the record says what is about to be done, so that an end is as harmless as a kill.
        if (has_ended()) co_return interrupted();
        machine_->set_time(now_);
        has_acted_ = has_acted_ || !is_first_look(step);
        co_await perform(step);
    }
}

// Whether the step cleans up, after another one has failed, or before the rotation begins.
inline bool is_cleaning(RotationStep step) noexcept {
    return step == RotationStep::clean || step == RotationStep::discard_stale ||
           step == RotationStep::discard || step == RotationStep::remove_new;
}

PALETTE_KEYS_INLINE void RotationDriver::conclude_failure(const Error& error, StepFailure why,
                                                          const std::string& uid) {
    // A client that is being closed begins nothing more. That is no failure of the step, nor a reason to wait
    // before the next run.
    if (error.code() == errc::operation_aborted) is_closed_ = true;
    // As if the process had been killed in the step. Of a key that no record names, the report does.
    if (has_ended() && machine_->next() != Step::remove_new) return;
    // What could not be cleaned up is in the report besides, and not why the rotation has failed.
    if (!problem_ || !is_cleaning(machine_->next())) problem_ = error;
    machine_->set_why(problem_->what() +
                      (problem_->server_message().empty() ? "" : " (" + problem_->server_message() + ")"));
    machine_->failed(why, uid);
}

// Whether the same may succeed another time.
inline StepFailure failure_of(const Error& error) noexcept {
    // First, whatever the code: a change that may have been made is never taken for one that was refused.
    if (error.effect() == Effect::unknown) return StepFailure::unknown;
    auto const code = error.code();
    auto const is_final = code == errc::invalid_argument || code == errc::forbidden ||
                          code == errc::rejected || code == errc::conflict || code == errc::own_key;
    return is_final ? StepFailure::refused : StepFailure::later;
}

PALETTE_KEYS_INLINE void RotationDriver::conclude(const Result<void>& result, std::string_view done) {
    if (!result) return conclude_failure(result.error(), failure_of(result.error()));
    if (!done.empty()) note(std::string(done));
    machine_->succeeded();
}

PALETTE_KEYS_INLINE asio::awaitable<void> RotationDriver::perform(Step step) {
    switch (step) {
        case Step::identify: {
            auto const result = co_await identify();
            if (result)
                machine_->identified(caller_);
            else
                conclude_failure(result.error(), StepFailure::later);
            break;
        }
        case Step::draw:
            // Drawing throws where the system has no randomness to give. Nothing was written down by then.
            try {
                auto id = PendingCreate::make_nonce();
                machine_->drew(std::move(id), PendingCreate::make_nonce());
            } catch (const Exception& e) {
                conclude_failure(e.error(), StepFailure::later);
            }
            break;
        case Step::save: {
            // A conflict alone proves that another rotation writes the record. After any other failure the
            // store may hold the old text or the new one.
            auto const result = co_await save();
            if (result)
                machine_->succeeded();
            else
                conclude_failure(result.error(), result.error().code() == errc::conflict
                                                     ? StepFailure::lost
                                                     : StepFailure::later);
            break;
        }
        case Step::read_record: {
            auto const stored = co_await load();
            if (stored)
                machine_->saw_record(*stored);
            else
                machine_->failed(StepFailure::later);  // the problem is that it was lost
            break;
        }
        case Step::call_hook: {
            auto const result = co_await call_hook();
            conclude(result, "called the hook");
            break;
        }
        case Step::read_sink:
        case Step::discard_stale:
        case Step::stage:
        case Step::promote:
        case Step::drop_previous:
        case Step::discard:
            co_await perform_with_sink(step);
            break;
        default:
            co_await perform_with_key(step);
            break;
    }
}

// A change of the sink is not interrupted: half of it helps nobody, and the other half takes no time.
PALETTE_KEYS_INLINE asio::awaitable<void> RotationDriver::perform_with_sink(Step step) {
    auto const& record = machine_->record();
    if (step == Step::read_sink) {
        auto contents = co_await guarded(&SecretSink::contents, slot_.sink());
        if (contents)
            machine_->saw_sink(std::move(*contents));
        else
            conclude_failure(contents.error(), StepFailure::later);
        co_return;
    }
    auto expiry = Expiry::never();
    // A request, which may be interrupted: only what the sink does has to come to its end.
    if (step == Step::stage) expiry = co_await new_expiry();
    // The machine hears nothing, so that the run ends before the step.
    if (has_ended()) co_return;
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    if (step == Step::stage) {
        auto receipt = co_await stage(expiry);
        if (receipt) {
            note("stored the value of key " + record.new_uid + " beside the current one");
            machine_->staged(std::move(*receipt));
        } else {
            // Whatever a sink says of a failure, it may hold the value: its contents are read next.
            conclude_failure(receipt.error(), StepFailure::unknown);
        }
    } else if (step == Step::promote) {
        auto const receipt = *record.receipt;
        auto const expected = record.expected_current;
        auto const result = co_await guarded(&SecretSink::promote, slot_.sink(), receipt, expected);
        // A conflict proves that another value is current. After any other error the promotion may have been
        // done, and the machine looks at the sink.
        if (result) {
            note("promoted key " + record.new_uid);
            machine_->succeeded();
        } else if (result.error().code() == errc::conflict && result.error().effect() != Effect::unknown) {
            conclude_failure(result.error(), StepFailure::lost);
        } else {
            problem_ = result.error();
            machine_->failed(StepFailure::unknown);
        }
    } else {
        auto const& contents = machine_->contents();
        // By the receipt, so that a value which somebody has put there meanwhile is not the one that is
        // forgotten.
        auto const receipt = step == Step::discard         ? *record.receipt
                             : step == Step::discard_stale ? *contents.pending
                                                           : *contents.previous;
        auto const result = co_await guarded(&SecretSink::discard, slot_.sink(), receipt);
        conclude(result, step == Step::drop_previous ? "dropped the previous value"
                                                     : "dropped a value that was not promoted");
    }
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
}

PALETTE_KEYS_INLINE asio::awaitable<void> RotationDriver::perform_with_key(Step step) {
    auto const& record = machine_->record();
    if (step == Step::create) {
        // A key that was made and cannot be used is named to the machine, which writes it down as left
        // behind.
        auto uid = co_await create();
        if (uid)
            machine_->created(std::move(*uid));
        else
            conclude_failure(uid.error(), failure_of(uid.error()), create_failed_uid_);
        co_return;
    }
    if (step == Step::prove) {
        auto key = co_await prove();
        if (key) {
            note("proved key " + record.new_uid + " by use");
            machine_->proved(*key);
        } else {
            // What may pass was retried for two minutes by then (W16): these say that the key, or what the
            // sink gives back, is bad.
            auto error = std::move(key.error());
            // A 404 that is not the service's is that of something on the way, and says nothing of the key.
            auto const is_of_proxy = error.status() != 0 && !says_gone(error);
            auto const is_final = error.code() == errc::conflict || error.code() == errc::unauthorized ||
                                  (error.code() == errc::not_found && !is_of_proxy);
            // With the new key, where a reader takes a refusal for one of the client's own credential.
            error.operation("prove").key_uid(record.new_uid);
            if (error.code() == errc::unauthorized)
                error.advice("look whether somebody has revoked this new key");
            conclude_failure(error, is_final ? StepFailure::refused : StepFailure::later);
        }
        co_return;
    }
    if (step == Step::read_current) {
        auto key = co_await read(machine_->current_uid());
        if (!key) {
            conclude_failure(key.error(), StepFailure::later);
            co_return;
        }
        old_key_ = *key;
        machine_->saw_current(*key);
        co_return;
    }
    if (step == Step::clean) {
        auto const result = co_await clean();
        conclude(result, "");  // what it deleted, if anything, is noted
        co_return;
    }
    if (step == Step::reactivate) {
        // With the credential of the client: the new key, which owner() would take, is the one that does not
        // work.
        auto const result = co_await client_.async_reactivate(record.old_uid);
        conclude(result, "re-activated the old key " + record.old_uid);
        co_return;
    }
    if (step == Step::remove_new) {
        // Nobody uses a key that was created in this run, not even the client: the guard of the own key has
        // nothing to protect.
        auto result = co_await client_.async_remove(record.new_uid, ChangeOptions().allow_own_key());
        if (!result && says_gone(result.error())) result = Result<void>();
        conclude(result, "deleted the new key " + record.new_uid);
        co_return;
    }
    if (step == Step::read_old || step == Step::remove_old) {
        // With the credential of the client as well: the new key may have been revoked or have expired in the
        // days of the quarantine.
        auto result = co_await retire_old(step, client_);
        // Unless that is the old key, which is revoked.
        if (!result && result.error().code() == errc::unauthorized) {
            auto owner = co_await this->owner();
            if (owner) result = co_await retire_old(step, **owner);
        }
        if (!result) conclude_failure(result.error(), failure_of(result.error()));
        co_return;
    }
    co_await revoke_old();
}

// Looks at the old key, which is revoked, or deletes it; and tells the machine, if that is done.
PALETTE_KEYS_INLINE asio::awaitable<Result<void>> RotationDriver::retire_old(Step step, ApiKeyClient& by) {
    auto const old_uid = machine_->record().old_uid;
    if (step == Step::read_old) {
        auto key = co_await by.async_get(old_uid);
        if (!key && !says_gone(key.error())) co_return std::move(key.error());
        machine_->saw_old(key ? std::optional<ApiKey>(std::move(*key)) : std::nullopt);
        co_return Result<void>();
    }
    auto removed = co_await by.async_remove(old_uid);
    // Somebody else was faster, or it had been done before a kill.
    if (!removed && !says_gone(removed.error())) co_return removed;
    conclude(Result<void>(), "deleted the old key " + old_uid);
    co_return Result<void>();
}

// The old key may be the one that the client uses.
PALETTE_KEYS_INLINE asio::awaitable<void> RotationDriver::revoke_old() {
    auto const old_uid = machine_->record().old_uid;
    auto owner = co_await this->owner();
    if (has_ended()) co_return;
    if (!owner) {
        conclude_failure(owner.error(), StepFailure::later);
        co_return;
    }
    // Verified, for the record is about to say that the old key is revoked.
    auto result = co_await (*owner)->async_revoke(old_uid, ChangeOptions().verify());
    // Somebody else was faster.
    if (!result && says_gone(result.error())) result = Result<void>();
    if (result || has_ended()) {
        conclude(result, "revoked the old key " + old_uid);
        co_return;
    }
    // A revocation that was applied and could not be verified is as good as unknown: the record has to go on
    // saying that this rotation may have revoked the key, or nobody would undo that.
    if (result.error().effect() != Effect::not_applied) {
        conclude_failure(result.error(), StepFailure::unknown);
        co_return;
    }
    // What the service does not let this credential do, a person may have done.
    auto const key = co_await (*owner)->async_get(old_uid);
    if (!has_ended() && key && !key->is_active)
        machine_->found_revoked();
    else
        conclude(result, {});
}

PALETTE_KEYS_INLINE asio::awaitable<Result<void>> RotationDriver::identify() {
    auto caller = co_await client_.async_whoami();
    if (!caller) co_return std::move(caller.error());
    caller_ = std::move(*caller);
    // After the identity, whose response has the Date that the time is taken from.
    auto now = co_await client_.async_service_time();
    if (!now) co_return std::move(now.error());
    now_ = *now;
    machine_->set_time(now_);
    co_return Result<void>();
}

PALETTE_KEYS_INLINE asio::awaitable<Result<void>> RotationDriver::save() {
    // A save that is cut short may be in the store or not, and the next one would not know which version to
    // expect.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    auto const text = to_text(machine_->record());
    auto version = co_await guarded(&RotationStore::save, slot_.store(), slot_.name(), text, version_);
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    if (!version) co_return std::move(version.error());
    version_ = *version;
    co_return Result<void>();
}

PALETTE_KEYS_INLINE asio::awaitable<Result<std::string>> RotationDriver::create() {
    auto const& record = machine_->record();
    auto key = NewApiKey(record.key_name);
    key.lives_for(options_.lifetime()).for_user(record.owner_uid).annotate(slot_annotation, slot_.name());
    // People and filters find a key by these, so the successor keeps them.
    if (old_key_) {
        key.description(old_key_->description);
        for (auto const& [name, value] : old_key_->labels)
            key.label(name, value);
    }
    CreateOptions options;
    // The record has it already: after a kill, it finds each key that this create has made (W7).
    options.nonce(record.nonce);
    auto made = co_await client_.async_create(std::move(key), std::move(options));
    if (!made) {
        // A key that surely exists is deleted by its uid. In any other case it is searched for by the nonce.
        create_failed_uid_ = made.error().effect() == Effect::applied ? made.error().key_uid() : "";
        // Nobody has to reconcile what the record names.
        if (made.error().pending())
            made.error().advice(
                made.error().code() == errc::missing_key_value
                    ? "this service may be too old to give values; the next call deletes the key"
                    : "call again, in a minute or with force(): what it may have left is looked for then");
        co_return std::move(made.error());
    }
    // A sink that cannot be read never gives it back, so it is kept for the proofs of this run.
    value_ = Secret(made->secret().expose());
    created_uid_ = made->uid();
    note("created key " + made->uid());
    co_return made->uid();
}

// What the service gave may be less than what was asked for.
PALETTE_KEYS_INLINE asio::awaitable<Expiry> RotationDriver::new_expiry() {
    auto const seen = co_await client_.async_get(machine_->record().new_uid);
    co_return seen ? seen->expiry : Expiry::in(options_.lifetime(), now_);
}

PALETTE_KEYS_INLINE asio::awaitable<Result<palette::lifecycle::Receipt>> RotationDriver::stage(
    Expiry expiry) {
    auto const& record = machine_->record();
    co_return co_await guarded(&SecretSink::stage, slot_.sink(), record.rotation_id, record.new_uid, expiry,
                               std::cref(value_));
}

PALETTE_KEYS_INLINE asio::awaitable<Result<void>> RotationDriver::call_hook() {
    using namespace asio::experimental::awaitable_operators;
    auto const& record = machine_->record();
    palette::lifecycle::Promotion promotion(slot_.name(), record.old_uid, record.new_uid);
    // By the client's clock, as all that a rotation waits for. Whichever is second is cancelled: a hook that
    // was cut off is called once more by the next run.
    auto ended = co_await (guarded(options_.hook(), promotion) ||
                           client_.async_wait(options_.hook_timeout(), asio::use_awaitable));
    if (auto* const result = std::get_if<0>(&ended)) co_return std::move(*result);
    co_return Error(errc::timeout, "the hook has not ended in time")
        .advice("it is called again by the next run; raise hook_timeout() if it needs longer");
}

PALETTE_KEYS_INLINE asio::awaitable<Result<std::shared_ptr<ApiKeyClient>>> RotationDriver::owner() {
    auto const& record = machine_->record();
    // Not owned: it outlives the driver.
    std::shared_ptr<ApiKeyClient> given(std::shared_ptr<void>(), &client_);
    // The credential of another user, such as an administrator's, is not the key that is to be revoked.
    if (caller_.user_uid != record.owner_uid) co_return given;
    // The client may use the key that is to be revoked.
    auto value = co_await new_value();
    // Of a sink that cannot be read, after a kill, nobody has the value. The guard of the own key still holds
    // for the client that is left.
    if (!value && value.error().code() == errc::rejected) co_return given;
    if (!value) co_return std::move(value.error());
    co_return std::make_shared<ApiKeyClient>(
        client_.with_auth(detail::always(Credential::api_key(std::move(*value), record.new_uid))));
}

PALETTE_KEYS_INLINE asio::awaitable<Result<std::optional<ApiKey>>> RotationDriver::read(std::string uid) {
    auto key = co_await client_.async_get(std::move(uid));
    if (key) co_return std::optional<ApiKey>(std::move(*key));
    if (says_gone(key.error())) co_return std::optional<ApiKey>();
    co_return std::move(key.error());
}

PALETTE_KEYS_INLINE Result<RotationDriver::Report> RotationDriver::report() {
    auto const outcome = machine_->outcome();
    auto problem = machine_->refusal() ? machine_->refusal() : problem_;
    // Before anything was tried, what went wrong is the result.
    if (outcome == Report::Outcome::failed && !has_acted_ && problem) return *std::move(problem);

    auto report = report_of_record();
    report.outcome = outcome;
    report.next_due = machine_->next_due();
    // One that is not due has a problem if it found one itself: a slot that stays empty for now.
    if (outcome == Report::Outcome::failed || outcome == Report::Outcome::lost_race || machine_->refusal())
        report.problem = std::move(problem);
    // A refused step has changed nothing; those before it may have made a key.
    if (report.problem) report.problem->is_step(true);
    return report;
}

PALETTE_KEYS_INLINE Error RotationDriver::ended() const {
    auto error =
        end_->has_come() ? end_->error("rotation") : Error(errc::operation_aborted, "the client was closed");
    error.operation("rotate");
    if (!has_acted_) return error;
    // What was under way is as if the process had been killed in it.
    return std::move(error)
        .effect(Effect::unknown)
        .advice("rotate again: that goes on with what this rotation began, or takes it back");
}

// The record is as if the process had been killed here.
PALETTE_KEYS_INLINE Result<RotationDriver::Report> RotationDriver::interrupted() {
    if (!end_->is_deadline() || !has_acted_) return ended();
    auto report = report_of_record();
    report.outcome = Report::Outcome::failed;
    // At once: nothing was refused, there was only no time left.
    report.next_due = now_;
    report.problem = ended();
    // In these steps the record in the store is another rotation's, or does not name the key: no later run
    // would find it.
    auto const step = machine_->next();
    if (step == Step::discard || step == Step::remove_new)
        report.left.push_back("delete the key " + report.new_uid + ", whose value nobody has");
    return report;
}

PALETTE_KEYS_INLINE RotationDriver::Report RotationDriver::report_of_record() {
    auto const& record = machine_->record();
    Report report;
    report.state = record.state;
    report.old_uid = record.old_uid;
    report.new_uid = record.new_uid;
    report.proven_at = record.proven_at;
    report.as_of = now_;
    report.clock_skew = std::chrono::round<std::chrono::milliseconds>(client_.now() - now_);
    report.done = std::move(done_);
    report.left = machine_->left();
    report.left.insert(report.left.end(), left_.begin(), left_.end());
    if (std::chrono::abs(report.clock_skew) > std::chrono::minutes(5))
        report.left.emplace_back(
            "set the clock of this machine, which differs from the service's by more than "
            "five minutes");
    return report;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
