// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/service/crypto.hpp>
#include <palette/impl/values/text.hpp>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

inline const unsigned char* bytes_of(std::string_view text) noexcept {
    return reinterpret_cast<const unsigned char*>(text.data());
}

PALETTE_KEYS_INLINE Digest sha256(std::string_view text) {
    Digest digest;
    // The arguments are sound and the algorithm is built in: what fails here is an allocation.
    if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1)
        throw std::bad_alloc();
    return digest;
}

PALETTE_KEYS_INLINE Digest hmac_sha256(std::string_view key, std::string_view text) {
    Digest digest;
    unsigned size = 0;
    if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text), text.size(),
             digest.data(), &size) == nullptr)
        throw std::bad_alloc();
    return digest;
}

PALETTE_KEYS_INLINE bool same(const Digest& a, const Digest& b) noexcept {
    return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

PALETTE_KEYS_INLINE bool same(std::string_view a, std::string_view b) noexcept {
    // The length is no secret: signatures all have the same.
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

PALETTE_KEYS_INLINE std::string random_bytes(std::size_t count) {
    std::string bytes(count, '\0');
    if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1)
        throw std::bad_alloc();
    return bytes;
}

PALETTE_KEYS_INLINE std::string random_hex(std::size_t bytes) {
    return detail::to_hex(random_bytes(bytes));
}

PALETTE_KEYS_INLINE std::string random_letters(std::size_t count) {
    static constexpr std::string_view letters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    std::string text;
    text.reserve(count);
    while (text.size() < count)
        for (char const c : random_bytes(count - text.size()))
            // What is beyond the last whole round of letters would favour the first ones.
            if (auto const byte = static_cast<unsigned char>(c); byte < 256 / letters.size() * letters.size())
                text += letters[byte % letters.size()];
    return text;
}

PALETTE_KEYS_INLINE std::string base64url(std::string_view bytes) {
    // One more than the text: EVP_EncodeBlock() ends it with a zero byte.
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
    auto const size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes_of(bytes),
                                      static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(size));
    while (text.ends_with('='))
        text.pop_back();
    std::ranges::replace(text, '+', '-');
    std::ranges::replace(text, '/', '_');
    return text;
}

PALETTE_KEYS_INLINE std::optional<std::string> from_base64url(std::string_view text) {
    // EVP_DecodeBlock() knows the usual alphabet: without this check both alphabets would pass. A last group
    // of one character has too few bits for a byte.
    if (text.find_first_of("+/=") != std::string_view::npos || text.size() % 4 == 1) return std::nullopt;
    std::string padded(text);
    std::ranges::replace(padded, '-', '+');
    std::ranges::replace(padded, '_', '/');
    auto const padding = (4 - padded.size() % 4) % 4;
    padded.append(padding, '=');
    std::string bytes(padded.size() / 4 * 3, '\0');
    auto const size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), bytes_of(padded),
                                      static_cast<int>(padded.size()));
    if (size < 0) return std::nullopt;
    // EVP_DecodeBlock() counts the padding as zero bytes.
    bytes.resize(static_cast<std::size_t>(size) - padding);
    return bytes;
}

PALETTE_KEYS_INLINE std::size_t DigestHash::operator()(const Digest& digest) const noexcept {
    std::size_t hash;
    // The digest is uniform already, and those in the table are of random values.
    std::memcpy(&hash, digest.data(), sizeof hash);
    return hash;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation
