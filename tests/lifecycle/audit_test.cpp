// SPDX-License-Identifier: BSL-1.0
#include "lifecycle/audit_scene.hpp"

#include "support/printed.hpp"
#include "support/virtual_time.hpp"

#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>
#include <palette/lifecycle/audit.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace audit_test {

using namespace std::chrono_literals;
using namespace palette;
using lifecycle::AuditPolicy;
using lifecycle::AuditReport;
using lifecycle::AuditRule;
using lifecycle::Roster;
using std::chrono::days;
using testing::Assumptions;
using testing::NewTestUser;
using testing::Role;
using testing::TestUser;
using Lines = std::vector<std::string>;

// A service and its auditor, on one virtual clock.
class Tenant {
public:
    explicit Tenant(const Assumptions& assumptions = {})
        : emulator({.plain_http = true,
                    .rate_limit = testing::RateLimit::off(),
                    .assumptions = assumptions,
                    .clock = time.clock}) {}

    // Each user has one key, named after the user.
    TestUser add(const std::string& name, NewTestUser user) {
        user.email = name + "@acme.test";
        auto added = emulator.add_user(std::move(user));
        keys[name] = emulator.seed_key(NewApiKey(name).for_user(added.uid).lives_for(days{360})).uid();
        return added;
    }
    TestUser add(const std::string& name) {
        return add(name, NewTestUser{.email = {}, .single_sign_on = true}.last_sign_in(time.clock->now()));
    }

    Result<AuditReport> audit(const AuditPolicy& policy, Role role = Role::tenant_viewer) {
        auto options = emulator.client_options(role);
        time.watch(options);
        ApiKeyClient client(time.context, options);
        std::optional<Result<AuditReport>> report;
        lifecycle::async_audit(client, policy, [&](Result<AuditReport> r) { report.emplace(std::move(r)); });
        time.run_until([&] { return report.has_value(); });
        return *std::move(report);
    }

    // The owner of a key uses it.
    void use(const Secret& key, const std::function<void(ApiKeyClient&)>& start) {
        auto options = emulator.client_options(Role::user);
        options.auth = auth::api_key(Secret(std::string(key.expose())));
        time.watch(options);
        ApiKeyClient client(time.context, options);
        start(client);
        time.settle();
    }

    [[nodiscard]] std::ptrdiff_t requests(std::string_view path) const {
        return std::ranges::count_if(emulator.requests(), [&](auto const& r) { return r.path == path; });
    }

    VirtualTime time;
    testing::Emulator emulator;
    std::map<std::string, std::string> keys;
};

AuditPolicy only(AuditRule rule) {
    return AuditPolicy().only({rule});
}

TEST_CASE("audit: the whole tenant of an emulator is read, each list once, and judged") {
    Tenant tenant;
    for (int i = 0; i < 60; ++i)
        tenant.add("sso-" + std::to_string(i));
    auto const report = tenant.audit(AuditPolicy().read_events(true)).value();
    CHECK(report.complete());
    CHECK(report.keys == tenant.emulator.keys().size());
    CHECK(report.users == 64U);
    CHECK(report.events.has_value());
    CHECK(report.tenant_uid() == tenant.emulator.tenant_uid());
    CHECK(report.actor.user_uid == tenant.emulator.user(Role::tenant_viewer).uid);
    CHECK(report.as_of == std::chrono::floor<std::chrono::seconds>(tenant.time.clock->now()));
    // The four users that exist from the start have keys without an expiry.
    CHECK(report.count(AuditRule::never_expires) == 4);
    CHECK(report.findings.size() == 4);
    CHECK(tenant.requests("/v1/users") == 2);
    CHECK(tenant.requests("/v1/users/info") == 1);
    CHECK(tenant.requests("/v1/apiKeys") == 1);
    CHECK(tenant.requests("/v1/audits") == 1);
    CHECK(tenant.requests("/v1/tenants/" + tenant.emulator.tenant_uid() + "/resourceLimits") == 1);
    for (auto const& request : tenant.emulator.requests())
        CHECK(request.method == "GET");
}

TEST_CASE("audit: times are judged by the service's clock") {
    Tenant tenant;
    tenant.add("a");
    auto const ends_soon = only(AuditRule::expiring);
    tenant.time.clock->advance(days{329});
    CHECK(tenant.audit(ends_soon).value().findings.empty());
    tenant.time.clock->advance(days{2});
    CHECK(lines_of(tenant.audit(ends_soon).value()) ==
          Lines{"note expiring " + tenant.keys["a"] + " proven"});
    tenant.time.clock->advance(days{29} + 1h);
    CHECK(lines_of(tenant.audit(only(AuditRule::expired)).value()) ==
          Lines{"note expired " + tenant.keys["a"] + " proven"});
}

TEST_CASE("audit: a user who was removed leaves a proven orphan where the record is gone") {
    for (bool const is_kept : {false, true}) {
        CAPTURE(is_kept);
        Assumptions assumptions;
        assumptions.removed_sso_user_keeps_record = is_kept;
        Tenant tenant(assumptions);
        auto const gone = tenant.add("gone");
        tenant.add("here");
        tenant.emulator.remove_user(gone.uid);
        auto const key = tenant.keys["gone"];

        auto const report = tenant.audit(only(AuditRule::orphaned)).value();
        CHECK(report.complete());
        CHECK(lines_of(report) == (is_kept ? Lines{} : Lines{"error orphaned " + key + " proven"}));
        // Of the absent owner, and of a user of the list.
        CHECK(tenant.requests("/v1/users/" + gone.uid) == (is_kept ? 0 : 1));

        // Where the record is kept, a roster tells; without one, the last sign-in lets it be inferred.
        std::string people = "email\nhere@acme.test\n";
        for (auto const role : {Role::tenant_admin, Role::tenant_user_admin, Role::tenant_viewer, Role::user})
            people += tenant.emulator.user(role).email + '\n';
        auto const roster = Roster::parse(people).value();
        CHECK(lines_of(tenant.audit(only(AuditRule::orphaned).roster(roster)).value()) ==
              Lines{"error orphaned " + key + " proven"});
        tenant.time.clock->advance(days{181});
        auto const later = tenant.audit(AuditPolicy().only({AuditRule::inactive_owner})).value();
        auto const inferred = "note inactive-owner " + key + " inferred";
        CHECK(std::ranges::count(lines_of(later), inferred) == (is_kept ? 1 : 0));
    }
}

TEST_CASE("audit: the owner who is inactive or pending is inferred, and a local user leaves no key") {
    Tenant tenant;
    tenant.add("active");
    tenant.add("inactive", NewTestUser{.email = {}}.inactive());
    tenant.add("pending", NewTestUser{.email = {}}.pending());
    auto const local = tenant.add("local", NewTestUser{.email = {}}.last_sign_in(tenant.time.clock->now()));
    tenant.emulator.remove_user(local.uid);
    auto lines =
        lines_of(tenant.audit(AuditPolicy().only({AuditRule::orphaned, AuditRule::inactive_owner})).value());
    Lines wanted{"warning inactive-owner " + tenant.keys["inactive"] + " inferred",
                 "warning inactive-owner " + tenant.keys["pending"] + " inferred"};
    std::ranges::sort(wanted);
    CHECK(lines == wanted);
}

TEST_CASE("audit: a key in use looks idle unless the service moves the last sign-in or has an event") {
    struct Row {
        bool moves_sign_in, audits_keys, reads_events, is_idle;
    };
    for (auto const& row :
         {Row{false, false, false, true}, Row{false, false, true, true}, Row{false, true, false, true},
          Row{false, true, true, false}, Row{true, false, false, false}, Row{true, true, true, false}}) {
        CAPTURE(row.moves_sign_in);
        CAPTURE(row.audits_keys);
        CAPTURE(row.reads_events);
        Assumptions assumptions;
        assumptions.key_use_moves_last_sign_in = row.moves_sign_in;
        assumptions.key_operations_audited = row.audits_keys;
        Tenant tenant(assumptions);
        auto const ada = tenant.add("ada");
        auto const used = tenant.emulator.seed_key(NewApiKey("used").for_user(ada.uid).lives_for(days{300}));
        tenant.time.clock->advance(days{95});
        // What the owner does with the key is to give another one a description.
        auto const other = tenant.keys["ada"];
        bool has_changed = false;
        tenant.use(used.secret(), [&](ApiKeyClient& client) {
            client.async_update(other, ApiKeyEdit().description("in use"), [&](const Result<ApiKey>& r) {
                has_changed = r.has_value();
                CHECK(r);
            });
        });
        CHECK(has_changed);
        auto const policy = only(AuditRule::idle).read_events(row.reads_events);
        auto const lines = lines_of(tenant.audit(policy).value());
        auto const finding = "note idle " + used.uid() + " inferred";
        CHECK(std::ranges::count(lines, finding) == (row.is_idle ? 1 : 0));
        // This one was changed: no doubt about it.
        CHECK(std::ranges::count(lines, "note idle " + other + " inferred") == 0);
    }
}

TEST_CASE("audit: a user at the limit, and two keys of one name, are told") {
    Tenant tenant;
    auto const ada = tenant.add("ada");
    for (int i = 0; i < 19; ++i)
        tenant.emulator.seed_key(NewApiKey("same").for_user(ada.uid).lives_for(days{300}));
    auto const policy = AuditPolicy().only({AuditRule::quota, AuditRule::duplicate_name});
    auto const report = tenant.audit(policy).value();
    CHECK(report.count(AuditRule::duplicate_name) == 18);
    CHECK(lines_of(report).front() == "error quota " + ada.uid + " proven");
}

TEST_CASE("audit: a key that was revoked long ago, and is still there, is told") {
    Tenant tenant;
    tenant.add("ada");
    auto const key = tenant.keys["ada"];
    tenant.time.clock->advance(days{50});
    bool is_revoked = false;
    tenant.use(tenant.emulator.user(Role::tenant_admin).api_key, [&](ApiKeyClient& client) {
        client.async_revoke(key, [&](const Result<void>& r) { is_revoked = r.has_value(); });
    });
    CHECK(is_revoked);
    auto const policy = only(AuditRule::revoked_and_forgotten);
    tenant.time.clock->advance(days{89});
    CHECK(tenant.audit(policy).value().findings.empty());
    tenant.time.clock->advance(days{2});
    CHECK(lines_of(tenant.audit(policy).value()) == Lines{"note revoked-and-forgotten " + key + " proven"});
}

TEST_CASE("audit: the key that a create has left behind is told, and the one it delivered is not") {
    Tenant tenant;
    std::shared_ptr<const PendingCreate> pending;
    tenant.emulator.faults().add("POST /v1/apiKeys drop-after x1");
    tenant.emulator.faults().add("GET /v1/apiKeys status:503 x20");
    tenant.use(tenant.emulator.user(Role::tenant_admin).api_key, [&](ApiKeyClient& client) {
        client.async_create(NewApiKey("ci"), [&](const Result<CreatedApiKey>& r) {
            if (!r) pending = r.error().pending();
        });
        tenant.time.run_until([&] { return pending != nullptr; });
    });
    tenant.emulator.faults().clear();
    std::string delivered;
    tenant.use(tenant.emulator.user(Role::tenant_admin).api_key, [&](ApiKeyClient& client) {
        client.async_create(NewApiKey("ci"), [&](const Result<CreatedApiKey>& r) { delivered = r->uid(); });
        tenant.time.run_until([&] { return !delivered.empty(); });
    });
    auto const policy = only(AuditRule::pending_create);
    CHECK(tenant.audit(policy).value().findings.empty());
    auto const report = tenant.audit(AuditPolicy(policy).pending(*pending)).value();
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].grade == lifecycle::Grade::proven);
    CHECK(report.findings[0].key->name == "ci");
    CHECK(report.findings[0].key->uid != delivered);
}

TEST_CASE("audit: who may not read users, limits and the audit log gets a report that is not complete") {
    Tenant tenant;
    auto const own = tenant.emulator.user(Role::user).uid;
    tenant.add("other");
    auto const policy = AuditPolicy().read_events(true);
    auto const report = tenant.audit(policy, Role::user).value();
    CHECK_FALSE(report.complete());
    CHECK(report.keys == 1);  // their own
    CHECK_FALSE(report.users);
    CHECK_FALSE(report.events);
    REQUIRE(report.not_judged.size() == 3);
    CHECK(contains(report.not_judged[0], "users could not be read: HTTP 403"));
    CHECK(contains(report.not_judged[0], "orphaned, inactive-owner, idle"));
    CHECK(contains(report.not_judged[1], "limit on keys could not be read: HTTP 403"));
    CHECK(contains(report.not_judged[2], "audit log could not be read: HTTP 403"));
    CHECK(lines_of(report) ==
          Lines{"error never-expires " + tenant.emulator.user(Role::user).api_key_uid + " proven"});
    CHECK(contains(report.to_text(), "NOT complete"));
    CHECK(contains(report.to_json(), "\"complete\": false"));
    CHECK(contains(report.to_html(), "Not complete"));
}

TEST_CASE("audit: a fault in the middle of the list of users makes no orphan") {
    for (std::string const kind :
         {"status:500", "status:403", "garbage", "truncate", "wrong-type", "drop-before"}) {
        // The first is whoami, the second the first page.
        auto const fault = "GET /v1/users " + kind + " after=2";
        CAPTURE(fault);
        Tenant tenant;
        for (int i = 0; i < 70; ++i)
            tenant.add("sso-" + std::to_string(i));
        // Those of the second page are not known now, and one is gone.
        auto const gone = tenant.add("gone");
        tenant.emulator.remove_user(gone.uid);
        auto const policy = AuditPolicy().only({AuditRule::orphaned, AuditRule::expired});
        CHECK(tenant.audit(policy).value().count(AuditRule::orphaned) == 1);

        tenant.emulator.faults().add(fault);
        auto const report = tenant.audit(policy).value();
        CHECK(tenant.emulator.faults().injected() > 0);
        CHECK(report.findings.empty());
        CHECK_FALSE(report.users);
        REQUIRE(report.not_judged.size() == 1);
        CHECK(contains(report.not_judged[0], "users could not be read"));
    }
}

TEST_CASE("audit: an owner is proven to be gone only if reading another user succeeds") {
    struct Row {
        std::string fault;
        const char* line;
        const char* words;
    };
    Tenant tenant;
    auto const gone = tenant.add("gone");
    tenant.emulator.remove_user(gone.uid);
    auto const control = tenant.emulator.user(Role::tenant_admin).uid;
    auto const absent = "GET /v1/users/" + gone.uid;
    for (auto const& [fault, line, words] :
         {Row{absent + " status:403", "warning orphaned ", "exists: HTTP 403"},
          Row{absent + " status:500", "warning orphaned ", "exists: HTTP 500"},
          Row{absent + " garbage", "warning orphaned ", "exists: HTTP 200"},
          // Of something in between, which does not know what users there are.
          Row{absent + " html:404", "warning orphaned ", "exists: HTTP 404"},
          Row{"GET /v1/users/" + control + " status:404", "warning orphaned ", "not proven to be gone"},
          Row{"GET /v1/users/" + control + " status:403", "warning orphaned ", "not proven to be gone"}}) {
        CAPTURE(fault);
        tenant.emulator.faults().clear();
        tenant.emulator.faults().add(fault);
        auto const report = tenant.audit(only(AuditRule::orphaned)).value();
        CHECK(lines_of(report) == Lines{line + tenant.keys["gone"] + " inferred"});
        CHECK_FALSE(report.complete());
        REQUIRE(report.not_judged.size() == 1);
        CHECK(contains(report.not_judged[0], words));
    }
}

TEST_CASE("audit: owners are proven to be gone only between two reads that find another user") {
    Tenant tenant;
    std::vector<std::string> keys;  // in the order in which their owners are asked for
    {
        std::map<std::string, std::string> by_owner;
        for (int i = 0; i < 25; ++i) {
            auto const name = "gone-" + std::to_string(i);
            auto const gone = tenant.add(name);
            by_owner[gone.uid] = tenant.keys[name];
            tenant.emulator.remove_user(gone.uid);
        }
        for (auto const& [owner, key] : by_owner)
            keys.push_back(key);
    }
    auto const control = "/v1/users/" + tenant.emulator.user(Role::tenant_admin).uid;
    struct Row {
        std::string fault;
        int proven_from, proven_to;
    };
    // The control is read before the first, behind the twentieth, and at the end.
    for (auto const& [fault, from, to] : {Row{"status:404 x1", 20, 25}, Row{"status:404 x1 after=1", 0, 0},
                                          Row{"status:404 x1 after=2", 0, 20}, Row{"delay:0", 0, 25}}) {
        CAPTURE(fault);
        tenant.emulator.faults().clear();
        tenant.emulator.faults().add("GET " + control + ' ' + fault);
        auto const before = tenant.requests(control);
        auto const report = tenant.audit(only(AuditRule::orphaned)).value();
        CHECK(tenant.requests(control) - before == 3);
        Lines wanted;
        for (int i = 0; i < 25; ++i) {
            bool const is_proven = i >= from && i < to;
            wanted.push_back((is_proven ? "error orphaned " : "warning orphaned ") +
                             keys[static_cast<std::size_t>(i)] + (is_proven ? " proven" : " inferred"));
        }
        auto lines = lines_of(report);
        std::ranges::sort(lines);
        std::ranges::sort(wanted);
        CHECK(lines == wanted);
        CHECK(report.complete() == (to - from == 25));
        if (!report.complete())
            CHECK(contains(report.not_judged[0], std::to_string(25 - (to - from)) + " owners not found"));
    }
}

TEST_CASE("audit: a credential that finds its own user, and no other, proves no owner to be gone") {
    Tenant tenant;
    auto const gone = tenant.add("gone");
    tenant.emulator.remove_user(gone.uid);
    // The first of the list is the caller.
    for (auto const role : {Role::tenant_user_admin, Role::tenant_viewer, Role::user})
        tenant.emulator.faults().add("GET /v1/users/" + tenant.emulator.user(role).uid + " status:404");
    auto const report = tenant.audit(only(AuditRule::orphaned), Role::tenant_admin).value();
    CHECK(lines_of(report) == Lines{"warning orphaned " + tenant.keys["gone"] + " inferred"});
    REQUIRE(report.not_judged.size() == 1);
    CHECK(contains(report.not_judged[0], "not proven to be gone"));
}

TEST_CASE("audit: without the keys, or the caller, there is no report") {
    Tenant tenant;
    tenant.emulator.faults().add("GET /v1/apiKeys status:403");
    auto const no_keys = tenant.audit(AuditPolicy());
    REQUIRE_FALSE(no_keys);
    CHECK(no_keys.error().code() == errc::forbidden);
    CHECK(no_keys.error().operation() == "visit");
    tenant.emulator.faults().add("GET /v1/users/info status:403");
    auto const nobody = tenant.audit(AuditPolicy());
    REQUIRE_FALSE(nobody);
    CHECK(nobody.error().operation() == "whoami");
}

TEST_CASE("audit: more keys than the policy allows are too many to be held") {
    Tenant tenant;
    tenant.add("ada");
    auto const keys = tenant.emulator.keys().size();
    CHECK(tenant.audit(AuditPolicy().max_keys(keys)).value().keys == keys);
    auto const report = tenant.audit(AuditPolicy().max_keys(keys - 1));
    REQUIRE_FALSE(report);
    CHECK(report.error().code() == errc::too_large);
    CHECK(contains(report.error().what(), "max_keys() allows (" + std::to_string(keys - 1) + ')'));
}

TEST_CASE("audit: a policy that cannot be meant is refused before anything is read") {
    struct Row {
        AuditPolicy policy;
        const char* field;
    };
    constexpr auto century = days{36'501};
    Tenant tenant;
    for (auto const& [policy, field] :
         {Row{AuditPolicy().expiring_within(-1ms), "expiring_within"},
          Row{AuditPolicy().expiring_within(century), "expiring_within"},
          Row{AuditPolicy().max_life(-1ms), "max_life"}, Row{AuditPolicy().max_age(-1ms), "max_age"},
          Row{AuditPolicy().revoked_for(-1ms), "revoked_for"}, Row{AuditPolicy().idle_for(-1ms), "idle_for"},
          Row{AuditPolicy().idle_for(std::chrono::milliseconds::max()), "idle_for"},
          Row{AuditPolicy().inactive_sign_in(-1ms), "inactive_sign_in"},
          Row{AuditPolicy().quota_share(-0.1), "quota_share"},
          Row{AuditPolicy().quota_share(1.1), "quota_share"},
          Row{AuditPolicy().quota_share(std::numeric_limits<double>::quiet_NaN()), "quota_share"},
          Row{AuditPolicy().roster(Roster()), "roster"}}) {
        auto const report = tenant.audit(policy);
        REQUIRE_FALSE(report);
        CHECK(report.error().code() == errc::invalid_argument);
        CHECK(report.error().path() == field);
        CHECK(report.error().operation() == "audit");
    }
    CHECK(tenant.emulator.request_count() == 0);
}

TEST_CASE("audit: the options of the call are those of each request, and a large tenant has time") {
    Tenant tenant;
    auto options = tenant.emulator.client_options(Role::tenant_admin);
    tenant.time.watch(options);
    ApiKeyClient client(tenant.time.context, options);
    auto const audit = [&](const CallOptions& call) {
        std::optional<Result<AuditReport>> report;
        lifecycle::async_audit(client, AuditPolicy(), call,
                               [&](Result<AuditReport> r) { report.emplace(std::move(r)); });
        tenant.time.run_until([&] { return report.has_value(); });
        return *std::move(report);
    };
    auto const late = audit(CallOptions().deadline(tenant.time.clock->now() - 1s));
    REQUIRE_FALSE(late);
    CHECK(late.error().code() == errc::timeout);
    CHECK(tenant.emulator.request_count() == 0);
    // Longer than all that one operation has as a rule.
    tenant.emulator.faults().add("GET /v1/apiKeys status:429 x3");
    auto const begin = tenant.time.clock->now();
    CHECK(audit(CallOptions().deadline(1h)));
    CHECK(tenant.time.clock->now() > begin);
}

TEST_CASE("audit: a cancellation ends it, and the client can be used") {
    Tenant tenant;
    tenant.emulator.faults().add("GET /v1/apiKeys delay:60000 x1");
    auto options = tenant.emulator.client_options(Role::tenant_admin);
    tenant.time.watch(options);
    ApiKeyClient client(tenant.time.context, options);
    boost::asio::cancellation_signal signal;
    std::optional<Result<AuditReport>> report;
    lifecycle::async_audit(client,
                           boost::asio::bind_cancellation_slot(
                               signal.slot(), [&](Result<AuditReport> r) { report.emplace(std::move(r)); }));
    while (tenant.requests("/v1/apiKeys") == 0)
        tenant.time.context.run_one_for(1ms);
    CHECK_FALSE(report);
    signal.emit(boost::asio::cancellation_type::terminal);
    tenant.time.run_until([&] { return report.has_value(); });
    REQUIRE_FALSE(*report);
    CHECK(report->error().code() == errc::operation_aborted);
    std::optional<Result<Identity>> who;
    client.async_whoami([&](Result<Identity> r) { who.emplace(std::move(r)); });
    tenant.time.run_until([&] { return who.has_value(); });
    CHECK(*who);
}

TEST_CASE("audit: a cancelled audit sends no further request") {
    for (std::string const at : {"/v1/users", "/resourceLimits", "/v1/audits", "/v1/users/gone"}) {
        CAPTURE(at);
        Tenant tenant;
        auto const gone = tenant.add("gone");
        tenant.emulator.remove_user(gone.uid);
        auto const& own = tenant.emulator.tenant_uid();
        auto const path = at == "/resourceLimits"  ? "/v1/tenants/" + own + at
                          : at == "/v1/users/gone" ? "/v1/users/" + gone.uid
                                                   : at;
        // The first of those that begin with /v1/users is whoami.
        tenant.emulator.faults().add("GET " + path + " delay:60000" + (at == "/v1/users" ? " after=1" : ""));
        auto options = tenant.emulator.client_options(Role::tenant_admin);
        tenant.time.watch(options);
        ApiKeyClient client(tenant.time.context, options);
        boost::asio::cancellation_signal signal;
        std::optional<Result<AuditReport>> report;
        lifecycle::async_audit(client, AuditPolicy().read_events(true),
                               boost::asio::bind_cancellation_slot(signal.slot(), [&](Result<AuditReport> r) {
                                   report.emplace(std::move(r));
                               }));
        while (tenant.requests(path) == 0)
            tenant.time.context.run_one_for(1ms);
        auto const sent = tenant.emulator.request_count();
        signal.emit(boost::asio::cancellation_type::terminal);
        tenant.time.run_until([&] { return report.has_value(); });
        REQUIRE_FALSE(*report);
        CHECK(report->error().code() == errc::operation_aborted);
        CHECK(tenant.emulator.request_count() == sent);
    }
}

TEST_CASE("audit: a program without an event loop waits for the report") {
    testing::Emulator const emulator({.plain_http = true, .rate_limit = testing::RateLimit::off()});
    BlockingApiKeyClient client(emulator.client_options(Role::tenant_admin));
    auto const report = lifecycle::audit(client);
    REQUIRE(report);
    CHECK(report->count(AuditRule::never_expires) == 4);
    CHECK(lifecycle::audit(client, AuditPolicy().max_age(-1ms)).error().code() == errc::invalid_argument);
}

}  // namespace audit_test
