// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/http/http.hpp>
#include <palette/impl/emulator/service/permissions.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

// What a method and a path ask for.
struct Route {
    Operation operation;
    std::string parameter;  // the uid in the path, or the token
};

// A Refusal, 404 or 405, for what no operation answers to. HEAD goes where GET goes.
Route find_route(std::string_view method, const Target& target);

// The part of the path that has a rate limit of its own.
std::string_view rate_limit_prefix(const Target& target) noexcept;

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/emulator/service/routes.ipp>
#endif
