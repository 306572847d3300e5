// SPDX-License-Identifier: BSL-1.0
#include "support/failing_allocations.hpp"
#include "support/seeds.hpp"
#include "support/temporary_folder.hpp"

#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>
#include <palette/client.hpp>
#include <palette/clock.hpp>
#include <palette/lifecycle/apply.hpp>
#include <palette/lifecycle/plan.hpp>
#include <palette/lifecycle/rotation.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

// The lifecycle layer while memory runs out, at every allocation, each in a process of its own: Asio ends the
// program where a strand or a coroutine of it finds no memory. What comes of it must be no worse than a kill,
// and what is said before must be so.

namespace lifecycle_failing_allocations_test {

using namespace std::chrono_literals;
using namespace palette;
using lifecycle::ApplyOptions;
using lifecycle::BulkOutcome;
using lifecycle::BulkReport;
using lifecycle::Guard;
using lifecycle::Plan;
using lifecycle::RotateOptions;
using lifecycle::Rotation;
using lifecycle::Selection;
using lifecycle::Slot;

// A clock that goes two hundred times as fast, the same in all processes of the test, and rings on an
// io_context.
class FastClock : public Clock {
public:
    static constexpr int speed = 200;

    explicit FastClock(boost::asio::io_context& context) : context_(context) {}

    [[nodiscard]] Instant now() const noexcept override {
        static auto const begin =
            std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
        static auto const steady_begin = std::chrono::steady_clock::now();
        return begin + std::chrono::duration_cast<std::chrono::milliseconds>(
                           speed * (std::chrono::steady_clock::now() - steady_begin));
    }
    [[nodiscard]] std::shared_ptr<void> call_after(std::chrono::milliseconds delay,
                                                   std::function<void()> ring) override {
        auto const timer = std::make_shared<boost::asio::steady_timer>(
            context_, std::chrono::steady_clock::duration(delay) / speed);
        timer->async_wait([ring = std::move(ring), alive = std::weak_ptr(timer)](const auto& cancelled) {
            if (!cancelled && !alive.expired()) ring();
        });
        return timer;
    }

private:
    boost::asio::io_context& context_;
};

// Runs until the result is there, or nothing has come for `quiet`, by real time.
template <class T, class Start>
std::optional<Result<T>> run(ClientOptions options, std::chrono::seconds quiet, Start start) {
    boost::asio::io_context context{1};
    // By that clock they would be short.
    options.timeouts.connect = options.timeouts.read = options.timeouts.total = options.timeouts.queue = 2h;
    options.clock = std::make_shared<FastClock>(context);
    ApiKeyClient client(context, options);
    std::optional<Result<T>> ended;
    for (bool is_started = false, goes_on = true; goes_on && !ended;) {
        try {
            if (!std::exchange(is_started, true))
                start(client, [&](Result<T> result) {
                    failing::Spared const spared;
                    ended.emplace(std::move(result));
                });
            goes_on = context.run_one_for(quiet) > 0;
        } catch (const std::bad_alloc&) {
            // As a program does that goes on.
        }
    }
    return ended;
}

// What a process has said of its run; nothing, if it was ended by Asio.
struct Ending {
    bool has_failed_allocation = true;
    std::optional<std::string> said;
};

// Lets the nth allocation of a run fail, and writes what `describe` makes of its result.
template <class T, class Start, class Describe>
[[noreturn]] void run_and_exit(int out, const ClientOptions& options, std::size_t nth, Start start,
                               Describe describe) {
    for (int const fatal : {SIGABRT, SIGSEGV})
        std::signal(fatal, SIG_DFL);
    rlimit const no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    ::close(STDERR_FILENO);
    // Where Asio 1.81 finds no memory for a strand, it may wait for itself.
    ::alarm(10);
    auto const ended = run<T>(options, 1s, [&](ApiKeyClient& client, auto done) {
        failing::arm(nth);
        start(client, std::move(done));
    });
    failing::disarm();
    std::string text(1, failing::has_failed() ? 'f' : '-');
    if (ended) text += '+' + describe(*ended);
    auto const written = ::write(out, text.data(), text.size());
    ::_exit(written == static_cast<ssize_t>(text.size()) ? 0 : 2);
}

Ending in_process(const auto& run) {
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    auto const child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) run(ends[1]);
    ::close(ends[1]);
    std::string text;
    std::array<char, 4096> part{};
    for (ssize_t n = 0; (n = ::read(ends[0], part.data(), part.size())) > 0;)
        text.append(part.data(), static_cast<std::size_t>(n));
    ::close(ends[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    if (WIFEXITED(status)) REQUIRE(WEXITSTATUS(status) == 0);
    Ending ending;
    if (text.empty()) return ending;
    ending.has_failed_allocation = text[0] == 'f';
    if (text.size() > 1) ending.said = text.substr(2);
    return ending;
}

struct Scene {
    Scene() {
        emulator = std::make_unique<testing::Emulator>(
            testing::EmulatorOptions{.plain_http = true,
                                     .quota = 1'000'000,
                                     .rate_limit = testing::RateLimit::off(),
                                     .clock = std::make_shared<FastClock>(no_context)});
        options = emulator->client_options(testing::Role::tenant_admin);
        options.rate_limit = RateLimitOptions::off();
        options.clock.reset();
        client = std::make_unique<BlockingApiKeyClient>(options);
    }
    [[nodiscard]] bool is_active(const std::string& uid) const {
        auto const keys = emulator->keys();
        auto const found = std::ranges::find(keys, uid, &ApiKey::uid);
        return found != keys.end() && found->is_active;
    }

    // Which keys there are, and which of them are active.
    [[nodiscard]] std::map<std::string, bool> states() const {
        std::map<std::string, bool> states;
        for (auto const& key : emulator->keys())
            states.emplace(key.uid, key.is_active);
        return states;
    }

    boost::asio::io_context no_context;  // the service has nothing to wait for
    std::unique_ptr<testing::Emulator> emulator;
    ClientOptions options;
    std::unique_ptr<BlockingApiKeyClient> client;
};

// Counts how the runs ended, and says so.
class Count {
public:
    void add(const Ending& ending) {
        failures_ += ending.has_failed_allocation ? 1 : 0;
        ended_by_asio_ += ending.said ? 0 : 1;
    }
    ~Count() {
        MESSAGE("allocations that failed: " << failures_ << ", of them ended by Asio: " << ended_by_asio_);
        CHECK(failures_ > 50);
        CHECK(ended_by_asio_ * 2 < failures_);
    }

private:
    int failures_ = 0;
    int ended_by_asio_ = 0;
};

// A letter for each key: (d)one, (n)ot started, (u)nchanged, or unknown; for an error, as many for all.
std::string letters(const Result<BulkReport>& result, std::size_t keys) {
    if (!result) return std::string(keys, result.error().effect() == Effect::not_applied ? 'n' : '?');
    std::string letters;
    for (auto const& item : result->items) {
        auto const is_unchanged =
            item.outcome == BulkOutcome::failed && item.error && item.error->effect() == Effect::not_applied;
        letters += item.outcome == BulkOutcome::done          ? 'd'
                   : item.outcome == BulkOutcome::not_started ? 'n'
                   : is_unchanged                             ? 'u'
                                                              : '?';
    }
    return letters;
}

TEST_CASE("failing allocations: a plan that is applied says what is so, and the next run finishes it") {
    Scene scene;
    Count count;
    auto const user = scene.emulator->add_user({.email = "ada@acme.test"}).uid;
    for (std::size_t nth = 1;; ++nth) {
        CAPTURE(nth);
        TemporaryFolder const folder{fast_folder()};
        std::vector<std::string> uids;
        for (int i = 0; i < 3; ++i)
            uids.push_back(scene.emulator->seed_key(NewApiKey("key").for_user(user)).uid());
        auto const plan =
            lifecycle::plan(*scene.client, Selection::uids(uids), lifecycle::Action::revoke()).value();
        auto const how =
            ApplyOptions(folder.path("journal")).allow_large_share().include(Guard::last_user_key);
        auto const ending = in_process([&](int out) {
            run_and_exit<BulkReport>(
                out, scene.options, nth,
                [&](ApiKeyClient& client, auto done) {
                    lifecycle::async_apply(client, plan, how, std::move(done));
                },
                [&](const Result<BulkReport>& result) { return letters(result, plan.items.size()); });
        });
        if (ending.said) {
            REQUIRE(ending.said->size() == plan.items.size());
            for (std::size_t i = 0; i < plan.items.size(); ++i) {
                auto const letter = (*ending.said)[i];
                if (letter == 'd') CHECK_FALSE(scene.is_active(plan.items[i].uid));
                if (letter == 'n' || letter == 'u') CHECK(scene.is_active(plan.items[i].uid));
            }
        }
        auto const again = lifecycle::apply(*scene.client, plan, how);
        REQUIRE(again);
        CHECK(again->is_complete());
        for (auto const& uid : uids) {
            CHECK_FALSE(scene.is_active(uid));
            scene.client->remove(uid).value();
        }
        if (!ending.has_failed_allocation) break;
        count.add(ending);
    }
}

TEST_CASE("failing allocations: a rotation leaves a stored key that works, and the next one finishes it") {
    Scene scene;
    Count count;
    // It takes some tenths of a second to try one, so that not each is tried; another seed tries others.
    constexpr std::size_t step = 64;
    auto const first = static_cast<std::size_t>(seeds::short_seed(20'261'128)) % step + 1;
    auto const rotation = RotateOptions().overlap(0ms).quarantine(0ms).force();
    auto const keys_before = scene.emulator->keys();
    // Whether there is an nth allocation.
    auto const fails = [&](std::size_t nth) {
        CAPTURE(nth);
        TemporaryFolder const folder{fast_folder()};
        auto const path = folder.path("key");
        Slot const slot("slot", lifecycle::file_sink(path), lifecycle::file_store(folder.path()));
        auto const works = [&] {
            auto options = scene.options;
            options.auth = auth::api_key(Secret(content_of(path)));
            return BlockingApiKeyClient(options).whoami().has_value();
        };
        auto const rotate = [&](ApiKeyClient& client, auto done) {
            lifecycle::async_rotate(client, slot, rotation, std::move(done));
        };
        // To its end: what the other process has begun may not be due for a moment.
        auto const rotate_undisturbed = [&] {
            for (int runs = 1;; ++runs) {
                auto const ended = run<Rotation>(scene.options, 60s, rotate);
                REQUIRE(ended.has_value());
                REQUIRE(ended->has_value());
                auto const& report = ended->value();
                CAPTURE((report.problem ? report.problem->message() : std::string()));
                if (report.outcome == Rotation::Outcome::completed) break;
                REQUIRE(report.outcome == Rotation::Outcome::in_progress);
                REQUIRE(runs < 100);
            }
        };
        rotate_undisturbed();
        auto const before = scene.states();
        auto const ending = in_process([&](int out) {
            run_and_exit<Rotation>(out, scene.options, nth, rotate, [](const Result<Rotation>& result) {
                return std::string(result || result.error().effect() == Effect::unknown ? "" : "unchanged");
            });
        });
        if (ending.said == "unchanged") CHECK(scene.states() == before);
        CHECK(works());
        rotate_undisturbed();
        CHECK(works());
        auto const keys = scene.emulator->keys();
        CHECK(keys.size() == keys_before.size() + 1);
        for (auto const& key : keys)
            if (std::ranges::find(keys_before, key.uid, &ApiKey::uid) == keys_before.end())
                scene.client->remove(key.uid).value();
        if (ending.has_failed_allocation) count.add(ending);
        return ending.has_failed_allocation;
    };
    auto nth = first;
    while (fails(nth))
        nth += step;
    // The last ones are those of the completion.
    nth -= std::min(nth, step);
    while (fails(++nth)) {
    }
}

}  // namespace lifecycle_failing_allocations_test
