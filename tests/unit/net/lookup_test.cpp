// SPDX-License-Identifier: BSL-1.0
#include "support/sanitized.hpp"

#include <palette/impl/net/lookup.hpp>
#include <palette/impl/net/lookup_threads.hpp>

#include <doctest/doctest.h>
#include <pthread.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): POSIX

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace lookup_test {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using palette::errc;
using palette::Error;
using palette::Result;
using palette::impl::net::Addresses;
using palette::impl::net::Endpoints;
using palette::impl::net::LookupAnswer;
using palette::impl::net::LookupThreads;
using palette::impl::net::Resolver;
using Strings = std::vector<std::string>;

constexpr auto patience = 20s;  // only a test that fails waits so long

Addresses addresses(const Strings& texts) {
    Addresses out;
    for (auto const& text : texts)
        out.push_back(asio::ip::make_address(text));
    return out;
}

std::string text_of(const Endpoints& endpoints) {
    std::ostringstream out;
    for (auto const& endpoint : endpoints)
        out << (out.tellp() > 0 ? " " : "") << endpoint;
    return out.str();
}

// A system that knows every name as 192.0.2.1, and takes for each as long as the test wants. It goes by
// their first letters.
class SlowSystem {
public:
    LookupAnswer ask(const std::string& host) {
        std::unique_lock lock(mutex_);
        asked_ += host.front();
        max_at_once_ = std::max(max_at_once_, ++now_);
        changed_.notify_all();
        changed_.wait(lock,
                      [&] { return answers_all_ || answered_.find(host.front()) != std::string::npos; });
        --now_;
        return addresses({"192.0.2.1"});
    }

    void answer(const std::string& names) {
        std::lock_guard const lock(mutex_);
        answered_ += names;
        changed_.notify_all();
    }
    void answer_all() {
        std::lock_guard const lock(mutex_);
        answers_all_ = true;
        changed_.notify_all();
    }

    // What it was asked for, in that order, once there is so much.
    std::string asked(std::size_t number) {
        std::unique_lock lock(mutex_);
        REQUIRE(changed_.wait_for(lock, patience, [&] { return asked_.size() >= number; }));
        return asked_;
    }
    std::size_t max_at_once() {
        std::lock_guard const lock(mutex_);
        return max_at_once_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::string asked_;
    std::string answered_;
    bool answers_all_ = false;
    std::size_t now_ = 0;
    std::size_t max_at_once_ = 0;
};

// One call of lookup() and what came of it.
struct Call {
    std::weak_ptr<asio::cancellation_signal> signal;  // lives as long as the coroutine
    std::optional<Result<Endpoints>> result;
    int completions = 0;

    // On the strand: elsewhere co_spawn would put it off, perhaps until the coroutine is gone.
    void cancel(asio::cancellation_type type) const {
        auto const alive = signal.lock();
        if (alive == nullptr) return;
        auto const before = completions;
        alive->emit(type);
        CHECK(completions == before);  // never from within
    }
    [[nodiscard]] bool is_gone() const { return signal.expired(); }
    [[nodiscard]] bool was_aborted() const {
        return result && !*result && result->error().code() == errc::operation_aborted;
    }
    // "192.0.2.1:443 [::1]:443"
    [[nodiscard]] std::string found() const { return result && *result ? text_of(**result) : "nothing"; }
};

using CallPtr = std::shared_ptr<Call>;

asio::awaitable<void> make(CallPtr call, Resolver& resolver, std::string host, std::uint16_t port) {
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    auto result = co_await resolver.lookup(host, port);
    call->result.emplace(std::move(result));
    ++call->completions;
}

asio::awaitable<void> make_when_cancelled(CallPtr call, Resolver& resolver) {
    co_await asio::this_coro::throw_if_cancelled(false);
    call->cancel(asio::cancellation_type::terminal);
    auto result = co_await resolver.lookup("a.example", 443);
    call->result.emplace(std::move(result));
}

void spawn_on(const asio::any_io_executor& executor, Call& call, asio::awaitable<void> coroutine) {
    auto const signal = std::make_shared<asio::cancellation_signal>();
    call.signal = signal;
    asio::co_spawn(executor, std::move(coroutine),
                   asio::bind_cancellation_slot(signal->slot(), [signal](const std::exception_ptr&) {}));
}

// A resolver on a strand that the thread of the test runs; over the slow system, unless another is given.
class Lookups {
public:
    Lookups() : Lookups([this](const std::string& host) { return system.ask(host); }) {}

    explicit Lookups(palette::impl::net::Lookup lookup) {
        // Held by the resolver and its workers alone.
        std::shared_ptr<void> const last(nullptr, [end = end_](void*) { end->set_value(); });
        resolver_.emplace(
            [last, lookup = std::move(lookup)](const std::string& host) { return lookup(host); });
    }
    Lookups(const Lookups&) = delete;
    Lookups& operator=(const Lookups&) = delete;
    ~Lookups() {
        end_context();
        end_resolver();
        system.answer_all();
        CHECK(end_->get_future().wait_for(patience) == std::future_status::ready);
    }

    CallPtr spawn(const std::string& host, std::uint16_t port = 443) {
        auto call = std::make_shared<Call>();
        spawn_on(*strand_, *call, make(call, *resolver_, host, port));
        return call;
    }
    CallPtr start(const std::string& host, std::uint16_t port = 443) {
        auto call = spawn(host, port);
        poll();
        return call;
    }
    std::vector<CallPtr> start_all(const Strings& hosts) {
        std::vector<CallPtr> calls;
        for (auto const& host : hosts)
            calls.push_back(start(host));
        return calls;
    }
    CallPtr finished(const std::string& host, std::uint16_t port = 443) {
        auto call = start(host, port);
        settle();
        REQUIRE(call->completions == 1);
        return call;
    }

    void cancel(const CallPtr& call, asio::cancellation_type type = asio::cancellation_type::terminal) {
        asio::post(*strand_, [=] { call->cancel(type); });
    }

    // What can be done now.
    void poll() {
        context_->restart();
        context_->poll();
    }
    // All that there is to do.
    void settle() {
        context_->restart();
        context_->run_for(patience);
    }

    asio::io_context& context() { return *context_; }
    asio::any_io_executor executor() { return *strand_; }
    Resolver& resolver() { return *resolver_; }
    void end_resolver() { resolver_.reset(); }
    void end_context() {
        strand_.reset();
        context_.reset();
    }

    SlowSystem system;

private:
    std::shared_ptr<std::promise<void>> end_ = std::make_shared<std::promise<void>>();
    std::optional<Resolver> resolver_;
    std::optional<asio::io_context> context_{std::in_place};
    std::optional<asio::strand<asio::io_context::executor_type>> strand_{asio::make_strand(*context_)};
};

TEST_CASE("a lookup keeps the order of the answer, gives each address once, and sets the port") {
    Lookups lookups([](auto&) {
        return addresses({"192.0.2.2", "2001:db8::1", "192.0.2.1", "192.0.2.2", "2001:db8::1"});
    });
    CHECK(lookups.finished("a.example", 8443)->found() == "192.0.2.2:8443 [2001:db8::1]:8443 192.0.2.1:8443");
}

TEST_CASE("addresses and localhost are known without a lookup") {
    Lookups lookups([](auto&) -> LookupAnswer { throw std::logic_error("asked"); });
    std::pair<const char*, std::string> const rows[] = {
        {"192.0.2.7", "192.0.2.7:443"},
        {"2001:DB8::7", "[2001:db8::7]:443"},
        {"localhost", "127.0.0.1:443 [::1]:443"},
        {"LocalHost", "127.0.0.1:443 [::1]:443"},
        {"LOCALHOST.", "127.0.0.1:443 [::1]:443"},
    };
    for (auto const& [host, found] : rows)
        CHECK(lookups.start(host)->found() == found);  // and nobody waits for another thread
    auto const zoned = palette::impl::net::known_addresses("fe80::1%1");
    REQUIRE(zoned);
    CHECK(zoned->front().to_v6().scope_id() == 1);
}

TEST_CASE("what only looks like localhost is looked up") {
    for (auto const* host : {"localhost..", "localhos", "localhost.example", "my.localhost", "."}) {
        CAPTURE(host);
        CHECK_FALSE(palette::impl::net::known_addresses(host));
    }
}

TEST_CASE("what cannot be a name is refused before anybody is asked") {
    Lookups lookups([](auto&) { return addresses({"192.0.2.1"}); });
    for (auto const& host : {std::string(), std::string("evil.example\0.acme.com", 21),
                             std::string("127.0.0.1\0.acme.com", 19)}) {
        auto const call = lookups.finished(host);
        REQUIRE_FALSE(*call->result);
        CHECK(call->result->error().code() == errc::invalid_argument);
    }
}

TEST_CASE("a lookup that fails says for which host and why") {
    std::pair<const char*, palette::impl::net::Lookup> const rows[] = {
        {"it has no address", [](auto&) { return Addresses(); }},
        {"the disk is full", [](auto&) -> LookupAnswer { throw std::runtime_error("the disk is full"); }},
        {"the lookup threw something", [](auto&) -> LookupAnswer { throw 1; }},
    };
    for (auto const& [reason, lookup] : rows) {
        Lookups lookups(lookup);
        auto const call = lookups.finished("a.example");
        REQUIRE_FALSE(*call->result);
        auto const& error = call->result->error();
        CHECK(error.code() == errc::transport);
        CHECK(error.effect() == palette::Effect::not_applied);
        CHECK(error.what() == "cannot look up \"a.example\": " + std::string(reason));
    }
}

TEST_CASE("an error of the lookup reaches the caller as it is") {
    auto const error = Error(errc::unavailable, "the resolver is being restarted");
    Lookups lookups([error](auto&) -> LookupAnswer { return error; });
    CHECK(*lookups.finished("a.example")->result == error);
}

TEST_CASE("the system finds an address, and says why it does not find a name") {
    CHECK(palette::impl::net::ask_system("127.0.0.1") == addresses({"127.0.0.1"}));
    auto const answer =
        palette::impl::net::ask_system(std::string(64, 'a') + ".invalid");  // no query can hold it
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code() == errc::transport);
    auto const& what = answer.error().what();
    CHECK(what.starts_with("cannot look up \"aaaa"));
    CHECK(what.size() > what.find("\": ") + 3);
}

TEST_CASE("the threads of all resolvers of the process are bounded, and what waits for one has its turn") {
    SlowSystem system;
    std::deque<Lookups> all;
    std::vector<CallPtr> calls;
    for (int i = 0; i < 40; ++i) {
        all.emplace_back([&](const std::string& host) { return system.ask(host); });
        calls.push_back(all.back().start("a.example"));
    }
    system.asked(LookupThreads::max_threads);
    // Those of which nobody waits any more leave their turn to others.
    for (int i = 0; i < 10; ++i)
        all[static_cast<std::size_t>(i) * 4].end_context();
    system.answer_all();
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (i % 4 == 0) continue;
        all[i].settle();
        CHECK(calls[i]->found() == "192.0.2.1:443");
    }
    CHECK(system.max_at_once() == LookupThreads::max_threads);
}

TEST_CASE("a lookup that hangs is cancelled at once, and its late answer is dropped") {
    for (auto const type : {asio::cancellation_type::terminal, asio::cancellation_type::partial,
                            asio::cancellation_type::total}) {
        Lookups lookups;
        auto const call = lookups.start("a.example");
        CHECK(lookups.system.asked(1) == "a");
        CHECK_FALSE(lookups.context().stopped());  // a lookup is work

        lookups.cancel(call, type);
        lookups.poll();
        CHECK(call->was_aborted());
        CHECK(lookups.context().stopped());  // a thread that nobody waits for is not

        lookups.system.answer_all();
        CHECK(lookups.finished("b.example")->found() == "192.0.2.1:443");
        CHECK(call->completions == 1);
    }
}

asio::awaitable<void> look_up_for(std::chrono::milliseconds time, Resolver& resolver, bool& timed_out) {
    using namespace asio::experimental::awaitable_operators;
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    auto const first = co_await (resolver.lookup("a.example", 443) || timer.async_wait(asio::use_awaitable));
    timed_out = first.index() == 1;
}

TEST_CASE("a lookup that hangs loses against a timer") {
    Lookups lookups;
    bool timed_out = false;
    asio::co_spawn(lookups.executor(), look_up_for(50ms, lookups.resolver(), timed_out), asio::detached);
    lookups.settle();
    CHECK(timed_out);
}

TEST_CASE("a coroutine that is cancelled already asks nobody") {
    Lookups lookups;
    auto const call = std::make_shared<Call>();
    spawn_on(lookups.executor(), *call, make_when_cancelled(call, lookups.resolver()));
    lookups.settle();
    CHECK(call->was_aborted());
    CHECK(lookups.system.asked(0).empty());
}

TEST_CASE("those who want the same host share one lookup, each with a port of its own") {
    Lookups lookups;
    auto const first = lookups.start("a.example", 1);
    auto const second = lookups.start("a.example", 2);
    lookups.system.asked(1);
    auto const third = lookups.start("a.example", 3);
    lookups.system.answer("a");
    lookups.settle();
    CHECK(first->found() == "192.0.2.1:1");
    CHECK(second->found() == "192.0.2.1:2");
    CHECK(third->found() == "192.0.2.1:3");
    CHECK(lookups.system.asked(1) == "a");
}

TEST_CASE("a lookup that has ended is not remembered") {
    Lookups lookups;
    lookups.system.answer_all();
    for (int i = 0; i < 6; ++i)
        lookups.finished("a.example");
    CHECK(lookups.system.asked(6) == "aaaaaa");
}

TEST_CASE("cancelling one of those who share a lookup does not disturb the others") {
    Lookups lookups;
    auto const first = lookups.start("a.example");
    auto const second = lookups.start("a.example");
    lookups.system.asked(1);
    lookups.cancel(first);
    lookups.poll();
    CHECK(first->was_aborted());
    CHECK_FALSE(second->result);
    lookups.system.answer_all();
    lookups.settle();
    CHECK(second->found() == "192.0.2.1:443");
}

TEST_CASE("who asks for a host whose lookup was given up joins it") {
    Lookups lookups;
    auto const given_up = lookups.start("a.example");
    lookups.system.asked(1);
    lookups.cancel(given_up);
    auto const later = lookups.start("a.example");
    lookups.system.answer_all();
    lookups.settle();
    CHECK(given_up->was_aborted());
    CHECK(later->found() == "192.0.2.1:443");
    CHECK(lookups.system.asked(1) == "a");
}

TEST_CASE("four hosts are looked up at a time, and the others in the order in which they came") {
    Lookups lookups;
    auto const calls = lookups.start_all({"a", "b", "c", "d", "e", "f", "g"});
    auto first_four = lookups.system.asked(4);
    std::sort(first_four.begin(), first_four.end());
    CHECK(first_four == "abcd");

    lookups.system.answer("a");
    CHECK(lookups.system.asked(5).substr(4) == "e");
    lookups.system.answer("b");
    CHECK(lookups.system.asked(6).substr(4) == "ef");
    lookups.system.answer("c");
    CHECK(lookups.system.asked(7).substr(4) == "efg");
    lookups.system.answer_all();
    lookups.settle();
    CHECK(lookups.system.max_at_once() == 4);
    for (auto const& call : calls)
        CHECK(call->found() == "192.0.2.1:443");
}

TEST_CASE("a lookup whose turn has not come is cancelled at once, and never made") {
    Lookups lookups;
    auto const calls = lookups.start_all({"a", "b", "c", "d", "e", "f", "g"});
    lookups.system.asked(4);
    lookups.cancel(calls[4]);
    lookups.cancel(calls[5]);
    lookups.poll();
    CHECK(calls[4]->was_aborted());
    CHECK(calls[5]->was_aborted());

    auto const again = lookups.start("e");  // at the end of the queue
    lookups.system.answer("efga");
    CHECK(lookups.system.asked(6).substr(4) == "ge");
    lookups.system.answer_all();
    lookups.settle();
    CHECK(again->found() == "192.0.2.1:443");
    CHECK(lookups.system.asked(6).size() == 6);
}

TEST_CASE("a resolver that is gone still ends what it began") {
    Lookups lookups;
    auto const under_way = lookups.start("a.example");
    lookups.end_resolver();
    lookups.system.answer_all();
    lookups.settle();
    CHECK(under_way->found() == "192.0.2.1:443");
}

TEST_CASE("a context ends while lookups hang, and nothing is left of them") {
    Lookups lookups;
    auto const calls = lookups.start_all({"a", "a", "b", "c", "d", "e", "f"});
    lookups.system.asked(4);
    lookups.cancel(calls[0]);
    lookups.cancel(calls[5]);
    lookups.context().poll_one();  // cancelled, but not told so
    lookups.end_context();
    for (auto const& call : calls) {
        CHECK(call->is_gone());
        CHECK(call->completions == 0);
    }
    CHECK(lookups.system.asked(4).size() == 4);
}

TEST_CASE("a context ends at any moment of a lookup") {
    for (int round = 0; round < (sanitized ? 200 : 2'000); ++round) {
        Lookups lookups;
        lookups.system.answer_all();
        auto const calls = lookups.start_all({"a", "b", "a"});
        for (int i = 0; i < round % 8; ++i)
            std::this_thread::yield();
        if (round % 3 == 0) lookups.poll();
        lookups.end_context();
        for (auto const& call : calls)
            CHECK(call->is_gone());
    }
}

TEST_CASE("an answer and a cancellation at the same time end a lookup once") {
    Lookups lookups;
    lookups.system.answer_all();
    for (int round = 0; round < (sanitized ? 200 : 2'000); ++round) {
        auto const call = lookups.start("a");
        for (int i = 0; i < round % 8; ++i)
            std::this_thread::yield();
        lookups.cancel(call);
        lookups.settle();
        CHECK(call->completions == 1);
        CHECK((call->was_aborted() || call->found() == "192.0.2.1:443"));
    }
}

TEST_CASE("several threads may run the strand of a resolver") {
    Lookups lookups;
    lookups.system.answer_all();
    std::vector<CallPtr> calls;
    for (int i = 0; i < 200; ++i)
        calls.push_back(lookups.spawn("host-" + std::to_string(i % 20)));
    std::thread other([&] { lookups.context().run_for(patience); });
    lookups.context().run_for(patience);
    other.join();
    for (auto const& call : calls)
        CHECK(call->found() == "192.0.2.1:443");
    CHECK(lookups.system.max_at_once() <= Resolver::max_workers);
}

TEST_CASE("a lookup leaves the signals of the program to the program") {
    std::atomic<bool> blocked = false;
    Lookups lookups([&](auto&) {
        sigset_t mask;
        ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
        blocked = ::sigismember(&mask, SIGTERM) == 1;
        return addresses({"192.0.2.1"});
    });
    lookups.finished("a.example");
    CHECK(blocked);
    sigset_t mine;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mine);
    CHECK(::sigismember(&mine, SIGTERM) == 0);
}

// Threads of this size are beyond every address space.
class NoThreads {
public:
    NoThreads() {
        ::pthread_getattr_default_np(&before_);
        pthread_attr_t huge;
        ::pthread_attr_init(&huge);
        ::pthread_attr_setstacksize(&huge, std::size_t{1} << 48);
        ::pthread_setattr_default_np(&huge);
        ::pthread_attr_destroy(&huge);
    }
    NoThreads(const NoThreads&) = delete;
    NoThreads& operator=(const NoThreads&) = delete;
    ~NoThreads() {
        ::pthread_setattr_default_np(&before_);
        ::pthread_attr_destroy(&before_);
    }

private:
    pthread_attr_t before_{};
};

TEST_CASE("a lookup for which no thread can be started fails, and the next one may succeed") {
    Lookups lookups([](auto&) { return addresses({"192.0.2.1"}); });
    {
        NoThreads const none;
        auto const call = lookups.finished("a.example");
        REQUIRE_FALSE(*call->result);
        CHECK(call->result->error().code() == errc::transport);
        CHECK(call->result->error().what().starts_with(
            "cannot look up \"a.example\": no thread can be started"));
    }
    CHECK(lookups.finished("a.example")->found() == "192.0.2.1:443");
}

}  // namespace lookup_test
