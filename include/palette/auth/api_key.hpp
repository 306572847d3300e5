// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/auth_provider.hpp>
#include <palette/secret.hpp>

#include <memory>
#include <string>

namespace palette::inline PALETTE_KEYS_ABI::auth {

/// Returns a provider of one API key, for as long as the program runs. When the service refuses the key,
/// there is no other.
///
///     options.auth = auth::api_key(Secret::take(line));
///
/// `key_uid` is the uid of the key itself, if it is known. With it, a client refuses to revoke, deactivate or
/// delete that key; see Credential.
///
/// Errors, when the client asks: errc::auth_provider for a value that is empty, or contains a character that
/// no header can carry.
///
/// Threads: may be shared by any number of clients.
[[nodiscard]] PALETTE_KEYS_DECL std::shared_ptr<AuthProvider> api_key(Secret value, std::string key_uid = {});

}  // namespace palette::inline PALETTE_KEYS_ABI::auth

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/auth/api_key.ipp>
#endif
