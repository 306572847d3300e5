// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/result.hpp>
#include <palette/secret.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::detail {

// The URL of a proxy in pieces.
struct ProxyUrl {
    std::string host;  // a name, or an address without brackets
    std::uint16_t port = 80;
    bool has_user = false;  // and be it an empty one
    std::string user;       // decoded, as the password
    Secret password;

    // "http://proxy.acme.com:3128", without the user.
    [[nodiscard]] std::string to_string() const;
};

// errc::invalid_argument, which quotes nothing: a password may be anywhere in a text that is wrong.
Result<ProxyUrl> parse_proxy_url(std::string_view text);

// Whether a header of Basic authentication can carry them.
Result<void> check_proxy_credentials(std::string_view user, std::string_view password);

}  // namespace palette::inline PALETTE_KEYS_ABI::detail

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/seams/proxy.ipp>
#endif
