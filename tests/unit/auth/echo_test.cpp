// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/auth/echo.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace echo_test {

using namespace palette;

constexpr std::string_view password = "p\"ss/w\\rd+\xC3\xA9 7";

detail::KnownSecrets known(std::string_view secret) {
    return {detail::KnownSecrets::Kind::configured, secret};
}

bool echoes(std::string_view text, std::string_view secret) {
    return auth::echoes(text, known(secret));
}

TEST_CASE("echo: a secret is found as it is and in every usual encoding") {
    for (auto const* const text : {
             "the password p\"ss/w\\rd+\xC3\xA9 7 is wrong",
             "p%22ss%2Fw%5Crd%2B%C3%A9%207",
             "p%22ss%2fw%5crd%2b%c3%a9%207",
             "%70%22%73%73%2F%77%5C%72%64%2B%C3%A9%20%37",
             R"({\"password\":\"p\"ss/w\\rd+é 7\"})",
             R"(p\"ss/w\\rd+é 7)",
             R"(p\"ss\/w\\rd+\u00e9 7)",
             R"(\u0070\u0022\u0073\u0073\u002F\u0077\u005C\u0072\u0064)",
             "cCJzcy93XHJkK8OpIDc=",        // alone
             "eDpwInNzL3dccmQrw6kgNw==",    // behind "x:"
             "eHBwInNzL3dccmQrw6kgNyBpcw",  // behind "xp", and before more
             "Basic YWRhOnAic3Mvd1xyZCvDqSA3",
         }) {
        CAPTURE(text);
        CHECK(echoes(text, password));
    }
}

TEST_CASE("echo: any eight bytes of a secret in a row are enough and seven are not") {
    std::string_view const secret = "0123456789abcdef";
    for (std::size_t at = 0; at + 8 <= secret.size(); ++at)
        CHECK(echoes("<" + std::string(secret.substr(at, 8)) + ">", secret));
    for (std::size_t at = 0; at + 7 <= secret.size(); ++at)
        CHECK_FALSE(echoes("<" + std::string(secret.substr(at, 7)) + ">", secret));
}

TEST_CASE("echo: eight bytes in a row are enough in base64 too") {
    // The base64 of "89abcdef", "@89abcdef" and "@@89abcdef".
    for (auto const* const text : {"ODlhYmNkZWY=", "QDg5YWJjZGVm", "QEA4OWFiY2RlZg=="}) {
        CHECK(echoes(text, "0123456789abcdef"));
        CHECK(echoes(text, "89abcdef01234567"));
        CHECK_FALSE(echoes(text, "0123456789abcde_"));
    }
}

TEST_CASE("echo: of a short secret the whole is looked for") {
    CHECK(echoes("no luck with hunter", "hunter"));
    CHECK_FALSE(echoes("no luck with hunte", "hunter"));
    CHECK(echoes("x", "x"));
}

TEST_CASE("echo: base64 of a short secret is found wherever it begins and ends in a group") {
    for (auto const* const text : {
             "aHVudGVyNw==",      // alone
             "eDpodW50ZXI3",      // behind "x:"
             "P2h1bnRlcjc=",      // behind "?"
             "eHk/aHVudGVyNz8=",  // between "xy?" and "?"
             "fmh1bnRlcjd+",      // between "~" and "~"
             "fn5odW50ZXI3fn4=",  // between "~~" and "~~"
         }) {
        CAPTURE(text);
        CHECK(echoes(text, "hunter7"));
        CHECK_FALSE(echoes(text, "hunterA"));
    }
}

TEST_CASE("echo: base64 is found with the digits of URLs too") {
    // Its base64 is "+/+/+/+/+/+/" in a row.
    std::string_view const secret{"\xFB\xFF\xBF\xFB\xFF\xBF\xFB\xFF\xBF"};
    CHECK(echoes("+/+/+/+/+/+/", secret));
    CHECK(echoes("-_-_-_-_-_-_", secret));
}

TEST_CASE("echo: other texts are not taken for one") {
    for (auto const* const text : {"", "user or password is wrong", "%", "%4", "%zz", "\\", "\\u", "\\u12",
                                   "\\uzzzz", "p%22ss", "cCJzcy"})
        CHECK_FALSE(echoes(text, password));
    CHECK_FALSE(echoes("anything", ""));
}

}  // namespace echo_test
