// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/error.hpp>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

// Whether the service has answered that there is no such key or user. A 404 without a code of the service's
// is that of something on the way to it, such as a proxy that knows no such path.
inline bool says_gone(const Error& error) {
    return is_not_found(error) && !error.server_code().empty();
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
