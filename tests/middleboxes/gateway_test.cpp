// SPDX-License-Identifier: BSL-1.0
#include "middleboxes/boxes.hpp"

#include <doctest/doctest.h>

#include <string>

// nginx, whose service is down, refuses, or does not answer.

namespace gateway_test {

using namespace palette;

struct Row {
    std::string box;
    int status;
};
const Row rows[] = {{"BAD_GATEWAY", 502}, {"UNAVAILABLE", 503}, {"GATEWAY_TIMEOUT", 504}};

TEST_CASE("middle boxes: what nginx says for a service that is not there is errc::unavailable") {
    for (auto const& row : rows) {
        CAPTURE(row.box);
        BlockingApiKeyClient client(boxes::options_for(row.box));
        auto const read = client.list();
        REQUIRE_FALSE(read);
        CHECK(read.error().code() == errc::unavailable);
        CHECK(read.error().status() == row.status);
        CHECK(read.error().effect() == Effect::not_applied);
        auto const change = client.revoke("5f1b2c3d4e5f6a7b8c9d0e1f");
        REQUIRE_FALSE(change);
        CHECK(change.error().code() == errc::unavailable);
        CHECK(change.error().status() == row.status);
        CHECK(change.error().effect() == Effect::unknown);
    }
}

}  // namespace gateway_test
