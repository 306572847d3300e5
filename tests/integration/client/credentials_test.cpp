// SPDX-License-Identifier: BSL-1.0
#include "support/credential_scene.hpp"
#include "support/one_attempt.hpp"
#include "support/printed.hpp"
#include "support/watched.hpp"

#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>
#include <palette/client.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace credentials_test {

using namespace std::chrono_literals;
using namespace palette;
using credential_scene::Answer;
using credential_scene::CredentialPtr;
using credential_scene::key_of;
using credential_scene::me;
using credential_scene::Provider;
using credential_scene::Reason;
using credential_scene::Scene;
using credential_scene::whoami;
using support::Watched;
using testing::Emulator;
using testing::ManualClock;
using testing::Role;
namespace asio = boost::asio;

// A service that takes one key and answers 401 to all others. With `together` it answers them at once, when
// so many have come.
class Guard final : public Transport {
public:
    explicit Guard(std::string good, int together = 0) : good_(std::move(good)), together_(together) {}

    asio::awaitable<Result<void>> exchange(const HttpRequest& request, ResponseSink& sink,
                                           ExchangeReport& report) override {
        ++requests;
        report.sent = report.received = true;
        auto const is_good = request.credential->value().expose() == good_;
        while (!is_good && requests < together_)
            co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
        HttpResponse head;
        head.status = is_good ? 200 : 401;
        sink.head(head);
        if (is_good) sink.body(R"({"userUid":"u","tenantUid":"t"})");
        co_return Result<void>();
    }

    int requests = 0;

private:
    std::string good_;
    int together_;
};

TEST_CASE("W13: after a 401 one fresh credential is taken and the request is sent once more") {
    struct Row {
        std::string_view request;
        int status;
        std::string body;
        std::function<Result<void>(BlockingApiKeyClient&)> call;
    };
    auto const key = R"({"metadata":{"name":"n","uid":"a"}})";
    Row const rows[] = {
        {"GET /v1/apiKeys/a", 200, key, [](auto& c) { return c.get("a").transform([](const ApiKey&) {}); }},
        {"GET /v1/apiKeys", 200, R"({"items":[]})",
         [](auto& c) { return c.list().transform([](const KeyList&) {}); }},
        {"POST /v1/apiKeys", 201, R"({"apiKey":"v"})",
         [](auto& c) { return c.create(NewApiKey("n")).transform([](const CreatedApiKey&) {}); }},
        {"PUT /v1/apiKeys/a/state", 204, "", [](auto& c) { return c.revoke("a"); }},
        {"PATCH /v1/apiKeys/a", 204, "", [](auto& c) { return c.set_active("a", true); }},
        {"DELETE /v1/apiKeys/a", 204, "", [](auto& c) { return c.remove("a"); }},
    };
    for (auto const& [request, status, body, call] : rows) {
        CAPTURE(request);
        Scene scene;
        auto const old = key_of("Kx7pQ2mZ");
        scene.provider->give(old);
        scene.provider->give(key_of("sD0gAhJ5"));
        // A create is for one user: with each credential it asks whose it is.
        auto const is_create = request.starts_with("POST");
        if (is_create) scene.script->expect(whoami).answer(200, me);
        scene.script->expect(std::string(request)).answer(401, R"({"code":"Unauthorized"})");
        if (is_create) scene.script->expect(whoami).answer(200, me);
        scene.script->expect(std::string(request)).answer(status, body);
        if (is_create) scene.script->expect("GET /v1/apiKeys").answer(200, R"({"items":[]})");
        scene.options.clock = nullptr;
        BlockingApiKeyClient client(scene.options);
        CHECK(call(client));
        CHECK(scene.script->unmet().empty());
        auto const& sent = scene.script->requests();
        REQUIRE(sent.size() == (is_create ? 5 : 2));
        CHECK(sent[is_create ? 1 : 0].body == sent[is_create ? 3 : 1].body);
        CHECK(scene.provider->reasons == std::vector{Reason::first, Reason::rejected});
        CHECK(scene.provider->previous == std::vector<CredentialPtr>{nullptr, old});
    }
}

TEST_CASE("W13: a create that was refused for its credential makes one key") {
    Emulator emulator;
    auto options = one_attempt(emulator.client_options(Role::tenant_admin));
    auto const provider = std::make_shared<Provider>();
    provider->give(key_of("no-key-of-anybody-there-12345678"));
    provider->give(key_of(emulator.user(Role::tenant_admin).api_key.expose()));
    options.auth = provider;
    BlockingApiKeyClient client(options);
    auto const before = emulator.keys().size();
    CHECK(client.create(NewApiKey("ci")).value().confirmed());
    CHECK(emulator.keys().size() == before + 1);
    CHECK(emulator.request_count() == 4);
}

TEST_CASE("W7 create: with a credential that came meanwhile and is another user's it is not sent again") {
    Scene scene;
    scene.options.retry.max_attempts = 2;
    scene.provider->give(key_of("the-key-of-u"));
    scene.provider->give(key_of("the-key-of-v"));
    scene.script->expect(whoami).answer(200, me);
    scene.script->expect("POST /v1/apiKeys").answer(429, "", {{"Retry-After", "5"}});
    Watched<> created;
    scene.client().async_create(NewApiKey("ci"), created.handler());
    scene.settle();
    scene.script->expect(whoami).answer(401);
    scene.script->expect(whoami).answer(200, R"({"userUid":"v","tenantUid":"t"})");
    CHECK(scene.ask());
    scene.script->expect("POST /v1/apiKeys").answer(201, R"({"apiKey":"value-of-the-key","uid":"k"})");
    scene.pass(5s);
    CHECK(created.error().code() == errc::auth_provider);
    CHECK(created.error().effect() == Effect::not_applied);
    CHECK(scene.script->requests().size() == 4);
}

TEST_CASE(
    "W7 create: whose a fresh credential is is asked as often as any read, and not anew for each sending") {
    Scene scene;
    scene.options.retry.max_attempts = 2;
    scene.options.retry.initial_backoff = 0ms;
    scene.provider->give(key_of("the-key-of-u"));
    scene.provider->give(key_of("a-newer-key"));
    scene.script->expect(whoami).answer(200, me);
    scene.script->expect("POST /v1/apiKeys").answer(401);
    scene.script->expect(whoami).answer(503);
    scene.script->expect(whoami).answer(503);
    Watched<> created;
    scene.client().async_create(NewApiKey("ci"), created.handler());
    scene.settle();
    CHECK(created.error().code() == errc::unavailable);
    CHECK(created.error().effect() == Effect::not_applied);
    CHECK(scene.script->requests().size() == 4);
}

TEST_CASE("W13: a second 401 is the answer") {
    auto const guard = std::make_shared<Guard>("the good one");
    Scene scene(guard);
    for (auto const* const value : {"one", "two", "three"})
        scene.provider->give(key_of(value));
    auto const refused = scene.ask();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == errc::unauthorized);
    CHECK(refused.error().effect() == Effect::not_applied);
    CHECK(refused.error().attempts() == 2);
    CHECK(guard->requests == 2);
    CHECK(scene.provider->reasons.size() == 2);
}

TEST_CASE("W13: a provider that gives the same again has no other, and nothing is sent again") {
    auto const guard = std::make_shared<Guard>("the good one");
    Scene scene(guard);
    auto const only = key_of("the only one");
    for (int i = 0; i < 3; ++i)
        scene.provider->give(only);
    for (int i = 1; i <= 2; ++i) {
        auto const refused = scene.ask();
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code() == errc::unauthorized);
        CHECK(refused.error().attempts() == 1);
        CHECK(guard->requests == i);
        CHECK(scene.provider->reasons.size() == 1u + static_cast<unsigned>(i));
    }
}

TEST_CASE("W13: a 401 that did not come whole proves nothing") {
    class Broken final : public Transport {
    public:
        asio::awaitable<Result<void>> exchange(const HttpRequest&, ResponseSink& sink,
                                               ExchangeReport& report) override {
            ++requests;
            report.sent = report.received = true;
            HttpResponse head;
            head.status = 401;
            sink.head(head);
            co_return Error(errc::truncated, "cut off");
        }
        int requests = 0;
    };
    auto const broken = std::make_shared<Broken>();
    Scene scene(broken);
    scene.provider->give(key_of("one"));
    Watched<> result;
    scene.client().async_revoke("a", result.handler());
    scene.settle();
    CHECK(result.error().code() == errc::truncated);
    CHECK(result.error().effect() == Effect::unknown);
    CHECK(broken->requests == 1);
    CHECK(scene.provider->reasons.size() == 1);
}

TEST_CASE("W13: a hundred operations that need a credential ask for it once") {
    auto const guard = std::make_shared<Guard>("good");
    Scene scene(guard);
    scene.provider->give(key_of("good"));
    int done = 0;
    for (int i = 0; i < 100; ++i)
        scene.client().async_whoami([&](const Result<Identity>& r) { done += r.has_value(); });
    scene.settle();
    CHECK(done == 100);
    CHECK(guard->requests == 100);
    CHECK(scene.provider->reasons == std::vector{Reason::first});
}

TEST_CASE("W13: a hundred operations that meet 401 at once take one fresh credential") {
    auto const guard = std::make_shared<Guard>("good", 100);
    Scene scene(guard);
    scene.provider->give(key_of("bad"));
    scene.provider->give(key_of("good"));
    int done = 0;
    for (int i = 0; i < 100; ++i)
        scene.client().async_whoami([&](const Result<Identity>& r) { done += r.has_value(); });
    scene.settle();
    CHECK(done == 100);
    CHECK(guard->requests == 200);
    CHECK(scene.provider->reasons == std::vector{Reason::first, Reason::rejected});
}

TEST_CASE("client: a provider that fails is the error of the operation, and is asked again by the next") {
    struct Row {
        std::string_view title;
        std::function<Answer()> answer;
        errc code;
        std::string_view why;
    };
    Row const rows[] = {
        {"throws", []() -> Answer { throw std::runtime_error("the vault is on fire"); }, errc::auth_provider,
         "the vault is on fire"},
        {"throws no exception", []() -> Answer { throw 7; }, errc::auth_provider, "provider"},
        {"gives none", [] { return Answer(CredentialPtr()); }, errc::auth_provider, "gave none"},
        {"fails", [] { return Answer(Error(errc::auth_provider, "the vault is sealed")); },
         errc::auth_provider, "the vault is sealed"},
        {"has a code of its own", [] { return Answer(Error(errc::unavailable, "log in later")); },
         errc::unavailable, "log in later"},
    };
    for (auto const& [title, answer, code, why] : rows) {
        CAPTURE(title);
        Scene scene;
        scene.provider->answers.push_back(answer);
        scene.provider->give(key_of("good"));
        scene.script->expect(whoami).answer(200, me);
        auto const failed = scene.ask();
        REQUIRE_FALSE(failed);
        CHECK(failed.error().code() == code);
        CHECK(contains(failed.error().what(), why));
        CHECK(failed.error().effect() == Effect::not_applied);
        CHECK(failed.error().attempts() == 0);
        CHECK(scene.script->requests().empty());
        CHECK(scene.ask());
        CHECK(scene.provider->reasons == std::vector{Reason::first, Reason::first});
    }
}

TEST_CASE("client: a provider that throws without being a coroutine fails the operation and no more") {
    class Thrower final : public AuthProvider {
    public:
        asio::awaitable<Answer> credential(CredentialRequest) override {
            throw std::runtime_error("no coroutine");
        }
    };
    Scene scene;
    scene.options.auth = std::make_shared<Thrower>();
    auto const failed = scene.ask();
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code() == errc::auth_provider);
    CHECK(contains(failed.error().what(), "no coroutine"));
}

TEST_CASE("client: without a provider an operation says what is missing") {
    Scene scene;
    scene.options.auth = nullptr;
    auto const failed = scene.ask();
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code() == errc::auth_provider);
    CHECK(contains(failed.error().what(), "ClientOptions::auth"));
}

TEST_CASE("client: a provider whose own request is left open has changed nothing for the operation") {
    Scene scene;
    scene.provider->fail(Error(errc::transport, "the vault hung up").effect(Effect::unknown));
    auto const failed = scene.ask();
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code() == errc::transport);
    CHECK(failed.error().effect() == Effect::not_applied);
}

TEST_CASE("client: a provider that fails after a 401 is what the caller hears of") {
    Scene scene(std::make_shared<Guard>("good"));
    scene.provider->give(key_of("bad"));
    scene.provider->fail(Error(errc::auth_provider, "the vault is sealed"));
    auto const failed = scene.ask();
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code() == errc::auth_provider);
    CHECK(contains(failed.error().what(), "the vault is sealed"));
    CHECK(failed.error().effect() == Effect::not_applied);
    CHECK(failed.error().attempts() == 1);
    CHECK(failed.error().earlier() == std::vector{FailedAttempt(errc::unauthorized, 401)});
}

TEST_CASE("client: a provider that never answers is cancelled when the deadline of the last waiter comes") {
    Scene scene;
    scene.provider->waits = true;
    int ended = 0;
    for (auto const time : {1s, 2s})
        scene.client().async_whoami(CallOptions().deadline(time), [&](Result<Identity> r) {
            REQUIRE_FALSE(r);
            CHECK(r.error().code() == errc::timeout);
            CHECK(r.error().effect() == Effect::not_applied);
            CHECK(r.error().attempts() == 0);
            ++ended;
        });
    scene.pass(1s);
    CHECK(ended == 1);
    CHECK(scene.provider->cancelled == 0);
    scene.pass(1s);
    CHECK(ended == 2);
    CHECK(scene.provider->cancelled == 1);
    CHECK(scene.provider->reasons.size() == 1);

    scene.provider->waits = false;
    scene.provider->give(key_of("good"));
    scene.script->expect(whoami).answer(200, me);
    CHECK(scene.ask());
}

TEST_CASE(
    "client: a provider that never answers has the time for all, and the error does not blame a queue") {
    Scene scene;
    scene.provider->waits = true;
    Watched<> result;
    scene.client().async_whoami(result.handler());
    scene.pass(scene.options.timeouts.total);
    CHECK(result.has_ended());
    scene.pass(scene.options.timeouts.queue);
    CHECK(result.error().code() == errc::timeout);
    CHECK_FALSE(contains(result.error().what(), "queue"));
}

TEST_CASE("client: who is cancelled while a credential is asked for leaves the others waiting for it") {
    Scene scene;
    scene.provider->give(key_of("good"));
    scene.script->expect(whoami).answer(200, me);
    Watched<> left, stayed;
    scene.client().async_whoami(left.handler());
    scene.client().async_whoami(stayed.handler());
    while (scene.provider->reasons.empty())
        scene.context.run_one();
    left.cancel();
    scene.settle();
    CHECK(left.is_aborted());
    CHECK(stayed.is_good());
    CHECK(scene.provider->reasons.size() == 1);
}

TEST_CASE("client: operations that wait for a credential end as the client does") {
    for (bool const rejected : {false, true}) {
        CAPTURE(rejected);
        Scene scene(std::make_shared<Guard>("good"));
        scene.provider->give(key_of("bad"));
        if (rejected) CHECK_FALSE(scene.ask());  // asked too often, for the second time
        scene.provider->waits = true;
        Watched<> result;
        scene.client().async_whoami(result.handler());
        scene.settle();
        CHECK_FALSE(result.has_ended());
        scene.destroy_client();
        scene.settle();
        CHECK(result.is_aborted());
        CHECK(result.error().effect() == Effect::not_applied);
        CHECK(scene.provider->cancelled == 1);
    }
}

TEST_CASE("client: a credential is renewed before it ends, and used on while no other can be had") {
    Scene scene;
    auto const start = scene.clock->now();
    auto const token = Credential::token(Secret("a.b.c"), start + 15min);
    scene.provider->give(token);
    for (int i = 0; i < 5; ++i)
        scene.script->expect(whoami).answer(200, me);
    CHECK(scene.ask());
    scene.clock->set(start + 13min);
    CHECK(scene.ask());
    CHECK(scene.provider->reasons.size() == 1);

    scene.clock->set(start + 14min + 30s);
    scene.provider->fail(Error(errc::unavailable, "no login today"));
    CHECK(scene.ask());
    CHECK(scene.provider->reasons.back() == Reason::expiring);
    CHECK(scene.provider->previous.back() == token);

    scene.clock->set(start + 14min + 50s);
    scene.provider->give(Credential::token(Secret("d.e.f"), start + 30min));
    CHECK(scene.ask());
    CHECK(scene.provider->reasons.size() == 3);
    scene.clock->set(start + 20min);
    CHECK(scene.ask());
    CHECK(scene.provider->reasons.size() == 3);

    scene.clock->set(start + 30min);
    scene.provider->fail(Error(errc::unavailable, "no login today"));
    auto const ended = scene.ask();
    REQUIRE_FALSE(ended);
    CHECK(ended.error().code() == errc::unavailable);
    CHECK(ended.error().attempts() == 0);
    CHECK(scene.script->unmet().empty());
}

TEST_CASE("client: a login is renewed before its token ends, without a 401 in between") {
    auto const clock = std::make_shared<ManualClock>();
    Emulator emulator({.clock = clock});
    auto const& dev = emulator.user(Role::user);
    auto options = one_attempt(emulator.client_options(Role::user));
    options.auth = auth::login(auth::LoginOptions(dev.email, Secret(dev.password.expose())).org("acme"));
    options.clock = clock;
    BlockingApiKeyClient client(options);
    for (int i = 0; i < 4; ++i) {
        CHECK(client.whoami().value().user_uid == dev.uid);
        // The first one waits for a login; each later one begins one, which goes on without it.
        auto const latest = std::chrono::steady_clock::now() + 10s;
        auto const expected = 2u * (static_cast<unsigned>(i) + 1);
        while (emulator.request_count() < expected && std::chrono::steady_clock::now() < latest)
            std::this_thread::sleep_for(1ms);
        CHECK(emulator.request_count() == expected);
        clock->advance(14min + 30s);
    }
    for (auto const& request : emulator.requests())
        CHECK(request.status == 200);
}

TEST_CASE("client: a provider of ones own needs one line") {
    class FromVault final : public AuthProvider {
    public:
        asio::awaitable<Answer> credential(CredentialRequest) override { co_return key_of("good"); }
    };
    Scene scene(std::make_shared<Guard>("good"));
    scene.options.auth = std::make_shared<FromVault>();
    CHECK(scene.ask());
}

TEST_CASE("W12: the credential before the present one is in no error either") {
    Scene scene;
    scene.provider->give(key_of("Kx7pQ2mZ9rT4wL8v"));
    scene.provider->give(key_of("sD0gAhJ5cF1nN3bY"));
    scene.script->expect(whoami).answer(401);
    scene.script->expect(whoami).answer(403,
                                        R"({"message":"not Kx7pQ2mZ9rT4wL8v and not sD0gAhJ5cF1nN3bY"})");
    auto const refused = scene.ask();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == errc::forbidden);
    CHECK_FALSE(contains(refused.error().message(), "sD0gAhJ5"));
    CHECK_FALSE(contains(refused.error().message(), "Kx7pQ2mZ"));
}

}  // namespace credentials_test
