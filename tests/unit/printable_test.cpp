// SPDX-License-Identifier: BSL-1.0
#include "support/printed.hpp"
#include "support/sanitized.hpp"
#include "support/seeds.hpp"

#include <palette/detail/printable.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace printable_test {

using palette::detail::in_quotes;
using palette::detail::one_line;
using palette::detail::printable;
using palette::detail::utf8_character;
using palette::detail::valid_utf8_prefix;

std::string encoded(std::uint32_t c) {
    auto const byte = [](std::uint32_t b) { return static_cast<char>(static_cast<unsigned char>(b)); };
    auto const more = [&](int shift) { return byte(0x80 | ((c >> shift) & 0x3F)); };
    if (c < 0x80) return {byte(c)};
    if (c < 0x800) return {byte(0xC0 | (c >> 6)), more(0)};
    if (c < 0x10000) return {byte(0xE0 | (c >> 12)), more(6), more(0)};
    return {byte(0xF0 | (c >> 18)), more(12), more(6), more(0)};
}

std::uint32_t number(std::string_view bytes) {
    std::uint32_t value = 0;
    for (char const c : bytes)
        value = value << 8 | static_cast<unsigned char>(c);
    return value;
}

// Every character of one to three bytes that Unicode has, found by writing all of them.
struct WellFormed {
    std::vector<bool> one = std::vector<bool>(1u << 8);
    std::vector<bool> two = std::vector<bool>(1u << 16);
    std::vector<bool> three = std::vector<bool>(1u << 24);

    WellFormed() {
        for (std::uint32_t c = 0; c < 0x10000; ++c) {
            if (c >= 0xD800 && c < 0xE000) continue;
            auto const bytes = encoded(c);
            (bytes.size() == 1 ? one : bytes.size() == 2 ? two : three)[number(bytes)] = true;
        }
    }

    [[nodiscard]] std::size_t length(std::string_view bytes) const {
        if (!bytes.empty() && one[number(bytes.substr(0, 1))]) return 1;
        if (bytes.size() >= 2 && two[number(bytes.substr(0, 2))]) return 2;
        if (bytes.size() >= 3 && three[number(bytes.substr(0, 3))]) return 3;
        return 0;
    }
};

bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// What printable() wrote, read back.
std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\') {
            out += text[i];
            continue;
        }
        switch (text[++i]) {
            case 'n':
                out += '\n';
                break;
            case 'r':
                out += '\r';
                break;
            case 't':
                out += '\t';
                break;
            case 'x':
                out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
                i += 2;
                break;
            default:
                out += text[i];
        }
    }
    return out;
}

constexpr std::size_t no_limit = static_cast<std::size_t>(-1);

TEST_CASE("printable: ordinary text stays as it is") {
    CHECK(printable("") == "");
    CHECK(printable("palette-keys 1.0, 100 %") == "palette-keys 1.0, 100 %");
    CHECK(printable("Zürich 東京 \U0001F511") == "Zürich 東京 \U0001F511");
    CHECK(in_quotes("text") == "\"text\"");
    CHECK(in_quotes("") == "\"\"");
}

TEST_CASE("printable: what could break a line or end a quotation is escaped") {
    CHECK(printable("a\nb\rc\td") == R"(a\nb\rc\td)");
    CHECK(printable(std::string_view("\0\x01\x1f\x7f", 4)) == R"(\x00\x01\x1f\x7f)");
    CHECK(printable("\x1b[31mred") == R"(\x1b[31mred)");
    CHECK(printable(R"(say "no" \ yes)") == R"(say \"no\" \\ yes)");
    CHECK(in_quotes("\"") == R"("\"")");
}

TEST_CASE("printable: the second set of control characters is escaped and its neighbours are not") {
    CHECK(printable("\xc2\x80") == R"(\xc2\x80)");
    CHECK(printable("\xc2\x9b"
                    "31m") == R"(\xc2\x9b31m)");
    CHECK(printable("\xc2\x9f") == R"(\xc2\x9f)");
    CHECK(printable("\xc2\xa0") == "\xc2\xa0");
    CHECK(printable("\xc3\x80") == "\xc3\x80");
}

TEST_CASE("printable: what parts lines or turns the direction of writing is escaped") {
    CHECK(printable("a\u2028b\u2029c") == R"(a\xe2\x80\xa8b\xe2\x80\xa9c)");
    CHECK(printable("\u202Eexe.txt") == R"(\xe2\x80\xaeexe.txt)");
    CHECK(printable("\u2066\u2069") == R"(\xe2\x81\xa6\xe2\x81\xa9)");
    CHECK(printable("\u200E\u200F\u061C") == R"(\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c)");
    CHECK(printable("\u2010\u2027\u202F\u2070") == "\u2010\u2027\u202F\u2070");
}

TEST_CASE("printable: what cannot be seen is escaped, in every function, and its neighbours are not") {
    // The first and the last character of each kind of them.
    struct Row {
        std::uint32_t first;
        std::uint32_t last;
    };
    static constexpr Row rows[] = {
        {0xAD, 0xAD},       {0x34F, 0x34F},     {0x61C, 0x61C},   {0x115F, 0x1160}, {0x17B4, 0x17B5},
        {0x180B, 0x180F},   {0x200B, 0x200F},   {0x2028, 0x202E}, {0x2060, 0x206F}, {0x3164, 0x3164},
        {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFFB}, {0x1BCA0, 0x1BCA3},
        {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
    };
    for (auto const& row : rows) {
        CAPTURE(row.first);
        for (auto c = row.first; c <= row.last; ++c) {
            CHECK(is_ascii(printable(encoded(c))));
            CHECK(is_ascii(one_line(encoded(c))));
        }
        CHECK(printable(encoded(row.first - 1)) == encoded(row.first - 1));
        CHECK(printable(encoded(row.last + 1)) == encoded(row.last + 1));
    }
}

TEST_CASE("printable: bytes that are not UTF-8 are escaped one by one") {
    CHECK(printable("a\x80z") == R"(a\x80z)");
    CHECK(printable("\xff\xfe") == R"(\xff\xfe)");
    CHECK(printable("\xe2\x82") == R"(\xe2\x82)");
    CHECK(printable("\xe2\x82z") == R"(\xe2\x82z)");
    CHECK(printable("\xc0\xaf") == R"(\xc0\xaf)");
    CHECK(printable("\xed\xa0\x80") == R"(\xed\xa0\x80)");
    CHECK(printable("\xf4\x90\x80\x80") == R"(\xf4\x90\x80\x80)");
    CHECK(printable("\xc2\xc2\x9b") == R"(\xc2\xc2\x9b)");
}

TEST_CASE("printable: a text beyond the limit ends in dots") {
    CHECK(printable("abcd", 4) == "abcd");
    CHECK(printable("abcde", 4) == "abcd...");
    CHECK(printable("", 0) == "");
    CHECK(printable("a", 0) == "...");
    CHECK(in_quotes("abcde", 4) == "\"abcd...\"");
    CHECK(printable(std::string(64, 'x')) == std::string(64, 'x'));
    CHECK(printable(std::string(65, 'x')) == std::string(64, 'x') + "...");
    CHECK(printable("\n\n\n", 2) == R"(\n\n...)");
}

TEST_CASE("printable: the cut is between characters and never beyond the limit") {
    for (std::string const character : {"é", "€", "\U0001F511", "\xc2\x9b"}) {
        CAPTURE(character);
        auto const text = "abc" + character;
        CHECK(printable(text, text.size()) == "abc" + printable(character));
        for (std::size_t limit = 3; limit < text.size(); ++limit) {
            CAPTURE(limit);
            CHECK(printable(text, limit) == "abc...");
        }
        CHECK(printable(text + "z", text.size()) == "abc" + printable(character) + "...");
    }
}

TEST_CASE("printable: any bytes give one plain line of UTF-8 from which they can be read back") {
    std::mt19937 random(seeds::short_seed(20));
    int failures = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string text(random() % 12, '\0');
        for (char& c : text) {
            auto const special = std::string_view("\0\n\"\\\x7f\x80\x9b\xc2\xe2\xf0\xff x", 13);
            c = random() % 2 ? special[random() % special.size()] : static_cast<char>(random() % 256);
        }
        auto const shown = printable(text, no_limit);
        failures +=
            !is_one_plain_line(shown) || valid_utf8_prefix(shown) != shown.size() || unescaped(shown) != text;
        failures += contains(shown, "\xc2\x9b");
        for (std::size_t limit = 0; limit <= text.size(); ++limit)
            failures += printable(text, limit).size() > 4 * limit + 3;
    }
    CHECK(failures == 0);
}

TEST_CASE("utf8: every sequence of up to three bytes is judged as Unicode judges it") {
    WellFormed const well_formed;
    std::uint32_t const stride = sanitized ? 7 : 1;
    int failures = 0;
    auto const check = [&](std::string_view bytes) {
        failures += utf8_character(bytes) != well_formed.length(bytes);
    };

    check({});
    char bytes[3];
    for (std::uint32_t a = 0; a < 256; ++a) {
        bytes[0] = static_cast<char>(a);
        check({bytes, 1});
        for (std::uint32_t b = 0; b < 256; ++b) {
            bytes[1] = static_cast<char>(b);
            check({bytes, 2});
            for (std::uint32_t c = (a + b) % stride; c < 256; c += stride) {
                bytes[2] = static_cast<char>(c);
                check({bytes, 3});
            }
        }
    }
    CHECK(failures == 0);
}

TEST_CASE("utf8: every character of four bytes is one and its neighbours are not") {
    int failures = 0;
    for (std::uint32_t c = 0x10000; c < 0x110000; c += sanitized ? 61 : 1) {
        auto const bytes = encoded(c);
        failures += utf8_character(bytes) != 4 || utf8_character(bytes + "z") != 4;
        failures += utf8_character(std::string_view(bytes).substr(0, 3)) != 0;
    }
    for (std::uint32_t c = 0; c < 0x10000; c += 13) {
        std::string const overlong{'\xf0', static_cast<char>(0x80 | (c >> 12)),
                                   static_cast<char>(0x80 | ((c >> 6) & 0x3F)),
                                   static_cast<char>(0x80 | (c & 0x3F))};
        failures += utf8_character(overlong) != 0;
    }
    for (std::uint32_t c = 0x110000; c < 0x200000; c += 997)
        failures += utf8_character(encoded(c)) != 0;
    for (std::size_t at = 1; at < 4; ++at) {
        auto bytes = encoded(0x1F511);
        for (int b = 0; b < 256; ++b) {
            bytes[at] = static_cast<char>(b);
            bool const continues = (b & 0xC0) == 0x80 && !(at == 1 && b < 0x90);
            failures += utf8_character(bytes) != (continues ? 4u : 0u);
        }
    }
    CHECK(failures == 0);
}

TEST_CASE("utf8: the valid prefix ends where the first broken character begins") {
    CHECK(valid_utf8_prefix("") == 0);
    CHECK(valid_utf8_prefix("abc") == 3);
    CHECK(valid_utf8_prefix("é€\U0001F511") == 9);
    CHECK(valid_utf8_prefix("ab\x80"
                            "c") == 2);
    CHECK(valid_utf8_prefix("ab\xe2\x82") == 2);
    CHECK(valid_utf8_prefix("é\xf0\x9f\x94") == 2);
    CHECK(valid_utf8_prefix(std::string_view("a\0b", 3)) == 3);
    CHECK(valid_utf8_prefix("\xef\xbb\xbf"
                            "bom") == 6);
}

}  // namespace printable_test
