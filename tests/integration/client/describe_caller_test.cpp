// SPDX-License-Identifier: BSL-1.0
#include <palette/auth.hpp>
#include <palette/auth_provider.hpp>
#include <palette/blocking_client.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <utility>

namespace describe_caller_test {

using namespace palette;
using testing::Emulator;
using testing::Role;

TEST_CASE("client: it tells whose its credential is, and what it is") {
    Emulator emulator({.plain_http = true, .rate_limit = testing::RateLimit::off()});
    auto const& admin = emulator.user(Role::tenant_admin);
    auto const described = [&](std::shared_ptr<AuthProvider> auth) {
        auto options = emulator.client_options(Role::tenant_admin);
        options.auth = std::move(auth);
        auto const before = emulator.request_count();
        auto caller = BlockingApiKeyClient(options).describe_caller().value();
        CHECK(caller.identity.user_uid == admin.uid);
        CHECK(caller.identity.tenant_uid == emulator.tenant_uid());
        CHECK(caller.identity.org_name == emulator.org());
        CHECK(emulator.request_count() == before + 1);
        return caller;
    };
    auto const value = [&] { return Secret(admin.api_key.expose()); };

    auto const known = described(auth::api_key(value(), admin.api_key_uid));
    CHECK(known.kind == Credential::Kind::api_key);
    CHECK(known.key_uid == admin.api_key_uid);
    auto const unknown = described(auth::api_key(value()));
    CHECK(unknown.kind == Credential::Kind::api_key);
    CHECK(unknown.key_uid.empty());
    auto const token = described(auth::token(emulator.sign_in(admin.uid)));
    CHECK(token.kind == Credential::Kind::token);
    CHECK(token.key_uid.empty());
    CHECK_FALSE(known == unknown);
}

// Gives one credential, which ends and is the only one.
class OneCredential final : public AuthProvider {
public:
    explicit OneCredential(std::shared_ptr<const Credential> credential)
        : credential_(std::move(credential)) {}

    boost::asio::awaitable<Result<std::shared_ptr<const Credential>>> credential(CredentialRequest) override {
        if (credential_) co_return std::exchange(credential_, nullptr);
        co_return Error(errc::auth_provider, "there is no other");
    }

private:
    std::shared_ptr<const Credential> credential_;
};

TEST_CASE("client: a credential that ends while the answer is on its way is the one that is told of") {
    using namespace std::chrono_literals;
    auto const clock = std::make_shared<testing::ManualClock>();
    Emulator emulator(
        {.plain_http = true,
         .rate_limit = testing::RateLimit::off(),
         .on_request = [&](const testing::ReceivedRequest&) { clock->set(clock->now() + 6s); }});
    auto const& admin = emulator.user(Role::tenant_admin);
    auto options = emulator.client_options(Role::tenant_admin);
    options.clock = clock;
    options.auth = std::make_shared<OneCredential>(
        Credential::api_key(Secret(admin.api_key.expose()), admin.api_key_uid, clock->now() + 5s));
    auto const caller = BlockingApiKeyClient(options).describe_caller().value();
    CHECK(caller.kind == Credential::Kind::api_key);
    CHECK(caller.key_uid == admin.api_key_uid);
}

TEST_CASE("client: a refused credential has no caller to tell of") {
    Emulator emulator({.plain_http = true});
    auto options = emulator.client_options(Role::tenant_admin);
    options.auth = auth::api_key(Secret("nobody's"));
    auto const caller = BlockingApiKeyClient(options).describe_caller();
    REQUIRE_FALSE(caller);
    CHECK(caller.error().code() == errc::unauthorized);
    CHECK(caller.error().operation() == "describe_caller");
}

}  // namespace describe_caller_test
