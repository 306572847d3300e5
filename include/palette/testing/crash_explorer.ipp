// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/testing/crash_explorer.hpp>
#include <palette/testing/crash_process.ipp>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <ostream>
#include <sstream>
#include <system_error>

namespace palette::inline PALETTE_KEYS_ABI::testing {

namespace crash {

enum class Damage { none, torn, empty };

// A column of the matrix.
struct Trial {
    Interruption interruption;
    Damage damage = Damage::none;
    std::string name;
};

// What an undisturbed run has done, and how far the rotation came in it.
struct PlayedRun {
    std::vector<std::string> effects;
    lifecycle::RotationState state = lifecycle::RotationState::idle;
};

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
        return Process(emulator, clock, make_(name_), std::move(interruption));
    }

    Result<lifecycle::Rotation> run(Process& of) { return of.rotate(options_); }
    Result<lifecycle::Rotation> run() {
        auto undisturbed = process();
        return run(undisturbed);
    }

    // Whether the forked process has died as it was told to; otherwise it has ended by itself.
    bool run_forked(const Interruption& interruption) {
        auto const child = ::fork();
        if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
        if (child == 0) {
            ::alarm(60);
            // The parent's may be locked by the emulator's thread, which is not here.
            Process dying(emulator, std::make_shared<ManualClock>(now_), make_(name_), interruption);
            try {
                static_cast<void>(run(dying));
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
        wait(last && last->next_due ? std::max<std::chrono::milliseconds>(*last->next_due - now, 0s) + 2s
                                    : 2min);
    }
    void wait(std::chrono::milliseconds time) {
        clock->advance(time);
        now_ = clock->now();
    }

    // What holds at each end of a process.
    void check(const std::string& when) {
        auto looking = process();
        auto const value = looking.value();
        if (!value) {
            fault(when, "the sink cannot be read: " + value.error().message());
        } else if (*value) {
            has_had_value_ = true;
            if (!looking.works(**value)) fault(when, "the sink's current value does not work");
        } else if (has_had_value_) {
            fault(when, "the sink has no current value any more");
        }
        auto const contents = looking.contents();
        auto const record = looking.record();
        std::ostringstream known;
        if (contents) known << *contents;
        if (record) known << record->text;
        std::size_t active = 0;
        for (auto const& key : slot_keys()) {
            active += key.is_active ? 1U : 0U;
            if (!is_known(key, known.str()))
                fault(when, "key " + key.uid + " is in neither the sink nor the record");
        }
        if (active > 2) fault(when, "the slot has " + std::to_string(active) + " active keys");
        if (slot_keys().size() > 3)
            fault(when, "the slot has " + std::to_string(slot_keys().size()) + " keys");
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
    // By its uid, or by the mark of the create that made it.
    static bool is_known(const ApiKey& key, const std::string& known) {
        if (known.find(key.uid) != std::string::npos) return true;
        return std::ranges::any_of(key.annotations, [&](auto const& annotation) {
            return annotation.second.size() >= 16 && known.find(annotation.second) != std::string::npos;
        });
    }

    const CrashExplorer::MakeSlot& make_;
    lifecycle::RotateOptions options_;
    std::string name_;
    std::size_t keys_before_;
    Instant now_ = clock->now();
    bool has_had_value_ = false;
};

}  // namespace crash

// Plays the script of the runs once without interruption, and then once for each cell.
class CrashExploration {
public:
    explicit CrashExploration(const CrashExplorer& explorer) : explorer_(explorer) {}

    CrashReport run() {
        record_script();
        for (std::size_t number = 0; number < script_.size(); ++number)
            for (std::size_t effect = 0; effect < script_[number].effects.size(); ++effect)
                for (auto const& trial : trials_of(script_[number].effects[effect])) {
                    auto chosen = trial;
                    chosen.interruption.effect = effect;
                    explore(number, chosen);
                }
        return std::move(report_);
    }

private:
    using Way = crash::Interruption::Way;
    using Phase = crash::Interruption::Phase;
    using Outcome = lifecycle::Rotation::Outcome;

    std::string next_name() { return "slot-" + std::to_string(++slots_); }

    // The runs of a slot's life: it is provisioned, its key is replaced, and the old one comes to its end.
    void record_script() {
        crash::World world(explorer_.make_, explorer_.options_, next_name());
        for (int completed = 0; completed < 2;) {
            auto process = world.process();
            auto const result = world.run(process);
            if (!result || result->outcome == Outcome::failed || script_.size() > 10)
                throw Exception(Error(errc::invalid_argument, "the rotation fails without an interruption: " +
                                                                  crash::text_of(result)));
            script_.push_back({process.interrupter().effects(), result->state});
            completed += result->outcome == Outcome::completed ? 1 : 0;
            world.wait_after(result);
        }
    }

    [[nodiscard]] std::vector<crash::Trial> trials_of(const std::string& effect) const {
        std::vector<crash::Trial> trials;
        auto const add = [&](Way way, Phase phase, crash::Damage damage, std::string name,
                             std::string fault = {}) {
            trials.push_back({{way, phase, 0, std::move(fault)}, damage, std::move(name)});
        };
        add(Way::fails, Phase::before, crash::Damage::none, "fails before");
        add(Way::fails, Phase::within, crash::Damage::none, "fails within");
        add(Way::fails, Phase::after, crash::Damage::none, "cancelled after");
        for (auto const& [phase, name] :
             {std::pair(Phase::before, "dies before"), std::pair(Phase::within, "dies within"),
              std::pair(Phase::after, "dies after")}) {
            add(Way::dies, phase, crash::Damage::none, name);
            if (!explorer_.read_record_) continue;
            add(Way::dies, phase, crash::Damage::torn, std::string(name) + ", torn record");
            add(Way::dies, phase, crash::Damage::empty, std::string(name) + ", empty record");
        }
        if (explorer_.has_files_) add(Way::full_disk, Phase::before, crash::Damage::none, "full disk");
        if (effect.find(" /") != std::string::npos)
            for (auto const& fault : explorer_.faults_)
                add(Way::fault, Phase::before, crash::Damage::none, fault, fault);
        return trials;
    }

    void explore(std::size_t number, const crash::Trial& trial) {
        auto const name = next_name();
        crash::World world(explorer_.make_, explorer_.options_, name);
        for (std::size_t i = 0; i < number; ++i)
            world.wait_after(world.run());
        auto const first = current_uid(world);

        auto const last = interrupt(world, trial, name);
        world.check("after the interruption");
        if (trial.damage != crash::Damage::none) damage(world, trial.damage, name);
        go_on(world, number, last);
        come_to_the_end(world, number == 0 ? current_uid(world) : first);

        CrashReport::Cell cell(std::to_string(number + 1) + '.' +
                                   std::to_string(trial.interruption.effect + 1) + ' ' +
                                   script_[number].effects[trial.interruption.effect],
                               trial.name);
        cell.broken = std::move(world.broken);
        report_.cells.push_back(std::move(cell));
    }

    Result<lifecycle::Rotation> interrupt(crash::World& world, const crash::Trial& trial,
                                          const std::string& name) {
        Result<lifecycle::Rotation> unknown = Error(errc::operation_aborted, "the process died");
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

    // A record that is damaged is an error, and nothing is changed. Afterwards it is restored.
    void damage(crash::World& world, crash::Damage how, const std::string& name) {
        auto const content = explorer_.read_record_(name);
        if (content.empty()) return;  // no record has been written yet
        explorer_.write_record_(name,
                                how == crash::Damage::torn ? content.substr(0, content.size() / 2) : "");
        auto const keys = world.slot_keys();
        auto process = world.process();
        auto const result = world.run(process);
        if (result || result.error().code() != errc::bad_value)
            world.broken.emplace_back("a damaged record is not refused");
        if (!process.interrupter().effects().empty() || world.slot_keys() != keys)
            world.broken.emplace_back("something was changed although the record is damaged");
        explorer_.write_record_(name, content);
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

    // The rotation is completed, and nothing is left.
    void come_to_the_end(crash::World& world, const std::string& first) {
        for (int runs = 0;; ++runs) {
            auto const last = world.run();
            world.check("in the end");
            auto const is_idle =
                last && last->outcome != Outcome::failed && last->state == lifecycle::RotationState::idle;
            if (is_idle && !first.empty() && current_uid(world) != first) break;
            if (runs == 12) {
                world.broken.emplace_back("the rotation is not completed by twelve more runs");
                break;
            }
            world.wait_after(last);
        }
        // What a lost answer may have made is looked for an hour and a day later once more.
        for (auto const time : {std::chrono::hours(2), std::chrono::hours(26)}) {
            world.wait(time);
            static_cast<void>(world.run());
        }
        world.check("two days later");
        auto const keys = world.slot_keys();
        if (keys.size() != 1 || keys.front().uid != current_uid(world))
            world.broken.push_back("there are " + std::to_string(keys.size()) + " keys in the end");
    }

    static std::string current_uid(crash::World& world) {
        auto const contents = world.process().contents();
        return contents && contents->current ? contents->current->key_uid : std::string();
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

PALETTE_KEYS_INLINE std::size_t CrashReport::broken() const noexcept {
    return static_cast<std::size_t>(
        std::ranges::count_if(cells, [](const Cell& cell) { return !cell.broken.empty(); }));
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const CrashReport& report) {
    std::vector<std::string> columns;
    std::vector<std::string> rows;
    std::map<std::pair<std::string, std::string>, bool> holds;
    auto const note = [](std::vector<std::string>& all, const std::string& one) {
        if (std::ranges::find(all, one) == all.end()) all.push_back(one);
    };
    for (auto const& cell : report.cells) {
        note(columns, cell.interruption);
        note(rows, cell.effect);
        holds[{cell.effect, cell.interruption}] = cell.broken.empty();
    }
    for (std::size_t i = 0; i < columns.size(); ++i)
        out << static_cast<char>('a' + i % 26) << "  " << columns[i] << '\n';
    constexpr std::size_t width = 34;
    out << '\n' << std::string(width, ' ');
    for (std::size_t i = 0; i < columns.size(); ++i)
        out << static_cast<char>('a' + i % 26) << ' ';
    out << '\n';
    for (auto const& row : rows) {
        out << row << std::string(row.size() < width ? width - row.size() : 1, ' ');
        for (auto const& column : columns) {
            auto const found = holds.find({row, column});
            out << (found == holds.end() ? ' ' : found->second ? '+' : 'X') << ' ';
        }
        out << '\n';
    }
    out << '\n' << report.cells.size() << " cells, " << report.broken() << " broken\n";
    for (auto const& cell : report.cells)
        for (auto const& what : cell.broken)
            out << cell.effect << ", " << cell.interruption << ": " << what << '\n';
    return out;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::testing
