// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/system/environment.hpp>
#include <palette/impl/values/key_text.hpp>

#include <unistd.h>

#include <cstdlib>

namespace palette::inline PALETTE_KEYS_ABI::detail {

PALETTE_KEYS_INLINE std::string_view environment_variable(const char* name) noexcept {
#ifdef __linux__
    const char* const value = ::secure_getenv(name);
#else
    const char* const value = ::issetugid() != 0 ? nullptr : ::getenv(name);
#endif
    return value == nullptr ? std::string_view() : std::string_view(value);
}

PALETTE_KEYS_INLINE Result<Secret> api_key_of_environment() {
    for (auto const* const name : {"PALETTE_API_KEY", "SPECTROCLOUD_APIKEY"})
        if (auto const value = environment_variable(name); !value.empty())
            return usable_value(value_of_line(value), name);
    return Error(errc::auth_provider, "neither PALETTE_API_KEY nor SPECTROCLOUD_APIKEY is set");
}

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
