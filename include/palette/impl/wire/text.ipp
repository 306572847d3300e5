// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/values/text.hpp>
#include <palette/impl/values/uid.hpp>
#include <palette/impl/wire/text.hpp>

#include <algorithm>

namespace palette::inline PALETTE_KEYS_ABI::impl::wire {

PALETTE_KEYS_INLINE Result<void> check_utf8(std::string_view text, std::string_view field) {
    auto const at = detail::valid_utf8_prefix(text);
    if (at == text.size()) return {};
    // The bytes before the fault show where it is; the whole text may be long.
    auto const around = text.substr(at - std::min<std::size_t>(at, 16));
    return Error(errc::invalid_argument,
                 "is not UTF-8 at byte " + std::to_string(at) + ", in " + detail::in_quotes(around, 32))
        .path(std::string(field));
}

PALETTE_KEYS_INLINE Result<void> append_json_string(std::string& out, std::string_view text,
                                                    std::string_view field) {
    // A serializer would need a JSON value, and so a copy of the text, and could not name the field.
    if (auto valid = check_utf8(text, field); !valid) return valid;
    out += '"';
    for (char const c : text) {
        switch (c) {
            case '"':
                out += "\\\"";
                break;
            case '\\':
                out += "\\\\";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\r':
                out += "\\r";
                break;
            case '\t':
                out += "\\t";
                break;
            default:
                // JSON allows no bare control character; every other byte of UTF-8 stands for itself.
                if (static_cast<unsigned char>(c) < 0x20) {
                    out += "\\u00";
                    out += detail::upper_hex[c >> 4];
                    out += detail::upper_hex[c & 0xF];
                } else {
                    out += c;
                }
        }
    }
    out += '"';
    return {};
}

PALETTE_KEYS_INLINE std::string query_value(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (char const c : text) {
        // The unreserved characters of RFC 3986. A token of the service may contain '&' and '='.
        bool const plain =
            detail::is_letter(c) || detail::is_digit(c) || c == '-' || c == '_' || c == '.' || c == '~';
        if (plain) {
            out += c;
        } else {
            auto const byte = static_cast<unsigned char>(c);
            out += '%';
            out += detail::upper_hex[byte >> 4];
            out += detail::upper_hex[byte & 0xF];
        }
    }
    return out;
}

PALETTE_KEYS_INLINE Result<void> check_path_segment(std::string_view text, std::string_view field) {
    // Refused and not percent-encoded: proxies decode paths and follow the dots in them (W22).
    if (detail::is_plain_segment(text)) return {};
    return Error(errc::invalid_argument, "cannot be part of a path").path(std::string(field));
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::wire
