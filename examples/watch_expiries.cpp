// SPDX-License-Identifier: BSL-1.0
//
// Says when a key comes near to its end: 30, 14, 7, 3 and 1 days before, and when it has expired; each once.
//
// Run it: watch_expiries FILE, with PALETTE_HOST and PALETTE_API_KEY set. What was said is kept in FILE, in a
// directory in which nobody else may write, so that the program goes on where it was when it is started anew.
// It runs until SIGINT or SIGTERM.
//
// Without arguments it watches three months of an emulator of its own, whose clock leaps.
#include "demonstration.hpp"

#include <palette/api_keys.hpp>
#include <palette/lifecycle/watch.hpp>
#include <palette/testing/emulator.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using palette::lifecycle::ExpiryEvent;
using palette::lifecycle::ExpiryWatch;
using palette::lifecycle::WatchOptions;

namespace {

// What a program would send to a pager or a chat. Names come from outside: printing a key escapes them.
void print(const ExpiryEvent& event) {
    auto const days = event.threshold / std::chrono::days{1};
    std::cout << event.key << ": "
              << (days > 0 ? "no more than " + std::to_string(days) + " day(s) are left"
                           : std::string("has expired"))
              << '\n';
}

asio::awaitable<palette::Result<void>> notify(ExpiryEvent event) {
    // Without this, a program that did not run for a month would say the same thing several times.
    if (!event.superseded) print(event);
    co_return palette::Result<void>();
}

asio::awaitable<void> watch_until(ExpiryWatch& watch, palette::Result<void>& ended) {
    ended = co_await watch.async_run(notify);
}

int watch_service(const std::string& file) {
    asio::io_context context;
    palette::ApiKeyClient client(context, palette::ClientOptions::from_environment().value());
    ExpiryWatch watch(client, WatchOptions().state_file(file).on_error(
                                  [](const palette::Error& error) { std::cerr << error << '\n'; }));
    asio::signal_set signals(context, SIGINT, SIGTERM);
    signals.async_wait([&](auto const&, int) { client.cancel(); });
    palette::Result<void> ended;
    asio::co_spawn(context, watch_until(watch, ended), [&](const std::exception_ptr&) { signals.cancel(); });
    context.run();
    if (ended.error().code() == palette::errc::operation_aborted) return 0;
    std::cerr << ended.error() << '\n';
    return 1;
}

// --- without arguments -------------------------------------------------------------------------------------

// The next events, while the time leaps.
std::vector<ExpiryEvent> events_of(const palette::ClientOptions& options, const std::string& file,
                                   std::size_t number) {
    asio::io_context context;
    palette::ApiKeyClient client(context, options);
    ExpiryWatch watch(client, WatchOptions().state_file(file).poll_interval(std::chrono::hours{6}));
    std::vector<ExpiryEvent> events;
    asio::co_spawn(
        context,
        [&]() -> asio::awaitable<void> {
            while (events.size() < number) {
                auto event = co_await watch.async_next();
                print(event.value());
                events.push_back(*std::move(event));
            }
        },
        [](const std::exception_ptr& thrown) {
            if (thrown) std::rethrow_exception(thrown);
        });
    context.run();
    return events;
}

void require(bool holds) {
    if (!holds) throw std::runtime_error("that should not have happened");
}

int watch_emulator() {
    using std::chrono::days;
    example::LeapingClock time;
    palette::testing::Emulator emulator({.clock = time.clock()});
    auto const options = emulator.client_options(palette::testing::Role::tenant_admin);
    example::ScratchDirectory const directory;
    auto const file = directory.file("watch.json");
    emulator.seed_key(palette::NewApiKey("nightly").lives_for(days{45}));
    emulator.seed_key(palette::NewApiKey("laptop").lives_for(days{5}));

    time.leap(days{4} + std::chrono::hours{1});
    std::cout << "\nafter four days:\n";
    auto events = events_of(options, file, 2);
    require(events[0].key.name == "laptop" && events[1].threshold == days{1});

    // The program does not run for a month, and tells what it has missed. The last event was given out and
    // not known to be handled, so that it comes once more.
    time.leap(days{30});
    std::cout << "\na month later:\n";
    events = events_of(options, file, 4);
    require(events[0].threshold == days{1} && events[1].threshold == days{0});
    require(events[2].key.name == "nightly" && events[2].superseded && events[3].threshold == days{14});
    return 0;
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc == 1) return watch_emulator();
    if (argc == 2) return watch_service(argv[1]);
    std::cerr << "usage: watch_expiries FILE\n";
    return 2;
} catch (const std::exception& e) {
    std::cerr << "watch_expiries: " << e.what() << '\n';
    return 1;
}
