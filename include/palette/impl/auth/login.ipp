// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/auth/login.hpp>
#include <palette/impl/auth/login_messages.hpp>
#include <palette/impl/auth/token_end.hpp>
#include <palette/impl/values/wipe.hpp>

#include <optional>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::auth {

// Wipes a request's target when it has been sent, or will not be.
class WipedTarget {
public:
    explicit WipedTarget(HttpRequest& request) noexcept : target_(&request.target) {}
    WipedTarget(const WipedTarget&) = delete;
    WipedTarget& operator=(const WipedTarget&) = delete;
    ~WipedTarget() { detail::wipe(target_->data(), target_->size()); }

private:
    std::string* target_;
};

class Login final : public AuthProvider {
public:
    explicit Login(LoginOptions options) : options_(std::move(options)) {}

    boost::asio::awaitable<Result<std::shared_ptr<const Credential>>> credential(
        CredentialRequest request) override {
        // The service has seen it before, and may say it again at any time.
        request.hide(options_.password());
        if (may_refresh(request)) {
            auto refreshed = co_await refresh(request);
            // Any other failure of the exchange is answered with a login: the caller sees only that one's.
            if (refreshed || refreshed.error().code() == errc::operation_aborted)
                co_return as_credential(std::move(refreshed), request);
        }
        auto token = co_await log_in(request);
        co_return as_credential(std::move(token), request);
    }

private:
    using CredentialResult = Result<std::shared_ptr<const Credential>>;

    [[nodiscard]] bool may_refresh(const CredentialRequest& request) const noexcept {
        auto const& previous = request.previous();
        // Only a token that is still good can be exchanged; after a 401 it is in doubt.
        return options_.use_refresh() && request.reason() == CredentialRequest::Reason::expiring &&
               previous && previous->kind() == Credential::Kind::token &&
               previous->expires_at().value_or(Instant::max()) > request.now();
    }

    boost::asio::awaitable<Result<Secret>> refresh(const CredentialRequest& request) {
        auto http = refresh_request(request.previous()->value());
        if (!http) co_return std::move(http).error();
        // The token is in the path, which is an ordinary string.
        WipedTarget const wiped(*http);
        co_return co_await exchange(request.transport(), *http);
    }

    boost::asio::awaitable<Result<Secret>> log_in(const CredentialRequest& request) {
        auto body = login_body(options_);
        if (!body) co_return std::move(body).error();
        auto const http = login_request(*std::move(body));
        co_return co_await exchange(request.transport(), http);
    }

    boost::asio::awaitable<Result<Secret>> exchange(Transport& transport, const HttpRequest& http) {
        TokenAnswer answer;
        ExchangeReport report;
        auto const exchanged = co_await transport.exchange(http, answer, report);
        co_return answer.token(exchanged, options_);
    }

    static CredentialResult as_credential(Result<Secret> token, const CredentialRequest& request) {
        if (!token) return std::move(token).error();
        // Known even if nobody waits for it any more.
        request.hide(*token);
        auto const end = end_of_token(token->expose(), request.now());
        return Credential::token(*std::move(token), end);
    }

    LoginOptions options_;
};

PALETTE_KEYS_INLINE std::shared_ptr<AuthProvider> login(LoginOptions options) {
    return std::make_shared<Login>(std::move(options));
}

}  // namespace palette::inline PALETTE_KEYS_ABI::auth
