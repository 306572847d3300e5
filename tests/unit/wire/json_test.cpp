// SPDX-License-Identifier: BSL-1.0
#include <palette/json.hpp>

#include <doctest/doctest.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <string>

// Keys as the JSON that users see.

namespace json_test {

using namespace std::chrono_literals;
using namespace palette;

constexpr Instant noon = std::chrono::sys_days{2027y / 1 / 31} + 12h;

ApiKey full_key() {
    ApiKey key;
    key.uid = "463209768807a774078d86d3";
    key.name = "ci \"nightly\"";
    key.description = "böse\nZeile";
    key.owner = Owner("65e0beef", "Ada", "Lovelace");
    key.expiry = Expiry::at(noon + 7ms);
    key.is_active = true;
    key.created = noon - 1h;
    key.modified = noon;
    key.annotations = {{"scope", "tenant"}, {"", "empty name"}};
    key.labels = {{"team", ""}};
    return key;
}

const char* const full_text =
    R"({"uid":"463209768807a774078d86d3","name":"ci \"nightly\"","description":"böse\nZeile",)"
    R"("owner":{"uid":"65e0beef","first_name":"Ada","last_name":"Lovelace"},)"
    R"("expiry":"2027-01-31T12:00:00.007Z","is_active":true,"created":"2027-01-31T11:00:00.000Z",)"
    R"("modified":"2027-01-31T12:00:00.000Z","deleted":null,)"
    R"("annotations":{"":"empty name","scope":"tenant"},"labels":{"team":""}})";

template <class T>
Result<T> read(const std::string& text) {
    return from_json<T>(boost::json::parse(text));
}

TEST_CASE("JSON of keys: a key has the fields that are documented, in their order") {
    CHECK(boost::json::serialize(to_json(full_key())) == full_text);
    CHECK(boost::json::serialize(to_json(ApiKey())) ==
          R"({"uid":"","name":"","description":"","owner":{"uid":"","first_name":"","last_name":""},)"
          R"("expiry":null,"is_active":false,"created":null,"modified":null,"deleted":null,)"
          R"("annotations":{},"labels":{}})");
    CHECK(boost::json::serialize(to_json(KeyList({}, noon))) ==
          R"({"as_of":"2027-01-31T12:00:00.000Z","keys":[]})");
}

TEST_CASE("JSON of keys: what is written is read back equal") {
    ApiKey oldest;
    oldest.expiry = Expiry::at(std::chrono::sys_days{2y / 1 / 1});
    oldest.deleted = std::chrono::sys_days{9999y / 12 / 31} + 24h - 1ms;
    for (auto const& key : {full_key(), ApiKey(), oldest})
        CHECK(from_json<ApiKey>(to_json(key)) == key);
    KeyList const keys({full_key(), ApiKey(), oldest}, noon);
    CHECK(read<KeyList>(boost::json::serialize(to_json(keys))) == keys);
    CHECK(from_json<KeyList>(to_json(KeyList())) == KeyList());
}

TEST_CASE("JSON of keys: a time that RFC 3339 cannot write becomes the nearest that it can") {
    ApiKey key;
    key.created = Instant::min();
    key.deleted = Instant::max();
    auto const again = from_json<ApiKey>(to_json(key)).value();
    CHECK(again.created == Instant(std::chrono::sys_days{2y / 1 / 1}));
    CHECK(again.deleted == Instant(std::chrono::sys_days{9999y / 12 / 31} + 24h - 1ms));
}

TEST_CASE("JSON of keys: fields that are unknown are ignored, and those that may be missing have defaults") {
    auto const key = read<ApiKey>(R"({"uid":"a","expiry":null,"is_active":true,"later":[{}],"owner":null})");
    REQUIRE(key);
    ApiKey expected;
    expected.uid = "a";
    expected.is_active = true;
    CHECK(key == expected);
    CHECK(read<KeyList>(R"({"keys":[],"next":1})") == KeyList());
}

TEST_CASE("JSON of keys: an expiry is read in every form that Expiry reads") {
    auto const expiry = [](const std::string& text) {
        return read<ApiKey>(R"({"uid":"a","is_active":false,"expiry":")" + text + "\"}").value().expiry;
    };
    CHECK(expiry("2027-01-31T14:00:00+02:00") == Expiry::at(noon));
    CHECK(expiry("never").is_never());
}

struct BadKey {
    const char* text;
    errc code;
    const char* path;
};

TEST_CASE("JSON of keys: an error names the field") {
    static constexpr BadKey rows[] = {
        {R"([])", errc::wrong_type, ""},
        {R"("text")", errc::wrong_type, ""},
        {R"({})", errc::bad_value, "uid"},
        {R"({"uid":null})", errc::bad_value, "uid"},
        {R"({"uid":7})", errc::wrong_type, "uid"},
        {R"({"uid":"a","name":[]})", errc::wrong_type, "name"},
        {R"({"uid":"a","owner":"b"})", errc::wrong_type, "owner"},
        {R"({"uid":"a","owner":{"last_name":1}})", errc::wrong_type, "owner.last_name"},
        {R"({"uid":"a"})", errc::bad_value, "expiry"},
        {R"({"uid":"a","expiry":1})", errc::wrong_type, "expiry"},
        {R"({"uid":"a","expiry":""})", errc::bad_value, "expiry"},
        {R"({"uid":"a","expiry":"2027-13-01T00:00:00Z"})", errc::bad_value, "expiry"},
        {R"({"uid":"a","expiry":null})", errc::bad_value, "is_active"},
        {R"({"uid":"a","expiry":null,"is_active":1})", errc::wrong_type, "is_active"},
        {R"({"uid":"a","expiry":null,"is_active":true,"created":""})", errc::bad_value, "created"},
        {R"({"uid":"a","expiry":null,"is_active":true,"deleted":false})", errc::wrong_type, "deleted"},
        {R"({"uid":"a","expiry":null,"is_active":true,"labels":[]})", errc::wrong_type, "labels"},
        {R"({"uid":"a","expiry":null,"is_active":true,"labels":{"x\ny":1}})", errc::wrong_type,
         "labels.x\\ny"},
    };
    for (auto const& row : rows) {
        CAPTURE(row.text);
        auto const key = read<ApiKey>(row.text);
        REQUIRE_FALSE(key);
        CHECK(key.error().code() == row.code);
        CHECK(key.error().path() == row.path);
        CHECK(key.error().effect() == Effect::not_applied);
    }
}

TEST_CASE("JSON of keys: an error of a list names the key") {
    static constexpr BadKey rows[] = {
        {R"([])", errc::wrong_type, ""},
        {R"({})", errc::bad_value, "keys"},
        {R"({"keys":{}})", errc::wrong_type, "keys"},
        {R"({"keys":[],"as_of":"noon"})", errc::bad_value, "as_of"},
        {R"({"keys":[3]})", errc::wrong_type, "keys[0]"},
        {R"({"keys":[{"uid":"a","expiry":null,"is_active":true},{"uid":"b"}]})", errc::bad_value,
         "keys[1].expiry"},
        {R"({"keys":[{"uid":"a","owner":{"uid":0}}]})", errc::wrong_type, "keys[0].owner.uid"},
    };
    for (auto const& row : rows) {
        CAPTURE(row.text);
        auto const keys = read<KeyList>(row.text);
        REQUIRE_FALSE(keys);
        CHECK(keys.error().code() == row.code);
        CHECK(keys.error().path() == row.path);
    }
}

TEST_CASE("JSON of keys: the message of an error quotes no value, and says what to correct") {
    auto const message = read<ApiKey>(R"({"uid":"a","expiry":"a-secret-value"})").error().message();
    CHECK(message.find("expiry") != std::string::npos);
    CHECK(message.find("a-secret-value") == std::string::npos);
    CHECK(message.find("palette/json.hpp") != std::string::npos);
}

template <class T, class Json>
concept is_read_from = requires(const Json& json) { from_json<T>(json); };

TEST_CASE("JSON of keys: nothing else is read, and no text is taken for JSON") {
    CHECK(is_read_from<ApiKey, boost::json::value>);
    CHECK_FALSE(is_read_from<Owner, boost::json::value>);
    CHECK_FALSE(is_read_from<ApiKey, std::string>);
    CHECK_FALSE(is_read_from<ApiKey, char[3]>);
}

}  // namespace json_test
