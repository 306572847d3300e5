// SPDX-License-Identifier: BSL-1.0
#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>
#include <palette/client.hpp>
#include <palette/pending_create.hpp>
#include <palette/rate_limiter.hpp>
#include <palette/result.hpp>
#include <palette/testing/scripted_transport.hpp>

#include <doctest/doctest.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

// All that throws, as docs/errors.md lists it.

namespace exceptions_test {

using namespace palette;

// The code of the Exception that `call` throws; errc{} if it throws none.
errc thrown_by(const std::function<void()>& call) {
    try {
        call();
    } catch (const Exception& e) {
        return e.error().code();
    }
    return errc{};
}

// No thread can be started while this lives: each would have a stack larger than the address space.
class NoThreads {
public:
    NoThreads() {
        REQUIRE(::pthread_getattr_default_np(&before_) == 0);
        pthread_attr_t huge;
        REQUIRE(::pthread_attr_init(&huge) == 0);
        REQUIRE(::pthread_attr_setstacksize(&huge, std::size_t{1} << 47) == 0);
        REQUIRE(::pthread_setattr_default_np(&huge) == 0);
        ::pthread_attr_destroy(&huge);
    }
    NoThreads(const NoThreads&) = delete;
    NoThreads& operator=(const NoThreads&) = delete;
    ~NoThreads() {
        ::pthread_setattr_default_np(&before_);
        ::pthread_attr_destroy(&before_);
    }

private:
    pthread_attr_t before_{};
};

// OpenSSL has no random bytes while this lives. Version 3 deprecates the way to say so, and has no other one
// without a provider.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
class NoRandomness {
public:
    NoRandomness() : before_(::RAND_get_rand_method()) {
        static RAND_METHOD none{};
        none.bytes = [](unsigned char*, int) { return 0; };
        REQUIRE(::RAND_set_rand_method(&none) == 1);
    }
    NoRandomness(const NoRandomness&) = delete;
    NoRandomness& operator=(const NoRandomness&) = delete;
    ~NoRandomness() { ::RAND_set_rand_method(before_); }

private:
    const RAND_METHOD* before_;
};
#pragma GCC diagnostic pop

TEST_CASE("exceptions: without randomness make_nonce() throws, and a create ends before it sends anything") {
    auto const service = std::make_shared<testing::ScriptedTransport>();
    ClientOptions options;
    options.transport = service;
    options.auth = auth::api_key(Secret("a-value-of-a-key"));
    BlockingApiKeyClient client(options);
    CHECK(PendingCreate::make_nonce() != PendingCreate::make_nonce());

    NoRandomness const none;
    CHECK(thrown_by([] { static_cast<void>(PendingCreate::make_nonce()); }) == errc::system);
    auto const created = client.create(NewApiKey("ci"));
    REQUIRE_FALSE(created);
    CHECK(created.error().code() == errc::system);
    CHECK(created.error().what() == "the system has no randomness to give");
    CHECK(created.error().effect() == Effect::not_applied);
    CHECK(service->requests().empty());
}

TEST_CASE("exceptions: what can throw throws Exception, with the reason") {
    ClientOptions impossible;
    impossible.timeouts.total = std::chrono::milliseconds{0};
    boost::asio::io_context context;

    CHECK(thrown_by([] { static_cast<void>(Result<int>(Error(errc::timeout)).value()); }) == errc::timeout);
    CHECK(thrown_by([&] { ApiKeyClient const client(context, impossible); }) == errc::invalid_argument);
    CHECK(thrown_by([&] { BlockingApiKeyClient const client(impossible); }) == errc::invalid_argument);
    CHECK(thrown_by([] { RateLimiter const limiter({.per_second = 0, .burst = 0.5}); }) ==
          errc::invalid_argument);
    CHECK(thrown_by([] {
              PendingCreate const pending(std::string(32, 'a'), "ci", "", Identity(), Instant(), {});
          }) == errc::invalid_argument);
}

TEST_CASE("exceptions: a blocking client that gets no thread throws Exception, and leaves nothing running") {
    auto code = errc{};
    {
        NoThreads const none;
        code = thrown_by([] { BlockingApiKeyClient const client; });
    }
    CHECK(code == errc::system);
    BlockingApiKeyClient const client;  // and later there is one
}

}  // namespace exceptions_test
