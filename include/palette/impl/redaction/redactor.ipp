// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/redaction/escapes.hpp>
#include <palette/impl/redaction/redactor.hpp>
#include <palette/impl/values/text.hpp>
#include <palette/impl/values/wipe.hpp>

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <ranges>
#include <span>
#include <tuple>

namespace palette::inline PALETTE_KEYS_ABI::detail {

// What a text stands for if all escapes of one kind in it are meant, and where in the text each byte of that
// begins and ends.
struct SecretSearch::Level {
    template <class DecodeOne>
    Level(std::string_view text, const DecodeOne& decode_one) {
        for (std::size_t at = 0; at < text.size();) {
            Escape escape = decode_one(text.substr(at));
            if (escape.length == 0) escape = {1, {text[at]}, 1};
            for (unsigned i = 0; i < escape.count; ++i) {
                bytes.push_back(escape.bytes[i]);
                begins.push_back(at);
                ends.push_back(at + escape.length);
            }
            at += escape.length;
        }
    }

    WipedVector<char> bytes;
    std::vector<std::size_t> begins;
    std::vector<std::size_t> ends;
};

// One way to read the text until some place: its last characters, and where they begin.
struct SecretSearch::Reading {
    std::uint64_t bytes = 0;   // the last one lowest
    std::uint64_t digits = 0;  // of base64, in a row
    unsigned byte_count = 0;
    unsigned digit_count = 0;
    std::array<std::uint32_t, KnownSecrets::window_digits> begins{};  // of the last one first

    void put(char c, std::size_t begin) noexcept {
        std::memmove(&begins[1], &begins[0], sizeof begins - sizeof begins[0]);
        begins[0] = static_cast<std::uint32_t>(begin);
        bytes = bytes << 8 | static_cast<unsigned char>(c);
        byte_count = std::min<unsigned>(byte_count + 1, KnownSecrets::window_bytes);
        auto const digit = base64_digit(c);
        digit_count = digit < 0 ? 0 : std::min<unsigned>(digit_count + 1, KnownSecrets::window_digits);
        digits = digit < 0 ? 0 : (digits << 6 | static_cast<unsigned>(digit)) << 4 >> 4;
    }

    friend auto operator<=>(const Reading&, const Reading&) = default;
    [[nodiscard]] auto end() const noexcept { return std::tie(bytes, digits, byte_count, digit_count); }
};

PALETTE_KEYS_INLINE SecretSearch::SecretSearch(std::string_view text, const KnownSecrets& known)
    : hidden_(text.size()) {
    if (known.empty()) return;
    text = text.substr(0, search(Level(text, [](std::string_view) { return Escape(); }), known));
    for (auto* const decode_one : {percent_escape, backslash_escape, backslashes})
        if (Level const level(text, decode_one); level.bytes.size() < text.size()) search(level, known);
}

// Until where in the text it came: what is behind counts as secret.
PALETTE_KEYS_INLINE std::size_t SecretSearch::search(const Level& level, const KnownSecrets& known) {
    constexpr std::size_t places = 16;  // more than the longest escape takes
    std::string_view const text(level.bytes.data(), level.bytes.size());
    std::array<WipedVector<Reading>, places> readings;  // until the place and the following ones, a ring
    WipedVector<Reading> here;
    std::size_t at = 0;

    auto const hide = [&](std::size_t begin, std::size_t end) {
        std::ranges::fill(std::span(hidden_).subspan(begin, end - begin), '\1');
    };
    auto const look = [&](const Reading& reading, std::size_t end) {
        auto const count = std::max(known.known(KnownSecrets::bytes, reading.bytes, reading.byte_count),
                                    known.known(KnownSecrets::digits, reading.digits, reading.digit_count));
        if (count > 0) hide(reading.begins[count - 1], level.ends[end - 1]);
    };
    // Goes on from all readings until here with what may stand here.
    auto const read = [&](const Escape& escape) {
        if (escape.length == 0) return;
        auto& there = readings[(at + escape.length) % places];
        for (auto reading : here) {
            for (unsigned i = 0; i < escape.count; ++i) {
                reading.put(escape.bytes[i], level.begins[at]);
                // What it ends in when it is whole is looked at in its place.
                if (i + 1 < escape.count) look(reading, at + escape.length);
            }
            there.push_back(reading);
        }
        steps_ += here.size();
    };

    readings[0].emplace_back();
    for (auto const max_steps = steps_ + max_steps_of_level(text.size()); at <= text.size(); ++at) {
        here.clear();
        here.swap(readings[at % places]);
        // Of readings that end alike one stays: it hides enough, for without its end nothing of another is a
        // window.
        std::sort(here.begin(), here.end());
        here.erase(std::ranges::unique(here, {}, &Reading::end).begin(), here.end());
        if (here.size() > max_readings || steps_ > max_steps) {
            // All that they remember may be the beginning of something.
            auto const first = [](const Reading& reading) { return reading.begins.back(); };
            auto const end = std::ranges::min(here | std::views::transform(first));
            hide(end, hidden_.size());
            return end;
        }
        if (at > 0)
            for (auto const& reading : here)
                look(reading, at);
        if (at == text.size()) break;
        auto const rest = text.substr(at);
        read({1, {rest.front()}, 1});
        read(percent_escape(rest));
        // Encoded twice, in a text of which the rest is not.
        if (rest.starts_with("%25")) read(byte_escape(5, hex_number(rest, 3, 2)));
        read(backslash_escape(rest));
    }
    return hidden_.size();
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
