// SPDX-License-Identifier: BSL-1.0
#include "support/one_attempt.hpp"
#include "support/printed.hpp"
#include "support/watched.hpp"

#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>
#include <palette/client.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/manual_clock.hpp>
#include <palette/testing/scripted_transport.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace observer_test {

using namespace std::chrono_literals;
using namespace palette;
using support::outcome;
using testing::Emulator;
using testing::ManualClock;
using testing::Role;
using testing::ScriptedTransport;
using Client = BlockingApiKeyClient;

// Keeps what it sees. The views in the events are copied: they are good for the call only.
class Witness final : public Observer {
public:
    struct Attempt {
        AttemptEvent event;
        std::string operation, method, path_template, server_address;
    };
    struct Operation {
        OperationEvent event;
        std::string operation;
    };

    void on_attempt(const AttemptEvent& e) noexcept override {
        std::lock_guard const lock(mutex_);
        attempts_.push_back({e, std::string(e.operation), std::string(e.method), std::string(e.path_template),
                             std::string(e.server_address)});
    }
    void on_operation(const OperationEvent& e) noexcept override {
        std::lock_guard const lock(mutex_);
        operations_.push_back({e, std::string(e.operation)});
    }
    std::string traceparent(std::uint64_t operation_id) noexcept override {
        std::lock_guard const lock(mutex_);
        return trace ? trace(operation_id) : std::string();
    }

    [[nodiscard]] std::vector<Attempt> attempts() const {
        std::lock_guard const lock(mutex_);
        return attempts_;
    }
    [[nodiscard]] std::vector<Operation> operations() const {
        std::lock_guard const lock(mutex_);
        return operations_;
    }
    void forget() {
        std::lock_guard const lock(mutex_);
        attempts_.clear();
        operations_.clear();
    }

    std::function<std::string(std::uint64_t)> trace;

private:
    mutable std::mutex mutex_;
    std::vector<Attempt> attempts_;
    std::vector<Operation> operations_;
};

struct Scene {
    Emulator emulator;
    std::shared_ptr<Witness> witness = std::make_shared<Witness>();
    ClientOptions options = observed();
    Client client{options};

private:
    ClientOptions observed() const {
        auto made = one_attempt(emulator.client_options(Role::tenant_admin));
        made.observer = witness;
        return made;
    }
};

TEST_CASE("client: an observer sees every operation and request by name and template, and no uid") {
    Scene scene;
    auto const uid = scene.emulator.seed_key(NewApiKey("ci")).uid();
    constexpr std::string_view keys = "/v1/apiKeys";
    constexpr std::string_view key = "/v1/apiKeys/{uid}";
    struct Request {
        std::string_view method;
        std::string_view path_template;
        int status;
    };
    struct Row {
        std::string_view operation;
        std::function<Result<void>(Client&)> call;
        std::vector<Request> requests;
    };
    Row const rows[] = {
        {"list", [](Client& c) { return outcome(c.list()); }, {{"GET", keys, 200}}},
        {"get", [&](Client& c) { return outcome(c.get(uid)); }, {{"GET", key, 200}}},
        {"create",
         [](Client& c) { return outcome(c.create(NewApiKey("n"))); },
         {{"GET", "/v1/users/info", 200}, {"POST", keys, 201}, {"GET", key, 200}}},
        {"update",
         [&](Client& c) { return outcome(c.update(uid, ApiKeyEdit().name("m"))); },
         {{"GET", key, 200}, {"PUT", key, 204}, {"GET", key, 200}}},
        {"renew",
         [&](Client& c) { return outcome(c.renew(uid, 24h * 60)); },
         {{"GET", key, 200}, {"PUT", key, 204}, {"GET", key, 200}}},
        {"revoke", [&](Client& c) { return c.revoke(uid); }, {{"PUT", "/v1/apiKeys/{uid}/state", 204}}},
        {"reactivate",
         [&](Client& c) { return c.reactivate(uid, ChangeOptions().verify()); },
         {{"PUT", "/v1/apiKeys/{uid}/state", 204}, {"GET", key, 200}}},
        {"set_active", [&](Client& c) { return c.set_active(uid, false); }, {{"PATCH", key, 204}}},
        {"whoami", [](Client& c) { return outcome(c.whoami()); }, {{"GET", "/v1/users/info", 200}}},
        {"find_user",
         [](Client& c) { return outcome(c.find_user("dev@acme.test")); },
         {{"GET", "/v1/users", 200}}},
        {"list_users", [](Client& c) { return outcome(c.list_users()); }, {{"GET", "/v1/users", 200}}},
        {"get_user",
         [&](Client& c) { return outcome(c.get_user(scene.emulator.user(Role::user).uid)); },
         {{"GET", "/v1/users/{uid}", 200}}},
        {"list_audit_events",
         [](Client& c) { return outcome(c.list_audit_events(AuditEventFilter())); },
         {{"GET", "/v1/audits", 200}}},
        {"key_limit",
         [](Client& c) { return outcome(c.key_limit()); },
         {{"GET", "/v1/tenants/{tenantUid}/resourceLimits", 200}}},
        {"visit",
         [](Client& c) { return outcome(c.visit(ListFilter(), [](ApiKey&&) { return Result<void>(); })); },
         {{"GET", keys, 200}}},
        {"visit_users",
         [](Client& c) { return outcome(c.visit_users([](User&&) { return Result<void>(); })); },
         {{"GET", "/v1/users", 200}}},
        {"remove", [&](Client& c) { return c.remove(uid); }, {{"DELETE", key, 204}}},
        {"remove", [&](Client& c) { return c.remove(uid); }, {{"DELETE", key, 404}}},
    };
    std::uint64_t last_id = 0;
    bool connected = false;
    for (auto const& row : rows) {
        CAPTURE(row.operation);
        scene.witness->forget();
        auto const result = row.call(scene.client);
        auto const operations = scene.witness->operations();
        REQUIRE(operations.size() == 1);
        auto const& [operation, name] = operations[0];
        CHECK(name == row.operation);
        CHECK(operation.operation_id > last_id);
        last_id = operation.operation_id;
        CHECK(operation.attempts == static_cast<int>(row.requests.size()));
        CHECK(operation.error == (result ? std::nullopt : std::optional(result.error().code())));
        CHECK(operation.effect == Effect::not_applied);

        auto const attempts = scene.witness->attempts();
        REQUIRE(attempts.size() == row.requests.size());
        std::chrono::nanoseconds sum{};
        for (std::size_t i = 0; i < attempts.size(); ++i) {
            auto const& [event, by, method, path_template, address] = attempts[i];
            CHECK(event.operation_id == operation.operation_id);
            CHECK(by == row.operation);
            CHECK(method == row.requests[i].method);
            CHECK(path_template == row.requests[i].path_template);
            CHECK(event.status == row.requests[i].status);
            CHECK(event.error.has_value() == (event.status >= 400));
            CHECK(address == "127.0.0.1");
            CHECK(event.server_port == scene.emulator.port());
            CHECK(event.report.sent);
            CHECK(event.report.received);
            CHECK(event.report.bytes_sent > 50);
            CHECK(event.report.bytes_received > 20);
            // One connection serves them all.
            CHECK(event.report.reused_connection == connected);
            CHECK(event.report.connect.has_value() != connected);
            CHECK(event.report.handshake.has_value() != connected);
            CHECK(event.report.first_byte > 0ns);
            CHECK(event.duration >= *event.report.first_byte);
            sum += event.duration;
            connected = true;
        }
        CHECK(operation.duration >= sum);
        CHECK(operation.queued <= operation.duration);
    }
}

TEST_CASE("client: a request counts as sent again only when it is the same one") {
    Scene scene;
    scene.emulator.faults().add("GET /v1/apiKeys page:2");
    CHECK(scene.client.list());
    auto const uid = scene.client.create(NewApiKey("n")).value().uid();
    CHECK(scene.client.update(uid, ApiKeyEdit().name("m")));
    for (auto const& attempt : scene.witness->attempts()) {
        CAPTURE(attempt.method);
        CHECK(attempt.event.resend_count == 0);
    }
}

// One key after the other.
class Keys final : public AuthProvider {
public:
    explicit Keys(std::deque<std::string> values) : values_(std::move(values)) {}
    boost::asio::awaitable<Result<std::shared_ptr<const Credential>>> credential(CredentialRequest) override {
        auto const value = values_.front();
        values_.pop_front();
        co_return Credential::api_key(Secret(value));
    }

private:
    std::deque<std::string> values_;
};

TEST_CASE("client: a request that is sent again after a 401 is counted, and its refusal is seen") {
    Scene scene;
    scene.options.auth = std::make_shared<Keys>(std::deque<std::string>{
        "nobodys-key", std::string(scene.emulator.user(Role::tenant_admin).api_key.expose())});
    Client client(scene.options);
    CHECK(client.whoami());
    auto const attempts = scene.witness->attempts();
    REQUIRE(attempts.size() == 2);
    CHECK(attempts[0].event.resend_count == 0);
    CHECK(attempts[0].event.status == 401);
    CHECK(attempts[0].event.error == errc::unauthorized);
    CHECK(attempts[1].event.resend_count == 1);
    CHECK(attempts[1].event.status == 200);
    CHECK_FALSE(attempts[1].event.error);
    auto const operations = scene.witness->operations();
    REQUIRE(operations.size() == 1);
    CHECK(operations[0].event.attempts == 2);
    CHECK_FALSE(operations[0].event.error);
}

TEST_CASE("client: what an observer sees of a failure is what the caller sees") {
    struct Row {
        std::string_view fault;
        int status;
        bool received;
    };
    for (auto const& [fault, status, received] :
         {Row{"status:500", 500, true}, Row{"status:429", 429, true}, Row{"html:503", 503, true},
          Row{"status:302", 302, true}, Row{"drop-before", 0, false}, Row{"drop-after", 0, false},
          Row{"reset", 0, false}}) {
        CAPTURE(fault);
        Scene scene;
        scene.emulator.faults().add("PUT / " + std::string(fault) + " x1");
        auto const result = scene.client.revoke("a");
        REQUIRE_FALSE(result);
        auto const attempts = scene.witness->attempts();
        REQUIRE(attempts.size() == 1);
        CHECK(attempts[0].event.status == status);
        CHECK(attempts[0].event.error == result.error().code());
        CHECK(attempts[0].event.report.sent);
        CHECK(attempts[0].event.report.received == received);
        auto const operations = scene.witness->operations();
        REQUIRE(operations.size() == 1);
        CHECK(operations[0].event.error == result.error().code());
        CHECK(operations[0].event.effect == result.error().effect());
        CHECK(operations[0].event.attempts == 1);
    }
}

TEST_CASE("client: an operation that is refused here is seen, without a request") {
    Scene scene;
    CHECK_FALSE(scene.client.revoke(""));
    CHECK(scene.witness->attempts().empty());
    auto const operations = scene.witness->operations();
    REQUIRE(operations.size() == 1);
    CHECK(operations[0].operation == "revoke");
    CHECK(operations[0].event.error == errc::invalid_argument);
    CHECK(operations[0].event.attempts == 0);
}

TEST_CASE("client: a request that found no connection is seen as not sent") {
    Scene scene;
    {
        Emulator const gone;
        scene.options.endpoint = gone.endpoint();
    }
    Client client(scene.options);
    CHECK_FALSE(client.whoami());
    auto const attempts = scene.witness->attempts();
    REQUIRE(attempts.size() == 1);
    CHECK_FALSE(attempts[0].event.report.sent);
    CHECK(attempts[0].event.report.bytes_sent == 0);
    CHECK(attempts[0].event.status == 0);
    CHECK(attempts[0].event.error == errc::transport);
}

TEST_CASE("client: the time in the queue is told apart from the rest") {
    auto const clock = std::make_shared<ManualClock>();
    auto const witness = std::make_shared<Witness>();
    auto const service = std::make_shared<ScriptedTransport>();
    ClientOptions options = one_attempt();
    options.auth = auth::api_key(Secret("a-value-of-a-key"));
    options.transport = service;
    options.observer = witness;
    options.clock = clock;
    options.rate_limit = {1, 1};
    boost::asio::io_context context;
    ApiKeyClient client(context, options);
    for (int i = 0; i < 2; ++i) {
        service->expect("GET /v1/users/info").answer(200, R"({"userUid":"u","tenantUid":"t"})");
        client.async_whoami([](const Result<Identity>& r) { CHECK(r); });
    }
    context.poll();
    CHECK(witness->operations().size() == 1);
    clock->advance(1s);
    context.restart();
    context.poll();
    auto const operations = witness->operations();
    REQUIRE(operations.size() == 2);
    CHECK(operations[0].event.queued == 0s);
    CHECK(operations[1].event.queued == 1s);
    CHECK(operations[1].event.duration == 1s);
    CHECK(witness->attempts()[1].event.duration == 0s);
}

TEST_CASE("client: the traceparent of an observer goes with every request of its operation") {
    Scene scene;
    auto const trace = [](std::uint64_t id) {
        return "00-4bf92f3577b34da6a3ce929d0e0e4736-" + std::string(15, '0') + std::to_string(id % 10) +
               "-01";
    };
    CHECK(scene.client.whoami());
    scene.witness->trace = trace;
    auto const uid = scene.client.create(NewApiKey("n")).value().uid();
    CHECK(scene.client.revoke(uid));
    auto const attempts = scene.witness->attempts();
    auto const requests = scene.emulator.requests();
    REQUIRE(requests.size() == 4);
    REQUIRE(attempts.size() == 4);
    CHECK_FALSE(requests[0].headers.contains("traceparent"));
    for (std::size_t i = 1; i < 4; ++i)
        CHECK(requests[i].headers["traceparent"] == trace(attempts[i].event.operation_id));
    CHECK(requests[1].headers["traceparent"] == requests[2].headers["traceparent"]);
    CHECK(requests[1].headers["traceparent"] != requests[3].headers["traceparent"]);
}

TEST_CASE("client: a traceparent that would split the request is not sent") {
    Scene scene;
    scene.witness->trace = [](std::uint64_t) { return std::string("00-1\r\nProjectUid: 7"); };
    static_cast<void>(scene.client.whoami());
    for (auto const& request : scene.emulator.requests()) {
        CHECK_FALSE(request.headers.contains("projectuid"));
        CHECK_FALSE(request.headers.contains("traceparent"));
    }
}

TEST_CASE("client: an observer that calls its own blocking client is told that it would wait for ever") {
    class Caller final : public Observer {
    public:
        void on_operation(const OperationEvent& event) noexcept override {
            if (event.operation_id > 1) return;
            result = outcome(client->whoami());
        }
        Client* client = nullptr;
        std::optional<Result<void>> result;
    };
    Emulator emulator;
    auto options = one_attempt(emulator.client_options(Role::user));
    auto const caller = std::make_shared<Caller>();
    options.observer = caller;
    Client client(options);
    caller->client = &client;
    CHECK(client.whoami());
    REQUIRE(caller->result);
    REQUIRE_FALSE(*caller->result);
    CHECK(caller->result->error().code() == errc::invalid_argument);
    CHECK(contains(caller->result->error().what(), "wait for itself"));
}

}  // namespace observer_test
