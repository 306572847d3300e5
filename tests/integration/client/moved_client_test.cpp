// SPDX-License-Identifier: BSL-1.0
#include "support/scene.hpp"

#include <palette/blocking_client.hpp>
#include <palette/client.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <optional>
#include <utility>

// What is left of a client that was moved from.

namespace moved_client_test {

using namespace palette;
namespace asio = boost::asio;
using testing::Emulator;
using testing::Role;

template <class Start>
std::optional<errc> thrown_by(Start start) {
    try {
        start();
    } catch (const Exception& e) {
        return e.error().code();
    }
    return std::nullopt;
}

TEST_CASE("moved client: the client that was moved to is valid, and the other one is not") {
    support::EmulatorScene scene;
    auto& client = scene.client();
    CHECK(client.valid());
    ApiKeyClient moved(std::move(client));
    CHECK(moved.valid());
    CHECK_FALSE(client.valid());  // NOLINT(bugprone-use-after-move): what this is about
    CHECK_FALSE(client.get_executor());
    CHECK(moved.get_executor() == scene.context.get_executor());
    client.cancel();

    client = std::move(moved);
    CHECK(client.valid());
    CHECK_FALSE(moved.valid());  // NOLINT(bugprone-use-after-move)
    auto who = client.async_whoami(asio::use_future);
    scene.context.run();
    CHECK(who.get());
}

TEST_CASE("moved client: a function that starts an operation throws, whatever its token") {
    support::EmulatorScene scene;
    auto& client = scene.client();
    ApiKeyClient const moved(std::move(client));
    bool is_called = false;
    CHECK(thrown_by([&] { client.async_whoami([&](Result<Identity>) { is_called = true; }); }) ==
          errc::invalid_argument);
    CHECK(thrown_by([&] { (void)client.async_get("a"); }) == errc::invalid_argument);
    CHECK(thrown_by([&] { (void)client.async_list(asio::use_awaitable); }) == errc::invalid_argument);
    CHECK(thrown_by([&] { (void)client.async_revoke("a", asio::use_future); }) == errc::invalid_argument);
    CHECK(thrown_by([&] { (void)client.async_close(); }) == errc::invalid_argument);
    scene.context.run();
    CHECK_FALSE(is_called);
    CHECK(scene.emulator.request_count() == 0);
}

TEST_CASE("moved client: the operations of a blocking one that was moved from fail") {
    Emulator const emulator({.plain_http = true});
    BlockingApiKeyClient client(emulator.client_options(Role::tenant_admin));
    CHECK(client.valid());
    BlockingApiKeyClient moved(std::move(client));
    CHECK(moved.valid());
    CHECK_FALSE(client.valid());  // NOLINT(bugprone-use-after-move)
    auto const who = client.whoami();
    REQUIRE_FALSE(who);
    CHECK(who.error().code() == errc::invalid_argument);
    CHECK(who.error().effect() == Effect::not_applied);
    CHECK_FALSE(client.create(NewApiKey("a")));
    CHECK_FALSE(client.close());
    client.cancel();

    CHECK(moved.whoami());
    client = std::move(moved);
    CHECK(client.whoami());
}

}  // namespace moved_client_test
