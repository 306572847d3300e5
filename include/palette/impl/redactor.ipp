// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/redactor.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::detail {

inline constexpr std::uint64_t length_mask = 63;
inline constexpr std::uint64_t sixty_bits = (std::uint64_t{1} << 60) - 1;

// The number that `text` begins with, in `digits` hexadecimal digits.
inline std::optional<unsigned> hex_number(std::string_view text, std::size_t digits) noexcept {
    unsigned number = 0;
    if (text.size() < digits) return std::nullopt;
    auto const read = std::from_chars(text.data(), text.data() + digits, number, 16);
    if (read.ptr != text.data() + digits || read.ec != std::errc()) return std::nullopt;
    return number;
}

// Of either alphabet; -1 for what is none.
inline int base64_digit(char c) noexcept {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+' || c == '-') return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

inline std::size_t sum_of_lengths(std::uint64_t lengths, std::size_t count) noexcept {
    std::size_t sum = 0;
    for (; count > 0; --count, lengths >>= 6)
        sum += lengths & length_mask;
    return sum;
}

PALETTE_KEYS_INLINE Redactor::Redactor(const KnownSecrets& known) : known_(&known) {
    readings_[0].emplace_back();
}

PALETTE_KEYS_INLINE void Redactor::write(std::string_view piece, std::string& out) {
    constexpr std::size_t slice = 1024;
    if (known_->empty()) {
        out += piece;
        return;
    }
    while (!piece.empty()) {
        write_some(piece.substr(0, slice), false, out);
        piece.remove_prefix(std::min(slice, piece.size()));
    }
}

PALETTE_KEYS_INLINE void Redactor::finish(std::string& out) {
    write_some({}, true, out);
    show(text_.size(), out);
}

PALETTE_KEYS_INLINE void Redactor::write_some(std::string_view piece, bool is_last, std::string& out) {
    text_.insert(text_.end(), piece.begin(), piece.end());
    hidden_.resize(text_.size());
    while (at_ < text_.size() && !hides_rest_) {
        auto const may_be_escape = text_[at_] == '%' || text_[at_] == '\\';
        if (may_be_escape && !is_last && text_.size() - at_ < longest_token) break;
        read_place();
    }
    if (hides_rest_) {
        std::fill(hidden_.begin() + static_cast<std::ptrdiff_t>(at_), hidden_.end(), '\1');
        at_ = text_.size();
    }
    show(certain(), out);
}

// Goes on from all readings until here with all that may stand here.
PALETTE_KEYS_INLINE void Redactor::read_place() {
    here_.clear();
    here_.swap(readings_[turn_]);
    if (here_.size() > most_readings) {
        hides_rest_ = has_found_ = true;
        auto const held = held_by(here_);
        std::fill(hidden_.end() - static_cast<std::ptrdiff_t>(text_.size() - at_ + held), hidden_.end(),
                  '\1');
        for (auto& readings : readings_)
            readings.clear();
        return;
    }
    std::string_view const text(text_.data() + at_, text_.size() - at_);
    read_token({1, {text.front()}, 1});
    if (text.front() == '%' || text.front() == '\\') read_escapes(text);
    ++at_;
    turn_ = (turn_ + 1) % places;
}

PALETTE_KEYS_INLINE void Redactor::read_escapes(std::string_view text) {
    if (text.front() == '\\') return read_json_escape(text);
    if (auto const byte = hex_number(text.substr(1), 2)) read_token({3, {static_cast<char>(*byte)}, 1});
    // Encoded twice.
    if (auto const byte = hex_number(text.substr(std::min<std::size_t>(3, text.size())), 2);
        byte && text.starts_with("%25"))
        read_token({5, {static_cast<char>(*byte)}, 1});
}

inline std::array<char, 4> utf8_bytes(unsigned character, unsigned& count) noexcept {
    auto const tail = [&](unsigned shift) { return static_cast<char>(0x80 | (character >> shift & 0x3F)); };
    auto const lead = [&](unsigned mark, unsigned shift) {
        return static_cast<char>(mark | character >> shift);
    };
    count = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    switch (count) {
        case 1:
            return {lead(0, 0)};
        case 2:
            return {lead(0xC0, 6), tail(0)};
        case 3:
            return {lead(0xE0, 12), tail(6), tail(0)};
        default:
            return {lead(0xF0, 18), tail(12), tail(6), tail(0)};
    }
}

PALETTE_KEYS_INLINE void Redactor::read_json_escape(std::string_view text) {
    if (text.size() < 2) return;
    // Escaped twice, or more often.
    if (text[1] == '\\') skip_backslash();
    static constexpr std::string_view letters = "bfnrt\"\\/";
    static constexpr std::string_view meant = "\b\f\n\r\t\"\\/";
    if (auto const found = letters.find(text[1]); found != std::string_view::npos)
        return read_token({2, {meant[found]}, 1});
    auto const rest = text.substr(2);
    if (auto const byte = hex_number(rest, 2); byte && text[1] == 'x')
        return read_token({4, {static_cast<char>(*byte)}, 1});
    auto const unit = hex_number(rest, 4);
    if (!unit || text[1] != 'u') return;
    unsigned count = 0;
    auto bytes = utf8_bytes(*unit, count);
    read_token({6, bytes, count});
    auto const low = rest.substr(4).starts_with("\\u") ? hex_number(rest.substr(6), 4) : std::nullopt;
    if (*unit >> 10 != 0xD800 >> 10 || !low || *low >> 10 != 0xDC00 >> 10) return;
    bytes = utf8_bytes(0x10000 + ((*unit & 0x3FF) << 10 | (*low & 0x3FF)), count);
    read_token({12, bytes, count});
}

// It counts as a part of what stands before it.
PALETTE_KEYS_INLINE void Redactor::skip_backslash() {
    for (auto reading : here_) {
        if (reading.byte_count == 0 || (reading.lengths & length_mask) == length_mask) continue;
        ++reading.lengths;
        add(at_ + 1, reading);
    }
}

PALETTE_KEYS_INLINE void Redactor::read_token(const Token& token) {
    auto const end = at_ + token.length;
    for (auto reading : here_) {
        for (unsigned i = 0; i < token.count; ++i) {
            auto const is_whole = i + 1 == token.count;
            put(reading, token.bytes[i], is_whole ? token.length : 0);
            look(reading, end, is_whole ? 0 : token.length);
        }
        add(end, reading);
    }
}

PALETTE_KEYS_INLINE void Redactor::put(Reading& reading, char c, std::size_t length) const noexcept {
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

// Hides what the reading ends in, if it is known. `length_behind`: of a token that it has not all of.
PALETTE_KEYS_INLINE void Redactor::look(const Reading& reading, std::size_t end, std::size_t length_behind) {
    auto const count = std::max(known_->known_bytes(reading.bytes, reading.byte_count),
                                known_->known_digits(reading.digits, reading.digit_count));
    if (count == 0) return;
    has_found_ = true;
    auto const begin = end - length_behind - sum_of_lengths(reading.lengths, count);
    std::fill(hidden_.begin() + static_cast<std::ptrdiff_t>(begin),
              hidden_.begin() + static_cast<std::ptrdiff_t>(end), '\1');
}

PALETTE_KEYS_INLINE void Redactor::add(std::size_t end, const Reading& reading) {
    auto& readings = readings_[(turn_ + end - at_) % places];
    auto const same = std::ranges::find_if(readings, [&](const Reading& other) {
        return other.bytes == reading.bytes && other.digits == reading.digits &&
               other.byte_count == reading.byte_count && other.digit_count == reading.digit_count;
    });
    if (same == readings.end()) {
        readings.push_back(reading);
        return;
    }
    // Each of the two alone would hide enough: without its end, nothing of the other is a window.
    constexpr auto all = KnownSecrets::window_digits;
    if (sum_of_lengths(reading.lengths, all) > sum_of_lengths(same->lengths, all))
        same->lengths = reading.lengths;
}

// How much of the text before the place where they end may be the beginning of something.
PALETTE_KEYS_INLINE std::size_t Redactor::held_by(const Wiped<Reading>& readings) noexcept {
    std::size_t most = 0;
    for (auto const& reading : readings) {
        auto const bytes = std::min<std::size_t>(reading.byte_count, KnownSecrets::window_bytes - 1);
        auto const digits = std::min<std::size_t>(reading.digit_count, KnownSecrets::window_digits - 1);
        most = std::max(most, sum_of_lengths(reading.lengths, std::max(bytes, digits)));
    }
    return most;
}

// Until where nothing that follows can hide anything.
PALETTE_KEYS_INLINE std::size_t Redactor::certain() const noexcept {
    auto first = at_;
    for (std::size_t ahead = 0; ahead < places; ++ahead)
        first = std::min(first, at_ + ahead - held_by(readings_[(turn_ + ahead) % places]));
    return first;
}

PALETTE_KEYS_INLINE void Redactor::show(std::size_t size, std::string& out) {
    for (std::size_t i = 0; i < size; ++i) {
        auto const is_hidden = hidden_[i] != 0;
        if (!is_hidden)
            out += text_[i];
        else if (!shows_mark_)
            out += "<redacted>";
        shows_mark_ = is_hidden;
    }
    text_.erase(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(size));
    hidden_.erase(hidden_.begin(), hidden_.begin() + static_cast<std::ptrdiff_t>(size));
    at_ -= size;
}

PALETTE_KEYS_INLINE std::string redacted(std::string_view text, const KnownSecrets& known,
                                         std::size_t limit) {
    constexpr std::size_t slice = 128;
    std::string out;
    Redactor redactor(known);
    for (; !text.empty() && out.size() <= limit; text.remove_prefix(std::min(slice, text.size())))
        redactor.write(text.substr(0, slice), out);
    if (out.size() <= limit) redactor.finish(out);
    return out;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
