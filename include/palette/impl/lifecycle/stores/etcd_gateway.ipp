// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/http_transport.hpp>
#include <palette/impl/lifecycle/stores/etcd_gateway.hpp>
#include <palette/impl/redaction/known_secrets.hpp>
#include <palette/impl/redaction/redactor.hpp>
#include <palette/impl/values/error_of_exception.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>
#include <variant>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle::etcd {

// --- what the gateways of a store share ----------------------------------------------------------

PALETTE_KEYS_INLINE ClientOptions Access::transport_options(const Endpoint& endpoint) const {
    ClientOptions options;
    options.endpoint = endpoint;
    options.tls = options_.tls();
    auto& times = options.timeouts;
    times.lookup = times.connect = times.handshake = times.read = options_.timeout();
    // One request after another, beside which a lock is prolonged.
    options.pool.max_connections = 2;
    // After one failure it is the next endpoint's turn.
    options.retry.max_attempts = 1;
    return options;
}

PALETTE_KEYS_INLINE std::size_t Access::preferred() const {
    std::lock_guard const lock(mutex_);
    return preferred_;
}

PALETTE_KEYS_INLINE void Access::prefer(std::size_t endpoint) {
    std::lock_guard const lock(mutex_);
    preferred_ = endpoint;
}

PALETTE_KEYS_INLINE std::shared_ptr<const Credential> Access::token() const {
    std::lock_guard const lock(mutex_);
    return token_;
}

PALETTE_KEYS_INLINE void Access::keep_token(std::shared_ptr<const Credential> token) {
    std::lock_guard const lock(mutex_);
    token_ = std::move(token);
}

PALETTE_KEYS_INLINE void Access::drop_token(const std::shared_ptr<const Credential>& token) {
    std::lock_guard const lock(mutex_);
    // Another coroutine may have logged in since, and its token is good.
    if (token_ == token) token_.reset();
}

// --- one answer ----------------------------------------------------------------------------------

// Takes an answer. Its body may hold a token, so it is kept like one.
class Gateway::Answer final : public ResponseSink {
public:
    [[nodiscard]] bool wants_header(int /*status*/, std::string_view /*name*/) const override {
        return false;
    }
    void head(HttpResponse response) override { status_ = response.status; }

    bool body(std::string_view piece) override {
        // A value of etcd has 1.5 MiB at most, and becomes a third longer in base64.
        constexpr std::size_t max_size = std::size_t{4} << 20;
        // Before it is kept: an answer without an end must not fill the memory.
        is_too_large_ = body_.size() + piece.size() > max_size;
        return !is_too_large_ && append(piece);
    }

    [[nodiscard]] int status() const noexcept { return status_; }
    [[nodiscard]] std::string_view body() const noexcept { return body_.expose(); }

    // What ended the exchange, if it was this sink.
    [[nodiscard]] std::optional<Error> fault() const {
        if (has_no_memory_) return detail::out_of_memory();
        if (is_too_large_)
            return Error(errc::too_large, "an answer of etcd is larger than any of its values");
        return std::nullopt;
    }

    ExchangeReport report;

private:
    bool append(std::string_view piece) noexcept {
        try {
            body_.append(piece);
        } catch (...) {
            has_no_memory_ = true;
        }
        return !has_no_memory_;
    }

    int status_ = 0;
    Secret body_;
    bool is_too_large_ = false;
    bool has_no_memory_ = false;
};

inline errc code_of(int status, std::string_view words) noexcept {
    switch (status) {
        case 400:
        case 412:
            // etcd has no status of its own for these.
            return words.find("authentication failed") != std::string_view::npos ||
                           words.find("user name is empty") != std::string_view::npos
                       ? errc::unauthorized
                       : errc::rejected;
        case 401:
            return errc::unauthorized;
        case 403:
            return errc::forbidden;
        case 404:
            return errc::not_found;
        case 429:
            return errc::rate_limited;
        case 500:
            return errc::server_error;
        case 502:
        case 503:
        case 504:
            return errc::unavailable;
        default:
            return errc::unexpected_status;
    }
}

// etcd's own words for why it refuses; nothing if the answer is not one of etcd.
inline std::optional<std::string> words_in(std::string_view body) {
    auto const object = read_object(body);
    if (!object) return std::nullopt;
    // Versions of etcd differ in the name of the field.
    for (auto const* const name : {"message", "error"})
        if (auto const* const words = object->if_contains(name); words != nullptr && words->is_string())
            return std::string(words->get_string());
    return std::nullopt;
}

inline Error refusal_of(int status, std::string_view body, const detail::KnownSecrets& known) {
    auto const words = words_in(body);
    auto const code = code_of(status, words.value_or(""));
    // etcd answers a 404 of its own in JSON. Another one comes from a server without the gateway, or from a
    // proxy.
    if (!words && code == errc::not_found)
        return Error(errc::unexpected_status, "there is no v3 JSON gateway").status(status);
    auto error = Error(code, "refused").status(status);
    if (words) error.server("", detail::printable(detail::redacted(*words, known), 256), "");
    // A leader that is being elected, or whoever did not answer in time: it may still be done.
    if (code == errc::unavailable || code == errc::server_error) error.effect(Effect::unknown);
    if (code == errc::unauthorized) error.advice("check the user and the password in EtcdOptions::user()");
    if (code == errc::forbidden) error.advice("grant the user readwrite on the keys with this prefix");
    return error;
}

// Whether another token is the cure.
inline bool is_about_token(const Error& error) noexcept {
    return error.status() == 401 ||
           error.server_message().find("revision of auth store is old") != std::string::npos;
}

// Whether another endpoint may answer. A refusal of one is a refusal of all.
inline bool is_about_endpoint(const Error& error) noexcept {
    auto const code = error.code();
    return code == errc::transport || code == errc::timeout || code == errc::untrusted ||
           code == errc::unavailable;
}

// --- requests ------------------------------------------------------------------------------------

PALETTE_KEYS_INLINE Error Gateway::named(std::size_t endpoint, const Error& error) const {
    if (error.code() == errc::out_of_memory) return error;
    Error whole(error.code(), "etcd at " + access_->endpoints()[endpoint].to_string() + ": " + error.what());
    whole.effect(error.effect()).status(error.status()).cause(error.cause()).path(error.path());
    whole.server("", error.server_message(), "");
    if (error.has_own_advice()) whole.advice(std::string(error.advice()));
    return whole;
}

PALETTE_KEYS_INLINE asio::awaitable<Result<Object>> Gateway::call(std::string path, std::string body) {
    auto const count = access_->endpoints().size();
    // All coroutines of the store begin where the last answer came from: an endpoint that is down costs one
    // timeout, and not one for each request.
    auto endpoint = access_->preferred();
    bool may_be_done = false;
    for (std::size_t tries = 0;; ++tries) {
        auto answer = co_await ask(endpoint, path, body);
        if (answer) {
            access_->prefer(endpoint);
            co_return answer;
        }
        auto& error = answer.error();
        // What the first endpoint may have done stays unknown, whatever the last one says.
        may_be_done = may_be_done || error.effect() == Effect::unknown;
        auto const state = co_await asio::this_coro::cancellation_state;
        // The first one once more: with a single endpoint there would be no second attempt.
        if (tries == count || !is_about_endpoint(error) ||
            state.cancelled() != asio::cancellation_type::none) {
            error.attempts(static_cast<int>(tries + 1));
            if (may_be_done) error.effect(Effect::unknown);
            co_return answer;
        }
        endpoint = (endpoint + 1) % count;
    }
}

PALETTE_KEYS_INLINE asio::awaitable<Result<Object>> Gateway::call_once(std::string path, std::string body) {
    co_return co_await ask(access_->preferred(), std::move(path), std::move(body));
}

PALETTE_KEYS_INLINE asio::awaitable<Result<Object>> Gateway::ask(std::size_t endpoint, std::string path,
                                                                 std::string body) {
    if (access_->options().user().empty())
        co_return co_await ask_as(endpoint, std::move(path), std::move(body), nullptr);
    auto token = access_->token();
    // A token that was given a moment ago and is refused would be refused once more.
    auto const was_known = token != nullptr;
    if (!was_known) {
        auto given = co_await log_in(endpoint);
        if (!given) co_return std::move(given.error());
        token = std::move(*given);
    }
    auto answer = co_await ask_as(endpoint, path, body, token);
    // A token ends after a time, and with each change of users or roles.
    if (answer || !was_known || !is_about_token(answer.error())) co_return answer;
    access_->drop_token(token);
    auto given = co_await log_in(endpoint);
    if (!given) co_return std::move(given.error());
    co_return co_await ask_as(endpoint, std::move(path), std::move(body), std::move(*given));
}

PALETTE_KEYS_INLINE asio::awaitable<Result<Object>> Gateway::ask_as(
    std::size_t endpoint, std::string path, std::string body, std::shared_ptr<const Credential> credential) {
    HttpRequest request("POST", std::move(path));
    request.body = std::move(body);
    request.credential = credential;
    Answer answer;
    auto const sent = co_await send(endpoint, request, answer);
    if (!sent) co_return named(endpoint, sent.error());
    if (answer.status() == 200) {
        auto object = read_object(answer.body());
        // A 200 without an object may come from something in between, and the request may have gone through.
        if (!object) co_return named(endpoint, object.error().effect(Effect::unknown));
        co_return object;
    }
    // etcd may quote the token in its refusal.
    detail::KnownSecrets known;
    if (credential) known.add(detail::KnownSecrets::Kind::credential, credential->value().expose());
    co_return named(endpoint, refusal_of(answer.status(), answer.body(), known));
}

PALETTE_KEYS_INLINE asio::awaitable<Result<std::shared_ptr<const Credential>>> Gateway::log_in(
    std::size_t endpoint) {
    auto const& options = access_->options();
    auto body = authenticate_body(options.user(), options.password()->expose());
    if (!body) co_return std::move(body.error());
    HttpRequest request("POST", "/v3/auth/authenticate");
    // A body that is wiped, and that no log is given.
    request.secret_body = std::move(*body);
    Answer answer;
    auto const sent = co_await send(endpoint, request, answer);
    // A login changes nothing of what is stored.
    if (!sent) co_return named(endpoint, Error(sent.error()).effect(Effect::not_applied));
    if (answer.status() != 200) {
        detail::KnownSecrets const known(detail::KnownSecrets::Kind::configured,
                                         options.password()->expose());
        auto refusal = refusal_of(answer.status(), answer.body(), known);
        co_return named(endpoint, refusal.effect(Effect::not_applied));
    }
    auto text = read_token(answer.body());
    if (!text) co_return named(endpoint, text.error());
    auto token = Credential::in_header("Authorization", std::move(*text));
    // For all connections of the store, each of which would log in by itself otherwise.
    access_->keep_token(token);
    co_return token;
}

PALETTE_KEYS_INLINE Result<std::shared_ptr<Transport>> Gateway::transport_to(std::size_t endpoint) {
    // Made when it is needed: as long as the first endpoint answers, there is one.
    auto& transport = transports_[endpoint];
    if (!transport) {
        auto made = make_http_transport(access_->transport_options(access_->endpoints()[endpoint]));
        if (!made) return std::move(made.error());
        transport = std::move(*made);
    }
    return transport;
}

PALETTE_KEYS_INLINE asio::awaitable<Result<void>> Gateway::send(std::size_t endpoint,
                                                                const HttpRequest& request, Answer& answer) {
    auto transport = transport_to(endpoint);
    if (!transport) co_return std::move(transport.error());
    auto sent = co_await send_in_time(*transport, request, answer);
    // Of either attempt: the report of the second one says nothing of the first.
    auto was_sent = answer.report.sent;
    // An idle connection may have died without a sign; now there is none of that age any more.
    if (!sent && sent.error().code() == errc::transport && answer.report.reused_connection &&
        !answer.report.received) {
        answer.report = ExchangeReport();
        sent = co_await send_in_time(*transport, request, answer);
        was_sent = was_sent || answer.report.sent;
    }
    if (auto fault = answer.fault()) sent = *std::move(fault);
    if (!sent && was_sent) sent.error().effect(Effect::unknown);
    co_return sent;
}

// In a coroutine of its own, which is cancelled when its time is over.
inline asio::awaitable<Result<void>> exchange_with(std::shared_ptr<Transport> transport,
                                                   const HttpRequest& request, ResponseSink& sink,
                                                   ExchangeReport& report) {
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    co_await asio::this_coro::throw_if_cancelled(false);
    // Once one side has thrown, the operator || waits for the other: an exception would become a timeout.
    try {
        co_return co_await transport->exchange(request, sink, report);
    } catch (...) {
        co_return detail::error_of_exception(errc::transport, "the transport failed");
    }
}

PALETTE_KEYS_INLINE asio::awaitable<Result<void>> Gateway::send_in_time(std::shared_ptr<Transport> transport,
                                                                        const HttpRequest& request,
                                                                        Answer& answer) {
    using namespace asio::experimental::awaitable_operators;
    // A time that is added to the clock must not overflow it.
    auto const time =
        std::min<std::chrono::milliseconds>(access_->options().timeout(), std::chrono::years{1});
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    // Bounds the whole exchange. The transport's own times begin anew with each phase, and each byte.
    auto ended = co_await (exchange_with(std::move(transport), request, answer, answer.report) ||
                           timer.async_wait(asio::use_awaitable));
    if (auto* const result = std::get_if<0>(&ended)) co_return std::move(*result);
    co_return Error(errc::timeout, "there was no answer in " + std::to_string(time.count()) + " ms");
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle::etcd
