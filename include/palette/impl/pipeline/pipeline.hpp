// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/pipeline/answer.hpp>
#include <palette/impl/pipeline/call.hpp>
#include <palette/impl/pipeline/credentials.hpp>
#include <palette/impl/pipeline/retry.hpp>
#include <palette/impl/redaction/known_secrets.hpp>
#include <palette/impl/time/jitter.hpp>
#include <palette/options.hpp>
#include <palette/rate_limiter.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::pipeline {

// Looks what has become of a request before it is sent again.
class Guard {
public:
    Guard() = default;
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    virtual ~Guard() = default;

    // False: it was not done, and may be sent again. An error: it may not, and that is why.
    virtual boost::asio::awaitable<Result<bool>> is_done() = 0;
};

/// What a request needs beside what its kind says.
class Conditions {
public:
    Conditions() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await
    Conditions(Guard* looks_first) : guard(looks_first) {}

    /// For a kind that is checked: tells whether an attempt without an answer was done after all.
    Guard* guard = nullptr;
    /// The uid of the key that the request takes away from whoever uses it. It is not sent with that key
    /// itself.
    std::string_view takes_away{};
    /// The only credential that it is sent with, whoever's that is. None: the one in use.
    Credentials::Shared credential{};
};

class RateLimitPlace;

// Takes a request from the queue to a decoded answer. On the client's strand.
class Pipeline {
public:
    Pipeline(const boost::asio::any_io_executor& executor, const ClientOptions& options,
             std::shared_ptr<Transport> transport);

    // Success: a good status, and `answer` has it decoded. All of them outlive the coroutine. What fails is
    // sent again as far as the kind and the options allow; after a complete 401 once with another credential.
    boost::asio::awaitable<Result<void>> send(Call& call, const RequestKind& kind, HttpRequest& request,
                                              Answer& answer, Conditions conditions = Conditions());

    // Takes the turn of the call's next request, which is of that kind, in the queue of the rate limit:
    // send() does not queue for it again. False: it is not its turn yet. An error: not before the call's time
    // is over.
    Result<bool> take_turn(Call& call, const RequestKind& kind);
    // Queues until the turn is taken, or the call is stopped.
    boost::asio::awaitable<Result<bool>> wait_for_turn(Call& call, const RequestKind& kind);

    [[nodiscard]] const timing::TimeSource& time() const noexcept { return time_; }

    // The one that the next request is sent with, unless it has to wait; null if it has to be got first.
    [[nodiscard]] Credentials::Shared credential() const { return credentials_.at_hand(); }

    // Cancels the renewal of the credential that no operation waits for.
    void stop_renewal() { credentials_.stop_renewal(); }

    // Every error that holds words from outside passes here before anybody sees it.
    [[nodiscard]] Error safe(const Error& error, const Call& call) const;

    // Whether a uid of the service has a part of what no error shows.
    [[nodiscard]] bool has_secret(std::string_view uid) const;

    // From now on, no error shows it; no copy of it is kept.
    void hide(detail::KnownSecrets::Kind kind, const Secret& secret) { known_->add(kind, secret.expose()); }

private:
    Result<std::chrono::milliseconds> time_to_turn(Call& call, const RequestKind& kind,
                                                   RateLimitPlace& place);
    // Whether the request may be sent with the credential that it has.
    boost::asio::awaitable<Result<void>> check_credential(Call& call, const HttpRequest& request,
                                                          const Conditions& conditions);
    boost::asio::awaitable<Result<void>> attempt(Call& call, const RequestKind& kind, HttpRequest& request,
                                                 Answer& answer, int resends, AttemptOutcome& outcome);
    [[nodiscard]] Error credential_failure(const Error& error, const Call& call,
                                           AttemptOutcome& outcome) const;
    void add_trace(const Call& call, HttpRequest& request) const;
    [[nodiscard]] Error failure(const Call& call, const Answer& answer, const Error& error,
                                const ExchangeReport& report) const;
    void observe(const Call& call, const RequestKind& kind, const HttpRequest& request, int status,
                 const Result<void>& result, std::chrono::nanoseconds begun, const ExchangeReport& report,
                 int resends) const;
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

}  // namespace palette::inline PALETTE_KEYS_ABI::pipeline

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/pipeline/pipeline.ipp>
#endif
