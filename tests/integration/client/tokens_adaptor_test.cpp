// SPDX-License-Identifier: BSL-1.0
#include "support/scene.hpp"

#include <palette/client.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/tokens.hpp>

#include <doctest/doctest.h>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>
#include <boost/version.hpp>
#if BOOST_VERSION >= 108600
#    include <boost/asio/cancel_after.hpp>
#endif

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <exception>
#include <future>
#include <memory>
#include <memory_resource>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

// The two tokens that take a Result apart for whom Asio's own signatures suit better.

namespace tokens_adaptor_test {

using namespace std::chrono_literals;
using namespace palette;
namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;
using testing::Role;

const char* const nobodys_uid = "000000000000000000000000";

using AdaptorScene = support::EmulatorScene;

asio::awaitable<void> await_throwing(AdaptorScene& scene) {
    auto const token = throwing(asio::use_awaitable);
    Identity const who = co_await scene.client().async_whoami(token);
    CHECK(who.org_name == "acme");
    ApiKey const key = co_await scene.client().async_get(scene.another_uid(), token);
    CHECK(key.uid == scene.another_uid());
    KeyList const keys = co_await scene.client().async_list(ListFilter(), CallOptions(), token);
    CHECK(keys.size() == scene.emulator.keys().size());
    User const user =
        co_await scene.client().async_find_user(scene.emulator.user(Role::tenant_admin).email, token);
    CHECK(user.uid == who.user_uid);
    co_await scene.client().async_revoke(key.uid, token);
    CHECK_FALSE(scene.emulator.keys().back().is_active);
}

TEST_CASE("throwing: an awaited operation gives its value, or nothing if it has none") {
    AdaptorScene scene;
    scene.run(await_throwing(scene));
}

asio::awaitable<void> await_failures(AdaptorScene& scene) {
    auto const token = throwing(asio::use_awaitable);
    std::optional<Error> of_get;
    try {
        co_await scene.client().async_get(nobodys_uid, token);
    } catch (const Exception& e) {
        of_get = e.error();
    }
    REQUIRE(of_get);
    auto const plain = co_await scene.client().async_get(nobodys_uid);
    CHECK(of_get->code() == errc::not_found);
    CHECK(of_get->status() == 404);
    CHECK(of_get->attempts() == plain.error().attempts());
    CHECK(of_get->server_code() == plain.error().server_code());

    std::optional<Error> of_remove;
    try {
        co_await scene.client().async_remove(nobodys_uid, token);
    } catch (const Exception& e) {
        of_remove = e.error();
    }
    REQUIRE(of_remove);
    CHECK(of_remove->code() == errc::not_found);
}

TEST_CASE("throwing: an awaited operation that fails throws an Exception with the whole Error") {
    AdaptorScene scene;
    scene.run(await_failures(scene));
}

asio::awaitable<void> await_without_token(AdaptorScene& scene) {
    ApiKey const key = co_await scene.client().async_get(scene.another_uid(), throwing());
    CHECK(key.uid == scene.another_uid());
    auto later = scene.client().async_remove(nobodys_uid, throwing(asio::deferred));
    bool has_thrown = false;
    try {
        co_await std::move(later);
    } catch (const Exception&) {
        has_thrown = true;
    }
    CHECK(has_thrown);
    auto const [ec, who] =
        co_await scene.client().async_whoami(as_error_code(asio::as_tuple(asio::deferred)));
    CHECK_FALSE(ec);
    CHECK(who.org_name == "acme");
    Identity const same = co_await scene.client().async_whoami(as_error_code());
    CHECK(same == who);
}

TEST_CASE("throwing and as_error_code: a token may be left out, and be deferred") {
    AdaptorScene scene;
    scene.run(await_without_token(scene));
}

asio::awaitable<void> await_created(AdaptorScene& scene) {
    CreatedApiKey const made = co_await scene.client().async_create(NewApiKey("a").label("stage", "test"),
                                                                    throwing(asio::use_awaitable));
    CHECK(made.secret().expose().size() == 32);
    std::optional<errc> code;
    try {
        co_await scene.client().async_create(NewApiKey(""), throwing(asio::use_awaitable));
    } catch (const Exception& e) {
        code = e.error().code();
    }
    CHECK(code == errc::invalid_argument);
}

TEST_CASE("throwing: a created key, which can only be moved, is awaited like others") {
    AdaptorScene scene;
    scene.run(await_created(scene));
}

TEST_CASE("throwing and as_error_code: beside an error, a created key is empty") {
    AdaptorScene scene;
    std::optional<CreatedApiKey> beside_exception, beside_code;
    scene.client().async_create(NewApiKey(""), throwing([&](std::exception_ptr thrown, CreatedApiKey key) {
                                    CHECK(thrown);
                                    beside_exception = std::move(key);
                                }));
    scene.client().async_create(NewApiKey(""), as_error_code([&](std::error_code ec, CreatedApiKey key) {
                                    CHECK(ec == errc::invalid_argument);
                                    beside_code = std::move(key);
                                }));
    scene.run();
    for (auto const* const key : {&beside_exception, &beside_code}) {
        REQUIRE(*key);
        CHECK((*key)->uid().empty());
        CHECK((*key)->secret().expose().empty());
        CHECK_FALSE((*key)->confirmed());
    }
}

TEST_CASE("throwing: a future holds the value or the exception") {
    AdaptorScene scene;
    auto key = scene.client().async_get(scene.another_uid(), throwing(asio::use_future));
    auto made = scene.client().async_create(NewApiKey("a"), throwing(asio::use_future));
    auto unknown = scene.client().async_get(nobodys_uid, throwing(asio::use_future));
    auto removed = scene.client().async_remove(nobodys_uid, throwing(asio::use_future));
    static_assert(std::same_as<decltype(key), std::future<ApiKey>>);
    static_assert(std::same_as<decltype(made), std::future<CreatedApiKey>>);
    static_assert(std::same_as<decltype(removed), std::future<void>>);
    scene.run();
    CHECK(key.get().name == scene.emulator.keys()[scene.emulator.keys().size() - 2].name);
    CHECK(made.get().confirmed());
    CHECK_THROWS_AS(unknown.get(), Exception);
    CHECK_THROWS_AS(removed.get(), Exception);
}

TEST_CASE("throwing: a callback gets an exception pointer, and the value") {
    AdaptorScene scene;
    int calls = 0;
    auto owned = std::make_unique<int*>(&calls);
    scene.client().async_whoami(throwing([owned = std::move(owned)](std::exception_ptr thrown, Identity who) {
        CHECK_FALSE(thrown);
        CHECK(who.org_name == "acme");
        ++**owned;
    }));
    scene.client().async_revoke(nobodys_uid, throwing([&](std::exception_ptr thrown) {
                                    CHECK(thrown);
                                    ++calls;
                                }));
    scene.run();
    CHECK(calls == 2);
}

std::optional<errc> code_of(const std::exception_ptr& thrown) {
    try {
        if (thrown) std::rethrow_exception(thrown);
    } catch (const Exception& e) {
        return e.error().code();
    }
    return std::nullopt;
}

asio::awaitable<void> join(AdaptorScene& scene) {
    auto const token = throwing(asio::use_awaitable);
    auto& client = scene.client();
    auto const [who, keys] = co_await (client.async_whoami(token) && client.async_list(token));
    CHECK(who.org_name == "acme");
    CHECK_FALSE(keys.empty());

    scene.emulator.faults().add("GET /v1/apiKeys/" + scene.another_uid() + " stall x1");
    auto const begun = std::chrono::steady_clock::now();
    std::exception_ptr first;
    try {
        co_await (client.async_get(nobodys_uid, token) && client.async_get(scene.another_uid(), token));
    } catch (const asio::multiple_exceptions& e) {
        first = e.first_exception();
    }
    CHECK(code_of(first) == errc::not_found);
    CHECK(std::chrono::steady_clock::now() - begun < 10s);  // and not as long as a stalled answer takes

    auto const won = co_await (client.async_get(nobodys_uid, token) || client.async_whoami(token));
    CHECK(won.index() == 1);
    auto const made = co_await (client.async_create(NewApiKey("a"), token) && client.async_whoami(token));
    CHECK(std::get<0>(made).confirmed());
}

TEST_CASE("throwing: && stops at the first error, and || takes the first success") {
    AdaptorScene scene;
    scene.run(join(scene));
}

asio::awaitable<void> group(AdaptorScene& scene) {
    auto const token = throwing(asio::deferred);
    scene.emulator.faults().add("GET /v1/apiKeys/" + scene.another_uid() + " stall x1");
    auto const [order, of_stalled, no_key, of_unknown, no_other_key] =
        co_await asio::experimental::make_parallel_group(scene.client().async_get(scene.another_uid(), token),
                                                         scene.client().async_get(nobodys_uid, token))
            .async_wait(asio::experimental::wait_for_one_error(), asio::use_awaitable);
    CHECK(order[0] == 1);
    CHECK(code_of(of_stalled) == errc::operation_aborted);
    CHECK(code_of(of_unknown) == errc::not_found);
}

TEST_CASE("throwing: a parallel group stops at the first error, and tells which that was") {
    AdaptorScene scene;
    scene.run(group(scene));
}

TEST_CASE("throwing and as_error_code: a cancellation slot passes through, inside and outside") {
    AdaptorScene scene;
    scene.emulator.faults().add("GET /v1/apiKeys stall");
    asio::cancellation_signal signals[3];
    std::optional<errc> thrown;
    std::error_code codes[2];
    auto const keep = [&](const std::exception_ptr& e, const KeyList& keys) {
        CHECK(keys.empty());
        thrown = code_of(e);
    };
    scene.client().async_list(throwing(asio::bind_cancellation_slot(signals[0].slot(), keep)));
    scene.client().async_list(as_error_code(asio::bind_cancellation_slot(
        signals[1].slot(), [&](std::error_code ec, const KeyList&) { codes[0] = ec; })));
    scene.client().async_list(asio::bind_cancellation_slot(
        signals[2].slot(), as_error_code([&](std::error_code ec, const KeyList&) { codes[1] = ec; })));
    scene.context.run_for(50ms);
    CHECK_FALSE(thrown);
    for (auto& signal : signals)
        signal.emit(asio::cancellation_type::terminal);
    scene.run();
    CHECK(thrown == errc::operation_aborted);
    for (auto const& code : codes) {
        CHECK(code == errc::operation_aborted);
        CHECK(code == std::errc::operation_canceled);
    }
}

TEST_CASE("throwing: a handler runs on its own executor") {
    AdaptorScene scene;
    auto const strand = asio::make_strand(scene.context);
    int on_strand = 0;
    auto const count = [&](std::exception_ptr, Identity) { on_strand += strand.running_in_this_thread(); };
    scene.client().async_whoami(throwing(asio::bind_executor(strand, count)));
    scene.client().async_whoami(asio::bind_executor(strand, throwing(count)));
    scene.run();
    CHECK(on_strand == 2);
}

TEST_CASE("throwing: a handler's allocator holds the handler") {
    AdaptorScene scene;
    std::array<std::byte, 8192> bytes{};
    std::pmr::monotonic_buffer_resource memory(bytes.data(), bytes.size(), std::pmr::null_memory_resource());
    bool is_called = false;
    scene.client().async_whoami(
        throwing(asio::bind_allocator(std::pmr::polymorphic_allocator<std::byte>(&memory),
                                      [&](std::exception_ptr, Identity) { is_called = true; })));
    auto const* const next = static_cast<const std::byte*>(memory.allocate(1, 1));
    CHECK(next > bytes.data());
    scene.run();
    CHECK(is_called);
}

asio::awaitable<void> await_codes(AdaptorScene& scene) {
    auto const [ec, key] =
        co_await scene.client().async_get(nobodys_uid, as_error_code(asio::as_tuple(asio::use_awaitable)));
    CHECK(ec == errc::not_found);
    CHECK(ec == condition::not_found);
    CHECK(std::error_code(ec) == make_error_code(errc::not_found));
    CHECK(ec.message() == make_error_code(errc::not_found).message());
    CHECK(key == ApiKey());

    boost::system::error_code redirected;
    Identity const who = co_await scene.client().async_whoami(
        as_error_code(asio::redirect_error(asio::use_awaitable, redirected)));
    CHECK_FALSE(redirected);
    CHECK(who.org_name == "acme");
    co_await scene.client().async_remove(
        nobodys_uid, as_error_code(asio::redirect_error(asio::use_awaitable, redirected)));
    CHECK(redirected == errc::not_found);

    std::error_code thrown;
    try {
        co_await scene.client().async_get(nobodys_uid, as_error_code(asio::use_awaitable));
    } catch (const boost::system::system_error& e) {
        thrown = e.code();
    }
    CHECK(thrown == errc::not_found);
    co_await scene.client().async_revoke(scene.another_uid(), as_error_code(asio::use_awaitable));
}

TEST_CASE("as_error_code: as_tuple, redirect_error and use_awaitable know the code") {
    AdaptorScene scene;
    scene.run(await_codes(scene));
}

TEST_CASE("as_error_code: a callback takes the standard's type or Boost's") {
    AdaptorScene scene;
    std::error_code standard;
    boost::system::error_code boosts;
    std::optional<std::error_code> of_void;
    scene.client().async_get(nobodys_uid, as_error_code([&](std::error_code ec, ApiKey) { standard = ec; }));
    scene.client().async_get("", as_error_code([&](boost::system::error_code ec, ApiKey) { boosts = ec; }));
    scene.client().async_revoke(scene.another_uid(),
                                as_error_code([&](std::error_code ec) { of_void = ec; }));
    scene.run();
    CHECK(standard == errc::not_found);
    CHECK(standard.category() == get_error_category());
    CHECK(boosts == errc::invalid_argument);
    REQUIRE(of_void);
    CHECK_FALSE(*of_void);
}

#if BOOST_VERSION >= 108600
asio::awaitable<void> cancel_late(AdaptorScene& scene) {
    scene.emulator.faults().add("GET /v1/apiKeys stall");
    std::optional<errc> inside, outside;
    try {
        co_await scene.client().async_list(throwing(asio::cancel_after(20ms, asio::use_awaitable)));
    } catch (const Exception& e) {
        inside = e.error().code();
    }
    try {
        co_await scene.client().async_list(asio::cancel_after(20ms, throwing()));
    } catch (const Exception& e) {
        outside = e.error().code();
    }
    CHECK(inside == errc::operation_aborted);
    CHECK(outside == errc::operation_aborted);
    auto const [ec, keys] = co_await scene.client().async_list(
        as_error_code(asio::cancel_after(20ms, asio::as_tuple(asio::deferred))));
    CHECK(ec == errc::operation_aborted);
}

TEST_CASE("throwing and as_error_code: cancel_after cancels, inside and outside") {
    AdaptorScene scene;
    scene.run(cancel_late(scene));
}
#endif

template <class Token>
concept starts = requires(ApiKeyClient& client, Token token) { client.async_get(std::string(), token); };

TEST_CASE("throwing and as_error_code: a callback that cannot be called so is refused where it is given") {
    auto const of_result = [](Result<ApiKey>) {};
    auto const of_code = [](std::error_code, ApiKey) {};
    auto const of_exception = [](std::exception_ptr, ApiKey) {};
    CHECK(starts<decltype(throwing(of_exception))>);
    CHECK_FALSE(starts<decltype(throwing(of_result))>);
    CHECK_FALSE(starts<decltype(throwing(of_code))>);
    CHECK(starts<decltype(as_error_code(of_code))>);
    CHECK_FALSE(starts<decltype(as_error_code(of_exception))>);
}

}  // namespace tokens_adaptor_test
