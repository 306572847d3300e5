// SPDX-License-Identifier: BSL-1.0
#include "support/dead_port.hpp"
#include "support/door_service.hpp"
#include "support/known_names.hpp"
#include "support/patience.hpp"
#include "support/sanitized.hpp"
#include "support/scene.hpp"

#include <palette/auth.hpp>
#include <palette/client.hpp>

#include <doctest/doctest.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// A way to the service that is down for a moment, or for good.

namespace outage_test {

using namespace std::chrono_literals;
using namespace palette;
namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::string_view some_uid = "5f1b2c3d4e5f6a7b8c9d0e1f";

std::string answer(std::string_view request) {
    if (request.starts_with("GET /v1/users/info"))
        return DoorService::ok(R"({"userUid":"u","tenantUid":"t","orgName":"acme"})");
    return "HTTP/1.1 204 No Content\r\n\r\n";
}

ClientOptions options_for(const std::string& url) {
    ClientOptions options;
    options.endpoint = Endpoint::parse(url).value();
    options.auth = auth::api_key(Secret("hunter2hunter2"), "the-own-key");
    options.rate_limit = RateLimitOptions::off();
    return options;
}

/// A client that keeps so many operations in flight, reads and revocations by turns.
class Busy {
public:
    Busy(asio::io_context& context, const DoorService& service) : Busy(context, options_for(service.url())) {}
    Busy(asio::io_context& context, ClientOptions options) : client_(context, std::move(options)) {}

    void start(std::size_t number) {
        for (std::size_t i = 0; i < number; ++i)
            next();
    }
    void stop() { goes_on_ = false; }
    /// So many more, none of which is followed by another.
    void start_once(std::size_t number) {
        goes_on_ = true;
        start(number);
        stop();
    }
    void check_none_failed() const {
        if (!failures.empty()) MESSAGE(failures.front().message());
        auto const failed = failures.size();
        CHECK(failed == 0);
    }

    std::size_t done = 0, in_flight = 0;
    std::vector<Error> failures;

private:
    void next() {
        if (!goes_on_) return;
        ++in_flight;
        if (done % 2 == 0)
            client_.async_whoami([this](const Result<Identity>& result) { ended(result); });
        else
            client_.async_revoke(std::string(some_uid),
                                 [this](const Result<void>& result) { ended(result); });
    }
    template <class T>
    void ended(const Result<T>& result) {
        --in_flight;
        ++done;
        if (!result) failures.push_back(result.error());
        next();
    }

    ApiKeyClient client_;
    bool goes_on_ = true;
};

TEST_CASE(
    "client outage: with 64 operations in flight none fails while connections are refused for a moment") {
    for (auto const down_for : {150ms, 600ms}) {
        CAPTURE(down_for.count());
        support::EventLoop loop;
        DoorService service(loop.context);
        service.answer = answer;
        Busy busy(loop.context, service);
        busy.start(64);
        loop.run_until([&] { return busy.done > 300; });
        service.close();
        service.drop_connections();
        auto const accepted = service.accepted.load();
        asio::steady_timer timer(loop.context, down_for);
        timer.async_wait([&](boost::system::error_code) {
            CHECK(service.accepted == accepted);
            service.open();
        });
        auto const before = busy.done;
        loop.run_until([&] { return service.accepted > accepted && busy.done > before + 300; });
        busy.stop();
        loop.run_until([&] { return busy.in_flight == 0; });
        busy.check_none_failed();
    }
}

TEST_CASE("client outage: an operation that cannot open a connection waits for one that is open") {
    support::EventLoop loop;
    DoorService service(loop.context);
    service.answer = answer;
    service.delay = 30ms;
    service.close();
    service.open(3);  // and no more
    Busy busy(loop.context, service);
    busy.start(40);
    busy.stop();
    loop.run_until([&] { return busy.in_flight == 0; });
    CHECK(service.accepted == 3);
    CHECK(busy.done == 40);
    busy.check_none_failed();
}

TEST_CASE("client outage: an operation whose lookup finds no file descriptor waits for an open connection") {
    support::EventLoop loop;
    DoorService service(loop.context);
    service.answer = answer;
    service.delay = 5ms;
    auto options = options_for(service.url());
    options.endpoint = Endpoint::parse_allowing_insecure_http("http://" + known_names::here + ":" +
                                                              std::to_string(service.port()))
                           .value();
    Busy busy(loop.context, std::move(options));
    busy.start(1);
    busy.stop();
    loop.run_until([&] { return busy.in_flight == 0; });
    auto const lookups = known_names::lookups_of_here();
    known_names::leave_no_descriptors_for_here(true);
    busy.start_once(40);
    loop.run_until([&] { return busy.in_flight == 0; });
    known_names::leave_no_descriptors_for_here(false);
    CHECK(known_names::lookups_of_here() > lookups);
    CHECK(service.accepted == 1);
    CHECK(busy.done == 41);
    busy.check_none_failed();
}

TEST_CASE(
    "client outage: a crowd that is cut off on fresh connections is retried as far as the budget goes") {
    for (std::string_view const begun : {"", "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"})
        for (double const budget : {20.0, 64.0}) {
            CAPTURE(begun);
            CAPTURE(budget);
            support::EventLoop loop;
            DoorService service(loop.context);
            service.answer = [&](std::string_view) { return std::string(begun); };
            auto options = options_for(service.url());
            options.pool.max_connections = 64;
            options.retry.budget = budget;
            Busy busy(loop.context, std::move(options));
            busy.start(64);
            busy.stop();
            loop.run_until([&] { return service.requests == 64; });
            CHECK(service.accepted == 64);
            service.answer = answer;
            service.drop_connections();
            loop.run_until([&] { return busy.in_flight == 0; });
            // Ten of the first successes give one retry back.
            auto const retried = 64 - busy.failures.size();
            CHECK(retried >= static_cast<std::size_t>(budget));
            CHECK(retried <= static_cast<std::size_t>(budget) + 2);
            for (auto const& failure : busy.failures) {
                CHECK((failure.code() == errc::transport || failure.code() == errc::truncated));
                CHECK(failure.attempts() == 1);
            }
        }
}

/// What becomes of one operation on a host at which nobody is.
struct Dead {
    explicit Dead(ClientOptions options, CallOptions call = {}) {
        support::EventLoop loop;
        ApiKeyClient client(loop.context, std::move(options));
        support::Watched<> revoked;
        auto const begun = steady_clock::now();
        client.async_revoke(std::string(some_uid), call, revoked.handler());
        loop.run_until_end_of(revoked);
        took = steady_clock::now() - begun;
        error = revoked.error();
    }
    std::optional<Error> error;
    steady_clock::duration took{};
};

TEST_CASE(
    "client outage: where nobody comes back an operation ends after its attempts, with the last error") {
    DeadPort const port(DeadPort::Kind::refusing);
    auto const place = "127.0.0.1:" + std::to_string(port.port());
    constexpr auto longest = 1400ms + (sanitized ? 2000ms : 500ms);
    auto const took = shortest(longest, [&] {
        Dead const dead(options_for("http://" + place));
        CHECK(dead.error->code() == errc::transport);
        CHECK(dead.error->effect() == Effect::not_applied);
        CHECK(dead.error->what() == "cannot connect to " + place + ": Connection refused");
        CHECK(dead.error->attempts() == 4);
        CHECK(dead.error->earlier() == std::vector<FailedAttempt>(3, FailedAttempt(errc::transport, 0)));
        CHECK(dead.took >= 700ms);
        return dead.took;
    });
    CHECK(took < longest);
}

TEST_CASE(
    "client outage: a deadline that passes during an outage does not hide why there was no connection") {
    DeadPort const port(DeadPort::Kind::refusing);
    auto const place = "127.0.0.1:" + std::to_string(port.port());
    auto const call = CallOptions().deadline(50ms);
    constexpr auto longest = 50ms + (sanitized ? 2000ms : 500ms);
    int told = 0;
    auto const took = shortest(longest, [&]() -> steady_clock::duration {
        Dead const dead(options_for("http://" + place), call);
        CHECK(dead.error->effect() == Effect::not_applied);
        CHECK(dead.took >= 50ms);
        // A busy machine may take all of the time until the first connection is refused.
        if (dead.error->code() == errc::timeout) return steady_clock::duration::max();
        ++told;
        CHECK(dead.error->code() == errc::transport);
        CHECK(dead.error->what().starts_with("cannot connect to " + place +
                                             ": Connection refused; the deadline passed"));
        CHECK(dead.error->what().ends_with("waiting for a free connection"));
        return dead.took;
    });
    CHECK(told > 0);
    CHECK(took < longest);
}

TEST_CASE("client outage: the pauses between tries are random, and the same in each run with jitter_seed") {
    DeadPort const port(DeadPort::Kind::refusing);
    auto options = options_for("http://127.0.0.1:" + std::to_string(port.port()));
    options.retry.max_attempts = 2;
    options.retry.initial_backoff = 400ms;
    auto const took = [&](std::uint32_t seed) {
        options.retry.jitter_seed = seed;
        return Dead(options, CallOptions()).took;
    };
    // The first number from a seed of 141 is 0.998, from one of 173 0.003; a pause is at least half of the
    // backoff.
    CHECK(took(141) >= 398ms);
    CHECK(shortest(300ms, [&] { return took(173); }) < 300ms);
}

TEST_CASE("client outage: five hundred operations wait for the one that tries to connect, and none fails") {
    support::EventLoop loop;
    DoorService service(loop.context);
    service.answer = answer;
    service.close();
    Busy busy(loop.context, service);
    busy.start(500);
    busy.stop();
    asio::steady_timer timer(loop.context, 400ms);
    timer.async_wait([&](boost::system::error_code) { service.open(); });
    loop.run_until([&] { return busy.in_flight == 0; });
    busy.check_none_failed();
    CHECK(busy.done == 500);
}

}  // namespace outage_test
