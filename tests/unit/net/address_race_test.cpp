// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/net/address_race.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

namespace address_race_test {

using namespace std::chrono_literals;
using palette::impl::net::AddressRace;

constexpr AddressRace::Time begun{};

using Started = std::vector<std::size_t>;

// What it starts until then, if time passes in milliseconds and none fails.
Started started_until(AddressRace& race, std::chrono::milliseconds from, std::chrono::milliseconds to) {
    Started all;
    for (auto now = from; now <= to; ++now)
        while (auto const step = race.next(begun + now))
            all.push_back(step->started);
    return all;
}

TEST_CASE("AddressRace: one address has all the time there is") {
    AddressRace race(1, 1000ms, begun);
    CHECK(started_until(race, 0ms, 0ms) == Started{0});
    CHECK(race.next_look() == begun + 1000ms);
    CHECK(started_until(race, 1ms, 999ms) == Started{});
    CHECK_FALSE(race.is_late(begun + 999ms));
    CHECK(race.is_late(begun + 1000ms));
    CHECK_FALSE(race.is_lost());
}

TEST_CASE("AddressRace: the next address starts after 250 ms, and those before go on") {
    AddressRace race(3, 10s, begun);
    CHECK(started_until(race, 0ms, 249ms) == Started{0});
    CHECK(race.next_look() == begun + 250ms);
    CHECK(started_until(race, 250ms, 499ms) == Started{1});
    CHECK(started_until(race, 500ms, 9999ms) == Started{2});
    CHECK(race.next_look() == begun + 10s);
}

TEST_CASE("AddressRace: where time is short each address has its share before the next one starts") {
    AddressRace race(4, 400ms, begun);
    CHECK(started_until(race, 0ms, 99ms) == Started{0});
    CHECK(started_until(race, 100ms, 199ms) == Started{1});
    CHECK(started_until(race, 200ms, 299ms) == Started{2});
    CHECK(started_until(race, 300ms, 399ms) == Started{3});
}

TEST_CASE("AddressRace: when one fails the next one starts at once, and the one after has its wait") {
    AddressRace race(3, 10s, begun);
    CHECK(started_until(race, 0ms, 10ms) == Started{0});
    race.failed(0, begun + 10ms);
    CHECK(race.next_look() == begun + 10ms);
    CHECK(started_until(race, 10ms, 259ms) == Started{1});
    CHECK(started_until(race, 260ms, 260ms) == Started{2});
    CHECK_FALSE(race.is_lost());
    race.failed(2, begun + 300ms);
    CHECK_FALSE(race.is_lost());
    race.failed(1, begun + 300ms);
    CHECK(race.is_lost());
}

TEST_CASE("AddressRace: nothing starts once the time is over") {
    AddressRace race(2, 100ms, begun);
    CHECK(started_until(race, 0ms, 0ms) == Started{0});
    race.failed(0, begun + 100ms);
    CHECK_FALSE(race.next(begun + 100ms));
    CHECK(race.is_late(begun + 100ms));
    CHECK(race.next_look() == begun + 50ms);
}

TEST_CASE("AddressRace: of very many addresses every one has its chance, and few are tried at a time") {
    constexpr std::size_t many = 100;
    AddressRace race(many, 10s, begun);
    std::size_t started = 0;
    std::vector<std::size_t> given_up;
    for (auto now = 0ms; now < 10s; ++now)
        while (auto const step = race.next(begun + now)) {
            CHECK(step->started == started++);
            if (step->given_up) given_up.push_back(*step->given_up);
        }
    CHECK(started == many);
    REQUIRE(given_up.size() == many - AddressRace::max_under_way);
    for (std::size_t i = 0; i < given_up.size(); ++i)
        CHECK(given_up[i] == i);
}

TEST_CASE("AddressRace: one that was given up cannot fail any more, and one that failed makes room") {
    AddressRace race(10, 10s, begun);
    CHECK(started_until(race, 0ms, 1750ms).size() == 8);
    race.failed(3, begun + 1751ms);
    auto const in_its_place = race.next(begun + 1751ms);
    REQUIRE(in_its_place);
    CHECK(in_its_place->started == 8);
    CHECK_FALSE(in_its_place->given_up);
    auto const last = race.next(begun + 2001ms);
    REQUIRE(last);
    CHECK(last->given_up == 0);
    race.failed(0, begun + 2002ms);
    for (std::size_t const i : {1U, 2U, 4U, 5U, 6U, 7U, 8U}) {
        race.failed(i, begun + 2002ms);
        CHECK_FALSE(race.is_lost());
    }
    race.failed(9, begun + 2002ms);
    CHECK(race.is_lost());
}

TEST_CASE("AddressRace: no address at all is lost at once") {
    AddressRace race(0, 1s, begun);
    CHECK_FALSE(race.next(begun));
    CHECK(race.is_lost());
}

}  // namespace address_race_test
