// SPDX-License-Identifier: BSL-1.0
#include "support/printed.hpp"
#include "support/small_files.hpp"
#include "support/temporary_folder.hpp"

#include <palette/write_secret_file.hpp>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace write_secret_file_test {

using namespace palette;

struct stat status_of(const std::string& path) {
    struct stat found{};
    REQUIRE(::lstat(path.c_str(), &found) == 0);
    return found;
}

mode_t mode_of(const std::string& path) {
    return status_of(path).st_mode & 07777;
}

struct Fixture {
    TemporaryFolder folder;

    // What the caller got wrong.
    std::string refusal(const std::string& path, const Secret& secret = Secret("hunter2")) {
        return complaint(errc::invalid_argument, path, secret);
    }

    // What the system would not do.
    std::string failure(const std::string& path, const Secret& secret = Secret("hunter2")) {
        return complaint(errc::system, path, secret);
    }

    std::string complaint(errc code, const std::string& path, const Secret& secret) {
        auto const written = write_secret_file(path, secret);
        REQUIRE_FALSE(written);
        CHECK(written.error().code() == code);
        CHECK(written.error().effect() == Effect::not_applied);
        CHECK_FALSE(contains(written.error().message(), "hunter2"));
        CHECK(is_one_plain_line(written.error().message()));
        return written.error().what();
    }
};

std::string quoted(const std::string& path) {
    return '"' + path + '"';
}

class Umask {
public:
    explicit Umask(mode_t mask) : before_(::umask(mask)) {}
    Umask(const Umask&) = delete;
    Umask& operator=(const Umask&) = delete;
    ~Umask() { ::umask(before_); }

private:
    mode_t before_;
};

TEST_CASE_FIXTURE(Fixture, "write_secret_file: writes exactly the secret and nothing else into the folder") {
    for (auto const& text : {std::string("hunter2"), std::string("a\0b\n", 4), std::string(1 << 20, 'x')}) {
        REQUIRE(write_secret_file(folder.path("key"), Secret(text)));
        CHECK(content_of(folder.path("key")) == text);
        CHECK(folder.names() == std::vector<std::string>{"key"});
    }
}

TEST_CASE_FIXTURE(Fixture,
                  "write_secret_file: the file is its owner's alone whatever the umask and the old one") {
    for (mode_t const mask : {0u, 022u, 077u, 0777u}) {
        Umask const umask(mask);
        auto const path = folder.path("key-" + std::to_string(mask));
        REQUIRE(write_secret_file(path, Secret("hunter2")));
        CHECK(mode_of(path) == 0600);
    }
    auto const path = folder.file("open", "old", 0666);
    REQUIRE(write_secret_file(path, Secret("hunter2")));
    CHECK(mode_of(path) == 0600);
    CHECK(status_of(path).st_uid == ::geteuid());
}

TEST_CASE_FIXTURE(Fixture, "write_secret_file: whoever has the old file open keeps the old content") {
    auto const path = folder.file("key", "old");
    REQUIRE(::link(path.c_str(), folder.path("other-name").c_str()) == 0);
    std::ifstream reader(path);
    REQUIRE(write_secret_file(path, Secret("new")));
    CHECK(std::string(std::istreambuf_iterator<char>(reader), {}) == "old");
    CHECK(content_of(folder.path("other-name")) == "old");
    CHECK(content_of(path) == "new");
}

TEST_CASE_FIXTURE(Fixture, "write_secret_file: links are followed, and the file at their end is replaced") {
    REQUIRE(::mkdir(folder.path("other").c_str(), 0700) == 0);
    auto const target = folder.file("other/target", "old", 0644);
    REQUIRE(::symlink("other/target", folder.path("relative").c_str()) == 0);
    REQUIRE(::symlink(target.c_str(), folder.path("absolute").c_str()) == 0);
    REQUIRE(::symlink("../relative", folder.path("other/chain").c_str()) == 0);
    for (std::string const name : {"relative", "absolute", "other/chain"}) {
        CAPTURE(name);
        auto const link = folder.path(name);
        REQUIRE(write_secret_file(link, Secret("new by " + name)));
        CHECK(S_ISLNK(status_of(link).st_mode));
        CHECK(S_ISREG(status_of(target).st_mode));
        CHECK(content_of(target) == "new by " + name);
        CHECK(mode_of(target) == 0600);
    }
    CHECK(folder.names().size() == 3);  // the two links and the folder, and nothing temporary
}

TEST_CASE_FIXTURE(Fixture, "write_secret_file: a link that leads to nothing yet gets its file") {
    REQUIRE(::mkdir(folder.path("other").c_str(), 0700) == 0);
    REQUIRE(::symlink("other/new", folder.path("dangling").c_str()) == 0);
    REQUIRE(write_secret_file(folder.path("dangling"), Secret("new")));
    CHECK(S_ISLNK(status_of(folder.path("dangling")).st_mode));
    CHECK(content_of(folder.path("other/new")) == "new");
}

TEST_CASE_FIXTURE(Fixture, "write_secret_file: a link to what is not a file is refused, and stays a link") {
    REQUIRE(::mkdir(folder.path("folder").c_str(), 0700) == 0);
    REQUIRE(::mkfifo(folder.path("fifo").c_str(), 0600) == 0);
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    auto const pipe = "/proc/self/fd/" + std::to_string(ends[1]);
    std::string const no_file = "is neither a file nor a link to one, and is not replaced";
    struct Row {
        std::string leads_to;
        std::string why;
    };
    for (auto const& [leads_to, why] :
         {Row{"/dev/null", no_file}, Row{"fifo", no_file}, Row{pipe, no_file},
          Row{"folder", "is a directory"}, Row{"folder/", "is a directory"},
          Row{"nowhere/", "leads to a directory"}, Row{"nowhere/key", "(No such file or directory)"},
          Row{"link", "(Too many levels of symbolic links)"}}) {
        CAPTURE(leads_to);
        auto const link = folder.path("link");
        REQUIRE(::symlink(leads_to.c_str(), link.c_str()) == 0);
        CHECK(contains(why.starts_with('(') ? failure(link) : refusal(link), why));
        CHECK(S_ISLNK(status_of(link).st_mode));
        REQUIRE(::unlink(link.c_str()) == 0);
    }
    CHECK(contains(refusal(pipe), no_file));
    CHECK(::access("/dev/null", F_OK) == 0);
    CHECK_FALSE(S_ISREG(status_of("/dev/null").st_mode));
    CHECK(folder.names().size() == 2);
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST_CASE_FIXTURE(Fixture, "write_secret_file: an open file that has lost its name is refused") {
    auto const path = folder.file("key", "old");
    auto const descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    REQUIRE(descriptor >= 0);
    REQUIRE(::unlink(path.c_str()) == 0);
    auto const link = "/proc/self/fd/" + std::to_string(descriptor);
    CHECK(contains(refusal(link), "has no such name"));
    CHECK(folder.names().empty());
    ::close(descriptor);
}

TEST_CASE_FIXTURE(Fixture, "write_secret_file: a path without a folder is one in the current folder") {
    auto const before = std::filesystem::current_path();
    std::filesystem::current_path(folder.path());
    auto const written = write_secret_file("key", Secret("hunter2"));
    std::filesystem::current_path(before);
    REQUIRE(written);
    CHECK(content_of(folder.path("key")) == "hunter2");
}

TEST_CASE_FIXTURE(Fixture, "write_secret_file: an empty secret does not take the place of a file") {
    auto const path = folder.file("key", "old");
    CHECK(refusal(path, Secret()) == quoted(path) + " is not written: the secret is empty");
    CHECK(content_of(path) == "old");
}

TEST_CASE_FIXTURE(Fixture, "write_secret_file: what is not a file is refused and left as it is") {
    auto const below = folder.path("folder");
    REQUIRE(::mkdir(below.c_str(), 0700) == 0);
    for (auto const& path : {below, below + '/', folder.path(".."), folder.path("."), std::string("/")})
        CHECK(refusal(path) == quoted(path) + " is a directory");

    auto const fifo = folder.path("fifo");
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    for (auto const& path : {fifo, std::string("/dev/null")}) {
        CHECK(refusal(path) == quoted(path) + " is neither a file nor a link to one, and is not replaced");
        CHECK_FALSE(S_ISREG(status_of(path).st_mode));
    }
    CHECK(folder.names().size() == 2);
}

TEST_CASE_FIXTURE(Fixture, "write_secret_file: a path that cannot be is refused with the reason") {
    CHECK(refusal("") == "the path of the file is empty");
    CHECK(contains(failure(folder.path("none/key")), "(No such file or directory)"));
    CHECK(contains(failure(folder.file("file", "old") + "/key"), "(Not a directory)"));
    CHECK(contains(failure(folder.path(std::string(300, 'x'))), "(File name too long)"));
    CHECK(contains(refusal(folder.path("key") + std::string("\0.bak", 5)), "has a NUL"));
    CHECK(failure("/nowhere/" + hostile_text).size() < 400);
    CHECK(folder.names() == std::vector<std::string>{"file"});
}

TEST_CASE_FIXTURE(Fixture,
                  "write_secret_file: a folder that cannot be written leaves the old file as it was") {
    if (::geteuid() != 0) return;  // to be nobody for a while
    auto const path = folder.file("key", "old");
    REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
    std::string why;
    {
        AsNobody const nobody;
        why = failure(path);
    }
    CHECK(contains(why, "no file can be made in its directory (Permission denied)"));
    CHECK(content_of(path) == "old");
    CHECK(folder.names() == std::vector<std::string>{"key"});
}

TEST_CASE_FIXTURE(Fixture, "write_secret_file: a disk that is full leaves the old file and no other") {
    auto const path = folder.file("key", "old");
    std::string why;
    {
        SmallFiles const small(1'000);
        why = failure(path, Secret(std::string(5'000, 'x')));
    }
    CHECK(why == quoted(path) + " cannot be written (File too large)");
    CHECK(content_of(path) == "old");
    CHECK(folder.names() == std::vector<std::string>{"key"});
}

TEST_CASE_FIXTURE(Fixture, "write_secret_file: a reader finds the whole of one of two writers, always") {
    auto const path = folder.path("key");
    Secret const first(std::string(10'000, 'a'));
    Secret const second(std::string(7'000, 'b'));
    REQUIRE(write_secret_file(path, first));

    std::atomic<int> writing = 2;
    std::atomic<int> failed = 0;
    auto const write_often = [&](const Secret& secret) {
        for (int i = 0; i < 100; ++i)
            if (!write_secret_file(path, secret)) ++failed;
        --writing;
    };
    std::thread one(write_often, std::cref(first));
    std::thread other(write_often, std::cref(second));
    int partial = 0;
    do {
        auto const found = content_of(path);
        if (found != first.expose() && found != second.expose()) ++partial;
    } while (writing != 0);
    one.join();
    other.join();

    CHECK(failed == 0);
    CHECK(partial == 0);
    CHECK(folder.names() == std::vector<std::string>{"key"});
}

}  // namespace write_secret_file_test
