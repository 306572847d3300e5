// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/pipeline/redact.hpp>
#include <palette/impl/redaction/redactor.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline {

PALETTE_KEYS_INLINE std::string shown_words(std::string_view words, const detail::KnownSecrets& known,
                                            std::size_t limit) {
    // Redacted before it is shortened: half a secret would not be found.
    return detail::one_line(detail::redacted(words, known, limit), limit);
}

PALETTE_KEYS_INLINE Error redacted(const Error& error, const detail::KnownSecrets& known) {
    auto const shortened = [&](std::string_view text, std::size_t limit) {
        return shown_words(text, known, limit);
    };
    // Built anew from parts that are known, so that nothing is passed on by mistake.
    Error safe(error.code(), detail::redacted(error.what(), known));
    if (error.has_own_advice()) safe.advice(detail::redacted(error.advice(), known));
    return std::move(safe)
        .operation(error.operation())
        .key_uid(detail::redacted(error.key_uid(), known))
        .cause(error.cause())
        .path(detail::redacted(error.path(), known))
        .status(error.status())
        .attempts(error.attempts())
        .earlier(error.earlier())
        .pending(error.pending())
        .effect(error.effect())
        .server(shortened(error.server_code(), max_word_bytes),
                shortened(error.server_message(), max_message_bytes), shortened(error.ref(), max_word_bytes));
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline
