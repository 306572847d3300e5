// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::detail {

// Tells whether eight bytes stand in a row in a secret, or ten digits in its base64, and holds neither:
// only hashes of them, with a salt. So what is known here may be gone everywhere else. Of a secret of
// fewer bytes, the whole of it is known.
//
// The last ones of each kind are known: at least as many as have `max_hashes` between them, and the newest
// whatever its size; but of one of more than `max_known_bytes` the first ones only, for an answer that has
// such a value must not take the event loop for long. A secret of n bytes has about 4 n - 28: so the last
// 2,600 keys of 32 bytes, 65 tokens of 1,000, 8 of 8,000, and up to twice as many. The memory is in
// proportion to what is known, 8 MB of each kind at most.
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

    KnownSecrets();
    KnownSecrets(Kind kind, std::string_view secret) : KnownSecrets() { add(kind, secret); }

    void add(Kind kind, std::string_view secret);

    [[nodiscard]] bool empty() const noexcept { return byte_counts_ == 0; }

    // Whether a text that ends in these bytes or digits (the last one lowest, `count` of them at most) ends
    // in any of a secret; how many of them are. 0: none.
    [[nodiscard]] std::size_t known_bytes(std::uint64_t last, std::size_t count) const noexcept {
        return known(last, count, byte_counts_, 8);
    }
    [[nodiscard]] std::size_t known_digits(std::uint64_t last, std::size_t count) const noexcept {
        return known(last, count, digit_counts_, 6);
    }

private:
    // A set of hashes.
    class Hashes {
    public:
        void insert(std::uint64_t hash);
        [[nodiscard]] bool has(std::uint64_t hash) const noexcept;
        [[nodiscard]] std::size_t size() const noexcept { return size_; }

    private:
        void grow();
        std::vector<std::uint64_t> slots_;
        std::size_t size_ = 0;
    };

    // The older ones are forgotten all at once.
    struct Generations {
        Hashes young;
        Hashes old;
    };

    [[nodiscard]] std::size_t known(std::uint64_t last, std::size_t count, std::uint32_t counts,
                                    unsigned bits) const noexcept {
        // The longest first: it hides most.
        for (auto left = counts & ((std::uint32_t{2} << count) - 1); left != 0;) {
            auto const size = static_cast<unsigned>(std::bit_width(left)) - 1;
            if (has(hash(last, size, bits))) return size;
            left ^= std::uint32_t{1} << size;
        }
        return 0;
    }

    void insert(Hashes& hashes, std::uint64_t last, unsigned size, unsigned bits);
    [[nodiscard]] bool has(std::uint64_t hash) const noexcept;
    [[nodiscard]] std::uint64_t hash(std::uint64_t last, unsigned size, unsigned bits) const noexcept;

    std::uint64_t salt_[2];
    std::uint32_t byte_counts_ = 0;   // bit n: something of n bytes is known
    std::uint32_t digit_counts_ = 0;  // of n digits
    std::array<Generations, 4> kinds_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::detail

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/redaction/known_secrets.ipp>
#endif
