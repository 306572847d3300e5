// SPDX-License-Identifier: BSL-1.0
#include "support/door_service.hpp"
#include "support/scene.hpp"

#include <palette/impl/net/http_transport.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// The places for connections, whatever becomes of those who were given one.

namespace places_test {

using namespace std::chrono_literals;
using namespace palette;
namespace asio = boost::asio;

class Ignored final : public ResponseSink {
public:
    void head(HttpResponse) override {}
    bool body(std::string_view) override { return true; }
};

/// One exchange over the transport, which can be cancelled.
struct Exchange {
    asio::cancellation_signal signal;
    bool is_cancelled_first = false;
    bool has_begun = false;
    bool has_ended = false;
    bool is_good = false;
};
using ExchangePtr = std::shared_ptr<Exchange>;

/// As an operation makes it, or as a login does: there a co_await throws once a cancellation has come.
enum class Mode { operation, login };

asio::awaitable<void> run(ExchangePtr exchange, std::shared_ptr<Transport> transport, Mode mode,
                          std::string target) {
    exchange->has_begun = true;
    if (mode == Mode::operation) co_await asio::this_coro::throw_if_cancelled(false);
    // Asio throws out of the event loop where a login is over, by cancellation, before it has waited for
    // anything.
    if (exchange->is_cancelled_first && mode == Mode::operation)
        exchange->signal.emit(asio::cancellation_type::terminal);
    HttpRequest const request("GET", target);
    Ignored sink;
    ExchangeReport report;
    auto const result = co_await transport->exchange(request, sink, report);
    exchange->is_good = result.has_value();
}

struct PlacesScene : support::EventLoop {
    explicit PlacesScene(std::size_t max_connections, const RetryOptions& retry = {})
        : most(max_connections) {
        ClientOptions options;
        options.retry = retry;
        options.endpoint = Endpoint::parse(service.url()).value();
        options.pool.max_connections = most;
        transport = impl::net::make_http_transport(asio::make_strand(context), options).value();
        service.answer = [this](std::string_view request) {
            if (request.starts_with("GET /ok")) return DoorService::ok("{}");
            if (request.starts_with("GET /last")) return closing();
            if (request.starts_with("GET /count")) ++counted;
            return std::string();
        };
    }

    static std::string closing() {
        return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
    }

    ExchangePtr start(Mode mode, std::string target) {
        auto exchange = std::make_shared<Exchange>();
        asio::co_spawn(
            strand, places_test::run(exchange, transport, mode, std::move(target)),
            asio::bind_cancellation_slot(exchange->signal.slot(), [exchange](const std::exception_ptr&) {
                exchange->has_ended = true;
            }));
        return exchange;
    }

    /// As many requests as there are places reach the service at the same time.
    bool is_whole() {
        std::vector<ExchangePtr> all;
        for (std::size_t i = 0; i < most; ++i)
            all.push_back(start(Mode::operation, "/count"));
        bool const whole = comes_to([&] { return counted == most; });
        for (auto const& exchange : all)
            exchange->signal.emit(asio::cancellation_type::terminal);
        return comes_to([&] { return have_ended(all); }) && whole;
    }
    static bool have_ended(const std::vector<ExchangePtr>& all) {
        for (auto const& exchange : all)
            if (!exchange->has_ended) return false;
        return true;
    }

    DoorService service{context};
    asio::any_io_executor strand = asio::make_strand(context);
    std::size_t most;
    // Requests of is_whole() alone: one of an exchange that was cancelled may still come after them.
    std::size_t counted = 0;
    std::shared_ptr<Transport> transport;
};

/// Who is cancelled: all of them, or one.
constexpr std::size_t everybody = 99;

/// Five that contend: the first one holds a connection and never gets an answer, unless `first_answers`.
/// Cancels after `steps` handlers; whether there were so many before the end.
bool cancel_after(std::size_t steps, std::size_t most, bool first_answers, std::size_t who) {
    PlacesScene scene(most);
    std::vector<ExchangePtr> all;
    auto const add = [&](Mode mode, const char* target) { all.push_back(scene.start(mode, target)); };
    add(Mode::operation, first_answers ? "/ok" : "/stall");
    add(Mode::login, "/ok");
    add(Mode::operation, "/ok");
    add(Mode::login, "/ok");
    add(Mode::operation, "/ok");
    auto const is_chosen = [&](std::size_t i) { return who == everybody || who == i; };
    for (std::size_t i = 0; i < all.size(); ++i)
        all[i]->is_cancelled_first = steps == 0 && is_chosen(i);
    // Newer versions of Asio do not begin a coroutine that is cancelled before its first step.
    REQUIRE(scene.comes_to(
        [&] { return std::ranges::all_of(all, [](auto const& exchange) { return exchange->has_begun; }); }));
    std::size_t done = 0;
    while (done < steps && scene.context.run_one_for(200ms) > 0)
        ++done;
    for (std::size_t i = 0; i < all.size(); ++i)
        if (is_chosen(i)) all[i]->signal.emit(asio::cancellation_type::terminal);
    if (who != everybody && !first_answers) {
        static_cast<void>(scene.comes_to([] { return false; }, 5ms));
        all[0]->signal.emit(asio::cancellation_type::terminal);
    }
    REQUIRE(scene.comes_to([&] { return PlacesScene::have_ended(all); }));
    CHECK(scene.is_whole());
    return done == steps;
}

TEST_CASE("places: a cancellation after any number of handlers takes no place of a connection away") {
    for (std::size_t const most : {1U, 2U})
        for (bool const first_answers : {false, true})
            for (std::size_t const who : {everybody, std::size_t{0}, std::size_t{1}, std::size_t{2}}) {
                CAPTURE(most);
                CAPTURE(first_answers);
                CAPTURE(who);
                std::size_t steps = 0;
                while (cancel_after(steps, most, first_answers, who))
                    ++steps;
                CHECK(steps > 4);
            }
}

TEST_CASE("places: whoever comes between the tries of an outage, alone, waits for the next try only") {
    RetryOptions retry;
    retry.initial_backoff = retry.max_backoff = 2s;
    for (int times = 0;; ++times) {
        REQUIRE(times < 20);
        PlacesScene scene(2, retry);
        scene.service.delay = times == 0 ? 100ms : 500ms;
        auto const holds = scene.start(Mode::operation, "/ok");
        scene.run_until([&] { return scene.service.requests == 1; });
        scene.service.delay = 0ms;
        scene.service.close();
        auto const begun = std::chrono::steady_clock::now();
        // Its try fails. It is given the connection of the other one, and is the last to use it.
        auto const tries = scene.start(Mode::operation, "/last");
        scene.settle();
        // It may have before that try, where the machine paused: then all of this is done anew.
        bool const is_free_too_soon = holds->has_ended;
        scene.run_until([&] { return tries->has_ended; });
        if (is_free_too_soon) continue;
        CHECK(holds->is_good);
        CHECK(tries->is_good);
        scene.service.open();
        auto const comes = scene.start(Mode::operation, "/ok");
        scene.run_until([&] { return comes->has_ended; });
        CHECK(comes->is_good);
        CHECK(std::chrono::steady_clock::now() - begun >= 1s);  // the way was still taken to be down
        break;
    }
}

}  // namespace places_test
