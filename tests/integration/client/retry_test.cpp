// SPDX-License-Identifier: BSL-1.0
#include "support/retry_scene.hpp"

#include <palette/client.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// What is sent again and what never is, and what is known of the effect.

namespace retry_test {

using namespace std::chrono_literals;
using namespace palette;
using Earlier = std::vector<FailedAttempt>;

constexpr std::string_view whoami = "GET /v1/users/info";
constexpr std::string_view revoke = "PUT /v1/apiKeys/a/state";
constexpr std::string_view remove = "DELETE /v1/apiKeys/a";

constexpr int unsent = 0;  // no connection
constexpr int lost = 1;    // sent, and no answer

// What the service does with one request after another: a status, or one of the two above.
void script(RetryScene& scene, std::string_view request, std::initializer_list<int> answers) {
    for (int const answer : answers) {
        auto& step = scene.service->expect(std::string(request));
        if (answer == unsent)
            step.fail_unsent(Error(errc::transport, "nobody is there"));
        else if (answer == lost)
            step.fail(Error(errc::transport, "cut off"));
        else
            step.answer(answer, answer == 200 ? RetryScene::somebody : "");
    }
}

TEST_CASE("retry: an error says how many requests were made, and what each one before the last has met") {
    RetryScene scene;
    script(scene, revoke, {503, lost, 502, 403});
    scene.revoke();
    scene.finish();
    CHECK(scene.error().code() == errc::forbidden);
    CHECK(scene.error().status() == 403);
    CHECK(scene.error().attempts() == 4);
    CHECK(scene.error().earlier() ==
          Earlier{{errc::unavailable, 503}, {errc::transport, 0}, {errc::unavailable, 502}});

    script(scene, revoke, {403});
    scene.revoke();
    CHECK(scene.error().attempts() == 1);
    CHECK(scene.error().earlier().empty());
}

TEST_CASE("retry: a change whose effect one attempt left open is unknown, until a success or for good") {
    struct Row {
        std::initializer_list<int> answers;
        errc code;
        Effect effect;
    };
    static const Row rows[] = {
        {{503, 403}, errc::forbidden, Effect::unknown},
        {{lost, 403}, errc::forbidden, Effect::unknown},
        {{429, 403}, errc::forbidden, Effect::not_applied},
        {{unsent, 403}, errc::forbidden, Effect::not_applied},
        {{lost, 429, 403}, errc::forbidden, Effect::unknown},
        {{429, 500}, errc::server_error, Effect::unknown},
        {{lost, 401}, errc::unauthorized, Effect::unknown},
        {{unsent, unsent, unsent, unsent}, errc::transport, Effect::not_applied},
        {{unsent, lost, unsent, unsent}, errc::transport, Effect::unknown},
        {{503, 503, 503, 503}, errc::unavailable, Effect::unknown},
    };
    for (auto const& row : rows) {
        RetryScene scene;
        script(scene, revoke, row.answers);
        scene.revoke();
        scene.finish();
        CAPTURE(scene.error().message());
        CHECK(scene.error().code() == row.code);
        CHECK(scene.error().effect() == row.effect);
        CHECK(scene.service->unmet().empty());
    }
    for (auto const& answers :
         {std::initializer_list<int>{503, 204}, {lost, 204}, {unsent, 429, lost, 204}}) {
        RetryScene scene;
        script(scene, revoke, answers);
        scene.revoke();
        scene.finish();
        CHECK(scene.is_good());
        CHECK(scene.service->unmet().empty());
    }
}

TEST_CASE("retry: a read that fails has changed nothing, whatever its attempts met") {
    RetryScene scene;
    script(scene, whoami, {503, lost, unsent, 504});
    scene.whoami();
    scene.finish();
    CHECK(scene.error().code() == errc::unavailable);
    CHECK(scene.error().effect() == Effect::not_applied);
    CHECK(scene.requests() == 4);
}

TEST_CASE("retry: with one attempt allowed nothing is sent again, not even what was held back") {
    for (int const answer : {503, 429, lost, unsent}) {
        RetryScene scene;
        scene.options.retry.max_attempts = 1;
        script(scene, whoami, {answer});
        scene.whoami();
        CHECK(scene.has_ended());
        CHECK(scene.error().attempts() <= 1);
        CHECK(scene.requests() == 1);
    }
}

TEST_CASE("W15: a write that got 500 is never retried, a read once") {
    RetryScene scene;
    script(scene, revoke, {500});
    scene.revoke();
    CHECK(scene.error().code() == errc::server_error);
    CHECK(scene.error().effect() == Effect::unknown);
    CHECK(scene.requests() == 1);

    script(scene, whoami, {500, 200});
    scene.whoami();
    scene.finish();
    CHECK(scene.is_good());
    script(scene, whoami, {500, 500});
    scene.whoami();
    scene.finish();
    CHECK(scene.error().code() == errc::server_error);
    CHECK(scene.error().attempts() == 2);
    CHECK(scene.requests() == 5);
}

TEST_CASE("W12: a 404 for the first delete means that there is no such key") {
    RetryScene scene;
    script(scene, remove, {404});
    scene.remove();
    CHECK(scene.error().code() == errc::not_found);
    CHECK(scene.error().effect() == Effect::not_applied);
    CHECK(scene.requests() == 1);
}

TEST_CASE("W12: a 404 after proofs of refusal alone is as good as for the first delete") {
    for (int const before : {429, unsent}) {
        RetryScene scene;
        script(scene, remove, {before, 404});
        scene.remove();
        scene.finish();
        CHECK(scene.error().code() == errc::not_found);
        CHECK(scene.error().effect() == Effect::not_applied);
        CHECK(scene.requests() == 2);
    }
}

TEST_CASE("W12: a 404 after an ambiguous delete is success if the credential is proven to be good") {
    for (int const before : {lost, 502, 503, 504}) {
        RetryScene scene;
        script(scene, remove, {before, 404});
        script(scene, whoami, {200});
        scene.remove();
        scene.finish();
        CHECK_MESSAGE(scene.is_good(), scene.error().message());
        CHECK(scene.requests() == 3);
    }
}

TEST_CASE("W12: a 404 after an ambiguous delete with a credential that is not proven leaves it open") {
    for (int const proof : {401, 403, 404}) {
        RetryScene scene;
        script(scene, remove, {lost, 404});
        script(scene, whoami, {proof});
        scene.remove();
        scene.finish();
        CHECK(scene.error().code() == errc::not_found);
        CHECK(scene.error().effect() == Effect::unknown);
        CHECK(scene.requests() == 3);
    }
}

// The key that is deleted is the one that is used.
TEST_CASE("W12: a 401 after an ambiguous delete of one's own key leaves it open") {
    RetryScene scene;
    script(scene, remove, {lost, 401});
    scene.remove();
    scene.finish();
    CHECK(scene.error().code() == errc::unauthorized);
    CHECK(scene.error().effect() == Effect::unknown);
    CHECK(scene.requests() == 2);
}

// A service behind connections of which the first was used before, and has died.
class StaleTransport final : public Transport {
public:
    boost::asio::awaitable<Result<void>> exchange(const HttpRequest& request, ResponseSink& sink,
                                                  ExchangeReport& report) override {
        requests.push_back(request.method + ' ' + request.target);
        report.sent = true;
        report.reused_connection = requests.size() == 1;
        report.received = report.reused_connection && answer_has_begun;
        if (requests.size() <= failures) co_return Error(errc::transport, "the connection is closed");
        HttpResponse head;
        report.received = true;
        head.status = request.method == "GET" ? 200 : 204;
        sink.head(head);
        if (request.method == "GET") sink.body(RetryScene::somebody);
        co_return Result<void>();
    }

    std::size_t failures = 1;
    bool answer_has_begun = false;
    std::vector<std::string> requests;
};

std::shared_ptr<StaleTransport> stale(RetryScene& scene) {
    auto transport = std::make_shared<StaleTransport>();
    scene.options.transport = transport;
    scene.options.retry.max_attempts = 2;
    return transport;
}

TEST_CASE("W18: a request that failed on a reused connection is sent on a fresh one at once") {
    for (bool const changes : {false, true}) {
        RetryScene scene;
        auto const transport = stale(scene);
        changes ? scene.revoke() : scene.whoami();
        CHECK(scene.is_good());
        CHECK(transport->requests.size() == 2);
    }
}

TEST_CASE("W18: that is one request beyond the attempts that are allowed, and no more") {
    RetryScene scene;
    auto const transport = stale(scene);
    transport->failures = 100;
    scene.revoke();
    CHECK(transport->requests.size() == 2);
    scene.finish();
    CHECK(transport->requests.size() == 3);
    CHECK(scene.error().code() == errc::transport);
    CHECK(scene.error().effect() == Effect::unknown);
    CHECK(scene.error().attempts() == 3);
}

TEST_CASE("W18: a connection that broke within a response was not stale") {
    RetryScene scene;
    auto const transport = stale(scene);
    transport->answer_has_begun = true;
    transport->failures = 100;
    scene.whoami();
    scene.finish();
    CHECK(transport->requests.size() == 2);
}

TEST_CASE("W18: a create is not sent again, whatever connection it died on") {
    RetryScene scene;
    auto const transport = stale(scene);
    transport->failures = 0;
    bool has_ended = false;
    scene.whoami();
    transport->requests.clear();
    transport->failures = 100;
    scene.client().async_create(NewApiKey("ci"), [&](const Result<CreatedApiKey>& r) { has_ended = !r; });
    scene.settle();
    while (!has_ended && scene.clock->advance_to_next())
        scene.settle();
    CHECK(has_ended);
    std::size_t posts = 0;
    for (auto const& request : transport->requests)
        posts += request.starts_with("POST") ? 1 : 0;
    CHECK(posts == 1);
}

}  // namespace retry_test
