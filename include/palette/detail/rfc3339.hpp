// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/instant.hpp>

#include <cstddef>
#include <optional>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::detail {

inline constexpr std::size_t rfc3339_length = 24;

// Every form that RFC 3339 allows and servers send: any number of fraction digits (what is finer than
// a millisecond is dropped), Z or an offset, small letters, the leap second :60 (the next second).
// Beyond 9999 it gives last_instant. Before the year 2 it gives something that is_unset().
// Nothing for any other text: no field is out of its range, no character left over.
std::optional<Instant> parse_rfc3339(std::string_view text) noexcept;

// The same for many of them; false for any other text.
bool read_rfc3339(std::string_view text, Instant& out) noexcept;

// Writes YYYY-MM-DDThh:mm:ss.mmmZ, without a final zero byte. `t` within first_ and last_instant.
void format_rfc3339(Instant t, char (&out)[rfc3339_length]) noexcept;

}  // namespace palette::inline PALETTE_KEYS_ABI::detail

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/values/rfc3339.ipp>
#endif
