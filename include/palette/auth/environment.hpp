// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/auth_provider.hpp>

#include <memory>

namespace palette::inline PALETTE_KEYS_ABI::auth {

/// Returns a provider of the API key in the environment variable PALETTE_API_KEY, else in
/// SPECTROCLOUD_APIKEY, read whenever the client asks. Blanks around a value and one line end after it are
/// dropped; a variable that is empty counts as unset. A set-uid program gets nothing from its environment.
///
///     options.auth = auth::environment();
///
/// The uid of the key is that in PALETTE_API_KEY_UID, if that variable is set. Without it, a client
/// with this provider refuses to revoke, deactivate or delete any active key of its own user (errc::own_key),
/// except those that it has made itself.
///
/// Errors, when the client asks: errc::auth_provider if neither variable of the key is set, if its content
/// cannot be a key, or if that of PALETTE_API_KEY_UID cannot be a uid.
///
/// Threads: may be shared by any number of clients. The program must not change its environment meanwhile, as
/// with every reader of the environment.
[[nodiscard]] PALETTE_KEYS_DECL std::shared_ptr<AuthProvider> environment();

}  // namespace palette::inline PALETTE_KEYS_ABI::auth

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/auth/environment.ipp>
#endif
