// SPDX-License-Identifier: BSL-1.0
#include "support/hostile_texts.hpp"
#include "support/random.hpp"
#include "support/sanitized.hpp"
#include "support/secret_forms.hpp"

#include <palette/impl/redaction/redactor.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

namespace redactor_test {

using namespace palette;
using detail::KnownSecrets;
using detail::SecretSearch;
using Kind = KnownSecrets::Kind;

// All that the forms treat differently.
constexpr std::string_view secret = "NjQ3/ZDk+\"YTc\\2=~\xC3\xA9 1MWYw%41\xF0\x9F\x94\x91";

std::string redacted(std::string_view text, std::string_view hidden) {
    return detail::redacted(text, KnownSecrets(Kind::credential, hidden));
}

// The mark may go on with a secret that has '<' in it.
std::string without_marks(std::string text) {
    static constexpr std::string_view mark = "<redacted>";
    for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark))
        text.replace(at, mark.size(), 1, '\0');
    return text;
}

bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

TEST_CASE("redactor: a text without the secret stays as it is") {
    for (std::string_view const text :
         {"", "no such key", "100% of \\ is fine: %41%zz%", "\\", "\\u", "\\u12", "\\uzzzz", "%", "%4", "\\x",
          "\\ud83d", "\\ud83d\\u", "\\ud83d\\udd", "Y29ycmVjdCBob3JzZQ==", "NjQ3/ZD",
          "\"YTc\\2=", "<redacted>"})
        CHECK(redacted(text, secret) == text);
    CHECK(redacted("anything", "") == "anything");
    CHECK(detail::redacted("anything", KnownSecrets()) == "anything");
}

TEST_CASE("redactor: every form of the secret goes, whole or any eight bytes of it, and the rest stays") {
    for (auto const& form : forms::all) {
        CAPTURE(std::string_view(form.name));
        for (std::size_t i = 0; i < secret.size(); ++i)
            for (auto size = std::size_t{8}; i + size <= secret.size(); ++size) {
                auto const shown = "<<" + form.encode(secret.substr(i, size)) + ">>";
                auto const safe = redacted(shown, secret);
                CAPTURE(shown);
                CAPTURE(safe);
                CHECK(safe.starts_with("<<"));
                CHECK(safe.ends_with(">>"));
                CHECK(safe.find("<redacted>") != std::string::npos);
                CHECK_FALSE(forms::reveals(safe, secret));
                if (form.is_exact) CHECK(safe == "<<<redacted>>>");
            }
    }
}

TEST_CASE("redactor: base64 goes whatever stands before and behind the secret") {
    for (std::string_view const before : {"", "a", "ab", "user:", "user1:", "user12:"})
        for (std::string_view const behind : {"", "c", "cd", "cde"})
            for (std::size_t i = 0; i + 8 <= secret.size(); ++i) {
                auto const inner =
                    std::string(before) + std::string(secret.substr(i, 8)) + std::string(behind);
                for (auto* const encode : {forms::base64, forms::base64url}) {
                    auto const safe = redacted("Basic " + encode(inner), secret);
                    CAPTURE(inner);
                    CHECK(safe.starts_with("Basic "));
                    CHECK(safe.find("<redacted>") != std::string::npos);
                    CHECK_FALSE(forms::reveals(safe, secret));
                }
            }
}

TEST_CASE("redactor: a secret goes that was escaped twice, each time in another way or in the same") {
    std::string_view const plain = "NjQ3ZDkYTc2MWYwNjQ3";
    for (auto const& inner : forms::all)
        for (auto const& outer : forms::outer) {
            auto const text = "<<" + outer.encode(inner.encode(plain)) + ">>";
            CAPTURE(std::string_view(inner.name));
            CAPTURE(std::string_view(outer.name));
            auto const safe = redacted(text, plain);
            CAPTURE(safe);
            CHECK(safe.starts_with("<<"));
            CHECK(safe.ends_with(">>"));
            CHECK(safe.find("<redacted>") != std::string::npos);
            CHECK_FALSE(forms::reveals(safe, plain));
        }
    for (std::string_view const text :
         {R"(\u0025\u0034BA\u0025\u0036cocal-key)", "%254BAlocal-key", "%25%34%42Alocal-key",
          R"(%5Cu004BAlocal-key)", R"(\\u004BAlocal-key)", R"(\u005cx4BAlocal-key)", "%2525%34BAlocal-key"})
        CHECK_MESSAGE(redacted(text, "KAlocal-key").starts_with("<redacted>"), text);
}

TEST_CASE("redactor: what is shortened shows nothing of a secret that begins before the end") {
    KnownSecrets const known(Kind::credential, secret);
    for (auto const& form : forms::all)
        for (auto const& outer : forms::outer) {
            auto const shown = outer.encode(form.encode(secret));
            for (std::size_t before = 0; before < shown.size() + 40; before += 1 + shown.size() / 10) {
                auto const text =
                    std::string(detail::max_shown_bytes - before, '.') + shown + std::string(3000, '.');
                auto const safe = detail::redacted(text, known);
                CHECK(safe.size() <= detail::max_shown_bytes + 13);
                CHECK(safe.ends_with("..."));
                // All that is not a dot of ours.
                auto const begin = std::min(safe.find_first_not_of('.'), safe.size());
                CHECK_FALSE(forms::reveals(std::string_view(safe).substr(begin), secret));
                if (form.is_exact && begin < safe.size())
                    CHECK(safe.find_first_not_of('.', begin + 10) == std::string::npos);
            }
        }
}

TEST_CASE("redactor: a secret of fewer than eight bytes goes whole and not in part") {
    CHECK(redacted("no luck with hunter7", "hunter7") == "no luck with <redacted>");
    CHECK(redacted("no luck with hunter", "hunter7") == "no luck with hunter");
    CHECK(redacted("h%75nter7 \\u0068unter7", "hunter7") == "<redacted> <redacted>");
    CHECK(redacted("the word is abc", "abc") == "the word is <redacted>");
    CHECK(redacted("a tax", "x") == "a ta<redacted>");
    for (std::string_view const before : {"", "a", "ab", "abc"}) {
        auto const text = forms::base64(std::string(before) + "hunter7!");
        CHECK(redacted(text, "hunter7").find("<redacted>") != std::string::npos);
        CHECK(redacted(text, "hunterA") == text);
    }
}

TEST_CASE("redactor: adjacent secrets are one mark, and each is known beside the others") {
    KnownSecrets known;
    known.add(Kind::configured, "the-password");
    known.add(Kind::credential, "first-secret");
    known.add(Kind::created, "abc");
    CHECK(detail::redacted("first-secretthe-password, abc!", known) == "<redacted>, <redacted>!");
}

TEST_CASE("redactor: thousands of created keys are known, the newest of each kind, and not all for ever") {
    KnownSecrets known;
    // As they come from a service: 32 characters that say nothing.
    auto const numbered = [](std::uint64_t kind, std::uint64_t number) {
        sample::Random random(1000 * number + kind);
        auto text = random.uid() + random.uid();
        text.resize(32);
        return text;
    };
    auto const hides = [&](const std::string& text) { return detail::redacted(text, known) == "<redacted>"; };
    known.add(Kind::configured, "the-password");
    for (std::uint64_t i = 0; i < 8000; ++i)
        known.add(Kind::created, numbered(1, i));
    for (std::uint64_t i = 0; i < 100; ++i) {
        std::string token;
        for (std::uint64_t part = 0; token.size() < 1000; ++part)
            token += numbered(2 + part, i);
        known.add(Kind::credential, token);
    }
    CHECK(hides("the-password"));
    for (std::uint64_t i = 8000 - 2600; i < 8000; i += 13)
        CHECK(hides(numbered(1, i)));
    for (std::uint64_t i = 100 - 65; i < 100; ++i)
        CHECK(hides(numbered(2, i)));
    CHECK(detail::redacted(numbered(1, 0), known) == numbered(1, 0));
    std::string long_one;
    for (std::uint64_t i = 0; long_one.size() < 3 * KnownSecrets::max_known_bytes; ++i)
        long_one += numbered(200, i);
    known.add(Kind::credential, long_one);
    CHECK(hides(numbered(200, 0)));
    CHECK(hides(long_one.substr(KnownSecrets::max_known_bytes - 32, 32)));
    CHECK(detail::redacted(long_one.substr(long_one.size() - 32), known) ==
          long_one.substr(long_one.size() - 32));
}

TEST_CASE(
    "redactor: of random texts nothing is shown that reads as eight bytes of a secret, and without "
    "one nothing is hidden") {
    for (std::uint64_t seed = 0; seed < 400; ++seed) {
        CAPTURE(seed);
        sample::Random random(seed);
        std::string hidden;
        while (hidden.size() < 8)
            hidden = random.text(24);
        std::string text;
        for (auto n = 1 + random.below(6); n > 0; --n) {
            text += random.text(6);
            if (random.one_in(3)) continue;
            auto const begin = random.below(hidden.size());
            auto part = hidden.substr(begin, 1 + random.below(hidden.size()));
            auto const& form = forms::all[random.below(std::size(forms::all))];
            auto piece = random.one_in(2) ? form.encode(part) : forms::mixed(part, random);
            text +=
                random.one_in(3) ? forms::outer[random.below(std::size(forms::outer))].encode(piece) : piece;
        }
        CAPTURE(hidden);
        CAPTURE(text);
        KnownSecrets const known(Kind::created, hidden);
        auto const whole = detail::redacted(text, known);
        CAPTURE(whole);
        CHECK_FALSE(forms::reveals(without_marks(whole), hidden));
        // The slow way does not know parts of characters, which are eight bytes as well.
        if (is_ascii(hidden)) CHECK((whole == text) == !forms::reveals(text, hidden));
    }
}

TEST_CASE("redactor: usual texts are shown whole, however they are escaped") {
    KnownSecrets const known(Kind::credential, secret);
    for (std::string_view const piece :
         {R"({"message":"no such key 5f1b2c3d"})", R"({\"message\":\"C:\\new\\table\"})",
          "%7B%22message%22%3A%22no%20such%20key%22%7D", R"({\\\"message\\\":\\\"no such key\\\"})",
          R"(\u0041\u00e9\ud83d\udd11)", "\\", R"(GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n)",
          R"(\\u003cb\\u003e no such key \\u003c/b\\u003e)", "%41%42%43"}) {
        std::string text;
        while (text.size() < 1024)
            text += piece;
        CHECK(detail::redacted(text, known, 500).substr(0, 500) == text.substr(0, 500));
    }
}

TEST_CASE("redactor: no text takes more than the bounded number of steps, whoever wrote it") {
    sample::Random random(7);
    KnownSecrets known;
    for (int i = 0; i < 20; ++i)
        known.add(Kind::credential, random.uid() + random.uid());
    std::size_t most = 0;
    // Of this program on a core: what others do meanwhile does not count.
    std::clock_t longest = 0;
    std::string slowest;
    auto const texts = hostile::texts(detail::max_redacted_bytes);
    for (std::size_t i = 0; i < texts.size(); i += sanitized ? 5 : 1) {
        auto const& text = texts[i];
        auto const begun = std::clock();
        SecretSearch const search(text, known);
        auto const took = std::clock() - begun;
        CHECK(search.steps() <= SecretSearch::max_steps(text.size()));
        most = std::max(most, search.steps());
        if (took > longest) slowest = text.substr(0, 32);
        longest = std::max(longest, took);
    }
    MESSAGE("at most " << most << " steps; the longest took " << 1'000 * longest / CLOCKS_PER_SEC
                       << " ms: " << slowest);
    CHECK(longest < 2 * CLOCKS_PER_SEC);
}

TEST_CASE("redactor: of a text of any length no more is read than a person does") {
    KnownSecrets const known(Kind::credential, secret);
    auto const texts = hostile::texts(64 << 10);
    for (std::size_t i = 0; i < texts.size(); i += 24) {
        auto const& text = texts[i];
        CHECK(detail::redacted(text, known).size() <= detail::max_shown_bytes + 13);
        CHECK(detail::redacted(text, known, 500).size() <= 513);
    }
    auto const shown = std::string(detail::max_shown_bytes, 'x') + "...";
    CHECK(detail::redacted(std::string(64 << 10, 'x'), known) == shown);
    std::string const whole(detail::max_redacted_bytes, 'x');
    CHECK(detail::redacted(whole, known) == whole);
}

TEST_CASE("redactor: a text that takes too long to read is not shown from there on") {
    KnownSecrets const known(Kind::credential, secret);
    std::string text = "some words before ";
    while (text.size() < 1900)
        text += R"(\n\t\n)";
    text += " behind";
    auto const whole = detail::redacted(text, known);
    CHECK(whole.starts_with("some words before \\n"));
    CHECK(whole.ends_with("<redacted>"));
    CHECK(whole.size() < 1000);
}

}  // namespace redactor_test
