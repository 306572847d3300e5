// SPDX-License-Identifier: BSL-1.0
//
// Switches a key off, sees that it is refused, and switches it on again: what to do first when a key may
// have leaked, since it can be undone.
//
// Run it: revoke_and_reactivate. With PALETTE_HOST and PALETTE_API_KEY set it talks to that service,
// otherwise to an emulator of its own. It works on a key that it makes, and removes in the end.
#include "service.hpp"

#include <palette/api_keys.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_future.hpp>

#include <exception>
#include <iostream>
#include <string>
#include <utility>

namespace asio = boost::asio;

namespace {

// Says whether the key works, by asking who its user is.
asio::awaitable<palette::Result<void>> try_key(palette::ApiKeyClient& with_key, std::string when) {
    auto const me = co_await with_key.async_whoami();
    if (!me && me.error().code() != palette::errc::unauthorized) co_return me.error();
    std::cout << when << ": " << (me ? "the key works" : me.error().message()) << '\n';
    co_return palette::Result<void>();
}

// verify() reads the key back: an incident is no time for a service that says yes and does nothing.
asio::awaitable<palette::Result<void>> switch_off_and_on(palette::ApiKeyClient& client,
                                                         palette::ApiKeyClient& with_key, std::string uid) {
    auto tried = co_await try_key(with_key, "before");
    if (!tried) co_return tried;

    auto const revoked = co_await client.async_revoke(uid, palette::ChangeOptions().verify());
    if (!revoked) co_return revoked;
    tried = co_await try_key(with_key, "revoked");
    if (!tried) co_return tried;

    // Possible until the key's expiry has passed; after that, renew it first.
    auto const reactivated = co_await client.async_reactivate(uid, palette::ChangeOptions().verify());
    if (!reactivated) co_return reactivated;
    co_return co_await try_key(with_key, "re-activated");
}

asio::awaitable<void> revoke_and_reactivate(palette::ClientOptions options) {
    auto const executor = co_await asio::this_coro::executor;
    palette::ApiKeyClient client(executor, options);

    auto created = co_await client.async_create(palette::NewApiKey("example-revoke"));
    if (!created) throw palette::Exception(created.error());
    auto const uid = created->uid();

    options.auth = palette::auth::api_key(std::move(*created).secret(), uid);
    palette::ApiKeyClient with_key(executor, options);

    auto const outcome = co_await switch_off_and_on(client, with_key, uid);
    auto const removed = co_await client.async_remove(uid);
    outcome.value();
    removed.value();
}

}  // namespace

int main() try {
    example::Service const service;
    asio::io_context context;
    auto done = asio::co_spawn(context, revoke_and_reactivate(service.options()), asio::use_future);
    context.run();
    done.get();
} catch (const std::exception& e) {
    std::cerr << "revoke_and_reactivate: " << e.what() << '\n';
    return 1;
}
