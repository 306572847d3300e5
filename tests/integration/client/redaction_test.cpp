// SPDX-License-Identifier: BSL-1.0
#include "support/hostile_texts.hpp"
#include "support/one_attempt.hpp"
#include "support/printed.hpp"
#include "support/secret_forms.hpp"
#include "support/tls_server.hpp"
#include "support/watched.hpp"

#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace redaction_test {

using namespace palette;
using support::outcome;
using testing::Emulator;
using testing::Role;
using Client = BlockingApiKeyClient;
using Texts = std::set<std::string>;

constexpr auto uid = "0123456789abcdef01234567";
// What the forms treat differently, as far as it can stand in a header.
constexpr std::string_view key = "NjQ3/ZDk2+YTc2\"MWYw\\NGE1%41NDM4==";

// All that somebody can read of an error.
void add_texts(Texts& texts, const Error& error) {
    for (auto const* const text : {&error.what(), &error.path(), &error.key_uid(), &error.operation(),
                                   &error.server_code(), &error.server_message(), &error.ref()})
        texts.insert(*text);
    texts.insert(error.message());
    texts.insert(printed(error));
    texts.insert(Exception(error).what());
}

void check_hidden(const Texts& texts, const std::vector<std::string>& secrets) {
    static std::set<std::pair<std::string, std::string>> checked;
    for (auto const& text : texts)
        for (auto const& secret : secrets) {
            if (!checked.emplace(text, secret).second) continue;
            CAPTURE(text);
            CAPTURE(secret);
            CHECK_FALSE(forms::reveals(text, secret));
        }
}

bool any_redacted(const Texts& texts) {
    return std::ranges::any_of(texts, [](const std::string& text) { return contains(text, "<redacted>"); });
}

// All texts that a client shows to its observer.
class Witness final : public Observer {
public:
    void on_attempt(const AttemptEvent& event) noexcept override {
        std::lock_guard const lock(mutex_);
        for (auto const text : {event.operation, event.method, event.path_template, event.server_address})
            texts_.emplace(text);
    }
    void on_operation(const OperationEvent& event) noexcept override {
        std::lock_guard const lock(mutex_);
        texts_.emplace(event.operation);
    }
    [[nodiscard]] Texts texts() const {
        std::lock_guard const lock(mutex_);
        return texts_;
    }

private:
    mutable std::mutex mutex_;
    Texts texts_;
};

struct Operation {
    const char* name;
    Result<void> (*run)(Client&);
};

constexpr Operation operations[] = {
    {"list", [](Client& c) { return outcome(c.list()); }},
    {"find", [](Client& c) { return outcome(c.find("ci")); }},
    {"get", [](Client& c) { return outcome(c.get(uid)); }},
    {"create", [](Client& c) { return outcome(c.create(NewApiKey("ci"))); }},
    {"update", [](Client& c) { return outcome(c.update(uid, ApiKeyEdit().name("new"))); }},
    {"renew",
     [](Client& c) { return outcome(c.renew(uid, std::chrono::hours(1), ChangeOptions().allow_shorter())); }},
    {"revoke", [](Client& c) { return c.revoke(uid); }},
    {"reactivate", [](Client& c) { return c.reactivate(uid); }},
    {"set_active", [](Client& c) { return c.set_active(uid, false); }},
    {"remove", [](Client& c) { return c.remove(uid); }},
    {"whoami", [](Client& c) { return outcome(c.whoami()); }},
    {"find_user", [](Client& c) { return outcome(c.find_user("ada@acme.com")); }},
    {"list_users", [](Client& c) { return outcome(c.list_users()); }},
    {"get_user", [](Client& c) { return outcome(c.get_user(uid)); }},
    {"list_audit_events", [](Client& c) { return outcome(c.list_audit_events(AuditEventFilter())); }},
    {"key_limit", [](Client& c) { return outcome(c.key_limit()); }},
    {"visit",
     [](Client& c) { return outcome(c.visit(ListFilter(), [](ApiKey&&) { return Result<void>(); })); }},
};

// A service that gives the same answer to all, its body in two pieces.
class Canned final : public Transport {
public:
    int status = 404;
    std::string body;
    std::size_t cut = 0;
    std::function<Result<void>(const HttpRequest&)> before{};  // an error ends the exchange

    boost::asio::awaitable<Result<void>> exchange(const HttpRequest& request, ResponseSink& sink,
                                                  ExchangeReport& report) override {
        report.sent = true;
        if (before)
            if (auto ended = before(request); !ended) co_return ended;
        HttpResponse response;
        response.status = status;
        sink.head(std::move(response));
        // What the sink does not like ends the exchange.
        for (auto const piece : {std::string_view(body).substr(0, cut), std::string_view(body).substr(cut)})
            if (!piece.empty() && !sink.body(piece)) co_return Error(errc::transport, "the sink ended it");
        co_return Result<void>();
    }
};

// The key, and another whenever one was rejected: as many as there are.
class Keys final : public AuthProvider {
public:
    explicit Keys(std::vector<std::string> keys) : keys_(std::move(keys)) {}

    boost::asio::awaitable<Result<std::shared_ptr<const Credential>>> credential(
        CredentialRequest request) override {
        if (request.reason() == CredentialRequest::Reason::rejected && next_ + 1 < keys_.size()) ++next_;
        if (request.previous() && request.previous()->value().expose() == keys_[next_])
            co_return request.previous();
        co_return Credential::api_key(Secret(keys_[next_]));
    }

private:
    std::vector<std::string> keys_;
    std::size_t next_ = 0;
};

// Answers to a create, and to what a client may ask before: who it is.
std::function<Result<void>(const HttpRequest&)> creates(Canned& service, std::string answer) {
    return [&service, answer = std::move(answer)](const HttpRequest& request) -> Result<void> {
        auto const is_identity = request.target.starts_with("/v1/users/info");
        service.status = request.method == "POST" ? 201 : is_identity ? 200 : 404;
        service.body = request.method == "POST" ? answer
                       : is_identity            ? R"({"userUid":"u","tenantUid":"t"})"
                                                : "{}";
        return {};
    };
}

struct Scene {
    explicit Scene(std::vector<std::string> keys = {std::string(key)}) : secrets(keys) {
        options.transport = transport;
        options.rate_limit = RateLimitOptions::off();
        options.observer = witness;
        options.auth = std::make_shared<Keys>(std::move(keys));
        client = std::make_unique<Client>(options);
    }

    Texts refusal(const Operation& operation = operations[0]) {
        Texts texts;
        auto const result = operation.run(*client);
        CHECK_FALSE(result);
        if (!result) add_texts(texts, result.error());
        return texts;
    }

    std::vector<std::string> secrets;
    std::shared_ptr<Canned> transport = std::make_shared<Canned>();
    std::shared_ptr<Witness> witness = std::make_shared<Witness>();
    ClientOptions options = one_attempt();
    std::unique_ptr<Client> client;
};

// Where careless servers put what they quote. `@` stands for it, as the text of a JSON string.
struct Place {
    const char* name;
    int status;
    const char* body;
    bool is_shown;  // in an error, redacted
};

constexpr Place places[] = {
    {"message", 404, R"({"code":"NotFound","message":"nothing for '@'.","ref":"r-1"})", true},
    {"code", 403, R"({"code":"@","message":"no"})", true},
    {"ref", 400, R"({"ref":"@","message":"no"})", true},
    {"everywhere", 403, R"({"code":"@","message":"@@ @","ref":"@"})", true},
    {"details", 422, R"({"message":"no","details":{"@":["@",{"key":"@"}]}})", false},
    {"a long message", 404, R"({"message":"x......................................................@"})",
     true},
    {"a time", 200, R"({"items":[{"metadata":{"creationTimestamp":"@"}}]})", true},
    {"an expiry", 200, R"({"items":[{"spec":{"expiry":"2026, @"}}]})", true},
    {"instead of an array", 200, R"({"items":"@"})", true},
    {"instead of an object", 200, R"({"items":["@"]})", true},
    {"instead of a boolean", 200, R"({"items":[{"status":{"isActive":"@"}}]})", true},
    {"instead of all", 200, R"("@")", true},
    {"the name of a label", 200, R"({"items":[{"metadata":{"labels":{"@":7}}}]})", true},
    {"an unknown name", 200, R"({"@":)", true},
    {"where the next page is", 200, R"({"items":[],"listmeta":{"continue":"@"}})", false},
    {"HTML", 403, "<html><body>Bad gateway for @</body></html>", false},
    {"HTML with a good status", 200, "<html><body>Log in, @</body></html>", false},
    {"plain text", 200, "@", false},
};

std::string filled(std::string_view body, std::string_view text) {
    std::string out;
    for (char const c : body)
        c == '@' ? out += text : out += c;
    return out;
}

TEST_CASE(
    "redaction: whatever form of the credential an answer holds, wherever, and however it was cut, no "
    "text of ours has any of it") {
    Scene scene;
    for (auto const& place : places)
        for (auto const& form : forms::all) {
            CAPTURE(std::string_view(place.name));
            CAPTURE(std::string_view(form.name));
            scene.transport->status = place.status;
            scene.transport->body = filled(place.body, forms::json(form.encode(key)));
            // What is cut is the JSON: in which form the value is matters little to that.
            std::size_t const step = form.encode == forms::raw || form.encode == forms::unicode_lower ? 1 : 7;
            Texts all;
            for (std::size_t cut = 0; cut < scene.transport->body.size(); cut += step) {
                scene.transport->cut = cut;
                auto const texts = scene.refusal();
                if (place.is_shown && cut == 0) CHECK(any_redacted(texts));
                all.insert(texts.begin(), texts.end());
            }
            check_hidden(all, scene.secrets);
        }
    check_hidden(scene.witness->texts(), scene.secrets);
}

TEST_CASE("redaction: any eight bytes of the credential are hidden as all of it is") {
    Scene scene;
    for (auto const& form : forms::all)
        for (std::size_t i = 0; i + 8 <= key.size(); ++i)
            for (auto const* const body : {R"({"message":"no '@'"})", R"({"code":"@","ref":"@"})"}) {
                scene.transport->body = filled(body, forms::json(form.encode(key.substr(i, 8))));
                auto const texts = scene.refusal();
                CHECK(any_redacted(texts));
                check_hidden(texts, scene.secrets);
            }
}

TEST_CASE("redaction: every operation hides it") {
    for (auto const& operation : operations) {
        CAPTURE(std::string_view(operation.name));
        Scene scene;
        scene.transport->body =
            filled(R"({"code":"@","message":"no such thing for @","ref":"@"})", forms::json(key));
        auto const texts = scene.refusal(operation);
        CHECK(any_redacted(texts));
        check_hidden(texts, scene.secrets);
        check_hidden(scene.witness->texts(), scene.secrets);
    }
}

TEST_CASE("redaction: the text of a transport is redacted, thrown or returned") {
    for (auto const& form : forms::all)
        for (bool const throws : {false, true}) {
            Scene scene;
            scene.transport->before = [&](const HttpRequest&) -> Result<void> {
                auto const what = "cannot send " + form.encode(key);
                if (throws) throw std::runtime_error(what);
                return Error(errc::unexpected_status, what).path(what).server(what, what, what);
            };
            auto const texts = scene.refusal();
            CHECK(any_redacted(texts));
            check_hidden(texts, scene.secrets);
        }
}

TEST_CASE("redaction: earlier credentials are hidden as the current one is") {
    std::vector<std::string> keys;
    for (int i = 0; i < 12; ++i)
        keys.push_back(std::to_string(1000 + 77 * i) + "-key-" +
                       std::to_string(i * i * 1'234'567 + 10'000'000));
    Scene scene(keys);
    for (auto const& current : keys) {
        scene.transport->status = 401;
        scene.transport->body = R"({"message":")" + current + R"("})";
        check_hidden(scene.refusal(), keys);
    }
    scene.transport->status = 404;
    scene.transport->body = R"({"message":"one of)";
    for (auto const& earlier : keys)
        scene.transport->body += ' ' + earlier.substr(2) + ' ' + forms::base64(earlier);
    scene.transport->body += "\"}";
    auto const texts = scene.refusal();
    CHECK(any_redacted(texts));
    check_hidden(texts, keys);
}

TEST_CASE("redaction: the value of a key that was created is hidden from then on") {
    constexpr std::string_view value = "MjAyNi0wMS0wMSBhIG5ldyBrZXkK";
    Scene scene;
    scene.transport->before =
        creates(*scene.transport, filled(R"({"uid":"0123456789abcdef01234567","apiKey":"@"})", value));
    {
        auto const created = scene.client->create(NewApiKey("ci"));
        REQUIRE(created);
        CHECK(created->secret().expose() == value);
    }
    for (auto const& form : forms::all) {
        scene.transport->before = {};
        scene.transport->status = 404;
        scene.transport->body = filled(R"({"message":"no access to @"})", forms::json(form.encode(value)));
        for (auto const& operation : operations) {
            auto const texts = scene.refusal(operation);
            CHECK(any_redacted(texts));
            check_hidden(texts, {std::string(value)});
        }
    }
}

TEST_CASE("redaction: an answer that should hold a new value is never quoted, wherever the value stands") {
    constexpr std::string_view value = "MjAyNi0wMS0wMSBhIG5ldyBrZXkK";
    for (std::string_view const body :
         {R"("@")", R"(["@"])", R"({"@":)", R"({"@":"@")", R"({"apiKey":"@","uid":)",
          R"({"apiKey":"@","uid":7})", R"({"uid":7,"apiKey":"@"})", R"({"apiKey":["@"]})",
          R"({"apiKey":{"value":"@"}})", R"({"value":"@"})", "@", R"({"apiKey":"@","uid":"x"} "@")",
          R"(<html>@</html>)"}) {
        CAPTURE(body);
        Scene scene;
        scene.transport->before = creates(*scene.transport, filled(body, value));
        check_hidden(scene.refusal(operations[3]), {std::string(value)});
    }
}

TEST_CASE("redaction: neither the password nor a token of a login is shown, whoever quotes it") {
    constexpr std::string_view password = "correct \"horse\" \\ battery/staple";
    constexpr std::string_view token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl";
    std::vector<std::string> const secrets{std::string(password), std::string(token)};
    for (auto const& form : forms::all)
        for (auto const* const method : {"POST", "GET"}) {
            CAPTURE(std::string_view(form.name));
            auto const transport = std::make_shared<Canned>();
            auto const quoted = form.encode(method == std::string_view("POST") ? password : token);
            for (bool const fails : {false, true}) {
                transport->before = [&](const HttpRequest& request) -> Result<void> {
                    if (request.method == method && fails)
                        return Error(errc::unexpected_status, "cannot send " + quoted);
                    transport->status = request.method == method ? 403 : 200;
                    transport->body =
                        request.method == method
                            ? filled(R"({"code":"@","message":"no, @","ref":"@"})", forms::json(quoted))
                            : filled(R"({"Authorization":"@"})", token);
                    return {};
                };
                ClientOptions options = one_attempt();
                options.transport = transport;
                options.rate_limit = RateLimitOptions::off();
                options.auth = auth::login(auth::LoginOptions("ada@acme.com", Secret(password)));
                Client client(options);
                auto const result = client.list();
                REQUIRE_FALSE(result);
                Texts texts;
                add_texts(texts, result.error());
                check_hidden(texts, secrets);
            }
        }
}

TEST_CASE("redaction: nothing is shown of what the emulator echoes, of a key, a password or a token") {
    Emulator emulator;
    auto const& user = emulator.user(Role::tenant_admin);
    std::string const api_key(user.api_key.expose());
    std::string const password(user.password.expose());
    for (auto const* const path : {"/v1/apiKeys", "/v1/users", "/v1/audits"})
        emulator.faults().add(std::string("* ") + path + " echo-credential");
    auto const client_with = [&](std::shared_ptr<AuthProvider> auth) {
        auto options = one_attempt(emulator.client_options(Role::tenant_admin));
        options.auth = std::move(auth);
        options.rate_limit = RateLimitOptions::off();
        return std::make_unique<Client>(options);
    };
    for (bool const logs_in : {false, true}) {
        auto const client =
            client_with(logs_in ? auth::login(auth::LoginOptions(user.email, Secret(password)))
                                : auth::api_key(Secret(api_key)));
        for (auto const& operation : operations) {
            CAPTURE(std::string_view(operation.name));
            auto const result = operation.run(*client);
            REQUIRE_FALSE(result);
            CHECK(result.error().code() == errc::not_found);
            Texts texts;
            add_texts(texts, result.error());
            CHECK(any_redacted(texts));
            check_hidden(texts, {api_key, password});
        }
    }
    emulator.faults().add("* /v1/auth echo-credential");
    auto const client = client_with(auth::login(auth::LoginOptions(user.email, Secret(password))));
    auto const refused = client->list();
    REQUIRE_FALSE(refused);
    Texts texts;
    add_texts(texts, refused.error());
    check_hidden(texts, {api_key, password});
}

TEST_CASE(
    "redaction: nothing of a head that holds the credential is shown, and nothing of a body behind TLS") {
    std::mutex mutex;
    tls::Answer next;
    tls::Authority const authority;
    tls::ServerOptions served;
    served.identity = authority.issue();
    served.answer = [&](std::string_view) {
        std::lock_guard const lock(mutex);
        return next;
    };
    tls::Server const server(served);
    Scene scene;
    auto options = scene.options;
    options.transport = nullptr;
    options.endpoint = server.endpoint();
    options.tls.ca_pem = authority.pem();
    Client for_heads(options);
    Client for_bodies(options);
    auto const check = [&](Client& client, const std::string& answer, std::size_t cut, tls::Ending ending) {
        {
            std::lock_guard const lock(mutex);
            next = tls::Answer{{answer.substr(0, cut), answer.substr(cut)}, ending};
        }
        auto const result = client.revoke(uid);
        REQUIRE_FALSE(result);
        Texts texts;
        add_texts(texts, result.error());
        check_hidden(texts, scene.secrets);
        return texts;
    };
    for (auto const& form : forms::all) {
        auto const quoted = form.encode(key);
        CAPTURE(quoted);
        std::string const heads[] = {
            "HTTP/1.1 404 No " + quoted + "\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 " + quoted + "\r\nContent-Length: 0\r\n\r\n",
            quoted + "\r\n\r\n",
            "HTTP/1.1 307 Elsewhere\r\nLocation: https://elsewhere.test/" + quoted +
                "\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 403 No\r\nX-Key: " + quoted + "\r\nContent-Type: " + quoted +
                "\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 403 No\r\n" + quoted + ": x\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: " + quoted + "\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + quoted + "\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + quoted + "\r\n",
        };
        for (auto const& head : heads)
            check(for_heads, head, head.size() / 2, tls::Ending::orderly);
        auto const body = filled(R"({"code":"@","message":"nothing for @"})", forms::json(quoted));
        auto const answer = tls::http_answer(404, body);
        for (auto cut = answer.size() - body.size(); cut < answer.size(); cut += 7)
            CHECK(any_redacted(check(for_bodies, answer, cut, tls::Ending::none)));
    }
}

TEST_CASE(
    "client: an answer within the limits holds up the event loop for no time to speak of, whoever wrote it") {
    // Of this program on a core: what others do meanwhile does not count.
    std::clock_t longest = 0;
    std::string slowest;
    auto const texts = hostile::texts(10'000);
    for (std::size_t i = 0; i < texts.size(); i += 9) {
        Scene scene;
        auto const quoted = '"' + forms::json(texts[i]) + '"';
        scene.transport->status = 403;
        scene.transport->body =
            R"({"code":)" + quoted + R"(,"message":)" + quoted + R"(,"ref":)" + quoted + '}';
        REQUIRE(scene.transport->body.size() < 64 * 1024);
        auto const begun = std::clock();
        auto const result = scene.client->list();
        auto const took = std::clock() - begun;
        REQUIRE_FALSE(result);
        auto const& error = result.error();
        for (auto const* const text : {&error.server_code(), &error.server_message(), &error.ref()}) {
            CHECK_FALSE(text->empty());
            CHECK(text->size() <= 503);
        }
        if (took > longest) slowest = texts[i].substr(0, 32);
        longest = std::max(longest, took);
    }
    MESSAGE("the longest took " << 1'000 * longest / CLOCKS_PER_SEC << " ms: " << slowest);
    CHECK(longest < 2 * CLOCKS_PER_SEC);
}

}  // namespace redaction_test
