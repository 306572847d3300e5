// SPDX-License-Identifier: BSL-1.0
#include "support/random.hpp"

#include <palette/impl/net/pool.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

using namespace palette;
using namespace palette::net;
using Action = net::Turn::Action;

namespace {

constexpr std::size_t most_connections = 4;
constexpr std::size_t most_waiting = 6;
constexpr std::chrono::seconds idle_timeout{5};

PoolOptions small_pool() {
    PoolOptions o;
    o.most_connections = most_connections;
    o.most_waiting = most_waiting;
    o.idle_timeout = idle_timeout;
    return o;
}

// What a driver knows: every connection with what it is doing, and who waits. Every answer of the pool
// is compared with what this says.
class Walk {
public:
    explicit Walk(std::uint64_t seed) : random_(seed), pool_(small_pool()) {}

    void step() {
        now_ += std::chrono::milliseconds(random_.below(800));
        switch (random_.below(9)) {
            case 0:
            case 1:
            case 2:
                return request();
            case 3:
                return open_or_fail();
            case 4:
            case 5:
                return release();
            case 6:
                return give_up();
            case 7:
                return idle_dies();
            default:
                return expire();
        }
    }

    // The sentences that hold after every step.
    [[nodiscard]] bool holds() const {
        auto const open = busy_.size() + opening_.size() + idle_.size();
        bool const nobody_waits_in_vain = waiting_.empty() || (open == most_connections && idle_.empty());
        return is_right_ && nobody_waits_in_vain && open <= most_connections && open == pool_.connections() &&
               waiting_.size() == pool_.waiting() && waiting_.size() <= most_waiting &&
               idle_.size() == pool_.idle();
    }

    // Everybody who still waits comes to a turn, in order, when the others have finished.
    void drain() {
        while (!busy_.empty() || !opening_.empty()) {
            open_or_fail();
            release();
        }
        expect(waiting_.empty() && pool_.waiting() == 0);
    }

    [[nodiscard]] std::size_t served() const noexcept { return served_; }
    [[nodiscard]] std::size_t waited() const noexcept { return waited_; }
    [[nodiscard]] std::size_t refused() const noexcept { return refused_; }
    [[nodiscard]] std::size_t replaced() const noexcept { return replaced_; }

private:
    void expect(bool truth) { is_right_ = is_right_ && truth; }

    void request() {
        expire();
        auto const turn = pool_.request();
        auto const open = busy_.size() + opening_.size() + idle_.size();
        if (!idle_.empty()) {
            expect(turn.action == Action::use);
            take(turn);
            if (random_.one_in(4)) replace(turn.connection);
        } else if (open < most_connections) {
            expect(turn.action == Action::open);
            take(turn);
        } else if (waiting_.size() < most_waiting) {
            expect(turn.action == Action::wait && tickets_.insert(turn.ticket).second);
            waiting_.push_back(turn.ticket);
            ++waited_;
        } else {
            expect(turn.action == Action::refuse_full);
            ++refused_;
        }
    }

    void take(const Turn& turn) {
        ++served_;
        if (turn.action == Action::open) {
            expect(ids_.insert(turn.connection).second);
            opening_.push_back(turn.connection);
            return;
        }
        expect(turn.action == Action::use && !idle_.empty() && idle_.back().first == turn.connection &&
               now_ < idle_.back().second + idle_timeout);
        idle_.pop_back();
        busy_.push_back(turn.connection);
    }

    void replace(ConnectionId dead) {
        ++replaced_;
        std::erase(busy_, dead);
        take(pool_.replace(dead));
    }

    // The turn goes to who has waited longest, if anybody waits.
    void pass_on(const std::optional<Turn>& turn) {
        expect(turn.has_value() == !waiting_.empty());
        if (!turn || waiting_.empty()) return;
        expect(turn->ticket == waiting_.front());
        waiting_.pop_front();
        take(*turn);
    }

    void open_or_fail() {
        if (opening_.empty()) return;
        auto const connection = pick(opening_);
        switch (random_.below(4)) {
            case 0:
                return pass_on(pool_.failed(connection, Error(errc::transport)));
            case 1:
                return pass_on(pool_.abandoned(connection));
            default:
                pool_.opened(connection);
                busy_.push_back(connection);
        }
    }

    void release() {
        if (busy_.empty()) return;
        auto const connection = pick(busy_);
        bool const reusable = !random_.one_in(3);
        auto const released = pool_.release(connection, reusable, now_);
        expect(released.is_kept == reusable);
        if (reusable) idle_.emplace_back(connection, now_);
        if (reusable && released.next)
            expect(released.next->action == Action::use && released.next->connection == connection);
        pass_on(released.next);
    }

    void give_up() {
        if (waiting_.empty()) return;
        static_cast<void>(pool_.give_up(pick(waiting_)));
    }

    void idle_dies() {
        if (idle_.empty() || !random_.one_in(3)) return;
        expect(pool_.idle_died(pick(idle_).first));
    }

    void expire() {
        std::vector<ConnectionId> expected;
        while (!idle_.empty() && idle_.front().second + idle_timeout <= now_) {
            expected.push_back(idle_.front().first);
            idle_.pop_front();
        }
        expect(pool_.expire(now_) == expected);
        auto const next = pool_.next_expiry();
        expect(idle_.empty() ? !next : next == idle_.front().second + idle_timeout);
    }

    template <class Container>
    typename Container::value_type pick(Container& from) {
        auto const at = from.begin() + static_cast<std::ptrdiff_t>(random_.below(from.size()));
        auto const picked = *at;
        from.erase(at);
        return picked;
    }

    sample::Random random_;
    Pool pool_;
    Pool::Time now_{};
    bool is_right_ = true;

    std::vector<ConnectionId> opening_, busy_;
    std::deque<std::pair<ConnectionId, Pool::Time>> idle_;
    std::deque<Ticket> waiting_;
    std::set<ConnectionId> ids_;
    std::set<Ticket> tickets_;
    std::size_t served_ = 0, waited_ = 0, refused_ = 0, replaced_ = 0;
};

}  // namespace

TEST_CASE("pool: a hundred thousand random events keep its promises") {
    Walk walk(4);
    int wrong_step = -1;
    for (int i = 0; i < 100'000 && wrong_step < 0; ++i) {
        walk.step();
        if (!walk.holds()) wrong_step = i;
    }
    CHECK(wrong_step == -1);
    walk.drain();
    CHECK(walk.holds());
    CHECK(walk.served() > 10'000);
    CHECK(walk.waited() > 1'000);
    CHECK(walk.refused() > 100);
    CHECK(walk.replaced() > 100);
}
