// SPDX-License-Identifier: BSL-1.0
#include "support/credential_scene.hpp"
#include "support/printed.hpp"
#include "support/watched.hpp"

#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>
#include <palette/pending_create.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

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

TEST_CASE("own key: a client that does not know its key's uid, or has a token, refuses nothing") {
    OwnKey scene;
    scene.options = scene.emulator.client_options(Role::tenant_admin);
    Client client(scene.options);
    CHECK(client.remove(scene.uid));
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
