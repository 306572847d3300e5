// SPDX-License-Identifier: BSL-1.0
#include "support/seeds.hpp"

#include <palette/impl/time/jitter.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace jitter_test {

using palette::impl::timing::Jitter;

std::vector<double> some_of(std::optional<std::uint32_t> seed, int count = 3) {
    Jitter jitter(seed);
    std::vector<double> numbers;
    for (int i = 0; i < count; ++i)
        numbers.push_back(jitter());
    return numbers;
}

TEST_CASE("jitter: a seed gives the same numbers on every machine") {
    auto const numbers = some_of(1);
    CHECK(numbers[0] == doctest::Approx(0.529724844));
    CHECK(numbers[1] == doctest::Approx(0.347969458));
    CHECK(numbers[2] == doctest::Approx(0.833713626));
    CHECK(some_of(0) != some_of(1));
    CHECK(some_of(std::nullopt) != some_of(std::nullopt));
}

TEST_CASE("jitter: its numbers are spread evenly from 0 to 1, the first ones of small seeds too") {
    auto const check_spread = [](std::vector<double> numbers) {
        std::ranges::sort(numbers);
        CHECK(numbers.front() >= 0);
        CHECK(numbers.back() < 1);
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            auto const even = static_cast<double>(i) / static_cast<double>(numbers.size());
            CHECK(numbers[i] == doctest::Approx(even).epsilon(0.05).scale(1));
        }
    };
    check_spread(some_of(seeds::short_seed(7), 4'000));
    std::vector<double> firsts;
    for (std::uint32_t seed = 0; seed < 4'000; ++seed)
        firsts.push_back(some_of(seed, 1)[0]);
    check_spread(firsts);
}

}  // namespace jitter_test
