// SPDX-License-Identifier: BSL-1.0
#include "support/printed.hpp"

#include <palette/credential.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <type_traits>
#include <utility>

namespace credential_test {

using palette::Credential;
using palette::Secret;

static_assert(!std::is_copy_constructible_v<Credential> && !std::is_default_constructible_v<Credential>);

TEST_CASE("Credential: an API key travels in the header ApiKey and may know its uid") {
    auto const key = Credential::api_key(Secret("hunter2"), "65f1c0de");
    CHECK(key->kind() == Credential::Kind::api_key);
    CHECK(key->header() == "ApiKey");
    CHECK(key->value().expose() == "hunter2");
    CHECK(key->key_uid() == "65f1c0de");
    CHECK_FALSE(key->expires_at());
    CHECK(Credential::api_key(Secret("hunter2"))->key_uid().empty());
}

TEST_CASE("Credential: a token travels in the header Authorization and may know its end") {
    using namespace std::chrono_literals;
    palette::Instant const end{1'800'000'000s};
    auto const token = Credential::token(Secret("eyJ.e30.x"), end);
    CHECK(token->kind() == Credential::Kind::token);
    CHECK(token->header() == "Authorization");
    CHECK(token->value().expose() == "eyJ.e30.x");
    CHECK(token->expires_at() == end);
    CHECK_FALSE(Credential::token(Secret("eyJ.e30.x"))->expires_at());
}

TEST_CASE("Credential: the value takes over the pages of the secret and leaves it empty") {
    Secret value{"hunter2"};
    auto const* const at = value.expose().data();
    auto const key = Credential::api_key(std::move(value));
    CHECK(key->value().expose().data() == at);
    CHECK(value.empty());
}

TEST_CASE("Credential: printing shows its kind and uid and never its value") {
    CHECK(printed(*Credential::api_key(Secret("hunter2"))) == "an API key");
    CHECK(printed(*Credential::api_key(Secret("hunter2"), "65f1")) == "an API key (uid \"65f1\")");
    CHECK(printed(*Credential::token(Secret("hunter2"))) == "a token");
    CHECK(is_one_plain_line(printed(*Credential::api_key(Secret("hunter2"), hostile_text))));
}

}  // namespace credential_test
