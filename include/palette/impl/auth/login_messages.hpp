// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/wire/decode.hpp>
#include <palette/result.hpp>
#include <palette/secret.hpp>
#include <palette/transport.hpp>

#include <optional>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::auth {

class LoginOptions;

// What is said to the service in order to get a token, and what it answers: all of a login but the sending.

// errc::auth_provider for an address or a password that is empty or not UTF-8.
Result<Secret> login_body(const LoginOptions& who);
HttpRequest login_request(Secret body);

// Its target holds the token.
Result<HttpRequest> refresh_request(const Secret& token);

// Reads the answer to either as it arrives.
class TokenAnswer final : public ResponseSink {
public:
    [[nodiscard]] bool wants_header(int /*status*/, std::string_view /*name*/) const override {
        return false;
    }
    void head(HttpResponse response) override { status_ = response.status; }
    bool body(std::string_view piece) override;

    // The token, if all of the answer came (`exchanged`) and it is one. No text of an error holds any of
    // the password, or of an answer that could be a token.
    Result<Secret> token(const Result<void>& exchanged, const LoginOptions& who);

private:
    Result<Secret> read_token(const LoginOptions& who);
    Error refusal(const LoginOptions& who);

    int status_ = 0;
    std::optional<errc> unreadable_;
    impl::wire::Decoder<impl::wire::UserToken> token_;
    impl::wire::Decoder<impl::wire::ErrorBody> refusal_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::auth

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/auth/login_messages.ipp>
#endif
