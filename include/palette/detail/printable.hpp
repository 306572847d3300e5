// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::detail {

// The length beyond which a text from outside is shortened before it is shown.
inline constexpr std::size_t shown_length = 64;

// `text` for one line of a log or terminal: control characters, marks of direction, what cannot be seen
// (zero-width characters, joiners, variation selectors, tags), quotes, backslashes and bytes that are not
// UTF-8 are escaped; longer than `limit` bytes, it ends in "...", cut between characters.
std::string printable(std::string_view text, std::size_t limit = shown_length);

// The same in double quotes.
std::string in_quotes(std::string_view text, std::size_t limit = shown_length);

// The length in bytes of the well-formed UTF-8 character that `text` starts with; 0 if there is none.
std::size_t utf8_character(std::string_view text) noexcept;

// `text` with nothing escaped but what would break a line, drive a terminal, cannot be seen, or is not
// UTF-8; all of it, unless it is longer than `limit`.
std::string one_line(std::string_view text, std::size_t limit = std::string_view::npos);

// Where `text` stops being well-formed UTF-8; text.size() if nowhere.
std::size_t valid_utf8_prefix(std::string_view text) noexcept;

}  // namespace palette::inline PALETTE_KEYS_ABI::detail

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/values/printable.ipp>
#endif
