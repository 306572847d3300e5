// SPDX-License-Identifier: BSL-1.0
#include <palette/client.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <string>

// Takes a minute. That what holds on a virtual clock holds by the machine's.

namespace client_rate_real_time_test {

using namespace palette;
using testing::Emulator;
using testing::Role;

TEST_CASE(
    "client rate: six hundred revokes in real time take what the limit makes them take, without one 429") {
    constexpr int many = 600;
    Emulator emulator({.plain_http = true, .keys = many});
    boost::asio::io_context context;
    ApiKeyClient client(context, emulator.client_options(Role::tenant_admin));
    auto const keys = emulator.keys();
    int good = 0;
    std::string why;
    auto const begun = std::chrono::steady_clock::now();
    for (auto key = keys.end() - many; key != keys.end(); ++key)
        client.async_revoke(key->uid, [&](const Result<void>& result) {
            good += result ? 1 : 0;
            if (!result) why = result.error().message();
        });
    context.run();
    auto const took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();

    CAPTURE(why);
    CHECK(good == many);
    CHECK(emulator.request_count() == std::uint64_t{many});  // of which a 429 would be one more
    RateLimitOptions const limit;
    auto const best = (many - limit.burst) / limit.per_second;
    MESSAGE("600 revokes: ", took, " s of ", best, " s at best");
    CHECK(took <= 1.02 * best);
}

}  // namespace client_rate_real_time_test
