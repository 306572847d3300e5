// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/watched.hpp"

#include <palette/client.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/manual_clock.hpp>
#include <palette/testing/scripted_transport.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace support {

/// An event loop that a test drives. Each wait has a bound of a minute: what never comes fails the test and
/// does not hang it.
class EventLoop {
public:
    using Condition = std::function<bool()>;

    /// Runs handlers until `is_met` returns true, which is asked after each handler and each millisecond.
    /// Fails the test if that does not happen in time.
    void run_until(const Condition& is_met, std::source_location caller = std::source_location::current());
    /// The same, and returns false instead of failing.
    [[nodiscard]] bool comes_to(const Condition& is_met, std::chrono::milliseconds limit = longest);

    template <class T>
    palette::Result<T>& run_until_end_of(const Watched<T>& watched,
                                         std::source_location caller = std::source_location::current()) {
        run_until([&] { return watched.has_ended(); }, caller);
        return watched.result();
    }

    /// Runs a coroutine to its end, and throws what it throws.
    void run(boost::asio::awaitable<void> story,
             std::source_location caller = std::source_location::current());

    /// Runs until nothing is left to do. Fails the test if something is.
    void run(std::source_location caller = std::source_location::current());
    /// The same, and returns false instead of failing.
    [[nodiscard]] bool runs_out();

    /// Runs what can be done without waiting for the network or for a timer.
    void settle();

    static constexpr std::chrono::minutes longest{1};

    boost::asio::io_context context;
};

/// A client on an event loop, and a clock that stands still until the test moves it.
class ClientScene : public EventLoop {
public:
    /// Returns the client, which is made at the first call: `options` are to be set before.
    palette::ApiKeyClient& client();
    void destroy_client() { client_.reset(); }

    /// Runs what can be done now, moves the clock, and runs what that lets go on.
    void pass(std::chrono::milliseconds time);
    /// The same, as soon as something waits for the clock to come that far.
    void let_time_pass(std::chrono::milliseconds time);

    /// Lets as much time pass as it takes until `is_met` returns true or nothing waits for the clock any
    /// more. Returns how long that was.
    std::chrono::milliseconds finish(const Condition& is_met);

    /// Starts an operation by `start(client, handler)` and returns its result. Time passes as soon as nothing
    /// else is left to do.
    template <class T, class Start>
    palette::Result<T> run(Start start) {
        Watched<T> watched;
        start(client(), watched.handler());
        finish([&] { return watched.has_ended(); });
        return std::move(watched.result());
    }
    using EventLoop::run;

    std::shared_ptr<palette::testing::ManualClock> clock = std::make_shared<palette::testing::ManualClock>();
    palette::ClientOptions options;

private:
    std::optional<palette::ApiKeyClient> client_;
};

/// A client whose service follows a script, by the scene's clock.
class ScriptedScene : public ClientScene {
public:
    ScriptedScene();

    std::shared_ptr<palette::testing::ScriptedTransport> service =
        std::make_shared<palette::testing::ScriptedTransport>();
};

/// Whether time stands still for an emulator and its client, or is that of the machine.
enum class Time { passes, stands_still };

/// A client that has the key of an emulator's tenant admin.
class EmulatorScene : public ClientScene {
public:
    /// By default plain HTTP, and no rate limit of the service.
    explicit EmulatorScene(palette::testing::EmulatorOptions service = plain_http(),
                           Time time = Time::passes);
    [[nodiscard]] static palette::testing::EmulatorOptions plain_http() {
        return {.plain_http = true, .rate_limit = palette::testing::RateLimit::off()};
    }

    void run_until_requests(std::uint64_t count,
                            std::source_location caller = std::source_location::current());

    /// Returns the uid of a key that is not the client's own.
    [[nodiscard]] std::string another_uid() const { return emulator.keys().back().uid; }
    /// Returns how many requests came with that method, and a path that begins so.
    [[nodiscard]] std::ptrdiff_t count(std::string_view method, std::string_view path) const;
    /// Returns how many connections have been used so far.
    [[nodiscard]] std::uint64_t connections_used() const;

    palette::testing::Emulator emulator;
};

/// Returns the keys of that name.
[[nodiscard]] std::vector<palette::ApiKey> keys_named(const palette::testing::Emulator& emulator,
                                                      std::string_view name);

}  // namespace support
