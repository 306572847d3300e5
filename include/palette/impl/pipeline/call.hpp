// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/error.hpp>
#include <palette/impl/pipeline/create_progress.hpp>
#include <palette/impl/pipeline/guard.hpp>
#include <palette/impl/time/sleep.hpp>
#include <palette/options.hpp>
#include <palette/rate_limiter.hpp>
#include <palette/result.hpp>
#include <palette/transport.hpp>

#include <boost/asio/cancellation_signal.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline {

struct RequestKind;

// One operation under way, from its start to its completion: what may end it early, and what is known
// of it. All its state is here, and none of it points into a coroutine's frame, so that it says what was done
// when a coroutine is lost. Lives on the client's strand.
class Call {
public:
    Call(std::shared_ptr<timing::SharedTimer> timer, timing::TimeSource time, std::uint64_t id,
         std::string_view name, const Timeouts& timeouts, detail::CallSettings options);

    // Starts the clock of its deadlines, and stops it. On the strand.
    void begin();
    void end();

    enum class Stop { none, cancelled, closed, queue, deadline };

    // Ends the wait that is under way, and every later one. The first reason counts.
    void stop(Stop why);

    // What the user's cancellation means now: `total` asks for no effect, and is too late once anything
    // was sent.
    void cancel(boost::asio::cancellation_type type);

    // It may be sent: from `now` on, the time for all of it runs.
    void admit(std::chrono::nanoseconds now);

    // What a request waits for before it is sent.
    enum class Queue { rate_limit, connection };

    // It has to wait after all. Before the first request of an operation that is bounded by timeouts.queue;
    // once the first one was sent, the time for all of it runs on.
    void wait_in_queue(Queue queue);

    // From here on, what is under way ends once only `reserved` of the time is left, or half of it if that
    // is less; the call itself goes on. Time in the queue does not count.
    void limit(std::chrono::milliseconds reserved);
    // Whether that has happened: then the coroutine has to take back the cancellation that it sees.
    bool lift_limit();

    [[nodiscard]] bool is_stopped() const noexcept { return stop_ != Stop::none; }
    [[nodiscard]] bool is_admitted() const noexcept { return admitted_.has_value(); }

    /// The error of a stopped call. A timeout names what the call waited for: `waits_for`, or what is given.
    [[nodiscard]] Error stopped(Effect effect) const { return stopped(effect, waits_for_); }
    [[nodiscard]] Error stopped(Effect effect, std::string_view waited_for) const;

    /// Names what the call waits for from now on, between its requests: "the rate limiter".
    void set_waits_for(std::string_view what) noexcept { waits_for_ = what; }

    [[nodiscard]] boost::asio::cancellation_slot slot() noexcept { return signal_.slot(); }
    [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
    [[nodiscard]] std::string_view name() const noexcept { return name_; }
    // The key that it is about; empty: none.
    void set_key_uid(std::string uid) noexcept { key_uid_ = std::move(uid); }
    [[nodiscard]] const std::string& key_uid() const noexcept { return key_uid_; }
    [[nodiscard]] const detail::CallSettings& options() const noexcept { return options_; }
    [[nodiscard]] std::chrono::nanoseconds queued() const noexcept;
    [[nodiscard]] std::chrono::nanoseconds duration() const noexcept;
    // Until it ends, unless it is let in before; without what a limit reserves.
    [[nodiscard]] std::chrono::milliseconds time_left() const noexcept;

    // Its place in the queues of the rate limit: all its requests have the same one, so that what was begun
    // comes to its end before others begin.
    [[nodiscard]] RateLimiter::Ticket ticket(RateLimiter& limiter);

    // The turn of a request of that kind has come in those queues, before the request is made: the next one
    // uses it, if it is of this kind.
    void keep_turn(const RequestKind& kind) noexcept { turn_ = &kind; }
    [[nodiscard]] bool use_turn(const RequestKind& kind) noexcept {
        return std::exchange(turn_, nullptr) == &kind;
    }

    // Counts an attempt, one at a time. The transport writes what becomes of it to the report.
    [[nodiscard]] ExchangeReport& begin_attempt(bool changes_something) noexcept;
    // The transport itself has made so many more of it.
    void add_attempts(int more) noexcept { attempts_ += more; }
    // So many attempts have failed like this.
    void add_failures(FailedAttempt failure, int attempts);

    [[nodiscard]] int attempts() const noexcept { return attempts_; }
    [[nodiscard]] const std::vector<FailedAttempt>& failures() const noexcept { return failures_; }

    // The attempt of which an observer has seen the start, and not yet the end.
    struct ObservedAttempt {
        const RequestKind* kind;  // of the kinds, which are constants
        std::string method;
        std::string traceparent;
        int number;
        int resends;
        std::chrono::nanoseconds begun;
    };
    const ObservedAttempt& begin_observed(ObservedAttempt attempt) {
        observed_ = std::make_unique<ObservedAttempt>(std::move(attempt));
        return *observed_;
    }
    [[nodiscard]] std::unique_ptr<ObservedAttempt> end_observed() noexcept { return std::move(observed_); }
    // Of the attempt under way, or the last one.
    [[nodiscard]] const ExchangeReport& report() const noexcept { return report_; }

    // Whether any byte of a request that changes something may have reached the service.
    [[nodiscard]] bool has_sent_change() const noexcept {
        return has_sent_change_ || (attempt_changes_ && report_.sent);
    }

    // Of a create, from its start on; null: of any other.
    CreateProgress& track_create();
    [[nodiscard]] CreateProgress* create_progress() const noexcept { return create_progress_.get(); }

    // Is asked about each request of the call from now on: first ones, replays and later pages.
    void set_guard(std::unique_ptr<Guard> guard) noexcept { guard_ = std::move(guard); }
    [[nodiscard]] Guard* guard() const noexcept { return guard_.get(); }

private:
    [[nodiscard]] std::chrono::milliseconds queue_bound() const noexcept {
        return has_own_deadline_ ? std::min(total_, queue_) : queue_;
    }
    void expire_after(std::chrono::milliseconds time, Stop why, std::chrono::nanoseconds now);
    void set_limit();

    std::shared_ptr<timing::SharedTimer> timer_;
    timing::TimeSource time_;
    std::uint64_t id_;
    std::string_view name_;
    std::string key_uid_;
    std::chrono::milliseconds queue_;
    std::chrono::milliseconds total_;
    bool has_own_deadline_;
    detail::CallSettings options_;
    std::chrono::nanoseconds begun_;
    std::chrono::nanoseconds ends_{};
    std::optional<std::chrono::nanoseconds> admitted_;
    Stop stop_ = Stop::none;
    boost::asio::cancellation_signal signal_;
    timing::Alarm alarm_;
    std::unique_ptr<timing::Alarm> limit_;  // of few, and large
    std::chrono::milliseconds asked_to_reserve_{};
    std::chrono::milliseconds reserved_{};
    bool met_limit_ = false;
    std::string_view waits_for_;
    std::optional<RateLimiter::Ticket> ticket_;
    const RequestKind* turn_ = nullptr;  // of the kinds, which are constants
    int attempts_ = 0;
    std::vector<FailedAttempt> failures_;
    ExchangeReport report_;         // of the attempt under way, or the last one
    bool attempt_changes_ = false;  // whether that attempt changes something
    bool has_sent_change_ = false;  // an attempt before it
    std::unique_ptr<ObservedAttempt> observed_;
    std::unique_ptr<CreateProgress> create_progress_;
    std::unique_ptr<Guard> guard_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/pipeline/call.ipp>
#endif
