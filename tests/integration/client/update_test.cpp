// SPDX-License-Identifier: BSL-1.0
#include "support/one_attempt.hpp"
#include "support/scene.hpp"

#include <palette/blocking_client.hpp>
#include <palette/client.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/manual_clock.hpp>
#include <palette/testing/scripted_transport.hpp>

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace update_test {

using namespace std::chrono_literals;
using namespace palette;
using testing::Emulator;
using testing::ManualClock;
using testing::Role;
using testing::ScriptedTransport;
using Client = BlockingApiKeyClient;

const Expiry new_year = Expiry::parse("2099-01-01T00:00:00.000Z").value();

ApiKey key_in(const Emulator& emulator, std::string_view uid) {
    for (auto const& key : emulator.keys())
        if (key.uid == uid) return key;
    return {};
}

// A key with much that an edit has nothing to do with.
std::string seed(Emulator& emulator) {
    return emulator
        .seed_key(NewApiKey("ci")
                      .description("nightly \xC3\xA9 \"build\"")
                      .expires(Expiry::parse("2098-06-30T12:34:56.789Z").value())
                      .for_user(emulator.user(Role::user).uid)
                      .annotate("acme.com/team", "in\nfra \\ \x01")
                      .annotate("", "no name")
                      .annotate("empty", "")
                      .label("zone", "\xF0\x9F\x94\x91")
                      .label("a b", "c"))
        .uid();
}

TEST_CASE("W5: an edit changes what it names, and preserves everything else byte for byte") {
    struct Row {
        std::string_view title;
        ApiKeyEdit edit;
    };
    for (auto const& [title, edit] :
         {Row{"expiry", ApiKeyEdit().expires(new_year)}, Row{"no expiry", ApiKeyEdit().expires(Expiry())},
          Row{"name", ApiKeyEdit().name("ci-2")}, Row{"description", ApiKeyEdit().description("other")},
          Row{"no description", ApiKeyEdit().description("")},
          Row{"all", ApiKeyEdit().name("n").description("d").expires(new_year)}}) {
        for (bool const revoked : {false, true}) {
            CAPTURE(title);
            Emulator emulator;
            Client client(one_attempt(emulator.client_options(Role::tenant_admin)));
            auto const uid = seed(emulator);
            if (revoked) client.revoke(uid).value();
            auto const before = key_in(emulator, uid);
            auto const edited = client.update(uid, edit);
            REQUIRE(edited);
            auto after = key_in(emulator, uid);
            CHECK(*edited == after);
            after.modified = before.modified;
            CHECK(after == edit.applied_to(before));
            CHECK(after != before);
        }
    }
}

TEST_CASE("W5: a renewal changes nothing but the expiry, which counts from when the key was read") {
    auto const clock = std::make_shared<ManualClock>();
    Emulator emulator({.clock = clock});
    auto options = one_attempt(emulator.client_options(Role::tenant_admin));
    options.clock = clock;
    Client client(options);
    auto const uid = seed(emulator);
    auto const before = key_in(emulator, uid);
    clock->advance(5s);
    auto const renewed = client.renew(uid, 24h, ChangeOptions().allow_shorter());
    REQUIRE(renewed);
    auto after = key_in(emulator, uid);
    // To the second, as the Date of an answer has it.
    CHECK(after.expiry == Expiry::in(24h, std::chrono::floor<std::chrono::seconds>(clock->now())));
    CHECK(after.modified != before.modified);
    after.expiry = before.expiry;
    after.modified = before.modified;
    CHECK(after == before);
}

// A service that tells of one key, and a client of it that runs only when it is told to.
struct Script : support::ScriptedScene {
    Script() { options.retry.max_attempts = 1; }

    void reads(std::string key) const { service->expect("GET /v1/apiKeys/a").answer(200, std::move(key)); }
    ScriptedTransport::Step& writes() const { return service->expect("PUT /v1/apiKeys/a"); }

    [[nodiscard]] Result<ApiKey> update(ApiKeyEdit edit, std::optional<ApiKey> seen = std::nullopt) {
        auto result = run<ApiKey>([&](auto& c, auto keep) {
            if (seen)
                c.async_update(std::move(*seen), std::move(edit), keep);
            else
                c.async_update("a", std::move(edit), keep);
        });
        CHECK(service->unmet().empty());
        return result;
    }
};

// The answer to a read, with something in the place of the parts that matter here.
std::string shown(std::string_view name, std::string_view expiry = "2098-01-01T00:00:00Z",
                  std::string_view annotations = R"("description":"d","ownerUid":"u","x":"y")",
                  std::string_view labels = R"("l":"m")", std::string_view rest = "") {
    return R"({"metadata":{"uid":"a","name":")" + std::string(name) + R"(","annotations":{)" +
           std::string(annotations) + R"(},"labels":{)" + std::string(labels) + R"(}},"spec":{"expiry":")" +
           std::string(expiry) + R"(","key":"value-of-the-key"},"status":{"isActive":true})" +
           std::string(rest) + '}';
}

TEST_CASE("W6: the whole key is written as it was read, with the edit in it, and read again") {
    Script script;
    script.reads(shown("ci"));
    script.writes();
    script.reads(shown("ci", "2099-01-01T00:00:00Z"));
    auto const edited = script.update(ApiKeyEdit().expires(new_year));
    REQUIRE(edited);
    CHECK(edited->expiry == new_year);
    auto const& requests = script.service->requests();
    REQUIRE(requests.size() == 3);
    CHECK(requests[0].body.empty());
    CHECK(requests[2].body.empty());
    CHECK(boost::json::parse(requests[1].body) == boost::json::parse(R"({
        "metadata":{"name":"ci","annotations":{"description":"d","ownerUid":"u","x":"y"},"labels":{"l":"m"}},
        "spec":{"expiry":"2099-01-01T00:00:00.000Z"}})"));
    CHECK(requests[1].body.find("value-of-the-key") == std::string::npos);
}

TEST_CASE("W6: a key that is not as it was seen is not written") {
    auto const change = [](auto edit) {
        Emulator emulator;
        Client client(one_attempt(emulator.client_options(Role::tenant_admin)));
        auto const uid = seed(emulator);
        auto seen = client.get(uid).value();
        edit(seen);
        auto const requests = emulator.request_count();
        auto const before = key_in(emulator, uid);
        auto const result = client.update(seen, ApiKeyEdit().name("mine"));
        REQUIRE_FALSE(result);
        CHECK(result.error().code() == errc::conflict);
        CHECK(result.error().effect() == Effect::not_applied);
        CHECK(result.error().attempts() == 1);
        CHECK(result.error().status() == 0);
        CHECK(emulator.request_count() == requests + 1);
        CHECK(key_in(emulator, uid) == before);
    };
    change([](ApiKey& key) { key.name += 'x'; });
    change([](ApiKey& key) { key.description.clear(); });
    change([](ApiKey& key) { key.expiry = Expiry::never(); });
    change([](ApiKey& key) { key.is_active = false; });
    change([](ApiKey& key) { key.modified = std::nullopt; });
    change([](ApiKey& key) { key.annotations.set("new", ""); });
    change([](ApiKey& key) { key.labels.clear(); });
    change([](ApiKey& key) { key.owner.uid = "somebody"; });
}

TEST_CASE("W6: a key that is as it was seen is written, whether it was read or listed") {
    Emulator emulator;
    Client client(one_attempt(emulator.client_options(Role::tenant_admin)));
    auto const uid = seed(emulator);
    CHECK(client.update(client.get(uid).value(), ApiKeyEdit().name("one")).value().name == "one");
    CHECK(client.update(client.find("one").value()[0], ApiKeyEdit().name("two")).value().name == "two");
}

TEST_CASE("W6: a write that somebody else has undone is a conflict, and was applied") {
    constexpr std::string_view never = "0001-01-01T00:00:00Z";
    constexpr std::string_view then = "2098-01-01T00:00:00Z";
    constexpr std::string_view notes = R"("description":"d","ownerUid":"u","x":"y")";
    struct Row {
        std::string_view title;
        std::string after;
        bool good;
    };
    for (auto const& [title, after, good] : {
             Row{"as it was written", shown("new"), true},
             Row{"revoked meanwhile", shown("new", then, notes, R"("l":"m")", R"(,"status":{})"), true},
             Row{"name", shown("newer"), false},
             Row{"old name", shown("ci"), false},
             Row{"expiry", shown("new", "2098-01-01T00:00:00.001Z"), false},
             Row{"no expiry", shown("new", never), false},
             Row{"description", shown("new", then, R"("description":"e","ownerUid":"u","x":"y")"), false},
             Row{"no description", shown("new", then, R"("ownerUid":"u","x":"y")"), false},
             Row{"annotation", shown("new", then, R"("description":"d","ownerUid":"u","x":"z")"), false},
             Row{"lost annotation", shown("new", then, R"("description":"d","ownerUid":"u")"), false},
             Row{"label", shown("new", then, notes, R"("l":"n")"), false},
             Row{"new label", shown("new", then, notes, R"("l":"m","k":"")"), false},
         }) {
        CAPTURE(title);
        Script script;
        script.reads(shown("ci"));
        script.writes();
        script.reads(after);
        auto const result = script.update(ApiKeyEdit().name("new"));
        CHECK(result.has_value() == good);
        if (result) continue;
        CHECK(result.error().code() == errc::conflict);
        CHECK(result.error().effect() == Effect::applied);
        CHECK(result.error().attempts() == 3);
    }
}

TEST_CASE("W6: annotations that the service does not keep are a conflict, and the rest was applied") {
    Emulator emulator;
    Client client(one_attempt(emulator.client_options(Role::tenant_admin)));
    auto const uid = seed(emulator);
    emulator.faults().add("PUT / strip-annotations x1");
    auto const result = client.update(uid, ApiKeyEdit().name("new"));
    REQUIRE_FALSE(result);
    CHECK(result.error().code() == errc::conflict);
    CHECK(result.error().effect() == Effect::applied);
    CHECK(key_in(emulator, uid).name == "new");
}

TEST_CASE("W6: a failure in each of the three steps says what became of the key") {
    using Step = ScriptedTransport::Step;
    struct Row {
        std::string_view title;
        void (*happens)(Step&);
        errc code;
        int status;
        Effect write;  // when it happens to the write
    };
    constexpr auto untouched = Effect::not_applied;
    constexpr auto unknown = Effect::unknown;
    static constexpr Row rows[] = {
        {"rejected", [](Step& s) { s.answer(400); }, errc::rejected, 400, untouched},
        {"unauthorized", [](Step& s) { s.answer(401); }, errc::unauthorized, 401, untouched},
        {"forbidden", [](Step& s) { s.answer(403); }, errc::forbidden, 403, untouched},
        {"gone", [](Step& s) { s.answer(404); }, errc::not_found, 404, untouched},
        {"conflict", [](Step& s) { s.answer(409); }, errc::conflict, 409, untouched},
        {"too many requests", [](Step& s) { s.answer(429); }, errc::rate_limited, 429, untouched},
        {"server error", [](Step& s) { s.answer(500); }, errc::server_error, 500, unknown},
        {"unavailable", [](Step& s) { s.answer(503); }, errc::unavailable, 503, unknown},
        {"redirect", [](Step& s) { s.answer(307); }, errc::unexpected_status, 307, unknown},
        {"cut off", [](Step& s) { s.fail(Error(errc::transport, "cut")); }, errc::transport, 0, unknown},
        {"not sent", [](Step& s) { s.fail_unsent(Error(errc::transport, "no")); }, errc::transport, 0,
         untouched},
        {"silence", [](Step& s) { s.hang(); }, errc::timeout, 0, unknown},
    };
    for (auto const& row : rows) {
        for (int const step : {1, 2, 3}) {
            CAPTURE(row.title);
            CAPTURE(step);
            Script script;
            if (step > 1) script.reads(shown("ci"));
            if (step > 2) script.writes();
            row.happens(step == 2 ? script.writes() : script.service->expect("GET /v1/apiKeys/a"));
            auto const result = script.update(ApiKeyEdit().name("new"));
            REQUIRE_FALSE(result);
            CHECK(result.error().code() == row.code);
            CHECK(result.error().status() == row.status);
            // After a write that may have been done, the key is looked at.
            bool const looks =
                step == 2 && row.write == unknown && is_retryable(row.code) && row.code != errc::timeout;
            CHECK(result.error().attempts() == (looks ? 3 : step));
            CHECK(result.error().effect() == (step == 1   ? untouched
                                              : step == 2 ? row.write
                                                          : Effect::applied));
        }
    }
}

}  // namespace update_test
