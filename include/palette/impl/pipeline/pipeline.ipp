// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/pipeline/limited_transport.hpp>
#include <palette/impl/pipeline/pipeline.hpp>
#include <palette/impl/pipeline/redact.hpp>
#include <palette/impl/pipeline/retry_after.hpp>
#include <palette/impl/pipeline/sending.hpp>
#include <palette/impl/seams/bucket_name.hpp>
#include <palette/impl/values/error_of_exception.hpp>
#include <palette/impl/values/text.hpp>

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline {

PALETTE_KEYS_INLINE Pipeline::Pipeline(const boost::asio::any_io_executor& executor,
                                       const ClientOptions& options, std::shared_ptr<Transport> transport)
    : options_(options),
      transport_(std::move(transport)),
      time_(options.clock),
      limiter_(options.limiter ? options.limiter
                               : std::make_shared<RateLimiter>(options.rate_limit, options.clock)),
      budget_(options.retry.budget),
      jitter_(options.retry.jitter_seed),
      credentials_(
          executor, options.auth,
          std::make_shared<LimitedTransport>(transport_, limiter_, time_, options.endpoint.authority()),
          time_, known_, options.timeouts.total) {
    auto const& password = options.proxy.password;
    if (password && password->size() >= min_hidden_size)
        hide(detail::KnownSecrets::Kind::configured, *password);
    auto const& passphrase = options.tls.client_key_passphrase;
    if (passphrase && passphrase->size() >= min_hidden_size)
        hide(detail::KnownSecrets::Kind::configured, *passphrase);
}

PALETTE_KEYS_INLINE const std::string& Pipeline::bucket_of(const RequestKind& kind) {
    auto const found = buckets_.find(kind.path_template);
    if (found != buckets_.end()) return found->second;
    auto name = detail::bucket_name(options_.endpoint.authority(), kind.path_template);
    return buckets_.emplace(kind.path_template, std::move(name)).first->second;
}

inline bool is_refused_credential(const Error& error) noexcept {
    return error.code() == errc::unauthorized && error.status() == 401;
}

// Queues for the turn of a request that is not the call's first one.
PALETTE_KEYS_INLINE boost::asio::awaitable<Result<void>> Pipeline::take_turn(Sending& sending) {
    auto turn = turn_of(sending.call, sending.kind);
    auto taken = turn.take();
    if (taken && !*taken) taken = co_await turn.wait();
    if (!taken) co_return sending.history.given_up(taken.error());
    co_return Result<void>();
}

// With the credential that is at hand, if there is one.
PALETTE_KEYS_INLINE Result<void> Pipeline::begin_attempt(Sending& sending,
                                                         boost::asio::cancellation_type cancelled) {
    auto& call = sending.call;
    if (call.is_stopped() || cancelled != boost::asio::cancellation_type::none)
        return sending.history.stopped();
    // Read once: to read the clock costs more than the rest of this function.
    auto const now = time_.steady();
    call.admit(now);
    sending.begin_attempt(now);
    auto credential = sending.conditions.credential ? sending.conditions.credential : credentials_.take();
    sending.has_credential = credential != nullptr;
    if (credential) sending.request.credential = std::move(credential);
    // A renewal that begins runs the provider's code.
    if (call.is_stopped()) return sending.history.stopped();
    return {};
}

// A credential that the request was given is not for a guard to judge.
inline bool has_guard(const Sending& sending) noexcept {
    auto const& conditions = sending.conditions;
    return !conditions.credential && (sending.call.guard() != nullptr || conditions.guard != nullptr);
}

// Whether anybody has to be asked before the request may be sent: for a credential, or a guard.
inline bool has_to_ask(const Sending& sending) noexcept {
    return !sending.has_credential || has_guard(sending);
}

// Asks. An error: no attempt is made any more. An attempt that has failed before it was sent has that as its
// result.
PALETTE_KEYS_INLINE boost::asio::awaitable<Result<void>> Pipeline::authorize(Sending& sending) {
    auto& call = sending.call;
    auto const& history = sending.history;
    call.set_waits_for("a credential");
    if (!sending.has_credential) {
        auto credential = co_await credentials_.get();
        // Whatever became of a login, the operation itself has done nothing.
        if (call.is_stopped()) co_return history.stopped();
        if (!credential) {
            sending.fail(credential_failure(credential.error(), sending));
            co_return Result<void>();
        }
        sending.request.credential = *credential;
    }
    Result<void> allowed;
    if (has_guard(sending)) allowed = co_await ask_guards(sending);
    if (call.is_stopped()) co_return history.stopped();
    if (allowed) co_return Result<void>();
    if (!is_refused_credential(allowed.error())) co_return history.not_sent(std::move(allowed.error()));
    // As if the request itself had met it.
    sending.outcome.complete = true;
    sending.fail(std::move(allowed.error()));
    co_return Result<void>();
}

PALETTE_KEYS_INLINE boost::asio::awaitable<Result<void>> Pipeline::ask_guards(const Sending& sending) {
    std::array<Guard*, 2> const guards{sending.call.guard(), sending.conditions.guard};
    for (auto* const guard : guards) {
        if (guard == nullptr) continue;
        auto allowed = co_await guard->before_sending(sending.request.credential);
        if (!allowed) co_return allowed;
    }
    co_return Result<void>();
}

// The own key is not taken away by its own credential. The last thing before the request is sent: nothing is
// waited for after it, so that what was checked is what is sent.
inline Result<void> check_own_key(const Sending& sending) {
    auto const& taken = sending.conditions.takes_away;
    // Uids are hexadecimal, and the service may take them in capitals too.
    if (taken.empty() || !detail::equals_ignoring_case(sending.request.credential->key_uid(), taken))
        return {};
    return sending.history.not_sent(Error(
        errc::own_key, "the key " + detail::in_quotes(taken) + " is the one that this client itself uses"));
}

// What the transport tells of an attempt: the answer's part goes to the answer, the queue's to the call.
class AttemptSink final : public ResponseSink {
public:
    AttemptSink(Call& call, Answer& answer, const timing::TimeSource& time) noexcept
        : call_(call),
          answer_(answer),
          time_(time) {}

    void waiting_for_connection(bool waiting) override {
        if (waiting)
            call_.wait_in_queue(Call::Queue::connection);
        else
            call_.admit(time_.steady());
    }
    [[nodiscard]] bool wants_header(int status, std::string_view name) const override {
        if (detail::equals_ignoring_case(name, "Date")) return true;
        return !is_success(status) && (detail::equals_ignoring_case(name, "Retry-After") ||
                                       detail::equals_ignoring_case(name, "Content-Type"));
    }
    void head(HttpResponse response) override { answer_.head(std::move(response)); }
    bool body(std::string_view piece) override { return answer_.body(piece); }

private:
    Call& call_;
    Answer& answer_;
    const timing::TimeSource& time_;
};

// The request is about to be sent once more.
PALETTE_KEYS_INLINE ExchangeReport& Pipeline::announce_exchange(Sending& sending) {
    auto& call = sending.call;
    sending.answer.begin();
    add_trace(call, sending.request);
    // First, for it may find no memory, and then nothing is sent.
    if (options_.observer) observe_start(sending);
    call.set_waits_for("the answer");
    return call.begin_attempt(sending.kind.changes());
}

// What came of sending it is the result, and if that is no success, the outcome.
PALETTE_KEYS_INLINE void Pipeline::conclude_exchange(Sending& sending, const Result<void>& exchanged,
                                                     const ExchangeReport& report) {
    auto& call = sending.call;
    auto& answer = sending.answer;
    auto& outcome = sending.outcome;
    if (!exchanged && !report.sent) outcome.attempts = std::max(1, exchanged.error().attempts());
    call.add_attempts(outcome.attempts - 1);
    outcome.complete = exchanged.has_value();
    outcome.sent = report.sent || outcome.complete;
    outcome.silent_reused = report.reused_connection && !report.received;
    auto const& response = answer.response();
    if (!exchanged)
        sending.fail(failure(sending, exchanged.error(), report));
    else if (!is_success(response.status))
        sending.fail(safe(refusal_of(response, answer.words(*known_), sending.kind), call));
    else if (auto finished = answer.finish(); !finished)
        sending.fail(safe(std::move(finished.error()).status(response.status), call));
    if (!sending.result) {
        if (outcome.complete) outcome.retry_after = retry_after(response, time_.now());
        call.add_failures(FailedAttempt(outcome.code, outcome.status), outcome.attempts);
    }
    std::optional<errc> error;
    if (!sending.result) error = sending.result.error().code();
    observe_end(call, response.status, error);
}

// A step that nearly never waits is a function, and a coroutine is begun only where it has to wait: that
// would cost more than the step itself.
PALETTE_KEYS_INLINE boost::asio::awaitable<Result<void>> Pipeline::send(Call& call, const RequestKind& kind,
                                                                        HttpRequest& request, Answer& answer,
                                                                        const Conditions& conditions) {
    Sending sending(call, kind, request, answer, conditions, options_.retry, budget_);
    for (;;) {
        Result<void> is_allowed;
        if (!call.use_turn(kind)) is_allowed = co_await take_turn(sending);
        auto const state = co_await boost::asio::this_coro::cancellation_state;
        if (is_allowed) is_allowed = begin_attempt(sending, state.cancelled());
        if (is_allowed && has_to_ask(sending)) is_allowed = co_await authorize(sending);
        if (is_allowed && sending.result) is_allowed = check_own_key(sending);
        if (!is_allowed) co_return is_allowed;
        // An attempt may have failed before it was sent: no credential could be had.
        if (sending.result) {
            AttemptSink sink(call, answer, time_);
            auto& report = announce_exchange(sending);
            Result<void> exchanged;
            try {
                exchanged = co_await transport_->exchange(request, sink, report);
            } catch (...) {
                exchanged = detail::error_of_exception(errc::transport, "the transport failed");
            }
            conclude_exchange(sending, exchanged, report);
        }
        if (sending.result) {
            budget_.succeeded();
            co_return sending.result;
        }
        auto is_applied = co_await recover(sending);
        if (!is_applied) co_return std::move(is_applied.error());
        if (*is_applied) co_return Result<void>();
        ++sending.resends;
    }
}

// Does what follows an attempt that failed. True: the request was applied after all. False: it is sent again.
// An error: neither.
PALETTE_KEYS_INLINE boost::asio::awaitable<Result<bool>> Pipeline::recover(Sending& sending) {
    auto& call = sending.call;
    auto const& outcome = sending.outcome;
    auto& history = sending.history;
    history.add(sending.result.error(), !outcome.of_credential);
    if (call.is_stopped()) co_return history.given_up();

    auto const verdict = classify(outcome, sending.safety());
    if (verdict.recovery == Recovery::new_credential && sending.may_change_credential(credentials_))
        co_return co_await change_credential(sending);
    if (verdict.fault == Fault::throttled)
        limiter_->refused(bucket_of(sending.kind), sending.begun, time_.steady(),
                          outcome.retry_after.value_or(std::chrono::milliseconds::zero()));
    auto const next = sending.retries.after(outcome, call.time_left(), jitter_());
    if (next.again) {
        call.set_waits_for("the next attempt");
        auto const has_waited = co_await timing::sleep(time_, next.wait);
        if (!has_waited || call.is_stopped()) co_return history.stopped();
    }
    // Also if it is not sent again: it may have succeeded.
    if (verdict.recovery == Recovery::look) {
        auto is_applied = co_await sending.conditions.guard->is_applied();
        if (!is_applied) co_return history.given_up();
        if (*is_applied) co_return true;
    }
    if (!next.again) co_return history.given_up();
    co_return false;
}

// After a complete 401 on this exchange, which proves that nothing was done (W13).
PALETTE_KEYS_INLINE boost::asio::awaitable<Result<bool>> Pipeline::change_credential(Sending& sending) {
    auto& call = sending.call;
    call.set_waits_for("a credential");
    auto const rejected = sending.request.credential;
    auto const other = co_await credentials_.get_other_than(rejected);
    if (call.is_stopped()) co_return sending.history.stopped();
    // Why there is no other says more than that this one is refused.
    if (!other) sending.history.add(credential_failure(other.error(), sending), false);
    if (!other || *other == rejected) co_return sending.history.given_up();
    co_return false;
}

// There is nothing to send the request with.
PALETTE_KEYS_INLINE Error Pipeline::credential_failure(const Error& error, Sending& sending) const {
    sending.outcome.of_credential = true;
    sending.outcome.attempts = std::max(1, error.attempts());
    return safe(Error(error).effect(Effect::not_applied), sending.call);
}

// Without any credential, whoever quoted it.
PALETTE_KEYS_INLINE Error Pipeline::safe(const Error& error, const Call& call) const {
    return redacted(error, *known_).attempts(call.attempts());
}

// A uid has no character that would be escaped, so what is shown differs only where something was hidden.
PALETTE_KEYS_INLINE bool Pipeline::has_secret(std::string_view uid) const {
    return shown_words(uid, *known_, max_message_bytes) != uid;
}

PALETTE_KEYS_INLINE void Pipeline::add_trace(const Call& call, HttpRequest& request) const {
    std::erase_if(request.headers, [](auto const& field) { return field.first == "traceparent"; });
    std::string trace;
    if (options_.observer) trace = options_.observer->traceparent(call.id());
    if (trace.empty()) trace = call.options().traceparent;
    if (!trace.empty()) request.headers.emplace_back("traceparent", std::move(trace));
}

// What an exchange waited for last, in words.
inline std::string_view in_words(ExchangeReport::Phase phase) noexcept {
    switch (phase) {
        case ExchangeReport::Phase::connection:
            return "a free connection";
        case ExchangeReport::Phase::lookup:
            return "the lookup of the host's name";
        case ExchangeReport::Phase::connect:
            return "the connection to be opened";
        case ExchangeReport::Phase::proxy:
            return "the proxy";
        case ExchangeReport::Phase::handshake:
            return "the TLS handshake";
        default:
            return "the answer";
    }
}

// Of an exchange that did not come to its end, whatever effect it had.
PALETTE_KEYS_INLINE Error Pipeline::failure(const Sending& sending, const Error& error,
                                            const ExchangeReport& report) const {
    auto const& call = sending.call;
    auto const& answer = sending.answer;
    if (call.is_stopped()) {
        auto stopped = call.stopped(Effect::not_applied, in_words(report.phase));
        if (stopped.code() != errc::timeout || report.sent || error.code() == errc::operation_aborted)
            return stopped;
        // Why no connection could be opened says more than that the time is over.
        auto both = Error(error.code(), error.what() + "; " + stopped.what());
        return safe(std::move(both).status(error.status()).cause(error.cause()), call);
    }
    auto const* const of_body = answer.body_error();
    if (of_body == nullptr) return safe(error, call);
    return safe(Error(*of_body).status(answer.response().status), call);
}

PALETTE_KEYS_INLINE void Pipeline::observe_start(const Sending& sending) const {
    auto& call = sending.call;
    std::string trace;
    for (auto const& [name, value] : sending.request.headers)
        if (name == "traceparent") trace = value;
    auto const& attempt = call.begin_observed({&sending.kind, sending.request.method, std::move(trace),
                                               call.attempts() + 1, sending.resends, time_.steady()});
    options_.observer->on_attempt_start(event_of(call, attempt));
}

PALETTE_KEYS_INLINE AttemptEvent Pipeline::event_of(const Call& call,
                                                    const Call::ObservedAttempt& attempt) const noexcept {
    AttemptEvent event;
    event.operation_id = call.id();
    event.operation = call.name();
    event.attempt = attempt.number;
    event.traceparent = attempt.traceparent;
    event.method = attempt.method;
    event.path_template = attempt.kind->path_template;
    event.server_address = options_.endpoint.host();
    event.server_port = options_.endpoint.port();
    event.resend_count = attempt.resends;
    return event;
}

PALETTE_KEYS_INLINE void Pipeline::observe_end(Call& call, int status,
                                               std::optional<errc> error) const noexcept {
    auto const attempt = call.end_observed();
    if (!attempt) return;
    auto event = event_of(call, *attempt);
    event.status = status;
    event.error = error;
    event.duration = time_.steady() - attempt->begun;
    event.report = call.report();
    options_.observer->on_attempt(event);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline
