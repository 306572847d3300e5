// SPDX-License-Identifier: BSL-1.0
#include "support/one_attempt.hpp"

#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/manual_clock.hpp>
#include <palette/testing/scripted_transport.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace paging_test {

using namespace std::chrono_literals;
using namespace palette;
using testing::Emulator;
using testing::ManualClock;
using testing::Role;
using testing::ScriptedTransport;
using Client = BlockingApiKeyClient;

std::vector<std::string> uids_of(const KeyList& keys) {
    std::vector<std::string> uids;
    for (auto const& key : keys)
        uids.push_back(key.uid);
    return uids;
}

// How many of the requests asked for a page after the first.
int count_continued(const Emulator& emulator) {
    int count = 0;
    for (auto const& request : emulator.requests())
        count += request.query.contains("continue");
    return count;
}

TEST_CASE("W11: a list goes on wherever the service cuts it") {
    for (int const size : {1, 2, 5, 11, 12}) {
        CAPTURE(size);
        Emulator emulator;
        for (int i = 0; i < 7; ++i)
            emulator.seed_key(NewApiKey("key " + std::to_string(i)));
        emulator.faults().add("GET /v1/apiKeys page:" + std::to_string(size));
        Client client(one_attempt(emulator.client_options(Role::tenant_admin)));
        auto const keys = client.list();
        REQUIRE(keys);
        CHECK(uids_of(*keys) == uids_of(emulator.keys()));
        CHECK(keys->size() == 11);
        auto const pages = (11 + size - 1) / size;
        CHECK(emulator.request_count() == static_cast<unsigned>(pages));
        CHECK(count_continued(emulator) == pages - 1);
    }
}

TEST_CASE("W11: a filter looks at every page") {
    Emulator emulator;
    auto const& dev = emulator.user(Role::user);
    std::vector<std::string> theirs{emulator.keys().back().uid};
    REQUIRE(emulator.keys().back().owner.uid == dev.uid);
    for (int i = 0; i < 9; ++i) {
        auto key = NewApiKey("key");
        if (i % 4 == 3) key.for_user(dev.uid);
        auto const uid = emulator.seed_key(key).uid();
        if (i % 4 == 3) theirs.push_back(uid);
    }
    emulator.faults().add("GET /v1/apiKeys page:2");
    Client client(one_attempt(emulator.client_options(Role::tenant_admin)));
    CHECK(uids_of(client.list(ListFilter().owner(dev.uid)).value()) == theirs);
    CHECK(client.list(ListFilter().owner("nobody")).value().empty());
}

TEST_CASE("W11: a user is looked for on every page, also once one was found: an address must be one user's") {
    Emulator emulator;
    auto const last = emulator.add_user({.email = "last@acme.test"});
    emulator.faults().add("GET /v1/users page:1");
    Client client(one_attempt(emulator.client_options(Role::tenant_admin)));
    CHECK(client.find_user("Last@ACME.test").value().uid == last.uid);
    CHECK(emulator.request_count() == 5);
    CHECK(count_continued(emulator) == 4);
    auto const& first = emulator.user(Role::tenant_admin);
    CHECK(client.find_user(first.email).value().uid == first.uid);
    CHECK(emulator.request_count() == 10);
    auto const nobody = client.find_user("nobody@acme.test");
    REQUIRE_FALSE(nobody);
    CHECK(nobody.error().code() == errc::not_found);
    CHECK(nobody.error().attempts() == 5);
    for (auto const& request : emulator.requests())
        CHECK(request.query["limit"] == "50");
}

TEST_CASE("W10: all keys of a name are found, whoever has them, and no others") {
    Emulator emulator;
    std::vector<std::string> wanted;
    for (auto const role : {Role::tenant_admin, Role::user, Role::user, Role::tenant_viewer})
        wanted.push_back(emulator.seed_key(NewApiKey("ci").for_user(emulator.user(role).uid)).uid());
    for (std::string const name : {"CI", "ci ", " ci", "c", "ci2", "ci\xC3\xA9"})
        emulator.seed_key(NewApiKey(name));
    emulator.faults().add("GET /v1/apiKeys page:3");
    Client client(one_attempt(emulator.client_options(Role::tenant_admin)));
    CHECK(uids_of(client.find("ci").value()) == wanted);
    CHECK(client.find("ci\xC3\xA9").value().size() == 1);
    CHECK(client.find("nothing").value().empty());
    CHECK(client.find("").value().empty());
}

// A page with one key of that name.
std::string page(std::string_view name, std::string_view listmeta) {
    return R"({"items":[{"metadata":{"name":")" + std::string(name) + R"(","uid":"u-)" + std::string(name) +
           R"("}}])" + std::string(listmeta) + '}';
}

struct Script {
    std::shared_ptr<ScriptedTransport> transport = std::make_shared<ScriptedTransport>();

    [[nodiscard]] Client client(std::shared_ptr<Clock> clock = nullptr) const {
        ClientOptions options = one_attempt();
        options.transport = transport;
        options.auth = auth::api_key(Secret("a-value-of-a-key"));
        options.clock = std::move(clock);
        return Client(std::move(options));
    }
};

TEST_CASE("W11: the token of the next page is sent back as it came, whatever is in it") {
    Script script;
    script.transport->expect("GET /v1/apiKeys").answer(200, page("a", R"(,"listmeta":{"continue":"x y"})"));
    script.transport->expect("GET /v1/apiKeys?continue=x%20y")
        .answer(200, page("b", R"(,"listmeta":{"continue":"&limit=1#\u00e9\r\n","count":3})"));
    script.transport->expect("GET /v1/apiKeys?continue=%26limit%3D1%23%C3%A9%0D%0A")
        .answer(200, page("c", ""));
    script.transport->expect("GET /v1/users?limit=50")
        .answer(200, R"({"items":[],"listmeta":{"continue":"a+b"}})");
    script.transport->expect("GET /v1/users?limit=50&continue=a%2Bb")
        .answer(200, R"({"items":[{"metadata":{"uid":"u"},"spec":{"emailId":"ada@acme.test"}}]})");
    auto client = script.client();
    CHECK(uids_of(client.list().value()) == std::vector<std::string>{"u-a", "u-b", "u-c"});
    CHECK(client.find_user("ada@acme.test").value().uid == "u");
    CHECK(script.transport->unmet().empty());
}

TEST_CASE("W11: a list ends where no token is, in every way of not being there") {
    for (std::string_view const end :
         {"", R"(,"listmeta":null)", R"(,"listmeta":{})", R"(,"listmeta":{"continue":null})",
          R"(,"listmeta":{"continue":"","count":50,"limit":50,"offset":0})"}) {
        CAPTURE(end);
        Script script;
        // An empty page is not the end.
        script.transport->expect("GET /v1/apiKeys")
            .answer(200, R"({"items":[],"listmeta":{"continue":"1"}})");
        script.transport->expect("GET /v1/apiKeys?continue=1").answer(200, page("a", end));
        CHECK(uids_of(script.client().list().value()) == std::vector<std::string>{"u-a"});
        CHECK(script.transport->unmet().empty());
    }
}

TEST_CASE("W11: a list that leads back to where it has been is an error and ends") {
    struct Row {
        std::string_view title;
        std::vector<std::string> tokens;
    };
    for (auto const& [title, tokens] : {Row{"itself", {"1", "1"}}, Row{"in a circle", {"1", "2", "3", "1"}},
                                        Row{"back by one", {"1", "2", "1"}}}) {
        CAPTURE(title);
        for (bool const users : {false, true}) {
            Script script;
            std::string const path = users ? "/v1/users?limit=50" : "/v1/apiKeys";
            std::string target = path;
            for (auto const& token : tokens) {
                script.transport->expect("GET " + target)
                    .answer(200, R"({"items":[],"listmeta":{"continue":")" + token + "\"}}");
                target = path + (users ? '&' : '?') + "continue=" + token;
            }
            auto client = script.client();
            auto const result = users ? client.find_user("ada@acme.test").transform([](const User&) {})
                                      : client.list().transform([](const KeyList&) {});
            REQUIRE_FALSE(result);
            CHECK(result.error().code() == errc::bad_value);
            CHECK(result.error().effect() == Effect::not_applied);
            CHECK(result.error().path() == "listmeta.continue");
            CHECK(result.error().attempts() == static_cast<int>(tokens.size()));
            CHECK(script.transport->unmet().empty());
        }
    }
}

TEST_CASE("W11: a list of which one page fails is an error and not a part") {
    Emulator emulator;
    emulator.faults().add("GET /v1/apiKeys page:1");
    emulator.faults().add("GET /v1/apiKeys status:503 x1 after=2");
    Client client(one_attempt(emulator.client_options(Role::tenant_admin)));
    auto const keys = client.list();
    REQUIRE_FALSE(keys);
    CHECK(keys.error().code() == errc::unavailable);
    CHECK(keys.error().attempts() == 3);
    CHECK(client.list().value().size() == 4);
}

TEST_CASE("W19: a list is as of the time of the service, and is judged by it") {
    auto const clock = std::make_shared<ManualClock>();
    Emulator emulator({.clock = clock});
    auto const uid = emulator.seed_key(NewApiKey("short").expires(Expiry::in(1h, clock->now()))).uid();
    Client client(one_attempt(emulator.client_options(Role::tenant_admin)));
    CHECK(client.list(ListFilter().state(KeyState::expired)).value().empty());
    clock->advance(2h);
    auto const expired = client.list(ListFilter().state(KeyState::expired)).value();
    CHECK(uids_of(expired) == std::vector{uid});
    CHECK(expired.as_of() == std::chrono::floor<std::chrono::seconds>(clock->now()));
    CHECK(client.list().value().as_of() == expired.as_of());
}

TEST_CASE("W19: the time of the first page counts, and without one the time of the client") {
    auto const clock = std::make_shared<ManualClock>(std::chrono::sys_days{std::chrono::year{2030} / 1 / 2});
    struct Row {
        HttpFields headers;
        Instant as_of;
    };
    Row const rows[] = {
        {{{"Date", "Sun, 06 Nov 2033 08:49:37 GMT"}},
         std::chrono::sys_days{std::chrono::year{2033} / 11 / 6} + 8h + 49min + 37s},
        {{{"date", "Sun, 06 Nov 2033 08:49:37 GMT"}},
         std::chrono::sys_days{std::chrono::year{2033} / 11 / 6} + 8h + 49min + 37s},
        {{}, clock->now()},
        {{{"Date", "yesterday"}}, clock->now()},
        {{{"Date", "Sun, 31 Feb 2033 08:49:37 GMT"}}, clock->now()},
    };
    for (auto const& [headers, as_of] : rows) {
        Script script;
        script.transport->expect("GET /v1/apiKeys")
            .answer(200, page("a", R"(,"listmeta":{"continue":"1"})"), headers);
        script.transport->expect("GET /v1/apiKeys?continue=1")
            .answer(200, page("b", ""), {{"Date", "Mon, 07 Nov 2033 08:49:37 GMT"}});
        CHECK(script.client(clock).list().value().as_of() == as_of);
    }
}

}  // namespace paging_test
