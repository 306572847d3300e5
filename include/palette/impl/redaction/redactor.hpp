// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/redaction/escapes.hpp>
#include <palette/impl/redaction/known_secrets.hpp>

#include <openssl/crypto.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::detail {

// Memory that is wiped when it is given back.
template <class T>
struct WipingAllocator {
    using value_type = T;

    WipingAllocator() = default;
    template <class U>
    WipingAllocator(const WipingAllocator<U>&) noexcept {}  // NOLINT(google-explicit-constructor)

    T* allocate(std::size_t n) { return std::allocator<T>().allocate(n); }
    void deallocate(T* p, std::size_t n) noexcept {
        OPENSSL_cleanse(p, n * sizeof(T));
        std::allocator<T>().deallocate(p, n);
    }
    friend bool operator==(const WipingAllocator&, const WipingAllocator&) { return true; }
};

// Finds in a text what is known of secrets.
//
// A secret is known as it is; percent-encoded; with the escapes of JSON, or those of printable(); in base64
// of either alphabet, wherever in a group it begins; in base64 that is escaped; and with any of its
// characters in any of these ways, as a server does that escapes some of them only. All of this is known too
// in a text that was percent-encoded or escaped once more as a whole, so two levels of escapes are covered;
// backslashes may have been escaped any number of times. Base64 of something escaped is not covered.
//
// For that, every way to read the text is followed at once: what may be an escape may be just its
// characters as well. Text without '%' and '\' has one reading, and usual escapes a few tens. The time is
// bounded, whoever wrote the text: a text that has more than `max_readings` at a place, or needs more than
// its share of `max_steps`, was made to, and counts as secret from there on.
class SecretSearch {
public:
    static constexpr std::size_t max_readings = 128;

    // How often readings may be continued in a text of so many bytes, in all.
    static constexpr std::size_t max_steps(std::size_t bytes) noexcept {
        return levels * (max_steps_of_level(bytes) + max_steps_of_place);
    }

    // Searches all of `text`, which outlives it.
    SecretSearch(std::string_view text, const KnownSecrets& known);
    SecretSearch(const SecretSearch&) = delete;
    SecretSearch& operator=(const SecretSearch&) = delete;
    ~SecretSearch() = default;

    [[nodiscard]] bool has_found() const noexcept { return has_found_; }

    // Whether the byte of the text there belongs to what was found.
    [[nodiscard]] bool hides(std::size_t at) const noexcept { return hidden_[at] != 0; }

    // How often a reading was continued: what the time is proportional to.
    [[nodiscard]] std::size_t steps() const noexcept { return steps_; }

private:
    template <class T>
    using Wiped = std::vector<T, WipingAllocator<T>>;

    // What a text stands for if all escapes of one kind in it are meant, and where each byte comes from.
    struct Decoded {
        Wiped<char> bytes;
        std::vector<std::size_t> begins;  // one more than bytes: the end of the text
    };

    // One way to read the text until some place: its last characters, and how many bytes of the text each
    // of them takes, six bits for each, the last one lowest.
    struct Reading {
        std::uint64_t bytes = 0;
        std::uint64_t digits = 0;  // of base64, in a row
        std::uint64_t lengths = 0;
        unsigned byte_count = 0;
        unsigned digit_count = 0;
    };

    // As it is, without percent-encoding, without the escapes of JSON, with single backslashes.
    static constexpr std::size_t levels = 4;
    static constexpr std::size_t max_steps_of_place = 5 * max_readings;
    static constexpr std::size_t max_steps_of_level(std::size_t bytes) noexcept { return 4096 + 24 * bytes; }

    static constexpr std::size_t places = 16;  // more than the longest escape takes
    static constexpr std::size_t few_readings = 32;
    static constexpr std::size_t max_alike = 4;  // readings that end alike, as many of them on average

    template <class DecodeOne>
    [[nodiscard]] static Decoded decoded(std::string_view text, const DecodeOne& decode_one);

    std::size_t search(std::string_view text, const std::size_t* begins);
    void drop_alike();
    void read_place();
    void read_escapes(std::string_view text);
    void read(const Escape& escape);
    static void put(Reading& reading, char c, std::size_t length) noexcept;
    void look(const Reading& reading, std::size_t length_ahead);
    void add(std::size_t length, const Reading& reading);
    std::size_t hide(std::size_t begin, std::size_t end);

    [[nodiscard]] static bool are_alike(const Reading& a, const Reading& b) noexcept;
    [[nodiscard]] static std::size_t length_of(const Reading& reading) noexcept;
    [[nodiscard]] static std::size_t held_by(const Wiped<Reading>& readings) noexcept;

    const KnownSecrets* known_;
    std::vector<char> hidden_;  // of each byte of the text
    std::size_t steps_ = 0;
    bool has_found_ = false;

    // Of the search that is under way.
    std::string_view text_;
    const std::size_t* begins_ = nullptr;          // null: each byte is where it is
    std::size_t at_ = 0;                           // until where it was read
    std::array<Wiped<Reading>, places> readings_;  // until that place and the following ones, a ring
    Wiped<Reading> here_;
};

// No more of a text from outside is read: more than any person does.
inline constexpr std::size_t max_redacted_bytes = 2048;

// So much is read beyond what is shown: what begins before has its end there.
inline constexpr std::size_t redaction_margin = 640;
inline constexpr std::size_t max_shown_bytes = max_redacted_bytes - redaction_margin;

// `text` with "<redacted>" for what is known. What is longer than max_redacted_bytes, or than `limit` and
// redaction_margin, is shortened to max_shown_bytes or `limit`, and ends in "...". What comes to more than
// `limit` is shortened to a little more.
std::string redacted(std::string_view text, const KnownSecrets& known,
                     std::size_t limit = std::numeric_limits<std::size_t>::max());

}  // namespace palette::inline PALETTE_KEYS_ABI::detail

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/redaction/redactor.ipp>
#endif
