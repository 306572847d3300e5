// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/virtual_time.hpp"

#include <palette/http_transport.hpp>
#include <palette/options.hpp>
#include <palette/transport.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <functional>
#include <memory>
#include <string_view>
#include <utility>

namespace support {

/// A service that gives no answer to some requests, until they are cancelled: they count as sent.
///
///     auto const transport = StallingTransport::into(options, time);
///     transport->stalls = StallingTransport::all("PUT", "/v1/apiKeys");
class StallingTransport final : public palette::Transport {
public:
    /// Asked about each request. Empty: all are answered.
    std::function<bool(const palette::HttpRequest&)> stalls;
    /// Whether the service has received them: it does what it was asked to.
    bool are_received = false;
    /// Counts the requests that were given no answer, and those of all.
    int stalled = 0;
    int requests = 0;

    /// Puts one between the client of these options and its service.
    static std::shared_ptr<StallingTransport> into(palette::ClientOptions& options, VirtualTime& time) {
        auto transport =
            std::make_shared<StallingTransport>(palette::make_http_transport(options).value(), time);
        options.transport = transport;
        return transport;
    }
    StallingTransport(std::shared_ptr<palette::Transport> service, VirtualTime& time)
        : service_(std::move(service)),
          time_(time) {}

    static std::function<bool(const palette::HttpRequest&)> all(std::string_view method,
                                                                std::string_view path) {
        return [=](const palette::HttpRequest& request) {
            return request.method == method && request.target.starts_with(path);
        };
    }

    boost::asio::awaitable<palette::Result<void>> exchange(const palette::HttpRequest& request,
                                                           palette::ResponseSink& sink,
                                                           palette::ExchangeReport& report) override {
        namespace asio = boost::asio;
        ++requests;
        if (!stalls || !stalls(request)) co_return co_await service_->exchange(request, sink, report);
        ++stalled;
        Nowhere nowhere;
        if (are_received) static_cast<void>(co_await service_->exchange(request, nowhere, report));
        report.sent = true;
        auto const stall = time_.stalled();
        asio::steady_timer never(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
        co_await asio::this_coro::throw_if_cancelled(false);
        co_await never.async_wait(asio::as_tuple(asio::use_awaitable));
        co_return palette::Error(palette::errc::operation_aborted, "it was cancelled");
    }

private:
    class Nowhere final : public palette::ResponseSink {
        void head(palette::HttpResponse) override {}
        bool body(std::string_view) override { return true; }
    };

    std::shared_ptr<palette::Transport> service_;
    VirtualTime& time_;
};

}  // namespace support
