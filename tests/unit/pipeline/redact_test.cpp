// SPDX-License-Identifier: BSL-1.0
#include "support/hostile_texts.hpp"

#include <palette/impl/pipeline/redact.hpp>
#include <palette/impl/redaction/redactor.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>

namespace redact_test {

using namespace palette;
using detail::KnownSecrets;

KnownSecrets two_secrets() {
    KnownSecrets known(KnownSecrets::Kind::credential, "first-secret");
    known.add(KnownSecrets::Kind::created, "second-secret");
    return known;
}

TEST_CASE("redact: of several secrets none stays, in no text of an error, and its numbers do") {
    auto const error = Error(errc::bad_value, "expected a time, got first-secret")
                           .path("labels.second-secret")
                           .status(200)
                           .attempts(2)
                           .effect(Effect::unknown)
                           .server("first-secret", "second-secret", std::string(490, 'x') + "first-secret");
    auto const safe = impl::pipeline::redacted(error, two_secrets());
    CHECK(safe.what() == "expected a time, got <redacted>");
    CHECK(safe.path() == "labels.<redacted>");
    CHECK(safe.server_code() == "<redacted>");
    CHECK(safe.server_message() == "<redacted>");
    CHECK(safe.ref().find("first") == std::string::npos);
    CHECK(safe.status() == 200);
    CHECK(safe.attempts() == 2);
    CHECK(safe.effect() == Effect::unknown);
    CHECK(safe.code() == errc::bad_value);
}

TEST_CASE("redact: the service's words are shortened only when nothing in them is secret any more") {
    for (std::size_t before = 80; before < 510; ++before) {
        if (before == 110) before = 480;
        auto const words =
            std::string(before, '.') + "first-secret, and more of that" + std::string(500, '.');
        auto const safe =
            impl::pipeline::redacted(Error(errc::not_found).server(words, words, words), two_secrets());
        for (auto const* const text : {&safe.server_code(), &safe.server_message(), &safe.ref()}) {
            CAPTURE(*text);
            CHECK(text->size() <= (text == &safe.server_message() ? 503 : 103));
            CHECK(text->ends_with("..."));
            CHECK(text->find("first") == std::string::npos);
        }
    }
    std::string const long_words(500, 'x');
    auto const whole = impl::pipeline::redacted(
        Error(errc::not_found).server(long_words.substr(0, 100), long_words, "r"), two_secrets());
    CHECK(whole.server_message() == long_words);
    CHECK(whole.server_code() == long_words.substr(0, 100));
}

TEST_CASE("redact: every text of an error is bounded before it is searched, however long and hostile it is") {
    auto const known = two_secrets();
    auto const texts = hostile::texts(16 << 10);
    for (std::size_t i = 0; i < texts.size(); i += 24) {
        auto const& text = texts[i];
        auto const safe =
            impl::pipeline::redacted(Error(errc::rejected, text).path(text).server(text, text, text), known);
        for (auto const* const shown : {&safe.what(), &safe.path()})
            CHECK(shown->size() <= detail::max_shown_bytes + 13);
        CHECK(safe.server_message().size() <= 503);
        for (auto const* const shown : {&safe.server_code(), &safe.ref()})
            CHECK(shown->size() <= 103);
    }
}

}  // namespace redact_test
