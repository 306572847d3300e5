// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/time/sleep.hpp>
#include <palette/rate_limiter.hpp>
#include <palette/transport.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline {

/// A transport whose requests wait for the rate limit: what a provider of credentials logs in through. An
/// operation that waits for a login has had its own turn, in the bucket of another path, so that neither
/// holds up the other.
class LimitedTransport final : public Transport {
public:
    LimitedTransport(std::shared_ptr<Transport> transport, std::shared_ptr<RateLimiter> limiter,
                     timing::TimeSource time, std::string authority);

    boost::asio::awaitable<Result<void>> exchange(const HttpRequest& request, ResponseSink& sink,
                                                  ExchangeReport& report) override;
    void close() override { transport_->close(); }

private:
    std::shared_ptr<Transport> transport_;
    std::shared_ptr<RateLimiter> limiter_;
    timing::TimeSource time_;
    std::string authority_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/pipeline/limited_transport.ipp>
#endif
