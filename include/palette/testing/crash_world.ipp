// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/testing/crash_explorer.hpp>
#include <palette/testing/crash_process.ipp>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::testing::crash {

inline std::string text_of(const Result<lifecycle::Rotation>& result) {
    if (!result) return result.error().message();
    std::ostringstream out;
    out << *result;
    return out.str();
}

// All that is outside of the processes, for one cell.
class World {
public:
    World(const CrashExplorer::MakeSlot& make, lifecycle::RotateOptions options, std::string name)
        : make_(make),
          options_(std::move(options)),
          name_(std::move(name)),
          keys_before_(emulator.keys().size()) {}

    Process process(Interruption interruption = {}) {
        return Process(emulator, clock, make_(name_), std::move(interruption), testimony_);
    }

    Result<lifecycle::Rotation> run(Process& of) { return run(of, options_); }
    Result<lifecycle::Rotation> run() {
        auto undisturbed = process();
        return run(undisturbed);
    }
    Result<lifecycle::Rotation> run_by_force() {
        auto undisturbed = process();
        return run(undisturbed, lifecycle::RotateOptions(options_).force());
    }

    // Whether the forked process has died as it was told to; otherwise it has ended by itself.
    bool run_forked(const Interruption& interruption) {
        last_.reset();
        auto const child = ::fork();
        if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
        if (child == 0) {
            // A lock that another thread held during the fork is never opened in the child, which would wait
            // for ever.
            ::alarm(60);
            // The parent's may be locked by the emulator's thread, which is not here.
            Process dying(emulator, std::make_shared<ManualClock>(now_), make_(name_), interruption,
                          testimony_);
            try {
                static_cast<void>(dying.rotate(options_));
            } catch (...) {
                ::_exit(1);
            }
            ::_exit(dying.interrupter().has_interrupted() ? 0 : 2);
        }
        int status = 0;
        while (::waitpid(child, &status, 0) < 0)
            if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "waitpid");
        if (!WIFEXITED(status) || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != died_as_told))
            broken.push_back("the process ended with the wait status " + std::to_string(status));
        return WIFEXITED(status) && WEXITSTATUS(status) == died_as_told;
    }

    // Moves the clock to when there is something to do next. The service tells its time in whole seconds.
    void wait_after(const Result<lifecycle::Rotation>& last) {
        using namespace std::chrono_literals;
        auto const now = clock->now();
        // Two minutes where the run does not say, or was killed: longer than the first pause after a failure.
        wait(last && last->next_due ? std::max<std::chrono::milliseconds>(*last->next_due - now, 0s) + 2s
                                    : 2min);
    }
    void wait(std::chrono::milliseconds time) {
        clock->advance(time);
        now_ = clock->now();
    }

    // A value is staged by another rotation, whose record is lost.
    void leave_stale_value() {
        constexpr std::chrono::days life(30);
        auto const key = emulator.seed_key(NewApiKey(name_).lives_for(life));
        if (auto const staged = process().stage(key, Expiry::in(life, clock->now())); !staged)
            fault("before a run", "a value cannot be staged: " + staged.error().message());
    }
    // Somebody revokes the key, and until it is replaced nobody expects it to work.
    void revoke_by_hand(const std::string& uid) {
        if (auto const done = process().set_active(uid, false); !done) throw Exception(done.error());
        revoked_by_hand_ = uid;
    }
    // Somebody re-activates the key, unless it has expired, and nobody but that person decides about it from
    // now on.
    void reactivate_by_hand(const std::string& uid) {
        if (has_expired(uid)) return;
        if (auto const done = process().set_active(uid, true); !done) throw Exception(done.error());
        reactivated_by_hand_ = uid;
    }
    [[nodiscard]] bool is_touched_by_hand() const noexcept {
        return !revoked_by_hand_.empty() || !reactivated_by_hand_.empty();
    }

    // What holds at each end of a process.
    void check(const std::string& when) {
        for (auto const& line : testimony_->faults.lines())
            fault(when, line);
        testimony_->faults.clear();
        auto looking = process();
        auto const contents = looking.contents();
        if (!contents) return fault(when, "the sink cannot be read: " + contents.error().message());
        auto const record = looking.record();
        auto const keys = slot_keys();
        check_current(when, looking, contents->current);
        check_keys(when, keys, *contents, record ? record->text : std::string());
        if (last_ && record) check_rest(when, looking, *contents, record->text);
    }

    // Whether consumers use the only key, but for one that is none of the rotation's business.
    bool has_ended() {
        auto const contents = process().contents();
        auto const current = contents && contents->current ? contents->current->key_uid : std::string();
        auto const keys = slot_keys();
        return keys.size() == (reactivated_by_hand_.empty() ? 1U : 2U) &&
               std::ranges::all_of(keys, [&](const ApiKey& key) {
                   return key.uid == current || key.uid == reactivated_by_hand_;
               });
    }

    // Whether the value that the current one has replaced works: where that one does not, nothing else does.
    void check_previous(const std::string& when) {
        auto looking = process();
        auto const contents = looking.contents();
        if (!contents || !contents->previous) return fault(when, "the sink has no previous value");
        auto const value = looking.value(*contents->previous);
        if (!value) return fault(when, "the previous value cannot be read: " + value.error().message());
        if (!has_expired(contents->previous->key_uid) && !process().works(*value))
            fault(when, "neither the current value works nor the previous one");
    }

    void fault(const std::string& when, const std::string& what) { broken.push_back(when + ": " + what); }

    // All but those that the users of the emulator have from the start.
    [[nodiscard]] std::vector<ApiKey> slot_keys() const {
        auto const all = emulator.keys();
        return {all.begin() + static_cast<std::ptrdiff_t>(keys_before_), all.end()};
    }

    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    Emulator emulator{{.plain_http = true, .rate_limit = RateLimit::off(), .clock = clock}};
    std::vector<std::string> broken;

private:
    using Receipt = lifecycle::Receipt;
    using State = lifecycle::RotationState;

    Result<lifecycle::Rotation> run(Process& of, lifecycle::RotateOptions options) {
        last_.reset();
        auto result = of.rotate(std::move(options));
        // A run that was cancelled is as one that was killed, and has to account for nothing.
        if (!result && result.error().code() == errc::operation_aborted) return result;
        // One that ends by itself accounts for what it has heard of; a report names what it could not delete.
        for (auto const& key : slot_keys())
            if (of.was_told(key.uid)) heard_of_.push_back(key.uid);
        if (!result) return result;
        for (auto const& line : result->left)
            reported_ += line + '\n';
        if (result->outcome != lifecycle::Rotation::Outcome::failed) last_ = *result;
        return result;
    }

    [[nodiscard]] bool has_expired(const std::string& uid) const {
        return std::ranges::any_of(slot_keys(), [&](const ApiKey& key) {
            return key.uid == uid && key.expiry <= Expiry::at(clock->now());
        });
    }

    void check_current(const std::string& when, Process& looking, const std::optional<Receipt>& current) {
        if (!current) {
            // From the first promotion on, a working key exists at every instant.
            if (has_had_value_) fault(when, "the sink has no current value any more");
            return;
        }
        has_had_value_ = true;
        // Nobody expects it to work until it is replaced.
        if (current->key_uid == revoked_by_hand_) return;
        auto const value = looking.value(*current);
        if (!value) return fault(when, "the sink cannot be read: " + value.error().message());
        if (!process().works(*value)) fault(when, "the sink's current value does not work");
    }

    void check_keys(const std::string& when, const std::vector<ApiKey>& keys,
                    const lifecycle::SinkContents& contents, const std::string& record) {
        std::ostringstream known;
        known << contents << record;
        auto const has = [](const std::string& text, std::string_view what) {
            return text.find(what) != std::string::npos;
        };
        std::size_t own = 0;
        std::size_t active = 0;
        for (auto const& key : keys) {
            if (key.uid == reactivated_by_hand_) {
                if (!key.is_active)
                    fault(when, "key " + key.uid + " was re-activated by hand, and is revoked again");
                continue;
            }
            ++own;
            active += key.is_active ? 1U : 0U;
            // Each key that was made is current, pending or previous, or the record names it.
            if (has(known.str(), key.uid)) continue;
            // Before its uid is known, the mark of the create that made it is.
            auto const is_marked = std::ranges::any_of(key.annotations, [&](auto const& annotation) {
                // A short text may stand in the record by chance.
                return annotation.second.size() >= 16 && has(known.str(), annotation.second);
            });
            if (!is_marked)
                fault(when, "key " + key.uid + " is in neither the sink nor the record");
            else if (std::ranges::find(heard_of_, key.uid) != heard_of_.end() && !has(reported_, key.uid))
                fault(when, "key " + key.uid + " was created with an answer, and its uid is written nowhere");
        }
        // The bounds of a slot, at every instant.
        if (active > 2) fault(when, "the slot has " + std::to_string(active) + " active keys");
        if (own > 3) fault(when, "the slot has " + std::to_string(own) + " keys");
    }

    // What holds in addition after a run in which nothing has failed.
    void check_rest(const std::string& when, Process& looking, const lifecycle::SinkContents& contents,
                    const std::string& record) {
        if (contents.pending) fault(when, "the sink still has a pending value");
        if (!contents.current) return;
        auto const& uid = contents.current->key_uid;
        if (record.find(uid) == std::string::npos) fault(when, "the record does not name the current key");
        if (!testimony_->hooks.has(uid)) fault(when, "the hook has not succeeded for key " + uid);
        auto const& previous = contents.previous;
        if (last_->state == State::idle) {
            auto const is_there = [&](const ApiKey& key) { return key.uid == previous->key_uid; };
            if (previous && std::ranges::none_of(slot_keys(), is_there))
                fault(when, "the sink still has the value of a key that was deleted");
        } else if (!last_->old_uid.empty() && !is_touched_by_hand()) {
            // Until then there is a way back.
            if (!previous || previous->key_uid != last_->old_uid)
                return fault(when, "the sink has lost the value of the old key");
            auto const value = looking.value(*previous);
            if (!value) return fault(when, "the old key's value cannot be read: " + value.error().message());
            if (last_->state == State::overlap && !has_expired(previous->key_uid) && !process().works(*value))
                fault(when, "the old key's value does not work during the overlap");
        }
    }

    const CrashExplorer::MakeSlot& make_;
    lifecycle::RotateOptions options_;
    std::string name_;
    std::size_t keys_before_;
    std::shared_ptr<Testimony> testimony_ = std::make_shared<Testimony>();
    Instant now_ = clock->now();
    bool has_had_value_ = false;
    std::optional<lifecycle::Rotation> last_;  // the run before, if nothing has failed in it
    std::vector<std::string> heard_of_;        // keys that runs were told of when they had created them
    std::string reported_;
    std::string revoked_by_hand_;
    std::string reactivated_by_hand_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::testing::crash
