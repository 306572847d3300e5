// SPDX-License-Identifier: BSL-1.0
#include "support/scene.hpp"

#include <palette/client.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>

// Every completion token that Asio has does with an operation what it does elsewhere.

namespace tokens_test {

using namespace std::chrono_literals;
using namespace palette;
namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;
using testing::Role;

using TokenScene = support::EmulatorScene;

asio::awaitable<void> await_temporaries(TokenScene& scene) {
    auto& client = scene.client();
    auto const made = co_await client.async_create(
        NewApiKey("a").description("night").annotate("team", "blue").label("stage", "test"),
        CallOptions().deadline(30s));
    REQUIRE(made);
    auto const key = co_await client.async_get(std::string(made->uid()), CallOptions().deadline(30s));
    REQUIRE(key);
    CHECK(key->description == "night");
    CHECK(key->annotations["team"] == "blue");
    CHECK(key->labels["stage"] == "test");
    auto const list = co_await client.async_list(ListFilter().name("a").state(KeyState::active));
    REQUIRE(list);
    CHECK(list->size() == 1);
    auto const edited = co_await client.async_update(ApiKey(*key), ApiKeyEdit().name("b").description(""),
                                                     CallOptions().deadline(30s));
    REQUIRE(edited);
    CHECK(edited->name == "b");
    auto const found = co_await client.async_find("b", CallOptions().deadline(30s));
    CHECK(found.value().size() == 1);
}

TEST_CASE("client tokens: an awaited operation takes temporaries as arguments") {
    TokenScene scene;
    scene.run(await_temporaries(scene));
}

TEST_CASE("client tokens: a callback is called once") {
    TokenScene scene;
    int calls = 0;
    scene.client().async_get(scene.another_uid(), [&](Result<ApiKey> key) { calls += key.has_value(); });
    scene.run_until([&] { return calls > 0; });
    scene.settle();
    CHECK(calls == 1);
}

TEST_CASE("client tokens: a callback may be movable only") {
    TokenScene scene;
    std::optional<CreatedApiKey> made;
    auto owned = std::make_unique<std::optional<CreatedApiKey>*>(&made);
    scene.client().async_create(NewApiKey("a"), [owned = std::move(owned)](Result<CreatedApiKey> key) {
        REQUIRE(key);
        (*owned)->emplace(std::move(*key));
    });
    scene.run_until([&] { return made.has_value(); });
    CHECK(made->secret().expose().size() == 32);
}

TEST_CASE("client tokens: a future has the result, movable only or void") {
    TokenScene scene;
    auto made = scene.client().async_create(NewApiKey("a"), asio::use_future);
    auto revoked = scene.client().async_revoke(scene.another_uid(), asio::use_future);
    auto unknown = scene.client().async_get("000000000000000000000000", asio::use_future);
    auto const is_there = [](const auto& future) { return future.wait_for(0s) == std::future_status::ready; };
    scene.run_until([&] { return is_there(made) && is_there(revoked) && is_there(unknown); });
    CHECK(made.get().value().confirmed());
    CHECK(revoked.get());
    CHECK(unknown.get().error().code() == errc::not_found);
}

TEST_CASE("client tokens: a detached operation runs") {
    TokenScene scene;
    scene.client().async_create(NewApiKey("a"), asio::detached);
    scene.run_until([&] { return scene.emulator.keys().back().name == "a"; });
}

asio::awaitable<void> await_in_other_ways(TokenScene& scene) {
    auto& client = scene.client();
    auto made = co_await client.async_create(NewApiKey("a"), asio::use_awaitable);
    REQUIRE(made);
    auto const [key] = co_await client.async_get(made->uid(), asio::as_tuple(asio::use_awaitable));
    REQUIRE(key);
    auto const [removed] = co_await client.async_remove(made->uid(), asio::as_tuple(asio::deferred));
    CHECK(removed);
    auto later = client.async_whoami(CallOptions().deadline(30s));
    auto const who = co_await std::move(later);
    REQUIRE(who);
    CHECK(who->org_name == "acme");
}

TEST_CASE("client tokens: what makes awaitables, tuples or deferred operations in variables can be awaited") {
    TokenScene scene;
    scene.run(await_in_other_ways(scene));
}

asio::awaitable<void> race(TokenScene& scene) {
    auto& client = scene.client();
    asio::steady_timer timer(scene.context, 1h);
    auto won = co_await (client.async_create(NewApiKey("a"), asio::use_awaitable) ||
                         timer.async_wait(asio::use_awaitable));
    REQUIRE(won.index() == 0);
    CHECK(std::get<0>(won)->confirmed());

    scene.emulator.faults().add("POST / stall x1");
    timer.expires_after(50ms);
    auto lost = co_await (client.async_create(NewApiKey("b"), asio::use_awaitable) ||
                          timer.async_wait(asio::use_awaitable));
    CHECK(lost.index() == 1);
    CHECK(co_await client.async_whoami());

    auto const both =
        co_await (client.async_whoami(asio::use_awaitable) && client.async_find("a", asio::use_awaitable));
    CHECK(std::get<0>(both));
    CHECK(std::get<1>(both)->size() == 1);
}

TEST_CASE("client tokens: an operation may race a timer, and be joined with another") {
    TokenScene scene;
    scene.run(race(scene));
}

struct WhereItRuns : Observer {
    void on_operation(const OperationEvent&) noexcept override { thread = std::this_thread::get_id(); }
    std::thread::id thread;
};

TEST_CASE("client tokens: a handler runs on its executor, and the operation on that of the client") {
    TokenScene scene;
    auto const observer = std::make_shared<WhereItRuns>();
    auto options = scene.emulator.client_options(Role::tenant_admin);
    options.observer = observer;
    ApiKeyClient client(scene.context, options);

    asio::io_context other;
    std::thread::id handled;
    client.async_whoami(
        asio::bind_executor(other, [&](Result<Identity>) { handled = std::this_thread::get_id(); }));
    // It has work until the handler has run, although nobody else gives it any.
    std::atomic<bool> ended = false;
    std::thread second([&] {
        other.run();
        ended = true;
    });
    auto const second_thread = second.get_id();
    scene.run_until([&] { return ended.load(); });
    second.join();
    CHECK(observer->thread == std::this_thread::get_id());
    CHECK(handled == second_thread);
}

TEST_CASE("client tokens: a handler bound to a strand runs on it") {
    TokenScene scene;
    auto const strand = asio::make_strand(scene.context);
    std::optional<bool> on_strand;
    scene.client().async_whoami(
        asio::bind_executor(strand, [&](Result<Identity>) { on_strand = strand.running_in_this_thread(); }));
    scene.run_until([&] { return on_strand.has_value(); });
    CHECK(*on_strand);
}

struct Balance {
    std::size_t allocations = 0;
    std::ptrdiff_t bytes = 0;
};

template <class T>
struct BalancedAllocator {
    using value_type = T;

    explicit BalancedAllocator(Balance& b) noexcept : balance(&b) {}
    template <class U>
    BalancedAllocator(const BalancedAllocator<U>& other) noexcept : balance(other.balance) {}

    T* allocate(std::size_t n) {
        ++balance->allocations;
        balance->bytes += static_cast<std::ptrdiff_t>(n * sizeof(T));
        return std::allocator<T>().allocate(n);
    }
    void deallocate(T* p, std::size_t n) noexcept {
        balance->bytes -= static_cast<std::ptrdiff_t>(n * sizeof(T));
        std::allocator<T>().deallocate(p, n);
    }
    template <class U>
    bool operator==(const BalancedAllocator<U>& other) const noexcept {
        return balance == other.balance;
    }

    Balance* balance;
};

TEST_CASE("client tokens: a bound allocator holds the handler, and gets all of it back") {
    Balance balance;
    TokenScene scene;
    std::ptrdiff_t in_handler = -1;
    scene.client().async_whoami(asio::bind_allocator(BalancedAllocator<std::byte>(balance),
                                                     [&](Result<Identity>) { in_handler = balance.bytes; }));
    CHECK(balance.allocations > 0);
    CHECK(balance.bytes > 0);
    scene.run_until([&] { return in_handler >= 0; });
    // As everywhere in Asio, what was allocated is free before the handler runs.
    CHECK(in_handler == 0);
    CHECK(balance.bytes == 0);
}

TEST_CASE("client tokens: a deferred operation is started after the client was moved, or never") {
    TokenScene scene;
    auto made = scene.client().async_create(NewApiKey("a"), asio::deferred);
    {
        [[maybe_unused]] auto const never = scene.client().async_create(NewApiKey("b"));
    }
    ApiKeyClient moved(std::move(scene.client()));
    support::Watched<> watched;
    std::move(made)(watched.handler());
    scene.run_until_end_of(watched);
    CHECK(watched.is_good());
    CHECK(scene.emulator.keys().back().name == "a");
}

TEST_CASE("client tokens: a deferred operation that outlives the client is aborted") {
    TokenScene scene;
    auto client = std::make_optional<ApiKeyClient>(std::move(scene.client()));
    auto made = client->async_create(NewApiKey("a"));
    client.reset();
    support::Watched<> watched;
    std::move(made)(watched.handler());
    scene.run_until_end_of(watched);
    CHECK(watched.is_aborted());
    CHECK(scene.emulator.request_count() == 0);
}

// Starts what ends as early as can be, and counts what has ended: now, and in the end.
struct Early {
    int at_once = -1;
    int ended = 0;

    static constexpr int operations = 5;

    void start(ApiKeyClient& client) {
        auto const count = [this](auto const&) { ++ended; };
        client.async_create(NewApiKey(""), count);
        client.async_get("", count);
        client.async_find_user("", count);
        client.async_update("", ApiKeyEdit(), count);
        client.async_renew("", -1s, count);
        at_once = ended;
    }
};

TEST_CASE("client tokens: nothing completes inside of the function that starts it") {
    TokenScene scene;
    Early outside;
    outside.start(scene.client());
    Early posted;
    asio::post(scene.context, [&] { posted.start(scene.client()); });
    Early in_handler;
    scene.client().async_whoami([&](Result<Identity>) { in_handler.start(scene.client()); });
    for (auto const* const early : {&outside, &posted, &in_handler}) {
        scene.run_until([&] { return early->ended == Early::operations; });
        CHECK(early->at_once == 0);
    }

    bool closed = false;
    scene.client().async_close([&](Result<void>) { closed = true; });
    scene.run_until([&] { return closed; });
    Early after_close;
    after_close.start(scene.client());
    scene.run_until([&] { return after_close.ended == Early::operations; });
    CHECK(after_close.at_once == 0);
}

}  // namespace tokens_test
