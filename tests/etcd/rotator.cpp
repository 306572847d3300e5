// SPDX-License-Identifier: BSL-1.0
// A process of the tests of this folder.
//
//     etcd_rotator hold ETCD SLOT
//     etcd_rotator race ETCD EMULATOR FOLDER COUNT locks|versions
//
// `hold` takes the lock of the slot, says so, and keeps it until it is killed. `race` says that it is ready,
// and at SIGUSR1 rotates the keys of as many slots, locks-0 and so on, in FOLDER, all at once, as the user
// whose e-mail address and password are in RACE_EMAIL and RACE_PASSWORD; a line for each says how that ended.
// With `versions`, everybody gets every lock.
#include <palette/auth.hpp>
#include <palette/client.hpp>
#include <palette/lifecycle/rotation.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace palette;
namespace asio = boost::asio;
using Store = std::shared_ptr<lifecycle::RotationStore>;

constexpr auto prefix = "/fleet/";

// Everybody gets the lock: what is left is the comparison of versions.
class WithoutLocks final : public lifecycle::RotationStore {
public:
    WithoutLocks(Store store, std::string state) : store_(std::move(store)), state_(std::move(state)) {}

    asio::awaitable<Result<std::shared_ptr<lifecycle::SlotLock>>> lock(std::string) override {
        co_return std::make_shared<Nothing>();
    }
    asio::awaitable<Result<lifecycle::StoredRecord>> load(std::string slot) override {
        auto const first = co_await store_->load(slot);
        auto const begun = std::chrono::steady_clock::now();
        for (auto found = first;; found = co_await store_->load(slot)) {
            // Whoever has missed it goes on as well.
            auto const is_over = first && found && found->version != first->version && is_at(*found, "idle");
            auto const is_late = std::chrono::steady_clock::now() - begun > 5s;
            if (!found || is_at(*found, state_) || is_over || is_late) co_return found;
            asio::steady_timer moment(co_await asio::this_coro::executor, 1ms);
            co_await moment.async_wait(asio::use_awaitable);
        }
    }
    asio::awaitable<Result<std::uint64_t>> save(std::string slot, std::string text,
                                                std::uint64_t expected_version) override {
        return store_->save(std::move(slot), std::move(text), expected_version);
    }

private:
    class Nothing final : public lifecycle::SlotLock {};

    static bool is_at(const lifecycle::StoredRecord& record, const std::string& state) {
        return record.text.find(R"("state":")" + state + '"') != std::string::npos;
    }

    Store store_;
    std::string state_;
};

Store store_in(const std::string& etcd) {
    return lifecycle::etcd_store({Endpoint::parse(etcd).value()}, prefix,
                                 lifecycle::EtcdOptions().lock_ttl(5s));
}

asio::awaitable<void> hold(Store store, std::string slot) {
    auto const lock = co_await store->lock(std::move(slot));
    std::cout << (lock ? std::string("locked") : lock.error().message()) << std::endl;
    asio::steady_timer forever(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    co_await forever.async_wait(asio::use_awaitable);
}

asio::awaitable<void> rotate(ApiKeyClient& client, lifecycle::Slot slot) {
    auto const rotation = co_await lifecycle::async_rotate(
        client, slot, lifecycle::RotateOptions().overlap(0ms).retire(lifecycle::Retire::revoke));
    std::cout << slot.name() << ' ';
    if (rotation)
        std::cout << *rotation;
    else
        std::cout << "error: " << rotation.error().message();
    std::cout << '\n';
}

int race(const std::vector<std::string>& words) {
    sigset_t start;
    sigemptyset(&start);
    sigaddset(&start, SIGUSR1);
    sigprocmask(SIG_BLOCK, &start, nullptr);

    auto const store = store_in(words[1]);
    std::vector<std::string> const states(words.begin() + 6, words.end());
    ClientOptions options;
    options.endpoint = Endpoint::parse(words[2]).value();
    options.auth =
        auth::login(auth::LoginOptions(std::getenv("RACE_EMAIL"), Secret(std::getenv("RACE_PASSWORD"))));
    options.rate_limit = RateLimitOptions::off();
    asio::io_context context;
    ApiKeyClient client(context, options);
    for (int i = 0, count = std::atoi(words[4].c_str()); i < count; ++i) {
        auto const name = words[5] + '-' + std::to_string(i);
        auto const state = states.empty() ? "" : states[static_cast<std::size_t>(i) % states.size()];
        auto const own = states.empty() ? store : std::make_shared<WithoutLocks>(store, state);
        asio::co_spawn(context, rotate(client, {name, lifecycle::file_sink(words[3] + '/' + name), own}),
                       asio::detached);
    }
    std::cout << "ready" << std::endl;
    int signal = 0;
    if (sigwait(&start, &signal) != 0) return 2;
    context.run();
    std::cout << "done" << std::endl;
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    std::vector<std::string> const words(argv + 1, argv + argc);
    if (words.size() >= 6 && words[0] == "race") return race(words);
    if (words.size() != 3 || words[0] != "hold") return 2;
    asio::io_context context;
    asio::co_spawn(context, hold(store_in(words[1]), words[2]), asio::detached);
    context.run();
    return 0;
}
