// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/pipeline/redact.hpp>

#include <doctest/doctest.h>

#include <string>

namespace {

constexpr std::string_view secret = "NjQ3ZDk2+YTc2/MWYwNGE1NDM4=";

std::string redacted(std::string_view text, std::string_view hidden) {
    std::string_view const secrets[] = {hidden};
    return palette::pipeline::redacted(text, secrets);
}

TEST_CASE("redact: a text without the secret stays as it is") {
    CHECK(redacted("no such key", secret) == "no such key");
    CHECK(redacted("", secret).empty());
    CHECK(redacted("anything", "") == "anything");
}

TEST_CASE("redact: the secret goes wherever it stands and the rest stays") {
    auto const text = "key " + std::string(secret) + " not found: " + std::string(secret);
    CHECK(redacted(text, secret) == "key <redacted> not found: <redacted>");
}

TEST_CASE("redact: no window of eight bytes of the secret stays") {
    for (std::size_t i = 0; i < secret.size(); ++i)
        for (std::size_t size = 8; i + size <= secret.size(); ++size) {
            auto const text = "<<" + std::string(secret.substr(i, size)) + ">>";
            auto const shown = redacted(text, secret);
            CHECK(shown == "<<<redacted>>>");
        }
}

TEST_CASE("redact: the percent-encoded form goes too") {
    CHECK(redacted("/refresh/NjQ3ZDk2%2BYTc2%2FMWYwNGE1NDM4%3D end", secret) == "/refresh/<redacted> end");
}

TEST_CASE("redact: base64 of the secret goes, whatever stands before it") {
    // base64 of "key=", "key:=" and "key: =" with the secret behind them, and ";" at the end
    for (std::string_view const text :
         {"a2V5PU5qUTNaRGsyK1lUYzIvTVdZd05HRTFORE00PTs=", "a2V5Oj1OalEzWkRrMitZVGMyL01XWXdOR0UxTkRNND07",
          "a2V5OiA9TmpRM1pEazIrWVRjMi9NV1l3TkdFMU5ETTQ9Ow=="}) {
        auto const shown = redacted(text, secret);
        CAPTURE(shown);
        CHECK(shown.find("<redacted>") != std::string::npos);
        CHECK(shown.size() < 24);
    }
}

TEST_CASE("redact: of several secrets none stays, in no text of an error, and its numbers do") {
    std::string_view const secrets[] = {"first-secret", "second-secret"};
    auto const error = palette::Error(palette::errc::bad_value, "expected a time, got first-secret")
                           .path("labels.second-secret")
                           .status(200)
                           .attempts(2)
                           .effect(palette::Effect::unknown)
                           .server("first-secret", "second-secret", std::string(490, 'x') + "first-secret");
    auto const safe = palette::pipeline::redacted(error, secrets);
    CHECK(safe.what() == "expected a time, got <redacted>");
    CHECK(safe.path() == "labels.<redacted>");
    CHECK(safe.server_code() == "<redacted>");
    CHECK(safe.server_message() == "<redacted>");
    CHECK(safe.ref().find("first") == std::string::npos);
    CHECK(safe.status() == 200);
    CHECK(safe.attempts() == 2);
    CHECK(safe.effect() == palette::Effect::unknown);
    CHECK(safe.code() == palette::errc::bad_value);
}

TEST_CASE("redact: a secret shorter than the window goes whole") {
    CHECK(redacted("the word is abc", "abc") == "the word is <redacted>");
}

}  // namespace
