// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "bench/canned_service.hpp"
#include "bench/measure.hpp"
#include "bench/our_client.hpp"
#include "bench/peer_beast.hpp"

#include <cstddef>

namespace bench {

// The two that list the same keys, each on a connection that stays open.
class ListContenders {
public:
    explicit ListContenders(std::size_t keys)
        : keys_(keys),
          service_(keys),
          client_(context_, options_for(service_.port())),
          peer_(context_.get_executor(), service_.port(), 64 * 1024) {
        run(context_, peer_.connect());
        ours(1);
    }

    void ours(int times) { run(context_, list(times)); }
    void by_hand(int times) { run(context_, list_by_hand(times)); }

private:
    boost::asio::awaitable<void> list(int times) {
        for (int i = 0; i < times; ++i) {
            auto const list = co_await client_.async_list();
            require(list && list->size() == keys_);
        }
    }

    boost::asio::awaitable<void> list_by_hand(int times) {
        for (int i = 0; i < times; ++i) {
            auto const list = co_await peer_.get("/v1/apiKeys");
            require(list.at("items").as_array().size() == keys_);
        }
    }

    std::size_t keys_;
    CannedService service_;
    boost::asio::io_context context_{1};
    palette::ApiKeyClient client_;
    BeastPeer peer_;
};

}  // namespace bench
