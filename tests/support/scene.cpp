// SPDX-License-Identifier: BSL-1.0
#include "support/scene.hpp"

#include <palette/auth.hpp>

#include <doctest/doctest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>

#include <algorithm>
#include <exception>

namespace support {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using palette::testing::EmulatorOptions;
using palette::testing::Role;

namespace {

// doctest would name a line of this file, which is the same for all waits.
void fail(const std::string& what, const std::source_location& caller) {
    ADD_FAIL_AT(caller.file_name(), static_cast<int>(caller.line()), what);
}

EmulatorOptions with_clock(EmulatorOptions options, std::shared_ptr<palette::Clock> clock) {
    options.clock = std::move(clock);
    return options;
}

}  // namespace

bool EventLoop::comes_to(const Condition& is_met, std::chrono::milliseconds limit) {
    auto const latest = std::chrono::steady_clock::now() + limit;
    // Without it a context that has nothing to do does not wait for what another thread is about to do.
    auto const work = asio::make_work_guard(context);
    context.restart();
    while (!is_met()) {
        if (std::chrono::steady_clock::now() > latest) return false;
        context.run_one_for(1ms);
    }
    return true;
}

void EventLoop::run_until(const Condition& is_met, std::source_location caller) {
    if (!comes_to(is_met)) fail("what is waited for does not come", caller);
}

void EventLoop::run(asio::awaitable<void> story, std::source_location caller) {
    std::optional<std::exception_ptr> end;
    asio::co_spawn(context, std::move(story), [&](std::exception_ptr thrown) { end = std::move(thrown); });
    run_until([&] { return end.has_value(); }, caller);
    if (*end) std::rethrow_exception(*end);
}

void EventLoop::run(std::source_location caller) {
    if (!runs_out()) fail("something is still waited for", caller);
}

bool EventLoop::runs_out() {
    context.restart();
    context.run_for(longest);
    return context.stopped();
}

void EventLoop::settle() {
    do
        context.restart();
    while (context.poll() > 0);
}

palette::ApiKeyClient& ClientScene::client() {
    if (!client_) client_.emplace(context, options);
    return *client_;
}

void ClientScene::pass(std::chrono::milliseconds time) {
    settle();  // what waits for the clock, waits for it now
    clock->advance(time);
    settle();
}

void ClientScene::let_time_pass(std::chrono::milliseconds time) {
    run_until([&] { return clock->next_wait().value_or(palette::Instant::max()) <= clock->now() + time; });
    settle();
    clock->advance(time);
}

std::chrono::milliseconds ClientScene::finish(const Condition& is_met) {
    auto const from = clock->now();
    settle();
    while (!is_met() && clock->advance_to_next())
        settle();
    return clock->now() - from;
}

ScriptedScene::ScriptedScene() {
    options.transport = service;
    options.clock = clock;
    // With a uid, so that a change of another key is one request.
    options.auth = palette::auth::api_key(palette::Secret("a-value-of-a-key"), "the-own-key");
}

EmulatorScene::EmulatorScene(EmulatorOptions service, Time time)
    : emulator(time == Time::passes ? std::move(service) : with_clock(std::move(service), clock)) {
    options = emulator.client_options(Role::tenant_admin);
}

void EmulatorScene::run_until_requests(std::uint64_t count, std::source_location caller) {
    run_until([&] { return emulator.request_count() >= count; }, caller);
}

std::ptrdiff_t EmulatorScene::count(std::string_view method, std::string_view path) const {
    return std::ranges::count_if(emulator.requests(), [&](const auto& request) {
        return request.method == method && request.path.starts_with(path);
    });
}

std::uint64_t EmulatorScene::connections_used() const {
    // The emulator numbers them from 1 on.
    std::uint64_t last = 0;
    for (auto const& request : emulator.requests())
        last = std::max(last, request.connection);
    return last;
}

std::vector<palette::ApiKey> keys_named(const palette::testing::Emulator& emulator, std::string_view name) {
    std::vector<palette::ApiKey> keys;
    for (auto const& key : emulator.keys())
        if (key.name == name) keys.push_back(key);
    return keys;
}

}  // namespace support
