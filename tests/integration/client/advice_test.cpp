// SPDX-License-Identifier: BSL-1.0
#include "support/printed.hpp"
#include "support/scripted_client.hpp"

#include <palette/client.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What errors advise, of every operation and for every answer: what is true of one operation may be wrong of
// another.

namespace advice_test {

using namespace std::chrono_literals;
using namespace palette;

constexpr std::string_view key =
    R"({"metadata":{"uid":"a","name":"ci"},"spec":{"expiry":"2098-01-01T00:00:00Z"},"status":{"isActive":true}})";
constexpr std::string_view me = R"({"userUid":"u1","tenantUid":"t1"})";

enum class About { one_key, no_key, new_key };

using Keep = std::function<void(Result<void>)>;

template <class T>
auto keeps(Keep keep) {
    return [keep = std::move(keep)](Result<T> result) {
        if (result)
            keep(Result<void>());
        else
            keep(std::move(result.error()));
    };
}

struct Operation {
    std::string_view name;
    About about;
    std::vector<std::pair<std::string, std::string_view>> before;  // requests that succeed, and their answers
    std::string request;                                           // that fails
    void (*start)(ApiKeyClient&, Keep);
};

const std::vector<Operation>& operations() {
    static const std::vector<Operation> all = {
        {"list",
         About::no_key,
         {},
         "GET /v1/apiKeys",
         [](ApiKeyClient& c, Keep k) { c.async_list(keeps<KeyList>(std::move(k))); }},
        {"find",
         About::no_key,
         {},
         "GET /v1/apiKeys",
         [](ApiKeyClient& c, Keep k) { c.async_find("ci", keeps<KeyList>(std::move(k))); }},
        {"get",
         About::one_key,
         {},
         "GET /v1/apiKeys/a",
         [](ApiKeyClient& c, Keep k) { c.async_get("a", keeps<ApiKey>(std::move(k))); }},
        {"update, read",
         About::one_key,
         {},
         "GET /v1/apiKeys/a",
         [](ApiKeyClient& c, Keep k) {
             c.async_update("a", ApiKeyEdit().name("n"), keeps<ApiKey>(std::move(k)));
         }},
        {"update, write",
         About::one_key,
         {{"GET /v1/apiKeys/a", key}},
         "PUT /v1/apiKeys/a",
         [](ApiKeyClient& c, Keep k) {
             c.async_update("a", ApiKeyEdit().name("n"), keeps<ApiKey>(std::move(k)));
         }},
        {"renew, write",
         About::one_key,
         {{"GET /v1/apiKeys/a", key}},
         "PUT /v1/apiKeys/a",
         [](ApiKeyClient& c, Keep k) { c.async_renew("a", Expiry::never(), keeps<ApiKey>(std::move(k))); }},
        {"revoke",
         About::one_key,
         {},
         "PUT /v1/apiKeys/a/state",
         [](ApiKeyClient& c, Keep k) { c.async_revoke("a", std::move(k)); }},
        {"reactivate",
         About::one_key,
         {},
         "PUT /v1/apiKeys/a/state",
         [](ApiKeyClient& c, Keep k) { c.async_reactivate("a", std::move(k)); }},
        {"set_active",
         About::one_key,
         {},
         "PATCH /v1/apiKeys/a",
         [](ApiKeyClient& c, Keep k) { c.async_set_active("a", true, std::move(k)); }},
        {"remove",
         About::one_key,
         {},
         "DELETE /v1/apiKeys/a",
         [](ApiKeyClient& c, Keep k) { c.async_remove("a", std::move(k)); }},
        {"whoami",
         About::no_key,
         {},
         "GET /v1/users/info",
         [](ApiKeyClient& c, Keep k) { c.async_whoami(keeps<Identity>(std::move(k))); }},
        {"find_user",
         About::no_key,
         {},
         "GET /v1/users",
         [](ApiKeyClient& c, Keep k) { c.async_find_user("ada@acme.com", keeps<User>(std::move(k))); }},
        {"create, identity",
         About::no_key,
         {},
         "GET /v1/users/info",
         [](ApiKeyClient& c, Keep k) {
             c.async_create(NewApiKey("ci"), keeps<CreatedApiKey>(std::move(k)));
         }},
        {"create",
         About::new_key,
         {{"GET /v1/users/info", me}},
         "POST /v1/apiKeys",
         [](ApiKeyClient& c, Keep k) {
             c.async_create(NewApiKey("ci"), keeps<CreatedApiKey>(std::move(k)));
         }},
        {"reconcile",
         About::no_key,
         {{"GET /v1/users/info", me}},
         "GET /v1/apiKeys",
         [](ApiKeyClient& c, Keep k) {
             Identity by;
             by.user_uid = "u1";
             by.tenant_uid = "t1";
             auto pending = PendingCreate::of_nonce(std::string(32, 'a'), "ci", by).value();
             c.async_reconcile(std::move(pending), keeps<Reconciliation>(std::move(k)));
         }},
    };
    return all;
}

Error failure_of(const Operation& operation, int status, std::string body = {}, HttpFields headers = {}) {
    ScriptedClient service;
    service.options.timeouts.total = 200ms;
    for (auto const& [request, answer] : operation.before)
        service.expect(request).answer(200, std::string(answer));
    service.expect(operation.request).answer(status, std::move(body), std::move(headers));
    auto const result =
        service.run<void>([&](ApiKeyClient& c, auto keep) { operation.start(c, std::move(keep)); });
    REQUIRE_FALSE(result);
    return result.error();
}

std::string_view advice_for(int status, About about) {
    static constexpr std::string_view host =
        "check that the host is the Palette API and not a proxy or portal";
    switch (status) {
        case 400:
        case 422:
            return "correct what it names and call again";
        case 401:
            return "check that the key is active and has not expired, or log in anew";
        case 403:
            return "use the credential of a user who has the role for it";
        case 404:
            return about == About::one_key ? "check the uid; the key may have been deleted"
                   : about == About::new_key
                       ? "check the uid of the user, and that the host is the Palette API"
                       : "check the credential, and that the host is the Palette API";
        case 409:
            return about == About::one_key   ? "read the key, and decide anew"
                   : about == About::new_key ? "change what the service names, and call again"
                                             : host;
        default:
            return "wait, then call again; share one rate limiter between clients";
    }
}

TEST_CASE("advice: the refusal of each operation advises what can help") {
    for (auto const& operation : operations()) {
        for (int const status : {400, 401, 403, 404, 409, 422, 429}) {
            CAPTURE(operation.name);
            CAPTURE(status);
            auto const error = failure_of(operation, status);
            CAPTURE(error.message());
            CHECK(error.status() == status);
            auto const is_read = operation.request.starts_with("GET");
            auto const expected = status == 409 && is_read ? advice_for(status, About::no_key)
                                                           : advice_for(status, operation.about);
            CHECK(error.advice() == expected);
            CHECK(error.message().ends_with(expected));
            // Nothing is said of a key where none was asked for.
            auto const names_a_key =
                contains(error.message(), "such key") || contains(error.message(), "it was read");
            CHECK((operation.about == About::one_key || !names_a_key));
        }
    }
}

TEST_CASE("advice: a page of HTML comes from something else than the service, whatever its status") {
    for (auto const& operation : operations()) {
        if (operation.about == About::new_key) continue;
        CAPTURE(operation.name);
        auto const error = failure_of(operation, 404, "<html>", {{"Content-Type", "text/html"}});
        CHECK(error.advice() == "check that the host is the Palette API and not a proxy or portal");
    }
}

TEST_CASE("advice: for a user who is not found, it is about the address and not about a uid") {
    auto const find = [](std::string answer) {
        ScriptedClient service;
        service.expect("GET /v1/users").answer(200, std::move(answer));
        auto const user =
            service.run<User>([](auto& c, auto keep) { c.async_find_user("ada@acme.com", keep); });
        REQUIRE_FALSE(user);
        return user.error();
    };
    auto const nobody = find(R"({"items":[]})");
    CHECK(nobody.code() == errc::not_found);
    CHECK(nobody.advice() == "check the address; the credential may not see every user");
    auto const several = find(R"({"items":[{"metadata":{"uid":"u1"},"spec":{"emailId":"ada@acme.com"}},)"
                              R"({"metadata":{"uid":"u2"},"spec":{"emailId":"ada@acme.com"}}]})");
    CHECK(several.code() == errc::conflict);
    CHECK(several.advice() == "use the uid of the user who is meant");
}

TEST_CASE(
    "advice: after a create whose key may be there, no other is to be created before it is cleaned up") {
    ScriptedClient service;
    service.options.retry.settle_time = 0ms;
    service.expect("GET /v1/users/info").answer(200, std::string(me));
    service.expect("POST /v1/apiKeys").answer(503);
    service.expect("GET /v1/apiKeys").answer(200, R"({"items":[]})");
    auto const created =
        service.run<CreatedApiKey>([](auto& c, auto keep) { c.async_create(NewApiKey("ci"), keep); });
    REQUIRE_FALSE(created);
    CHECK(created.error().effect() == Effect::unknown);
    REQUIRE(created.error().pending());
    CHECK(created.error().advice() == "reconcile what is pending now, in an hour and in a day");
    CHECK_FALSE(contains(created.error().message(), "call again"));
    CHECK_FALSE(is_safe_to_repeat(created.error(), Idempotency::not_idempotent));
}

TEST_CASE("advice: to raise a bound is advised where an option has it, and nowhere else") {
    ScriptedClient service;
    service.options.list_limits.max_items = 1;
    service.expect("GET /v1/apiKeys").answer(200, R"({"items":[{},{}]})");
    auto const keys = service.run<KeyList>([](auto& c, auto keep) { c.async_list(keep); });
    REQUIRE_FALSE(keys);
    CHECK(keys.error().code() == errc::too_large);
    CHECK(contains(keys.error().message(), "list_limits.max_items"));
    CHECK(keys.error().advice() ==
          "check that the host is the Palette API, or raise that option of the client");
    CHECK_FALSE(contains(Error(errc::too_large).message(), "raise"));
}

TEST_CASE("advice: a key without a value is not deleted by a uid that may be the user's") {
    ScriptedClient service;
    service.expect("GET /v1/users/info").answer(200, std::string(me));
    service.expect("POST /v1/apiKeys").answer(201, R"({"uid":"u1"})");
    auto const created =
        service.run<CreatedApiKey>([](auto& c, auto keep) { c.async_create(NewApiKey("ci"), keep); });
    REQUIRE_FALSE(created);
    CHECK(created.error().code() == errc::missing_key_value);
    CHECK(created.error().pending());
    CAPTURE(created.error().message());
    CHECK(contains(created.error().message(), "u1, which is the key's or the user's"));
    CHECK(contains(created.error().message(), "reconcile what is pending"));
    CHECK_FALSE(contains(created.error().message(), "delete the key that is named"));
    CHECK_FALSE(contains(created.error().message(), "create another"));
}

TEST_CASE(
    "advice: of a change whose effect is unknown, the key is to be read three times before it is repeated") {
    constexpr std::string_view read =
        "read the key a now, in an hour and in a day, and repeat the change if it is not in effect";
    for (auto const& operation : operations()) {
        auto const is_change = operation.about == About::one_key && !operation.request.starts_with("GET");
        if (!is_change) continue;
        CAPTURE(operation.name);
        auto const error = failure_of(operation, 500);
        CHECK(error.effect() == Effect::unknown);
        CHECK(error.advice() == read);
        CHECK(error.message().ends_with(read));
    }
    // Made by others, without a uid.
    for (auto const code : {errc::timeout, errc::operation_aborted, errc::transport}) {
        auto const error = Error(code).effect(Effect::unknown);
        CHECK(error.advice() ==
              "read the key now, in an hour and in a day, and repeat the change if it is not in effect");
    }
}

TEST_CASE("advice: where the credential is refused after a change was lost, it comes before the reading") {
    ScriptedClient service(4);
    service.expect("PUT /v1/apiKeys/a/state").fail(Error(errc::transport, "cut off"));
    service.expect("PUT /v1/apiKeys/a/state").answer(403);
    auto const result = service.run<void>([](auto& c, auto keep) { c.async_revoke("a", keep); });
    REQUIRE_FALSE(result);
    CHECK(result.error().effect() == Effect::unknown);
    CHECK(
        result.error().advice() ==
        "use the credential of a user who has the role for it; then read the key a now, in an hour and in a "
        "day, and repeat the change if it is not in effect");
    CHECK(contains(result.error().message(), ", after 2 requests"));
}

TEST_CASE("advice: an applied change is not to be repeated") {
    ScriptedClient service;
    service.expect("GET /v1/apiKeys/a").answer(200, std::string(key));
    service.expect("PUT /v1/apiKeys/a");
    service.expect("GET /v1/apiKeys/a").answer(503);
    auto const result =
        service.run<ApiKey>([](auto& c, auto keep) { c.async_update("a", ApiKeyEdit().name("n"), keep); });
    REQUIRE_FALSE(result);
    CHECK(result.error().effect() == Effect::applied);
    CHECK(result.error().advice() == "nothing has to be repeated; read it again to see how it is");
}

TEST_CASE(
    "W6: a write without an answer, after which the key is neither as before nor as written, is in doubt") {
    ScriptedClient service(4);
    service.expect("GET /v1/apiKeys/a").answer(200, std::string(key));
    service.expect("PUT /v1/apiKeys/a").fail(Error(errc::transport, "cut off"));
    auto changed = std::string(key);
    changed.replace(changed.find("ci"), 2, "other");
    service.expect("GET /v1/apiKeys/a").answer(200, changed);
    auto const result =
        service.run<ApiKey>([](auto& c, auto keep) { c.async_update("a", ApiKeyEdit().name("n"), keep); });
    REQUIRE_FALSE(result);
    CHECK(result.error().code() == errc::conflict);
    CHECK(result.error().effect() == Effect::unknown);
    CHECK(result.error().advice() == "read the key a now, in an hour and in a day, and decide anew");
    CHECK(service.unmet().empty());
}

}  // namespace advice_test
