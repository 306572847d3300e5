// SPDX-License-Identifier: BSL-1.0
//
// How to test a program that uses the client: against the emulator, with a clock that the test moves and
// faults on command, and against a script, where no service is needed at all. A test framework would take
// the place of check().
//
// Run it: test_your_program. It needs no service.
#include <palette/api_keys.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/manual_clock.hpp>
#include <palette/testing/scripted_transport.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <memory>
#include <string_view>

namespace asio = boost::asio;
using std::chrono::days;

namespace {

// --- the program -----------------------------------------------------------------------------------------

// Lets every key that ends within a week live for another month; gives how many there were.
asio::awaitable<palette::Result<int>> renew_what_ends(palette::ClientOptions options) {
    auto const executor = co_await asio::this_coro::executor;
    palette::ApiKeyClient client(executor, options);
    auto const keys = co_await client.async_list(palette::ListFilter().state(palette::KeyState::active));
    if (!keys) co_return keys.error();

    int renewed = 0;
    for (auto const& key : *keys) {
        if (key.expiry.remaining(keys->as_of()) > days{7}) continue;
        auto const result = co_await client.async_renew(key.uid, days{30});
        if (!result) co_return result.error();
        ++renewed;
    }
    co_return renewed;
}

// --- its tests -------------------------------------------------------------------------------------------

int failures = 0;

void check(bool is_so, std::string_view what) {
    std::cout << (is_so ? "ok      " : "FAILED  ") << what << '\n';
    failures += is_so ? 0 : 1;
}

palette::Result<int> run(const palette::ClientOptions& options) {
    asio::io_context context;
    auto done = asio::co_spawn(context, renew_what_ends(options), asio::use_future);
    context.run();
    return done.get();
}

// One clock for the service and the client: a month passes in no time.
void renews_in_time() {
    auto const clock = std::make_shared<palette::testing::ManualClock>();
    palette::testing::Emulator emulator({.clock = clock});
    auto options = emulator.client_options(palette::testing::Role::tenant_admin);
    options.clock = clock;
    emulator.seed_key(palette::NewApiKey("nightly").expires(palette::Expiry::in(days{30}, clock->now())));

    check(run(options) == 0, "a key of thirty days is left alone");
    clock->advance(days{25});
    check(run(options) == 1, "five days before its end it is renewed");
    clock->advance(days{25});
    check(emulator.keys().back().state(clock->now()) == palette::KeyState::active, "and works on");
    clock->advance(days{60});
    check(run(options) == 0, "one that has expired already is left alone");
}

// What networks and services do to a program, on command.
void lives_with_failures() {
    palette::testing::Emulator emulator;
    auto options = emulator.client_options(palette::testing::Role::tenant_admin);
    options.timeouts.total = std::chrono::seconds{2};
    emulator.seed_key(palette::NewApiKey("nightly").expires(palette::Expiry::in(days{3})));

    emulator.faults().add("PUT /v1/apiKeys status:500 x1");
    auto const failed = run(options);
    check(!failed && failed.error().effect() == palette::Effect::unknown, "what nobody can tell is unknown");

    emulator.faults().add("PUT /v1/apiKeys drop-after x1");
    check(run(options) == 1, "a change whose answer was lost is found to have been made");
    check(run(options) == 0, "when it is run again, there is nothing left to do");

    emulator.faults().add("GET /v1/apiKeys status:503");
    auto const down = run(options);
    check(!down && palette::is_retryable(down.error()), "a service that is down is worth another try");
}

// No socket and no thread: what is asked and what is answered stands here.
void asks_for_no_more_than_it_needs() {
    auto const service = std::make_shared<palette::testing::ScriptedTransport>();
    service->expect("GET /v1/apiKeys").answer(200, R"({"items": [{
        "metadata": {"name": "revoked", "uid": "5f1b2c3d4e5f6a7b8c9d0e1f"},
        "spec": {"expiry": "2027-01-31T12:00:00.000Z"}}]})");
    palette::ClientOptions options;
    options.transport = service;
    options.auth = palette::auth::api_key(palette::Secret("any"));

    check(run(options) == 0, "a revoked key is left alone");
    check(service->requests().size() == 1 && service->unmet().empty(), "and is not even read");
}

}  // namespace

int main() try {
    renews_in_time();
    lives_with_failures();
    asks_for_no_more_than_it_needs();
    return failures == 0 ? 0 : 1;
} catch (const std::exception& e) {
    std::cerr << "test_your_program: " << e.what() << '\n';
    return 1;
}
