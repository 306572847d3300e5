// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/http/http.hpp>

#include <exception>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

// Thrown where a request meets a rule that it breaks, and turned into an answer in one place.
class Refusal : public std::exception {
public:
    Refusal(int status, std::string code, std::string message)
        : status_(status),
          code_(std::move(code)),
          message_(std::move(message)) {}

    Refusal&& header(std::string name, std::string value) && {
        headers_.emplace_back(std::move(name), std::move(value));
        return std::move(*this);
    }

    [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

    // {code, message, ref}, with a new ref.
    [[nodiscard]] Response response() const;

private:
    int status_;
    std::string code_;
    std::string message_;
    Fields headers_;
};

inline Refusal bad_request(std::string message) {
    return {400, "InvalidRequest", std::move(message)};
}

// Without saying which of the possible reasons: who asks may be anybody.
inline Refusal unauthorized() {
    return {401, "Unauthorized", "the credential is missing or not valid"};
}

inline Refusal forbidden(std::string message) {
    return {403, "Forbidden", std::move(message)};
}

inline Refusal not_found(std::string message) {
    return {404, "ResourceNotFound", std::move(message)};
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/emulator/service/refusal.ipp>
#endif
