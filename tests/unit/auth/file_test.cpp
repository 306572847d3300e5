// SPDX-License-Identifier: BSL-1.0
#include "support/ask.hpp"
#include "support/fake_transport.hpp"
#include "support/printed.hpp"
#include "support/temporary_folder.hpp"

#include <palette/auth/file.hpp>
#include <palette/write_secret_file.hpp>

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <string>

namespace file_test {

using namespace palette;
using asking::ask;
using asking::Reason;

struct Fixture {
    TemporaryFolder folder;
    FakeTransport transport;

    Result<asking::CredentialPtr> read(const std::string& path, auth::FileOptions options = {}) {
        return ask(auth::file(path, options), transport);
    }

    // Why the file is not taken.
    std::string refusal(const std::string& path, auth::FileOptions options = {}) {
        auto const answer = read(path, options);
        REQUIRE_FALSE(answer);
        CHECK(answer.error().code() == errc::auth_provider);
        CHECK(answer.error().effect() == Effect::not_applied);
        CHECK_FALSE(contains(answer.error().message(), "hunter2"));
        CHECK(is_one_plain_line(answer.error().message()));
        return answer.error().what();
    }
};

std::string quoted(const std::string& path) {
    return '"' + path + '"';
}

TEST_CASE_FIXTURE(Fixture, "auth file: gives the key without blanks around it and one line end") {
    for (auto const* const text : {"key 1", "key 1\n", "key 1\r\n", " \tkey 1 \n"}) {
        auto const key = read(folder.file("key", text)).value();
        CHECK(key->kind() == Credential::Kind::api_key);
        CHECK(key->value().expose() == "key 1");
    }
    CHECK(transport.requests().empty());
}

TEST_CASE_FIXTURE(Fixture, "auth file: reads what write_secret_file wrote") {
    REQUIRE(write_secret_file(folder.path("key"), Secret("hunter2")));
    CHECK(read(folder.path("key")).value()->value().expose() == "hunter2");
}

TEST_CASE_FIXTURE(Fixture,
                  "auth file: a key that was replaced is taken up and the same text is the same key") {
    auto const path = folder.file("key", "before\n");
    auto const provider = auth::file(path);
    auto const first = ask(provider, transport).value();
    CHECK(ask(provider, transport, Reason::rejected, first).value() == first);

    // Another file with the same key is not another key.
    REQUIRE(write_secret_file(path, Secret("before")));
    CHECK(ask(provider, transport, Reason::rejected, first).value() == first);

    REQUIRE(write_secret_file(path, Secret("after")));
    auto const second = ask(provider, transport, Reason::rejected, first).value();
    CHECK(second != first);
    CHECK(second->value().expose() == "after");
    CHECK(ask(provider, transport, Reason::expiring, second).value() == second);

    std::ofstream(path) << "the same inode";
    CHECK(ask(provider, transport, Reason::rejected, second).value()->value().expose() == "the same inode");
}

TEST_CASE_FIXTURE(Fixture, "auth file: any access of group or others is refused") {
    for (mode_t const mode : {0640u, 0604u, 0620u, 0602u, 0610u, 0601u, 0644u, 0777u}) {
        CAPTURE(mode);
        auto const path = folder.file("key", "hunter2", mode);
        CHECK(refusal(path) ==
              quoted(path) + " is open to its group or to others: chmod 600 makes it private");
    }
    for (mode_t const mode : {0600u, 0400u, 0700u})
        CHECK(read(folder.file("key", "hunter2", mode)));
}

TEST_CASE_FIXTURE(Fixture, "auth file: a file of another user is refused") {
    if (::geteuid() != 0) return;  // only root can give a file away
    auto const path = folder.file("key", "hunter2");
    REQUIRE(::chown(path.c_str(), 65534, 65534) == 0);
    CHECK(refusal(path) == quoted(path) + " belongs to another user");
}

TEST_CASE_FIXTURE(Fixture,
                  "auth file: a user reads their own file and is told of one that they may not read") {
    if (::geteuid() != 0) return;
    REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
    auto const own = folder.file("own", "mine");
    REQUIRE(::chown(own.c_str(), 65534, 65534) == 0);
    auto const foreign = folder.file("foreign", "hunter2");
    AsNobody const nobody;
    CHECK(read(own).value()->value().expose() == "mine");
    CHECK(refusal(foreign) == quoted(foreign) + " cannot be read by this user");
}

TEST_CASE_FIXTURE(Fixture,
                  "auth file: a symbolic link is followed only by option and then judged as the file") {
    auto const path = folder.file("key", "hunter2");
    auto const link = folder.path("link");
    REQUIRE(::symlink(path.c_str(), link.c_str()) == 0);
    CHECK(refusal(link) == quoted(link) + " is a symbolic link, which has to be allowed: allow_symlink()");
    CHECK(read(link, auth::FileOptions().allow_symlink()).value()->value().expose() == "hunter2");
    CHECK_FALSE(read(link, auth::FileOptions().allow_symlink().allow_symlink(false)));

    REQUIRE(::chmod(path.c_str(), 0644) == 0);
    CHECK(contains(refusal(link, auth::FileOptions().allow_symlink()), "is open to its group"));
    REQUIRE(::unlink(path.c_str()) == 0);
    CHECK(contains(refusal(link, auth::FileOptions().allow_symlink()), "does not exist"));
}

TEST_CASE_FIXTURE(Fixture, "auth file: neither a FIFO nor a device nor a socket nor a folder makes it wait") {
    auto const fifo = folder.path("fifo");
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    auto const socket_path = folder.path("socket");
    int const socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(socket_path.size() < sizeof address.sun_path);
    std::ranges::copy(socket_path, address.sun_path);
    REQUIRE(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);

    for (auto const& path :
         {fifo, socket_path, folder.path(), std::string("/dev/null"), std::string("/dev/zero")})
        CHECK(refusal(path) == quoted(path) + " is not a regular file");
    ::close(socket);
}

TEST_CASE_FIXTURE(Fixture, "auth file: 64 KiB are read and one byte more is refused") {
    std::string const most(64 << 10, 'x');
    CHECK(read(folder.file("key", most)).value()->value().expose() == most);
    auto const path = folder.file("key", most + 'x');
    CHECK(refusal(path) == quoted(path) + " is larger than 64 KiB");
    REQUIRE(::truncate(path.c_str(), off_t{1} << 40) == 0);
    CHECK(refusal(path) == quoted(path) + " is larger than 64 KiB");
}

TEST_CASE_FIXTURE(Fixture, "auth file: what cannot be a key is refused without a byte of it") {
    for (auto const* const bad : {"hunter2\nhunter2\n", "hunter2\n\n", "\nhunter2", "hunter2\r"}) {
        auto const path = folder.file("key", bad);
        CHECK(contains(refusal(path), "the key in " + quoted(path) + " has a line break"));
    }
    CHECK(contains(refusal(folder.file("key", std::string("hunter2\0", 8))), "control character"));
    for (auto const* const empty : {"", "\n", " \t\r\n"}) {
        auto const path = folder.file("key", empty);
        CHECK(refusal(path) == "the key in " + quoted(path) + " is empty");
    }
}

TEST_CASE_FIXTURE(Fixture, "auth file: a path that leads nowhere is refused") {
    CHECK(refusal("") == "the path of the file is empty");
    CHECK(refusal(folder.path("none")) == quoted(folder.path("none")) + " does not exist");
    CHECK(contains(refusal(folder.file("key", "hunter2") + "/below"), "cannot be opened (Not a directory)"));
    // Cut at the NUL it would name another file.
    CHECK(contains(refusal(folder.path("key") + std::string("\0.bak", 5)), "has a NUL"));
}

TEST_CASE_FIXTURE(Fixture, "auth file: a hostile path is shortened and made printable") {
    auto const what = refusal("/nowhere/" + hostile_text);
    CHECK(what.size() < 400);
    CHECK(is_one_plain_line(what));
}

}  // namespace file_test
