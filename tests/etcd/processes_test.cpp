// SPDX-License-Identifier: BSL-1.0
#include "etcd/real_etcd.hpp"
#include "support/process.hpp"
#include "support/raw_http.hpp"
#include "support/temporary_folder.hpp"

#include <palette/auth.hpp>
#include <palette/client.hpp>
#include <palette/clock.hpp>
#include <palette/lifecycle/rotation.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

// Several processes that meet at one slot.

namespace etcd_processes_test {

using namespace std::chrono_literals;
using namespace palette;
using child::Process;
using real_etcd::words;

Process::Options arguments(std::vector<std::string> list) {
    Process::Options options;
    options.arguments = std::move(list);
    return options;
}

TEST_CASE("real etcd: a lock of another process keeps out, and ends with its lease after a kill") {
    auto const store = real_etcd::store_in("PLAIN");
    Process holder(PALETTE_ETCD_ROTATOR, arguments({"hold", real_etcd::text("PLAIN"), "held"}));
    REQUIRE(holder.output_line() == "locked");
    auto const refuse = [&] {
        auto const lock = real_etcd::lock_and_release(store, "held");
        REQUIRE_FALSE(lock);
        CHECK(lock.error().code() == errc::conflict);
        return words(lock);
    };
    auto const named = refuse();
    INFO(named);
    auto const at = named.find("is locked by process ");
    REQUIRE(at != std::string::npos);
    CHECK(named.find("process " + std::to_string(::getpid()) + ' ') == std::string::npos);
    holder.send(SIGKILL);
    REQUIRE(holder.wait_for_end());
    CHECK(refuse() == named);
    // Five seconds, and until etcd has noticed.
    auto const end = std::chrono::steady_clock::now() + Process::max_time;
    while (!real_etcd::lock_and_release(store, "held"))
        REQUIRE(std::chrono::steady_clock::now() < end);
}

// --- races ---------------------------------------------------------------------------------------

// The service's time, which goes on as real time does, and jumps ahead between.
class AheadClock final : public Clock {
public:
    [[nodiscard]] Instant now() const noexcept override {
        return std::chrono::time_point_cast<Instant::duration>(std::chrono::system_clock::now()) +
               ahead_.load();
    }
    // Nothing that waits for it has to happen.
    [[nodiscard]] std::shared_ptr<void> call_after(std::chrono::milliseconds,
                                                   std::function<void()>) override {
        return std::make_shared<int>();
    }
    void advance(std::chrono::milliseconds time) { ahead_ = ahead_.load() + time; }

private:
    std::atomic<std::chrono::milliseconds> ahead_ = std::chrono::milliseconds(0);
};

// A service, and slots whose keys are due.
class Race {
public:
    using Rotation = lifecycle::Rotation;
    using Admin = testing::Role;
    static constexpr int slots = 100;

    explicit Race(std::string how) : how_(std::move(how)) {
        REQUIRE(::setenv("RACE_EMAIL", user().email.c_str(), 1) == 0);
        REQUIRE(::setenv("RACE_PASSWORD", std::string(user().password.expose()).c_str(), 1) == 0);
        rotate_all();
        for (int i = 0; i < slots; ++i)
            old_.push_back(uid_in(i));
        CHECK(keys_of_slots().size() == slots);
        clock_->advance(std::chrono::days(21));
        requests_before_ = emulator_.requests().size();
    }

    // What both processes say, slot by slot. Each may be told in which states of its slots it begins.
    std::map<std::string, std::vector<std::string>> run(const std::vector<std::string>& first_begins,
                                                        const std::vector<std::string>& second_begins) {
        auto const list = [&](const std::vector<std::string>& begins) {
            std::vector<std::string> words{"race",         real_etcd::text("PLAIN"), emulator_.url(),
                                           folder_.path(), std::to_string(slots),    how_};
            words.insert(words.end(), begins.begin(), begins.end());
            return words;
        };
        Process first(PALETTE_ETCD_ROTATOR, arguments(list(first_begins)));
        Process second(PALETTE_ETCD_ROTATOR, arguments(list(second_begins)));
        for (auto* const process : {&first, &second})
            REQUIRE(process->output_line() == "ready");
        for (auto* const process : {&first, &second})
            process->send(SIGUSR1);
        std::map<std::string, std::vector<std::string>> said;
        for (auto* const process : {&first, &second}) {
            for (auto line = process->output_line(); line != "done"; line = process->output_line()) {
                REQUIRE(line);
                auto const space = line->find(' ');
                said[line->substr(0, space)].push_back(line->substr(space + 1));
            }
            CHECK(process->wait_for_end().value().status == 0);
        }
        return said;
    }

    // By this process, in one call for each slot.
    std::vector<Result<Rotation>> rotate_all() {
        boost::asio::io_context context;
        auto options = emulator_.client_options(Admin::tenant_admin);
        options.rate_limit = RateLimitOptions::off();
        options.clock.reset();  // it waits in real time, as other processes do
        ApiKeyClient client(context, options);
        auto const store = real_etcd::store_in("PLAIN");
        std::vector<Result<Rotation>> ended;
        for (int i = 0; i < slots; ++i)
            lifecycle::async_rotate(
                client, lifecycle::Slot(name(i), lifecycle::file_sink(folder_.path(name(i))), store),
                rotate_options_, [&](Result<Rotation> result) { ended.push_back(std::move(result)); });
        context.run();
        REQUIRE(ended.size() == slots);
        for (auto const& each : ended) {
            INFO(words(each));
            REQUIRE(each);
        }
        return ended;
    }

    void wait(std::chrono::milliseconds time) { clock_->advance(time); }

    // One for each slot, which works; the old key was revoked after proof; and there is no other key.
    void check_successors() {
        CHECK(keys_of_slots().size() == 2 * slots);
        for (int i = 0; i < slots; ++i) {
            CAPTURE(i);
            auto const& old = old_[static_cast<std::size_t>(i)];
            auto const uid = uid_in(i);
            CHECK(uid != old);
            CHECK(works(i));
            CHECK(was_revoked_after_proof(old, uid));
            std::vector<std::string> active;
            for (auto const& key : keys_of_slots())
                if (key.annotations["palette-keys-slot"] == name(i) && key.is_active)
                    active.push_back(key.uid);
            CHECK(active == std::vector{uid});
        }
    }

    [[nodiscard]] std::string name(int slot) const { return how_ + '-' + std::to_string(slot); }

    // Of the value that a consumer reads.
    std::string uid_in(int slot) {
        auto const contents = awaited(lifecycle::file_sink(folder_.path(name(slot)))->contents());
        REQUIRE(contents);
        REQUIRE(contents->current);
        return contents->current->key_uid;
    }
    [[nodiscard]] bool works(int slot) const {
        return raw::Client(emulator_, content_of(folder_.path(name(slot)))).get("/v1/users/info").status ==
               200;
    }

    [[nodiscard]] std::vector<ApiKey> keys_of_slots() const {
        std::vector<ApiKey> found;
        for (auto const& key : emulator_.keys())
            if (key.annotations.contains("palette-keys-slot")) found.push_back(key);
        return found;
    }

    // Whether a key was revoked only after another one was used, on two connections at least.
    [[nodiscard]] bool was_revoked_after_proof(const std::string& old_uid, const std::string& new_uid) const {
        std::set<std::uint64_t> proofs;
        bool is_revoked = false;
        auto const requests = emulator_.requests();
        for (auto at = requests_before_; at < requests.size(); ++at) {
            auto const& request = requests[at];
            if (request.status < 200 || request.status >= 300) continue;
            auto const is_proof = request.method == "GET" && request.path == "/v1/apiKeys/" + new_uid &&
                                  request.credential == testing::ReceivedRequest::Credential::api_key;
            if (is_proof) proofs.insert(request.connection);
            auto const is_change = request.method != "GET" && request.path.find(old_uid) != std::string::npos;
            if (!is_change) continue;
            is_revoked = true;
            if (proofs.size() < 2) return false;
        }
        return is_revoked;
    }

    [[nodiscard]] std::size_t created() const {
        auto const requests = emulator_.requests();
        return static_cast<std::size_t>(std::count_if(
            requests.begin() + static_cast<std::ptrdiff_t>(requests_before_), requests.end(),
            [](auto const& request) {
                return request.method == "POST" && request.path == "/v1/apiKeys" && request.status / 100 == 2;
            }));
    }

private:
    [[nodiscard]] const testing::TestUser& user() const { return emulator_.user(Admin::tenant_admin); }

    std::shared_ptr<AheadClock> clock_ = std::make_shared<AheadClock>();
    testing::Emulator emulator_{{.plain_http = true,
                                 .quota = 4 * slots,
                                 .rate_limit = testing::RateLimit::off(),
                                 .clock = clock_,
                                 .requests_kept = 100'000}};
    TemporaryFolder folder_{fast_folder()};
    lifecycle::RotateOptions rotate_options_ =
        lifecycle::RotateOptions().overlap(0ms).retire(lifecycle::Retire::revoke);
    std::string how_;
    std::vector<std::string> old_;
    std::size_t requests_before_ = 0;
};

bool begins(const std::string& text, std::string_view with) {
    return text.starts_with("Rotation{" + std::string(with));
}

TEST_CASE(
    "real etcd: of two processes that race, one rotates and the other finds it done or busy, 100 times") {
    Race race("locks");
    std::map<std::string, int> outcomes;
    for (auto const& [slot, lines] : race.run({}, {})) {
        CAPTURE(slot);
        REQUIRE(lines.size() == 2);
        auto const& [winner, loser] =
            begins(lines[0], "completed") ? std::pair(lines[0], lines[1]) : std::pair(lines[1], lines[0]);
        CAPTURE(winner);
        CAPTURE(loser);
        CHECK(begins(winner, "completed"));
        CHECK((begins(loser, "busy") || begins(loser, "not_due")));
        ++outcomes[loser.substr(9, loser.find(',') - 9)];
    }
    for (auto const& [outcome, count] : outcomes)
        MESSAGE(count, " losers: ", outcome);
    CHECK(race.created() == Race::slots);
    race.check_successors();
}

TEST_CASE("real etcd: where locks keep nobody out, versions leave one successor, 100 times") {
    Race race("versions");
    // The second one comes in the middle of what the first one does, and takes it for dead.
    auto const said =
        race.run({"idle"}, {"idle", "planned", "created", "staged", "proven", "overlap", "revoked"});
    std::map<std::string, int> outcomes;
    for (auto const& [slot, lines] : said) {
        REQUIRE(lines.size() == 2);
        for (auto const& line : lines)
            ++outcomes[line.substr(0, line.find(','))];
    }
    for (auto const& [outcome, count] : outcomes)
        MESSAGE(count, " times: ", outcome);
    MESSAGE(race.created(), " keys were created for ", Race::slots, " slots");
    // Whoever comes after them ends what both have left.
    race.wait(10min);
    race.rotate_all();
    race.check_successors();
}

}  // namespace etcd_processes_test
