// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/auth/login.hpp>
#include <palette/detail/printable.hpp>
#include <palette/impl/auth/echo.hpp>
#include <palette/impl/auth/login_messages.hpp>
#include <palette/impl/redaction/redactor.hpp>
#include <palette/impl/values/key_text.hpp>
#include <palette/impl/wire/text.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::auth {

// How much of the service's own words is shown.
inline constexpr std::size_t shown_words = 256;

// "the login of "ada@acme.com"".
inline std::string login_of(const LoginOptions& who) {
    return "the login of " + detail::in_quotes(who.email());
}

inline detail::KnownSecrets secrets_of(const LoginOptions& who) {
    return {detail::KnownSecrets::Kind::configured, who.password().expose()};
}

inline std::optional<Error> text_error(std::string_view text, const char* name) {
    bool const good = detail::valid_utf8_prefix(text) == text.size();
    if (good && !text.empty()) return std::nullopt;
    auto what = std::string("the ") + name + " of the login is ";
    return Error(errc::auth_provider, what + (good ? "empty" : "not UTF-8"));
}

PALETTE_KEYS_INLINE Result<Secret> login_body(const LoginOptions& who) {
    auto const password = who.password().expose();
    if (auto fault = text_error(who.email(), "e-mail address")) return *std::move(fault);
    if (auto fault = text_error(password, "password")) return *std::move(fault);

    std::string body;
    // More than it can become: a string that grows leaves what it held behind.
    constexpr std::size_t longest_escape = 6;
    body.reserve(64 + longest_escape * (who.email().size() + password.size() + who.org().size()));
    auto const add = [&](std::string_view name, std::string_view text) {
        body += name;
        return impl::wire::append_json_string(body, text, "");
    };
    auto added = add(R"({"emailId":)", who.email());
    if (added) added = add(R"(,"password":)", password);
    if (added && !who.org().empty()) added = add(R"(,"org":)", who.org());
    body += '}';
    auto secret = Secret::take(body);
    if (!added) return Error(errc::auth_provider, "the organisation of the login is not UTF-8");
    return secret;
}

PALETTE_KEYS_INLINE HttpRequest login_request(Secret body) {
    // A client has no cookies: the token is wanted in the body.
    HttpRequest request("POST", "/v1/auth/authenticate?setCookie=false");
    request.secret_body = std::move(body);
    return request;
}

PALETTE_KEYS_INLINE Result<HttpRequest> refresh_request(const Secret& token) {
    // The service wants the token in the path (W22).
    if (!impl::wire::check_path_segment(token.expose(), "token"))
        return Error(errc::auth_provider, "the token cannot be part of a path");
    std::string target = "/v1/auth/refresh/";
    // In one piece: a string that grows leaves a copy of the token behind.
    target.reserve(target.size() + token.size());
    target += token.expose();
    return HttpRequest("GET", std::move(target));
}

// What a status other than 200 means for a login.
inline errc code_of_login_status(int status) noexcept {
    switch (status) {
        // All of them mean that these credentials do not work; none is cured by waiting.
        case 400:
        case 401:
        case 403:
        case 404:
        case 422:
            return errc::unauthorized;
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

inline std::string sentence_of(errc code, const LoginOptions& who) {
    switch (code) {
        case errc::unauthorized:
            return "the service refused " + login_of(who);
        case errc::rate_limited:
            return "there were too many requests for " + login_of(who);
        case errc::unexpected_status:
            return login_of(who) + " was answered with an undocumented status";
        default:
            return "the service could not do " + login_of(who);
    }
}

PALETTE_KEYS_INLINE bool TokenAnswer::body(std::string_view piece) {
    if (status_ != 200) {
        // What is not JSON says nothing, and the status says enough.
        static_cast<void>(refusal_.write(piece));
        return true;
    }
    if (auto read = token_.write(piece); !read) unreadable_ = read.error().code();
    return !unreadable_;
}

PALETTE_KEYS_INLINE Result<Secret> TokenAnswer::token(const Result<void>& exchanged,
                                                      const LoginOptions& who) {
    // It was this sink that ended the exchange.
    if (unreadable_) return read_token(who);
    if (!exchanged) {
        auto const& error = exchanged.error();
        // A cancellation is the caller's own and says nothing about the login.
        if (error.code() == errc::operation_aborted) return Error(error.code(), error.what());
        auto const why = detail::redacted(error.what(), secrets_of(who));
        return Error(error.code(), login_of(who) + " did not come through: " + why)
            .attempts(error.attempts());
    }
    return status_ == 200 ? read_token(who) : Result<Secret>(refusal(who));
}

PALETTE_KEYS_INLINE Result<Secret> TokenAnswer::read_token(const LoginOptions& who) {
    auto answer = token_.finish();
    // Nothing of it is quoted: a token may be where none should be.
    auto const unusable = [&](errc code, const std::string& what) {
        return Error(code, "the answer to " + login_of(who) + " cannot be used: " + what).status(status_);
    };
    if (!answer) return unusable(answer.error().code(), Error(answer.error().code()).what());
    if (answer->is_mfa)
        return Error(errc::auth_provider, login_of(who) +
                                              " asks for a second factor, which a program cannot "
                                              "give; use an API key");
    auto token = detail::usable_value(std::move(answer->token), "its token");
    if (!token) return unusable(errc::bad_value, token.error().what());
    return token;
}

PALETTE_KEYS_INLINE Error TokenAnswer::refusal(const LoginOptions& who) {
    auto const code = code_of_login_status(status_);
    auto error = Error(code, sentence_of(code, who)).status(status_);
    if (code == errc::unauthorized)
        error.advice("check the e-mail address, the password and the organisation");
    auto words = refusal_.finish();
    if (!words) return error;
    auto const secrets = secrets_of(who);
    auto const shown = [&](const Secret& text) {
        // Dropped and not redacted: a password may be short, and a part of it would show where it was.
        return echoes(text.expose(), secrets) ? std::string() : detail::printable(text.expose(), shown_words);
    };
    error.server(shown(words->code), shown(words->message), shown(words->ref));
    return error;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::auth
