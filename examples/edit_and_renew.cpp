// SPDX-License-Identifier: BSL-1.0
//
// Changes a key's description and lets it live longer. An edit changes what it names and nothing else, and
// one that is based on what was seen is refused when somebody else has changed the key in the meantime.
//
// Run it: edit_and_renew. With PALETTE_HOST and PALETTE_API_KEY set it talks to that service, otherwise to an
// emulator of its own. It works on a key that it makes, and removes in the end.
#include "service.hpp"

#include <palette/api_keys.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <string>

namespace asio = boost::asio;

namespace {

asio::awaitable<palette::Result<void>> edit(palette::ApiKeyClient& client, std::string uid) {
    auto const seen = co_await client.async_get(uid);
    if (!seen) co_return seen.error();
    std::cout << "made:    " << seen->description << ", ends " << seen->expiry << '\n';

    // By its uid: what the key is like now does not matter.
    auto const edited =
        co_await client.async_update(uid, palette::ApiKeyEdit().description("moved to team b"));
    if (!edited) co_return edited.error();
    std::cout << "edited:  " << edited->description << ", ends " << edited->expiry << '\n';

    // By the key as it was seen, which it is not any more.
    auto const late =
        co_await client.async_update(*seen, palette::ApiKeyEdit().description("nightly, team a"));
    if (late || late.error().code() != palette::errc::conflict)
        co_return palette::Error(palette::errc::bad_value, "an edit of what has changed was not refused");
    std::cout << "refused: " << late.error().message() << '\n';

    // Sixty days from now, whatever was left.
    auto const renewed = co_await client.async_renew(uid, std::chrono::days{60});
    if (!renewed) co_return renewed.error();
    std::cout << "renewed: " << renewed->description << ", ends " << renewed->expiry << '\n';
    co_return palette::Result<void>();
}

asio::awaitable<void> edit_and_renew(palette::ClientOptions options) {
    auto const executor = co_await asio::this_coro::executor;
    palette::ApiKeyClient client(executor, options);

    auto const created =
        co_await client.async_create(palette::NewApiKey("example-edit")
                                         .description("nightly, team a")
                                         .expires(palette::Expiry::in(std::chrono::days{7})));
    if (!created) throw palette::Exception(created.error());

    auto const outcome = co_await edit(client, created->uid());
    auto const removed = co_await client.async_remove(created->uid());
    outcome.value();
    removed.value();
}

}  // namespace

int main() try {
    example::Service const service;
    asio::io_context context;
    auto done = asio::co_spawn(context, edit_and_renew(service.options()), asio::use_future);
    context.run();
    done.get();
} catch (const std::exception& e) {
    std::cerr << "edit_and_renew: " << e.what() << '\n';
    return 1;
}
