// SPDX-License-Identifier: BSL-1.0
#include "etcd/real_etcd.hpp"
#include "support/dead_port.hpp"
#include "support/patience.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>

#include <sys/types.h>
#include <unistd.h>
#include <csignal>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>

// The store, as tests/lifecycle/ shows it with a fake, with what is real.

namespace etcd_real_store_test {

using namespace std::chrono_literals;
using namespace palette;
using lifecycle::EtcdOptions;
using real_etcd::words;

boost::asio::awaitable<Result<void>> use(real_etcd::Store store, real_etcd::Store other) {
    std::string const slot = "used";
    auto const none = co_await store->load(slot);
    INFO(words(none));
    REQUIRE(none);
    CHECK(none->version == 0);
    std::uint64_t version = 0;
    {
        auto const lock = co_await store->lock(slot);
        INFO(words(lock));
        REQUIRE(lock);
        auto const busy = co_await other->lock(slot);
        REQUIRE_FALSE(busy);
        CHECK(busy.error().code() == errc::conflict);
        CHECK(words(busy).find("process " + std::to_string(::getpid()) + " on ") != std::string::npos);
        for (int i = 0; i < 3; ++i) {
            auto const text = R"({"text":"ü)" + std::to_string(i) + "\"}";
            auto const saved = co_await store->save(slot, text, version);
            INFO(words(saved));
            REQUIRE(saved);
            CHECK(*saved > version);
            version = *saved;
            auto const loaded = co_await other->load(slot);
            REQUIRE(loaded);
            CHECK(loaded->version == version);
            CHECK(loaded->text == text);
        }
        // Somebody without the lock who has an old version, or none.
        for (auto const expected : {std::uint64_t{0}, version - 1}) {
            auto const saved = co_await other->save(slot, "x", expected);
            REQUIRE_FALSE(saved);
            CHECK(saved.error().code() == errc::conflict);
        }
    }
    // At once, although the release has not come to it yet.
    auto const again = co_await store->lock(slot);
    INFO(words(again));
    REQUIRE(again);
    auto const next = co_await store->save(slot, "with a new lock", version);
    CHECK(next);
    co_return Result<void>();
}

TEST_CASE("real etcd: keeps records and locks in the clear, with certificates, and with a password") {
    for (auto const* const name : {"PLAIN", "TLS", "LOGIN"}) {
        CAPTURE(name);
        CHECK(awaited(use(real_etcd::store_in(name), real_etcd::store_in(name))));
        auto const lock = real_etcd::lock_and_release(real_etcd::store_in(name), "used");
        INFO(words(lock));
        CHECK(lock);
    }
}

boost::asio::awaitable<Result<std::uint64_t>> save_after_the_end(real_etcd::Store store, std::string slot,
                                                                 bool is_taken) {
    auto const lock = co_await store->lock(slot);
    REQUIRE(lock);
    auto const first = co_await store->save(slot, "first", 0);
    REQUIRE(first);
    real_etcd::end_lease("PLAIN", real_etcd::read("PLAIN", slot + "/lock").value().lease);
    real_etcd::Store const other = real_etcd::store_in("PLAIN");
    std::shared_ptr<lifecycle::SlotLock> taken;
    if (is_taken) taken = (co_await other->lock(slot)).value();
    co_return co_await store->save(slot, "second", *first);
}

TEST_CASE("real etcd: nothing is saved once the lock has ended") {
    for (bool const is_taken : {false, true}) {
        CAPTURE(is_taken);
        std::string const slot = is_taken ? "taken" : "ended";
        auto const saved = awaited(save_after_the_end(real_etcd::store_in("PLAIN"), slot, is_taken));
        INFO(words(saved));
        REQUIRE_FALSE(saved);
        CHECK(saved.error().code() == errc::conflict);
        CHECK(words(saved).find("has ended") != std::string::npos);
        CHECK(awaited(real_etcd::store_in("PLAIN")->load(slot)).value().text == "first");
        CHECK_FALSE(real_etcd::read("PLAIN", slot + "/lock"));
    }
}

TEST_CASE("real etcd: a record that somebody has damaged is an error") {
    auto const store = real_etcd::store_in("PLAIN");
    REQUIRE(awaited(store->save("damaged", "text", 0)));
    auto const good = real_etcd::read("PLAIN", "damaged").value().value;
    for (auto const& value :
         {std::string(), good.substr(0, good.size() / 2), std::string("\0\xff", 2),
          good.substr(0, good.find("text")) + "test" + good.substr(good.find("text") + 4)}) {
        real_etcd::put("PLAIN", "damaged", value);
        auto const loaded = awaited(store->load("damaged"));
        REQUIRE_FALSE(loaded);
        CHECK(loaded.error().code() == errc::bad_value);
    }
    real_etcd::put("PLAIN", "damaged", good);
    CHECK(awaited(store->load("damaged")).value().text == "text");
}

TEST_CASE("real etcd: whoever is not let in is told so") {
    auto const load = [](const char* name, EtcdOptions options, const char* slot = "used") {
        auto const loaded = awaited(real_etcd::store_in(name, std::move(options))->load(slot));
        INFO(words(loaded));
        REQUIRE_FALSE(loaded);
        CHECK(words(loaded).find(real_etcd::text("PASSWORD")) == std::string::npos);
        CHECK(words(loaded).find("wrong") == std::string::npos);
        return loaded.error().code();
    };
    CHECK(load("LOGIN", EtcdOptions()) == errc::unauthorized);
    CHECK(load("LOGIN", EtcdOptions().user("rotator", Secret("wrong"))) == errc::unauthorized);
    CHECK(load("LOGIN", EtcdOptions().user("nobody", Secret("wrong"))) == errc::unauthorized);
    CHECK(load("PLAIN", real_etcd::options_for("LOGIN")) == errc::rejected);
    auto const outside =
        lifecycle::etcd_store({real_etcd::endpoint("LOGIN")}, "/elsewhere/", real_etcd::options_for("LOGIN"));
    CHECK(awaited(outside->load("ci")).error().code() == errc::forbidden);
    CHECK(awaited(outside->save("ci", "x", 0)).error().code() == errc::forbidden);
    CHECK(real_etcd::lock_and_release(outside, "ci").error().code() == errc::forbidden);

    TlsOptions stranger;
    stranger.ca_file = real_etcd::text("STRANGER_CA_FILE");
    CHECK(load("TLS", EtcdOptions().tls(stranger)) == errc::untrusted);
    TlsOptions nobody;
    nobody.ca_file = real_etcd::text("CA_FILE");
    auto const refused = load("TLS", EtcdOptions().tls(nobody));
    CHECK((refused == errc::untrusted || refused == errc::transport));
}

boost::asio::awaitable<Result<void>> lose_the_login(real_etcd::Store store) {
    auto const lock = co_await store->lock("login");
    REQUIRE(lock);
    auto const first = co_await store->save("login", "first", 0);
    REQUIRE(first);
    EtcdOptions root;
    root.user("root", Secret(real_etcd::text("ROOT_PASSWORD")));
    CHECK(real_etcd::ask("LOGIN", "/v3/auth/disable", "{}", root));
    CHECK(real_etcd::ask("LOGIN", "/v3/auth/enable", "{}", EtcdOptions()));
    auto const saved = co_await store->save("login", "second", *first);
    INFO(words(saved));
    CHECK(saved);
    co_return Result<void>();
}

TEST_CASE("real etcd: a token that it has forgotten is replaced, and the lock is kept") {
    REQUIRE(awaited(lose_the_login(real_etcd::store_in("LOGIN"))));
    CHECK(awaited(real_etcd::store_in("LOGIN")->load("login")).value().text == "second");
}

TEST_CASE("real etcd: the endpoint that answers is found among those that do not") {
    DeadPort const dead(DeadPort::Kind::refusing);
    auto const nowhere = Endpoint::parse("http://127.0.0.1:" + std::to_string(dead.port())).value();
    auto const store = lifecycle::etcd_store({nowhere, real_etcd::endpoint("PLAIN")}, real_etcd::prefix);
    CHECK(awaited(store->save("found", "text", 0)));
    CHECK(awaited(store->load("found")).value().text == "text");
    CHECK(real_etcd::lock_and_release(store, "found"));
}

// Whether no thread of the process runs: the signal has only been sent when kill() returns.
bool is_stopped(const std::filesystem::path& process) {
    for (auto const& thread : std::filesystem::directory_iterator(process / "task")) {
        auto const stat = content_of((thread.path() / "stat").string());
        auto const state = stat.rfind(')') + 2;
        if (state >= stat.size() || (stat[state] != 'T' && stat[state] != 'Z')) return false;
    }
    return true;
}

// The etcd in the clear, which does nothing until the end of the scope.
class Stopped {
public:
    Stopped() {
        send(SIGSTOP);
        for (auto const end = std::chrono::steady_clock::now() + patience; !are_stopped();)
            REQUIRE(std::chrono::steady_clock::now() < end);
    }
    Stopped(const Stopped&) = delete;
    Stopped& operator=(const Stopped&) = delete;
    ~Stopped() { send(SIGCONT); }

private:
    static pid_t group() {
        return static_cast<pid_t>(std::strtol(real_etcd::text("PLAIN_GROUP").c_str(), nullptr, 10));
    }
    static void send(int signal) {
        REQUIRE(group() > 1);
        REQUIRE(::kill(-group(), signal) == 0);
    }
    static bool are_stopped() {
        for (auto const& entry : std::filesystem::directory_iterator("/proc")) {
            auto const pid = static_cast<pid_t>(std::strtol(entry.path().filename().c_str(), nullptr, 10));
            if (pid > 0 && ::getpgid(pid) == group() && !is_stopped(entry.path())) return false;
        }
        return true;
    }
};

TEST_CASE(
    "real etcd: a save into one that hangs has no known end, and is found to be done or not done later") {
    auto const store = real_etcd::store_in("PLAIN", EtcdOptions().timeout(200ms));
    auto const before = awaited(store->save("hangs", "before", 0));
    REQUIRE(before);
    Result<std::uint64_t> hung = std::uint64_t{0};
    {
        Stopped const stopped;
        hung = awaited(store->save("hangs", "after", *before));
    }
    INFO(words(hung));
    REQUIRE_FALSE(hung);
    CHECK(hung.error().code() == errc::timeout);
    CHECK(hung.error().effect() == Effect::unknown);
    // Whatever became of it: who goes on from what is there now comes to an end.
    auto const patient = real_etcd::store_in("PLAIN");
    for (int tries = 0; tries < 10; ++tries) {
        auto const loaded = awaited(patient->load("hangs"));
        REQUIRE(loaded);
        CHECK((loaded->text == "before" || loaded->text == "after"));
        if (auto const saved = awaited(patient->save("hangs", "at last", loaded->version))) break;
    }
    CHECK(awaited(patient->load("hangs")).value().text == "at last");
}

}  // namespace etcd_real_store_test
