// SPDX-License-Identifier: BSL-1.0
#include "support/awaited.hpp"

#include <palette/auth_provider.hpp>
#include <palette/lifecycle/rotator.hpp>
#include <palette/testing/memory_sink.hpp>
#include <palette/testing/scripted_transport.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>

// What a client is given of a sink.

namespace sink_provider_test {

using namespace std::chrono_literals;
using namespace palette;
using Reason = CredentialRequest::Reason;
using Given = Result<std::shared_ptr<const Credential>>;

constexpr Instant noon = std::chrono::sys_days{2027y / 1 / 31} + 12h;

struct Scene {
    // Makes `value` the sink's current value.
    void put(const std::string& value, const std::string& uid, Expiry expiry) {
        auto const before = awaited(sink->contents()).value().current;
        Secret const secret(value);
        auto const receipt = awaited(sink->stage("rotation of " + uid, uid, expiry, secret)).value();
        auto const expected = before ? std::optional(before->generation) : std::nullopt;
        REQUIRE(awaited(sink->promote(receipt, expected)));
    }

    Given ask(Reason reason, std::shared_ptr<const Credential> previous, Instant now = noon) {
        return awaited(provider->credential(CredentialRequest(reason, std::move(previous), transport, now)));
    }

    std::shared_ptr<testing::MemorySink> sink = std::make_shared<testing::MemorySink>();
    std::shared_ptr<AuthProvider> provider = lifecycle::sink_provider(sink, 5min);
    testing::ScriptedTransport transport;
};

TEST_CASE("sink_provider: gives the current key with its uid, and looks again after a while") {
    Scene scene;
    scene.put("value-1", "uid-1", Expiry::at(noon + 720h));
    auto const given = scene.ask(Reason::first, nullptr).value();
    CHECK(given->value().expose() == "value-1");
    CHECK(given->key_uid() == "uid-1");
    CHECK(given->expires_at() == noon + 5min);

    scene.put("value-2", "uid-2", Expiry::at(noon + 2min));
    auto const next = scene.ask(Reason::expiring, given).value();
    CHECK(next->value().expose() == "value-2");
    CHECK(next->key_uid() == "uid-2");
    CHECK_MESSAGE(next->expires_at() == noon + 2min, "no later than the key ends");
}

TEST_CASE("sink_provider: says that there is no other key when the one that is refused is still current") {
    Scene scene;
    scene.put("value-1", "uid-1", Expiry::never());
    auto const given = scene.ask(Reason::first, nullptr).value();
    CHECK(scene.ask(Reason::rejected, given).value() == given);
    scene.put("value-2", "uid-2", Expiry::never());
    CHECK(scene.ask(Reason::rejected, given).value()->value().expose() == "value-2");
}

TEST_CASE("sink_provider: an empty sink is an error that says so") {
    Scene scene;
    auto const given = scene.ask(Reason::first, nullptr);
    REQUIRE_FALSE(given);
    CHECK(given.error().code() == errc::auth_provider);
    CHECK(given.error().message().find("no key yet") != std::string::npos);
}

TEST_CASE(
    "sink_provider: goes on with the last key while the sink cannot be read, until it ends or is refused") {
    using Sink = testing::MemorySink;
    for (auto const how : {Sink::How::by_error, Sink::How::by_exception}) {
        Scene scene;
        scene.put("value-1", "uid-1", Expiry::at(noon + 1h));
        auto const given = scene.ask(Reason::first, nullptr).value();
        auto const fail = [&] { scene.sink->fail_call(1, Sink::When::before_effect, how); };

        fail();
        auto const same = scene.ask(Reason::expiring, given, noon + 5min).value();
        CHECK(same->value() == given->value());
        CHECK(same->key_uid() == "uid-1");
        CHECK(same->expires_at() == noon + 10min);

        fail();
        CHECK_FALSE(scene.ask(Reason::rejected, given, noon + 5min));
        fail();
        CHECK_FALSE(scene.ask(Reason::expiring, given, noon + 1h));
        fail();
        CHECK_FALSE(scene.ask(Reason::first, nullptr, noon + 5min));
        CHECK(scene.ask(Reason::first, nullptr, noon + 5min));
    }
}

TEST_CASE("sink_provider: refuses no sink, and a time between two looks that is not positive") {
    auto const sink = std::make_shared<testing::MemorySink>();
    CHECK_THROWS_AS(static_cast<void>(lifecycle::sink_provider(nullptr)), Exception);
    for (auto const time : {0ms, -1ms})
        CHECK_THROWS_AS(static_cast<void>(lifecycle::sink_provider(sink, time)), Exception);
}

}  // namespace sink_provider_test
