// SPDX-License-Identifier: BSL-1.0
#include "support/create_storm.hpp"
#include "support/sanitized.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>

// Creates on a service that fails in every way that can lose or double a key, on a clock of their own.
// Another seed by hand: PALETTE_CHAOS_SEED=77 chaos_tests --test-case='client create random*'.

namespace create_random_test {

std::uint64_t seed() {
    auto const* const given = std::getenv("PALETTE_CHAOS_SEED");
    return given != nullptr ? std::strtoull(given, nullptr, 10) : 1;
}

TEST_CASE("client create random: one value at most, none of its keys deleted, and every other key is named") {
    constexpr int tenants = sanitized ? 10 : 50;
    constexpr int creates = 10;  // in each
    storm::Totals totals;
    for (int i = 0; i < tenants; ++i) {
        auto const own_seed = seed() * 1'000 + static_cast<std::uint64_t>(i);
        CAPTURE(own_seed);
        storm::Tenant tenant(own_seed);
        for (int n = 0; n < creates; ++n)
            tenant.create();
        tenant.let_all_land();
        tenant.check_names();
        tenant.reconcile();
        tenant.check_what_is_left();
        totals += tenant.totals();
    }
    MESSAGE("seed ", seed(), ": ", totals.creates, " creates, ", totals.delivered, " values delivered, ",
            totals.unknown, " unknown, ", totals.applied, " applied without a value, ", totals.not_applied,
            " not applied; ", totals.requests, " requests, ", totals.injected, " faults, ", totals.others,
            " other keys, of which ", totals.reconciled, " were reconciled away");
    CHECK(totals.creates == tenants * creates);
    CHECK(totals.delivered >= totals.creates / 4);
    CHECK(totals.unknown >= totals.creates / 20);
    CHECK(totals.others >= totals.creates / 20);
    CHECK(totals.reconciled >= 1);
}

}  // namespace create_random_test
