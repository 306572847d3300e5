// SPDX-License-Identifier: BSL-1.0
#include "support/credential_scene.hpp"

#include <palette/client.hpp>

#include <doctest/doctest.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

// A credential is renewed in the background before it ends: no operation waits for what it does not need.

namespace credential_renewal_test {

using namespace std::chrono_literals;
using namespace palette;
using credential_scene::Answer;
using credential_scene::me;
using credential_scene::Reason;
using credential_scene::Scene;
namespace asio = boost::asio;

// Answers every request, and notes what it was sent with.
class Service final : public Transport {
public:
    asio::awaitable<Result<void>> exchange(const HttpRequest& request, ResponseSink& sink,
                                           ExchangeReport& report) override {
        report.sent = report.received = true;
        sent_with.emplace_back(request.credential->value().expose());
        HttpResponse head;
        head.status = sent_with.back() == refused ? 401 : 200;
        sink.head(head);
        if (head.status == 200) sink.body(me);
        co_return Result<void>();
    }

    std::vector<std::string> sent_with;
    std::string refused;
};

// One that has a token of 15 minutes, in its last minute.
struct LastMinute : Scene {
    explicit LastMinute(std::shared_ptr<Service> answers = std::make_shared<Service>())
        : Scene(answers),
          service(std::move(answers)) {
        provider->give(Credential::token(Secret("the-first-token"), end));
        CHECK(ask());
        clock->set(end - 30s);
    }
    LastMinute(const LastMinute&) = delete;

    // Whether it succeeds without any time passing.
    bool succeeds_at_once() {
        support::Watched<> watched;
        client().async_whoami(watched.handler());
        settle();
        return watched.is_good();
    }

    std::shared_ptr<Service> service;
    Instant end = clock->now() + 15min;
};

TEST_CASE("client: in a credential's last minute no operation waits for a provider that hangs") {
    LastMinute scene;
    scene.provider->waits = true;
    for (int i = 0; i < 20; ++i)
        CHECK(scene.succeeds_at_once());
    CHECK(scene.provider->reasons == std::vector{Reason::first, Reason::expiring});
    CHECK(scene.service->sent_with == std::vector<std::string>(21, "the-first-token"));
}

TEST_CASE("client: the next operation uses the credential that was renewed in the background") {
    LastMinute scene;
    scene.provider->give(Credential::token(Secret("the-second-token"), scene.end + 15min));
    CHECK(scene.succeeds_at_once());
    CHECK(scene.service->sent_with.back() == "the-first-token");
    CHECK(scene.succeeds_at_once());
    CHECK(scene.service->sent_with.back() == "the-second-token");
    CHECK(scene.provider->reasons == std::vector{Reason::first, Reason::expiring});
}

TEST_CASE("client: once the credential has expired, operations wait for the renewal under way") {
    LastMinute scene;
    scene.provider->waits = true;
    scene.clock->set(scene.end - 1s);
    CHECK(scene.succeeds_at_once());
    scene.clock->set(scene.end);
    int ended = 0;
    for (int i = 0; i < 3; ++i)
        scene.client().async_whoami(CallOptions().deadline(40s), [&](const Result<Identity>& r) {
            REQUIRE_FALSE(r);
            CHECK(r.error().code() == errc::timeout);
            ++ended;
        });
    scene.settle();
    CHECK(ended == 0);
    CHECK(scene.provider->reasons.size() == 2);
    scene.pass(40s);
    CHECK(ended == 3);
    CHECK(scene.provider->cancelled == 1);
    CHECK(scene.provider->reasons.size() == 2);
}

TEST_CASE("client: a failed renewal is retried with exponential backoff, and fails no operation") {
    LastMinute scene;
    scene.clock->set(scene.end - 60s);
    for (int i = 0; i < 50; ++i)
        scene.provider->fail(Error(errc::unavailable, "no login today"));
    std::vector<std::chrono::milliseconds> asked;
    for (auto const begun = scene.clock->now(); scene.clock->now() < scene.end; scene.clock->advance(100ms)) {
        auto const before = scene.provider->reasons.size();
        CHECK(scene.succeeds_at_once());
        if (scene.provider->reasons.size() > before) asked.push_back(scene.clock->now() - begun);
    }
    CHECK(asked == std::vector<std::chrono::milliseconds>{0s, 1s, 3s, 7s, 15s, 31s});
}

TEST_CASE("client: a provider that has no other credential yet is not asked by every operation") {
    LastMinute scene;
    auto const only = Credential::token(Secret("another-token"), scene.end + 45s);
    for (int i = 0; i < 50; ++i)
        scene.provider->give(only);
    CHECK(scene.succeeds_at_once());
    scene.clock->set(scene.end + 44s);
    auto const before = scene.provider->reasons.size();
    for (int i = 0; i < 20; ++i)
        CHECK(scene.succeeds_at_once());
    CHECK(scene.provider->reasons.size() == before + 1);
}

TEST_CASE("client: a renewal that cannot even be begun fails no operation") {
    class Thrower final : public AuthProvider {
    public:
        asio::awaitable<Answer> credential(CredentialRequest request) override {
            if (request.previous()) throw std::runtime_error("no coroutine");
            return give(Credential::token(Secret("the-first-token"), end));
        }
        Instant end;

    private:
        static asio::awaitable<Answer> give(credential_scene::CredentialPtr credential) {
            co_return Answer(std::move(credential));
        }
    };
    auto const service = std::make_shared<Service>();
    Scene scene(service);
    auto const provider = std::make_shared<Thrower>();
    provider->end = scene.clock->now() + 15min;
    scene.options.auth = provider;
    CHECK(scene.ask());
    scene.clock->set(provider->end - 30s);
    CHECK(scene.ask());
    CHECK(service->sent_with.size() == 2);
}

TEST_CASE("client: an operation that meets 401 while a renewal is under way waits for that one") {
    LastMinute scene;
    scene.service->refused = "the-first-token";
    scene.provider->give(Credential::token(Secret("the-second-token"), scene.end + 15min));
    CHECK(scene.succeeds_at_once());
    CHECK(scene.service->sent_with.back() == "the-second-token");
    CHECK(scene.provider->reasons == std::vector{Reason::first, Reason::expiring});
}

TEST_CASE("client: a renewal in the background ends when the work of the client is ended") {
    struct Row {
        const char* by;
        std::function<void(LastMinute&)> end;
    };
    Row const rows[] = {
        {"the client's end", [](LastMinute& s) { s.destroy_client(); }},
        {"cancel()", [](LastMinute& s) { s.client().cancel(); }},
        {"async_close()",
         [](LastMinute& s) { s.client().async_close([](const Result<void>& r) { CHECK(r); }); }},
        {"its own time", [](LastMinute& s) { s.clock->advance(s.options.timeouts.total); }},
    };
    for (auto const& [by, end] : rows) {
        CAPTURE(by);
        LastMinute scene;
        scene.provider->waits = true;
        CHECK(scene.succeeds_at_once());
        CHECK(scene.provider->reasons.size() == 2);
        CHECK_FALSE(scene.context.stopped());
        end(scene);
        scene.settle();
        CHECK(scene.provider->cancelled == 1);
        CHECK(scene.context.stopped());
    }
}

TEST_CASE("client: a renewal in the background goes with a context that does not run any more") {
    LastMinute scene;
    scene.provider->waits = true;
    CHECK(scene.succeeds_at_once());
    CHECK(scene.provider->cancelled == 0);
}

TEST_CASE("client: a renewal that hangs keeps a context without other work for timeouts.total at most") {
    class Hanging final : public AuthProvider {
    public:
        asio::awaitable<Answer> credential(CredentialRequest request) override {
            if (!request.previous()) co_return Credential::token(Secret("a-token"), request.now() + 10s);
            asio::steady_timer never(co_await asio::this_coro::executor,
                                     asio::steady_timer::time_point::max());
            co_await never.async_wait(asio::as_tuple(asio::use_awaitable));
            co_return Error(errc::operation_aborted, "cancelled");
        }
    };
    // Real time passes, on a clock that stands still for the tokens.
    class AtTheEnd final : public Clock {
    public:
        [[nodiscard]] Instant now() const noexcept override { return now_; }
        [[nodiscard]] std::shared_ptr<void> call_after(std::chrono::milliseconds delay,
                                                       std::function<void()> ring) override {
            auto const timer = std::make_shared<asio::steady_timer>(context, delay);
            timer->async_wait([ring = std::move(ring), timer](boost::system::error_code ec) {
                if (!ec) ring();
            });
            return std::shared_ptr<void>(timer.get(), [timer](void*) { timer->cancel(); });
        }
        explicit AtTheEnd(asio::io_context& c) : context(c) {}
        asio::io_context& context;
        Instant now_ = std::chrono::sys_days{std::chrono::year{2027} / 1 / 31};
    };
    asio::io_context context;
    auto const clock = std::make_shared<AtTheEnd>(context);
    ClientOptions options;
    options.transport = std::make_shared<Service>();
    options.auth = std::make_shared<Hanging>();
    options.clock = clock;
    options.timeouts.total = 100ms;
    ApiKeyClient client(context, options);
    int good = 0;
    client.async_whoami([&](const Result<Identity>& r) { good += r.has_value(); });
    context.run();
    clock->now_ += 9s;
    client.async_whoami([&](const Result<Identity>& r) { good += r.has_value(); });
    context.restart();
    auto const begun = std::chrono::steady_clock::now();
    context.run_for(30s);
    CHECK(good == 2);
    CHECK(std::chrono::steady_clock::now() - begun >= 100ms);
    CHECK(context.stopped());
}

}  // namespace credential_renewal_test
