// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/auth_provider.hpp>

#include <memory>

namespace palette::inline PALETTE_KEYS_ABI::auth {

// The API key in PALETTE_API_KEY or else in SPECTROCLOUD_APIKEY, whenever the client asks. Blanks around
// it and one line end behind it do not belong to it; a variable that is empty counts as not set. A set-uid
// program gets nothing from its environment.
//
//     options.auth = auth::environment();
//
// The key's uid is not known: a client with this provider does not notice that it revokes or deletes its own
// key.
//
// Errors, when the client asks: errc::auth_provider if neither is set, or if what is there cannot be a key.
// Threads: may be shared by any number of clients. As with every reader of the environment, nobody may
// change it meanwhile.
[[nodiscard]] PALETTE_KEYS_DECL std::shared_ptr<AuthProvider> environment();

}  // namespace palette::inline PALETTE_KEYS_ABI::auth

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/auth/environment.ipp>
#endif
