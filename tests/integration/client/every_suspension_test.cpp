// SPDX-License-Identifier: BSL-1.0
#include "support/connect_proxy.hpp"
#include "support/counting_executor.hpp"
#include "support/known_names.hpp"
#include "support/watched.hpp"

#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>
#include <palette/client.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <iomanip>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>

// Every operation, cancelled at each of the points at which it lets others run.

namespace every_suspension_test {

using namespace std::chrono_literals;
using namespace palette;
namespace asio = boost::asio;
using asio::cancellation_type;
using support::Watched;
using testing::Emulator;
using testing::Role;

struct Way {
    bool is_tls;
    bool is_reused;   // the connection
    bool is_wrapped;  // by an executor of the user's own; else the context's
    cancellation_type type = cancellation_type::terminal;
};

// What it is about.
const std::string lost_nonce(32, 'a');
const std::string lost_mark = lost_nonce + "-1";

// What the create that lost a key has left; of the emulator that was prepared last.
PendingCreate& lost_create() {
    static PendingCreate pending(lost_nonce, "to work on", "", Identity(), Instant(), {1});
    return pending;
}

enum class Subject { nothing, active_key, revoked_key, lost_key, user };

using Proxy = std::optional<proxying::ConnectProxy>;

struct Operation {
    const char* name;
    Subject subject;
    // `id`: the uid of the key, or the e-mail address of the user.
    void (*start)(ApiKeyClient&, const std::string& id, Watched<>&);
    // Whether it has been applied to the key, which is null if it is gone.
    bool (*is_applied)(const ApiKey* key) = nullptr;
    void (*set_up)(const Emulator&, ClientOptions&, Proxy&) = nullptr;
    bool needs_tls = false;
};

bool is_renamed(const ApiKey* key) {
    return key != nullptr && key->name == "renamed";
}
bool is_renewed(const ApiKey* key) {
    return key != nullptr && !key->expiry.is_never();
}
bool is_on(const ApiKey* key) {
    return key != nullptr && key->is_active;
}
bool is_off(const ApiKey* key) {
    return key != nullptr && !key->is_active;
}
bool is_gone(const ApiKey* key) {
    return key == nullptr;
}

using Client = ApiKeyClient;
using Id = const std::string;

void list(Client& client, Id&, Watched<>& watched) {
    client.async_list(watched.handler());
}
void whoami(Client& client, Id&, Watched<>& watched) {
    client.async_whoami(watched.handler());
}

void log_in(const Emulator& emulator, ClientOptions& options, Proxy&) {
    auto const& user = emulator.user(Role::tenant_admin);
    options.auth = auth::login(auth::LoginOptions(user.email, Secret(user.password.expose())));
}
// Of a proxy: the emulator itself is known by no other name than localhost, which is not looked up.
void by_name(const Emulator& emulator, ClientOptions& options, Proxy& proxy) {
    proxying::ProxyOptions to_emulator;
    to_emulator.target = emulator.port();
    proxy.emplace(to_emulator);
    options.proxy.url = "http://" + known_names::here + ":" + std::to_string(proxy->port());
}
// The key is another user's, which is found out first.
void without_uid(const Emulator& emulator, ClientOptions& options, Proxy&) {
    options.auth = auth::api_key(Secret(emulator.user(Role::tenant_user_admin).api_key.expose()));
}
void one_at_a_time(const Emulator&, ClientOptions& options, Proxy&) {
    options.rate_limit = {.per_second = 200, .burst = 1};
}

const Operation operations[] = {
    {"list of two pages", Subject::nothing, list},
    {"find", Subject::nothing, [](Client& c, Id&, Watched<>& w) { c.async_find("a", w.handler()); }},
    {"get", Subject::active_key, [](Client& c, Id& id, Watched<>& w) { c.async_get(id, w.handler()); }},
    {"create", Subject::nothing,
     [](Client& c, Id&, Watched<>& w) { c.async_create(NewApiKey("a"), w.handler()); }},
    {"update", Subject::active_key,
     [](Client& c, Id& id, Watched<>& w) { c.async_update(id, ApiKeyEdit().name("renamed"), w.handler()); },
     is_renamed},
    {"renew", Subject::active_key,
     [](Client& c, Id& id, Watched<>& w) {
         c.async_renew(id, std::chrono::hours{1}, ChangeOptions().allow_shorter(), w.handler());
     },
     is_renewed},
    {"revoke", Subject::active_key, [](Client& c, Id& id, Watched<>& w) { c.async_revoke(id, w.handler()); },
     is_off},
    {"revoke and verify", Subject::active_key,
     [](Client& c, Id& id, Watched<>& w) { c.async_revoke(id, ChangeOptions().verify(), w.handler()); },
     is_off},
    {"reactivate", Subject::revoked_key,
     [](Client& c, Id& id, Watched<>& w) { c.async_reactivate(id, w.handler()); }, is_on},
    {"set_active", Subject::revoked_key,
     [](Client& c, Id& id, Watched<>& w) { c.async_set_active(id, true, w.handler()); }, is_on},
    {"remove", Subject::active_key, [](Client& c, Id& id, Watched<>& w) { c.async_remove(id, w.handler()); },
     is_gone},
    {"remove and verify", Subject::active_key,
     [](Client& c, Id& id, Watched<>& w) { c.async_remove(id, ChangeOptions().verify(), w.handler()); },
     is_gone},
    {"reconcile", Subject::lost_key,
     [](Client& c, Id&, Watched<>& w) { c.async_reconcile(lost_create(), w.handler()); }, is_gone},
    {"whoami", Subject::nothing, whoami},
    {"whoami after a login", Subject::nothing, whoami, nullptr, log_in},
    {"whoami by a proxy that is looked up", Subject::nothing, whoami, nullptr, by_name, true},
    {"whoami that waits for the rate limit", Subject::nothing, whoami, nullptr, one_at_a_time},
    {"find_user", Subject::user, [](Client& c, Id& id, Watched<>& w) { c.async_find_user(id, w.handler()); }},
    {"list_users", Subject::nothing, [](Client& c, Id&, Watched<>& w) { c.async_list_users(w.handler()); }},
    {"list_audit_events", Subject::nothing,
     [](Client& c, Id&, Watched<>& w) { c.async_list_audit_events(AuditEventFilter(), w.handler()); }},
    {"key_limit", Subject::nothing, [](Client& c, Id&, Watched<>& w) { c.async_key_limit(w.handler()); }},
    {"visit of two pages", Subject::nothing,
     [](Client& c, Id&, Watched<>& w) {
         c.async_visit(ListFilter(), [](ApiKey&&) { return Result<void>(); }, w.handler());
     }},
    {"remove of what may be its own key", Subject::active_key,
     [](Client& c, Id& id, Watched<>& w) { c.async_remove(id, w.handler()); }, is_gone, without_uid},
};

const Operation& operation_of(std::string_view name) {
    return *std::ranges::find(operations, name, [](const Operation& o) { return std::string_view(o.name); });
}

// A service, with what one operation needs of it each time.
class Service {
public:
    Service(const Way& way, const Operation& operation)
        : emulator({.plain_http = !way.is_tls, .quota = 10'000, .rate_limit = testing::RateLimit::off()}),
          options(emulator.client_options(Role::tenant_admin)),
          operation_(operation),
          preparing_(options) {
        answer_at_once();
        options.rate_limit = RateLimitOptions::off();
        if (operation.set_up != nullptr) operation.set_up(emulator, options, proxy_);
    }

    void answer_at_once() {
        emulator.faults().clear();
        emulator.faults().add("GET /v1/apiKeys page:2");
    }
    void let_wait() { emulator.faults().add("* / delay:10"); }

    // What the operation is about.
    std::string prepare() {
        if (operation_.subject == Subject::nothing) return {};
        if (operation_.subject == Subject::user) return emulator.user(Role::tenant_viewer).email;
        auto key = NewApiKey("to work on").expires(Expiry::never());
        if (operation_.subject == Subject::lost_key) {
            // Those that it did not come to delete the last time.
            Identity by;
            by.user_uid = emulator.user(Role::tenant_admin).uid;
            by.tenant_uid = emulator.tenant_uid();
            lost_create() = PendingCreate::of_nonce(lost_nonce, "to work on", by).value();
            REQUIRE(preparing_.reconcile(lost_create()));
            key.annotate("palette-keys-create", lost_mark);
        }
        auto const uid = emulator.seed_key(key).uid();
        if (operation_.subject == Subject::revoked_key) preparing_.revoke(uid).value();
        return uid;
    }

    void check_effect(const Watched<>& watched, const std::string& uid) const {
        if (operation_.is_applied == nullptr) return;
        auto const keys = emulator.keys();
        auto const found = std::ranges::find(keys, uid, &ApiKey::uid);
        bool const is_applied = operation_.is_applied(found == keys.end() ? nullptr : &*found);
        if (watched.is_good() || watched.effect() == Effect::applied) CHECK(is_applied);
        if (!watched.is_good() && watched.effect() == Effect::not_applied) CHECK_FALSE(is_applied);
    }

    void check_all_closed() {
        preparing_.close().value();
        auto const latest = std::chrono::steady_clock::now() + 10s;
        while (emulator.connections() > 0 && std::chrono::steady_clock::now() < latest)
            std::this_thread::sleep_for(1ms);
        CHECK(emulator.connections() == 0);
    }

    Emulator emulator;
    ClientOptions options;

private:
    const Operation& operation_;
    Proxy proxy_;
    BlockingApiKeyClient preparing_;
};

// A client on a context that runs in steps.
class Scene {
public:
    Scene(const Way& way, const Service& service)
        : way_(way),
          client_(std::make_optional<ApiKeyClient>(executor(), service.options)) {}

    ApiKeyClient& client() { return *client_; }

    // Runs until it is over; calls `at` when that many handlers have run before, if it comes to that. Returns
    // how many have run when it is over.
    std::size_t run(const Watched<>& watched, std::size_t point, const std::function<void()>& at) {
        std::optional<std::size_t> whole;
        auto const reach = [&](std::size_t count) {
            if (watched.has_ended() && !whole) whole = count;
            if (count == point && !whole) at();
        };
        std::size_t count = 0;
        reach(0);
        auto const before = ledger_.executed.load();
        if (way_.is_wrapped) ledger_.after_each = [&](std::size_t all) { reach(all - before); };
        auto const latest = std::chrono::steady_clock::now() + 20s;
        while (!watched.has_ended()) {
            if (std::chrono::steady_clock::now() > latest) FAIL("it does not come to its end");
            if (run_one(100ms) && !way_.is_wrapped) reach(++count);
        }
        ledger_.after_each = nullptr;
        return whole.value_or(0);
    }
    void run(const Watched<>& watched) {
        run(watched, 1, [] {});
    }

    // When nothing is left that is to be run, there is nothing left that is waited for, either.
    void check_it_ends() {
        client_.reset();
        context_.restart();
        context_.run_for(20s);
        CHECK(context_.stopped());
        CHECK(ledger_.alive == 0);
    }

    // Runs what can be run at once.
    void settle() {
        context_.restart();
        context_.poll();
    }

    [[nodiscard]] std::size_t executed() const { return ledger_.executed; }

private:
    asio::any_io_executor executor() {
        if (way_.is_wrapped) return CountingExecutor(context_.get_executor(), ledger_);
        return context_.get_executor();
    }

    bool run_one(std::chrono::milliseconds at_most) {
        if (context_.stopped()) context_.restart();
        return context_.run_one_for(at_most) == 1;
    }

    Way way_;
    ExecutorLedger ledger_;
    asio::io_context context_;
    std::optional<ApiKeyClient> client_;
};

// What came of one operation at all of its points.
struct Sums {
    std::size_t points = 0;
    std::size_t aborted = 0;
    std::size_t too_late = 0;  // the most handlers that ran after a cancellation in vain
    std::size_t applied = 0;
    std::size_t unknown = 0;

    // `after`: so many handlers ran after the cancellation.
    void count(const Watched<>& watched, bool is_cancelled, std::size_t after) {
        if (watched.is_aborted()) ++aborted;
        if (watched.is_good() && is_cancelled) too_late = std::max(too_late, after);
        if (watched.is_good() || watched.effect() == Effect::applied)
            ++applied;
        else if (watched.effect() == Effect::unknown)
            ++unknown;
    }
};

// Whether it got to that point, and was cancelled there.
bool cancel_at(std::size_t point, const Way& way, const Operation& operation, Service& service, Sums& sums) {
    CAPTURE(point);
    auto const id = service.prepare();
    Scene scene(way, service);
    if (way.is_reused) {
        Watched<> first;
        scene.client().async_whoami(first.handler());
        scene.run(first);
        REQUIRE(first.is_good());
        scene.settle();
    }
    Watched<> watched;
    bool is_cancelled = false;
    // With the one, answers are waited for when the signal comes; with the other, the two race.
    if (way.is_wrapped) service.let_wait();
    operation.start(scene.client(), id, watched);
    auto const whole = scene.run(watched, point, [&] {
        is_cancelled = true;
        watched.cancel(way.type);
    });
    CHECK((watched.is_good() || (is_cancelled && watched.is_aborted())));
    service.check_effect(watched, id);
    sums.count(watched, is_cancelled, whole - point);

    service.answer_at_once();
    Watched<> next;
    scene.client().async_whoami(next.handler());
    scene.run(next);
    CHECK(next.is_good());
    scene.check_it_ends();
    CHECK(watched.completions() == 1);
    CHECK(watched.is_let_go());
    CHECK(next.is_let_go());
    if (way.is_wrapped) CHECK(scene.executed() > 0);
    return is_cancelled;
}

Sums cancel_everywhere(const Way& way, const Operation& operation) {
    CAPTURE(std::string(operation.name));
    CAPTURE(way.is_wrapped);
    CAPTURE(static_cast<int>(way.type));
    bool const is_create = std::string_view(operation.name) == "create";
    Service service(way, operation);
    Sums sums;
    auto const keys_before = service.emulator.keys().size();
    // What comes from the network in one piece may come in two the next time.
    for (std::size_t point = 0, whole = 0; whole < 3; ++point) {
        REQUIRE(point < 1'000);
        if (cancel_at(point, way, operation, service, sums)) {
            sums.points = point + 1;
            whole = 0;
        } else {
            ++whole;
        }
    }
    service.check_all_closed();
    CHECK(sums.points > 0);
    // It is too late in the last handlers, when nothing is waited for any more; with `total`, soon for every
    // change. They are counted from the cancellation to the end of the same run: the next run may have one
    // handler more or less (a turn of the rate limit that has come already, an answer in two pieces), so that
    // the points of all runs that were too late say nothing.
    if (way.is_wrapped && way.type != cancellation_type::total && !is_create) CHECK(sums.too_late <= 3);
    if (is_create) {
        auto const made = service.emulator.keys().size() - keys_before;
        CHECK(made >= sums.applied);
        CHECK(made <= sums.applied + sums.unknown);
    }
    return sums;
}

void check_all_operations(bool is_tls, bool is_reused) {
    std::ostringstream table;
    auto const lookups_before = known_names::lookups_of_here();
    for (auto const& operation : operations) {
        if (operation.needs_tls && !is_tls) continue;
        auto const wrapped = cancel_everywhere({is_tls, is_reused, true}, operation);
        auto const bare = cancel_everywhere({is_tls, is_reused, false}, operation);
        table << '\n'
              << std::left << std::setw(40) << operation.name << wrapped.points << " points, "
              << wrapped.aborted << " aborted; on the bare context " << bare.points << ", " << bare.aborted;
    }
    MESSAGE(table.str());
    if (is_tls) CHECK(known_names::lookups_of_here() > lookups_before);
}

TEST_CASE("client suspension points: cancelled at each, on a fresh connection of plain HTTP") {
    check_all_operations(false, false);
}

TEST_CASE("client suspension points: cancelled at each, on a reused connection of plain HTTP") {
    check_all_operations(false, true);
}

TEST_CASE("client suspension points: cancelled at each, on a fresh connection of TLS") {
    check_all_operations(true, false);
}

TEST_CASE("client suspension points: cancelled at each, on a reused connection of TLS") {
    check_all_operations(true, true);
}

TEST_CASE("client suspension points: cancelled at each, with the milder types of cancellation") {
    for (auto const* const name : {"list of two pages", "create", "update", "remove and verify"})
        for (auto const type : {cancellation_type::partial, cancellation_type::total})
            for (bool const is_reused : {false, true})
                cancel_everywhere({true, is_reused, true, type}, operation_of(name));
}

}  // namespace every_suspension_test
