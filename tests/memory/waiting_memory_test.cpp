// SPDX-License-Identifier: BSL-1.0
#include "support/door_service.hpp"
#include "support/random.hpp"
#include "support/sanitized.hpp"

#include <palette/auth.hpp>
#include <palette/client.hpp>
#include <palette/impl/net/http_transport.hpp>
#include <palette/impl/net/pool.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What many requests cost that wait for a connection, in memory, and in time when they go.

namespace waiting_memory_test {

using namespace palette;
namespace asio = boost::asio;

/// The time that this thread has run: no load of the machine is in it.
struct OwnTime {
    using duration = std::chrono::nanoseconds;
    static duration now() {
        timespec time{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        return std::chrono::seconds{time.tv_sec} + duration{time.tv_nsec};
    }
};
using Nanoseconds = std::chrono::duration<double, std::nano>;

class Ignored final : public ResponseSink {
public:
    void head(HttpResponse) override {}
    bool body(std::string_view) override { return true; }
};

struct Crowd {
    explicit Crowd(std::size_t number) : signals(number) {
        ClientOptions options;
        options.endpoint = Endpoint::parse(service.url()).value();
        options.pool.max_connections = 1;
        options.pool.max_waiting = number;
        transport = impl::net::make_http_transport(strand, options).value();
        service.answer = [](std::string_view) { return std::string(); };
    }

    static asio::awaitable<void> run(Crowd& crowd) {
        co_await asio::this_coro::throw_if_cancelled(false);
        ExchangeReport report;
        static_cast<void>(co_await crowd.transport->exchange(crowd.request, crowd.sink, report));
    }
    void start(std::size_t i) {
        asio::co_spawn(
            strand, run(*this),
            asio::bind_cancellation_slot(signals[i].slot(), [this](const std::exception_ptr&) { ++ended; }));
    }
    void settle() {
        context.restart();
        while (context.poll() > 0)
            context.restart();
    }

    asio::io_context context{1};
    DoorService service{context};
    asio::any_io_executor strand = asio::make_strand(context);
    std::shared_ptr<Transport> transport;
    std::vector<asio::cancellation_signal> signals;
    HttpRequest const request{"GET", "/stall"};
    Ignored sink;
    std::size_t ended = 0;
};

/// What malloc() has given: coroutines do not come from operator new.
std::size_t allocated() {
    auto const info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
}

struct AllocatedEach {
    std::size_t bytes;
    std::size_t ended;
};

/// What each of 10,000 operations holds that queue behind others, with options that let next to none begin.
AllocatedEach held_by_operation(const ClientOptions& with) {
    constexpr std::size_t few = 1'000;
    constexpr std::size_t many = 11'000;
    asio::io_context context{1};
    DoorService service{context};
    service.answer = [](std::string_view) { return std::string(); };
    auto options = with;
    options.endpoint = Endpoint::parse(service.url()).value();
    // With the uid of its key, a client reads nothing before it revokes another one.
    options.auth = auth::api_key(Secret("0123456789abcdef"), "5f1b0000");
    options.timeouts.queue = std::chrono::hours{10};
    options.pool.max_waiting = many;
    ApiKeyClient client(context, options);
    std::size_t ended = 0;
    auto const start = [&](std::size_t number) {
        for (std::size_t i = 0; i < number; ++i)
            client.async_revoke("65f1c0de", [&](const Result<void>&) { ++ended; });
        while (context.poll() > 0) {
        }
    };
    start(few);
    auto const before = allocated();
    start(many - few);
    return {(allocated() - before) / (many - few), ended};
}

std::vector<std::size_t> in_order(std::size_t number) {
    std::vector<std::size_t> order(number);
    for (std::size_t i = 0; i < number; ++i)
        order[i] = i;
    return order;
}

/// An order that is neither that of coming nor its reverse.
std::vector<std::size_t> shuffled(std::size_t number) {
    auto order = in_order(number);
    sample::Random random(11);
    for (auto i = number; i > 1; --i)
        std::swap(order[i - 1], order[random.below(i)]);
    return order;
}

TEST_CASE("waiting: a request that waits for a connection costs at most 4 KB without optimisation") {
    if (sanitized) return;  // whose frames are larger
    constexpr std::size_t few = 1'000;
    constexpr std::size_t many = 11'000;
    Crowd crowd(many);
    for (std::size_t i = 0; i < few; ++i)
        crowd.start(i);
    crowd.settle();
    auto const before = allocated();
    for (auto i = few; i < many; ++i)
        crowd.start(i);
    crowd.settle();
    auto const each = (allocated() - before) / (many - few);
    MESSAGE("bytes for each that waits: ", each);
    CHECK(crowd.ended == 0);
    CHECK(each <= 4'000);
    for (auto& signal : crowd.signals)
        signal.emit(asio::cancellation_type::terminal);
    crowd.settle();
    CHECK(crowd.ended == many);
}

// The frames of an operation's coroutines are of the library, whose optimisation decides over their size.
#ifdef PALETTE_KEYS_TESTS_OPTIMISED_LIBRARY
TEST_CASE("waiting: an operation that waits for the rate limit costs at most 4 KB") {
    if (sanitized) return;
    ClientOptions options;
    options.rate_limit = {.per_second = 10, .burst = 1};
    auto const each = held_by_operation(options);
    MESSAGE("bytes for each that waits: ", each.bytes);
    CHECK(each.ended == 0);
    CHECK(each.bytes <= 4'096);
    CHECK(each.bytes >= 500);
}

// Its coroutines are there, down to the one that waits for the connection.
TEST_CASE("waiting: an operation that waits for a connection costs at most 7 KB") {
    if (sanitized) return;
    ClientOptions options;
    options.rate_limit = RateLimitOptions::off();
    options.pool.max_connections = 1;
    auto const each = held_by_operation(options);
    MESSAGE("bytes for each that waits: ", each.bytes);
    CHECK(each.ended == 0);
    CHECK(each.bytes <= 7'168);
    CHECK(each.bytes >= 500);
}
#endif

/// For each of those that wait in the pool, and go in that order.
Nanoseconds time_to_leave_pool(const std::vector<std::size_t>& order) {
    PoolOptions options;
    options.max_connections = 1;
    options.max_waiting = order.size();
    impl::net::Pool pool(options);
    static_cast<void>(pool.request({}));
    std::vector<impl::net::WaiterId> tickets;
    for (std::size_t i = 0; i < order.size(); ++i)
        tickets.push_back(pool.request({}).ticket);
    auto const begun = OwnTime::now();
    for (auto const i : order)
        pool.give_up(tickets[i]);
    auto const took = OwnTime::now() - begun;
    CHECK(pool.waiting() == 0);
    return Nanoseconds(took) / static_cast<double>(order.size());
}

/// For each exchange that waits for a connection, and is cancelled, in a random order.
Nanoseconds time_to_cancel(std::size_t number) {
    Crowd crowd(number);
    for (std::size_t i = 0; i < number; ++i)
        crowd.start(i);
    crowd.settle();
    auto const order = shuffled(number);
    auto const begun = OwnTime::now();
    for (auto const i : order) {
        crowd.signals[i].emit(asio::cancellation_type::terminal);
        if (i % 16 == 0) crowd.settle();
    }
    crowd.settle();
    auto const took = OwnTime::now() - begun;
    CHECK(crowd.ended == number);
    return Nanoseconds(took) / static_cast<double>(number);
}

constexpr std::size_t shrunk = sanitized ? 10 : 1;

// To go from the middle of a long queue that is one block of memory takes a hundred times as long.
TEST_CASE("waiting: to leave the pool's queue in any order takes about as long as from its front") {
    constexpr std::size_t number = 200'000 / shrunk;
    auto const any = std::min(time_to_leave_pool(shuffled(number)), time_to_leave_pool(shuffled(number)));
    auto const front = std::min(time_to_leave_pool(in_order(number)), time_to_leave_pool(in_order(number)));
    MESSAGE("ns each, of 200,000, in any order and in order: " << any.count() << ", " << front.count());
    CHECK(any < 200 * front);
}

// What is quadratic takes a hundred times as long for each of a hundred times as many.
TEST_CASE("waiting: to cancel exchanges in any order takes no longer for each, however many wait") {
    auto const best_of_two = [](std::size_t number) {
        return std::min(time_to_cancel(number / shrunk), time_to_cancel(number / shrunk));
    };
    auto const few = best_of_two(1'000);
    auto const more = best_of_two(10'000);
    auto const many = best_of_two(100'000);
    MESSAGE("ns each, of 1,000, 10,000 and 100,000: " << few.count() << ", " << more.count() << ", "
                                                      << many.count());
    CHECK(more < 10 * few);
    CHECK(many < 20 * few);
}

}  // namespace waiting_memory_test
