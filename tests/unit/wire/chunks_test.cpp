// SPDX-License-Identifier: BSL-1.0
#include "support/decoding.hpp"
#include "support/random.hpp"
#include "support/sample_keys.hpp"

#include <palette/impl/wire/decode.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace chunks_test {

using namespace palette;
using namespace palette::impl::wire;

bool same(const Result<KeyPage>& a, const Result<KeyPage>& b) {
    if (!a || !b) return !a && !b && a.error() == b.error();
    return a->items == b->items && a->next == b->next;
}

// Whether every way to cut `body` in two or three, and into equal pieces, gives what the whole gives.
void check_every_cut(const std::string& body) {
    auto const whole = decode<KeyPage>(body);
    std::string_view const text = body;
    bool all_same = true;
    for (std::size_t size = 1; size <= 40; ++size)
        all_same = all_same && same(decoding::from_equal_pieces<KeyPage>(text, size), whole);
    for (std::size_t i = 0; i <= text.size(); ++i) {
        all_same =
            all_same && same(decoding::from_pieces<KeyPage>({text.substr(0, i), text.substr(i)}), whole);
        auto const j = i + (text.size() - i) / 2;
        all_same = all_same && same(decoding::from_pieces<KeyPage>(
                                        {text.substr(0, i), text.substr(i, j - i), "", text.substr(j)}),
                                    whole);
    }
    CAPTURE(body);
    CHECK(all_same);
}

TEST_CASE("chunks: boundaries anywhere change nothing in a good list") {
    check_every_cut(sample::key_list(3));
    check_every_cut(
        R"({"items":[{"metadata":{"annotations":{"\u0061\"\\b":"\ud83d\udd11é€","description":"\t\u00e9"},
            "labels":{"z":"1","a":"2"},"unheard of":[1.25e-3,-0,{"":[]}]},"spec":{"key":"\u0061bc","expiry":"2027-01-31T23:59:59.999Z"},
            "status":{"isActive":true}},null],"listmeta":{"continue":"n\u006f"}})");
}

TEST_CASE("chunks: boundaries anywhere change nothing in an error or in its path") {
    std::string const long_text(300, 'x');
    for (auto const& body : std::vector<std::string>{
             R"({"items":[{"spec":{"expiry":"tomorrow\n\u0041"}}]})",
             R"({"items":[{"spec":{"expiry":")" + long_text + R"("}}]})",
             R"({"items":[{"spec":{"expiry":"2026-01-01T00:00:00.)" + std::string(60, '0') + R"(Z"}}]})",
             R"({"items":[{"metadata":{"name":123456}}]})",
             R"({"items":[{"metadata":{"name":-1.25E+10}}]})",
             R"({"items":[{"metadata":{"name":)" + std::string(200, '9') + "}}]}",
             R"({"items":[{"metadata":{"labels":{"ab":tru}}}]})",
             R"({"items":[{"status":{"isActive":"\u00e9)" + long_text + R"("}}]})",
             R"({"items":[{"metadata":{")" + long_text + R"(":[[{"a":nul}]]}}]})",
             "{\"items\":[{\"metadata\":{\"name\":\"\xE2\x82(\"}}]}",
             "{\"items\":[{\"metadata\":{\"name\":\"\xF0\x9F\x94\"}}]}",
             "{\"items\":\xC3\xA9}",
             "{\"items\":\xC3(}",
             "{\"items\":[]}\xC3\xA9",
             "{\"items\":[]}\xC3",
             "{\"items\":[]} trailing",
             R"({"items":[{"metadata":{"name":"a)"
             "\x01"
             R"("}}]})",
             R"({"items":[{"metadata":{"name":"\ud800\u0041"}}]})",
             R"({"items":[{}, {"metadata")",
             "<html><body>502 Bad Gateway</body></html>",
             "upstream connect error",
         })
        check_every_cut(body);
}

TEST_CASE("chunks: a hundred thousand empty objects are refused at the same place however they come") {
    std::string body = R"({"items":[{"metadata":{"name":")" + std::string(5000, 'x') + "\"}}";
    for (int i = 0; i < 20'000; ++i)
        body += ",{}";
    auto const whole = decode<KeyPage>(body);
    REQUIRE_FALSE(whole);
    CHECK(whole.error().code() == errc::too_large);
    for (std::size_t size : {1u, 3u, 64u, 4096u})
        CHECK(decoding::from_equal_pieces<KeyPage>(body, size).error() == whole.error());
}

TEST_CASE("chunks: a secret that comes byte by byte is whole") {
    std::string const body = R"({"uid":"k","apiKey":"abc\u0064ef\u00e9"})";
    for (std::size_t size = 1; size <= body.size(); ++size) {
        auto const created = decoding::from_equal_pieces<CreatedApiKey>(body, size);
        REQUIRE(created);
        CHECK(created->secret().expose() == "abcdefé");
    }
}

}  // namespace chunks_test
