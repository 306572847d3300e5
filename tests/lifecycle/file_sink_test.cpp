// SPDX-License-Identifier: BSL-1.0
#include "support/awaited.hpp"
#include "support/patience.hpp"
#include "support/printed.hpp"
#include "support/small_files.hpp"
#include "support/temporary_folder.hpp"

#include <palette/impl/system/directory.hpp>
#include <palette/impl/system/file_lock.hpp>
#include <palette/lifecycle/secret_sink.hpp>

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace file_sink_test {

using namespace palette;
using namespace palette::lifecycle;
using namespace std::chrono_literals;
namespace asio = boost::asio;

const auto expiry = Expiry::on(std::chrono::year{2027} / 1 / 31);

Result<Receipt> stage(SecretSink& sink, const std::string& rotation_id, const std::string& value) {
    Secret const secret(value);
    return awaited(sink.stage(rotation_id, "uid-of-" + rotation_id, expiry, secret));
}

Result<void> promote(SecretSink& sink, const Receipt& receipt, std::optional<std::uint64_t> expected) {
    return awaited(sink.promote(receipt, expected));
}

std::string value_of(SecretSink& sink, const Receipt& receipt) {
    auto const read = awaited(sink.read_back(receipt));
    REQUIRE_MESSAGE(read, read.error().message());
    return std::string(read->expose());
}

// A value that is staged and promoted.
Receipt store(SecretSink& sink, const std::string& rotation_id, const std::string& value) {
    auto const before = awaited(sink.contents()).value().current;
    auto const receipt = stage(sink, rotation_id, value).value();
    promote(sink, receipt, before ? std::optional(before->generation) : std::nullopt).value();
    return receipt;
}

struct Fixture {
    TemporaryFolder folder{fast_folder()};
    std::string path = folder.path("key");
    std::shared_ptr<SecretSink> sink = file_sink(path);

    [[nodiscard]] std::vector<std::string> names() const {
        auto names = folder.names();
        std::ranges::sort(names);
        return names;
    }
    SinkContents contents() { return awaited(sink->contents()).value(); }

    template <class T>
    std::string complaint(errc code, const Result<T>& result) {
        REQUIRE_FALSE(result);
        CHECK(result.error().code() == code);
        CHECK(is_one_plain_line(result.error().message()));
        for (auto const* const value : {"value-one", "value-two", "value-three"})
            CHECK_FALSE(contains(result.error().message(), value));
        return result.error().what();
    }
};

TEST_CASE_FIXTURE(Fixture, "file_sink: a value that is staged changes nothing for consumers until promoted") {
    auto const one = store(*sink, "r1", "value-one");
    auto const two = stage(*sink, "r2", "value-two").value();
    CHECK(content_of(path) == "value-one");
    CHECK(value_of(*sink, two) == "value-two");
    REQUIRE(promote(*sink, two, one.generation));
    CHECK(content_of(path) == "value-two");
    CHECK(value_of(*sink, one) == "value-one");
    CHECK(contents().current == two);
    CHECK(contents().pending == std::nullopt);
    CHECK(contents().previous == one);
    CHECK(two == Receipt(2, "r2", "uid-of-r2", expiry));
    CHECK(names() == std::vector<std::string>{"key", "key.json", "key.lock", "key.previous"});
}

TEST_CASE_FIXTURE(Fixture, "file_sink: an empty directory is an empty sink") {
    CHECK(contents() == SinkContents());
    auto const one = stage(*sink, "r1", "value-one").value();
    CHECK(contents().pending == one);
    CHECK(::access(path.c_str(), F_OK) != 0);
    REQUIRE(promote(*sink, one, std::nullopt));
    CHECK(contents().current == one);
    CHECK(contents().previous == std::nullopt);
}

TEST_CASE_FIXTURE(Fixture, "file_sink: what lies at the path before is the current value of generation 0") {
    REQUIRE(!folder.file("key", "value-one", 0644).empty());
    CHECK(contents().current == Receipt());
    CHECK(value_of(*sink, Receipt()) == "value-one");
    auto const two = stage(*sink, "r2", "value-two").value();
    CHECK(two.generation == 1);
    REQUIRE(promote(*sink, two, 0));
    CHECK(contents().previous == Receipt());
    CHECK(content_of(path + ".previous") == "value-one");
}

TEST_CASE_FIXTURE(Fixture, "file_sink: what somebody else writes to the path is not replaced unseen") {
    auto const one = store(*sink, "r1", "value-one");
    auto const two = stage(*sink, "r2", "value-two").value();
    REQUIRE(!folder.file("key", "value-three").empty());
    CHECK(contents().current == Receipt());
    CHECK(contains(complaint(errc::conflict, promote(*sink, two, one.generation)),
                   "is not replaced: the current value is that of generation 0, not of generation 1"));
    CHECK(content_of(path) == "value-three");
    REQUIRE(promote(*sink, two, 0));
    CHECK(content_of(path + ".previous") == "value-three");
}

TEST_CASE_FIXTURE(Fixture, "file_sink: all files have mode 0600, whatever the umask") {
    auto const before = ::umask(0);
    store(*sink, "r1", "value-one");
    store(*sink, "r2", "value-two");
    static_cast<void>(stage(*sink, "r3", "value-three").value());
    ::umask(before);
    CHECK(names().size() == 5);
    for (auto const& name : names()) {
        CAPTURE(name);
        struct stat found{};
        REQUIRE(::stat(folder.path(name).c_str(), &found) == 0);
        CHECK((found.st_mode & 07777) == 0600);
    }
}

TEST_CASE_FIXTURE(Fixture, "file_sink: a repeated stage has the same receipt, and another one a new one") {
    auto const one = stage(*sink, "r1", "value-one").value();
    CHECK(stage(*sink, "r1", "value-one").value() == one);
    auto const two = stage(*sink, "r2", "value-one").value();
    CHECK(two.generation == 2);
    CHECK(contents().pending == two);
    CHECK(complaint(errc::not_found, promote(*sink, one, std::nullopt)) ==
          '"' + path + "\" holds no pending value of generation 1");
    auto const three = stage(*sink, "r2", "value-three").value();
    CHECK(three.generation == 3);
    CHECK(value_of(*sink, three) == "value-three");
}

TEST_CASE_FIXTURE(Fixture, "file_sink: promote() compares first and may be repeated") {
    auto const one = stage(*sink, "r1", "value-one").value();
    CHECK(complaint(errc::conflict, promote(*sink, one, 7)) ==
          '"' + path + "\" is not replaced: the current value is that of none, not of generation 7");
    REQUIRE(promote(*sink, one, std::nullopt));
    REQUIRE(promote(*sink, one, std::nullopt));
    auto const two = stage(*sink, "r2", "value-two").value();
    CHECK(contains(complaint(errc::conflict, promote(*sink, two, std::nullopt)),
                   "of generation 1, not of none"));
    CHECK(content_of(path) == "value-one");
    CHECK(promote(*sink, two, std::nullopt).error().effect() == Effect::not_applied);
    REQUIRE(promote(*sink, two, 1));
    CHECK(complaint(errc::not_found, promote(*sink, Receipt(9, "r9", "", expiry), 2)) ==
          '"' + path + "\" holds no pending value of generation 9");
}

TEST_CASE_FIXTURE(Fixture,
                  "file_sink: discard() forgets the pending and the previous value, not the current") {
    auto const one = store(*sink, "r1", "value-one");
    auto const two = store(*sink, "r2", "value-two");
    auto const three = stage(*sink, "r3", "value-three").value();
    CHECK(complaint(errc::conflict, awaited(sink->discard(two))) ==
          '"' + path + "\" is not removed: generation 2 is the current value");
    for (int times = 0; times < 2; ++times) {
        REQUIRE(awaited(sink->discard(three)));
        REQUIRE(awaited(sink->discard(one)));
    }
    CHECK(names() == std::vector<std::string>{"key", "key.json", "key.lock"});
    CHECK(contains(complaint(errc::not_found, awaited(sink->read_back(one))),
                   "holds no value of generation 1"));
    CHECK(stage(*sink, "r4", "value-one").value().generation == 4);
}

TEST_CASE_FIXTURE(Fixture, "file_sink: a path without a directory is one in the current directory") {
    auto const before = std::filesystem::current_path();
    std::filesystem::current_path(folder.path());
    auto const staged = stage(*file_sink("other"), "r1", "value-one");
    std::filesystem::current_path(before);
    REQUIRE(staged);
    CHECK(content_of(folder.path("other.pending")) == "value-one");
}

TEST_CASE_FIXTURE(Fixture, "file_sink: a directory that others may write to is refused before any change") {
    for (mode_t const mode : {0770u, 0777u, 01777u}) {
        CAPTURE(mode);
        REQUIRE(::chmod(folder.path().c_str(), mode) == 0);
        auto const receipt = Receipt(1, "r1", "", expiry);
        CHECK(contains(complaint(errc::invalid_argument, stage(*sink, "r1", "value-one")),
                       "others may write: chmod go-w makes it private"));
        CHECK_FALSE(promote(*sink, receipt, 0));
        CHECK_FALSE(awaited(sink->discard(receipt)));
        CHECK_FALSE(awaited(sink->contents()));
        CHECK(names().empty());
    }
}

TEST_CASE_FIXTURE(Fixture, "file_sink: what cannot be a path or a value is refused with the reason") {
    CHECK(complaint(errc::invalid_argument, stage(*file_sink(""), "r1", "value-one")) ==
          "the path of the file is empty");
    for (auto const& bad : {folder.path() + "/", folder.path("."), folder.path("..")})
        CHECK(contains(complaint(errc::invalid_argument, stage(*file_sink(bad), "r1", "value-one")),
                       "is a directory"));
    CHECK(contains(complaint(errc::invalid_argument, stage(*file_sink(path + '\0'), "r1", "value-one")),
                   "has a NUL"));
    CHECK(contains(complaint(errc::system, stage(*file_sink(folder.path("no/key")), "r1", "value-one")),
                   "(No such file or directory)"));
    CHECK(contains(complaint(errc::invalid_argument, stage(*sink, "r1", "")), "the value is empty"));
    CHECK(contains(complaint(errc::invalid_argument, stage(*sink, "r1", std::string(65'537, 'x'))),
                   "the value is larger than 64 KiB"));
    CHECK(contains(complaint(errc::invalid_argument, stage(*sink, "r\xff", "value-one")), "is not UTF-8"));
    CHECK(stage(*sink, "r1", std::string(65'536, 'x')));
}

TEST_CASE_FIXTURE(Fixture, "file_sink: a link is not followed, and nothing but files is replaced") {
    REQUIRE(!folder.file("target", "value-one").empty());
    for (std::string const name : {"key", "key.pending", "key.previous", "key.json"}) {
        CAPTURE(name);
        REQUIRE(::symlink("target", folder.path(name).c_str()) == 0);
        CHECK(contains(complaint(errc::invalid_argument, stage(*sink, "r1", "value-two")),
                       name + "\" is not a regular file, and is not touched"));
        REQUIRE(::unlink(folder.path(name).c_str()) == 0);
    }
    CHECK(content_of(folder.path("target")) == "value-one");
}

TEST_CASE_FIXTURE(Fixture,
                  "file_sink: a damaged record is an error that says what to do, and changes nothing") {
    store(*sink, "r1", "value-one");
    auto const whole = content_of(path + ".json");
    auto const edited = [&whole](const std::string& from, const std::string& to) {
        auto text = whole;
        auto const at = text.find(from);
        REQUIRE(at != std::string::npos);
        return text.replace(at, from.size(), to);
    };
    struct Row {
        std::string text;
        std::string why;
    };
    for (auto const& [text, why] :
         {Row{"", "it is no JSON"}, Row{whole.substr(0, whole.size() / 2), "it is no JSON"},
          Row{"[]", "it is no object"}, Row{"{}", "\"schema\" is missing"},
          Row{edited(R"("schema":1)", R"("schema":2)"), "of a later version of this library"},
          Row{edited(R"("salt":")", R"("salt":7,"other":")"), "\"salt\" is not a text"},
          Row{edited(R"("last_generation":1)", R"("last_generation":0)"),
              "less than the generation of a value"},
          Row{edited(R"("generation":1)", R"("generation":-1)"), "\"generation\" is not a number"},
          Row{edited(R"("expiry":"2)", R"("expiry":"x2)"), "\"expiry\" is not a time"},
          Row{edited(R"("pending":null)", R"("pending":7)"), "\"pending\" is not an object"}}) {
        CAPTURE(text);
        REQUIRE(!folder.file("key.json", text).empty());
        auto const said = complaint(errc::invalid_argument, stage(*sink, "r2", "value-two"));
        CHECK(contains(said, '"' + path + ".json\" is damaged: "));
        CHECK(contains(said, why));
        CHECK(contains(said, "restore it from a backup, or move it away"));
        CHECK(complaint(errc::invalid_argument, awaited(sink->contents())) == said);
        CHECK(names() == std::vector<std::string>{"key", "key.json", "key.lock"});
        CHECK(content_of(path) == "value-one");
    }
    // The advice is good.
    REQUIRE(::unlink((path + ".json").c_str()) == 0);
    CHECK(contents().current == Receipt());
    auto const two = stage(*sink, "r2", "value-two").value();
    REQUIRE(promote(*sink, two, 0));
}

TEST_CASE_FIXTURE(Fixture,
                  "file_sink: the record names no value, and equal values do not show in two sinks") {
    store(*sink, "r1", "value-one");
    auto const other = file_sink(folder.path("other"));
    store(*other, "r1", "value-one");
    CHECK_FALSE(contains(content_of(path + ".json"), "value-one"));
    CHECK(content_of(path + ".json") != content_of(folder.path("other.json")));
}

TEST_CASE_FIXTURE(Fixture, "file_sink: a full disk leaves the current value and no temporary file") {
    auto const one = store(*sink, "r1", "value-one");
    for (rlim_t const bytes : {0u, 4u, 100u}) {  // 100: a value fits, and its record does not
        CAPTURE(bytes);
        std::string why;
        {
            SmallFiles const small(bytes);
            why = complaint(errc::system, stage(*sink, "r2", "value-two"));
        }
        CHECK(contains(why, "cannot be written (File too large)"));
        CHECK(content_of(path) == "value-one");
        CHECK(contents().current == one);
        CHECK(contents().pending == std::nullopt);
    }
    auto const two = stage(*sink, "r2", "value-two").value();
    CHECK(names() == std::vector<std::string>{"key", "key.json", "key.lock", "key.pending"});
    {
        SmallFiles const small(4);
        auto const promoted = promote(*sink, two, one.generation);
        CHECK(contains(complaint(errc::system, promoted), "cannot be written"));
        CHECK(promoted.error().effect() == Effect::not_applied);
    }
    CHECK(content_of(path) == "value-one");
    {
        SmallFiles const small(100);
        CHECK(promote(*sink, two, one.generation).error().effect() == Effect::applied);
    }
    CHECK(content_of(path) == "value-two");
    CHECK(contents().current == two);
    CHECK(contents().previous == one);
    REQUIRE(promote(*sink, two, one.generation));
    CHECK(names() == std::vector<std::string>{"key", "key.json", "key.lock", "key.previous"});
}

TEST_CASE_FIXTURE(Fixture, "file_sink: a consumer reads a whole, current value while 1,000 are promoted") {
    std::string const first(2'000, 'a');
    store(*sink, "r", first);
    std::atomic<bool> done = false;
    std::atomic<std::uint64_t> at_least = 0;  // the generation that was current before the reader opens
    std::atomic<int> wrong = 0;
    std::atomic<int> reads = 0;
    std::thread reader([&] {
        while (!done) {
            auto const before = at_least.load();
            auto const text = content_of(path);
            auto const whole = text.size() == 2'000 && std::ranges::count(text, text.back()) >= 1'990;
            if (!whole || (text != first && std::stoull(text.substr(0, 10)) < before)) ++wrong;
            ++reads;
        }
    });
    // More, where the reader's thread seldom has its turn.
    std::uint64_t generation = 1;
    for (int i = 0; i < 1'000 || (reads <= 100 && i < 1'000'000); ++i) {
        auto number = std::to_string(i + 2);
        auto const receipt = store(*sink, "r" + number,
                                   std::string(10 - number.size(), '0') + number + std::string(1'990, 'b'));
        at_least = generation = receipt.generation;
    }
    done = true;
    reader.join();
    CHECK(wrong == 0);
    CHECK(reads > 100);
    CHECK(generation >= 1'001);
    CHECK(contents().current->generation == generation);
}

// Stages and promotes in a process of its own, which says how it went by its status.
pid_t rotate_elsewhere(const std::string& path, const std::string& name, std::uint64_t expected, int start) {
    auto const child = ::fork();
    if (child != 0) return child;
    auto const sink = file_sink(path);
    char byte;
    static_cast<void>(::read(start, &byte, 1) == 1);
    auto const staged = stage(*sink, name, "value of " + name);
    if (!staged) ::_exit(3);
    auto const promoted = promote(*sink, *staged, expected);
    auto const code = promoted ? errc{} : promoted.error().code();
    ::_exit(promoted ? 0 : code == errc::conflict ? 1 : code == errc::not_found ? 2 : 3);
}

TEST_CASE_FIXTURE(Fixture,
                  "file_sink: of two processes that promote at once, one wins and the other is told") {
    auto current = store(*sink, "r", "value-one");
    for (int round = 0; round < 30; ++round) {
        int start[2];
        REQUIRE(::pipe(start) == 0);
        auto const suffix = std::to_string(round);
        auto const a = rotate_elsewhere(path, "a" + suffix, current.generation, start[0]);
        auto const b = rotate_elsewhere(path, "b" + suffix, current.generation, start[0]);
        REQUIRE(::write(start[1], "go", 2) == 2);
        int how_a = 0;
        int how_b = 0;
        REQUIRE(::waitpid(a, &how_a, 0) == a);
        REQUIRE(::waitpid(b, &how_b, 0) == b);
        ::close(start[0]);
        ::close(start[1]);
        CAPTURE(how_a);
        CAPTURE(how_b);
        REQUIRE(WIFEXITED(how_a));
        REQUIRE(WIFEXITED(how_b));
        // 2: the other one has staged its value instead.
        CHECK((WEXITSTATUS(how_a) == 0) != (WEXITSTATUS(how_b) == 0));
        CHECK(std::max(WEXITSTATUS(how_a), WEXITSTATUS(how_b)) <= 2);
        auto const winner = (WEXITSTATUS(how_a) == 0 ? "a" : "b") + suffix;
        auto const found = contents();
        CHECK(found.current->rotation_id == winner);
        CHECK(found.previous->rotation_id == current.rotation_id);
        CHECK(content_of(path) == "value of " + winner);
        current = *found.current;
    }
}

struct Locked : Fixture {
    using FileLock = palette::impl::files::FileLock;

    Locked() { hold(); }

    // As a process that was stopped in a change.
    void hold() {
        auto const directory = palette::impl::files::open_private_directory(folder.path());
        lock.emplace(FileLock::try_lock(*directory, "key.lock").value());
    }

    std::optional<FileLock> lock;
    asio::io_context context;
};

TEST_CASE_FIXTURE(Locked, "file_sink: waits for the lock, and the executor serves others meanwhile") {
    std::optional<Result<SinkContents>> found;
    asio::co_spawn(context, awaiting::keep(sink->contents(), found), asio::detached);
    int ticks = 0;
    asio::steady_timer timer(context);
    std::function<void()> tick = [&] {
        if (++ticks == 50) lock.reset();
        timer.expires_after(1ms);
        timer.async_wait([&](boost::system::error_code) {
            if (!found) tick();
        });
    };
    tick();
    context.run();
    CHECK(ticks >= 50);
    REQUIRE(found);
    CHECK(*found == SinkContents());
}

TEST_CASE_FIXTURE(Locked, "file_sink: a cancelled call does not wait for the lock any longer") {
    std::optional<Result<SinkContents>> found;
    asio::cancellation_signal signal;
    bool ended = false;
    asio::co_spawn(
        context, awaiting::keep(sink->contents(), found),
        asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr&) { ended = true; }));
    asio::steady_timer timer(context, 5ms);
    timer.async_wait([&](boost::system::error_code) { signal.emit(asio::cancellation_type::terminal); });
    auto const began = std::chrono::steady_clock::now();
    context.run();
    CHECK(ended);
    CHECK(std::chrono::steady_clock::now() - began < patience);
    CHECK((!found || found->error().code() == errc::operation_aborted));
}

TEST_CASE_FIXTURE(Locked,
                  "file_sink: a lock that is held for 10 s is a timeout of each operation, and no conflict") {
    lock.reset();
    auto const one = store(*sink, "r1", "value-one");
    auto const two = stage(*sink, "r2", "value-two").value();
    hold();
    Secret const secret("value-three");
    std::optional<Result<Receipt>> staged;
    std::optional<Result<Secret>> read;
    std::optional<Result<void>> promoted;
    std::optional<Result<void>> discarded;
    std::optional<Result<SinkContents>> found;
    auto const began = std::chrono::steady_clock::now();
    asio::co_spawn(context, awaiting::keep(sink->stage("r3", "", expiry, secret), staged), asio::detached);
    asio::co_spawn(context, awaiting::keep(sink->read_back(two), read), asio::detached);
    asio::co_spawn(context, awaiting::keep(sink->promote(two, one.generation), promoted), asio::detached);
    asio::co_spawn(context, awaiting::keep(sink->discard(two), discarded), asio::detached);
    asio::co_spawn(context, awaiting::keep(sink->contents(), found), asio::detached);
    context.run();
    auto const time = std::chrono::steady_clock::now() - began;
    CHECK(time >= 10s);
    CHECK(time < 10s + patience);
    auto const check = [this](const auto& result) {
        REQUIRE(result);
        CHECK(contains(complaint(errc::timeout, *result),
                       "is locked by process " + std::to_string(::getpid()) + " since "));
        CHECK(contains(result->error().what(), "waited 10 s"));
        CHECK(result->error().effect() == Effect::not_applied);
        CHECK(contains(std::string(result->error().advice()), "call again later"));
        // As where the lock is that of the slot, whose run waits for itself.
        CHECK(contains(result->error().what(), "which is this process"));
        CHECK(contains(std::string(result->error().advice()), "have the same name in one directory"));
    };
    check(staged);
    check(read);
    check(promoted);
    check(discarded);
    check(found);
    lock.reset();
    CHECK(contents().pending == two);
    REQUIRE(promote(*sink, two, one.generation));
    CHECK(content_of(path) == "value-two");
}

}  // namespace file_sink_test
