// SPDX-License-Identifier: BSL-1.0
#include "support/scene.hpp"

#include <palette/auth.hpp>
#include <palette/client.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// What becomes of operations when their client or their context goes, is moved or closed.

namespace lifetime_test {

using namespace std::chrono_literals;
using namespace palette;
namespace asio = boost::asio;
using asio::ip::tcp;
using testing::Emulator;
using testing::Role;

// How operations ended, in that order. Their handlers hold it.
struct Ends {
    std::vector<std::string> all;
    int aborted = 0;
    int good = 0;
};

auto note(const std::shared_ptr<Ends>& ends, std::string name) {
    return [ends, name = std::move(name)](auto const& result) {
        ends->all.push_back(name);
        ends->good += result ? 1 : 0;
        ends->aborted += !result && result.error().code() == errc::operation_aborted ? 1 : 0;
    };
}

struct NeverAnswers : AuthProvider {
    asio::awaitable<Result<std::shared_ptr<const Credential>>> credential(CredentialRequest) override {
        was_asked = true;
        asio::steady_timer never(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
        co_await never.async_wait(asio::as_tuple(asio::use_awaitable));
        co_return Error(errc::auth_provider, "it was cancelled");
    }
    bool was_asked = false;
};

struct LifeScene {
    LifeScene() : options(emulator.client_options(Role::tenant_admin)) {
        options.clock = clock;
        options.rate_limit = RateLimitOptions::off();
    }

    // As soon as something waits for it.
    void let_time_pass(std::chrono::milliseconds time) {
        loop->run_until([&] { return clock->next_wait().value_or(Instant::max()) <= clock->now() + time; });
        loop->settle();
        clock->advance(time);
    }
    void open_client() { client.emplace(loop->context, options); }

    // Three operations, of one step, of two and of three.
    void start_some() {
        start_list();
        start_others();
    }
    void start_list() { client->async_list(note(ends, "list")); }
    void start_others() {
        client->async_remove(emulator.keys().back().uid, ChangeOptions().verify(), note(ends, "remove"));
        client->async_renew(emulator.keys().front().uid, 1h, ChangeOptions().allow_shorter(),
                            note(ends, "renew"));
    }

    std::shared_ptr<testing::ManualClock> clock = std::make_shared<testing::ManualClock>();
    Emulator emulator{{.plain_http = true, .rate_limit = testing::RateLimit::off(), .clock = clock}};
    std::shared_ptr<NeverAnswers> provider = std::make_shared<NeverAnswers>();
    asio::io_context elsewhere;
    tcp::acceptor mute{elsewhere, {asio::ip::address_v4::loopback(), 0}};
    tcp::socket peer{elsewhere};
    ClientOptions options;
    std::shared_ptr<Ends> ends = std::make_shared<Ends>();
    std::optional<support::EventLoop> loop{std::in_place};
    std::optional<ApiKeyClient> client;
};

// Where operations can be, what makes them stay there, and when they are there.
struct Phase {
    const char* name;
    void (*prepare)(LifeScene&);
    bool (*is_reached)(LifeScene&);
    // Where it matters which request the service gets first: when the list has come there.
    bool (*list_has_reached)(LifeScene&) = nullptr;
};

template <std::uint64_t count>
bool has_requests(LifeScene& scene) {
    return scene.emulator.request_count() == count;
}

const Phase phases[] = {
    {"not begun", [](LifeScene&) {}, nullptr},
    {"credential", [](LifeScene& scene) { scene.options.auth = scene.provider; },
     [](LifeScene& scene) { return scene.provider->was_asked; }},
    {"login",
     [](LifeScene& scene) {
         auto const& admin = scene.emulator.user(Role::tenant_admin);
         scene.options.auth = auth::login(auth::LoginOptions(admin.email, Secret(admin.password.expose())));
         scene.emulator.faults().add("POST /v1/auth stall");
     },
     has_requests<1>},
    {"rate limit",
     [](LifeScene& scene) {
         scene.options.rate_limit = {.per_second = 0.1, .burst = 1};
         scene.emulator.faults().add("* / stall");
     },
     has_requests<1>},
    {"connection",
     [](LifeScene& scene) {
         scene.options.pool.max_connections = 1;
         scene.emulator.faults().add("* / stall");
     },
     has_requests<1>},
    {"handshake",
     [](LifeScene& scene) {
         auto const port = std::to_string(scene.mute.local_endpoint().port());
         scene.options.endpoint = Endpoint::parse("https://127.0.0.1:" + port).value();
         scene.mute.non_blocking(true);
     },
     [](LifeScene& scene) {
         boost::system::error_code none_yet;
         if (!scene.peer.is_open()) scene.mute.accept(scene.peer, none_yet);
         return scene.peer.is_open() && scene.peer.available() > 0;
     }},
    {"answer", [](LifeScene& scene) { scene.emulator.faults().add("* / stall"); }, has_requests<3>},
    {"later step",
     [](LifeScene& scene) {
         scene.emulator.faults().add("GET /v1/apiKeys page:1");
         scene.emulator.faults().add("GET /v1/apiKeys/ stall");
         scene.emulator.faults().add("GET /v1/apiKeys stall after=1");
     },
     has_requests<5>, has_requests<2>},
};

void start_in(LifeScene& scene, const Phase& phase) {
    phase.prepare(scene);
    scene.open_client();
    scene.start_list();
    if (phase.list_has_reached != nullptr)
        scene.loop->run_until([&] { return phase.list_has_reached(scene); });
    scene.start_others();
    if (phase.is_reached == nullptr) return;
    scene.loop->run_until([&] { return phase.is_reached(scene); });
    scene.loop->settle();
    REQUIRE(scene.ends->all.empty());
}

TEST_CASE("client lifetime: what is under way in any phase is aborted, once, when the client goes") {
    for (auto const& phase : phases) {
        CAPTURE(std::string(phase.name));
        LifeScene scene;
        start_in(scene, phase);
        scene.client.reset();
        CHECK(scene.ends->all.empty());
        CHECK(scene.loop->runs_out());
        CHECK(scene.ends->all.size() == 3);
        CHECK(scene.ends->aborted == 3);
        CHECK(scene.ends.use_count() == 1);
    }
}

TEST_CASE("client lifetime: nothing completes in any phase when the context goes, and all is given back") {
    for (bool const is_told : {false, true})
        for (auto const& phase : phases) {
            CAPTURE(std::string(phase.name));
            LifeScene scene;
            start_in(scene, phase);
            if (is_told) scene.client->cancel();
            scene.client.reset();
            scene.loop.reset();
            CHECK(scene.ends->all.empty());
            CHECK(scene.ends.use_count() == 1);
        }
}

// `client` is the coroutine's, and goes with it: with its context, in this test.
asio::awaitable<void> own(ApiKeyClient client, std::shared_ptr<Ends> ends) {
    auto const list = co_await client.async_list();
    ends->all.push_back(list ? "list" : "failed");
}

TEST_CASE("client lifetime: a client that a coroutine owns goes with the context") {
    LifeScene scene;
    scene.emulator.faults().add("* / stall");
    scene.open_client();
    asio::co_spawn(scene.loop->context, own(std::move(*scene.client), scene.ends), asio::detached);
    scene.client.reset();
    scene.loop->run_until([&] { return scene.emulator.request_count() == 1; });
    scene.loop.reset();
    CHECK(scene.ends->all.empty());
    CHECK(scene.ends.use_count() == 1);
}

TEST_CASE("client lifetime: a client may go in the handler of its own operation") {
    LifeScene scene;
    scene.open_client();
    scene.client->async_whoami([&](Result<Identity>) { scene.client.reset(); });
    scene.emulator.faults().add("GET /v1/apiKeys stall");
    scene.client->async_list(note(scene.ends, "list"));
    CHECK(scene.loop->runs_out());
    CHECK(scene.ends->aborted == 1);
}

TEST_CASE("client lifetime: a context ends although connections are idle") {
    LifeScene scene;
    scene.open_client();
    scene.start_some();
    CHECK(scene.loop->runs_out());
    CHECK(scene.ends->good == 3);
    CHECK(scene.emulator.connections() > 0);
}

TEST_CASE("client lifetime: operations go on when their client is moved") {
    LifeScene scene;
    scene.emulator.faults().add("* / delay:1000");
    scene.open_client();
    scene.client->async_list(note(scene.ends, "list"));
    ApiKeyClient second(std::move(*scene.client));
    scene.client.reset();
    scene.loop->run_until([&] { return scene.emulator.request_count() == 1; });
    ApiKeyClient third(std::move(second));
    scene.let_time_pass(1s);
    scene.loop->run_until([&] { return scene.ends->good == 1; });
    CHECK(third.get_executor() == scene.loop->context.get_executor());
}

TEST_CASE("client lifetime: what another client is moved over is aborted, and what that one does goes on") {
    LifeScene scene;
    scene.emulator.faults().add("* / delay:1000");
    ApiKeyClient kept(scene.loop->context, scene.options);
    scene.open_client();
    scene.start_some();
    auto const kept_ends = std::make_shared<Ends>();
    kept.async_list(note(kept_ends, "list"));
    scene.loop->run_until([&] { return scene.emulator.request_count() == 4; });
    *scene.client = std::move(kept);
    scene.loop->run_until([&] { return scene.ends->all.size() == 3; });
    CHECK(scene.ends->aborted == 3);
    scene.loop->settle();
    CHECK(kept_ends->all.empty());
    scene.emulator.faults().clear();
    scene.client->async_whoami(note(scene.ends, "whoami"));
    scene.loop->run_until([&] { return scene.ends->good == 1; });
    scene.let_time_pass(1s);
    scene.loop->run_until([&] { return kept_ends->good == 1; });
}

TEST_CASE("client lifetime: closing waits for what is under way, and takes nothing new") {
    LifeScene scene;
    scene.options.pool.max_connections = 1;
    scene.options.rate_limit = {.per_second = 0.01, .burst = 2.5};
    scene.emulator.faults().add("* / delay:1000");
    scene.open_client();
    // The first waits for an answer, the second for the connection, the third for the rate limit.
    scene.client->async_list(note(scene.ends, "first"));
    scene.client->async_list(note(scene.ends, "second"));
    scene.client->async_list(note(scene.ends, "third"));
    scene.loop->run_until([&] { return scene.emulator.request_count() == 1; });
    scene.client->async_close(note(scene.ends, "close"));
    scene.client->async_list(note(scene.ends, "late"));
    scene.loop->run_until([&] { return scene.ends->aborted == 1; });
    scene.let_time_pass(1s);
    scene.loop->run_until([&] { return scene.emulator.request_count() == 2; });
    scene.loop->settle();
    CHECK(scene.ends->all == std::vector<std::string>{"late", "first"});
    scene.let_time_pass(1s);
    scene.loop->run_until([&] { return scene.ends->all.size() == 3; });
    scene.let_time_pass(100s);
    scene.loop->run_until([&] { return scene.emulator.request_count() == 3; });
    scene.loop->settle();
    CHECK(scene.ends->all == std::vector<std::string>{"late", "first", "second"});
    scene.let_time_pass(1s);
    CHECK(scene.loop->runs_out());
    CHECK(scene.ends->all == std::vector<std::string>{"late", "first", "second", "third", "close"});
    CHECK(scene.ends->good == 4);
    scene.loop->run_until([&] { return scene.emulator.connections() == 0; });
}

TEST_CASE("client lifetime: closing waits longer than a queue may, and more than one may wait") {
    LifeScene scene;
    scene.emulator.faults().add("* / delay:600000");
    scene.open_client();
    scene.client->async_list(ListFilter(), CallOptions().deadline(1h), note(scene.ends, "list"));
    scene.loop->run_until([&] { return scene.emulator.request_count() == 1; });
    scene.client->async_close(note(scene.ends, "close"));
    scene.client->async_close(note(scene.ends, "close"));
    scene.loop->run_until([&] { return scene.clock->next_wait() == scene.clock->now() + 10min; });
    scene.loop->settle();
    scene.clock->advance(10min - 1ms);
    scene.loop->settle();
    CHECK(scene.ends->all.empty());
    scene.clock->advance(1ms);
    CHECK(scene.loop->runs_out());
    CHECK(scene.ends->all == std::vector<std::string>{"list", "close", "close"});
    CHECK(scene.ends->good == 3);
}

TEST_CASE("client lifetime: a closed client refuses operations, and closes again") {
    LifeScene scene;
    scene.open_client();
    scene.client->async_close(note(scene.ends, "close"));
    CHECK(scene.loop->runs_out());
    scene.start_some();
    CHECK(scene.loop->runs_out());
    CHECK(scene.ends->good == 1);
    CHECK(scene.ends->aborted == 3);
    CHECK(scene.emulator.request_count() == 0);
    scene.client->async_close(note(scene.ends, "close"));
    CHECK(scene.loop->runs_out());
    CHECK(scene.ends->good == 2);
}

TEST_CASE("client lifetime: closing can be cancelled while an operation without an end is under way") {
    LifeScene scene;
    scene.emulator.faults().add("* / stall");
    scene.options.timeouts.read = 24h;
    scene.open_client();
    scene.client->async_list(ListFilter(), CallOptions().deadline(24h * 365), note(scene.ends, "list"));
    scene.loop->run_until([&] { return scene.emulator.request_count() == 1; });
    asio::cancellation_signal signal;
    scene.client->async_close(asio::bind_cancellation_slot(signal.slot(), note(scene.ends, "close")));
    scene.loop->settle();
    CHECK(scene.ends->all.empty());
    signal.emit(asio::cancellation_type::total);
    scene.loop->run_until([&] { return !scene.ends->all.empty(); });
    scene.loop->settle();
    CHECK(scene.ends->all == std::vector<std::string>{"close"});
    CHECK(scene.ends->aborted == 1);
    // With the client it ends as well.
    scene.client->async_close(note(scene.ends, "close"));
    scene.loop->settle();
    scene.client.reset();
    CHECK(scene.loop->runs_out());
    CHECK(scene.ends->aborted == 3);
}

}  // namespace lifetime_test
