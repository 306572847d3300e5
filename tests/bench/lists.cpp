// SPDX-License-Identifier: BSL-1.0

// Listing many keys: ours into a KeyList of typed values, Beast by hand into a string and then a DOM. What
// counts is the time of the client's thread on its core: the service is another.

#include "bench/list_contenders.hpp"
#include "bench/measure.hpp"

#include <cstddef>
#include <string>

namespace {

using namespace bench;

void compare_lists(Table& table, std::size_t keys, int rounds, int repeat) {
    ListContenders contenders(keys);
    auto const ours = [&] { return cpu_time([&] { contenders.ours(repeat); }) / repeat; };
    auto const by_hand = [&] { return cpu_time([&] { contenders.by_hand(repeat); }) / repeat; };
    table.at_most(0.45, std::to_string(keys) + " keys: Beast by hand, boost::json::parse", milliseconds,
                  compare(rounds, ours, by_hand));
}

}  // namespace

int main() {
    Table table("list keys (time of the client's thread)");
    compare_lists(table, 1'000, 31, 10);
    compare_lists(table, 10'000, 21, 2);
    return table.status();
}
