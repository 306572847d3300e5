// SPDX-License-Identifier: BSL-1.0
// A create whose answer is lost, spoilt or wrong.
#include "support/printed.hpp"
#include "support/scene.hpp"

#include <palette/blocking_client.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/manual_clock.hpp>
#include <palette/testing/test_user.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace create_test {

using namespace std::chrono_literals;
using namespace palette;
using testing::Emulator;
using testing::Role;
using Client = BlockingApiKeyClient;
using Texts = std::vector<std::string>;

constexpr std::string_view annotation = "palette-keys-create";

ClientOptions options_of(const Emulator& emulator, std::chrono::milliseconds settle = 300ms) {
    auto options = emulator.client_options(Role::tenant_admin);
    options.clock = nullptr;
    options.retry.settle_time = settle;
    options.retry.initial_backoff = 1ms;
    options.timeouts.total = 5s;
    return options;
}

// A tenant in which one create meets a fault.
struct Scene {
    explicit Scene(std::string_view fault, std::chrono::milliseconds settle = 300ms,
                   std::shared_ptr<Clock> clock_of_service = nullptr)
        : emulator({.clock = std::move(clock_of_service)}),
          client(options_of(emulator, settle)) {
        if (!fault.empty()) emulator.faults().add(fault);
    }

    [[nodiscard]] Texts requests() const {
        Texts all;
        for (auto const& request : emulator.requests())
            all.push_back(request.method + ' ' +
                          (request.path.starts_with("/v1/apiKeys/") ? "key" : request.path));
        return all;
    }

    [[nodiscard]] std::size_t count(std::string_view request) const {
        auto const all = requests();
        return static_cast<std::size_t>(std::ranges::count(all, request));
    }

    // The keys that the create has left.
    [[nodiscard]] std::vector<ApiKey> made() const { return support::keys_named(emulator, "ci"); }

    Emulator emulator;
    Client client;
};

// What every end of a create has to be true of.
void check_nothing_is_lost(const Scene& scene, const Result<CreatedApiKey>& result) {
    auto const& pending = result ? result->pending() : result.error().pending();
    for (auto const& key : scene.made()) {
        CAPTURE(key.uid);
        auto const is_delivered = result && (result->uid() == key.uid || !result->confirmed());
        auto const is_named = pending && pending->matches(key.annotations[annotation]);
        CHECK(is_delivered != is_named);
    }
    if (!result && result.error().effect() == Effect::not_applied) CHECK(scene.made().empty());
}

TEST_CASE(
    "client create: tells the expiry that the service has given, as the confirming read or list shows it") {
    for (std::string_view const fault : {"", "POST /v1/apiKeys uid-is-user x1"}) {
        CAPTURE(fault);
        Emulator emulator({.assumptions = {.max_lifetime = std::chrono::days{10}}});
        if (!fault.empty()) emulator.faults().add(fault);
        Client client(options_of(emulator));
        auto const created = client.create(NewApiKey("ci").lives_for(std::chrono::days{30}));
        REQUIRE(created);
        REQUIRE(created->confirmed());
        REQUIRE(created->expiry());
        CHECK(*created->expiry() == support::keys_named(emulator, "ci").front().expiry);
        CHECK(*created->expiry() < Expiry::in(std::chrono::days{11}, emulator.keys().as_of()));
    }
    // Without a confirmation nothing is known.
    Scene scene("GET /v1/apiKeys status:403");
    auto const created = scene.client.create(NewApiKey("ci"));
    REQUIRE(created);
    CHECK_FALSE(created->confirmed());
    CHECK_FALSE(created->expiry());
}

TEST_CASE("W7 create: it asks who it is once, sends the owner and a mark, and reads the key back") {
    Scene scene("");
    auto const first = scene.client.create(NewApiKey("ci"));
    REQUIRE(first);
    CHECK(first->confirmed());
    CHECK_FALSE(first->pending());
    CHECK(scene.requests() == Texts{"GET /v1/users/info", "POST /v1/apiKeys", "GET key"});
    REQUIRE(scene.client.create(NewApiKey("ci").for_user(scene.emulator.user(Role::user).uid)));
    CHECK(scene.count("GET /v1/users/info") == 1);

    auto const made = scene.made();
    REQUIRE(made.size() == 2);
    CHECK(made[0].owner.uid == scene.emulator.user(Role::tenant_admin).uid);
    CHECK(made[1].owner.uid == scene.emulator.user(Role::user).uid);
    std::set<std::string> marks;
    for (auto const& key : made) {
        auto const mark = std::string(key.annotations[annotation]);
        CHECK(mark.size() == 34);
        CHECK(mark.ends_with("-1"));
        CHECK(mark.find_first_not_of("0123456789abcdef-") == std::string::npos);
        marks.insert(mark);
    }
    CHECK(marks.size() == 2);
}

TEST_CASE("W7 create: a key whose value was lost is found and deleted, and another one is made") {
    for (auto const* const fault : {"POST /v1/apiKeys drop-after x1", "POST /v1/apiKeys truncate x1",
                                    "POST /v1/apiKeys garbage x1", "POST /v1/apiKeys wrong-type x1",
                                    "POST /v1/apiKeys trailing x1", "POST /v1/apiKeys drop-after x3"}) {
        CAPTURE(fault);
        Scene scene(fault);
        scene.emulator.faults().add("GET /v1/apiKeys page:3");
        for (int i = 0; i < 10; ++i)
            scene.emulator.seed_key(NewApiKey("other").for_user(scene.emulator.user(Role::user).uid));
        auto const result = scene.client.create(NewApiKey("ci"));
        CAPTURE((result ? std::string() : result.error().message()));
        REQUIRE(result);
        CHECK(result->confirmed());
        CHECK_FALSE(result->pending());
        CHECK(scene.made().size() == 1);
        CHECK(scene.made()[0].annotations[annotation].ends_with(
            std::string_view(fault).ends_with("x3") ? "-4" : "-2"));
        check_nothing_is_lost(scene, result);
    }
}

TEST_CASE("W7 create: a failure that proves nothing is unknown and pending") {
    struct Row {
        const char* fault;
        errc code;
        int status;
    };
    for (auto const& [fault, code, status] :
         {Row{"POST /v1/apiKeys drop-before x1", errc::transport, 0},
          Row{"POST /v1/apiKeys reset x1", errc::transport, 0},
          Row{"POST /v1/apiKeys status:500 x1", errc::server_error, 500},
          Row{"POST /v1/apiKeys status:502 x1", errc::unavailable, 502},
          Row{"POST /v1/apiKeys status:503 x1", errc::unavailable, 503},
          Row{"POST /v1/apiKeys status:200 x1", errc::bad_value, 200},
          Row{"POST /v1/apiKeys redirect:https://elsewhere.test/ x1", errc::unexpected_status, 307},
          Row{"POST /v1/apiKeys html:504 x1", errc::unavailable, 504}}) {
        CAPTURE(fault);
        Scene scene(fault);
        auto const result = scene.client.create(NewApiKey("ci"));
        REQUIRE_FALSE(result);
        auto const& error = result.error();
        CAPTURE(error.message());
        CHECK(error.code() == code);
        CHECK(error.status() == status);
        CHECK(error.effect() == Effect::unknown);
        CHECK(is_one_plain_line(error.message()));
        REQUIRE(error.pending());
        CHECK(error.pending()->attempts() == std::vector{1});
        CHECK(error.pending()->name() == "ci");
        CHECK(error.pending()->user_uid() == scene.emulator.user(Role::tenant_admin).uid);
        CHECK(error.pending()->owner_uid() == error.pending()->user_uid());
        CHECK(error.pending()->tenant_uid() == scene.emulator.tenant_uid());
        CHECK(scene.count("POST /v1/apiKeys") == 1);
        CHECK(scene.count("GET /v1/apiKeys") >= 3);  // at once, and on until it has settled
        CHECK(scene.count("DELETE key") == 0);
        check_nothing_is_lost(scene, result);
    }
}

TEST_CASE("W7 create: a proof that nothing was applied is final, without a search") {
    for (int const status : {400, 403, 404, 409, 422}) {
        CAPTURE(status);
        Scene scene("POST /v1/apiKeys status:" + std::to_string(status));
        auto const result = scene.client.create(NewApiKey("ci"));
        REQUIRE_FALSE(result);
        CHECK(result.error().status() == status);
        CHECK(result.error().effect() == Effect::not_applied);
        CHECK_FALSE(result.error().pending());
        CHECK(scene.requests() == Texts{"GET /v1/users/info", "POST /v1/apiKeys"});
    }
}

TEST_CASE(
    "W7 create: who asks for it makes another key when the first is not seen, and is told of that one") {
    // Of the service alone: the first key does not come before it has been looked for.
    auto const clock = std::make_shared<testing::ManualClock>();
    Scene scene("POST /v1/apiKeys apply-late:1500 x1", 200ms, clock);
    auto const result = scene.client.create(NewApiKey("ci"), CreateOptions().retry_when_unseen());
    REQUIRE(result);
    CHECK(result->confirmed());
    REQUIRE(result->pending());
    CHECK(result->pending()->attempts() == std::vector{1});
    CHECK(contains(printed(*result), "others pending"));
    clock->advance(1500ms);
    while (scene.made().size() < 2)
        std::this_thread::sleep_for(20ms);
    check_nothing_is_lost(scene, result);
    auto const cleaned = scene.client.reconcile(*result->pending()).value();
    CHECK(cleaned.removed().size() == 1);
    REQUIRE(scene.made().size() == 1);
    CHECK(scene.made()[0].uid == result->uid());
}

TEST_CASE("W7 create: a key that a lagging list shows late is found within the time for it") {
    std::size_t looks = 0;
    // A busy machine may look so late that the list does not lag any more: not every time, though.
    for (int tries = 0; tries < 20 && looks < 3; ++tries) {
        Scene scene("POST /v1/apiKeys drop-after x1", 1500ms);
        scene.emulator.faults().add("GET /v1/apiKeys list-lag:400");
        auto const result = scene.client.create(NewApiKey("ci"));
        REQUIRE(result);
        CHECK(scene.made().size() == 1);
        check_nothing_is_lost(scene, result);
        looks = scene.count("GET /v1/apiKeys");
    }
    CHECK(looks >= 3);
}

TEST_CASE("W7 create: a key that may not be deleted is named, and no other one is made") {
    Scene scene("POST /v1/apiKeys drop-after x1");
    scene.emulator.faults().add("DELETE /v1/apiKeys deny-delete");
    auto const result = scene.client.create(NewApiKey("ci"));
    REQUIRE_FALSE(result);
    auto const& error = result.error();
    REQUIRE(scene.made().size() == 1);
    auto const uid = scene.made()[0].uid;
    CHECK(error.code() == errc::forbidden);
    CHECK(error.effect() == Effect::applied);
    CHECK(error.key_uid() == uid);
    CHECK(contains(error.what(), uid));
    CHECK(scene.count("POST /v1/apiKeys") == 1);
    check_nothing_is_lost(scene, result);
    CHECK(scene.client.reconcile(*error.pending()).value().not_removed() == Texts{uid});
}

TEST_CASE("W7 create: with one attempt, a lost key is deleted and none made: nothing was changed") {
    Emulator emulator;
    auto options = options_of(emulator);
    options.retry.max_attempts = 1;
    Client client(options);
    emulator.faults().add("POST /v1/apiKeys drop-after x1");
    auto const before = emulator.keys().size();
    auto const result = client.create(NewApiKey("ci"));
    REQUIRE_FALSE(result);
    CHECK(result.error().code() == errc::transport);
    CHECK(result.error().effect() == Effect::not_applied);
    CHECK_FALSE(result.error().pending());
    CHECK(emulator.keys().size() == before);
}

TEST_CASE("W7 create: where annotations are not kept, nothing is looked for and nothing deleted") {
    Scene scene("POST /v1/apiKeys strip-annotations");
    auto const first = scene.client.create(NewApiKey("ci"));
    REQUIRE(first);
    CHECK(first->confirmed());
    scene.emulator.faults().add("POST /v1/apiKeys drop-after x1");
    auto const lost = scene.client.create(NewApiKey("ci"), CreateOptions().retry_when_unseen());
    REQUIRE_FALSE(lost);
    CHECK(lost.error().effect() == Effect::unknown);
    REQUIRE(lost.error().pending());
    CHECK(lost.error().pending()->name() == "ci");
    CHECK(scene.count("GET /v1/apiKeys") == 0);
    CHECK(scene.count("DELETE key") == 0);
    CHECK(scene.made().size() == 2);
}

TEST_CASE("W8 create: a uid that is the user's is replaced by the key's own, found by its mark") {
    Scene scene("POST /v1/apiKeys uid-is-user");
    auto const made = scene.client.create(NewApiKey("ci"));
    REQUIRE(made);
    CHECK(made->confirmed());
    CHECK(made->uid() == scene.made().at(0).uid);
    CHECK(scene.requests() == Texts{"GET /v1/users/info", "POST /v1/apiKeys", "GET key", "GET /v1/apiKeys"});

    scene.emulator.faults().add("GET /v1/apiKeys list-lag:60000");
    auto const unseen = scene.client.create(NewApiKey("ci"));
    REQUIRE(unseen);
    CHECK_FALSE(unseen->confirmed());
    CHECK(unseen->uid() == scene.emulator.user(Role::tenant_admin).uid);
}

TEST_CASE("W8 create: a service that keeps the value is asked once, and its key is named and stays") {
    Scene scene("POST /v1/apiKeys legacy-create");
    auto const result = scene.client.create(NewApiKey("ci"));
    REQUIRE_FALSE(result);
    auto const& error = result.error();
    CHECK(error.code() == errc::missing_key_value);
    CHECK(error.effect() == Effect::applied);
    REQUIRE(scene.made().size() == 1);
    CHECK(error.key_uid() == scene.made()[0].uid);
    CHECK(contains(error.what(), scene.made()[0].uid));
    CHECK(scene.requests() == Texts{"GET /v1/users/info", "POST /v1/apiKeys"});
    check_nothing_is_lost(scene, result);
}

TEST_CASE("W16 create: a key that does not work yet is delivered all the same") {
    Scene scene("POST /v1/apiKeys late-activation:60000");
    auto const result = scene.client.create(NewApiKey("ci"));
    REQUIRE(result);
    CHECK(result->confirmed());
}

}  // namespace create_test
