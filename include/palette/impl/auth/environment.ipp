// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/auth/environment.hpp>
#include <palette/impl/system/environment.hpp>
#include <palette/impl/values/key_text.hpp>

#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::auth {

class KeyInEnvironment final : public AuthProvider {
public:
    boost::asio::awaitable<Result<std::shared_ptr<const Credential>>> credential(
        CredentialRequest request) override {
        // Read each time: a program may change its environment when the key is rotated.
        auto key = detail::api_key_of_environment();
        if (!key) co_return std::move(key).error();
        auto key_uid = detail::api_key_uid_of_environment();
        if (!key_uid) co_return std::move(key_uid).error();
        co_return detail::same_or_new_key(request.previous(), *std::move(key), *std::move(key_uid));
    }
};

PALETTE_KEYS_INLINE std::shared_ptr<AuthProvider> environment() {
    return std::make_shared<KeyInEnvironment>();
}

}  // namespace palette::inline PALETTE_KEYS_ABI::auth
