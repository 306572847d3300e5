// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/detail/rfc3339.hpp>
#include <palette/expiry.hpp>

#include <ostream>

namespace palette::inline PALETTE_KEYS_ABI {

PALETTE_KEYS_INLINE Result<Expiry> Expiry::parse(std::string_view text) {
    if (text == "never") return never();
    // W3: the service writes the year 1 for a time that is not set.
    if (auto const t = detail::parse_rfc3339(text)) return detail::is_unset(*t) ? never() : Expiry(*t);
    return Error(errc::invalid_argument,
                 "expected a time such as 2027-01-31T12:00:00Z, or never, got " + detail::in_quotes(text));
}

PALETTE_KEYS_INLINE std::string Expiry::to_string() const {
    if (is_never()) return "never";
    char text[detail::rfc3339_length];
    detail::format_rfc3339(t_, text);
    return {text, sizeof text};
}

PALETTE_KEYS_INLINE Error Expiry::not_a_number() {
    return Error(errc::invalid_argument, "the duration until the expiry is not a number");
}

PALETTE_KEYS_INLINE Error Expiry::out_of_range() {
    return Error(errc::invalid_argument,
                 "the expiry would lie outside of the years 2 to 9999; use Expiry::never() for no end");
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const Expiry& expiry) {
    return out << expiry.to_string();
}

}  // namespace palette::inline PALETTE_KEYS_ABI
