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
    options.auth = auth::api_key(Secret(boxes::text("BEHIND_PROXY_API_KEY")));
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
    struct Row {
        std::string password;  // empty: no credentials at all
        int status;
    };
    // For wrong ones it says 401, as if it were the service.
    for (auto const& row : {Row{"wrong-horse.7", 401}, Row{"", 407}}) {
        CAPTURE(row.status);
        BlockingApiKeyClient client(behind_proxy(row.password));
        auto const result = client.revoke("5f1b2c3d4e5f6a7b8c9d0e1f");
        REQUIRE_FALSE(result);
        CHECK(result.error().code() == errc::proxy);
        CHECK(result.error().status() == row.status);
        CHECK(result.error().effect() == Effect::not_applied);
    }
}

}  // namespace proxy_test
