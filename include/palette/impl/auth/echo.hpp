// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/redaction/known_secrets.hpp>

#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::auth {

// Whether `text` holds eight bytes of a secret in a row, or all of a shorter one, in any form in which it
// is known. Only the first detail::max_redacted_bytes are looked at: show no more.
bool echoes(std::string_view text, const detail::KnownSecrets& known);

}  // namespace palette::inline PALETTE_KEYS_ABI::auth

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/auth/echo.ipp>
#endif
