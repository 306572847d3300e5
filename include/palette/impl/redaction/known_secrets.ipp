// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/error.hpp>
#include <palette/impl/redaction/known_secrets.hpp>
#include <palette/impl/values/wipe.hpp>

#include <openssl/rand.h>

#include <algorithm>
#include <bit>
#include <new>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::detail {

PALETTE_KEYS_INLINE KnownSecrets::KnownSecrets() : cipher_(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free) {
    if (!cipher_) throw std::bad_alloc();
    unsigned char key[16];
    auto const is_ready = RAND_bytes(key, sizeof key) == 1 &&
                          EVP_EncryptInit_ex(cipher_.get(), EVP_aes_128_ecb(), nullptr, key, nullptr) == 1 &&
                          EVP_CIPHER_CTX_set_padding(cipher_.get(), 0) == 1;
    detail::wipe(key, sizeof key);
    if (!is_ready) throw Exception(Error(errc::system, "no key to hide secrets with"));
}

PALETTE_KEYS_INLINE void KnownSecrets::add(Kind kind, std::string_view secret) {
    if (secret.empty()) return;
    secret = secret.substr(0, max_known_bytes);
    auto& [young, old] = kinds_[static_cast<std::size_t>(kind)];
    if (young.size() + 4 * secret.size() > max_hashes && !young.empty()) old = std::exchange(young, {});
    auto const keep = [&](Unit unit, std::uint64_t last, unsigned size) {
        sizes_[unit] |= std::uint32_t{1} << size;
        young.insert(hash(unit, last, size));
    };
    auto const size = static_cast<unsigned>(std::min(secret.size(), window_bytes));
    std::uint64_t window = 0;
    for (std::size_t i = 0; i < secret.size(); ++i) {
        window = window << 8 | static_cast<unsigned char>(secret[i]);
        if (i + 1 < size) continue;
        keep(bytes, window, size);
        // The digits that these bytes determine alone begin here, or with the fifth or third bit. One digit
        // is no secret, and is everywhere.
        for (unsigned const skipped : {0u, 4u, 2u})
            if (auto const count = (8 * size - skipped) / 6; count > 1)
                keep(digits, window >> (8 * size - skipped - 6 * count), count);
    }
}

PALETTE_KEYS_INLINE std::size_t KnownSecrets::known(Unit unit, std::uint64_t last, unsigned count) const {
    auto left = sizes_[unit] & ((std::uint32_t{2} << count) - 1);
    while (left != 0) {
        // The longest first: it hides most.
        auto const size = static_cast<unsigned>(std::bit_width(left)) - 1;
        left ^= std::uint32_t{1} << size;
        auto const sought = hash(unit, last, size);
        for (auto const& [young, old] : kinds_)
            for (auto const* const hashes : {&young, &old})
                if (!hashes->empty() && hashes->contains(sought)) return size;
    }
    return 0;
}

// Half of a block of AES-128, into which a window fits with what it is: 25 ns, where SipHash of OpenSSL takes
// 110 ns and would make 20 ms of a hostile text. Who has the memory of the process has the key, and can try
// windows as fast as AES goes, as with any keyed hash; but not decrypt them, for the other half is gone.
PALETTE_KEYS_INLINE std::uint64_t KnownSecrets::hash(Unit unit, std::uint64_t last, unsigned size) const {
    auto const unused = 64 - size * (unit == bytes ? 8 : 6);
    std::uint64_t block[] = {last << unused >> unused, std::uint64_t{size} << 8 | unit};
    auto* const text = reinterpret_cast<unsigned char*>(block);
    int written = 0;
    if (EVP_EncryptUpdate(cipher_.get(), text, &written, text, sizeof block) != 1)
        throw Exception(Error(errc::system, "no text can be searched for secrets"));
    return block[0];
}

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
