// SPDX-License-Identifier: BSL-1.0
#include "support/dead_port.hpp"

#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <system_error>
#include <vector>

// What a failed call tells of itself, and what a caller adds to one.

namespace subjects_test {

using namespace palette;
using testing::Emulator;
using testing::Role;

const std::string nobody = "463209768807a774078d86d3";

struct Witness final : Observer {
    void on_operation_start(const OperationEvent& event) noexcept override { say("start", event.operation); }
    void on_attempt_start(const AttemptEvent& event) noexcept override {
        say("attempt", std::to_string(event.attempt));
        traces.emplace_back(event.traceparent);
    }
    void on_attempt(const AttemptEvent& event) noexcept override {
        say("answer", std::to_string(event.status));
    }
    void on_operation(const OperationEvent& event) noexcept override {
        say("end", event.operation);
        uids.emplace_back(event.key_uid);
        given.emplace_back(event.traceparent);
    }

    void say(std::string_view what, std::string_view which) {
        if (!said.empty()) said += ", ";
        said.append(what).append(" ").append(which);
    }
    std::string said;
    std::vector<std::string> traces, uids, given;
};

struct SubjectScene {
    Emulator emulator{{.plain_http = true, .rate_limit = testing::RateLimit::off()}};
    std::shared_ptr<Witness> witness = std::make_shared<Witness>();
    BlockingApiKeyClient client = [this] {
        auto options = emulator.client_options(Role::tenant_admin);
        options.observer = witness;
        return BlockingApiKeyClient(options);
    }();

    ApiKey make(const std::string& name) {
        return client.get(emulator.seed_key(NewApiKey(name)).uid()).value();
    }
};

TEST_CASE_FIXTURE(SubjectScene,
                  "errors: a failed call says which operation on which key it was, and first so") {
    auto const error = client.revoke(nobody).error();
    CHECK(error.operation() == "revoke");
    CHECK(error.key_uid() == nobody);
    CHECK(error.path().empty());
    CHECK(error.message().starts_with("revoke " + nobody + ": "));
    CHECK(client.find_user("nobody@acme.com").error().operation() == "find_user");
    CHECK(client.find_user("nobody@acme.com").error().key_uid().empty());
    auto const bad = client.get("../users/1").error();
    CHECK(bad.operation() == "get");
    CHECK(bad.key_uid().empty());
    CHECK(bad.path() == "uid");
}

TEST_CASE_FIXTURE(SubjectScene, "errors: a credential that was passed for a uid is not shown") {
    auto const value = std::string(emulator.user(Role::tenant_admin).api_key.expose());
    auto const error = client.get(value).error();
    CHECK(error.message().find(value) == std::string::npos);
    CHECK(error.key_uid().empty());
    CHECK(witness->uids == std::vector<std::string>{""});
}

TEST_CASE("errors: the system's reason is the cause, and an exception is a system_error with the code") {
    DeadPort const port(DeadPort::Kind::refusing);
    ClientOptions options;
    options.endpoint = Endpoint::parse("http://127.0.0.1:" + std::to_string(port.port())).value();
    options.auth = auth::api_key(Secret("hunter2hunter2"));
    options.retry.max_attempts = 1;
    BlockingApiKeyClient client(options);
    auto const result = client.whoami();
    CHECK(result.error().cause() == std::errc::connection_refused);
    CHECK_FALSE(client.get("..").error().cause());
    bool is_caught = false;
    try {
        static_cast<void>(result.value());
    } catch (const std::system_error& thrown) {
        is_caught = thrown.code() == errc::transport;
        CHECK(std::string(thrown.what()) == result.error().message());
    }
    CHECK(is_caught);
}

TEST_CASE_FIXTURE(SubjectScene, "observer: starts and ends come in order, with the operation's own name") {
    CHECK(client.find("nothing"));
    CHECK(witness->said == "start find, attempt 1, answer 200, end find");
    witness->said.clear();
    emulator.faults().add("GET /v1/apiKeys status:503 x1");
    CHECK(client.list());
    CHECK(witness->said == "start list, attempt 1, answer 503, attempt 2, answer 200, end list");
    witness->said.clear();
    CHECK_FALSE(client.get(""));
    CHECK(witness->said == "start get, end get");
}

TEST_CASE_FIXTURE(SubjectScene,
                  "trace context: what the caller gives goes with every request, and is checked") {
    auto const key = make("ci");
    std::string const trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    witness->traces.clear();
    auto const before = emulator.requests().size();
    CHECK(client.update(key.uid, ApiKeyEdit().description("d"), CallOptions().traceparent(trace)));
    CHECK(witness->traces == std::vector<std::string>(3, trace));
    CHECK(witness->given.back() == trace);
    CHECK(witness->uids.back() == key.uid);
    auto const requests = emulator.requests();
    for (auto i = before; i < requests.size(); ++i)
        CHECK(requests[i].headers["traceparent"] == trace);
    for (auto const* const bad : {"00", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                                  "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"}) {
        auto const refused = client.get(key.uid, CallOptions().traceparent(bad));
        CHECK(refused.error().code() == errc::invalid_argument);
        CHECK(refused.error().path() == "traceparent");
        CHECK(refused.error().attempts() == 0);
    }
}

TEST_CASE_FIXTURE(SubjectScene, "seen keys: a change is made as long as the key is as it was seen") {
    auto const key = make("ci");
    CHECK(client.renew(key, std::chrono::hours{24 * 60}, ChangeOptions().allow_shorter()));
    // It has another expiry now.
    for (auto const& result : {client.revoke(key), client.reactivate(key), client.remove(key),
                               Result<void>(client.renew(key, Expiry::never()).and_then([](const ApiKey&) {
                                   return Result<void>();
                               }))}) {
        REQUIRE_FALSE(result);
        CHECK(result.error().code() == errc::conflict);
        CHECK(result.error().effect() == Effect::not_applied);
        CHECK(result.error().key_uid() == key.uid);
        CHECK(result.error().attempts() == 1);
    }
    CHECK(client.revoke(client.get(key.uid).value()));
    CHECK(client.reactivate(client.get(key.uid).value()));
    CHECK(client.renew(client.get(key.uid).value(), Expiry::never()));
    CHECK(client.remove(client.get(key.uid).value()));
    CHECK(client.get(key.uid).error().code() == errc::not_found);
}

TEST_CASE_FIXTURE(SubjectScene,
                  "find_one: gives the one key of a name, and an error for none and for several") {
    auto const key = make("one");
    make("two");
    make("two");
    CHECK(client.find_one("one").value().uid == key.uid);
    CHECK(client.find_one("none").error().code() == errc::not_found);
    auto const several = client.find_one("two").error();
    CHECK(several.code() == errc::conflict);
    CHECK(several.effect() == Effect::not_applied);
    CHECK(several.operation() == "find_one");
    CHECK(client.find_one("").error().code() == errc::invalid_argument);
}

}  // namespace subjects_test
