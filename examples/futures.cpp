// SPDX-License-Identifier: BSL-1.0
//
// The operations with futures, for programs that have threads of their own and want to wait where it suits
// them: three questions under way at once, then a key that is made and removed.
//
// Run it: futures. With PALETTE_HOST and PALETTE_API_KEY set it talks to that service, otherwise to an
// emulator of its own.
#include "service.hpp"

#include <palette/api_keys.hpp>

#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <exception>
#include <future>
#include <iostream>
#include <utility>

namespace asio = boost::asio;

int main() try {
    example::Service const service;
    asio::thread_pool thread(1);
    palette::ApiKeyClient client(thread, service.options());  // goes before the thread does

    auto me = client.async_whoami(asio::use_future);
    auto keys = client.async_list(asio::use_future);
    auto revoked =
        client.async_list(palette::ListFilter().state(palette::KeyState::revoked), asio::use_future);

    // A future holds a Result, and value() throws if that is an error.
    std::cout << "user " << me.get().value().user_uid << " sees " << keys.get().value().size() << " keys, "
              << revoked.get().value().size() << " of them revoked\n";

    // Or it is looked at.
    std::future<palette::Result<palette::CreatedApiKey>> making =
        client.async_create(palette::NewApiKey("example-futures"), asio::use_future);
    while (making.wait_for(std::chrono::milliseconds{1}) != std::future_status::ready)
        std::cout << "... something else is done meanwhile\n";
    auto const created = making.get();
    if (!created) {
        std::cerr << "futures: " << created.error() << '\n';
        return 1;
    }
    std::cout << "made " << created->uid() << '\n';

    client.async_remove(created->uid(), asio::use_future).get().value();
    std::cout << "removed it\n";
} catch (const std::exception& e) {
    std::cerr << "futures: " << e.what() << '\n';
    return 1;
}
