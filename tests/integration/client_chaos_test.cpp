// SPDX-License-Identifier: BSL-1.0
#include "support/chaos.hpp"
#include "support/sanitized.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <string>

// Thousands of operations of all kinds on a service that fails at random, while their credential changes.
// Another seed by hand: PALETTE_CHAOS_SEED=77 chaos_tests --test-case='client chaos*'.

namespace client_chaos_test {

std::uint64_t seed(std::uint64_t number) {
    auto const* const given = std::getenv("PALETTE_CHAOS_SEED");
    return (given != nullptr ? std::strtoull(given, nullptr, 10) : 1) + number;
}

constexpr int operations = sanitized ? 3'000 : 10'000;

// In thousandths and hundredths. Of fewer operations there is more by chance.
constexpr int most_unknown = sanitized ? 10 : 5;
constexpr double far_from_five_percent = sanitized ? 2 : 1;

void show_chaos(std::uint64_t seed) {
    CAPTURE(seed);
    chaos::Scene scene(seed, operations);
    scene.run();
    auto const& seen = scene.seen();
    MESSAGE("seed ", seed, ": ", scene.summary());

    REQUIRE(seen.ended == operations);
    CHECK(seen.of_effect(palette::Effect::unknown) <= operations * most_unknown / 1'000);
    CHECK(seen.good >= operations * 97 / 100);
    CHECK(scene.struck_percent() >= 5 - far_from_five_percent);
    CHECK(scene.struck_percent() <= 5 + far_from_five_percent);
    CHECK(scene.rotations() >= operations / 2'500);

    scene.clean_up();
    MESSAGE("seed ", seed, ": ", scene.pending(), " pending, ", scene.reconciled(),
            " keys without a value were deleted, ", scene.delivered().size(), " delivered keys live");
    CHECK(scene.live() == scene.delivered());
    CHECK(scene.refused_values() == 0);
}

TEST_CASE("client chaos: all ends, little is unknown, and no key is lost or left: first seed") {
    show_chaos(seed(0));
}

TEST_CASE("client chaos: all ends, little is unknown, and no key is lost or left: second seed") {
    show_chaos(seed(1));
}

TEST_CASE("client chaos: all ends, little is unknown, and no key is lost or left: third seed") {
    show_chaos(seed(2));
}

}  // namespace client_chaos_test
