// SPDX-License-Identifier: BSL-1.0
#include "support/ask.hpp"
#include "support/fake_transport.hpp"
#include "support/printed.hpp"

#include <palette/auth/api_key.hpp>
#include <palette/auth/token.hpp>

#include <doctest/doctest.h>

#include <string_view>

namespace fixed_test {

using namespace palette;
using asking::ask;
using asking::Reason;

TEST_CASE("auth api_key: gives one credential whatever the reason") {
    FakeTransport transport;
    auto const provider = auth::api_key(Secret("hunter2 with a blank"), "65f1");
    auto const first = ask(provider, transport).value();
    CHECK(first->kind() == Credential::Kind::api_key);
    CHECK(first->value().expose() == "hunter2 with a blank");
    CHECK(first->key_uid() == "65f1");
    CHECK(ask(provider, transport, Reason::rejected, first).value() == first);
    CHECK(ask(provider, transport, Reason::expiring, first).value() == first);
    CHECK(ask(provider, transport).value() == first);
    CHECK(transport.requests().empty());
}

TEST_CASE("auth token: gives one credential that has no end to be exchanged before") {
    FakeTransport transport;
    auto const provider = auth::token(Secret("eyJhbGciOiJub25lIn0.eyJleHAiOjF9.c2ln"));
    auto const first = ask(provider, transport).value();
    CHECK(first->kind() == Credential::Kind::token);
    CHECK(first->value().expose() == "eyJhbGciOiJub25lIn0.eyJleHAiOjF9.c2ln");
    CHECK_FALSE(first->expires_at());
    CHECK(ask(provider, transport, Reason::rejected, first).value() == first);
    CHECK(transport.requests().empty());
}

TEST_CASE("auth api_key and token: what no header can carry is an error without a byte of it") {
    FakeTransport transport;
    for (auto const bad :
         {std::string_view("hunter2\r\nX-Evil: yes"), std::string_view("hunter2\n"),
          std::string_view("\rhunter2"), std::string_view("hunter2\0x", 9), std::string_view("hunt\ter2"),
          std::string_view("hunter2\x7F"), std::string_view("hunter2\x1B[2J")}) {
        for (auto const& provider : {auth::api_key(Secret(bad), "65f1"), auth::token(Secret(bad))}) {
            auto const answer = ask(provider, transport);
            REQUIRE_FALSE(answer);
            CHECK(answer.error().code() == errc::auth_provider);
            CHECK(answer.error().effect() == Effect::not_applied);
            CHECK(contains(answer.error().what(), "line break or another control character"));
            CHECK_FALSE(contains(answer.error().message(), "hunt"));
            CHECK_FALSE(contains(answer.error().message(), "Evil"));
        }
    }
}

TEST_CASE("auth api_key and token: an empty value is an error that says which") {
    FakeTransport transport;
    CHECK(ask(auth::api_key(Secret()), transport).error().what() == "the API key is empty");
    CHECK(ask(auth::token(Secret("")), transport).error().what() == "the token is empty");
}

}  // namespace fixed_test
