// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/pipeline/retry_after.hpp>
#include <palette/impl/values/http_date.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>
#include <system_error>

namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline {

PALETTE_KEYS_INLINE std::optional<std::chrono::milliseconds> retry_after(const HttpResponse& response,
                                                                         Instant now) {
    using std::chrono::milliseconds;
    constexpr std::chrono::seconds most = std::chrono::hours{24} * 365;
    auto const text = response.header("Retry-After");
    if (text.empty()) return std::nullopt;
    if (text.find_first_not_of("0123456789") == std::string_view::npos) {
        std::int64_t seconds = 0;
        auto const read = std::from_chars(text.data(), text.data() + text.size(), seconds);
        if (read.ec != std::errc()) return most;  // more than fits
        return std::min(std::chrono::seconds{seconds}, most);
    }
    auto const date = detail::parse_http_date(text);
    if (!date) return std::nullopt;
    auto const wait = *date - detail::parse_http_date(response.header("Date")).value_or(now);
    return std::clamp<milliseconds>(wait, milliseconds::zero(), most);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline
