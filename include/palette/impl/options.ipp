// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/auth_provider.hpp>
#include <palette/impl/environment.hpp>
#include <palette/options.hpp>

namespace palette::inline PALETTE_KEYS_ABI {

PALETTE_KEYS_INLINE Result<ClientOptions> ClientOptions::from_environment() {
    ClientOptions options;
    if (auto const host = detail::environment_variable("PALETTE_HOST"); !host.empty()) {
        auto endpoint = Endpoint::parse(host);
        if (!endpoint) return std::move(endpoint).error().path("PALETTE_HOST");
        options.endpoint = *std::move(endpoint);
    }
    // Read once: what was found to be good is what is used.
    auto key = detail::api_key_of_environment();
    if (!key) return Error(errc::invalid_argument, key.error().what());
    options.auth = detail::always(Credential::api_key(*std::move(key)));
    options.tls.ca_file = detail::environment_variable("PALETTE_CA_FILE");
    return options;
}

}  // namespace palette::inline PALETTE_KEYS_ABI
