// SPDX-License-Identifier: BSL-1.0
// A create that is stopped on its way: by its deadline, by its caller, with its client.
#include "support/patience.hpp"
#include "support/scene.hpp"

#include <palette/auth_provider.hpp>
#include <palette/client.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/scripted_transport.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_type.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace create_stopped_test {

using namespace std::chrono_literals;
using namespace palette;
namespace asio = boost::asio;
using asio::cancellation_type;
using testing::Role;

// One create, in an event loop that a test drives.
struct Stopped : support::EmulatorScene {
    Stopped() : EmulatorScene(testing::EmulatorOptions()) {
        options.retry.settle_time = 5s;
        options.timeouts.total = 20s;
    }

    void start(CreateOptions call = CreateOptions(), NewApiKey key = NewApiKey("ci")) {
        client().async_create(std::move(key), std::move(call), watched.handler());
    }

    // Time passes when the test says so, and not while the machine is busy.
    void stop_time() { options.clock = clock; }

    const Result<CreatedApiKey>& end() { return run_until_end_of(watched); }

    [[nodiscard]] std::vector<ApiKey> made() const { return support::keys_named(emulator, "ci"); }

    void check_pending(errc code) {
        REQUIRE_FALSE(end());
        auto const& error = end().error();
        CAPTURE(error.message());
        CHECK(error.code() == code);
        CHECK(error.effect() == Effect::unknown);
        REQUIRE(error.pending());
        CHECK(error.pending()->attempts() == std::vector{1});
    }

    support::Watched<CreatedApiKey> watched;
};

TEST_CASE("W7 create: a service that does not answer leaves time of the deadline to look for the key") {
    Stopped scene;
    scene.stop_time();
    scene.emulator.faults().add("POST /v1/apiKeys delay:3600000 x1");
    scene.start(CallOptions().deadline(2s));
    scene.run_until([&] { return scene.count("POST", "/v1/apiKeys") >= 1; });
    scene.pass(999ms);
    CHECK(scene.count("GET", "/v1/apiKeys") == 0);
    scene.pass(1ms);
    auto const& result = scene.end();
    // It was applied: found, deleted, and another one made, all of that in the second half.
    CAPTURE((result ? std::string() : result.error().message()));
    REQUIRE(result);
    CHECK(result->confirmed());
    REQUIRE(scene.made().size() == 1);
    CHECK(scene.made()[0].uid == result->uid());
    CHECK(scene.count("POST", "/v1/apiKeys") == 2);
    CHECK(scene.count("DELETE", "/v1/apiKeys") == 1);
}

TEST_CASE("W7 create: a service that is silent on all is unknown and pending by the deadline") {
    Stopped scene;
    scene.emulator.faults().add("POST /v1/apiKeys stall");
    scene.emulator.faults().add("GET /v1/apiKeys stall");
    scene.stop_time();
    scene.start(CallOptions().deadline(600ms));
    scene.run_until([&] { return scene.count("POST", "/v1/apiKeys") >= 1; });
    scene.pass(300ms);
    scene.run_until([&] { return scene.count("GET", "/v1/apiKeys") >= 1; });
    scene.pass(299ms);
    CHECK_FALSE(scene.watched.has_ended());
    scene.pass(1ms);
    scene.check_pending(errc::timeout);
    CHECK(scene.count("POST", "/v1/apiKeys") == 1);
}

TEST_CASE("W7 create: cancelled while its key is looked for, it ends at once and is pending") {
    for (auto const type : {cancellation_type::terminal, cancellation_type::partial}) {
        Stopped scene;
        scene.options.retry.settle_time = 15s;
        scene.emulator.faults().add("POST /v1/apiKeys drop-before x1");
        scene.start();
        scene.run_until([&] { return scene.count("GET", "/v1/apiKeys") >= 2; });
        auto const begun = std::chrono::steady_clock::now();
        scene.watched.cancel(type);
        scene.check_pending(errc::operation_aborted);
        CHECK(std::chrono::steady_clock::now() - begun < patience);
    }
}

TEST_CASE("W7 create: cancelled in the POST, or in the DELETE of a lost key, it is pending") {
    for (std::string_view const fault : {"POST /v1/apiKeys stall", "DELETE /v1/apiKeys stall"}) {
        CAPTURE(fault);
        Stopped scene;
        scene.emulator.faults().add("POST /v1/apiKeys drop-after x1 after=" +
                                    std::string(fault[0] == 'P' ? "1" : "0"));
        scene.emulator.faults().add(fault);
        scene.start();
        auto const method = fault.substr(0, fault.find(' '));
        scene.run_until([&] { return scene.count(method, "/v1/apiKeys") >= 1; });
        scene.watched.cancel(cancellation_type::terminal);
        scene.check_pending(errc::operation_aborted);
    }
}

TEST_CASE("W7 create: asked to end without effect, it goes on once its POST was sent") {
    Stopped scene;
    scene.emulator.faults().add("POST /v1/apiKeys drop-after x1");
    scene.emulator.faults().add("GET /v1/apiKeys delay:200 x1");
    scene.start();
    scene.run_until([&] { return scene.count("GET", "/v1/apiKeys") >= 1; });
    scene.watched.cancel(cancellation_type::total);
    REQUIRE(scene.end());
    CHECK(scene.made().size() == 1);
}

TEST_CASE("W7 create: stopped before its POST, nothing was changed and nothing is pending") {
    Stopped scene;
    scene.emulator.faults().add("GET /v1/users/info stall");
    scene.start();
    scene.run_until([&] { return scene.count("GET", "/v1/users/info") >= 1; });
    scene.watched.cancel(cancellation_type::terminal);
    REQUIRE_FALSE(scene.end());
    CHECK(scene.end().error().code() == errc::operation_aborted);
    CHECK(scene.end().error().effect() == Effect::not_applied);
    CHECK_FALSE(scene.end().error().pending());
}

TEST_CASE("W7 create: a value that was received is delivered, whatever stops the reading back") {
    enum class By { deadline, cancellation, destruction };
    for (auto const by : {By::deadline, By::cancellation, By::destruction}) {
        CAPTURE(static_cast<int>(by));
        Stopped scene;
        scene.emulator.faults().add("GET /v1/apiKeys/ stall");
        scene.stop_time();
        scene.start(CallOptions().deadline(500ms));
        scene.run_until([&] { return scene.count("GET", "/v1/apiKeys/") >= 1; });
        if (by == By::deadline) scene.pass(500ms);
        if (by == By::cancellation) scene.watched.cancel(cancellation_type::terminal);
        if (by == By::destruction) scene.destroy_client();
        REQUIRE(scene.end());
        CHECK_FALSE(scene.end()->confirmed());
        CHECK(scene.end()->secret().size() == 32);
        CHECK(scene.end()->uid() == scene.made().at(0).uid);
    }
}

TEST_CASE("W7 create: a client that is destroyed while a key is looked for leaves it pending") {
    Stopped scene;
    scene.emulator.faults().add("POST /v1/apiKeys drop-before x1");
    scene.start();
    scene.run_until([&] { return scene.count("GET", "/v1/apiKeys") >= 2; });
    scene.destroy_client();
    scene.check_pending(errc::operation_aborted);
}

// Gives one key, and another one when that is refused.
class TwoUsers final : public AuthProvider {
public:
    TwoUsers(std::string_view first, std::string_view second) : first_(first), second_(second) {}

    asio::awaitable<Result<std::shared_ptr<const Credential>>> credential(
        CredentialRequest request) override {
        auto const& key = request.reason() == CredentialRequest::Reason::rejected ? second_ : first_;
        co_return Credential::api_key(Secret(key));
    }

private:
    std::string first_;
    std::string second_;
};

TEST_CASE("W7 create: who asks for a key is fixed: no other user's credential looks for it or deletes it") {
    Stopped scene;
    scene.options.auth =
        std::make_shared<TwoUsers>(scene.emulator.user(Role::tenant_admin).api_key.expose(),
                                   scene.emulator.user(Role::tenant_user_admin).api_key.expose());
    scene.emulator.faults().add("POST /v1/apiKeys drop-after x1");
    scene.emulator.faults().add("GET /v1/apiKeys status:401 x1");
    scene.start();
    REQUIRE_FALSE(scene.end());
    REQUIRE(scene.made().size() == 1);
    auto const& error = scene.end().error();
    // What was not looked for is not known: the error is that of the answer that was lost.
    CHECK(error.code() == errc::transport);
    CHECK(error.effect() == Effect::unknown);
    REQUIRE(error.pending());
    CHECK(error.pending()->attempts() == std::vector{1});
    CHECK(scene.count("GET", "/v1/apiKeys") == 1);
    CHECK(scene.count("DELETE", "/v1/apiKeys") == 0);
}

TEST_CASE("W13 create: a 401 is answered with another credential of the same user, and of no other") {
    for (bool const is_same : {true, false}) {
        CAPTURE(is_same);
        Stopped scene;
        auto const own = scene.emulator.seed_key(NewApiKey("spare"));
        scene.options.auth = std::make_shared<TwoUsers>(
            scene.emulator.user(Role::tenant_admin).api_key.expose(),
            is_same ? own.secret().expose() : scene.emulator.user(Role::tenant_user_admin).api_key.expose());
        scene.emulator.faults().add("POST /v1/apiKeys status:401 x1");
        scene.start();
        CHECK(scene.end().has_value() == is_same);
        CHECK(scene.count("GET", "/v1/users/info") == 2);
        CHECK(scene.count("POST", "/v1/apiKeys") == (is_same ? 2 : 1));
        CHECK(scene.made().size() == (is_same ? 1 : 0));
        if (is_same) {
            CHECK(scene.made()[0].annotations["palette-keys-create"].ends_with("-1"));
        } else {
            CHECK(scene.end().error().code() == errc::auth_provider);
            CHECK(scene.end().error().effect() == Effect::not_applied);
            CHECK_FALSE(scene.end().error().pending());
        }
    }
}

TEST_CASE("W7 create: a key that is another user's than was asked for is revoked and named") {
    // A service that takes no notice of userUid.
    auto const transport = std::make_shared<testing::ScriptedTransport>();
    transport->expect("GET /v1/users/info").answer(200, R"({"userUid":"me","tenantUid":"t"})");
    transport->expect("POST /v1/apiKeys")
        .answer(201, R"({"apiKey":"0123456789abcdef0123456789abcdef","uid":"k"})");
    transport->expect("GET /v1/apiKeys/k")
        .answer(200, R"({"metadata":{"name":"ci","uid":"k"},"spec":{"user":{"uid":"me"}}})");
    transport->expect("PUT /v1/apiKeys/k/state").answer(204, "");
    Stopped scene;
    scene.options.transport = transport;
    scene.start(CallOptions(), NewApiKey("ci").for_user("colleague"));
    REQUIRE_FALSE(scene.end());
    auto const& error = scene.end().error();
    CHECK(error.code() == errc::conflict);
    CHECK(error.effect() == Effect::applied);
    CHECK(error.key_uid() == "k");
    CHECK(error.what() == "the key k was made for another user than was asked for; it is revoked");
    CHECK(transport->unmet().empty());
}

}  // namespace create_stopped_test
