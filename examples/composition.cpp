// SPDX-License-Identifier: BSL-1.0
//
// Operations composed with what Boost.Asio has for that: && and || of awaitable_operators, parallel groups,
// as_tuple, redirect_error, cancel_after, stackful coroutines, and tokens named once. Operations complete
// with one Result, which those take for a success whatever it holds. Hence palette::throwing() and
// palette::as_error_code(), which say in Asio's words that an operation has failed.
//
// Run it: composition. It needs no service: it makes an emulator misbehave.
#include <palette/api_keys.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/tokens.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>
#include <boost/version.hpp>
#if BOOST_VERSION >= 108600
#    include <boost/asio/cancel_after.hpp>
#endif
#ifdef EXAMPLE_HAS_BOOST_CONTEXT  // CMakeLists.txt links that library, which spawn() needs, where it is found
#    include <boost/asio/spawn.hpp>
#endif

#include <chrono>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>

namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;
using namespace std::chrono_literals;
using palette::ApiKeyClient;
using palette::as_error_code;
using palette::errc;
using palette::throwing;

namespace {

int failures = 0;

void check(bool is_so, std::string_view what) {
    std::cout << (is_so ? "ok      " : "FAILED  ") << what << '\n';
    failures += is_so ? 0 : 1;
}

std::string const unknown = "000000000000000000000000";  // there is no such key

errc code_of(const std::exception_ptr& thrown) try {
    std::rethrow_exception(thrown);
} catch (const palette::Exception& e) {
    return e.error().code();
}

// `stalled` is a key about which the service never answers.
asio::awaitable<void> operators(ApiKeyClient& client, std::string stalled) {
    auto const [me, keys] = co_await (client.async_whoami(throwing()) && client.async_list(throwing()));
    check(!me.user_uid.empty() && !keys.empty(), "&& gives both values");

    // Both have failed in the end, and Asio throws what the left one met.
    try {
        co_await (client.async_get(unknown, throwing()) && client.async_get(stalled, throwing()));
        check(false, "&& throws");
    } catch (const asio::multiple_exceptions& e) {
        check(code_of(e.first_exception()) == errc::not_found, "&& stops at the first error");
    }

    auto const first = co_await (client.async_get(unknown, throwing()) || client.async_whoami(throwing()));
    check(first.index() == 1, "|| gives the first success");

    // The type with use_awaitable as its default token.
    asio::use_awaitable_t<>::as_default_on_t<asio::steady_timer> timer(client.get_executor(), 50ms);
    auto const raced = co_await (client.async_get(stalled, throwing()) || timer.async_wait());
    check(raced.index() == 1, "|| with a timer abandons the operation");
}

asio::awaitable<void> groups(ApiKeyClient& client, std::string stalled) {
    using namespace asio::experimental;
    auto const [order, of_stalled, no_key, of_unknown, no_key_either] =
        co_await make_parallel_group(client.async_get(stalled, throwing(asio::deferred)),
                                     client.async_get(unknown, throwing(asio::deferred)))
            .async_wait(wait_for_one_error(), asio::use_awaitable);
    check(order[0] == 1 && code_of(of_unknown) == errc::not_found, "a parallel group tells the first error");
    check(code_of(of_stalled) == errc::operation_aborted, "and has stopped the other operation");

    // Results are for groups that wait for all: each tells how its own operation went.
    auto const [both, me, key] =
        co_await make_parallel_group(client.async_whoami(), client.async_get(unknown))
            .async_wait(wait_for_all(), asio::use_awaitable);
    check(both.size() == 2 && me && !key, "a parallel group of Results waits for all of them");
}

asio::awaitable<void> codes(ApiKeyClient& client) {
    auto const [no_key, key] =
        co_await client.async_get(unknown, as_error_code(asio::as_tuple(asio::deferred)));
    check(no_key == errc::not_found && key.uid.empty(), "as_tuple gives code and value");

    boost::system::error_code ec;
    co_await client.async_remove(unknown, as_error_code(asio::redirect_error(asio::use_awaitable, ec)));
    check(ec == errc::not_found, "redirect_error takes the code away");
}

// cancel_after() needs Boost 1.86. CallOptions::deadline() works with every Boost, and its error says more.
asio::awaitable<void> deadlines(ApiKeyClient& client, std::string stalled) {
#if BOOST_VERSION >= 108600
    auto const cancelled = co_await client.async_get(stalled, asio::cancel_after(50ms));
    check(cancelled.error().code() == errc::operation_aborted, "cancel_after cancels");
#endif
    auto const late = co_await client.async_get(stalled, palette::CallOptions().deadline(50ms));
    check(late.error().code() == errc::timeout, "CallOptions::deadline() ends an operation");
}

// The client has no rebind_executor, and so no as_default_on(): whatever its executor, its default token is
// deferred, which co_await and parallel groups take. Another token for a whole program is named once.
constexpr auto token = [] { return as_error_code(asio::as_tuple(asio::use_awaitable)); };

asio::awaitable<void> tokens(const palette::ClientOptions& options) {
    asio::use_awaitable_t<>::executor_with_default<asio::any_io_executor> const executor(
        co_await asio::this_coro::executor);
    ApiKeyClient client(executor, options);
    auto const [ec, me] = co_await client.async_whoami(token());
    check(!ec && me == co_await client.async_whoami(), "the default token does not depend on the executor");
}

#ifdef EXAMPLE_HAS_BOOST_CONTEXT
void stackful(ApiKeyClient& client, asio::yield_context yield) {
    check(client.async_whoami(yield).has_value(), "yield_context gives the Result");
    boost::system::error_code ec;
    auto const key = client.async_get(unknown, as_error_code(yield[ec]));
    check(ec == errc::not_found && key.uid.empty(), "yield_context takes the code away");
}
#endif

asio::awaitable<void> all(const palette::testing::Emulator& emulator, std::string stalled) {
    auto const options = emulator.client_options(palette::testing::Role::tenant_admin);
    ApiKeyClient client(co_await asio::this_coro::executor, options);
    co_await operators(client, stalled);
    co_await groups(client, stalled);
    co_await codes(client);
    co_await deadlines(client, stalled);
    co_await tokens(options);
#ifdef EXAMPLE_HAS_BOOST_CONTEXT
    co_await asio::spawn(
        co_await asio::this_coro::executor, [&](asio::yield_context yield) { stackful(client, yield); },
        asio::use_awaitable);
#endif
}

}  // namespace

int main() try {
    palette::testing::Emulator emulator;
    auto const stalled = emulator.keys().back().uid;
    emulator.faults().add("GET /v1/apiKeys/" + stalled + " stall");

    asio::io_context context;
    asio::co_spawn(context, all(emulator, stalled), [](const std::exception_ptr& thrown) {
        if (thrown) std::rethrow_exception(thrown);
    });
    context.run();
    return failures == 0 ? 0 : 1;
} catch (const std::exception& e) {
    std::cerr << "composition: " << e.what() << '\n';
    return 1;
}
