// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/auth/api_key.hpp>
#include <palette/impl/seams/auth_provider.hpp>
#include <palette/impl/values/key_text.hpp>

#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::auth {

PALETTE_KEYS_INLINE std::shared_ptr<AuthProvider> api_key(Secret value, std::string key_uid) {
    auto usable = detail::usable_value(std::move(value), "the API key");
    return detail::always(std::move(usable).transform(
        [&](Secret&& key) { return Credential::api_key(std::move(key), std::move(key_uid)); }));
}

}  // namespace palette::inline PALETTE_KEYS_ABI::auth
