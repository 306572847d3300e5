// SPDX-License-Identifier: BSL-1.0
#include "middleboxes/boxes.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>

// tinyproxy, which wants credentials.

namespace proxy_test {

using namespace palette;

ClientOptions behind_proxy(const std::string& password) {
    ClientOptions options;
    options.endpoint = Endpoint::parse(boxes::text("BEHIND_PROXY")).value();
    options.tls.ca_file = boxes::text("BEHIND_PROXY_CA_FILE");
    options.auth = auth::api_key(Secret(boxes::text("BEHIND_PROXY_API_KEY")), "the-own-key");
    options.proxy.url = boxes::text("PROXY");
    if (!password.empty()) {
        options.proxy.user = boxes::text("PROXY_USER");
        options.proxy.password = std::make_shared<const Secret>(password);
    }
    return options;
}

TEST_CASE("middle boxes: everything works through tinyproxy with the right credentials") {
    boxes::check_that_all_works(behind_proxy(boxes::text("PROXY_PASSWORD")));
}

TEST_CASE("middle boxes: the service is verified through tinyproxy") {
    auto options = behind_proxy(boxes::text("PROXY_PASSWORD"));
    options.tls.ca_file = boxes::text("STRANGER_CA_FILE");
    BlockingApiKeyClient client(options);
    auto const result = client.revoke("5f1b2c3d4e5f6a7b8c9d0e1f");
    REQUIRE_FALSE(result);
    CHECK(result.error().code() == errc::untrusted);
    CHECK(result.error().effect() == Effect::not_applied);
}

TEST_CASE("middle boxes: tinyproxy's refusal is the proxy's, with its status") {
    for (std::string const password : {"wrong-horse.7", ""}) {  // wrong credentials, and none
        CAPTURE(password);
        BlockingApiKeyClient client(behind_proxy(password));
        auto const result = client.revoke("5f1b2c3d4e5f6a7b8c9d0e1f");
        REQUIRE_FALSE(result);
        CHECK(result.error().code() == errc::proxy);
        // For wrong ones, the tinyproxy of Debian 12 and 13 says 401, as if it were the service.
        auto const status = result.error().status();
        CHECK((status == 407 || (status == 401 && !password.empty())));
        CHECK(result.error().effect() == Effect::not_applied);
    }
}

}  // namespace proxy_test
