// SPDX-License-Identifier: BSL-1.0
#include "support/scene.hpp"

#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>
#include <palette/client.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>

// Tokens that end soon, and clocks that do not agree about when.

namespace short_tokens_test {

using namespace std::chrono_literals;
using namespace palette;
using testing::Emulator;
using testing::EmulatorOptions;
using testing::ManualClock;
using testing::Role;

ClientOptions logging_in(const Emulator& emulator, Role role) {
    auto const& user = emulator.user(role);
    auto options = emulator.client_options(role);
    options.auth = auth::login(auth::LoginOptions(user.email, Secret(user.password.expose())).org("acme"));
    options.clock = nullptr;
    return options;
}

auto logins(const Emulator& emulator) {
    return std::ranges::count_if(emulator.requests(),
                                 [](const auto& request) { return request.path == "/v1/auth/authenticate"; });
}

TEST_CASE("client: with tokens that live 45 s a create succeeds and logs in once, and reads do not log in") {
    Emulator emulator({.token_lifetime = 45s});
    BlockingApiKeyClient client(logging_in(emulator, Role::tenant_admin));
    auto const created = client.create(NewApiKey("ci"), CallOptions().deadline(5s));
    CHECK_MESSAGE(created, (created ? "" : created.error().message()));
    CHECK(logins(emulator) == 1);
    for (int i = 0; i < 5; ++i)
        CHECK(client.whoami(CallOptions().deadline(5s)));
    CHECK(logins(emulator) == 1);
}

TEST_CASE("client: a clock that is 14.5 minutes fast makes a token of 15 minutes no reason to log in again") {
    auto const service_clock = std::make_shared<ManualClock>();
    service_clock->set(service_clock->now() - (14min + 30s));
    Emulator emulator({.clock = service_clock});
    BlockingApiKeyClient client(logging_in(emulator, Role::tenant_admin));
    auto const created = client.create(NewApiKey("ci"), CallOptions().deadline(5s));
    CHECK_MESSAGE(created, (created ? "" : created.error().message()));
    for (int i = 0; i < 5; ++i)
        CHECK(client.whoami(CallOptions().deadline(5s)));
    CHECK(logins(emulator) == 1);
}

// Gives tokens that have ended already, or end at once.
class Ending final : public AuthProvider {
public:
    explicit Ending(std::chrono::milliseconds life) : life_(life) {}

    boost::asio::awaitable<Result<std::shared_ptr<const Credential>>> credential(
        CredentialRequest request) override {
        ++asked;
        co_return Credential::token(Secret("a.token." + std::to_string(asked)), request.now() + life_);
    }

    int asked = 0;

private:
    std::chrono::milliseconds life_;
};

// A service that takes every credential, and on which no time passes.
class TakesAll final : public Transport {
public:
    boost::asio::awaitable<Result<void>> exchange(const HttpRequest& request, ResponseSink& sink,
                                                  ExchangeReport& report) override {
        ++requests;
        report.sent = report.received = true;
        HttpResponse head;
        auto const is_create = request.method == "POST";
        head.status = is_create ? 201 : 200;
        sink.head(head);
        sink.body(is_create                                 ? R"({"apiKey":"value-of-the-key","uid":"k"})"
                  : request.target.starts_with("/v1/users") ? R"({"userUid":"u","tenantUid":"t"})"
                                                            : R"({"metadata":{"name":"ci","uid":"k"}})");
        // A loop without an end would be one without a test result.
        if (requests > 1'000) throw std::runtime_error("asked without an end");
        co_return Result<void>();
    }

    int requests = 0;
};

TEST_CASE("client: a credential just received is used, however soon it ends by this machine's clock") {
    for (auto const life : std::initializer_list<std::chrono::milliseconds>{-1h, -1ms, 0ms, 1ms, 10s, 59s}) {
        CAPTURE(life.count());
        auto const provider = std::make_shared<Ending>(life);
        support::ClientScene scene;
        scene.options.transport = std::make_shared<TakesAll>();
        scene.options.auth = provider;
        scene.options.clock = scene.clock;
        scene.options.rate_limit = RateLimitOptions::off();
        support::Watched<> created;
        scene.client().async_create(NewApiKey("ci"), created.handler());
        scene.settle();
        CHECK(created.is_good());
        for (int i = 0; i < 5; ++i) {
            support::Watched<> read;
            scene.client().async_whoami(read.handler());
            scene.settle();
            CHECK(read.is_good());
        }
        CHECK(provider->asked == 1);
    }
}

}  // namespace short_tokens_test
