// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/pipeline/limited_transport.hpp>
#include <palette/impl/pipeline/rate_limit_place.hpp>
#include <palette/impl/pipeline/retry_after.hpp>
#include <palette/impl/seams/bucket_name.hpp>

#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline {

// Passes an answer on, and keeps the head of one that says that there were too many requests.
class RefusalWatch final : public ResponseSink {
public:
    explicit RefusalWatch(ResponseSink& sink) noexcept : sink_(sink) {}

    void waiting_for_connection(bool waiting) override { sink_.waiting_for_connection(waiting); }
    [[nodiscard]] bool wants_header(int status, std::string_view name) const override {
        return status == 429 || sink_.wants_header(status, name);
    }
    void head(HttpResponse response) override {
        if (response.status == 429) refusal_ = response;
        sink_.head(std::move(response));
    }
    bool body(std::string_view piece) override { return sink_.body(piece); }

    [[nodiscard]] const std::optional<HttpResponse>& refusal() const noexcept { return refusal_; }

private:
    ResponseSink& sink_;
    std::optional<HttpResponse> refusal_;
};

PALETTE_KEYS_INLINE LimitedTransport::LimitedTransport(std::shared_ptr<Transport> transport,
                                                       std::shared_ptr<RateLimiter> limiter,
                                                       timing::TimeSource time, std::string authority)
    : transport_(std::move(transport)),
      limiter_(std::move(limiter)),
      time_(std::move(time)),
      authority_(std::move(authority)) {}

PALETTE_KEYS_INLINE boost::asio::awaitable<Result<void>> LimitedTransport::exchange(
    const HttpRequest& request, ResponseSink& sink, ExchangeReport& report) {
    auto const bucket = detail::bucket_name(authority_, request.target);
    {
        // The place is left before the exchange, and however this coroutine ends.
        RateLimitPlace place(*limiter_, bucket, limiter_->ticket());
        for (auto wait = place.wait(time_.steady()); wait.count() > 0; wait = place.wait(time_.steady())) {
            auto const has_come = co_await timing::sleep(time_, wait);
            if (!has_come) co_return Error(errc::operation_aborted, "it was cancelled");
        }
    }
    RefusalWatch watch(sink);
    auto const sent = time_.steady();
    auto result = co_await transport_->exchange(request, watch, report);
    // Everyone who shares the limiter waits, not only this request (W14).
    if (result && watch.refusal())
        limiter_->refused(
            bucket, sent, time_.steady(),
            retry_after(*watch.refusal(), time_.now()).value_or(std::chrono::milliseconds::zero()));
    co_return result;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline
