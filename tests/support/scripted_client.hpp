// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/one_attempt.hpp"

#include <palette/auth.hpp>
#include <palette/client.hpp>
#include <palette/testing/manual_clock.hpp>
#include <palette/testing/scripted_transport.hpp>

#include <doctest/doctest.h>
#include <boost/asio/io_context.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// A client whose service is a script and whose time is a manual clock's: a whole operation runs at once.
//
//     ScriptedClient service;
//     service.expect("GET /v1/apiKeys/a").answer(200, "{}");
//     auto const key = service.run<ApiKey>([](auto& client, auto keep) { client.async_get("a", keep); });
class ScriptedClient {
public:
    explicit ScriptedClient(int attempts = 1) { options.retry.max_attempts = attempts; }

    palette::testing::ScriptedTransport::Step& expect(std::string request) {
        return transport->expect(std::move(request));
    }

    // `start` is given the client and a handler. Waits pass as soon as nothing else is to be done.
    template <class T, class Start>
    palette::Result<T> run(Start start) {
        options.transport = transport;
        options.clock = clock;
        if (!options.auth) options.auth = palette::auth::api_key(palette::Secret("a-value-of-a-key"));
        if (!client_) client_.emplace(context_, options);
        std::optional<palette::Result<T>> result;
        start(*client_, [&](palette::Result<T> r) { result.emplace(std::move(r)); });
        for (;;) {
            context_.restart();
            context_.poll();
            if (result || !clock->advance_to_next()) break;
        }
        REQUIRE(result);
        return std::move(*result);
    }

    [[nodiscard]] const std::vector<palette::testing::ScriptedTransport::Request>& requests() const {
        return transport->requests();
    }
    [[nodiscard]] std::vector<std::string> unmet() const { return transport->unmet(); }

    std::shared_ptr<palette::testing::ScriptedTransport> transport =
        std::make_shared<palette::testing::ScriptedTransport>();
    std::shared_ptr<palette::testing::ManualClock> clock = std::make_shared<palette::testing::ManualClock>();
    palette::ClientOptions options;  // before the first run

private:
    boost::asio::io_context context_{1};
    std::optional<palette::ApiKeyClient> client_;
};
