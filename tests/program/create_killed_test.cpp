// SPDX-License-Identifier: BSL-1.0
// The example create_survives_kill, killed for real and run again: the key whose value was stored lives, and
// every other key of its name is deleted, or named by a note that a later run takes up.
#include "support/environment.hpp"
#include "support/process.hpp"
#include "support/temporary_folder.hpp"

#include <palette/api_keys.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace create_killed_test {

using namespace std::chrono_literals;
using namespace palette;
using testing::Emulator;
using testing::EmulatorOptions;
using testing::ReceivedRequest;
using testing::Role;
using Clock = std::chrono::steady_clock;

constexpr std::string_view mark = "palette-keys-create";

class Survivor {
public:
    explicit Survivor(std::shared_ptr<testing::ManualClock> clock = nullptr,
                      std::vector<std::string> options = {})
        : options_(std::move(options)),
          emulator_([&] {
              EmulatorOptions settings;
              settings.clock = std::move(clock);
              settings.plain_http = true;
              settings.rate_limit = testing::RateLimit::off();
              settings.on_request = [this](const ReceivedRequest& request) {
                  if (hides_folder_ && request.method == "POST" && request.path == "/v1/apiKeys")
                      hide_folder();
                  bool const reads_one = request.method == "GET" && request.path.starts_with("/v1/apiKeys/");
                  if (reads_one || !confirmation_counts_) count_request();
              };
              return settings;
          }()),
          host_("PALETTE_HOST", emulator_.url()),
          key_("PALETTE_API_KEY", std::string(emulator_.user(Role::tenant_admin).api_key.expose())) {}

    Emulator& emulator() noexcept { return emulator_; }

    // Runs the program, kills it at its n-th request, before the answer, and waits for its end. Whether it
    // came to be killed.
    bool run_and_kill_at(int request) {
        seen_ = 0;
        kill_at_ = request;
        child::Process process(PALETTE_KILLED_PROGRAM, arguments());
        auto const latest = Clock::now() + 30s;
        while (!reached_ && !a_child_has_ended() && Clock::now() < latest)
            std::this_thread::sleep_for(1ms);
        if (reached_) process.send(SIGKILL);
        auto const end = process.wait_for_end();
        kill_at_ = 0;
        release();
        REQUIRE(end);
        return end->signal == SIGKILL;
    }

    // The same at the first read of a key by its uid.
    bool run_and_kill_at_confirmation() {
        confirmation_counts_ = true;
        auto const was_killed = run_and_kill_at(1);
        confirmation_counts_ = false;
        return was_killed;
    }

    // The same after a time.
    bool run_and_kill_after(std::chrono::microseconds time) {
        child::Process process(PALETTE_KILLED_PROGRAM, arguments());
        std::this_thread::sleep_for(time);
        process.send(SIGKILL);
        auto const end = process.wait_for_end();
        REQUIRE(end);
        return end->signal == SIGKILL;
    }

    // Two runs, the second started when the key of the first is there and its value has not been answered.
    void run_two_that_overlap() {
        emulator_.faults().add("POST /v1/apiKeys delay:1000 x1");
        child::Process first(PALETTE_KILLED_PROGRAM, arguments());
        auto const latest = Clock::now() + 30s;
        while (keys_made().empty() && Clock::now() < latest)
            std::this_thread::sleep_for(1ms);
        REQUIRE(keys_made().size() == 1);
        child::Process second(PALETTE_KILLED_PROGRAM, arguments());
        for (auto* const process : {&first, &second}) {
            auto const end = process->wait_for_end();
            REQUIRE(end);
            CAPTURE(end->errors);
            CHECK(end->status == 0);
        }
    }

    // To its end: what it said.
    std::string run() { return run(arguments()); }

    // The same for a visit that only cleans up.
    std::string run_clean_up() {
        child::Process::Options options;
        options.arguments = {folder_.path(), "--clean-up"};
        return run(options);
    }

    // The same: its status.
    int status_of_clean_up() {
        child::Process::Options options;
        options.arguments = {folder_.path(), "--clean-up"};
        child::Process process(PALETTE_KILLED_PROGRAM, options);
        auto const end = process.wait_for_end();
        REQUIRE(end);
        return end->status;
    }

    // The same: what it said on standard error.
    std::string run_for_errors(int status = 0) {
        child::Process process(PALETTE_KILLED_PROGRAM, arguments());
        auto const end = process.wait_for_end();
        REQUIRE(end);
        CHECK(end->status == status);
        return end->errors;
    }

    // The same for a run that fails: its error.
    std::string run_and_fail() { return run_for_errors(1); }

    // The same for a run that can write nothing more when its key is made.
    std::string run_and_fail_to_store() {
        hides_folder_ = true;
        auto errors = run_and_fail();
        REQUIRE_FALSE(hides_folder_);
        std::filesystem::rename(hidden_folder(), folder_.path());
        return errors;
    }

    // What is so after a run that was not killed.
    void check_all_is_well() {
        std::vector<std::string> values;
        for (auto const& name : folder_.names())
            if (name.ends_with(".key")) values.push_back(name);
        CHECK(values == std::vector<std::string>{"value.key"});
        auto const keys = keys_made();
        REQUIRE(keys.size() == 1);
        CHECK(keys[0].annotations.contains(mark));
        CHECK(keys[0].is_active);

        auto options = emulator_.client_options(Role::tenant_admin);
        options.auth = auth::file(folder_.path("value.key"));
        CHECK(BlockingApiKeyClient(options).whoami());
    }

    // Until so many of the keys that were asked for are there.
    void wait_for_keys(std::size_t number) {
        auto const latest = Clock::now() + 20s;
        while (keys_made().size() < number && Clock::now() < latest)
            std::this_thread::sleep_for(10ms);
        REQUIRE(keys_made().size() == number);
    }

    // Runs it later, when so many of the keys are there: what it said.
    std::string run_once_there_are(std::size_t number) {
        wait_for_keys(number);
        return run();
    }

    // Takes the value away, as whoever wanted it does.
    void hand_over() const { REQUIRE(std::filesystem::remove(folder_.path("value.key"))); }

    // The same, and lets the next run make another one.
    void hand_over_for_another() const {
        hand_over();
        REQUIRE(std::filesystem::remove(folder_.path("value.nonce")));
    }

    // Lets the one record look as if it had been written so long ago.
    void age_record(std::chrono::hours age) const {
        REQUIRE(notes(".record") == 1);
        for (auto const& name : folder_.names())
            if (name.ends_with(".record"))
                std::filesystem::last_write_time(folder_.path(name),
                                                 std::filesystem::file_time_type::clock::now() - age);
    }

    [[nodiscard]] const TemporaryFolder& folder() const noexcept { return folder_; }

    [[nodiscard]] std::ptrdiff_t notes(std::string_view kind) const {
        return std::ranges::count_if(folder_.names(), [&](auto const& name) { return name.ends_with(kind); });
    }

    [[nodiscard]] std::vector<ApiKey> keys_made() const {
        std::vector<ApiKey> made;
        for (auto const& key : emulator_.keys())
            if (key.name == "example-survivor") made.push_back(key);
        return made;
    }

private:
    [[nodiscard]] child::Process::Options arguments() const {
        child::Process::Options options;
        options.arguments = options_;
        options.arguments.insert(options.arguments.begin(), folder_.path());
        return options;
    }

    static std::string run(const child::Process::Options& options) {
        child::Process process(PALETTE_KILLED_PROGRAM, options);
        auto const end = process.wait_for_end();
        REQUIRE(end);
        CAPTURE(end->errors);
        REQUIRE(end->status == 0);
        return end->output;
    }

    // In the emulator's thread: holds the answer back until the program is dead.
    void count_request() {
        if (kill_at_ == 0 || ++seen_ != kill_at_) return;
        reached_ = true;
        auto const latest = Clock::now() + 30s;
        while (reached_ && kill_at_ != 0 && Clock::now() < latest)
            std::this_thread::sleep_for(1ms);
    }
    void release() { reached_ = false; }

    [[nodiscard]] std::string hidden_folder() const {
        return std::filesystem::path(folder_.path()).parent_path().string() + "-hidden";
    }
    void hide_folder() {
        hides_folder_ = false;
        std::filesystem::rename(folder_.path(), hidden_folder());
    }

    // There is one at most, and it is still to be waited for.
    static bool a_child_has_ended() {
        siginfo_t info{};
        return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0;
    }

    TemporaryFolder folder_;
    std::vector<std::string> options_;  // of the program, after the folder
    std::atomic<int> seen_ = 0;
    std::atomic<int> kill_at_ = 0;
    std::atomic<bool> reached_ = false;
    std::atomic<bool> confirmation_counts_ = false;  // and nothing else
    std::atomic<bool> hides_folder_ = false;
    Emulator emulator_;
    EnvironmentVariable host_;
    EnvironmentVariable key_;
};

TEST_CASE("create survives a kill: at each of its requests, the next run leaves one key, and has its value") {
    int killed = 0;
    int left = 0;
    for (int request = 1;; ++request) {
        CAPTURE(request);
        Survivor survivor;
        bool const was_killed = survivor.run_and_kill_at(request);
        left += static_cast<int>(was_killed && !survivor.keys_made().empty());
        survivor.run();
        survivor.check_all_is_well();
        if (!was_killed) break;
        ++killed;
    }
    CHECK(killed >= 4);  // whose it is, which keys bear the nonce, the create, its confirmation
    CHECK(left >= 1);    // keys that nobody had the value of
    MESSAGE("killed at ", killed, " requests, with ", left, " keys left behind");
}

TEST_CASE("create survives a kill: at random moments, several times in a row") {
    constexpr unsigned seed = 20'260'921;
    MESSAGE("seed ", seed);
    std::mt19937 random(seed);
    // What a run takes that is not held up by others.
    auto whole = Clock::duration::max();
    for (int i = 0; i < 3; ++i) {
        Survivor survivor;
        auto const begin = Clock::now();
        survivor.run();
        whole = std::min(whole, Clock::now() - begin);
        survivor.check_all_is_well();
    }
    auto const longest = std::chrono::duration_cast<std::chrono::microseconds>(whole).count();
    int killed = 0;
    int left = 0;
    // More, where each came to its end: a machine may be slow when the time of a run is measured, and quick
    // then.
    for (int round = 0; round < 12 || (killed == 0 && round < 200); ++round) {
        CAPTURE(round);
        Survivor survivor;
        // The answer to a create takes a quarter of the time, so that many die over it.
        survivor.emulator().faults().add("POST /v1/apiKeys delay:" + std::to_string(longest / 4'000));
        for (int i = std::uniform_int_distribution(1, 3)(random); i > 0; --i) {
            std::uniform_int_distribution<long> moment(0, longest * 5 / 4);
            killed +=
                static_cast<int>(survivor.run_and_kill_after(std::chrono::microseconds(moment(random))));
        }
        left += static_cast<int>(survivor.keys_made().size());
        survivor.run();
        survivor.run();  // what came late, of a request that was on its way
        survivor.check_all_is_well();
    }
    CHECK(killed >= 1);
    MESSAGE("killed ", killed, " times; ", left, " keys were there before the last runs");
}

TEST_CASE("create survives a kill: with the key of another user, who is looked at before") {
    Survivor survivor(nullptr, {"--for=ada@acme.com"});
    auto const ada = survivor.emulator().add_user({.email = "ada@acme.com"});
    CHECK(survivor.run_and_kill_at(4));  // the create
    CHECK(survivor.keys_made().size() == 1);
    survivor.run();
    survivor.check_all_is_well();
    CHECK(survivor.keys_made().at(0).owner.uid == ada.uid);

    Survivor other(nullptr, {"--for=bob@acme.com"});
    other.emulator().add_user(testing::NewTestUser{.email = "bob@acme.com"}.inactive());
    CHECK(other.run_and_fail().find("not active") != std::string::npos);
    CHECK(other.keys_made().empty());
    CHECK(other.folder().names().empty());
}

TEST_CASE("create survives a kill: a directory is for one user's key, and an unknown option makes none") {
    Survivor survivor(nullptr, {"--for=ada@acme.com"});
    survivor.emulator().add_user({.email = "ada@acme.com"});
    survivor.emulator().add_user({.email = "bob@acme.com"});
    survivor.run();
    survivor.check_all_is_well();
    for (auto const* const other : {"--for=bob@acme.com", "", "--fro=ada@acme.com", "--for="}) {
        CAPTURE(other);
        child::Process::Options options;
        options.arguments = {survivor.folder().path()};
        if (*other != '\0') options.arguments.emplace_back(other);
        child::Process process(PALETTE_KILLED_PROGRAM, options);
        auto const end = process.wait_for_end();
        REQUIRE(end);
        CHECK(end->status == 1);
        auto const is_unknown =
            std::string_view(other).starts_with("--fro=") || std::string_view(other) == "--for=";
        CHECK(end->errors.find(is_unknown ? "unknown option" : "is for a key of ada@acme.com") !=
              std::string::npos);
        survivor.check_all_is_well();
    }
}

TEST_CASE("create survives a kill: a run beside another one does not take its key for a left-over") {
    Survivor survivor;
    survivor.run_two_that_overlap();
    survivor.check_all_is_well();
}

TEST_CASE("create survives a kill: a key that comes to be after the next run is deleted by a later one") {
    auto const clock = std::make_shared<testing::ManualClock>();
    Survivor survivor(clock);
    survivor.emulator().faults().add("POST /v1/apiKeys apply-late:60000 x1");
    // The first create, whose key comes late, is killed while it looks for the key: at its fifth request.
    CHECK(survivor.run_and_kill_at(5));
    survivor.run();
    REQUIRE(survivor.keys_made().size() == 1);
    clock->advance(61s);
    CHECK(survivor.run_once_there_are(2).find("removed") != std::string::npos);
    survivor.check_all_is_well();
}

TEST_CASE(
    "create survives a kill: a create that asked twice notes what it left, and a later run deletes it") {
    auto const clock = std::make_shared<testing::ManualClock>();
    Survivor survivor(clock, {"--retry-when-unseen"});
    survivor.emulator().faults().add("POST /v1/apiKeys apply-late:60000 x1");
    survivor.run();
    CHECK(survivor.notes(".left") == 1);
    CHECK(survivor.notes(".record") == 0);
    survivor.check_all_is_well();
    clock->advance(61s);
    CHECK(survivor.run_once_there_are(2).find("removed") != std::string::npos);
    survivor.check_all_is_well();
    CHECK(survivor.notes(".left") == 1);  // for a day: more may come
}

TEST_CASE("create survives a kill: a create that asked twice is killed before it notes anything") {
    auto const clock = std::make_shared<testing::ManualClock>();
    Survivor survivor(clock, {"--retry-when-unseen"});
    survivor.emulator().faults().add("POST /v1/apiKeys apply-late:60000 x1");
    // At the confirmation of the second key, whose value was received.
    REQUIRE(survivor.run_and_kill_at_confirmation());
    CHECK(survivor.notes(".left") == 0);
    CHECK(survivor.keys_made().size() == 1);
    CHECK(survivor.run().find("removed") != std::string::npos);
    survivor.check_all_is_well();
    clock->advance(61s);
    CHECK(survivor.run_once_there_are(2).find("removed") != std::string::npos);
    survivor.check_all_is_well();
}

TEST_CASE(
    "create survives a kill: a visit that cleans up deletes a late key, and creates none for a handed one") {
    auto const clock = std::make_shared<testing::ManualClock>();
    Survivor survivor(clock);
    survivor.emulator().faults().add("POST /v1/apiKeys apply-late:60000 x1");
    CHECK(survivor.run_and_kill_at(5));
    survivor.run();
    survivor.check_all_is_well();
    auto const made = survivor.keys_made();
    survivor.hand_over();
    clock->advance(61s);
    survivor.wait_for_keys(2);
    CHECK(survivor.run_clean_up().find("removed") != std::string::npos);
    CHECK(survivor.keys_made() == made);
    CHECK(survivor.notes(".key") == 0);
}

TEST_CASE(
    "create survives a kill: a record goes after 25 hours, and only if the service is seen to keep marks") {
    Survivor survivor;
    survivor.emulator().faults().add("POST /v1/apiKeys strip-annotations");
    CHECK(survivor.run_and_kill_at(3));  // the create
    survivor.run();
    survivor.age_record(26h);
    CHECK(survivor.run_clean_up().find("may drop annotations") != std::string::npos);
    CHECK(survivor.notes(".record") == 1);

    survivor.emulator().faults().clear();
    survivor.hand_over_for_another();
    survivor.age_record(24h);
    survivor.run();  // whose key bears the mark
    CHECK(survivor.notes(".record") == 1);
    survivor.age_record(26h);
    survivor.run_clean_up();
    CHECK(survivor.notes(".record") == 0);
    CHECK(survivor.notes(".key") == 1);
}

TEST_CASE("create survives a kill: a clean-up that the service refuses has failed") {
    Survivor survivor;
    CHECK(survivor.run_and_kill_at(3));  // the create
    survivor.emulator().faults().add("GET /v1/apiKeys status:403");
    CHECK(survivor.status_of_clean_up() == 1);
    survivor.emulator().faults().clear();
    CHECK(survivor.status_of_clean_up() == 0);
    CHECK(survivor.keys_made().empty());
}

TEST_CASE(
    "create survives a kill: a key whose value cannot be stored is deleted at once, and the next run makes "
    "one") {
    Survivor survivor;
    auto const errors = survivor.run_and_fail_to_store();
    CHECK(errors.find("run again") != std::string::npos);
    CHECK(errors.find("nothing was changed") == std::string::npos);
    CHECK(survivor.keys_made().empty());
    survivor.run();
    survivor.check_all_is_well();
}

TEST_CASE("create survives a kill: a run finds out by its own create that the service drops annotations") {
    Survivor survivor;
    survivor.emulator().faults().add("POST /v1/apiKeys strip-annotations");
    CHECK(survivor.run_and_kill_at(3));  // the create
    auto const errors = survivor.run_for_errors();
    CAPTURE(errors);
    CHECK(errors.find("annotations") != std::string::npos);
    CHECK(survivor.notes(".record") == 1);
}

TEST_CASE("create survives a kill: a value that was taken, or emptied, is said, and no other key is made") {
    for (bool is_emptied : {false, true}) {
        CAPTURE(is_emptied);
        Survivor survivor;
        survivor.run();
        auto const uid = survivor.keys_made().at(0).uid;
        auto const value = survivor.folder().path("value.key");
        auto const note = survivor.folder().path("value.nonce");
        auto const taken = survivor.folder().path("taken");
        // As if the run had been killed before the value had its name.
        std::filesystem::rename(value, survivor.folder().path(content_of(note) + ".key"));
        std::filesystem::remove(note);
        survivor.run();
        std::filesystem::copy_file(value, taken);
        if (is_emptied)
            std::filesystem::resize_file(value, 0);
        else
            survivor.hand_over();
        for (int run = 0; run < 2; ++run) {
            auto const errors = survivor.run_and_fail();
            CAPTURE(errors);
            CHECK(errors.find("the value of the key " + uid + " was in ") != std::string::npos);
            CHECK(errors.find("put it back") != std::string::npos);
            CHECK(errors.find("value.nonce") != std::string::npos);
            CHECK(survivor.keys_made().size() == 1);
        }
        CHECK(survivor.status_of_clean_up() == 0);
        // As it says: put back.
        std::filesystem::rename(taken, value);
        survivor.run();
        survivor.check_all_is_well();
        // Or another one, on purpose.
        survivor.hand_over_for_another();
        survivor.run();
        CHECK(survivor.keys_made().size() == 2);
        CHECK_FALSE(content_of(value).empty());
    }
}

TEST_CASE("create survives a kill: an empty file of the wanted name is not a value, and no key is made") {
    Survivor survivor;
    static_cast<void>(survivor.folder().file("value.key", ""));
    CHECK(survivor.run_and_fail().find("value.key is empty") != std::string::npos);
    CHECK(survivor.keys_made().empty());
}

TEST_CASE("create survives a kill: a directory where others may write is refused") {
    Survivor survivor;
    std::filesystem::permissions(survivor.folder().path(),
                                 std::filesystem::perms::owner_all | std::filesystem::perms::group_write);
    CHECK(survivor.run_and_fail().find("may be written by others") != std::string::npos);
    CHECK(survivor.keys_made().empty());
}

TEST_CASE("create survives a kill: a run that made no key is not taken for one whose value was taken") {
    Survivor survivor;
    survivor.emulator().faults().add("POST /v1/apiKeys status:403 x1");
    survivor.run_and_fail();
    survivor.run();
    survivor.check_all_is_well();
}

TEST_CASE("create survives a kill: a value whose name is taken stays, and nothing more is created") {
    Survivor survivor;
    survivor.run();
    auto const value = content_of(survivor.folder().path("value.key"));
    auto const second = survivor.folder().file(std::string(32, 'a') + ".key", "another value");
    CHECK(survivor.run_and_fail().find(second) != std::string::npos);
    CHECK(content_of(second) == "another value");
    CHECK(content_of(survivor.folder().path("value.key")) == value);
    CHECK(survivor.keys_made().size() == 1);
}

}  // namespace create_killed_test
