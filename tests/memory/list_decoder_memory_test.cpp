// SPDX-License-Identifier: BSL-1.0
#include "support/counting_allocator.hpp"
#include "support/decoding.hpp"
#include "support/random.hpp"
#include "support/sample_keys.hpp"

#include <palette/impl/wire/decode.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <new>
#include <string>
#include <string_view>
#include <vector>

namespace list_decoder_memory_test {

using namespace palette::impl::wire;

std::size_t allowed(std::size_t input) {
    return 8 * input + 64 * 1024;
}

// The most memory that decoding `body` in pieces of `size` bytes takes.
std::size_t peak(std::string_view body, std::size_t size) {
    return counting::peak_of([&] {
        Decoder<KeyPage> decoder;
        for (std::size_t at = 0; at < body.size(); at += size)
            if (!decoder.write(body.substr(at, size))) break;
        auto const page = decoder.finish();
    });
}

// One or a few random changes of the kinds that damage, shift and multiply.
std::string mutated(std::string body, sample::Random& random) {
    for (auto n = 1 + random.below(4); n > 0 && !body.empty(); --n) {
        auto const at = random.below(body.size());
        auto const length = std::min<std::size_t>(1 + random.below(40), body.size() - at);
        switch (random.below(7)) {
            case 0:
                body[at] = static_cast<char>(random.below(256));
                break;
            case 1:
                body.erase(at, length);
                break;
            case 2:
                body.insert(random.below(body.size()), body.substr(at, length));
                break;
            case 3: {
                auto const piece = body.substr(at, length);
                for (auto times = random.below(60); times > 0; --times)
                    body.insert(at, piece);
                break;
            }
            case 4:
                body.insert(at, random.text(5));
                break;
            case 5:
                body.resize(at);
                break;
            default: {
                static constexpr std::string_view tokens[] = {"{}", ",{}", "[]", "\"\":\"\",", "null",
                                                              "[{", "}]",  ",",  ":"};
                auto const token = tokens[random.below(std::size(tokens))];
                for (auto times = random.below(200); times > 0; --times)
                    body.insert(at, token);
            }
        }
    }
    return body;
}

TEST_CASE("memory: the counting allocator counts") {
    // A plain call: an expression with new may be left out by a compiler that sees no use of it.
    auto const one_mebibyte = counting::peak_of([] { ::operator delete(::operator new(1 << 20)); });
    CHECK(one_mebibyte == 1 << 20);
}

TEST_CASE("memory: a good list takes less than 8 times its size") {
    for (std::size_t keys : {0u, 1u, 10u, 1'000u, 10'000u}) {
        auto const body = sample::key_list(keys);
        for (std::size_t size : {std::size_t{64 * 1024}, std::size_t{100}, body.size()})
            CHECK(peak(body, size) <= allowed(body.size()));
    }
}

TEST_CASE("memory: bodies made to take much take at most 8 times their size and 64 KiB") {
    auto const repeated = [](std::string_view before, std::string_view element, std::string_view after) {
        std::string body(before);
        while (body.size() < 400'000)
            body += element;
        return body += after;
    };
    for (auto const& body : {
             repeated(R"({"items":[)", "{},", "{}]}"),
             repeated(R"({"items":[)", R"({"metadata":{"uid":"1"}},)", "{}]}"),
             repeated(R"({"items":[)",
                      R"({"metadata":{"uid":"65f1c0de0000000000000001","name":"0123456789012345"}},)",
                      "{}]}"),
             repeated(R"({"items":[)", R"({"metadata":{"labels":{"":""}},"spec":{"expiry":""}},)", "{}]}"),
             repeated(R"({"items":[{"metadata":{"labels":{"z":"")", R"(,"a":"")", "}}}]}"),
             repeated(R"({"items":[{"metadata":{"labels":{"":"")", R"(,"":"")", "}}}]}"),
             repeated(R"({"items":[{"metadata":{"name":")", "x", R"("}}]})"),
             repeated(R"({"items":[{"metadata":{"name":")", R"(\u0041)", R"("}}]})"),
             repeated(R"({"items":[{"metadata":{")", "x", R"(":1}}]})"),
             repeated(R"({"items":[{"metadata":{"labels":{")", "x", R"(":"1"}}}]})"),
             repeated(R"({"listmeta":{"continue":")", "x", R"("}})"),
         }) {
        CAPTURE(body.substr(0, 60));
        for (std::size_t size : {std::size_t{64 * 1024}, std::size_t{50}, body.size()})
            CHECK(peak(body, size) <= allowed(body.size()));
    }
}

TEST_CASE("memory: every seed of the list fuzzer takes at most 8 times its size and 64 KiB") {
    std::size_t seeds = 0;
    for (auto const& file :
         std::filesystem::directory_iterator(PALETTE_KEYS_SOURCE_DIR "/tests/fuzz/corpus/list_decoder")) {
        std::ifstream stream(file.path(), std::ios::binary);
        std::string const body(std::istreambuf_iterator<char>(stream), {});
        CAPTURE(file.path().string());
        CHECK(peak(body, 64 * 1024) <= allowed(body.size()));
        CHECK(peak(body, 3) <= allowed(body.size()));
        ++seeds;
    }
    CHECK(seeds > 0);
}

TEST_CASE("memory: a hundred thousand mutations of good lists take at most 8 times their size and 64 KiB") {
    std::vector<std::string> const good{sample::key_list(1), sample::key_list(3), sample::key_list(20)};
    sample::Random random(20261120);
    std::size_t worst_excess = 0;
    std::size_t decoded = 0;
    for (int i = 0; i < 100'000; ++i) {
        auto const body = mutated(good[random.below(8) == 0 ? 2 : random.below(2)], random);
        auto const most = peak(body, random.one_in(8) ? 1 + random.below(50) : 64 * 1024);
        worst_excess = std::max(worst_excess, most > allowed(body.size()) ? most - allowed(body.size()) : 0);
        decoded += decode<KeyPage>(body).has_value();
    }
    CHECK(worst_excess == 0);
    CHECK(decoded > 1'000);  // mutations that are good lists still, and others that are not
    CHECK(decoded < 99'000);
}

}  // namespace list_decoder_memory_test
