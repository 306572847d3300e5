// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/auth/echo.hpp>
#include <palette/impl/redactor.hpp>
#include <palette/secret.hpp>

namespace palette::inline PALETTE_KEYS_ABI::auth {

PALETTE_KEYS_INLINE bool echoes(std::string_view text, const detail::KnownSecrets& known) {
    return detail::SecretSearch(text.substr(0, detail::max_redacted_bytes), known).has_found();
}

PALETTE_KEYS_INLINE void drop_echo(std::string& text, const detail::KnownSecrets& known) {
    if (echoes(text, known)) static_cast<void>(Secret::take(text));
}

}  // namespace palette::inline PALETTE_KEYS_ABI::auth
