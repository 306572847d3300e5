// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/seams/auth_provider.hpp>
#include <palette/impl/seams/proxy_bypass.hpp>
#include <palette/impl/system/environment.hpp>
#include <palette/options.hpp>

namespace palette::inline PALETTE_KEYS_ABI {
namespace detail {

struct Variable {
    const char* name;
    std::string_view value;
};

inline Variable first_that_is_set(const char* name, const char* otherwise) noexcept {
    Variable const first{name, environment_variable(name)};
    return first.value.empty() ? Variable{otherwise, environment_variable(otherwise)} : first;
}

inline Result<ProxyOptions> proxy_of_environment() {
    auto const url = first_that_is_set("HTTPS_PROXY", "https_proxy");
    if (url.value.empty()) return ProxyOptions();
    auto proxy = ProxyOptions::parse(url.value);
    if (!proxy) return std::move(proxy).error().path(url.name);

    auto const exceptions = first_that_is_set("NO_PROXY", "no_proxy");
    proxy->bypass = split_bypass(exceptions.value);
    if (auto good = ProxyBypass::parse(proxy->bypass); !good)
        return std::move(good).error().path(exceptions.name);
    return proxy;
}

}  // namespace detail

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
    auto key_uid = detail::api_key_uid_of_environment();
    if (!key_uid) return Error(errc::invalid_argument, key_uid.error().what());
    options.auth = detail::always(Credential::api_key(*std::move(key), *std::move(key_uid)));
    options.tls.ca_file = detail::environment_variable("PALETTE_CA_FILE");
    auto proxy = detail::proxy_of_environment();
    if (!proxy) return std::move(proxy.error());
    options.proxy = *std::move(proxy);
    return options;
}

}  // namespace palette::inline PALETTE_KEYS_ABI
