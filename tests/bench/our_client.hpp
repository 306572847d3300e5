// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "bench/canned_service.hpp"

#include <palette/auth.hpp>
#include <palette/client.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <exception>
#include <string>
#include <utility>

namespace bench {

inline palette::ClientOptions options_for(std::uint16_t port) {
    palette::ClientOptions options;
    options.endpoint = palette::Endpoint::parse("http://127.0.0.1:" + std::to_string(port)).value();
    options.auth = palette::auth::api_key(palette::Secret(api_key));
    options.rate_limit = palette::RateLimitOptions::off();
    return options;
}

// Runs coroutines until the last of them has ended; what else the context has to do goes on the next time.
class Runner {
public:
    explicit Runner(boost::asio::io_context& context) : context_(context) {}

    void add(boost::asio::awaitable<void> story) {
        ++running_;
        boost::asio::co_spawn(context_, std::move(story), [this](std::exception_ptr thrown) {
            if (thrown) std::rethrow_exception(thrown);
            if (--running_ == 0) context_.stop();
        });
    }
    void run() {
        context_.run();
        context_.restart();
    }

private:
    boost::asio::io_context& context_;
    int running_ = 0;
};

inline void run(boost::asio::io_context& context, boost::asio::awaitable<void> story) {
    Runner runner(context);
    runner.add(std::move(story));
    runner.run();
}

}  // namespace bench
