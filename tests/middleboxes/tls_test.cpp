// SPDX-License-Identifier: BSL-1.0
#include "middleboxes/boxes.hpp"

#include <doctest/doctest.h>

#include <string>

// nginx, where TLS ends before the service.

namespace tls_test {

using namespace palette;

Error refusal(const ClientOptions& options) {
    BlockingApiKeyClient client(options);
    auto const result = client.revoke("5f1b2c3d4e5f6a7b8c9d0e1f");
    REQUIRE_FALSE(result);
    return result.error();
}

ClientOptions with_certificate(ClientOptions options, const std::string& name) {
    options.tls.client_certificate_file = boxes::text(name) + ".pem";
    options.tls.client_key_file = boxes::text(name) + ".key";
    return options;
}

TEST_CASE("middle boxes: everything works through nginx with nothing newer than TLS 1.2") {
    boxes::check_that_all_works(boxes::options_for("TLS12"));
}

TEST_CASE("middle boxes: nginx is verified, with TLS 1.2 too") {
    auto options = boxes::options_for("TLS12");
    options.tls.ca_file = boxes::text("STRANGER_CA_FILE");
    auto const error = refusal(options);
    CHECK(error.what() == "the certificate of 127.0.0.1 is signed by an authority that is not trusted");
    CHECK(error.effect() == Effect::not_applied);
    CHECK(error.status() == 0);
}

TEST_CASE("middle boxes: everything works through nginx that asks for a certificate") {
    boxes::check_that_all_works(with_certificate(boxes::options_for("MUTUAL"), "CLIENT"));
}

TEST_CASE("middle boxes: without the certificate that nginx asks for it is a clear error") {
    for (bool const has_a_wrong_one : {false, true}) {
        CAPTURE(has_a_wrong_one);
        auto options = boxes::options_for("MUTUAL");
        if (has_a_wrong_one) options = with_certificate(options, "IMPOSTOR");
        auto const error = refusal(options);
        CHECK(error.code() == errc::rejected);
        CHECK(error.status() == 400);
        CHECK(error.effect() == Effect::not_applied);
        CHECK(error.what() == "something between here and the service answered with a page of HTML");
    }
}

}  // namespace tls_test
