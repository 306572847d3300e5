// SPDX-License-Identifier: BSL-1.0
#include "middleboxes/boxes.hpp"
#include "support/patience.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>

// haproxy, which lets the client wait.

namespace silence_test {

using namespace std::chrono_literals;
using namespace palette;
using Clock = std::chrono::steady_clock;

void check_times_out(BlockingApiKeyClient& client) {
    auto const deadline = CallOptions().deadline(500ms);
    auto const begun = Clock::now();
    auto const read = client.list({}, deadline);
    auto const read_for = Clock::now() - begun;
    REQUIRE_FALSE(read);
    CHECK(read.error().code() == errc::timeout);
    CHECK(read.error().effect() == Effect::not_applied);
    CHECK(read_for >= 500ms);
    CHECK(read_for < 500ms + patience);
    auto const change_begun = Clock::now();
    auto const change = client.revoke("5f1b2c3d4e5f6a7b8c9d0e1f", deadline);
    CHECK(Clock::now() - change_begun < 500ms + patience);
    REQUIRE_FALSE(change);
    CHECK(change.error().code() == errc::timeout);
    CHECK(change.error().effect() == Effect::unknown);
}

bool can_drop() {
    if (boxes::has("DROPS_ALL")) return true;
    if (std::getenv("PALETTE_KEYS_NO_SKIP") != nullptr)
        FAIL("only root, with CAP_NET_ADMIN, can have connections dropped silently");
    MESSAGE("skipped: only root, with CAP_NET_ADMIN, can have connections dropped silently");
    return false;
}

TEST_CASE("middle boxes: an haproxy that never answers is waited for until the deadline") {
    BlockingApiKeyClient client(boxes::options_for("NEVER_ANSWERS"));
    check_times_out(client);
}

TEST_CASE("middle boxes: a connection that haproxy drops silently is waited for until the deadline") {
    if (!can_drop()) return;
    BlockingApiKeyClient client(boxes::options_for("DROPS_ALL"));
    check_times_out(client);
}

TEST_CASE("middle boxes: a connection that haproxy drops silently after an answer is not used again") {
    if (!can_drop()) return;
    BlockingApiKeyClient client(boxes::options_for("DROPS_KEYS"));
    for (int i = 0; i < 2; ++i) {
        REQUIRE(boxes::succeeds(client.whoami()));
        auto const list = client.list({}, CallOptions().deadline(300ms));
        REQUIRE_FALSE(list);
        CHECK(list.error().code() == errc::timeout);
    }
    CHECK(boxes::succeeds(client.whoami(CallOptions().deadline(patience))));
}

}  // namespace silence_test
