// SPDX-License-Identifier: BSL-1.0
#include "support/awaited.hpp"
#include "support/environment.hpp"
#include "support/patience.hpp"
#include "support/printed.hpp"
#include "support/temporary_folder.hpp"

#include <palette/lifecycle/secret_sink.hpp>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace command_sink_test {

using namespace palette;
using namespace palette::lifecycle;
using namespace std::chrono_literals;
namespace asio = boost::asio;

const std::string value = "a-value-that-nobody-may-see-0123456789";
const Receipt receipt(7, "r7", "uid-7", Expiry::on(std::chrono::year{2027} / 1 / 31));

struct Fixture {
    TemporaryFolder folder{fast_folder()};

    // A sink whose program is a script.
    [[nodiscard]] std::shared_ptr<SecretSink> sink(
        const std::string& script, CommandOptions options = CommandOptions().timeout(20s)) const {
        auto const program = folder.file("program", "#!/bin/sh\n" + script + '\n', 0700);
        return command_sink({program, folder.path()}, std::move(options));
    }

    Result<Receipt> stage(SecretSink& sink) {
        Secret const secret(value);
        return awaited(sink.stage(receipt.rotation_id, receipt.key_uid, receipt.expiry, secret));
    }

    template <class T>
    std::string complaint(errc code, const Result<T>& result) {
        REQUIRE_FALSE(result);
        CHECK(result.error().code() == code);
        CHECK(is_one_plain_line(result.error().message()));
        CHECK_FALSE(contains(result.error().message(), value));
        CHECK_FALSE(contains(result.error().message(), value.substr(4, 12)));
        return result.error().what();
    }

    [[nodiscard]] std::string what_it_wrote(const std::string& name) const {
        return content_of(folder.path(name));
    }
};

bool no_child_is_left() {
    return ::waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD;
}

bool is_alive(const std::string& id) {
    std::ifstream status("/proc/" + id + "/stat");
    std::string text(std::istreambuf_iterator<char>(status), {});
    auto const name_end = text.rfind(')');
    return name_end != std::string::npos && text.substr(name_end + 2, 1) != "Z";
}

template <class Condition>
bool soon(Condition condition) {
    auto const end = std::chrono::steady_clock::now() + patience;
    while (!condition() && std::chrono::steady_clock::now() < end)
        ::usleep(2'000);
    return condition();
}

TEST_CASE_FIXTURE(Fixture,
                  "command_sink: stage() gives the value on the standard input alone, and a generation "
                  "comes back") {
    auto const s = sink(R"(cat > "$1/in"; env > "$1/env"; echo "$@" > "$1/args"; echo 7)");
    CHECK(stage(*s).value() == receipt);
    CHECK(what_it_wrote("in") == value);
    CHECK_FALSE(contains(what_it_wrote("env"), value));
    CHECK(what_it_wrote("args") == folder.path() + "\n");
    CHECK(no_child_is_left());
}

TEST_CASE_FIXTURE(Fixture, "command_sink: the environment has what the contract names, and nothing else") {
    EnvironmentVariable const home("HOME", "/home/somebody");
    EnvironmentVariable const lang("LANG", "C.UTF-8");
    EnvironmentVariable const other("OTHER", "of this process");
    auto const s = sink(R"(exec /usr/bin/env > "$1/env")", CommandOptions()
                                                               .timeout(20s)
                                                               .environment("VAULT_ADDR", "https://vault")
                                                               .environment("PALETTE_SINK_VERB", "not this"));
    REQUIRE(awaited(s->promote(receipt, 6)));
    std::vector<std::string> lines;
    std::istringstream text(what_it_wrote("env"));
    for (std::string line; std::getline(text, line);)
        if (!line.starts_with("PWD=") && !line.starts_with("_=") && !line.starts_with("SHLVL=") &&
            !line.starts_with("OLDPWD="))
            lines.push_back(line);  // a shell adds these
    std::ranges::sort(lines);
    CHECK(lines == std::vector<std::string>{
                       "HOME=/home/somebody", "LANG=C.UTF-8", "PALETTE_EXPECTED_GENERATION=6",
                       "PALETTE_GENERATION=7", "PALETTE_KEY_EXPIRY=" + receipt.expiry.to_string(),
                       "PALETTE_KEY_UID=uid-7", "PALETTE_ROTATION_ID=r7", "PALETTE_SINK_VERB=promote",
                       std::string("PATH=") + std::getenv("PATH"), "VAULT_ADDR=https://vault"});
    REQUIRE(awaited(s->promote(receipt, std::nullopt)));
    CHECK(contains(what_it_wrote("env"), "PALETTE_EXPECTED_GENERATION=none\n"));
}

TEST_CASE_FIXTURE(Fixture, "command_sink: read_back() returns the bytes that the program prints") {
    auto const read = awaited(sink("printf 'the value\\n'")->read_back(receipt));
    CHECK(read.value().expose() == "the value\n");
    CHECK(contains(complaint(errc::bad_value, awaited(sink("true")->read_back(receipt))),
                   "its standard output is empty"));
    CHECK(awaited(sink("head -c 65536 /dev/zero")->read_back(receipt)).value().size() == 65'536);
    CHECK(contains(
        complaint(errc::system, awaited(sink("head -c 65537 /dev/zero; sleep 60")->read_back(receipt))),
        "its standard output is larger than 64 KiB"));
}

TEST_CASE_FIXTURE(Fixture, "command_sink: a sink that is write_only is never read") {
    auto const s = sink("echo run >> \"$1/runs\"; echo 7", CommandOptions().write_only());
    CHECK_FALSE(s->capabilities().readable);
    CHECK(sink("true")->capabilities().readable);
    CHECK(contains(complaint(errc::rejected, awaited(s->read_back(receipt))), "cannot read values back"));
    CHECK(what_it_wrote("runs").empty());
}

TEST_CASE_FIXTURE(Fixture, "command_sink: contents() reads the JSON that the program prints") {
    auto const s = sink(R"(echo '{"current": {"generation": 3, "rotation_id": "r3", "key_uid": "u",
        "expiry": "2027-01-31T12:00:00Z", "more": 1}, "pending": null}')");
    SinkContents expected;
    expected.current = Receipt(3, "r3", "u", Expiry::parse("2027-01-31T12:00:00Z").value());
    CHECK(awaited(s->contents()).value() == expected);
    struct Row {
        std::string script;
        std::string why;
    };
    for (auto const& [script, why] :
         {Row{"echo " + value, "it is no JSON"}, Row{"echo '[1]'", "it is no object"},
          Row{"echo '{\"pending\": 7}'", "\"pending\" is not an object"},
          Row{"echo '{\"current\": {\"generation\": 3}}'", "current: the field \"rotation_id\" is missing"}})
        CHECK(contains(complaint(errc::bad_value, awaited(sink(script)->contents())), why));
}

TEST_CASE_FIXTURE(Fixture, "command_sink: an output that is no generation is an error, and is not quoted") {
    for (std::string const printed : {"", "0", "-1", "7 8", "seven", "$(cat)", "99999999999999999999"}) {
        CAPTURE(printed);
        auto const staged = stage(*sink("echo " + printed));
        CHECK(contains(complaint(errc::bad_value, staged), "stage: its standard output is not a generation"));
        CHECK(staged.error().effect() == Effect::applied);
    }
}

TEST_CASE_FIXTURE(Fixture, "command_sink: the status says what happened, and the last line of stderr why") {
    struct Row {
        int status;
        errc code;
        Effect effect;
    };
    for (auto const& [status, code, effect] :
         {Row{3, errc::conflict, Effect::not_applied}, Row{4, errc::not_found, Effect::not_applied},
          Row{75, errc::unavailable, Effect::unknown}, Row{1, errc::system, Effect::unknown},
          Row{127, errc::system, Effect::unknown}}) {
        CAPTURE(status);
        auto const s =
            sink("echo first >&2; echo 'the last words' >&2; echo >&2; exit " + std::to_string(status));
        auto const promoted = awaited(s->promote(receipt, 6));
        CHECK(complaint(code, promoted) == '"' + folder.path("program") +
                                               "\" promote: it ended with status " + std::to_string(status) +
                                               ": the last words");
        CHECK(promoted.error().effect() == effect);
        CHECK(awaited(s->contents()).error().effect() == Effect::not_applied);
        CHECK(awaited(s->discard(receipt)).has_value() == (status == 4));
    }
    CHECK(contains(complaint(errc::system, awaited(sink("kill -SEGV $$")->promote(receipt, 6))),
                   "it was killed by signal 11"));
    CHECK(no_child_is_left());
}

TEST_CASE_FIXTURE(Fixture, "command_sink: a status that the verb does not have is an error of the program") {
    // A tool in a script may end with any status of its own, and a script with that of its tool.
    for (int const status : {3, 4}) {
        CAPTURE(status);
        auto const s = sink("exit " + std::to_string(status));
        auto const staged = stage(*s);
        CHECK(contains(complaint(errc::system, staged), "status " + std::to_string(status)));
        CHECK(staged.error().effect() == Effect::unknown);
        CHECK(contains(complaint(errc::system, awaited(s->contents())), "status " + std::to_string(status)));
        complaint(status == 3 ? errc::system : errc::not_found, awaited(s->read_back(receipt)));
    }
    complaint(errc::conflict, awaited(sink("exit 3")->discard(receipt)));
}

TEST_CASE_FIXTURE(Fixture, "command_sink: a value in the standard error is redacted, staged or read") {
    auto const s = sink(R"sh(case $PALETTE_SINK_VERB in
        stage) echo "cannot store $(cat), nor another" >&2; exit 1 ;;
        read) printf 'another-secret-of-the-vault' ;;
        *) echo "what about another-secret-of-the-vault and )sh" +
                        value + R"sh( then" >&2; exit 1 ;;
        esac)sh");
    CHECK(contains(complaint(errc::system, stage(*s)), "status 1: cannot store <redacted>, nor"));
    REQUIRE(awaited(s->read_back(receipt)));
    CHECK(contains(complaint(errc::system, awaited(s->contents())),
                   "what about <redacted> and <redacted> then"));
    auto const encoded = sink("cat | base64 -w0 >&2; exit 1");
    CHECK(contains(complaint(errc::system, stage(*encoded)), "<redacted>"));
}

TEST_CASE_FIXTURE(Fixture, "command_sink: a long or hostile standard error is shortened to one plain line") {
    auto const flood =
        sink("head -c 3000000 /dev/zero | tr '\\0' x >&2; printf '\\n\\033[2Jthe end\\n' >&2; exit 1");
    CHECK(contains(complaint(errc::system, awaited(flood->contents())), "the end"));
    auto const line = sink("head -c 3000000 /dev/zero | tr '\\0' x >&2; exit 1");
    CHECK(complaint(errc::system, awaited(line->contents())).size() < 2'048);
}

TEST_CASE_FIXTURE(Fixture, "command_sink: a program that hangs is killed with its group after the time-out") {
    auto const s = sink("sleep 600 & echo $! > \"$1/child\"; echo 'still here' >&2; wait",
                        CommandOptions().timeout(300ms));
    auto const began = std::chrono::steady_clock::now();
    auto const staged = stage(*s);
    CHECK(std::chrono::steady_clock::now() - began < patience);
    CHECK(contains(complaint(errc::system, staged), "stage: it was killed after 300 ms"));
    CHECK(staged.error().effect() == Effect::unknown);
    CHECK(no_child_is_left());
    auto child = what_it_wrote("child");
    if (!child.empty()) child.pop_back();
    CHECK(soon([&] { return child.empty() || !is_alive(child); }));
}

TEST_CASE_FIXTURE(Fixture, "command_sink: a time-out that is too long for the clock is a long one") {
    for (auto const time : {std::chrono::milliseconds(24h * 365 * 200), std::chrono::milliseconds::max()}) {
        CAPTURE(time.count());
        auto const s = sink("sleep 0.05; echo 7", CommandOptions().timeout(time));
        auto const staged = stage(*s);
        REQUIRE_MESSAGE(staged, staged.error().message());
        CHECK(staged->generation == 7);
    }
}

TEST_CASE_FIXTURE(Fixture,
                  "command_sink: a grandchild that holds the pipes is not waited for, and is killed") {
    auto const s = sink("sleep 600 & echo $! > \"$1/child\"; echo 7");
    auto const began = std::chrono::steady_clock::now();
    CHECK(stage(*s).value().generation == 7);
    CHECK(std::chrono::steady_clock::now() - began < patience);
    auto child = what_it_wrote("child");
    REQUIRE(!child.empty());
    child.pop_back();
    CHECK(soon([&] { return !is_alive(child); }));
}

TEST_CASE_FIXTURE(Fixture, "command_sink: a program may close its input early or never read it") {
    auto const before = std::signal(SIGPIPE, SIG_DFL);
    Secret const large(std::string(65'536, 'x'));
    auto const s = sink("exec <&-; sleep 0.05; echo 7");
    CHECK(awaited(s->stage("r7", "uid-7", receipt.expiry, large)).value().generation == 7);
    auto const t = sink("exit 9");
    for (int i = 0; i < 5; ++i)
        CHECK(contains(complaint(errc::system, awaited(t->stage("r7", "uid-7", receipt.expiry, large))),
                       "status 9"));
    std::signal(SIGPIPE, before);
    sigset_t pending;
    sigpending(&pending);
    CHECK(sigismember(&pending, SIGPIPE) == 0);
}

TEST_CASE_FIXTURE(Fixture, "command_sink: a program that cannot be started is an error with its path") {
    auto const missing = command_sink({folder.path("none")});
    CHECK(contains(complaint(errc::system, stage(*missing)),
                   "none\" cannot be started (No such file or directory)"));
    auto const barred = command_sink({folder.file("barred", "#!/bin/sh\n", 0600)});
    CHECK(contains(complaint(errc::system, stage(*barred)), "(Permission denied)"));
    // No shell takes what is no program.
    auto const text = command_sink({folder.file("text", "echo 7\n", 0700)});
    CHECK(contains(complaint(errc::system, stage(*text)), "(Exec format error)"));
    CHECK(no_child_is_left());
}

TEST_CASE_FIXTURE(Fixture, "command_sink: a program without a slash is looked up in PATH") {
    auto const path = std::string(std::getenv("PATH"));
    EnvironmentVariable const longer("PATH", folder.path() + ":" + path);
    static_cast<void>(folder.file("palette-found-in-path", "#!/bin/sh\necho 7\n", 0700));
    CHECK(stage(*command_sink({"palette-found-in-path"})).value().generation == 7);
}

TEST_CASE_FIXTURE(Fixture, "command_sink: the program has no file of this process but its standard streams") {
    auto const leaked = ::open("/dev/null", O_RDONLY);  // not close-on-exec
    REQUIRE(leaked >= 0);
    auto const s = sink("ls /proc/self/fd > \"$1/files\"");
    REQUIRE(awaited(s->discard(receipt)));
    ::close(leaked);
    // 3: the directory that ls itself lists
    CHECK(what_it_wrote("files") == "0\n1\n2\n3\n");
}

TEST_CASE_FIXTURE(Fixture,
                  "command_sink: while a program runs, no command line or environment has the value") {
    auto const s =
        sink("cat > /dev/null; touch \"$1/running\"; while [ ! -e \"$1/go\" ]; do sleep 0.01; done; echo 7");
    asio::io_context context;
    Secret const secret(value);
    std::optional<Result<Receipt>> staged;
    asio::co_spawn(
        context,
        awaiting::keep(s->stage(receipt.rotation_id, receipt.key_uid, receipt.expiry, secret), staged),
        [](const std::exception_ptr& thrown) { CHECK(thrown == nullptr); });
    while (!std::filesystem::exists(folder.path("running")))
        context.run_for(5ms);
    int looked_at = 0;
    for (auto const& entry : std::filesystem::directory_iterator("/proc")) {
        auto const name = entry.path().filename().string();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        for (auto const* const file : {"/cmdline", "/environ"}) {
            auto const text = content_of(entry.path().string() + file);
            CHECK_FALSE(contains(text, value));
            if (contains(text, folder.path())) ++looked_at;
        }
    }
    CHECK(looked_at >= 1);
    static_cast<void>(folder.file("go", ""));
    context.restart();
    context.run();
    REQUIRE(staged);
    CHECK(staged->value().generation == 7);
}

TEST_CASE_FIXTURE(Fixture, "command_sink: the executor serves others while programs run, several at once") {
    auto const s = sink("while [ ! -e \"$1/go\" ]; do sleep 0.01; done; echo 7");
    asio::io_context context;
    Secret const secret(value);
    std::vector<std::optional<Result<Receipt>>> staged(4);
    for (auto& one : staged)
        asio::co_spawn(context, awaiting::keep(s->stage("r7", "uid-7", receipt.expiry, secret), one),
                       [](const std::exception_ptr& thrown) { CHECK(thrown == nullptr); });
    asio::steady_timer timer(context);
    int ticks = 0;
    std::function<void()> tick = [&] {
        if (++ticks == 20) return static_cast<void>(folder.file("go", ""));
        timer.expires_after(1ms);
        timer.async_wait([&](boost::system::error_code) { tick(); });
    };
    tick();
    context.run();
    CHECK(ticks == 20);
    for (auto const& one : staged)
        CHECK(one.value().value().generation == 7);
}

TEST_CASE_FIXTURE(Fixture, "command_sink: a call that is cancelled kills the program, and leaves no zombie") {
    auto const s = sink("echo $$ > \"$1/id\"; sleep 600", CommandOptions().timeout(600s));
    asio::io_context context;
    asio::cancellation_signal signal;
    std::optional<Result<SinkContents>> found;
    asio::co_spawn(context, awaiting::keep(s->contents(), found),
                   asio::bind_cancellation_slot(signal.slot(), [](const std::exception_ptr&) {}));
    while (what_it_wrote("id").empty())
        context.run_for(2ms);
    CHECK_FALSE(found);
    signal.emit(asio::cancellation_type::terminal);
    context.restart();
    context.run();
    CHECK(no_child_is_left());
    if (found) CHECK(found->error().code() == errc::operation_aborted);
}

TEST_CASE_FIXTURE(Fixture, "command_sink: an event loop that is destroyed takes the program with it") {
    auto const s = sink("echo $$ > \"$1/id\"; sleep 600", CommandOptions().timeout(600s));
    {
        asio::io_context context;
        std::optional<Result<SinkContents>> found;
        asio::co_spawn(context, awaiting::keep(s->contents(), found), [](const std::exception_ptr&) {});
        while (what_it_wrote("id").empty())
            context.run_for(2ms);
    }
    CHECK(no_child_is_left());
}

TEST_CASE_FIXTURE(Fixture, "command_sink: what can never work is refused when the sink is made") {
    auto const refusal = [](std::vector<std::string> argv, CommandOptions options = CommandOptions()) {
        try {
            static_cast<void>(command_sink(std::move(argv), std::move(options)));
        } catch (const Exception& thrown) {
            CHECK(thrown.error().code() == errc::invalid_argument);
            return thrown.error().what();
        }
        return std::string("none");
    };
    CHECK(contains(refusal({}), "no program to run"));
    CHECK(contains(refusal({""}), "no program to run"));
    CHECK(contains(refusal({"a", std::string("b\0c", 3)}), "has a NUL"));
    CHECK(contains(refusal({"a"}, CommandOptions().timeout(0ms)), "not positive"));
    CHECK(contains(refusal({"a"}, CommandOptions().environment("A=B", "c")), "'='"));
    CHECK(contains(refusal({"a"}, CommandOptions().environment("", "c")), "empty"));
    Secret const secret(value);
    auto const s = sink("echo 7");
    CHECK(contains(complaint(errc::invalid_argument,
                             awaited(s->stage(std::string("r\0", 2), "", receipt.expiry, secret))),
                   "has a NUL"));
    CHECK(contains(complaint(errc::invalid_argument, awaited(s->stage("r", "", receipt.expiry, Secret()))),
                   "empty"));
}

}  // namespace command_sink_test
