// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/values/text.hpp>

#include <doctest/doctest.h>

#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>

namespace characters_test {

using namespace palette::detail;

// In the C locale, which programs have unless they ask for another one.
TEST_CASE(
    "characters: each byte is in the classes that the C library has it in, and none above 0x7F in any") {
    for (int byte = 0; byte < 0x100; ++byte) {
        CAPTURE(byte);
        auto const c = static_cast<char>(byte);
        CHECK(is_control(c) == (std::iscntrl(byte) != 0));
        CHECK(is_letter(c) == (std::isalpha(byte) != 0));
        CHECK(is_digit(c) == (std::isdigit(byte) != 0));
        CHECK((hex_digit(c) >= 0) == (std::isxdigit(byte) != 0));
        CHECK(to_lower(c) == static_cast<char>(std::tolower(byte)));
        if (byte > 0x7F) CHECK(base64_digit(c) == -1);
    }
}

// Eight bytes are looked at together: a byte must not hide one behind it.
TEST_CASE("characters: a header may hold a tab, and no other control character, wherever that stands") {
    for (int byte = 0; byte < 0x100; ++byte) {
        auto const is_bad = std::iscntrl(byte) != 0;
        for (std::size_t at = 0; at < 18; ++at) {
            for (char const before : {'x', '\t', '\x80', '\xFF', '~'}) {
                CAPTURE(byte);
                CAPTURE(at);
                std::string text(18, 'x');
                if (at > 0) text[at - 1] = before;
                text[at] = static_cast<char>(byte);
                auto const has_tab = at > 0 && before == '\t';
                CHECK(has_control(text) == (is_bad || has_tab));
                CHECK(has_control_but_tab(text) == (is_bad && byte != '\t'));
                if (before == 'x') CHECK(find_not_plain(text) == (byte >= ' ' && byte < 0x7F ? 18 : at));
            }
        }
    }
    CHECK_FALSE(has_control(""));
    CHECK(find_not_plain("") == 0);
    CHECK(find_not_plain("\tx", 1) == 2);
}

TEST_CASE("characters: digits read back as what they are written with") {
    for (int value = 0; value < 16; ++value) {
        CHECK(hex_digit(lower_hex[value]) == value);
        CHECK(hex_digit(upper_hex[value]) == value);
    }
    constexpr std::string_view usual = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int value = 0; value < 64; ++value)
        CHECK(base64_digit(usual[static_cast<std::size_t>(value)]) == value);
    CHECK(base64_digit('-') == 62);
    CHECK(base64_digit('_') == 63);
    CHECK(base64_digit('=') == -1);
}

TEST_CASE("characters: texts are compared without regard to the case of ASCII letters alone") {
    CHECK(equals_ignoring_case("Content-Length", "content-LENGTH"));
    CHECK_FALSE(equals_ignoring_case("Content-Length", "Content-Lengt"));
    CHECK_FALSE(equals_ignoring_case("\xC3\x84", "\xC3\xA4"));
    CHECK_FALSE(equals_ignoring_case("[", "{"));
    CHECK(to_lower("Dev@Acme.TEST[\\]") == "dev@acme.test[\\]");
}

TEST_CASE("characters: an IPv6 address is in brackets before a port, and no other host") {
    CHECK(in_brackets("::1") == "[::1]");
    CHECK(in_brackets("127.0.0.1") == "127.0.0.1");
    CHECK(in_brackets("palette.acme.com") == "palette.acme.com");
}

}  // namespace characters_test
