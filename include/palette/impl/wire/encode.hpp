// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/api_key.hpp>

#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::impl::wire {

// Bodies of requests. Each is refused with errc::invalid_argument, not_applied, and the path of the
// field, if a text is not UTF-8.

// POST /v1/apiKeys. A length of life, thirty days unless the key says otherwise, counts from `now`, the
// service's time; a key that never expires is sent without the field.
Result<std::string> encode_create(const NewApiKey& key, Instant now);

// PUT /v1/apiKeys/{uid}, which overwrites the whole: `key` as it was read, with every annotation and
// label, and `edit` upon it. A description that is cleared is sent empty: what is left out may stay.
Result<std::string> encode_update(const ApiKey& key, const ApiKeyEdit& edit);

// PATCH /v1/apiKeys/{uid} and PUT /v1/apiKeys/{uid}/state. W2: false is sent like true.
constexpr std::string_view encode_state(bool is_active) noexcept {
    return is_active ? R"({"isActive":true})" : R"({"isActive":false})";
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::wire

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/wire/encode.ipp>
#endif
