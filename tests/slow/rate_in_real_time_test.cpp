// SPDX-License-Identifier: BSL-1.0
#include <palette/client.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>

// Takes a minute. That what holds on a virtual clock holds by the machine's.

namespace rate_in_real_time_test {

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
    RateLimitOptions const limit;
    auto const best = [&](int revokes) { return (revokes - limit.burst) / limit.per_second; };
    // A machine that stands still for a moment delays what ends then: not each of the last fifty.
    double in_time = 2;
    auto const begun = std::chrono::steady_clock::now();
    auto const took = [&] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    };
    for (auto key = keys.end() - many; key != keys.end(); ++key)
        client.async_revoke(key->uid, [&](const Result<void>& result) {
            good += result ? 1 : 0;
            if (good > many - 50) in_time = std::min(in_time, took() / best(good));
            if (!result) why = result.error().message();
        });
    context.run();
    auto const whole = took();

    CAPTURE(why);
    CHECK(good == many);
    CHECK(emulator.request_count() == std::uint64_t{many});  // of which a 429 would be one more
    MESSAGE("600 revokes: ", whole, " s of ", best(many), " s at best; the quickest of the last ", in_time);
    CHECK(in_time <= 1.02);
    CHECK(whole >= best(many));
}

}  // namespace rate_in_real_time_test
