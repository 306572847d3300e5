// SPDX-License-Identifier: BSL-1.0
#include "support/seeds.hpp"

#include <palette/impl/lifecycle/audit/text_index.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace text_index_test {

using palette::impl::lifecycle::TextIndex;

TEST_CASE("text index: each text has the number of its first coming") {
    TextIndex index;
    CHECK(index.find("a") == TextIndex::none);
    CHECK(index.insert("a") == std::pair<std::size_t, bool>(0, true));
    CHECK(index.insert("") == std::pair<std::size_t, bool>(1, true));
    CHECK(index.insert(std::string("a\0", 2)) == std::pair<std::size_t, bool>(2, true));
    CHECK(index.insert("a") == std::pair<std::size_t, bool>(0, false));
    CHECK(index.insert("") == std::pair<std::size_t, bool>(1, false));
    CHECK(index.find("b") == TextIndex::none);
    CHECK(index.size() == 3);
    CHECK(index[2] == std::string("a\0", 2));
}

TEST_CASE("text index: it knows what a map knows, however many there are") {
    std::mt19937_64 random(seeds::short_seed(7));
    TextIndex index;
    std::map<std::string, std::size_t> numbers;
    std::vector<std::string> texts;
    for (int i = 0; i < 50'000; ++i) {
        std::string text(random() % 40, static_cast<char>('a' + random() % 3));
        text += std::to_string(random() % 20'000);
        auto const [place, is_new] = numbers.try_emplace(text, numbers.size());
        CHECK(index.insert(text) == std::pair(place->second, is_new));
        if (is_new) texts.push_back(text);
    }
    REQUIRE(index.size() == texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
        CHECK(index[i] == texts[i]);
        CHECK(index.find(texts[i]) == i);
    }
}

}  // namespace text_index_test
