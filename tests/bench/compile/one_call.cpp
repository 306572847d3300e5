// SPDX-License-Identifier: BSL-1.0
// What a program pays that makes one call: compiled against each form of the library.
#include <palette/client.hpp>

#include <boost/asio/awaitable.hpp>

#include <string>

boost::asio::awaitable<bool> is_active(palette::ApiKeyClient& client, std::string uid) {
    auto const key = co_await client.async_get(uid);
    co_return key && key->is_active;
}
