// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/error.hpp>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

/// Makes the error of an operation whose client was moved from.
inline Error moved_from() {
    return Error(errc::invalid_argument, "the client was moved from")
        .advice("call the client that it was moved to");
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
