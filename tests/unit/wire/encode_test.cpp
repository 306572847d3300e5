// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/wire/decode.hpp>
#include <palette/impl/wire/encode.hpp>

#include <doctest/doctest.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <string>

namespace encode_test {

using namespace palette;
using namespace palette::impl::wire;
using namespace std::chrono_literals;

constexpr Instant now = std::chrono::sys_days{2026y / 11 / 20} + 12h;

ApiKey a_key() {
    ApiKey key;
    key.uid = "k1";
    key.name = "ci";
    key.description = "nightly";
    key.owner = Owner("u1", "Ada", "Lovelace");
    key.expiry = Expiry::at(now + 24h);
    key.is_active = true;
    key.created = now;
    key.modified = now;
    key.annotations = {{"ownerUid", "u1"}, {"permissions", "a,b"}, {"scope", "tenant"}, {"\"odd\"\n", "\\"}};
    key.labels = {{"team", "infra"}};
    return key;
}

boost::json::value parsed(const Result<std::string>& body) {
    REQUIRE(body);
    return boost::json::parse(*body);
}

TEST_CASE("encode: a key with everything set") {
    auto const body = encode_create(NewApiKey("ci")
                                        .description("nightly \"build\"")
                                        .expires(Expiry::at(now))
                                        .for_user("u1")
                                        .annotate("b", "2")
                                        .annotate("a", "1")
                                        .label("team", "infra"),
                                    now);
    CHECK(body == std::string(R"({"metadata":{"name":"ci","annotations":{"a":"1","b":"2",)"
                              R"("description":"nightly \"build\""},"labels":{"team":"infra"}},)"
                              R"("spec":{"expiry":"2026-11-20T12:00:00.000Z","userUid":"u1"}})"));
}

TEST_CASE("encode: a key without an expiry gets thirty days from when it is sent") {
    CHECK(encode_create(NewApiKey("ci"), now) ==
          std::string(R"({"metadata":{"name":"ci"},"spec":{"expiry":"2026-12-20T12:00:00.000Z"}})"));
}

TEST_CASE("encode: a length of life counts from the service's time") {
    CHECK(encode_create(NewApiKey("ci").lives_for(std::chrono::minutes{90}), now) ==
          std::string(R"({"metadata":{"name":"ci"},"spec":{"expiry":"2026-11-20T13:30:00.000Z"}})"));
}

TEST_CASE("W2: a revocation says false and never leaves it out") {
    CHECK(encode_state(false) == R"({"isActive":false})");
    CHECK(encode_state(true) == R"({"isActive":true})");
}

TEST_CASE("W3: no time is never sent for a key that never expires") {
    auto const created = encode_create(NewApiKey("ci").expires(Expiry::never()), now);
    CHECK(created == std::string(R"({"metadata":{"name":"ci"},"spec":{}})"));
    auto key = a_key();
    key.expiry = Expiry::never();
    key.deleted.reset();
    auto const updated = encode_update(key, ApiKeyEdit());
    REQUIRE(updated);
    CHECK(updated->find("0001") == std::string::npos);
    CHECK(updated->find("expiry") == std::string::npos);
    CHECK(updated->find("imestamp") == std::string::npos);
}

TEST_CASE("W4: times are sent in one form with milliseconds and a Z") {
    auto const key = NewApiKey("ci").expires(Expiry::parse("2027-06-30t12:00:00+02:00").value());
    CHECK(parsed(encode_create(key, now)).at("spec").at("expiry") == "2027-06-30T10:00:00.000Z");
}

TEST_CASE("W5: every annotation and label survives an edit of the expiry byte for byte") {
    auto const key = a_key();
    auto const later = Expiry::at(now + 48h);
    auto const body = encode_update(key, ApiKeyEdit().expires(later));
    REQUIRE(body);
    auto sent = decode<ApiKey>(*body);
    REQUIRE(sent);
    CHECK(sent->annotations == key.annotations);
    CHECK(sent->labels == key.labels);
    CHECK(sent->name == key.name);
    CHECK(sent->description == key.description);
    CHECK(sent->expiry == later);
}

TEST_CASE("W5: a description that is cleared is sent empty and one that never was is not sent") {
    CHECK(parsed(encode_update(a_key(), ApiKeyEdit().description("")))
              .at("metadata")
              .at("annotations")
              .at("description") == "");
    CHECK(parsed(encode_update(a_key(), ApiKeyEdit())).at("metadata").at("annotations").at("description") ==
          "nightly");

    auto without = a_key();
    without.description.clear();
    auto const body = parsed(encode_update(without, ApiKeyEdit().name("other")));
    CHECK_FALSE(body.at("metadata").at("annotations").as_object().contains("description"));
    CHECK(body.at("metadata").at("name") == "other");
}

TEST_CASE("W5: an annotation put by hand under the name of the description does not win over the member") {
    auto key = a_key();
    key.annotations.set("description", "by hand");
    auto const annotations = parsed(encode_update(key, ApiKeyEdit())).at("metadata").at("annotations");
    CHECK(annotations.at("description") == "nightly");
    CHECK(NewApiKey("x").annotate("description", "d").description() == "d");
}

TEST_CASE("encode: an update carries nothing that only the service may write") {
    auto const body = parsed(encode_update(a_key(), ApiKeyEdit()));
    CHECK(body.as_object().size() == 2);
    CHECK(body.at("metadata").as_object().size() == 3);
    CHECK(body.at("spec").as_object().size() == 1);
}

TEST_CASE("W22: a text that is not UTF-8 is refused with the name of its field") {
    auto const path = [](const Result<std::string>& body) {
        REQUIRE_FALSE(body);
        CHECK(body.error().code() == errc::invalid_argument);
        CHECK(body.error().effect() == Effect::not_applied);
        return body.error().path();
    };
    CHECK(path(encode_create(NewApiKey("\xFF"), now)) == "name");
    CHECK(path(encode_create(NewApiKey("a").description("\xFF"), now)) == "description");
    CHECK(path(encode_create(NewApiKey("a").for_user("\xFF"), now)) == "user_uid");
    CHECK(path(encode_create(NewApiKey("a").annotate("k", "\xFF"), now)) == R"(metadata.annotations["k"])");
    CHECK(path(encode_create(NewApiKey("a").label("\xFF", "v"), now)) == R"(metadata.labels["\xff"])");
    CHECK(path(encode_update(a_key(), ApiKeyEdit().name("\xFF"))) == "name");
}

}  // namespace encode_test
