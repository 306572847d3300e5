// SPDX-License-Identifier: BSL-1.0
#include "support/known_names.hpp"
#include "support/patience.hpp"
#include "support/scene.hpp"

#include <palette/blocking_client.hpp>
#include <palette/client.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>
#include <netdb.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

// The system's lookup cannot be interrupted: nobody waits for it longer than they want to.

namespace slow_lookup_test {

using namespace std::chrono_literals;

// What looks up a name that ends in ".slow.test" stays here, until the test has seen enough.
class SlowLookups {
public:
    void stay() {
        std::unique_lock lock(mutex_);
        ++begun_;
        ++inside_;
        changed_.notify_all();
        changed_.wait_for(lock, 1min, [this] { return open_; });
        --inside_;
        changed_.notify_all();
    }

    void close() {
        std::lock_guard const lock(mutex_);
        open_ = false;
        begun_ = 0;
    }
    // Lets all go, and waits until they have gone.
    void open() {
        std::unique_lock lock(mutex_);
        open_ = true;
        changed_.notify_all();
        changed_.wait(lock, [this] { return inside_ == 0; });
    }

    [[nodiscard]] int begun() {
        std::lock_guard const lock(mutex_);
        return begun_;
    }
    [[nodiscard]] int inside() {
        std::lock_guard const lock(mutex_);
        return inside_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = true;
    int begun_ = 0;
    int inside_ = 0;
};

// Never destroyed: the threads that use it are those of the library, and end when they like.
SlowLookups& slow_lookups() {
    static auto* const all = new SlowLookups;
    return *all;
}

int look_up_slowly() {
    slow_lookups().stay();
    return EAI_AGAIN;
}

using namespace palette;
using std::chrono::steady_clock;
using support::Watched;

// Of this process.
std::ptrdiff_t threads() {
    std::filesystem::directory_iterator const all("/proc/self/task");
    return std::distance(begin(all), end(all));
}

struct SlowScene {
    SlowScene() {
        slow_lookups().close();
        known_names::answer_slow_ones_by(&look_up_slowly);
        options.endpoint = Endpoint::parse("https://service.slow.test").value();
    }
    SlowScene(const SlowScene&) = delete;
    SlowScene& operator=(const SlowScene&) = delete;
    ~SlowScene() {
        slow_lookups().open();
        // The program does not end in the middle of a lookup.
        while (threads() > threads_before)
            std::this_thread::yield();
    }

    testing::Emulator emulator;
    std::ptrdiff_t threads_before = threads();
    ClientOptions options = emulator.client_options(testing::Role::tenant_admin);
};

steady_clock::duration since(steady_clock::time_point begun) {
    return steady_clock::now() - begun;
}

// Tries what ends by a deadline, until one has ended in the middle of a lookup: a busy machine may take all
// of the time until the lookup begins.
template <class Try>
void end_in_lookup(std::chrono::milliseconds time, Try by_deadline) {
    for (; slow_lookups().begun() == 0; time *= 2) {
        REQUIRE(time < 10 * patience);
        CAPTURE(time.count());
        by_deadline(time);
    }
}

TEST_CASE("client slow lookup: an operation ends by its deadline, and so do the next one and the context") {
    SlowScene scene;
    std::optional<support::EventLoop> loop(std::in_place);
    auto client = std::make_optional<ApiKeyClient>(loop->context, scene.options);
    auto const renew = [&](std::chrono::milliseconds time) {
        auto const begun = steady_clock::now();
        Watched<> renewed;
        client->async_renew("5f1b2c3d4e5f6a7b8c9d0e1f", 1h, CallOptions().deadline(time), renewed.handler());
        loop->run();
        CHECK(since(begun) >= time);
        CHECK(since(begun) < time + patience);
        CHECK(renewed.error().code() == errc::timeout);
        CHECK(renewed.error().effect() == Effect::not_applied);
    };
    end_in_lookup(200ms, renew);
    renew(200ms);
    CHECK(slow_lookups().begun() == 1);
    CHECK(slow_lookups().inside() == 1);
    auto const begun = steady_clock::now();
    client.reset();
    loop.reset();
    CHECK(since(begun) < patience);
    CHECK(slow_lookups().inside() == 1);
}

TEST_CASE("client slow lookup: a context is destroyed in the middle of it") {
    SlowScene scene;
    Watched<> list;
    auto const begun = steady_clock::now();
    {
        support::EventLoop loop;
        ApiKeyClient client(loop.context, scene.options);
        client.async_list(list.handler());
        loop.run_until([] { return slow_lookups().inside() > 0; });
    }
    CHECK(since(begun) < patience);
    CHECK_FALSE(list.has_ended());
    CHECK(slow_lookups().inside() == 1);
}

TEST_CASE("client slow lookup: a client that is destroyed in the middle of it ends its operations") {
    SlowScene scene;
    support::EventLoop loop;
    auto client = std::make_optional<ApiKeyClient>(loop.context, scene.options);
    Watched<> list;
    client->async_list(list.handler());
    loop.run_until([] { return slow_lookups().inside() > 0; });
    auto const begun = steady_clock::now();
    client.reset();
    loop.run();
    CHECK(since(begun) < patience);
    CHECK(list.is_aborted());
}

TEST_CASE("client slow lookup: timeouts.lookup bounds it too") {
    SlowScene scene;
    scene.options.timeouts.lookup = 100ms;
    scene.options.retry.max_attempts = 1;
    auto const begun = steady_clock::now();
    BlockingApiKeyClient client(scene.options);
    auto const list = client.list();
    CHECK(since(begun) < patience);
    REQUIRE_FALSE(list);
    CHECK(list.error().code() == errc::timeout);
    CHECK(list.error().effect() == Effect::not_applied);
}

TEST_CASE("client slow lookup: a blocking client is destroyed in the middle of one") {
    SlowScene scene;
    end_in_lookup(100ms, [&](std::chrono::milliseconds time) {
        auto const begun = steady_clock::now();
        {
            BlockingApiKeyClient client(scene.options);
            auto const list = client.list({}, CallOptions().deadline(time));
            CHECK(list.error().code() == errc::timeout);
        }
        CHECK(since(begun) < time + patience);
    });
    CHECK(slow_lookups().inside() == 1);
}

TEST_CASE("client slow lookup: the name of a proxy keeps nobody longer than their deadline either") {
    SlowScene scene;
    scene.options.endpoint = Endpoint::parse("https://palette.test").value();
    scene.options.proxy.url = "http://proxy.slow.test:3128";
    BlockingApiKeyClient client(scene.options);
    end_in_lookup(200ms, [&](std::chrono::milliseconds time) {
        auto const begun = steady_clock::now();
        auto const keys = client.list({}, CallOptions().deadline(time));
        CHECK(since(begun) >= time);
        CHECK(since(begun) < time + patience);
        REQUIRE_FALSE(keys);
        CHECK(keys.error().code() == errc::timeout);
    });
    CHECK(slow_lookups().begun() == 1);
}

TEST_CASE("client slow lookup: clients that come and go leave no more threads than the process may have") {
    SlowScene scene;
    int waited = 0;
    constexpr auto least = 5ms;
    for (auto [i, time] = std::pair(0, least); i < 200; ++i) {
        BlockingApiKeyClient client(scene.options);
        auto const list = client.list({}, CallOptions().deadline(time));
        REQUIRE_FALSE(list);
        CHECK(list.error().code() == errc::timeout);
        auto const is_in_lookup =
            list.error().what().ends_with(" ms, waiting for the lookup of the host's name");
        waited += is_in_lookup ? 1 : 0;
        // On a busy machine some deadlines pass before that: the next one is later.
        time = is_in_lookup ? std::max(time / 2, least) : time * 2;
    }
    CHECK(waited > 16);
    CHECK(slow_lookups().inside() <= 16);
    // A thread that has been joined may be listed for a moment more.
    auto const latest = steady_clock::now() + patience;
    while (threads() > scene.threads_before + 16 && steady_clock::now() < latest)
        std::this_thread::yield();
    CHECK(threads() <= scene.threads_before + 16);
}

}  // namespace slow_lookup_test
