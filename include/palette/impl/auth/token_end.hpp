// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/instant.hpp>

#include <optional>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::auth {

// When a JWT says that it ends (exp); nothing for another text. The signature is the service's business.
std::optional<Instant> end_in_jwt(std::string_view token);

// When to take a token that came at `now` for ended: when it says so, or after the service's usual 15
// minutes if it does not, or if by this machine's clock it has ended already (W19).
Instant end_of_token(std::string_view token, Instant now);

}  // namespace palette::inline PALETTE_KEYS_ABI::auth

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/auth/token_end.ipp>
#endif
