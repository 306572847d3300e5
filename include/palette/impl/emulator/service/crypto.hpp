// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

using Digest = std::array<unsigned char, 32>;

Digest sha256(std::string_view text);
Digest hmac_sha256(std::string_view key, std::string_view text);

// In a time that does not tell where they differ.
bool same(const Digest& a, const Digest& b) noexcept;
bool same(std::string_view a, std::string_view b) noexcept;

// From the system's cryptographic source.
std::string random_bytes(std::size_t count);
std::string random_hex(std::size_t bytes);
std::string random_letters(std::size_t count);  // and digits

std::string base64url(std::string_view bytes);
std::optional<std::string> from_base64url(std::string_view text);

// For maps whose keys are digests: they are as good as random already.
struct DigestHash {
    std::size_t operator()(const Digest& digest) const noexcept;
};
struct SameDigest {
    bool operator()(const Digest& a, const Digest& b) const noexcept { return same(a, b); }
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/emulator/service/crypto.ipp>
#endif
