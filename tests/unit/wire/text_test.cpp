// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/wire/text.hpp>

#include <doctest/doctest.h>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <string_view>

using namespace palette;
using namespace palette::wire;

TEST_CASE("W22: a path segment keeps what no server mistakes and encodes all else") {
    CHECK(path_segment("65f1c0de-A_z~9.x", "uid") == std::string("65f1c0de-A_z~9.x"));
    CHECK(path_segment("a/b", "uid") == std::string("a%2Fb"));
    CHECK(path_segment("a b%2F?#&+;=@:", "uid") == std::string("a%20b%252F%3F%23%26%2B%3B%3D%40%3A"));
    CHECK(path_segment("é", "uid") == std::string("%C3%A9"));
    CHECK(path_segment("a\r\nHost: x", "uid") == std::string("a%0D%0AHost%3A%20x"));
    CHECK(path_segment(std::string_view("a\0b", 3), "uid") == std::string("a%00b"));
    CHECK(path_segment("...", "uid") == std::string("..."));
}

TEST_CASE("W22: every byte of a path segment is a letter digit mark or percent escape") {
    for (int c = 1; c < 0x80; ++c) {
        auto const segment = path_segment(std::string("x") + static_cast<char>(c), "uid");
        REQUIRE(segment);
        CHECK(segment->find_first_not_of(
                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~%") ==
              std::string::npos);
    }
}

TEST_CASE("W22: a path segment that is empty or climbs is refused with the name of its field") {
    for (auto const* bad : {"", ".", ".."}) {
        CAPTURE(bad);
        auto const segment = path_segment(bad, "uid");
        REQUIRE_FALSE(segment);
        CHECK(segment.error().code() == errc::invalid_argument);
        CHECK(segment.error().effect() == Effect::not_applied);
        CHECK(segment.error().path() == "uid");
    }
}

TEST_CASE("W22: invalid UTF-8 is refused with the name of its field and the place") {
    auto const segment = path_segment("ab\xFFzz", "uid");
    REQUIRE_FALSE(segment);
    CHECK(segment.error().path() == "uid");
    CHECK(segment.error().what() == "is not UTF-8 at byte 2, in \"ab\\xffzz\"");

    std::string out = "kept";
    auto const json = append_json_string(out, "a\xC3", "name");
    REQUIRE_FALSE(json);
    CHECK(json.error().path() == "name");
    CHECK(out == "kept");
}

TEST_CASE("W22: CR LF NUL and other control characters are refused in a header and never quoted") {
    CHECK(check_header_value("eyJhbGciOi.J9-_~ +/=", "Authorization"));
    CHECK(check_header_value("", "ApiKey"));
    CHECK(check_header_value("a\tb", "ApiKey"));
    for (auto const bad :
         {std::string_view("hunter2\r"), std::string_view("hunter2\nX: y"), std::string_view("hunter2\0", 8),
          std::string_view("\x01hunter2"), std::string_view("hunter2\x7F")}) {
        auto const checked = check_header_value(bad, "ApiKey");
        REQUIRE_FALSE(checked);
        CHECK(checked.error().code() == errc::invalid_argument);
        CHECK(checked.error().path() == "ApiKey");
        CHECK(checked.error().message().find("hunter2") == std::string::npos);
    }
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
