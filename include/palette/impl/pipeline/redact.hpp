// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/error.hpp>
#include <palette/impl/redaction/known_secrets.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline {

// The error without anything that is known in its texts: some servers quote the credential that they
// refuse. The service's words are shortened then, as by shown_words(); no text is read beyond
// detail::max_redacted_bytes, so that none takes the event loop for long.
Error redacted(const Error& error, const detail::KnownSecrets& known);

// How much an error has of the service's message, and of its code and its ref, which are for programs: the
// time that is taken for a text grows with what is shown of it.
inline constexpr std::size_t max_message_bytes = 500;
inline constexpr std::size_t max_word_bytes = 100;

// The service's words as an error has them: `limit` bytes at most, without anything that is known, on one
// line.
std::string shown_words(std::string_view words, const detail::KnownSecrets& known, std::size_t limit);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/pipeline/redact.ipp>
#endif
