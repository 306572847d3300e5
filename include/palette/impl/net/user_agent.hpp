// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/values/text.hpp>
#include <palette/result.hpp>
#include <palette/version.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::impl::net {

inline constexpr std::size_t max_user_agent_bytes = 256;

// product = token ["/" token], as in RFC 9110, 10.1.5.
inline bool is_product(std::string_view text) noexcept {
    auto const slash = text.find('/');
    if (slash == std::string_view::npos) return detail::is_token(text);
    return detail::is_token(text.substr(0, slash)) && detail::is_token(text.substr(slash + 1));
}

// Nothing, or products with one space between them. Otherwise errc::invalid_argument, which does not quote
// the text.
inline Result<void> check_user_agent(std::string_view products) {
    if (products.empty()) return {};
    if (products.size() > max_user_agent_bytes)
        return Error(errc::invalid_argument,
                     "a user agent has at most " + std::to_string(max_user_agent_bytes) + " bytes")
            .path("user_agent");
    for (;;) {
        auto const space = products.find(' ');
        if (!is_product(products.substr(0, space)))
            return Error(errc::invalid_argument,
                         "a user agent is a product such as my-tool/1.2, or several with one space between "
                         "them")
                .path("user_agent");
        if (space == std::string_view::npos) return {};
        products.remove_prefix(space + 1);
    }
}

// The value of User-Agent, from products that check_user_agent() has accepted.
inline std::string user_agent_of(std::string_view products) {
    std::string const ours = "palette-keys/" PALETTE_KEYS_VERSION;
    return products.empty() ? ours : std::string(products) + ' ' + ours;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::net
