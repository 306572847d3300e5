// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/redaction/redactor.hpp>
#include <palette/impl/values/text.hpp>

#include <algorithm>

namespace palette::inline PALETTE_KEYS_ABI::detail {

inline constexpr std::uint64_t length_mask = 63;
inline constexpr std::uint64_t sixty_bits = (std::uint64_t{1} << 60) - 1;

inline std::size_t sum_of_lengths(std::uint64_t lengths, std::size_t count) noexcept {
    std::size_t sum = 0;
    for (; count > 0; --count, lengths >>= 6)
        sum += lengths & length_mask;
    return sum;
}

inline bool SecretSearch::are_alike(const Reading& a, const Reading& b) noexcept {
    return a.bytes == b.bytes && a.digits == b.digits && a.byte_count == b.byte_count &&
           a.digit_count == b.digit_count;
}

inline std::size_t SecretSearch::length_of(const Reading& reading) noexcept {
    return sum_of_lengths(reading.lengths, KnownSecrets::window_digits);
}

PALETTE_KEYS_INLINE SecretSearch::SecretSearch(std::string_view text, const KnownSecrets& known)
    : known_(&known),
      hidden_(text.size()) {
    if (known.empty()) return;
    text = text.substr(0, search(text, nullptr));
    auto const search_decoded = [&](const Decoded& inner) {
        if (inner.bytes.size() < text.size())
            static_cast<void>(search({inner.bytes.data(), inner.bytes.size()}, inner.begins.data()));
    };
    if (text.find('%') != std::string_view::npos) search_decoded(decoded(text, percent_escape));
    if (text.find('\\') == std::string_view::npos) return;
    search_decoded(decoded(text, [](std::string_view rest) {
        auto const whole = surrogate_escape(rest);
        return whole.length != 0 ? whole : backslash_escape(rest);
    }));
    search_decoded(decoded(text, backslashes));
}

template <class DecodeOne>
SecretSearch::Decoded SecretSearch::decoded(std::string_view text, const DecodeOne& decode_one) {
    Decoded out;
    out.bytes.reserve(text.size());
    out.begins.reserve(text.size() + 1);
    for (std::size_t at = 0; at < text.size();) {
        auto escape = decode_one(text.substr(at));
        if (escape.length == 0) escape = {1, {text[at]}, 1};
        for (unsigned i = 0; i < escape.count; ++i) {
            out.bytes.push_back(escape.bytes[i]);
            out.begins.push_back(at);
        }
        at += escape.length;
    }
    out.begins.push_back(text.size());
    return out;
}

// Until where it came: what is behind counts as secret.
PALETTE_KEYS_INLINE std::size_t SecretSearch::search(std::string_view text, const std::size_t* begins) {
    text_ = text;
    begins_ = begins;
    for (auto& readings : readings_)
        readings.clear();
    readings_[0].emplace_back();
    auto const most_steps = steps_ + max_steps_of_level(text.size());
    for (at_ = 0; at_ <= text.size(); ++at_) {
        here_.clear();
        here_.swap(readings_[at_ % places]);
        auto const is_too_much = here_.size() > max_alike * max_readings || steps_ > most_steps;
        if (!is_too_much) drop_alike();
        if (is_too_much || here_.size() > max_readings) return hide(at_ - held_by(here_), text.size());
        for (auto const& reading : here_)
            look(reading, 0);
        if (at_ < text.size()) read_place();
    }
    return hidden_.size();
}

// Of readings that end alike the longest one stays: each alone would hide enough, for without its end
// nothing of another is a window. Few of them are compared when they are added.
PALETTE_KEYS_INLINE void SecretSearch::drop_alike() {
    if (here_.size() <= few_readings + 1) return;
    std::sort(here_.begin(), here_.end(), [](const Reading& a, const Reading& b) {
        if (a.bytes != b.bytes) return a.bytes < b.bytes;
        if (a.digits != b.digits) return a.digits < b.digits;
        if (a.byte_count != b.byte_count) return a.byte_count < b.byte_count;
        if (a.digit_count != b.digit_count) return a.digit_count < b.digit_count;
        return length_of(a) > length_of(b);
    });
    here_.erase(std::unique(here_.begin(), here_.end(), are_alike), here_.end());
}

// Goes on from all readings until here with all that may stand here.
PALETTE_KEYS_INLINE void SecretSearch::read_place() {
    auto const text = text_.substr(at_);
    read({1, {text.front()}, 1});
    if (text.front() == '%' || text.front() == '\\') read_escapes(text);
}

PALETTE_KEYS_INLINE void SecretSearch::read_escapes(std::string_view text) {
    auto percent = percent_escape(text);
    read(percent);
    if (percent.bytes.front() == '%') {
        // Encoded twice, in a text of which the rest is not.
        if (auto const byte = hex_number(text, 3, 2)) read({5, {static_cast<char>(*byte)}, 1});
    }
    read(backslash_escape(text));
    read(surrogate_escape(text));
}

PALETTE_KEYS_INLINE void SecretSearch::read(const Escape& escape) {
    if (escape.length == 0) return;
    for (auto reading : here_) {
        for (unsigned i = 0; i < escape.count; ++i) {
            auto const is_whole = i + 1 == escape.count;
            put(reading, escape.bytes[i], is_whole ? escape.length : 0);
            // What it ends in when it is whole is looked at in its place.
            if (!is_whole) look(reading, escape.length);
        }
        add(escape.length, reading);
    }
}

PALETTE_KEYS_INLINE void SecretSearch::put(Reading& reading, char c, std::size_t length) noexcept {
    reading.bytes = reading.bytes << 8 | static_cast<unsigned char>(c);
    reading.byte_count =
        std::min<unsigned>(reading.byte_count + 1, static_cast<unsigned>(KnownSecrets::window_bytes));
    reading.lengths = (reading.lengths << 6 | length) & sixty_bits;
    if (auto const digit = base64_digit(c); digit >= 0) {
        reading.digits = (reading.digits << 6 | static_cast<unsigned>(digit)) & sixty_bits;
        reading.digit_count =
            std::min<unsigned>(reading.digit_count + 1, static_cast<unsigned>(KnownSecrets::window_digits));
    } else {
        reading.digits = 0;
        reading.digit_count = 0;
    }
}

// Hides what the reading ends in, if it is known. `length_ahead`: of an escape that it has a part of.
PALETTE_KEYS_INLINE void SecretSearch::look(const Reading& reading, std::size_t length_ahead) {
    auto const count = std::max(known_->known_bytes(reading.bytes, reading.byte_count),
                                known_->known_digits(reading.digits, reading.digit_count));
    if (count > 0) hide(at_ - sum_of_lengths(reading.lengths, count), at_ + length_ahead);
}

// From `begin` to `end` of what is searched; where in the text it begins.
PALETTE_KEYS_INLINE std::size_t SecretSearch::hide(std::size_t begin, std::size_t end) {
    has_found_ = true;
    auto const first = begins_ == nullptr ? begin : begins_[begin];
    auto last = begins_ == nullptr ? end : begins_[end];
    // The bytes of one character begin at the same place.
    if (begins_ != nullptr)
        while (end > begin && last == begins_[end - 1] && last < hidden_.size())
            last = begins_[++end];
    std::fill(hidden_.begin() + static_cast<std::ptrdiff_t>(first),
              hidden_.begin() + static_cast<std::ptrdiff_t>(last), '\1');
    return first;
}

PALETTE_KEYS_INLINE void SecretSearch::add(std::size_t length, const Reading& reading) {
    ++steps_;
    auto& readings = readings_[(at_ + length) % places];
    if (readings.size() <= few_readings) {
        for (auto& other : readings) {
            if (!are_alike(other, reading)) continue;
            if (length_of(reading) > length_of(other)) other.lengths = reading.lengths;
            return;
        }
    }
    // One more than may be is enough to tell that there are too many.
    if (readings.size() <= max_alike * max_readings) readings.push_back(reading);
}

// How much of the text before the place where they end may be the beginning of something.
PALETTE_KEYS_INLINE std::size_t SecretSearch::held_by(const Wiped<Reading>& readings) noexcept {
    std::size_t most = 0;
    for (auto const& reading : readings) {
        auto const bytes = std::min<std::size_t>(reading.byte_count, KnownSecrets::window_bytes - 1);
        auto const digits = std::min<std::size_t>(reading.digit_count, KnownSecrets::window_digits - 1);
        most = std::max(most, sum_of_lengths(reading.lengths, std::max(bytes, digits)));
    }
    return most;
}

PALETTE_KEYS_INLINE std::string redacted(std::string_view text, const KnownSecrets& known,
                                         std::size_t limit) {
    auto const most = limit < max_shown_bytes ? limit + redaction_margin : max_redacted_bytes;
    auto const is_whole = text.size() <= most;
    SecretSearch const search(text.substr(0, most), known);
    std::string out;
    bool shows_mark = false;
    auto const size = is_whole ? text.size() : most - redaction_margin;
    for (std::size_t i = 0; i < size && out.size() <= limit; ++i) {
        auto const is_hidden = search.hides(i);
        if (!is_hidden)
            out += text[i];
        else if (!shows_mark)
            out += "<redacted>";
        shows_mark = is_hidden;
    }
    if (!is_whole && out.size() <= limit) out += "...";
    return out;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
