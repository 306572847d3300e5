// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/instant.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

// Signed tokens (JWT, HS256) that name a user. The signing key is random, and dies with this object.
class Tokens {
public:
    Tokens(std::string tenant_uid, std::chrono::milliseconds lifetime);
    Tokens(const Tokens&) = delete;
    Tokens& operator=(const Tokens&) = delete;
    ~Tokens();

    enum class Kind {
        full,
        needs_second_factor,  // good for nothing
    };

    [[nodiscard]] std::string issue(std::string_view user_uid, Instant now, Kind kind = Kind::full) const;

    // The user's uid, of a full token that this object has issued and that has not ended.
    [[nodiscard]] std::optional<std::string> verify(std::string_view token, Instant now) const;

private:
    [[nodiscard]] std::string signature_of(std::string_view text) const;

    std::string tenant_uid_;
    std::chrono::milliseconds lifetime_;
    std::string key_;
    std::string header_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/emulator/service/tokens.ipp>
#endif
