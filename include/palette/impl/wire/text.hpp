// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/result.hpp>

#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::impl::wire {

// Text on its way into a request. `field` is how an error names it.

// errc::invalid_argument for what is not UTF-8, saying where.
Result<void> check_utf8(std::string_view text, std::string_view field);

// Appends `text` to `out` as a JSON string with its quotes. errc::invalid_argument for what is not UTF-8.
Result<void> append_json_string(std::string& out, std::string_view text, std::string_view field);

// Checks that `text` is one segment of a path as it stands: letters, digits, '.', '_' and '-', and neither
// "." nor "..". errc::invalid_argument for everything else. Nothing is percent-encoded: a reverse proxy may
// decode a path before it normalises it, and "..%2Fusers" would become another path. The text is never
// quoted: it may be a token.
Result<void> check_path_segment(std::string_view text, std::string_view field);

// A value of a query parameter: everything but letters, digits and -_~. is percent-encoded. Any text will do.
std::string query_value(std::string_view text);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::wire

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/wire/text.ipp>
#endif
