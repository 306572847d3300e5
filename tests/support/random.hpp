// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/seeds.hpp"

#include <palette/api_key.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace sample {

// Random values that are the same on every machine for the same seed: std's distributions are not.
class Random {
public:
    explicit Random(std::uint64_t seed) : engine_(seeds::seed(seed)) {}

    std::uint64_t below(std::uint64_t n) { return engine_() % n; }
    bool one_in(std::uint64_t n) { return below(n) == 0; }

    // Letters, JSON's own characters, control characters and characters of two to four bytes.
    std::string text(std::size_t longest) {
        static constexpr std::string_view pieces[] = {
            "a",  "Z",    "0", " ", "\"",     "\\", "/",    "\n",
            "\t", "\x01", "é", "€", "\x7F",   "\r", "</a>", "\xF0\x9F\x94\x91",
            "{",  "]",    ",", ":", "\\u0041"};
        std::string out;
        for (auto n = below(longest + 1); n > 0; --n)
            out += pieces[below(std::size(pieces))];
        return out;
    }

    std::string uid() {
        static constexpr char hex[] = "0123456789abcdef";
        std::string out;
        for (int i = 0; i < 24; ++i)
            out += hex[below(16)];
        return out;
    }

    palette::Instant instant() {
        constexpr auto first = palette::detail::first_instant.time_since_epoch().count();
        constexpr auto last = palette::detail::last_instant.time_since_epoch().count();
        auto const span = static_cast<std::uint64_t>(last - first);
        return palette::Instant{
            std::chrono::milliseconds{first + static_cast<std::int64_t>(below(span + 1))}};
    }

    palette::StringMap map(std::size_t most) {
        palette::StringMap out;
        for (auto n = below(most + 1); n > 0; --n) {
            auto const key = text(6);
            if (key != palette::detail::description_annotation) out.set(key, text(20));
        }
        return out;
    }

    palette::ApiKey key() {
        palette::ApiKey k;
        k.uid = uid();
        k.name = text(12);
        k.description = text(30);
        k.owner = palette::Owner(uid(), text(8), text(8));
        k.expiry = one_in(4) ? palette::Expiry::never() : palette::Expiry::at(instant());
        k.is_active = one_in(2);
        if (!one_in(4)) k.created = instant();
        if (!one_in(4)) k.modified = instant();
        if (one_in(4)) k.deleted = instant();
        k.annotations = map(6);
        k.labels = map(3);
        return k;
    }

    // `text` cut into pieces of one to `longest` bytes.
    std::vector<std::string_view> cut(std::string_view text, std::size_t longest) {
        std::vector<std::string_view> pieces;
        while (!text.empty()) {
            auto const piece = text.substr(0, 1 + below(longest));
            pieces.push_back(piece);
            text.remove_prefix(piece.size());
        }
        return pieces;
    }

private:
    std::mt19937_64 engine_;
};

}  // namespace sample
