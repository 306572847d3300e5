// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/wipe.hpp>
#include <palette/transport.hpp>

#include <algorithm>

namespace palette::inline PALETTE_KEYS_ABI {

PALETTE_KEYS_INLINE HttpResponse::~HttpResponse() {
    for (auto& [name, value] : headers) {
        detail::wipe(name);
        detail::wipe(value);
    }
}

PALETTE_KEYS_INLINE std::string_view HttpResponse::header(std::string_view name) const& noexcept {
    auto const small = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
    for (auto const& [key, value] : headers)
        if (std::ranges::equal(key, name, {}, small, small)) return value;
    return {};
}

}  // namespace palette::inline PALETTE_KEYS_ABI
