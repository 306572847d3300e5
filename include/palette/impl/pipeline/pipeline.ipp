// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/pipeline/pipeline.hpp>
#include <palette/impl/pipeline/redact.hpp>

#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::pipeline {

PALETTE_KEYS_INLINE Pipeline::Pipeline(const boost::asio::any_io_executor& executor,
                                       const ClientOptions& options, std::shared_ptr<Transport> transport)
    : options_(options),
      transport_(std::move(transport)),
      time_(options.clock),
      limiter_(options.rate_limit),
      credentials_(executor, options.auth, transport_, time_) {}

// "apiKeys" of "/v1/apiKeys/{uid}": what the service limits together.
inline std::string_view limit_of(std::string_view path_template) noexcept {
    auto const begin = path_template.find('/', 1);
    auto const rest =
        path_template.substr(begin == std::string_view::npos ? path_template.size() : begin + 1);
    return rest.substr(0, rest.find('/'));
}

PALETTE_KEYS_INLINE boost::asio::awaitable<Result<void>> Pipeline::send(Call& call, const RequestKind& kind,
                                                                        HttpRequest& request,
                                                                        Answer& answer) {
    Result<Credentials::Shared> credential = nullptr;
    for (int resends = 0;; ++resends) {
        auto const limit = limit_of(kind.path_template);
        auto turn = take_turn(call, limit);
        if (!turn) co_return std::move(turn.error());
        bool has_come = true;
        if (turn->count() > 0) {
            call.wait_in_queue();
            has_come = co_await timing::sleep(time_, *turn);
        }
        if (!has_come || call.is_stopped()) {
            limiter_.give_back(limit);
            co_return call.stopped(Effect::not_applied);
        }
        call.admit();
        if (resends == 0) credential = credentials_.at_hand();
        if (credential && !*credential) credential = co_await credentials_.get();
        // Whatever became of a login, the operation itself has done nothing.
        if (call.is_stopped()) co_return call.stopped(Effect::not_applied);
        if (!credential) co_return safe(credential.error().effect(Effect::not_applied), call);
        request.credential = *credential;
        auto result = co_await attempt(call, kind, request, answer, resends);
        auto const rejected = !result && result.error().status() == 401 && !call.is_stopped();
        if (!rejected || resends > 0) co_return result;

        // A complete 401 on this exchange proves that nothing was done (W13).
        credential = co_await credentials_.get_other_than(request.credential);
        if (call.is_stopped()) co_return call.stopped(Effect::not_applied);
        if (!credential) co_return safe(credential.error().effect(Effect::not_applied), call);
        if (*credential == request.credential) co_return result;
    }
}

// How long it has to wait for the turn that is its own now.
PALETTE_KEYS_INLINE Result<std::chrono::milliseconds> Pipeline::take_turn(const Call& call,
                                                                          std::string_view limit) {
    auto const wait = std::chrono::ceil<std::chrono::milliseconds>(limiter_.wait(limit, time_.steady()));
    if (wait > call.time_left())
        return Error(errc::timeout, "the rate limit lets it through in " + std::to_string(wait.count()) +
                                        " ms only, and that is later than it may wait")
            .attempts(call.attempts);
    limiter_.take(limit);
    return wait;
}

PALETTE_KEYS_INLINE boost::asio::awaitable<Result<void>> Pipeline::attempt(Call& call,
                                                                           const RequestKind& kind,
                                                                           HttpRequest& request,
                                                                           Answer& answer, int resends) {
    answer.begin(call);
    add_trace(call, request);
    ExchangeReport report;
    auto const begun = time_.steady();
    ++call.attempts;
    call.sending = kind.changes ? &report.sent : nullptr;
    Result<void> result;
    try {
        result = co_await transport_->exchange(request, answer, report);
    } catch (const std::exception& e) {
        result = Error(errc::transport, std::string("the transport failed: ") + e.what());
    } catch (...) {
        result = Error(errc::transport, "the transport failed");
    }
    call.sending = nullptr;
    call.sent = call.sent || (report.sent && kind.changes);
    auto const& response = answer.response();
    if (!result)
        result = failure(call, kind, answer, result.error(), report);
    else if (!is_success(response.status))
        result = safe(refusal_of(response, answer.words(), kind), call);
    else if (auto finished = answer.finish(); !finished)
        result = safe(std::move(finished.error()).status(response.status), call);
    observe(call, kind, request, response.status, result, begun, report, resends);
    co_return result;
}

// Without any credential, whoever quoted it.
PALETTE_KEYS_INLINE Error Pipeline::safe(const Error& error, const Call& call) const {
    std::vector<std::string_view> secrets;
    for (auto const& credential : credentials_.recent())
        secrets.push_back(credential->value().expose());
    return redacted(error, secrets).attempts(call.attempts);
}

PALETTE_KEYS_INLINE void Pipeline::add_trace(const Call& call, HttpRequest& request) const {
    if (!options_.observer) return;
    std::erase_if(request.headers, [](auto const& field) { return field.first == "traceparent"; });
    if (auto trace = options_.observer->traceparent(call.id()); !trace.empty())
        request.headers.emplace_back("traceparent", std::move(trace));
}

// Of an exchange that did not come to its end.
PALETTE_KEYS_INLINE Error Pipeline::failure(const Call& call, const RequestKind& kind, const Answer& answer,
                                            const Error& error, const ExchangeReport& report) const {
    auto const effect = kind.changes && report.sent ? Effect::unknown : Effect::not_applied;
    if (call.is_stopped()) return call.stopped(effect);
    auto const* const of_body = answer.body_error();
    if (of_body == nullptr) return safe(Error(error).effect(effect), call);
    return safe(Error(*of_body).effect(effect).status(answer.response().status), call);
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
