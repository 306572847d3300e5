// SPDX-License-Identifier: BSL-1.0
#include <palette/blocking_client.hpp>
#include <palette/client.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_future.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// Clients that are used from many threads at once. The thread sanitizer sees the rest.

namespace threads_test {

using namespace std::chrono_literals;
using namespace palette;
namespace asio = boost::asio;
using testing::Emulator;
using testing::Role;

constexpr int threads = 8;
constexpr int operations = 40;  // of each thread

testing::EmulatorOptions for_many() {
    return {.quota = 10'000, .rate_limit = testing::RateLimit::off()};
}

ClientOptions options_for(const Emulator& emulator) {
    auto options = emulator.client_options(Role::tenant_admin);
    options.rate_limit = RateLimitOptions::off();
    return options;
}

// Calls `work` with 0, 1, ... in as many threads, and waits for them.
template <class Work>
void in_threads(int count, Work work) {
    std::vector<std::jthread> all;
    for (int i = 0; i < count; ++i)
        all.emplace_back([i, &work] { work(i); });
}

// A context that several threads run.
class RunByThreads {
public:
    explicit RunByThreads(int count) {
        for (int i = 0; i < count; ++i)
            runners_.emplace_back([this] { context.run(); });
    }
    RunByThreads(const RunByThreads&) = delete;
    RunByThreads& operator=(const RunByThreads&) = delete;
    ~RunByThreads() { join(); }

    // When nothing is left to do.
    void join() {
        work_.reset();
        runners_.clear();
    }

    asio::io_context context;

private:
    asio::executor_work_guard<asio::io_context::executor_type> work_{context.get_executor()};
    std::vector<std::jthread> runners_;
};

using Strand = asio::strand<asio::io_context::executor_type>;

// An operation whose handler runs on a strand, where it is cancelled too.
class Watched : public std::enable_shared_from_this<Watched> {
public:
    Watched(Strand strand, std::latch& all_ended) : strand_(std::move(strand)), all_ended_(all_ended) {}

    auto handler() {
        auto on_end = [self = shared_from_this()](auto const& result) {
            self->is_on_strand = self->strand_.running_in_this_thread();
            if (!result) self->code = result.error().code();
            if (++self->completions == 1) self->all_ended_.count_down();
        };
        return asio::bind_executor(strand_, asio::bind_cancellation_slot(signal_.slot(), std::move(on_end)));
    }

    template <class Function>
    void post(Function function) {
        asio::post(strand_, std::move(function));
    }

    // On the strand.
    void cancel() {
        if (completions > 0) return;
        was_cancelled = true;
        signal_.emit(asio::cancellation_type::terminal);
    }

    // Read when all have ended and nothing runs any more.
    int completions = 0;
    bool is_on_strand = false;
    bool was_cancelled = false;
    std::optional<errc> code;  // of a failure

private:
    Strand strand_;
    std::latch& all_ended_;
    asio::cancellation_signal signal_;
};

void start(ApiKeyClient& client, int kind, const std::string& uid, Watched& watched) {
    switch (kind % 10) {
        case 0:
            return client.async_list(watched.handler());
        case 1:
            return client.async_get(uid, watched.handler());
        case 2:
            return client.async_create(NewApiKey("made").annotate("by", "a thread"), watched.handler());
        case 3:
            return client.async_update(uid, ApiKeyEdit().description("edited"), watched.handler());
        case 4:
            return client.async_renew(uid, std::chrono::days{60}, watched.handler());
        case 5:
            return client.async_revoke(uid, ChangeOptions().verify(), watched.handler());
        case 6:
            return client.async_set_active(uid, true, watched.handler());
        case 7:
            return client.async_remove(uid, watched.handler());
        case 8:
            return client.async_find_user("dev@acme.test", watched.handler());
        default:
            return client.async_whoami(CallOptions().deadline(1min), watched.handler());
    }
}

TEST_CASE("client threads: eight threads start and cancel operations of a context that four run") {
    Emulator emulator(for_many());
    std::vector<std::string> uids;
    for (int i = 0; i < threads * operations; ++i)
        uids.push_back(emulator.seed_key(NewApiKey("seed")).uid());
    std::latch all_ended(threads * operations);
    std::atomic<int> good_futures = 0;
    RunByThreads run(4);
    std::vector<std::shared_ptr<Watched>> all(uids.size());
    {
        ApiKeyClient client(run.context, options_for(emulator));
        in_threads(threads, [&](int thread) {
            auto future = client.async_whoami(asio::use_future);
            auto const strand = asio::make_strand(run.context);
            auto const first = all.begin() + thread * operations;
            for (int i = 0; i < operations; ++i) {
                auto& watched = first[i] = std::make_shared<Watched>(strand, all_ended);
                start(client, i, uids[static_cast<std::size_t>(thread * operations + i)], *watched);
            }
            asio::post(strand, [first] {
                for (int i = 0; i < operations; i += 3)
                    first[i]->cancel();
            });
            good_futures += future.get() ? 1 : 0;
        });
        all_ended.wait();
    }
    run.join();
    CHECK(good_futures == threads);
    int good = 0;
    for (auto const& watched : all) {
        CHECK(watched->completions == 1);
        CHECK(watched->is_on_strand);
        good += watched->code ? 0 : 1;
        if (watched->code) CHECK((watched->was_cancelled && watched->code == errc::operation_aborted));
    }
    CHECK(good >= threads * operations * 2 / 3 - threads);
}

// Stays in the middle of an operation, and orders nothing between the threads while it does.
struct StaysInside : Observer {
    void on_attempt(const AttemptEvent&) noexcept override {
        is_inside.store(true, std::memory_order_relaxed);
        while (!may_leave.load(std::memory_order_relaxed))
            std::this_thread::yield();
    }
    std::atomic<bool> is_inside = false;
    std::atomic<bool> may_leave = false;
};

TEST_CASE("client threads: a cancellation comes in the middle of a step and touches nothing of it") {
    for (bool const is_by_signal : {true, false}) {
        CAPTURE(is_by_signal);
        Emulator emulator(for_many());
        emulator.faults().add("PUT / stall");
        auto options = options_for(emulator);
        auto const inside = std::make_shared<StaysInside>();
        options.observer = inside;
        RunByThreads run(2);
        ApiKeyClient client(run.context, options);
        std::latch ended(1);
        auto const watched = std::make_shared<Watched>(asio::make_strand(run.context), ended);
        client.async_update(emulator.keys().back().uid, ApiKeyEdit().name("b"), watched->handler());
        while (!inside->is_inside.load(std::memory_order_relaxed))
            std::this_thread::yield();
        if (is_by_signal) {
            watched->post([&] {
                watched->cancel();
                inside->may_leave.store(true, std::memory_order_relaxed);
            });
        } else {
            client.cancel();
            inside->may_leave.store(true, std::memory_order_relaxed);
        }
        ended.wait();
        run.join();
        CHECK(watched->completions == 1);
        CHECK(watched->code == errc::operation_aborted);
    }
}

TEST_CASE("client threads: cancelling all misses nothing that has begun, whatever it is doing") {
    Emulator emulator(for_many());
    emulator.faults().add("* / stall");
    RunByThreads run(4);
    for (int round = 0; round < 20; ++round) {
        ApiKeyClient client(run.context, options_for(emulator));
        std::latch all_ended(threads);
        std::atomic<int> aborted = 0;
        in_threads(threads, [&](int thread) {
            client.async_list([&](Result<KeyList> list) {
                aborted += !list && list.error().code() == errc::operation_aborted ? 1 : 0;
                all_ended.count_down();
            });
            if (thread % 2 == 0) client.cancel();
        });
        client.cancel();
        auto const begun = std::chrono::steady_clock::now();
        all_ended.wait();
        // What is missed, ends when the service has been silent for long enough.
        CHECK(std::chrono::steady_clock::now() - begun < 15s);
        CHECK(aborted == threads);
    }
}

// Every operation once; how many have failed.
int live(BlockingApiKeyClient& client) {
    int failed = 0;
    auto const expect = [&](auto const& result) { failed += result ? 0 : 1; };
    auto made = client.create(NewApiKey("a").description("made"));
    if (!made) return 1;
    auto const uid = made->uid();
    auto const key = client.get(uid);
    expect(key);
    expect(client.update(uid, ApiKeyEdit().name("b"), CallOptions().deadline(1min)));
    failed += client.update(key.value_or(ApiKey()), ApiKeyEdit().name("c")) ? 1 : 0;
    expect(client.renew(uid, std::chrono::days{60}));
    expect(client.revoke(uid, ChangeOptions().verify()));
    expect(client.reactivate(uid));
    expect(client.set_active(uid, false));
    expect(client.list(ListFilter().state(KeyState::revoked)));
    expect(client.find("b"));
    expect(client.find_user("dev@acme.test"));
    expect(client.whoami());
    expect(client.remove(uid, ChangeOptions().verify()));
    return failed;
}

TEST_CASE("client threads: eight threads use one blocking client") {
    Emulator emulator(for_many());
    std::optional<BlockingApiKeyClient> client(std::in_place, options_for(emulator));
    std::atomic<int> failed = 0;
    in_threads(threads, [&](int) { failed += live(*client); });
    CHECK(failed == 0);
    CHECK(emulator.keys().size() == 4);

    BlockingApiKeyClient moved(std::move(*client));
    client.reset();
    CHECK(moved.close());
    CHECK(moved.list().error().code() == errc::operation_aborted);
    // Its end does not wait for idle connections to time out.
    auto const begun = std::chrono::steady_clock::now();
    client.emplace(options_for(emulator));
    CHECK(client->whoami());
    client.reset();
    CHECK(std::chrono::steady_clock::now() - begun < 10s);
}

// Does in the client's own thread what would wait for itself.
struct CallsBack : Observer, AuthProvider {
    explicit CallsBack(std::shared_ptr<AuthProvider> auth) : real(std::move(auth)) {}

    void on_operation(const OperationEvent&) noexcept override {
        codes.push_back(client->list().error().code());
        client->cancel();
    }
    asio::awaitable<Result<std::shared_ptr<const Credential>>> credential(
        CredentialRequest request) override {
        codes.push_back(client->whoami().error().code());
        return real->credential(std::move(request));
    }

    std::shared_ptr<AuthProvider> real;
    BlockingApiKeyClient* client = nullptr;
    std::vector<errc> codes;
};

TEST_CASE("client threads: a blocking operation in the thread of its client is refused, and does not hang") {
    Emulator emulator(for_many());
    auto options = options_for(emulator);
    auto const calls_back = std::make_shared<CallsBack>(options.auth);
    options.observer = calls_back;
    options.auth = calls_back;
    BlockingApiKeyClient client(std::move(options));
    calls_back->client = &client;
    CHECK(client.whoami());
    CHECK(calls_back->codes == std::vector<errc>{errc::invalid_argument, errc::invalid_argument});
}

TEST_CASE(
    "client threads: cancel() from another thread ends blocking operations, and the client remains usable") {
    Emulator emulator(for_many());
    emulator.faults().add("* / stall x3");
    BlockingApiKeyClient client(options_for(emulator));
    std::atomic<int> aborted = 0;
    {
        std::jthread const canceller([&] {
            while (emulator.request_count() < 3)
                std::this_thread::yield();
            client.cancel();
        });
        in_threads(3, [&](int) {
            auto const list = client.list();
            aborted += !list && list.error().code() == errc::operation_aborted ? 1 : 0;
        });
    }
    CHECK(aborted == 3);
    CHECK(client.list());
}

}  // namespace threads_test
