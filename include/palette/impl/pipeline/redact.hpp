// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/error.hpp>

#include <span>
#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::pipeline {

// `text` without any eight characters in a row of the secrets, as they are, percent-encoded or in base64:
// some servers quote the credential that they refuse.
std::string redacted(std::string_view text, std::span<const std::string_view> secrets);

// All texts of an error, redacted first and shortened then.
Error redacted(const Error& error, std::span<const std::string_view> secrets);

}  // namespace palette::inline PALETTE_KEYS_ABI::pipeline

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/pipeline/redact.ipp>
#endif
