// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/http/http.hpp>
#include <palette/impl/emulator/service/answers.hpp>
#include <palette/impl/emulator/service/refusal.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

inline std::optional<std::uint64_t> number_of(std::string_view text) noexcept {
    std::uint64_t number = 0;
    auto const* const end = text.data() + text.size();
    auto const [at, ec] = std::from_chars(text.data(), end, number);
    return ec == std::errc() && at == end ? std::optional(number) : std::nullopt;
}

inline std::uint64_t number_parameter(const Target& target, std::string_view name, std::uint64_t otherwise) {
    auto const text = target.parameter(name);
    if (!text || text->empty()) return otherwise;
    auto const number = number_of(*text);
    if (!number) throw bad_request("the parameter " + std::string(name) + ": a number is expected");
    return *number;
}

// Writes {"items":[...]} of the records after the one that "continue" names, `limit` at most.
template <class Records, class Wanted, class Append>
std::string render_list(const Records& records, const Target& target, std::uint64_t limit, bool with_meta,
                        const Wanted& wanted, Append append) {
    // The token is the number of the last record, not a position: the next page begins at the right place
    // although records were removed or added meanwhile.
    std::uint64_t const after = number_parameter(target, "continue", 0);
    std::uint64_t const skipped = after != 0 ? 0 : number_parameter(target, "offset", 0);
    std::string body = "{\"items\":[";
    std::size_t count = 0;
    std::size_t offset = 0;
    std::size_t shown = 0;
    typename Records::key_type last_shown = 0;
    bool more = false;
    // To the end, though the page may be full: `count` is that of all pages, by which clients tell a complete
    // list (W11).
    for (auto const& [number, record] : records) {
        if (!wanted(record)) continue;
        ++count;
        if (number <= after || count <= skipped) {
            ++offset;
        } else if (shown == limit) {
            more = true;
        } else {
            if (shown++ > 0) body += ',';
            append(body, record);
            last_shown = number;
        }
    }
    body += ']';
    if (with_meta) {
        body += ",\"listmeta\":";
        append_list_meta(body, {.next = more ? std::to_string(last_shown) : "",
                                .count = count,
                                .limit = static_cast<std::size_t>(limit),
                                .offset = offset + shown});
    }
    body += '}';
    return body;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation
