// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/auth/token_end.hpp>
#include <palette/impl/values/text.hpp>
#include <palette/secret.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace palette::inline PALETTE_KEYS_ABI::auth {

inline std::optional<Secret> from_base64url(std::string_view digits) {
    std::string bytes;
    bytes.reserve(digits.size());
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (char const c : digits) {
        // base64url has '-' and '_' in their place.
        auto const digit = c == '+' || c == '/' ? -1 : detail::base64_digit(c);
        if (digit < 0) return std::nullopt;
        bits = bits << 6 | static_cast<std::uint32_t>(digit);
        count += 6;
        if (count < 8) continue;
        count -= 8;
        bytes += static_cast<char>(bits >> count & 0xFF);
    }
    return Secret::take(bytes);
}

PALETTE_KEYS_INLINE std::optional<Instant> end_in_jwt(std::string_view token) {
    auto const first = token.find('.');
    auto const last = token.rfind('.');
    // Three parts make a JWT. The signature is the service's to check: only the end is wanted here.
    if (first == last) return std::nullopt;
    auto const payload = from_base64url(token.substr(first + 1, last - first - 1));
    if (!payload) return std::nullopt;

    boost::system::error_code ec;
    auto const claims = boost::json::parse(payload->expose(), ec);
    auto const* const object = claims.if_object();
    auto const* const exp = object != nullptr ? object->if_contains("exp") : nullptr;
    if (ec || exp == nullptr) return std::nullopt;
    // A NumericDate may have a fraction, and be larger than any integer.
    auto const seconds = exp->to_number<double>(ec);
    if (ec) return std::nullopt;
    return detail::clamp(Instant{detail::saturated_milliseconds(std::chrono::duration<double>(seconds))});
}

PALETTE_KEYS_INLINE Instant end_of_token(std::string_view token, Instant now) {
    auto const said = end_in_jwt(token);
    // An end that has passed, or none, says that the clocks differ (W19): the documented lifetime counts.
    return said && *said > now ? *said : now + std::chrono::minutes{15};
}

}  // namespace palette::inline PALETTE_KEYS_ABI::auth
