// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/error.hpp>
#include <palette/impl/pipeline/outcome.hpp>
#include <palette/impl/redaction/known_secrets.hpp>
#include <palette/result.hpp>
#include <palette/transport.hpp>

#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline {

// What a kind of request is called, and what it means to send it twice.
struct RequestKind {
    std::string_view path_template;
    Safety safety;
    // What the uid in the path names, if that is no key: "user".
    std::string_view subject = "key";

    [[nodiscard]] constexpr bool changes() const noexcept { return safety != Safety::read; }
    // Whether a uid in the path names what it is about.
    [[nodiscard]] constexpr bool names_one() const noexcept {
        return path_template.find('{') != std::string_view::npos;
    }
};

// The service's own words for why it refuses, without credentials.
struct ServerWords {
    std::string code;
    std::string message;
    std::string ref;
};

// Takes the answers to the attempts of one request: what it is after, or the reason why there is none.
class Answer {
public:
    virtual ~Answer() = default;

    // Before every attempt: what came before is forgotten.
    virtual void begin() = 0;

    // As ResponseSink has them.
    virtual void head(HttpResponse response) = 0;
    virtual bool body(std::string_view piece) = 0;

    // After a complete answer with a good status: what is wrong with it, if anything.
    virtual Result<void> finish() = 0;

    // What was wrong with the body so far; nothing if it was not the body.
    [[nodiscard]] virtual const Error* body_error() const noexcept = 0;

    [[nodiscard]] virtual ServerWords words(const detail::KnownSecrets& known) = 0;

    [[nodiscard]] virtual const HttpResponse& response() const noexcept = 0;
};

// The error of a complete answer that is no success. What it proves of the effect, classify() says.
Error refusal_of(const HttpResponse& response, ServerWords words, const RequestKind& kind);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/pipeline/answer.ipp>
#endif
