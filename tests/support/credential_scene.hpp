// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/one_attempt.hpp"
#include "support/scene.hpp"

#include <palette/auth_provider.hpp>
#include <palette/client.hpp>
#include <palette/testing/scripted_transport.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

// A client, its provider of credentials and its service, all of which do as a test says, while time stands
// still unless it is moved.
namespace credential_scene {

using palette::Credential;
using CredentialPtr = std::shared_ptr<const Credential>;
using Answer = palette::Result<CredentialPtr>;
using Reason = palette::CredentialRequest::Reason;

inline CredentialPtr key_of(std::string_view value) {
    return Credential::api_key(palette::Secret(value), "the-own-key");
}

// Gives what it was told to, in that order, and notes what it was asked.
class Provider final : public palette::AuthProvider {
public:
    boost::asio::awaitable<Answer> credential(palette::CredentialRequest request) override {
        reasons.push_back(request.reason());
        previous.push_back(request.previous());
        if (waits) {
            boost::asio::steady_timer never(co_await boost::asio::this_coro::executor,
                                            boost::asio::steady_timer::time_point::max());
            co_await boost::asio::this_coro::throw_if_cancelled(false);
            co_await never.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
            ++cancelled;
            co_return palette::Error(palette::errc::operation_aborted, "cancelled");
        }
        // Those who come meanwhile have time to ask again.
        for (int i = 0; i < 10; ++i)
            co_await boost::asio::post(co_await boost::asio::this_coro::executor, boost::asio::use_awaitable);
        if (answers.empty()) throw std::logic_error("asked too often");
        auto answer = std::move(answers.front());
        answers.pop_front();
        co_return answer();
    }

    void give(CredentialPtr credential) {
        answers.push_back([credential = std::move(credential)] { return Answer(credential); });
    }
    void fail(palette::Error error) {
        answers.push_back([error = std::move(error)] { return Answer(error); });
    }

    std::deque<std::function<Answer()>> answers;
    std::vector<Reason> reasons;
    std::vector<CredentialPtr> previous;
    bool waits = false;
    int cancelled = 0;
};

// A client that runs only when it is told to.
struct Scene : support::ClientScene {
    explicit Scene(std::shared_ptr<palette::Transport> transport = nullptr) {
        options = one_attempt();
        options.transport = transport ? std::move(transport) : script;
        options.auth = provider;
        options.rate_limit = palette::RateLimitOptions::off();
        options.clock = clock;
    }

    // What has come of it, once nothing more happens.
    palette::Result<void> ask(palette::CallOptions call = {}) {
        support::Watched<> watched;
        client().async_whoami(call, watched.handler());
        settle();
        if (!watched.has_ended()) {
            auto const deadline = std::as_const(call).deadline();
            pass(deadline ? deadline->remaining(clock->now()) : options.timeouts.total);
        }
        return watched.result();
    }

    std::shared_ptr<Provider> provider = std::make_shared<Provider>();
    std::shared_ptr<palette::testing::ScriptedTransport> script =
        std::make_shared<palette::testing::ScriptedTransport>();
};

inline constexpr auto whoami = "GET /v1/users/info";
inline constexpr auto me = R"({"userUid":"u","tenantUid":"t"})";

}  // namespace credential_scene
