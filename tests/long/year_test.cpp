// SPDX-License-Identifier: BSL-1.0
#include "support/temporary_folder.hpp"
#include "support/virtual_time.hpp"

#include <palette/client.hpp>
#include <palette/lifecycle/rotator.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// Twenty rotators of one slot, and programs that use its key, through a year of the service's time.

namespace year_test {

using namespace std::chrono_literals;
using namespace palette;
using lifecycle::Rotation;
using lifecycle::Rotator;
using std::chrono::days;
using std::chrono::milliseconds;
using testing::ReceivedRequest;
using testing::Role;

constexpr std::size_t fleet_size = 20;
constexpr milliseconds year = days{365};
constexpr milliseconds lifetime = days{30};
constexpr milliseconds overlap = 1h;

// The clock of a machine on which the time of day is wrong.
class WrongClock final : public Clock {
public:
    WrongClock(std::shared_ptr<Clock> right, milliseconds ahead) : right_(std::move(right)), ahead_(ahead) {}

    [[nodiscard]] Instant now() const noexcept override { return right_->now() + ahead_; }
    [[nodiscard]] std::shared_ptr<void> call_after(milliseconds delay, std::function<void()> ring) override {
        return right_->call_after(delay, std::move(ring));
    }

private:
    std::shared_ptr<Clock> right_;
    milliseconds ahead_;
};

// A program that uses the key of the slot once in a while, and notes how often that fails.
class Reader {
public:
    Reader(VirtualTime& time, ClientOptions options, milliseconds pause)
        : client_(time.context, std::move(options)),
          pause_(pause) {}

    void call() {
        client_.async_whoami([this](const Result<Identity>& result) {
            ++calls;
            if (!result) failures.push_back(result.error().message());
            client_.async_wait(pause_, [this](const Result<void>& waited) {
                if (waited) call();
            });
        });
    }
    void stop() { client_.cancel(); }

    std::size_t calls = 0;
    std::vector<std::string> failures;

private:
    ApiKeyClient client_;
    milliseconds pause_;
};

// What came to the service. Counted in its thread, while the programs of the test wait for the answers.
struct Seen {
    std::size_t all = 0;
    std::size_t refused = 0;
    std::vector<Instant> created;
};

// What the rotators have reported.
struct Reports {
    void add(const Result<Rotation>& rotation) {
        ++runs;
        if (!rotation) return problems.push_back(rotation.error().message());
        auto const outcome = rotation->outcome;
        busy += outcome == Rotation::Outcome::busy ? 1U : 0U;
        if (outcome == Rotation::Outcome::failed || outcome == Rotation::Outcome::lost_race)
            problems.push_back(rotation->problem.value().message());
        for (auto const& line : rotation->done)
            ended += line.starts_with("deleted the old key") ? 1U : 0U;
        for (auto const& line : rotation->left)
            clock_warnings += line.find("clock of this machine") != std::string::npos ? 1U : 0U;
    }

    std::size_t runs = 0, busy = 0, ended = 0, clock_warnings = 0;
    std::vector<std::string> problems;
};

std::string first_of(const std::vector<std::string>& texts) {
    return texts.empty() ? std::string() : texts.front();
}

class Year {
public:
    // `max_lifetime`: what the service gives at most; 0: what it is asked for. `clock_error`: by how much the
    // clocks of the programs are wrong, of every other one ahead, and of those between behind.
    explicit Year(milliseconds max_lifetime, milliseconds clock_error = 0ms)
        : life_(max_lifetime == 0ms ? lifetime : max_lifetime),
          clock_error_(clock_error),
          emulator_(testing::EmulatorOptions{.plain_http = true,
                                             .rate_limit = testing::RateLimit::off(),
                                             .assumptions = {.max_lifetime = max_lifetime},
                                             .clock = time_.clock,
                                             .on_request = [this](const ReceivedRequest& r) { see(r); }}) {}

    // Each rotator uses the key that it replaces.
    void run() {
        provision();
        for (std::size_t i = 0; i < fleet_size; ++i) {
            auto& client =
                clients_.emplace_back(time_.context, options(lifecycle::sink_provider(slot_.sink())));
            auto& rotator = rotators_.emplace_back(client, slot_);
            rotator.longest_pause(24h);
            rotator.on_rotation([this](const Result<Rotation>& rotation) { note(rotation); });
            rotator.async_run(boost::asio::bind_cancellation_slot(
                signals_.emplace_back().slot(), [this](const Result<void>& result) {
                    ended_ += !result && result.error().code() == errc::operation_aborted ? 1U : 0U;
                }));
        }
        // One of them uses a key that it has read before, as long as it may.
        add_reader(47min, overlap - 5min);
        add_reader(5h, 5min);
        time_.run_for(year);
        for (auto& signal : signals_)
            signal.emit(boost::asio::cancellation_type::terminal);
        for (auto& reader : readers_)
            reader.stop();
        time_.settle();
    }

    // A rotation is due when two thirds of the life have passed that the service gives.
    void check() const {
        auto const due = life_ * 2 / 3;
        auto const rotations = static_cast<std::size_t>(year / due);
        REQUIRE(seen_.created.size() == 1 + rotations);
        for (std::size_t i = 1; i <= rotations; ++i) {
            auto const between = seen_.created[i] - seen_.created[i - 1];
            CHECK(between >= due);
            CHECK(between < due + 1min);
        }
        CHECK(reports_.ended >= rotations - 1);
        CHECK(reports_.ended <= rotations);
        CHECK(first_of(reports_.problems).empty());
        CHECK(most_keys_ <= 3);
        CHECK(ended_ == fleet_size);

        std::size_t calls = 0;
        for (auto const& reader : readers_) {
            CHECK(first_of(reader.failures).empty());
            calls += reader.calls;
        }
        CHECK(calls > 10'000);
        CHECK(seen_.refused == 0);  // not even for a moment

        // A look each day; and when a rotation is due, and an overlap and a quarantine ends, all come at
        // once, and most of them a few times more. A look takes two requests, and a rotation some forty.
        CHECK(reports_.runs < fleet_size * (366 + rotations * 3 * 8));
        CHECK(seen_.all - calls < (reports_.runs - reports_.busy) * 2 + rotations * 40);
        CHECK((reports_.clock_warnings > 0) == (clock_error_ != 0ms));
        MESSAGE(rotations, " rotations, ", reports_.runs, " runs, ", reports_.busy, " of them busy, ", calls,
                " calls, none of which failed, ", seen_.all, " requests");
    }

private:
    void see(const ReceivedRequest& request) {
        ++seen_.all;
        if (request.status == 401) ++seen_.refused;
        if (request.method == "POST") seen_.created.push_back(time_.clock->now());
    }

    void note(const Result<Rotation>& rotation) {
        reports_.add(rotation);
        most_keys_ = std::max(most_keys_, emulator_.keys().size() - keys_before_);
    }

    ClientOptions options(std::shared_ptr<AuthProvider> auth) {
        auto made = emulator_.client_options(Role::tenant_admin);
        if (auth) made.auth = std::move(auth);
        time_.watch(made);
        made.clock = std::make_shared<WrongClock>(time_.clock, clock_error_);
        clock_error_ = -clock_error_;
        return made;
    }

    void add_reader(milliseconds pause, milliseconds recheck) {
        auto provider = lifecycle::sink_provider(lifecycle::file_sink(path_), recheck);
        readers_.emplace_back(time_, options(std::move(provider)), pause).call();
    }

    void provision() {
        ApiKeyClient admin(time_.context, options(nullptr));
        std::optional<Result<Rotation>> first;
        async_rotate(admin, slot_, [&](Result<Rotation> r) { first.emplace(std::move(r)); });
        time_.run_until([&] { return first.has_value(); });
        REQUIRE(first->has_value());
        REQUIRE(first->value().outcome == Rotation::Outcome::completed);
    }

    milliseconds life_;
    milliseconds clock_error_;
    VirtualTime time_;
    Seen seen_;
    testing::Emulator emulator_;
    std::size_t keys_before_ = emulator_.keys().size();
    TemporaryFolder folder_{fast_folder()};
    std::string path_ = folder_.path("key");
    lifecycle::Slot slot_{"fleet", lifecycle::file_sink(path_), lifecycle::file_store(folder_.path())};
    std::deque<ApiKeyClient> clients_;
    std::deque<Rotator> rotators_;
    std::deque<boost::asio::cancellation_signal> signals_;
    std::deque<Reader> readers_;
    std::size_t ended_ = 0;
    std::size_t most_keys_ = 0;
    Reports reports_;
};

TEST_CASE("a year of twenty rotators: each rotation comes once, and no call fails") {
    Year scene(0ms);
    scene.run();
    scene.check();
}

TEST_CASE("a year of twenty rotators: a service that gives seven days is asked more often, and in no loop") {
    Year scene(days{7});
    scene.run();
    scene.check();
}

TEST_CASE("a year of twenty rotators: clocks that are two days wrong are reported, and change nothing") {
    Year scene(0ms, days{2});
    scene.run();
    scene.check();
}

TEST_CASE("a year of twenty rotators: seven days at a time, by clocks that are two days wrong") {
    Year scene(days{7}, days{2});
    scene.run();
    scene.check();
}

}  // namespace year_test
