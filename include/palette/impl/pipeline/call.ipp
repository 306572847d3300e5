// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/pipeline/call.hpp>
#include <palette/impl/pipeline/emit.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline {

PALETTE_KEYS_INLINE Call::Call(std::shared_ptr<timing::SharedTimer> timer, timing::TimeSource time,
                               std::uint64_t id, std::string_view name, const Timeouts& timeouts,
                               detail::CallSettings options)
    : timer_(timer),
      time_(time),
      id_(id),
      name_(name),
      queue_(timing::bounded(timeouts.queue)),
      total_(timing::bounded(options.deadline ? options.deadline->remaining(time.now()) : timeouts.total)),
      has_own_deadline_(options.deadline.has_value()),
      options_(std::move(options)),
      begun_(time_.steady()),
      alarm_(std::move(timer), std::move(time)) {}

// The alarm is set when it waits: mostly it is let in at once.
PALETTE_KEYS_INLINE void Call::begin() {
    ends_ = begun_ + queue_bound();
    // A deadline that has passed already sends nothing.
    if (has_own_deadline_ && total_.count() <= 0) stop(Stop::deadline);
}

PALETTE_KEYS_INLINE void Call::end() {
    alarm_.cancel();
    limit_.reset();
}

PALETTE_KEYS_INLINE void Call::limit(std::chrono::milliseconds reserved) {
    asked_to_reserve_ = reserved;
    met_limit_ = false;
    limit_ = std::make_unique<timing::Alarm>(timer_, time_);
    set_limit();
}

PALETTE_KEYS_INLINE void Call::set_limit() {
    // Time in the queue does not count: admit() sets the limit then.
    if (!limit_ || !is_admitted() || is_stopped()) return;
    // time_left() subtracts it, and the whole is wanted here.
    reserved_ = {};
    auto const left = std::max(time_left(), std::chrono::milliseconds::zero());
    reserved_ = std::min(asked_to_reserve_, left / 2);
    limit_->set(left - reserved_, [this] {
        met_limit_ = true;
        emit(signal_, boost::asio::cancellation_type::terminal);
    });
}

PALETTE_KEYS_INLINE bool Call::lift_limit() {
    limit_.reset();
    reserved_ = {};
    return met_limit_;
}

PALETTE_KEYS_INLINE void Call::wait_in_queue(Queue queue) {
    // An attempt is counted before it waits for its connection.
    auto const before_this = queue == Queue::connection ? attempts_ - 1 : attempts_;
    if (before_this > 0 || is_stopped()) return;
    // The wait for a connection counts as queueing as well, until admit().
    admitted_.reset();
    reserved_ = {};
    if (limit_) limit_->cancel();
    // A deadline of the caller's own is for all of it.
    auto const is_own = has_own_deadline_ && total_ <= queue_;
    auto const now = time_.steady();
    auto const left = queue_bound() - std::chrono::ceil<std::chrono::milliseconds>(now - begun_);
    expire_after(std::max(left, std::chrono::milliseconds::zero()), is_own ? Stop::deadline : Stop::queue,
                 now);
}

PALETTE_KEYS_INLINE void Call::expire_after(std::chrono::milliseconds time, Stop why,
                                            std::chrono::nanoseconds now) {
    alarm_.set(time, [this, why] { stop(why); });
    ends_ = now + time;
}

PALETTE_KEYS_INLINE void Call::stop(Stop why) {
    if (is_stopped()) return;
    // The first reason counts. The alarms would only find a second one.
    stop_ = why;
    alarm_.cancel();
    if (limit_) limit_->cancel();
    emit(signal_, boost::asio::cancellation_type::terminal);
}

PALETTE_KEYS_INLINE void Call::cancel(boost::asio::cancellation_type type) {
    using boost::asio::cancellation_type;
    auto const ends_anyhow =
        (type & (cancellation_type::terminal | cancellation_type::partial)) != cancellation_type::none;
    // `total` asks for an end without effect, which there is not once a change was sent.
    if (ends_anyhow || !has_sent_change()) stop(Stop::cancelled);
}

PALETTE_KEYS_INLINE void Call::admit(std::chrono::nanoseconds now) {
    if (is_admitted() || is_stopped()) return;
    // timeouts.total begins with the admission; a deadline of the caller's own began with the call.
    auto const used = has_own_deadline_ ? std::chrono::floor<std::chrono::milliseconds>(now - begun_)
                                        : std::chrono::milliseconds::zero();
    // If a given clock throws, the deadline of the queue stays, and the next request sets this one.
    expire_after(std::max(total_ - used, std::chrono::milliseconds::zero()), Stop::deadline, now);
    admitted_ = now;
    set_limit();
}

PALETTE_KEYS_INLINE RateLimiter::Ticket Call::ticket(RateLimiter& limiter) {
    // One for the whole call: later requests keep its place before younger calls.
    if (!ticket_) ticket_ = limiter.ticket();
    return *ticket_;
}

PALETTE_KEYS_INLINE ExchangeReport& Call::begin_attempt(bool changes_something) noexcept {
    // What the attempt before did is kept, since its report is overwritten.
    has_sent_change_ = has_sent_change();
    attempt_changes_ = changes_something;
    report_ = ExchangeReport();
    ++attempts_;
    return report_;
}

PALETTE_KEYS_INLINE void Call::add_failures(FailedAttempt failure, int attempts) {
    failures_.insert(failures_.end(), static_cast<std::size_t>(attempts), failure);
}

PALETTE_KEYS_INLINE CreateProgress& Call::track_create() {
    if (!create_progress_) create_progress_ = std::make_unique<CreateProgress>();
    return *create_progress_;
}

PALETTE_KEYS_INLINE std::chrono::nanoseconds Call::queued() const noexcept {
    return admitted_.value_or(time_.steady()) - begun_;
}

PALETTE_KEYS_INLINE std::chrono::nanoseconds Call::duration() const noexcept {
    return time_.steady() - begun_;
}

PALETTE_KEYS_INLINE std::chrono::milliseconds Call::time_left() const noexcept {
    return std::chrono::floor<std::chrono::milliseconds>(ends_ - time_.steady()) - reserved_;
}

PALETTE_KEYS_INLINE Error Call::stopped(Effect effect, std::string_view waited_for) const {
    auto after =
        " after " + std::to_string(std::chrono::floor<std::chrono::milliseconds>(duration()).count()) + " ms";
    if (!waited_for.empty()) after.append(", waiting for ").append(waited_for);
    auto error = [&] {
        switch (stop_) {
            case Stop::queue:
                return Error(errc::timeout, "timeouts.queue passed" + after);
            case Stop::deadline:
                return Error(errc::timeout, "the deadline passed" + after);
            case Stop::closed:
                return Error(errc::operation_aborted, "the client was closed");
            default:
                return Error(errc::operation_aborted, "it was cancelled");
        }
    }();
    return std::move(error).effect(effect).attempts(attempts_).earlier(failures_);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline
