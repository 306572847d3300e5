// SPDX-License-Identifier: BSL-1.0
#include "support/printed.hpp"
#include "support/sanitized.hpp"
#include "support/seeds.hpp"

#include <palette/string_map.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <concepts>
#include <iterator>
#include <map>
#include <random>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace string_map_test {

using palette::StringMap;
using Model = std::map<std::string, std::string>;

static_assert(std::regular<StringMap> && sizeof(StringMap) == sizeof(void*));
static_assert(std::is_nothrow_move_constructible_v<StringMap> &&
              std::is_nothrow_move_assignable_v<StringMap>);
static_assert(std::is_nothrow_default_constructible_v<StringMap>);
static_assert(std::ranges::forward_range<const StringMap> && std::ranges::common_range<StringMap>);
static_assert(std::forward_iterator<StringMap::iterator>);

bool same(const StringMap& map, const Model& model) {
    return map.size() == model.size() && map.empty() == model.empty() &&
           std::ranges::equal(map, model, [](auto const& a, auto const& b) {
               return a.first == b.first && a.second == b.second;
           });
}

StringMap made_of(const Model& model) {
    StringMap map;
    for (auto const& [key, value] : model | std::views::reverse)
        map.set(key, value);
    return map;
}

TEST_CASE("StringMap: an empty one has nothing") {
    StringMap map;
    CHECK(map.empty());
    CHECK(map.size() == 0);
    CHECK((map.begin() == map.end()));
    CHECK((map.find("a") == map.end()));
    CHECK_FALSE(map.contains(""));
    CHECK(map["a"].empty());
    CHECK_FALSE(map.erase("a"));
    CHECK(map == StringMap{});
    CHECK(printed(map) == "{}");
}

TEST_CASE("StringMap: is ordered by key and of equal keys the first counts") {
    StringMap const map{{"b", "2"}, {"a", "1"}, {"b", "3"}, {"", "0"}, {"a", "4"}, {"aa", ""}};
    CHECK(same(map, {{"", "0"}, {"a", "1"}, {"aa", ""}, {"b", "2"}}));
    CHECK(map["aa"].empty());
    CHECK(map.contains("aa"));
    CHECK(map.find("b")->second == "2");
    CHECK(printed(map) == R"({"": "0", "a": "1", "aa": "", "b": "2"})");
}

TEST_CASE("StringMap: setting changes a value and erasing the last entry empties it") {
    StringMap map;
    map.set("key", "first");
    map.set("key", "a much longer second value than the first one was");
    CHECK(map.size() == 1);
    CHECK(map["key"] == "a much longer second value than the first one was");
    map.set("key", "");
    CHECK(map.contains("key"));
    CHECK(map["key"].empty());
    CHECK(map.erase("key"));
    CHECK(map.empty());
    CHECK(map == StringMap());

    map.set("x", "y");
    map.clear();
    CHECK(map.empty());
}

TEST_CASE("StringMap: looking a key up does not add it") {
    StringMap map{{"a", "1"}};
    CHECK(map["b"].empty());
    CHECK_FALSE(map.contains("b"));
    CHECK(map.size() == 1);
}

TEST_CASE("StringMap: bytes are ordered as unsigned and texts may have any of them") {
    using namespace std::string_view_literals;
    StringMap const map{
        {"\xff"sv, "high"}, {"a"sv, "low"}, {"\0"sv, "nul"}, {"\0\0"sv, "two"}, {""sv, "none"}};
    std::string order;
    for (auto const& [key, value] : map)
        order += std::string(value) + ' ';
    CHECK(order == "none nul two low high ");
    CHECK(map["\0\0"sv] == "two");
}

TEST_CASE("StringMap: views into it may be arguments of its own changes") {
    StringMap map{{"a", "alpha"}, {"b", "beta"}};
    map.set(map["a"], map["b"]);
    map.set("b", map["a"]);
    map.set("a", map["a"].substr(1, 3));
    map.set(map.begin()->first, map.begin()->first);
    CHECK(same(map, {{"a", "a"}, {"alpha", "beta"}, {"b", "alpha"}}));
    CHECK(map.erase(map["b"]));
    CHECK(map.erase(map.begin()->first));
    CHECK(same(map, {{"b", "alpha"}}));
}

TEST_CASE("StringMap: a copy is equal and independent") {
    StringMap a{{"k", "v"}};
    StringMap b = a;
    CHECK(a == b);
    b.set("k", "w");
    CHECK(a != b);
    CHECK(a["k"] == "v");
    b = a;
    CHECK(a == b);
    auto const& same_object = a;
    a = same_object;
    CHECK(same(a, {{"k", "v"}}));
    b = StringMap();
    CHECK(b.empty());
}

TEST_CASE("StringMap: moving takes the entries without copying them") {
    StringMap a{{"k", "v"}};
    auto const* const at = a["k"].data();
    StringMap b = std::move(a);
    CHECK(b["k"].data() == at);
    CHECK(a.empty());     // NOLINT(bugprone-use-after-move): what is left is what is tested
    a.set("again", "1");  // NOLINT(clang-analyzer-cplusplus.Move)
    a = std::move(b);
    CHECK(same(a, {{"k", "v"}}));
}

TEST_CASE("StringMap: equal means the same entries and not the same bytes in another place") {
    CHECK(StringMap{{"ab", "c"}} != StringMap{{"a", "bc"}});
    CHECK(StringMap{{"a", ""}} != StringMap{{"", "a"}});
    CHECK(StringMap{{"a", "b"}} != StringMap{});
    CHECK(StringMap{} != StringMap{{"", ""}});
    CHECK(StringMap{{"a", "1"}, {"b", "2"}} == StringMap{{"b", "2"}, {"a", "1"}});
}

TEST_CASE("StringMap: is printed on one line with its texts shortened") {
    auto const line = printed(StringMap{{hostile_text, hostile_text}});
    CHECK(is_one_plain_line(line));
    CHECK(line.size() < 400);
}

TEST_CASE("StringMap: behaves as a map does under thousands of random changes") {
    std::mt19937 random(seeds::short_seed(4711));
    auto const text = [&random] {
        std::string out(random() % 20 == 0 ? 300 : random() % 4, '\0');
        for (char& c : out)
            c = std::string_view("\0ab\xff", 4)[random() % 4];
        return out;
    };
    StringMap map;
    Model model;
    int differences = 0;
    auto const expect = [&differences](bool holds) { differences += !holds; };

    for (int i = 0; i < (sanitized ? 2'000 : 20'000); ++i) {
        auto const key = text();
        switch (random() % 8) {
            case 0:
            case 1:
            case 2: {
                auto const value = text();
                map.set(key, value);
                model[key] = value;
                break;
            }
            case 3:
            case 4:
                expect(map.erase(key) == (model.erase(key) == 1));
                break;
            case 5: {
                StringMap copy = map;
                expect(copy == map);
                copy.set(key, "changed");
                expect((copy == map) == (model.contains(key) && model[key] == "changed"));
                map = random() % 2 ? StringMap(map) : std::move(copy);
                if (map.contains(key) && map[key] == "changed") model[key] = "changed";
                break;
            }
            case 6:
                expect(map == made_of(model));
                break;
            default:
                if (random() % 40 == 0) {
                    map.clear();
                    model.clear();
                }
        }
        expect(map.contains(key) == model.contains(key));
        expect(map[key] == (model.contains(key) ? std::string_view(model[key]) : std::string_view()));
        expect((map.find(key) == map.end()) == !model.contains(key));
        expect(same(map, model));
    }
    CHECK(differences == 0);
}

}  // namespace string_map_test
