// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/wire/handed.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

// Elements of an array that are handed on while the text still comes.

namespace handed_test {

using namespace palette;
using namespace palette::impl::wire;

// A decoder, and the uids of the keys that it has handed on.
struct Handing {
    Handing() {
        decoder.partial().items.to([this](ApiKey&& key) { uids.push_back(std::move(key.uid)); });
    }

    Decoder<HandedPage<ApiKey>> decoder;
    std::vector<std::string> uids;
};

using Uids = std::vector<std::string>;

TEST_CASE("handed: an element is handed on when the next one begins, and the last one at the end") {
    Handing handing;
    REQUIRE(handing.decoder.write(R"({"items":[{"metadata":{"uid":"a"},"status":{"isActive":true}})"));
    CHECK(handing.uids.empty());
    REQUIRE(handing.decoder.write(R"(,{"meta)"));
    CHECK(handing.uids == Uids{"a"});
    REQUIRE(handing.decoder.write(R"(data":{"uid":"b"}},null,{"metadata":{"uid":"c"}}],"listmeta":{)"));
    CHECK(handing.uids == Uids{"a", "b"});
    REQUIRE(handing.decoder.write(R"("continue":"next"}})"));
    auto page = handing.decoder.finish();
    REQUIRE(page);
    CHECK(page->next == "next");
    CHECK(handing.uids == Uids{"a", "b"});
    page->items.hand_on();
    page->items.hand_on();
    CHECK(handing.uids == Uids{"a", "b", "c"});
}

TEST_CASE("handed: an element has all of its members, in whatever pieces it came") {
    std::string const body =
        R"({"items":[{"metadata":{"uid":"a","name":"n","labels":{"k":"v"},"annotations":{"description":"d"}},)"
        R"("spec":{"user":{"uid":"u"},"expiry":"2030-01-01T00:00:00Z"},"status":{"isActive":true}}]})";
    auto const whole = decode<KeyPage>(body).value();
    REQUIRE(whole.items.size() == 1);
    for (std::size_t const size : {std::size_t{1}, std::size_t{7}, body.size()}) {
        CAPTURE(size);
        std::vector<ApiKey> keys;
        Decoder<HandedPage<ApiKey>> decoder;
        decoder.partial().items.to([&](ApiKey&& key) { keys.push_back(std::move(key)); });
        for (std::size_t at = 0; at < body.size(); at += size)
            REQUIRE(decoder.write(body.substr(at, size)));
        decoder.finish().value().items.hand_on();
        REQUIRE(keys.size() == 1);
        CHECK(keys[0] == whole.items[0]);
    }
}

TEST_CASE("handed: a body of any size is read, and small elements are still refused") {
    Handing handing;
    auto const element = R"({"metadata":{"uid":"a","name":")" + std::string(1'000'000, 'x') + R"("}},)";
    REQUIRE(handing.decoder.write(R"({"items":[)"));
    // More than a page that is held may have.
    for (int i = 0; i < 70; ++i)
        REQUIRE(handing.decoder.write(element));
    REQUIRE(handing.decoder.write("{}]}"));
    CHECK(handing.decoder.finish());
    CHECK(handing.uids.size() == 70);

    Handing many;
    REQUIRE(many.decoder.write(R"({"items":[{})"));
    auto refused = Result<void>();
    for (int i = 0; i < 10'000 && refused; ++i)
        refused = many.decoder.write(",{}");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == errc::too_large);
}

}  // namespace handed_test
