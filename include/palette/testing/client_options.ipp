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
    options.auth = auth::api_key(Secret(user(role).api_key.expose()));
    options.clock = clock();
    return options;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::testing
