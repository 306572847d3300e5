// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/expiry.hpp>
#include <palette/visit.hpp>

#include <ostream>

namespace palette::inline PALETTE_KEYS_ABI {

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const Visit& visit) {
    return out << visit.count << " visited, as of " << Expiry::at(visit.as_of);
}

}  // namespace palette::inline PALETTE_KEYS_ABI
