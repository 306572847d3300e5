// SPDX-License-Identifier: BSL-1.0
#include "support/dead_port.hpp"
#include "support/door_service.hpp"
#include "support/tls_server.hpp"

#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>
#include <palette/client.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

// A deadline that passes says what the operation waited for.

namespace client_deadline_words_test {

using namespace std::chrono_literals;
using namespace palette;
namespace asio = boost::asio;

ClientOptions options_for(const std::string& url) {
    ClientOptions options;
    options.endpoint = Endpoint::parse(url).value();
    options.auth = auth::api_key(Secret("hunter2hunter2"));
    options.rate_limit = RateLimitOptions::off();
    return options;
}

/// What the error of an operation says that ends by a short deadline.
std::string words(ClientOptions options) {
    auto const result = BlockingApiKeyClient(std::move(options)).whoami(CallOptions().deadline(120ms));
    if (result) return "no error";
    CHECK(result.error().code() == errc::timeout);
    CHECK(result.error().effect() == Effect::not_applied);
    auto const& what = result.error().what();
    CHECK(what.starts_with("the deadline passed after 1"));
    auto const comma = what.find(", ");
    return comma == std::string::npos ? what : what.substr(comma + 2);
}

TEST_CASE("client deadline: an error says that the operation waited for the connection to be opened") {
    DeadPort const port(DeadPort::Kind::silent);
    CHECK(words(options_for("http://127.0.0.1:" + std::to_string(port.port()))) ==
          "waiting for the connection to be opened");
}

TEST_CASE("client deadline: an error says that the operation waited for the TLS handshake") {
    tls::ServerOptions silent;
    silent.greeting = tls::ServerOptions::Greeting::silent;
    tls::Server const server(silent);
    CHECK(words(options_for("https://127.0.0.1:" + std::to_string(server.port()))) ==
          "waiting for the TLS handshake");
}

/// Never gives a credential, and goes when it is told to.
class Hangs final : public AuthProvider {
public:
    asio::awaitable<Result<std::shared_ptr<const Credential>>> credential(CredentialRequest) override {
        asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
        co_await timer.async_wait(asio::use_awaitable);
        co_return Error(errc::auth_provider);
    }
};

TEST_CASE("client deadline: an error says that the operation waited for a credential") {
    auto options = options_for("http://127.0.0.1:1");
    options.auth = std::make_shared<Hangs>();
    CHECK(words(options) == "waiting for a credential");
}

struct StallScene {
    StallScene() {
        service.answer = [](std::string_view) { return std::string(); };
    }
    asio::io_context context;
    DoorService service{context};
};

TEST_CASE_FIXTURE(StallScene, "client deadline: an error says that the operation waited for the answer") {
    ApiKeyClient client(context, options_for(service.url()));
    std::optional<Error> error;
    client.async_whoami(CallOptions().deadline(120ms), [&](const Result<Identity>& result) {
        if (!result) error = result.error();
    });
    while (!error)
        context.run_one();
    CHECK(error->code() == errc::timeout);
    CHECK(error->what().ends_with(" ms, waiting for the answer"));
}

TEST_CASE_FIXTURE(StallScene,
                  "client deadline: an error says that the operation waited for a free connection") {
    auto options = options_for(service.url());
    options.pool.most_connections = 1;
    options.timeouts.queue = 150ms;
    ApiKeyClient client(context, options);
    client.async_whoami(CallOptions().deadline(2s), [](const Result<Identity>&) {});
    std::optional<Error> by_deadline, by_queue;
    client.async_whoami(CallOptions().deadline(100ms), [&](const Result<Identity>& result) {
        if (!result) by_deadline = result.error();
    });
    client.async_whoami([&](const Result<Identity>& result) {
        if (!result) by_queue = result.error();
    });
    while (!by_deadline || !by_queue)
        context.run_one();
    CHECK(by_deadline->what().starts_with("the deadline passed after "));
    CHECK(by_deadline->what().ends_with(" ms, waiting for a free connection"));
    CHECK(by_queue->what().starts_with("timeouts.queue passed after "));
    CHECK(by_queue->what().ends_with(" ms, waiting for a free connection"));
}

}  // namespace client_deadline_words_test
