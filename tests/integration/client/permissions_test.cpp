// SPDX-License-Identifier: BSL-1.0
#include "support/watched.hpp"

#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace permissions_test {

using namespace palette;
using support::outcome;
using testing::Emulator;
using testing::Role;
using testing::TestUser;
using Client = BlockingApiKeyClient;

// Whom or what a row is about: a key of the caller's own, of somebody else, or one that there is not; and
// for those who are looked for or given a key, the user.
enum class Whose { nobodys, own, anothers, unknown };

struct Subject {
    std::string key_uid;
    std::string key_name;
    std::string user_uid;
    std::string email;
};

struct Operation {
    std::string_view name;
    Result<void> (*run)(Client&, const Subject&);
    // Whether the key is as a success leaves it; null: gone. Without a function, no key may change.
    bool (*done)(const ApiKey* key);
};

constexpr std::chrono::hours a_year{24 * 365};

constexpr Operation list{"list", [](Client& c, const Subject&) { return outcome(c.list()); }, nullptr};
constexpr Operation find{"find", [](Client& c, const Subject& s) { return outcome(c.find(s.key_name)); },
                         nullptr};
constexpr Operation get{"get", [](Client& c, const Subject& s) { return outcome(c.get(s.key_uid)); },
                        nullptr};
constexpr Operation create{"create",
                           [](Client& c, const Subject& s) {
                               NewApiKey key("made");
                               if (!s.user_uid.empty()) key.for_user(s.user_uid);
                               return outcome(c.create(key));
                           },
                           nullptr};
constexpr Operation update{
    "update",
    [](Client& c, const Subject& s) { return outcome(c.update(s.key_uid, ApiKeyEdit().name("edited"))); },
    [](const ApiKey* key) { return key != nullptr && key->name == "edited"; }};
constexpr Operation renew{"renew",
                          [](Client& c, const Subject& s) {
                              return outcome(c.renew(s.key_uid, a_year, ChangeOptions().allow_shorter()));
                          },
                          [](const ApiKey* key) { return key != nullptr && !key->expiry.is_never(); }};
constexpr Operation revoke{"revoke", [](Client& c, const Subject& s) { return c.revoke(s.key_uid); },
                           [](const ApiKey* key) { return key != nullptr && !key->is_active; }};
constexpr Operation reactivate{"reactivate",
                               [](Client& c, const Subject& s) { return c.reactivate(s.key_uid); },
                               [](const ApiKey* key) { return key != nullptr && key->is_active; }};
constexpr Operation set_active{"set_active",
                               [](Client& c, const Subject& s) { return c.set_active(s.key_uid, false); },
                               [](const ApiKey* key) { return key != nullptr && !key->is_active; }};
constexpr Operation erase{"remove", [](Client& c, const Subject& s) { return c.remove(s.key_uid); },
                          [](const ApiKey* key) { return key == nullptr; }};
constexpr Operation whoami{"whoami", [](Client& c, const Subject&) { return outcome(c.whoami()); }, nullptr};
constexpr Operation find_user{
    "find_user", [](Client& c, const Subject& s) { return outcome(c.find_user(s.email)); }, nullptr};

constexpr Operation list_users{"list_users",
                               [](Client& c, const Subject&) { return outcome(c.list_users()); }, nullptr};
constexpr Operation get_user{
    "get_user", [](Client& c, const Subject& s) { return outcome(c.get_user(s.user_uid)); }, nullptr};
constexpr Operation list_audit_events{
    "list_audit_events",
    [](Client& c, const Subject&) { return outcome(c.list_audit_events(AuditEventFilter())); }, nullptr};
constexpr Operation key_limit{"key_limit", [](Client& c, const Subject&) { return outcome(c.key_limit()); },
                              nullptr};
constexpr Operation visit{"visit",
                          [](Client& c, const Subject&) {
                              return outcome(c.visit(ListFilter(), [](ApiKey&&) { return Result<void>(); }));
                          },
                          nullptr};
constexpr Operation visit_users{
    "visit_users",
    [](Client& c, const Subject&) { return outcome(c.visit_users([](User&&) { return Result<void>(); })); },
    nullptr};

enum class Outcome { ok, forbidden, not_found };
constexpr auto yes = Outcome::ok;
constexpr auto no = Outcome::forbidden;
constexpr auto none = Outcome::not_found;

struct Row {
    Operation operation;
    Whose whose;
    Outcome tenant_admin;
    Outcome tenant_user_admin;
    Outcome tenant_viewer;
    Outcome user;

    [[nodiscard]] Outcome expected(Role role) const {
        Outcome const all[] = {tenant_admin, tenant_user_admin, tenant_viewer, user};
        return all[static_cast<std::size_t>(role)];
    }
};

// A tenant admin and a tenant user admin do everything to every key, a tenant viewer reads and lists, a
// plain user does everything to their own keys and sees only those.
// clang-format off
constexpr Row matrix[] = {
    //                           tenant  user
    //                           admin   admin  viewer  user
    {list,       Whose::nobodys,  yes,   yes,   yes,    yes},
    {find,       Whose::own,      yes,   yes,   yes,    yes},
    {find,       Whose::anothers, yes,   yes,   yes,    yes},   // a plain user finds nothing
    {find,       Whose::unknown,  yes,   yes,   yes,    yes},   // nobody does
    {get,        Whose::own,      yes,   yes,   yes,    yes},
    {get,        Whose::anothers, yes,   yes,   yes,    no},
    {get,        Whose::unknown,  none,  none,  none,   none},
    {create,     Whose::nobodys,  yes,   yes,   no,     yes},   // without saying for whom
    {create,     Whose::own,      yes,   yes,   no,     yes},
    {create,     Whose::anothers, yes,   yes,   no,     no},
    {create,     Whose::unknown,  none,  none,  no,     no},
    {update,     Whose::own,      yes,   yes,   no,     yes},
    {update,     Whose::anothers, yes,   yes,   no,     no},
    {update,     Whose::unknown,  none,  none,  none,   none},
    {renew,      Whose::own,      yes,   yes,   no,     yes},
    {renew,      Whose::anothers, yes,   yes,   no,     no},
    {renew,      Whose::unknown,  none,  none,  none,   none},
    {revoke,     Whose::own,      yes,   yes,   no,     yes},
    {revoke,     Whose::anothers, yes,   yes,   no,     no},
    {revoke,     Whose::unknown,  none,  none,  none,   none},
    {reactivate, Whose::own,      yes,   yes,   no,     yes},
    {reactivate, Whose::anothers, yes,   yes,   no,     no},
    {reactivate, Whose::unknown,  none,  none,  none,   none},
    {set_active, Whose::own,      yes,   yes,   no,     yes},
    {set_active, Whose::anothers, yes,   yes,   no,     no},
    {set_active, Whose::unknown,  none,  none,  none,   none},
    {erase,      Whose::own,      yes,   yes,   no,     yes},
    {erase,      Whose::anothers, yes,   yes,   no,     no},
    {erase,      Whose::unknown,  none,  none,  none,   none},
    {whoami,     Whose::nobodys,  yes,   yes,   yes,    yes},
    {find_user,  Whose::own,      yes,   yes,   yes,    no},
    {find_user,  Whose::anothers, yes,   yes,   yes,    no},
    {find_user,  Whose::unknown,  none,  none,  none,   no},
    {list_users, Whose::nobodys,  yes,   yes,   yes,    no},
    {get_user,   Whose::own,      yes,   yes,   yes,    yes},
    {get_user,   Whose::anothers, yes,   yes,   yes,    no},
    {get_user,   Whose::unknown,  none,  none,  none,   no},
    {list_audit_events, Whose::nobodys, yes, yes, yes,  no},
    {key_limit,  Whose::nobodys,  yes,   yes,   yes,    no},
    {visit,      Whose::nobodys,  yes,   yes,   yes,    yes},
    {visit_users, Whose::nobodys, yes,   yes,   yes,    no},
};
// clang-format on

constexpr Role roles[] = {Role::tenant_admin, Role::tenant_user_admin, Role::tenant_viewer, Role::user};

// A tenant with somebody of one role, who has a client, and somebody else.
class Scene {
public:
    Scene(Role role, bool with_login) : role_(role) {
        auto options = emulator_.client_options(role);
        options.rate_limit = RateLimitOptions::off();
        if (with_login)
            options.auth =
                auth::login(auth::LoginOptions(self().email, Secret(self().password.expose())).org("acme"));
        client_.emplace(std::move(options));
    }

    // New keys of both for every row: what one row does is nothing to the next.
    Subject prepare(const Row& row) {
        own_ = seed("own", self());
        anothers_ = seed("another's", another_);
        if (row.operation.name == reactivate.name)
            for (auto const& uid : {own_, anothers_})
                admin_.revoke(uid).value();
        switch (row.whose) {
            case Whose::own:
                return {own_, "own", self().uid, self().email};
            case Whose::anothers:
                return {anothers_, "another's", another_.uid, another_.email};
            case Whose::unknown:
                return {"0123456789abcdef01234567", "nothing", "0123456789abcdef01234567",
                        "nobody@acme.test"};
            default:
                return {};
        }
    }

    [[nodiscard]] const TestUser& self() const { return emulator_.user(role_); }
    [[nodiscard]] const Emulator& emulator() const { return emulator_; }
    [[nodiscard]] const TestUser& another() const { return another_; }
    Client& client() { return *client_; }

private:
    std::string seed(std::string name, const TestUser& owner) {
        return emulator_.seed_key(NewApiKey(std::move(name)).for_user(owner.uid).expires(Expiry::never()))
            .uid();
    }

    ClientOptions admins_options() {
        auto options = emulator_.client_options(Role::tenant_admin);
        options.rate_limit = RateLimitOptions::off();
        return options;
    }

    Role role_;
    Emulator emulator_{{.quota = 1'000, .rate_limit = testing::RateLimit::off()}};
    TestUser another_ = emulator_.add_user({.email = "another@acme.test"});
    Client admin_{admins_options()};
    std::optional<Client> client_;
    std::string own_;
    std::string anothers_;
};

const ApiKey* key_with(const KeyList& keys, std::string_view uid) {
    auto const found = std::ranges::find(keys, uid, &ApiKey::uid);
    return found == keys.end() ? nullptr : &*found;
}

// All keys but one are there as they were.
bool are_there_but(std::string_view uid, const KeyList& before, const KeyList& after) {
    return std::ranges::all_of(before, [&](const ApiKey& key) {
        auto const* const now = key_with(after, key.uid);
        return key.uid == uid || (now != nullptr && *now == key);
    });
}

bool are_same(const KeyList& before, const KeyList& after) {
    return std::ranges::equal(before, after);
}

void check_done(const Row& row, const Subject& subject, const KeyList& before, const KeyList& after,
                const std::string& self_uid) {
    CHECK(are_there_but(subject.key_uid, before, after));
    if (row.operation.name == create.name) {
        REQUIRE(after.size() == before.size() + 1);
        CHECK(after.back().name == "made");
        CHECK(after.back().owner.uid == (row.whose == Whose::nobodys ? self_uid : subject.user_uid));
    } else if (row.operation.done != nullptr) {
        CHECK_FALSE(row.operation.done(key_with(before, subject.key_uid)));
        CHECK(row.operation.done(key_with(after, subject.key_uid)));
        CHECK(after.size() == before.size() - (row.operation.name == erase.name ? 1 : 0));
    } else {
        CHECK(are_same(before, after));
    }
}

void check_row(Scene& scene, const Row& row, Role role) {
    CAPTURE(role);
    CAPTURE(row.operation.name);
    CAPTURE(static_cast<int>(row.whose));
    auto const subject = scene.prepare(row);
    auto const before = scene.emulator().keys();
    auto const result = row.operation.run(scene.client(), subject);
    auto const after = scene.emulator().keys();
    if (row.expected(role) == Outcome::ok) {
        REQUIRE(result);
        check_done(row, subject, before, after, scene.self().uid);
        return;
    }
    REQUIRE_FALSE(result);
    auto const forbidden = row.expected(role) == Outcome::forbidden;
    CHECK(result.error().code() == (forbidden ? errc::forbidden : errc::not_found));
    CHECK(result.error().effect() == Effect::not_applied);
    CHECK(are_same(before, after));
    // That no user has an address is found out here: the service has no such question.
    if (row.operation.name == find_user.name && !forbidden) return;
    CHECK(result.error().status() == (forbidden ? 403 : 404));
    CHECK(result.error().server_code() == (forbidden ? "Forbidden" : "ResourceNotFound"));
}

TEST_CASE("client: every role may do to every key what the matrix says, with an API key") {
    for (auto const role : roles) {
        Scene scene(role, false);
        for (auto const& row : matrix)
            check_row(scene, row, role);
    }
}

TEST_CASE("client: every role may do to every key what the matrix says, with a login") {
    for (auto const role : roles) {
        Scene scene(role, true);
        for (auto const& row : matrix)
            check_row(scene, row, role);
    }
}

TEST_CASE("client: everybody sees in a list what is theirs to see") {
    for (auto const role : roles) {
        CAPTURE(role);
        Scene scene(role, false);
        scene.prepare(matrix[0]);
        auto const keys = scene.client().list().value();
        for (auto const& key : scene.emulator().keys()) {
            auto const is_theirs = role != Role::user || key.owner.uid == scene.self().uid;
            CHECK((key_with(keys, key.uid) != nullptr) == is_theirs);
        }
        CHECK(scene.client().find("own").value().size() == 1);
        CHECK(scene.client().find("another's").value().size() == (role == Role::user ? 0 : 1));
        CHECK(scene.client().whoami().value().user_uid == scene.self().uid);
        if (role != Role::user)
            CHECK(scene.client().find_user("ANOTHER@acme.test").value().uid == scene.another().uid);
    }
}

TEST_CASE("W21: no operation names a project") {
    Scene scene(Role::tenant_admin, true);
    for (auto const& row : matrix)
        check_row(scene, row, Role::tenant_admin);
    auto const requests = scene.emulator().requests();
    CHECK(requests.size() > std::size(matrix));
    for (auto const& request : requests)
        CHECK_FALSE(request.headers.contains("projectuid"));
}

}  // namespace permissions_test
