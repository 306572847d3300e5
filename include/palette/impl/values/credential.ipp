// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/credential.hpp>
#include <palette/detail/printable.hpp>
#include <palette/impl/values/text.hpp>
#include <palette/result.hpp>

#include <ostream>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

PALETTE_KEYS_INLINE Credential::Credential(Kind kind, Secret value, std::string name,
                                           std::optional<Instant> expires_at)
    : kind_(kind),
      value_(std::move(value)),
      expires_at_(expires_at) {
    (kind == Kind::header ? header_ : key_uid_) = std::move(name);
}

PALETTE_KEYS_INLINE std::shared_ptr<const Credential> Credential::api_key(Secret value, std::string key_uid,
                                                                          std::optional<Instant> expires_at) {
    return std::shared_ptr<const Credential>(
        new Credential(Kind::api_key, std::move(value), std::move(key_uid), expires_at));
}

PALETTE_KEYS_INLINE std::shared_ptr<const Credential> Credential::token(Secret value,
                                                                        std::optional<Instant> expires_at) {
    return std::shared_ptr<const Credential>(new Credential(Kind::token, std::move(value), {}, expires_at));
}

PALETTE_KEYS_INLINE std::shared_ptr<const Credential> Credential::bearer(const Secret& value) {
    // Built within the secret: no string holds the whole header.
    Secret with_scheme("Bearer ");
    with_scheme.append(value.expose());
    return in_header("Authorization", std::move(with_scheme));
}

PALETTE_KEYS_INLINE std::shared_ptr<const Credential> Credential::in_header(std::string name, Secret value) {
    // W22: a name with a line break would split the request.
    if (!detail::is_token(name))
        throw Exception(Error(errc::invalid_argument, "a header's name is letters, digits and a few signs"));
    return std::shared_ptr<const Credential>(
        new Credential(Kind::header, std::move(value), std::move(name), std::nullopt));
}

PALETTE_KEYS_INLINE std::string_view Credential::header() const noexcept {
    switch (kind_) {
        case Kind::api_key:
            return "ApiKey";
        case Kind::token:
            return "Authorization";
        case Kind::header:
            return header_;
    }
    return {};
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const Credential& credential) {
    // Kind and uid, never the value: this is written to logs.
    if (credential.kind() == Credential::Kind::token) return out << "a token";
    if (credential.kind() == Credential::Kind::header)
        return out << "a credential in the header " << credential.header();
    out << "an API key";
    if (!credential.key_uid().empty()) out << " (uid " << detail::in_quotes(credential.key_uid()) << ')';
    return out;
}

}  // namespace palette::inline PALETTE_KEYS_ABI
