// SPDX-License-Identifier: BSL-1.0
#pragma once

// The operations that read what else an audit of keys needs: the audit log, and the limit of keys.

#include <palette/detail/instant.hpp>
#include <palette/detail/rfc3339.hpp>
#include <palette/impl/client/caller.hpp>
#include <palette/impl/client/checks.hpp>
#include <palette/impl/client/discard.hpp>
#include <palette/impl/client/operations.hpp>
#include <palette/impl/client/pages.hpp>
#include <palette/impl/client/requests.hpp>
#include <palette/impl/wire/text.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

inline Result<void> check_condition(const std::optional<std::string>& text, std::string_view field) {
    if (!text) return {};
    // The service takes an empty parameter for none, and would list everything.
    if (text->empty()) return invalid("a condition without a text selects nothing", std::string(field));
    return wire::check_utf8(*text, field);
}

inline Result<void> check_condition(const std::optional<Instant>& time, std::string_view field) {
    if (!time || (*time >= detail::first_instant && *time <= detail::last_instant)) return {};
    return invalid("a time that cannot be written", std::string(field));
}

inline Result<void> check_filter(const AuditEventFilter& filter) {
    auto good = check_condition(filter.from(), "from");
    if (good) good = check_condition(filter.until(), "until");
    if (good) good = check_condition(filter.user(), "user");
    if (good) good = check_condition(filter.resource_kind(), "resource_kind");
    if (good) good = check_condition(filter.resource(), "resource");
    if (good) good = check_condition(filter.action(), "action");
    if (good && filter.from() && filter.until() && *filter.until() < *filter.from())
        good = invalid("the end is before the beginning", "until");
    return good;
}

// The path with the conditions of a filter that was checked.
inline std::string audits_path(const AuditEventFilter& filter) {
    auto path = std::string(list_audits.path_template) + "?limit=50";
    auto const add = [&](const char* name, std::string_view text) {
        path.append("&").append(name).append("=").append(wire::query_value(text));
    };
    auto const add_time = [&](const char* name, const std::optional<Instant>& time) {
        if (!time) return;
        char text[detail::rfc3339_length];
        detail::format_rfc3339(*time, text);
        add(name, {text, sizeof text});
    };
    add_time("startTime", filter.from());
    add_time("endTime", filter.until());
    if (filter.user()) add("userUid", *filter.user());
    if (filter.resource_kind()) add("resourceKind", *filter.resource_kind());
    if (filter.resource()) add("resourceUid", *filter.resource());
    if (filter.action()) add("actionType", *filter.action());
    return path;
}

PALETTE_KEYS_INLINE FirstRequest check(const Core& /*core*/, const detail::ListAuditEvents& list) {
    if (auto good = check_filter(list.filter); !good) return std::move(good.error());
    return &list_audits;
}

PALETTE_KEYS_INLINE asio::awaitable<Result<AuditEventList>> perform(Core& core, pipeline::Call& call,
                                                                    detail::ListAuditEvents list) {
    Pages<wire::AuditPage> pages(core, call, list_audits, audits_path(list.filter));
    Kept<AuditEvent> kept(core.base());
    for (;;) {
        auto more = co_await pages.next();
        if (!more) co_return std::move(more.error());
        std::size_t number = 0;
        for (auto& event : pages.items()) {
            // A service that does not know a parameter ignores it: events of others must not pass for those
            // that were asked for.
            if (list.filter.matches(event)) kept.elements.emplace_back(std::move(event));
            if (++number % elements_per_turn != 0) continue;
            co_await asio::post(asio::use_awaitable);
            if (call.is_stopped()) co_return call.stopped(Effect::not_applied, {});
        }
        if (!*more) co_return AuditEventList(std::move(kept.elements), pages.as_of());
    }
}

PALETTE_KEYS_INLINE FirstRequest check(const Core& /*core*/, const detail::TellKeyLimit& /*tell*/) {
    return nullptr;  // perhaps the tenant is known
}

// The limit of keys among those of a tenant's resources.
inline Result<KeyLimit> find_key_limit(const wire::ResourceLimits& limits) {
    auto const& all = limits.resources;
    auto const found = std::ranges::find(all, "apiKey", &wire::ResourceLimit::kind);
    if (found == all.end())
        return Error(errc::bad_value, "the service does not say how many API keys a user may have")
            .path("resources");
    // The service leaves neither number out, not even a zero.
    if (!found->limit)
        return Error(errc::bad_value, "the limit of API keys has no number").path("resources.limit");
    KeyLimit limit;
    limit.limit = *found->limit;
    limit.max_limit = found->max_limit.value_or(*found->limit);
    limit.label = found->label;
    return limit;
}

PALETTE_KEYS_INLINE asio::awaitable<Result<KeyLimit>> perform(Core& core, pipeline::Call& call,
                                                              detail::TellKeyLimit /*tell*/) {
    auto caller = co_await identify(core, call);
    if (!caller) co_return std::move(caller.error());
    auto path = path_of(read_limits, caller->tenant_uid);
    if (!path) co_return std::move(path.error());
    DecodedAnswer<wire::ResourceLimits> answer;
    HttpRequest request("GET", std::move(*path));
    auto sent = co_await send(core, call, read_limits, request, answer);
    if (!sent) co_return std::move(sent.error());
    auto limit = find_key_limit(answer.value());
    if (!limit) co_return std::move(limit.error()).status(answer.response().status).attempts(call.attempts());
    co_return limit;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
