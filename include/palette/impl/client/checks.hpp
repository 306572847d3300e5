// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/error.hpp>
#include <palette/expiry.hpp>
#include <palette/impl/values/text.hpp>
#include <palette/impl/wire/text.hpp>
#include <palette/options.hpp>
#include <palette/result.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

// What is refused before anything is changed, and nearly all of it before a byte is sent.

inline Error invalid(std::string what, std::string path) {
    return Error(errc::invalid_argument, std::move(what)).path(std::move(path));
}

inline Result<void> check_name(std::string_view name) {
    constexpr std::size_t most = 253;
    if (name.empty()) return invalid("a key needs a name", "name");
    if (name.size() > most)
        return invalid("a name of " + std::to_string(name.size()) + " bytes is too long; 253 are the most",
                       "name");
    if (detail::has_control(name)) return invalid("a name has no control characters", "name");
    return wire::check_utf8(name, "name");
}

// As W3C Trace Context writes it: version, trace, parent, flags.
inline Result<void> check_traceparent(std::string_view value) {
    constexpr std::string_view form = "hh-hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh-hhhhhhhhhhhhhhhh-hh";
    auto const fits = [&](std::size_t i) {
        auto const is_capital = value[i] >= 'A' && value[i] <= 'F';
        return form[i] == 'h' ? detail::hex_digit(value[i]) >= 0 && !is_capital : value[i] == form[i];
    };
    auto is_good = value.size() == form.size();
    for (std::size_t i = 0; is_good && i < form.size(); ++i)
        is_good = fits(i);
    if (value.empty() || is_good) return {};
    return invalid("a traceparent is \"00-<32 hex digits>-<16 hex digits>-<2 hex digits>\"", "traceparent");
}

// `now`: by the service's clock.
inline Result<void> check_expiry(const Expiry& expiry, Instant now, const detail::CallSettings& options) {
    if (!expiry.passed(now) || options.allow_past_expiry) return {};
    return invalid(
        "an expiry that has passed already, " + expiry.to_string() + ", would make a key that does not work",
        "expiry");
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
