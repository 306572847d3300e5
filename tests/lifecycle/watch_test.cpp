// SPDX-License-Identifier: BSL-1.0
#include "support/printed.hpp"
#include "support/temporary_folder.hpp"
#include "support/virtual_time.hpp"

#include <palette/impl/lifecycle/watch/watch.hpp>
#include <palette/lifecycle/watch.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace watch_test {

using namespace std::chrono_literals;
using namespace palette;
using lifecycle::ExpiryEvent;
using lifecycle::ExpiryWatch;
using lifecycle::WatchOptions;
using std::chrono::days;
using testing::Role;
using Names = std::vector<std::string>;

// A service with a few keys, and what a watch has told of them.
class Scene {
public:
    Scene() : emulator({.plain_http = true, .rate_limit = testing::RateLimit::off(), .clock = time.clock}) {
        reset_client();
    }

    void add(const std::string& name, std::chrono::milliseconds life) {
        uids[name] = emulator.seed_key(NewApiKey(name).lives_for(life)).uid();
    }

    void reset_client() {
        client.reset();
        auto options = emulator.client_options(Role::tenant_admin);
        time.watch(options);
        client.emplace(time.context, options);
    }

    static std::string name_of(const ExpiryEvent& event) {
        return event.key.name + ' ' + std::to_string(event.threshold / days{1});
    }

    // Handles events until it is stopped; `fails` says which are not handled.
    void run(WatchOptions options, std::chrono::milliseconds for_time) {
        options.on_error([this](const Error& error) { errors.push_back(error); });
        ExpiryWatch watch(*client, std::move(options));
        boost::asio::cancellation_signal stop;
        std::optional<Result<void>> ended;
        watch.async_run(std::bind_front(&Scene::handle, this),
                        boost::asio::bind_cancellation_slot(
                            stop.slot(), [&](Result<void> r) { ended.emplace(std::move(r)); }));
        time.run_for(for_time);
        stop.emit(boost::asio::cancellation_type::terminal);
        time.run_until([&] { return ended.has_value(); });
        end = std::move(ended);
    }

    boost::asio::awaitable<Result<void>> handle(ExpiryEvent event) {
        if (fails && fails(event)) co_return Error(errc::system, "the pager is out of order");
        ++told[name_of(event)];
        order.push_back(name_of(event));
        co_return Result<void>();
    }

    Result<ExpiryEvent> next(ExpiryWatch& watch) {
        std::optional<Result<ExpiryEvent>> event;
        watch.async_next([&](Result<ExpiryEvent> r) { event.emplace(std::move(r)); });
        time.run_until([&] { return event.has_value(); });
        return *std::move(event);
    }

    VirtualTime time;
    testing::Emulator emulator;
    TemporaryFolder folder{fast_folder()};
    std::string file = folder.path("watch.json");
    std::optional<ApiKeyClient> client;
    std::map<std::string, std::string> uids;
    std::map<std::string, int> told;  // how often
    Names order;
    std::vector<Error> errors;
    std::function<bool(const ExpiryEvent&)> fails;
    std::optional<Result<void>> end;
};

const Names all_thresholds{"30", "14", "7", "3", "1", "0"};

TEST_CASE("watch: over a year each threshold is told once for each expiry, within one poll") {
    Scene scene;
    scene.add("a", days{100});
    scene.add("b", days{364});
    scene.add("week", days{7});
    Names late;
    scene.fails = [&](const ExpiryEvent& event) {
        if (*event.key.expiry.instant() - event.threshold + 2h < event.as_of) late.push_back(event.key.name);
        return false;
    };
    scene.run(WatchOptions().poll_interval(2h), days{366});
    for (auto const& threshold : all_thresholds) {
        CHECK(scene.told["a " + threshold] == 1);
        CHECK(scene.told["b " + threshold] == 1);
        CHECK(scene.told["week " + threshold] == (threshold.size() == 1 && threshold < "7" ? 1 : 0));
    }
    CHECK(scene.order.size() == 15);
    CHECK(late.empty());
    CHECK(scene.errors.empty());
    CHECK(scene.end->error().code() == errc::operation_aborted);
    // One list a poll, and one look at who this is.
    auto const polls = days{366} / 2h;
    CHECK(scene.emulator.request_count() <= static_cast<std::uint64_t>(polls) + 3);
}

TEST_CASE("watch: through restarts, sleep and outages each threshold is told once") {
    Scene scene;
    scene.add("a", days{100});
    scene.add("b", days{80});
    auto const options = WatchOptions().poll_interval(6h).state_file(scene.file);
    int const days_of_run[] = {10, 45, 3, 1, 1, 20, 30};
    int const days_of_sleep[] = {0, 9, 0, 2, 0, 0, 5};
    for (std::size_t i = 0; i < std::size(days_of_run); ++i) {
        scene.emulator.faults().add("GET /v1/apiKeys status:503 x3 after=2");
        scene.run(options, days{days_of_run[i]});
        scene.reset_client();
        scene.time.clock->advance(days{days_of_sleep[i]});
    }
    for (auto const& threshold : all_thresholds) {
        CHECK(scene.told["a " + threshold] == 1);
        CHECK(scene.told["b " + threshold] == 1);
    }
    CHECK(scene.order.size() == 12);
}

TEST_CASE("watch: a renewal makes new events, and a key that is renewed in time has none") {
    Scene scene;
    scene.add("renewed", days{40});
    scene.add("fresh", days{60});
    auto const options = WatchOptions().poll_interval(1h).state_file(scene.file);
    auto const renew = [&](const std::string& name, days life) {
        bool is_renewed = false;
        scene.client->async_renew(scene.uids[name], life,
                                  [&](const Result<ApiKey>& r) { is_renewed = r.has_value(); });
        scene.time.run_until([&] { return is_renewed; });
    };
    scene.run(options, days{27});
    CHECK(scene.order == Names{"renewed 30", "renewed 14"});
    scene.order.clear();
    renew("renewed", days{20});
    renew("fresh", days{90});
    scene.run(options, days{21});
    CHECK(scene.order == Names{"renewed 14", "renewed 7", "renewed 3", "renewed 1", "renewed 0"});
}

TEST_CASE("watch: what a handler could not do is told once more, and nothing else is") {
    Scene scene;
    scene.add("a", days{31});
    int tries = 0;
    scene.fails = [&](const ExpiryEvent& event) { return event.threshold == days{14} && ++tries <= 5; };
    scene.run(WatchOptions().state_file(scene.file), days{40});
    CHECK(tries == 6);
    CHECK(scene.order == Names{"a 30", "a 14", "a 7", "a 3", "a 1", "a 0"});
    REQUIRE(scene.errors.size() == 5);
    CHECK(contains(scene.errors[0].message(), "pager"));
}

TEST_CASE(
    "watch: a key whose events cannot be handled keeps no other key waiting, and is tried less and less") {
    Scene scene;
    scene.add("broken", days{31} - 3min);
    scene.add("a", days{31} - 2min);
    scene.add("b", days{31} - 1min);
    std::vector<Instant> tries;
    scene.fails = [&](const ExpiryEvent& event) {
        if (event.key.name != "broken") return false;
        tries.push_back(scene.time.clock->now());
        return true;
    };
    scene.run(WatchOptions().poll_interval(1h), days{3});
    CHECK(scene.order == Names{"a 30", "b 30"});
    REQUIRE(tries.size() > 20);
    std::vector<std::chrono::seconds> pauses;
    for (std::size_t i = 1; i < 11; ++i)
        pauses.push_back(std::chrono::duration_cast<std::chrono::seconds>(tries[i] - tries[i - 1]));
    CHECK(pauses == std::vector<std::chrono::seconds>{30s, 60s, 120s, 240s, 480s, 960s, 1'920s, 1h, 1h, 1h});
    CHECK(scene.errors.size() == tries.size());
}

TEST_CASE("watch: handlers of several keys that fail after one look are tried again together") {
    Scene scene;
    scene.add("a", days{31} - 3min);
    scene.add("b", days{31} - 2min);
    scene.add("c", days{31} - 1min);
    std::vector<Instant> tries;
    scene.fails = [&](const ExpiryEvent&) {
        tries.push_back(scene.time.clock->now());
        return tries.size() <= 6;
    };
    scene.run(WatchOptions(), days{18});
    CHECK(scene.order == Names{"a 30", "b 30", "c 30", "a 14", "b 14", "c 14"});
    REQUIRE(tries.size() == 12);
    CHECK(tries[0] == tries[2]);
    CHECK(tries[3] - tries[0] == 30s);
    CHECK(tries[6] - tries[3] == 60s);
}

TEST_CASE(
    "watch: after handlers have succeeded once more, the first failure is tried again after 30 seconds") {
    Scene scene;
    scene.add("a", days{31});
    std::map<std::chrono::milliseconds, std::vector<Instant>> tries;
    scene.fails = [&](const ExpiryEvent& event) {
        auto& of_this = tries[event.threshold];
        of_this.push_back(scene.time.clock->now());
        return of_this.size() <= 3;
    };
    scene.run(WatchOptions(), days{18});
    CHECK(scene.order == Names{"a 30", "a 14"});
    for (auto const& [threshold, times] : tries) {
        CAPTURE(threshold.count());
        REQUIRE(times.size() == 4);
        CHECK(times[1] - times[0] == 30s);
        CHECK(times[3] - times[0] == 210s);
    }
}

TEST_CASE("watch: an error of the service between two tries of a handler does not shorten its pauses") {
    Scene scene;
    scene.add("a", days{31});
    std::vector<Instant> tries;
    scene.fails = [&](const ExpiryEvent&) {
        tries.push_back(scene.time.clock->now());
        // The look after the second pause fails, and is made again after 30 seconds.
        if (tries.size() == 2) scene.emulator.faults().add("GET /v1/apiKeys status:403 x1");
        return tries.size() <= 3;
    };
    scene.run(WatchOptions(), days{2});
    REQUIRE(tries.size() == 4);
    CHECK(tries[1] - tries[0] == 30s);
    CHECK(tries[2] - tries[1] == 90s);
    CHECK(tries[3] - tries[2] == 120s);
}

TEST_CASE("watch: a handler that throws fails") {
    Scene scene;
    scene.add("a", days{31});
    bool has_thrown = false;
    scene.fails = [&](const ExpiryEvent&) -> bool {
        if (std::exchange(has_thrown, true)) return false;
        throw std::runtime_error("no");
    };
    scene.run(WatchOptions(), days{5});
    CHECK(scene.errors.size() == 1);
    CHECK(scene.order == Names{"a 30"});
}

TEST_CASE("watch: errors of the service are backed off, and do not end it") {
    Scene scene;
    scene.add("a", days{31});
    scene.emulator.faults().add("GET /v1/apiKeys status:403 x8");
    scene.run(WatchOptions(), 1h);
    // After 30, 60, 120, 240, 480, 960 seconds: so many fit into an hour.
    CHECK(scene.errors.size() == 7);
    CHECK(scene.errors[0].code() == errc::forbidden);
    scene.run(WatchOptions(), days{2});
    CHECK(scene.order == Names{"a 30"});
}

TEST_CASE(
    "watch: async_next gives one event after another, and what was given last is told again if no other "
    "was asked for") {
    Scene scene;
    scene.add("a", days{31});
    auto const options = WatchOptions().state_file(scene.file);
    {
        ExpiryWatch watch(*scene.client, options);
        CHECK(Scene::name_of(scene.next(watch).value()) == "a 30");
        CHECK(Scene::name_of(scene.next(watch).value()) == "a 14");
    }
    ExpiryWatch watch(*scene.client, options);
    auto const event = scene.next(watch).value();
    CHECK(Scene::name_of(event) == "a 14");
    CHECK(event.remaining() <= days{14});
    CHECK(event.remaining() > days{14} - 1h);
    CHECK_FALSE(event.superseded);
    CHECK(contains(printed(event), "\"a\""));
    CHECK(Scene::name_of(scene.next(watch).value()) == "a 7");
}

TEST_CASE("watch: what was told is kept when the watch is destroyed, not with the next look only") {
    Scene scene;
    scene.add("a", days{31});
    scene.time.clock->advance(days{20});
    auto const options = WatchOptions().state_file(scene.file);
    {
        ExpiryWatch watch(*scene.client, options);
        auto const first = scene.next(watch).value();
        CHECK(Scene::name_of(first) == "a 30");
        CHECK(first.superseded);
        // This is what says that the first one was handled.
        CHECK(Scene::name_of(scene.next(watch).value()) == "a 14");
    }
    ExpiryWatch watch(*scene.client, options);
    CHECK(Scene::name_of(scene.next(watch).value()) == "a 14");
}

// What each state of the file has not kept yet is told again by a watch that begins with it.
TEST_CASE("watch: while events are due, the state is written once a second, and then with the last of them") {
    Scene scene;
    constexpr int keys = 40;
    for (int i = 0; i < keys; ++i)
        scene.add("k" + std::to_string(i), days{31});
    std::vector<std::string> states;  // as each event finds them
    scene.fails = [&](const ExpiryEvent&) {
        states.push_back(content_of(scene.file));
        scene.time.clock->advance(100ms);
        return false;
    };
    scene.run(WatchOptions().state_file(scene.file), days{2});
    REQUIRE(states.size() == keys);
    auto const last = content_of(scene.file);
    std::size_t writes = 0;
    for (std::size_t i = 1; i < states.size(); ++i)
        writes += states[i] != states[i - 1] ? 1 : 0;
    // 40 events of 100 ms; the look wrote it before.
    CHECK(writes == 3);
    // After a kill: what was told in the second before.
    for (std::size_t const killed_at : {0U, 5U, 9U, 10U, 19U, 20U, 39U}) {
        CAPTURE(killed_at);
        static_cast<void>(scene.folder.file("watch.json", states[killed_at]));
        scene.order.clear();
        scene.fails = nullptr;
        scene.run(WatchOptions().state_file(scene.file), 30min);
        CHECK(scene.order.size() >= keys - killed_at);
        CHECK(scene.order.size() <= keys - killed_at + 10);
    }
    // After an end, nothing.
    static_cast<void>(scene.folder.file("watch.json", last));
    scene.order.clear();
    scene.run(WatchOptions().state_file(scene.file), 30min);
    CHECK(scene.order.empty());
}

TEST_CASE("watch: what was told is kept when the watch is stopped between two events, whatever is due") {
    Scene scene;
    for (auto const* const name : {"a", "b", "c"})
        scene.add(name, days{31});
    scene.time.clock->advance(days{2});
    std::string state;
    {
        ExpiryWatch watch(*scene.client, WatchOptions().state_file(scene.file));
        boost::asio::cancellation_signal stop;
        std::optional<Result<void>> ended;
        int handled = 0;
        scene.fails = [&](const ExpiryEvent&) {
            if (++handled == 2) stop.emit(boost::asio::cancellation_type::terminal);
            return false;
        };
        watch.async_run(std::bind_front(&Scene::handle, &scene),
                        boost::asio::bind_cancellation_slot(
                            stop.slot(), [&](Result<void> r) { ended.emplace(std::move(r)); }));
        scene.time.run_until([&] { return ended.has_value(); });
        CHECK(ended->error().code() == errc::operation_aborted);
        // Before the watch is destroyed.
        state = content_of(scene.file);
    }
    CHECK(scene.order.size() == 2);
    static_cast<void>(scene.folder.file("watch.json", state));
    scene.fails = nullptr;
    scene.run(WatchOptions().state_file(scene.file), 30min);
    CHECK(scene.order.size() == 3);
}

TEST_CASE("watch: a state that could not be read again is not written") {
    using impl::lifecycle::WatchFile;
    TemporaryFolder const folder{fast_folder()};
    auto const file = WatchFile::open(folder.path("watch.json")).value();
    REQUIRE(file.save("t", "good"));
    auto const saved = file.save("t", std::string(WatchFile::max_size, 'x'));
    REQUIRE_FALSE(saved);
    CHECK(saved.error().code() == errc::too_large);
    CHECK_FALSE(saved.error().advice().empty());
    CHECK(file.load("t").value() == "good");
    REQUIRE(file.save("t", std::string(WatchFile::max_size - 1'000, 'x')));
    CHECK(file.load("t").value()->size() == WatchFile::max_size - 1'000);
}

TEST_CASE("watch: a wait that is cancelled does not put off the next look") {
    Scene scene;
    scene.add("a", days{31});
    ExpiryWatch watch(*scene.client, WatchOptions());
    std::optional<ExpiryEvent> found;
    // Each call waits for less than a poll, as beside a timer.
    for (int calls = 0; calls < 24 * 2 * 3 && !found; ++calls) {
        boost::asio::cancellation_signal stop;
        std::optional<Result<ExpiryEvent>> ended;
        watch.async_next(boost::asio::bind_cancellation_slot(
            stop.slot(), [&](Result<ExpiryEvent> r) { ended.emplace(std::move(r)); }));
        scene.time.run_for(30min);
        stop.emit(boost::asio::cancellation_type::terminal);
        scene.time.run_until([&] { return ended.has_value(); });
        if (*ended)
            found = **ended;
        else
            CHECK(ended->error().code() == errc::operation_aborted);
    }
    REQUIRE(found);
    CHECK(Scene::name_of(*found) == "a 30");
}

TEST_CASE("watch: options that cannot be meant are refused before anything is read") {
    Scene scene;
    for (auto const& options :
         {WatchOptions().thresholds({}), WatchOptions().thresholds({days{1}, -1ms}),
          WatchOptions().thresholds({days{36'501}}), WatchOptions().poll_interval(0ms),
          WatchOptions().poll_interval(-1ms), WatchOptions().filter(ListFilter().state(KeyState::active)),
          WatchOptions().filter(ListFilter().name("a").state(KeyState::expired)),
          WatchOptions().filter(ListFilter().state(KeyState::revoked)),
          WatchOptions().poll_interval(std::chrono::milliseconds::max())}) {
        ExpiryWatch watch(*scene.client, options);
        auto const event = scene.next(watch);
        REQUIRE_FALSE(event);
        CHECK(event.error().code() == errc::invalid_argument);
        CHECK_FALSE(event.error().path().empty());
    }
    CHECK(scene.emulator.request_count() == 0);
}

TEST_CASE("watch: a state file that cannot be used is an error that says what to do") {
    Scene scene;
    scene.add("a", days{31});
    scene.run(WatchOptions().state_file(scene.file), days{2});
    auto const good = content_of(scene.file);
    auto const code_of = [&](const std::string& path) {
        ExpiryWatch watch(*scene.client, WatchOptions().state_file(path));
        auto const event = scene.next(watch);
        REQUIRE_FALSE(event);
        CHECK(is_one_plain_line(event.error().message()));
        CHECK_FALSE(event.error().advice().empty());
        return event.error().code();
    };
    // One byte is another.
    for (std::size_t at = 0; at + 1 < good.size(); at += 7) {
        auto bad = good;
        bad[at] = static_cast<char>(bad[at] ^ 1);
        static_cast<void>(scene.folder.file("watch.json", bad));
        auto const code = code_of(scene.file);
        CHECK((code == errc::bad_value || code == errc::conflict));
    }
    // Cut, empty, of a newer version, none at all.
    for (auto const& bad : {good.substr(0, good.size() / 2), std::string(), std::string("{\"schema\":2}"),
                            std::string("[]"), std::string(1, '\0')}) {
        static_cast<void>(scene.folder.file("watch.json", bad));
        CHECK(code_of(scene.file) == errc::bad_value);
    }
    // In a directory in which others may write, and in none.
    ::chmod(scene.folder.path().c_str(), 0777);
    CHECK(code_of(scene.file) == errc::invalid_argument);
    ::chmod(scene.folder.path().c_str(), 0700);
    CHECK(code_of(scene.folder.path("none/watch.json")) == errc::system);
    // The good one is as good as before.
    static_cast<void>(scene.folder.file("watch.json", good));
    scene.order.clear();
    scene.run(WatchOptions().state_file(scene.file), days{2});
    CHECK(scene.order.empty());
    struct stat found{};
    REQUIRE(::stat(scene.file.c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0600);
}

TEST_CASE("watch: after an error of the state file, the service may fail as before") {
    Scene scene;
    scene.add("a", days{31});
    ExpiryWatch watch(*scene.client, WatchOptions().state_file(scene.file));
    CHECK(Scene::name_of(scene.next(watch).value()) == "a 30");
    // No file can take the place of a directory.
    std::filesystem::remove(scene.file);
    std::filesystem::create_directory(scene.file);
    auto const failed = scene.next(watch);
    REQUIRE_FALSE(failed);
    CHECK(contains(failed.error().message(), "watch.json"));
    std::filesystem::remove(scene.file);
    scene.emulator.faults().add("GET /v1/apiKeys status:403 x2");
    CHECK(Scene::name_of(scene.next(watch).value()) == "a 14");
}

TEST_CASE("watch: a state file is used by one watch at a time, and by one tenant") {
    Scene scene;
    scene.add("a", days{31});
    auto const options = WatchOptions().state_file(scene.file);
    {
        ExpiryWatch first(*scene.client, options);
        CHECK(scene.next(first));
        ExpiryWatch second(*scene.client, options);
        auto const event = scene.next(second);
        REQUIRE_FALSE(event);
        CHECK(event.error().code() == errc::conflict);
    }
    Scene other;
    other.add("b", days{31});
    ExpiryWatch watch(*other.client, options);
    auto const event = other.next(watch);
    REQUIRE_FALSE(event);
    CHECK(event.error().code() == errc::conflict);
    CHECK(contains(event.error().message(), "another tenant"));
}

TEST_CASE("watch: only the keys of the filter are watched, and others are not looked for") {
    Scene scene;
    scene.add("a", days{31});
    scene.add("b", days{31});
    scene.run(WatchOptions().filter(ListFilter().name("b")), days{20});
    CHECK(scene.order == Names{"b 30", "b 14"});
}

}  // namespace watch_test
