// SPDX-License-Identifier: BSL-1.0
#include "middleboxes/boxes.hpp"

#include <palette/client.hpp>

#include <doctest/doctest.h>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <string>

// nginx, where asking again helps.

namespace retry_test {

using namespace std::chrono_literals;
using namespace palette;

TEST_CASE("middle boxes: a hundred revokes all succeed behind nginx's limit_req") {
    auto options = boxes::options_for("LIMITED");
    auto const refused = std::make_shared<boxes::CountsStatus>(429);
    options.observer = refused;
    std::string uid;
    {
        BlockingApiKeyClient client(options);
        auto const made = client.create(NewApiKey("limited"));
        REQUIRE(boxes::succeeds(made));
        uid = made->uid();
    }
    // A busy machine may ask so slowly that nginx refuses nothing: then another client begins anew.
    for (int times = 0; times < 10 && refused->count == 0; ++times) {
        boost::asio::io_context context;
        ApiKeyClient client(context, options);
        int revoked = 0;
        for (int i = 0; i < 100; ++i)
            client.async_revoke(uid, [&](const Result<void>& result) { revoked += boxes::succeeds(result); });
        context.run();
        CHECK(revoked == 100);
    }
    CHECK(refused->count > 0);
}

struct Row {
    std::string box;
    int status;
};
const Row rows[] = {
    {"BAD_GATEWAY_AT_TIMES", 502}, {"UNAVAILABLE_AT_TIMES", 503}, {"GATEWAY_TIMEOUT_AT_TIMES", 504}};

TEST_CASE("middle boxes: reads and changes succeed where nginx does not find the service every time") {
    std::string uid;
    {
        BlockingApiKeyClient direct(boxes::options_for("TLS12"));
        auto const made = direct.create(NewApiKey("every other time"));
        REQUIRE(boxes::succeeds(made));
        uid = made->uid();
    }
    for (auto const& row : rows) {
        CAPTURE(row.box);
        auto options = boxes::options_for(row.box);
        auto const met = std::make_shared<boxes::CountsStatus>(row.status);
        options.observer = met;
        BlockingApiKeyClient client(options);
        CHECK(boxes::succeeds(client.whoami()));
        CHECK(boxes::succeeds(client.list()));
        CHECK(boxes::succeeds(client.get(uid)));
        CHECK(boxes::succeeds(client.update(uid, ApiKeyEdit().description(row.box))));
        CHECK(boxes::succeeds(client.renew(uid, 24h * 60)));
        CHECK(boxes::succeeds(client.revoke(uid)));
        CHECK(boxes::succeeds(client.reactivate(uid)));
        CHECK(boxes::succeeds(client.set_active(uid, true)));
        CHECK(met->count >= 3);
    }
}

}  // namespace retry_test
