// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/auth/echo.hpp>
#include <palette/impl/redaction/redactor.hpp>

namespace palette::inline PALETTE_KEYS_ABI::auth {

PALETTE_KEYS_INLINE bool echoes(std::string_view text, const detail::KnownSecrets& known) {
    // Bounded like redaction, so that a huge answer costs no more than it may.
    return detail::SecretSearch(text.substr(0, detail::max_redacted_bytes), known).has_found();
}

}  // namespace palette::inline PALETTE_KEYS_ABI::auth
