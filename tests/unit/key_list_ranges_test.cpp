// SPDX-License-Identifier: BSL-1.0
#include <palette/api_key.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <iterator>
#include <ranges>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

// A list of keys is a range as any other.

namespace key_list_ranges_test {

using namespace std::chrono_literals;
using namespace palette;

static_assert(std::ranges::random_access_range<KeyList>);
static_assert(std::ranges::random_access_range<const KeyList>);
static_assert(std::ranges::sized_range<KeyList>);
static_assert(std::ranges::common_range<KeyList>);
static_assert(std::sortable<KeyList::iterator, std::ranges::less, Expiry ApiKey::*>);
static_assert(std::sized_sentinel_for<KeyList::const_iterator, KeyList::iterator>);

constexpr Instant noon = std::chrono::sys_days{2027y / 1 / 31} + 12h;

ApiKey key_of(std::string name, Expiry expiry, bool is_active = true) {
    ApiKey key;
    key.uid = "uid-" + name;
    key.name = std::move(name);
    key.expiry = expiry;
    key.is_active = is_active;
    return key;
}

KeyList sample() {
    return KeyList({key_of("d", Expiry::at(noon + 3h)), key_of("a", Expiry::never()),
                    key_of("c", Expiry::at(noon - 1h)), key_of("b", Expiry::at(noon + 1h), false)},
                   noon);
}

std::string names(auto&& keys) {
    std::string out;
    for (const ApiKey& key : keys)
        out += key.name;
    return out;
}

TEST_CASE("ranges of keys: a list is sorted by any member, in place") {
    auto keys = sample();
    std::ranges::sort(keys, {}, &ApiKey::expiry);
    CHECK(names(keys) == "cbda");
    std::ranges::sort(keys, std::ranges::greater(), &ApiKey::name);
    CHECK(names(keys) == "dcba");
    auto const revoked = std::ranges::partition(keys, &ApiKey::is_active);
    CHECK(std::ranges::size(revoked) == 1);
    CHECK(names(revoked) == "b");
    CHECK(keys.as_of() == noon);
}

TEST_CASE("ranges of keys: a list of many blocks is sorted like a vector") {
    KeyList keys;
    std::vector<std::string> expected;
    for (std::size_t i = 0; i < 5 * detail::Blocks<ApiKey>::per_block + 3; ++i) {
        keys.push_back(key_of(std::to_string(i * 7919 % 1000), Expiry::never()));
        expected.push_back(keys.back().name);
    }
    std::ranges::sort(keys, {}, &ApiKey::name);
    std::ranges::sort(expected);
    CHECK(std::ranges::equal(keys, expected, {}, &ApiKey::name));
    CHECK(std::ranges::binary_search(keys, expected[40], {}, &ApiKey::name));
    CHECK(names(keys | std::views::reverse | std::views::take(1)) == expected.back());
}

TEST_CASE("ranges of keys: a list is filtered, and looked at through a projection") {
    auto const keys = sample();
    auto const is_active = [&](const ApiKey& key) { return key.state(keys.as_of()) == KeyState::active; };
    CHECK(names(keys | std::views::filter(is_active)) == "da");
    CHECK(names(keys | std::views::filter(&ApiKey::is_active)) == "dac");
    CHECK(std::ranges::count_if(keys, is_active) == 2);
    CHECK(std::ranges::max_element(keys, {}, &ApiKey::expiry)->name == "a");
    CHECK(std::ranges::min(keys, {}, &ApiKey::expiry).name == "c");
    CHECK(std::ranges::find(keys, "b", &ApiKey::name) - keys.begin() == 3);
    CHECK(std::ranges::distance(keys | std::views::transform(&ApiKey::uid)) == 4);
    CHECK(names(sample() | std::views::drop(2)) == "cb");
}

TEST_CASE("ranges of keys: what a filter finds can be copied to another list") {
    auto const keys = sample();
    auto soon = keys | std::views::filter([](const ApiKey& key) { return !key.expiry.is_never(); });
    KeyList const found(soon.begin(), soon.end(), keys.as_of());
    CHECK(names(found) == "dcb");
    CHECK(found.as_of() == noon);
    std::vector<ApiKey> copy;
    std::ranges::copy_if(keys, std::back_inserter(copy), &ApiKey::is_active);
    CHECK(names(copy) == "dac");
}

TEST_CASE("hash of a key: keys are elements of unordered sets, and keys of maps") {
    auto const keys = sample();
    std::unordered_set<ApiKey> set(keys.begin(), keys.end());
    set.insert(keys[1]);
    CHECK(set.size() == 4);
    CHECK(set.contains(sample()[2]));
    auto renewed = keys[2];
    renewed.expiry = Expiry::never();
    CHECK_FALSE(set.contains(renewed));
    std::unordered_map<ApiKey, int> seen;
    for (auto const& key : keys)
        ++seen[key];
    CHECK(seen.at(keys[3]) == 1);
}

TEST_CASE("hash of a key: versions of a key have hashes of their own") {
    auto const key = sample()[0];
    auto other = key;
    std::hash<ApiKey> const hash;
    CHECK(hash(other) == hash(key));
    other.modified = noon;
    CHECK(hash(other) != hash(key));
    other = key;
    other.is_active = false;
    CHECK(hash(other) != hash(key));
}

}  // namespace key_list_ranges_test
