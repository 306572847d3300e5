// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/pipeline/limited_transport.hpp>
#include <palette/impl/pipeline/pipeline.hpp>
#include <palette/impl/pipeline/rate_limit_place.hpp>
#include <palette/impl/pipeline/redact.hpp>
#include <palette/impl/pipeline/request_history.hpp>
#include <palette/impl/pipeline/retry_after.hpp>
#include <palette/impl/values/error_of_exception.hpp>
#include <palette/impl/values/text.hpp>

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::pipeline {

PALETTE_KEYS_INLINE Pipeline::Pipeline(const boost::asio::any_io_executor& executor,
                                       const ClientOptions& options, std::shared_ptr<Transport> transport)
    : options_(options),
      transport_(std::move(transport)),
      time_(options.clock),
      limiter_(options.limiter ? options.limiter : std::make_shared<RateLimiter>(options.rate_limit)),
      budget_(options.retry.budget),
      jitter_(options.retry.jitter_seed),
      credentials_(
          executor, options.auth,
          std::make_shared<LimitedTransport>(transport_, limiter_, time_, options.endpoint.authority()),
          time_, known_, options.timeouts.total) {
    auto const& password = options.proxy.password;
    if (password && password->size() >= min_hidden_size)
        hide(detail::KnownSecrets::Kind::configured, *password);
}

PALETTE_KEYS_INLINE const std::string& Pipeline::bucket_of(const RequestKind& kind) {
    auto const found = buckets_.find(kind.path_template);
    if (found != buckets_.end()) return found->second;
    auto name = bucket_name(options_.endpoint.authority(), kind.path_template);
    return buckets_.emplace(kind.path_template, std::move(name)).first->second;
}

// Zero: the turn has come, and is taken.
PALETTE_KEYS_INLINE Result<std::chrono::milliseconds> Pipeline::time_to_turn(Call& call,
                                                                             const RequestKind& kind,
                                                                             RateLimitPlace& place) {
    auto const wait = place.wait(time_.steady());
    if (wait.count() == 0) {
        call.take_turn(kind);
        return wait;
    }
    call.wait_in_queue(Call::Queue::rate_limit);
    call.set_waits_for("the rate limiter");
    if (wait <= call.time_left()) return wait;
    return Error(errc::timeout, "the rate limit lets it through in " + std::to_string(wait.count()) +
                                    " ms only, and that is later than it may wait")
        .attempts(call.attempts());
}

PALETTE_KEYS_INLINE Result<bool> Pipeline::take_turn(Call& call, const RequestKind& kind) {
    RateLimitPlace place(*limiter_, bucket_of(kind), call);
    auto const wait = time_to_turn(call, kind, place);
    if (!wait) return wait.error();
    return wait->count() == 0;
}

PALETTE_KEYS_INLINE boost::asio::awaitable<Result<bool>> Pipeline::wait_for_turn(Call& call,
                                                                                 const RequestKind& kind) {
    RateLimitPlace place(*limiter_, bucket_of(kind), call);
    for (;;) {
        auto const wait = time_to_turn(call, kind, place);
        if (!wait) co_return wait.error();
        if (wait->count() == 0) co_return true;
        auto const has_come = co_await timing::sleep(time_, *wait);
        if (!has_come || call.is_stopped()) co_return false;
    }
}

// The last thing before the request is sent: nothing is waited for in between, so that what was checked is
// what is sent.
PALETTE_KEYS_INLINE boost::asio::awaitable<Result<void>> Pipeline::check_credential(
    Call& call, const HttpRequest& request, const Conditions& conditions) {
    if (call.caller != nullptr && !conditions.credential) {
        auto same = co_await call.caller->check(request.credential);
        if (!same) co_return same;
    }
    auto const& uid = request.credential->key_uid();
    // Uids are hexadecimal, and the service may take them in capitals too.
    if (!conditions.takes_away.empty() && detail::equals_ignoring_case(uid, conditions.takes_away))
        co_return Error(errc::own_key, "the key " + detail::in_quotes(conditions.takes_away) +
                                           " is the one that this client itself uses");
    co_return Result<void>();
}

inline bool is_refused_credential(const Error& error) noexcept {
    return error.code() == errc::unauthorized && error.status() == 401;
}

PALETTE_KEYS_INLINE boost::asio::awaitable<Result<void>> Pipeline::send(Call& call, const RequestKind& kind,
                                                                        HttpRequest& request, Answer& answer,
                                                                        Conditions conditions) {
    auto* const guard = conditions.guard;
    // Without a guard nobody can tell whether it was applied.
    auto const safety = guard == nullptr && kind.safety == Safety::checked ? Safety::once : kind.safety;
    Retries retries(options_.retry, safety, budget_);
    RequestHistory history(call);
    bool replayed = false;
    for (int resends = 0;; ++resends) {
        if (!call.use_turn(kind)) {
            auto turn = take_turn(call, kind);
            if (turn && !*turn) turn = co_await wait_for_turn(call, kind);
            if (!turn) co_return history.given_up(turn.error());
            static_cast<void>(call.use_turn(kind));
        }
        auto const state = co_await boost::asio::this_coro::cancellation_state;
        if (call.is_stopped() || state.cancelled() != boost::asio::cancellation_type::none)
            co_return history.stopped();
        call.admit();
        AttemptOutcome outcome;
        Result<void> result;
        auto const sent = time_.steady();
        Result<Credentials::Shared> credential =
            conditions.credential ? conditions.credential : credentials_.take();
        call.set_waits_for("a credential");
        if (!*credential) credential = co_await credentials_.get();
        // Whatever became of a login, the operation itself has done nothing.
        if (call.is_stopped()) co_return history.stopped();
        if (credential) {
            request.credential = *credential;
            auto allowed = co_await check_credential(call, request, conditions);
            if (call.is_stopped()) co_return history.stopped();
            if (allowed) {
                result = co_await attempt(call, kind, request, answer, resends, outcome);
            } else if (is_refused_credential(allowed.error())) {
                // As if the request itself had met it.
                outcome.code = errc::unauthorized;
                outcome.status = 401;
                outcome.complete = true;
                result = std::move(allowed);
            } else {
                co_return history.not_sent(std::move(allowed.error()));
            }
        } else {
            result = credential_failure(credential.error(), call, outcome);
        }
        if (result) {
            budget_.succeeded();
            co_return result;
        }
        history.add(result.error(), !outcome.of_credential);
        if (call.is_stopped()) co_return history.given_up(result.error());

        auto const verdict = classify(outcome, safety);
        // A complete 401 on this exchange proves that nothing was done (W13). It says nothing against a
        // credential that came while this one was on its way.
        if (verdict.recovery == Recovery::new_credential && !conditions.credential &&
            (credentials_.has_other_than(request.credential) || !std::exchange(replayed, true))) {
            call.set_waits_for("a credential");
            auto const other = co_await credentials_.get_other_than(request.credential);
            if (call.is_stopped()) co_return history.stopped();
            if (!other) history.add(credential_failure(other.error(), call, outcome), false);
            if (!other || *other == request.credential) co_return history.given_up(result.error());
            continue;
        }
        if (verdict.fault == Fault::throttled)
            limiter_->refused(bucket_of(kind), sent, time_.steady(),
                              outcome.retry_after.value_or(std::chrono::milliseconds::zero()));
        auto const next = retries.after(outcome, call.time_left(), jitter_());
        if (next.again) {
            call.set_waits_for("the next attempt");
            auto const waited = co_await timing::sleep(time_, next.wait);
            if (!waited || call.is_stopped()) co_return history.stopped();
        }
        if (verdict.recovery == Recovery::look) {
            auto const done = co_await guard->is_done();
            if (done && *done) co_return Result<void>();
            if (!done) co_return history.given_up(done.error());
        }
        if (!next.again) co_return history.given_up(result.error());
    }
}

PALETTE_KEYS_INLINE boost::asio::awaitable<Result<void>> Pipeline::attempt(Call& call,
                                                                           const RequestKind& kind,
                                                                           HttpRequest& request,
                                                                           Answer& answer, int resends,
                                                                           AttemptOutcome& outcome) {
    answer.begin(call);
    add_trace(call, request);
    auto const begun = time_.steady();
    auto& report = call.begin_attempt(kind.changes());
    Result<void> result;
    try {
        result = co_await transport_->exchange(request, answer, report);
    } catch (...) {
        result = detail::error_of_exception(errc::transport, "the transport failed");
    }
    if (!result && !report.sent) outcome.attempts = std::max(1, result.error().attempts());
    call.add_attempts(outcome.attempts - 1);
    outcome.complete = result.has_value();
    outcome.sent = report.sent || outcome.complete;
    outcome.silent_reused = report.reused_connection && !report.received;
    auto const& response = answer.response();
    if (!result)
        result = failure(call, answer, result.error(), report);
    else if (!is_success(response.status))
        result = safe(refusal_of(response, answer.words(*known_), kind), call);
    else if (auto finished = answer.finish(); !finished)
        result = safe(std::move(finished.error()).status(response.status), call);
    if (!result) {
        auto& error = result.error();
        outcome.code = error.code();
        outcome.status = error.status();
        // A body can tell more than the table: the key was made, and its value is missing (W8).
        if (!outcome.complete || error.effect() != Effect::applied)
            error.effect(classify(outcome, kind.safety).effect);
        if (outcome.complete) outcome.retry_after = retry_after(response, time_.now());
        call.add_failures(FailedAttempt(outcome.code, outcome.status), outcome.attempts);
    }
    observe(call, kind, request, response.status, result, begun, report, resends);
    co_return result;
}

// There is nothing to send the request with.
PALETTE_KEYS_INLINE Error Pipeline::credential_failure(const Error& error, const Call& call,
                                                       AttemptOutcome& outcome) const {
    outcome.code = error.code();
    outcome.status = error.status();
    outcome.of_credential = true;
    outcome.attempts = std::max(1, error.attempts());
    return safe(Error(error).effect(Effect::not_applied), call);
}

// Without any credential, whoever quoted it.
PALETTE_KEYS_INLINE Error Pipeline::safe(const Error& error, const Call& call) const {
    return redacted(error, *known_).attempts(call.attempts());
}

// A uid has no character that would be escaped, so what is shown differs only where something was hidden.
PALETTE_KEYS_INLINE bool Pipeline::has_secret(std::string_view uid) const {
    return shown_words(uid, *known_) != uid;
}

PALETTE_KEYS_INLINE void Pipeline::add_trace(const Call& call, HttpRequest& request) const {
    if (!options_.observer) return;
    std::erase_if(request.headers, [](auto const& field) { return field.first == "traceparent"; });
    if (auto trace = options_.observer->traceparent(call.id()); !trace.empty())
        request.headers.emplace_back("traceparent", std::move(trace));
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
PALETTE_KEYS_INLINE Error Pipeline::failure(const Call& call, const Answer& answer, const Error& error,
                                            const ExchangeReport& report) const {
    if (call.is_stopped()) {
        auto stopped = call.stopped(Effect::not_applied, in_words(report.phase));
        if (stopped.code() != errc::timeout || report.sent || error.code() == errc::operation_aborted)
            return stopped;
        // Why no connection could be opened says more than that the time is over.
        return safe(Error(error.code(), error.what() + "; " + stopped.what()).status(error.status()), call);
    }
    auto const* const of_body = answer.body_error();
    if (of_body == nullptr) return safe(error, call);
    return safe(Error(*of_body).status(answer.response().status), call);
}

PALETTE_KEYS_INLINE void Pipeline::observe(const Call& call, const RequestKind& kind,
                                           const HttpRequest& request, int status, const Result<void>& result,
                                           std::chrono::nanoseconds begun, const ExchangeReport& report,
                                           int resends) const {
    if (!options_.observer) return;
    AttemptEvent event;
    event.operation_id = call.id();
    event.operation = call.name();
    event.method = request.method;
    event.path_template = kind.path_template;
    event.server_address = options_.endpoint.host();
    event.server_port = options_.endpoint.port();
    event.resend_count = resends;
    event.status = status;
    if (!result) event.error = result.error().code();
    event.duration = time_.steady() - begun;
    event.report = report;
    options_.observer->on_attempt(event);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::pipeline
