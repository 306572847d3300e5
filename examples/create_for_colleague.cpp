// SPDX-License-Identifier: BSL-1.0
//
// An administrator makes a key for somebody else, of whom they know the e-mail address. The key has that
// user's permissions and not the administrator's. In the end it is removed again.
//
// Run it: create_for_colleague [E-MAIL]. With PALETTE_HOST and PALETTE_API_KEY set it talks to that service,
// and needs the address of a user there; otherwise it talks to an emulator of its own.
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
#include <stdexcept>
#include <string>

namespace asio = boost::asio;

namespace {

asio::awaitable<palette::Result<void>> hand_over(palette::ApiKeyClient& client, std::string uid) {
    auto const key = co_await client.async_get(uid);
    if (!key) co_return key.error();
    std::cout << '"' << key->name << "\" belongs to " << key->owner.first_name << ' ' << key->owner.last_name
              << " and ends at " << key->expiry << '\n';
    // Here the value would go to the colleague: once, over a channel that both trust.
    co_return palette::Result<void>();
}

asio::awaitable<void> create_for(palette::ClientOptions options, std::string email) {
    auto const executor = co_await asio::this_coro::executor;
    palette::ApiKeyClient client(executor, options);

    auto const user = co_await client.async_find_user(email);
    if (!user && palette::is_not_found(user.error())) throw std::runtime_error("nobody here has " + email);
    if (!user) throw palette::Exception(user.error());
    if (!user->is_active) throw std::runtime_error(email + " is not active: a key would not work");

    auto const created = co_await client.async_create(
        palette::NewApiKey("example-for-colleague").lives_for(std::chrono::days{7}).for_user(user->uid));
    // Only administrators make keys for others.
    if (!created && created.error().code() == palette::errc::forbidden)
        std::cerr << "this credential is not an administrator's\n";
    if (!created) throw palette::Exception(created.error());

    auto const outcome = co_await hand_over(client, created->uid());
    auto const removed = co_await client.async_remove(created->uid());
    outcome.value();
    removed.value();
    std::cout << "it is removed again\n";
}

}  // namespace

int main(int argc, char** argv) try {
    example::Service const service;
    if (service.is_real() && argc < 2) throw std::runtime_error("whose key? Give an e-mail address");
    std::string const email = argc > 1 ? argv[1] : "dev@acme.test";
    asio::io_context context;
    auto done = asio::co_spawn(context, create_for(service.options(), email), asio::use_future);
    context.run();
    done.get();
} catch (const std::exception& e) {
    std::cerr << "create_for_colleague: " << e.what() << '\n';
    return 1;
}
