// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/lifecycle/json_fields.hpp>
#include <palette/impl/lifecycle/plans/apply_journal.hpp>
#include <palette/impl/system/directory.hpp>
#include <palette/impl/system/files.hpp>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <optional>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

inline constexpr int journal_schema = 1;

PALETTE_KEYS_INLINE std::string journal_header(std::string_view digest) {
    boost::json::object const header{{"palette_journal", journal_schema}, {"plan_sha256", digest}};
    return boost::json::serialize(header) + '\n';
}

PALETTE_KEYS_INLINE std::string to_line(const JournalEntry& entry) {
    boost::json::object line{{entry.result ? "result" : "intent", entry.uid},
                             {"step", palette::lifecycle::to_string(entry.step)},
                             {"at", Expiry::at(entry.at).to_string()}};
    if (entry.result) {
        line["outcome"] = palette::lifecycle::to_string(*entry.result);
        line["sentence"] = entry.sentence;
    }
    return boost::json::serialize(line) + '\n';
}

// The text of a field; empty if there is none.
inline std::string_view text_in(const boost::json::object& line, std::string_view name) {
    auto const* const value = line.if_contains(name);
    auto const* const text = value != nullptr ? value->if_string() : nullptr;
    return text != nullptr ? std::string_view(text->data(), text->size()) : std::string_view();
}

inline std::optional<JournalEntry> parse_entry(std::string_view line) {
    boost::system::error_code ec;
    auto const parsed = boost::json::parse({line.data(), line.size()}, ec);
    auto const* const object = ec ? nullptr : parsed.if_object();
    if (object == nullptr) return std::nullopt;
    auto const is_result = object->contains("result");
    JournalEntry entry;
    entry.uid = text_in(*object, is_result ? "result" : "intent");
    auto const at = Expiry::parse(text_in(*object, "at"));
    auto const step = value_named<ActionKind>(text_in(*object, "step"));
    if (entry.uid.empty() || !at || at->is_never() || !step) return std::nullopt;
    entry.at = *at->instant();
    entry.step = *step;
    if (is_result) entry.result = value_named<BulkOutcome>(text_in(*object, "outcome"));
    if (is_result && !entry.result) return std::nullopt;
    entry.sentence = text_in(*object, "sentence");
    // As it was written, or it was not written by us.
    if (to_line(entry) != std::string(line) + '\n') return std::nullopt;
    return entry;
}

inline Error bad_journal(std::string what) {
    return Error(errc::bad_value, std::move(what))
        .path("journal")
        .advice("use the journal that this plan was begun with, or make a new plan with a new journal");
}

inline std::optional<Error> check_header(std::string_view line, std::string_view digest) {
    boost::system::error_code ec;
    auto const parsed = boost::json::parse({line.data(), line.size()}, ec);
    auto const* const object = ec ? nullptr : parsed.if_object();
    auto const* const schema = object != nullptr ? object->if_contains("palette_journal") : nullptr;
    if (schema == nullptr || !schema->is_int64()) return bad_journal("the file is no journal of a plan");
    if (schema->get_int64() > journal_schema)
        return bad_journal("the journal has a newer schema, " + std::to_string(schema->get_int64()));
    if (text_in(*object, "plan_sha256") != digest) return bad_journal("the journal is that of another plan");
    // As it was written, or it was not written by us.
    if (std::string(line) + '\n' != journal_header(digest))
        return bad_journal("the first line of the journal is damaged: " + detail::in_quotes(line));
    return std::nullopt;
}

PALETTE_KEYS_INLINE Result<JournalText> parse_journal(std::string_view text, std::string_view digest) {
    JournalText journal;
    auto const header = journal_header(digest);
    std::size_t number = 0;
    for (;;) {
        auto const end = text.find('\n', journal.whole);
        // A line without its end was cut by a kill. The change of an intent that was cut was not sent, and a
        // result that was cut leaves its intent.
        if (end == std::string_view::npos) break;
        auto const line = text.substr(journal.whole, end - journal.whole);
        ++number;
        if (number == 1) {
            if (auto fault = check_header(line, digest)) return *std::move(fault);
        } else {
            auto entry = parse_entry(line);
            // In the middle of a file no kill leaves such a line. What an earlier run has done is not known
            // any more.
            if (!entry)
                return bad_journal("line " + std::to_string(number) +
                                   " of the journal is damaged: " + detail::in_quotes(line));
            journal.entries.push_back(*std::move(entry));
        }
        journal.whole = end + 1;
    }
    // A kill may have cut the first line as well; what is no beginning of it is somebody else's file.
    if (number == 0 && !header.starts_with(text)) return bad_journal("the file is no journal of a plan");
    return journal;
}

PALETTE_KEYS_INLINE Result<ApplyJournal> ApplyJournal::open(const std::string& path,
                                                            const std::string& digest) {
    // At some 200 bytes a line, this is more than a million changes.
    constexpr auto max_size = std::size_t{256} << 20;
    auto const place = files::place_of(path);
    if (place.name.empty()) return files::error(errc::invalid_argument, path, "names no file for a journal");
    auto const directory = files::open_private_directory(place.directory);
    if (!directory) return directory.error();
    // Before the file is read, or two runs would go on from the same end.
    auto lock = files::FileLock::try_lock(*directory, place.name + ".lock");
    if (!lock) return std::move(lock.error());
    auto file = files::AppendFile::open(*directory, place.name);
    if (!file) return std::move(file.error());
    auto const text = file->read(max_size);
    if (!text) return text.error();
    auto journal = parse_journal(*text, digest);
    if (!journal) return std::move(journal.error());
    // Before anything is appended: the rest of a line and the next one would be a line that is damaged.
    if (journal->whole < text->size())
        if (auto cut = file->truncate(journal->whole); !cut) return std::move(cut.error());
    ApplyJournal opened(std::move(*file), std::move(*lock), std::move(journal->entries));
    // The plan is named on the disk before the first intent.
    if (journal->whole == 0) {
        opened.pending_ = journal_header(digest);
        if (auto flushed = opened.flush(); !flushed) return std::move(flushed.error());
    }
    return opened;
}

PALETTE_KEYS_INLINE Result<void> ApplyJournal::write() {
    if (pending_.empty()) return {};
    auto written = file_.append(pending_);
    // Also after a failure: a part may be in the file, and the same once more would damage it.
    pending_.clear();
    is_broken_ = !written;
    return written;
}

PALETTE_KEYS_INLINE Result<void> ApplyJournal::flush() {
    if (auto written = write(); !written) return written;
    if (is_broken_) return {};  // which was told
    auto flushed = file_.flush();
    is_broken_ = !flushed;
    return flushed;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
