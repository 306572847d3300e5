// SPDX-License-Identifier: BSL-1.0
//
// Lists the keys that the caller may see, then those of them that end soon.
//
// Run it: list_keys. With PALETTE_HOST and PALETTE_API_KEY set it asks that service, otherwise an emulator
// of its own. It changes nothing.
#include "service.hpp"

#include <palette/api_keys.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <exception>
#include <iomanip>
#include <iostream>

namespace asio = boost::asio;

namespace {

// States are judged at as_of(), the time of the service: this machine's clock may be wrong.
void print(const palette::KeyList& keys) {
    for (auto const& key : keys)
        std::cout << "  " << std::left << std::setw(18) << key.name << std::setw(18)
                  << key.owner.first_name + ' ' + key.owner.last_name << std::setw(9)
                  << key.state(keys.as_of()) << key.expiry << '\n';
}

asio::awaitable<void> list_keys(palette::ClientOptions options) {
    auto const executor = co_await asio::this_coro::executor;
    palette::ApiKeyClient client(executor, options);

    auto const all = co_await client.async_list();
    if (!all) throw palette::Exception(all.error());
    std::cout << all->size() << " keys:\n";
    print(*all);

    auto const soon = all->as_of() + std::chrono::days{31};
    auto const ending = co_await client.async_list(
        palette::ListFilter().state(palette::KeyState::active).expires_before(soon));
    if (!ending) throw palette::Exception(ending.error());
    std::cout << ending->size() << " of them work, and end within 31 days:\n";
    print(*ending);
}

}  // namespace

int main() try {
    example::Service const service({.keys = 6});
    asio::io_context context;
    auto done = asio::co_spawn(context, list_keys(service.options()), asio::use_future);
    context.run();
    done.get();  // throws what the coroutine threw
} catch (const std::exception& e) {
    std::cerr << "list_keys: " << e.what() << '\n';
    return 1;
}
