// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/credential.hpp>
#include <palette/detail/printable.hpp>

#include <ostream>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

PALETTE_KEYS_INLINE Credential::Credential(Kind kind, Secret value, std::string key_uid,
                                           std::optional<Instant> expires_at)
    : kind_(kind),
      value_(std::move(value)),
      key_uid_(std::move(key_uid)),
      expires_at_(expires_at) {}

PALETTE_KEYS_INLINE std::shared_ptr<const Credential> Credential::api_key(Secret value, std::string key_uid) {
    return std::shared_ptr<const Credential>(
        new Credential(Kind::api_key, std::move(value), std::move(key_uid), std::nullopt));
}

PALETTE_KEYS_INLINE std::shared_ptr<const Credential> Credential::token(Secret value,
                                                                        std::optional<Instant> expires_at) {
    return std::shared_ptr<const Credential>(new Credential(Kind::token, std::move(value), {}, expires_at));
}

PALETTE_KEYS_INLINE std::string_view Credential::header() const noexcept {
    return kind_ == Kind::api_key ? "ApiKey" : "Authorization";
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const Credential& credential) {
    if (credential.kind() == Credential::Kind::token) return out << "a token";
    out << "an API key";
    if (!credential.key_uid().empty()) out << " (uid " << detail::in_quotes(credential.key_uid()) << ')';
    return out;
}

}  // namespace palette::inline PALETTE_KEYS_ABI
