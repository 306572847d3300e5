// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/lifecycle/plan.hpp>

#include <string>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

using palette::lifecycle::Plan;

inline constexpr int plan_schema = 1;

// The text of a plan. There is one way to write it, so that any other text is one that somebody has changed.
// With an empty digest, it is what the digest is made of.
std::string text_of(const Plan& plan, const std::string& digest);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/lifecycle/plans/plan_text.ipp>
#endif
