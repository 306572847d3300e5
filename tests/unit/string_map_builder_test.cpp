// SPDX-License-Identifier: BSL-1.0
#include "support/sanitized.hpp"
#include "support/seeds.hpp"

#include <palette/string_map.hpp>

#include <palette/detail/string_map_builder.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <random>
#include <string>
#include <string_view>

namespace string_map_builder_test {

using palette::StringMap;
using palette::StringMapBuilder;

TEST_CASE("StringMapBuilder: makes a map from values in pieces") {
    StringMapBuilder builder;
    builder.begin_entry("scope");
    CHECK(builder.key() == "scope");
    for (auto const* part : {"", "ten", "ant"})
        builder.append_value(part);
    CHECK(builder.key() == "scope");
    builder.end_entry();
    CHECK(builder.finish() == StringMap{{"scope", "tenant"}});
}

TEST_CASE("StringMapBuilder: is empty again after each map") {
    StringMapBuilder builder;
    CHECK(builder.finish().empty());
    builder.add("b", "1");
    builder.add("a", "2");
    CHECK(builder.finish() == StringMap{{"a", "2"}, {"b", "1"}});
    CHECK(builder.bytes() == 0);
    CHECK(builder.finish().empty());
    builder.add("a", "3");
    CHECK(builder.finish() == StringMap{{"a", "3"}});
}

TEST_CASE("StringMapBuilder: of equal keys the first counts wherever the others are") {
    StringMapBuilder builder;
    builder.add("a", "first");
    builder.add("a", "second");
    builder.add("b", "first");
    builder.add("a", "third");
    builder.add("b", "second");
    CHECK(builder.finish() == StringMap{{"a", "first"}, {"b", "first"}});
}

TEST_CASE("StringMapBuilder: an entry that is taken back leaves no trace") {
    StringMapBuilder builder;
    builder.begin_entry("description");
    builder.drop_entry();
    CHECK(builder.finish().empty());

    builder.add("a", "1");
    builder.begin_entry("a");
    builder.append_value("half a value");
    builder.drop_entry();
    builder.add("b", "2");
    CHECK(builder.finish() == StringMap{{"a", "1"}, {"b", "2"}});
}

TEST_CASE("StringMapBuilder: says what its entries take") {
    StringMapBuilder builder;
    CHECK(builder.bytes() == 0);
    builder.add("key", "value");
    auto const one = builder.bytes();
    CHECK(one >= 8);
    builder.add("kez", std::string(1'000, 'x'));
    CHECK(builder.bytes() >= one + 1'003);
    CHECK(builder.bytes() <= one + 1'003 + 16);
}

TEST_CASE("StringMapBuilder: gives what a map gives for random entries in random pieces") {
    std::mt19937 random(seeds::short_seed(815));
    StringMapBuilder builder;
    int differences = 0;
    auto const text = [&random](std::size_t longest) {
        std::string out(random() % (longest + 1), '\0');
        for (char& c : out)
            c = std::string_view("ab\0\xff", 4)[random() % 4];
        return out;
    };
    auto const append_in_pieces = [&](std::string_view whole) {
        while (!whole.empty()) {
            auto const part = whole.substr(0, random() % (whole.size() + 1));
            builder.append_value(part);
            whole.remove_prefix(part.size());
        }
    };
    for (int round = 0; round < 20'000; ++round) {
        std::map<std::string, std::string> model;
        bool const ordered = random() % 3 == 0;
        std::string last_key;
        for (auto entries = random() % 12; entries > 0; --entries) {
            auto const key = ordered ? last_key += text(2) : text(3);
            auto const value = text(20);
            builder.begin_entry(key);
            differences += builder.key() != key;
            append_in_pieces(value);
            if (random() % 5 == 0) {
                builder.drop_entry();
            } else {
                builder.end_entry();
                model.emplace(key, value);
            }
        }
        auto const map = builder.finish();
        differences +=
            map.size() != model.size() || !std::ranges::equal(map, model, [](auto const& a, auto const& b) {
                return a.first == b.first && a.second == b.second;
            });
    }
    CHECK(differences == 0);
}

TEST_CASE("StringMapBuilder: a hundred thousand repeated keys in disorder do not take quadratic time") {
    int const entries = 100'000;
    int const keys = 10'000;
    auto const began = std::clock();
    StringMapBuilder builder;
    // 7,919 is prime, so its multiples go through all keys in disorder before any comes again.
    for (int i = 0; i < entries; ++i)
        builder.add("key " + std::to_string(i * 7'919LL % keys), i < keys ? "first" : "later");
    auto const map = builder.finish();
    auto const seconds = static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;

    CHECK(map.size() == keys);
    CHECK(std::ranges::all_of(map, [](auto const& entry) { return entry.second == "first"; }));
    CHECK(seconds < (sanitized ? 10.0 : 2.0));
}

}  // namespace string_map_builder_test
