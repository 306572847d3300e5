// SPDX-License-Identifier: BSL-1.0
#include "support/raw_http.hpp"

#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace behaviour_faults_test {

namespace json = boost::json;
using namespace std::chrono_literals;
using palette::NewApiKey;
using palette::testing::Emulator;
using palette::testing::ManualClock;
using palette::testing::RateLimit;
using palette::testing::Role;
using Texts = std::vector<std::string>;

palette::testing::EmulatorOptions quick(std::shared_ptr<ManualClock> clock = nullptr) {
    return {.plain_http = true, .rate_limit = RateLimit::off(), .clock = std::move(clock)};
}

raw::Client client_of(const Emulator& emulator, Role role = Role::tenant_admin) {
    return {emulator, emulator.user(role).api_key.expose()};
}

json::object object_of(const raw::Response& response) {
    CAPTURE(response.status);
    CAPTURE(response.body);
    REQUIRE(response.complete);
    return json::parse(response.body).as_object();
}

std::string text_of(const json::object& object, std::string_view name) {
    return std::string(object.at(name).as_string());
}

palette::ApiKey last_key(const Emulator& emulator) {
    return emulator.keys().back();
}

Texts uids_of(const json::object& list) {
    Texts uids;
    for (auto const& item : list.at("items").as_array())
        uids.push_back(text_of(item.at("metadata").as_object(), "uid"));
    return uids;
}

Texts uids_of_keys(const Emulator& emulator) {
    Texts uids;
    for (auto const& key : emulator.keys())
        uids.push_back(key.uid);
    return uids;
}

bool works(const Emulator& emulator, std::string_view value) {
    auto const status = raw::Client(emulator, value).get("/v1/users/info").status;
    CHECK((status == 200 || status == 401));
    return status == 200;
}

TEST_CASE("fault: legacy-create answers with the uid alone, and the key is there") {
    Emulator emulator(quick());
    emulator.faults().add("POST /v1/apiKeys legacy-create");
    auto const answer = client_of(emulator).post("/v1/apiKeys", R"({"metadata":{"name":"old way"}})");
    CHECK(answer.status == 201);
    auto const created = object_of(answer);
    CHECK(created.size() == 1);
    CHECK(text_of(created, "uid") == last_key(emulator).uid);
    CHECK(last_key(emulator).name == "old way");
    CHECK(last_key(emulator).is_active);
}

TEST_CASE("fault: uid-is-user gives the uid of the owner, and a value that works") {
    Emulator emulator(quick());
    emulator.faults().add("* / uid-is-user");
    auto admin = client_of(emulator);
    auto const own = object_of(admin.post("/v1/apiKeys", R"({"metadata":{"name":"own"}})"));
    CHECK(text_of(own, "uid") == emulator.user(Role::tenant_admin).uid);
    CHECK(last_key(emulator).uid != text_of(own, "uid"));
    CHECK(works(emulator, text_of(own, "apiKey")));

    auto const other = emulator.user(Role::user).uid;
    auto const body = R"({"metadata":{"name":"other"},"spec":{"userUid":")" + other + "\"}}";
    CHECK(text_of(object_of(admin.post("/v1/apiKeys", body)), "uid") == other);
    CHECK(last_key(emulator).owner.uid == other);
}

struct Pages {
    Texts uids;
    std::vector<std::size_t> sizes;
};

// Follows listmeta.continue to its end.
Pages follow(raw::Client& client, const std::string& path) {
    Pages pages;
    std::string next;
    do {
        auto const answer = client.get(next.empty() ? path : path + "?continue=" + next);
        REQUIRE(answer.status == 200);
        auto const list = object_of(answer);
        auto const uids = uids_of(list);
        pages.sizes.push_back(uids.size());
        pages.uids.insert(pages.uids.end(), uids.begin(), uids.end());
        next = text_of(list.at("listmeta").as_object(), "continue");
        REQUIRE(pages.sizes.size() < 100);
    } while (!next.empty());
    return pages;
}

TEST_CASE("fault: page cuts a list of keys, and its pages together are the whole list") {
    Emulator emulator(quick());
    for (int i = 0; i < 2; ++i)
        emulator.seed_key(NewApiKey("more"));
    auto const all = uids_of_keys(emulator);
    REQUIRE(all.size() == 6);
    struct Row {
        std::string_view fault;
        std::vector<std::size_t> sizes;
    };
    Row const rows[] = {{"page:1", {1, 1, 1, 1, 1, 1}},
                        {"page:2", {2, 2, 2}},
                        {"page:4", {4, 2}},
                        {"page:5", {5, 1}},
                        {"page:6", {6}},
                        {"page:1000000000000", {6}}};
    auto admin = client_of(emulator);
    for (auto const& [fault, sizes] : rows) {
        CAPTURE(fault);
        emulator.faults().clear();
        emulator.faults().add("GET /v1/apiKeys " + std::string(fault));
        auto const pages = follow(admin, "/v1/apiKeys");
        CHECK(pages.uids == all);
        CHECK((pages.sizes == sizes));
    }
}

TEST_CASE("fault: page tells how many there are, and how many it gives") {
    Emulator emulator(quick());
    emulator.faults().add("GET / page:3");
    auto admin = client_of(emulator);
    for (std::string_view const path : {"/v1/apiKeys", "/v1/users"}) {
        CAPTURE(path);
        auto const list = object_of(admin.get(path));
        auto const& meta = list.at("listmeta").as_object();
        CHECK(list.at("items").as_array().size() == 3);
        CHECK(meta.at("count").as_int64() == 4);
        CHECK(meta.at("limit").as_int64() == 3);
        CHECK_FALSE(text_of(meta, "continue").empty());
        CHECK(meta.at("offset").is_number());
    }
    emulator.faults().clear();
    CHECK_FALSE(object_of(admin.get("/v1/apiKeys")).contains("listmeta"));
}

TEST_CASE("fault: page cuts lists of users, and what a plain user sees") {
    Emulator emulator(quick());
    auto const& user = emulator.user(Role::user);
    emulator.seed_key(NewApiKey("mine").for_user(user.uid));
    emulator.seed_key(NewApiKey("another's"));
    emulator.seed_key(NewApiKey("mine too").for_user(user.uid));
    emulator.faults().add("* / page:2");
    auto admin = client_of(emulator);
    auto const users = follow(admin, "/v1/users");
    CHECK((users.sizes == std::vector<std::size_t>{2, 2}));
    CHECK(users.uids[0] == emulator.user(Role::tenant_admin).uid);
    CHECK(users.uids[3] == user.uid);

    auto plain = client_of(emulator, Role::user);
    auto const own = follow(plain, "/v1/apiKeys");
    CHECK((own.sizes == std::vector<std::size_t>{2, 1}));
    auto const keys = emulator.keys();
    for (auto const& uid : own.uids)
        CHECK(std::ranges::any_of(
            keys, [&](auto const& key) { return key.uid == uid && key.owner.uid == user.uid; }));
}

TEST_CASE("fault: keys that come and go between two pages do not disturb the others") {
    Emulator emulator(quick());
    auto const before = uids_of_keys(emulator);
    emulator.faults().add("GET / page:2");
    auto admin = client_of(emulator);
    auto const first = object_of(admin.get("/v1/apiKeys"));
    auto const next = text_of(first.at("listmeta").as_object(), "continue");
    CHECK(admin.remove("/v1/apiKeys/" + before[1]).status == 204);
    auto const added = emulator.seed_key(NewApiKey("new")).uid();
    CHECK(uids_of(first) == Texts{before[0], before[1]});
    auto const second = object_of(admin.get("/v1/apiKeys?continue=" + next));
    CHECK(uids_of(second) == Texts{before[2], before[3]});
    auto const last = text_of(second.at("listmeta").as_object(), "continue");
    CHECK(uids_of(object_of(admin.get("/v1/apiKeys?continue=" + last))) == Texts{added});
}

TEST_CASE("fault: list-lag hides keys until they have its age, from lists alone") {
    auto const clock = std::make_shared<ManualClock>();
    Emulator emulator(quick(clock));
    clock->advance(1h);
    auto const old = uids_of_keys(emulator);
    emulator.faults().add("GET / list-lag:2000");
    auto admin = client_of(emulator);
    auto plain = client_of(emulator, Role::user);
    auto const own = R"({"metadata":{"name":"young"}})";
    auto const uid = text_of(object_of(plain.post("/v1/apiKeys", own)), "uid");
    auto all = old;
    all.push_back(uid);

    CHECK(uids_of(object_of(admin.get("/v1/apiKeys"))) == old);
    CHECK(uids_of(object_of(plain.get("/v1/apiKeys"))).size() == 1);
    CHECK(admin.get("/v1/apiKeys/" + uid).status == 200);
    CHECK(uids_of_keys(emulator) == all);
    clock->advance(1'999ms);
    CHECK(uids_of(object_of(admin.get("/v1/apiKeys"))) == old);
    clock->advance(1ms);
    CHECK(uids_of(object_of(admin.get("/v1/apiKeys"))) == all);
    CHECK(uids_of(object_of(plain.get("/v1/apiKeys"))).size() == 2);
}

TEST_CASE("fault: list-lag and page together count only what is shown") {
    auto const clock = std::make_shared<ManualClock>();
    Emulator emulator(quick(clock));
    clock->advance(1h);
    auto const old = uids_of_keys(emulator);
    emulator.seed_key(NewApiKey("young"));
    emulator.faults().add("GET / list-lag:60000");
    emulator.faults().add("GET / page:2");
    auto admin = client_of(emulator);
    auto const pages = follow(admin, "/v1/apiKeys");
    CHECK(pages.uids == old);
    CHECK((pages.sizes == std::vector<std::size_t>{2, 2}));
    CHECK(object_of(admin.get("/v1/apiKeys")).at("listmeta").at("count").as_int64() == 4);
    CHECK(emulator.requests().back().faults == "list-lag page");
}

constexpr std::string_view annotated = R"({"metadata":{"name":"ci","annotations":{"description":"kept",
    "nonce":"123","ownerUid":"somebody"},"labels":{"team":"infra"}}})";

void check_stripped(const palette::ApiKey& key) {
    CHECK(key.description == "kept");
    CHECK(key.labels["team"] == "infra");
    CHECK(key.labels.size() == 1);
    CHECK_FALSE(key.annotations.contains("nonce"));
    CHECK(key.annotations["ownerUid"] == key.owner.uid);
    CHECK(key.annotations.contains("tenantUid"));
}

TEST_CASE("fault: strip-annotations keeps the description, the labels and what the server owns") {
    Emulator emulator(quick());
    auto admin = client_of(emulator);
    emulator.faults().add("POST / strip-annotations x1");
    CHECK(admin.post("/v1/apiKeys", annotated).status == 201);
    check_stripped(last_key(emulator));
    auto const path = "/v1/apiKeys/" + last_key(emulator).uid;
    CHECK(admin.put(path, annotated).status == 204);
    auto const kept = last_key(emulator);
    CHECK(kept.annotations["nonce"] == "123");
    emulator.faults().add("PUT / strip-annotations x1");
    CHECK(admin.put(path, annotated).status == 204);
    check_stripped(last_key(emulator));
    CHECK(object_of(admin.get(path)).at("metadata").at("annotations").as_object().contains("ownerUid"));
}

TEST_CASE("fault: deny-delete answers 403 and leaves the key") {
    Emulator emulator(quick());
    emulator.faults().add("DELETE /v1/apiKeys deny-delete x2");
    auto const created = emulator.seed_key(NewApiKey("stays"));
    auto const path = "/v1/apiKeys/" + created.uid();
    for (Role const role : {Role::tenant_admin, Role::tenant_user_admin}) {
        auto const refused = client_of(emulator, role).remove(path);
        CHECK(refused.status == 403);
        CHECK_FALSE(text_of(object_of(refused), "code").empty());
        CHECK(works(emulator, created.secret().expose()));
    }
    CHECK(client_of(emulator).remove(path).status == 204);
    CHECK_FALSE(works(emulator, created.secret().expose()));
}

TEST_CASE("fault: deny-list answers 403 to a list, and gives a single key") {
    Emulator emulator(quick());
    emulator.faults().add("GET / deny-list x2");
    auto const created = emulator.seed_key(NewApiKey("seen"));
    auto admin = client_of(emulator);
    CHECK(admin.get("/v1/apiKeys").status == 403);
    CHECK(admin.get("/v1/users?limit=1").status == 403);
    CHECK(admin.get("/v1/apiKeys/" + created.uid()).status == 200);
    CHECK(admin.get("/v1/users/info").status == 200);
    CHECK(admin.get("/v1/apiKeys").status == 200);
}

TEST_CASE("fault: late-activation refuses the key that was created until its time has come") {
    auto const clock = std::make_shared<ManualClock>();
    Emulator emulator(quick(clock));
    auto admin = client_of(emulator);
    emulator.faults().add("POST / late-activation:500 x1");
    auto const late =
        text_of(object_of(admin.post("/v1/apiKeys", R"({"metadata":{"name":"late"}})")), "apiKey");
    auto const prompt =
        text_of(object_of(admin.post("/v1/apiKeys", R"({"metadata":{"name":"prompt"}})")), "apiKey");
    emulator.faults().clear();
    CHECK(works(emulator, prompt));
    CHECK_FALSE(works(emulator, late));
    clock->advance(499ms);
    CHECK_FALSE(works(emulator, late));
    CHECK(admin.get("/v1/users/info").status == 200);
    clock->advance(1ms);
    CHECK(works(emulator, late));
}

TEST_CASE("fault: one create can meet a fault of every kind that concerns it") {
    auto const clock = std::make_shared<ManualClock>();
    Emulator emulator(quick(clock));
    for (std::string_view const fault : {"legacy-create", "uid-is-user", "strip-annotations",
                                         "late-activation:500", "close-idle", "trailing"})
        emulator.faults().add("POST / " + std::string(fault));
    raw::Connection connection(emulator);
    auto const key = emulator.user(Role::tenant_admin).api_key.expose();
    connection.send(raw::request("POST", "/v1/apiKeys", {{"ApiKey", key}}, annotated));
    auto const answer = connection.receive();
    CHECK(answer.status == 201);
    CHECK(answer.body.starts_with("{\"uid\":\"" + emulator.user(Role::tenant_admin).uid + "\"}"));
    CHECK(answer.body.size() > 36);
    CHECK(connection.receive_all().empty());
    CHECK(connection.end() == raw::End::closed);
    check_stripped(last_key(emulator));
    CHECK(emulator.requests().back().faults ==
          "legacy-create uid-is-user strip-annotations late-activation close-idle trailing");
    CHECK(emulator.faults().injected() == 6);
}

TEST_CASE(
    "fault: strip-annotations, page and drop-after each are injected into the requests that they concern") {
    Emulator emulator(quick());
    emulator.faults().add("* /v1/apiKeys strip-annotations");
    emulator.faults().add("* /v1/apiKeys page:3");
    emulator.faults().add("POST /v1/apiKeys drop-after x1");
    auto admin = client_of(emulator);
    CHECK(admin.post("/v1/apiKeys", annotated).status == 0);
    check_stripped(last_key(emulator));
    CHECK(emulator.requests().back().faults == "strip-annotations drop-after");
    auto again = client_of(emulator);
    CHECK((follow(again, "/v1/apiKeys").sizes == std::vector<std::size_t>{3, 2}));
    CHECK(emulator.requests().back().faults == "page");
}

TEST_CASE("fault: a fault of behaviour counts only the requests that it concerns") {
    struct Ask {
        std::string_view name;
        std::string_view method;
        std::string_view path;
    };
    static constexpr Ask asks[] = {
        {"create", "POST", "/v1/apiKeys"},
        {"list", "GET", "/v1/apiKeys"},
        {"list", "HEAD", "/v1/apiKeys"},
        {"read", "GET", "/v1/apiKeys/0123"},
        {"update", "PUT", "/v1/apiKeys/0123"},
        {"patch", "PATCH", "/v1/apiKeys/0123"},
        {"state", "PUT", "/v1/apiKeys/0123/state"},
        {"delete", "DELETE", "/v1/apiKeys/0123"},
        {"log in", "POST", "/v1/auth/authenticate"},
        {"refresh", "GET", "/v1/auth/refresh/0123"},
        {"who am I", "GET", "/v1/users/info"},
        {"users", "GET", "/v1/users"},
        {"nothing", "POST", "/v1/apiKeys/0123"},
        {"nothing", "DELETE", "/v1/apiKeys"},
    };
    struct Row {
        std::string_view fault;
        std::string_view concerned;
    };
    static constexpr Row rows[] = {
        {"legacy-create", "create"},     {"uid-is-user", "create"},
        {"late-activation:5", "create"}, {"strip-annotations", "create, update"},
        {"page:2", "list, users"},       {"list-lag:5", "list"},
        {"deny-delete", "delete"},       {"deny-list", "list, users"},
    };
    Emulator emulator(quick());
    for (auto const& [fault, concerned] : rows)
        for (auto const& [name, method, path] : asks) {
            CAPTURE(fault);
            CAPTURE(method);
            CAPTURE(path);
            auto const before = emulator.faults().injected();
            emulator.faults().clear();
            emulator.faults().add("* / " + std::string(fault) + " x1");
            client_of(emulator).call(method, path, method == "GET" || method == "HEAD" ? "" : "{}");
            auto const is_concerned = concerned.find(name) != std::string_view::npos;
            CHECK(emulator.faults().injected() - before == (is_concerned ? 1 : 0));
        }
}

}  // namespace behaviour_faults_test
