// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/pipeline/redact.hpp>

#include <doctest/doctest.h>

#include <string>

namespace {

using palette::pipeline::redacted;

constexpr std::string_view secret = "NjQ3ZDk2+YTc2/MWYwNGE1NDM4=";

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

TEST_CASE("redact: a secret shorter than the window goes whole") {
    CHECK(redacted("the word is abc", "abc") == "the word is <redacted>");
}

}  // namespace
