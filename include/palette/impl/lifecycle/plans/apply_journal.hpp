// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/lifecycle/plans/apply_machine.hpp>
#include <palette/impl/system/append_file.hpp>
#include <palette/impl/system/file_lock.hpp>
#include <palette/result.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

// What a journal says, and how many of its bytes are whole lines: what follows was cut by a kill.
struct JournalText {
    std::vector<JournalEntry> entries;
    std::size_t whole = 0;
};

// Lines of JSON: the first names the plan by its digest, each other one is an entry.
std::string journal_header(std::string_view digest);
std::string to_line(const JournalEntry& entry);

// Reads a journal of the plan with that digest. Of one that was not begun nothing is taken over: its text is
// empty, or names any plan, in whole or in part, and has no entry. errc::bad_value for one of another plan,
// of a newer schema, or with a line that is none of ours; the message names the line.
Result<JournalText> parse_journal(std::string_view text, std::string_view digest);

// What is wrong with a journal, after the name of its file.
Error in_journal(const std::string& path, const Error& fault);

// The journal of a run: held under a lock, and only ever appended to. After a write that has failed, a part
// of a line may be at its end, so that nothing is added any more; the lock is held all the same, for changes
// may be under way.
class ApplyJournal {
public:
    // Opens the file, or makes it. A line that was cut is taken off its end. A plan that is refused leaves
    // nothing in it, so that it can be used for the next one.
    static Result<ApplyJournal> open(const std::string& path, const std::string& digest);

    // What earlier runs have written.
    [[nodiscard]] const std::vector<JournalEntry>& entries() const noexcept { return entries_; }

    // Names the plan on the disk, unless an earlier run has done so. Before the first entry.
    Result<void> begin();
    void add(const JournalEntry& entry) {
        if (!is_broken_) pending_ += to_line(entry);
    }
    // Hands what was added over to the system, so that it outlives this process.
    Result<void> write();
    // The same, and it outlives a crash of the machine.
    Result<void> flush();

private:
    ApplyJournal(files::AppendFile file, files::FileLock lock, std::vector<JournalEntry> entries,
                 std::string header)
        : file_(std::move(file)),
          lock_(std::move(lock)),
          entries_(std::move(entries)),
          header_(std::move(header)) {}

    files::AppendFile file_;
    files::FileLock lock_;
    std::vector<JournalEntry> entries_;
    std::string header_;  // empty once it is in the file
    std::string pending_;
    bool is_broken_ = false;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/lifecycle/plans/apply_journal.ipp>
#endif
