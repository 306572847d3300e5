// SPDX-License-Identifier: BSL-1.0
#include "support/cut_transport.hpp"
#include "support/one_attempt.hpp"
#include "support/printed.hpp"
#include "support/scene.hpp"

#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// A list whose elements go to a visitor while they arrive.

namespace visit_test {

using namespace palette;
using namespace std::chrono_literals;
using support::EmulatorScene;
using support::Watched;
using testing::Emulator;
using testing::Role;
using Client = BlockingApiKeyClient;
using Uids = std::vector<std::string>;

Uids uids_of(const KeyList& keys) {
    Uids uids;
    for (auto const& key : keys)
        uids.push_back(key.uid);
    return uids;
}

// Keeps what it is given.
struct Collected {
    KeyVisitor visitor() {
        return [this](ApiKey&& key) {
            uids.push_back(std::move(key.uid));
            return Result<void>();
        };
    }
    Uids uids;
};

TEST_CASE("visit: each key that is listed is given once, in the order of the list, however it is paged") {
    for (std::string const page : {"", "page:1", "page:7", "page:34", "page:35"}) {
        CAPTURE(page);
        EmulatorScene scene(EmulatorScene::plain_http(), support::Time::stands_still);
        for (int i = 0; i < 30; ++i)
            scene.emulator.seed_key(NewApiKey("key " + std::to_string(i)).description("d"));
        if (!page.empty()) scene.emulator.faults().add("GET /v1/apiKeys " + page);
        Collected seen;
        Watched<Visit> visit;
        scene.client().async_visit(ListFilter(), seen.visitor(), visit.handler());
        auto const& visited = scene.run_until_end_of(visit);
        REQUIRE(visited);
        CHECK(seen.uids == uids_of(scene.emulator.keys()));
        CHECK(visited->count == seen.uids.size());
        CHECK(visited->as_of == std::chrono::floor<std::chrono::seconds>(scene.clock->now()));
    }
}

TEST_CASE("visit: a key is given as a list has it, and the filter chooses by the service's clock") {
    EmulatorScene scene;
    auto const uid = scene.emulator
                         .seed_key(NewApiKey("chosen")
                                       .description("nightly")
                                       .annotate("a", "b")
                                       .label("team", "infra")
                                       .for_user(scene.emulator.user(Role::user).uid))
                         .uid();
    std::vector<ApiKey> seen;
    KeyVisitor keep = [&](ApiKey&& key) {
        seen.push_back(std::move(key));
        return Result<void>();
    };
    Watched<Visit> visit;
    scene.client().async_visit(ListFilter().name("chosen").state(KeyState::active), keep, visit.handler());
    CHECK(scene.run_until_end_of(visit).value().count == 1);
    REQUIRE(seen.size() == 1);
    CHECK(seen[0] == scene.emulator.keys().back());
    CHECK(seen[0].uid == uid);
    seen.clear();
    Watched<Visit> expired;
    scene.client().async_visit(ListFilter().state(KeyState::expired), keep, expired.handler());
    CHECK(scene.run_until_end_of(expired).value().count == 0);
    CHECK(seen.empty());
}

TEST_CASE("visit: users are given as a list has them") {
    EmulatorScene scene;
    for (int i = 0; i < 60; ++i)
        scene.emulator.add_user({.email = "more" + std::to_string(i) + "@acme.test"});
    Watched<UserList> list;
    scene.client().async_list_users(list.handler());
    auto const& wanted = scene.run_until_end_of(list).value();
    std::vector<User> seen;
    Watched<Visit> visit;
    scene.client().async_visit_users(
        [&](User&& user) {
            seen.push_back(std::move(user));
            return Result<void>();
        },
        visit.handler());
    CHECK(scene.run_until_end_of(visit).value().count == 64);
    CHECK(seen == std::vector<User>(wanted.begin(), wanted.end()));
}

TEST_CASE("visit: a page that is cut off is read again, and what was given of it is skipped") {
    for (std::string const page : {"", "page:5"}) {
        for (int const cuts : {1, 2}) {
            CAPTURE(page);
            CAPTURE(cuts);
            EmulatorScene scene;
            for (int i = 0; i < 40; ++i)
                scene.emulator.seed_key(NewApiKey("key"));
            if (!page.empty()) scene.emulator.faults().add("GET /v1/apiKeys " + page);
            scene.emulator.faults().add("GET /v1/apiKeys truncate x" + std::to_string(cuts) +
                                        (page.empty() ? "" : " after=3"));
            scene.options.retry.initial_backoff = 0ms;
            Collected seen;
            Watched<Visit> visit;
            scene.client().async_visit(ListFilter(), seen.visitor(), visit.handler());
            CHECK(scene.run_until_end_of(visit).value().count == 44);
            CHECK(seen.uids == uids_of(scene.emulator.keys()));
        }
    }
}

// A page of keys with these uids, and without its end if it is to be cut off.
std::string page(const Uids& uids, std::string_view end = "]}") {
    std::string body = R"({"items":[)";
    for (auto const& uid : uids)
        body += (body.ends_with('[') ? "" : ",") + (R"({"metadata":{"name":"n","uid":")" + uid + "\"}}");
    return body += end;
}

// A client whose answers break off, and three attempts.
struct CutScene : support::ClientScene {
    CutScene() {
        options.transport = service;
        options.clock = clock;
        options.auth = auth::api_key(Secret("a-value-of-a-key"));
        options.retry.max_attempts = 3;
    }
    Result<Visit> visit(KeyVisitor visitor, ListFilter filter = ListFilter()) {
        return run<Visit>([&](auto& client, auto keep) { client.async_visit(filter, visitor, keep); });
    }
    std::shared_ptr<support::CutTransport> service = std::make_shared<support::CutTransport>();
};

TEST_CASE("visit: a page that begins as before goes on where it was cut off, whatever follows") {
    struct Row {
        const char* title;
        std::vector<Uids> cut;
        Uids whole;
        Uids given;
    };
    // Of a page that breaks off, the last key is not known to be whole.
    for (auto const& [title, cut, whole, given] : {
             Row{"the same", {{"a", "b", "c"}}, {"a", "b", "c", "d"}, {"a", "b", "c", "d"}},
             Row{"another end", {{"a", "b", "c"}}, {"a", "b", "x"}, {"a", "b", "x"}},
             Row{"no more than was given", {{"a", "b", "c"}}, {"a", "b"}, {"a", "b"}},
             Row{"cut off before anything came", {{}}, {"a"}, {"a"}},
             Row{"cut off later",
                 {{"a", "b"}, {"a", "b", "c", "d"}},
                 {"a", "b", "c", "e"},
                 {"a", "b", "c", "e"}},
             Row{"cut off earlier",
                 {{"a", "b", "c", "d"}, {"a", "b"}},
                 {"a", "b", "c", "e"},
                 {"a", "b", "c", "e"}},
         }) {
        CAPTURE(title);
        CutScene scene;
        for (auto const& uids : cut)
            scene.service->lose_after(page(uids, ""));
        scene.service->answer(page(whole));
        Collected seen;
        auto const visited = scene.visit(seen.visitor());
        REQUIRE(visited);
        CHECK(seen.uids == given);
        CHECK(visited->count == given.size());
        CHECK(scene.service->left() == 0);
    }
}

TEST_CASE("visit: a page that does not begin as before is a conflict, and gives nothing more") {
    struct Row {
        const char* title;
        std::vector<Uids> cut;
        Uids whole;
        Uids given;
    };
    for (auto const& [title, cut, whole, given] : {
             Row{"another first", {{"a", "b", "c"}}, {"x", "b", "c"}, {"a", "b"}},
             Row{"one removed", {{"a", "b", "c"}}, {"b", "c", "d"}, {"a", "b"}},
             Row{"fewer than were given", {{"a", "b", "c", "d"}}, {"a", "b"}, {"a", "b", "c"}},
             Row{"nothing any more", {{"a", "b"}}, {}, {"a"}},
             Row{"uids with the same letters", {{"ab", "c", "d"}}, {"a", "bc", "d"}, {"ab", "c"}},
             Row{"another after the second cut", {{"a", "b", "c"}, {"a", "b"}}, {"a", "x", "c"}, {"a", "b"}},
         }) {
        CAPTURE(title);
        CutScene scene;
        for (auto const& uids : cut)
            scene.service->lose_after(page(uids, ""));
        scene.service->answer(page(whole));
        Collected seen;
        auto const visited = scene.visit(seen.visitor());
        REQUIRE_FALSE(visited);
        CHECK(visited.error().code() == errc::conflict);
        CHECK(visited.error().effect() == Effect::not_applied);
        CHECK(visited.error().operation() == "visit");
        CHECK(visited.error().attempts() == static_cast<int>(cut.size()) + 1);
        CHECK(contains(visited.error().message(), "the list changed while it was read"));
        CHECK(seen.uids == given);
    }
}

TEST_CASE("visit: each page is compared with itself alone, and the time is that of the first answer") {
    CutScene scene;
    scene.service->lose_after(page({"a", "b"}, ""), {{"Date", "Sun, 06 Nov 2033 08:49:37 GMT"}});
    scene.service->answer(page({"a", "b"}, R"(],"listmeta":{"continue":"2"}})"),
                          {{"Date", "Mon, 07 Nov 2033 08:49:37 GMT"}});
    scene.service->lose_after(page({"c", "d"}, ""));
    scene.service->answer(page({"c", "d", "a"}));
    Collected seen;
    auto const visited = scene.visit(seen.visitor()).value();
    CHECK(seen.uids == Uids{"a", "b", "c", "d", "a"});
    CHECK(visited.as_of ==
          Instant(std::chrono::sys_days{std::chrono::year{2033} / 11 / 6} + 8h + 49min + 37s));
    CHECK(scene.service->targets() ==
          Uids{"/v1/apiKeys", "/v1/apiKeys", "/v1/apiKeys?continue=2", "/v1/apiKeys?continue=2"});
}

TEST_CASE("visit: keys that the filter leaves out count where a page is read again") {
    CutScene scene;
    scene.service->lose_after(page({"a", "b", "c"}, ""));
    scene.service->answer(page({"a", "x", "c"}));
    Collected seen;
    auto const visited = scene.visit(seen.visitor(), ListFilter().name("another"));
    REQUIRE_FALSE(visited);
    CHECK(visited.error().code() == errc::conflict);
    CHECK(seen.uids.empty());
}

TEST_CASE("visit: an error of the visitor ends the visit with it, and is not retried") {
    // The codes after which a read is sent again, among others.
    for (auto const code : {errc::transport, errc::timeout, errc::unavailable, errc::truncated,
                            errc::conflict, errc::unauthorized, errc::system}) {
        for (std::size_t const last : {1U, 2U, 3U}) {
            CAPTURE(code);
            CAPTURE(last);
            CutScene scene;
            scene.service->answer(page({"a", "b", "c"}));
            scene.service->answer(page({"a", "b", "c"}));
            std::size_t calls = 0;
            auto const visited = scene.visit([&](ApiKey&&) -> Result<void> {
                if (++calls < last) return {};
                return Error(code, "the disk is full").advice("empty it");
            });
            REQUIRE_FALSE(visited);
            CHECK(visited.error().code() == code);
            CHECK(visited.error().what() == "the disk is full");
            CHECK(visited.error().advice() == "empty it");
            CHECK(visited.error().operation() == "visit");
            CHECK(calls == last);
            CHECK(scene.service->targets().size() == 1);
        }
    }
}

TEST_CASE("visit: an exception of the visitor becomes an error") {
    struct Row {
        std::function<void()> thrower;
        errc code;
        const char* what;
    };
    for (auto const& [thrower, code, what] :
         {Row{[] { throw std::runtime_error("no more"); }, errc::system, "the visitor failed: no more"},
          Row{[] { throw 17; }, errc::system, "the visitor failed"},
          Row{[] { throw std::bad_alloc(); }, errc::out_of_memory, "out of memory"}}) {
        CutScene scene;
        scene.service->answer(page({"a", "b"}));
        int calls = 0;
        auto const visited = scene.visit([&](ApiKey&&) {
            ++calls;
            thrower();
            return Result<void>();
        });
        REQUIRE_FALSE(visited);
        CHECK(visited.error().code() == code);
        CHECK(visited.error().what() == what);
        CHECK(calls == 1);
    }
}

TEST_CASE("visit: a list without end is met by the bounds of pages and tokens, and by no other") {
    CutScene scene;
    scene.options.list_limits.max_bytes = 1;
    scene.options.list_limits.max_items = 1;
    scene.options.list_limits.max_pages = 2;
    scene.service->answer(page({"a", "b", "c"}, R"(],"listmeta":{"continue":"2"}})"));
    scene.service->answer(page({"d", "e"}));
    Collected seen;
    CHECK(scene.visit(seen.visitor()).value().count == 5);
    scene.service->answer(page({"a"}, R"(],"listmeta":{"continue":"2"}})"));
    scene.service->answer(page({"b"}, R"(],"listmeta":{"continue":"3"}})"));
    auto const endless = scene.visit(seen.visitor());
    REQUIRE_FALSE(endless);
    CHECK(endless.error().code() == errc::too_large);
    CHECK(contains(endless.error().what(), "list_limits.max_pages (2)"));
    scene.service->answer(page({"a"}, R"(],"listmeta":{"continue":")" + std::string(4'097, 't') + "\"}}"));
    CHECK(contains(scene.visit(seen.visitor()).error().what(), "list_limits.max_token_length"));
    CHECK(seen.uids.size() == 8);
}

TEST_CASE("visit: a list that leads back to where it has been is an error and ends") {
    CutScene scene;
    scene.service->answer(page({"a"}, R"(],"listmeta":{"continue":"2"}})"));
    scene.service->answer(page({"b"}, R"(],"listmeta":{"continue":"2"}})"));
    Collected seen;
    auto const visited = scene.visit(seen.visitor());
    REQUIRE_FALSE(visited);
    CHECK(visited.error().code() == errc::bad_value);
    CHECK(visited.error().path() == "listmeta.continue");
}

TEST_CASE("visit: an answer that goes wrong in the middle ends it, with what came before given") {
    CutScene scene;
    scene.service->answer(R"({"items":[{"metadata":{"uid":"a"}},{"metadata":{"uid":"b"}},{"metadata":7}]})");
    Collected seen;
    auto const visited = scene.visit(seen.visitor());
    REQUIRE_FALSE(visited);
    CHECK(visited.error().code() == errc::wrong_type);
    CHECK(visited.error().path() == "items[2].metadata");
    CHECK(seen.uids == Uids{"a", "b"});
    scene.service->answer(page({"a"}, "]} and more"));
    CHECK(scene.visit(seen.visitor()).error().code() == errc::trailing_data);
}

TEST_CASE("visit: without a visitor it is refused before anything is sent") {
    CutScene scene;
    CHECK(scene.visit(nullptr).error().code() == errc::invalid_argument);
    auto const users =
        scene.run<Visit>([](auto& client, auto keep) { client.async_visit_users(nullptr, keep); });
    CHECK(users.error().code() == errc::invalid_argument);
    CHECK(users.error().path() == "visitor");
    CHECK(scene.service->targets().empty());
}

TEST_CASE("visit: a visitor may start operations of the client") {
    EmulatorScene scene;
    for (int i = 0; i < 10; ++i)
        scene.emulator.seed_key(NewApiKey("key"));
    std::deque<Watched<ApiKey>> reads;
    bool is_inside = false;
    Watched<Visit> visit;
    scene.client().async_visit(
        ListFilter(),
        [&](ApiKey&& key) {
            // Nothing of what is started here happens before this returns.
            CHECK_FALSE(std::exchange(is_inside, true));
            scene.client().async_get(key.uid, reads.emplace_back().handler());
            CHECK_FALSE(reads.back().has_ended());
            is_inside = false;
            return Result<void>();
        },
        visit.handler());
    scene.run_until([&] {
        return visit.has_ended() && std::ranges::all_of(reads, [](auto const& r) { return r.has_ended(); });
    });
    CHECK(visit.result().value().count == 14);
    REQUIRE(reads.size() == 14);
    for (std::size_t i = 0; i < reads.size(); ++i)
        CHECK(reads[i].result().value() == scene.emulator.keys()[i]);
}

TEST_CASE("visit: a visitor that cancels or destroys the client is not called after the end") {
    for (bool const destroys : {false, true}) {
        CAPTURE(destroys);
        EmulatorScene scene;
        for (int i = 0; i < 10; ++i)
            scene.emulator.seed_key(NewApiKey("key"));
        scene.emulator.faults().add("GET /v1/apiKeys page:2");
        int calls = 0;
        int calls_at_end = -1;
        std::optional<Result<Visit>> result;
        scene.client().async_visit(
            ListFilter(),
            [&](ApiKey&&) {
                if (++calls == 3) destroys ? scene.destroy_client() : scene.client().cancel();
                return Result<void>();
            },
            [&](Result<Visit> ended) {
                result = std::move(ended);
                calls_at_end = calls;
            });
        scene.run_until([&] { return result.has_value(); });
        scene.settle();
        REQUIRE_FALSE(*result);
        CHECK(result->error().code() == errc::operation_aborted);
        CHECK(calls < 14);
        CHECK(calls == calls_at_end);
    }
}

TEST_CASE("visit: in a blocking client the visitor runs in the client's thread, where nothing can block") {
    EmulatorScene const scene;
    Client client(one_attempt(scene.options));
    std::vector<errc> refusals;
    Uids seen;
    auto const visited = client.visit(ListFilter().name("dev-first"), [&](ApiKey&& key) {
        auto const nested = client.get(key.uid);
        if (!nested) refusals.push_back(nested.error().code());
        seen.push_back(key.uid);
        return Result<void>();
    });
    CHECK(visited.value().count == 1);
    CHECK(seen == Uids{scene.emulator.user(Role::user).api_key_uid});
    CHECK(refusals == std::vector{errc::invalid_argument});
    std::size_t users = 0;
    CHECK(client.visit_users([&](User&&) { return ++users, Result<void>(); }).value().count == 4);
    CHECK(users == 4);
}

}  // namespace visit_test
