// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/client/serial.hpp>
#include <palette/impl/client/serial_executor.hpp>

#include "support/counting_executor.hpp"

#include <doctest/doctest.h>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace serial_test {

namespace asio = boost::asio;
using palette::impl::client::Serial;
using palette::impl::client::SerialExecutor;

struct SerialScene {
    asio::io_context context;
    std::shared_ptr<Serial> serial = std::make_shared<Serial>(context.get_executor());
    asio::any_io_executor executor = SerialExecutor(serial);
    std::string said;

    auto say(char what) {
        return [this, what] { said += what; };
    }
    void run() {
        context.run();
        context.restart();
    }
};

class Leaves final : public Serial::Leaver, public std::enable_shared_from_this<Leaves> {
public:
    Leaves(SerialScene& scene, std::function<void()> f) : scene_(scene), f_(std::move(f)) {}
    void on_left() override { f_(); }
    void on_left_later() noexcept override {
        asio::post(scene_.context, [self = shared_from_this()] {
            self->scene_.said += '+';
            self->f_();
        });
    }

private:
    SerialScene& scene_;
    std::function<void()> f_;
};

auto leaver(SerialScene& scene, std::function<void()> f) {
    return std::make_shared<Leaves>(scene, std::move(f));
}

TEST_CASE_FIXTURE(SerialScene, "serial: functions run in the order in which they came") {
    for (char const c : {'a', 'b', 'c'})
        asio::post(executor, say(c));
    CHECK(said.empty());
    run();
    CHECK(said == "abc");
}

TEST_CASE_FIXTURE(SerialScene,
                  "serial: inside, dispatch runs a function at once, and post when its turn comes") {
    asio::post(executor, [this] {
        asio::post(executor, say('c'));
        asio::dispatch(executor, say('a'));
        said += 'b';
    });
    run();
    CHECK(said == "abc");
}

TEST_CASE_FIXTURE(SerialScene, "serial: from a thread of the context, dispatch runs a function at once") {
    asio::post(context, [this] {
        asio::dispatch(executor, say('a'));
        said += 'b';
    });
    run();
    CHECK(said == "ab");
}

TEST_CASE_FIXTURE(SerialScene, "serial: what others of the context wait for is not held up") {
    std::function<void()> again = [&] {
        if (said.find('x') == std::string::npos) asio::post(executor, again);
    };
    asio::post(executor, again);
    asio::post(context, say('x'));
    run();
    CHECK(said == "x");
}

TEST_CASE_FIXTURE(SerialScene,
                  "serial: who waits until it is left is called then, in order, in the same turn") {
    asio::post(executor, [this] {
        serial->when_left(leaver(*this, say('b')));
        serial->when_left(leaver(*this, [this] {
            CHECK_FALSE(serial->is_inside());
            said += 'c';
        }));
        said += 'a';
    });
    asio::post(context, say('d'));
    run();
    CHECK(said == "abcd");
}

TEST_CASE_FIXTURE(SerialScene, "serial: who is called may come in again, and wait until it is left again") {
    asio::post(executor, [this] {
        serial->when_left(leaver(*this, [this] {
            said += 'a';
            asio::dispatch(executor, [this] {
                said += 'b';
                serial->when_left(leaver(*this, say('c')));
            });
            said += 'd';
        }));
    });
    run();
    CHECK(said == "abcd");
}

TEST_CASE_FIXTURE(SerialScene, "serial: while something is started, nobody is called within that") {
    asio::post(context, [this] {
        Serial::Starting const starting;
        asio::dispatch(executor, [this] { serial->when_left(leaver(*this, say('b'))); });
        said += 'a';
    });
    run();
    CHECK(said == "a+b");
}

TEST_CASE_FIXTURE(SerialScene,
                  "serial: an exception of a function is the context's, and nothing else is lost") {
    asio::post(executor, [this] {
        serial->when_left(leaver(*this, say('b')));
        said += 'a';
        throw std::runtime_error("of a function");
    });
    asio::post(executor, say('c'));
    CHECK_THROWS_AS(context.run(), std::runtime_error);
    run();
    CHECK(said.starts_with('a'));
    CHECK(said.find("+b") != std::string::npos);
    CHECK(said.find('c') != std::string::npos);
}

TEST_CASE_FIXTURE(SerialScene,
                  "serial: an exception of one who is called is the context's, and the next is called") {
    asio::post(executor, [this] {
        serial->when_left(leaver(*this, [] { throw std::runtime_error("of a handler"); }));
        serial->when_left(leaver(*this, say('a')));
    });
    CHECK_THROWS_AS(context.run(), std::runtime_error);
    run();
    CHECK(said == "+a");
    asio::post(executor, say('b'));
    run();
    CHECK(said == "+ab");
}

TEST_CASE_FIXTURE(SerialScene, "serial: what is for idle times is called once, when all who wait have been") {
    serial->on_idle([this] {
        CHECK(serial->is_inside());
        said += 'z';
    });
    CHECK_FALSE(serial->call_when_idle());
    asio::post(executor, [this] {
        CHECK(serial->call_when_idle());
        CHECK(serial->call_when_idle());
        serial->when_left(leaver(*this, [this] { asio::dispatch(executor, say('a')); }));
    });
    run();
    CHECK(said == "az");
    asio::post(executor, say('b'));
    run();
    CHECK(said == "azb");
}

TEST_CASE_FIXTURE(SerialScene, "serial: a context that ends takes what waits with it") {
    auto const alive = std::make_shared<int>(0);
    std::weak_ptr<Serial> const weak = serial;
    {
        asio::io_context other;
        auto const its = std::make_shared<Serial>(other.get_executor());
        asio::any_io_executor const its_executor = SerialExecutor(its);
        for (int i = 0; i < 3; ++i)
            asio::post(its_executor, [alive, its_executor] {});
        CHECK(alive.use_count() == 4);
    }
    CHECK(alive.use_count() == 1);
}

TEST_CASE_FIXTURE(SerialScene,
                  "serial: an executor that is work keeps the context running, and no other one does") {
    auto work = asio::make_work_guard(executor);
    CHECK(context.run_for(std::chrono::milliseconds{5}) == 0);
    CHECK_FALSE(context.stopped());
    auto copy = work;
    work.reset();
    context.restart();
    CHECK(context.run_for(std::chrono::milliseconds{5}) == 0);
    CHECK_FALSE(context.stopped());
    copy.reset();
    CHECK(context.run() == 0);
    CHECK(context.stopped());
}

TEST_CASE_FIXTURE(SerialScene, "serial: an any_io_executor holds its executor without memory of its own") {
    CHECK(sizeof(SerialExecutor) <= 2 * sizeof(std::shared_ptr<void>));
    CHECK(sizeof(SerialExecutor) <= sizeof(std::shared_ptr<void>) + sizeof(void*));
}

TEST_CASE_FIXTURE(SerialScene, "serial: coroutines with timers run on it") {
    asio::co_spawn(
        executor,
        [this]() -> asio::awaitable<void> {
            asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds{1});
            said += 'a';
            co_await timer.async_wait(asio::use_awaitable);
            said += serial->is_inside() ? 'b' : '!';
            co_await asio::post(asio::use_awaitable);
            said += serial->is_inside() ? 'c' : '!';
        },
        asio::detached);
    run();
    CHECK(said == "abc");
}

// Counts without a lock: the thread sanitizer sees whether two are ever inside at a time.
template <class Context>
void crowd(Context& context, const asio::any_io_executor& base, const std::function<void()>& join) {
    auto const serial = std::make_shared<Serial>(base);
    asio::any_io_executor const executor = SerialExecutor(serial);
    auto work = asio::make_work_guard(executor);
    constexpr int threads = 4;
    constexpr int each = 2'000;
    int count = 0;
    std::atomic<int> left = threads;
    std::vector<std::thread> others;
    for (int i = 0; i < threads; ++i)
        others.emplace_back([&] {
            for (int k = 0; k < each; ++k)
                asio::post(executor, [&] {
                    ++count;
                    asio::dispatch(executor, [&] { ++count; });
                });
            if (--left == 0) asio::post(executor, [&] { work.reset(); });
        });
    join();
    for (auto& other : others)
        other.join();
    static_cast<void>(context);
    CHECK(count == 2 * threads * each);
}

TEST_CASE("serial: of many threads one is inside at a time, and no function is lost") {
    asio::io_context context;
    std::vector<std::thread> runners;
    crowd(context, context.get_executor(), [&] {
        std::thread second([&] { context.run(); });
        context.run();
        second.join();
    });
}

TEST_CASE("serial: the same on a thread pool and on an executor of a user's own") {
    asio::thread_pool pool(3);
    crowd(pool, pool.get_executor(), [&] { pool.join(); });
    asio::io_context context;
    ExecutorLedger ledger;
    crowd(context, CountingExecutor(context.get_executor(), ledger), [&] {
        std::thread second([&] { context.run(); });
        context.run();
        second.join();
    });
    CHECK(ledger.alive == 0);
}

}  // namespace serial_test
