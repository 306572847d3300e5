// SPDX-License-Identifier: BSL-1.0
#include "support/door_service.hpp"
#include "support/sanitized.hpp"

#include <palette/auth.hpp>
#include <palette/client.hpp>

#include <doctest/doctest.h>
#include <malloc.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

// How long an answer keeps the event loop of the client from doing anything else.

namespace loop_time_test {

using namespace std::chrono_literals;
using namespace palette;
namespace asio = boost::asio;
using std::chrono::nanoseconds;

/// The time that this thread has computed for: what other programs compute meanwhile does not count.
nanoseconds computed() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds{time.tv_sec} + nanoseconds{time.tv_nsec};
}

/// The longest time between two turns of a handler that posts itself again and again.
class Turns {
public:
    explicit Turns(asio::io_context& context) : context_(context) { next(); }

    void stop_after(std::size_t turns) { left_ = turns; }
    [[nodiscard]] nanoseconds longest() const noexcept { return longest_; }

private:
    void next() {
        last_ = computed();
        asio::post(context_, [this] {
            longest_ = std::max(longest_, computed() - last_);
            if (left_ > 0 && --left_ > 0) next();
        });
    }

    asio::io_context& context_;
    nanoseconds last_{};
    nanoseconds longest_{};
    std::size_t left_ = std::numeric_limits<std::size_t>::max();
};

/// A service in a thread of its own, which answers everything with what it is given.
class Service {
public:
    explicit Service(std::string answer) {
        door_.answer = [text = std::move(answer)](std::string_view) { return text; };
        thread_ = std::thread([this] { context_.run(); });
    }
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;
    ~Service() {
        context_.stop();
        thread_.join();
    }

    [[nodiscard]] ClientOptions options() const {
        ClientOptions options;
        options.endpoint = Endpoint::parse(door_.url()).value();
        options.auth = auth::api_key(Secret("hunter2hunter2hunter2"));
        options.rate_limit = RateLimitOptions::off();
        options.retry.max_attempts = 1;
        return options;
    }

private:
    asio::io_context context_;
    DoorService door_{context_};
    std::thread thread_;
};

std::string response(std::string_view status, std::string_view body) {
    return "HTTP/1.1 " + std::string(status) +
           "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + std::string(body);
}

// The bound is for what is shipped: sanitizers and the lack of optimisation make it ten times slower.
#if defined(PALETTE_KEYS_TESTS_OPTIMISED_LIBRARY)
constexpr bool is_measured = !sanitized;
#else
constexpr bool is_measured = false;
#endif
constexpr std::size_t most_keys = is_measured ? 250'000 : 20'000;

/// Lists keys, and what has become of them is looked at, and destroyed, outside of the loop.
class Listing {
public:
    Listing(const Service& service, ListFilter filter) {
        // By default the C library puts off the joining of small free pieces of memory, and then joins all
        // of them, here a million, within one call of free(), which takes 50 ms. That is the program's to
        // choose (M_MXFAST), and not looked at here.
        ::mallopt(M_MXFAST, 0);
        for (int tries = 0; tries < most_tries && longest > bound; ++tries) {
            asio::io_context context;
            ApiKeyClient client(context, service.options());
            Turns turns(context);
            result.reset();
            client.async_list(filter, [&](Result<KeyList> list) {
                result = std::move(list);
                // What the client has not given away, it destroys in the next turns.
                turns.stop_after(2 * most_keys / 1'000);
            });
            context.run();
            longest = std::min(longest, turns.longest());
        }
    }
    void check_loop_was_free() const {
        MESSAGE("the longest turn took " << std::chrono::duration<double, std::milli>(longest).count()
                                         << " ms");
        if (is_measured) CHECK(longest <= bound);
    }

    static constexpr nanoseconds bound = 20ms;
    // On a machine that shares its processors with others what those take of them counts as computed.
    static constexpr int most_tries = 20;
    std::optional<Result<KeyList>> result;
    nanoseconds longest = nanoseconds::max();
};

std::string keys(std::size_t number) {
    constexpr std::string_view key =
        R"({"metadata":{"uid":"5f1b2c3d4e5f6a7b8c9d0e1f","name":"the-name-of-a-key","labels":{"team":"red"}},)"
        R"("spec":{"user":{"uid":"5f1b2c3d4e5f6a7b8c9d0e1f"}},"status":{"isActive":true}})";
    std::string body = R"({"items":[)";
    for (std::size_t i = 0; i < number; ++i)
        (body += key) += i + 1 < number ? "," : "";
    return body;
}

TEST_CASE("client loop time: a list of as many keys as may be holds up nobody, whichever are wanted") {
    Service const service(response("200 OK", keys(most_keys) + R"(],"listmeta":{"continue":""}})"));
    struct {
        ListFilter filter;
        std::size_t found;
    } const table[] = {
        {ListFilter(), most_keys},
        {ListFilter().name("the-name-of-a-key"), most_keys},
        {ListFilter().name("another"), 0},
    };
    for (auto const& [filter, found] : table) {
        CAPTURE(found);
        Listing const listing(service, filter);
        REQUIRE(*listing.result);
        CHECK((*listing.result)->size() == found);
        listing.check_loop_was_free();
    }
}

TEST_CASE("client loop time: a visit of as many keys as a list may have holds up nobody") {
    Service const service(response("200 OK", keys(most_keys) + R"(],"listmeta":{"continue":""}})"));
    auto longest = nanoseconds::max();
    for (int tries = 0; tries < Listing::most_tries && longest > Listing::bound; ++tries) {
        asio::io_context context;
        ApiKeyClient client(context, service.options());
        Turns turns(context);
        std::size_t seen = 0;
        KeyVisitor visitor = [&](ApiKey&& key) { return seen += key.is_active ? 1 : 0, Result<void>(); };
        client.async_visit(ListFilter(), std::move(visitor), [&](const Result<Visit>& visited) {
            CHECK(visited.value().count == most_keys);
            turns.stop_after(10);
        });
        context.run();
        CHECK(seen == most_keys);
        longest = std::min(longest, turns.longest());
    }
    MESSAGE("the longest turn took " << std::chrono::duration<double, std::milli>(longest).count() << " ms");
    if (is_measured) CHECK(longest <= Listing::bound);
}

TEST_CASE("client loop time: a list that fails at its end holds up nobody") {
    Service const service(response("200 OK", keys(most_keys) + R"(],"listmeta":{"continue":7}})"));
    Listing const listing(service, ListFilter());
    REQUIRE_FALSE(*listing.result);
    CHECK(listing.result->error().code() == errc::wrong_type);
    listing.check_loop_was_free();
}

TEST_CASE("client loop time: a list of more keys than may be holds up nobody") {
    Service const service(response("200 OK", keys(most_keys + 1) + R"(],"listmeta":{"continue":""}})"));
    auto const is_bounded = is_measured;  // otherwise there are fewer keys than the default allows
    Listing const listing(service, ListFilter());
    CHECK(listing.result->has_value() != is_bounded);
    if (is_bounded) CHECK(listing.result->error().code() == errc::too_large);
    listing.check_loop_was_free();
}

TEST_CASE("client loop time: a key of more annotations than a key has is refused, and holds up nobody") {
    // In descending order, which costs most to put in order.
    std::string many;
    for (int i = 2'000'000; i > 1'000'000; --i)
        many += '"' + std::to_string(i) + R"(":"",)";
    std::string const large(std::size_t{30} << 20, 'x');
    for (auto const& annotations : {many + R"("a":"")", R"("a":")" + large + '"'}) {
        Service const service(
            response("200 OK", R"({"items":[{"metadata":{"annotations":{)" + annotations + "}}}]}"));
        Listing const listing(service, ListFilter());
        REQUIRE_FALSE(*listing.result);
        CHECK(listing.result->error().code() == errc::too_large);
        CHECK(listing.result->error().what() == "more entries than a key has, or larger ones");
        listing.check_loop_was_free();
    }
}

TEST_CASE("client loop time: a refusal whose three texts are built to take long holds up nobody") {
    // Each backslash may be an escape of what follows, or of the next backslash.
    std::string text;
    while (text.size() < 10'000)
        text += R"(\\\\\\\\x41%5C%5Cu0041)";
    Service const service(response(
        "403 Forbidden", R"({"code":")" + text + R"(","message":")" + text + R"(","ref":")" + text + "\"}"));
    Listing const listing(service, ListFilter());
    REQUIRE_FALSE(*listing.result);
    CHECK(listing.result->error().code() == errc::forbidden);
    listing.check_loop_was_free();
}

TEST_CASE(
    "client loop time: a list that is cancelled in one of its last turns ends, with its keys or without") {
    Service const service(response("200 OK", keys(20'000) + R"(],"listmeta":{"continue":""}})"));
    // Counts the turns of a list that is cancelled after so many.
    auto const turns_of = [&](std::size_t cancelled_after) {
        asio::io_context context;
        ApiKeyClient client(context, service.options());
        std::optional<Result<KeyList>> result;
        std::size_t turns = 0;
        client.async_list(ListFilter().name("another"),
                          [&](Result<KeyList> list) { result = std::move(list); });
        for (; !result; ++turns) {
            if (turns == cancelled_after) client.cancel();
            REQUIRE(context.run_one() == 1);
        }
        context.run();
        if (*result)
            CHECK((*result)->empty());
        else
            CHECK(result->error().code() == errc::operation_aborted);
        return turns;
    };
    auto const whole = turns_of(std::size_t(-1));
    CHECK(whole > 20'000 / 4'096);
    for (std::size_t i = 0; i < 12; ++i)
        turns_of(whole - std::min(whole, i));
}

}  // namespace loop_time_test
