// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/lifecycle/rotation.hpp>

#include <cstddef>
#include <functional>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::testing {

/// Reports what a CrashExplorer has found. Contains no secret.
class CrashReport {
public:
    /// Describes one interruption of one effect, and what was wrong afterwards.
    class Cell {
    public:
        /// Constructs a cell in which nothing was wrong.
        Cell(std::string effect_, std::string interruption_)
            : effect(std::move(effect_)),
              interruption(std::move(interruption_)) {}

        /// Names the effect, with the number of its run and its own: "3.4 stage"; "0 all" for all runs
        /// without an interruption.
        std::string effect;
        /// Names the interruption: "dies within, torn record"; "none".
        std::string interruption;
        /// Lists what did not hold, in words; empty if all held.
        std::vector<std::string> broken;
    };

    /// Constructs a report without cells.
    CrashReport() {}  // NOLINT(modernize-use-equals-default): as the other reports of this library

    /// Lists the cells, in the order in which they were explored.
    std::vector<Cell> cells;

    /// Returns how many cells have something that did not hold.
    [[nodiscard]] PALETTE_KEYS_DECL std::size_t broken() const noexcept;

    /// Writes the matrix, an effect in each line and an interruption in each column, the number of cells, and
    /// what did not hold.
    friend PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const CrashReport& report);
};

/// Interrupts a rotation at each of its effects, in every way, lets another run take it up, and checks what
/// must hold. For a sink or a store of your own.
///
///     palette::testing::CrashExplorer explorer([&](const std::string& name) {
///         return lifecycle::Slot(name, open_my_sink(name), lifecycle::file_store(directory));
///     });
///     auto const report = explorer.run();
///     std::cout << report;
///     if (report.broken() > 0) log("the sink loses keys");
///
/// Each cell plays the provisioning of a slot, a run that finds a value of a rotation whose record is lost,
/// one rotation and the end of the old key, against an emulator with a clock of its own. In one of the runs
/// one effect, a change of the service, the sink or the store or a call of the hook, or one proof of a key is
/// interrupted:
/// - fails before: an exception, and nothing is done.
/// - fails within: it is done, and an exception is all that is heard of it.
/// - cancelled after: the rotation is cancelled as it has been done.
/// - dies before, within, after: the same by the end of the process, which is a fork of this one.
/// - dies, and the record is torn, or empty, if record() or record_file() is set; full disk, if the latter
///   is.
/// - dies before, and before the next run somebody revokes the new key or re-activates the old one, or the
///   service does not list new keys any more.
/// - each of faults(): the service misbehaves, for a request; or it does not answer a create, and then
/// refuses
///   to list keys.
///
/// Afterwards, at most one more run comes to where the run would have come. Of each run holds:
/// - what it is about to store, promote or revoke is named in the record before;
/// - it promotes no key, and revokes none, before it has used the successor twice, with the value that the
///   sink reads back; it uses it once more after it has revoked the old one;
/// - it revokes no key before the hook has succeeded for the successor.
///
/// At each end of a process:
/// - the sink's current value works, once there has been one;
/// - the slot has two active keys at most, and three in all;
/// - each of them is the sink's, or in the record: by its uid if its create was answered in a run that has
///   ended by itself, else at least by the mark of that create;
/// - a record that is torn or empty is an error, and nothing is changed.
///
/// After a run in which nothing has failed, in addition:
/// - the record names the current key, and the hook has succeeded for it;
/// - the sink has no pending value, and after the end of a rotation no value of a key that was deleted;
/// - until then the sink can give the old key's value back, and during the overlap it works.
///
/// A new key that somebody revokes is not promoted, or, if it was promoted already, the old one works until
/// force() has replaced it. An old key that somebody re-activates stays as it is.
///
/// In the end there is one key, which the sink holds, besides one that somebody has re-activated.
///
/// Threads: forks, so that it is run while the process has no other thread that holds a lock, and without a
/// thread sanitizer. The emulator's own thread is harmless.
class CrashExplorer {
public:
    /// Makes the slot `name` as one process has it. Called anew for each run, and in forked processes: all
    /// slots of one name lead to the same place.
    using MakeSlot = std::function<lifecycle::Slot(const std::string& name)>;

    /// Constructs an explorer of the slots that `make` makes.
    explicit CrashExplorer(MakeSlot make) : make_(std::move(make)) {}

    /// Sets the options of the rotations. Default: those of RotateOptions. The hook is the explorer's.
    CrashExplorer& options(lifecycle::RotateOptions options) {
        options_ = std::move(options);
        return *this;
    }
    /// Tells in which file the record of a slot lies, so that it can be torn, and a full disk be played.
    /// Default: in none.
    PALETTE_KEYS_DECL CrashExplorer& record_file(std::function<std::string(const std::string& name)> path_of);
    /// Tells how the record of a slot is read and written behind the back of its store, so that it can be
    /// torn. Default: it cannot.
    CrashExplorer& record(std::function<std::string(const std::string& name)> read,
                          std::function<void(const std::string& name, const std::string& content)> write) {
        read_record_ = std::move(read);
        write_record_ = std::move(write);
        return *this;
    }
    /// Is called with the name of a slot each time a process of it has died: a store whose lock outlives the
    /// process for a while ends it now. Default: nothing.
    CrashExplorer& after_death(std::function<void(const std::string& name)> call) {
        after_death_ = std::move(call);
        return *this;
    }
    /// Sets the faults of the service, each in the form of FaultRule::parse() without method, path and count.
    /// Default: drop-before, drop-after, status:500, status:503, status:429, status:403, truncate, reset.
    CrashExplorer& faults(std::vector<std::string> faults) {
        faults_ = std::move(faults);
        return *this;
    }

    /// Explores. Where the rotation does not come to its end without an interruption, the report has that
    /// cell alone. Throws std::system_error if this process cannot fork.
    [[nodiscard]] PALETTE_KEYS_DECL CrashReport run() const;

private:
    friend class CrashExploration;

    MakeSlot make_;
    lifecycle::RotateOptions options_;
    std::function<std::string(const std::string&)> read_record_;
    std::function<void(const std::string&, const std::string&)> write_record_;
    std::function<void(const std::string&)> after_death_;
    bool has_files_ = false;
    std::vector<std::string> faults_{"drop-before", "drop-after", "status:500", "status:503",
                                     "status:429",  "status:403", "truncate",   "reset"};
};

}  // namespace palette::inline PALETTE_KEYS_ABI::testing

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/testing/crash_explorer.ipp>
#endif
