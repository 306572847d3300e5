// SPDX-License-Identifier: BSL-1.0
#include "support/printed.hpp"
#include "support/scripted_client.hpp"

#include <palette/client.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

// Answers that are proper and about something else than what was asked for.

namespace other_subjects_test {

using namespace std::chrono_literals;
using namespace palette;

// A read of the key "a" that says: this is `uid`.
std::string key_of(std::string_view uid, std::string_view name = "ci") {
    return R"({"metadata":{"uid":")" + std::string(uid) + R"(","name":")" + std::string(name) +
           R"(","annotations":{"team":"other"}},"spec":{"expiry":"2098-01-01T00:00:00Z","user":{"uid":"u1"}},)" +
           R"("status":{"isActive":true}})";
}

const std::string foreign[] = {"{}",
                               R"({"metadata":{"name":"ci"}})",
                               key_of(""),
                               key_of("b"),
                               key_of("A"),
                               key_of("a/"),
                               key_of("../users/u1")};

constexpr std::string_view me = R"({"userUid":"u1","tenantUid":"t1"})";

template <class T>
void check_not_used(const Result<T>& result, Effect effect) {
    REQUIRE_FALSE(result);
    CHECK(result.error().code() == errc::bad_value);
    CHECK(result.error().path() == "metadata.uid");
    CHECK(result.error().effect() == effect);
    CHECK(is_one_plain_line(result.error().message()));
}

TEST_CASE("a read that is answered with another key, or with none, is an error") {
    for (auto const& answer : foreign) {
        CAPTURE(answer);
        ScriptedClient service;
        service.expect("GET /v1/apiKeys/a").answer(200, answer);
        auto const read = service.run<ApiKey>([](auto& c, auto keep) { c.async_get("a", keep); });
        check_not_used(read, Effect::not_applied);
        CHECK(read.error().status() == 200);
        CHECK(read.error().attempts() == 1);
    }
}

TEST_CASE("W6: the response about another key is not written to the key that is changed") {
    for (auto const& answer : foreign) {
        CAPTURE(answer);
        ScriptedClient updated;
        updated.expect("GET /v1/apiKeys/a").answer(200, answer);
        check_not_used(updated.run<ApiKey>(
                           [](auto& c, auto keep) { c.async_update("a", ApiKeyEdit().name("new"), keep); }),
                       Effect::not_applied);
        CHECK(updated.requests().size() == 1);

        ScriptedClient renewed;
        renewed.expect("GET /v1/apiKeys/a").answer(200, answer);
        check_not_used(renewed.run<ApiKey>([](auto& c, auto keep) { c.async_renew("a", 24h, keep); }),
                       Effect::not_applied);
        CHECK(renewed.requests().size() == 1);
    }
}

TEST_CASE("W6: a read-back that is answered with another key confirms nothing") {
    for (auto const& answer : foreign) {
        CAPTURE(answer);
        ScriptedClient service;
        service.expect("GET /v1/apiKeys/a").answer(200, key_of("a"));
        service.expect("PUT /v1/apiKeys/a");
        service.expect("GET /v1/apiKeys/a").answer(200, answer);
        check_not_used(service.run<ApiKey>(
                           [](auto& c, auto keep) { c.async_update("a", ApiKeyEdit().name("new"), keep); }),
                       Effect::applied);
    }
}

TEST_CASE("W6: a write without an answer is not judged, nor sent again, by what another key looks like") {
    for (auto const& answer : {std::string("{}"), key_of("b"), key_of("b", "new")}) {
        CAPTURE(answer);
        ScriptedClient service(4);
        service.expect("GET /v1/apiKeys/a").answer(200, key_of("a"));
        service.expect("PUT /v1/apiKeys/a").fail(Error(errc::transport, "cut off"));
        service.expect("GET /v1/apiKeys/a").answer(200, answer);
        auto const result = service.run<ApiKey>(
            [](auto& c, auto keep) { c.async_update("a", ApiKeyEdit().name("new"), keep); });
        REQUIRE_FALSE(result);
        CHECK(result.error().effect() == Effect::unknown);
        CHECK(service.unmet().empty());
        CHECK(service.requests().size() == 3);
    }
}

TEST_CASE("a change that is verified is not verified by another key") {
    for (auto const& answer : foreign) {
        CAPTURE(answer);
        auto const verified = ChangeOptions().verify();
        ScriptedClient revoked;
        revoked.expect("PUT /v1/apiKeys/a/state");
        revoked.expect("GET /v1/apiKeys/a").answer(200, answer);
        check_not_used(revoked.run<void>([&](auto& c, auto keep) { c.async_revoke("a", verified, keep); }),
                       Effect::applied);

        ScriptedClient activated;
        activated.expect("PATCH /v1/apiKeys/a");
        activated.expect("GET /v1/apiKeys/a").answer(200, answer);
        check_not_used(
            activated.run<void>([&](auto& c, auto keep) { c.async_set_active("a", true, verified, keep); }),
            Effect::applied);

        ScriptedClient removed;
        removed.expect("DELETE /v1/apiKeys/a");
        removed.expect("GET /v1/apiKeys/a").answer(200, answer);
        check_not_used(removed.run<void>([&](auto& c, auto keep) { c.async_remove("a", verified, keep); }),
                       Effect::applied);
    }
}

TEST_CASE("W8: a confirming read that is answered with another key confirms nothing, and the value is kept") {
    for (auto const& answer : foreign) {
        CAPTURE(answer);
        ScriptedClient service;
        service.expect("GET /v1/users/info").answer(200, std::string(me));
        service.expect("POST /v1/apiKeys").answer(201, R"({"apiKey":"the-value-of-it","uid":"a"})");
        service.expect("GET /v1/apiKeys/a").answer(200, answer);
        service.expect("GET /v1/apiKeys").answer(200, R"({"items":[]})");
        auto const created =
            service.run<CreatedApiKey>([](auto& c, auto keep) { c.async_create(NewApiKey("ci"), keep); });
        REQUIRE(created);
        CHECK_FALSE(created->confirmed());
        CHECK(created->secret().expose() == "the-value-of-it");
    }
}

TEST_CASE("W8: a created key's uid that could lead to another path is not used, and the value is kept") {
    ScriptedClient service;
    service.expect("GET /v1/users/info").answer(200, std::string(me));
    service.expect("POST /v1/apiKeys").answer(201, R"({"apiKey":"the-value-of-it","uid":"../users/u1"})");
    service.expect("GET /v1/apiKeys").answer(200, R"({"items":[]})");
    auto const created =
        service.run<CreatedApiKey>([](auto& c, auto keep) { c.async_create(NewApiKey("ci"), keep); });
    REQUIRE(created);
    CHECK_FALSE(created->confirmed());
    CHECK(created->uid().empty());
    CHECK(created->secret().expose() == "the-value-of-it");
}

TEST_CASE("W8: an answer to a create without a value, whose uid is none, names no key") {
    ScriptedClient service;
    service.expect("GET /v1/users/info").answer(200, std::string(me));
    service.expect("POST /v1/apiKeys").answer(201, R"({"uid":"../users/u1"})");
    auto const created = service.run<CreatedApiKey>(
        [](auto& c, auto keep) { c.async_create(NewApiKey("ci"), CallOptions().deadline(50ms), keep); });
    REQUIRE_FALSE(created);
    CHECK(created.error().code() != errc::missing_key_value);
    CHECK(created.error().effect() == Effect::unknown);
    CHECK(created.error().pending());
}

TEST_CASE("W7: a key of a list whose uid could lead to another path is not deleted by it") {
    constexpr std::string_view nonce = "0123456789abcdef0123456789abcdef";
    Identity by;
    by.user_uid = "u1";
    by.tenant_uid = "t1";
    auto const pending = PendingCreate::of_nonce(std::string(nonce), "ci", by).value();
    for (std::string const uid : {"", "..", "../users/u1", "a/b"}) {
        CAPTURE(uid);
        ScriptedClient service;
        service.expect("GET /v1/users/info").answer(200, std::string(me));
        service.expect("GET /v1/apiKeys")
            .answer(200, R"({"items":[{"metadata":{"uid":")" + uid + R"(","name":"ci","annotations":{)" +
                             R"("palette-keys-create":")" + std::string(nonce) +
                             R"(-1"}},"spec":{"user":{"uid":"u1"}}}]})");
        auto const cleaned =
            service.run<Reconciliation>([&](auto& c, auto keep) { c.async_reconcile(pending, keep); });
        check_not_used(cleaned, Effect::not_applied);
        CHECK(service.requests().size() == 2);
    }
}

// One odd key does not hide all others of the tenant, nor is it hidden from whoever looks for it.
TEST_CASE("a list gives keys whose uid could lead to another path as they are, and their use is refused") {
    for (std::string const odd : {"", ".", "..", "../users/u1", "a/b", "a%2fb", "a b"}) {
        CAPTURE(odd);
        auto const items = R"({"items":[)" + key_of("a") + "," + R"({"metadata":{"uid":")" + odd +
                           R"(","name":"odd"},"spec":{"user":{"uid":")" + odd + R"("}}}]})";
        ScriptedClient service;
        service.expect("GET /v1/apiKeys").answer(200, items);
        auto const keys = service.run<KeyList>([](auto& c, auto keep) { c.async_list(keep); });
        REQUIRE(keys);
        REQUIRE(keys->size() == 2);
        service.expect("GET /v1/apiKeys").answer(200, items);
        auto const found = service.run<KeyList>([](auto& c, auto keep) { c.async_find("odd", keep); });
        REQUIRE(found);
        REQUIRE(found->size() == 1);
        auto const& key = *found->begin();
        CHECK(key.uid == odd);
        CHECK(key.owner.uid == odd);

        auto const check_refused = [&]<class T>(const Result<T>& result) {
            REQUIRE_FALSE(result);
            CHECK(result.error().code() == errc::invalid_argument);
            CHECK(result.error().effect() == Effect::not_applied);
        };
        check_refused(service.run<ApiKey>([&](auto& c, auto keep) { c.async_get(key.uid, keep); }));
        check_refused(service.run<ApiKey>(
            [&](auto& c, auto keep) { c.async_update(key.uid, ApiKeyEdit().name("new"), keep); }));
        check_refused(service.run<ApiKey>(
            [&](auto& c, auto keep) { c.async_update(key, ApiKeyEdit().name("new"), keep); }));
        check_refused(service.run<ApiKey>([&](auto& c, auto keep) { c.async_renew(key.uid, 24h, keep); }));
        check_refused(service.run<void>([&](auto& c, auto keep) { c.async_revoke(key.uid, keep); }));
        check_refused(service.run<void>([&](auto& c, auto keep) { c.async_reactivate(key.uid, keep); }));
        check_refused(service.run<void>([&](auto& c, auto keep) { c.async_remove(key.uid, keep); }));
        check_refused(service.run<CreatedApiKey>(
            [&](auto& c, auto keep) { c.async_create(NewApiKey("ci").for_user(key.owner.uid), keep); }));
        CHECK(service.requests().size() == 2);
    }
}

TEST_CASE("an identity without a user or a tenant, or with what is no uid, is an error") {
    struct Row {
        std::string answer;
        std::string_view path;
    };
    for (auto const& [answer, path] : {
             Row{"{}", "userUid"},
             Row{R"({"tenantUid":"t1"})", "userUid"},
             Row{R"({"userUid":"u1"})", "tenantUid"},
             Row{R"({"userUid":"","tenantUid":"t1"})", "userUid"},
             Row{R"({"userUid":"../u1","tenantUid":"t1"})", "userUid"},
             Row{R"({"userUid":"u1","tenantUid":".."})", "tenantUid"},
             Row{R"({"userUid":"u 1","tenantUid":"t1"})", "userUid"},
             // The credential itself, which a record of a pending create would keep on the disk.
             Row{R"({"userUid":"a-value-of-a-key","tenantUid":"t1"})", "userUid"},
             Row{R"({"userUid":"u1","tenantUid":"t.a-value-of-a-key"})", "tenantUid"},
         }) {
        CAPTURE(answer);
        ScriptedClient asked;
        asked.expect("GET /v1/users/info").answer(200, answer);
        auto const identity = asked.run<Identity>([](auto& c, auto keep) { c.async_whoami(keep); });
        REQUIRE_FALSE(identity);
        CHECK(identity.error().code() == errc::bad_value);
        CHECK(identity.error().path() == path);

        ScriptedClient creates;
        creates.expect("GET /v1/users/info").answer(200, answer);
        auto const created =
            creates.run<CreatedApiKey>([](auto& c, auto keep) { c.async_create(NewApiKey("ci"), keep); });
        REQUIRE_FALSE(created);
        CHECK(created.error().code() == errc::bad_value);
        CHECK(created.error().effect() == Effect::not_applied);
        CHECK(creates.requests().size() == 1);
    }
}

Result<User> find_ada(std::initializer_list<std::string_view> pages) {
    ScriptedClient service;
    for (auto const page : pages)
        service.expect("GET /v1/users").answer(200, std::string(page));
    auto user = service.run<User>([](auto& c, auto keep) { c.async_find_user("ada@acme.com", keep); });
    CHECK(service.unmet().empty());
    return user;
}

TEST_CASE("a user who is found by an address has a uid, and is the only one") {
    constexpr std::string_view ada =
        R"({"items":[{"metadata":{"uid":"u1"},"spec":{"emailId":"ada@acme.com"}}],"listmeta":{"continue":"x"}})";
    constexpr std::string_view other =
        R"({"items":[{"metadata":{"uid":"u2"},"spec":{"emailId":"Ada@acme.com"}}]})";
    constexpr std::string_view again =
        R"({"items":[{"metadata":{"uid":"u1"},"spec":{"emailId":"ada@acme.com"}}]})";

    CHECK(find_ada({ada, R"({"items":[]})"}).value().uid == "u1");
    CHECK(find_ada({ada, again}).value().uid == "u1");  // was moved to the next page meanwhile

    auto const several = find_ada({ada, other});
    REQUIRE_FALSE(several);
    CHECK(several.error().code() == errc::conflict);
    CHECK(several.error().effect() == Effect::not_applied);
    CHECK(several.error().attempts() == 2);

    for (auto const nobody :
         {R"({"items":[{"spec":{"emailId":"ada@acme.com"}}]})",
          R"({"items":[{"metadata":{"uid":"../u1"},"spec":{"emailId":"ada@acme.com"}}]})"})
        check_not_used(find_ada({nobody}), Effect::not_applied);
}

}  // namespace other_subjects_test
