// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/auth_provider.hpp>
#include <palette/secret.hpp>

#include <memory>

namespace palette::inline PALETTE_KEYS_ABI::auth {

/// Returns a provider of one token that was obtained elsewhere: the bare JWT, without the word Bearer. A
/// token lives for some 15 minutes; when the service refuses it, there is no other. auth::login() gets new
/// ones by itself.
///
///     options.auth = auth::token(Secret::take(line));
///
/// Errors, when the client asks: errc::auth_provider for a value that is empty, or contains a character that
/// no header can carry.
///
/// Threads: may be shared by any number of clients.
[[nodiscard]] PALETTE_KEYS_DECL std::shared_ptr<AuthProvider> token(Secret value);

}  // namespace palette::inline PALETTE_KEYS_ABI::auth

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/auth/token.ipp>
#endif
