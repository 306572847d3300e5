// SPDX-License-Identifier: BSL-1.0
#include <palette/auth/api_key.hpp>
#include <palette/client.hpp>
#include <palette/transport.hpp>

#include <doctest/doctest.h>
#include <boost/asio/io_context.hpp>

#include <memory>
#include <optional>
#include <utility>

// Transports of a caller's that do not keep to their contract.

namespace careless_transport_test {

using namespace palette;

// Goes on, and ends well, although the sink has said that the rest is not wanted.
class GoesOn final : public Transport {
public:
    boost::asio::awaitable<Result<void>> exchange(const HttpRequest& /*request*/, ResponseSink& sink,
                                                  ExchangeReport& report) override {
        report.sent = report.received = true;
        HttpResponse response;
        response.status = 200;
        sink.head(std::move(response));
        is_wanted = sink.body("{\"metadata\": 7,") && sink.body("\"spec\": {}}");
        has_taken_rest = sink.body("{\"metadata\": {\"uid\": \"65f1c0de\"}}");
        co_return Result<void>();
    }

    bool is_wanted = true;
    bool has_taken_rest = true;
};

TEST_CASE("client: a transport that goes on after a body that was refused gets the error of that body") {
    boost::asio::io_context context;
    auto const transport = std::make_shared<GoesOn>();
    ClientOptions options;
    options.auth = auth::api_key(Secret("hunter2"));
    options.transport = transport;
    options.retry.max_attempts = 1;
    ApiKeyClient client(context, options);
    std::optional<Result<ApiKey>> key;
    client.async_get("65f1c0de", [&](Result<ApiKey> result) { key.emplace(std::move(result)); });
    context.run();
    REQUIRE(key);
    REQUIRE_FALSE(*key);
    CHECK(key->error().code() == errc::wrong_type);
    CHECK_FALSE(transport->is_wanted);
    CHECK_FALSE(transport->has_taken_rest);
}

}  // namespace careless_transport_test
