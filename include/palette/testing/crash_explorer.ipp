// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/testing/crash_explorer.hpp>
#include <palette/testing/crash_report.ipp>
#include <palette/testing/crash_script.ipp>
#include <palette/testing/crash_world.ipp>

#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::testing {

// Plays the script of the runs once without interruption, and then once for each cell.
class CrashExploration {
public:
    explicit CrashExploration(const CrashExplorer& explorer) : explorer_(explorer) {}

    CrashReport run() {
        if (!record_script()) return std::move(report_);
        crash::Situation situation;
        for (std::size_t number = 0; number < script_.size(); ++number) {
            situation.begin_run();
            for (std::size_t effect = 0; effect < script_[number].effects.size(); ++effect) {
                auto const& name = script_[number].effects[effect];
                for (auto& trial :
                     crash::trials_of(name, situation, explorer_.has_files_, explorer_.faults_)) {
                    trial.interruption.effect = effect;
                    explore(number, trial);
                }
                situation.pass(name);
            }
        }
        return std::move(report_);
    }

private:
    using Way = crash::Interruption::Way;
    using Phase = crash::Interruption::Phase;
    using Outcome = lifecycle::Rotation::Outcome;
    using Meanwhile = crash::Trial::Meanwhile;

    std::string next_name() { return "slot-" + std::to_string(++slots_); }

    // The runs of a slot's life: it is provisioned, a run finds a stale value beside the current one, the key
    // is replaced, and the old one comes to its end. Returns whether it does.
    bool record_script() {
        crash::World world(explorer_.make_, explorer_.options_, next_name());
        auto has_left = false;
        auto has_failed = false;
        for (int completed = 0; completed < 2 && !has_failed;) {
            auto const finds_stale_value = completed == 1 && !has_left;
            if (finds_stale_value) world.leave_stale_value();
            has_left = has_left || finds_stale_value;
            auto process = world.process();
            auto const result = world.run(process);
            // Ten runs are more than such a life has: a slot that is not done by then goes on for ever.
            has_failed = !result || result->outcome == Outcome::failed || script_.size() == 10;
            if (has_failed)
                world.broken.push_back("the rotation fails without an interruption: " +
                                       crash::text_of(result));
            else
                script_.push_back({process.interrupter().effects(), result->state, finds_stale_value});
            world.check("after run " + std::to_string(script_.size()));
            completed += result && result->outcome == Outcome::completed ? 1 : 0;
            // The stale value is found at once, and not by the run that is due.
            if (completed != 1 || has_left) world.wait_after(result);
        }
        CrashReport::Cell cell("0 all", "none");
        cell.broken = std::move(world.broken);
        report_.cells.push_back(std::move(cell));
        return !has_failed;
    }

    // As far as the run that is interrupted.
    void come_to(crash::World& world, std::size_t number) {
        for (std::size_t i = 0;; ++i) {
            if (script_[i].finds_stale_value) world.leave_stale_value();
            if (i == number) return;
            auto const result = world.run();
            if (!script_[i + 1].finds_stale_value) world.wait_after(result);
        }
    }

    void explore(std::size_t number, const crash::Trial& trial) {
        auto const name = next_name();
        // Each cell has a world of its own: what one leaves behind neither helps nor harms the next.
        crash::World world(explorer_.make_, explorer_.options_, name);
        come_to(world, number);
        // At the end another key has to be the current one.
        auto const first = current_uid(world);

        auto const last = interrupt(world, trial, name);
        world.check("after the interruption");
        // Once for each place of a death: what the record says then does not depend on what happens
        // afterwards.
        if (trial.interruption.way == Way::dies && trial.meanwhile == Meanwhile::nothing)
            damage(world, number, trial, name);
        if (trial.meanwhile != Meanwhile::new_key_revoked) {
            happen(world, trial.meanwhile);
            go_on(world, number, last);
            // Only after the run that has to do with the fault.
            world.emulator.faults().clear();
        } else {
            go_on_without_new_key(world, last);
        }
        // Before the first run, which provisions the slot, there is no key to be replaced.
        come_to_the_end(world, number == 0 ? current_uid(world) : first);

        add_cell(number, trial, "", std::move(world.broken));
    }

    void add_cell(std::size_t number, const crash::Trial& trial, std::string_view what,
                  std::vector<std::string> broken) {
        auto const effect = trial.interruption.effect;
        CrashReport::Cell cell(std::to_string(number + 1) + '.' + std::to_string(effect + 1) + ' ' +
                                   script_[number].effects[effect],
                               trial.name + std::string(what));
        cell.broken = std::move(broken);
        report_.cells.push_back(std::move(cell));
    }

    Result<lifecycle::Rotation> interrupt(crash::World& world, const crash::Trial& trial,
                                          const std::string& name) {
        Result<lifecycle::Rotation> unknown = Error(errc::operation_aborted, "the process died");
        // In a process of its own: neither a death nor a limit on files can be taken back.
        if (trial.interruption.way == Way::dies || trial.interruption.way == Way::full_disk) {
            auto const died = world.run_forked(trial.interruption);
            if (died && explorer_.after_death_) explorer_.after_death_(name);
            // Where it is to die after its last effect, it may have ended before.
            if (!died && trial.interruption.way == Way::dies && trial.interruption.phase != Phase::after)
                world.broken.emplace_back("the process has not come to the effect");
            return unknown;
        }
        auto process = world.process(trial.interruption);
        auto result = world.run(process);
        world.emulator.faults().clear();
        if (!process.interrupter().has_interrupted())
            world.broken.emplace_back("the run has not come to the effect");
        return result;
    }

    // A record that is damaged is an error, and nothing is changed. Afterwards it is restored, so that the
    // same life goes on: each damage is a cell that ends here.
    void damage(crash::World& world, std::size_t number, const crash::Trial& trial, const std::string& name) {
        if (!explorer_.read_record_) return;
        auto const content = explorer_.read_record_(name);
        // Half a record is what a crash leaves of a write that was not flushed, and an empty one of a file
        // that was only made.
        for (auto const& [what, damaged] : {std::pair(", torn record", content.substr(0, content.size() / 2)),
                                            std::pair(", empty record", std::string())}) {
            std::vector<std::string> broken;
            if (!content.empty()) {  // else no record has been written yet
                explorer_.write_record_(name, damaged);
                auto const keys = world.slot_keys();
                auto process = world.process();
                auto const result = world.run(process);
                if (result || result.error().code() != errc::bad_value)
                    broken.emplace_back("a damaged record is not refused");
                // Neither an effect nor a key, whichever way it came about.
                if (!process.interrupter().effects().empty() || world.slot_keys() != keys)
                    broken.emplace_back("something was changed although the record is damaged");
                explorer_.write_record_(name, content);
            }
            add_cell(number, trial, what, std::move(broken));
        }
    }

    void happen(crash::World& world, Meanwhile what) {
        if (what == Meanwhile::old_key_reactivated) {
            auto const contents = world.process().contents();
            if (contents && contents->previous)
                world.reactivate_by_hand(contents->previous->key_uid);
            else
                world.broken.emplace_back("the sink has lost the value of the old key");
        }
        if (what == Meanwhile::lists_lag) world.emulator.faults().add("GET /v1/apiKeys list-lag:600000");
    }

    // At most one more run comes to where the interrupted one would have come.
    void go_on(crash::World& world, std::size_t number, const Result<lifecycle::Rotation>& last) {
        auto const is_there = [&](const Result<lifecycle::Rotation>& result) {
            return result && result->outcome != Outcome::failed && result->state == script_[number].state &&
                   !current_uid(world).empty();
        };
        if (is_there(last)) return world.wait_after(last);
        world.wait_after(last);
        auto const result = world.run();
        if (!is_there(result)) {
            world.broken.push_back("one more run does not come to an end: " + crash::text_of(result));
        }
        world.check("after one more run");
        world.wait_after(result);
    }

    // The key that is to come, or has just come, is revoked by hand. One that is not promoted yet never is.
    // By one that is, the old key is not revoked, or is re-activated, until force() has brought another one.
    void go_on_without_new_key(crash::World& world, const Result<lifecycle::Rotation>& last) {
        auto const contents = world.process().contents();
        auto const is_current = contents && !contents->pending;
        auto const uid = is_current ? uid_of(contents->current) : contents ? uid_of(contents->pending) : "";
        if (uid.empty()) return world.fault("after the interruption", "the sink has lost the new value");
        world.revoke_by_hand(uid);
        auto result = last;
        // Two: the first one gives the key up or re-activates the old one, and the second has to go on from
        // there.
        for (auto const* const when : {"after one more run", "after two more runs"}) {
            world.wait_after(result);
            result = world.run();
            world.check(when);
            if (is_current) world.check_previous(when);
        }
        if (is_current) {
            // Without force() a rotation never replaces a key that somebody has revoked.
            result = world.run_by_force();
            world.check("by force");
        }
        if (current_uid(world) == uid)
            world.broken.push_back("the key that was revoked by hand is the current one: " +
                                   crash::text_of(result));
        world.wait_after(result);
    }

    // The rotation is completed, and nothing is left.
    void come_to_the_end(crash::World& world, const std::string& first) {
        auto last = world.run();
        for (int runs = 0;; ++runs) {
            world.check("in the end");
            auto const is_idle =
                last && last->outcome != Outcome::failed && last->state == lifecycle::RotationState::idle;
            if (is_idle && !first.empty() && current_uid(world) != first) break;
            if (runs == 12) {
                world.broken.emplace_back("the rotation is not completed by twelve more runs");
                break;
            }
            world.wait_after(last);
            last = world.run();
        }
        // What a lost answer may have made is looked for an hour and a day later once more.
        for (int looks = 0; looks < 3 && !world.has_ended(); ++looks) {
            world.wait_after(last);
            last = world.run();
            world.check("days later");
        }
        if (!world.has_ended())
            world.broken.push_back("there are " + std::to_string(world.slot_keys().size()) +
                                   " keys in the end");
    }

    static std::string current_uid(crash::World& world) {
        auto const contents = world.process().contents();
        return contents ? uid_of(contents->current) : std::string();
    }
    static std::string uid_of(const std::optional<lifecycle::Receipt>& value) {
        return value ? value->key_uid : std::string();
    }

    const CrashExplorer& explorer_;
    CrashReport report_;
    std::vector<crash::PlayedRun> script_;
    std::size_t slots_ = 0;
};

PALETTE_KEYS_INLINE CrashExplorer& CrashExplorer::record_file(
    std::function<std::string(const std::string&)> path_of) {
    has_files_ = true;
    auto const shared = std::make_shared<decltype(path_of)>(std::move(path_of));
    return record(
        [shared](const std::string& name) {
            std::ifstream in((*shared)(name), std::ios::binary);
            return std::string(std::istreambuf_iterator<char>(in), {});
        },
        [shared](const std::string& name, const std::string& content) {
            std::ofstream((*shared)(name), std::ios::binary | std::ios::trunc) << content;
        });
}

PALETTE_KEYS_INLINE CrashReport CrashExplorer::run() const {
    return CrashExploration(*this).run();
}

}  // namespace palette::inline PALETTE_KEYS_ABI::testing
