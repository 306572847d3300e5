// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/lifecycle/json_fields.hpp>
#include <palette/impl/lifecycle/plans/apply_journal.hpp>
#include <palette/impl/system/directory.hpp>
#include <palette/impl/system/files.hpp>
#include <palette/impl/values/text.hpp>

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
    return Error(errc::bad_value, std::move(what));
}

PALETTE_KEYS_INLINE Error in_journal(const std::string& path, const Error& fault) {
    return bad_journal(files::shown(path) + ": " + fault.what())
        .path("journal")
        .key_uid(fault.key_uid())
        .advice("apply the plan that it was begun with, or give another plan a journal of its own");
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

// Whether the text is the first line of a journal, of any plan, or the beginning of one.
inline bool is_in_header(std::string_view text) {
    constexpr std::size_t digits = 64;
    auto const sample = journal_header(std::string(digits, '0'));
    auto const first = sample.find(std::string(digits, '0'));
    if (text.size() > sample.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto const is_digit = i >= first && i < first + digits;
        if (is_digit ? detail::hex_digit(text[i]) < 0 : text[i] != sample[i]) return false;
    }
    return true;
}

// Whether there is no entry in it, so that nothing was changed, whichever plan it was to be of: a kill came
// before the first intent was on the disk, or a program of ours has only made the file.
inline bool is_not_begun(std::string_view text) {
    auto const end = text.find('\n');
    if (end == std::string_view::npos) return is_in_header(text);
    return text.find('\n', end + 1) == std::string_view::npos && is_in_header(text.substr(0, end + 1));
}

PALETTE_KEYS_INLINE Result<JournalText> parse_journal(std::string_view text, std::string_view digest) {
    JournalText journal;
    if (is_not_begun(text)) return journal;
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
    if (number == 0) return bad_journal("the file is no journal of a plan");
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
    if (!lock) {
        // No key is to be read again: another run is at work.
        if (lock.error().code() == errc::conflict) lock.error().advice("call again later");
        return std::move(lock.error());
    }
    auto file = files::AppendFile::open(*directory, place.name);
    if (!file) return std::move(file.error());
    auto const text = file->read(max_size);
    if (!text) return text.error();
    auto journal = parse_journal(*text, digest);
    if (!journal) return in_journal(path, journal.error());
    // Before anything is appended: the rest of a line and the next one would be a line that is damaged.
    if (journal->whole < text->size())
        if (auto cut = file->truncate(journal->whole); !cut) return std::move(cut.error());
    auto header = journal->whole == 0 ? journal_header(digest) : std::string();
    return ApplyJournal(std::move(*file), std::move(*lock), std::move(journal->entries), std::move(header));
}

PALETTE_KEYS_INLINE Result<void> ApplyJournal::begin() {
    if (header_.empty()) return {};
    // By itself, so that no intent is ever on the disk without the plan that it is of.
    pending_ = std::exchange(header_, {});
    return flush();
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
