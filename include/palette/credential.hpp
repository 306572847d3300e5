// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/instant.hpp>
#include <palette/secret.hpp>

#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI {

// What a request proves with on whose behalf it comes: an API key, or a token. It never changes; a
// rotated key or a new token is another Credential. Shared by all that use it, and wiped when the last
// of them is done.
//
//     return Credential::api_key(Secret::take(line));
class PALETTE_KEYS_DECL Credential {
public:
    enum class Kind { api_key, token };

    /// `key_uid`: the key's own uid, if it is known. By it a client tells that a revocation, a deactivation
    /// or a deletion is about the key that it uses itself, and refuses with errc::own_key; see
    /// CallOptions::allow_own_key().
    [[nodiscard]] static std::shared_ptr<const Credential> api_key(Secret value, std::string key_uid = {});

    /// `expires_at`: when it stops working by the client's clock, if that is known. Its successor is asked
    /// for 60 s before, or in the last quarter of the life that it had when it was received, if that is less.
    /// An end that has passed already when it is received is not believed.
    [[nodiscard]] static std::shared_ptr<const Credential> token(
        Secret value, std::optional<Instant> expires_at = std::nullopt);

    [[nodiscard]] Kind kind() const noexcept { return kind_; }
    [[nodiscard]] const Secret& value() const& noexcept { return value_; }
    void value() const&& = delete;
    [[nodiscard]] const std::string& key_uid() const& noexcept { return key_uid_; }
    [[nodiscard]] std::string key_uid() const&& { return key_uid_; }
    [[nodiscard]] std::optional<Instant> expires_at() const noexcept { return expires_at_; }

    // "ApiKey" or "Authorization": the header that carries the value.
    [[nodiscard]] std::string_view header() const noexcept;

private:
    Credential(Kind kind, Secret value, std::string key_uid, std::optional<Instant> expires_at);

    Kind kind_;
    Secret value_;
    std::string key_uid_;
    std::optional<Instant> expires_at_;
};

// Its kind, and the key's uid; never the value.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const Credential& credential);

}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/values/credential.ipp>
#endif
