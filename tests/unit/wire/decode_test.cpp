// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/wire/decode.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace decode_test {

using namespace palette;
using namespace palette::impl::wire;
using namespace std::chrono_literals;

constexpr const char* full_key = R"({
  "metadata": {
    "annotations": {"description": "nightly", "ownerUid": "u1", "scope": "tenant"},
    "creationTimestamp": "2026-01-02T03:04:05.678Z",
    "deletionTimestamp": "0001-01-01T00:00:00.000Z",
    "labels": {"team": "infra"},
    "lastModifiedTimestamp": "2026-02-03T04:05:06.789Z",
    "name": "ci",
    "uid": "65f1c0de0000000000000001"
  },
  "spec": {"expiry": "2027-01-31T23:59:59.999Z", "user": {"firstName": "Ada", "lastName": "Lovelace", "uid": "u1"}},
  "status": {"isActive": true}
})";

Instant time(int y, int m, int d, std::chrono::milliseconds of_day) {
    return std::chrono::sys_days{std::chrono::year{y} / m / d} + of_day;
}

TEST_CASE("decode: a key as the service documents it becomes a value with every member") {
    auto const key = decode<ApiKey>(full_key);
    REQUIRE(key);
    CHECK(key->uid == "65f1c0de0000000000000001");
    CHECK(key->name == "ci");
    CHECK(key->description == "nightly");
    CHECK(key->owner == Owner("u1", "Ada", "Lovelace"));
    CHECK(key->expiry == Expiry::on(std::chrono::year{2027} / 1 / 31));
    CHECK(key->is_active);
    CHECK(key->created == time(2026, 1, 2, 3h + 4min + 5s + 678ms));
    CHECK(key->modified == time(2026, 2, 3, 4h + 5min + 6s + 789ms));
    CHECK(key->deleted == std::nullopt);
    CHECK(key->annotations == StringMap{{"ownerUid", "u1"}, {"scope", "tenant"}});
    CHECK(key->labels == StringMap{{"team", "infra"}});
}

TEST_CASE("W1: a key without status or isActive is inactive") {
    CHECK_FALSE(decode<ApiKey>(R"({"metadata":{"uid":"k"}})").value().is_active);
    CHECK_FALSE(decode<ApiKey>(R"({"metadata":{"uid":"k"},"status":{}})").value().is_active);
    CHECK_FALSE(decode<ApiKey>(R"({"metadata":{"uid":"k"},"status":null})").value().is_active);
    CHECK_FALSE(decode<ApiKey>(R"({"metadata":{"uid":"k"},"status":{"isActive":null}})").value().is_active);
    CHECK(decode<ApiKey>(R"({"metadata":{"uid":"k"},"status":{"isActive":true}})").value().is_active);
}

TEST_CASE("W1: what is absent or null is empty everywhere") {
    CHECK(decode<ApiKey>("{}") == ApiKey());
    CHECK(decode<ApiKey>(R"({"metadata":null,"spec":null,"status":null})") == ApiKey());
    CHECK(decode<ApiKey>(R"({"metadata":{"annotations":null,"labels":null,"name":null,"uid":null,
        "creationTimestamp":null,"lastModifiedTimestamp":null,"deletionTimestamp":null},
        "spec":{"expiry":null,"user":null},"status":{"isActive":null}})") == ApiKey());
    CHECK(decode<ApiKey>(R"({"spec":{"user":{"firstName":null,"lastName":null,"uid":null}}})") == ApiKey());
    CHECK(decode<ApiKey>(R"({"metadata":{"annotations":{"description":null,"scope":null}}})") == ApiKey());
    CHECK(decode<KeyPage>("{}").value().items.empty());
    CHECK(decode<KeyPage>(R"({"items":null,"listmeta":null})").value().items.empty());
    CHECK(decode<KeyPage>(R"({"items":[null]})").value().items.empty());
    CHECK(decode<UserPage>(R"({"items":[{"spec":{"roles":[null,"Tenant Admin",null]}}]})")
              .value()
              .items[0]
              .roles == std::vector<std::string>{"Tenant Admin"});
}

TEST_CASE("W3: the zero time and everything before the year 2 reads as none") {
    for (auto const* none : {"0001-01-01T00:00:00.000Z", "0001-01-01T00:00:00Z", "0001-12-31T23:59:59.999Z",
                             "0000-01-01T00:00:00Z", ""}) {
        CAPTURE(none);
        auto const body = std::string(R"({"metadata":{"deletionTimestamp":")") + none +
                          R"("},"spec":{"expiry":")" + none + R"("}})";
        auto const key = decode<ApiKey>(body);
        REQUIRE(key);
        CHECK(key->deleted == std::nullopt);
        CHECK(key->expiry.is_never());
    }
    CHECK(decode<ApiKey>(R"({"spec":{"expiry":"0002-01-01T00:00:00Z"}})").value().expiry ==
          Expiry::at(time(2, 1, 1, 0ms)));
}

TEST_CASE("W4: every form of RFC 3339 is read and bad text is an error that names the field") {
    auto const expiry = [](const std::string& text) {
        return decode<ApiKey>(R"({"spec":{"expiry":")" + text + R"("}})");
    };
    auto const at = [](Instant t) { return Expiry::at(t); };
    CHECK(expiry("2026-06-30T12:00:00Z").value().expiry == at(time(2026, 6, 30, 12h)));
    CHECK(expiry("2026-06-30t12:00:00.123456789z").value().expiry == at(time(2026, 6, 30, 12h + 123ms)));
    CHECK(expiry("2026-06-30T12:00:00.5+02:30").value().expiry == at(time(2026, 6, 30, 9h + 30min + 500ms)));
    CHECK(expiry("2016-12-31T23:59:60Z").value().expiry == at(time(2017, 1, 1, 0ms)));

    auto const bad = expiry("2026-13-01T00:00:00Z");
    REQUIRE_FALSE(bad);
    CHECK(bad.error().code() == errc::bad_value);
    CHECK(bad.error().path() == "spec.expiry");
    CHECK(bad.error().what() == "expected an RFC 3339 time, got \"2026-13-01T00:00:00Z\"");
    CHECK(expiry("never").error().code() == errc::bad_value);
}

TEST_CASE("W5: the description is a member and every other annotation and label is kept as it came") {
    auto const key = decode<ApiKey>(
        R"({"metadata":{"annotations":{"zeta":"\u0000\"\\ \ud83d\udd11","description":"d","":"empty name"},
            "labels":{"description":"a label of that name"}}})");
    REQUIRE(key);
    CHECK(key->description == "d");
    CHECK(key->annotations.size() == 2);
    CHECK(key->annotations["zeta"] == std::string_view("\0\"\\ \xF0\x9F\x94\x91", 8));
    CHECK(key->annotations[""] == "empty name");
    CHECK(key->labels == StringMap{{"description", "a label of that name"}});
}

TEST_CASE("W8: a create answer gives the value and its uid unconfirmed") {
    auto created = decode<CreatedApiKey>(R"({"apiKey":"c2VjcmV0","uid":"65f1"})");
    REQUIRE(created);
    CHECK(created->uid() == "65f1");
    CHECK(created->secret().expose() == "c2VjcmV0");
    CHECK_FALSE(created->confirmed());
}

TEST_CASE("W8: a create answer with a value and no uid is a key all the same") {
    auto const created = decode<CreatedApiKey>(R"({"apiKey":"c2VjcmV0"})");
    REQUIRE(created);
    CHECK(created->uid().empty());
}

TEST_CASE("W8: a create answer without a value is an error that names the uid and says it was applied") {
    for (auto const* body :
         {R"({"uid":"65f1"})", R"({"uid":"65f1","apiKey":null})", R"({"apiKey":"","uid":"65f1"})"}) {
        CAPTURE(body);
        auto const created = decode<CreatedApiKey>(body);
        REQUIRE_FALSE(created);
        CHECK(created.error().code() == errc::missing_key_value);
        CHECK(created.error().effect() == Effect::applied);
        CHECK(created.error().what().find("65f1") != std::string::npos);
    }
}

TEST_CASE("W8: a create answer that cannot be read leaves the effect unknown") {
    for (auto const* body : {"", "{", "{}", "<html>", R"({"apiKey":5})", R"({"apiKey":"x"} y)"}) {
        CAPTURE(body);
        auto const created = decode<CreatedApiKey>(body);
        REQUIRE_FALSE(created);
        CHECK(created.error().effect() == Effect::unknown);
    }
}

TEST_CASE("W9: a deprecated spec.key is read over whatever its type and quoted in no error") {
    for (auto const* value : {R"("hunter2hunter2")", R"("hunter2\u0068unter2")", R"(["hunter2hunter2"])",
                              R"({"a":{"hunter2hunter2":1}})", "null", "17", "true"}) {
        CAPTURE(value);
        auto const body =
            std::string(R"({"metadata":{"uid":"k"},"spec":{"key":)") + value + R"(,"expiry":null}})";
        auto const key = decode<ApiKey>(body);
        REQUIRE(key);
        CHECK(key->uid == "k");
        CHECK(key->annotations.empty());
        for (std::size_t cut = 0; cut < body.size(); ++cut) {
            auto const broken = decode<ApiKey>(body.substr(0, cut) + "\x01");
            REQUIRE_FALSE(broken);
            CHECK(broken.error().message().find("hunter2") == std::string::npos);
        }
    }
}

TEST_CASE("decode: a list gives its keys in order and the token of the next page") {
    auto const page = decode<KeyPage>(
        R"({"items":[{"metadata":{"uid":"a"}},{"metadata":{"uid":"b"}}],"listmeta":{"continue":"t2","count":9,"limit":2}})");
    REQUIRE(page);
    REQUIRE(page->items.size() == 2);
    CHECK(page->items[0].uid == "a");
    CHECK(page->items[1].uid == "b");
    CHECK(page->next == "t2");
    CHECK(decode<KeyPage>(R"({"items":[],"listmeta":{"continue":""}})").value().next.empty());
}

TEST_CASE("decode: a user token carries the token as a secret and whether a second factor is wanted") {
    auto const token = decode<UserToken>(R"({"Authorization":"eyJ.h.s","isMfa":true})");
    REQUIRE(token);
    CHECK(token->token.expose() == "eyJ.h.s");
    CHECK(token->is_mfa);
    CHECK(decode<UserToken>("{}").value().token.empty());
}

TEST_CASE("decode: who I am, a page of users and an error body") {
    auto const me = decode<Identity>(R"({"orgName":"acme","tenantUid":"t","userUid":"u"})");
    REQUIRE(me);
    CHECK(me->org_name == "acme");
    CHECK(me->tenant_uid == "t");
    CHECK(me->user_uid == "u");

    auto const users = decode<UserPage>(
        R"({"items":[{"metadata":{"uid":"u1","name":"x"},"spec":{"emailId":"a@b.c","firstName":"A","lastName":"B",
            "roles":["r1","r2"]},"status":{"activationLink":"https://x","isActive":true,"lastSignIn":"2026-01-01T00:00:00Z"}}],
            "listmeta":{"continue":"n"}})");
    REQUIRE(users);
    REQUIRE(users->items.size() == 1);
    User expected;
    expected.uid = "u1";
    expected.email = "a@b.c";
    expected.first_name = "A";
    expected.last_name = "B";
    expected.roles = {"r1", "r2"};
    expected.is_active = true;
    expected.last_sign_in = time(2026, 1, 1, 0ms);
    CHECK(users->items[0] == expected);
    CHECK(users->next == "n");

    auto const error =
        decode<ErrorBody>(R"({"code":"ResourceNotFound","message":"no","details":[1],"ref":"r9"})");
    REQUIRE(error);
    CHECK(error->code.expose() == "ResourceNotFound");
    CHECK(error->message.expose() == "no");
    CHECK(error->ref.expose() == "r9");
}

TEST_CASE("decode: a page of users tells how many there are, in whole numbers of any size") {
    auto const total = [](const std::string& count) {
        return decode<UserPage>(R"({"items":[],"listmeta":{"count":)" + count + "}}").value().total;
    };
    CHECK(total("0") == 0);
    CHECK(total("124") == 124);
    CHECK(total("9223372036854775807") == 9'223'372'036'854'775'807U);
    CHECK(total("18446744073709551615") == 18'446'744'073'709'551'615U);
    CHECK(total("null") == std::nullopt);
    CHECK(decode<UserPage>(R"({"listmeta":{}})").value().total == std::nullopt);
    // W23: the first of two equal names counts.
    CHECK(decode<UserPage>(R"({"listmeta":{"count":1,"count":2}})").value().total == 1);
}

TEST_CASE("decode: one user, without the link that activates the account") {
    std::string const body = R"({"metadata":{"uid":"u1"},"spec":{"emailId":"a@b.c"},"status":{
        "activationLink":"https://palette.test/activate/hunter2hunter2","isActive":false,"lastSignIn":null}})";
    auto const user = decode<User>(body);
    REQUIRE(user);
    CHECK(user->uid == "u1");
    CHECK_FALSE(user->is_active);
    CHECK_FALSE(user->last_sign_in);
    for (std::size_t cut = 0; cut < body.size(); ++cut) {
        auto const broken = decode<User>(body.substr(0, cut) + "\x01");
        REQUIRE_FALSE(broken);
        CHECK(broken.error().message().find("hunter2") == std::string::npos);
    }
}

TEST_CASE("decode: an event of the audit log becomes a value with every member") {
    auto const page = decode<AuditPage>(R"({"items":[{
        "metadata":{"uid":"e1","creationTimestamp":"2026-01-02T03:04:05.678Z","name":"x"},
        "spec":{"actionMsg":"am","actionType":"delete","contentMsg":"cm","userMsg":"um",
            "actor":{"actorType":"user","project":{"uid":"p1","name":"Default"},"serviceName":"s",
                "user":{"uid":"u1","emailId":"a@b.c","firstName":"A","lastName":"B","org":"o"}},
            "resource":{"uid":"r1","kind":"k","name":"n","label":"l"}}}, {}, null],
        "listmeta":{"continue":"next"}})");
    REQUIRE(page);
    AuditEvent expected;
    expected.uid = "e1";
    expected.created = time(2026, 1, 2, 3h + 4min + 5s + 678ms);
    expected.action = "delete";
    expected.action_message = "am";
    expected.content_message = "cm";
    expected.user_message = "um";
    expected.resource.uid = "r1";
    expected.resource.kind = "k";
    expected.resource.name = "n";
    expected.resource.label = "l";
    expected.actor.type = "user";
    expected.actor.user_uid = "u1";
    expected.actor.email = "a@b.c";
    expected.actor.first_name = "A";
    expected.actor.last_name = "B";
    expected.actor.project = "Default";
    expected.actor.service = "s";
    REQUIRE(page->items.size() == 2);
    CHECK(page->items[0] == expected);
    CHECK(page->items[1] == AuditEvent());
    CHECK(page->next == "next");
    // W1: what is absent or null is empty.
    CHECK(decode<AuditPage>(R"({"items":[{"metadata":null,"spec":{"actor":{"project":null,"user":null},
        "resource":null,"actionType":null}}]})")
              .value()
              .items[0] == AuditEvent());
}

TEST_CASE("decode: the limits of a tenant") {
    auto const limits = decode<ResourceLimits>(
        R"({"resources":[{"kind":"user","limit":0},{"kind":"apiKey","label":"API keys","limit":20,"maxLimit":10000}]})");
    REQUIRE(limits);
    REQUIRE(limits->resources.size() == 2);
    CHECK(limits->resources[0].limit == 0);
    CHECK_FALSE(limits->resources[0].max_limit);
    CHECK(limits->resources[1].kind == "apiKey");
    CHECK(limits->resources[1].label == "API keys");
    CHECK(limits->resources[1].limit == 20);
    CHECK(limits->resources[1].max_limit == 10'000);
}

}  // namespace decode_test
