// SPDX-License-Identifier: BSL-1.0
#include "support/retry_scene.hpp"

#include <palette/client.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

// What an outage costs, and which options are refused.

namespace retry_budget_test {

using namespace std::chrono_literals;
using namespace palette;
using std::chrono::milliseconds;

// There, or not.
class Service final : public Transport {
public:
    boost::asio::awaitable<Result<void>> exchange(const HttpRequest&, ResponseSink& sink,
                                                  ExchangeReport& report) override {
        ++requests;
        report.sent = takes_requests || is_there;
        if (!is_there) co_return Error(errc::transport, "nobody answers");
        report.received = true;
        HttpResponse head;
        head.status = 200;
        sink.head(head);
        sink.body(RetryScene::somebody);
        co_return Result<void>();
    }

    bool is_there = false;
    bool takes_requests = true;  // also while it is not there
    std::size_t requests = 0;
};

struct OutageScene : RetryScene {
    explicit OutageScene(double budget) {
        options.transport = network;
        options.retry.budget = budget;
    }

    // How many requests a call makes that fails.
    std::size_t fail() {
        auto const before = network->requests;
        network->is_there = false;
        whoami();
        finish();
        CHECK(error().code() == errc::transport);
        return network->requests - before;
    }
    void succeed(int times) {
        network->is_there = true;
        for (int i = 0; i < times; ++i) {
            whoami();
            CHECK(is_good());
        }
    }

    std::shared_ptr<Service> network = std::make_shared<Service>();
};

TEST_CASE("retry: an outage costs the retry budget of the client, not retries for each operation") {
    for (double const budget : {0.0, 5.0, 20.0}) {
        CAPTURE(budget);
        OutageScene scene(budget);
        for (int i = 0; i < 100; ++i)
            scene.fail();
        CHECK(scene.network->requests == 100 + static_cast<std::size_t>(budget));
    }
}

TEST_CASE("retry: an outage in which nothing is sent costs nothing of the budget") {
    OutageScene scene(5);
    scene.network->takes_requests = false;
    for (int i = 0; i < 50; ++i)
        CHECK(scene.fail() == 4);  // all attempts
    scene.network->takes_requests = true;
    CHECK(scene.fail() == 4);
    CHECK(scene.fail() == 3);  // the budget is used up
}

TEST_CASE("retry: each success gives a tenth of a retry back") {
    OutageScene scene(3);
    CHECK(scene.fail() == 4);  // all attempts
    CHECK(scene.fail() == 1);  // the budget is used up
    scene.succeed(15);
    CHECK(scene.fail() == 2);  // one and a half came back
    CHECK(scene.fail() == 1);
}

TEST_CASE("retry: a budget is never more than it was at first") {
    OutageScene scene(1);
    scene.succeed(50);
    CHECK(scene.fail() == 2);
}

void expect(RetryScene& scene, int status) {
    scene.service->expect("GET /v1/users/info").answer(status, status == 200 ? RetryScene::somebody : "");
}

// Where credentials come from, after some failures.
class Vault final : public AuthProvider {
public:
    Vault(errc code, int failures) : code_(code), failures_(failures) {}

    boost::asio::awaitable<Result<std::shared_ptr<const Credential>>> credential(CredentialRequest) override {
        if (++asked <= failures_) co_return Error(code_, "the vault is sealed");
        co_return Credential::api_key(Secret("a-value-of-a-key"), "the-own-key");
    }

    int asked = 0;

private:
    errc code_;
    int failures_;
};

TEST_CASE("retry: a provider that fails transiently is retried as often as the service") {
    for (auto const code : {errc::transport, errc::timeout, errc::unavailable, errc::rate_limited}) {
        CAPTURE(code);
        for (int const failures : {1, 3, 100}) {
            CAPTURE(failures);
            RetryScene scene;
            auto const vault = std::make_shared<Vault>(code, failures);
            scene.options.auth = vault;
            scene.service->expect("PUT /v1/apiKeys/a/state");
            scene.revoke();
            scene.finish();
            CHECK(vault->asked == std::min(failures + 1, 4));
            CHECK(scene.is_good() == (failures < 4));
            CHECK(scene.requests() == (failures < 4 ? 1 : 0));
            if (failures < 4) continue;
            CHECK(scene.error().code() == code);
            CHECK(scene.error().effect() == Effect::not_applied);
        }
    }
}

TEST_CASE("retry: a source of credentials that fails for good is asked once") {
    for (auto const code : {errc::auth_provider, errc::unauthorized, errc::forbidden}) {
        RetryScene scene;
        auto const vault = std::make_shared<Vault>(code, 1);
        scene.options.auth = vault;
        scene.revoke();
        scene.finish();
        CHECK(vault->asked == 1);
        CHECK(scene.error().code() == code);
        CHECK(scene.error().effect() == Effect::not_applied);
        CHECK(scene.requests() == 0);
    }
}

TEST_CASE("retry: options that cannot work are refused when the client is made") {
    struct Row {
        std::string_view title;
        void (*change)(RetryOptions&);
        bool is_good = false;
    };
    static constexpr Row rows[] = {
        {"no attempt", [](RetryOptions& o) { o.max_attempts = 0; }},
        {"fewer than none", [](RetryOptions& o) { o.max_attempts = std::numeric_limits<int>::min(); }},
        {"initial_backoff", [](RetryOptions& o) { o.initial_backoff = -1ms; }},
        {"max_backoff", [](RetryOptions& o) { o.max_backoff = -1ms; }},
        {"budget", [](RetryOptions& o) { o.budget = -0.5; }},
        {"no number", [](RetryOptions& o) { o.budget = std::nan(""); }},
        {"settle_time", [](RetryOptions& o) { o.settle_time = -1ms; }},
        {"one attempt", [](RetryOptions& o) { o.max_attempts = 1; }, true},
        {"no waits", [](RetryOptions& o) { o.initial_backoff = o.max_backoff = o.settle_time = 0ms; }, true},
        {"no budget", [](RetryOptions& o) { o.budget = 0; }, true},
        {"initial_backoff beyond max_backoff", [](RetryOptions& o) { o.initial_backoff = 2 * o.max_backoff; },
         true},
        {"very much of all",
         [](RetryOptions& o) {
             o.max_attempts = std::numeric_limits<int>::max();
             o.initial_backoff = o.max_backoff = o.settle_time = milliseconds::max();
             o.budget = std::numeric_limits<double>::max();
         },
         true},
    };
    for (auto const& row : rows) {
        CAPTURE(row.title);
        RetryScene scene;
        row.change(scene.options.retry);
        std::optional<errc> code;
        try {
            scene.client();
        } catch (const Exception& e) {
            code = e.error().code();
        }
        CHECK(code == (row.is_good ? std::nullopt : std::optional(errc::invalid_argument)));
        if (!row.is_good) continue;
        expect(scene, 503);
        expect(scene, 200);
        scene.whoami();
        scene.finish();
        CHECK(scene.has_ended());
    }
}

}  // namespace retry_budget_test
