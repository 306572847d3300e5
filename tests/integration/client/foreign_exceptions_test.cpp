// SPDX-License-Identifier: BSL-1.0
#include "support/scene.hpp"

#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>
#include <palette/client.hpp>
#include <palette/clock.hpp>
#include <palette/testing/scripted_transport.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <system_error>

// What a clock of the user's throws in the middle of an operation, which is in nobody's contract.

namespace foreign_exceptions_test {

using namespace palette;
namespace asio = boost::asio;

class ThrowingClock final : public Clock {
public:
    explicit ThrowingClock(void (*f)()) : throw_(f) {}

    [[nodiscard]] Instant now() const noexcept override { return {}; }
    [[nodiscard]] std::shared_ptr<void> call_after(std::chrono::milliseconds,
                                                   std::function<void()>) override {
        throw_();
        return nullptr;
    }

private:
    void (*throw_)();
};

struct Foreign {
    void (*throws)();
    errc code;
};

const Foreign all[] = {
    {[] { throw std::runtime_error("the clock has stopped"); }, errc::transport},
    {[] { throw 17; }, errc::transport},
    {[] { throw std::bad_alloc(); }, errc::out_of_memory},
    {[] { throw std::system_error(std::make_error_code(std::errc::not_enough_memory)); },
     errc::out_of_memory},
};

ClientOptions options_with(void (*throws)()) {
    ClientOptions options;
    options.transport = std::make_shared<testing::ScriptedTransport>();
    options.clock = std::make_shared<ThrowingClock>(throws);
    options.auth = auth::api_key(Secret("a-value-of-a-key"), "a");
    return options;
}

asio::awaitable<void> get(ApiKeyClient& client, std::optional<errc>& code) {
    auto const key = co_await client.async_get("b");
    if (!key) code = key.error().code();
}

TEST_CASE("client: an operation completes, whatever is thrown in the middle of it") {
    for (auto const& foreign : all) {
        support::EventLoop loop;
        ApiKeyClient client(loop.context, options_with(foreign.throws));
        support::Watched<> of_callback;
        std::optional<errc> of_awaited;
        client.async_get("b", of_callback.handler());
        loop.run(get(client, of_awaited));
        loop.run();
        CHECK(of_callback.has_failed_with(foreign.code));
        CHECK(of_callback.effect() == Effect::not_applied);
        CHECK(of_awaited == foreign.code);

        // Nothing of them is left that closing would wait for.
        support::Watched<> closed;
        client.async_close(closed.handler());
        loop.run();
        CHECK(closed.is_good());
    }
}

TEST_CASE("blocking client: an operation returns an error, whatever is thrown in the middle of it") {
    for (auto const& foreign : all) {
        BlockingApiKeyClient client(options_with(foreign.throws));
        auto const key = client.get("b");
        REQUIRE_FALSE(key);
        CHECK(key.error().code() == foreign.code);
        CHECK(client.close());
    }
}

}  // namespace foreign_exceptions_test
