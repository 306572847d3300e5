// SPDX-License-Identifier: BSL-1.0
#include "support/connect_proxy.hpp"
#include "support/one_attempt.hpp"
#include "support/printed.hpp"

#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>
#include <palette/http_transport.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/version.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>

namespace user_agent_test {

using namespace palette;
using testing::Emulator;
using testing::Role;

const std::string our_product = "palette-keys/" PALETTE_KEYS_VERSION;

std::string user_agent_of(const testing::ReceivedRequest& request) {
    return std::string(request.headers["user-agent"]);
}

// Of a client with this product, if its constructor throws.
std::optional<Error> refusal(std::string_view product) {
    ClientOptions options;
    options.user_agent = product;
    try {
        BlockingApiKeyClient const client(options);
    } catch (const Exception& e) {
        return e.error();
    }
    return std::nullopt;
}

TEST_CASE("user agent: a client names itself, and the program's product before that") {
    Emulator const emulator;
    auto options = emulator.client_options(Role::tenant_admin);
    for (auto const* const products : {"", "my-tool/1.2", "my-tool/1.2 my.lib", "a/b!#$%&'*+-.^_`|~"}) {
        CAPTURE(products);
        options.user_agent = products;
        REQUIRE(BlockingApiKeyClient(options).whoami());
        auto const expected = std::string(products) + (*products == '\0' ? "" : " ") + our_product;
        CHECK(user_agent_of(emulator.requests().back()) == expected);
    }
}

TEST_CASE("user agent: the requests of a login carry the product, too") {
    Emulator const emulator;
    auto const& admin = emulator.user(Role::tenant_admin);
    auto options = emulator.client_options(Role::tenant_admin);
    options.auth =
        auth::login(auth::LoginOptions(admin.email, Secret(admin.password.expose())).org(emulator.org()));
    options.user_agent = "my-tool/1.2";
    REQUIRE(BlockingApiKeyClient(options).whoami());
    auto const requests = emulator.requests();
    REQUIRE(requests.size() == 2);
    CHECK(requests.front().path == "/v1/auth/authenticate");
    for (auto const& request : requests)
        CHECK(user_agent_of(request) == "my-tool/1.2 " + our_product);
}

TEST_CASE("user agent: a proxy is told the product, too") {
    Emulator const emulator;
    proxying::ProxyOptions to_emulator;
    to_emulator.target = emulator.port();
    proxying::ConnectProxy const proxy(to_emulator);
    auto options = one_attempt(emulator.client_options(Role::tenant_admin));
    options.proxy.url = proxy.url();
    options.user_agent = "my-tool/1.2";
    REQUIRE(BlockingApiKeyClient(options).whoami());
    REQUIRE(proxy.heads().size() == 1);
    CHECK(contains(proxy.heads().front(), "\r\nUser-Agent: my-tool/1.2 " + our_product + "\r\n"));
    CHECK(user_agent_of(emulator.requests().back()) == "my-tool/1.2 " + our_product);
}

TEST_CASE("user agent: what is no product is refused by the constructor, and not quoted") {
    std::string const bad[] = {" ",
                               "/",
                               "/1.2",
                               "hunter2/",
                               "hunter2/1/2",
                               " hunter2",
                               "hunter2 ",
                               "hunter2  lib/1",
                               "hunter2\tlib/1",
                               "hunter2/1.2\r\nApiKey: x",
                               "hunter2/1.2\n",
                               "hunter2/1.2 (comment)",
                               "hunter2@1.2",
                               "hunter2;q=1",
                               "\"hunter2\"",
                               "hunter2/\xc3\xa9",
                               std::string("hunter2/1\0"
                                           "2",
                                           11),
                               "hunter2" + std::string(250, 'x')};
    for (auto const& product : bad) {
        CAPTURE(product);
        auto const error = refusal(product);
        REQUIRE(error);
        CHECK(error->code() == errc::invalid_argument);
        CHECK(error->path() == "user_agent");
        CHECK_FALSE(contains(error->message(), "hunter2"));
    }
    CHECK_FALSE(refusal(std::string(256, 'x')));

    ClientOptions options;
    options.user_agent = "a tool (1.2)";
    auto const made = make_http_transport(options);
    REQUIRE_FALSE(made);
    CHECK(made.error().path() == "user_agent");
}

}  // namespace user_agent_test
