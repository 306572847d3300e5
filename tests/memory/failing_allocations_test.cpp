// SPDX-License-Identifier: BSL-1.0
#include "support/failing_allocations.hpp"
#include "support/connect_proxy.hpp"
#include "support/known_names.hpp"

#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>
#include <palette/client.hpp>
#include <palette/observer.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>

// Every operation, with each of its allocations failing in turn.

namespace failing_allocations_test {

using namespace std::chrono_literals;
using namespace palette;
namespace asio = boost::asio;
using testing::Emulator;
using testing::Role;

// How one operation ended.
struct Ending {
    int completions = 0;
    bool has_thrown = false;  // in the function that starts it: then it has not begun
    bool is_good = false;
    std::optional<Error> error;

    template <class T>
    void note(const Result<T>& result) {
        failing::Spared const of_the_test;
        ++completions;
        is_good = result.has_value();
        if (!result) error = result.error();
    }
};

const std::string lost_nonce(32, 'a');

// The name of each, how it is started with a token, and how a thread waits for it.
struct List {
    static constexpr auto name = "list of two pages";
    template <class Token>
    static auto start(ApiKeyClient& client, const std::string&, Token&& token) {
        return client.async_list(std::forward<Token>(token));
    }
    static auto wait(BlockingApiKeyClient& client, const std::string&) { return client.list(); }
};
struct Get {
    static constexpr auto name = "get";
    template <class Token>
    static auto start(ApiKeyClient& client, const std::string& uid, Token&& token) {
        return client.async_get(uid, std::forward<Token>(token));
    }
    static auto wait(BlockingApiKeyClient& client, const std::string& uid) { return client.get(uid); }
};
struct Create {
    static constexpr auto name = "create";
    template <class Token>
    static auto start(ApiKeyClient& client, const std::string&, Token&& token) {
        return client.async_create(NewApiKey("made"), std::forward<Token>(token));
    }
    static auto wait(BlockingApiKeyClient& client, const std::string&) {
        return client.create(NewApiKey("made"));
    }
};
struct Reconcile {
    static constexpr auto name = "reconcile";
    template <class Token>
    static auto start(ApiKeyClient& client, const std::string&, Token&& token) {
        return client.async_reconcile(pending(), std::forward<Token>(token));
    }
    static auto wait(BlockingApiKeyClient& client, const std::string&) { return client.reconcile(pending()); }
    static PendingCreate pending() { return PendingCreate::of_nonce(lost_nonce, "to work on", by).value(); }
    static inline Identity by;
};
struct Update {
    static constexpr auto name = "update";
    template <class Token>
    static auto start(ApiKeyClient& client, const std::string& uid, Token&& token) {
        return client.async_update(uid, ApiKeyEdit().name("renamed"), std::forward<Token>(token));
    }
    static auto wait(BlockingApiKeyClient& client, const std::string& uid) {
        return client.update(uid, ApiKeyEdit().name("renamed"));
    }
};
struct Renew {
    static constexpr auto name = "renew";
    template <class Token>
    static auto start(ApiKeyClient& client, const std::string& uid, Token&& token) {
        return client.async_renew(uid, 24h * 30, std::forward<Token>(token));
    }
    static auto wait(BlockingApiKeyClient& client, const std::string& uid) {
        return client.renew(uid, 24h * 30);
    }
};
struct Revoke {
    static constexpr auto name = "revoke and verify";
    template <class Token>
    static auto start(ApiKeyClient& client, const std::string& uid, Token&& token) {
        return client.async_revoke(uid, ChangeOptions().verify(), std::forward<Token>(token));
    }
    static auto wait(BlockingApiKeyClient& client, const std::string& uid) {
        return client.revoke(uid, ChangeOptions().verify());
    }
};
struct SetActive {
    static constexpr auto name = "set_active";
    template <class Token>
    static auto start(ApiKeyClient& client, const std::string& uid, Token&& token) {
        return client.async_set_active(uid, false, std::forward<Token>(token));
    }
    static auto wait(BlockingApiKeyClient& client, const std::string& uid) {
        return client.set_active(uid, false);
    }
};
struct Remove {
    static constexpr auto name = "remove and verify";
    template <class Token>
    static auto start(ApiKeyClient& client, const std::string& uid, Token&& token) {
        return client.async_remove(uid, ChangeOptions().verify(), std::forward<Token>(token));
    }
    static auto wait(BlockingApiKeyClient& client, const std::string& uid) {
        return client.remove(uid, ChangeOptions().verify());
    }
};
struct WhoAmI {
    static constexpr auto name = "whoami";
    template <class Token>
    static auto start(ApiKeyClient& client, const std::string&, Token&& token) {
        return client.async_whoami(std::forward<Token>(token));
    }
    static auto wait(BlockingApiKeyClient& client, const std::string&) { return client.whoami(); }
};
struct FindUser {
    static constexpr auto name = "find_user";
    template <class Token>
    static auto start(ApiKeyClient& client, const std::string&, Token&& token) {
        return client.async_find_user("viewer@acme.test", std::forward<Token>(token));
    }
    static auto wait(BlockingApiKeyClient& client, const std::string&) {
        return client.find_user("viewer@acme.test");
    }
};

struct ListUsers {
    static constexpr auto name = "list_users";
    template <class Token>
    static auto start(ApiKeyClient& client, const std::string&, Token&& token) {
        return client.async_list_users(std::forward<Token>(token));
    }
    static auto wait(BlockingApiKeyClient& client, const std::string&) { return client.list_users(); }
};
struct TellLimit {
    static constexpr auto name = "key_limit";
    template <class Token>
    static auto start(ApiKeyClient& client, const std::string&, Token&& token) {
        return client.async_key_limit(std::forward<Token>(token));
    }
    static auto wait(BlockingApiKeyClient& client, const std::string&) { return client.key_limit(); }
};
struct VisitKeys {
    static constexpr auto name = "visit";
    static Result<void> ignore(ApiKey&& /*key*/) { return {}; }
    template <class Token>
    static auto start(ApiKeyClient& client, const std::string&, Token&& token) {
        return client.async_visit(ListFilter(), &ignore, std::forward<Token>(token));
    }
    static auto wait(BlockingApiKeyClient& client, const std::string&) {
        return client.visit(ListFilter(), &ignore);
    }
};

// What is under way, as a gauge shows it.
struct InFlight final : Observer {
    void on_operation_start(const OperationEvent& event) noexcept override {
        CHECK(event.operation_id != last_started);
        last_started = event.operation_id;
        ++operations;
    }
    void on_operation(const OperationEvent& event) noexcept override {
        CHECK(event.operation_id == last_started);
        --operations;
    }
    void on_attempt_start(const AttemptEvent&) noexcept override { ++attempts; }
    void on_attempt(const AttemptEvent&) noexcept override { --attempts; }
    void check_none() {
        CHECK(std::exchange(operations, 0) == 0);
        CHECK(std::exchange(attempts, 0) == 0);
    }
    std::uint64_t last_started = 0;
    int operations = 0;
    int attempts = 0;
};

// How the client reaches the service.
struct Way {
    const char* name;
    bool is_tls = false;
    bool logs_in = false;
    bool looks_up = false;
    bool waits_for_limit = false;
};

class Service {
public:
    explicit Service(const Way& way)
        : emulator({.plain_http = !way.is_tls, .quota = 100'000, .rate_limit = testing::RateLimit::off()}),
          options(emulator.client_options(Role::tenant_admin)) {
        emulator.faults().add("GET /v1/apiKeys page:2");
        options.pool.max_connections = 1;
        options.rate_limit = RateLimitOptions::off();
        // What Asio cannot tell that a connection is open, for want of memory, ends by this.
        options.timeouts.connect = 1s;
        options.retry.settle_time = 20ms;
        options.retry.initial_backoff = options.retry.max_backoff =
            1ms;  // after a connection that could not be opened
        if (way.logs_in) {
            auto const& user = emulator.user(Role::tenant_admin);
            options.auth = auth::login(auth::LoginOptions(user.email, Secret(user.password.expose())));
        }
        if (way.looks_up) {
            proxying::ProxyOptions to_emulator;
            to_emulator.target = emulator.port();
            proxy_.emplace(to_emulator);
            options.proxy.url = proxy_->url();
            // Its thread is there, and spared, once it has answered; that of a lookup is not to be.
            static_cast<void>(BlockingApiKeyClient(unlimited(options)).whoami().value());
            options.proxy.url = "http://" + known_names::here + ":" + std::to_string(proxy_->port());
        }
        if (way.waits_for_limit) options.rate_limit = {.per_second = 1'000, .burst = 1};
        options.observer = in_flight;
        // Its threads are there, and spared, once it has answered.
        Reconcile::by = cleaner_.whoami().value();
        spares_new_threads_.reset();
    }

    // A new key for an operation; its service has few, whatever came before.
    std::string prepare() {
        if (++prepared_ % 50 == 1)
            for (auto const& key : emulator.keys())
                if (key.name == "to work on" || key.name == "renamed" || key.name == "made")
                    static_cast<void>(cleaner_.remove(key.uid));
        auto const mark = lost_nonce + "-1";
        emulator.seed_key(
            NewApiKey("to work on").expires(Expiry::never()).annotate("palette-keys-create", mark));
        return emulator.seed_key(NewApiKey("to work on").expires(Expiry::in(24h))).uid();
    }
    [[nodiscard]] std::ptrdiff_t keys_named(const std::string& name) const {
        return std::ranges::count(emulator.keys(), name, &ApiKey::name);
    }

private:
    static ClientOptions unlimited(ClientOptions options) {
        options.rate_limit = RateLimitOptions::off();
        return options;
    }

    std::optional<failing::NewThreadsSpared> spares_new_threads_{std::in_place};
    std::optional<proxying::ConnectProxy> proxy_;
    int prepared_ = 0;

public:
    Emulator emulator;
    ClientOptions options;
    std::shared_ptr<InFlight> in_flight = std::make_shared<InFlight>();

private:
    BlockingApiKeyClient cleaner_{unlimited(emulator.client_options(Role::tenant_admin))};
};

// Runs until there is nothing to do. Memory that runs out within Asio leaves run(), which is called again.
void run(asio::io_context& context) {
    context.restart();
    auto const latest = std::chrono::steady_clock::now() + 20s;
    while (!context.stopped()) {
        if (std::chrono::steady_clock::now() > latest) FAIL("it does not come to its end");
        try {
            context.run_for(10s);
        } catch (const std::bad_alloc&) {
        }
    }
}

template <class Operation>
asio::awaitable<void> await(ApiKeyClient& client, const std::string& uid, Ending& ending) {
    try {
        ending.note(co_await Operation::start(client, uid, asio::use_awaitable));
    } catch (const std::bad_alloc&) {
        ending.has_thrown = true;
    }
}

// What all operations and ways of calling have in common.
template <class Operation>
void check(const Service& service, const Ending& ending, std::ptrdiff_t made_before) {
    CHECK(ending.completions + (ending.has_thrown ? 1 : 0) == 1);
    CHECK((ending.is_good || failing::has_failed()));
    if (!ending.error) return;
    CAPTURE(ending.error->message());
    CHECK(ending.error->code() == errc::out_of_memory);
    // Whoever asked for a key knows that it may exist.
    if (service.keys_named("made") > made_before) CHECK(ending.error->pending() != nullptr);
}

template <class Operation>
void fail_each_with_token(const Way& way, bool is_awaited) {
    CAPTURE(std::string(Operation::name));
    CAPTURE(std::string(way.name));
    CAPTURE(is_awaited);
    Service service(way);
    std::size_t nth = 1;
    for (bool has_failed = true; has_failed; ++nth) {
        CAPTURE(nth);
        auto const uid = service.prepare();
        auto const made_before = service.keys_named("made");
        asio::io_context context(1);
        ApiKeyClient client(context, service.options);
        Ending ending;
        if (is_awaited) asio::co_spawn(context, await<Operation>(client, uid, ending), asio::detached);
        failing::arm(nth);
        try {
            if (!is_awaited) Operation::start(client, uid, [&](const auto& result) { ending.note(result); });
        } catch (const std::bad_alloc&) {
            ending.has_thrown = true;
        }
        run(context);
        failing::disarm();
        has_failed = failing::has_failed();
        check<Operation>(service, ending, made_before);
        service.in_flight->check_none();

        // The one connection has its place, and no call is left behind.
        bool works = false;
        bool is_closed = false;
        client.async_whoami([&](const Result<Identity>& identity) { works = identity.has_value(); });
        run(context);
        client.async_close([&](const Result<void>& closed) { is_closed = closed.has_value(); });
        run(context);
        CHECK(works);
        CHECK(is_closed);
    }
    MESSAGE(std::string(Operation::name), ", ", std::string(way.name),
            std::string(is_awaited ? ", awaited: " : ", with a callback: "), nth - 2, " allocations");
    CHECK(nth > 20);
}

template <class Operation>
void fail_each_blocking(const Way& way) {
    CAPTURE(std::string(Operation::name));
    CAPTURE(std::string(way.name));
    Service service(way);
    std::size_t nth = 1;
    for (bool has_failed = true; has_failed; ++nth) {
        CAPTURE(nth);
        auto const uid = service.prepare();
        auto const made_before = service.keys_named("made");
        BlockingApiKeyClient client(service.options);
        Ending ending;
        failing::arm(nth);
        try {
            ending.note(Operation::wait(client, uid));
        } catch (const std::bad_alloc&) {
            ending.has_thrown = true;
        }
        failing::disarm();
        has_failed = failing::has_failed();
        check<Operation>(service, ending, made_before);
        CHECK(client.whoami().has_value());
        CHECK(client.close().has_value());
        service.in_flight->check_none();
    }
    MESSAGE(std::string(Operation::name), ", ", std::string(way.name), ", blocking: ", nth - 2,
            " allocations");
    CHECK(nth > 20);
}

template <class... Operations>
struct Every {
    static void with_callback(const Way& way) { (fail_each_with_token<Operations>(way, false), ...); }
    static void awaited(const Way& way) { (fail_each_with_token<Operations>(way, true), ...); }
    static void blocking(const Way& way) { (fail_each_blocking<Operations>(way), ...); }
};
using All = Every<List, Get, Create, Reconcile, Update, Renew, Revoke, SetActive, Remove, WhoAmI, FindUser,
                  ListUsers, TellLimit, VisitKeys>;

constexpr Way plain{.name = "plain HTTP"};

TEST_CASE("failing allocations: each operation with a callback completes once, whichever allocation fails") {
    All::with_callback(plain);
}

TEST_CASE("failing allocations: each operation that is awaited completes once, whichever allocation fails") {
    All::awaited(plain);
}

TEST_CASE("failing allocations: each blocking operation returns, whichever allocation fails") {
    All::blocking(plain);
}

TEST_CASE("failing allocations: a login, a lookup, a handshake and a wait for the rate limit fail as well") {
    for (auto const& way : {Way{.name = "TLS", .is_tls = true}, Way{.name = "after a login", .logs_in = true},
                            Way{.name = "by a proxy that is looked up", .is_tls = true, .looks_up = true},
                            Way{.name = "under a rate limit", .waits_for_limit = true}}) {
        auto const lookups_before = known_names::lookups_of_here();
        Every<WhoAmI, Create>::with_callback(way);
        Every<WhoAmI>::awaited(way);
        Every<WhoAmI>::blocking(way);
        if (way.looks_up) CHECK(known_names::lookups_of_here() > lookups_before + 100);
    }
}

TEST_CASE("failing allocations: a create that finds no memory while it starts keeps its nonce") {
    Service service(plain);
    auto const failures = failing::fail_each([&](std::size_t nth) {
        CAPTURE(nth);
        service.prepare();
        auto const digits = std::to_string(nth);
        auto const nonce = std::string(32 - digits.size(), 'b') + digits;
        service.in_flight->last_started = 0;  // each client counts from 1
        asio::io_context context(1);
        ApiKeyClient client(context, service.options);
        Ending ending;
        failing::arm(nth);
        try {
            client.async_create(NewApiKey("made"), CreateOptions().nonce(nonce),
                                [&](const Result<CreatedApiKey>& created) { ending.note(created); });
        } catch (const std::bad_alloc&) {
            ending.has_thrown = true;
        }
        run(context);
        failing::disarm();
        if (ending.error) CHECK(ending.error->code() == errc::out_of_memory);
        if (ending.error && ending.error->pending())
            CHECK(ending.error->pending()->to_text().find(nonce) != std::string::npos);
        auto const keys = service.emulator.keys();
        auto const has_mark = [&](const ApiKey& key) {
            return key.annotations["palette-keys-create"].starts_with(nonce);
        };
        if (ending.is_good) CHECK(std::ranges::count_if(keys, has_mark) == 1);
    });
    CHECK(failures > 50);
}

}  // namespace failing_allocations_test
