// SPDX-License-Identifier: BSL-1.0
#include "support/ask.hpp"
#include "support/fake_transport.hpp"
#include "support/printed.hpp"

#include <palette/auth/login.hpp>

#include <doctest/doctest.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <chrono>
#include <string>
#include <type_traits>
#include <utility>

namespace login_test {

using namespace palette;
using namespace std::chrono_literals;
using asking::ask;
using asking::noon;
using asking::Reason;
using auth::LoginOptions;

static_assert(!std::is_aggregate_v<LoginOptions> && !std::is_copy_constructible_v<LoginOptions>);

LoginOptions ada() {
    return LoginOptions("ada@acme.com", Secret("correct horse"));
}

// {"exp":1801483200}: 12:00 on the day after noon's.
const std::string jwt = "eyJhbGciOiJub25lIn0.eyJleHAiOjE4MDE0ODMyMDB9.c2ln";

std::string granted(const std::string& token) {
    return R"({"Authorization":")" + token + R"(","isMfa":false})";
}

struct Fixture {
    FakeTransport transport;
    std::shared_ptr<AuthProvider> provider = auth::login(ada());

    Error error() {
        auto answer = ask(provider, transport);
        REQUIRE_FALSE(answer);
        CHECK(answer.error().effect() == Effect::not_applied);
        CHECK_FALSE(contains(answer.error().message(), "correct horse"));
        return answer.error();
    }
};

TEST_CASE_FIXTURE(Fixture,
                  "auth login: sends what the service documents, in a secret body and without a credential") {
    transport.answer(200, granted(jwt));
    REQUIRE(ask(provider, transport));
    REQUIRE(transport.requests().size() == 1);
    auto const& sent = transport.requests().front();
    CHECK(sent.method == "POST");
    CHECK(sent.target == "/v1/auth/authenticate?setCookie=false");
    CHECK(sent.secret_body == R"({"emailId":"ada@acme.com","password":"correct horse"})");
    CHECK(sent.body.empty());
    CHECK_FALSE(sent.credential);
    CHECK(sent.headers.empty());  // the transport has its own
}

TEST_CASE_FIXTURE(Fixture,
                  "auth login: an organisation is sent if there is one, and every text in JSON's form") {
    transport.answer(200, granted(jwt));
    provider = auth::login(LoginOptions("a\"da@acme.com", Secret("\\p\"a\n\x01s\xC3\xA9")).org("Acme \"2\""));
    REQUIRE(ask(provider, transport));
    CHECK(transport.requests().front().secret_body ==
          "{\"emailId\":\"a\\\"da@acme.com\",\"password\":\"\\\\p\\\"a\\n\\u0001s\xC3\xA9\",\"org\":\"Acme "
          "\\\"2\\\"\"}");
}

TEST_CASE_FIXTURE(Fixture, "auth login: gives the token, which ends when it says so") {
    transport.answer(200, granted(jwt));
    auto const credential = ask(provider, transport).value();
    CHECK(credential->kind() == Credential::Kind::token);
    CHECK(credential->header() == "Authorization");
    CHECK(credential->value().expose() == jwt);
    CHECK(credential->expires_at() == noon + 24h);
}

TEST_CASE_FIXTURE(Fixture,
                  "auth login: a token that does not say when it ends is taken to live for 15 minutes") {
    transport.answer(200, granted("opaque"));
    CHECK(ask(provider, transport).value()->expires_at() == noon + 15min);
}

TEST_CASE_FIXTURE(Fixture, "auth login: an answer in pieces of any size is the same") {
    for (std::size_t const piece : {1u, 2u, 7u, 40u}) {
        transport.answer(200, granted(jwt), piece);
        CHECK(ask(provider, transport).value()->value().expose() == jwt);
    }
}

TEST_CASE_FIXTURE(Fixture, "auth login: logs in anew whatever the reason, with the same password") {
    std::shared_ptr<const Credential> previous;
    for (auto const reason : {Reason::first, Reason::expiring, Reason::rejected}) {
        transport.answer(200, granted(jwt));
        auto const next = ask(provider, transport, reason, previous).value();
        CHECK(next != previous);
        CHECK(transport.requests().back().method == "POST");
        CHECK(contains(transport.requests().back().secret_body, "correct horse"));
        previous = next;
    }
    CHECK(transport.requests().size() == 3);
}

TEST_CASE_FIXTURE(Fixture,
                  "auth login: every status has its own error and the words of the service go with it") {
    struct Row {
        int status;
        errc code;
        const char* what;
    };
    for (auto const& [status, code, what] : {
             Row{400, errc::unauthorized, "the service refused the login of \"ada@acme.com\""},
             Row{401, errc::unauthorized, "the service refused the login of \"ada@acme.com\""},
             Row{403, errc::unauthorized, "the service refused the login of \"ada@acme.com\""},
             Row{404, errc::unauthorized, "the service refused the login of \"ada@acme.com\""},
             Row{422, errc::unauthorized, "the service refused the login of \"ada@acme.com\""},
             Row{429, errc::rate_limited, "there were too many requests for the login of \"ada@acme.com\""},
             Row{500, errc::server_error, "the service could not do the login of \"ada@acme.com\""},
             Row{502, errc::unavailable, "the service could not do the login of \"ada@acme.com\""},
             Row{503, errc::unavailable, "the service could not do the login of \"ada@acme.com\""},
             Row{504, errc::unavailable, "the service could not do the login of \"ada@acme.com\""},
             Row{204, errc::unexpected_status,
                 "the login of \"ada@acme.com\" was answered with an undocumented status"},
             Row{302, errc::unexpected_status,
                 "the login of \"ada@acme.com\" was answered with an undocumented status"},
         }) {
        CAPTURE(status);
        transport.answer(status, R"({"code":"Nope","message":"not\ntoday","ref":"r-1"})", 5);
        auto const refused = error();
        CHECK(refused.code() == code);
        CHECK(refused.what() == what);
        CHECK(refused.status() == status);
        CHECK(refused.server_code() == "Nope");
        CHECK(refused.server_message() == "not\\ntoday");
        CHECK(refused.ref() == "r-1");
    }
}

TEST_CASE_FIXTURE(Fixture, "auth login: a refusal without JSON is told by its status alone") {
    for (auto const* const body : {"", "<html>no</html>", "{", R"({"message":7})", R"({"message":"no"}x)"}) {
        transport.answer(401, body, 3);
        auto const refused = error();
        CHECK(refused.code() == errc::unauthorized);
        CHECK(refused.status() == 401);
        CHECK(refused.server_message().empty());
    }
    transport.answer(503, std::string(1 << 20, 'x'), 4096);
    CHECK(error().code() == errc::unavailable);
}

TEST_CASE_FIXTURE(Fixture,
                  "W12: words of the service that hold the password are dropped and the others stay") {
    for (auto const* const echo :
         {"correct horse", "wrong: correct horse!", "correct%20horse", "rect hor", "Y29ycmVjdCBob3JzZQ=="}) {
        transport.answer(
            404, std::string(R"({"code":"ResourceNotFound","message":")") + echo + R"(","ref":"r-1"})");
        auto const refused = error();
        CHECK(refused.server_code() == "ResourceNotFound");
        CHECK(refused.server_message().empty());
        CHECK(refused.ref() == "r-1");
    }
    transport.answer(404, R"({"code":"correct horse","message":"no","ref":"a correct horse"})");
    auto const refused = error();
    CHECK(refused.server_code().empty());
    CHECK(refused.server_message() == "no");
    CHECK(refused.ref().empty());
}

TEST_CASE_FIXTURE(Fixture, "W12: an echo is noticed before the words are shortened") {
    for (std::size_t before = 240; before < 260; ++before) {
        transport.answer(401, R"({"message":")" + std::string(before, '.') + "correct horse" + R"("})");
        CHECK(error().server_message().empty());
    }
    transport.answer(401, R"({"message":")" + std::string(5'000, '.') + R"("})");
    CHECK(error().server_message().size() < 300);
}

TEST_CASE_FIXTURE(Fixture, "auth login: a second factor is an error that says what to use instead") {
    transport.answer(200, R"({"Authorization":"half-a-token","isMfa":true})");
    auto const refused = error();
    CHECK(refused.code() == errc::auth_provider);
    CHECK(refused.what() ==
          "the login of \"ada@acme.com\" asks for a second factor, which a program cannot "
          "give; use an API key");
    CHECK_FALSE(contains(refused.message(), "half-a-token"));
}

TEST_CASE_FIXTURE(Fixture, "auth login: an answer that is none has its own error and is never quoted") {
    struct Row {
        std::string body;
        errc code;
        const char* why;
    };
    for (auto const& [body, code, why] : {
             Row{"", errc::truncated, "the answer ended in the middle"},
             Row{"<html>hunter2</html>", errc::not_json, "the answer is not JSON"},
             Row{R"({"Authorization":"hunter2)", errc::truncated, "the answer ended in the middle"},
             Row{R"({"Authorization":"hunter2"}{})", errc::trailing_data,
                 "something follows the end of the answer"},
             Row{R"({"Authorization":7})", errc::wrong_type,
                 "a field of the answer has an undocumented type"},
             Row{R"("hunter2")", errc::wrong_type, "a field of the answer has an undocumented type"},
             Row{R"(["hunter2"])", errc::wrong_type, "a field of the answer has an undocumented type"},
             Row{R"({"hunter2":x})", errc::not_json, "the answer is not JSON"},
             Row{R"({"isMfa":"hunter2"})", errc::wrong_type,
                 "a field of the answer has an undocumented type"},
             Row{R"({"x":")" + std::string(100'000, 'x') + "\"}", errc::too_large,
                 "the answer is larger than the bound"},
             Row{"{}", errc::bad_value, "its token is empty"},
             Row{R"({"Authorization":null})", errc::bad_value, "its token is empty"},
             Row{R"({"Authorization":""})", errc::bad_value, "its token is empty"},
             Row{R"({"Authorization":"hunter2\r\nX: y"})", errc::bad_value,
                 "its token has a line break or another control character, and would split the request"},
         }) {
        for (std::size_t const piece : {1u, 1000u}) {
            CAPTURE(body.substr(0, 40));
            transport.answer(200, body, piece);
            auto const refused = error();
            CHECK(refused.code() == code);
            CHECK(refused.what() ==
                  std::string("the answer to the login of \"ada@acme.com\" cannot be used: ") + why);
            CHECK(refused.path().empty());
            CHECK(refused.status() == 200);
            CHECK_FALSE(contains(refused.message(), "hunter2"));
        }
    }
}

TEST_CASE_FIXTURE(Fixture, "auth login: an answer that cannot be used is not read to its end") {
    transport.answer(200, std::string(1 << 20, ' '), 4096);
    CHECK(error().code() == errc::too_large);
    CHECK(transport.bytes_taken() <= 64 << 10);
}

TEST_CASE_FIXTURE(Fixture, "auth login: a failure of the transport keeps its code and has changed nothing") {
    transport.fail(Error(errc::transport, "connection refused").effect(Effect::unknown));
    auto const lost = error();
    CHECK(lost.code() == errc::transport);
    CHECK(lost.what() == "the login of \"ada@acme.com\" did not come through: connection refused");

    transport.break_off(200, granted(jwt).substr(0, 30), Error(errc::timeout, "nothing came for 20 s"));
    CHECK(error().code() == errc::timeout);
    transport.break_off(401, "{", Error(errc::transport, "closed"));
    CHECK(error().code() == errc::transport);
    // Whole as it seems: more may have been to come.
    transport.break_off(200, granted(jwt), Error(errc::transport, "closed"));
    CHECK(error().code() == errc::transport);
}

TEST_CASE_FIXTURE(Fixture, "auth login: what cannot be sent is refused without a request") {
    struct Row {
        LoginOptions options;
        const char* what;
    };
    Row rows[] = {
        {LoginOptions("", Secret("hunter2")), "the e-mail address of the login is empty"},
        {LoginOptions("ada@acme.com", Secret()), "the password of the login is empty"},
        {LoginOptions("ada\xFF", Secret("hunter2")), "the e-mail address of the login is not UTF-8"},
        {LoginOptions("ada@acme.com", Secret("hunter2\xFF")), "the password of the login is not UTF-8"},
        {LoginOptions("ada@acme.com", Secret("hunter2")).org("\xC3"),
         "the organisation of the login is not UTF-8"},
    };
    for (auto& [options, what] : rows) {
        provider = auth::login(std::move(options));
        auto const refused = error();
        CHECK(refused.code() == errc::auth_provider);
        CHECK(refused.what() == what);
        CHECK_FALSE(contains(refused.message(), "hunter2"));
    }
    CHECK(transport.requests().empty());
}

TEST_CASE_FIXTURE(Fixture, "auth login: a hostile address is shortened and made printable") {
    provider = auth::login(LoginOptions("\x1b[2J\r\n" + std::string(1'000, 'x'), Secret("correct horse")));
    transport.answer(401, "");
    auto const refused = error();
    CHECK(refused.what().size() < 200);
    CHECK(is_one_plain_line(refused.what()));
}

TEST_CASE_FIXTURE(Fixture, "auth login: it can be cancelled while it waits for the service") {
    transport.hang();
    boost::asio::io_context context;
    boost::asio::cancellation_signal signal;
    std::optional<Result<asking::CredentialPtr>> answer;
    CredentialRequest request(Reason::first, nullptr, transport, noon);
    bool done = false;
    boost::asio::co_spawn(
        context, asking::keep_answer(provider, std::move(request), answer),
        boost::asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr&) { done = true; }));
    context.poll();
    CHECK(transport.requests().size() == 1);
    CHECK_FALSE(done);
    signal.emit(boost::asio::cancellation_type::terminal);
    context.run();
    CHECK(done);
    REQUIRE(answer);
    CHECK(answer->error().code() == errc::operation_aborted);
}

}  // namespace login_test
