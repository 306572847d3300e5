// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/seams/auth_provider.hpp>
#include <palette/impl/seams/proxy_bypass.hpp>
#include <palette/impl/system/environment.hpp>
#include <palette/options.hpp>

#include <memory>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {
namespace detail {

struct Variable {
    const char* name;
    std::string_view value;
};

inline Variable first_that_is_set(const char* name, const char* otherwise) noexcept {
    Variable const first{name, environment_variable(name)};
    // Empty counts as unset here: that is how a shell switches a proxy off for one program.
    return first.value.empty() ? Variable{otherwise, environment_variable(otherwise)} : first;
}

inline Result<ProxyOptions> proxy_of_environment() {
    auto const url = first_that_is_set("HTTPS_PROXY", "https_proxy");
    if (url.value.empty()) return ProxyOptions();
    auto proxy = ProxyOptions::parse(url.value);
    // The error names the variable and quotes nothing of it: a password may stand in the URL.
    if (!proxy) return std::move(proxy).error().path(url.name);

    auto const exceptions = first_that_is_set("NO_PROXY", "no_proxy");
    proxy->bypass = split_bypass(exceptions.value);
    // The client parses the list once more. Here the error can name the variable.
    if (auto good = ProxyBypass::parse(proxy->bypass); !good)
        return std::move(good).error().path(exceptions.name);
    return proxy;
}

// A variable that is set but empty is a broken deployment: its key, which may be for another installation,
// must not go to the public service.
inline Result<Endpoint> endpoint_of_environment() {
    auto const* const name = "PALETTE_HOST";
    auto const host = environment_variable(name);
    if (host.data() == nullptr) return Endpoint();
    if (host.empty())
        return Error(errc::invalid_argument, "is set but empty")
            .path(name)
            .advice("name the host, or unset the variable for api.spectrocloud.com");
    auto endpoint = Endpoint::parse(host);
    if (!endpoint) return std::move(endpoint).error().path(name);
    return endpoint;
}

inline Result<std::shared_ptr<AuthProvider>> key_of_environment() {
    // Read once: what was found to be good is what is used.
    auto key = api_key_of_environment();
    // Not errc::auth_provider: no provider has been asked, and asking again would give the same.
    if (!key) return Error(errc::invalid_argument, key.error().what());
    auto key_uid = api_key_uid_of_environment();
    if (!key_uid) return Error(errc::invalid_argument, key_uid.error().what());
    return always(Credential::api_key(*std::move(key), *std::move(key_uid)));
}

inline Result<ClientOptions> options_of_environment(Result<std::shared_ptr<AuthProvider>> auth) {
    ClientOptions options;
    auto endpoint = endpoint_of_environment();
    if (!endpoint) return std::move(endpoint).error();
    options.endpoint = *std::move(endpoint);
    if (!auth) return std::move(auth).error();
    options.auth = *std::move(auth);
    auto ca_file = file_of_environment("PALETTE_CA_FILE");
    if (!ca_file) return std::move(ca_file).error();
    options.tls.ca_file = *std::move(ca_file);
    auto proxy = proxy_of_environment();
    if (!proxy) return std::move(proxy).error();
    options.proxy = *std::move(proxy);
    return options;
}

// Whoever starts the program has no argument to correct.
inline Result<ClientOptions> with_advice(Result<ClientOptions> options) {
    if (!options && !options.error().has_own_advice())
        return std::move(options).error().advice("correct the environment of the program and start it again");
    return options;
}

}  // namespace detail

PALETTE_KEYS_INLINE Result<ClientOptions> ClientOptions::from_environment() {
    return detail::with_advice(detail::options_of_environment(detail::key_of_environment()));
}

PALETTE_KEYS_INLINE Result<ClientOptions> ClientOptions::from_environment(
    std::shared_ptr<AuthProvider> auth) {
    if (!auth) return Error(errc::invalid_argument, "is null").path("auth");
    return detail::with_advice(detail::options_of_environment(std::move(auth)));
}

}  // namespace palette::inline PALETTE_KEYS_ABI
