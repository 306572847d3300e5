// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/error.hpp>
#include <palette/impl/redaction/known_secrets.hpp>

#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline {

// The error without anything that is known in its texts: some servers quote the credential that they
// refuse. The service's words are shortened then, to 500 bytes each; no text is read beyond
// detail::max_redacted_bytes, so that none takes the event loop for long.
Error redacted(const Error& error, const detail::KnownSecrets& known);

// The service's words as an error has them: 500 bytes at most, without anything that is known, on one line.
std::string shown_words(std::string_view words, const detail::KnownSecrets& known);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/pipeline/redact.ipp>
#endif
