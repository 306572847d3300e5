// SPDX-License-Identifier: BSL-1.0
// What a create has left behind is cleaned up later, by whoever has its PendingCreate.
#include "support/scene.hpp"

#include <palette/blocking_client.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace reconcile_test {

using namespace std::chrono_literals;
using namespace palette;
using testing::Emulator;
using testing::Role;
using Client = BlockingApiKeyClient;
using Texts = std::vector<std::string>;

struct Cleaning {
    explicit Cleaning(Role role = Role::tenant_admin) : role_(role), client(options()) {}

    [[nodiscard]] ClientOptions options() const {
        auto made = emulator.client_options(role_);
        made.clock = nullptr;
        made.retry.settle_time = 100ms;
        made.retry.initial_backoff = 1ms;
        return made;
    }

    [[nodiscard]] std::vector<ApiKey> made() const { return support::keys_named(emulator, "ci"); }
    [[nodiscard]] Texts made_uids() const {
        Texts uids;
        for (auto const& key : made())
            uids.push_back(key.uid);
        return uids;
    }
    // Until what comes late is there.
    void wait_for_keys(std::size_t count) const {
        clock->advance(1s);
        auto const latest = std::chrono::steady_clock::now() + 10s;
        while (made().size() < count && std::chrono::steady_clock::now() < latest)
            std::this_thread::sleep_for(10ms);
        REQUIRE(made().size() == count);
    }

    // A create whose answer was lost, and whose key comes after it was given up.
    PendingCreate lose(NewApiKey key = NewApiKey("ci")) {
        emulator.faults().add("POST /v1/apiKeys apply-late:700 x1");
        auto const lost = client.create(std::move(key));
        REQUIRE_FALSE(lost);
        REQUIRE(lost.error().pending());
        return *lost.error().pending();
    }

    // Of the service alone: what is to come after a create was given up does not come before that.
    std::shared_ptr<testing::ManualClock> clock = std::make_shared<testing::ManualClock>();
    Emulator emulator{{.clock = clock}};

private:
    Role role_;

public:
    Client client;
};

TEST_CASE("W7 reconcile: what comes late is found by the text that was kept, by another client of the user") {
    for (auto const role : {Role::tenant_admin, Role::user}) {
        Cleaning scene(role);
        auto const text = scene.lose().to_text();
        Client later(scene.options());
        auto const pending = PendingCreate::parse(text).value();
        CHECK(later.reconcile(pending).value() == Reconciliation());
        scene.wait_for_keys(1);
        auto const uids = scene.made_uids();
        CHECK(later.reconcile(pending).value() == Reconciliation(uids));
        CHECK(scene.made().empty());
        CHECK(later.reconcile(pending).value() == Reconciliation());
    }
}

TEST_CASE("W7 reconcile: only keys with the mark of a pending attempt and its owner are deleted") {
    Cleaning scene;
    auto const pending = scene.lose();
    scene.wait_for_keys(1);
    auto const lost = scene.made_uids();
    auto const mark = [&](const std::string& suffix) { return pending.nonce() + suffix; };
    auto const mine = [] { return NewApiKey("ci"); };
    for (auto const& other :
         {mark("-2"), mark("-10"), mark("-01"), mark(""), mark("-1x"), "0" + mark("-1"), std::string()})
        scene.emulator.seed_key(mine().annotate("palette-keys-create", other));
    scene.emulator.seed_key(mine().annotate("other", mark("-1")).label("palette-keys-create", mark("-1")));
    scene.emulator.faults().add("GET /v1/apiKeys page:3");
    auto const before = scene.emulator.keys().size();
    CHECK(scene.client.reconcile(pending).value() == Reconciliation(lost));
    CHECK(scene.emulator.keys().size() == before - 1);
}

TEST_CASE("W7 reconcile: a key with the mark and another owner stays, and an error names it") {
    Cleaning scene;
    auto const pending = scene.lose();
    scene.wait_for_keys(1);
    auto const foreign = scene.emulator.seed_key(NewApiKey("ci")
                                                     .annotate("palette-keys-create", pending.nonce() + "-1")
                                                     .for_user(scene.emulator.user(Role::user).uid));
    for (auto const effect : {Effect::applied, Effect::not_applied}) {  // one's own goes the first time
        auto const refused = scene.client.reconcile(pending);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code() == errc::conflict);
        CHECK(refused.error().effect() == effect);
        CHECK(refused.error().key_uid() == foreign.uid());
        CHECK(scene.made_uids() == Texts{foreign.uid()});
    }
}

TEST_CASE("W7 reconcile: a key whose value was delivered stays, though an earlier attempt is pending") {
    Cleaning scene;
    scene.emulator.faults().add("POST /v1/apiKeys apply-late:600 x1");
    auto const made = scene.client.create(NewApiKey("ci"), CreateOptions().retry_when_unseen());
    REQUIRE(made);
    REQUIRE(made->pending());
    scene.wait_for_keys(2);
    CHECK(scene.client.reconcile(*made->pending()).value().removed().size() == 1);
    CHECK(scene.made_uids() == Texts{made->uid()});
}

TEST_CASE("W7 reconcile: what was asked for somebody else is found as theirs") {
    Cleaning scene;
    auto const colleague = scene.emulator.user(Role::user).uid;
    auto const pending = scene.lose(NewApiKey("ci").for_user(colleague));
    CHECK(pending.owner_uid() == colleague);
    scene.wait_for_keys(1);
    CHECK(scene.client.reconcile(pending).value().removed().size() == 1);
}

TEST_CASE("W7 reconcile: another user, or another tenant, deletes nothing") {
    Cleaning scene;
    auto const pending = scene.lose();
    scene.wait_for_keys(1);
    Client other(scene.emulator.client_options(Role::tenant_user_admin));
    Cleaning elsewhere;
    for (auto* const client : {&other, &elsewhere.client}) {
        auto const refused = client->reconcile(pending);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code() == errc::auth_provider);
        CHECK(refused.error().effect() == Effect::not_applied);
    }
    CHECK(scene.made().size() == 1);
}

TEST_CASE("W7 reconcile: keys that the service refuses to delete stay, and are named") {
    Cleaning scene;
    auto const pending = scene.lose();
    scene.wait_for_keys(1);
    scene.emulator.faults().add("DELETE /v1/apiKeys deny-delete x1");
    CHECK(scene.client.reconcile(pending).value() == Reconciliation({}, scene.made_uids()));
    CHECK(scene.client.reconcile(pending).value().removed().size() == 1);
}

TEST_CASE("W7 reconcile: a failure says what is known, and keeps what is pending") {
    Cleaning scene;
    auto const pending = scene.lose();
    scene.wait_for_keys(1);
    scene.emulator.faults().add("DELETE /v1/apiKeys status:500 x1");
    auto const failed = scene.client.reconcile(pending);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code() == errc::server_error);
    CHECK(failed.error().effect() == Effect::unknown);
    REQUIRE(failed.error().pending());
    CHECK(*failed.error().pending() == pending);
    CHECK(scene.client.reconcile(pending).value().removed().size() == 1);
}

TEST_CASE("W7 nonce: what a killed program has made is found by the nonce that it wrote down before") {
    Cleaning scene;
    auto const nonce = PendingCreate::make_nonce();
    // The program that does not live to see the result.
    auto const made = scene.client.create(NewApiKey("ci"), CreateOptions().nonce(nonce)).value();
    CHECK(scene.made().at(0).annotations["palette-keys-create"] == nonce + "-1");
    REQUIRE(scene.client.create(NewApiKey("ci")));

    Client next(scene.options());
    auto const pending = PendingCreate::of_nonce(nonce, "ci", scene.client.whoami().value()).value();
    CHECK(next.reconcile(pending).value() == Reconciliation({made.uid()}));
    CHECK(scene.made().size() == 1);
}

TEST_CASE("W7 nonce: the record of a key for somebody else is taken from what is to be created") {
    Cleaning scene;
    auto const me = scene.client.whoami().value();
    auto const key = NewApiKey("ci").for_user(scene.emulator.user(Role::user).uid);
    auto const nonce = PendingCreate::make_nonce();
    auto const record = PendingCreate::of_nonce(nonce, key, me).value();
    CHECK(record.name() == "ci");
    CHECK(record.owner_uid() == key.user_uid());
    auto const made = scene.client.create(key, CreateOptions().nonce(nonce)).value();

    // A record that leaves the owner out does not pass the key over in silence.
    auto const ownerless = PendingCreate::of_nonce(nonce, "ci", me).value();
    auto const refused = scene.client.reconcile(ownerless);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == errc::conflict);
    CHECK(refused.error().effect() == Effect::not_applied);
    CHECK(refused.error().key_uid() == made.uid());
    CHECK(scene.made_uids() == Texts{made.uid()});

    CHECK(scene.client.reconcile(record).value() == Reconciliation({made.uid()}));
    CHECK(scene.made().empty());
}

TEST_CASE("W7 reconcile: where marks are seen not to be kept, to find none is an error that names the key") {
    Cleaning scene;
    auto const nonce = PendingCreate::make_nonce();
    auto const record =
        PendingCreate::of_nonce(nonce, NewApiKey("ci"), scene.client.whoami().value()).value();
    CHECK(scene.client.reconcile(record).value() == Reconciliation());
    scene.emulator.faults().add("POST /v1/apiKeys strip-annotations x1");
    REQUIRE(scene.client.create(NewApiKey("ci"), CreateOptions().nonce(nonce)));
    auto const failed = scene.client.reconcile(record);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code() == errc::bad_value);
    CHECK(failed.error().effect() == Effect::not_applied);
    CHECK(failed.error().path() == "metadata.annotations");
    CHECK(failed.error().advice().find("\"ci\"") != std::string::npos);
    CHECK(scene.made().size() == 1);
}

TEST_CASE(
    "W7 reconcile: the record of a nonce is its user's: another's credential lists and deletes nothing") {
    Cleaning scene;
    auto const nonce = PendingCreate::make_nonce();
    auto const pending = PendingCreate::of_nonce(nonce, "ci", scene.client.whoami().value()).value();
    REQUIRE(scene.client.create(NewApiKey("ci"), CreateOptions().nonce(nonce)));
    Cleaning elsewhere;
    for (auto* const emulator : {&scene.emulator, &elsewhere.emulator}) {
        Client other(emulator->client_options(Role::tenant_user_admin));
        auto const before = emulator->request_count();
        auto const refused = other.reconcile(PendingCreate::parse(pending.to_text()).value());
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code() == errc::auth_provider);
        CHECK(refused.error().effect() == Effect::not_applied);
        CHECK(emulator->request_count() == before + 1);
        CHECK(emulator->requests().back().path == "/v1/users/info");
    }
    CHECK(scene.made().size() == 1);
    CHECK(scene.client.reconcile(pending).value().removed().size() == 1);
}

TEST_CASE("W7 reconcile: a record without a user or tenant is refused before a byte is sent") {
    Cleaning scene;
    Identity const nobody;
    PendingCreate const pending(PendingCreate::make_nonce(), "ci", "", nobody, Instant(), {1});
    auto const refused = scene.client.reconcile(pending);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == errc::invalid_argument);
    CHECK(scene.emulator.request_count() == 0);
}

TEST_CASE("W7 nonce: given again after a restart it is refused, and the key that bears it is named") {
    Cleaning scene;
    auto const options = CreateOptions().nonce(PendingCreate::make_nonce());
    auto const made = scene.client.create(NewApiKey("ci"), options).value();
    scene.emulator.faults().add("GET /v1/apiKeys page:2");
    Client restarted(scene.options());
    auto const again = restarted.create(NewApiKey("ci"), options);
    REQUIRE_FALSE(again);
    CHECK(again.error().code() == errc::conflict);
    CHECK(again.error().effect() == Effect::not_applied);
    CHECK(again.error().key_uid() == made.uid());
    CHECK(again.error().what().find(made.uid()) != std::string::npos);
    CHECK_FALSE(again.error().pending());
    CHECK(scene.made_uids() == Texts{made.uid()});
}

TEST_CASE("W7 nonce: a create that a kill cut off is cleaned up before its nonce is good again") {
    Cleaning scene;
    auto const nonce = PendingCreate::make_nonce();
    auto const record = PendingCreate::of_nonce(nonce, "ci", scene.client.whoami().value()).value();
    {
        // Killed while it waits for the answer: the key comes, and nobody has the value.
        scene.emulator.faults().add("POST /v1/apiKeys stall x1");
        auto options = scene.options();
        options.timeouts.total = 300ms;
        Client killed(std::move(options));
        CHECK_FALSE(killed.create(NewApiKey("ci"), CreateOptions().nonce(nonce)));
        scene.emulator.seed_key(NewApiKey("ci").annotate("palette-keys-create", nonce + "-1"));
        scene.emulator.faults().clear();  // which may not have been met, on a busy machine
    }
    Client restarted(scene.options());
    auto const refused = restarted.create(NewApiKey("ci"), CreateOptions().nonce(nonce));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == errc::conflict);
    CHECK(restarted.reconcile(record).value().removed() == Texts{refused.error().key_uid()});
    auto const made = restarted.create(NewApiKey("ci"), CreateOptions().nonce(nonce));
    REQUIRE(made);
    CHECK(scene.made_uids() == Texts{made->uid()});
}

TEST_CASE("W7 nonce: where the keys cannot be listed, nothing is asked for") {
    Cleaning scene;
    scene.emulator.faults().add("GET /v1/apiKeys status:403");
    auto const refused =
        scene.client.create(NewApiKey("ci"), CreateOptions().nonce(PendingCreate::make_nonce()));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == errc::forbidden);
    CHECK(refused.error().effect() == Effect::not_applied);
    for (auto const& request : scene.emulator.requests())
        CHECK(request.method == "GET");
    CHECK(scene.made().empty());
}

TEST_CASE("W7 nonce: one that is not given costs no list") {
    Cleaning scene;
    REQUIRE(scene.client.create(NewApiKey("ci")));
    for (auto const& request : scene.emulator.requests())
        CHECK((request.method != "GET" || request.path != "/v1/apiKeys"));
}

TEST_CASE("W7 nonce: of a wrong form, or another create's, it is refused before a byte is sent") {
    Cleaning scene;
    auto const nonce = PendingCreate::make_nonce();
    REQUIRE(scene.client.create(NewApiKey("ci"), CreateOptions().nonce(nonce)));
    auto const before = scene.emulator.request_count();
    for (auto const& wrong :
         {std::string(), nonce + "0", nonce.substr(1), std::string(32, 'A'), std::string(32, 'g'), nonce}) {
        CAPTURE(wrong);
        auto const refused = scene.client.create(NewApiKey("ci"), CreateOptions().nonce(wrong));
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code() == errc::invalid_argument);
        CHECK(refused.error().path() == "nonce");
        CHECK(refused.error().attempts() == 0);
    }
    auto const marked = scene.client.create(NewApiKey("ci").annotate("palette-keys-create", nonce + "-1"));
    REQUIRE_FALSE(marked);
    CHECK(marked.error().code() == errc::invalid_argument);
    CHECK(scene.emulator.request_count() == before);
}

TEST_CASE("W7 nonce: one that a failed create was given may be given again") {
    Cleaning scene;
    auto const options = CreateOptions().nonce(PendingCreate::make_nonce());
    scene.emulator.faults().add("POST /v1/apiKeys status:403 x1");
    CHECK_FALSE(scene.client.create(NewApiKey("ci"), options));
    CHECK(scene.client.create(NewApiKey("ci"), options));
}

TEST_CASE("W7 nonce: that of a create with a key pending is not given again: its key would be cleaned up") {
    Cleaning scene;
    auto const options = CreateOptions().nonce(PendingCreate::make_nonce());
    scene.emulator.faults().add("POST /v1/apiKeys apply-late:700 x1");
    auto const lost = scene.client.create(NewApiKey("ci"), options);
    REQUIRE_FALSE(lost);
    REQUIRE(lost.error().pending());
    auto const again = scene.client.create(NewApiKey("ci"), options);
    if (again) CHECK(scene.client.reconcile(*lost.error().pending()).value().removed().empty());
    REQUIRE_FALSE(again);
    CHECK(again.error().code() == errc::invalid_argument);
    CHECK(again.error().path() == "nonce");
}

}  // namespace reconcile_test
