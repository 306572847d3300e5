// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/redaction/known_secrets.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::detail {

// Finds in a text what is known of secrets.
//
// A secret is known as it is; percent-encoded; with the escapes of JSON, or those of printable(); in base64
// of either alphabet, wherever in a group it begins; in base64 that is escaped; and with any of its
// characters in any of these ways, as a server does that escapes some of them only. All of this is known too
// in a text that was percent-encoded or escaped once more as a whole, so two levels of escapes are covered;
// backslashes may have been escaped any number of times. Base64 of something escaped is not covered.
//
// For that, every way to read the text is followed at once: what may be an escape may be just its
// characters as well. Text without '%' and '\' has one reading, and usual escapes a few tens. The time is
// bounded, whoever wrote the text: a text that has more than `max_readings` at a place, or needs more than
// its share of `max_steps`, was made to, and counts as secret from there on.
class SecretSearch {
public:
    static constexpr std::size_t max_readings = 128;

    // How often readings may be continued in a text of so many bytes, in all: as it is, without
    // percent-encoding, without the escapes of JSON, and with single backslashes.
    static constexpr std::size_t max_steps(std::size_t bytes) noexcept {
        return 4 * (max_steps_of_level(bytes) + max_steps_of_place);
    }

    SecretSearch(std::string_view text, const KnownSecrets& known);

    [[nodiscard]] bool has_found() const noexcept {
        return std::ranges::count(hidden_, 0) < std::ssize(hidden_);
    }

    // Whether the byte of the text there belongs to what was found.
    [[nodiscard]] bool hides(std::size_t at) const noexcept { return hidden_[at] != 0; }

    // How often a reading was continued: what the time is proportional to.
    [[nodiscard]] std::size_t steps() const noexcept { return steps_; }

private:
    struct Level;
    struct Reading;

    static constexpr std::size_t max_steps_of_place = 5 * max_readings;
    static constexpr std::size_t max_steps_of_level(std::size_t bytes) noexcept { return 4096 + 24 * bytes; }

    std::size_t search(const Level& level, const KnownSecrets& known);

    std::vector<char> hidden_;  // of each byte of the text
    std::size_t steps_ = 0;
};

// No more of a text from outside is read: more than any person does.
inline constexpr std::size_t max_redacted_bytes = 2048;

// So much is read beyond what is shown: what begins before has its end there.
inline constexpr std::size_t redaction_margin = 640;
inline constexpr std::size_t max_shown_bytes = max_redacted_bytes - redaction_margin;

// `text` with "<redacted>" for what is known. What is longer than max_redacted_bytes, or than `limit` and
// redaction_margin, is shortened to max_shown_bytes or `limit`, and ends in "...". What comes to more than
// `limit` is shortened to a little more.
std::string redacted(std::string_view text, const KnownSecrets& known,
                     std::size_t limit = std::numeric_limits<std::size_t>::max());

}  // namespace palette::inline PALETTE_KEYS_ABI::detail

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/redaction/redactor.ipp>
#endif
