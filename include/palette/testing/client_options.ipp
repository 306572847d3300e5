// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/auth/api_key.hpp>
#include <palette/options.hpp>
#include <palette/testing/emulator.hpp>

namespace palette::inline PALETTE_KEYS_ABI::testing {

PALETTE_KEYS_INLINE ClientOptions Emulator::client_options(Role role) const {
    ClientOptions options;
    options.endpoint = endpoint();
    options.tls.ca_pem = ca_pem();
    auto const& of_role = user(role);
    // With the uid of the key, so that the guard of the own key is certain.
    options.auth = auth::api_key(Secret(of_role.api_key.expose()), of_role.api_key_uid);
    // One clock for both, or the client would judge expiries and tokens by another time than the emulator.
    options.clock = clock();
    return options;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::testing
