// SPDX-License-Identifier: BSL-1.0
#include "support/printed.hpp"
#include "support/watched.hpp"

#include <palette/blocking_client.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/scripted_transport.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace bad_input_test {

using namespace std::chrono_literals;
using namespace palette;
using support::outcome;
using testing::Emulator;
using testing::Role;
using testing::ScriptedTransport;
using Client = BlockingApiKeyClient;

constexpr auto uid = "0123456789abcdef01234567";
const std::string not_utf8 = "caf\xE9";
const std::string too_long(254, 'n');
const Expiry yesterday = Expiry::in(-std::chrono::days{1});

// Empty for a success.
template <class T>
std::string complaint(const Result<T>& result) {
    return result ? "" : result.error().message();
}

Result<void> create(Client& client, NewApiKey key) {
    return outcome(client.create(std::move(key)));
}

Result<void> edit(Client& client, ApiKeyEdit edit) {
    return outcome(client.update(uid, std::move(edit)));
}

struct Row {
    std::string_view title;
    std::string_view path;  // of the error: the field that is wrong
    std::string_view why;   // in the error
    Result<void> (*call)(Client&);
};

// It is refused here: the service sees nothing of it, and the error names the field.
void check_refused(const Row& row, Client& client, const Emulator& emulator) {
    CAPTURE(row.title);
    auto const before = emulator.request_count();
    auto const result = row.call(client);
    CHECK(emulator.request_count() == before);
    REQUIRE_FALSE(result);
    auto const& error = result.error();
    CHECK(error.code() == errc::invalid_argument);
    CHECK(error.effect() == Effect::not_applied);
    CHECK(error.path() == row.path);
    CAPTURE(error.what());
    CHECK(contains(error.what(), row.why));
    CHECK(error.attempts() == 0);
    CHECK(error.status() == 0);
    CHECK(is_one_plain_line(error.message()));
    CHECK(contains(error.message(), "nothing was changed"));
}

template <std::size_t N>
void check_all_refused(const Row (&rows)[N]) {
    Emulator emulator;
    Client client(emulator.client_options(Role::tenant_admin));
    for (auto const& row : rows)
        check_refused(row, client, emulator);
    // And the client works on.
    CHECK(complaint(client.whoami()) == "");
    CHECK(emulator.request_count() == 1);
}

TEST_CASE("client: a name that cannot be is refused before a byte is sent") {
    static const Row rows[] = {
        {"create, empty", "name", "needs a name", [](Client& c) { return create(c, NewApiKey("")); }},
        {"create, too long", "name", "254 bytes is too long",
         [](Client& c) { return create(c, NewApiKey(too_long)); }},
        {"create, line break", "name", "control", [](Client& c) { return create(c, NewApiKey("a\r\nb")); }},
        {"create, NUL", "name", "control",
         [](Client& c) { return create(c, NewApiKey(std::string("a\0b", 3))); }},
        {"create, escape", "name", "control", [](Client& c) { return create(c, NewApiKey("\x1b[2J")); }},
        {"create, delete", "name", "control", [](Client& c) { return create(c, NewApiKey("a\x7F")); }},
        {"update, empty", "name", "needs a name", [](Client& c) { return edit(c, ApiKeyEdit().name("")); }},
        {"update, too long", "name", "254 bytes is too long",
         [](Client& c) { return edit(c, ApiKeyEdit().name(too_long)); }},
        {"update, tabulator", "name", "control",
         [](Client& c) { return edit(c, ApiKeyEdit().name("a\tb")); }},
    };
    check_all_refused(rows);
}

TEST_CASE("client: a name of the greatest length is taken as it is") {
    Emulator emulator;
    Client client(emulator.client_options(Role::tenant_admin));
    std::string const longest(253, 'n');
    CHECK(complaint(client.create(NewApiKey(longest))) == "");
    CHECK(emulator.keys().back().name == longest);
}

// Texts that are no uid, each of which some server on the way could take for another path.
const std::string no_uids[] = {
    "",
    ".",
    "..",
    not_utf8,
    "../users/5f1b0c0de0c0de0c0de0c0de",
    "a/b",
    "a/../b",
    "/",
    "%2e%2e",
    "a%2Fb",
    "..%2Fusers",
    "a\\b",
    "a\r\nX: 1",
    std::string("a\0b", 3),
    "a?b",
    "a#b",
    " ",
    "a b",
    "a;b",
    "a:b",
    "a~b",
    "+&=;",
    "\xC3\xA9",
    "\xEF\xBC\x8F",
    std::string(254, 'a'),
};

TEST_CASE("W22: a uid that could lead to another path is refused by every operation before a byte is sent") {
    static constexpr Result<void> (*operations[])(Client&, const std::string&) = {
        [](Client& c, const std::string& u) { return outcome(c.get(u)); },
        [](Client& c, const std::string& u) { return outcome(c.update(u, ApiKeyEdit().name("n"))); },
        [](Client& c, const std::string& u) {
            ApiKey seen;
            seen.uid = u;
            return outcome(c.update(std::move(seen), ApiKeyEdit().name("n")));
        },
        [](Client& c, const std::string& u) { return outcome(c.renew(u, 24h)); },
        [](Client& c, const std::string& u) { return c.revoke(u); },
        [](Client& c, const std::string& u) { return c.reactivate(u); },
        [](Client& c, const std::string& u) { return c.set_active(u, true); },
        [](Client& c, const std::string& u) { return c.remove(u); },
    };
    Emulator emulator;
    Client client(emulator.client_options(Role::tenant_admin));
    for (auto const& text : no_uids) {
        for (auto const& operation : operations) {
            CAPTURE(text);
            auto const result = operation(client, text);
            REQUIRE_FALSE(result);
            CHECK(result.error().code() == errc::invalid_argument);
            CHECK(result.error().effect() == Effect::not_applied);
            CHECK(result.error().attempts() == 0);
            CHECK(result.error().path() == "uid");
            CHECK(is_one_plain_line(result.error().message()));
        }
        auto const created = client.create(NewApiKey("n").for_user(text));
        REQUIRE_FALSE(created);
        CHECK(created.error().code() == errc::invalid_argument);
        CHECK(created.error().path() == "user_uid");
    }
    CHECK(emulator.request_count() == 0);
}

TEST_CASE("W22: a uid of letters, digits, dots, hyphens and underscores is sent as it is") {
    Emulator emulator;
    Client client(emulator.client_options(Role::tenant_admin));
    for (std::string const good : {"Az09-._", "...", "-", "a", "5f1b2c3d4e5f6a7b8c9d0e1f"}) {
        CAPTURE(good);
        auto const path = "/v1/apiKeys/" + good;
        auto const saw = [&](const Result<void>& result, std::string_view method, const std::string& p) {
            REQUIRE_FALSE(result);
            CHECK(result.error().code() == errc::not_found);
            auto const request = emulator.requests().back();
            CHECK(request.method == method);
            CHECK(request.path == p);
        };
        saw(outcome(client.get(good)), "GET", path);
        saw(client.revoke(good), "PUT", path + "/state");
        saw(client.set_active(good, true), "PATCH", path);
        saw(client.remove(good), "DELETE", path);
    }
}

TEST_CASE("W22: text that is not UTF-8 is refused with the name of its field before a byte is sent") {
    static const Row rows[] = {
        {"name", "name", "not UTF-8 at byte 3", [](Client& c) { return create(c, NewApiKey(not_utf8)); }},
        {"description", "description", "not UTF-8",
         [](Client& c) { return create(c, NewApiKey("n").description(not_utf8)); }},
        {"name of an annotation", "metadata.annotations[\"caf\\xe9\"]", "not UTF-8",
         [](Client& c) { return create(c, NewApiKey("n").annotate(not_utf8, "v")); }},
        {"annotation", "metadata.annotations[\"team\"]", "not UTF-8",
         [](Client& c) { return create(c, NewApiKey("n").annotate("team", not_utf8)); }},
        {"name of a label", "metadata.labels[\"caf\\xe9\"]", "not UTF-8",
         [](Client& c) { return create(c, NewApiKey("n").label(not_utf8, "v")); }},
        {"label", "metadata.labels[\"team\"]", "not UTF-8",
         [](Client& c) { return create(c, NewApiKey("n").label("team", not_utf8)); }},
    };
    check_all_refused(rows);
}

TEST_CASE("W22: text of an edit that is not UTF-8 is refused before a byte is sent") {
    static const Row rows[] = {
        {"name", "name", "not UTF-8", [](Client& c) { return edit(c, ApiKeyEdit().name(not_utf8)); }},
        {"description", "description", "not UTF-8",
         [](Client& c) { return edit(c, ApiKeyEdit().description(not_utf8)); }},
    };
    check_all_refused(rows);
}

TEST_CASE("W22: an e-mail address that is not UTF-8 is refused before a byte is sent") {
    static const Row rows[] = {
        {"e-mail", "email", "not UTF-8", [](Client& c) { return outcome(c.find_user(not_utf8)); }},
    };
    check_all_refused(rows);
}

TEST_CASE("client: an edit or a question about nothing is refused before a byte is sent") {
    static const Row rows[] = {
        {"empty edit", "edit", "changes nothing", [](Client& c) { return edit(c, ApiKeyEdit()); }},
        {"no address", "email", "e-mail address", [](Client& c) { return outcome(c.find_user("")); }},
        {"renewed for nothing", "duration", "from now on",
         [](Client& c) { return outcome(c.renew(uid, 0ms)); }},
        {"renewed backwards", "duration", "from now on",
         [](Client& c) { return outcome(c.renew(uid, -1h)); }},
    };
    check_all_refused(rows);
}

TEST_CASE(
    "client: an expiry that has passed is refused before anything is changed, by the time of the service") {
    Emulator emulator;
    Client client(emulator.client_options(Role::tenant_admin));
    auto const made = client.create(NewApiKey("n")).value().uid();
    auto const before = emulator.keys();
    Result<void> const refused[] = {
        create(client, NewApiKey("n").expires(yesterday)),
        outcome(client.update(made, ApiKeyEdit().expires(yesterday))),
        outcome(client.renew(made, yesterday, ChangeOptions().allow_shorter())),
    };
    for (auto const& result : refused) {
        REQUIRE_FALSE(result);
        CHECK(result.error().code() == errc::invalid_argument);
        CHECK(result.error().effect() == Effect::not_applied);
        CHECK(result.error().path() == "expiry");
        CHECK(contains(result.error().what(), "Z, would make a key that does not work"));
        CHECK(is_one_plain_line(result.error().message()));
    }
    CHECK(std::ranges::equal(emulator.keys(), before));
}

TEST_CASE("client: an expiry that has passed is sent to those who ask for it") {
    Emulator emulator({.assumptions = {.past_expiry_accepted = true}});
    Client client(emulator.client_options(Role::tenant_admin));
    auto const allowed = ChangeOptions().allow_past_expiry();
    auto const made = client.create(NewApiKey("n").expires(yesterday), CreateOptions().allow_past_expiry());
    REQUIRE(complaint(made) == "");
    CHECK(client.get(made->uid()).value().expiry == yesterday);
    auto const before = Expiry::at(*yesterday.instant() - 1h);
    CHECK(client.update(made->uid(), ApiKeyEdit().expires(before), allowed).value().expiry == before);

    Emulator strict;
    Client other(strict.client_options(Role::tenant_admin));
    auto const refused = other.create(NewApiKey("n").expires(yesterday), CreateOptions().allow_past_expiry());
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == errc::rejected);
    CHECK(refused.error().effect() == Effect::not_applied);
    CHECK(contains(refused.error().server_message(), "spec.expiry"));
}

TEST_CASE("client: a description of any length and content comes back as it was") {
    Emulator emulator;
    Client client(emulator.client_options(Role::tenant_admin));
    std::string text;
    while (text.size() < 100 * 1024)
        text += "\"quoted\" \\ \x01\n\t \xC3\xA9 \xF0\x9F\x94\x91 ";
    auto const made = client.create(NewApiKey("n").description(text).label("", "").annotate("a b", text));
    REQUIRE(complaint(made) == "");
    auto const key = client.get(made->uid()).value();
    CHECK(key.description == text);
    CHECK(key.annotations["a b"] == text);
    CHECK(key.labels.contains(""));
    text += '.';
    CHECK(client.update(made->uid(), ApiKeyEdit().description(text)).value().description == text);
}

TEST_CASE("client: a deadline of any length is kept") {
    Emulator emulator;
    auto options = emulator.client_options(Role::tenant_admin);
    Client client(options);
    for (auto const longest : {std::chrono::milliseconds{24h * 365 * 300}, std::chrono::milliseconds::max()})
        CHECK(complaint(client.whoami(CallOptions().deadline(longest))) == "");
    options.timeouts.queue = options.timeouts.total = options.timeouts.read = options.timeouts.lookup =
        options.timeouts.connect = options.timeouts.handshake = std::chrono::milliseconds::max();
    Client patient(options);
    CHECK(complaint(patient.whoami()) == "");
}

TEST_CASE("client: a deadline that has passed already ends it before a byte is sent, and is named") {
    Emulator emulator;
    Client client(emulator.client_options(Role::tenant_admin));
    for (bool const connected : {false, true}) {
        if (connected) REQUIRE(client.whoami());
        auto const before = emulator.request_count();
        for (auto const time : {0ms, -1ms, std::chrono::milliseconds::min()}) {
            for (auto const& result : {outcome(client.whoami(CallOptions().deadline(time))),
                                       client.revoke(uid, CallOptions().deadline(time))}) {
                REQUIRE_FALSE(result);
                CHECK(result.error().code() == errc::timeout);
                CHECK(result.error().effect() == Effect::not_applied);
                CHECK(result.error().attempts() == 0);
                CAPTURE(result.error().what());
                CHECK(contains(result.error().what(), "deadline"));
            }
        }
        CHECK(emulator.request_count() == before);
    }
}

TEST_CASE("client: options that cannot work are refused when the client is made") {
    struct Change {
        std::string_view title;
        void (*make)(ClientOptions&);
    };
    static constexpr Change changes[] = {
        {"queue", [](ClientOptions& o) { o.timeouts.queue = 0ms; }},
        {"total", [](ClientOptions& o) { o.timeouts.total = 0ms; }},
        {"lookup", [](ClientOptions& o) { o.timeouts.lookup = 0ms; }},
        {"connect", [](ClientOptions& o) { o.timeouts.connect = -1ms; }},
        {"handshake", [](ClientOptions& o) { o.timeouts.handshake = 0ms; }},
        {"read", [](ClientOptions& o) { o.timeouts.read = 0ms; }},
        {"ca_file", [](ClientOptions& o) { o.tls.ca_file = "/no/such/file"; }},
    };
    for (auto const& change : changes) {
        CAPTURE(change.title);
        ClientOptions options;
        change.make(options);
        auto code = errc::transport;
        try {
            Client const client(options);
        } catch (const Exception& e) {
            code = e.error().code();
            CHECK(e.error().effect() == Effect::not_applied);
        }
        CHECK(code == errc::invalid_argument);
    }
}

TEST_CASE("W22: a credential that no header can carry is refused before the transport sees it") {
    for (auto const* const value : {"", "line\r\nbreak", "bell\a"}) {
        auto const transport = std::make_shared<ScriptedTransport>();
        transport->expect("GET /v1/users/info").answer(200, R"({"userUid":"u","tenantUid":"t"})");
        ClientOptions options;
        options.transport = transport;
        class Given final : public AuthProvider {
        public:
            explicit Given(std::string_view text) : text_(text) {}
            boost::asio::awaitable<Result<std::shared_ptr<const Credential>>> credential(
                CredentialRequest) override {
                co_return Credential::api_key(Secret(text_));
            }

        private:
            std::string_view text_;
        };
        options.auth = std::make_shared<Given>(value);
        Client client(options);
        auto const result = client.whoami();
        REQUIRE_FALSE(result);
        CHECK(result.error().code() == errc::auth_provider);
        CHECK(result.error().effect() == Effect::not_applied);
        CHECK_FALSE(contains(result.error().message(), "break"));
        CHECK(transport->requests().empty());
    }
}

}  // namespace bad_input_test
