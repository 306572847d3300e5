// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/pipeline/redact.hpp>
#include <palette/impl/redactor.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::pipeline {

PALETTE_KEYS_INLINE Error redacted(const Error& error, const detail::KnownSecrets& known) {
    static constexpr std::size_t shown = 500;
    auto const shortened = [&](std::string_view text) {
        return detail::one_line(detail::redacted(text, known, shown), shown);
    };
    Error safe(error.code(), detail::redacted(error.what(), known));
    if (error.has_own_advice()) safe.advice(detail::redacted(error.advice(), known));
    return std::move(safe)
        .path(detail::redacted(error.path(), known))
        .status(error.status())
        .attempts(error.attempts())
        .earlier(error.earlier())
        .pending(error.pending())
        .effect(error.effect())
        .server(shortened(error.server_code()), shortened(error.server_message()), shortened(error.ref()));
}

}  // namespace palette::inline PALETTE_KEYS_ABI::pipeline
