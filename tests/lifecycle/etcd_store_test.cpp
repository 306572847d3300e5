// SPDX-License-Identifier: BSL-1.0
#include "lifecycle/etcd_scene.hpp"
#include "support/patience.hpp"

#include <palette/expiry.hpp>

#include <doctest/doctest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <unistd.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>

// Records and locks in an etcd that does what it should.

namespace etcd_store_test {

using namespace std::chrono_literals;
using namespace palette;
using lifecycle::EtcdOptions;
using lifecycle::SlotLock;
using Locked = Result<std::shared_ptr<SlotLock>>;

TEST_CASE("etcd store: a record is loaded as it was saved, with a version that grows") {
    EtcdScene scene;
    auto const none = EtcdScene::load(scene.store).value();
    CHECK(none.version == 0);
    CHECK(none.text.empty());

    auto const first = EtcdScene::save(scene.store, R"({"a":"ü \"\\"})", 0).value();
    CHECK(first > 0);
    auto const loaded = EtcdScene::load(scene.store).value();
    CHECK(loaded.version == first);
    CHECK(loaded.text == R"({"a":"ü \"\\"})");
    CHECK(scene.etcd.entry("/p/ci").value().mod_revision == first);
    CHECK(scene.etcd.entry("/p/ci").value().lease == 0);

    auto const second = EtcdScene::save(scene.store, "{}", first).value();
    CHECK(second > first);
    CHECK(EtcdScene::load(scene.store).value().text == "{}");
    CHECK(EtcdScene::load(scene.make_store()).value().version == second);
}

TEST_CASE("etcd store: a record of another version is not replaced") {
    EtcdScene scene;
    auto const version = EtcdScene::save(scene.store, "one", 0).value();
    for (auto const expected : {std::uint64_t{0}, version - 1, version + 1}) {
        auto const saved = EtcdScene::save(scene.store, "two", expected);
        REQUIRE_FALSE(saved);
        CHECK(saved.error().code() == errc::conflict);
        CHECK(saved.error().effect() == Effect::not_applied);
        CHECK(saved.error().path() == "ci");
    }
    CHECK(EtcdScene::load(scene.store).value().text == "one");
    // Nor is the same text taken for one's own, when somebody else has stored it.
    auto const other = EtcdScene::save(scene.make_store(), "same", version);
    REQUIRE(other);
    CHECK_FALSE(EtcdScene::save(scene.store, "same", version));
}

TEST_CASE("etcd store: slots do not meet, whatever they are called") {
    EtcdScene scene;
    for (auto const* const slot : {"a", "a.lock", "a.lock.lock", "lock", "a-lock"}) {
        CHECK(EtcdScene::save(scene.store, slot, 0, slot));
        CHECK(EtcdScene::lock(scene.store, slot));
    }
    for (auto const* const slot : {"a", "a.lock", "a.lock.lock", "lock", "a-lock"})
        CHECK(EtcdScene::load(scene.store, slot).value().text == slot);
    auto const requests = scene.etcd.requests().size();
    for (auto const* const slot : {"", ".", "a/lock", "a b", "../a"}) {
        CAPTURE(slot);
        CHECK(EtcdScene::load(scene.store, slot).error().code() == errc::invalid_argument);
        CHECK(EtcdScene::save(scene.store, "x", 0, slot).error().code() == errc::invalid_argument);
        CHECK(EtcdScene::lock(scene.store, slot).error().code() == errc::invalid_argument);
    }
    CHECK(scene.etcd.requests().size() == requests);
}

TEST_CASE("etcd store: a record that is damaged is an error, and never an absent one") {
    EtcdScene scene;
    REQUIRE(EtcdScene::save(scene.store, R"({"state":"staged"})", 0));
    auto const good = scene.stored();
    auto const refuse = [&](const std::string& value) {
        scene.etcd.put("/p/ci", value);
        auto const loaded = EtcdScene::load(scene.store);
        REQUIRE_FALSE(loaded);
        CHECK(loaded.error().code() == errc::bad_value);
        CHECK(loaded.error().has_own_advice());
        return loaded.error().message();
    };
    CHECK(refuse("").find("\"/p/ci\"") != std::string::npos);
    for (std::size_t size = 1; size < good.size(); ++size)
        refuse(good.substr(0, size));
    for (std::size_t at = 0; at < good.size(); ++at) {
        auto changed = good;
        changed[at] = changed[at] == '1' ? '2' : '1';
        refuse(changed);
    }
    auto newer = good;
    newer.replace(newer.find("\"schema\":1"), 10, "\"schema\":2");
    CHECK(refuse(newer).find("newer") != std::string::npos);
    scene.etcd.put("/p/ci", good);
    CHECK(EtcdScene::load(scene.store).value().text == R"({"state":"staged"})");
}

// --- locks ---------------------------------------------------------------------------------------

boost::asio::awaitable<Result<void>> lock_twice(EtcdScene& scene) {
    auto const held = co_await scene.store->lock("ci");
    if (!held) co_return held.error();
    for (auto const& store : {scene.make_store(), scene.store}) {
        auto const second = co_await store->lock("ci");
        CHECK_FALSE(second);
        if (!second) CHECK(second.error().code() == errc::conflict);
        if (!second) CHECK(second.error().path() == "ci");
    }
    auto const other = co_await scene.make_store()->lock("ci");
    auto const elsewhere = co_await scene.store->lock("other");
    CHECK(elsewhere);
    co_return other.error();
}

TEST_CASE("etcd store: a lock keeps everybody else out, says who has it, and is gone once it is released") {
    EtcdScene scene;
    auto const today = [] { return " since " + Expiry::in(0ms).to_string().substr(0, 10); };
    auto const begun = today();
    auto const refused = awaited(lock_twice(scene));
    REQUIRE_FALSE(refused);
    auto const message = refused.error().message();
    INFO(message);
    char host[256] = {};
    REQUIRE(::gethostname(host, sizeof host - 1) == 0);
    CHECK(message.find("process " + std::to_string(::getpid()) + " on " + host) != std::string::npos);
    // It may have been midnight.
    CHECK((message.find(begun) != std::string::npos || message.find(today()) != std::string::npos));
    CHECK_FALSE(scene.etcd.entry("/p/ci/lock"));
    CHECK(scene.etcd.leases() == 0);
    CHECK(EtcdScene::lock(scene.make_store()));
}

TEST_CASE("etcd store: a lock of somebody who does not say who he is keeps out, too") {
    EtcdScene scene;
    for (auto const* const value : {"", "x", "{}", R"({"pid":"7"})", R"({"holder":7,"pid":1e3})"}) {
        scene.etcd.put("/p/ci/lock", value);
        auto const locked = EtcdScene::lock(scene.store);
        REQUIRE_FALSE(locked);
        CHECK(locked.error().code() == errc::conflict);
        CHECK(locked.error().message().find("somebody else") != std::string::npos);
    }
    CHECK(scene.etcd.leases() == 0);
}

boost::asio::awaitable<Result<std::uint64_t>> save_with_lock(EtcdScene& scene, bool is_lost, bool is_taken) {
    auto const held = co_await scene.store->lock("ci");
    if (!held) co_return held.error();
    auto const lock = scene.etcd.entry("/p/ci/lock").value();
    auto const first = co_await scene.store->save("ci", "first", 0);
    if (!first) co_return first.error();
    if (is_lost) scene.etcd.end_lease(lock.lease);
    if (is_taken) scene.etcd.put("/p/ci/lock", R"({"holder":"x","host":"web-1","pid":77,"since":"noon"})");
    co_return co_await scene.store->save("ci", "second", *first);
}

TEST_CASE("etcd store: a record is not saved once the lock has ended") {
    EtcdScene scene;
    CHECK(awaited(save_with_lock(scene, false, false)));
    CHECK(EtcdScene::load(scene.store).value().text == "second");

    EtcdScene lost;
    auto const refused = awaited(save_with_lock(lost, true, false));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == errc::conflict);
    CHECK(refused.error().effect() == Effect::not_applied);
    CHECK(refused.error().message().find("has ended") != std::string::npos);
    CHECK(EtcdScene::load(lost.store).value().text == "first");

    EtcdScene taken;
    auto const busy = awaited(save_with_lock(taken, true, true));
    REQUIRE_FALSE(busy);
    CHECK(busy.error().code() == errc::conflict);
    CHECK(busy.error().message().find("process 77 on web-1 since noon") != std::string::npos);
    CHECK(EtcdScene::load(taken.store).value().text == "first");
    // What is not one's own is not released either.
    CHECK(taken.etcd.entry("/p/ci/lock"));
}

// Work that goes on while a test looks at the etcd.
class Running {
public:
    template <class Condition>
    void until(Condition condition) {
        auto const end = std::chrono::steady_clock::now() + 2 * patience;
        while (!condition()) {
            REQUIRE(std::chrono::steady_clock::now() < end);
            if (context_->stopped()) context_->restart();
            context_->run_one_for(50ms);
        }
    }

    void lock(const EtcdScene::Store& store) {
        locked_.reset();
        boost::asio::co_spawn(*context_, awaiting::keep(store->lock("ci"), locked_),
                              [](const std::exception_ptr& thrown) {
                                  if (thrown) std::rethrow_exception(thrown);
                              });
        until([&] { return locked_.has_value(); });
        REQUIRE(*locked_);
    }

    void release() { locked_.reset(); }
    void run_out() { context_->run(); }
    // As a program does that ends.
    void stop() {
        context_.reset();
        locked_.reset();
    }

private:
    std::optional<boost::asio::io_context> context_{std::in_place};
    std::optional<Locked> locked_;
};

TEST_CASE("etcd store: a lock is prolonged as long as it is held") {
    EtcdScene scene;
    auto const store = scene.make_store(EtcdOptions().lock_ttl(5s));
    Running running;
    running.lock(store);
    CHECK(scene.etcd.requests().front().body == R"({"TTL":"5"})");
    running.until([&] { return scene.etcd.count(etcd_paths::keepalive) == 2; });
    CHECK(scene.etcd.entry("/p/ci/lock"));
    running.release();
    running.run_out();
    CHECK_FALSE(scene.etcd.entry("/p/ci/lock"));
}

TEST_CASE("etcd store: a lock whose event loop is gone is left to its lease, and to the store that had it") {
    EtcdScene scene;
    {
        Running running;
        running.lock(scene.store);
        running.stop();
    }
    CHECK(scene.etcd.leases() == 1);
    auto const elsewhere = EtcdScene::lock(scene.make_store());
    REQUIRE_FALSE(elsewhere);
    CHECK(elsewhere.error().code() == errc::conflict);
    CHECK(EtcdScene::lock(scene.store));
    CHECK(scene.etcd.leases() == 0);
    CHECK(EtcdScene::lock(scene.make_store()));
}

boost::asio::awaitable<Result<void>> lock_release_and_lock(EtcdScene& scene) {
    for (int i = 0; i < 3; ++i) {
        auto const lock = co_await scene.store->lock("ci");
        if (!lock) co_return lock.error();
    }
    co_return Result<void>();
}

TEST_CASE(
    "etcd store: a lock can be taken again at once, though its release is still under way, or has failed") {
    EtcdScene scene;
    scene.etcd.inject(etcd_paths::revoke, FakeEtcd::refusal(503, "etcdserver: no leader"));
    auto const locked = awaited(lock_release_and_lock(scene));
    INFO((locked ? std::string() : locked.error().message()));
    CHECK(locked);
    CHECK_FALSE(scene.etcd.entry("/p/ci/lock"));
}

TEST_CASE("etcd store: a time that is too long for the clock is a long one") {
    EtcdScene scene;
    auto const store = scene.make_store(EtcdOptions().timeout(std::chrono::milliseconds::max()));
    REQUIRE(EtcdScene::save(store, "one", 0));
    CHECK(EtcdScene::load(store).value().text == "one");
}

TEST_CASE("etcd store: options that cannot be used are refused") {
    FakeEtcd const etcd;
    auto const refuse = [](std::vector<Endpoint> endpoints, EtcdOptions options) -> std::string {
        try {
            static_cast<void>(lifecycle::etcd_store(std::move(endpoints), "/p/", std::move(options)));
        } catch (const Exception& e) {
            CHECK(e.error().code() == errc::invalid_argument);
            return e.error().path();
        }
        return "accepted";
    };
    CHECK(refuse({}, EtcdOptions()) == "endpoints");
    CHECK(refuse({etcd.endpoint()}, EtcdOptions().timeout(0ms)) == "timeout");
    CHECK(refuse({etcd.endpoint()}, EtcdOptions().timeout(-1ms)) == "timeout");
    CHECK(refuse({etcd.endpoint()}, EtcdOptions().lock_ttl(4s)) == "lock_ttl");
    CHECK(refuse({etcd.endpoint()}, EtcdOptions().lock_ttl(25h)) == "lock_ttl");
    TlsOptions tls;
    tls.ca_file = "/nowhere/ca.pem";
    auto const secure = Endpoint::parse("https://127.0.0.1:2379").value();
    CHECK(refuse({etcd.endpoint(), secure}, EtcdOptions().tls(tls)) != "accepted");
    CHECK(refuse({etcd.endpoint()}, EtcdOptions().timeout(std::chrono::milliseconds::max())) == "accepted");
}

}  // namespace etcd_store_test
