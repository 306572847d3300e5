// SPDX-License-Identifier: BSL-1.0
#include "support/environment.hpp"
#include "support/ask.hpp"
#include "support/fake_transport.hpp"
#include "support/printed.hpp"

#include <palette/auth/environment.hpp>

#include <doctest/doctest.h>

#include <string>

namespace environment_test {

using namespace palette;
using asking::ask;
using asking::Reason;

struct Fixture {
    EnvironmentVariable palette_key{"PALETTE_API_KEY"};
    EnvironmentVariable other_key{"SPECTROCLOUD_APIKEY"};
    EnvironmentVariable key_uid{"PALETTE_API_KEY_UID"};
    FakeTransport transport;
    std::shared_ptr<AuthProvider> provider = auth::environment();

    std::string value() { return std::string(ask(provider, transport).value()->value().expose()); }
};

TEST_CASE_FIXTURE(Fixture, "auth environment: PALETTE_API_KEY goes before SPECTROCLOUD_APIKEY") {
    other_key.set("second");
    CHECK(value() == "second");
    palette_key.set("first");
    CHECK(value() == "first");
    other_key.unset();
    CHECK(value() == "first");
    auto const credential = ask(provider, transport).value();
    CHECK(credential->kind() == Credential::Kind::api_key);
    CHECK(credential->key_uid().empty());
}

TEST_CASE_FIXTURE(Fixture, "auth environment: an empty variable counts as not set") {
    palette_key.set("");
    other_key.set("second");
    CHECK(value() == "second");
}

TEST_CASE_FIXTURE(Fixture, "auth environment: without a key there is an error that names both variables") {
    auto const answer = ask(provider, transport);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code() == errc::auth_provider);
    CHECK(answer.error().what() == "neither PALETTE_API_KEY nor SPECTROCLOUD_APIKEY is set");
}

TEST_CASE_FIXTURE(Fixture, "auth environment: it is read anew each time and the same value is the same key") {
    palette_key.set("before");
    auto const first = ask(provider, transport).value();
    CHECK(ask(provider, transport, Reason::rejected, first).value() == first);
    palette_key.set("after");
    auto const second = ask(provider, transport, Reason::rejected, first).value();
    CHECK(second != first);
    CHECK(second->value().expose() == "after");
    CHECK(first->value().expose() == "before");
}

TEST_CASE_FIXTURE(Fixture, "auth environment: PALETTE_API_KEY_UID tells the uid of the key") {
    palette_key.set("key");
    key_uid.set("463209768807a774078d86d3");
    auto const first = ask(provider, transport).value();
    CHECK(first->key_uid() == "463209768807a774078d86d3");
    CHECK(ask(provider, transport, Reason::rejected, first).value() == first);
    key_uid.set("../hunter2");
    auto const refused = ask(provider, transport);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == errc::auth_provider);
    CHECK(refused.error().what().starts_with("PALETTE_API_KEY_UID is not a uid"));
    CHECK(refused.error().what().find("hunter2") == std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "auth environment: a token of the same text is not the same key") {
    palette_key.set("text");
    auto const token = Credential::token(Secret("text"));
    CHECK(ask(provider, transport, Reason::rejected, token).value()->kind() == Credential::Kind::api_key);
}

TEST_CASE_FIXTURE(Fixture, "auth environment: blanks around a key and one line end do not belong to it") {
    for (auto const* const text : {"key 1", " key 1", "\tkey 1 \t", "key 1\n", "key 1\r\n", " key 1 \r\n"}) {
        CAPTURE(text);
        palette_key.set(text);
        CHECK(value() == "key 1");
    }
}

TEST_CASE_FIXTURE(Fixture,
                  "auth environment: what cannot be a key is an error that names its variable alone") {
    for (auto const* const bad : {"hunter2\n\n", "\nhunter2", "hunter2\r", "hunter2\nmore", "hunter2\x01"}) {
        palette_key.set(bad);
        auto const answer = ask(provider, transport);
        REQUIRE_FALSE(answer);
        CHECK(answer.error().code() == errc::auth_provider);
        CHECK(answer.error().what().starts_with("PALETTE_API_KEY has a line break"));
        CHECK_FALSE(contains(answer.error().message(), "hunter2"));
    }
    palette_key.set(" \t\n");
    CHECK(ask(provider, transport).error().what() == "PALETTE_API_KEY is empty");
    palette_key.unset();
    other_key.set(" ");
    CHECK(ask(provider, transport).error().what() == "SPECTROCLOUD_APIKEY is empty");
}

}  // namespace environment_test
