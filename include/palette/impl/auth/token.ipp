// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/auth/token.hpp>
#include <palette/impl/seams/auth_provider.hpp>
#include <palette/impl/values/key_text.hpp>

#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::auth {

PALETTE_KEYS_INLINE std::shared_ptr<AuthProvider> token(Secret value) {
    auto usable = detail::usable_value(std::move(value), "the token");
    // Without its end: an exchange before it would give the same token.
    return detail::always(
        std::move(usable).transform([](Secret&& token) { return Credential::token(std::move(token)); }));
}

}  // namespace palette::inline PALETTE_KEYS_ABI::auth
