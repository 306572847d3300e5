// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/error.hpp>
#include <palette/impl/pipeline/answer.hpp>
#include <palette/impl/pipeline/call.hpp>
#include <palette/impl/pipeline/conditions.hpp>
#include <palette/impl/pipeline/credentials.hpp>
#include <palette/impl/pipeline/retry.hpp>
#include <palette/impl/pipeline/turn.hpp>
#include <palette/impl/redaction/known_secrets.hpp>
#include <palette/impl/time/jitter.hpp>
#include <palette/options.hpp>
#include <palette/rate_limiter.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_type.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline {

class Sending;

// Takes a request from the queue to a decoded answer. On the client's strand.
class Pipeline {
public:
    Pipeline(const boost::asio::any_io_executor& executor, const ClientOptions& options,
             std::shared_ptr<Transport> transport);

    // Success: a good status, and `answer` has it decoded. All of them outlive the coroutine. What fails is
    // sent again as far as the kind and the options allow; after a complete 401 once with another credential.
    boost::asio::awaitable<Result<void>> send(Call& call, const RequestKind& kind, HttpRequest& request,
                                              Answer& answer, const Conditions& conditions);

    // The turn of the call's next request, which is of that kind. Where it has been taken beforehand, and the
    // call keeps it, send() does not queue for it again.
    [[nodiscard]] Turn turn_of(Call& call, const RequestKind& kind) {
        return Turn(*limiter_, bucket_of(kind), time_, call);
    }

    [[nodiscard]] const timing::TimeSource& time() const noexcept { return time_; }

    [[nodiscard]] const std::shared_ptr<RateLimiter>& limiter() const noexcept { return limiter_; }

    // The one that the next request is sent with, unless it has to wait; null if it has to be got first.
    [[nodiscard]] Credentials::Shared credential() const { return credentials_.at_hand(); }

    // Cancels the renewal of the credential that no operation waits for.
    void stop_renewal() { credentials_.stop_renewal(); }

    // Every error that holds words from outside passes here before anybody sees it.
    [[nodiscard]] Error safe(const Error& error, const Call& call) const;

    // Whether a uid of the service has a part of what no error shows.
    [[nodiscard]] bool has_secret(std::string_view uid) const;

    // An observer has seen the start of an attempt whose coroutine was lost, for want of memory.
    void observe_lost_attempt(Call& call) const noexcept { observe_end(call, 0, errc::out_of_memory); }

    // From now on, no error shows it; no copy of it is kept.
    void hide(detail::KnownSecrets::Kind kind, const Secret& secret) { known_->add(kind, secret.expose()); }

private:
    // The steps of send().
    boost::asio::awaitable<Result<void>> take_turn(Sending& sending);
    Result<void> begin_attempt(Sending& sending, boost::asio::cancellation_type cancelled);
    boost::asio::awaitable<Result<void>> authorize(Sending& sending);
    ExchangeReport& announce_exchange(Sending& sending);
    void conclude_exchange(Sending& sending, const Result<void>& exchanged, const ExchangeReport& report);
    boost::asio::awaitable<Result<bool>> recover(Sending& sending);

    boost::asio::awaitable<Result<void>> ask_guards(const Sending& sending);
    boost::asio::awaitable<Result<bool>> change_credential(Sending& sending);
    [[nodiscard]] Error credential_failure(const Error& error, Sending& sending) const;
    [[nodiscard]] Error failure(const Sending& sending, const Error& error,
                                const ExchangeReport& report) const;
    void add_trace(const Call& call, HttpRequest& request) const;
    void observe_start(const Sending& sending) const;
    [[nodiscard]] AttemptEvent event_of(const Call& call,
                                        const Call::ObservedAttempt& attempt) const noexcept;
    void observe_end(Call& call, int status, std::optional<errc> error) const noexcept;
    const std::string& bucket_of(const RequestKind& kind);

    const ClientOptions& options_;
    std::shared_ptr<Transport> transport_;
    timing::TimeSource time_;
    std::shared_ptr<RateLimiter> limiter_;
    std::map<std::string_view, std::string> buckets_;
    RetryBudget budget_;
    timing::Jitter jitter_;
    std::shared_ptr<detail::KnownSecrets> known_ = std::make_shared<detail::KnownSecrets>();
    Credentials credentials_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/pipeline/pipeline.ipp>
#endif
