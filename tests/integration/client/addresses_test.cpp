// SPDX-License-Identifier: BSL-1.0
#include "support/dead_port.hpp"
#include "support/one_attempt.hpp"
#include "support/patience.hpp"
#include "support/sanitized.hpp"
#include "support/tls_server.hpp"

#include <palette/impl/net/connect_race.hpp>
#include <palette/impl/net/connector.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>

#include <sys/resource.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// Hosts with several addresses, of which some are dead.

namespace addresses_test {

using namespace std::chrono_literals;
using namespace palette;
namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::steady_clock;

using Connected = Result<tcp::socket>;

// Less than the quarter of a second after which a dead address is given company.
constexpr auto at_once = 200ms;

// Of this process.
std::ptrdiff_t open_files() {
    std::filesystem::directory_iterator const all("/proc/self/fd");
    return std::distance(begin(all), end(all));
}

tcp::endpoint at(std::uint16_t port, const char* address = "127.0.0.1") {
    return {asio::ip::make_address(address), port};
}

// As an operation runs it, or as a login does: there a co_await throws once a cancellation has come.
enum class Mode { operation, login };

template <class T>
asio::awaitable<void> keep(asio::awaitable<Result<T>> work, std::optional<Result<T>>& result,
                           Mode mode = Mode::operation, asio::cancellation_signal* cancels_first = nullptr) {
    if (mode == Mode::operation) co_await asio::this_coro::throw_if_cancelled(false);
    if (cancels_first != nullptr) cancels_first->emit(asio::cancellation_type::terminal);
    result.emplace(co_await std::move(work));
}

// Who connects to addresses, of which these are dead from the start.
struct RaceScene {
    asio::io_context context;
    DeadPort refusing{DeadPort::Kind::refusing};
    DeadPort silent{DeadPort::Kind::silent};
    tcp::acceptor good{context, at(0)};
    asio::cancellation_signal signal;
    std::optional<Connected> result;
    std::exception_ptr thrown;
    steady_clock::duration took{};

    [[nodiscard]] tcp::endpoint good_one() const { return good.local_endpoint(); }

    void start(impl::net::Endpoints endpoints, std::chrono::milliseconds time = 10s,
               Mode mode = Mode::operation, bool is_cancelled_first = false) {
        asio::co_spawn(context,
                       keep(impl::net::connect_to_first(std::move(endpoints), time, "the host"), result, mode,
                            is_cancelled_first ? &signal : nullptr),
                       asio::bind_cancellation_slot(
                           signal.slot(), [this](std::exception_ptr error) { thrown = std::move(error); }));
    }
    // Runs the first step. Newer versions of Asio do not begin a coroutine that is cancelled before it.
    void begin() {
        context.restart();
        REQUIRE(context.run_one() == 1);
    }
    void finish() {
        auto const begun = steady_clock::now();
        context.run();
        took = steady_clock::now() - begun;
        REQUIRE((result || thrown));
    }
    void run(impl::net::Endpoints endpoints, std::chrono::milliseconds time = 10s) {
        context.restart();
        result.reset();
        start(std::move(endpoints), time);
        finish();
    }
    void check_won(const tcp::endpoint& winner) {
        REQUIRE_MESSAGE(*result, result->error());
        CHECK((*result)->remote_endpoint() == winner);
    }
    void check_failed(errc code, const char* what) {
        REQUIRE_FALSE(*result);
        CHECK(result->error().code() == code);
        CHECK(result->error().what() == what);
        CHECK(result->error().effect() == Effect::not_applied);
    }
};

TEST_CASE_FIXTURE(RaceScene, "client addresses: after one that refuses the next one is tried at once") {
    auto const best = shortest(at_once, [this] {
        run({at(refusing.port()), at(refusing.port(), "127.0.0.2"), good_one()});
        check_won(good_one());
        return took;
    });
    CHECK(best < at_once);
}

TEST_CASE_FIXTURE(RaceScene, "client addresses: one that says nothing costs a quarter of a second") {
    auto const best = shortest(250ms + at_once, [this] {
        run({at(silent.port()), good_one()});
        check_won(good_one());
        CHECK(took >= 250ms);
        return took;
    });
    CHECK(best < 250ms + at_once);
}

TEST_CASE_FIXTURE(RaceScene,
                  "client addresses: one that says nothing costs at most its share of a short time") {
    run({at(silent.port()), at(silent.port()), at(silent.port()), good_one()}, 2000ms);
    check_won(good_one());
    CHECK(took >= 750ms);
}

TEST_CASE_FIXTURE(RaceScene,
                  "client addresses: the first to connect wins, and nothing of the others is left") {
    auto const before = open_files();
    run({at(silent.port()), at(silent.port()), good_one(), at(silent.port())});
    check_won(good_one());
    CHECK(open_files() == before + 1);
    result.reset();
    CHECK(open_files() == before);
}

TEST_CASE_FIXTURE(RaceScene, "client addresses: where all refuse, the reason is told") {
    auto const before = open_files();
    run({at(refusing.port()), at(refusing.port(), "127.0.0.2")});
    check_failed(errc::transport, "cannot connect to the host: Connection refused");
    CHECK(took < patience);
    CHECK(open_files() == before);
}

TEST_CASE_FIXTURE(RaceScene, "client addresses: where there can be no socket, that is told at once") {
    if (sanitized) return;  // to look at memory, the sanitizer opens a pipe
    start({good_one(), at(refusing.port())});
    rlimit usual{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &usual) == 0);
    rlimit none = usual;
    none.rlim_cur = 0;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    finish();
    ::setrlimit(RLIMIT_NOFILE, &usual);
    check_failed(errc::transport, "cannot connect to the host: Too many open files");
    CHECK(took < patience);
}

TEST_CASE_FIXTURE(RaceScene, "client addresses: where one says nothing and the rest refuse, time runs out") {
    auto const before = open_files();
    run({at(silent.port()), at(refusing.port())}, 300ms);
    check_failed(errc::timeout, "cannot connect to the host: no answer within 300 ms");
    CHECK(took >= 300ms);
    CHECK(took < 300ms + patience);
    CHECK(open_files() == before);
}

TEST_CASE_FIXTURE(RaceScene, "client addresses: a cancellation ends the race at once, and leaves nothing") {
    auto const before = open_files();
    for (auto const wait : {0ms, 20ms, 300ms}) {
        CAPTURE(wait.count());
        start({at(silent.port()), at(silent.port()), at(silent.port())});
        begin();
        context.run_for(wait);
        signal.emit(asio::cancellation_type::terminal);
        context.restart();
        finish();
        check_failed(errc::operation_aborted, "it was cancelled");
        CHECK(took < patience);
        CHECK(open_files() == before);
        result.reset();
    }
}

TEST_CASE_FIXTURE(RaceScene,
                  "client addresses: a cancellation after any number of handlers leaves nothing of a race") {
    auto const before = open_files();
    for (auto const mode : {Mode::operation, Mode::login}) {
        std::size_t steps = 0;
        for (bool is_over = false; !is_over; ++steps) {
            CAPTURE(static_cast<int>(mode));
            CAPTURE(steps);
            start(
                {at(refusing.port()), at(refusing.port(), "127.0.0.2"), at(silent.port()), at(silent.port())},
                10s, mode, steps == 0 && mode == Mode::operation);
            begin();
            for (std::size_t i = 1; i < steps && !is_over; ++i)
                is_over = context.run_one_for(600ms) == 0;  // only the silent ones are left
            signal.emit(asio::cancellation_type::terminal);
            context.restart();
            finish();
            if (mode == Mode::operation) CHECK(thrown == nullptr);
            if (result) check_failed(errc::operation_aborted, "it was cancelled");
            CHECK(took < patience);
            CHECK(open_files() == before);
            result.reset();
            thrown = nullptr;
        }
        CHECK(steps > 3);
    }
}

TEST_CASE("client addresses: a context that ends in the middle of a race leaves nothing") {
    auto const before = open_files();
    for (auto const wait : {0ms, 20ms, 300ms}) {
        RaceScene scene;
        scene.start({at(scene.refusing.port()), at(scene.silent.port()), at(scene.silent.port())});
        scene.context.run_for(wait);
        CHECK_FALSE(scene.result);
    }
    CHECK(open_files() == before);
}

TEST_CASE("client addresses: families take turns, beginning with the one that the system prefers") {
    auto const four = [](int n) { return at(1, ("10.0.0." + std::to_string(n)).c_str()); };
    auto const six = [](int n) { return at(1, ("fd00::" + std::to_string(n)).c_str()); };
    using impl::net::by_turns;
    CHECK(by_turns({}).empty());
    CHECK(by_turns({six(1), six(2), six(3), four(1)}) ==
          impl::net::Endpoints{six(1), four(1), six(2), six(3)});
    CHECK(by_turns({four(1), four(2), six(1), six(2)}) ==
          impl::net::Endpoints{four(1), six(1), four(2), six(2)});
    CHECK(by_turns({four(2), four(1)}) == impl::net::Endpoints{four(2), four(1)});
}

// A client's connector, with a lookup that is told what to find.
struct ConnectorScene {
    tls::Authority authority;
    tls::Server server{with_identity()};
    std::vector<std::string> asked;
    impl::net::Addresses found{asio::ip::make_address("127.0.0.1")};
    ClientOptions options = one_attempt();
    asio::io_context context;

    ConnectorScene() {
        options.endpoint = server.endpoint("palette.test");
        options.tls.ca_pem = authority.pem();
    }
    tls::ServerOptions with_identity() const {
        tls::ServerOptions server_options;
        server_options.identity = authority.issue({.names = "DNS:palette.test"});
        return server_options;
    }

    // The error of a connection, or none.
    std::optional<Error> connect() {
        auto route = impl::net::route_of(options).value();
        auto sessions = std::make_unique<impl::net::Sessions>();
        auto context_of_tls = impl::net::make_tls_context(options.tls).value();
        impl::net::Connector connector(options, std::move(route), std::move(context_of_tls),
                                       std::move(sessions),
                                       [this](const std::string& host) -> impl::net::LookupAnswer {
                                           asked.push_back(host);
                                           return found;
                                       });
        ExchangeReport report;
        std::optional<Result<std::unique_ptr<impl::net::Stream>>> stream;
        asio::co_spawn(context, keep(connector.connect(report), stream), asio::detached);
        context.restart();
        context.run();
        REQUIRE(stream);
        if (*stream) return std::nullopt;
        return stream->error();
    }
};

TEST_CASE_FIXTURE(ConnectorScene,
                  "client addresses: a service is found behind a dead address, and is the one") {
    found = {asio::ip::make_address("127.0.0.2"), asio::ip::make_address("127.0.0.1")};
    auto const error = connect();
    if (error) FAIL(*error);
    CHECK(server.seen_when_over(1).front().server_name == "palette.test");
    CHECK(asked == std::vector<std::string>{"palette.test"});
}

TEST_CASE_FIXTURE(ConnectorScene, "client addresses: of a proxy every address has its chance too") {
    options.proxy.url = "http://proxy.test:" + std::to_string(server.port());
    found = {asio::ip::make_address("127.0.0.3"), asio::ip::make_address("127.0.0.2")};
    auto const error = connect();
    REQUIRE(error);
    CHECK(error->code() == errc::transport);
    CHECK(error->what() ==
          "cannot connect to the proxy proxy.test:" + std::to_string(server.port()) + ": Connection refused");
    // The service's name is for the proxy to look up.
    CHECK(asked == std::vector<std::string>{"proxy.test"});
}

TEST_CASE_FIXTURE(ConnectorScene, "client addresses: a proxy that cannot be found is named as the proxy") {
    options.proxy.url = "http://proxy.test:3128";
    found.clear();
    auto const error = connect();
    REQUIRE(error);
    CHECK(error->code() == errc::transport);
    CHECK(error->what() ==
          "no way to the proxy proxy.test:3128: cannot look up \"proxy.test\": it has no address");
}

}  // namespace addresses_test
