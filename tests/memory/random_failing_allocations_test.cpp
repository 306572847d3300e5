// SPDX-License-Identifier: BSL-1.0
#include "support/failing_allocations.hpp"
#include "support/seeds.hpp"

#include <palette/client.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

// Operations of all kinds while allocations fail at random, several of them in one operation. Each run is a
// process of its own: client.hpp says when it ends by std::terminate().

namespace random_failing_allocations_test {

using namespace std::chrono_literals;
using namespace palette;
namespace asio = boost::asio;
using std::chrono::steady_clock;
using testing::Emulator;
using testing::Role;

/// What a process tells the test, however it ends.
struct Report {
    int ended = 0;     // operations that completed once, or threw where they were started
    int good = 0;      // of them, those that succeeded
    int lost = 0;      // operations that did neither, or completed twice
    int confused = 0;  // operations that failed, and not for want of memory
    std::size_t failures = 0;
    bool is_stuck = false;       // run() did not come to its end
    bool is_terminated = false;  // by std::terminate()
    bool works = false;          // once allocations succeed again
};

/// Memory that a process shares with its children.
class SharedReport {
public:
    SharedReport()
        : block_(::mmap(nullptr, sizeof(Report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
        if (block_ == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
        report_ = new (block_) Report;
    }
    SharedReport(const SharedReport&) = delete;
    SharedReport& operator=(const SharedReport&) = delete;
    ~SharedReport() { ::munmap(block_, sizeof(Report)); }

    Report* operator->() const noexcept { return report_; }
    Report& operator*() const noexcept { return *report_; }

private:
    void* block_;
    Report* report_;
};

/// How one operation ended.
struct Ending {
    int completions = 0;
    bool has_thrown = false;
    bool is_good = false;
    errc code = errc::out_of_memory;
};

/// Notes how an operation ends, and allocates nothing.
struct Note {
    template <class T>
    void operator()(const Result<T>& result) const {
        ++ending->completions;
        ending->is_good = result.has_value();
        if (!result) ending->code = result.error().code();
    }
    Ending* ending;
};

const std::string nonce(32, 'a');

using Start = void (*)(ApiKeyClient&, const std::string& uid, Note);
constexpr Start starts[] = {
    [](ApiKeyClient& client, const std::string&, Note note) { client.async_list(note); },
    [](ApiKeyClient& client, const std::string& uid, Note note) { client.async_get(uid, note); },
    [](ApiKeyClient& client, const std::string&, Note note) { client.async_create(NewApiKey("made"), note); },
    [](ApiKeyClient& client, const std::string& uid, Note note) {
        client.async_update(uid, ApiKeyEdit().name("renamed"), note);
    },
    [](ApiKeyClient& client, const std::string& uid, Note note) { client.async_renew(uid, 24h * 30, note); },
    [](ApiKeyClient& client, const std::string& uid, Note note) {
        client.async_revoke(uid, ChangeOptions().verify(), note);
    },
    [](ApiKeyClient& client, const std::string& uid, Note note) { client.async_set_active(uid, true, note); },
    [](ApiKeyClient& client, const std::string&, Note note) { client.async_whoami(note); },
    [](ApiKeyClient& client, const std::string&, Note note) {
        client.async_find_user("viewer@acme.test", note);
    },
};

/// One process: operations of all kinds, four at a time on two connections, until `most` have been started.
class Process {
public:
    Process(ClientOptions options, std::vector<std::string> uids, Report& report)
        : options_(std::move(options)),
          uids_(std::move(uids)),
          report_(report) {}

    void run(int most, std::size_t one_in, std::uint64_t seed) {
        {
            asio::io_context context(1);
            ApiKeyClient client(context, options_);
            failing::arm_at_random(one_in, seed);
            for (int started = 0; started < most && !report_.is_stuck; started += at_a_time)
                run_some(context, client, static_cast<std::size_t>(started));
            failing::disarm();
            Ending last;
            client.async_whoami(Note{&last});
            drain(context);
            Ending closed;
            client.async_close(Note{&closed});
            drain(context);
            report_.works = last.is_good && closed.is_good;
        }
        report_.failures = failing::failures();
    }

private:
    static constexpr int at_a_time = 4;

    void run_some(asio::io_context& context, ApiKeyClient& client, std::size_t first) {
        std::array<Ending, at_a_time> endings;
        for (std::size_t i = 0; i < endings.size(); ++i) {
            try {
                starts[(first + i) % std::size(starts)](client, uids_[(first + i) % uids_.size()],
                                                        Note{&endings[i]});
            } catch (const std::bad_alloc&) {
                endings[i].has_thrown = true;
            }
        }
        drain(context);
        for (auto const& ending : endings) {
            if (ending.completions + (ending.has_thrown ? 1 : 0) == 1) {
                ++report_.ended;
                report_.good += ending.is_good ? 1 : 0;
                // Those that come at the same time want to change the same key.
                if (!ending.is_good && ending.code != errc::out_of_memory && ending.code != errc::conflict)
                    ++report_.confused;
            } else {
                ++report_.lost;
            }
        }
    }

    void drain(asio::io_context& context) {
        context.restart();
        auto const latest = steady_clock::now() + 60s;
        while (!context.stopped() && !report_.is_stuck) {
            report_.is_stuck = steady_clock::now() > latest;
            try {
                context.run_for(1s);
            } catch (const std::bad_alloc&) {
            }
        }
    }

    ClientOptions options_;
    std::vector<std::string> uids_;
    Report& report_;
};

Report* report_of_this_process = nullptr;

/// What a run in a process of its own has come to.
void run_apart(const Emulator& emulator, const std::vector<std::string>& uids, int most, std::size_t one_in,
               std::uint64_t seed, Report& report) {
    auto options = emulator.client_options(Role::tenant_admin);
    options.pool.max_connections = 2;
    options.rate_limit = RateLimitOptions::off();
    // What Asio cannot tell that a connection is open, for want of memory, ends by this.
    options.timeouts.connect = 1s;
    options.retry.initial_backoff = options.retry.max_backoff = 1ms;
    options.retry.settle_time = 20ms;
    options.retry.jitter_seed = 1;
    auto const child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        report_of_this_process = &report;
        std::set_terminate([] {
            report_of_this_process->failures = failing::failures();
            report_of_this_process->is_terminated = true;
            ::_exit(0);
        });
        Process(std::move(options), uids, report).run(most, one_in, seed);
        ::_exit(0);
    }
    int status = -1;
    while (::waitpid(child, &status, 0) < 0)
        REQUIRE(errno == EINTR);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
}

struct Sums {
    int ended = 0;
    int good = 0;
    int terminated = 0;
    std::size_t failures = 0;
};

/// Until so many operations have ended, in as many processes as that takes.
Sums run_many(bool is_tls, std::size_t one_in, int operations, std::uint64_t first_seed) {
    CAPTURE(is_tls);
    CAPTURE(one_in);
    Emulator emulator({.plain_http = !is_tls, .quota = 100'000, .rate_limit = testing::RateLimit::off()});
    std::vector<std::string> uids;
    for (int i = 0; i < 12; ++i)
        uids.push_back(emulator.seed_key(NewApiKey("to work on").expires(Expiry::in(24h))).uid());
    Sums sums;
    for (std::uint64_t i = 0; sums.ended < operations; ++i) {
        REQUIRE(i < 1'000);
        auto const seed = seeds::seed(first_seed + i);
        CAPTURE(seed);
        SharedReport report;
        run_apart(emulator, uids, operations - sums.ended, one_in, seed, *report);
        CHECK(report->lost == 0);
        CHECK(report->confused == 0);
        CHECK_FALSE(report->is_stuck);
        CHECK((report->works || report->is_terminated));
        sums.ended += report->ended;
        sums.good += report->good;
        sums.terminated += report->is_terminated ? 1 : 0;
        sums.failures += report->failures;
        if (report->is_stuck || report->lost > 0) break;
    }
    MESSAGE("one in ", one_in, std::string(is_tls ? ", TLS: " : ", in the clear: "), sums.ended,
            " operations, ", sums.good, " good, ", sums.failures, " allocations failed, ", sums.terminated,
            " terminations");
    return sums;
}

TEST_CASE("failing allocations: with one in a thousand failing at random, each operation completes once") {
    for (bool const is_tls : {false, true}) {
        auto const sums = run_many(is_tls, 1'000, 400, is_tls ? 1'000 : 2'000);
        CHECK(sums.failures > 20);
        CHECK(sums.good > 200);
    }
}

TEST_CASE(
    "failing allocations: with one in a hundred, each completes once or the process says that it ends") {
    for (bool const is_tls : {false, true}) {
        auto const sums = run_many(is_tls, 100, 400, is_tls ? 3'000 : 4'000);
        CHECK(sums.failures > 200);
        CHECK(sums.good > 0);
    }
}

}  // namespace random_failing_allocations_test
