// SPDX-License-Identifier: BSL-1.0
#include "support/random.hpp"

#include <palette/impl/net/pool.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace pool_random_walk_test {

using namespace palette;
using namespace palette::impl::net;
using Action = impl::net::Turn::Action;

constexpr std::size_t max_connections = 4;
constexpr std::size_t max_waiting = 6;
constexpr std::chrono::seconds idle_timeout{5};

PoolOptions small_pool() {
    PoolOptions o;
    o.max_connections = max_connections;
    o.max_waiting = max_waiting;
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
                request();
                break;
            case 3:
            case 4:
                open_or_fail();
                break;
            case 5:
            case 6:
                release();
                break;
            case 7:
                give_up();
                break;
            default:
                expire();
        }
        serve();
    }

    // The sentences that hold after every step.
    [[nodiscard]] bool holds() const {
        auto const open = busy_.size() + opening_.size() + idle_.size();
        bool const has_room = open < max_connections;
        // While the way is down, a single request tries, and only when it is due.
        bool const may_open =
            has_room && (!pool_.is_down() || (pool_.next_try() && *pool_.next_try() <= now_));
        bool const nobody_waits_in_vain = waiting_.empty() || (idle_.empty() && !may_open);
        bool const somebody_will_try =
            waiting_.empty() || !busy_.empty() || !opening_.empty() || pool_.next_try();
        // One that failed goes back to those who wait, however many they are.
        return is_right_ && nobody_waits_in_vain && somebody_will_try && open <= max_connections &&
               open == pool_.connections() && waiting_.size() == pool_.waiting() &&
               waiting_.size() <= max_waiting + max_connections && idle_.size() == pool_.idle();
    }

    // Everybody who still waits comes to a turn, in order, when the others have finished.
    void drain() {
        for (int i = 0; i < 1000 && !(busy_.empty() && opening_.empty() && waiting_.empty()); ++i) {
            now_ += std::chrono::seconds{5};
            serve();
            open_or_fail();
            serve();
            release();
            serve();
        }
        expect(waiting_.empty() && pool_.waiting() == 0 && busy_.empty() && opening_.empty());
    }

    std::size_t served = 0, waited = 0, refused = 0, replaced = 0, failed = 0, outages = 0;

private:
    void expect(bool truth) { is_right_ = is_right_ && truth; }

    void request() {
        expire();
        auto const turn = pool_.request(now_);
        bool const has_room = busy_.size() + opening_.size() + idle_.size() < max_connections;
        if (!idle_.empty()) {
            expect(turn.action == Action::use);
            take(turn);
            if (random_.one_in(4)) replace(turn);
        } else if (has_room && !pool_.is_down()) {
            expect(turn.action == Action::open);
            take(turn);
        } else if (turn.action == Action::open) {
            expect(has_room && waiting_.empty());
            take(turn);
        } else if (waiting_.size() < max_waiting) {
            wait(turn);
        } else {
            expect(turn.action == Action::refuse_full);
            ++refused;
        }
    }

    void wait(const Turn& turn) {
        expect(turn.action == Action::wait);
        expect(waiting_.insert(turn.ticket).second);
        ++waited;
    }

    void take(const Turn& turn) {
        ++served;
        if (turn.action == Action::open) {
            expect(ids_.insert(turn.connection).second);
            opening_.push_back(turn);
            return;
        }
        expect(turn.action == Action::use && !idle_.empty() && idle_.back().first == turn.connection &&
               now_ < idle_.back().second + idle_timeout);
        idle_.pop_back();
        busy_.push_back(turn);
    }

    void replace(const Turn& dead) {
        ++replaced;
        std::erase(busy_, dead);
        auto const turn = pool_.replace(dead, now_);
        if (turn.action == Action::wait)
            wait(turn);
        else
            take(turn);
    }

    // Each turn goes to who has waited longest.
    void serve() {
        expire();
        while (auto const turn = pool_.next_turn(now_)) {
            expect(!waiting_.empty() && turn->ticket == *waiting_.begin());
            if (!is_right_) return;
            waiting_.erase(waiting_.begin());
            if (turn->action == Action::fail) {
                expect(busy_.empty() && idle_.empty() && pool_.last_failure() != nullptr);
                ++failed;
            } else {
                take(*turn);
            }
        }
    }

    void open_or_fail() {
        if (opening_.empty()) return;
        auto turn = pick(opening_);
        auto const fate = random_.below(6);
        if (fate == 0) return pool_.abandoned(turn);
        if (fate == 1) return pool_.failed_for_good(turn);
        if (fate < 4) {
            outages += pool_.is_down() ? 0 : 1;
            auto const next = pool_.failed(turn, Error(errc::transport), now_, 0.5);
            if (next.action == Action::wait) return wait(next);
            expect(next.action == Action::fail && busy_.empty() && idle_.empty());
            ++failed;
            return;
        }
        pool_.opened(turn);
        turn.action = Action::use;
        busy_.push_back(turn);
    }

    void release() {
        if (busy_.empty()) return;
        auto const turn = pick(busy_);
        bool const reusable = !random_.one_in(3);
        expect(pool_.release(turn.connection, reusable, now_) == reusable);
        if (reusable) idle_.emplace_back(turn.connection, now_);
    }

    void give_up() {
        if (waiting_.empty()) return;
        auto const at =
            std::next(waiting_.begin(), static_cast<std::ptrdiff_t>(random_.below(waiting_.size())));
        pool_.give_up(*at);
        waiting_.erase(at);
    }

    void expire() {
        while (!idle_.empty() && idle_.front().second + idle_timeout <= now_) {
            expect(pool_.pop_expired(now_) == idle_.front().first);
            idle_.pop_front();
        }
        expect(!pool_.pop_expired(now_));
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

    std::vector<Turn> opening_, busy_;
    std::deque<std::pair<ConnectionId, Pool::Time>> idle_;
    std::set<WaiterId> waiting_;
    std::set<ConnectionId> ids_;
};

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
    CHECK(walk.served > 10'000);
    CHECK(walk.waited > 1'000);
    CHECK(walk.refused > 100);
    CHECK(walk.replaced > 100);
    CHECK(walk.failed > 10);
    CHECK(walk.outages > 100);
}

}  // namespace pool_random_walk_test
