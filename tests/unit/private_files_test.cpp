// SPDX-License-Identifier: BSL-1.0
#include "support/printed.hpp"
#include "support/temporary_folder.hpp"

#include <palette/impl/system/atomic_file.hpp>
#include <palette/impl/system/directory.hpp>
#include <palette/impl/system/file_lock.hpp>

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <optional>
#include <string>
#include <vector>

namespace private_files_test {

using namespace palette;
using namespace palette::impl::files;

struct Fixture {
    TemporaryFolder folder;
    Directory directory = open_private_directory(folder.path()).value();

    [[nodiscard]] std::vector<std::string> names() const {
        auto names = folder.names();
        std::ranges::sort(names);
        return names;
    }

    std::string refusal(errc code, const Result<void>& result) {
        REQUIRE_FALSE(result);
        CHECK(result.error().code() == code);
        CHECK(is_one_plain_line(result.error().message()));
        return result.error().what();
    }
};

mode_t mode_of(const std::string& path) {
    struct stat found{};
    REQUIRE(::stat(path.c_str(), &found) == 0);
    return found.st_mode & 07777;
}

TEST_CASE("open_private_directory: a directory that others may write to is refused, sticky or not") {
    TemporaryFolder const folder;
    struct Row {
        mode_t mode;
        bool is_private;
    };
    for (auto const& [mode, is_private] : {Row{0700, true}, Row{0755, true}, Row{0770, false},
                                           Row{0777, false}, Row{01777, false}, Row{0702, false}}) {
        CAPTURE(mode);
        REQUIRE(::chmod(folder.path().c_str(), mode) == 0);
        auto const opened = open_private_directory(folder.path());
        CHECK(opened.has_value() == is_private);
        if (opened) continue;
        CHECK(opened.error().code() == errc::invalid_argument);
        CHECK(contains(opened.error().what(), "others may write: chmod go-w makes it private"));
    }
}

TEST_CASE("open_private_directory: root's directories are trusted, and those of another user are not") {
    if (::geteuid() != 0) return;  // to be nobody for a while
    TemporaryFolder const folder;
    REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
    {
        AsNobody const nobody;
        CHECK(open_private_directory(folder.path()));
    }
    REQUIRE(::chown(folder.path().c_str(), 65534, 65534) == 0);
    auto const opened = open_private_directory(folder.path());
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code() == errc::invalid_argument);
    CHECK(contains(opened.error().what(), "is a directory of another user"));
}

TEST_CASE("open_private_directory: what is no directory is an error of the system with its path") {
    TemporaryFolder const folder;
    for (auto const& path : {folder.path("none"), folder.file("file", "")}) {
        auto const opened = open_private_directory(path);
        REQUIRE_FALSE(opened);
        CHECK(opened.error().code() == errc::system);
        CHECK(contains(opened.error().what(), path));
    }
    CHECK(open_private_directory("").error().code() == errc::invalid_argument);
}

TEST_CASE_FIXTURE(Fixture, "replace_file: writes a file of mode 0600 and leaves nothing else") {
    REQUIRE(replace_file(directory, "key", "old"));
    auto const before = ::umask(0777);
    auto const replaced = replace_file(directory, "key", "new");
    ::umask(before);
    REQUIRE(replaced);
    CHECK(content_of(folder.path("key")) == "new");
    CHECK(mode_of(folder.path("key")) == 0600);
    CHECK(names() == std::vector<std::string>{"key"});
    CHECK(read_file(directory, "key", 3).value()->expose() == "new");
}

TEST_CASE_FIXTURE(Fixture, "replace_file: takes the place of what a killed process has left over") {
    REQUIRE(!folder.file(temporary_name("key"), "half of a va").empty());
    REQUIRE(replace_file(directory, "key", "new"));
    CHECK(names() == std::vector<std::string>{"key"});
}

TEST_CASE_FIXTURE(Fixture, "replace_file, rename_file, remove_file, read_file: touch regular files only") {
    REQUIRE(::symlink("elsewhere", folder.path("key").c_str()) == 0);
    REQUIRE(::mkdir(folder.path("other").c_str(), 0700) == 0);
    REQUIRE(!folder.file("file", "content").empty());
    for (std::string const name : {"key", "other"}) {
        CAPTURE(name);
        auto const complaint = '"' + folder.path(name) + "\" is not a regular file, and is not touched";
        CHECK(refusal(errc::invalid_argument, replace_file(directory, name, "new")) == complaint);
        CHECK(refusal(errc::invalid_argument, rename_file(directory, "file", name)) == complaint);
        CHECK(refusal(errc::invalid_argument, rename_file(directory, name, "file")) == complaint);
        CHECK(refusal(errc::invalid_argument, remove_file(directory, name)) == complaint);
        CHECK(read_file(directory, name, 100).error().what() == complaint);
    }
    CHECK(names() == std::vector<std::string>{"file", "key", "other"});
    CHECK(content_of(folder.path("file")) == "content");
}

TEST_CASE_FIXTURE(Fixture, "rename_file: replaces the file, and says why if there is none") {
    REQUIRE(replace_file(directory, "a", "new"));
    REQUIRE(replace_file(directory, "b", "old"));
    REQUIRE(rename_file(directory, "a", "b"));
    CHECK(content_of(folder.path("b")) == "new");
    CHECK(contains(refusal(errc::system, rename_file(directory, "a", "b")), "(No such file or directory)"));
}

TEST_CASE_FIXTURE(Fixture, "remove_file, read_file: a file that is not there is no error") {
    CHECK(remove_file(directory, "key"));
    CHECK(read_file(directory, "key", 10).value() == std::nullopt);
    REQUIRE(replace_file(directory, "key", "12345678901"));
    CHECK(read_file(directory, "key", 10).error().code() == errc::too_large);
    REQUIRE(remove_file(directory, "key"));
    CHECK(names().empty());
}

TEST_CASE_FIXTURE(Fixture, "FileLock: is held once, names its holder, and ends with its scope") {
    for (int times = 0; times < 2; ++times) {
        auto const lock = FileLock::try_lock(directory, "key.lock");
        REQUIRE(lock);
        auto const other = FileLock::try_lock(directory, "key.lock");
        REQUIRE_FALSE(other);
        CHECK(other.error().code() == errc::conflict);
        CHECK(contains(other.error().what(), '"' + folder.path("key.lock") + "\" is locked by process " +
                                                 std::to_string(::getpid()) + " since 2"));
    }
    CHECK(mode_of(folder.path("key.lock")) == 0600);
    CHECK(content_of(folder.path("key.lock")).empty());
}

TEST_CASE_FIXTURE(Fixture, "FileLock: ends with the process that held it, however that ends") {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    auto const child = ::fork();
    if (child == 0) {
        auto const lock = FileLock::try_lock(directory, "key.lock");
        static_cast<void>(::write(ends[1], lock ? "+" : "-", 1) == 1);
        for (;;)
            ::pause();
    }
    char held = 0;
    REQUIRE(::read(ends[0], &held, 1) == 1);
    CHECK(held == '+');
    auto const refused = FileLock::try_lock(directory, "key.lock");
    REQUIRE_FALSE(refused);
    CHECK(contains(refused.error().what(), "process " + std::to_string(child) + " since "));
    REQUIRE(::kill(child, SIGKILL) == 0);
    REQUIRE(::waitpid(child, nullptr, 0) == child);
    CHECK(FileLock::try_lock(directory, "key.lock"));
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST_CASE_FIXTURE(Fixture, "FileLock: a holder's name is shown as one line, whatever is in the file") {
    auto const lock = FileLock::try_lock(directory, "key.lock");
    REQUIRE(lock);
    REQUIRE(!folder.file("key.lock", "\x1b[31m" + hostile_text).empty());
    auto const refused = FileLock::try_lock(directory, "key.lock");
    REQUIRE_FALSE(refused);
    CHECK(is_one_plain_line(refused.error().message()));
}

TEST_CASE_FIXTURE(Fixture, "FileLock: a link is not followed, and no file is locked through it") {
    REQUIRE(::symlink("elsewhere", folder.path("key.lock").c_str()) == 0);
    CHECK(FileLock::try_lock(directory, "key.lock").error().code() == errc::system);
    CHECK(names() == std::vector<std::string>{"key.lock"});
}

}  // namespace private_files_test
