// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/wire/text.hpp>

#include <doctest/doctest.h>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <string_view>

namespace text_test {

using namespace palette;
using namespace palette::impl::wire;

TEST_CASE("W22: a path segment is letters, digits, dots, hyphens and underscores") {
    for (int c = 0; c < 0x100; ++c) {
        CAPTURE(c);
        std::string const byte(1, static_cast<char>(c));
        bool const plain =
            std::string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
                .find(byte) != std::string_view::npos;
        for (auto const& text : {"x" + byte, byte + "x"})
            CHECK(check_path_segment(text, "token").has_value() == plain);
    }
    for (auto const* const good : {"65f1c0de-A_z9.x", "...", "-", "_", "eyJhbGciOi.J9-_.x"})
        CHECK(check_path_segment(good, "token"));
}

TEST_CASE("W22: a path segment that is empty or climbs or hides a slash is refused and never quoted") {
    for (auto const* bad :
         {"", ".", "..", "../users", "a/b", "a%2Fb", "%2e%2e", "hunter2\r\n", "caf\xE9", "a~b"}) {
        CAPTURE(bad);
        auto const checked = check_path_segment(bad, "token");
        REQUIRE_FALSE(checked);
        CHECK(checked.error().code() == errc::invalid_argument);
        CHECK(checked.error().effect() == Effect::not_applied);
        CHECK(checked.error().path() == "token");
        CHECK(checked.error().message().find("hunter2") == std::string::npos);
    }
}

TEST_CASE("W22: a value of a query is percent-encoded but for what no server mistakes") {
    CHECK(query_value("65f1c0de-A_z~9.x") == "65f1c0de-A_z~9.x");
    CHECK(query_value("a b%2F?#&+;=@:") == "a%20b%252F%3F%23%26%2B%3B%3D%40%3A");
    CHECK(query_value("a\r\nHost: \xC3\xA9") == "a%0D%0AHost%3A%20%C3%A9");
}

TEST_CASE("W22: invalid UTF-8 is refused with the name of its field and the place") {
    auto const checked = check_utf8("ab\xFFzz", "description");
    REQUIRE_FALSE(checked);
    CHECK(checked.error().path() == "description");
    CHECK(checked.error().what() == "is not UTF-8 at byte 2, in \"ab\\xffzz\"");

    std::string out = "kept";
    auto const json = append_json_string(out, "a\xC3", "name");
    REQUIRE_FALSE(json);
    CHECK(json.error().path() == "name");
    CHECK(out == "kept");
}

TEST_CASE("W22: a JSON string is read back by another parser as it was") {
    std::string all;
    for (int c = 0; c < 0x80; ++c)
        all += static_cast<char>(c);
    all += "é€\xF0\x9F\x94\x91";
    std::string out;
    REQUIRE(append_json_string(out, all, "name"));
    CHECK(std::string(boost::json::parse(out).as_string().c_str(), all.size()) == all);
    CHECK(boost::json::parse(out).as_string().size() == all.size());
    CHECK(out.find('\n') == std::string::npos);
}

TEST_CASE("query_value: any byte can be sent") {
    CHECK(query_value("eyJ0+/= &") == "eyJ0%2B%2F%3D%20%26");
    CHECK(query_value("\xFF") == "%FF");
    CHECK(query_value("").empty());
}

}  // namespace text_test
