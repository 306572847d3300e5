// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/net/pool.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pool_test {

using namespace palette;
using namespace palette::impl::net;
using namespace std::chrono_literals;
using Action = impl::net::Turn::Action;

constexpr Pool::Time start{};

PoolOptions options(std::size_t max_connections, std::size_t max_waiting = 100) {
    PoolOptions o;
    o.max_connections = max_connections;
    o.max_waiting = max_waiting;
    o.idle_timeout = 50s;
    return o;
}

// A connection that is open and in use.
Turn opened(Pool& pool) {
    auto turn = pool.request(start);
    REQUIRE(turn.action == Action::open);
    pool.opened(turn);
    turn.action = Action::use;
    return turn;
}

Turn opening(Pool& pool) {
    auto const turn = pool.request(start);
    REQUIRE(turn.action == Action::open);
    return turn;
}

WaiterId waiting(Pool& pool) {
    auto const turn = pool.request(start);
    REQUIRE(turn.action == Action::wait);
    return turn.ticket;
}

// Whether it is kept, or else to be closed.
bool release(Pool& pool, const Turn& turn, Pool::Time now = start) {
    return pool.release(turn.connection, true, now);
}
bool lose(Pool& pool, const Turn& turn) {
    return pool.release(turn.connection, false, start);
}

Turn next(Pool& pool, Pool::Time now = start) {
    auto const turn = pool.next_turn(now);
    REQUIRE(turn);
    return *turn;
}

Error broken(const std::string& what = "the connection was refused") {
    return Error(errc::transport, what);
}

std::string text_of(const std::shared_ptr<const Error>& error) {
    return error ? error->what() : std::string();
}

std::vector<ConnectionId> all_idle(Pool& pool) {
    std::vector<ConnectionId> all;
    while (auto const id = pool.pop_idle())
        all.push_back(*id);
    return all;
}
std::vector<ConnectionId> expired(Pool& pool, Pool::Time now) {
    std::vector<ConnectionId> all;
    while (auto const id = pool.pop_expired(now))
        all.push_back(*id);
    return all;
}

TEST_CASE("pool: connections are opened up to the bound and then requests wait") {
    Pool pool(options(2));
    auto const first = pool.request(start);
    auto const second = pool.request(start);
    CHECK(first.action == Action::open);
    CHECK(second.action == Action::open);
    CHECK(first.connection != second.connection);
    CHECK(pool.request(start).action == Action::wait);
    CHECK_FALSE(pool.next_turn(start));
    CHECK(pool.connections() == 2);
    CHECK(pool.waiting() == 1);
}

TEST_CASE("pool: a bound of none is a bound of one") {
    Pool pool(options(0));
    CHECK(pool.request(start).action == Action::open);
    CHECK(pool.request(start).action == Action::wait);
}

TEST_CASE("pool: the connection that was used last is used first") {
    Pool pool(options(3));
    auto const a = opened(pool);
    auto const b = opened(pool);
    auto const c = opened(pool);
    for (auto const& turn : {b, c, a}) {
        CHECK(release(pool, turn));
        CHECK_FALSE(pool.next_turn(start));
    }
    for (auto const& turn : {a, c, b}) {
        auto const used = pool.request(start);
        CHECK(used.action == Action::use);
        CHECK(used.connection == turn.connection);
    }
}

TEST_CASE("pool: a released connection goes to who has waited longest") {
    Pool pool(options(1));
    auto const turn = opened(pool);
    auto const first = waiting(pool);
    auto const second = waiting(pool);
    for (auto const ticket : {first, second}) {
        CHECK(release(pool, turn));
        CHECK(next(pool) == Turn{Action::use, turn.connection, ticket});
    }
    CHECK(release(pool, turn));
    CHECK_FALSE(pool.next_turn(start));
    CHECK(pool.idle() == 1);
}

TEST_CASE("pool: in the place of a connection that cannot be used again a waiter opens another") {
    Pool pool(options(1));
    auto const turn = opened(pool);
    auto const ticket = waiting(pool);
    CHECK_FALSE(lose(pool, turn));
    auto const other = next(pool);
    CHECK(other.action == Action::open);
    CHECK(other.ticket == ticket);
    CHECK(other.connection != turn.connection);
    CHECK(pool.connections() == 1);
}

TEST_CASE("pool: when too many wait the next one is refused, and not for good") {
    Pool pool(options(1, 2));
    auto const turn = opened(pool);
    auto const first = waiting(pool);
    waiting(pool);
    CHECK(pool.request(start).action == Action::refuse_full);
    CHECK(pool.give_up(first) == nullptr);
    CHECK(pool.request(start).action == Action::wait);
    CHECK(release(pool, turn));

    Pool impatient(options(1, 0));
    CHECK(impatient.request(start).action == Action::open);
    CHECK(impatient.request(start).action == Action::refuse_full);
}

TEST_CASE("pool: a waiter that gives up learns why connections failed while it waited") {
    Pool pool(options(1));
    auto const turn = opening(pool);
    auto const first = waiting(pool);
    CHECK(pool.failed(turn, broken("refused"), start, 0).action == Action::wait);
    auto const late = waiting(pool);
    CHECK(text_of(pool.give_up(first)) == "refused");
    CHECK(pool.give_up(late) == nullptr);
    CHECK(pool.give_up(first) == nullptr);
    CHECK(pool.waiting() == 1);
}

TEST_CASE("pool: a connection that opens ends what failures before it explain") {
    Pool pool(options(2));
    auto const a = opening(pool);
    auto const b = opening(pool);
    auto const ticket = waiting(pool);
    CHECK(pool.failed(a, broken(), start, 0).action == Action::wait);
    pool.opened(b);
    CHECK(pool.give_up(ticket) == nullptr);
}

TEST_CASE("pool: a connection that nobody wants to open any more leaves its place without a reason") {
    Pool pool(options(1));
    auto turn = opening(pool);
    auto const first = waiting(pool);
    auto const second = waiting(pool);
    pool.abandoned(turn);
    turn = next(pool);
    CHECK(turn.action == Action::open);
    CHECK(turn.ticket == first);
    CHECK(pool.give_up(second) == nullptr);
    pool.abandoned(turn);
    CHECK_FALSE(pool.next_turn(start));
    CHECK(pool.connections() == 0);
}

TEST_CASE("pool: who gave up is passed over and can give up again") {
    Pool pool(options(1));
    auto const turn = opened(pool);
    auto const first = waiting(pool);
    auto const second = waiting(pool);
    auto const third = waiting(pool);
    pool.give_up(second);
    pool.give_up(second);
    CHECK(pool.waiting() == 2);
    CHECK(release(pool, turn));
    CHECK(next(pool).ticket == first);
    pool.give_up(first);
    CHECK(pool.waiting() == 1);
    CHECK(release(pool, turn));
    CHECK(next(pool).ticket == third);
}

TEST_CASE("pool: in the place of a dead connection its user gets another at once") {
    Pool pool(options(2));
    auto const a = opened(pool);
    auto const b = opened(pool);
    CHECK(release(pool, a));
    CHECK(release(pool, b));
    auto turn = pool.request(start);
    CHECK(turn.connection == b.connection);
    turn = pool.replace(turn, start);
    CHECK(turn.action == Action::use);
    CHECK(turn.connection == a.connection);
    turn = pool.replace(turn, start);
    CHECK(turn.action == Action::open);
    CHECK(turn.connection != a.connection);
    CHECK(turn.connection != b.connection);
    CHECK(pool.connections() == 1);
}

TEST_CASE("pool: a dead connection is replaced before those who wait") {
    Pool pool(options(1));
    auto const turn = opened(pool);
    waiting(pool);
    CHECK(pool.replace(turn, start).action == Action::open);
    CHECK_FALSE(pool.next_turn(start));
    CHECK(pool.waiting() == 1);
    CHECK(pool.connections() == 1);
}

TEST_CASE("pool: connections that are idle for too long are named once and those used since are not") {
    Pool pool(options(3));
    auto const a = opened(pool);
    auto const b = opened(pool);
    auto const c = opened(pool);
    CHECK(release(pool, a, start));
    CHECK(release(pool, b, start + 10s));
    CHECK(release(pool, c, start + 10s));
    CHECK(pool.request(start).connection == c.connection);
    CHECK(release(pool, c, start + 30s));

    CHECK(expired(pool, start + 50s - 1ns).empty());
    CHECK(expired(pool, start + 50s) == std::vector{a.connection});
    CHECK(expired(pool, start + 60s - 1ns).empty());
    CHECK(expired(pool, start + 79s) == std::vector{b.connection});
    CHECK(expired(pool, start + 80s) == std::vector{c.connection});
    CHECK(expired(pool, start + 80s).empty());
    CHECK(pool.connections() == 0);
}

TEST_CASE("pool: a time-out beyond all clocks does not overflow") {
    auto endless = options(1);
    endless.idle_timeout = std::chrono::milliseconds::max();
    Pool pool(endless);
    CHECK(release(pool, opened(pool), start + 24h));
    CHECK(expired(pool, start + 48h).empty());

    auto negative = options(1);
    negative.idle_timeout = std::chrono::milliseconds::min();
    Pool eager(negative);
    CHECK(release(eager, opened(eager)));
    CHECK(expired(eager, start).size() == 1);
}

TEST_CASE("pool: closing refuses all who wait, in their order, and keeps nothing afterwards") {
    Pool pool(options(2));
    auto const a = opened(pool);
    auto const b = opening(pool);
    auto const first = waiting(pool);
    auto const second = waiting(pool);
    pool.close();
    CHECK(pool.is_closed());
    CHECK(next(pool) == Turn{Action::refuse_closed, {}, first});
    CHECK(next(pool) == Turn{Action::refuse_closed, {}, second});
    CHECK_FALSE(pool.next_turn(start));
    CHECK(pool.request(start).action == Action::refuse_closed);
    CHECK_FALSE(release(pool, a));
    CHECK(pool.failed(b, broken(), start, 0).action == Action::fail);
    CHECK(pool.connections() == 0);
}

TEST_CASE("W18 pool: when an idle connection turns out dead, the others that idle are not trusted either") {
    Pool pool(options(3));
    auto const a = opened(pool);
    auto const b = opened(pool);
    auto const busy = opened(pool);
    CHECK(release(pool, a));
    CHECK(release(pool, b));
    CHECK(all_idle(pool) == std::vector{a.connection, b.connection});
    CHECK(pool.connections() == 1);
    CHECK(release(pool, busy));
    CHECK(pool.request(start).connection == busy.connection);
    CHECK(pool.request(start).action == Action::open);
}

}  // namespace pool_test
