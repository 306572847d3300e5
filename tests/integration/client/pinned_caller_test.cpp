// SPDX-License-Identifier: BSL-1.0
#include "support/credential_scene.hpp"

#include <palette/client.hpp>
#include <palette/pending_create.hpp>
#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What one user began, no request of another user's credential goes on with, whenever the credential
// changes.

namespace pinned_caller_test {

using namespace std::chrono_literals;
using namespace palette;
using credential_scene::key_of;
using credential_scene::Provider;
using testing::ManualClock;
namespace asio = boost::asio;

constexpr auto first_value = "the-first-credential";
constexpr auto second_value = "the-second-credential";

// A service with two credentials, whose list has a page for every key and one without keys before them. The
// answer to the first POST is lost. From one request on, the first credential is refused, or has ended.
class Service final : public Transport {
public:
    struct Seen {
        std::string request;
        bool with_second;
    };

    asio::awaitable<Result<void>> exchange(const HttpRequest& request, ResponseSink& sink,
                                           ExchangeReport& report) override {
        auto const with_second = request.credential->value().expose() == second_value;
        seen.push_back({request.method + ' ' + request.target, with_second});
        report.sent = report.received = true;
        auto const number = static_cast<int>(seen.size());
        if (number == ends_at) clock->advance(11min);
        if (!with_second && refused_from > 0 && number >= refused_from) {
            reply(sink, 401, "");
            co_return Result<void>();
        }
        if (request.method == "POST" && post(request.body) == 1) {
            report.received = false;
            co_return Error(errc::transport, "the answer is lost");
        }
        if (request.method == "POST")
            reply(sink, 201, R"({"apiKey":"value-of-the-key","uid":")" + keys.back().first + R"("})");
        else if (request.method == "DELETE")
            erase(sink, request.target.substr(uid_at));
        else if (request.target == "/v1/users/info")
            reply(sink, 200, with_second ? second_user : R"({"userUid":"u","tenantUid":"t"})");
        else if (request.target.starts_with("/v1/apiKeys/"))
            read(sink, request.target.substr(uid_at));
        else
            list(sink, request.target);
        co_return Result<void>();
    }

    // What was sent with the second credential, but for the question whose it is.
    [[nodiscard]] std::vector<std::string> with_second() const {
        std::vector<std::string> requests;
        for (auto const& [request, is_second] : seen)
            if (is_second && request != "GET /v1/users/info") requests.push_back(request);
        return requests;
    }
    [[nodiscard]] auto count(std::string_view what) const {
        return std::ranges::count_if(seen, [&](auto const& s) { return s.request.starts_with(what); });
    }

    std::shared_ptr<ManualClock> clock;
    std::string second_user = R"({"userUid":"v","tenantUid":"t"})";
    int refused_from = 0;
    int ends_at = 0;
    std::vector<Seen> seen;
    std::vector<std::pair<std::string, std::string>> keys;  // uid and mark

private:
    static constexpr std::size_t uid_at = std::string_view("/v1/apiKeys/").size();

    static void reply(ResponseSink& sink, int status, const std::string& body) {
        HttpResponse head;
        head.status = status;
        sink.head(head);
        if (!body.empty()) sink.body(body);
    }
    int post(const std::string& body) {
        constexpr std::string_view name = R"("palette-keys-create":")";
        auto const begin = body.find(name) + name.size();
        keys.emplace_back("k" + std::to_string(++posts_), body.substr(begin, body.find('"', begin) - begin));
        return posts_;
    }
    static std::string json_of(const std::pair<std::string, std::string>& key) {
        return R"({"metadata":{"name":"ci","uid":")" + key.first +
               R"(","annotations":{"palette-keys-create":")" + key.second +
               R"("}},"spec":{"user":{"uid":"u"}},"status":{"isActive":true}})";
    }
    void read(ResponseSink& sink, std::string_view uid) {
        auto const found = std::ranges::find(keys, uid, [](auto const& key) { return key.first; });
        reply(sink, found == keys.end() ? 404 : 200, found == keys.end() ? "" : json_of(*found));
    }
    void erase(ResponseSink& sink, std::string_view uid) {
        auto const gone = std::erase_if(keys, [&](auto const& key) { return key.first == uid; });
        reply(sink, gone == 0 ? 404 : 204, "");
    }
    void list(ResponseSink& sink, std::string_view target) {
        auto const at = target.find("continue=");
        auto const page = at == std::string_view::npos ? 0u : static_cast<unsigned>(target[at + 9] - '0');
        std::string body = R"({"items":[)";
        if (page > 0 && page <= keys.size()) body += json_of(keys[page - 1]);
        body += ']';
        if (page < keys.size()) body += R"(,"listmeta":{"continue":")" + std::to_string(page + 1) + "\"}";
        reply(sink, 200, body + '}');
    }

    int posts_ = 0;
};

struct Pinned : support::ClientScene {
    Pinned() {
        service->clock = clock;
        provider->give(Credential::token(Secret(first_value), clock->now() + 10min));
        auto const second = key_of(second_value);
        for (int i = 0; i < 20; ++i)
            provider->give(second);
        options.transport = service;
        options.auth = provider;
        options.clock = clock;
        options.rate_limit = RateLimitOptions::off();
        options.retry.initial_backoff = 0ms;
        options.timeouts.total = 1h;
    }

    Result<CreatedApiKey> create() {
        return run<CreatedApiKey>(
            [](auto& client, auto handler) { client.async_create(NewApiKey("ci"), std::move(handler)); });
    }
    Result<Reconciliation> reconcile(const PendingCreate& pending) {
        return run<Reconciliation>(
            [&](auto& client, auto handler) { client.async_reconcile(pending, std::move(handler)); });
    }

    std::shared_ptr<Provider> provider = std::make_shared<Provider>();
    std::shared_ptr<Service> service = std::make_shared<Service>();
};

// A create whose answer is lost takes nine requests at least: the caller, a POST, two pages, a deletion,
// another POST, the key.
constexpr int max_requests = 24;

TEST_CASE("W7 create: from whichever request on the credential is refused, no other user's goes on") {
    for (int from = 2; from <= max_requests; ++from) {
        CAPTURE(from);
        Pinned scene;
        scene.service->refused_from = from;
        auto const created = scene.create();
        CHECK(scene.service->with_second() == std::vector<std::string>());
        // Every key that is there is delivered or named.
        if (created) continue;
        auto const left = scene.service->keys.size();
        CHECK((left == 0 || created.error().pending()));
    }
}

TEST_CASE("W7 create: from whichever request on the credential has ended, no other user's goes on") {
    for (int at = 1; at <= max_requests; ++at) {
        CAPTURE(at);
        Pinned scene;
        scene.service->ends_at = at;
        static_cast<void>(scene.create());
        CHECK(scene.service->with_second() == std::vector<std::string>());
    }
}

TEST_CASE("W7 create: another credential of the same user is asked whose it is once, and goes on") {
    for (int from = 2; from <= max_requests; ++from) {
        CAPTURE(from);
        Pinned scene;
        scene.service->second_user = R"({"userUid":"u","tenantUid":"t"})";
        scene.service->refused_from = from;
        auto const created = scene.create();
        CHECK_MESSAGE(created, (created ? "" : created.error().message()));
        CHECK(scene.service->keys.size() == 1);
        CHECK(scene.service->count("GET /v1/users/info") <= 2);
    }
}

TEST_CASE(
    "W7 reconcile: from whichever request on the credential changes, no other user's looks or deletes") {
    for (bool const by_refusal : {true, false})
        for (int from = 2; from <= 8; ++from) {
            CAPTURE(by_refusal);
            CAPTURE(from);
            Pinned scene;
            auto const nonce = PendingCreate::make_nonce();
            Identity caller;
            caller.user_uid = "u";
            caller.tenant_uid = "t";
            PendingCreate const pending(nonce, "ci", "u", caller, scene.clock->now(), {1, 2});
            for (auto const* const suffix : {"-1", "-2"})
                scene.service->keys.emplace_back("k" + std::string(suffix).substr(1), nonce + suffix);
            (by_refusal ? scene.service->refused_from : scene.service->ends_at) = from;
            auto const done = scene.reconcile(pending);
            CHECK(scene.service->with_second() == std::vector<std::string>());
            auto const is_over = scene.service->keys.empty();
            CHECK((done || !is_over || !by_refusal));
            if (done) continue;
            CHECK(done.error().code() == errc::auth_provider);
            auto const removed = scene.service->keys.size() < 2;
            CHECK(done.error().effect() == (removed ? Effect::applied : Effect::not_applied));
        }
}

}  // namespace pinned_caller_test
