// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/service/refusal.hpp>
#include <palette/impl/emulator/service/routes.hpp>

#include <cstddef>
#include <initializer_list>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

struct RoutePattern {
    std::string_view method;
    std::string_view path;  // '*' stands for one segment
    Operation operation;
};

inline constexpr RoutePattern route_patterns[] = {
    {"GET", "v1/apiKeys", Operation::list_keys},
    {"POST", "v1/apiKeys", Operation::create_key},
    {"GET", "v1/apiKeys/*", Operation::read_key},
    {"PUT", "v1/apiKeys/*", Operation::update_key},
    {"PATCH", "v1/apiKeys/*", Operation::patch_key},
    {"DELETE", "v1/apiKeys/*", Operation::delete_key},
    {"PUT", "v1/apiKeys/*/state", Operation::set_state},
    {"POST", "v1/auth/authenticate", Operation::log_in},
    {"GET", "v1/auth/refresh/*", Operation::refresh},
    {"GET", "v1/users/info", Operation::who_am_i},
    {"GET", "v1/users", Operation::list_users},
    {"GET", "v1/users/*", Operation::read_user},
    {"GET", "v1/audits", Operation::list_audits},
    {"GET", "v1/tenants/*/resourceLimits", Operation::read_limits},
};

// Whether the pattern fits; what stands for its '*' goes to `parameter`.
inline bool fits(std::string_view pattern, const Target& target, std::string& parameter) {
    std::size_t i = 0;
    auto const all = split(pattern, '/', [&](std::string_view part) {
        if (i == target.segments.size()) return false;
        auto const& segment = target.segments[i++];
        if (part != "*") return segment == part;
        parameter = segment;
        // "/v1/apiKeys/" is no key with an empty uid.
        return !segment.empty();
    });
    return all && i == target.segments.size();
}

PALETTE_KEYS_INLINE Route find_route(std::string_view method, const Target& target) {
    // HTTP requires HEAD wherever there is GET; the body is left out when the answer is written.
    auto const wanted = method == "HEAD" ? "GET" : method;
    std::string allowed;
    std::string_view path;  // the first that fits: "v1/users/info" is no user
    for (auto const& pattern : route_patterns) {
        std::string parameter;
        if (!fits(pattern.path, target, parameter) || (!path.empty() && pattern.path != path)) continue;
        path = pattern.path;
        if (pattern.method == wanted) return {pattern.operation, std::move(parameter)};
        allowed += allowed.empty() ? "" : ", ";
        allowed += pattern.method == "GET" ? "GET, HEAD" : pattern.method;
    }
    if (allowed.empty()) throw not_found("there is nothing at this path");
    throw Refusal(405, "MethodNotAllowed", "this path knows " + allowed).header("Allow", allowed);
}

PALETTE_KEYS_INLINE std::string_view rate_limit_prefix(const Target& target) noexcept {
    for (std::string_view const name : {"apiKeys", "users", "auth", "audits"})
        if (target.segments.size() >= 2 && target.segments[0] == "v1" && target.segments[1] == name)
            return name;
    // One bucket for all else, or a client could have a new burst for each path that it makes up.
    return "other";
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation
