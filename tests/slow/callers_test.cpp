// SPDX-License-Identifier: BSL-1.0
#include "support/temporary_folder.hpp"

#include <palette/client.hpp>
#include <palette/lifecycle/rotator.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/received_request.hpp>

#include <doctest/doctest.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

// Processes that call while their key is replaced, in real time. PALETTE_KEYS_ROTATIONS=50 takes five
// minutes.

namespace callers_test {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using namespace palette;
using lifecycle::RotateOptions;
using lifecycle::Rotation;

// What a process reports when it ends.
struct Calls {
    std::uint64_t good = 0;
    std::uint64_t bad = 0;
    std::array<char, 400> why{};  // the first that failed
};

// Calls one time after another, as fast as the limiter lets it, until the other side of `stop` is closed.
class Caller {
public:
    Caller(ClientOptions options, int stop) : stop_(context_, stop), client_(context_, std::move(options)) {}

    Calls run() {
        stop_.async_wait(asio::posix::stream_descriptor::wait_read,
                         [this](boost::system::error_code) { stops_ = true; });
        call();
        context_.run();
        return calls_;
    }

private:
    void call() {
        client_.async_whoami([this](const Result<Identity>& who) {
            if (who) {
                ++calls_.good;
            } else if (++calls_.bad == 1) {
                who.error().message().copy(calls_.why.data(), calls_.why.size() - 1);
            }
            if (!stops_) call();
        });
    }

    asio::io_context context_;
    asio::posix::stream_descriptor stop_;
    ApiKeyClient client_;
    Calls calls_;
    bool stops_ = false;
};

int checked(int result) {
    if (result < 0) throw std::system_error(errno, std::generic_category());
    return result;
}

// A forked process that calls with the key of the sink.
class CallingProcess {
public:
    CallingProcess(const ClientOptions& options, int stop, int other_side_of_stop) {
        std::array<int, 2> report{};
        checked(::pipe(report.data()));
        report_ = report[0];
        child_ = checked(::fork());
        if (child_ != 0) {
            ::close(report[1]);
            return;
        }
        ::close(other_side_of_stop);
        try {
            auto const calls = Caller(options, stop).run();
            auto const written = ::write(report[1], &calls, sizeof calls);
            ::_exit(written == sizeof calls ? 0 : 1);
        } catch (...) {
            ::_exit(1);
        }
    }
    CallingProcess(CallingProcess&& other) noexcept
        : child_(std::exchange(other.child_, 0)),
          report_(std::exchange(other.report_, -1)) {}
    CallingProcess& operator=(CallingProcess&&) = delete;
    ~CallingProcess() {
        if (child_ > 0) {
            ::kill(child_, SIGKILL);
            ::waitpid(child_, nullptr, 0);
        }
        if (report_ >= 0) ::close(report_);
    }

    // When it has been stopped.
    Calls report() {
        Calls calls;
        REQUIRE(::read(report_, &calls, sizeof calls) == sizeof calls);
        int status = 0;
        checked(::waitpid(std::exchange(child_, 0), &status, 0));
        CHECK(status == 0);
        return calls;
    }

private:
    pid_t child_ = 0;
    int report_ = -1;
};

int wanted_rotations() {
    auto const* const given = std::getenv("PALETTE_KEYS_ROTATIONS");
    return given == nullptr ? 3 : std::stoi(given);
}

TEST_CASE(
    "rotation: not one call of eight processes fails while their key is replaced, with an overlap of 2 s") {
    std::atomic<int> refused = 0;
    testing::Emulator emulator({.plain_http = true,
                                .rate_limit = testing::RateLimit::off(),
                                .on_request = [&](const testing::ReceivedRequest& request) {
                                    if (request.status == 401) ++refused;
                                }});
    TemporaryFolder folder(fast_folder());
    auto const path = folder.path("key");
    lifecycle::Slot const slot("ci", lifecycle::file_sink(path), lifecycle::file_store(folder.path()));
    asio::io_context context;
    ApiKeyClient client(context, emulator.client_options(testing::Role::tenant_admin));
    auto const run = [&](RotateOptions options) {
        std::optional<Result<Rotation>> result;
        lifecycle::async_rotate(client, slot, std::move(options),
                                [&](Result<Rotation> r) { result.emplace(std::move(r)); });
        context.restart();
        while (!result)
            context.run_one();
        REQUIRE_MESSAGE(result->has_value(), result->error().message());
        return **std::move(result);
    };
    auto const options = RotateOptions().overlap(2s).quarantine(0s);
    REQUIRE(run(options).outcome == Rotation::Outcome::completed);

    std::array<int, 2> stop{};
    checked(::pipe(stop.data()));
    auto caller_options = emulator.client_options(testing::Role::tenant_admin);
    // A key that is refused is replaced once by the one of that moment, whatever this is: nothing else is
    // tried again.
    caller_options.retry.max_attempts = 1;
    caller_options.auth = lifecycle::sink_provider(slot.sink(), 500ms);
    std::vector<CallingProcess> processes;
    for (int i = 0; i < 8; ++i)
        processes.emplace_back(caller_options, stop[0], stop[1]);

    auto const wanted = wanted_rotations();
    for (int done = 0; done < wanted;) {
        auto const rotation = run(RotateOptions(options).force());
        REQUIRE_MESSAGE(!rotation.problem, rotation.problem->message());
        for (auto last = rotation; last.state != lifecycle::RotationState::idle;) {
            asio::steady_timer timer(context, last.next_due.value_or(last.as_of) - last.as_of + 50ms);
            context.restart();
            timer.async_wait([](boost::system::error_code) {});
            context.run_one();
            last = run(options);
            REQUIRE_MESSAGE(!last.problem, last.problem->message());
        }
        ++done;
    }
    ::close(stop[1]);

    std::uint64_t good = 0;
    for (auto& process : processes) {
        auto const calls = process.report();
        CHECK_MESSAGE(calls.bad == 0, calls.why.data());
        CHECK(calls.good > 0);
        good += calls.good;
    }
    ::close(stop[0]);
    MESSAGE(wanted << " rotations, " << good << " calls, " << refused.load() << " requests refused");
    CHECK(emulator.keys().size() == 5);  // those of its four users, and the slot's
}

}  // namespace callers_test
