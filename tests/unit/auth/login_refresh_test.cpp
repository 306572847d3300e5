// SPDX-License-Identifier: BSL-1.0
#include "support/ask.hpp"
#include "support/fake_transport.hpp"
#include "support/printed.hpp"

#include <palette/auth/login.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>

namespace login_refresh_test {

using namespace palette;
using namespace std::chrono_literals;
using asking::ask;
using asking::noon;
using asking::Reason;
using auth::LoginOptions;

struct Fixture {
    FakeTransport transport;
    std::shared_ptr<AuthProvider> provider =
        auth::login(LoginOptions("ada@acme.com", Secret("correct horse")).use_refresh());
    std::shared_ptr<const Credential> previous = Credential::token(Secret("old.token"), noon + 1min);

    std::string value(Reason reason) {
        return std::string(ask(provider, transport, reason, previous).value()->value().expose());
    }
    [[nodiscard]] std::string methods() const {
        std::string all;
        for (auto const& request : transport.requests())
            all += request.method + ' ';
        return all;
    }
};

const std::string granted = R"({"Authorization":"new.token"})";

TEST_CASE_FIXTURE(Fixture, "auth login: exchanges a token that is about to end, if asked to") {
    transport.answer(200, granted);
    auto const next = ask(provider, transport, Reason::expiring, previous).value();
    CHECK(next->value().expose() == "new.token");
    CHECK(next->kind() == Credential::Kind::token);
    CHECK(next->expires_at() == noon + 15min);
    REQUIRE(transport.requests().size() == 1);
    auto const& sent = transport.requests().front();
    CHECK(sent.method == "GET");
    CHECK(sent.target == "/v1/auth/refresh/old.token");
    CHECK(sent.headers.empty());  // the transport has its own
    CHECK(sent.body.empty());
    CHECK(sent.secret_body.empty());
    CHECK_FALSE(sent.credential);
}

TEST_CASE_FIXTURE(Fixture, "auth login: a token that would not stay one segment of a path is not put there") {
    for (auto const* const token : {"a/b?c+d==", "../users", "a%2Fb", "caf\xC3\xA9", "a b"}) {
        CAPTURE(token);
        previous = Credential::token(Secret(token), noon + 1min);
        transport.answer(200, granted);
        CHECK(value(Reason::expiring) == "new.token");
        CHECK(transport.requests().back().target == "/v1/auth/authenticate?setCookie=false");
    }
}

TEST_CASE_FIXTURE(Fixture, "auth login: does not put a token into a path unless it is asked to") {
    provider = auth::login(LoginOptions("ada@acme.com", Secret("correct horse")));
    transport.answer(200, granted);
    CHECK(value(Reason::expiring) == "new.token");
    CHECK(methods() == "POST ");
}

TEST_CASE_FIXTURE(Fixture, "auth login: only a token that works still is exchanged") {
    for (auto const reason : {Reason::first, Reason::rejected}) {
        transport.answer(200, granted);
        CHECK(value(reason) == "new.token");
    }
    for (auto const& other :
         {std::shared_ptr<const Credential>(), Credential::api_key(Secret("key")),
          Credential::token(Secret("old.token"), noon), Credential::token(Secret("old.token"), noon - 1h)}) {
        previous = other;
        transport.answer(200, granted);
        CHECK(value(Reason::expiring) == "new.token");
    }
    CHECK(methods() == "POST POST POST POST POST POST ");
}

TEST_CASE_FIXTURE(Fixture, "auth login: where an exchange fails, whatever the reason, it logs in anew") {
    for (int const status : {204, 302, 400, 401, 404, 429, 500, 503}) {
        transport.answer(status, "");
        transport.answer(200, granted);
        CHECK(value(Reason::expiring) == "new.token");
    }
    for (auto const* const body : {"", "<html>", "{}", R"({"Authorization":"","isMfa":false})",
                                   R"({"Authorization":"x","isMfa":true})"}) {
        transport.answer(200, body);
        transport.answer(200, granted);
        CHECK(value(Reason::expiring) == "new.token");
    }
    transport.fail(Error(errc::transport, "closed"));
    transport.answer(200, granted);
    CHECK(value(Reason::expiring) == "new.token");

    previous = Credential::token(Secret(".."), noon + 1min);  // which would be another path
    transport.answer(200, granted);
    CHECK(value(Reason::expiring) == "new.token");
    CHECK(transport.answers_left() == 0);
}

TEST_CASE_FIXTURE(Fixture, "auth login: when the login fails too, its own error is told and not the token") {
    transport.answer(404, R"({"message":"no old.token here"})");
    transport.answer(401, R"({"message":"no"})");
    auto const answer = ask(provider, transport, Reason::expiring, previous);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code() == errc::unauthorized);
    CHECK(answer.error().server_message() == "no");
    CHECK_FALSE(contains(answer.error().message(), "old.token"));
    CHECK(methods() == "GET POST ");
}

TEST_CASE_FIXTURE(Fixture, "auth login: a cancelled exchange is not followed by a login") {
    transport.fail(Error(errc::operation_aborted));
    auto const answer = ask(provider, transport, Reason::expiring, previous);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code() == errc::operation_aborted);
    CHECK(methods() == "GET ");
}

}  // namespace login_refresh_test
