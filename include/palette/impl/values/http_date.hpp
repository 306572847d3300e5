// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/instant.hpp>

#include <optional>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::detail {

// "Sun, 06 Nov 1994 08:49:37 GMT", the one form that servers write; nothing for any other text.
std::optional<Instant> parse_http_date(std::string_view text) noexcept;

}  // namespace palette::inline PALETTE_KEYS_ABI::detail

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/values/http_date.ipp>
#endif
