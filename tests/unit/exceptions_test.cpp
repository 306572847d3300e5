// SPDX-License-Identifier: BSL-1.0
#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>
#include <palette/client.hpp>
#include <palette/pending_create.hpp>
#include <palette/rate_limiter.hpp>
#include <palette/result.hpp>

#include <doctest/doctest.h>
#include <pthread.h>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
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
