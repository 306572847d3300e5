// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/string_map_builder.hpp>
#include <palette/impl/emulator/http/request_log.hpp>
#include <palette/impl/values/text.hpp>

#include <algorithm>
#include <ranges>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

inline constexpr std::string_view redacted = "<redacted>";

// Keys, tokens and passwords are long, and no uids.
inline bool could_be_secret(std::string_view text) noexcept {
    // Passwords of the emulator have 24 characters, values of keys 32, tokens more than a hundred.
    constexpr std::size_t shortest = 20;
    auto const is_uid =
        text.size() == 24 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
    return text.size() >= shortest && !is_uid;
}

inline std::string_view unless_secret(std::string_view text) noexcept {
    return could_be_secret(text) ? redacted : text;
}

// Of what is known to be no secret the value is shown; of all else, the name.
inline StringMap shown_headers(const Fields& headers) {
    static constexpr std::string_view harmless[] = {
        "accept", "accept-encoding", "connection", "content-length", "content-type", "expect",
        "host",   "origin",          "projectuid", "traceparent",    "user-agent",   "transfer-encoding"};
    StringMapBuilder shown;
    for (auto const& [name, value] : std::views::reverse(headers)) {  // the last of equal names counts
        auto const small = detail::to_lower(name);
        auto const is_harmless = std::ranges::find(harmless, small) != std::end(harmless);
        shown.add(is_harmless ? std::string_view(small) : unless_secret(small),
                  is_harmless ? value : redacted);
    }
    return shown.finish();
}

inline StringMap shown_query(const Fields& query) {
    static constexpr std::string_view harmless[] = {
        "actionType",  "continue",  "endTime", "fields", "filters", "limit",    "resourceKind",
        "resourceUid", "startTime", "userUid", "offset", "orderBy", "setCookie"};
    StringMapBuilder shown;
    for (auto const& [name, value] : std::views::reverse(query)) {
        auto const is_harmless = std::ranges::find(harmless, name) != std::end(harmless);
        shown.add(unless_secret(name), is_harmless ? unless_secret(value) : redacted);
    }
    return shown.finish();
}

inline std::string shown_path(const Target& target) {
    std::string shown;
    // The decoded segment is judged: percent-encoding would make a uid look like a secret.
    bool is_token = false;
    auto segment = target.segments.begin();
    split(std::string_view(target.path).substr(1), '/', [&](std::string_view part) {
        shown += '/';
        shown += is_token || could_be_secret(*segment) ? redacted : part;
        // What follows "refresh" is a token, however short it is.
        is_token = detail::equals_ignoring_case(*segment++, "refresh");
        return true;
    });
    return shown;
}

PALETTE_KEYS_INLINE std::uint64_t RequestLog::add(const Request& request,
                                                  const std::optional<Target>& target) {
    testing::ReceivedRequest entry;
    entry.number = ++count_;
    entry.connection = request.connection;
    entry.source = request.source;
    // The parser takes any token as a method, and a client may put a credential there by mistake.
    entry.method = unless_secret(request.method);
    entry.headers = shown_headers(request.headers);
    entry.body_bytes = request.body.size();
    if (target) {
        entry.path = shown_path(*target);
        entry.query = shown_query(target->query);
    }
    log_.push_back(std::move(entry));
    // An emulator may run for days under load.
    if (log_.size() > kept_) log_.pop_front();
    return count_;
}

PALETTE_KEYS_INLINE testing::ReceivedRequest* RequestLog::find(std::uint64_t number) noexcept {
    // Numbers are consecutive, so that they tell places in the log.
    auto const first = count_ - log_.size() + 1;
    return number < first || number > count_ ? nullptr : &log_[number - first];
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation
