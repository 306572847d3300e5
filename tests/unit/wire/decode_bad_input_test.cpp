// SPDX-License-Identifier: BSL-1.0
#include "support/decoding.hpp"

#include <palette/impl/wire/decode.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace decode_bad_input_test {

using namespace palette;
using namespace palette::impl::wire;

// What refuses `body`, in the words of errc and path.
template <class T>
Error refusal(std::string_view body) {
    auto const result = decode<T>(body);
    REQUIRE_FALSE(result);
    return result.error();
}

std::string nested(std::size_t depth, char open, char close) {
    return std::string(depth, open) + std::string(depth, close);
}

TEST_CASE("W23: a wrong type names the field and shows what came and what was expected") {
    struct Row {
        const char* body;
        const char* path;
        const char* what;
    };
    for (auto const& row : {
             Row{R"({"items":[{},{"spec":{"expiry":5}}]})", "items[1].spec.expiry",
                 "expected a time, got the number 5"},
             Row{R"({"items":[{"metadata":{"name":12345}}]})", "items[0].metadata.name",
                 "expected a string, got the number 12345"},
             Row{R"({"items":[{"metadata":{"name":-1.5e3}}]})", "items[0].metadata.name",
                 "expected a string, got the number -1.5e3"},
             Row{R"({"items":[{"metadata":{"labels":{"a b":true}}}]})", R"(items[0].metadata.labels["a b"])",
                 "expected a string, got true"},
             Row{R"({"items":[{"metadata":{"annotations":{"description":[]}}}]})",
                 "items[0].metadata.annotations.description", "expected a string, got an array"},
             Row{R"({"items":[{"metadata":{"annotations":{"x":{}}}}]})",
                 R"(items[0].metadata.annotations["x"])", "expected a string, got an object"},
             Row{R"({"items":[{"metadata":[]}]})", "items[0].metadata", "expected an object, got an array"},
             Row{R"({"items":[{"status":{"isActive":"true"}}]})", "items[0].status.isActive",
                 "expected true or false, got the string \"true\""},
             Row{R"({"items":[{"spec":{"user":"ada"}}]})", "items[0].spec.user",
                 "expected an object, got the string \"ada\""},
             Row{R"({"items":{}})", "items", "expected an array, got an object"},
             Row{R"({"items":"none"})", "items", "expected an array, got the string \"none\""},
             Row{R"({"items":[[]]})", "items[0]", "expected an object, got an array"},
             Row{R"({"items":[{},null,"x"]})", "items[2]", "expected an object, got the string \"x\""},
             Row{R"({"listmeta":{"continue":7}})", "listmeta.continue",
                 "expected a string, got the number 7"},
             Row{"[]", "", "expected an object, got an array"},
             Row{"null", "", "expected an object, got null"},
             Row{"\"text\"", "", "expected an object, got the string \"text\""},
         }) {
        CAPTURE(row.body);
        auto const error = refusal<KeyPage>(row.body);
        CHECK(error.code() == errc::wrong_type);
        CHECK(error.path() == row.path);
        CHECK(error.what() == row.what);
        CHECK(error.effect() == Effect::not_applied);
    }
}

TEST_CASE("W23: roles of a user are an array of strings and nothing else") {
    CHECK(refusal<UserPage>(R"({"items":[{"spec":{"roles":"x"}}]})").path() == "items[0].spec.roles");
    auto const error = refusal<UserPage>(R"({"items":[{"spec":{"roles":["x",{}]}}]})");
    CHECK(error.path() == "items[0].spec.roles[1]");
    CHECK(error.what() == "expected a string, got an object");
}

TEST_CASE("W23: a count is a whole number that is not negative, however it was cut") {
    struct Row {
        const char* count;
        const char* got;
    };
    for (auto const& [count, got] :
         {Row{"-1", "the number -1"}, Row{"1.5", "the number 1.5"}, Row{"1e3", "the number 1e3"},
          Row{"18446744073709551616", "the number 18446744073709551616"}, Row{"\"7\"", "the string \"7\""},
          Row{"true", "true"}, Row{"{}", "an object"}, Row{"[]", "an array"}}) {
        CAPTURE(count);
        auto const body = std::string(R"({"listmeta":{"count":)") + count + "}}";
        auto const error = refusal<UserPage>(body);
        CHECK(error.code() == errc::wrong_type);
        CHECK(error.path() == "listmeta.count");
        CHECK(error.what() == std::string("expected a whole number, not negative, got ") + got);
        for (std::size_t const size : {1U, 2U, 3U})
            CHECK(decoding::from_equal_pieces<UserPage>(body, size).error() == error);
    }
    auto const good =
        decoding::from_equal_pieces<UserPage>(R"({"listmeta":{"count":1234567,"continue":"x"}})", 1);
    CHECK(good.value().total == 1'234'567);
    CHECK(good.value().next == "x");
}

TEST_CASE("W23: a wrong type in users, events or limits names the field") {
    CHECK(refusal<User>(R"({"status":{"isActive":1}})").path() == "status.isActive");
    CHECK(refusal<User>(R"({"spec":{"emailId":[]}})").path() == "spec.emailId");
    CHECK(refusal<AuditPage>(R"({"items":[{"spec":{"actor":{"user":"ada"}}}]})").path() ==
          "items[0].spec.actor.user");
    CHECK(refusal<AuditPage>(R"({"items":[{},{"spec":{"actor":{"project":{"name":1}}}}]})").path() ==
          "items[1].spec.actor.project.name");
    CHECK(refusal<AuditPage>(R"({"items":[{"spec":{"resource":[]}}]})").path() == "items[0].spec.resource");
    CHECK(refusal<AuditPage>(R"({"items":[{"metadata":{"creationTimestamp":"soon"}}]})").code() ==
          errc::bad_value);
    CHECK(refusal<ResourceLimits>(R"({"resources":[{"limit":"20"}]})").path() == "resources[0].limit");
    CHECK(refusal<ResourceLimits>(R"({"resources":[7]})").path() == "resources[0]");
}

TEST_CASE("W23: the offending text is shortened and its control characters are escaped") {
    auto const error =
        refusal<ApiKey>(R"({"spec":{"expiry":"\n\u001b[31m)" + std::string(5000, 'x') + R"("}})");
    CHECK(error.what().find('\n') == std::string::npos);
    CHECK(error.what().find('\x1b') == std::string::npos);
    CHECK(error.what().find("\\n\\x1b[31mxxx") != std::string::npos);
    CHECK(error.what().size() < 200);
    CHECK(error.what().find("...") != std::string::npos);
}

TEST_CASE("W23: a value of a secret field is quoted in no error") {
    for (auto const* body : {R"({"apiKey":12345678})", R"({"apiKey":["hunter2hunter2"]})",
                             R"({"apiKey":"hunter2)", R"({"apiKey":"hunter2\x"})",
                             R"({"apiKey":"hunter2)"
                             "\x01"
                             R"("})",
                             R"({"apiKey":"hunter2","uid":{}})", R"({"apiKey":"hunter2"}hunter2)"}) {
        CAPTURE(body);
        auto const text = refusal<CreatedApiKey>(body).message();
        CHECK(text.find("hunter2") == std::string::npos);
        CHECK(text.find("12345678") == std::string::npos);
    }
    CHECK(refusal<UserToken>(R"({"Authorization":12345678})").message().find("12345678") ==
          std::string::npos);
    CHECK(refusal<UserToken>(R"({"Authorization":12345678})").path() == "Authorization");
}

TEST_CASE("W23: what is not JSON is told from what is cut off and from what goes on") {
    CHECK(refusal<KeyPage>("<html><body>").code() == errc::not_json);
    CHECK(refusal<KeyPage>("<html><body>").what() == "the answer is HTML or XML, not JSON");
    CHECK(refusal<KeyPage>("{\"items\":[}").code() == errc::not_json);
    CHECK(refusal<KeyPage>("{'items':[]}").code() == errc::not_json);
    CHECK(refusal<KeyPage>("\x1f\x8b\x08\x00").code() == errc::not_json);
    CHECK(refusal<KeyPage>("\xEF\xBB\xBF{}").code() == errc::not_json);
    CHECK(refusal<KeyPage>("{\"items\":[{}").code() == errc::truncated);
    CHECK(refusal<KeyPage>("{\"items\":[{}").path() == "items[1]");
    CHECK(refusal<KeyPage>("").code() == errc::truncated);
    CHECK(refusal<KeyPage>("").what() == "the answer is empty");
    CHECK(refusal<KeyPage>(" \n").code() == errc::truncated);
    CHECK(refusal<KeyPage>("{\"items\":[]}x").code() == errc::trailing_data);
    CHECK(refusal<KeyPage>("{\"items\":[]} {\"items\":[]}").code() == errc::trailing_data);
    CHECK(refusal<KeyPage>(std::string_view("{}\0", 3)).code() == errc::trailing_data);
    CHECK(decode<KeyPage>(" \t\r\n{\"items\":[]} \t\r\n").has_value());
}

TEST_CASE("W23: every prefix of a good answer is truncated and never a success") {
    std::string_view const body =
        R"({"items":[{"metadata":{"annotations":{"a":"\u00e9é"},"uid":"k"},"spec":{"x":[1.5,true,null]}}]})";
    REQUIRE(decode<KeyPage>(body));
    for (std::size_t n = 0; n < body.size(); ++n) {
        CAPTURE(n);
        auto const error = refusal<KeyPage>(body.substr(0, n));
        CHECK(error.code() == errc::truncated);
    }
}

TEST_CASE("W23: invalid UTF-8 is refused in fields that are kept and in fields that are skipped") {
    for (auto const* bad :
         {"\xFF", "\xC0\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xC3(", "\x80", "\xE2\x82"}) {
        for (auto const* before :
             {R"({"items":[{"metadata":{"name":")", R"({"items":[{"metadata":{"unheard":")"}) {
            auto const error = refusal<KeyPage>(before + std::string(bad) + R"("}}]})");
            CHECK(error.code() == errc::not_json);
            CHECK(error.what() == "the answer is not UTF-8");
            CHECK(error.path().starts_with("items[0].metadata."));
        }
    }
    CHECK(refusal<KeyPage>("{}\xC3").code() == errc::trailing_data);
    CHECK(refusal<ApiKey>(R"({"metadata":{"name":"\ud800"}})").code() == errc::not_json);
}

TEST_CASE("W23: nesting beyond the bound is refused and does not recurse") {
    CHECK(refusal<KeyPage>(R"({"x":)" + nested(1'000'000, '[', ']') + "}").code() == errc::too_deep);
    CHECK(refusal<KeyPage>(std::string(1'000'000, '[')).code() == errc::wrong_type);
    auto const error = refusal<ApiKey>(R"({"metadata":{"odd":)" + nested(31, '[', ']') + "}}");
    CHECK(error.code() == errc::too_deep);
    CHECK(error.path() == "metadata.odd");
    CHECK(decode<ApiKey>(R"({"metadata":{"odd":)" + nested(30, '[', ']') + "}}").has_value());
}

TEST_CASE("W23: a body beyond the bound is refused however it comes") {
    Limits const limits{.bytes = 100, .depth = 32};
    std::string const fits = R"({"metadata":{"name":")" + std::string(76, 'x') + R"("}})";
    REQUIRE(fits.size() == 100);
    {
        Decoder<ApiKey> decoder(limits);
        CHECK(decoder.write(fits));
        CHECK(decoder.finish());
    }
    for (std::size_t size : {1u, 7u, 100u, 101u}) {
        CAPTURE(size);
        Decoder<ApiKey> decoder(limits);
        auto const body = fits + " ";
        Result<void> outcome;
        for (std::size_t at = 0; at < body.size() && outcome; at += size)
            outcome = decoder.write(std::string_view(body).substr(at, size));
        REQUIRE_FALSE(outcome);
        CHECK(outcome.error().code() == errc::too_large);
        CHECK(outcome.error().what() == "the answer is larger than 100 bytes");
        CHECK(decoder.finish().error() == outcome.error());
    }
}

TEST_CASE("W23: of duplicate names the first counts on every level") {
    auto const key = decode<ApiKey>(
        R"({"metadata":{"name":"first","name":"second","labels":{"b":"1","a":"2","b":"3"},"labels":{"c":"4"}},
            "metadata":{"name":"third","uid":"not mine"},"status":{"isActive":false,"isActive":true},
            "spec":{"user":{"uid":"u1","uid":"u2"}}})");
    REQUIRE(key);
    CHECK(key->name == "first");
    CHECK(key->uid.empty());
    CHECK_FALSE(key->is_active);
    CHECK(key->owner.uid == "u1");
    CHECK(key->labels == StringMap{{"a", "2"}, {"b", "1"}});

    auto const created = decode<CreatedApiKey>(R"({"apiKey":"one","apiKey":"two","uid":"k"})");
    REQUIRE(created);
    CHECK(created->secret().expose() == "one");

    auto const description =
        decode<ApiKey>(R"({"metadata":{"annotations":{"description":"one","x":"1","description":"two"}}})");
    REQUIRE(description);
    CHECK(description->description == "one");
}

TEST_CASE("W23: a null that comes first counts as the first") {
    auto const key = decode<ApiKey>(R"({"metadata":{"name":null,"name":"second"}})");
    REQUIRE(key);
    CHECK(key->name.empty());
}

TEST_CASE("W23: unknown fields are skipped at any depth and of any type") {
    auto const key = decode<ApiKey>(
        R"({"kind":"ApiKey","n":[1,-2,3.5,[{"metadata":{"name":"not mine"}}]],"metadata":{"generation":4,
            "ownerReferences":[{"uid":"x","name":"y"}],"name":"mine","managed":{"name":"not mine"}},
            "spec":{"user":{"uid":"u","extra":{"uid":"no"}},"scopes":["a"]},"status":{"isActive":true,"conditions":[]}})");
    REQUIRE(key);
    CHECK(key->name == "mine");
    CHECK(key->owner == Owner("u"));
    CHECK(key->is_active);
}

TEST_CASE("W23: an error within an unknown field names it") {
    CHECK(refusal<ApiKey>(R"({"metadata":{"odd\nname":[{"a":tru}]}})").path() == "metadata.odd\\nname");
}

TEST_CASE("W23: elements too small for their number are refused before they fill the memory") {
    auto const many = [](const std::string& element, std::size_t n) {
        std::string body = R"({"items":[)" + element;
        for (std::size_t i = 1; i < n; ++i)
            body += "," + element;
        return body + "]}";
    };
    auto const error = refusal<KeyPage>(many("{}", 100'000));
    CHECK(error.code() == errc::too_large);
    CHECK(error.what() == "the elements here are too small for their number");
    CHECK(decode<KeyPage>(many("{}", 50)).has_value());
    CHECK(decode<KeyPage>(many(R"({"metadata":{"name":"ci","uid":"65f1c0de0000000000000001"}})", 50'000))
              .has_value());
}

TEST_CASE("decode: after an error every further call repeats it") {
    Decoder<KeyPage> decoder;
    auto const first = decoder.write(R"({"items":[{"metadata":{"name":1}}]})");
    REQUIRE_FALSE(first);
    CHECK(decoder.write("[]").error() == first.error());
    CHECK(decoder.finish().error() == first.error());
}

}  // namespace decode_bad_input_test
