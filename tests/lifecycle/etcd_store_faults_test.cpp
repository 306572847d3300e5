// SPDX-License-Identifier: BSL-1.0
#include "lifecycle/etcd_scene.hpp"
#include "support/dead_port.hpp"
#include "support/patience.hpp"

#include <palette/blocking_client.hpp>
#include <palette/lifecycle/rotation.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/memory_sink.hpp>

#include <doctest/doctest.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

// A store in etcd when something goes wrong on the way, or in etcd.

namespace etcd_store_faults_test {

using namespace std::chrono_literals;
using namespace palette;
using lifecycle::EtcdOptions;
using What = FakeEtcd::What;
using Fault = FakeEtcd::Fault;
using etcd_paths::authenticate;
using etcd_paths::grant;
using etcd_paths::range;
using etcd_paths::revoke;
using etcd_paths::txn;

const Fault lost{What::drop_after, 0, {}};
const Fault dropped{What::drop_before, 0, {}};
const Fault silent{What::hang, 0, {}};

std::string text(const Error& error) {
    return error.message();
}
template <class T>
std::string text(const Result<T>& result) {
    return result ? std::string("fine") : text(result.error());
}

TEST_CASE("etcd store: a save whose answer was lost is found to be applied, and written once") {
    for (auto const& fault :
         {lost, Fault{What::answer_after, 503, R"({"error":"etcdserver: request timed out"})"},
          Fault{What::answer_after, 504, "<html>"}}) {
        EtcdScene scene;
        auto const before = EtcdScene::save(scene.store, "zero", 0).value();
        scene.etcd.inject(txn, fault);
        auto const saved = EtcdScene::save(scene.store, "one", before);
        INFO(text(saved));
        REQUIRE(saved);
        CHECK(*saved == before + 1);
        CHECK(scene.etcd.entry("/p/ci").value().mod_revision == *saved);
        CHECK(EtcdScene::load(scene.store).value().text == "one");
        CHECK(scene.etcd.count(txn) == 3);
    }
    EtcdScene scene;
    scene.etcd.inject(txn, lost);
    auto const created = EtcdScene::save(scene.store, "first", 0);
    REQUIRE(created);
    CHECK(scene.etcd.entry("/p/ci").value().mod_revision == *created);
}

TEST_CASE("etcd store: a save that did not arrive is sent again") {
    EtcdScene scene;
    scene.etcd.inject(txn, dropped);
    auto const saved = EtcdScene::save(scene.store, "one", 0);
    INFO(text(saved));
    REQUIRE(saved);
    CHECK(EtcdScene::load(scene.store).value().version == *saved);
}

TEST_CASE("etcd store: a save of which nobody knows whether it was applied says so") {
    EtcdScene scene;
    scene.etcd.inject(txn, lost);
    scene.etcd.inject(txn, dropped);
    auto const saved = EtcdScene::save(scene.store, "one", 0);
    REQUIRE_FALSE(saved);
    CHECK(saved.error().code() == errc::transport);
    CHECK(saved.error().effect() == Effect::unknown);
    CHECK(saved.error().path() == "ci");
    CHECK(EtcdScene::load(scene.store).value().text == "one");

    // One of which no byte was sent was certainly not.
    DeadPort const dead(DeadPort::Kind::refusing);
    auto const nowhere = lifecycle::etcd_store(
        {Endpoint::parse("http://127.0.0.1:" + std::to_string(dead.port())).value()}, "/p/");
    auto const unsent = EtcdScene::save(nowhere, "one", 0);
    REQUIRE_FALSE(unsent);
    CHECK(unsent.error().code() == errc::transport);
    CHECK(unsent.error().effect() == Effect::not_applied);
    CHECK(text(unsent).find("http://127.0.0.1:" + std::to_string(dead.port())) != std::string::npos);
}

TEST_CASE("etcd store: a lock whose answer was lost is held nevertheless") {
    EtcdScene scene;
    scene.etcd.inject(txn, lost);
    auto const locked = EtcdScene::lock(scene.store);
    INFO(text(locked));
    CHECK(locked);
    CHECK_FALSE(scene.etcd.entry("/p/ci/lock"));
    CHECK(scene.etcd.leases() == 0);

    // A lease of which nobody learnt ends by itself.
    scene.etcd.inject(grant, lost);
    CHECK(EtcdScene::lock(scene.store));
    CHECK(scene.etcd.leases() == 1);
}

TEST_CASE("etcd store: a lock that was not taken leaves no lease") {
    EtcdScene scene;
    scene.etcd.inject(txn, FakeEtcd::refusal(403, "etcdserver: permission denied"));
    auto const locked = EtcdScene::lock(scene.store);
    REQUIRE_FALSE(locked);
    CHECK(locked.error().code() == errc::forbidden);
    CHECK(scene.etcd.leases() == 0);
}

TEST_CASE(
    "etcd store: the next endpoint is asked when one does not answer, and stays the first from then on") {
    struct Row {
        const char* name;
        std::optional<Fault> fault;
    };
    for (auto const& row : {Row{"dropped", dropped}, Row{"502", Fault{What::answer, 502, "<html>"}},
                            Row{"503", FakeEtcd::refusal(503, "etcdserver: no leader")},
                            Row{"504", Fault{What::answer, 504, ""}}, Row{"silent", silent}}) {
        CAPTURE(row.name);
        FakeEtcd first;
        FakeEtcd second;
        first.inject(range, *row.fault);
        second.put("/p/ci", "x");
        // Only for what is to take longer: an answer may come late on a busy machine.
        auto const is_silent = row.fault->what == What::hang;
        auto const store =
            EtcdScene::make_store({&first, &second}, is_silent ? EtcdOptions().timeout(1s) : EtcdOptions());
        auto const loaded = EtcdScene::load(store);
        REQUIRE_FALSE(loaded);
        CHECK(loaded.error().code() == errc::bad_value);  // what the second one has
        CHECK(first.requests().size() == 1);
        CHECK(second.requests().size() == 1);
        CHECK_FALSE(EtcdScene::load(store));
        CHECK(first.requests().size() == 1);
    }
    DeadPort const dead(DeadPort::Kind::refusing);
    FakeEtcd etcd;
    auto const store = lifecycle::etcd_store(
        {Endpoint::parse("http://127.0.0.1:" + std::to_string(dead.port())).value(), etcd.endpoint()}, "/p/");
    CHECK(EtcdScene::save(store, "one", 0));
    CHECK(EtcdScene::load(store).value().text == "one");
    CHECK(EtcdScene::lock(store));
}

TEST_CASE("etcd store: a refusal is that of all endpoints") {
    struct Row {
        Fault fault;
        errc code;
        const char* words;
    };
    for (auto const& row :
         {Row{FakeEtcd::refusal(403, "etcdserver: permission denied"), errc::forbidden, "grant the user"},
          Row{FakeEtcd::refusal(400, "etcdserver: user name is empty"), errc::unauthorized,
              "EtcdOptions::user"},
          Row{FakeEtcd::refusal(400, "etcdserver: request is too large"), errc::rejected,
              "request is too large"},
          Row{FakeEtcd::refusal(429, "etcdserver: too many requests"), errc::rate_limited,
              "too many requests"},
          Row{FakeEtcd::refusal(500, "etcdserver: corrupt cluster"), errc::server_error, "corrupt cluster"},
          Row{Fault{What::answer, 404, "Not Found\n"}, errc::unexpected_status, "no v3 JSON gateway"},
          Row{Fault{What::answer, 302, ""}, errc::unexpected_status, ""},
          Row{Fault{What::answer, 200, "<html>"}, errc::not_json, "not JSON"},
          Row{Fault{What::answer, 200, "{}"}, errc::wrong_type, ""},
          Row{Fault{What::answer, 200, "[]"}, errc::wrong_type, ""},
          Row{Fault{What::answer, 200, ""}, errc::not_json, ""},
          Row{Fault{What::answer, 200, R"({"header":{"revision":"9"},"kvs":[{"value":"&"}]})"},
              errc::bad_value, ""},
          Row{Fault{What::answer, 200, std::string(5 << 20, ' ')}, errc::too_large, "larger"}}) {
        CAPTURE(row.code);
        CAPTURE(row.words);
        FakeEtcd first;
        FakeEtcd const second;
        first.inject(range, row.fault);
        auto const store = EtcdScene::make_store({&first, &second});
        auto const loaded = EtcdScene::load(store);
        REQUIRE_FALSE(loaded);
        INFO(text(loaded));
        CHECK(loaded.error().code() == row.code);
        CHECK(loaded.error().effect() == Effect::not_applied);
        CHECK(text(loaded).find(row.words) != std::string::npos);
        CHECK(second.requests().empty());
    }
}

TEST_CASE("etcd store: a save that is answered by nonsense may have been applied") {
    for (auto const& fault : {Fault{What::answer_after, 200, "<html>"}, Fault{What::answer_after, 200, "{}"},
                              Fault{What::answer_after, 200, R"({"header":{"revision":"9"}})"},
                              Fault{What::answer_after, 500, R"({"error":"etcdserver: leader changed"})"},
                              Fault{What::answer_after, 500, ""}}) {
        CAPTURE(fault.body);
        EtcdScene scene;
        scene.etcd.inject(txn, fault);
        auto const saved = EtcdScene::save(scene.store, "one", 0);
        REQUIRE_FALSE(saved);
        CHECK(saved.error().effect() == Effect::unknown);
        CHECK(EtcdScene::load(scene.store).value().text == "one");
    }
}

TEST_CASE("etcd store: every request is bounded, and a cancellation ends it") {
    // A busy machine may take all of the time until a request is sent: then there is more.
    bool are_sent = false;
    for (auto time = 100ms; !are_sent; time *= 4) {
        REQUIRE(time < 10 * patience);
        EtcdScene scene;
        auto const store = scene.make_store(EtcdOptions().timeout(time));
        scene.etcd.inject(range, silent);
        scene.etcd.inject(range, silent);
        auto const loaded = EtcdScene::load(store);
        REQUIRE_FALSE(loaded);
        CHECK(loaded.error().code() == errc::timeout);
        CHECK(text(loaded).find(std::to_string(time.count()) + " ms") != std::string::npos);
        are_sent = scene.etcd.count(range) == 2;
    }

    EtcdScene scene;
    scene.etcd.inject(range, silent);
    auto const patient = scene.make_store(EtcdOptions().timeout(1h));
    boost::asio::io_context context;
    boost::asio::cancellation_signal signal;
    bool has_ended = false;
    std::optional<Result<lifecycle::StoredRecord>> result;
    boost::asio::co_spawn(context, awaiting::keep(patient->load("ci"), result),
                          boost::asio::bind_cancellation_slot(
                              signal.slot(), [&](const std::exception_ptr&) { has_ended = true; }));
    auto const end = std::chrono::steady_clock::now() + patience;
    while (scene.etcd.count(range) < 1 && std::chrono::steady_clock::now() < end)
        context.run_one_for(10ms);
    REQUIRE(scene.etcd.count(range) == 1);
    signal.emit(boost::asio::cancellation_type::terminal);
    context.run_for(patience);
    CHECK(has_ended);
    CHECK_FALSE((result && *result));
}

boost::asio::awaitable<Result<lifecycle::StoredRecord>> load_after_restart(EtcdScene& scene, bool is_seen) {
    auto const lock = co_await scene.store->lock("ci");  // one connection for all that follows
    if (!lock) co_return lock.error();
    if (is_seen)
        scene.etcd.close_connections();
    else
        scene.etcd.inject(range, dropped);
    co_return co_await scene.store->load("ci");
}

TEST_CASE("etcd store: a connection that died while it was idle is replaced") {
    for (bool const is_seen : {true, false}) {
        EtcdScene scene;
        auto const loaded = awaited(load_after_restart(scene, is_seen));
        INFO(text(loaded));
        REQUIRE(loaded);
        CHECK(loaded->version == 0);
        CHECK(scene.etcd.connections() == 2);
        CHECK(scene.etcd.count(range) == (is_seen ? 1U : 2U));
    }
}

// --- logins --------------------------------------------------------------------------------------

EtcdOptions as(const std::string& user, const std::string& password) {
    return EtcdOptions().user(user, Secret(password));
}

TEST_CASE("etcd store: logs in once, and again when its token is not known any more") {
    EtcdScene scene;
    scene.etcd.require_login("rotator", "pass \"word\" \\ ü");
    auto const store = scene.make_store(as("rotator", "pass \"word\" \\ ü"));
    auto const saved = EtcdScene::save(store, "one", 0);
    INFO(text(saved));
    REQUIRE(saved);
    CHECK(EtcdScene::lock(store));
    CHECK(EtcdScene::load(store).value().text == "one");
    CHECK(scene.etcd.count(authenticate) == 1);
    scene.etcd.end_tokens();
    CHECK(EtcdScene::save(store, "two", *saved));
    CHECK(EtcdScene::load(store).value().text == "two");
    CHECK(scene.etcd.count(authenticate) == 2);
    scene.etcd.inject(range, FakeEtcd::refusal(400, "etcdserver: revision of auth store is old"));
    CHECK(EtcdScene::load(store).value().text == "two");
    CHECK(scene.etcd.count(authenticate) == 3);

    for (auto const& request : scene.etcd.requests()) {
        auto const is_login = request.path == authenticate;
        CHECK((request.body.find("word") != std::string::npos) == is_login);
        CHECK(request.authorization.starts_with("token-") == !is_login);
    }
}

TEST_CASE("etcd store: a token that is refused again is not renewed for ever") {
    EtcdScene scene;
    scene.etcd.require_login("rotator", "password");
    auto const store = scene.make_store(as("rotator", "password"));
    REQUIRE(EtcdScene::load(store));
    for (int i = 0; i < 2; ++i)
        scene.etcd.inject(range, FakeEtcd::refusal(401, "etcdserver: invalid auth token"));
    auto const loaded = EtcdScene::load(store);
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().code() == errc::unauthorized);
    CHECK(scene.etcd.count(authenticate) == 2);
    CHECK(EtcdScene::load(store));
}

TEST_CASE("etcd store: a login that is refused says so, and shows no secret") {
    EtcdScene scene;
    scene.etcd.require_login("rotator", "right-password");
    auto const wrong = EtcdScene::load(scene.make_store(as("rotator", "wrong-password")));
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().code() == errc::unauthorized);
    CHECK(text(wrong).find("authentication failed") != std::string::npos);
    CHECK(text(wrong).find("wrong-password") == std::string::npos);
    auto const nobody = EtcdScene::load(scene.store);
    REQUIRE_FALSE(nobody);
    CHECK(nobody.error().code() == errc::unauthorized);

    scene.etcd.inject(authenticate, FakeEtcd::refusal(400, "no user has the password wrong-password here"));
    auto const echoed = EtcdScene::load(scene.make_store(as("rotator", "wrong-password")));
    REQUIRE_FALSE(echoed);
    CHECK(text(echoed).find("no user has") != std::string::npos);
    CHECK(text(echoed).find("wrong-password") == std::string::npos);

    auto const store = scene.make_store(as("rotator", "right-password"));
    REQUIRE(EtcdScene::load(store));
    auto const token = scene.etcd.requests().back().authorization;
    REQUIRE(token.size() > 8);
    scene.etcd.inject(range, FakeEtcd::refusal(403, "the token " + token + " may not do this"));
    auto const refused = EtcdScene::load(store);
    REQUIRE_FALSE(refused);
    CHECK(text(refused).find("may not do this") != std::string::npos);
    CHECK(text(refused).find(token) == std::string::npos);

    EtcdScene open;
    auto const needless = EtcdScene::load(open.make_store(as("rotator", "password")));
    REQUIRE_FALSE(needless);
    CHECK(needless.error().code() == errc::rejected);
    CHECK(text(needless).find("authentication is not enabled") != std::string::npos);
}

TEST_CASE("etcd store: a login goes to the next endpoint as everything does") {
    FakeEtcd first;
    FakeEtcd second;
    for (auto* const etcd : {&first, &second})
        etcd->require_login("rotator", "password");
    first.inject(authenticate, dropped);
    auto const store = EtcdScene::make_store({&first, &second}, as("rotator", "password"));
    auto const loaded = EtcdScene::load(store);
    INFO(text(loaded));
    CHECK(loaded);
    CHECK(second.count(range) == 1);
}

// --- rotations -----------------------------------------------------------------------------------

TEST_CASE("etcd store: a rotation takes its lock, finds the record again, and leaves no lock") {
    EtcdScene scene;
    testing::Emulator const emulator;
    auto const sink = std::make_shared<testing::MemorySink>();
    auto const rotate = [&](const EtcdScene::Store& store) {
        BlockingApiKeyClient client(emulator.client_options(testing::Role::tenant_admin));
        return lifecycle::rotate(client, lifecycle::Slot("ci", sink, store));
    };
    auto const first = rotate(scene.store);
    INFO(text(first));
    REQUIRE(first);
    CHECK(first->outcome == lifecycle::Rotation::Outcome::completed);
    CHECK_FALSE(scene.etcd.entry("/p/ci/lock"));
    REQUIRE(sink->current_value());
    CHECK(scene.stored().find(sink->current_value()->substr(0, 8)) == std::string::npos);

    CHECK(rotate(scene.make_store()).value().outcome == lifecycle::Rotation::Outcome::not_due);
    CHECK(scene.etcd.leases() == 0);

    scene.etcd.put("/p/ci/lock", R"({"holder":"x","host":"web-1","pid":77,"since":"noon"})");
    auto const busy = rotate(scene.store);
    REQUIRE(busy);
    CHECK(busy->outcome == lifecycle::Rotation::Outcome::busy);
    CHECK(text(busy->problem.value()).find("process 77 on web-1") != std::string::npos);
}

}  // namespace etcd_store_faults_test
