// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/pipeline/answer.hpp>
#include <palette/impl/pipeline/call.hpp>
#include <palette/impl/pipeline/credentials.hpp>
#include <palette/impl/pipeline/limiter.hpp>
#include <palette/options.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::pipeline {

// Takes a request from the queue to a decoded answer. On the client's strand.
class Pipeline {
public:
    Pipeline(const boost::asio::any_io_executor& executor, const ClientOptions& options,
             std::shared_ptr<Transport> transport);

    // Success: a good status, and `answer` has it decoded. All four outlive the coroutine. A request that
    // changes something is sent once, and again only after a complete 401.
    boost::asio::awaitable<Result<void>> send(Call& call, const RequestKind& kind, HttpRequest& request,
                                              Answer& answer);

    [[nodiscard]] const timing::TimeSource& time() const noexcept { return time_; }

private:
    Result<std::chrono::milliseconds> take_turn(const Call& call, std::string_view limit);
    boost::asio::awaitable<Result<void>> attempt(Call& call, const RequestKind& kind, HttpRequest& request,
                                                 Answer& answer, int resends);
    [[nodiscard]] Error safe(const Error& error, const Call& call) const;
    void add_trace(const Call& call, HttpRequest& request) const;
    [[nodiscard]] Error failure(const Call& call, const RequestKind& kind, const Answer& answer,
                                const Error& error, const ExchangeReport& report) const;
    void observe(const Call& call, const RequestKind& kind, const HttpRequest& request, int status,
                 const Result<void>& result, std::chrono::nanoseconds begun, const ExchangeReport& report,
                 int resends) const;

    const ClientOptions& options_;
    std::shared_ptr<Transport> transport_;
    timing::TimeSource time_;
    Limiter limiter_;
    Credentials credentials_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::pipeline

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/pipeline/pipeline.ipp>
#endif
