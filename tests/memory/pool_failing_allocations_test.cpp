// SPDX-License-Identifier: BSL-1.0
#include "support/door_service.hpp"
#include "support/failing_allocations.hpp"

#include <palette/impl/net/http_transport.hpp>
#include <palette/impl/net/pool.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <future>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

// The places for connections when memory runs out, at every allocation.

namespace pool_failing_allocations_test {

using namespace std::chrono_literals;
using namespace palette;
using namespace palette::impl::net;
namespace asio = boost::asio;
using Action = impl::net::Turn::Action;

/// Calls `f`, and once more if an allocation has failed in it; then it must have changed nothing.
template <class F>
auto stubbornly(const Pool& pool, F f) {
    auto const connections = pool.connections();
    auto const waiting = pool.waiting();
    auto const idle = pool.idle();
    auto const is_down = pool.is_down();
    try {
        return f();
    } catch (const std::bad_alloc&) {
        CHECK(pool.connections() == connections);
        CHECK(pool.waiting() == waiting);
        CHECK(pool.idle() == idle);
        CHECK(pool.is_down() == is_down);
        return f();
    }
}

TEST_CASE("failing allocations: a pool in which one failed has changed nothing, and goes on") {
    std::size_t failures = 0;
    for (std::size_t nth = 1;; ++nth) {
        CAPTURE(nth);
        PoolOptions options;
        options.max_connections = 3;
        Pool pool(options);
        Pool::Time const now{};
        auto const request = [&] { return stubbornly(pool, [&] { return pool.request(now); }); };
        failing::arm(nth);
        auto const a = request();
        auto b = request();
        pool.opened(a);
        auto const c = request();
        auto const waits = request();
        auto const goes = request();
        auto const fate = stubbornly(
            pool, [&] { return pool.failed(b, Error(errc::transport, std::string(100, 'x')), now, 0); });
        pool.give_up(goes.ticket);
        CHECK(pool.release(a.connection, true, now));
        auto const next = pool.next_turn(now);
        pool.opened(c);
        auto const replaced = stubbornly(pool, [&] { return pool.replace(*next, now); });
        auto const last = pool.next_turn(now);
        failing::disarm();
        CHECK(fate == Turn{Action::wait, {}, b.ticket});
        CHECK(next == Turn{Action::use, a.connection, b.ticket});
        CHECK(replaced.action == Action::open);
        REQUIRE(last);
        CHECK(last->ticket == waits.ticket);
        pool.opened(replaced);
        pool.opened(*last);
        for (auto const& turn : {replaced, *last, c})
            CHECK(pool.release(turn.connection, true, now));
        CHECK(pool.idle() == 3);
        CHECK(pool.waiting() == 0);
        if (!failing::has_failed()) break;
        ++failures;
    }
    MESSAGE("allocations: ", failures);
    CHECK(failures > 5);
}

class Ignored final : public ResponseSink {
public:
    void head(HttpResponse) override {}
    bool body(std::string_view) override { return true; }
};

struct Exchange {
    asio::cancellation_signal signal;
};

asio::awaitable<void> run(std::shared_ptr<Exchange>, std::shared_ptr<Transport> transport,
                          std::string target) {
    co_await asio::this_coro::throw_if_cancelled(false);
    HttpRequest const request("GET", target);
    Ignored sink;
    ExchangeReport report;
    static_cast<void>(co_await transport->exchange(request, sink, report));
}

/// In a thread of its own, where no allocation fails.
class ServiceThread {
public:
    ServiceThread() : work_(context_.get_executor()) {
        service.answer = [this](std::string_view request) {
            if (!request.starts_with("GET /stall")) return DoorService::ok("{}");
            ++stalled;
            return std::string();
        };
        failing::NewThreadsSpared const spared;
        std::promise<void> is_spared;
        thread_ = std::thread([&, this] {
            ::operator delete(::operator new(1));  // a thread's first allocation decides
            is_spared.set_value();
            context_.run();
        });
        is_spared.get_future().wait();
    }
    ServiceThread(const ServiceThread&) = delete;
    ServiceThread& operator=(const ServiceThread&) = delete;
    ~ServiceThread() {
        context_.stop();
        thread_.join();
    }

private:
    asio::io_context context_;
    asio::executor_work_guard<asio::io_context::executor_type> work_;

public:
    DoorService service{context_};
    // A request of an exchange that has failed may still come after the next ones were made.
    std::atomic<std::size_t> stalled = 0;

private:
    std::thread thread_;
};

struct DriverScene {
    DriverScene(const ServiceThread& service_host, std::size_t max_connections)
        : host(service_host),
          most(max_connections) {
        ClientOptions options;
        options.endpoint = Endpoint::parse(host.service.url()).value();
        options.pool.max_connections = most;
        transport = impl::net::make_http_transport(strand, options).value();
    }

    // What has ended is gone, in whichever way it ended.
    void start(std::vector<std::weak_ptr<Exchange>>& all, std::string target) {
        try {
            auto const exchange = std::make_shared<Exchange>();
            all.push_back(exchange);
            asio::co_spawn(strand, run(exchange, transport, std::move(target)),
                           asio::bind_cancellation_slot(exchange->signal.slot(),
                                                        [exchange](const std::exception_ptr&) {}));
        } catch (const std::bad_alloc&) {
        }
    }

    template <class Condition>
    bool run_until(Condition condition) {
        auto const end = std::chrono::steady_clock::now() + 10s;
        while (!condition()) {
            if (std::chrono::steady_clock::now() > end) return false;
            context.restart();
            try {
                context.run_one_for(5ms);
            } catch (const std::bad_alloc&) {
            }
        }
        return true;
    }
    static bool are_gone(const std::vector<std::weak_ptr<Exchange>>& all) {
        for (auto const& exchange : all)
            if (!exchange.expired()) return false;
        return true;
    }

    // As many requests as there are places reach the service at the same time.
    bool is_whole() {
        auto const before = host.stalled.load();
        std::vector<std::weak_ptr<Exchange>> all;
        for (std::size_t i = 0; i < most; ++i)
            start(all, "/stall");
        bool const whole = run_until([&] { return host.stalled == before + most; });
        for (auto const& exchange : all)
            if (auto const alive = exchange.lock()) alive->signal.emit(asio::cancellation_type::terminal);
        return run_until([&] { return are_gone(all); }) && whole;
    }

    asio::io_context context;
    // A strand of Asio's runs nothing any more after a post for which it got no memory.
    asio::any_io_executor strand = context.get_executor();
    const ServiceThread& host;
    std::size_t most;
    std::shared_ptr<Transport> transport;
};

TEST_CASE("failing allocations: no place of a connection is lost, at whichever allocation one fails") {
    ServiceThread const host;
    for (std::size_t const most : {1U, 2U}) {
        std::size_t failures = 0;
        for (std::size_t nth = 1;; ++nth) {
            CAPTURE(most);
            CAPTURE(nth);
            DriverScene scene(host, most);
            std::vector<std::weak_ptr<Exchange>> all;
            all.reserve(5);
            failing::arm(nth);
            for (int i = 0; i < 5; ++i)
                scene.start(all, "/ok");
            bool const ended = scene.run_until([&] { return DriverScene::are_gone(all); });
            failing::disarm();
            REQUIRE(ended);
            CHECK(scene.is_whole());
            if (!failing::has_failed()) break;
            ++failures;
        }
        MESSAGE("allocations: ", failures);
        CHECK(failures > 50);
    }
}

}  // namespace pool_failing_allocations_test
