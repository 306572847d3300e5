// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/values/text.hpp>
#include <palette/impl/values/wipe.hpp>
#include <palette/transport.hpp>

#include <algorithm>

namespace palette::inline PALETTE_KEYS_ABI {

PALETTE_KEYS_INLINE HttpResponse::~HttpResponse() {
    // The service or a proxy may repeat a credential in a header (W12).
    for (auto& [name, value] : headers) {
        detail::wipe(name);
        detail::wipe(value);
    }
}

PALETTE_KEYS_INLINE std::string_view HttpResponse::header(std::string_view name) const& noexcept {
    for (auto const& [key, value] : headers)
        if (detail::equals_ignoring_case(key, name)) return value;
    return {};
}

}  // namespace palette::inline PALETTE_KEYS_ABI
