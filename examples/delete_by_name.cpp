// SPDX-License-Identifier: BSL-1.0
//
// Deletes every key of a name. Names are not unique and are looked up; what is deleted is told by its uid.
//
// Run it: delete_by_name. With PALETTE_HOST and PALETTE_API_KEY set it talks to that service, otherwise to an
// emulator of its own. It makes the keys that it deletes, under a name that nobody else uses.
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

asio::awaitable<palette::Result<int>> delete_by_name(palette::ApiKeyClient& client, std::string name) {
    auto const found = co_await client.async_find(name);
    if (!found) co_return found.error();
    std::cout << *found << '\n';

    int deleted = 0;
    for (auto const& key : *found) {
        auto const removed = co_await client.async_remove(key.uid);
        // Somebody else was faster: that is what was wanted.
        if (!removed && !palette::is_not_found(removed.error())) co_return removed.error();
        std::cout << "  deleted " << key.uid << ", of " << key.owner.first_name << ' ' << key.owner.last_name
                  << '\n';
        ++deleted;
    }
    co_return deleted;
}

asio::awaitable<void> make_and_delete(palette::ClientOptions options) {
    auto const executor = co_await asio::this_coro::executor;
    palette::ApiKeyClient client(executor, options);

    auto const now = std::chrono::system_clock::now().time_since_epoch();
    auto const name = "example-delete-" + std::to_string(now.count());
    auto const first = co_await client.async_create(palette::NewApiKey(name));
    auto const second = co_await client.async_create(palette::NewApiKey(name));

    // Also if only one of them could be made.
    auto const deleted = co_await delete_by_name(client, name);
    if (!first) throw palette::Exception(first.error());
    if (!second) throw palette::Exception(second.error());
    std::cout << deleted.value() << " keys deleted\n";

    auto const left = co_await client.async_find(name);
    std::cout << left.value().size() << " are left\n";
}

}  // namespace

int main() try {
    example::Service const service;
    asio::io_context context;
    auto done = asio::co_spawn(context, make_and_delete(service.options()), asio::use_future);
    context.run();
    done.get();
} catch (const std::exception& e) {
    std::cerr << "delete_by_name: " << e.what() << '\n';
    return 1;
}
