// SPDX-License-Identifier: BSL-1.0
#include <palette/call_options.hpp>
#include <palette/client.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <concepts>
#include <string>
#include <type_traits>
#include <utility>

namespace call_options_test {

using namespace palette;
using namespace std::chrono_literals;

template <class Options>
concept Verifies = requires(Options options) { options.verify(); };
template <class Options>
concept HasNonce = requires(Options options) { options.nonce(std::string()); };
template <class Options>
concept MayShorten = requires(Options options) { options.allow_shorter(); };

template <class Client, class Options>
concept GetsWith = requires(Client client, Options options) { client.async_get("a", options); };
template <class Client, class Options>
concept RevokesWith =
    requires(Client client, Options options) { client.async_revoke(std::string("a"), options); };
template <class Client, class Options>
concept CreatesWith =
    requires(Client client, Options options) { client.async_create(NewApiKey("a"), options); };
template <class Client, class Options>
concept ListsWith = requires(Client client, Options options) { client.async_list(options); };

TEST_CASE("options of a call: what does not apply to an operation does not compile") {
    static_assert(Verifies<ChangeOptions> && !Verifies<CreateOptions> && !Verifies<CallOptions>);
    static_assert(MayShorten<ChangeOptions> && !MayShorten<CreateOptions> && !MayShorten<CallOptions>);
    static_assert(HasNonce<CreateOptions> && !HasNonce<ChangeOptions> && !HasNonce<CallOptions>);
    static_assert(GetsWith<ApiKeyClient, CallOptions> && !GetsWith<ApiKeyClient, ChangeOptions>);
    static_assert(RevokesWith<ApiKeyClient, ChangeOptions> && !RevokesWith<ApiKeyClient, CreateOptions>);
    static_assert(CreatesWith<ApiKeyClient, CreateOptions> && !CreatesWith<ApiKeyClient, ChangeOptions>);
}

TEST_CASE("options of a call: options of any operation do for each, and convert no other way") {
    static_assert(std::convertible_to<CallOptions, CreateOptions>);
    static_assert(std::convertible_to<CallOptions, ChangeOptions>);
    static_assert(!std::convertible_to<CreateOptions, CallOptions>);
    static_assert(!std::convertible_to<ChangeOptions, CreateOptions>);
    static_assert(ListsWith<ApiKeyClient, CallOptions> && RevokesWith<ApiKeyClient, CallOptions> &&
                  CreatesWith<ApiKeyClient, CallOptions>);
    ChangeOptions const change = CallOptions().deadline(5s).allow_own_key();
    CHECK(change.deadline() == Deadline(5s));
    CHECK(change.allow_own_key());
    CHECK_FALSE(change.verify());
    CreateOptions const create = CallOptions().deadline(5s).traceparent("t");
    CHECK(create.deadline() == Deadline(5s));
    CHECK(create.traceparent() == "t");
}

TEST_CASE("options of a call: a getter gives what its setter was given") {
    ChangeOptions const none;
    CHECK_FALSE(none.deadline());
    CHECK(none.traceparent().empty());
    CHECK_FALSE(none.verify());
    CHECK_FALSE(none.allow_past_expiry());
    CHECK_FALSE(none.allow_shorter());
    CHECK_FALSE(none.allow_own_key());
    auto const all =
        ChangeOptions().deadline(1s).verify().allow_past_expiry().allow_shorter().allow_own_key();
    CHECK(all.deadline() == Deadline(1s));
    CHECK(all.verify());
    CHECK(all.allow_past_expiry());
    CHECK(all.allow_shorter());
    CHECK(all.allow_own_key());

    CreateOptions const fresh;
    CHECK_FALSE(fresh.nonce());
    CHECK_FALSE(fresh.retry_when_unseen());
    CHECK_FALSE(fresh.allow_past_expiry());
    CreateOptions named;
    named.nonce("abc").retry_when_unseen().allow_past_expiry();
    named.retry_when_unseen(false);
    CHECK(std::as_const(named).nonce() == "abc");
    CHECK_FALSE(std::as_const(named).retry_when_unseen());
    CHECK(std::as_const(named).allow_past_expiry());
}

TEST_CASE("deadline: a duration is left whole, and a point in time by what is left until then") {
    Instant const now{1'800'000'000'000ms};
    CHECK(Deadline(5s).remaining(now) == 5'000ms);
    CHECK(Deadline(1.5s).remaining(now) == 1'500ms);
    CHECK(Deadline(now + 90s).remaining(now) == 90'000ms);
    CHECK(Deadline(now - 1s).remaining(now) == -1'000ms);
    CHECK(Deadline(std::chrono::floor<std::chrono::days>(now) + 48h).remaining(now) > 24h);
    auto const left = Deadline(std::chrono::steady_clock::now() + 1h).remaining(now);
    CHECK(left <= 1h);
    CHECK(left > 59min);
    CHECK_FALSE(Deadline(5s) == Deadline(now + 5s));
}

}  // namespace call_options_test
