// SPDX-License-Identifier: BSL-1.0
#include "support/one_attempt.hpp"

#include <palette/blocking_client.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>

#include <string>

// Where a credential never goes.

namespace credential_reach_test {

using namespace palette;
using testing::Emulator;
using testing::Role;

TEST_CASE("W17: a credential does not follow a redirect") {
    for (bool const plain : {false, true}) {
        Emulator elsewhere({.plain_http = plain});
        Emulator emulator;
        BlockingApiKeyClient client(one_attempt(emulator.client_options(Role::tenant_admin)));
        emulator.faults().add("* / redirect:" + elsewhere.url() + "/v1/apiKeys");
        for (auto const& result :
             {client.list().transform([](const KeyList&) {}), client.revoke("a"), client.remove("a"),
              client.create(NewApiKey("n")).transform([](const CreatedApiKey&) {})}) {
            REQUIRE_FALSE(result);
            CHECK(result.error().code() == errc::unexpected_status);
            CHECK(result.error().status() == 307);
            CHECK(result.error().attempts() == 1);
            CHECK(result.error().what().find("credentials do not follow") != std::string::npos);
        }
        CHECK(emulator.request_count() == 4);
        CHECK(elsewhere.request_count() == 0);
        CHECK(elsewhere.connections() == 0);
    }
}

TEST_CASE("W20: a credential is sent in the clear to this machine only") {
    Emulator emulator({.plain_http = true});
    auto options = one_attempt(emulator.client_options(Role::user));
    for (std::string const host : {"127.0.0.1", "localhost", "LOCALHOST"}) {
        options.endpoint = Endpoint::parse("http://" + host + ':' + std::to_string(emulator.port())).value();
        BlockingApiKeyClient client(options);
        CHECK(client.whoami());
    }
    for (auto const* const host :
         {"http://palette.acme.com", "http://localhost.acme.com", "http://10.0.0.1", "http://[::2]:80",
          "http://127.0.0.1.nip.io", "http://0.0.0.0", "http://[::ffff:10.0.0.1]", "http://localhosts"}) {
        CAPTURE(host);
        auto const refused = Endpoint::parse(host);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code() == errc::invalid_argument);
        CHECK(refused.error().effect() == Effect::not_applied);
    }
    CHECK(emulator.request_count() == 3);
}

}  // namespace credential_reach_test
