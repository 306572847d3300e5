// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/net/pool.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

using namespace palette;
using namespace palette::net;
using namespace std::chrono_literals;
using Action = net::Turn::Action;

namespace {

constexpr Pool::Time start{};

PoolOptions options(std::size_t most_connections, std::size_t most_waiting = 100) {
    PoolOptions o;
    o.most_connections = most_connections;
    o.most_waiting = most_waiting;
    o.idle_timeout = 50s;
    return o;
}

// A connection that is open and in use.
ConnectionId opened(Pool& pool) {
    auto const turn = pool.request();
    REQUIRE(turn.action == Action::open);
    pool.opened(turn.connection);
    return turn.connection;
}

Ticket waiting(Pool& pool) {
    auto const turn = pool.request();
    REQUIRE(turn.action == Action::wait);
    return turn.ticket;
}

Error broken(const std::string& what = "the connection was refused") {
    return Error(errc::transport, what);
}

}  // namespace

TEST_CASE("pool: connections are opened up to the bound and then requests wait") {
    Pool pool(options(2));
    auto const first = pool.request();
    auto const second = pool.request();
    CHECK(first.action == Action::open);
    CHECK(second.action == Action::open);
    CHECK(first.connection != second.connection);
    CHECK(pool.request().action == Action::wait);
    CHECK(pool.connections() == 2);
    CHECK(pool.waiting() == 1);
}

TEST_CASE("pool: a bound of none is a bound of one") {
    Pool pool(options(0));
    CHECK(pool.request().action == Action::open);
    CHECK(pool.request().action == Action::wait);
}

TEST_CASE("pool: the connection that was used last is used first") {
    Pool pool(options(3));
    auto const a = opened(pool);
    auto const b = opened(pool);
    auto const c = opened(pool);
    for (auto const connection : {b, c, a}) {
        auto const released = pool.release(connection, true, start);
        CHECK(released.is_kept);
        CHECK_FALSE(released.next);
    }
    CHECK(pool.request() == Turn{Action::use, a});
    CHECK(pool.request() == Turn{Action::use, c});
    CHECK(pool.request() == Turn{Action::use, b});
}

TEST_CASE("pool: a released connection goes to who has waited longest") {
    Pool pool(options(1));
    auto const connection = opened(pool);
    auto const first = waiting(pool);
    auto const second = waiting(pool);
    for (auto const ticket : {first, second}) {
        auto const released = pool.release(connection, true, start);
        CHECK(released.is_kept);
        CHECK(released.next == Turn{Action::use, connection, ticket});
    }
    CHECK_FALSE(pool.release(connection, true, start).next);
    CHECK(pool.idle() == 1);
}

TEST_CASE("pool: in the place of a connection that cannot be used again a waiter opens another") {
    Pool pool(options(1));
    auto const connection = opened(pool);
    auto const ticket = waiting(pool);
    auto const released = pool.release(connection, false, start);
    CHECK_FALSE(released.is_kept);
    REQUIRE(released.next);
    CHECK(released.next->action == Action::open);
    CHECK(released.next->ticket == ticket);
    CHECK(released.next->connection != connection);
    CHECK(pool.connections() == 1);

    CHECK_FALSE(pool.release(released.next->connection, false, start).next);
    CHECK(pool.connections() == 0);
}

TEST_CASE("pool: requests beyond the waiters that are allowed are refused") {
    Pool pool(options(1, 2));
    auto const connection = opened(pool);
    auto const first = waiting(pool);
    waiting(pool);
    CHECK(pool.request() == Turn{Action::refuse_full});
    CHECK(pool.give_up(first) == std::nullopt);
    CHECK(pool.request().action == Action::wait);
    CHECK(pool.request() == Turn{Action::refuse_full});
    CHECK(pool.release(connection, true, start).next);
    CHECK(pool.request().action == Action::wait);

    Pool impatient(options(1, 0));
    CHECK(impatient.request().action == Action::open);
    CHECK(impatient.request() == Turn{Action::refuse_full});
}

TEST_CASE("pool: after a connection failed to open the next waiter tries anew") {
    Pool pool(options(1));
    auto const connection = pool.request().connection;
    auto const first = waiting(pool);
    auto const second = waiting(pool);
    auto turn = pool.failed(connection, broken());
    REQUIRE(turn);
    CHECK(turn->action == Action::open);
    CHECK(turn->ticket == first);
    turn = pool.failed(turn->connection, broken());
    REQUIRE(turn);
    CHECK(turn->ticket == second);
    CHECK_FALSE(pool.failed(turn->connection, broken()));
    CHECK(pool.connections() == 0);
    CHECK(pool.request().action == Action::open);
}

TEST_CASE("pool: a waiter that gives up learns why connections failed while it waited") {
    Pool pool(options(1));
    auto const connection = pool.request().connection;
    auto const first = waiting(pool);
    auto const second = waiting(pool);
    auto const third = waiting(pool);
    auto const turn = pool.failed(connection, broken("refused"));
    auto const late = waiting(pool);
    CHECK(pool.give_up(second) == broken("refused"));
    CHECK(pool.give_up(late) == std::nullopt);
    pool.failed(turn->connection, broken("unreachable")).reset();
    auto const later = waiting(pool);
    CHECK(pool.waiting() == 1);
    CHECK(pool.give_up(later) == std::nullopt);
    CHECK(pool.give_up(first) == std::nullopt);
    CHECK(pool.give_up(third) == std::nullopt);
}

TEST_CASE("pool: a connection that opens ends what failures before it explain") {
    Pool pool(options(2));
    auto const a = pool.request().connection;
    auto const b = pool.request().connection;
    auto const first = waiting(pool);
    auto const second = waiting(pool);
    auto const turn = pool.failed(a, broken());
    REQUIRE(turn);
    CHECK(turn->ticket == first);
    pool.opened(b);
    CHECK(pool.give_up(second) == std::nullopt);
}

TEST_CASE("pool: a connection that nobody wants to open any more leaves its place without a reason") {
    Pool pool(options(1));
    auto const connection = pool.request().connection;
    auto const first = waiting(pool);
    auto const second = waiting(pool);
    auto const turn = pool.abandoned(connection);
    REQUIRE(turn);
    CHECK(turn->action == Action::open);
    CHECK(turn->ticket == first);
    CHECK(pool.give_up(second) == std::nullopt);
    CHECK_FALSE(pool.abandoned(turn->connection));
    CHECK(pool.connections() == 0);
}

TEST_CASE("pool: who gave up is passed over and can give up again") {
    Pool pool(options(1));
    auto const connection = opened(pool);
    auto const first = waiting(pool);
    auto const second = waiting(pool);
    auto const third = waiting(pool);
    CHECK(pool.give_up(second) == std::nullopt);
    CHECK(pool.give_up(second) == std::nullopt);
    CHECK(pool.waiting() == 2);
    CHECK(pool.release(connection, true, start).next->ticket == first);
    CHECK(pool.give_up(first) == std::nullopt);
    CHECK(pool.waiting() == 1);
    CHECK(pool.release(connection, true, start).next->ticket == third);
}

TEST_CASE("pool: in the place of a dead connection its user gets another at once") {
    Pool pool(options(2));
    auto const a = opened(pool);
    auto const b = opened(pool);
    CHECK(pool.release(a, true, start).is_kept);
    CHECK(pool.release(b, true, start).is_kept);
    CHECK(pool.request() == Turn{Action::use, b});
    CHECK(pool.replace(b) == Turn{Action::use, a});
    auto const turn = pool.replace(a);
    CHECK(turn.action == Action::open);
    CHECK(turn.connection != a);
    CHECK(turn.connection != b);
    CHECK(pool.connections() == 1);
}

TEST_CASE("pool: a dead connection is replaced before those who wait") {
    Pool pool(options(1));
    auto const connection = opened(pool);
    waiting(pool);
    CHECK(pool.replace(connection).action == Action::open);
    CHECK(pool.waiting() == 1);
    CHECK(pool.connections() == 1);
}

TEST_CASE("pool: an idle connection that dies leaves its place and a busy one is its user's") {
    Pool pool(options(2));
    auto const a = opened(pool);
    auto const b = opened(pool);
    CHECK(pool.release(a, true, start).is_kept);
    CHECK_FALSE(pool.idle_died(b));
    CHECK(pool.idle_died(a));
    CHECK_FALSE(pool.idle_died(a));
    CHECK(pool.connections() == 1);
    CHECK(pool.next_expiry() == std::nullopt);
    CHECK(pool.request().action == Action::open);
}

TEST_CASE("pool: connections that are idle for too long are named once and those used since are not") {
    Pool pool(options(3));
    auto const a = opened(pool);
    auto const b = opened(pool);
    auto const c = opened(pool);
    CHECK(pool.next_expiry() == std::nullopt);
    CHECK(pool.release(a, true, start).is_kept);
    CHECK(pool.release(b, true, start + 10s).is_kept);
    CHECK(pool.release(c, true, start + 10s).is_kept);
    CHECK(pool.next_expiry() == start + 50s);
    CHECK(pool.request() == Turn{Action::use, c});
    CHECK(pool.release(c, true, start + 30s).is_kept);

    CHECK(pool.expire(start + 50s - 1ns).empty());
    CHECK(pool.expire(start + 50s) == std::vector{a});
    CHECK(pool.next_expiry() == start + 60s);
    CHECK(pool.expire(start + 79s) == std::vector{b});
    CHECK(pool.expire(start + 80s) == std::vector{c});
    CHECK(pool.expire(start + 80s).empty());
    CHECK(pool.connections() == 0);
}

TEST_CASE("pool: a time-out beyond all clocks does not overflow") {
    auto endless = options(1);
    endless.idle_timeout = std::chrono::milliseconds::max();
    Pool pool(endless);
    CHECK(pool.release(opened(pool), true, start + 24h).is_kept);
    CHECK(pool.expire(start + 48h).empty());
    CHECK(*pool.next_expiry() > start + 48h);

    auto negative = options(1);
    negative.idle_timeout = std::chrono::milliseconds::min();
    Pool eager(negative);
    CHECK(eager.release(opened(eager), true, start).is_kept);
    CHECK(eager.expire(start).size() == 1);
}

TEST_CASE("pool: closing names what is idle and who waits and keeps nothing afterwards") {
    Pool pool(options(2));
    auto const a = opened(pool);
    auto const b = opened(pool);
    CHECK(pool.release(a, true, start).is_kept);
    auto closed = pool.close();
    CHECK(closed.idle == std::vector{a});
    CHECK(closed.waiters.empty());
    CHECK(pool.is_closed());
    CHECK(pool.request() == Turn{Action::refuse_closed});
    auto const released = pool.release(b, true, start);
    CHECK_FALSE(released.is_kept);
    CHECK_FALSE(released.next);
    CHECK(pool.connections() == 0);
    closed = pool.close();
    CHECK(closed.idle.empty());
    CHECK(closed.waiters.empty());
}

TEST_CASE("pool: closing ends the waiting of all in their order") {
    Pool pool(options(1));
    auto const connection = pool.request().connection;
    auto const first = waiting(pool);
    auto const second = waiting(pool);
    CHECK(pool.close().waiters == std::vector{first, second});
    CHECK(pool.waiting() == 0);
    CHECK(pool.give_up(first) == std::nullopt);
    CHECK_FALSE(pool.failed(connection, broken()));
    CHECK(pool.next_expiry() == std::nullopt);
}

TEST_CASE("W18 pool: when an idle connection turns out dead, the others that idle are not trusted either") {
    Pool pool(options(3));
    auto const a = opened(pool);
    auto const b = opened(pool);
    auto const busy = opened(pool);
    CHECK(pool.release(a, true, start).is_kept);
    CHECK(pool.release(b, true, start).is_kept);
    CHECK(pool.distrust_idle() == std::vector{a, b});
    CHECK(pool.distrust_idle().empty());
    CHECK(pool.connections() == 1);
    CHECK(pool.release(busy, true, start).is_kept);
    CHECK(pool.request() == Turn{Action::use, busy});
    CHECK(pool.request().action == Action::open);
}
