// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/seams/ticket_queue.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace ticket_queue_test {

using palette::detail::TicketQueue;
using Ticket = TicketQueue::Ticket;

Ticket ticket(std::uint64_t number) {
    return static_cast<Ticket>(number);
}

// A balanced tree has log2(n); one whose order is left to chance, up to three times as many.
double allowed_height(std::size_t size) {
    return 3 * std::log2(static_cast<double>(size) + 1) + 5;
}

TEST_CASE(
    "ticket queue: a step takes time that grows with the logarithm of the queue, however it came about") {
    for (std::uint64_t const stride : {1U, 2U, 3U, 64U, 1'000U}) {
        for (std::uint64_t const first : {std::uint64_t(1), std::uint64_t(1) << 40}) {
            CAPTURE(stride);
            CAPTURE(first);
            TicketQueue queue;
            for (std::size_t i = 0; i < 100'000; ++i) {
                queue.insert({ticket(first + i * stride), {}});
                if (i == 999 || i == 9'999) CHECK(static_cast<double>(queue.height()) <= allowed_height(i));
            }
            CHECK(static_cast<double>(queue.height()) <= allowed_height(100'000));
            for (std::size_t i = 0; i < 100'000; ++i)
                if (i % 10 != 0) queue.erase(ticket(first + i * stride));
            CHECK(queue.size() == 10'000);
            CHECK(static_cast<double>(queue.height()) <= allowed_height(10'000));
        }
    }
}

TEST_CASE("ticket queue: those who come and leave in an order of chance are counted and ordered") {
    TicketQueue queue;
    std::vector<std::uint64_t> all(1'000);
    for (std::size_t i = 0; i < all.size(); ++i)
        all[i] = i + 1;
    std::minstd_rand random(3);
    std::shuffle(all.begin(), all.end(), random);
    for (auto const number : all)
        queue.insert({ticket(number), std::chrono::nanoseconds(number)});
    CHECK(queue.size() == 1'000);
    CHECK(queue.front().ticket == ticket(1));
    CHECK(queue.count_before(ticket(501)) == 500);
    CHECK(queue.count_before(ticket(5'000)) == 1'000);

    std::shuffle(all.begin(), all.end(), random);
    for (auto const number : all)
        if (number % 2 == 1) queue.erase(ticket(number));
    queue.erase(ticket(1));  // is not there
    CHECK(queue.size() == 500);
    CHECK(queue.front().ticket == ticket(2));
    CHECK(queue.count_before(ticket(501)) == 250);
    CHECK(queue.find(ticket(501)) == nullptr);
    REQUIRE(queue.find(ticket(502)) != nullptr);
    CHECK(queue.find(ticket(502))->asks.count() == 502);

    std::uint64_t expected = 2;
    bool in_order = true;
    queue.for_each([&](const TicketQueue::Waiting& waiting) {
        in_order = in_order && waiting.ticket == ticket(expected);
        expected += 2;
    });
    CHECK(in_order);
    CHECK(expected == 1'002);
}

}  // namespace ticket_queue_test
