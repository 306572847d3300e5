// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/service/crypto.hpp>
#include <palette/impl/emulator/service/tokens.hpp>
#include <palette/impl/values/wipe.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <cstdint>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

inline std::int64_t milliseconds_of(Instant time) noexcept {
    return time.time_since_epoch().count();
}

inline std::int64_t seconds_of(Instant time) noexcept {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

PALETTE_KEYS_INLINE Tokens::Tokens(std::string tenant_uid, std::chrono::milliseconds lifetime)
    : tenant_uid_(std::move(tenant_uid)),
      lifetime_(lifetime),
      key_(random_bytes(32)),
      header_(base64url(R"({"alg":"HS256","typ":"JWT"})")) {}

PALETTE_KEYS_INLINE Tokens::~Tokens() {
    detail::wipe(key_.data(), key_.size());
}

PALETTE_KEYS_INLINE std::string Tokens::signature_of(std::string_view text) const {
    auto const digest = hmac_sha256(key_, text);
    return base64url({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

PALETTE_KEYS_INLINE std::string Tokens::issue(std::string_view user_uid, Instant now, Kind kind) const {
    auto const end = palette::detail::clamp(now + palette::detail::saturated_milliseconds(lifetime_));
    boost::json::object const payload{
        {"sub", user_uid},
        {"tenantUid", tenant_uid_},
        {"iat", seconds_of(now)},
        {"exp", seconds_of(end)},
        // `exp` has whole seconds, and tests set lifetimes that are shorter. The emulator goes by this claim.
        {"endsAtMilliseconds", milliseconds_of(end)},
        // Two tokens of one user and second differ, so that a client can tell a refresh from what it had.
        {"jti", random_hex(16)},
        {"mfaPending", kind == Kind::needs_second_factor},
    };
    auto token = header_ + '.' + base64url(boost::json::serialize(payload));
    token += '.' + signature_of(token);
    return token;
}

PALETTE_KEYS_INLINE std::optional<std::string> Tokens::verify(std::string_view token, Instant now) const {
    // Our one header, byte for byte: "alg":"none", other algorithms and a `kid` are refused before anything
    // is parsed.
    auto const last_dot = token.rfind('.');
    if (last_dot == std::string_view::npos || !token.starts_with(header_ + '.')) return std::nullopt;
    auto const signed_text = token.substr(0, last_dot);
    // As text: base64 has several spellings of the same bytes, and only ours is good.
    if (!same(token.substr(last_dot + 1), signature_of(signed_text))) return std::nullopt;
    // It is our own text from here on.
    auto const payload = from_base64url(signed_text.substr(header_.size() + 1));
    if (!payload) return std::nullopt;
    auto const claims = boost::json::parse(*payload).as_object();
    if (claims.at("mfaPending").as_bool()) return std::nullopt;
    if (milliseconds_of(now) >= claims.at("endsAtMilliseconds").as_int64()) return std::nullopt;
    return std::string(claims.at("sub").as_string());
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation
