// SPDX-License-Identifier: BSL-1.0
#include "support/one_attempt.hpp"

#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>
#include <palette/client.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace life_test {

using namespace std::chrono_literals;
using namespace palette;
namespace asio = boost::asio;
using testing::Emulator;
using testing::Role;

ClientOptions options_for(const Emulator& emulator, Role role = Role::tenant_admin) {
    ClientOptions options = one_attempt();
    options.endpoint = emulator.endpoint();
    options.tls.ca_pem = emulator.ca_pem();
    options.auth = auth::api_key(Secret(emulator.user(role).api_key.expose()));
    return options;
}

// Runs a coroutine to its end.
void run(asio::io_context& context, asio::awaitable<void> story) {
    asio::co_spawn(context, std::move(story), [](std::exception_ptr thrown) {
        if (thrown) std::rethrow_exception(thrown);
    });
    context.run();
    context.restart();
}

struct ClientScene {
    explicit ClientScene(testing::EmulatorOptions options = {}) : emulator(std::move(options)) {}
    Emulator emulator;
    asio::io_context context;
    ApiKeyClient client{context, options_for(emulator)};
};

asio::awaitable<void> live(ClientScene& scene) {
    auto& client = scene.client;
    auto const& dev = scene.emulator.user(Role::user);
    auto const made = co_await client.async_create(NewApiKey("ci").description("nightly").for_user(dev.uid));
    REQUIRE(made);
    CHECK(made->confirmed());
    auto const uid = made->uid();

    auto const key = co_await client.async_get(uid);
    REQUIRE(key);
    CHECK(key->name == "ci");
    CHECK(key->description == "nightly");
    CHECK(key->owner.uid == dev.uid);

    auto const edited = co_await client.async_update(uid, ApiKeyEdit().name("ci-2").description(""));
    REQUIRE(edited);
    CHECK(edited->name == "ci-2");
    CHECK(edited->description == "");
    CHECK(edited->expiry == key->expiry);
    auto const stale = co_await client.async_update(*key, ApiKeyEdit().name("ci-3"));
    REQUIRE_FALSE(stale);
    CHECK(stale.error().code() == errc::conflict);
    CHECK(stale.error().effect() == Effect::not_applied);

    auto const renewed = co_await client.async_renew(uid, std::chrono::hours{24 * 60});
    REQUIRE(renewed);
    CHECK(renewed->expiry > key->expiry);

    CHECK(co_await client.async_revoke(uid, ChangeOptions().verify()));
    auto const revoked = co_await client.async_list(ListFilter().state(KeyState::revoked));
    REQUIRE(revoked);
    CHECK(revoked->size() == 1);
    CHECK(co_await client.async_reactivate(uid, ChangeOptions().verify()));
    CHECK(co_await client.async_set_active(uid, false));
    auto const found = co_await client.async_find("ci-2");
    REQUIRE(found);
    CHECK(found->size() == 1);

    auto const who = co_await client.async_whoami();
    REQUIRE(who);
    CHECK(who->org_name == "acme");
    auto const user = co_await client.async_find_user("DEV@acme.test");
    REQUIRE(user);
    CHECK(user->uid == dev.uid);

    CHECK(co_await client.async_remove(uid, ChangeOptions().verify()));
    auto const gone = co_await client.async_remove(uid);
    REQUIRE_FALSE(gone);
    CHECK(gone.error().code() == errc::not_found);
    CHECK(co_await client.async_close());
    auto const closed = co_await client.async_list();
    REQUIRE_FALSE(closed);
    CHECK(closed.error().code() == errc::operation_aborted);
}

TEST_CASE("client: a key lives its whole life over TLS on one connection") {
    ClientScene scene;
    run(scene.context, live(scene));
    for (auto const& request : scene.emulator.requests())
        CHECK(request.connection == 1);
    CHECK(scene.emulator.keys().size() == 4);
}

asio::awaitable<void> meet_faults(ClientScene& scene) {
    struct Row {
        const char* fault;
        errc code;
    };
    static constexpr Row rows[] = {
        {"status:503", errc::unavailable},
        {"html:502", errc::unavailable},
        {"garbage", errc::not_json},
        {"wrong-type", errc::wrong_type},
        {"truncate", errc::truncated},
        {"trailing", errc::trailing_data},
        {"reset", errc::transport},
        {"drop-after", errc::transport},
        {"redirect:https://elsewhere.test/", errc::unexpected_status},
        {"retry-after:1", errc::rate_limited},
        {"status:401", errc::unauthorized},
        {"echo-credential", errc::not_found},
    };
    std::string const key(scene.emulator.user(Role::tenant_admin).api_key.expose());
    for (auto const& row : rows) {
        CAPTURE(row.fault);
        scene.emulator.faults().add("* / " + std::string(row.fault) + " x1");
        auto const list = co_await scene.client.async_list();
        REQUIRE_FALSE(list);
        CHECK(list.error().code() == row.code);
        CHECK(list.error().effect() == Effect::not_applied);
        CHECK(list.error().message().find(key) == std::string::npos);
        auto const after = co_await scene.client.async_list();
        CHECK(after);
    }
}

TEST_CASE("client: every failure has its error and the next call works") {
    ClientScene scene;
    run(scene.context, meet_faults(scene));
}

TEST_CASE("client: a create whose response was lost is repeated, and leaves no second key") {
    Emulator emulator;
    BlockingApiKeyClient client(emulator.client_options(Role::tenant_admin));
    emulator.faults().add("POST / drop-after x1");
    auto const keys = emulator.keys().size();
    CHECK(client.create(NewApiKey("made")));
    CHECK(emulator.keys().size() == keys + 1);
}

asio::awaitable<void> wait_in_vain(ClientScene& scene) {
    scene.emulator.faults().add("GET / stall x1");
    auto const read = co_await scene.client.async_list(ListFilter(), CallOptions().deadline(100ms));
    REQUIRE_FALSE(read);
    CHECK(read.error().code() == errc::timeout);
    CHECK(read.error().effect() == Effect::not_applied);
    scene.emulator.faults().add("PUT / stall x1");
    auto const uid = scene.emulator.keys().back().uid;
    // On a busy machine the deadline may come before the write is sent: then it is made once more.
    for (int tries = 0; tries < 20; ++tries) {
        auto const injected = scene.emulator.faults().injected();
        auto const write = co_await scene.client.async_revoke(uid, CallOptions().deadline(100ms));
        REQUIRE_FALSE(write);
        CHECK(write.error().code() == errc::timeout);
        if (scene.emulator.faults().injected() == injected && write.error().effect() == Effect::not_applied)
            continue;
        CHECK(write.error().effect() == Effect::unknown);
        co_return;
    }
    FAIL("no write was sent");
}

TEST_CASE("client: an operation ends by its deadline, with the known effect") {
    ClientScene scene;
    run(scene.context, wait_in_vain(scene));
}

TEST_CASE("client: a cancelled operation ends at once, and its signal may die right after") {
    ClientScene scene;
    scene.emulator.faults().add("GET / stall x1");
    auto signal = std::make_optional<asio::cancellation_signal>();
    std::optional<Result<KeyList>> result;
    scene.client.async_list(
        asio::bind_cancellation_slot(signal->slot(), [&](Result<KeyList> r) { result = std::move(r); }));
    while (scene.emulator.request_count() == 0)
        scene.context.run_one_for(10ms);
    signal->emit(asio::cancellation_type::terminal);
    signal.reset();
    scene.context.run();
    REQUIRE(result);
    REQUIRE_FALSE(*result);
    CHECK(result->error().code() == errc::operation_aborted);
}

TEST_CASE("client: operations under way end when the client is destroyed") {
    Emulator emulator;
    emulator.faults().add("GET / stall");
    asio::io_context context;
    auto client = std::make_optional<ApiKeyClient>(context, options_for(emulator));
    int ended = 0;
    for (int i = 0; i < 20; ++i)
        client->async_list(
            [&](Result<KeyList> r) { ended += !r && r.error().code() == errc::operation_aborted; });
    while (emulator.request_count() == 0)
        context.run_one_for(10ms);
    client.reset();
    context.run();
    CHECK(ended == 20);
}

TEST_CASE("client: nothing completes and nothing leaks when the context is destroyed") {
    Emulator emulator;
    emulator.faults().add("GET / stall");
    bool completed = false;
    {
        asio::io_context context;
        ApiKeyClient client(context, options_for(emulator));
        client.async_list([&](Result<KeyList>) { completed = true; });
        while (emulator.request_count() == 0)
            context.run_one_for(10ms);
    }
    CHECK_FALSE(completed);
}

TEST_CASE("client: a login is used like a key") {
    Emulator emulator;
    asio::io_context context;
    auto options = options_for(emulator);
    auto const& admin = emulator.user(Role::tenant_admin);
    options.auth =
        auth::login(auth::LoginOptions(admin.email, Secret(admin.password.expose())).org(emulator.org()));
    ApiKeyClient client(context, options);
    std::optional<Result<KeyList>> result;
    client.async_list([&](Result<KeyList> r) { result = std::move(r); });
    context.run();
    REQUIRE(result);
    CHECK(*result);
    CHECK(emulator.requests().back().credential == testing::ReceivedRequest::Credential::token);
}

TEST_CASE("client: many operations at once share few connections") {
    ClientScene scene({.rate_limit = testing::RateLimit::off()});
    auto options = options_for(scene.emulator);
    options.rate_limit = RateLimitOptions::off();
    ApiKeyClient client(scene.context, options);
    int good = 0;
    for (int i = 0; i < 300; ++i)
        client.async_whoami([&](Result<Identity> r) { good += r.has_value(); });
    scene.context.run();
    CHECK(good == 300);
    std::uint64_t last = 0;
    for (auto const& request : scene.emulator.requests())
        last = std::max(last, request.connection);
    CHECK(last <= 8);
}

}  // namespace life_test
