// SPDX-License-Identifier: BSL-1.0
#include "support/random.hpp"
#include "support/secret_forms.hpp"

#include <palette/impl/redactor.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

using namespace palette;
using detail::KnownSecrets;
using detail::Redactor;
using Kind = KnownSecrets::Kind;

namespace {

// All that the forms treat differently.
constexpr std::string_view secret = "NjQ3/ZDk+\"YTc\\2=~\xC3\xA9 1MWYw%41\xF0\x9F\x94\x91";

std::string redacted(std::string_view text, std::string_view hidden) {
    return detail::redacted(text, KnownSecrets(Kind::credential, hidden));
}

std::string in_pieces(const std::vector<std::string_view>& pieces, const KnownSecrets& known) {
    std::string out;
    Redactor redactor(known);
    for (auto const piece : pieces)
        redactor.write(piece, out);
    redactor.finish(out);
    return out;
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

}  // namespace

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

TEST_CASE("redactor: the output is the same wherever the text is cut") {
    for (auto const& form : forms::all) {
        auto const text =
            "key " + form.encode(secret) + " of \\\\ %25% " + form.encode(secret.substr(3, 9)) + "\\";
        KnownSecrets const known(Kind::credential, secret);
        auto const whole = in_pieces({text}, known);
        CAPTURE(text);
        CHECK_FALSE(forms::reveals(whole, secret));
        for (std::size_t cut = 0; cut <= text.size(); ++cut)
            CHECK(in_pieces({std::string_view(text).substr(0, cut), std::string_view(text).substr(cut)},
                            known) == whole);
        std::vector<std::string_view> single;
        for (std::size_t i = 0; i < text.size(); ++i)
            single.push_back(std::string_view(text).substr(i, 1));
        CHECK(in_pieces(single, known) == whole);
    }
}

TEST_CASE("redactor: what is certain comes at once, and less than a kilobyte is held back") {
    KnownSecrets const known(Kind::credential, secret);
    Redactor redactor(known);
    std::string out;
    redactor.write("no such key.", out);
    CHECK(out.size() >= 4);
    for (std::string_view const piece : {"\\", "%25", "A", "\\\\\\\\\\\"", "\\ud83d\\udd11", "NjQ3/ZD"})
        for (int i = 0; i < 5000; ++i) {
            auto const before = out.size();
            redactor.write(piece, out);
            if (i > 2000) CHECK(out.size() + 1024 > before + piece.size());
        }
    std::size_t const written = 12 + 5000 * (1 + 3 + 1 + 6 + 12 + 7);
    CHECK(out.size() + 1024 > written);
    redactor.finish(out);
    CHECK(out.size() == written);
    CHECK_FALSE(redactor.has_found());
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

TEST_CASE("redactor: of each kind the last ones are known and the others are not held for ever") {
    KnownSecrets known;
    auto const numbered = [](int number) { return "secret number " + std::to_string(number) + "."; };
    known.add(Kind::configured, "the-password");
    for (int i = 0; i < 1000; ++i)
        known.add(Kind::credential, std::to_string(i) + " is one of many");
    for (int i = 100; i < 1000; ++i)
        known.add(Kind::created,
                  std::to_string(i) + "/" + std::to_string(7 * i) + "/" + std::to_string(i * i));
    auto const hides = [&](const std::string& text) { return detail::redacted(text, known) == "<redacted>"; };
    CHECK(hides("the-password"));
    for (int i = 984; i < 1000; ++i)
        CHECK(hides(std::to_string(i) + " is one of many"));
    for (int i = 936; i < 1000; ++i)
        CHECK(hides(std::to_string(i) + "/" + std::to_string(7 * i) + "/" + std::to_string(i * i)));
    CHECK(detail::redacted("100/700/10000", known) == "100/700/10000");
    CHECK(detail::redacted(numbered(1), known) == numbered(1));
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
            text += random.one_in(2) ? form.encode(part) : forms::mixed(part, random);
        }
        CAPTURE(hidden);
        CAPTURE(text);
        KnownSecrets const known(Kind::created, hidden);
        auto const whole = in_pieces({text}, known);
        CAPTURE(whole);
        CHECK_FALSE(forms::reveals(without_marks(whole), hidden));
        // The slow way does not know parts of characters, which are eight bytes as well.
        if (is_ascii(hidden)) CHECK((whole == text) == !forms::reveals(text, hidden));
        CHECK(in_pieces(random.cut(text, 9), known) == whole);
    }
}

TEST_CASE("redactor: a long text with many secrets takes no time to speak of, whatever the text") {
    sample::Random random(7);
    KnownSecrets known;
    for (int i = 0; i < 20; ++i)
        known.add(Kind::credential, random.uid() + random.uid());
    auto const timed = [&](const std::string& text, std::size_t limit) {
        auto const begun = std::chrono::steady_clock::now();
        auto const safe = detail::redacted(text, known, limit);
        auto const took = std::chrono::steady_clock::now() - begun;
        MESSAGE(text.substr(0, 32) << ": " << std::chrono::duration<double, std::milli>(took).count()
                                   << " ms");
        CHECK(took < std::chrono::seconds{2});
        return safe;
    };
    auto const repeated = [](std::string_view piece) {
        std::string text;
        while (text.size() < (64 << 10))
            text += piece;
        return text;
    };
    for (std::string_view const piece :
         {"{\"message\":\"no such key 5f1b2c3d\"}", "{\\\"message\\\":\\\"C:\\\\new\\\\table\\\"}",
          "%7B%22message%22%3A%22no%20such%20key%22%7D",
          "{\\\\\\\"message\\\\\\\":\\\\\\\"no such key\\\\\\\"}", "\\u0041\\u00e9\\ud83d\\udd11", "\\",
          "%25", R"(GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n)"}) {
        auto const text = repeated(piece);
        CHECK(timed(text, text.size()) == text);
    }
    // Made to have as many readings as can be.
    for (std::string_view const piece :
         {"\\b\\f\\n\\r\\t\\\\", "\\\\b\\\\f\\\\n\\\\r", "%25b%2525", "\\u005c%5cb"})
        static_cast<void>(timed(repeated(piece), 500));
}

TEST_CASE("redactor: a text that is made to have hundreds of readings is not shown from there on") {
    KnownSecrets const known(Kind::credential, secret);
    std::string text = "some words before ";
    for (int i = 0; i < 100; ++i)
        text += R"(\\\\n\\\\t\\\\b\\\\f)";
    text += " behind";
    auto const whole = in_pieces({text}, known);
    CHECK(whole.starts_with("some words"));
    CHECK(whole.ends_with("<redacted>"));
    CHECK(whole.size() < 100);
    for (std::size_t cut = 0; cut < 200; ++cut)
        CHECK(in_pieces({std::string_view(text).substr(0, cut), std::string_view(text).substr(cut)}, known) ==
              whole);
}
