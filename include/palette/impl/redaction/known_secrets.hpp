// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <openssl/evp.h>
#include <boost/unordered/unordered_flat_set.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::detail {

// Tells whether eight bytes stand in a row in a secret, or ten digits in its base64, and holds neither: only
// keyed hashes of them. What is known here may be gone everywhere else. Of a secret of fewer bytes, the whole
// of it is known.
//
// The last ones of each kind are known: at least as many as have `max_hashes` between them, and the newest
// whatever its size; but of one of more than `max_known_bytes` the first ones only, for an answer that has
// such a value must not take the event loop for long. A secret of n bytes has about 4 n - 28: so the last
// 2,600 keys of 32 bytes, 65 tokens of 1,000, 8 of 8,000, and up to twice as many. The memory is in
// proportion to what is known, 9 MB of each kind at most.
class KnownSecrets {
public:
    enum class Kind {
        configured,
        credential,
        created,
        provided,  // what a provider of credentials hides
    };

    static constexpr std::size_t window_bytes = 8;
    // As many as eight bytes determine, wherever in a group of three they begin: the last digit and the
    // first may have bits of a neighbour.
    static constexpr std::size_t window_digits = 10;

    static constexpr std::size_t max_hashes = 1 << 18;  // of each kind, before older ones are forgotten
    static constexpr std::size_t max_known_bytes = 16 * 1024;

    // Throws Exception (errc::system) when the system has no randomness to give.
    KnownSecrets();
    KnownSecrets(Kind kind, std::string_view secret) : KnownSecrets() { add(kind, secret); }

    void add(Kind kind, std::string_view secret);

    [[nodiscard]] bool empty() const noexcept { return sizes_[bytes] == 0; }

    enum Unit { bytes, digits };

    // Whether a text that ends in these bytes or digits (the last one lowest, `count` of them at most) ends
    // in any of a secret; how many of them are. 0: none.
    [[nodiscard]] std::size_t known(Unit unit, std::uint64_t last, unsigned count) const;

private:
    using Hashes = boost::unordered_flat_set<std::uint64_t>;

    // The older ones are forgotten all at once.
    struct Generations {
        Hashes young, old;
    };

    [[nodiscard]] std::uint64_t hash(Unit unit, std::uint64_t last, unsigned size) const;

    std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> cipher_;
    std::array<std::uint32_t, 2> sizes_{};  // of each unit; bit n: something of n of them is known
    std::array<Generations, 4> kinds_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::detail

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/redaction/known_secrets.ipp>
#endif
