// SPDX-License-Identifier: BSL-1.0
#include <palette/blocking_client.hpp>
#include <palette/http_transport.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace default_transport_test {

using namespace palette;
using testing::Emulator;
using testing::Role;

class CountingTransport final : public Transport {
public:
    explicit CountingTransport(std::shared_ptr<Transport> real) : real_(std::move(real)) {}
    boost::asio::awaitable<Result<void>> exchange(const HttpRequest& request, ResponseSink& sink,
                                                  ExchangeReport& report) override {
        ++count;
        co_return co_await real_->exchange(request, sink, report);
    }
    void close() override { real_->close(); }

    int count = 0;

private:
    std::shared_ptr<Transport> real_;
};

TEST_CASE("default transport: wrapped, it carries the requests of a client over TLS, on one connection") {
    Emulator const emulator;
    auto options = emulator.client_options(Role::tenant_admin);
    auto const counting = std::make_shared<CountingTransport>(make_http_transport(options).value());
    options.transport = counting;
    BlockingApiKeyClient client(options);
    for (int i = 0; i < 3; ++i)
        CHECK(client.whoami());
    CHECK(counting->count == 3);
    CHECK(emulator.connections() == 1);
    CHECK(client.close());
}

// Notes which headers of responses are wanted, and which it gets itself, for it wants all.
class Headers final : public Transport {
public:
    explicit Headers(std::shared_ptr<Transport> real) : real_(std::move(real)) {}
    boost::asio::awaitable<Result<void>> exchange(const HttpRequest& request, ResponseSink& sink,
                                                  ExchangeReport& report) override {
        Tee tee(sink, *this);
        co_return co_await real_->exchange(request, tee, report);
    }
    void close() override { real_->close(); }

    std::set<std::string> seen, wanted;

private:
    class Tee final : public ResponseSink {
    public:
        Tee(ResponseSink& sink, Headers& notes) : sink_(sink), notes_(notes) {}
        void head(HttpResponse response) override {
            for (auto const& [name, value] : response.headers) {
                notes_.seen.insert(name);
                if (sink_.wants_header(response.status, name)) notes_.wanted.insert(name);
            }
            sink_.head(std::move(response));
        }
        bool body(std::string_view piece) override { return sink_.body(piece); }

    private:
        ResponseSink& sink_;
        Headers& notes_;
    };

    std::shared_ptr<Transport> real_;
};

TEST_CASE("default transport: the client wants few headers of a response, and a wrapper gets all of them") {
    Emulator emulator({.plain_http = true});
    auto options = emulator.client_options(Role::tenant_admin);
    options.retry.max_attempts = 1;
    auto const headers = std::make_shared<Headers>(make_http_transport(options).value());
    options.transport = headers;
    BlockingApiKeyClient client(options);
    CHECK(client.whoami());
    CHECK(headers->wanted == std::set<std::string>{"Date"});
    CHECK(headers->seen.contains("Content-Length"));
    CHECK(headers->seen.contains("Content-Type"));
    emulator.faults().add("GET /v1/apiKeys retry-after:1 x1");
    CHECK(client.list().error().code() == errc::rate_limited);
    CHECK(headers->wanted == std::set<std::string>{"Content-Type", "Date", "Retry-After"});
    CHECK(client.close());
}

TEST_CASE("default transport: options that cannot be used are refused when it is made") {
    ClientOptions options;
    options.endpoint = Endpoint::parse("palette.acme.com").value();
    options.tls.ca_file = "/nowhere/ca.pem";
    CHECK(make_http_transport(options).error().path() == "tls");
    options.tls.ca_file.clear();
    options.timeouts.read = std::chrono::milliseconds{0};
    CHECK(make_http_transport(options).error().path() == "timeouts.read");
    options = ClientOptions();
    options.endpoint = Endpoint::parse("palette.acme.com").value();
    options.proxy.url = "socks5://proxy";
    CHECK(make_http_transport(options).error().code() == errc::invalid_argument);
}

}  // namespace default_transport_test
