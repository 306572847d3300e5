// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/scene.hpp"

#include <palette/testing/scripted_transport.hpp>

#include <string>
#include <utility>
#include <vector>

// A client whose service is a script and whose time is a manual clock's: a whole operation runs at once.
//
//     ScriptedClient service;
//     service.expect("GET /v1/apiKeys/a").answer(200, "{}");
//     auto const key = service.run<ApiKey>([](auto& client, auto keep) { client.async_get("a", keep); });
class ScriptedClient : public support::ScriptedScene {
public:
    explicit ScriptedClient(int attempts = 1) { options.retry.max_attempts = attempts; }

    palette::testing::ScriptedTransport::Step& expect(std::string request) {
        return service->expect(std::move(request));
    }

    [[nodiscard]] const std::vector<palette::testing::ScriptedTransport::Request>& requests() const {
        return service->requests();
    }
    [[nodiscard]] std::vector<std::string> unmet() const { return service->unmet(); }
};
