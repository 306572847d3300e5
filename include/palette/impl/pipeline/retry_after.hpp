// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/instant.hpp>
#include <palette/transport.hpp>

#include <chrono>
#include <optional>

namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline {

// How long the service asks to wait: in seconds, or until a date by its own clock; `now` where it does not
// say what time it is. Nothing if it does not ask, or in words that are no time (W14).
std::optional<std::chrono::milliseconds> retry_after(const HttpResponse& response, Instant now);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/pipeline/retry_after.ipp>
#endif
