// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/secret.hpp>

#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::auth {

// Whether `text` holds eight bytes of the secret in a row, or all of a shorter one: as they are,
// percent-encoded, with JSON's escapes, or in base64.
bool echoes(std::string_view text, const Secret& secret);

// Empties a text that does, and wipes it.
void drop_echo(std::string& text, const Secret& secret);

}  // namespace palette::inline PALETTE_KEYS_ABI::auth

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/auth/echo.ipp>
#endif
