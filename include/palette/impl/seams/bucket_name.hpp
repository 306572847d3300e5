// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::detail {

/// Names what the service limits together: "palette.acme.com/apiKeys" for "/v1/apiKeys/{uid}" of that host.
inline std::string bucket_name(std::string_view authority, std::string_view path) {
    auto const begin = path.find('/', 1);
    auto const rest = path.substr(begin == std::string_view::npos ? path.size() : begin + 1);
    return std::string(authority) + '/' + std::string(rest.substr(0, rest.find_first_of("/?")));
}

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
