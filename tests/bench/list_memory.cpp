// SPDX-License-Identifier: BSL-1.0

// Listing many keys: the most memory that is taken from operator new at a time, the list included. A program
// of its own, since it replaces operator new.

#include "bench/list_contenders.hpp"
#include "bench/measure.hpp"
#include "support/counting_allocator.hpp"

#include <cstddef>
#include <string>

namespace {

using namespace bench;

void compare_peaks(Table& table, std::size_t keys) {
    ListContenders contenders(keys);
    auto const ours = [&] { return static_cast<double>(counting::peak_of([&] { contenders.ours(1); })); };
    auto const by_hand = [&] {
        return static_cast<double>(counting::peak_of([&] { contenders.by_hand(1); }));
    };
    table.at_most(0.30, std::to_string(keys) + " keys: Beast by hand, boost::json::parse", kilobytes,
                  compare(3, ours, by_hand));
}

}  // namespace

int main() {
    Table table("list keys (most memory at a time)");
    compare_peaks(table, 1'000);
    compare_peaks(table, 10'000);
    return table.status();
}
