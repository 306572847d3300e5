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

/// Authenticates requests: an API key, or a token. Immutable; a rotated key or a new token is another
/// Credential. Shared by all its users, and wiped when the last of them is done.
///
///     auto credential = Credential::api_key(Secret::take(line));
class PALETTE_KEYS_DECL Credential {
public:
    /// Tells what a credential is.
    enum class Kind {
        api_key,  ///< An API key.
        token,    ///< A token that a login returned, a bare JWT.
        header,   ///< Anything else that goes into a header: a credential for another service.
    };

    /// Returns a credential for an API key. `key_uid` is the uid of the key itself, if it is known: a client
    /// that knows it refuses to revoke, deactivate or delete that key, with errc::own_key, and one that does
    /// not refuses it of every active key of its own user, which takes a read for each such call; see
    /// ChangeOptions::allow_own_key(). `expires_at` is when the key expires, if that is known: the client
    /// then asks its provider for the next one in time, as for a token.
    [[nodiscard]] static std::shared_ptr<const Credential> api_key(
        Secret value, std::string key_uid = {}, std::optional<Instant> expires_at = std::nullopt);

    /// Returns a credential for a token. `expires_at` is when the token expires by the client's clock, if
    /// that is known. The client asks for the next token 60 s before, or in the last quarter of the life that
    /// the token had when it was received, if that is less. An expiry that has already passed when the token
    /// is received is ignored.
    [[nodiscard]] static std::shared_ptr<const Credential> token(
        Secret value, std::optional<Instant> expires_at = std::nullopt);

    /// Returns a credential of the scheme Bearer, for requests to another service through a transport of
    /// make_http_transport(): "Authorization: Bearer <value>".
    [[nodiscard]] static std::shared_ptr<const Credential> bearer(const Secret& value);

    /// Returns a credential that is sent in a header of its own, for requests to another service, such as
    /// "X-Vault-Token". Throws Exception (errc::invalid_argument) if `name` cannot name a header.
    [[nodiscard]] static std::shared_ptr<const Credential> in_header(std::string name, Secret value);

    /// Returns what the credential is.
    [[nodiscard]] Kind kind() const noexcept { return kind_; }
    /// Returns the key or token; with the scheme, for bearer().
    [[nodiscard]] const Secret& value() const& noexcept { return value_; }
    void value() const&& = delete;
    /// Returns the uid of the API key; empty if it is not known, and for a token.
    [[nodiscard]] const std::string& key_uid() const& noexcept { return key_uid_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::string key_uid() const&& { return key_uid_; }
    /// Returns when the token or key expires; nothing if that is not known.
    [[nodiscard]] std::optional<Instant> expires_at() const noexcept { return expires_at_; }

    /// Returns the name of the header that carries the value: "ApiKey", "Authorization", or that of
    /// in_header().
    [[nodiscard]] std::string_view header() const noexcept;

private:
    // `name`: the uid of an API key, the name of a header.
    Credential(Kind kind, Secret value, std::string name, std::optional<Instant> expires_at);

    Kind kind_;
    Secret value_;
    std::string key_uid_;
    std::string header_;
    std::optional<Instant> expires_at_;
};

/// Writes the kind, and the uid of the key; never the value.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const Credential& credential);

}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/values/credential.ipp>
#endif
