// SPDX-License-Identifier: BSL-1.0
#include <palette/detail/blocks.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <concepts>
#include <iterator>
#include <numeric>
#include <ranges>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace blocks_test {

using Strings = palette::detail::Blocks<std::string>;

static_assert(std::random_access_iterator<Strings::iterator> &&
              std::random_access_iterator<Strings::const_iterator>);
static_assert(std::convertible_to<Strings::iterator, Strings::const_iterator>);
static_assert(!std::convertible_to<Strings::const_iterator, Strings::iterator>);
static_assert(std::is_nothrow_move_constructible_v<Strings> && std::is_nothrow_move_assignable_v<Strings>);

// Counts those alive; the one that is due throws instead of being copied.
struct Counted {
    static inline int alive = 0;
    static inline int copies_left = 0;

    Counted() { ++alive; }
    Counted(const Counted&) {
        if (copies_left-- == 0) throw std::runtime_error("no copy");
        ++alive;
    }
    ~Counted() { --alive; }
};

Strings numbers(std::size_t count) {
    Strings out;
    for (std::size_t i = 0; i < count; ++i)
        out.emplace_back(std::to_string(i));
    return out;
}

TEST_CASE("Blocks: holds what was added in order at every size around a block") {
    constexpr auto block = Strings::per_block;
    for (std::size_t const count :
         {std::size_t{0}, std::size_t{1}, block - 1, block, block + 1, 5 * block, 5 * block + 3}) {
        auto const all = numbers(count);
        CHECK(all.size() == count);
        CHECK(all.empty() == (count == 0));
        std::size_t i = 0;
        for (auto const& text : all)
            CHECK(text == std::to_string(i++));
        CHECK(i == count);
        CHECK(all.end() - all.begin() == static_cast<std::ptrdiff_t>(count));
    }
}

TEST_CASE("Blocks: shortened it keeps what came first, and grows again from there") {
    constexpr auto block = Strings::per_block;
    for (std::size_t const size : {std::size_t{0}, std::size_t{1}, block - 1, block, block + 1, 5 * block}) {
        auto all = numbers(5 * block);
        all.shorten(size);
        CHECK(all == numbers(size));
        all.emplace_back(std::to_string(size));
        CHECK(all == numbers(size + 1));
    }
    palette::detail::Blocks<Counted> counted;
    for (int i = 0; i < 40; ++i)
        counted.emplace_back();
    counted.shorten(7);
    CHECK(Counted::alive == 7);
}

TEST_CASE("Blocks: elements stay where they are while it grows") {
    Strings all;
    std::vector<const std::string*> addresses(1'000);
    for (std::size_t i = 0; i < addresses.size(); ++i)
        addresses[i] = &all.emplace_back(std::to_string(i));
    for (std::size_t i = 0; i < addresses.size(); ++i)
        CHECK(addresses[i] == &all[i]);
    CHECK(all.emplace_back(all[0]) == "0");
}

TEST_CASE("Blocks: its iterators walk and jump like those of a vector") {
    auto all = numbers(100);
    CHECK(*(all.begin() + 57) == "57");
    CHECK(all.begin()[99] == "99");
    CHECK(*(all.end() - 100) == "0");
    CHECK(all.begin() < all.end());
    CHECK((1 + all.begin())->size() == 1);
    CHECK((Strings::const_iterator(all.begin()) == std::as_const(all).begin()));
    auto it = all.begin();
    CHECK(*it++ == "0");
    CHECK(*it-- == "1");
    CHECK(*++it == "1");
    CHECK(*--it == "0");
    std::ranges::reverse(all);
    CHECK(all[0] == "99");
    std::ranges::sort(all, {}, [](auto const& text) { return std::stoi(text); });
    CHECK(all == numbers(100));
}

TEST_CASE("Blocks: a copy is equal and independent and a move leaves nothing") {
    auto a = numbers(40);
    auto b = a;
    CHECK(a == b);
    b[39] = "changed";
    CHECK_FALSE(a == b);
    b = a;
    CHECK(a == b);
    b.emplace_back("more");
    CHECK_FALSE(a == b);
    auto const* const address = &b[0];
    a = std::move(b);
    CHECK(a.size() == 41);
    CHECK(&a[0] == address);
    Strings const c(std::move(a));
    CHECK(c.size() == 41);
    CHECK(a.empty());         // NOLINT(bugprone-use-after-move): what is left is what is tested
    a.emplace_back("again");  // NOLINT(clang-analyzer-cplusplus.Move)
    CHECK(a[0] == "again");
    auto& same = a;
    a = same;
    CHECK(a.size() == 1);
}

TEST_CASE("Blocks: an element that cannot be made leaves the others") {
    {
        palette::detail::Blocks<Counted> all;
        for (int i = 0; i < 20; ++i)
            all.emplace_back();
        Counted::copies_left = 0;
        for (int i = 0; i < 30; ++i) {
            CHECK_THROWS_AS(all.emplace_back(all[0]), std::runtime_error);
            Counted::copies_left = 1;
            all.emplace_back(all[0]);
        }
        CHECK(all.size() == 50);
        CHECK(Counted::alive == 50);
    }
    CHECK(Counted::alive == 0);
}

TEST_CASE("Blocks: a copy that fails half way leaves nothing behind") {
    {
        palette::detail::Blocks<Counted> all;
        for (int i = 0; i < 40; ++i)
            all.emplace_back();
        Counted::copies_left = 35;
        CHECK_THROWS_AS(palette::detail::Blocks<Counted>{all}, std::runtime_error);
        CHECK(Counted::alive == 40);
        Counted::copies_left = 20;
        palette::detail::Blocks<Counted> other;
        other.emplace_back();
        CHECK_THROWS_AS(other = all, std::runtime_error);
        CHECK(other.size() == 1);
    }
    CHECK(Counted::alive == 0);
}

}  // namespace blocks_test
