// SPDX-License-Identifier: BSL-1.0
//
// A service that goes on calling at a steady rate while its key is replaced. Rotator replaces the key when
// that is due; the client takes the new one over through sink_provider(), while the old one still works. No
// call fails, and the program is not restarted.
//
// Run it: self_renewing_service. The service that it calls is an emulator in this program, for it takes
// months: whenever nothing is to be done for long, and no call is under way, the clock leaps.
#include "demonstration.hpp"

#include <palette/api_keys.hpp>
#include <palette/lifecycle/rotator.hpp>
#include <palette/testing/emulator.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <utility>

namespace asio = boost::asio;
namespace lifecycle = palette::lifecycle;
using namespace std::chrono_literals;

namespace {

constexpr int wanted_rotations = 3;

// What has happened so far. All of it runs in one thread.
class Diary {
public:
    explicit Diary(example::LeapingClock& time) : time_(time) {}

    void note_call(const palette::Result<palette::Identity>& result) {
        ++calls_;
        ++calls_since_report_;
        if (result) return;
        ++failed_calls_;
        std::cerr << "a call failed: " << result.error() << '\n';
    }

    void note_rotation(const palette::Result<lifecycle::Rotation>& rotation) {
        if (!rotation) {
            std::cerr << "a rotation failed: " << rotation.error() << '\n';
            return;
        }
        if (!rotation->done.empty())
            std::cout << palette::Expiry::at(rotation->as_of) << "  " << *rotation << '\n';
        if (rotation->outcome == lifecycle::Rotation::Outcome::completed) ++rotations_;
        nothing_to_do_for_ = rotation->next_due.value_or(rotation->as_of) - rotation->as_of;
        calls_since_report_ = 0;
    }

    // Between two calls: one that is under way would have taken weeks. After two calls the rotator waits,
    // too.
    void leap_if_nothing_is_to_do() {
        if (calls_since_report_ >= 2 && nothing_to_do_for_ > 1min)
            time_.leap(std::exchange(nothing_to_do_for_, 0ms) + 1s);
    }

    [[nodiscard]] bool is_complete() const { return rotations_ >= wanted_rotations; }

    // Throws unless every call has succeeded.
    void conclude() const {
        std::cout << calls_ << " calls, " << failed_calls_ << " failed; the key was replaced " << rotations_
                  << " times\n";
        if (calls_ == 0 || failed_calls_ > 0) throw std::runtime_error("calls failed");
    }

private:
    example::LeapingClock& time_;
    int calls_ = 0, failed_calls_ = 0, calls_since_report_ = 0, rotations_ = 0;
    std::chrono::milliseconds nothing_to_do_for_{};
};

// What the service is for.
asio::awaitable<void> serve(palette::ApiKeyClient& client, Diary& diary, asio::cancellation_signal& stop) {
    asio::steady_timer beat(co_await asio::this_coro::executor, std::chrono::steady_clock::now());
    while (!diary.is_complete()) {
        diary.leap_if_nothing_is_to_do();
        auto const me = co_await client.async_whoami();
        diary.note_call(me);
        beat.expires_at(beat.expiry() + 50ms);
        co_await beat.async_wait(asio::use_awaitable);
    }
    stop.emit(asio::cancellation_type::terminal);
}

}  // namespace

int main() try {
    example::LeapingClock time;
    // More calls than the service allows, so that there is something to fail.
    palette::testing::Emulator const emulator(
        {.rate_limit = {.per_second = 100, .burst = 100}, .clock = time.clock()});
    auto options = emulator.client_options(palette::testing::Role::user);
    options.rate_limit = {.per_second = 100, .burst = 100};

    example::ScratchDirectory const directory;
    lifecycle::Slot const slot("service", lifecycle::file_sink(directory.file("palette.key")),
                               lifecycle::file_store(directory.path()));
    // A slot is provisioned once, with another credential: here, and elsewhere by hand or by
    // rotate_from_cron.
    palette::BlockingApiKeyClient first(options);
    std::cout << lifecycle::rotate(first, slot).value() << '\n';

    asio::io_context context;
    // The overlap is short, so that it can be waited for. The client looks for a new key more often than
    // that.
    options.auth = lifecycle::sink_provider(slot.sink(), 250ms);
    palette::ApiKeyClient client(context, options);
    // It replaces the key that its own client uses.
    lifecycle::Rotator rotator(client, slot, lifecycle::RotateOptions().overlap(1s));
    Diary diary(time);
    rotator.on_rotation([&diary](const auto& rotation) { diary.note_rotation(rotation); });

    asio::cancellation_signal stop;
    rotator.async_run(asio::bind_cancellation_slot(stop.slot(), [](const palette::Result<void>& ended) {
        std::cout << "the rotator has ended: " << ended.error().code() << '\n';
    }));
    auto served = asio::co_spawn(context, serve(client, diary, stop), asio::use_future);
    context.run();
    served.get();
    diary.conclude();
} catch (const std::exception& e) {
    std::cerr << "self_renewing_service: " << e.what() << '\n';
    return 1;
}
