// SPDX-License-Identifier: BSL-1.0
#include "support/raw_http.hpp"

#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace permissions_test {

using namespace palette;
using testing::Emulator;
using testing::RateLimit;
using testing::Role;
using testing::TestUser;

struct Operation {
    std::string_view name;
    std::string_view method;
    std::string_view path;
    std::string_view body;
};

// $KEY and $USER stand for what the row is about.
constexpr Operation list{"list", "GET", "/v1/apiKeys", ""};
constexpr Operation create{"create", "POST", "/v1/apiKeys",
                           R"({"metadata":{"name":"made"},"spec":{"userUid":"$USER"}})"};
constexpr Operation create_plain{"create without userUid", "POST", "/v1/apiKeys",
                                 R"({"metadata":{"name":"made"}})"};
constexpr Operation read{"read", "GET", "/v1/apiKeys/$KEY", ""};
constexpr Operation update{"update", "PUT", "/v1/apiKeys/$KEY",
                           R"({"metadata":{"name":"edited","annotations":{"team":"red"}},)"
                           R"("spec":{"expiry":"2099-01-31T12:00:00Z"}})"};
constexpr Operation patch{"patch", "PATCH", "/v1/apiKeys/$KEY", R"({"isActive":false})"};
constexpr Operation set_state{"state", "PUT", "/v1/apiKeys/$KEY/state", R"({"isActive":false})"};
constexpr Operation erase{"delete", "DELETE", "/v1/apiKeys/$KEY", ""};
constexpr Operation who_am_i{"who am I", "GET", "/v1/users/info", ""};
constexpr Operation list_users{"list users", "GET", "/v1/users", ""};

enum class Whose { nobodys, own, anothers, unknown };

struct Row {
    Operation operation;
    Whose whose;  // key it is, or for whom one is made
    int tenant_admin;
    int tenant_user_admin;
    int tenant_viewer;
    int user;

    [[nodiscard]] int status(Role role) const {
        int const all[] = {tenant_admin, tenant_user_admin, tenant_viewer, user};
        return all[static_cast<std::size_t>(role)];
    }
};

// A tenant admin, and a tenant user admin, does everything to every key; a tenant viewer reads and lists
// them; a plain user does everything to their own and sees only those. An unknown key is 404 for
// everybody; for whom a key may be made is decided before whether there is such a user.
// clang-format off
constexpr Row matrix[] = {
    //                              tenant  user
    //                              admin   admin   viewer  user
    {list,         Whose::nobodys,  200,    200,    200,    200},
    {create_plain, Whose::own,      201,    201,    403,    201},
    {create,       Whose::own,      201,    201,    403,    201},
    {create,       Whose::anothers, 201,    201,    403,    403},
    {create,       Whose::unknown,  404,    404,    403,    403},
    {read,         Whose::own,      200,    200,    200,    200},
    {read,         Whose::anothers, 200,    200,    200,    403},
    {read,         Whose::unknown,  404,    404,    404,    404},
    {update,       Whose::own,      204,    204,    403,    204},
    {update,       Whose::anothers, 204,    204,    403,    403},
    {update,       Whose::unknown,  404,    404,    404,    404},
    {patch,        Whose::own,      204,    204,    403,    204},
    {patch,        Whose::anothers, 204,    204,    403,    403},
    {patch,        Whose::unknown,  404,    404,    404,    404},
    {set_state,    Whose::own,      204,    204,    403,    204},
    {set_state,    Whose::anothers, 204,    204,    403,    403},
    {set_state,    Whose::unknown,  404,    404,    404,    404},
    {erase,        Whose::own,      204,    204,    403,    204},
    {erase,        Whose::anothers, 204,    204,    403,    403},
    {erase,        Whose::unknown,  404,    404,    404,    404},
    {who_am_i,     Whose::nobodys,  200,    200,    200,    200},
    {list_users,   Whose::nobodys,  200,    200,    200,    403},
};
// clang-format on

constexpr Role roles[] = {Role::tenant_admin, Role::tenant_user_admin, Role::tenant_viewer, Role::user};

std::string with(std::string_view text, std::string_view placeholder, std::string_view value) {
    std::string out(text);
    if (auto const at = out.find(placeholder); at != std::string::npos)
        out.replace(at, placeholder.size(), value);
    return out;
}

std::string text_at(const raw::Response& response, std::string_view pointer) {
    return std::string(boost::json::parse(response.body).at_pointer(pointer).as_string());
}

// A tenant in which somebody of one role has a key, and somebody else has one.
class Scene {
public:
    explicit Scene(Role role)
        : self_(emulator.user(role)),
          another_(emulator.add_user({.email = "another@acme.test"})),
          own_key_(emulator.seed_key(NewApiKey("own").for_user(self_.uid)).uid()),
          anothers_key_(emulator.seed_key(NewApiKey("another's").for_user(another_.uid)).uid()) {
        clock->advance(std::chrono::hours{1});
    }

    [[nodiscard]] const TestUser& self() const { return self_; }

    [[nodiscard]] std::string user_uid(Whose whose) const {
        return whose == Whose::own ? self_.uid : whose == Whose::anothers ? another_.uid : unknown;
    }
    [[nodiscard]] std::string key_uid(Whose whose) const {
        return whose == Whose::own ? own_key_ : whose == Whose::anothers ? anothers_key_ : unknown;
    }

    raw::Response send(raw::Client& client, const Row& row) const {
        auto const& [name, method, path, body] = row.operation;
        return client.call(method, with(path, "$KEY", key_uid(row.whose)),
                           with(body, "$USER", user_uid(row.whose)));
    }

    std::shared_ptr<testing::ManualClock> clock = std::make_shared<testing::ManualClock>();
    Emulator emulator{{.plain_http = true, .rate_limit = RateLimit::off(), .clock = clock}};

private:
    inline static const std::string unknown = "0123456789abcdef01234567";
    const TestUser& self_;
    TestUser another_;
    std::string own_key_;
    std::string anothers_key_;
};

std::vector<ApiKey> keys_of(const Emulator& emulator) {
    auto const keys = emulator.keys();
    return {keys.begin(), keys.end()};
}

// The keys as they have to be after the operation was done to the one with `uid`.
std::vector<ApiKey> done_to(std::vector<ApiKey> keys, std::string_view uid, std::string_view operation,
                            Instant now) {
    if (operation == "delete") {
        CHECK(std::erase_if(keys, [&](const ApiKey& key) { return key.uid == uid; }) == 1);
        return keys;
    }
    for (auto& key : keys) {
        if (key.uid != uid) continue;
        if (operation == "update") {
            key.name = "edited";
            key.annotations.set("team", "red");
            key.expiry = Expiry::parse("2099-01-31T12:00:00Z").value();
            key.modified = std::max(now, *key.modified + std::chrono::milliseconds{1});
        } else if (operation == "patch" || operation == "state") {
            key.is_active = false;
            key.modified = std::max(now, *key.modified + std::chrono::milliseconds{1});
        }
    }
    return keys;
}

std::multiset<std::string> uids_in(const raw::Response& response) {
    std::multiset<std::string> uids;
    auto const body = boost::json::parse(response.body);
    for (auto const& item : body.at("items").as_array())
        uids.emplace(item.at("metadata").at("uid").as_string());
    return uids;
}

// The new key is the last one, belongs to whom it was made for, and works with the value in the answer.
void check_created(const Scene& scene, std::vector<ApiKey> keys, const std::vector<ApiKey>& before,
                   const Row& row, const raw::Response& response) {
    REQUIRE(keys.size() == before.size() + 1);
    CHECK(keys.back().uid == text_at(response, "/uid"));
    CHECK(keys.back().name == "made");
    CHECK(keys.back().owner.uid == scene.user_uid(row.whose));
    raw::Client made(scene.emulator, text_at(response, "/apiKey"));
    CHECK(text_at(made.get("/v1/users/info"), "/userUid") == scene.user_uid(row.whose));
    keys.pop_back();
    CHECK(keys == before);
}

// The answers to what changes nothing.
void check_shown(const Scene& scene, Role role, const Row& row, const raw::Response& response) {
    auto const& operation = row.operation.name;
    if (operation == "who am I") {
        CHECK(text_at(response, "/userUid") == scene.self().uid);
    } else if (operation == "read") {
        CHECK(text_at(response, "/metadata/uid") == scene.key_uid(row.whose));
    } else if (operation == "list") {
        std::multiset<std::string> wanted;
        for (auto const& key : scene.emulator.keys())
            if (role != Role::user || key.owner.uid == scene.self().uid) wanted.insert(key.uid);
        CHECK(uids_in(response) == wanted);
    } else if (operation == "list users") {
        CHECK(uids_in(response).size() == 5);
        CHECK(uids_in(response).count(scene.self().uid) == 1);
    }
}

void check_row(const Row& row, Role role, bool with_token) {
    CAPTURE(role);
    CAPTURE(with_token);
    CAPTURE(row.operation.name);
    CAPTURE(static_cast<int>(row.whose));
    Scene scene(role);
    auto const token = scene.emulator.sign_in(scene.self().uid);
    auto client = with_token ? raw::Client(scene.emulator, "Authorization", token.expose())
                             : raw::Client(scene.emulator, scene.self().api_key.expose());
    auto const before = keys_of(scene.emulator);
    auto const response = scene.send(client, row);
    auto const after = keys_of(scene.emulator);

    CHECK(response.status == row.status(role));
    if (response.status != row.status(role)) return;
    if (response.status >= 400) {
        CHECK(text_at(response, "/code") == (response.status == 404 ? "ResourceNotFound" : "Forbidden"));
        CHECK(after == before);
    } else if (response.status == 201) {
        check_created(scene, after, before, row, response);
    } else {
        CHECK(after == done_to(before, scene.key_uid(row.whose), row.operation.name, scene.clock->now()));
        if (response.status == 200) check_shown(scene, role, row, response);
    }
}

TEST_CASE("permissions: every role, operation and key, with an API key") {
    for (auto const& row : matrix)
        for (auto const role : roles)
            check_row(row, role, false);
}

TEST_CASE("permissions: every role, operation and key, with a token") {
    for (auto const& row : matrix)
        for (auto const role : roles)
            check_row(row, role, true);
}

TEST_CASE("permissions: without a credential every request is refused, and no key changes") {
    Scene scene(Role::tenant_admin);
    auto const before = keys_of(scene.emulator);
    for (std::string_view const credential : {"", "no-such-value-no-such-value-1234"}) {
        raw::Client nobody(scene.emulator, credential);
        for (auto const& row : matrix) {
            CAPTURE(row.operation.name);
            auto const response = scene.send(nobody, row);
            CHECK(response.status == 401);
            CHECK_FALSE(text_at(response, "/code").empty());
        }
    }
    CHECK(keys_of(scene.emulator) == before);
}

TEST_CASE("permissions: a refusal comes before a look at the body") {
    Scene scene(Role::user);
    raw::Client user(scene.emulator, scene.self().api_key.expose());
    raw::Client viewer(scene.emulator, scene.emulator.user(Role::tenant_viewer).api_key.expose());
    auto const path = "/v1/apiKeys/" + scene.key_uid(Whose::anothers);
    for (auto* const client : {&user, &viewer}) {
        CHECK(client->put(path, "no JSON").status == 403);
        CHECK(client->put(path + "/state", "no JSON").status == 403);
        CHECK(client->patch(path, "no JSON").status == 403);
    }
    CHECK(viewer.post("/v1/apiKeys", "no JSON").status == 403);
}

TEST_CASE("permissions: a plain user reaches no key of those above them either") {
    Scene scene(Role::user);
    raw::Client user(scene.emulator, scene.self().api_key.expose());
    auto const before = keys_of(scene.emulator);
    for (auto const& key : before) {
        if (key.owner.uid == scene.self().uid) continue;
        auto const path = "/v1/apiKeys/" + key.uid;
        CAPTURE(key.name);
        CHECK(user.get(path).status == 403);
        CHECK(user.put(path, update.body).status == 403);
        CHECK(user.patch(path, patch.body).status == 403);
        CHECK(user.put(path + "/state", patch.body).status == 403);
        CHECK(user.remove(path).status == 403);
    }
    CHECK(keys_of(scene.emulator) == before);
}

}  // namespace permissions_test
