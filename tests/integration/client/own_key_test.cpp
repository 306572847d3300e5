// SPDX-License-Identifier: BSL-1.0
#include "support/credential_scene.hpp"
#include "support/printed.hpp"
#include "support/virtual_time.hpp"
#include "support/watched.hpp"

#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>
#include <palette/pending_create.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

// A client does not take away the key that it uses itself, unless that is meant.

namespace own_key_test {

using namespace palette;
using credential_scene::Provider;
using credential_scene::Scene;
using support::Watched;
using testing::Emulator;
using testing::Role;
using Client = BlockingApiKeyClient;

struct TakingAway {
    const char* name;
    std::function<Result<void>(Client&, const std::string&, CallOptions)> run;
};
TakingAway const ways[] = {
    {"revoke", [](auto& c, auto const& uid, auto options) { return c.revoke(uid, options); }},
    {"set_active", [](auto& c, auto const& uid, auto options) { return c.set_active(uid, false, options); }},
    {"remove", [](auto& c, auto const& uid, auto options) { return c.remove(uid, options); }},
};

// An emulator, and a client with a key of its own that knows its uid.
struct OwnKey {
    OwnKey() : own(emulator.seed_key(NewApiKey("own"))), uid(own.uid()) {
        options.auth = auth::api_key(std::move(own).secret(), uid);
    }

    [[nodiscard]] bool is_active(const std::string& which) const {
        auto const keys = emulator.keys();
        return std::ranges::any_of(keys, [&](auto const& k) { return k.uid == which && k.is_active; });
    }

    Emulator emulator{};
    CreatedApiKey own;
    std::string uid;
    ClientOptions options = emulator.client_options(Role::tenant_admin);
};

TEST_CASE("own key: a client refuses to take away the key that it uses, and sends nothing") {
    for (auto const& [name, run] : ways) {
        CAPTURE(name);
        OwnKey scene;
        Client client(scene.options);
        auto const refused = run(client, scene.uid, CallOptions());
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code() == errc::own_key);
        CHECK(refused.error().effect() == Effect::not_applied);
        CHECK(refused.error().attempts() == 0);
        CHECK(contains(refused.error().message(), scene.uid));
        CHECK(contains(refused.error().message(), "nothing was changed"));
        CHECK(contains(refused.error().message(), "allow_own_key"));
        CHECK(scene.emulator.request_count() == 0);
        CHECK(scene.is_active(scene.uid));
    }
}

TEST_CASE("own key: capitals in a uid do not get past the guard") {
    OwnKey scene;
    Client client(scene.options);
    auto uid = scene.uid;
    std::ranges::transform(uid, uid.begin(),
                           [](char c) { return c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c; });
    CHECK(client.remove(uid).error().code() == errc::own_key);
}

TEST_CASE("own key: it is taken away if that is allowed") {
    for (auto const& [name, run] : ways) {
        CAPTURE(name);
        OwnKey scene;
        Client client(scene.options);
        CHECK(run(client, scene.uid, CallOptions().allow_own_key()));
        CHECK_FALSE(scene.is_active(scene.uid));
    }
}

TEST_CASE("own key: operations that end no key are allowed, and other keys are not guarded") {
    OwnKey scene;
    Client client(scene.options);
    CHECK(client.reactivate(scene.uid));
    CHECK(client.set_active(scene.uid, true));
    CHECK(client.update(scene.uid, ApiKeyEdit().name("still mine")));
    auto const other = scene.emulator.seed_key(NewApiKey("other")).uid();
    CHECK(client.revoke(other));
    CHECK(client.remove(other));
}

// The same, with a client that does not know its key's uid.
struct UnknownUid : OwnKey {
    UnknownUid() { options.auth = auth::api_key(Secret(emulator.user(Role::tenant_admin).api_key.expose())); }

    std::string seed(const NewApiKey& key) { return emulator.seed_key(key).uid(); }
    [[nodiscard]] NewApiKey of_another() const {
        return NewApiKey("other").for_user(emulator.user(Role::user).uid);
    }

    std::string first = emulator.user(Role::tenant_admin).api_key_uid;
};

TEST_CASE("own key: without a uid, every active key of the client's own user is a candidate, and named") {
    for (auto const& [name, run] : ways) {
        CAPTURE(name);
        UnknownUid scene;
        auto const expired = scene.seed(NewApiKey("over").expires(Expiry::at(Instant(std::chrono::days{1}))));
        auto const others = scene.seed(scene.of_another());
        Client client(scene.options);
        for (auto const& uid : {scene.uid, scene.first}) {
            auto const refused = run(client, uid, CallOptions());
            REQUIRE_FALSE(refused);
            CHECK(refused.error().code() == errc::own_key);
            CHECK(refused.error().effect() == Effect::not_applied);
            CHECK(refused.error().key_uid() == uid);
            CHECK(contains(refused.error().what(), "it is one of " + scene.first + ", " + scene.uid));
            CHECK_FALSE(contains(refused.error().message(), expired));
            CHECK_FALSE(contains(refused.error().message(), others));
            CHECK(contains(refused.error().message(), "nothing was changed"));
            CHECK(contains(refused.error().message(), "allow_own_key"));
            CHECK(is_one_plain_line(refused.error().message()));
            CHECK(scene.is_active(uid));
        }
        CHECK(run(client, scene.uid, CallOptions().allow_own_key()));
        CHECK_FALSE(scene.is_active(scene.uid));
    }
}

TEST_CASE("own key: without a uid, keys of others and keys that do not work are taken away") {
    for (auto const& [name, run] : ways) {
        CAPTURE(name);
        UnknownUid scene;
        auto const others = scene.seed(scene.of_another());
        auto const expired = scene.seed(NewApiKey("over").expires(Expiry::at(Instant(std::chrono::days{1}))));
        auto const revoked = scene.seed(NewApiKey("revoked"));
        Client client(scene.options);
        CHECK(run(client, others, CallOptions()));
        CHECK_FALSE(scene.is_active(others));
        CHECK(run(client, expired, CallOptions()));
        CHECK(client.revoke(revoked, ChangeOptions().allow_own_key()));
        CHECK(run(client, revoked, CallOptions()));
        CHECK(run(client, "0123456789abcdef01234567", CallOptions()).error().code() == errc::not_found);
    }
}

TEST_CASE("own key: what it costs is one read a call, and none with a uid, a token or the permission") {
    auto const requests = [](OwnKey& scene, Client& client, ChangeOptions options, int keys) {
        std::vector<std::string> uids;
        for (int i = 0; i < keys; ++i)
            uids.push_back(
                scene.emulator.seed_key(NewApiKey("o").for_user(scene.emulator.user(Role::user).uid)).uid());
        auto const before = scene.emulator.request_count();
        for (auto const& uid : uids)
            CHECK(client.revoke(uid, options));
        return scene.emulator.request_count() - before;
    };
    UnknownUid unknown;
    Client of_unknown(unknown.options);
    CHECK(requests(unknown, of_unknown, ChangeOptions(), 5) == 1 + 2 * 5);
    CHECK(requests(unknown, of_unknown, ChangeOptions(), 5) == 2 * 5);
    CHECK(requests(unknown, of_unknown, ChangeOptions().allow_own_key(), 5) == 5);

    OwnKey known;
    Client of_known(known.options);
    CHECK(requests(known, of_known, ChangeOptions(), 5) == 5);

    OwnKey with_token;
    with_token.options.auth =
        auth::token(with_token.emulator.sign_in(with_token.emulator.user(Role::tenant_admin).uid));
    Client of_token(with_token.options);
    CHECK(requests(with_token, of_token, ChangeOptions(), 5) == 5);
    CHECK(of_token.remove(with_token.uid));
}

TEST_CASE("own key: without a uid, a key that the client has made itself is taken away in one request") {
    for (auto const& [name, run] : ways) {
        CAPTURE(name);
        UnknownUid scene;
        Client client(scene.options);
        auto const made = client.create(NewApiKey("made")).value().uid();
        auto const before = scene.emulator.request_count();
        CHECK(run(client, made, CallOptions()));
        CHECK(scene.emulator.request_count() == before + 1);
        // Another client does not know that, and may use the key.
        auto const second = client.create(NewApiKey("made")).value().uid();
        Client other(scene.options);
        CHECK(run(other, second, CallOptions()).error().code() == errc::own_key);
    }
}

TEST_CASE("own key: what was made with one credential may be the key of the next") {
    Scene scene;
    auto const key =
        R"({"metadata":{"uid":"a","name":"n"},"spec":{"user":{"uid":"u1"}},"status":{"isActive":true}})";
    scene.provider->give(Credential::api_key(Secret("the-first-of-the-keys")));
    scene.provider->give(Credential::api_key(Secret("the-second-of-the-keys")));
    scene.script->expect("GET /v1/users/info").answer(200, R"({"userUid":"u1","tenantUid":"t1"})");
    scene.script->expect("POST /v1/apiKeys").answer(201, R"({"apiKey":"the-second-of-the-keys","uid":"a"})");
    scene.script->expect("GET /v1/apiKeys/a").answer(200, key);
    scene.script->expect("DELETE /v1/apiKeys/a").answer(401);
    scene.script->expect("GET /v1/apiKeys/a").answer(200, key);
    scene.script->expect("GET /v1/users/info").answer(200, R"({"userUid":"u1","tenantUid":"t1"})");
    scene.script->expect("GET /v1/apiKeys").answer(200, std::string(R"({"items":[)") + key + "]}");
    Watched<CreatedApiKey> made;
    scene.client().async_create(NewApiKey("n"), made.handler());
    scene.settle();
    REQUIRE(made.result());
    Watched<> result;
    scene.client().async_remove("a", result.handler());
    scene.settle();
    CHECK(result.error().code() == errc::own_key);
    CHECK(scene.script->unmet().empty());
}

TEST_CASE("own key: a key that was given as it was seen is not read twice") {
    UnknownUid scene;
    auto const others = scene.seed(scene.of_another());
    Client client(scene.options);
    auto const seen = client.get(others).value();
    auto const own = client.get(scene.uid).value();
    CHECK(client.whoami());
    auto const before = scene.emulator.request_count();
    CHECK(client.revoke(seen));
    CHECK(scene.emulator.request_count() == before + 2);
    CHECK(client.remove(own).error().code() == errc::own_key);
    CHECK(client.revoke(own).error().code() == errc::own_key);
    CHECK(scene.is_active(scene.uid));
}

TEST_CASE("own key: a list that is refused leaves the refusal, with the key that was asked for") {
    UnknownUid scene;
    scene.emulator.faults().add("GET /v1/apiKeys status:403 after=1");
    Client client(scene.options);
    auto const refused = client.remove(scene.uid);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == errc::own_key);
    CHECK(contains(refused.error().what(), "it is one of " + scene.uid));
    CHECK(scene.is_active(scene.uid));
}

TEST_CASE("own key: a key that cannot be read is not taken away") {
    for (auto const* const fault : {"GET /v1/apiKeys status:403", "GET /v1/users/info status:403"}) {
        CAPTURE(fault);
        UnknownUid scene;
        auto const others = scene.seed(scene.of_another());
        scene.emulator.faults().add(fault);
        Client client(scene.options);
        auto const refused = client.revoke(others);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code() == errc::forbidden);
        CHECK(refused.error().effect() == Effect::not_applied);
        CHECK(scene.is_active(others));
    }
}

TEST_CASE("own key: more than twenty candidates are counted and not all named") {
    UnknownUid scene;
    for (int i = 0; i < 30; ++i)
        scene.seed(NewApiKey("more"));
    Client client(scene.options);
    auto const refused = client.remove(scene.uid);
    REQUIRE_FALSE(refused);
    CHECK(contains(refused.error().what(), " and 12 more"));
}

TEST_CASE("own key: of hundreds of changes at once, few ask who the caller is") {
    VirtualTime time;
    Emulator emulator({.clock = time.clock});
    auto options = emulator.client_options(Role::tenant_admin);
    options.auth = auth::api_key(Secret(emulator.user(Role::tenant_admin).api_key.expose()));
    options.timeouts.queue = std::chrono::hours{1};
    time.watch(options);
    ApiKeyClient client(time.context, options);
    constexpr std::size_t number = 300;
    std::size_t done = 0;
    std::size_t ended = 0;
    for (std::size_t i = 0; i < number; ++i) {
        auto const of = NewApiKey("theirs").for_user(emulator.user(Role::user).uid);
        client.async_revoke(emulator.seed_key(of).uid(), [&](const Result<void>& revoked) {
            done += revoked ? 1U : 0U;
            ++ended;
        });
    }
    time.run_until([&] { return ended == number; });
    CHECK(done == number);
    auto const asks = std::ranges::count_if(
        emulator.requests(), [](auto const& request) { return request.path == "/v1/users/info"; });
    // As many as the burst of the limit lets through before the first answer, at most.
    CHECK(asks <= 60);
    CHECK(asks >= 1);
}

// A retry of the change itself does not read the key again.
TEST_CASE("own key: a change that is sent again has been judged once") {
    UnknownUid scene;
    auto const others = scene.seed(scene.of_another());
    scene.emulator.faults().add("PUT /v1/apiKeys status:503 x2");
    scene.options.retry.initial_backoff = std::chrono::milliseconds(0);
    scene.options.retry.max_attempts = 3;
    Client client(scene.options);
    CHECK(client.revoke(others));
    CHECK(scene.emulator.request_count() == 1 + 1 + 3);
}

TEST_CASE("own key: another credential for a replay is judged anew") {
    Scene scene;
    auto const read = R"({"metadata":{"uid":"a"},"spec":{"user":{"uid":"u2"}},"status":{"isActive":true}})";
    scene.provider->give(Credential::api_key(Secret("the-first-of-the-keys")));
    scene.provider->give(Credential::api_key(Secret("the-second-of-the-keys")));
    scene.script->expect("GET /v1/apiKeys/a").answer(200, read);
    scene.script->expect("GET /v1/users/info").answer(200, R"({"userUid":"u1","tenantUid":"t1"})");
    scene.script->expect("DELETE /v1/apiKeys/a").answer(401);
    scene.script->expect("GET /v1/users/info").answer(200, R"({"userUid":"u2","tenantUid":"t1"})");
    scene.script->expect("GET /v1/apiKeys").answer(200, std::string(R"({"items":[)") + read + "]}");
    Watched<> result;
    scene.client().async_remove("a", result.handler());
    scene.settle();
    CHECK(result.error().code() == errc::own_key);
    CHECK(scene.script->unmet().empty());
}

// The first credential is refused with 401; the second is the very key that is to go.
TEST_CASE("own key: the guard holds for the credential that a replay would be sent with") {
    for (auto const* const request :
         {"PUT /v1/apiKeys/a/state", "PATCH /v1/apiKeys/a", "DELETE /v1/apiKeys/a"}) {
        CAPTURE(request);
        Scene scene;
        scene.provider->give(Credential::api_key(Secret("the-first-of-the-keys"), "b"));
        scene.provider->give(Credential::api_key(Secret("the-second-of-the-keys"), "a"));
        scene.script->expect(request).answer(401);
        Watched<> result;
        auto keep = result.handler();
        auto const method = std::string(request);
        if (method.starts_with("PUT")) scene.client().async_revoke("a", keep);
        if (method.starts_with("PATCH")) scene.client().async_set_active("a", false, keep);
        if (method.starts_with("DELETE")) scene.client().async_remove("a", keep);
        scene.settle();
        CHECK(result.error().code() == errc::own_key);
        CHECK(result.error().effect() == Effect::not_applied);
        CHECK(scene.script->requests().size() == 1);
    }
}

TEST_CASE("own key: the refusal does not deny what an earlier attempt may have done") {
    Scene scene;
    scene.options.retry.max_attempts = 3;
    scene.options.retry.initial_backoff = std::chrono::milliseconds(0);
    scene.provider->give(Credential::api_key(Secret("the-first-of-the-keys"), "b"));
    scene.provider->give(Credential::api_key(Secret("the-second-of-the-keys"), "a"));
    scene.script->expect("DELETE /v1/apiKeys/a").fail(Error(errc::transport, "lost"));
    scene.script->expect("DELETE /v1/apiKeys/a").answer(401);
    Watched<> result;
    scene.client().async_remove("a", result.handler());
    scene.settle();
    CHECK(result.error().code() == errc::own_key);
    CHECK(result.error().effect() == Effect::unknown);
}

TEST_CASE("own key: a reconciliation does not delete the key that it is made with") {
    Emulator emulator;
    auto const nonce = PendingCreate::make_nonce();
    auto own = emulator.seed_key(NewApiKey("ci").annotate("palette-keys-create", nonce + "-1"));
    auto const uid = own.uid();
    auto options = emulator.client_options(Role::tenant_admin);
    options.auth = auth::api_key(std::move(own).secret(), uid);
    Client client(options);
    auto const admin = emulator.user(Role::tenant_admin).uid;
    Identity caller;
    caller.user_uid = admin;
    caller.tenant_uid = emulator.tenant_uid();
    PendingCreate const pending(nonce, "ci", admin, caller, Instant{}, {1});
    auto const refused = client.reconcile(pending);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == errc::own_key);
    CHECK(refused.error().effect() == Effect::not_applied);
    CHECK(client.reconcile(pending, CallOptions().allow_own_key()).value().removed().size() == 1);
}

}  // namespace own_key_test
