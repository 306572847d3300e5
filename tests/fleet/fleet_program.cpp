// SPDX-License-Identifier: BSL-1.0

// One of the processes of a fleet: it rotates the key of a slot, or uses it. The tests of this folder start
// it, and some kill it.
//
//     fleet_program rotate FOLDER TIMES OVERLAP QUARANTINE    rotates so often; times in milliseconds
//     fleet_program finish FOLDER                             rotates nothing new, and ends what was begun
//     fleet_program call FOLDER UID sink|rotator              uses the key until the test is over
//     fleet_program apply FOLDER                              applies the plan of the slot, with its journal
//     fleet_program race FOLDER 0|1 locked|unlocked           rotates when it is due, each time that it is
//     told
//
// FOLDER has the shared state, and the slot in a folder of its own.

#include "support/shared_clock.hpp"

#include <palette/client.hpp>
#include <palette/lifecycle/apply.hpp>
#include <palette/lifecycle/plan.hpp>
#include <palette/lifecycle/rotation.hpp>
#include <palette/lifecycle/rotator.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace palette;
using lifecycle::RotateOptions;
using lifecycle::Rotation;
using lifecycle::RotationState;
using lifecycle::Slot;
namespace asio = boost::asio;

// A store whose lock locks nothing, like that of a fleet whose lease has run out: the versions alone decide.
class WithoutLock final : public lifecycle::RotationStore {
public:
    explicit WithoutLock(std::shared_ptr<lifecycle::RotationStore> inner) : inner_(std::move(inner)) {}

    asio::awaitable<Result<std::shared_ptr<lifecycle::SlotLock>>> lock(std::string) override {
        struct Nothing final : lifecycle::SlotLock {};
        std::shared_ptr<lifecycle::SlotLock> held = std::make_shared<Nothing>();
        co_return held;
    }
    asio::awaitable<Result<lifecycle::StoredRecord>> load(std::string slot) override {
        return inner_->load(std::move(slot));
    }
    asio::awaitable<Result<std::uint64_t>> save(std::string slot, std::string text,
                                                std::uint64_t expected) override {
        return inner_->save(std::move(slot), std::move(text), expected);
    }

private:
    std::shared_ptr<lifecycle::RotationStore> inner_;
};

class Program {
public:
    explicit Program(std::vector<std::string> arguments)
        : arguments_(std::move(arguments)),
          shared_(arguments_.at(1) + "/shared"),
          clock_(std::make_shared<SharedClock>(*shared_)) {}

    void run() {
        auto const verb = arguments_.at(0);
        auto work = verb == "rotate"   ? rotate()
                    : verb == "finish" ? finish()
                    : verb == "call"   ? call()
                    : verb == "apply"  ? apply()
                                       : race();
        asio::co_spawn(context_, std::move(work), [](const std::exception_ptr& thrown) {
            if (thrown) std::rethrow_exception(thrown);
        });
        context_.run();
    }

private:
    [[nodiscard]] std::string folder() const { return arguments_[1] + "/slot"; }
    [[nodiscard]] long number(std::size_t index) const { return std::stol(arguments_.at(index)); }

    [[nodiscard]] ClientOptions options() const {
        auto options = ClientOptions::from_environment().value();
        options.clock = clock_;
        options.rate_limit = RateLimitOptions::off();
        // Real time counts here, however fast the clock runs.
        options.timeouts = {
            .queue = 24h, .total = 24h, .lookup = 24h, .connect = 24h, .handshake = 24h, .read = 24h};
        return options;
    }

    [[nodiscard]] Slot slot(bool is_locked = true) const {
        auto store = lifecycle::file_store(folder());
        if (!is_locked) store = std::make_shared<WithoutLock>(std::move(store));
        return Slot("fleet", lifecycle::file_sink(folder() + "/key"), std::move(store));
    }

    static void say(const Result<Rotation>& rotation) {
        if (rotation)
            std::cout << *rotation << std::endl;
        else
            std::cout << rotation.error().message() << std::endl;
    }

    // Until there is nothing left to wait for but the time of the next rotation.
    asio::awaitable<void> end(ApiKeyClient& client, const RotateOptions& options, Result<Rotation> rotation) {
        while (rotation && rotation->next_due && rotation->state != RotationState::idle) {
            auto const waited = co_await client.async_wait(*rotation->next_due - rotation->as_of + 1s);
            if (!waited) co_return;
            rotation = co_await lifecycle::async_rotate(client, slot(), options);
            say(rotation);
        }
    }

    asio::awaitable<void> rotate() {
        ApiKeyClient client(context_, options());
        auto const options = RotateOptions()
                                 .overlap(std::chrono::milliseconds(number(3)))
                                 .quarantine(std::chrono::milliseconds(number(4)));
        for (auto times = number(2); times > 0; --times) {
            auto rotation = co_await lifecycle::async_rotate(client, slot(), RotateOptions(options).force());
            say(rotation);
            co_await end(client, options, std::move(rotation));
        }
    }

    asio::awaitable<void> finish() {
        ApiKeyClient client(context_, options());
        auto const options = RotateOptions().overlap(1s).quarantine(1s);
        auto rotation = co_await lifecycle::async_rotate(client, slot(), options);
        say(rotation);
        co_await end(client, options, std::move(rotation));
    }

    asio::awaitable<void> call() {
        auto const recheck = 500ms;
        auto options = this->options();
        ApiKeyClient admin(context_, options);
        auto const used = slot();
        lifecycle::Rotator const rotator(admin, used);
        options.auth = arguments_.at(3) == "rotator" ? rotator.provider(recheck)
                                                     : lifecycle::sink_provider(used.sink(), recheck);
        ApiKeyClient client(context_, std::move(options));
        std::size_t calls = 0;
        std::size_t failures = 0;
        std::string first;
        for (; !shared_->is_over; ++calls) {
            std::string problem;
            if (calls % 2 == 0)
                problem = problem_of(co_await client.async_whoami());
            else
                problem = problem_of(co_await client.async_get(arguments_.at(2)));
            if (problem.empty()) continue;
            if (++failures == 1) first = problem;
        }
        std::cout << calls << ' ' << failures << ' ' << first << std::endl;
    }

    template <class T>
    static std::string problem_of(const Result<T>& result) {
        return result ? std::string() : result.error().message();
    }

    asio::awaitable<void> apply() {
        ApiKeyClient client(context_, options());
        std::ifstream file(folder() + "/plan", std::ios::binary);
        std::string const text(std::istreambuf_iterator<char>(file), {});
        auto const plan = lifecycle::Plan::parse(text).value();
        auto const options = lifecycle::ApplyOptions(folder() + "/journal")
                                 .allow_large_share()
                                 .include(lifecycle::Guard::last_user_key);
        auto const report = (co_await lifecycle::async_apply(client, plan, options)).value();
        std::cout << report.count(lifecycle::BulkOutcome::done) << ' ' << report << std::endl;
    }

    asio::awaitable<void> race() {
        ApiKeyClient client(context_, options());
        auto const& go = shared_->go.at(static_cast<std::size_t>(number(2)));
        auto const racing_slot = slot(arguments_.at(3) == "locked");
        for (int begun = 0;;) {
            while (go == begun && !shared_->is_over)
                std::this_thread::sleep_for(50us);
            if (shared_->is_over) co_return;
            begun = go;
            auto const rotation = co_await lifecycle::async_rotate(client, racing_slot, RotateOptions());
            say(rotation);
        }
    }

    std::vector<std::string> arguments_;
    SharedFile shared_;
    std::shared_ptr<Clock> clock_;
    asio::io_context context_{1};
};

}  // namespace

int main(int argc, char** argv) {
    try {
        Program(std::vector<std::string>(argv + 1, argv + argc)).run();
        return EXIT_SUCCESS;
    } catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
        return EXIT_FAILURE;
    }
}
