// SPDX-License-Identifier: BSL-1.0
#include <palette/auth.hpp>
#include <palette/client.hpp>
#include <palette/testing/manual_clock.hpp>
#include <palette/testing/scripted_transport.hpp>

#include <doctest/doctest.h>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <optional>

namespace scripted_transport_test {

using namespace std::chrono_literals;
using namespace palette;
using testing::ScriptedTransport;

constexpr auto one_key =
    R"({"items":[{"metadata":{"name":"ci","uid":"5f1b2c3d4e5f6a7b8c9d0e1f"},"status":{"isActive":true}}]})";

struct Scene {
    std::shared_ptr<ScriptedTransport> service = std::make_shared<ScriptedTransport>();
    std::shared_ptr<testing::ManualClock> clock = std::make_shared<testing::ManualClock>();
    boost::asio::io_context context;
    ApiKeyClient client{context, options()};

    [[nodiscard]] ClientOptions options() const {
        ClientOptions made;
        made.transport = service;
        made.clock = clock;
        made.retry.max_attempts = 1;
        made.auth = auth::api_key(Secret("a-key-that-nobody-has"), "the-own-key");
        return made;
    }

    Result<KeyList> list(CallOptions options = {}) {
        std::optional<Result<KeyList>> result;
        client.async_list(ListFilter(), options, [&](Result<KeyList> r) { result = std::move(r); });
        context.run();
        context.restart();
        return std::move(result).value();
    }
};

TEST_CASE("scripted transport: a client gets the answers of the script in their order") {
    Scene scene;
    scene.service->expect("GET /v1/apiKeys").answer(200, one_key).in_pieces(7);
    scene.service->expect("GET /v1/apiKeys").answer(503);
    auto const list = scene.list();
    REQUIRE(list);
    REQUIRE(list->size() == 1);
    CHECK((*list)[0].name == "ci");
    auto const refused = scene.list();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == errc::unavailable);
    CHECK(scene.service->unmet().empty());
}

TEST_CASE("scripted transport: a request that is not expected fails and says what was") {
    Scene scene;
    scene.service->expect("POST /v1/apiKeys");
    auto const list = scene.list();
    REQUIRE_FALSE(list);
    CHECK(list.error().code() == errc::invalid_argument);
    CHECK(list.error().message().find("the script expects POST /v1/apiKeys, not GET /v1/apiKeys") !=
          std::string::npos);
    CHECK(scene.service->unmet() == std::vector<std::string>{"POST /v1/apiKeys"});
}

TEST_CASE("scripted transport: at its end it fails") {
    Scene scene;
    auto const list = scene.list();
    REQUIRE_FALSE(list);
    CHECK(list.error().message().find("the script is at its end") != std::string::npos);
}

TEST_CASE("scripted transport: it keeps what was asked, and no value of a credential") {
    Scene scene;
    scene.service->expect("GET /v1/apiKeys").answer(200, R"({"items":[]})");
    CHECK(scene.list());
    REQUIRE(scene.service->requests().size() == 1);
    auto const& request = scene.service->requests()[0];
    CHECK(request.method == "GET");
    CHECK(request.target == "/v1/apiKeys");
    CHECK(request.credential_header == "ApiKey");
    for (auto const& [name, value] : request.headers)
        CHECK(value.find("nobody") == std::string::npos);
}

TEST_CASE("scripted transport: a failure says whether anything was sent, and a hang lasts to the deadline") {
    Scene scene;
    auto const uid = "5f1b2c3d4e5f6a7b8c9d0e1f";
    auto const revoke = [&](CallOptions options) {
        std::optional<Result<void>> result;
        scene.client.async_revoke(uid, options, [&](Result<void> r) { result = std::move(r); });
        scene.context.poll();
        if (!result) scene.clock->advance(20ms);
        scene.context.run();
        scene.context.restart();
        return std::move(result).value();
    };
    auto const target = "PUT /v1/apiKeys/" + std::string(uid) + "/state";
    scene.service->expect(target).fail(Error(errc::transport, "cut off"));
    scene.service->expect(target).fail_unsent(Error(errc::transport, "no route"));
    scene.service->expect(target).hang();
    auto const cut = revoke({});
    CHECK(cut.error().effect() == Effect::unknown);
    auto const unsent = revoke({});
    CHECK(unsent.error().effect() == Effect::not_applied);
    auto const late = revoke(CallOptions().deadline(20ms));
    CHECK(late.error().code() == errc::timeout);
    CHECK(late.error().effect() == Effect::unknown);
}

}  // namespace scripted_transport_test
