// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/redaction/known_secrets.hpp>

#include <algorithm>
#include <random>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::detail {

PALETTE_KEYS_INLINE KnownSecrets::KnownSecrets() {
    std::random_device random;
    for (auto& half : salt_)
        half = std::uint64_t{random()} << 32 | random();
}

PALETTE_KEYS_INLINE void KnownSecrets::add(Kind kind, std::string_view secret) {
    if (secret.empty()) return;
    secret = secret.substr(0, max_known_bytes);
    auto& generations = kinds_[static_cast<std::size_t>(kind)];
    if (generations.young.size() + 4 * secret.size() > max_hashes && generations.young.size() > 0)
        generations.old = std::exchange(generations.young, Hashes());
    auto const size = static_cast<unsigned>(std::min(secret.size(), window_bytes));
    std::uint64_t window = 0;
    for (std::size_t i = 0; i < secret.size(); ++i) {
        window = window << 8 | static_cast<unsigned char>(secret[i]);
        if (i + 1 < size) continue;
        insert(generations.young, window, size, 8);
        // The digits that these bytes determine alone begin here, or with the fifth or third bit.
        for (unsigned const skipped : {0u, 4u, 2u}) {
            auto const digits = (8 * size - skipped) / 6;
            // One digit is no secret, and is everywhere.
            if (digits < 2) continue;
            auto const behind = 8 * size - skipped - 6 * digits;
            insert(generations.young, window >> behind, digits, 6);
        }
    }
}

PALETTE_KEYS_INLINE void KnownSecrets::insert(Hashes& hashes, std::uint64_t last, unsigned size,
                                              unsigned bits) {
    (bits == 8 ? byte_counts_ : digit_counts_) |= std::uint32_t{1} << size;
    hashes.insert(hash(last, size, bits));
}

PALETTE_KEYS_INLINE bool KnownSecrets::has(std::uint64_t hash) const noexcept {
    return std::ranges::any_of(
        kinds_, [&](const Generations& known) { return known.young.has(hash) || known.old.has(hash); });
}

// SipHash-1-3 of the last `size` of the bytes or digits, and of what they are.
PALETTE_KEYS_INLINE std::uint64_t KnownSecrets::hash(std::uint64_t last, unsigned size,
                                                     unsigned bits) const noexcept {
    auto const all = size * bits;
    auto const text = all == 64 ? last : last & ((std::uint64_t{1} << all) - 1);
    std::uint64_t v0 = salt_[0] ^ 0x736f6d6570736575;
    std::uint64_t v1 = salt_[1] ^ 0x646f72616e646f6d;
    std::uint64_t v2 = salt_[0] ^ 0x6c7967656e657261;
    std::uint64_t v3 = salt_[1] ^ 0x7465646279746573;
    auto const round = [&]() noexcept {
        v0 += v1;
        v1 = std::rotl(v1, 13) ^ v0;
        v0 = std::rotl(v0, 32);
        v2 += v3;
        v3 = std::rotl(v3, 16) ^ v2;
        v0 += v3;
        v3 = std::rotl(v3, 21) ^ v0;
        v2 += v1;
        v1 = std::rotl(v1, 17) ^ v2;
        v2 = std::rotl(v2, 32);
    };
    for (std::uint64_t const word : {text, std::uint64_t{size} << 8 | bits}) {
        v3 ^= word;
        round();
        v0 ^= word;
    }
    v2 ^= 0xFF;
    for (int i = 0; i < 3; ++i)
        round();
    return v0 ^ v1 ^ v2 ^ v3;
}

PALETTE_KEYS_INLINE void KnownSecrets::Hashes::insert(std::uint64_t hash) {
    if (hash == 0 || has(hash)) return;
    if (slots_.size() < 2 * (size_ + 1)) grow();
    auto at = hash & (slots_.size() - 1);
    while (slots_[at] != 0)
        at = (at + 1) & (slots_.size() - 1);
    slots_[at] = hash;
    ++size_;
}

PALETTE_KEYS_INLINE bool KnownSecrets::Hashes::has(std::uint64_t hash) const noexcept {
    if (slots_.empty()) return false;
    for (auto at = hash & (slots_.size() - 1); slots_[at] != 0; at = (at + 1) & (slots_.size() - 1))
        if (slots_[at] == hash) return true;
    return false;
}

PALETTE_KEYS_INLINE void KnownSecrets::Hashes::grow() {
    auto const old =
        std::exchange(slots_, std::vector<std::uint64_t>(std::max<std::size_t>(64, 2 * slots_.size())));
    size_ = 0;
    for (auto const hash : old)
        insert(hash);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
