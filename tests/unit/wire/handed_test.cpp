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

// What comes of a text that goes on and on, in pieces of this size: the error, and after how many bytes.
struct Endless {
    Endless(const std::string& begin, const std::string& more, std::size_t size) {
        Handing handing;
        REQUIRE(handing.decoder.write(begin));
        std::string piece;
        while (piece.size() < size)
            piece += more;
        for (; outcome && bytes < (std::size_t{4} << 20); bytes += piece.size())
            outcome = handing.decoder.write(piece);
    }

    Result<void> outcome;
    std::size_t bytes = 0;
};

TEST_CASE("handed: an element without end, and what comes beside the elements without end, is too large") {
    struct Row {
        std::string begin;
        std::string more;
        std::string path;
    };
    std::string const one = R"({"items":[{"metadata":{"uid":"a"}},{"metadata":{"uid":"b",)";
    for (auto const& [begin, more, path] : {
             Row{one + R"("name":")", "x", "items[1].metadata.name"},
             Row{one + R"("unknown":")", "x", "items[1].metadata.unknown"},
             Row{one + R"("unknown":["x")", R"(,"x")", "items[1].metadata.unknown"},
             Row{one + R"(")", "x", "items[1].metadata.uid"},
             Row{R"({"listmeta":{"continue":")", "x", "listmeta.continue"},
             Row{R"({"items":[{}],"listmeta":{"continue":")", "x", "listmeta.continue"},
             Row{R"({")", "x", ""},
         }) {
        for (std::size_t const size : {std::size_t{4}, std::size_t{5'000}, std::size_t{3} << 20}) {
            CAPTURE(begin);
            CAPTURE(size);
            Endless const endless(begin, more, size);
            REQUIRE_FALSE(endless.outcome);
            CHECK(endless.outcome.error().code() == errc::too_large);
            CHECK(endless.outcome.error().path() == path);
            CHECK(endless.bytes >= std::size_t{1} << 19);
            CHECK(endless.bytes <= (std::size_t{3} << 19) + size);
        }
    }
}

TEST_CASE("handed: the bound is that of each element, and of what follows them, and not of all together") {
    constexpr std::size_t almost = (std::size_t{1} << 20) - 100;
    auto const body_with = [](std::size_t name, std::size_t token) {
        return R"({"items":[{"metadata":{"uid":"a","name":")" + std::string(almost, 'x') +
               R"("}},{"metadata":{"uid":"b","name":")" + std::string(name, 'x') +
               R"("}}],"listmeta":{"continue":")" + std::string(token, 't') + "\"}}";
    };
    Handing good;
    REQUIRE(good.decoder.write(body_with(almost, almost)));
    CHECK(good.decoder.finish().value().next.size() == almost);
    Handing large;
    auto const element = large.decoder.write(body_with(almost + 100, 1));
    REQUIRE_FALSE(element);
    CHECK(element.error().path() == "items[1].metadata.name");
    CHECK(large.uids == Uids{"a"});
    Handing long_token;
    auto const token = long_token.decoder.write(body_with(1, almost + 100));
    REQUIRE_FALSE(token);
    CHECK(token.error().path() == "listmeta.continue");
}

}  // namespace handed_test
