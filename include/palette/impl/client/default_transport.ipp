// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/http_transport.hpp>
#include <palette/impl/client/client.ipp>
#include <palette/impl/net/http_transport.hpp>
#include <palette/impl/values/error_of_exception.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {
namespace impl::client {

// Makes the transport when the client first uses it: before that, nobody knows the client's executor.
class DefaultTransport final : public Transport {
public:
    explicit DefaultTransport(ClientOptions options) : options_(std::move(options)) {}

    asio::awaitable<Result<void>> exchange(const HttpRequest& request, ResponseSink& sink,
                                           ExchangeReport& report) override {
        // On the client's strand, so that there is no race about who makes it.
        if (!made_) {
            auto made = net::make_http_transport(co_await asio::this_coro::executor, options_);
            if (!made) co_return std::move(made.error());
            made_ = std::move(*made);
            options_.tls.client_key_passphrase.reset();
        }
        co_return co_await made_->exchange(request, sink, report);
    }

    void close() override {
        if (made_) made_->close();
    }

private:
    ClientOptions options_;
    std::shared_ptr<Transport> made_;
};

}  // namespace impl::client

PALETTE_KEYS_INLINE Result<std::shared_ptr<Transport>> make_http_transport(ClientOptions options) {
    try {
        options = impl::client::checked(std::move(options));
    } catch (const Exception& refused) {
        return refused.error();
    }
    // What is wrong with files and addresses is said now, by a transport that is not used.
    boost::asio::io_context unused;
    auto tried = impl::net::make_http_transport(unused.get_executor(), options);
    if (!tried) return std::move(tried.error());
    return std::shared_ptr<Transport>(std::make_shared<impl::client::DefaultTransport>(std::move(options)));
}

}  // namespace palette::inline PALETTE_KEYS_ABI
