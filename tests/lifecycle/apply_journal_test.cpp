// SPDX-License-Identifier: BSL-1.0
#include "support/small_files.hpp"
#include "support/temporary_folder.hpp"

#include <palette/impl/lifecycle/plans/apply_journal.hpp>

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace apply_journal_test {

using namespace std::chrono_literals;
using namespace palette;
using impl::lifecycle::ApplyJournal;
using impl::lifecycle::JournalEntry;
using impl::lifecycle::parse_journal;
using lifecycle::ActionKind;
using lifecycle::BulkOutcome;

const std::string digest(64, 'd');

std::vector<JournalEntry> sample() {
    std::vector<JournalEntry> entries(3);
    entries[0].uid = "a";
    entries[0].at = std::chrono::sys_days{2026y / 11 / 28};
    entries[1] = entries[0];
    entries[1].result = BulkOutcome::done;
    entries[1].sentence = "was \"revoked\"\n";
    entries[2] = entries[1];
    entries[2].uid = "b\u202E";
    entries[2].step = ActionKind::set_expiry;
    entries[2].result = BulkOutcome::unknown;
    return entries;
}

std::string text_of(const std::vector<JournalEntry>& entries) {
    auto text = impl::lifecycle::journal_header(digest);
    for (auto const& entry : entries)
        text += to_line(entry);
    return text;
}

struct Scene {
    TemporaryFolder folder{fast_folder()};
    std::string path = folder.path("journal");

    Result<ApplyJournal> open() const { return ApplyJournal::open(path, digest); }
    // As a run does that changes something.
    ApplyJournal begin() const {
        auto journal = open().value();
        REQUIRE(journal.begin());
        return journal;
    }
    std::string what(const std::string& content) const {
        static_cast<void>(folder.file("journal", content));
        auto const opened = open();
        REQUIRE_FALSE(opened);
        CHECK(opened.error().code() == errc::bad_value);
        CHECK(opened.error().path() == "journal");
        CHECK(content_of(path) == content);  // it is somebody's
        auto const named = '"' + path + "\": ";
        REQUIRE(opened.error().what().starts_with(named));
        return opened.error().what().substr(named.size());
    }
};

TEST_CASE("apply journal: what is written is read by the next run") {
    Scene scene;
    auto const entries = sample();
    {
        auto journal = scene.open().value();
        CHECK(content_of(scene.path).empty());
        REQUIRE(journal.begin());
        CHECK(content_of(scene.path) == text_of({}));
        CHECK(journal.entries().empty());
        for (auto const& entry : entries)
            journal.add(entry);
        REQUIRE(journal.flush());
    }
    CHECK(content_of(scene.path) == text_of(entries));
    struct stat found{};
    REQUIRE(::stat(scene.path.c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0600);
    auto again = scene.open().value();
    CHECK(again.entries() == entries);
    again.add(entries[0]);
    REQUIRE(again.write());
    CHECK(content_of(scene.path) == text_of(entries) + to_line(entries[0]));
}

TEST_CASE("apply journal: cut anywhere, it gives the lines that are whole, and goes on behind them") {
    auto const entries = sample();
    auto const text = text_of(entries);
    for (std::size_t size = 0; size <= text.size(); ++size) {
        CAPTURE(size);
        Scene scene;
        auto const cut = text.substr(0, size);
        static_cast<void>(scene.folder.file("journal", cut));
        auto journal = scene.begin();
        std::size_t lines = 0;
        for (char const c : cut)
            lines += c == '\n' ? 1U : 0U;
        auto const whole = lines == 0 ? 0 : lines - 1;
        REQUIRE(journal.entries() ==
                std::vector(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(whole)));
        journal.add(entries[2]);
        REQUIRE(journal.flush());
        auto const parsed = parse_journal(content_of(scene.path), digest).value();
        REQUIRE(parsed.entries.size() == whole + 1);
        REQUIRE(parsed.entries.back() == entries[2]);
    }
}

TEST_CASE("apply journal: a line that was cut and has others behind it is damage") {
    auto const text = text_of(sample());
    // Each line but the last loses its end, from each of its bytes on.
    for (std::size_t at = 0; at + 1 < text.rfind('\n', text.size() - 2); ++at) {
        CAPTURE(at);
        auto const end = text.find('\n', at);
        auto const parsed = parse_journal(text.substr(0, at) + text.substr(end + 1), digest);
        auto const is_whole_line = at == 0 || text[at - 1] == '\n';
        // Without a whole line it is a journal like another, but for the first, which names the plan.
        if (is_whole_line && at > 0) continue;
        REQUIRE_FALSE(parsed);
        CHECK(parsed.error().code() == errc::bad_value);
    }
}

TEST_CASE("apply journal: what is not the journal of this plan is refused and left as it is") {
    Scene const scene;
    CHECK(scene.what("secret notes\n") == "the file is no journal of a plan");
    CHECK(scene.what("secret notes") == "the file is no journal of a plan");
    CHECK(scene.what("{}\n") == "the file is no journal of a plan");
    CHECK(scene.what(impl::lifecycle::journal_header(std::string(64, 'e')) + to_line(sample()[0])) ==
          "the journal is that of another plan");
    CHECK(scene.what(impl::lifecycle::journal_header(std::string(64, 'x')).substr(0, 60)) ==
          "the file is no journal of a plan");
    CHECK(scene.what("{\"palette_journal\":2,\"plan_sha256\":\"" + digest + "\"}\n") ==
          "the journal has a newer schema, 2");
    CHECK(scene.what("{\"palette_journal\":1,\"plan_sha256\":\"" + digest + "\",\"more\":1}\n")
              .starts_with("the first line of the journal is damaged: "));
    CHECK(scene.what(text_of({}) + "\x1B[2J\n") == "line 2 of the journal is damaged: \"\\x1b[2J\"");
    CHECK(scene.what(text_of({}) + "{\"intent\":\"\",\"step\":\"revoke\",\"at\":\"never\"}\n")
              .starts_with("line 2 of the journal is damaged"));
}

TEST_CASE("apply journal: until the first intent is on the disk it is free for any plan") {
    auto const of_another = impl::lifecycle::journal_header(std::string(64, 'e'));
    auto const text = of_another + to_line(sample()[0]);
    for (std::size_t size = 0; size < text.size(); ++size) {
        CAPTURE(size);
        Scene const scene;
        static_cast<void>(scene.folder.file("journal", text.substr(0, size)));
        auto journal = scene.begin();
        CHECK(journal.entries().empty());
        CHECK(content_of(scene.path) == text_of({}));
    }
}

TEST_CASE("apply journal: a second run with it is refused while the first one holds it") {
    Scene const scene;
    {
        auto const first = scene.open().value();
        auto const second = scene.open();
        REQUIRE_FALSE(second);
        CHECK(second.error().code() == errc::conflict);
        CHECK(second.error().what().find("is locked by process") != std::string::npos);
        CHECK(second.error().advice() == "call again later");
    }
    CHECK(scene.open());
}

TEST_CASE("apply journal: after a write that failed nothing is added, and it stays locked") {
    Scene const scene;
    auto const entries = sample();
    auto journal = std::optional(scene.begin());
    journal->add(entries[0]);
    REQUIRE(journal->flush());
    auto const size = content_of(scene.path).size();
    journal->add(entries[1]);
    {
        SmallFiles const full(size + 5);
        CHECK(journal->write().error().code() == errc::system);
    }
    auto const content = content_of(scene.path);
    CHECK(content.size() == size + 5);  // a part of a line
    journal->add(entries[2]);
    CHECK(journal->write());
    CHECK(journal->flush());
    CHECK(content_of(scene.path) == content);
    CHECK(scene.open().error().code() == errc::conflict);
    journal.reset();
    CHECK(scene.open().value().entries() == std::vector{entries[0]});
}

TEST_CASE("apply journal: a place that cannot hold one is refused") {
    TemporaryFolder const folder;
    CHECK(ApplyJournal::open(folder.path() + "/", digest).error().code() == errc::invalid_argument);
    CHECK(ApplyJournal::open(folder.path("none/journal"), digest).error().code() == errc::system);
    REQUIRE(::mkdir(folder.path("open").c_str(), 0700) == 0);
    REQUIRE(::chmod(folder.path("open").c_str(), 0777) == 0);
    CHECK(ApplyJournal::open(folder.path("open/journal"), digest).error().code() == errc::invalid_argument);
    REQUIRE(::symlink("elsewhere", folder.path("link").c_str()) == 0);
    CHECK(ApplyJournal::open(folder.path("link"), digest).error().code() == errc::invalid_argument);
    REQUIRE(::mkdir(folder.path("folder").c_str(), 0700) == 0);
    CHECK_FALSE(ApplyJournal::open(folder.path("folder"), digest));
}

TEST_CASE("apply journal: a device is not written to") {
    if (::access("/dev/full", W_OK) != 0) return;
    auto const directory = impl::files::open_private_directory("/dev").value();
    // A device is no regular file: nothing is ever written to it.
    CHECK(impl::files::AppendFile::open(directory, "full").error().code() == errc::invalid_argument);
}

}  // namespace apply_journal_test
