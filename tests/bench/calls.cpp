// SPDX-License-Identifier: BSL-1.0

// Reading one key, over and over: one call after another, where the time of an exchange counts; and 64 at a
// time, where it counts how many the client's thread gets done.

#include "bench/measure.hpp"
#include "bench/our_client.hpp"
#include "bench/peer_bare.hpp"
#include "bench/peer_beast.hpp"
#include "bench/peer_curl.hpp"
#include "bench/system_calls.hpp"

#include <cstddef>
#include <cstdio>
#include <deque>
#include <optional>
#include <string>

namespace {

using namespace bench;
namespace asio = boost::asio;

constexpr int calls = 500;  // of one round
constexpr int lanes = 64;
constexpr int rounds = 40;
constexpr std::size_t whole_answer = 4096;

const std::string& target() {
    static std::string const text = "/v1/apiKeys/" + std::string(key_uid);
    return text;
}

asio::awaitable<void> ours(palette::ApiKeyClient& client, int count) {
    for (int i = 0; i < count; ++i) {
        auto const key = co_await client.async_get(std::string(key_uid));
        require(key && key->uid == key_uid);
    }
}

asio::awaitable<void> by_hand(BeastPeer& peer, int count) {
    for (int i = 0; i < count; ++i) {
        auto const key = co_await peer.get(target());
        require(key.at("metadata").at("uid").as_string() == key_uid);
    }
}

void with_curl(CurlPeer& peer, int count) {
    for (int i = 0; i < count; ++i)
        require(peer.get(target()).at("metadata").at("uid") == key_uid);
}

void one_after_another(Table& table, const CannedService& service) {
    asio::io_context context(1);
    palette::ApiKeyClient client(context, options_for(service.port()));
    BeastPeer beast(context.get_executor(), service.port());
    run(context, beast.connect());
    CurlPeer curl(service.port());
    BarePeer bare(service.port());
    auto const time_of = [](auto work) { return [=] { return wall_time(work) / calls; }; };
    auto const we = time_of([&] { run(context, ours(client, calls)); });
    auto const by_beast = time_of([&] { run(context, by_hand(beast, calls)); });
    auto const by_curl = time_of([&] { with_curl(curl, calls); });
    auto const without_http = time_of([&] {
        for (int i = 0; i < calls; ++i)
            bare.get(target());
    });
    table.at_most(1.35, "one in flight: send and recv of the same bytes alone", microseconds,
                  compare(rounds, we, without_http));
    table.at_most(0.85, "one in flight: Beast by hand, boost::json::parse", microseconds,
                  compare(rounds, we, by_beast));
    table.at_most(0.65, "one in flight: libcurl, nlohmann::json", microseconds, compare(rounds, we, by_curl));
}

void calls_to_the_system(Table& table, const CannedService& service) {
    std::optional<asio::io_context> context;
    std::optional<palette::ApiKeyClient> client;
    auto const counted = system_calls(
        [&] {
            context.emplace(1);
            client.emplace(*context, options_for(service.port()));
            run(*context, ours(*client, 10));
        },
        [&] { run(*context, ours(*client, calls)); });
    if (counted)
        table.at_most(4.05, "one in flight: system calls of a read", static_cast<double>(*counted) / calls);
    else
        std::puts("  system calls are not counted: no process may trace another here");
}

void many_at_once(Table& table, const CannedService& service) {
    asio::io_context context(1);
    auto options = options_for(service.port());
    options.pool.max_connections = lanes;
    palette::ApiKeyClient client(context, options);
    Runner runner(context);
    std::deque<BeastPeer> peers;
    std::deque<BeastPeer> tuned_peers;
    for (int i = 0; i < lanes; ++i) {
        runner.add(peers.emplace_back(context.get_executor(), service.port()).connect());
        runner.add(tuned_peers.emplace_back(context.get_executor(), service.port(), whole_answer).connect());
    }
    runner.run();

    constexpr int of_one = 32;
    auto const per_second = [](double seconds) { return lanes * of_one / seconds; };
    auto const we = [&] {
        for (int i = 0; i < lanes; ++i)
            runner.add(ours(client, of_one));
        return per_second(cpu_time([&] { runner.run(); }));
    };
    auto const they = [&](std::deque<BeastPeer>& with) {
        return [&] {
            for (auto& peer : with)
                runner.add(by_hand(peer, of_one));
            return per_second(cpu_time([&] { runner.run(); }));
        };
    };
    table.show("64 in flight: 64 connections with Beast by hand", thousands_per_second,
               compare(rounds, we, they(peers)));
    table.at_least(1.00, "  the same, their buffers made for this answer", thousands_per_second,
                   compare(rounds, we, they(tuned_peers)));
}

// Both are our client: with a limiter that never makes it wait and with retries, and with neither.
void with_all_on(Table& table, const CannedService& service) {
    asio::io_context context(1);
    auto options = options_for(service.port());
    options.retry.max_attempts = 1;
    palette::ApiKeyClient bare(context, options);
    options.retry = palette::RetryOptions();
    options.rate_limit.per_second = 1e9;
    options.rate_limit.burst = 1e6;
    palette::ApiKeyClient full(context, options);
    auto const time_of = [&](palette::ApiKeyClient& client) {
        return [&] { return wall_time([&] { run(context, ours(client, calls)); }) / calls; };
    };
    table.at_most(1.05, "one in flight, limiter and retries on: both off", microseconds,
                  compare(rounds, time_of(full), time_of(bare)));
}

}  // namespace

int main() {
    stay_on_one_core();
    CannedService const service(0);
    Table table("read a key (loopback, plain HTTP, no rate limit)");
    calls_to_the_system(table, service);
    one_after_another(table, service);
    many_at_once(table, service);
    with_all_on(table, service);
    return table.status();
}
