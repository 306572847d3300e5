// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/auth_provider.hpp>

#include <memory>

namespace palette::inline PALETTE_KEYS_ABI::detail {

// The provider whose answer never changes.
std::shared_ptr<AuthProvider> always(const Result<std::shared_ptr<const Credential>>& answer);

}  // namespace palette::inline PALETTE_KEYS_ABI::detail

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/seams/auth_provider.ipp>
#endif
