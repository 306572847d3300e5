// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/key_limit.hpp>

#include <ostream>

namespace palette::inline PALETTE_KEYS_ABI {

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const KeyLimit& limit) {
    return out << "at most " << limit.limit << (limit.limit == 1 ? " key" : " keys")
               << " a user, may be raised to " << limit.max_limit;
}

}  // namespace palette::inline PALETTE_KEYS_ABI
